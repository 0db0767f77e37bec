//! The adders of accumulators of 64 bits.

use super::{WIDE_BITS, names, timing};
use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// Vectors that a row of wide accumulators fills, beside its NaN flags.
pub const WIDE_PARTS: usize = 8;

/// The adders of accumulators of 64 bits and a NaN flag: what
/// [`AccumulatorAdder`](crate::mxm::AccumulatorAdder) is for int8, with the registers that hold the dot products until then.
///
/// ```text
/// clock           _/~\_/~\_/~\_/~\_
/// in_hold[0]      /~~~\____________
/// in_dot, in_nan  X d X
/// in_hold[1]      ____/~~~\________
/// in_enable       ________/~~~\____
/// in_use_operand  ________/~~~\____     the stored row, or in_use_sum: the sum made a cycle ago; else zero
/// out_sum                     X o+d     <- holds
/// ```
///
/// A stored row is eight parts of L/8 words of 64 bits and L flags; `out_part` and `out_nan` are the sums in that form.
///
/// Parameters: L lanes, 8 to 64, a multiple of 8; V = 8 L. Latency: three cycles from the dot products. No reset. At most one of
/// `in_use_operand` and `in_use_sum` may be high.
#[derive(Clone, Debug, LogicBlock)]
pub struct FormatAdder<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Takes the dot products (0) and holds them (1).
    pub in_hold: Vec<Signal<In, Bit>>,
    /// Makes new sums.
    pub in_enable: Signal<In, Bit>,
    /// Adds to the stored row.
    pub in_use_operand: Signal<In, Bit>,
    /// Adds to the sums there are.
    pub in_use_sum: Signal<In, Bit>,
    /// The stored row.
    pub in_operand: Vec<Signal<In, Bits<V>>>,
    /// Its NaN flags.
    pub in_operand_nan: Signal<In, Bits<L>>,
    /// The dot products.
    pub in_dot: Vec<Signal<In, Bits<WIDE_BITS>>>,
    /// Their NaN flags.
    pub in_nan: Signal<In, Bits<L>>,
    /// The sums, one a lane.
    pub out_sum: Vec<Signal<Out, Bits<WIDE_BITS>>>,
    /// The sums as a row to store.
    pub out_part: Vec<Signal<Out, Bits<V>>>,
    /// Their NaN flags.
    pub out_nan: Signal<Out, Bits<L>>,
    info: Info,
    _dots: [(Vec<u64>, Bits<L>); 2],
}

impl<const L: usize, const V: usize> Default for FormatAdder<L, V> {
    fn default() -> Self {
        assert!(
            V == 8 * L && L.is_multiple_of(8),
            "a vector of {V} bits for {L} lanes"
        );
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            in_hold: many(2),
            in_enable: Signal::default(),
            in_use_operand: Signal::default(),
            in_use_sum: Signal::default(),
            in_operand: many(WIDE_PARTS),
            in_operand_nan: Signal::default(),
            in_dot: many(L),
            in_nan: Signal::default(),
            out_sum: many(L),
            out_part: many(WIDE_PARTS),
            out_nan: Signal::default(),
            info: Info::new("mxm_format_adder", file!())
                .summary("Adders of accumulators of 64 bits and a NaN flag")
                .param("LANES", L)
                .port("in_hold", "0: takes the dot products, 1: holds them")
                .port("in_enable", "makes new sums")
                .port("in_use_operand", "adds to the stored row")
                .port("in_use_sum", "adds to the sums there are")
                .port("in_operand", "the stored row")
                .port("in_operand_nan", "its NaN flags")
                .port("in_dot", "dot product, two's complement")
                .port("in_nan", "bit n: dot product n is a NaN")
                .port("out_sum", "one a lane")
                .port("out_part", "the same as a row to store")
                .port("out_nan", "bit n: sum n is a NaN"),
            _dots: [(vec![0; L], Bits::default()), (vec![0; L], Bits::default())],
        }
    }
}

impl<const L: usize, const V: usize> Logic for FormatAdder<L, V> {
    fn update(&mut self) {
        let lanes = L / WIDE_PARTS;
        if self.clock.pos_edge() {
            if self.in_enable.val() {
                let (dots, dots_nan) = &self._dots[1];
                let (use_sum, use_operand) = (self.in_use_sum.val(), self.in_use_operand.val());
                for (n, dot) in dots.iter().enumerate() {
                    let part = self.in_operand[n / lanes].val();
                    let base = match (use_sum, use_operand) {
                        (true, _) => self.out_sum[n].val(),
                        (_, true) => part.get_bits::<WIDE_BITS>(WIDE_BITS * (n % lanes)),
                        _ => Bits::default(),
                    };
                    self.out_sum[n].next = base + Bits::<WIDE_BITS>::from(*dot);
                }
                self.out_nan.next = *dots_nan
                    | match (use_sum, use_operand) {
                        (true, _) => self.out_nan.val(),
                        (_, true) => self.in_operand_nan.val(),
                        _ => Bits::default(),
                    };
            }
            if self.in_hold[1].val() {
                self._dots[1] = self._dots[0].clone();
            }
            if self.in_hold[0].val() {
                let dots = self.in_dot.iter().map(|dot| dot.val().to_u64());
                self._dots[0] = (dots.collect(), self.in_nan.val());
            }
        }
        for (part, sums) in self.out_part.iter_mut().zip(self.out_sum.chunks(lanes)) {
            let mut word = Bits::<V>::default();
            for (i, sum) in sums.iter().enumerate() {
                word.set_bits::<WIDE_BITS>(WIDE_BITS * i, sum.val());
            }
            part.next = word;
        }
    }

    fn connect(&mut self) {
        self.out_sum.iter_mut().for_each(Logic::connect);
        self.out_part.iter_mut().for_each(Logic::connect);
        self.out_nan.connect();
    }

    fn hdl(&self) -> Verilog {
        let lanes = L / WIDE_PARTS;
        let mut text = String::new();
        for stage in 1..=2 {
            text.extend((0..L).map(|n| format!("reg [63:0] dot_{stage}_{n};\n")));
            let _ = writeln!(text, "reg [{}:0] nan_{stage};", L - 1);
        }
        text += "\
wire [63:0] use_operand = {64{in_use_operand}};
wire [63:0] use_sum = {64{in_use_sum}};
";
        for stage in 0..2 {
            let _ = write!(
                text,
                "\nalways @(posedge clock)\n  if (in_hold${stage}) begin\n"
            );
            for n in 0..L {
                let _ = match stage {
                    0 => writeln!(text, "    dot_1_{n} <= in_dot${n};"),
                    _ => writeln!(text, "    dot_2_{n} <= dot_1_{n};"),
                };
            }
            text += match stage {
                0 => "    nan_1 <= in_nan;\n  end\n",
                _ => "    nan_2 <= nan_1;\n  end\n",
            };
        }
        text += "\nalways @(posedge clock)\n  if (in_enable) begin\n";
        for n in 0..L {
            let (part, low) = (n / lanes, WIDE_BITS * (n % lanes));
            let _ = writeln!(
                text,
                "    out_sum${n} <= ((use_operand & in_operand${part}[{}:{low}]) | (use_sum & out_sum${n})) + dot_2_{n};",
                low + WIDE_BITS - 1
            );
        }
        let _ = write!(
            text,
            "    out_nan <= ({{{L}{{in_use_operand}}}} & in_operand_nan) | ({{{L}{{in_use_sum}}}} & out_nan) | nan_2;\n  end\n"
        );
        for part in 0..WIDE_PARTS {
            let words: Vec<String> = (lanes * part..lanes * (part + 1))
                .rev()
                .map(|n| format!("out_sum${n}"))
                .collect();
            let _ = write!(
                text,
                "\nalways @(*) out_part${part} = {{{}}};",
                words.join(", ")
            );
        }
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let single = [
            "in_enable",
            "in_use_operand",
            "in_use_sum",
            "in_operand_nan",
            "in_nan",
        ];
        let inputs = [
            single.map(String::from).to_vec(),
            names("in_hold", 2),
            names("in_operand", WIDE_PARTS),
            names("in_dot", L),
        ];
        let outputs = [
            names("out_sum", L),
            names("out_part", WIDE_PARTS),
            vec!["out_nan".into()],
        ];
        timing("format_adder", inputs.concat(), outputs.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn adds_to_the_row_to_itself_or_to_zero() {
        let mut adder = FormatAdder::<8, 64>::default();
        adder.connect_all();
        for n in 0..8 {
            adder.in_dot[n].next = Bits::from(u64::MAX - 15 + n as u64);
            adder.in_operand[n].next = Bits::from(0x20 + 0x10 * n as u64);
        }
        adder.in_hold.iter_mut().for_each(|hold| hold.next = true);
        adder.in_operand_nan.next = Bits::from(0x04);
        adder.in_nan.next = Bits::from(0x08);
        for _ in 0..2 {
            cycle(&mut adder, |adder, level| {
                adder.clock.next = Clock::from(level)
            });
        }
        // (enable, use_operand, use_sum) -> lanes 2 and 3, flags
        for (controls, sums, nan) in [
            ((true, true, false), [0x32, 0x43], 0x0c),
            ((true, false, true), [0x24, 0x36], 0x0c),
            ((false, true, false), [0x24, 0x36], 0x0c),
            ((true, false, false), [u64::MAX - 13, u64::MAX - 12], 0x08),
        ] {
            (
                adder.in_enable.next,
                adder.in_use_operand.next,
                adder.in_use_sum.next,
            ) = controls;
            cycle(&mut adder, |adder, level| {
                adder.clock.next = Clock::from(level)
            });
            assert_eq!([2, 3].map(|n| adder.out_sum[n].val().to_u64()), sums);
            assert_eq!([2, 3].map(|n| adder.out_part[n].val().to_u64()), sums);
            assert_eq!(adder.out_nan.val().to_u64(), nan);
        }
    }
}
