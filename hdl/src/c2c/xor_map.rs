//! Sums of bits.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Terms of a row up to which they are listed in the Verilog; more become a mask.
const LISTED: usize = 12;

/// A row of an [`XorMap`]: which bits of the two inputs are added, and whether the sum is inverted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    bits: Vec<u64>,
    invert: bool,
}

impl Row {
    /// Bit `at` of the inputs, of which `in_b` lies above `in_a`.
    pub fn bit(at: usize) -> Self {
        let mut row = Self::default();
        row.flip(at);
        row
    }

    /// Adds bit `at`.
    pub fn flip(&mut self, at: usize) {
        if self.bits.len() <= at / 64 {
            self.bits.resize(at / 64 + 1, 0);
        }
        self.bits[at / 64] ^= 1 << (at % 64);
    }

    /// Adds another row.
    pub fn add(&mut self, other: &Self) {
        if self.bits.len() < other.bits.len() {
            self.bits.resize(other.bits.len(), 0);
        }
        for (bits, other) in self.bits.iter_mut().zip(&other.bits) {
            *bits ^= other;
        }
        self.invert ^= other.invert;
    }

    /// The same inverted, if `invert`.
    #[must_use]
    pub fn inverted(mut self, invert: bool) -> Self {
        self.invert ^= invert;
        self
    }

    /// The same with every bit from `from` on at `to` and above.
    pub(crate) fn moved(self, from: usize, to: usize) -> Self {
        let mut row = Self::default().inverted(self.invert);
        let place = |at: usize| at.checked_sub(from).map_or(at, |above| to + above);
        self.terms().into_iter().for_each(|at| row.flip(place(at)));
        row
    }

    /// The bits that are added.
    fn terms(&self) -> Vec<usize> {
        let all = 0..64 * self.bits.len();
        all.filter(|at| self.bits[at / 64] >> (at % 64) & 1 == 1)
            .collect()
    }
}

/// A linear map over GF(2), or an affine one: each bit of the output is a sum of bits of the inputs. Combinational.
///
/// CRC, scrambler, PRBS and multiplication by constants of GF(256) are all of this kind.
///
/// Parameters: bits of both inputs and of the output; the rows. Latency: 0. A map without terms of `in_b` leaves it unused.
#[derive(LogicBlock)]
pub struct XorMap<const A: usize, const B: usize, const O: usize> {
    /// First input.
    pub in_a: Signal<In, Bits<A>>,
    /// Second input.
    pub in_b: Signal<In, Bits<B>>,
    /// The sums.
    pub out: Signal<Out, Bits<O>>,
    info: Info,
    _rows: Vec<Row>,
}

impl<const A: usize, const B: usize, const O: usize> XorMap<A, B, O> {
    /// Cycles from the inputs to `out`.
    pub const LATENCY: u64 = 0;

    /// The map `name` with these rows, that of bit 0 first; `what` it does.
    pub fn new(name: &str, what: &str, rows: Vec<Row>) -> Self {
        assert_eq!(rows.len(), O, "rows of {name}");
        let most = rows.iter().flat_map(Row::terms).max().unwrap_or(0);
        assert!(most < A + B, "{name} uses bit {most} of {}", A + B);
        Self {
            in_a: Signal::default(),
            in_b: Signal::default(),
            out: Signal::default(),
            info: Info::new(name, file!())
                .summary(what)
                .param("IN_BITS", A)
                .param("OUT_BITS", O)
                .unused("in_a")
                .unused("in_b"),
            _rows: rows,
        }
    }
}

/// A word as 64-bit parts.
fn parts<const N: usize>(word: Bits<N>) -> Vec<u64> {
    (0..N)
        .step_by(64)
        .map(|at| (word >> at as u64).get_bits::<64>(0).to_u64())
        .collect()
}

impl<const A: usize, const B: usize, const O: usize> Logic for XorMap<A, B, O> {
    fn update(&mut self) {
        let (a, b) = (parts(self.in_a.val()), parts(self.in_b.val()));
        let mut all = a;
        all.resize(A / 64 + 1, 0);
        if A.is_multiple_of(64) {
            all.truncate(A / 64);
            all.extend(b);
        } else {
            let shift = A % 64;
            all.resize((A + B) / 64 + 1, 0);
            for (i, part) in b.iter().enumerate() {
                all[A / 64 + i] |= part << shift;
                if let Some(above) = all.get_mut(A / 64 + i + 1) {
                    *above |= part >> (64 - shift);
                }
            }
        }
        let mut out = Bits::<O>::default();
        for (at, row) in self._rows.iter().enumerate() {
            let masked = row
                .bits
                .iter()
                .zip(&all)
                .fold(0, |sum, (m, x)| sum ^ (m & x));
            if (masked.count_ones() & 1 == 1) != row.invert {
                out = out.replace_bit(at, true);
            }
        }
        self.out.next = out;
    }

    fn connect(&mut self) {
        self.out.connect();
    }

    fn hdl(&self) -> Verilog {
        let term = |at: usize| match at.checked_sub(A) {
            None if A == 1 => "in_a".to_owned(),
            None => format!("in_a[{at}]"),
            Some(_) if B == 1 => "in_b".to_owned(),
            Some(at) => format!("in_b[{at}]"),
        };
        let mask = |terms: &[usize], input: &str, from: usize, width: usize| {
            let inside = terms
                .iter()
                .filter(|&&at| (from..from + width).contains(&at));
            let mut digits = vec![0u8; width.div_ceil(4)];
            for at in inside {
                digits[(at - from) / 4] |= 1 << ((at - from) % 4);
            }
            let text: String = digits.iter().rev().map(|d| format!("{d:x}")).collect();
            let none = digits.iter().all(|&d| d == 0);
            (!none).then(|| format!("^({input} & {width}'h{text})"))
        };
        let line = |(at, row): (usize, &Row)| {
            let terms = row.terms();
            let sum = match terms.len() {
                0 => "1'd0".into(),
                1..=LISTED => {
                    let terms: Vec<String> = terms.iter().map(|&at| term(at)).collect();
                    terms.join(" ^ ")
                }
                _ => {
                    let masks = [mask(&terms, "in_a", 0, A), mask(&terms, "in_b", A, B)];
                    let masks: Vec<String> = masks.into_iter().flatten().collect();
                    masks
                        .iter()
                        .map(|m| format!("({m})"))
                        .collect::<Vec<_>>()
                        .join(" ^ ")
                }
            };
            let index = if O == 1 {
                String::new()
            } else {
                format!("[{at}]")
            };
            match row.invert {
                false => format!("  out{index} = {sum};\n"),
                true => format!("  out{index} = ~({sum});\n"),
            }
        };
        let lines: String = self._rows.iter().enumerate().map(line).collect();
        Verilog::Custom(format!("always @(*) begin\n{lines}end"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::simulate::simulate;

    #[test]
    fn sums_across_both_inputs() {
        let mut all = Row::default();
        (0..75).for_each(|at| all.flip(at));
        let rows = vec![
            Row::bit(0),
            Row::bit(70),
            all,
            Row::default().inverted(true),
        ];
        let mut map = XorMap::<70, 5, 4>::new("example", "an example", rows);
        map.connect_all();
        map.in_a.next = Bits::from(1) | Bits::<70>::from(1) << 69;
        map.in_b.next = Bits::from(0b10001);
        simulate(&mut map, 10);
        assert_eq!(map.out.val().to_u64(), 0b1011);
    }

    #[test]
    #[should_panic(expected = "rows of example")]
    fn every_bit_has_a_row() {
        let _ = XorMap::<8, 1, 2>::new("example", "an example", vec![]);
    }
}
