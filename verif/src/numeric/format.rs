//! What all floating-point formats share: from a bit pattern to an integer times a power of two, and back with one rounding.

/// A binary format, but for its sign and its special values.
///
/// A magnitude of exponent field e and fraction f is worth f quanta if e = 0 and (2^`fraction_bits` + f) · 2^(e-1) quanta
/// otherwise, one quantum being 2^`quantum`. So a magnitude's pattern, read as an integer, grows with its value.
#[derive(Clone, Copy)]
pub struct Format {
    /// Bits of the fraction.
    pub fraction_bits: u32,
    /// Exponent of the least subnormal number.
    pub quantum: i32,
}

/// A magnitude: significand · 2^exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Magnitude {
    /// The integer.
    pub significand: u128,
    /// The power of two that it counts.
    pub exponent: i32,
}

impl Magnitude {
    /// Shifts a significand that is not zero up or down to exactly `bits` bits, where its value allows that without loss.
    pub fn normalised(self, bits: u32) -> Self {
        let length = bit_length(self.significand);
        assert!(
            0 < length && length <= bits,
            "a value of at most {bits} bits, not zero"
        );
        Self {
            significand: self.significand << (bits - length),
            exponent: self.exponent - (bits - length) as i32,
        }
    }
}

impl Format {
    /// The value of a finite magnitude, given as its pattern without the sign.
    pub fn magnitude(self, pattern: u32) -> Magnitude {
        let field = pattern >> self.fraction_bits;
        let fraction = pattern & ((1 << self.fraction_bits) - 1);
        let leading = u32::from(field > 0) << self.fraction_bits;
        Magnitude {
            significand: u128::from(leading | fraction),
            exponent: self.quantum + field.max(1) as i32 - 1,
        }
    }

    /// The pattern of a magnitude after rounding to nearest, ties to even, as if the exponent field had no upper end.
    pub fn round(self, magnitude: Magnitude) -> u64 {
        let Magnitude {
            significand,
            exponent,
        } = magnitude;
        if significand == 0 {
            return 0;
        }
        // Exponent of the last bit that the result keeps: it has fraction_bits + 1 bits or counts quanta.
        let leading = exponent + bit_length(significand) as i32 - 1;
        let last = (leading - self.fraction_bits as i32).max(self.quantum);
        let kept = match last - exponent {
            shift @ 1.. => shift_right_to_even(significand, shift as u32),
            shift => significand << -shift,
        };
        // The leading one, if there is one, adds 1 to the exponent field; a carry out of the fraction does so again.
        (((last - self.quantum) as u64) << self.fraction_bits) + kept as u64
    }
}

/// value / 2^shift, to the nearest integer, ties to even.
pub fn shift_right_to_even(value: u128, shift: u32) -> u128 {
    if shift == 0 {
        return value;
    }
    if shift > 127 {
        return 0;
    }
    let (quotient, rest, half) = (value >> shift, value & ((1 << shift) - 1), 1 << (shift - 1));
    quotient + u128::from(rest > half || (rest == half && quotient & 1 == 1))
}

/// Bits of a number without leading zeros.
pub const fn bit_length(value: u128) -> u32 {
    u128::BITS - value.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_nearest_ties_to_even() {
        let quarters = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 14].map(|v| shift_right_to_even(v, 2));
        assert_eq!(quarters, [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 4]);
        assert_eq!(shift_right_to_even(5, 0), 5);
        assert_eq!(shift_right_to_even((1 << 126) + 1, 127), 1);
        assert_eq!(shift_right_to_even(1 << 126, 127), 0);
        assert_eq!(shift_right_to_even(1 << 126, 200), 0);
    }

    #[test]
    fn every_magnitude_of_a_small_format_comes_back() {
        let format = Format {
            fraction_bits: 3,
            quantum: -9,
        };
        for pattern in 0..1000 {
            assert_eq!(format.round(format.magnitude(pattern)), u64::from(pattern));
        }
        assert_eq!(
            format.magnitude(0x09),
            Magnitude {
                significand: 9,
                exponent: -9
            }
        );
    }

    #[test]
    fn normalises_without_changing_the_value() {
        let small = Magnitude {
            significand: 3,
            exponent: -149,
        };
        let normal = small.normalised(24);
        assert_eq!((normal.significand, normal.exponent), (3 << 22, -149 - 22));
    }
}
