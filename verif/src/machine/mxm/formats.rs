//! Multiplication in E4M3 and NVFP4: what the active weights are worth, and exact dot products.

use super::{MAX_LANES, Plane};
use crate::Vector;
use crate::numeric::{E4m3Accumulator, Nvfp4Accumulator, e2m1, e4m3};
use lpu_isa::config::MxmFormat;
use lpu_isa::secded::LANES_PER_CODEWORD;
use std::sync::LazyLock;

/// Lanes (bytes) of a block of NVFP4.
const BLOCK_LANES: usize = 8;
/// The E4M3 number 1.0.
const ONE: u8 = 0x38;
/// Scales of an activation that comes without.
pub const UNSCALED: u64 = u64::from_le_bytes([ONE; LANES_PER_CODEWORD]);

/// Every E4M3 number in units of 2^-9, NaN as zero.
static E4M3: LazyLock<[i32; 256]> =
    LazyLock::new(|| std::array::from_fn(|x| e4m3::fixed(x as u8).unwrap_or(0)));
/// Both E2M1 numbers of a byte, in units of 2^-1.
static E2M1: LazyLock<[[i32; 2]; 256]> =
    LazyLock::new(|| std::array::from_fn(|x| [e2m1::fixed(x as u8), e2m1::fixed((x >> 4) as u8)]));

/// What the active weights of a plane are worth in their format.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// By column: L numbers of E4M3, or 2 L of NVFP4.
    numbers: Vec<i32>,
    /// NVFP4: scales by column, L/8 each, in units of 2^-9.
    scales: Vec<i32>,
    /// Columns with a NaN among the weights (E4M3) or the scales (NVFP4).
    nan: u64,
}

/// Dot products: exact sums in the unit of their format.
#[derive(Clone, Copy, Debug)]
pub struct Sums {
    pub units: [i64; MAX_LANES],
    /// Lanes whose sum is a NaN.
    pub nan: u64,
    /// None: int8.
    pub format: Option<MxmFormat>,
}

impl Plane {
    /// The active weights have changed.
    pub fn appraise(&mut self, lanes: usize) {
        let values = &mut self.values;
        values.nan = 0;
        values.numbers.clear();
        values.scales.clear();
        match self.format {
            None => {}
            Some(MxmFormat::E4m3) => {
                let table = &*E4M3;
                for n in 0..lanes {
                    let column = self.active[n..].iter().step_by(lanes);
                    let bytes = column.map(|&weight| weight as u8);
                    values.nan |= u64::from(bytes.clone().any(e4m3::is_nan)) << n;
                    values.numbers.extend(bytes.map(|x| table[usize::from(x)]));
                }
            }
            Some(MxmFormat::Nvfp4) => {
                let (table, scales) = (&*E2M1, &*E4M3);
                for n in 0..lanes {
                    let column = self.active[n..].iter().step_by(lanes);
                    let bytes = column.map(|&weight| weight as u8);
                    values
                        .numbers
                        .extend(bytes.flat_map(|x| table[usize::from(x)]));
                    // Scale of block g: row g of the scales.
                    let of_column = self.active_scales[n..].iter().step_by(lanes).copied();
                    values.nan |= u64::from(of_column.clone().any(e4m3::is_nan)) << n;
                    values
                        .scales
                        .extend(of_column.map(|x| scales[usize::from(x)]));
                }
            }
        }
    }

    /// Dot products of an E4M3 vector.
    pub fn multiply_e4m3(&self, lanes: usize, x: &Vector, out: &mut Sums) {
        let bytes = (0..lanes).map(|k| x.lane(k));
        let nan = bytes.clone().any(e4m3::is_nan);
        let mut numbers = [0; MAX_LANES];
        for (number, x) in numbers.iter_mut().zip(bytes) {
            *number = E4M3[usize::from(x)];
        }
        out.nan = if nan { u64::MAX } else { self.values.nan };
        let columns = self.values.numbers.chunks_exact(lanes);
        for (column, sum) in columns.zip(&mut out.units) {
            let products = numbers.iter().zip(column);
            *sum = products.map(|(&x, &w)| i64::from(x) * i64::from(w)).sum();
        }
    }

    /// Dot products of NVFP4 blocks; byte g of `scales` is the scale of block g.
    pub fn multiply_nvfp4(&self, lanes: usize, x: &Vector, scales: u64, out: &mut Sums) {
        let blocks = lanes / BLOCK_LANES;
        let scales = &scales.to_le_bytes()[..blocks];
        let mut numbers = [0; 2 * MAX_LANES];
        for (pair, k) in numbers.as_chunks_mut().0.iter_mut().zip(0..lanes) {
            *pair = E2M1[usize::from(x.lane(k))];
        }
        let nan = scales.iter().any(|&scale| e4m3::is_nan(scale));
        out.nan = if nan { u64::MAX } else { self.values.nan };
        let columns = self.values.numbers.chunks_exact(2 * lanes);
        let column_scales = self.values.scales.chunks_exact(blocks);
        for ((column, column_scales), sum) in columns.zip(column_scales).zip(&mut out.units) {
            let blocks = numbers.chunks_exact(2 * BLOCK_LANES);
            let blocks = blocks.zip(column.chunks_exact(2 * BLOCK_LANES));
            let scales = scales.iter().zip(column_scales);
            *sum = blocks
                .zip(scales)
                .map(|((x, w), (&x_scale, &w_scale))| {
                    let products: i32 = x.iter().zip(w).map(|(&x, &w)| x * w).sum();
                    let scale = i64::from(E4M3[usize::from(x_scale)]) * i64::from(w_scale);
                    i64::from(products) * scale
                })
                .sum();
        }
    }
}

/// The word that an emission shows of a sum.
pub fn emitted(format: Option<MxmFormat>, units: i64, nan: bool) -> u32 {
    match format {
        None => units as u32,
        Some(MxmFormat::E4m3) => E4m3Accumulator::from_units(units, nan).to_fp32(),
        Some(MxmFormat::Nvfp4) => Nvfp4Accumulator::from_units(units, nan).to_fp32(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::accumulator::{BLOCK, e4m3_product};
    use lpu_isa::Config;
    use proptest::prelude::*;

    fn plane(lanes: usize, format: MxmFormat, weights: &[u8], scales: &[u8]) -> Plane {
        let config = Config {
            lanes,
            ..Config::preset("wide+e4m3+nvfp4").unwrap()
        };
        let mut plane = Plane::new(&config);
        plane.format = Some(format);
        for (n, column) in weights.chunks_exact(lanes).take(lanes).enumerate() {
            let active = plane.active[n..].iter_mut().step_by(lanes);
            for (weight, &byte) in active.zip(column) {
                *weight = i16::from(byte as i8);
            }
        }
        plane
            .active_scales
            .copy_from_slice(&scales[..lanes * lanes / 8]);
        plane.appraise(lanes);
        plane
    }

    fn sums() -> Sums {
        Sums {
            units: [0; MAX_LANES],
            nan: 0,
            format: None,
        }
    }

    proptest! {
        /// The same as the accumulators of `numeric`, product by product and block by block.
        #[test]
        fn equal_the_scalar_accumulators(
            size in 3usize..=6, bytes in proptest::collection::vec(any::<u8>(), 64 * 64 + 64 * 8 + 64), nans in any::<bool>(), x_scales in any::<u64>(),
        ) {
            let lanes = 1 << size;
            let rare = |&x: &u8| if !nans && e4m3::is_nan(x) { 0x3c } else { x };
            let bytes: Vec<u8> = bytes.iter().map(rare).collect();
            let (weights, rest) = bytes.split_at(64 * 64);
            let (scales, x) = rest.split_at(64 * 8);
            let x = Vector::encode(&x[..lanes]);
            let x_scales = u64::from_le_bytes(x_scales.to_le_bytes().map(|x| rare(&x)));

            let (e4m3, mut out) = (plane(lanes, MxmFormat::E4m3, weights, scales), sums());
            e4m3.multiply_e4m3(lanes, &x, &mut out);
            for n in 0..lanes {
                let mut sum = E4m3Accumulator::default();
                (0..lanes).for_each(|k| sum.add(x.lane(k), weights[n * lanes + k]));
                prop_assert_eq!(out.nan >> n & 1 == 1, sum.is_nan());
                let word = emitted(Some(MxmFormat::E4m3), out.units[n], out.nan >> n & 1 == 1);
                prop_assert_eq!(word, sum.to_fp32());
                prop_assert!(sum.is_nan() || out.units[n] == sum.sum());
            }

            let (nvfp4, mut out) = (plane(lanes, MxmFormat::Nvfp4, weights, scales), sums());
            nvfp4.multiply_nvfp4(lanes, &x, x_scales, &mut out);
            for n in 0..lanes {
                let mut sum = Nvfp4Accumulator::default();
                for g in 0..lanes / 8 {
                    let half = |byte: u8, i: usize| byte >> (4 * (i % 2)) & 15;
                    let a: [u8; BLOCK] = std::array::from_fn(|i| half(x.lane(8 * g + i / 2), i));
                    let b: [u8; BLOCK] = std::array::from_fn(|i| half(weights[n * lanes + 8 * g + i / 2], i));
                    sum.add_block(&a, x_scales.to_le_bytes()[g], &b, scales[g * lanes + n]);
                }
                let word = emitted(Some(MxmFormat::Nvfp4), out.units[n], out.nan >> n & 1 == 1);
                prop_assert_eq!(word, sum.to_fp32());
                prop_assert!(sum.is_nan() || out.units[n] == sum.sum());
            }
        }
    }

    #[test]
    fn unscaled_is_a_scale_of_one() {
        assert_eq!(e4m3_product(UNSCALED as u8, UNSCALED as u8), Some(1 << 18));
    }
}
