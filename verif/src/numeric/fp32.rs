//! FP32: IEEE 754-2019 binary32 as bit patterns, rounding to nearest with ties to even, subnormals like all other numbers.
//!
//! Every operation whose result is a NaN, except [`neg`] and [`abs`], gives [`NAN`], whatever the operands' payloads. No
//! operation has an error or a status.
//!
//! Source: IEEE 754-2019, 5.4 (arithmetic), 5.11 (comparisons), 9.6 (`maximum`, `minimum`).

use super::format::{Format, Magnitude, bit_length, shift_right_to_even};
use std::cmp::Ordering;

/// The canonical NaN.
pub const NAN: u32 = 0x7fc0_0000;
/// Positive infinity.
pub const INFINITY: u32 = 0x7f80_0000;
/// Positive one.
pub const ONE: u32 = 0x3f80_0000;
/// Negative zero, and the bit of the sign.
pub const NEGATIVE_ZERO: u32 = 0x8000_0000;

pub(super) const FORMAT: Format = Format {
    fraction_bits: 23,
    quantum: -149,
};

/// Products have 48 bits; a sum of two that lie further apart than this rounds like one with an infinitesimal.
const EXACT_DISTANCE: i32 = 76;

/// Whether the pattern is a NaN.
pub const fn is_nan(x: u32) -> bool {
    abs(x) > INFINITY
}

/// Whether the pattern is an infinity.
pub const fn is_infinite(x: u32) -> bool {
    abs(x) == INFINITY
}

/// Whether the pattern is a zero.
pub const fn is_zero(x: u32) -> bool {
    abs(x) == 0
}

/// Whether the bit of the sign is set, of a zero or a NaN too.
pub const fn is_negative(x: u32) -> bool {
    x & NEGATIVE_ZERO != 0
}

/// `x` with the other sign, a NaN too.
pub const fn neg(x: u32) -> u32 {
    x ^ NEGATIVE_ZERO
}

/// `x` with a positive sign, a NaN too.
pub const fn abs(x: u32) -> u32 {
    x & !NEGATIVE_ZERO
}

/// a + b, rounded once. Opposite zeros, and numbers that cancel, give +0.
pub fn add(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    match (is_infinite(a), is_infinite(b)) {
        (true, true) if a != b => NAN,
        (true, _) => a,
        (_, true) => b,
        _ => sum(finite(a), finite(b)),
    }
}

/// a - b, rounded once: a + (-b).
pub fn sub(a: u32, b: u32) -> u32 {
    add(a, neg(b))
}

/// a · b, rounded once. Zero times infinity is [`NAN`].
pub fn mul(a: u32, b: u32) -> u32 {
    let sign = (a ^ b) & NEGATIVE_ZERO;
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    if is_infinite(a) || is_infinite(b) {
        let invalid = is_zero(a) || is_zero(b);
        return if invalid { NAN } else { sign | INFINITY };
    }
    product(finite(a), finite(b)).round()
}

/// a · b + c, rounded once. `add(a, c)` is `fma(a, ONE, c)` and `mul(a, b)` is `fma(a, b, NEGATIVE_ZERO)`.
pub fn fma(a: u32, b: u32, c: u32) -> u32 {
    if [a, b].into_iter().any(|x| is_nan(x) || is_infinite(x)) {
        return add(mul(a, b), c);
    }
    if is_nan(c) {
        return NAN;
    }
    if is_infinite(c) {
        return c;
    }
    sum(product(finite(a), finite(b)), finite(c))
}

/// IEEE 754-2019 `maximum`: [`NAN`] if an operand is a NaN, and -0 < +0.
pub fn max(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    if rank(a) < rank(b) { b } else { a }
}

/// IEEE 754-2019 `minimum`: [`NAN`] if an operand is a NaN, and -0 < +0.
pub fn min(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return NAN;
    }
    if rank(a) < rank(b) { a } else { b }
}

/// a < b; false if an operand is a NaN.
pub fn lt(a: u32, b: u32) -> bool {
    compare(a, b) == Some(Ordering::Less)
}

/// a ≤ b; false if an operand is a NaN.
pub fn le(a: u32, b: u32) -> bool {
    compare(a, b).is_some_and(Ordering::is_le)
}

/// a = b; false if an operand is a NaN, true of -0 and +0.
pub fn eq(a: u32, b: u32) -> bool {
    compare(a, b) == Some(Ordering::Equal)
}

/// The nearest FP32 number to an integer.
pub fn from_i32(value: i32) -> u32 {
    from_integer(i128::from(value), 0)
}

/// value · 2^exponent, rounded once; +0 for 0. The one rounding of an exact sum.
///
/// # Panics
/// If |value| has more than 126 bits.
pub fn from_integer(value: i128, exponent: i32) -> u32 {
    assert!(bit_length(value.unsigned_abs()) <= 126, "at most 126 bits");
    Finite {
        negative: value < 0,
        magnitude: Magnitude {
            significand: value.unsigned_abs(),
            exponent,
        },
    }
    .round()
}

/// The nearest integer, ties to even, then saturation at the ends of int32. A NaN gives 0.
pub fn to_i32(x: u32) -> i32 {
    to_integer(x).clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// The nearest integer, ties to even, then saturation at the ends of int8. A NaN gives 0.
pub fn to_i8(x: u32) -> i8 {
    to_integer(x).clamp(i8::MIN.into(), i8::MAX.into()) as i8
}

/// The nearest integer, ties to even, as far as int32 can tell; 0 for a NaN.
fn to_integer(x: u32) -> i64 {
    let beyond = 1i64 << 40;
    let rounded = if is_nan(x) {
        0
    } else if is_infinite(x) {
        beyond
    } else {
        let Magnitude {
            significand,
            exponent,
        } = FORMAT.magnitude(abs(x));
        match exponent {
            ..0 => shift_right_to_even(significand, exponent.unsigned_abs()) as i64,
            0..=16 => (significand as i64) << exponent,
            17.. => beyond,
        }
    };
    if is_negative(x) { -rounded } else { rounded }
}

/// Orders all patterns but NaNs by value, -0 before +0.
fn rank(x: u32) -> i64 {
    let magnitude = i64::from(abs(x));
    if is_negative(x) {
        -1 - magnitude
    } else {
        magnitude
    }
}

/// The order of two numbers; none if one is a NaN.
fn compare(a: u32, b: u32) -> Option<Ordering> {
    if is_nan(a) || is_nan(b) {
        None
    } else if is_zero(a) && is_zero(b) {
        Some(Ordering::Equal)
    } else {
        Some(rank(a).cmp(&rank(b)))
    }
}

/// A number with a sign, a zero too.
#[derive(Clone, Copy)]
pub(super) struct Finite {
    pub negative: bool,
    pub magnitude: Magnitude,
}

impl Finite {
    /// The nearest FP32 number; an infinity if that is beyond the largest.
    pub fn round(self) -> u32 {
        let pattern = FORMAT.round(self.magnitude).min(INFINITY.into()) as u32;
        pattern | u32::from(self.negative) << 31
    }
}

/// The value of a pattern that is neither infinite nor a NaN.
pub(super) fn finite(x: u32) -> Finite {
    Finite {
        negative: is_negative(x),
        magnitude: FORMAT.magnitude(abs(x)),
    }
}

/// The exact product.
fn product(a: Finite, b: Finite) -> Finite {
    Finite {
        negative: a.negative != b.negative,
        magnitude: Magnitude {
            significand: a.magnitude.significand * b.magnitude.significand,
            exponent: a.magnitude.exponent + b.magnitude.exponent,
        },
    }
}

/// The sum of two numbers of at most 48 bits each, rounded once.
fn sum(a: Finite, b: Finite) -> u32 {
    match (a.magnitude.significand, b.magnitude.significand) {
        (0, 0) => return u32::from(a.negative && b.negative) << 31,
        (0, _) => return b.round(),
        (_, 0) => return a.round(),
        _ => {}
    }
    let (high, low) = if a.magnitude.exponent >= b.magnitude.exponent {
        (a, b)
    } else {
        (b, a)
    };
    let signed = |x: Finite| {
        let significand = x.magnitude.significand as i128;
        if x.negative {
            -significand
        } else {
            significand
        }
    };
    let distance = high.magnitude.exponent - low.magnitude.exponent;
    let (value, exponent) = if distance <= EXACT_DISTANCE {
        (
            (signed(high) << distance) + signed(low),
            low.magnitude.exponent,
        )
    } else {
        // |low| < 2^(48-76) of the last bit of high, so it only decides on which side of high the sum lies.
        let exponent = high.magnitude.exponent - EXACT_DISTANCE;
        (
            (signed(high) << EXACT_DISTANCE) + signed(low).signum(),
            exponent,
        )
    };
    from_integer(value, exponent)
}

#[cfg(test)]
mod tests {
    use super::super::patterns::{canonical, fp32, fp32_pair, fp32_triple};
    use super::*;
    use proptest::prelude::*;
    use rustc_apfloat::Float;
    use rustc_apfloat::ieee::Single;

    fn apfloat(x: u32) -> Single {
        Single::from_bits(x.into())
    }

    fn bits(x: Single) -> u32 {
        canonical(x.to_bits() as u32)
    }

    fn native(x: u32) -> f32 {
        f32::from_bits(x)
    }

    #[test]
    fn sums_of_hand() {
        assert_eq!(add(ONE, ONE), 0x4000_0000);
        assert_eq!(add(ONE, neg(ONE)), 0);
        assert_eq!(add(NEGATIVE_ZERO, NEGATIVE_ZERO), NEGATIVE_ZERO);
        assert_eq!(add(0, NEGATIVE_ZERO), 0);
        assert_eq!(add(INFINITY, neg(INFINITY)), NAN);
        assert_eq!(add(0x7f7f_ffff, 0x7300_0000), INFINITY);
        assert_eq!(add(0x7f7f_ffff, 0x72ff_ffff), 0x7f7f_ffff);
        assert_eq!(add(1, 1), 2);
        assert_eq!(add(0x007f_ffff, 1), 0x0080_0000);
        assert_eq!(add(0xffff_ffff, 0), NAN);
    }

    #[test]
    fn products_of_hand() {
        assert_eq!(mul(ONE, 0x8000_0001), 0x8000_0001);
        assert_eq!(
            mul(0x3f00_0000, 1),
            0,
            "a tie between 0 and the least subnormal"
        );
        assert_eq!(mul(0x3f00_0001, 1), 1);
        assert_eq!(mul(0, INFINITY), NAN);
        assert_eq!(mul(0x7f00_0000, 0x4000_0000), INFINITY);
        assert_eq!(fma(ONE, ONE, neg(ONE)), 0);
        assert_eq!(fma(0, ONE, NEGATIVE_ZERO), 0);
        assert_eq!(fma(0x3f80_0001, 0x3f80_0001, 0xbf80_0002), 0x2880_0000);
    }

    #[test]
    fn extremes_of_integers() {
        assert_eq!(
            (to_i32(0x4f00_0000), to_i32(0xcf00_0000)),
            (i32::MAX, i32::MIN)
        );
        assert_eq!(
            (to_i32(INFINITY), to_i32(neg(INFINITY)), to_i32(NAN)),
            (i32::MAX, i32::MIN, 0)
        );
        assert_eq!(
            (to_i8(0x42ff_0000), to_i8(0x42fe_ffff), to_i8(0xc300_0000)),
            (127, 127, -128)
        );
        assert_eq!(
            (
                to_i32(0x3f00_0000),
                to_i32(0x3fc0_0000),
                to_i32(0xc020_0000)
            ),
            (0, 2, -2)
        );
        assert_eq!(
            (from_i32(i32::MIN), from_i32(i32::MAX)),
            (0xcf00_0000, 0x4f00_0000)
        );
        assert_eq!(
            (from_i32(16_777_217), from_i32(16_777_219)),
            (0x4b80_0000, 0x4b80_0002)
        );
    }

    #[test]
    fn order_of_zeros_and_nan() {
        assert_eq!(
            (max(NEGATIVE_ZERO, 0), min(0, NEGATIVE_ZERO)),
            (0, NEGATIVE_ZERO)
        );
        assert_eq!((max(0xff80_0001, ONE), min(ONE, 0x7f80_0001)), (NAN, NAN));
        assert!(eq(0, NEGATIVE_ZERO) && le(0, NEGATIVE_ZERO) && !lt(NEGATIVE_ZERO, 0));
        assert!(!eq(NAN, NAN) && !le(NAN, NAN) && !lt(NAN, ONE));
    }

    #[test]
    fn a_truncating_sum_would_be_noticed() {
        // The oracle of this file tells truncation from rounding.
        let truncated = 0x3f80_0000;
        assert_ne!(
            bits(
                apfloat(ONE)
                    .add_r(
                        apfloat(0x33c0_0000),
                        rustc_apfloat::Round::NearestTiesToEven
                    )
                    .value
            ),
            truncated
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn sums_and_products_are_those_of_the_host_and_of_apfloat((a, b) in fp32_pair()) {
            prop_assert_eq!(add(a, b), canonical((native(a) + native(b)).to_bits()));
            prop_assert_eq!(sub(a, b), canonical((native(a) - native(b)).to_bits()));
            prop_assert_eq!(mul(a, b), canonical((native(a) * native(b)).to_bits()));
            prop_assert_eq!(add(a, b), bits((apfloat(a) + apfloat(b)).value));
            prop_assert_eq!(sub(a, b), bits((apfloat(a) - apfloat(b)).value));
            prop_assert_eq!(mul(a, b), bits((apfloat(a) * apfloat(b)).value));
        }

        #[test]
        fn fused_sums_are_those_of_the_host_and_of_apfloat((a, b, c) in fp32_triple()) {
            prop_assert_eq!(fma(a, b, c), canonical(native(a).mul_add(native(b), native(c)).to_bits()));
            prop_assert_eq!(fma(a, b, c), bits(apfloat(a).mul_add(apfloat(b), apfloat(c)).value));
            prop_assert_eq!(fma(a, ONE, c), add(a, c));
            prop_assert_eq!(fma(a, b, NEGATIVE_ZERO), mul(a, b));
        }

        #[test]
        fn order_is_that_of_the_host_and_of_apfloat((a, b) in fp32_pair()) {
            prop_assert_eq!(lt(a, b), native(a) < native(b));
            prop_assert_eq!(le(a, b), native(a) <= native(b));
            prop_assert_eq!(eq(a, b), native(a) == native(b));
            prop_assert_eq!(max(a, b), bits(apfloat(a).maximum(apfloat(b))));
            prop_assert_eq!(min(a, b), bits(apfloat(a).minimum(apfloat(b))));
            prop_assert_eq!(neg(a), (-native(a)).to_bits());
            prop_assert_eq!(abs(a), native(a).abs().to_bits());
        }

        #[test]
        fn integers_are_those_of_the_host(x in fp32(), near in -300.0f32..300.0, value: i32, shift in 0u32..32) {
            for x in [x, near.to_bits(), ((near * 2.0).round() / 2.0).to_bits()] {
                let rounded = f64::from(native(x)).round_ties_even();
                prop_assert_eq!(to_i32(x), rounded as i32);
                prop_assert_eq!(to_i8(x), rounded as i8);
            }
            let value = value >> shift;
            prop_assert_eq!(from_i32(value), (value as f32).to_bits());
        }
    }
}
