//! A model in int8, as the decoder layers of `docs/decoder.md` want it.
//!
//! Each matrix takes the gain of the norm before it and becomes int8 with a scale for each output. What the int8 values between the matrices are worth
//! (the *steps* of queries, keys, values and of what the feed-forward network multiplies `down` with) comes from a [`calibration`].

mod cache;
pub mod calibration;
mod convert;
pub mod engine;
mod networks;

pub use cache::Entry;
pub use calibration::Steps;
pub use convert::{ConvertError, convert};
pub use engine::GoldenEngine;
pub use networks::{GoldenNetworks, Int8Network, Int8Networks, convert_networks};

use lpu_verif::kernels::decoder::{self as golden, ShapeError};
use lpu_verif::numeric::Matrix;

/// A matrix: weight = scale of its output times code.
#[derive(Clone, Debug, PartialEq)]
pub struct Int8Matrix {
    /// (outputs, inputs), from -127 to 127.
    pub codes: Matrix<i8>,
    /// One for each output; 0 for an output of zeros.
    pub scales: Vec<f32>,
}

/// A layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Int8Layer {
    /// (heads · head_dim, width), the rows of a head in the order in which RoPE pairs i with i + head_dim / 2.
    pub query: Int8Matrix,
    /// (kv_heads · head_dim, width), likewise.
    pub key: Int8Matrix,
    /// (kv_heads · head_dim, width).
    pub value: Int8Matrix,
    /// (width, heads · head_dim).
    pub output: Int8Matrix,
    /// (hidden, width).
    pub gate: Int8Matrix,
    /// (hidden, width).
    pub up: Int8Matrix,
    /// (width, hidden).
    pub down: Int8Matrix,
    /// What a step of the int8 values between them is worth.
    pub steps: Steps,
}

/// A model of the Llama family.
#[derive(Clone, Debug, PartialEq)]
pub struct Int8Model {
    /// Elements of a row of x.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Elements of a head.
    pub head_dim: usize,
    /// Inner width of the feed-forward networks.
    pub hidden: usize,
    /// Tokens.
    pub vocabulary: usize,
    /// Positions the model may see.
    pub context: usize,
    /// Added to the mean square of a norm.
    pub epsilon: f32,
    /// Radians that pair i of a head turns in one position, head_dim / 2 numbers.
    pub frequencies: Vec<f64>,
    /// Layers, the first one first.
    pub layers: Vec<Int8Layer>,
    /// (vocabulary, width), with the gain of the last norm.
    pub head: Int8Matrix,
    /// Whether pairs of a head were neighbours in the model, so that heads were put into another order.
    pub neighbours: bool,
}

impl Int8Matrix {
    /// The vector B of `docs/decoder.md`: scale times `factor` for each output, in double precision and rounded once, as FP32 patterns.
    pub fn factors(&self, factor: f64) -> Vec<u32> {
        let scales = self.scales.iter();
        scales
            .map(|&scale| ((f64::from(scale) * factor) as f32).to_bits())
            .collect()
    }

    /// The same with the quotient by `divisor`.
    pub fn quotients(&self, divisor: f64) -> Vec<u32> {
        let scales = self.scales.iter();
        scales
            .map(|&scale| ((f64::from(scale) / divisor) as f32).to_bits())
            .collect()
    }
}

impl Int8Layer {
    /// c of `docs/decoder.md`: the factor of a score before exp2.
    pub fn score(&self, head_dim: usize) -> f32 {
        let steps = f64::from(self.steps.query) * f64::from(self.steps.key);
        (steps * std::f64::consts::LOG2_E / (head_dim as f64).sqrt()) as f32
    }
}

impl Int8Model {
    /// What the golden decoder computes with, for a cache of `positions` positions on a machine of `lanes` lanes.
    pub fn golden(&self, positions: usize, lanes: usize) -> golden::Parameters {
        let linear = |matrix: &Int8Matrix, factors: Vec<u32>| golden::Linear {
            codes: matrix.codes.clone(),
            factors,
        };
        let layers = self.layers.iter().map(|layer| {
            let steps = &layer.steps;
            let [q, k, v, h] = [steps.query, steps.key, steps.value, steps.hidden].map(f64::from);
            golden::Layer {
                query: linear(&layer.query, layer.query.quotients(q)),
                key: linear(&layer.key, layer.key.quotients(k)),
                value: linear(&layer.value, layer.value.quotients(v)),
                output: linear(&layer.output, layer.output.factors(v)),
                gate: linear(&layer.gate, layer.gate.factors(1.0)),
                up: linear(&layer.up, layer.up.quotients(h)),
                down: linear(&layer.down, layer.down.factors(h)),
                score: layer.score(self.head_dim).to_bits(),
            }
        });
        golden::Parameters {
            shape: golden::Shape {
                width: self.width,
                heads: self.heads,
                kv_heads: self.kv_heads,
                head_dim: self.head_dim,
                hidden: self.hidden,
                vocabulary: self.vocabulary,
                positions,
                lanes,
            },
            layers: layers.collect(),
            head: Some(linear(&self.head, self.head.factors(1.0))),
            epsilon: self.epsilon.to_bits(),
            frequencies: self.frequencies.clone(),
        }
    }

    /// A golden decoder of one sequence.
    pub fn decoder(&self, positions: usize, lanes: usize) -> Result<golden::Decoder, ShapeError> {
        golden::Decoder::new(self.golden(positions, lanes), 1)
    }
}
