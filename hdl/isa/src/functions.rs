//! Coefficients of exp2, reciprocal and reciprocal square root.
//!
//! Each function is a quadratic on each of [`SEGMENTS`] segments; `docs/numbers.md` says how the coefficients are used, bit by
//! bit. Golden model and hardware each have that arithmetic for themselves; what they share is here. The tables come from
//! `cargo run -p lpu-isa --example function_tables`.
//!
//! A table entry is a word of [`ENTRY_BITS`] bits, the content of a ROM as it is:
//!
//! | bits | field | unit | value |
//! |---|---|---|---|
//! | 25:0 | c0 | 2^-26 | y in the middle of the segment, without its leading one |
//! | 43:26 | c1 | 2^-25 | slope, of y over the segment's length, as a magnitude |
//! | 53:44 | c2 | 2^-24 | coefficient of the square, over the segment's length |
//!
//! Source of the method: J.-A. Piñeiro, S. F. Oberman, J.-M. Muller, J. D. Bruguera, "High-Speed Function Approximation Using a
//! Minimax Quadratic Interpolator", IEEE Transactions on Computers 54(3), 2005. Widths and coefficients are ours.

mod tables;

pub use tables::{EXP2, RCP, RSQRT};

/// Bits of a segment's index.
pub const INDEX_BITS: usize = 8;
/// Segments of each function.
pub const SEGMENTS: usize = 1 << INDEX_BITS;
/// Bits of the position within a segment.
pub const POSITION_BITS: usize = 18;
/// Fraction bits of the argument of exp2: index and position.
pub const EXP2_FRACTION_BITS: usize = INDEX_BITS + POSITION_BITS;

/// Bits of c0, which is also its number of fraction bits.
pub const C0_BITS: usize = 26;
/// Bits of c1, which is never negative.
pub const C1_BITS: usize = 18;
/// Fraction bits of c1.
pub const C1_FRACTION_BITS: usize = 25;
/// Bits of c2, which is never negative.
pub const C2_BITS: usize = 10;
/// Fraction bits of c2.
pub const C2_FRACTION_BITS: usize = 24;
/// Bits of a table entry.
pub const ENTRY_BITS: usize = C0_BITS + C1_BITS + C2_BITS;

/// Bits of the offset's magnitude that are squared.
pub const MAGNITUDE_BITS: usize = 12;
/// Bits of the square that are multiplied with c2, which is 2 less than their number of fraction bits.
pub const SQUARE_BITS: usize = 14;
/// Fraction bits of y, the value of the quadratic.
pub const Y_FRACTION_BITS: usize = 29;

/// The three coefficients of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coefficients {
    /// Constant, without its leading one, in 2^-26.
    pub c0: u32,
    /// Coefficient of the offset, in 2^-25.
    pub c1: u32,
    /// Coefficient of the square, in 2^-24.
    pub c2: u32,
}

impl Coefficients {
    /// The fields of a table entry.
    ///
    /// ```
    /// use lpu_isa::functions::{Coefficients, RCP};
    /// let first = Coefficients::of(RCP[0]);
    /// assert!(first.c0 > 0x3f8_0000 && first.c1 > 0x3_f000);
    /// assert_eq!(first.entry(), RCP[0]);
    /// ```
    pub const fn of(entry: u64) -> Self {
        Self {
            c0: (entry & ((1 << C0_BITS) - 1)) as u32,
            c1: (entry >> C0_BITS & ((1 << C1_BITS) - 1)) as u32,
            c2: (entry >> (C0_BITS + C1_BITS)) as u32,
        }
    }

    /// The table entry with these fields.
    pub const fn entry(self) -> u64 {
        self.c0 as u64 | (self.c1 as u64) << C0_BITS | (self.c2 as u64) << (C0_BITS + C1_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_the_stated_width() {
        for entry in EXP2.into_iter().chain(RCP).chain(RSQRT) {
            assert_eq!(entry >> ENTRY_BITS, 0);
            assert_eq!(Coefficients::of(entry).entry(), entry);
        }
    }

    #[test]
    fn constants_follow_the_functions() {
        let c0 = |entry: u64| Coefficients::of(entry).c0;
        assert!(EXP2.windows(2).all(|pair| c0(pair[0]) < c0(pair[1])));
        assert!(RCP.windows(2).all(|pair| c0(pair[0]) > c0(pair[1])));
        assert!(RSQRT.windows(2).all(|pair| c0(pair[0]) > c0(pair[1])));
    }
}
