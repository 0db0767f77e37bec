//! Exact accumulators: a dot product of narrow numbers has the same bits in whatever order, and on however many chips, it is
//! summed, because nothing is rounded before the end.
//!
//! The state is a 64-bit two's complement integer, which counts units of 2^[`Accumulator::EXPONENT`], and a NaN flag. A sum
//! beyond ±2^63 units wraps, as int32 accumulators do; [`E4M3_DEPTH`] products and [`NVFP4_DEPTH`] blocks can never reach that.

use super::{e2m1, e4m3, fp32};

/// Exponent of the unit of an E4M3 sum: the square of the least E4M3 number.
pub const E4M3_EXPONENT: i32 = 2 * e4m3::QUANTUM;
/// Exponent of the unit of an NVFP4 sum: the product of the least E2M1 numbers and the least scales.
pub const NVFP4_EXPONENT: i32 = 2 * e2m1::QUANTUM + 2 * e4m3::QUANTUM;
/// Largest magnitude of a product of two E4M3 numbers, in its unit: 448² · 2^18.
pub const E4M3_LARGEST: i64 = 49 << 30;
/// Largest magnitude of an NVFP4 block, in its unit: 16 · 6² · 2^2 times the largest product of two scales.
pub const NVFP4_LARGEST: i64 = 2304 * E4M3_LARGEST;
/// Products of E4M3 numbers whose sum is exact whatever they are.
pub const E4M3_DEPTH: i64 = i64::MAX / E4M3_LARGEST;
/// NVFP4 blocks whose sum is exact whatever they are.
pub const NVFP4_DEPTH: i64 = i64::MAX / NVFP4_LARGEST;
/// Elements of an NVFP4 block.
pub const BLOCK: usize = 16;

/// A dot product under way; the parameter is the exponent of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Accumulator<const UNIT: i32> {
    sum: i64,
    nan: bool,
}

/// Sums products of E4M3 numbers.
///
/// ```
/// use lpu_verif::numeric::E4m3Accumulator;
/// let mut sum = E4m3Accumulator::default();
/// sum.add(0x7e, 0x7e); // 448 * 448
/// sum.add(0x01, 0x01); // 2^-9 * 2^-9
/// sum.add(0xfe, 0x7e); // -448 * 448
/// assert_eq!(sum.to_fp32(), 2f32.powi(-18).to_bits());
/// ```
pub type E4m3Accumulator = Accumulator<E4M3_EXPONENT>;

/// Sums products of NVFP4 blocks: 16 E2M1 numbers that share an E4M3 scale.
pub type Nvfp4Accumulator = Accumulator<NVFP4_EXPONENT>;

impl<const UNIT: i32> Accumulator<UNIT> {
    /// Exponent of the unit that the sum counts.
    pub const EXPONENT: i32 = UNIT;

    /// A sum of `units` of 2^[`Self::EXPONENT`].
    pub const fn from_units(units: i64, nan: bool) -> Self {
        Self { sum: units, nan }
    }

    /// The sum in units of 2^[`Self::EXPONENT`], modulo 2^64; the NaNs count as nothing.
    pub const fn sum(&self) -> i64 {
        self.sum
    }

    /// Whether an operand was a NaN.
    pub const fn is_nan(&self) -> bool {
        self.nan
    }

    /// Adds the sum of another accumulator, for example of another chip. A NaN stays.
    pub const fn merge(&mut self, other: &Self) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.nan |= other.nan;
    }

    /// The sum rounded to FP32, to nearest with ties to even: the only rounding. An exact zero is +0, even a sum of negative
    /// zeros; [`fp32::NAN`] if any operand was a NaN.
    pub fn to_fp32(&self) -> u32 {
        if self.nan {
            fp32::NAN
        } else {
            fp32::from_integer(self.sum.into(), UNIT)
        }
    }

    fn add_units(&mut self, units: Option<i64>) {
        self.sum = self.sum.wrapping_add(units.unwrap_or(0));
        self.nan |= units.is_none();
    }
}

impl E4m3Accumulator {
    /// Adds the exact product of two E4M3 numbers. A NaN makes the sum a NaN for good.
    pub fn add(&mut self, a: u8, b: u8) {
        self.add_units(e4m3_product(a, b));
    }
}

impl Nvfp4Accumulator {
    /// Adds `(Σ a[i] · b[i])` · scale_a · scale_b, exactly: E2M1 elements in the low four bits of each byte, E4M3 scales with
    /// their sign. A scale that is a NaN makes the sum a NaN for good, even if the block's sum is zero.
    pub fn add_block(&mut self, a: &[u8; BLOCK], scale_a: u8, b: &[u8; BLOCK], scale_b: u8) {
        let products = a
            .iter()
            .zip(b)
            .map(|(&a, &b)| i64::from(e2m1::fixed(a) * e2m1::fixed(b)));
        let block: i64 = products.sum();
        self.add_scaled(block as i32, scale_a, scale_b);
    }

    /// Adds `quarters` / 4 (the sum of a block's products) times both scales.
    pub(super) fn add_scaled(&mut self, quarters: i32, scale_a: u8, scale_b: u8) {
        let scale = e4m3_product(scale_a, scale_b);
        self.add_units(scale.map(|scale| i64::from(quarters) * scale));
    }
}

/// The exact product of two E4M3 numbers in units of 2^-18: 37 bits with sign; none if one is a NaN.
pub fn e4m3_product(a: u8, b: u8) -> Option<i64> {
    Some(i64::from(e4m3::fixed(a)?) * i64::from(e4m3::fixed(b)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rustc_apfloat::ieee::{Quad, Single};
    use rustc_apfloat::{Float, FloatConvert};

    type Block = ([u8; BLOCK], u8, [u8; BLOCK], u8);

    fn e4m3_sum(products: &[(u8, u8)]) -> E4m3Accumulator {
        let mut sum = E4m3Accumulator::default();
        products.iter().for_each(|&(a, b)| sum.add(a, b));
        sum
    }

    fn nvfp4_sum(blocks: &[Block]) -> Nvfp4Accumulator {
        let mut sum = Nvfp4Accumulator::default();
        blocks
            .iter()
            .for_each(|(a, scale_a, b, scale_b)| sum.add_block(a, *scale_a, b, *scale_b));
        sum
    }

    /// Sums of FP32 numbers in 113 bits, rounded to FP32 at the end.
    fn quad(x: u32) -> Quad {
        Single::from_bits(x.into()).convert(&mut false).value
    }

    fn rounded(x: Quad) -> u32 {
        let single: Single = x.convert(&mut false).value;
        // +0 for a sum of negative zeros.
        if single.is_zero() {
            0
        } else {
            single.to_bits() as u32
        }
    }

    fn element() -> impl Strategy<Value = u8> {
        prop_oneof![4 => any::<u8>().prop_filter("a number", |&x| !e4m3::is_nan(x)), 1 => Just(0x7e), 1 => Just(1), 1 => Just(0x81)]
    }

    fn block() -> impl Strategy<Value = Block> {
        (
            any::<[u8; BLOCK]>(),
            element(),
            any::<[u8; BLOCK]>(),
            element(),
        )
    }

    #[test]
    fn widths_are_those_of_the_document() {
        assert_eq!((E4M3_EXPONENT, NVFP4_EXPONENT), (-18, -20));
        assert_eq!(e4m3_product(0x7e, 0xfe), Some(-E4M3_LARGEST));
        assert_eq!(
            nvfp4_sum(&[([7; BLOCK], 0x7e, [7; BLOCK], 0x7e)]).sum(),
            NVFP4_LARGEST
        );
        assert_eq!((E4M3_DEPTH, NVFP4_DEPTH), (175_304_787, 76_087));
        assert_eq!((E4M3_LARGEST.ilog2(), NVFP4_LARGEST.ilog2()), (35, 46));
    }

    #[test]
    fn nan_is_for_good() {
        let mut sum = e4m3_sum(&[(0x38, 0x38), (0xff, 0), (0x38, 0x38)]);
        assert_eq!((sum.to_fp32(), sum.sum()), (fp32::NAN, 2 << 18));
        sum.merge(&e4m3_sum(&[(0x38, 0x38)]));
        assert!(sum.is_nan());
        assert_eq!(
            nvfp4_sum(&[([0; BLOCK], 0x7f, [0; BLOCK], 0)]).to_fp32(),
            fp32::NAN
        );
    }

    #[test]
    fn zero_is_positive() {
        assert_eq!(e4m3_sum(&[(0x80, 0x38)]).to_fp32(), 0);
        assert_eq!(
            nvfp4_sum(&[([8; BLOCK], 0x38, [2; BLOCK], 0x38)]).to_fp32(),
            0
        );
    }

    proptest! {
        #[test]
        fn e4m3_is_the_exact_sum_in_any_order(
            products in vec((element(), element()), 1..200), cut in any::<prop::sample::Index>(), seed in any::<u64>(),
        ) {
            let sum = e4m3_sum(&products);
            let exact = products.iter().fold(Quad::ZERO, |sum, &(a, b)| {
                (sum + (quad(e4m3::to_fp32(a)) * quad(e4m3::to_fp32(b))).value).value
            });
            prop_assert_eq!(sum.to_fp32(), rounded(exact));

            let (head, tail) = products.split_at(cut.index(products.len()));
            let mut halves = e4m3_sum(tail);
            halves.merge(&e4m3_sum(head));
            prop_assert_eq!(halves, sum);

            let mut shuffled = products.clone();
            shuffled.sort_by_key(|&(a, b)| (seed ^ u64::from(a) << 8 ^ u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            prop_assert_eq!(e4m3_sum(&shuffled), sum);
        }

        #[test]
        fn nvfp4_is_the_exact_sum_in_any_order(blocks in vec(block(), 1..40), seed in any::<u64>()) {
            let sum = nvfp4_sum(&blocks);
            let exact = blocks.iter().fold(Quad::ZERO, |sum, (a, scale_a, b, scale_b)| {
                let scale = (quad(e4m3::to_fp32(*scale_a)) * quad(e4m3::to_fp32(*scale_b))).value;
                a.iter().zip(b).fold(sum, |sum, (&a, &b)| {
                    let product = (quad(e2m1::to_fp32(a)) * quad(e2m1::to_fp32(b))).value;
                    (sum + (product * scale).value).value
                })
            });
            prop_assert_eq!(sum.to_fp32(), rounded(exact));

            let mut shuffled = blocks.clone();
            shuffled.sort_by_key(|block| (seed ^ u64::from(block.0[0]) << 8 ^ u64::from(block.1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            prop_assert_eq!(nvfp4_sum(&shuffled), sum);
        }
    }
}
