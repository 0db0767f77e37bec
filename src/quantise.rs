//! Real numbers to the formats of the MXM, with the scales that bring them into range.
//!
//! A whole matrix is divided by a power of two, the least for which its largest magnitude fits, so that nothing but the rounding of
//! its elements (and, of NVFP4, of the blocks' scales) changes a value: 448 fits E4M3, 6 · 448 an NVFP4 block with the largest scale.
//! The scale of an NVFP4 block is its largest magnitude / 6 in E4M3. All roundings are to nearest, ties to even.

use crate::data::Matrix;
use lpu_compiler::matmul::BLOCK;
use lpu_verif::numeric::{e2m1, e4m3};

/// Which way a matrix is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Its columns run along k.
    Left,
    /// Its rows run along k.
    Right,
}

/// A matrix in a format of the MXM.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    /// E4M3, or E2M1 in the low four bits.
    pub codes: Matrix<u8>,
    /// NVFP4: E4M3 scales of 16 elements along k, (m, ceil(k / 16)) or (ceil(k / 16), n). Else empty.
    pub scales: Matrix<u8>,
    /// What one unit is worth: 2^exponent.
    pub exponent: i32,
}

const NO_SCALES: Matrix<u8> = Matrix {
    rows: 0,
    columns: 0,
    elements: Vec::new(),
};

impl Quantised {
    /// Integers of 8 bits as they are.
    pub fn int8(matrix: Matrix<i8>) -> Self {
        Self::codes(Matrix {
            rows: matrix.rows,
            columns: matrix.columns,
            elements: matrix.elements.into_iter().map(|x| x as u8).collect(),
        })
    }

    /// Codes of E4M3 as they are.
    pub const fn codes(codes: Matrix<u8>) -> Self {
        Self {
            codes,
            scales: NO_SCALES,
            exponent: 0,
        }
    }

    /// Finite numbers in E4M3.
    pub fn e4m3(values: &Matrix<f32>) -> Self {
        let exponent = exponent(values, 448.0);
        let code = |&value: &f32| e4m3::from_fp32(scaled(value, -exponent).to_bits());
        let codes = Matrix {
            elements: values.elements.iter().map(code).collect(),
            ..shape(values.rows, values.columns)
        };
        Self {
            codes,
            scales: NO_SCALES,
            exponent,
        }
    }

    /// Finite numbers in NVFP4.
    pub fn nvfp4(values: &Matrix<f32>, side: Side) -> Self {
        let exponent = exponent(values, 6.0 * 448.0);
        let (rows, columns) = (values.rows, values.columns);
        let (k, lines) = match side {
            Side::Left => (columns, rows),
            Side::Right => (rows, columns),
        };
        // Place of element i along k of a line, and of a block's scale.
        let place = |line: usize, i: usize, along: usize| match side {
            Side::Left => line * along + i,
            Side::Right => i * lines + line,
        };
        let blocks = k.div_ceil(BLOCK);
        let mut codes = shape(rows, columns);
        codes.elements = vec![0; rows * columns];
        let mut scales = match side {
            Side::Left => shape(lines, blocks),
            Side::Right => shape(blocks, lines),
        };
        scales.elements = vec![0; lines * blocks];
        for line in 0..lines {
            for block in 0..blocks {
                let elements = block * BLOCK..((block + 1) * BLOCK).min(k);
                let value = |i| scaled(values.elements[place(line, i, k)], -exponent);
                let largest = elements.clone().map(|i| value(i).abs()).fold(0.0, f32::max);
                let scale = e4m3::from_fp32((largest / 6.0).to_bits());
                scales.elements[place(line, block, blocks)] = scale;
                let scale = f32::from_bits(e4m3::to_fp32(scale));
                if scale > 0.0 {
                    for i in elements {
                        let code = e2m1::from_fp32((value(i) / scale).to_bits());
                        codes.elements[place(line, i, k)] = code;
                    }
                }
            }
        }
        Self {
            codes,
            scales,
            exponent,
        }
    }

    /// The values that it stands for, row by row, in units of 2^exponent.
    pub fn values(&self, side: Side) -> Vec<f64> {
        let columns = self.codes.columns;
        let value = |(i, &code): (usize, &u8)| {
            if self.scales.elements.is_empty() {
                return real(e4m3::to_fp32(code));
            }
            let (row, column) = (i / columns, i % columns);
            let (row, column) = match side {
                Side::Left => (row, column / BLOCK),
                Side::Right => (row / BLOCK, column),
            };
            let scale = self.scales.elements[row * self.scales.columns + column];
            real(e2m1::to_fp32(code)) * real(e4m3::to_fp32(scale))
        };
        self.codes.elements.iter().enumerate().map(value).collect()
    }
}

const fn shape(rows: usize, columns: usize) -> Matrix<u8> {
    Matrix {
        rows,
        columns,
        elements: Vec::new(),
    }
}

fn real(pattern: u32) -> f64 {
    f32::from_bits(pattern).into()
}

/// value · 2^exponent.
fn scaled(value: f32, exponent: i32) -> f32 {
    libm::ldexp(value.into(), exponent) as f32
}

/// The least e for which no magnitude is above `largest` · 2^e; 0 for a matrix of zeros.
fn exponent(values: &Matrix<f32>, largest: f64) -> i32 {
    let magnitudes = values.elements.iter().map(|value| f64::from(value.abs()));
    let most = magnitudes.fold(0.0, f64::max);
    if most == 0.0 {
        return 0;
    }
    let floor = libm::ilogb(most / largest);
    let fits = |&e: &i32| most <= libm::ldexp(largest, e);
    (floor - 1..).find(fits).expect("a finite number fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, columns: usize, elements: &[f32]) -> Matrix<f32> {
        let elements = elements.to_vec();
        Matrix {
            rows,
            columns,
            elements,
        }
    }

    #[test]
    fn the_largest_magnitude_just_fits() {
        for (most, e) in [
            (448.0, 0),
            (448.1, 1),
            (224.0, -1),
            (224.1, 0),
            (1e-40, -141),
            (3e38, 120),
        ] {
            let quantised = Quantised::e4m3(&matrix(1, 2, &[-most, 0.0]));
            assert_eq!(quantised.exponent, e, "{most}");
            assert!(quantised.values(Side::Left)[0].abs() >= 224.0);
        }
        assert_eq!(Quantised::e4m3(&matrix(1, 1, &[0.0])).exponent, 0);
    }

    #[test]
    fn nvfp4_scales_blocks_along_k() {
        // 20 along k: a block of 16 whose largest is 6 (scale 1), and one of four whose largest is 3 (scale 0.5).
        let mut line = [0.25f32; 20];
        (line[0], line[1], line[16], line[17]) = (6.0, -2.4, 3.0, 0.3);
        for side in [Side::Left, Side::Right] {
            // A second line, of 2688, keeps the whole matrix unscaled.
            let at = |i: usize| match side {
                Side::Left => (i / 20, i % 20),
                Side::Right => (i % 2, i / 2),
            };
            let elements: Vec<f32> = (0..40)
                .map(|i| if at(i).0 == 0 { line[at(i).1] } else { 2688.0 })
                .collect();
            let (rows, columns) = if side == Side::Left { (2, 20) } else { (20, 2) };
            let quantised = Quantised::nvfp4(&matrix(rows, columns, &elements), side);
            assert_eq!(quantised.exponent, 0);
            let values = quantised.values(side);
            let of_line = |j: usize| values[(0..40).find(|&i| at(i) == (0, j)).expect("there")];
            // 2.4 is nearest to 2; 0.25 ties to 0 (scale 1); 0.3 / 0.5 = 0.6 is nearest to 0.5.
            assert_eq!(
                [0, 1, 2, 16, 17, 18].map(of_line),
                [6.0, -2.0, 0.0, 3.0, 0.25, 0.25]
            );
            assert_eq!(values.iter().filter(|&&v| v == 2688.0).count(), 20);
            let mut scales = quantised.scales.elements.clone();
            scales.sort_unstable();
            assert_eq!(scales, [0x30, 0x38, 0x7e, 0x7e]);
        }
    }
}
