//! Feed-forward networks alone: a launch for each, while attention is computed elsewhere.

use super::choice::CHOICES;
use super::plan::Part;
use super::{Inputs, Layout, Matrix, Shape, place};
use crate::matmul::Vector;
use crate::{CompileError, Prediction};
use lpu_isa::{Config, Program};

/// The sizes, by the letters of `docs/decoder.md`.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkShape {
    /// d, width of the model.
    pub width: usize,
    /// F, width of the feed-forward.
    pub hidden: usize,
    /// Networks that lie in SRAM: one for each layer or expert.
    pub networks: usize,
    /// B, rows of x in a launch.
    pub sequences: usize,
    /// eps of the norm.
    pub epsilon: f32,
}

/// The matrices of a network.
#[derive(Clone, Debug)]
pub struct NetworkWeights<'a> {
    /// (F, d).
    pub gate: Matrix<'a>,
    /// (F, d).
    pub up: Matrix<'a>,
    /// (d, F).
    pub down: Matrix<'a>,
}

/// Where the tensors of all networks are.
#[derive(Clone, Debug)]
pub struct NetworkLayout {
    /// Of network 0; network n lies n times as far as this one reaches, in each slice.
    first: Layout,
    networks: usize,
}

/// Compiled networks.
#[derive(Clone, Debug)]
pub struct Network {
    /// The program of every queue.
    pub program: Program,
    /// Where the tensors are.
    pub layout: NetworkLayout,
    /// What a launch takes, whichever the network.
    pub prediction: Prediction,
    /// Bytes of weights that a launch has to read, padding not counted.
    pub read_bytes: u64,
    /// Multiply-accumulates of a launch, padding not counted.
    pub macs: u64,
}

/// Compiles feed-forward networks for the machine `config`: one program for all of them, the base registers choose.
///
/// The program has passed [`check`](crate::check()). The same arguments always give the same program.
pub fn compile(config: &Config, shape: &NetworkShape) -> Result<Network, CompileError> {
    config.validate()?;
    // Attention takes no room and no time.
    let one = Shape {
        width: shape.width,
        heads: 1,
        kv_heads: 1,
        head_dim: 2,
        hidden: shape.hidden,
        vocabulary: None,
        layers: 1,
        positions: config.lanes,
        sequences: shape.sequences,
        epsilon: shape.epsilon,
        scores: vec![1.0],
    };
    one.validate(config.lanes)?;
    let (first, program, prediction) = place(config, Part::Network, &one, CHOICES[0])?;
    let layout = NetworkLayout {
        first,
        networks: shape.networks,
    };
    layout.check(config)?;
    let weights = (3 * shape.width * shape.hidden) as u64;
    Ok(Network {
        program,
        layout,
        prediction,
        read_bytes: weights,
        macs: weights * shape.sequences as u64,
    })
}

impl NetworkLayout {
    fn check(&self, config: &Config) -> Result<(), CompileError> {
        let depth = config.mem.depth;
        let fullest = self.first.used().iter().max().copied().unwrap_or(0);
        let needed = fullest.saturating_mul(self.networks);
        if (1..=depth).contains(&needed) {
            return Ok(());
        }
        if needed == 0 {
            return Err(CompileError::Decoder(
                "networks is 0 and must be at least 1".into(),
            ));
        }
        Err(CompileError::Decoder(format!(
            "{} networks take {needed} vectors of the fullest MEM slice and mem.depth is {depth}: raise mem.depth (65536 is the most) or mem.slices, or spread the networks over {} machines of this size",
            self.networks,
            needed.div_ceil(depth)
        )))
    }

    /// BASE of both queues of a slice.
    fn base(&self, slice: usize, network: usize) -> usize {
        network * self.first.used()[slice]
    }

    fn moved(&self, mut vectors: Vec<Vector>, network: usize) -> Vec<Vector> {
        for vector in &mut vectors {
            vector.address += self.base(vector.slice, network);
        }
        vectors
    }

    /// The vectors that hold the weights of network `network`.
    ///
    /// # Panics
    /// If there is no such network.
    pub fn pack(
        &self,
        network: usize,
        weights: &NetworkWeights<'_>,
    ) -> Result<Vec<Vector>, CompileError> {
        assert!(network < self.networks, "one of the networks");
        let NetworkWeights { gate, up, down } = weights;
        let &Shape { width, hidden, .. } = self.first.shape();
        gate.check("gate", hidden, width)?;
        up.check("up", hidden, width)?;
        down.check("down", width, hidden)?;
        let mut vectors = Vec::new();
        let places = &self.first.layers[0].network;
        self.first
            .pack_network(&mut vectors, places, [gate, up, down]);
        Ok(self.moved(vectors, network))
    }

    /// What the host writes before a launch of network `network`: a row of x, d FP32 patterns, for each sequence.
    ///
    /// # Panics
    /// If the rows are not those of the shape, or if there is no such network.
    pub fn inputs(&self, network: usize, rows: &[&[u32]]) -> Inputs {
        assert!(network < self.networks, "one of the networks");
        let mut vectors = Vec::new();
        self.first.pack_rows(&mut vectors, rows);
        let slices = 0..self.first.used().len();
        let bases = slices.flat_map(|slice| {
            let base = self.base(slice, network) as u16;
            [(2 * slice, base), (2 * slice + 1, base)]
        });
        Inputs {
            bases: bases.collect(),
            vectors: self.moved(vectors, network),
        }
    }

    /// The vectors (slice, address) that hold the results of a launch of network `network`.
    pub fn result_places(&self, network: usize) -> Vec<(usize, usize)> {
        self.first.based_results(|slice| self.base(slice, network))
    }

    /// What the network gives for each sequence, d FP32 patterns, from the bytes of [`Self::result_places`].
    pub fn results(&self, bytes: &[u8]) -> Vec<Vec<u32>> {
        self.first.results(bytes)
    }
}
