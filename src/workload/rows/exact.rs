//! The same kernels in double precision.

use super::{Rows, decode, real};
use lpu_compiler::vector::{Element, Kernel};

impl Rows {
    /// What the operands give in double precision.
    pub(super) fn exact(&self) -> Vec<f64> {
        let columns = self.shape.columns;
        let format = match self.shape.kernel {
            Kernel::Dequantise { format } => format,
            _ => Element::Fp32,
        };
        let [x, rest @ ..] = self.operands.as_slice() else {
            return Vec::new();
        };
        let x: Vec<f64> = x.iter().map(|&code| real(decode(format, code))).collect();
        let rest: Vec<Vec<f64>> = rest
            .iter()
            .map(|operand| operand.iter().map(|&bits| real(bits)).collect())
            .collect();
        let rows = x.chunks(columns);
        match self.shape.kernel {
            Kernel::Softmax { scale } => rows.flat_map(|row| softmax(row, scale.into())).collect(),
            Kernel::RmsNorm { epsilon } => {
                let row = |row: &[f64]| {
                    let factor = root(row, 0.0, epsilon.into());
                    let scaled = row.iter().map(|x| x * factor);
                    scaled
                        .zip(&rest[0])
                        .map(|(x, gamma)| x * gamma)
                        .collect::<Vec<_>>()
                };
                rows.flat_map(row).collect()
            }
            Kernel::LayerNorm { epsilon } => {
                let row = |row: &[f64]| {
                    let mean = row.iter().sum::<f64>() / row.len() as f64;
                    let factor = root(row, mean, epsilon.into());
                    let columns = rest[0].iter().zip(&rest[1]);
                    row.iter()
                        .zip(columns)
                        .map(|(x, (gamma, beta))| (x - mean) * factor * gamma + beta)
                        .collect::<Vec<_>>()
                };
                rows.flat_map(row).collect()
            }
            Kernel::Silu { gated } => {
                let gate = |i: usize| if gated { rest[0][i] } else { 1.0 };
                let silu = |(i, &x): (usize, &f64)| x / (1.0 + libm::exp(-x)) * gate(i);
                x.iter().enumerate().map(silu).collect()
            }
            Kernel::Gelu => x.iter().map(|&x| gelu(x)).collect(),
            Kernel::Rope { heads } => {
                let dim = columns / heads;
                let turn = |(i, &x): (usize, &f64)| {
                    let (row, column) = (i / columns, i % dim);
                    let half = dim / 2;
                    let angle = self.angles[row * half + column % half];
                    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
                    match column < half {
                        true => x * cos - self.element(i + half) * sin,
                        false => x * cos + self.element(i - half) * sin,
                    }
                };
                x.iter().enumerate().map(turn).collect()
            }
            Kernel::Quantise { .. } => x,
            Kernel::Dequantise { .. } => {
                let value = |(i, x): (usize, &f64)| x * rest[0][i / columns] * rest[1][i % columns];
                x.iter().enumerate().map(value).collect()
            }
        }
    }

    fn element(&self, index: usize) -> f64 {
        real(self.operands[0][index])
    }
}

fn softmax(row: &[f64], scale: f64) -> Vec<f64> {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = row
        .iter()
        .map(|x| libm::exp((x - largest) * scale))
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// 1 / sqrt(mean of (x - mean)^2 + epsilon).
fn root(row: &[f64], mean: f64, epsilon: f64) -> f64 {
    let squares: f64 = row.iter().map(|x| (x - mean) * (x - mean)).sum();
    1.0 / libm::sqrt(squares / row.len() as f64 + epsilon)
}

fn gelu(x: f64) -> f64 {
    let root = libm::sqrt(2.0 / std::f64::consts::PI);
    0.5 * x * (1.0 + libm::tanh(root * (x + 0.044715 * x * x * x)))
}
