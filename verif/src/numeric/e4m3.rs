//! E4M3: 1 bit of sign, 4 of exponent (bias 7), 3 of fraction; no infinity, NaN is S.1111.111, the largest number 448.
//!
//! Source: OCP 8-bit Floating Point Specification (OFP8) 1.0, E4M3; P. Micikevicius et al., "FP8 Formats for Deep Learning", 2022.

use super::format::{Format, Magnitude};
use super::fp32;

/// The NaN that conversions give.
pub const NAN: u8 = 0x7f;
/// The largest number, 448.
pub const LARGEST: u8 = 0x7e;
/// Exponent of the least number: all are multiples of 2^-9.
pub const QUANTUM: i32 = -9;

const FORMAT: Format = Format {
    fraction_bits: 3,
    quantum: QUANTUM,
};

/// Whether the pattern is a NaN, of either sign.
pub const fn is_nan(x: u8) -> bool {
    x & 0x7f == NAN
}

/// The FP32 number of the same value and sign; [`fp32::NAN`] for a NaN.
pub fn to_fp32(x: u8) -> u32 {
    match fixed(x) {
        None => fp32::NAN,
        // A zero's sign is not in the integer.
        Some(value) => fp32::from_integer(value.into(), QUANTUM) | u32::from(x & 0x80) << 24,
    }
}

/// The nearest E4M3 number, ties to even, saturated at ±448 (infinities too) with the sign kept. A NaN gives [`NAN`].
pub fn from_fp32(x: u32) -> u8 {
    if fp32::is_nan(x) {
        return NAN;
    }
    let magnitude = if fp32::is_infinite(x) {
        LARGEST
    } else {
        FORMAT.round(fp32::finite(x).magnitude).min(LARGEST.into()) as u8
    };
    magnitude | u8::from(fp32::is_negative(x)) << 7
}

/// The value in units of 2^-9: an integer of 19 bits with sign, |value| ≤ 229376; none for a NaN.
pub fn fixed(x: u8) -> Option<i32> {
    if is_nan(x) {
        return None;
    }
    let Magnitude {
        significand,
        exponent,
    } = FORMAT.magnitude((x & 0x7f).into());
    let value = (significand as i32) << (exponent - QUANTUM);
    Some(if x & 0x80 == 0 { value } else { -value })
}

#[cfg(test)]
mod tests {
    use super::super::patterns;
    use super::*;
    use proptest::prelude::*;

    /// The value of a number, by the formula of the specification.
    fn value(x: u8) -> f64 {
        let (field, fraction) = (i32::from(x >> 3 & 15), f64::from(x & 7));
        let magnitude = match field {
            0 => fraction / 8.0 * 2f64.powi(-6),
            _ => (1.0 + fraction / 8.0) * 2f64.powi(field - 7),
        };
        if x & 0x80 == 0 { magnitude } else { -magnitude }
    }

    /// The nearest number by looking at all; of two as near, the one with an even pattern.
    fn nearest(x: f32) -> u8 {
        let sign = u8::from(x.is_sign_negative()) << 7;
        let distance = |&pattern: &u8| (f64::from(x.abs()).min(1000.0) - value(pattern)).abs();
        let all = (0..=LARGEST)
            .filter(|p| p & 1 == 0)
            .chain((0..=LARGEST).filter(|p| p & 1 == 1));
        let least = all
            .clone()
            .map(|p| distance(&p))
            .fold(f64::INFINITY, f64::min);
        all.into_iter()
            .find(|p| distance(p) == least)
            .expect("one is nearest")
            | sign
    }

    #[test]
    fn every_number_has_its_value_and_comes_back() {
        for x in 0..=255 {
            if is_nan(x) {
                assert_eq!((to_fp32(x), fixed(x)), (fp32::NAN, None));
                continue;
            }
            assert_eq!(to_fp32(x), (value(x) as f32).to_bits());
            assert_eq!(from_fp32(to_fp32(x)), x);
            assert_eq!(f64::from(fixed(x).expect("a number")), value(x) * 512.0);
        }
        assert_eq!((value(LARGEST), value(1)), (448.0, 2f64.powi(-9)));
    }

    #[test]
    fn saturates() {
        let largest = [464.0f32, 480.0, 1e9, f32::INFINITY].map(|x| from_fp32(x.to_bits()));
        assert_eq!(largest, [LARGEST; 4]);
        assert_eq!(from_fp32(f32::NEG_INFINITY.to_bits()), 0x80 | LARGEST);
        assert_eq!(
            (from_fp32(0xffff_ffff), from_fp32(0x8000_0000)),
            (NAN, 0x80)
        );
    }

    proptest! {
        #[test]
        fn is_the_nearest(x in patterns::fp32(), narrow in any::<u8>(), tie in -1i32..=1, near in -20i32..10) {
            // Halfway between two neighbours, and one FP32 number to each side of that.
            let (low, high) = (to_fp32(narrow & 0x7e), to_fp32((narrow & 0x7e).saturating_add(1).min(LARGEST)));
            let half = ((f32::from_bits(low) + f32::from_bits(high)) / 2.0).to_bits();
            let scaled = f32::from_bits(x & 0x807f_ffff | fp32::ONE) * 2f32.powi(near);
            for x in [x, half.saturating_add_signed(tie), scaled.to_bits()] {
                if f32::from_bits(x).is_finite() {
                    prop_assert_eq!(from_fp32(x), nearest(f32::from_bits(x)), "{:#010x}", x);
                }
            }
        }
    }
}
