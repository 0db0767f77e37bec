//! exp2, reciprocal and reciprocal square root of FP32 numbers, bit for bit as `docs/numbers.md` defines them.
//!
//! Each is a quadratic from a table of 256 segments (`lpu_isa::functions`), truncated where the document says so and rounded
//! once. Errors against the true value, over all arguments: `cargo run --release -p lpu-verif --example function_bounds`.
//!
//! Source: J.-A. Piñeiro, S. F. Oberman, J.-M. Muller, J. D. Bruguera, "High-Speed Function Approximation Using a Minimax
//! Quadratic Interpolator", IEEE Transactions on Computers 54(3), 2005.

use super::format::Magnitude;
use super::fp32::{self, Finite, INFINITY, NAN, NEGATIVE_ZERO};
use lpu_isa::functions::{
    C0_BITS, C1_FRACTION_BITS, C2_FRACTION_BITS, Coefficients, EXP2, EXP2_FRACTION_BITS,
    INDEX_BITS, MAGNITUDE_BITS, POSITION_BITS, RCP, RSQRT, SEGMENTS, SQUARE_BITS, Y_FRACTION_BITS,
};

/// Bits of a significand.
const SIGNIFICAND_BITS: u32 = 24;

/// 2^x, within 0.75 ulp, monotone, exact for every integer. NaN: NaN; x ≥ 128: +inf; x ≤ -150: +0; subnormal results are
/// rounded once, from y.
pub fn exp2(x: u32) -> u32 {
    if fp32::is_nan(x) {
        return NAN;
    }
    if fp32::le(fp32::from_i32(128), x) {
        return INFINITY;
    }
    if fp32::le(x, fp32::from_i32(-150)) {
        return 0;
    }
    let Finite {
        negative,
        magnitude,
    } = fp32::finite(x);
    let magnitude = nearest_away(magnitude, EXP2_FRACTION_BITS as i32);
    let fixed = if negative { -magnitude } else { magnitude };
    let (n, f) = (
        fixed >> EXP2_FRACTION_BITS,
        fixed & ((1 << EXP2_FRACTION_BITS) - 1),
    );
    let (index, position) = (f >> POSITION_BITS, f & ((1 << POSITION_BITS) - 1));
    let offset = offset(position);
    scaled(false, y(EXP2[index as usize], offset), n as i32)
}

/// 1 / x, within 0.75 ulp, monotone on either side of zero, exact for every power of two. NaN: NaN; ±0: ±inf; ±inf: ±0; a
/// result beyond the largest number: ±inf; subnormal arguments and results are numbers like all others.
pub fn rcp(x: u32) -> u32 {
    let sign = x & NEGATIVE_ZERO;
    if fp32::is_nan(x) {
        return NAN;
    }
    if fp32::is_zero(x) {
        return sign | INFINITY;
    }
    if fp32::is_infinite(x) {
        return sign;
    }
    let (fraction, exponent) = significand(x);
    // 8 bits of index, 15 bits of position: three zeros below them.
    let f = fraction << (INDEX_BITS + POSITION_BITS + 1 - SIGNIFICAND_BITS as usize);
    let (index, position) = (f >> POSITION_BITS, f & ((1 << POSITION_BITS) - 1));
    scaled(
        sign != 0,
        y(RCP[index as usize], !offset(position)),
        -exponent - 1,
    )
}

/// 1 / sqrt(x), within 0.75 ulp, monotone, exact for every even power of two. NaN and x < 0: NaN; ±0: ±inf; +inf: +0.
pub fn rsqrt(x: u32) -> u32 {
    let sign = x & NEGATIVE_ZERO;
    if fp32::is_zero(x) {
        return sign | INFINITY;
    }
    if fp32::is_nan(x) || fp32::is_negative(x) {
        return NAN;
    }
    if fp32::is_infinite(x) {
        return 0;
    }
    let (fraction, exponent) = significand(x);
    // The exponent's parity, 7 bits of index, 16 bits of position: two zeros below them.
    let f = fraction << (INDEX_BITS + POSITION_BITS - SIGNIFICAND_BITS as usize);
    let (index, position) = (f >> POSITION_BITS, f & ((1 << POSITION_BITS) - 1));
    let odd = i64::from(exponent & 1) * (SEGMENTS as i64 / 2);
    scaled(
        false,
        y(RSQRT[(odd + index) as usize], !offset(position)),
        -exponent.div_euclid(2) - 1,
    )
}

/// The signed offset of a position from the middle of its segment, in 2^-18 of the segment's length.
const fn offset(position: i64) -> i64 {
    position - (1 << (POSITION_BITS - 1))
}

/// The quadratic of a segment at an offset, in 2^-29, in [1, 2] but for its error.
fn y(entry: u64, offset: i64) -> i64 {
    let Coefficients { c0, c1, c2 } = Coefficients::of(entry);
    let (c0, c1, c2) = (i64::from(c0), i64::from(c1), i64::from(c2));
    let magnitude =
        if offset < 0 { !offset } else { offset } >> (POSITION_BITS - 1 - MAGNITUDE_BITS);
    let square = (magnitude * magnitude) >> (2 * MAGNITUDE_BITS - SQUARE_BITS);
    let constant = ((1 << C0_BITS) + c0) << (Y_FRACTION_BITS - C0_BITS);
    let linear = (c1 * offset) >> (C1_FRACTION_BITS + POSITION_BITS - Y_FRACTION_BITS);
    let quadratic = (c2 * square) >> (C2_FRACTION_BITS + SQUARE_BITS + 2 - Y_FRACTION_BITS);
    constant + linear + quadratic
}

/// y · 2^exponent, rounded once.
fn scaled(negative: bool, y: i64, exponent: i32) -> u32 {
    Finite {
        negative,
        magnitude: Magnitude {
            significand: y as u128,
            exponent: exponent - Y_FRACTION_BITS as i32,
        },
    }
    .round()
}

/// Fraction (23 bits, without the leading one) and exponent of a number that is not zero: |x| = (1 + fraction / 2^23) · 2^exponent.
fn significand(x: u32) -> (i64, i32) {
    let normal = fp32::finite(x).magnitude.normalised(SIGNIFICAND_BITS);
    let leading = 1 << (SIGNIFICAND_BITS - 1);
    (
        normal.significand as i64 - leading,
        normal.exponent + SIGNIFICAND_BITS as i32 - 1,
    )
}

/// A magnitude in units of 2^-bits, to nearest, ties away from zero.
fn nearest_away(magnitude: Magnitude, bits: i32) -> i64 {
    let significand = magnitude.significand as i64;
    match magnitude.exponent + bits {
        shift @ 0.. => significand << shift,
        shift @ -60..0 => ((significand >> (-shift - 1)) + 1) >> 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::patterns;
    use super::*;
    use proptest::prelude::*;

    fn bits(x: f32) -> u32 {
        x.to_bits()
    }

    /// Distance from the true value in units in the last place of a result of that size.
    fn ulps(result: u32, truth: f64) -> f64 {
        let exponent = (truth.abs().to_bits() >> 52) as i32 - 1023;
        (f64::from(f32::from_bits(result)) - truth).abs() / 2f64.powi(exponent.max(-126) - 23)
    }

    #[test]
    fn powers_of_two_are_exact() {
        for n in -160..140 {
            let x = fp32::from_i32(n);
            let truth = 2f64.powi(n) as f32;
            assert_eq!(exp2(x), bits(truth), "2^{n}");
            let (argument, inverse) = (truth, 2f64.powi(-n) as f32);
            if argument > 0.0 && argument.is_finite() {
                assert_eq!(rcp(bits(argument)), bits(inverse));
                assert_eq!(rcp(bits(-argument)), bits(-inverse));
                if n % 2 == 0 {
                    assert_eq!(rsqrt(bits(argument)), bits(2f64.powi(-n / 2) as f32));
                }
            }
        }
    }

    #[test]
    fn special_values() {
        let (inf, minus_inf, minus_zero) = (INFINITY, fp32::neg(INFINITY), NEGATIVE_ZERO);
        for nan in [NAN, 0xff80_0001, 0x7fff_ffff] {
            assert_eq!([exp2(nan), rcp(nan), rsqrt(nan)], [NAN; 3]);
        }
        assert_eq!(
            [exp2(inf), exp2(minus_inf), exp2(0), exp2(minus_zero)],
            [inf, 0, fp32::ONE, fp32::ONE]
        );
        assert_eq!(
            [rcp(inf), rcp(minus_inf), rcp(0), rcp(minus_zero)],
            [0, minus_zero, inf, minus_inf]
        );
        assert_eq!(
            [rsqrt(inf), rsqrt(minus_inf), rsqrt(0), rsqrt(minus_zero)],
            [0, NAN, inf, minus_inf]
        );
        assert_eq!([rsqrt(0x8000_0001), rsqrt(bits(-1.0))], [NAN; 2]);
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!(
            [exp2(bits(128.0)), exp2(bits(128.0) - 1)],
            [INFINITY, 0x7f7f_ffa7]
        );
        assert_eq!(
            [
                exp2(bits(-150.0)),
                exp2(bits(-150.0) - 1),
                exp2(bits(-149.0))
            ],
            [0, 1, 1]
        );
        assert_eq!([exp2(1), exp2(0x8000_0001)], [fp32::ONE; 2]);
        assert_eq!(
            [rcp(0x0020_0000), rcp(0x0020_0001)],
            [INFINITY, 0x7f7f_fff8]
        );
        assert_eq!(
            [rcp(0x7f7f_ffff), rcp(0x7e80_0000)],
            [0x0020_0000, 0x0080_0000]
        );
        assert_eq!([rsqrt(1), rsqrt(0x7f7f_ffff)], [0x64b5_04f3, 0x1f80_0000]);
    }

    #[test]
    fn y_stays_in_its_range() {
        // Less than half a unit in the last place (2^4 below 1, 2^6 above 2) from [1, 2]: rounded, it is in [1, 2].
        let range = (1 << Y_FRACTION_BITS) - (1 << 3)..(2 << Y_FRACTION_BITS) + (1 << 3);
        for position in (0..1 << POSITION_BITS)
            .step_by(61)
            .chain([(1 << POSITION_BITS) - 1])
        {
            for index in 0..SEGMENTS {
                assert!(range.contains(&y(EXP2[index], offset(position))));
                assert!(range.contains(&y(RCP[index], !offset(position & !7))));
                assert!(range.contains(&y(RSQRT[index], !offset(position & !3))));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn are_within_the_bound(x in patterns::fp32(), near in -160.0f32..130.0) {
            for x in [f32::from_bits(x), near] {
                let truth = f64::from(x).exp2();
                if truth < 2f64.powi(128) {
                    prop_assert!(ulps(exp2(bits(x)), truth) < 0.75, "exp2 {x:e}");
                }
                let truth = 1.0 / f64::from(x);
                if x.is_finite() && truth.abs() < 2f64.powi(128) {
                    prop_assert!(ulps(rcp(bits(x)), truth) < 0.75, "rcp {x:e}");
                }
                if x.is_finite() && x > 0.0 {
                    let truth = 1.0 / f64::from(x).sqrt();
                    prop_assert!(ulps(rsqrt(bits(x)), truth) < 0.75, "rsqrt {x:e}");
                }
            }
        }
    }
}
