//! Makes `hdl/isa/src/functions/tables.rs`, in integers only, so it makes the same bytes everywhere.
//!
//! `cargo run -p lpu-isa --example function_tables > hdl/isa/src/functions/tables.rs`
//!
//! For each segment: c1 and c2 start from the three values of the function at its ends and its middle; among their integer
//! neighbours, each with the c0 that centres the error, that triple wins whose largest error over [`POINTS`] points is
//! least, with all truncations of the datapath. A triple that would step back at the end of the segment before is out, so
//! that y is monotone over the whole table.

use lpu_isa::functions::{
    C0_BITS, C1_BITS, C1_FRACTION_BITS, C2_BITS, C2_FRACTION_BITS, Coefficients, INDEX_BITS,
    MAGNITUDE_BITS, POSITION_BITS, SEGMENTS, SQUARE_BITS, Y_FRACTION_BITS,
};
use std::fmt::Write;

/// Points of a segment at which its error is looked at, the first and the last among them.
const POINTS: i64 = 256;
/// How far from their first values c1 and c2 are looked for.
const REACH: i64 = 3;
/// Fraction bits of true values.
const TRUE_BITS: usize = 60;
/// Fraction bits of a significand.
const SIGNIFICAND_BITS: usize = 23;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    /// 2^f, f in [0, 1).
    Exp2,
    /// 2 / m, m in [1, 2).
    Rcp,
    /// 2 / sqrt(m), m in [1, 2), then m in [2, 4).
    Rsqrt,
}

impl Function {
    /// Low bits of the position that no argument sets.
    const fn free_bits(self) -> usize {
        match self {
            Self::Exp2 => 0,
            Self::Rcp => POSITION_BITS + INDEX_BITS - SIGNIFICAND_BITS,
            Self::Rsqrt => POSITION_BITS + INDEX_BITS - 1 - SIGNIFICAND_BITS,
        }
    }

    /// The true value at a position of a segment, or at its end, in 2^-60.
    fn value(self, segment: usize, position: i64, roots: &[u128]) -> i64 {
        let at = |segment: usize| ((segment as u128) << POSITION_BITS) + position as u128;
        let value = match self {
            Self::Exp2 => {
                let argument = at(segment);
                let bit = |j: usize| argument >> (INDEX_BITS + POSITION_BITS - j) & 1 == 1;
                let factors = (0..roots.len()).filter(|&j| bit(j));
                factors.fold(1 << TRUE_BITS, |product, j| {
                    (product * roots[j]) >> TRUE_BITS
                })
            }
            Self::Rcp => {
                (1 << (TRUE_BITS + 1 + SIGNIFICAND_BITS))
                    / ((1 << SIGNIFICAND_BITS) + (at(segment) >> self.free_bits()))
            }
            Self::Rsqrt => {
                let half = SEGMENTS / 2;
                let m = ((1 << SIGNIFICAND_BITS) + (at(segment % half) >> self.free_bits()))
                    << (segment / half);
                // 2 / sqrt(m / 2^23) = sqrt(2^125 / m) / 2^50
                ((1u128 << 125) / m).isqrt() << (TRUE_BITS - 50)
            }
        };
        value as i64
    }

    /// The signed offset from the middle of the segment, towards larger y: 18 bits, in 2^-18 of the segment.
    const fn offset(self, position: i64) -> i64 {
        let right = position - (1 << (POSITION_BITS - 1));
        match self {
            Self::Exp2 => right,
            _ => !right,
        }
    }

    /// Whether y may follow `before`.
    const fn in_order(self, before: i64, y: i64) -> bool {
        match self {
            Self::Exp2 => before <= y,
            _ => before >= y,
        }
    }

    fn table(self) -> [u64; SEGMENTS] {
        let roots = roots();
        let mut before = None;
        std::array::from_fn(|segment| {
            let (coefficients, last) = self.segment(segment, before, &roots);
            before = Some(last);
            coefficients.entry()
        })
    }

    /// The best coefficients of a segment and y at its end, given y at the end of the segment before.
    fn segment(self, segment: usize, before: Option<i64>, roots: &[u128]) -> (Coefficients, i64) {
        let length = 1 << POSITION_BITS;
        let value = |position| self.value(segment, position, roots);
        let (left, middle, right) = (value(0), value(length / 2), value(length));
        let c1 = (right - left).abs() >> (TRUE_BITS - C1_FRACTION_BITS);
        let c2 = (2 * (left + right - 2 * middle)) >> (TRUE_BITS - C2_FRACTION_BITS);

        let positions = length >> self.free_bits();
        let points: Vec<(i64, i64)> = (0..POINTS)
            .map(|j| (j * (positions - 1) / (POINTS - 1)) << self.free_bits())
            .map(|position| (self.offset(position), value(position)))
            .collect();
        let (first, last) = (points[0].0, points[points.len() - 1].0);

        let mut best: Option<(i64, i64, i64, i64)> = None;
        for c1 in c1 - REACH..=c1 + REACH {
            for c2 in (c2 - REACH).max(0)..=c2 + REACH {
                if c1 >= 1 << C1_BITS || c2 >= 1 << C2_BITS {
                    continue;
                }
                let errors = points.iter().map(|&(offset, value)| {
                    (y(0, c1, c2, offset) << (TRUE_BITS - Y_FRACTION_BITS)) - value
                });
                let (least, most) = errors.fold((i64::MAX, i64::MIN), |(least, most), error| {
                    (least.min(error), most.max(error))
                });
                let unit = 1 << (TRUE_BITS - C0_BITS);
                let centre = (unit - least - most).div_euclid(2 * unit);
                for c0 in centre - 1..=centre + 1 {
                    let error = (least + c0 * unit).abs().max((most + c0 * unit).abs());
                    let steps_back =
                        before.is_some_and(|before| !self.in_order(before, y(c0, c1, c2, first)));
                    if !steps_back && best.is_none_or(|(least, ..)| error < least) {
                        best = Some((error, c0, c1, c2));
                    }
                }
            }
        }
        let (_, c0, c1, c2) = best.expect("a triple that does not step back");
        assert!((0..1 << C0_BITS).contains(&c0), "c0 has {C0_BITS} bits");
        let coefficients = Coefficients {
            c0: c0 as u32,
            c1: c1 as u32,
            c2: c2 as u32,
        };
        (coefficients, y(c0, c1, c2, last))
    }
}

/// 2^(2^-j) for j = 0, 1, .., in 2^-60.
fn roots() -> Vec<u128> {
    let root = |value: &u128| Some((value << TRUE_BITS).isqrt());
    std::iter::successors(Some(2 << TRUE_BITS), root)
        .take(1 + INDEX_BITS + POSITION_BITS)
        .collect()
}

/// The quadratic as hardware computes it (`docs/numbers.md`), in 2^-29.
const fn y(c0: i64, c1: i64, c2: i64, offset: i64) -> i64 {
    let magnitude =
        (if offset < 0 { !offset } else { offset }) >> (POSITION_BITS - 1 - MAGNITUDE_BITS);
    let square = (magnitude * magnitude) >> (2 * MAGNITUDE_BITS - SQUARE_BITS);
    let constant = ((1 << C0_BITS) + c0) << (Y_FRACTION_BITS - C0_BITS);
    let linear = (c1 * offset) >> (C1_FRACTION_BITS + POSITION_BITS - Y_FRACTION_BITS);
    let quadratic = (c2 * square) >> (C2_FRACTION_BITS + SQUARE_BITS + 2 - Y_FRACTION_BITS);
    constant + linear + quadratic
}

/// The source text of the tables.
pub fn source() -> String {
    let mut text = String::from(
        "//! Made by `cargo run -p lpu-isa --example function_tables`; a test makes it again and compares.\n\nuse super::SEGMENTS;\n",
    );
    let functions = [
        (
            Function::Exp2,
            "EXP2",
            "2^f, f in [0, 1): segment i begins at f = i / 256.",
        ),
        (
            Function::Rcp,
            "RCP",
            "2 / m, m in [1, 2): segment i begins at m = 1 + i / 256.",
        ),
        (
            Function::Rsqrt,
            "RSQRT",
            "2 / sqrt(m), m in [1, 4): segment i begins at m = 1 + i / 128, segment 128 + i at m = 2 + i / 64.",
        ),
    ];
    for (function, name, doc) in functions {
        write!(
            text,
            "\n/// {doc}\n#[rustfmt::skip]\npub static {name}: [u64; SEGMENTS] = ["
        )
        .expect("a string");
        for (segment, entry) in function.table().into_iter().enumerate() {
            let gap = if segment % 4 == 0 { "\n    " } else { " " };
            let hex = format!("{entry:014x}");
            write!(
                text,
                "{gap}0x{}_{}_{}_{},",
                &hex[..2],
                &hex[2..6],
                &hex[6..10],
                &hex[10..]
            )
            .expect("a string");
        }
        text.push_str("\n];\n");
    }
    text
}

#[allow(dead_code)]
fn main() {
    print!("{}", source());
}
