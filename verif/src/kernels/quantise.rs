//! FP32 to narrow formats with a scale for each row, and back.

use super::order::maximum;
use crate::numeric::{e2m1, e4m3, fp32, functions};

/// Elements of E2M1 that share a scale.
pub const BLOCK: usize = 16;

/// A narrow format with one FP32 scale for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// int8, largest 127.
    Int8,
    /// E4M3, largest 448.
    E4m3,
}

fn scale(row: &[u32], largest: f64) -> u32 {
    let amplitude = maximum(row.iter().map(|&x| fp32::abs(x)));
    fp32::mul(amplitude, ((1.0 / largest) as f32).to_bits())
}

/// Codes and scale of a row.
pub fn quantise(row: &[u32], format: Format) -> (Vec<u8>, u32) {
    let scale = scale(
        row,
        match format {
            Format::Int8 => 127.0,
            Format::E4m3 => 448.0,
        },
    );
    let inverse = functions::rcp(scale);
    let code = |&x: &u32| {
        let scaled = fp32::mul(x, inverse);
        match format {
            Format::Int8 => fp32::to_i8(scaled) as u8,
            Format::E4m3 => e4m3::from_fp32(scaled),
        }
    };
    (row.iter().map(code).collect(), scale)
}

/// Codes (E2M1 in the low four bits of a byte) and scales (E4M3, one for each 16 elements) of a row.
pub fn quantise_nvfp4(row: &[u32]) -> (Vec<u8>, Vec<u8>) {
    let blocks = row.chunks(BLOCK).map(|block| {
        let scale = e4m3::from_fp32(scale(block, 6.0));
        let inverse = functions::rcp(e4m3::to_fp32(scale));
        let codes = block
            .iter()
            .map(|&x| e2m1::from_fp32(fp32::mul(x, inverse)));
        (codes.collect::<Vec<_>>(), scale)
    });
    let (codes, scales): (Vec<_>, Vec<_>) = blocks.unzip();
    (codes.concat(), scales)
}

/// (x * row scale) * column scale, with x an FP32 pattern.
pub fn dequantise(x: u32, row: u32, column: u32) -> u32 {
    fp32::mul(fp32::mul(x, row), column)
}

#[cfg(test)]
mod tests {
    use super::{Format, quantise, quantise_nvfp4};

    #[test]
    fn the_largest_is_the_largest_code() {
        let row = [1.0f32, -2.54, 0.021, 0.0, 2.54].map(f32::to_bits);
        let (codes, scale) = quantise(&row, Format::Int8);
        assert_eq!(codes, [50, 129, 1, 0, 127]);
        assert!((f32::from_bits(scale) - 0.02).abs() < 1e-8);
        let (codes, _) = quantise(&row, Format::E4m3);
        assert_eq!([codes[1], codes[4]], [0xfe, 0x7e]);
        let (codes, scales) = quantise_nvfp4(&[6.0f32, -3.0, 0.5, 0.0].map(f32::to_bits));
        assert_eq!((codes, scales), (vec![7, 13, 1, 0], vec![0x38]));
    }

    #[test]
    fn a_row_of_zeros_has_a_scale_of_zero() {
        assert_eq!(quantise(&[0; 3], Format::Int8), (vec![0; 3], 0));
        assert_eq!(quantise_nvfp4(&[0; 3]), (vec![0; 3], vec![0]));
    }
}
