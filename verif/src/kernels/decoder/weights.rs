//! Shape, weights and constants of a decoder.

use super::super::attention::dot;
use crate::numeric::{Matrix, fp32};
use thiserror::Error;

/// The sizes of `docs/decoder.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// V, tokens of the vocabulary.
    pub vocabulary: usize,
    /// C, positions of the cache; a multiple of L.
    pub positions: usize,
    /// L, lanes of the machine; a power of two. It fixes the order of two sums, nothing else.
    pub lanes: usize,
}

/// A matrix and its vector B.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linear {
    /// Codes, (outputs, inputs).
    pub codes: Matrix<i8>,
    /// B: a factor for each output, FP32 patterns.
    pub factors: Vec<u32>,
}

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// (H D, d). Rows of a head in the order in which RoPE pairs i with i + D/2.
    pub query: Linear,
    /// (G D, d), likewise.
    pub key: Linear,
    /// (G D, d).
    pub value: Linear,
    /// (d, H D).
    pub output: Linear,
    /// (F, d).
    pub gate: Linear,
    /// (F, d).
    pub up: Linear,
    /// (d, F).
    pub down: Linear,
    /// c, the factor of a score before exp2, an FP32 pattern above zero.
    pub score: u32,
}

/// Everything that a decoder computes with.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// Sizes.
    pub shape: Shape,
    /// Layers, the first one first.
    pub layers: Vec<Layer>,
    /// (V, d); without it a step ends behind the last layer.
    pub head: Option<Linear>,
    /// eps of the norms, an FP32 pattern.
    pub epsilon: u32,
    /// Radians that pair i of a head turns in one position, D/2 numbers: theta^(-2i/D), or scaled ones.
    pub frequencies: Vec<f64>,
}

/// Parameters that do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what} is {found}, not {expected}")]
pub struct ShapeError {
    /// Which.
    pub what: String,
    /// Its size or value.
    pub found: String,
    /// What it must be.
    pub expected: String,
}

impl Linear {
    /// mul(mul(FP32(sum of x w), B), factor) of every output, FP32 patterns.
    pub(super) fn project(&self, x: &[i8], factor: u32) -> Vec<u32> {
        let scaled = self.scaled(x);
        scaled.map(|y| fp32::mul(y, factor)).collect()
    }

    /// mul(FP32(sum of x w), B) of every output.
    pub(super) fn scaled(&self, x: &[i8]) -> impl Iterator<Item = u32> {
        let sums = (0..self.codes.rows()).map(move |row| dot(self.codes.row(row), x));
        sums.zip(&self.factors)
            .map(|(sum, &factor)| fp32::mul(fp32::from_i32(sum), factor))
    }
}

impl Parameters {
    /// Whether all sizes fit together.
    pub(super) fn check(&self) -> Result<(), ShapeError> {
        let Shape {
            width: d,
            heads,
            kv_heads,
            head_dim,
            hidden,
            vocabulary,
            positions,
            lanes,
        } = self.shape;
        let rule = |what: &str, found: usize, holds: bool, expected: &str| match holds {
            true => Ok(()),
            false => Err(ShapeError {
                what: what.into(),
                found: found.to_string(),
                expected: expected.into(),
            }),
        };
        for (what, size) in [("d", d), ("G", kv_heads), ("D", head_dim), ("F", hidden)] {
            rule(what, size, size > 0, "at least 1")?;
        }
        rule("D", head_dim, head_dim % 2 == 0, "even")?;
        let grouped = heads > 0 && heads % kv_heads == 0;
        rule(
            "H",
            heads,
            grouped,
            &format!("a multiple of G = {kv_heads}"),
        )?;
        rule("L", lanes, lanes.is_power_of_two(), "a power of two")?;
        let whole = positions > 0 && positions % lanes == 0;
        rule("C", positions, whole, &format!("a multiple of L = {lanes}"))?;
        let pairs = head_dim / 2;
        let turns = self.frequencies.len();
        rule(
            "frequencies",
            turns,
            turns == pairs,
            &format!("D/2 = {pairs}"),
        )?;

        let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
        for (number, layer) in self.layers.iter().enumerate() {
            for (name, linear, outputs, inputs) in [
                ("query", &layer.query, queries, d),
                ("key", &layer.key, keys, d),
                ("value", &layer.value, keys, d),
                ("output", &layer.output, d, queries),
                ("gate", &layer.gate, hidden, d),
                ("up", &layer.up, hidden, d),
                ("down", &layer.down, d, hidden),
            ] {
                linear.check(&format!("{name} of layer {number}"), outputs, inputs)?;
            }
            let score = f32::from_bits(layer.score);
            if !(score.is_finite() && score > 0.0) {
                return Err(ShapeError {
                    what: format!("c of layer {number}"),
                    found: score.to_string(),
                    expected: "a number above zero".into(),
                });
            }
        }
        match &self.head {
            Some(head) => head.check("head", vocabulary, d),
            None => Ok(()),
        }
    }
}

impl Linear {
    fn check(&self, what: &str, outputs: usize, inputs: usize) -> Result<(), ShapeError> {
        let (rows, columns, factors) =
            (self.codes.rows(), self.codes.columns(), self.factors.len());
        let text = |rows, columns, factors| format!("{rows} x {columns} with {factors} factors");
        if (rows, columns, factors) == (outputs, inputs, outputs) {
            return Ok(());
        }
        Err(ShapeError {
            what: what.into(),
            found: text(rows, columns, factors),
            expected: text(outputs, inputs, outputs),
        })
    }
}
