//! The feed-forward networks of a model in int8, for a machine that computes them alone while attention runs elsewhere.

use super::convert::{ConvertError, quantise};
use super::{Int8Matrix, Steps};
use crate::Model;
use crate::architecture::{Activation, NormKind};
use crate::engine::EngineError;
use crate::model::{Dense, Ffn, Layer};
use crate::reference::{Networks, Which};
use lpu_verif::kernels::decoder as golden;
use lpu_verif::numeric::Matrix;

/// A network: that of a layer, or an expert.
#[derive(Clone, Debug, PartialEq)]
pub struct Int8Network {
    /// (hidden, width).
    pub gate: Int8Matrix,
    /// (hidden, width).
    pub up: Int8Matrix,
    /// (width, hidden).
    pub down: Int8Matrix,
    /// What a step of the int8 values that `down` takes is worth.
    pub step: f32,
}

/// All networks of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Int8Networks {
    /// Elements of a row of x.
    pub width: usize,
    /// Inner width of the widest network; the others are filled up with zeros, which change no result.
    pub hidden: usize,
    /// Added to the mean square of a norm.
    pub epsilon: f32,
    /// Layer by layer: the only network, or the experts and then the shared one.
    pub networks: Vec<Int8Network>,
    /// Number of the first network of each layer.
    first: Vec<usize>,
    /// Networks that a token takes in all layers.
    per_token: usize,
}

/// Converts the networks of a model, with the steps of each layer.
///
/// # Panics
/// If there are not as many steps as layers.
pub fn convert_networks(model: &Model, steps: &[Steps]) -> Result<Int8Networks, ConvertError> {
    let shape = &model.architecture;
    assert_eq!(steps.len(), model.layers.len(), "steps of each layer");
    let name = |value: &dyn std::fmt::Debug| format!("{value:?}");
    if shape.norm != NormKind::Rms {
        return Err(ConvertError::new("its norm", name(&shape.norm), "Rms"));
    }
    if shape.activation != Activation::Silu {
        let found = name(&shape.activation);
        return Err(ConvertError::new("its activation", found, "Silu"));
    }
    let all = model.layers.iter().map(blocks);
    let widest = all.clone().flatten().map(|block| block.up.weight.outputs());
    let hidden = widest.max().unwrap_or(0);
    let (mut networks, mut first, mut per_token) = (Vec::new(), Vec::new(), 0);
    for (number, (blocks, layer)) in all.zip(&model.layers).enumerate() {
        first.push(networks.len());
        for block in blocks {
            networks.push(network(block, layer, number, hidden, steps[number].hidden)?);
        }
        per_token += match (&layer.ffn, &shape.ffn[number]) {
            (Ffn::Experts(weights), crate::architecture::Ffn::Experts(experts)) => {
                experts.per_token + usize::from(weights.shared.is_some())
            }
            _ => 1,
        };
    }
    Ok(Int8Networks {
        width: shape.width,
        hidden,
        epsilon: shape.epsilon as f32,
        networks,
        first,
        per_token,
    })
}

/// The networks of a layer.
fn blocks(layer: &Layer) -> Vec<&Dense> {
    match &layer.ffn {
        Ffn::Dense(dense) => vec![dense],
        Ffn::Experts(weights) => {
            let shared = weights.shared.iter().map(|(dense, _)| dense);
            weights.experts.iter().chain(shared).collect()
        }
    }
}

fn network(
    block: &Dense,
    layer: &Layer,
    number: usize,
    hidden: usize,
    step: f32,
) -> Result<Int8Network, ConvertError> {
    let what = |part: &str| format!("{part} of layer {number}");
    let Some(gate) = &block.gate else {
        let what = what("the feed-forward network");
        return Err(ConvertError::new(&what, "without a gate".into(), "gated"));
    };
    for (name, linear) in [("gate", gate), ("up", &block.up), ("down", &block.down)] {
        if linear.bias.is_some() {
            let what = what(&format!("the bias of {name}"));
            return Err(ConvertError::new(&what, "there".into(), "absent"));
        }
    }
    let norm = Some(&layer.ffn_norm);
    Ok(Int8Network {
        gate: filled(quantise(gate, norm, |row| row), hidden, None),
        up: filled(quantise(&block.up, norm, |row| row), hidden, None),
        down: filled(quantise(&block.down, None, |row| row), 0, Some(hidden)),
        step,
    })
}

/// A matrix with zeros for outputs or inputs that it has not.
fn filled(matrix: Int8Matrix, rows: usize, columns: Option<usize>) -> Int8Matrix {
    let Int8Matrix { codes, mut scales } = matrix;
    let (outputs, inputs) = (codes.rows(), codes.columns());
    let (rows, columns) = (rows.max(outputs), columns.unwrap_or(inputs));
    scales.resize(rows, 0.0);
    let code = |row: usize, column: usize| match row < outputs && column < inputs {
        true => codes.row(row)[column],
        false => 0,
    };
    Int8Matrix {
        codes: Matrix::from_fn(rows, columns, code),
        scales,
    }
}

impl Int8Networks {
    /// Number of a network.
    pub fn number(&self, layer: usize, which: Which) -> usize {
        let first = self.first[layer];
        match which {
            Which::Dense => first,
            Which::Expert(expert) => first + expert,
            // Behind all experts.
            Which::Shared => self.first.get(layer + 1).unwrap_or(&self.networks.len()) - 1,
        }
    }

    /// Networks that a token takes in all layers.
    pub fn per_token(&self) -> usize {
        self.per_token
    }
}

impl Int8Network {
    /// The vectors B of `docs/decoder.md` of gate, up and down, FP32 patterns.
    pub fn factors(&self) -> [Vec<u32>; 3] {
        let step = f64::from(self.step);
        [
            self.gate.factors(1.0),
            self.up.quotients(step),
            self.down.factors(step),
        ]
    }

    /// What the golden network computes with.
    pub fn golden(&self) -> golden::Network {
        let [gate, up, down] = self.factors();
        let linear = |matrix: &Int8Matrix, factors| golden::Linear {
            codes: matrix.codes.clone(),
            factors,
        };
        golden::Network {
            gate: linear(&self.gate, gate),
            up: linear(&self.up, up),
            down: linear(&self.down, down),
        }
    }
}

/// The golden networks: the arithmetic of the machine without the machine.
#[derive(Clone, Debug)]
pub struct GoldenNetworks<'m> {
    int8: &'m Int8Networks,
    networks: Vec<golden::Network>,
    lanes: usize,
}

impl<'m> GoldenNetworks<'m> {
    /// As on a machine of `lanes` lanes.
    pub fn new(int8: &'m Int8Networks, lanes: usize) -> Self {
        Self {
            int8,
            networks: int8.networks.iter().map(Int8Network::golden).collect(),
            lanes,
        }
    }

    /// What network `number` gives for a row of x, FP32 patterns.
    pub fn row(&self, number: usize, x: &[u32]) -> Vec<u32> {
        let epsilon = self.int8.epsilon.to_bits();
        self.networks[number].apply(x, epsilon, self.lanes)
    }
}

impl Networks for GoldenNetworks<'_> {
    fn apply(&mut self, layer: usize, which: Which, x: &[f32]) -> Result<Vec<f32>, EngineError> {
        let x: Vec<u32> = x.iter().map(|x| x.to_bits()).collect();
        let y = self.row(self.int8.number(layer, which), &x);
        Ok(y.into_iter().map(f32::from_bits).collect())
    }
}
