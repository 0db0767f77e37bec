//! GF(256) by its definition, and a column of a frame as a codeword.

use lpu_isa::c2c::FIELD_POLYNOMIAL;

/// A product.
pub fn multiply(a: u8, b: u8) -> u8 {
    let mut product: u16 = 0;
    for bit in (0..8).rev() {
        product <<= 1;
        if product & 0x100 != 0 {
            product ^= FIELD_POLYNOMIAL;
        }
        if b >> bit & 1 == 1 {
            product ^= u16::from(a);
        }
    }
    product as u8
}

/// A power of alpha = 2.
pub fn power(exponent: usize) -> u8 {
    (0..exponent % 255).fold(1, |x, _| multiply(x, 2))
}

/// The inverse of a number other than zero.
pub fn inverse(a: u8) -> u8 {
    (0..254).fold(1, |x, _| multiply(x, a))
}

/// Twice a number: alpha times it.
const fn double(a: u8) -> u8 {
    let wide = (a as u16) << 1;
    (if wide & 0x100 != 0 {
        wide ^ FIELD_POLYNOMIAL
    } else {
        wide
    }) as u8
}

/// The two sums of a column: both zero in a codeword.
pub fn sums(column: &[u8]) -> (u8, u8) {
    let sum = |(s0, s1): (u8, u8), &r: &u8| (s0 ^ r, double(s1) ^ r);
    column.iter().fold((0, 0), sum)
}

/// The two parity bytes that follow the data of a column: the solution of the two equations.
pub fn parity(data: &[u8]) -> (u8, u8) {
    let with_zeros: Vec<u8> = data.iter().copied().chain([0, 0]).collect();
    let (a, b) = sums(&with_zeros);
    // p0 + p1 = a and alpha p0 + p1 = b
    let p0 = multiply(a ^ b, inverse(1 ^ 2));
    (p0, a ^ p0)
}

/// What the decoder finds in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// No error.
    Good,
    /// This byte is wrong by this much.
    Repaired(usize, u8),
    /// More than one byte is wrong.
    Uncorrectable,
}

/// Looks for the error of a column.
pub fn look(column: &[u8]) -> Column {
    let (s0, s1) = sums(column);
    if (s0, s1) == (0, 0) {
        return Column::Good;
    }
    // From the last byte, whose power is 1, to the first.
    let mut product = s0;
    let place = (0..column.len()).rev().find(|_| {
        let here = s0 != 0 && s1 == product;
        product = double(product);
        here
    });
    place.map_or(Column::Uncorrectable, |k| Column::Repaired(k, s0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_a_field() {
        // 2 generates all 255 others.
        let mut seen = [false; 256];
        (0..255).for_each(|e| seen[usize::from(power(e))] = true);
        assert!(seen[1..].iter().all(|&seen| seen) && !seen[0]);
        for a in 1..=255 {
            assert_eq!(multiply(a, inverse(a)), 1);
            for b in 0..=255 {
                assert_eq!(multiply(a, b), multiply(b, a));
                assert_eq!(multiply(a, b ^ 0x5a), multiply(a, b) ^ multiply(a, 0x5a));
            }
        }
    }

    #[test]
    fn sums_are_those_of_the_contract() {
        let column: Vec<u8> = (0..200u8).map(|i| i.wrapping_mul(97) ^ 0x35).collect();
        let n = column.len();
        let terms = column.iter().enumerate();
        let expected = terms.fold((0, 0), |(s0, s1), (k, &r)| {
            (s0 ^ r, s1 ^ multiply(r, power(n - 1 - k)))
        });
        assert_eq!(sums(&column), expected);
    }

    #[test]
    fn every_single_byte_is_repaired() {
        let mut column: Vec<u8> = (0..20).map(|i| i * 11 + 3).collect();
        let (p0, p1) = parity(&column);
        column.extend([p0, p1]);
        assert_eq!(look(&column), Column::Good);
        for place in 0..column.len() {
            for error in 1..=255 {
                column[place] ^= error;
                assert_eq!(look(&column), Column::Repaired(place, error));
                column[place] ^= error;
            }
        }
    }

    #[test]
    fn two_bytes_are_never_taken_for_none() {
        let mut column = vec![0; 24];
        for (i, j, e, f) in [(0, 1, 1, 1), (3, 23, 7, 200), (22, 23, 255, 1)] {
            column[i] = e;
            column[j] = f;
            assert_ne!(look(&column), Column::Good);
            (column[i], column[j]) = (0, 0);
        }
    }
}
