//! Layers of a transformer decoder as one program: a launch takes a token of each sequence through all of them.
//!
//! `docs/decoder.md` defines the arithmetic and draws the schedule. Weights, keys and values are read once, at the bandwidth of all
//! slices; rows of x and everything that comes of them stay in the registers of the vector unit and in the operand buffer. A
//! program serves every position: what depends on it is data, and the base registers of the write queues.

mod attend;
mod choice;
mod feed;
mod layout;
mod network;
mod norm;
mod pipeline;
mod plan;
mod pool;
mod product;
mod rack;
mod scheduler;
mod step;
mod team;
mod tiles;

pub use layout::Layout;
pub use network::{
    Network, NetworkLayout, NetworkShape, NetworkWeights, compile as compile_network,
};

pub use rack::{Placement, RackDecoder, RackLayout, compile_rack};

use crate::matmul::Vector;
use crate::{CompileError, Prediction, check};
use choice::Choice;
use lpu_isa::{Config, Program};
use plan::{Part, Plan, Share};
use std::ops::Range;

/// The sizes, by the letters of `docs/decoder.md`.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// d, width of the model.
    pub width: usize,
    /// H, heads.
    pub heads: usize,
    /// G, heads of keys and values; divides H.
    pub kv_heads: usize,
    /// D, elements of a head; even.
    pub head_dim: usize,
    /// F, width of the feed-forward.
    pub hidden: usize,
    /// V, tokens of the vocabulary; `None` ends the step behind the last layer.
    pub vocabulary: Option<usize>,
    /// N, layers.
    pub layers: usize,
    /// C, positions of the cache; a multiple of L.
    pub positions: usize,
    /// B, sequences that take a token each.
    pub sequences: usize,
    /// eps of the norms.
    pub epsilon: f32,
    /// c of each layer, the factor of a score before exp2.
    pub scores: Vec<f32>,
}

/// A matrix and its vector B.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    /// The inputs' codes of each output.
    pub rows: Vec<&'a [i8]>,
    /// B: a factor for each output, FP32 patterns.
    pub factors: Vec<u32>,
}

/// The matrices of a layer.
#[derive(Clone, Debug)]
pub struct LayerWeights<'a> {
    /// (H D, d). Rows of a head in the order in which RoPE pairs i with i + D/2.
    pub query: Matrix<'a>,
    /// (G D, d), likewise.
    pub key: Matrix<'a>,
    /// (G D, d).
    pub value: Matrix<'a>,
    /// (d, H D).
    pub output: Matrix<'a>,
    /// (F, d).
    pub gate: Matrix<'a>,
    /// (F, d).
    pub up: Matrix<'a>,
    /// (d, F).
    pub down: Matrix<'a>,
}

/// All matrices.
#[derive(Clone, Debug)]
pub struct Weights<'a> {
    /// Layers, the first one first.
    pub layers: Vec<LayerWeights<'a>>,
    /// (V, d), if the shape has a vocabulary.
    pub head: Option<Matrix<'a>>,
}

/// int8 keys and values of one position of a layer, (G, D) each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// After rotation.
    pub keys: Vec<i8>,
    /// Values.
    pub values: Vec<i8>,
}

/// A token of each sequence, as the host brings it to the machine.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// Rows of x, d FP32 patterns each. Only chips that begin with the first layer look at them.
    pub rows: &'a [&'a [u32]],
    /// Cosines and sines of its position in the text, D/2 FP32 patterns each.
    pub tables: (&'a [u32], &'a [u32]),
    /// Positions of the cache that it sees. Its own keys and values go to the last of them.
    pub seen: Range<usize>,
}

/// What the host writes before a launch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Rows of x, cosines, sines, masks.
    pub vectors: Vec<Vector>,
    /// Base registers: queue and value.
    pub bases: Vec<(usize, u16)>,
}

/// Compiled layers.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// The program of every queue.
    pub program: Program,
    /// Where the tensors are.
    pub layout: Layout,
    /// What the launch takes, whatever the position.
    pub prediction: Prediction,
    /// Bytes of weights, keys and values that a step has to read, padding not counted.
    pub read_bytes: u64,
    /// Multiply-accumulates of all products and of attention over all positions, padding not counted.
    pub macs: u64,
}

impl Shape {
    fn validate(&self, lanes: usize) -> Result<(), CompileError> {
        let refuse = |rule: String| Err(CompileError::Decoder(rule));
        let sizes = [
            ("width", self.width),
            ("heads", self.heads),
            ("kv_heads", self.kv_heads),
            ("head_dim", self.head_dim),
            ("hidden", self.hidden),
            ("vocabulary", self.vocabulary.unwrap_or(1)),
            ("layers", self.layers),
            ("positions", self.positions),
            ("sequences", self.sequences),
        ];
        for (name, size) in sizes {
            if !(1..=1 << 24).contains(&size) {
                return refuse(format!("{name} is {size} and must be from 1 to 16777216"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return refuse(format!(
                "{} heads cannot share {} heads of keys and values evenly: kv_heads must divide heads",
                self.heads, self.kv_heads
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return refuse(format!(
                "head_dim is {} and must be even: RoPE turns pairs",
                self.head_dim
            ));
        }
        if !self.positions.is_multiple_of(lanes) {
            return refuse(format!(
                "positions is {} and must be a multiple of the {lanes} lanes: raise it to {}",
                self.positions,
                self.positions.next_multiple_of(lanes)
            ));
        }
        let factors = self.scores.iter().chain([&self.epsilon]);
        if self.scores.len() != self.layers
            || factors.clone().any(|c| !(c.is_finite() && *c >= 0.0))
        {
            return refuse(format!(
                "scores and epsilon must be numbers that are not negative, and scores one for each of the {} layers",
                self.layers
            ));
        }
        Ok(())
    }

    /// Weights of all matrices.
    fn weights(&self) -> u64 {
        let (d, heads) = (self.width, self.heads + self.kv_heads);
        let layer = 2 * d * heads * self.head_dim + 3 * d * self.hidden;
        (self.layers * layer + self.vocabulary.unwrap_or(0) * d) as u64
    }

    /// Keys and values of all sequences.
    const fn cached(&self) -> u64 {
        let positions = self.sequences * self.positions;
        (2 * self.layers * positions * self.kv_heads * self.head_dim) as u64
    }

    /// Bytes of weights, keys and values that a step reads once.
    fn read_bytes(&self) -> u64 {
        self.weights() + self.cached()
    }

    /// Multiply-accumulates of a step: all products, and attention over all positions.
    fn macs(&self) -> u64 {
        let group = (self.heads / self.kv_heads) as u64;
        self.weights() * self.sequences as u64 + self.cached() * group
    }
}

impl Matrix<'_> {
    fn check(&self, matrix: &'static str, rows: usize, columns: usize) -> Result<(), CompileError> {
        let right = self.rows.iter().all(|row| row.len() == columns);
        match right && self.rows.len() == rows && self.factors.len() == rows {
            true => Ok(()),
            false => Err(CompileError::Elements {
                matrix,
                rows,
                columns,
                expected: rows * columns,
                found: self.rows.iter().map(|row| row.len()).sum(),
            }),
        }
    }
}

impl Weights<'_> {
    fn check(&self, shape: &Shape) -> Result<(), CompileError> {
        let (d, f) = (shape.width, shape.hidden);
        let (queries, keys) = (
            shape.heads * shape.head_dim,
            shape.kv_heads * shape.head_dim,
        );
        if self.layers.len() != shape.layers || self.head.is_some() != shape.vocabulary.is_some() {
            return Err(CompileError::Decoder(format!(
                "weights of {} layers {} a head are not those of the shape",
                self.layers.len(),
                if self.head.is_some() {
                    "with"
                } else {
                    "without"
                }
            )));
        }
        for layer in &self.layers {
            layer.query.check("query", queries, d)?;
            layer.key.check("key", keys, d)?;
            layer.value.check("value", keys, d)?;
            layer.output.check("output", d, queries)?;
            layer.gate.check("gate", f, d)?;
            layer.up.check("up", f, d)?;
            layer.down.check("down", d, f)?;
        }
        match (&self.head, shape.vocabulary) {
            (Some(head), Some(vocabulary)) => head.check("head", vocabulary, d),
            _ => Ok(()),
        }
    }
}

/// Where the tensors are, the program, and what it takes.
type Placed = (Layout, Program, Prediction);

fn place(
    config: &Config,
    part: Part,
    shape: &Shape,
    choice: Choice,
) -> Result<Placed, CompileError> {
    let plan = Plan::new(config, part, shape, choice, [Share::ALONE; 2])?;
    let layout = Layout::new(config, &plan)?;
    let program = step::program(config, &plan, &layout)?;
    let prediction = check(config, &program).map_err(CompileError::Schedule)?;
    Ok((layout, program, prediction))
}

/// Compiles decoder layers for the machine `config`.
///
/// Of several orders it takes the one with the fewest cycles; the program has passed [`check`](crate::check()). The same arguments always give the same program.
pub fn compile(config: &Config, shape: &Shape) -> Result<Decoder, CompileError> {
    config.validate()?;
    shape.validate(config.lanes)?;
    let choices = choice::CHOICES.into_iter();
    let placed = choices.map(|choice| place(config, Part::Layers, shape, choice));
    let (layout, program, prediction) = choice::fewest(placed, |one| one.2.busy_cycles)?;
    Ok(Decoder {
        program,
        layout,
        prediction,
        read_bytes: shape.read_bytes(),
        macs: shape.macs(),
    })
}
