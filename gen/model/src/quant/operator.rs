//! A linear layer's product in one of the formats.

use super::Format;
use super::block::{self, Block};
use crate::tensor::Matrix;
use lpu_verif::numeric::{Nvfp4Accumulator, e4m3, fp32};

/// A matrix ready to be multiplied with.
#[derive(Debug)]
pub enum Operator<'m> {
    /// In f32.
    F32(&'m Matrix),
    /// One int8 code for each weight, row by row, and a scale for each row.
    Int8 {
        /// Length of a row.
        inputs: usize,
        /// Codes.
        codes: Vec<i8>,
        /// Real value of one step of each row.
        scales: Vec<f32>,
    },
    /// E4M3 patterns.
    E4m3 {
        /// Length of a row.
        inputs: usize,
        /// Patterns.
        codes: Vec<u8>,
        /// Real value of 1.0 of each row.
        scales: Vec<f32>,
    },
    /// Blocks.
    Nvfp4 {
        /// Blocks of a row.
        blocks: usize,
        /// Row by row.
        codes: Vec<Block>,
        /// Real value of a product of element and scale that is 1.0.
        scale: f32,
    },
}

/// Rounds to int8 codes from -127 to 127; gives the real value of one step, max |x| / 127 (0 if all are zero). Each is x · (127 / max |x|) to
/// the nearest integer, ties to even.
pub fn int8(x: &[f32], codes: &mut [i8]) -> f32 {
    let largest = x.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let factor = 127.0 / largest;
    if !factor.is_finite() {
        // All are zero, or too small for a factor.
        codes.fill(0);
        return 0.0;
    }
    for (code, value) in codes.iter_mut().zip(x) {
        *code = (value * factor).round_ties_even() as i8;
    }
    largest / 127.0
}

/// Rounds to E4M3; gives the real value of 1.0, max |x| / 448.
fn to_e4m3(x: &[f32], codes: &mut [u8]) -> f32 {
    let largest = x.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let factor = 448.0 / largest;
    if !factor.is_finite() {
        codes.fill(0);
        return 0.0;
    }
    for (code, value) in codes.iter_mut().zip(x) {
        *code = e4m3::from_fp32((value * factor).to_bits());
    }
    largest / 448.0
}

impl<'m> Operator<'m> {
    /// Rounds the weights.
    pub fn new(matrix: &'m Matrix, format: Format) -> Self {
        let (outputs, inputs) = (matrix.outputs(), matrix.inputs());
        let mut row = vec![0.0; inputs];
        let mut scales = Vec::with_capacity(outputs);
        match format {
            Format::F32 => Self::F32(matrix),
            Format::Int8 => {
                let mut codes = vec![0; outputs * inputs];
                for (output, codes) in codes.chunks_mut(inputs).enumerate() {
                    matrix.row(output, &mut row);
                    scales.push(int8(&row, codes));
                }
                Self::Int8 {
                    inputs,
                    codes,
                    scales,
                }
            }
            Format::E4m3 => {
                let mut codes = vec![0; outputs * inputs];
                for (output, codes) in codes.chunks_mut(inputs).enumerate() {
                    matrix.row(output, &mut row);
                    scales.push(to_e4m3(&row, codes));
                }
                Self::E4m3 {
                    inputs,
                    codes,
                    scales,
                }
            }
            Format::Nvfp4 => {
                let mut largest = 0.0f32;
                for output in 0..outputs {
                    matrix.row(output, &mut row);
                    largest = row
                        .iter()
                        .fold(largest, |most, value| most.max(value.abs()));
                }
                let scale = block::global_scale(largest);
                let mut codes = Vec::with_capacity(outputs * inputs.div_ceil(block::SIZE));
                for output in 0..outputs {
                    matrix.row(output, &mut row);
                    codes.extend(block::blocks(&row, scale));
                }
                Self::Nvfp4 {
                    blocks: inputs.div_ceil(block::SIZE),
                    codes,
                    scale,
                }
            }
        }
    }

    /// y = weight · x; x is rounded first. The dot product of the codes is exact and rounded once to f32, then multiplied with the scale of x, then
    /// with that of the row.
    pub fn multiply(&self, x: &[f32], y: &mut [f32]) {
        match self {
            Self::F32(matrix) => matrix.multiply(x, y),
            Self::Int8 {
                inputs,
                codes,
                scales,
            } => {
                let mut rounded = vec![0; x.len()];
                let step = int8(x, &mut rounded);
                for ((y, codes), scale) in y.iter_mut().zip(codes.chunks(*inputs)).zip(scales) {
                    let products = codes.iter().zip(&rounded);
                    let sum: i32 = products.map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
                    *y = sum as f32 * step * scale;
                }
            }
            Self::E4m3 {
                inputs,
                codes,
                scales,
            } => {
                let mut rounded = vec![0; x.len()];
                let step = to_e4m3(x, &mut rounded);
                // Units of 2^-9; a NaN cannot be: weights and logits are finite.
                let fixed: Vec<i64> = (0..=255)
                    .map(|code| e4m3::fixed(code).unwrap_or(0).into())
                    .collect();
                let x: Vec<i64> = rounded
                    .iter()
                    .map(|&code| fixed[usize::from(code)])
                    .collect();
                for ((y, codes), scale) in y.iter_mut().zip(codes.chunks(*inputs)).zip(scales) {
                    let products = codes.iter().zip(&x);
                    let sum: i64 = products.map(|(&w, &x)| fixed[usize::from(w)] * x).sum();
                    *y = f32::from_bits(fp32::from_integer(sum.into(), -18)) * step * scale;
                }
            }
            Self::Nvfp4 {
                blocks,
                codes,
                scale,
            } => {
                let largest = x.iter().fold(0.0f32, |most, value| most.max(value.abs()));
                let global = block::global_scale(largest);
                let rounded = block::blocks(x, global);
                for (y, codes) in y.iter_mut().zip(codes.chunks(*blocks)) {
                    let mut sum = Nvfp4Accumulator::default();
                    for (x, w) in rounded.iter().zip(codes) {
                        sum.add_block(&x.elements, x.scale, &w.elements, w.scale);
                    }
                    *y = f32::from_bits(sum.to_fp32()) * global * scale;
                }
            }
        }
    }
}
