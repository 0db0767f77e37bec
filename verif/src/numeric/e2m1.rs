//! E2M1: 1 bit of sign, 2 of exponent (bias 1), 1 of fraction; no infinity, no NaN: ±0, 0.5, 1, 1.5, 2, 3, 4, 6.
//!
//! Source: OCP Microscaling Formats (MX) 1.0, FP4. A pattern is the low four bits of a byte; the high four bits of an
//! argument are ignored and those of a result are zero.

use super::format::{Format, Magnitude};
use super::fp32;

/// The largest number, 6.
pub const LARGEST: u8 = 0x7;
/// Exponent of the least number: all are multiples of 2^-1.
pub const QUANTUM: i32 = -1;

const FORMAT: Format = Format {
    fraction_bits: 1,
    quantum: QUANTUM,
};

/// The FP32 number of the same value and sign.
pub fn to_fp32(x: u8) -> u32 {
    // A zero's sign is not in the integer.
    fp32::from_integer(fixed(x).into(), QUANTUM) | u32::from(x & 0x8) << 28
}

/// The nearest E2M1 number, ties to even, saturated at ±6 (infinities too) with the sign kept. A NaN gives 0.
pub fn from_fp32(x: u32) -> u8 {
    if fp32::is_nan(x) {
        return 0;
    }
    let magnitude = if fp32::is_infinite(x) {
        LARGEST
    } else {
        FORMAT.round(fp32::finite(x).magnitude).min(LARGEST.into()) as u8
    };
    magnitude | u8::from(fp32::is_negative(x)) << 3
}

/// The value in units of 2^-1: an integer of 5 bits with sign, |value| ≤ 12.
pub fn fixed(x: u8) -> i32 {
    let Magnitude {
        significand,
        exponent,
    } = FORMAT.magnitude((x & 0x7).into());
    let value = (significand as i32) << (exponent - QUANTUM);
    if x & 0x8 == 0 { value } else { -value }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f32; 8] = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];

    #[test]
    fn every_number_has_its_value_and_comes_back() {
        for (pattern, value) in (0..).zip(VALUES) {
            for (x, value) in [(pattern, value), (pattern | 8, -value)] {
                assert_eq!(to_fp32(x), value.to_bits());
                assert_eq!(to_fp32(x | 0xf0), value.to_bits());
                assert_eq!(from_fp32(value.to_bits()), x);
                assert_eq!(fixed(x) as f32, value * 2.0);
            }
        }
    }

    #[test]
    fn ties_go_to_the_even_pattern_and_all_else_to_the_nearest() {
        for (low, pair) in (0u8..).zip(VALUES.windows(2)) {
            let tie = ((pair[0] + pair[1]) / 2.0).to_bits();
            assert_eq!(from_fp32(tie - 1), low);
            assert_eq!(from_fp32(tie), low + (low & 1));
            assert_eq!(from_fp32(tie + 1), low + 1);
        }
    }

    #[test]
    fn saturates() {
        let largest = [7.0f32, 8.0, f32::INFINITY].map(|x| from_fp32(x.to_bits()));
        assert_eq!(largest, [LARGEST; 3]);
        assert_eq!(from_fp32(f32::NEG_INFINITY.to_bits()), 0xf);
        assert_eq!((from_fp32(0xffff_ffff), from_fp32(0x8000_0000)), (0, 8));
    }
}
