//! The adders of the accumulators.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Vectors that a row of accumulators fills: an int32 is four bytes.
pub const PARTS: usize = 4;

/// The adders of the accumulators, one for each lane, and the registers of their sums.
///
/// ```text
/// clock           _/~\_/~\_/~\_/~\_
/// in_enable       /~~~~~~~~\_______
/// in_use_operand  /~~~\____________     the stored row
/// in_use_sum      ____/~~~\________     the sum made a cycle ago
/// in_dot          X a  X b X
/// out_sum             X o+a X o+a+b     <- holds
/// ```
///
/// With neither of the two, the sum starts from zero. A stored row is four parts of L/4 words of 32 bits; `out_part` is
/// the sums in that form.
///
/// Parameters: L lanes, 8 to 64, a multiple of 8; V = 8 L. Latency: one cycle. No reset. At most one of `in_use_operand` and
/// `in_use_sum` may be high.
#[derive(Clone, Debug, LogicBlock)]
pub struct AccumulatorAdder<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Makes new sums.
    pub in_enable: Signal<In, Bit>,
    /// Adds to the stored row.
    pub in_use_operand: Signal<In, Bit>,
    /// Adds to the sums there are.
    pub in_use_sum: Signal<In, Bit>,
    /// The stored row.
    pub in_operand: Vec<Signal<In, Bits<V>>>,
    /// The dot products.
    pub in_dot: Vec<Signal<In, Bits<32>>>,
    /// The sums, one a lane.
    pub out_sum: Vec<Signal<Out, Bits<32>>>,
    /// The sums as a row to store.
    pub out_part: Vec<Signal<Out, Bits<V>>>,
    info: Info,
}

impl<const L: usize, const V: usize> Default for AccumulatorAdder<L, V> {
    fn default() -> Self {
        assert!(
            V == 8 * L && L.is_multiple_of(8),
            "a vector of {V} bits for {L} lanes"
        );
        Self {
            clock: Signal::default(),
            in_enable: Signal::default(),
            in_use_operand: Signal::default(),
            in_use_sum: Signal::default(),
            in_operand: (0..PARTS).map(|_| Signal::default()).collect(),
            in_dot: (0..L).map(|_| Signal::default()).collect(),
            out_sum: (0..L).map(|_| Signal::default()).collect(),
            out_part: (0..PARTS).map(|_| Signal::default()).collect(),
            info: Info::new("accumulator_adder", file!())
                .summary("Adders of the accumulators")
                .param("LANES", L)
                .port("in_enable", "makes new sums")
                .port("in_use_operand", "adds to the stored row")
                .port("in_use_sum", "adds to the sums there are")
                .port("in_operand", "the stored row, 32 bits a lane")
                .port("in_dot", "dot product, two's complement")
                .port("out_sum", "one a lane")
                .port("out_part", "the same as a row to store"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for AccumulatorAdder<L, V> {
    fn update(&mut self) {
        let lanes = L / PARTS;
        if self.clock.pos_edge() && self.in_enable.val() {
            for n in 0..L {
                let stored = self.in_operand[n / lanes]
                    .val()
                    .get_bits::<32>(32 * (n % lanes));
                let base = match (self.in_use_sum.val(), self.in_use_operand.val()) {
                    (true, _) => self.out_sum[n].val(),
                    (_, true) => stored,
                    _ => Bits::default(),
                };
                self.out_sum[n].next = base + self.in_dot[n].val();
            }
        }
        for (part, sums) in self.out_part.iter_mut().zip(self.out_sum.chunks(lanes)) {
            let mut word = Bits::<V>::default();
            for (i, sum) in sums.iter().enumerate() {
                word.set_bits::<32>(32 * i, sum.val());
            }
            part.next = word;
        }
    }

    fn connect(&mut self) {
        self.out_sum.iter_mut().for_each(Logic::connect);
        self.out_part.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let lanes = L / PARTS;
        let mut text = "\
wire [31:0] use_operand = {32{in_use_operand}};
wire [31:0] use_sum = {32{in_use_sum}};

always @(posedge clock)
  if (in_enable) begin
"
        .to_owned();
        for n in 0..L {
            let (part, low) = (n / lanes, 32 * (n % lanes));
            text += &format!(
                "    out_sum${n} <= ((use_operand & in_operand${part}[{}:{low}]) | (use_sum & out_sum${n})) + in_dot${n};\n",
                low + 31
            );
        }
        text += "  end\n";
        for part in 0..PARTS {
            let words: Vec<String> = (lanes * part..lanes * (part + 1))
                .rev()
                .map(|n| format!("out_sum${n}"))
                .collect();
            text += &format!(
                "\nalways @(*) out_part${part} = {{{}}};\n",
                words.join(", ")
            );
        }
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let names = |name: &str, count: usize| {
            (0..count)
                .map(move |i| format!("{name}${i}"))
                .collect::<Vec<_>>()
        };
        let enables = ["in_enable", "in_use_operand", "in_use_sum"].map(String::from);
        vec![TimingInfo {
            name: "accumulator_adder".into(),
            clock: "clock".into(),
            inputs: [
                enables.to_vec(),
                names("in_operand", PARTS),
                names("in_dot", L),
            ]
            .concat(),
            outputs: [names("out_sum", L), names("out_part", PARTS)].concat(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn adds_to_the_row_to_itself_or_to_zero() {
        let mut adder = AccumulatorAdder::<8, 64>::default();
        adder.connect_all();
        for n in 0..8 {
            adder.in_dot[n].next = Bits::from(0xffff_fff0 + n as u64);
            adder.in_operand[n / 2].next = Bits::from(0x0000_0030_0000_0020);
        }
        // (enable, use_operand, use_sum) -> lanes 2 and 3
        for (controls, sums) in [
            ((true, true, false), [0x12, 0x23]),
            ((true, false, true), [0x04, 0x16]),
            ((false, true, false), [0x04, 0x16]),
            ((true, false, false), [0xffff_fff2, 0xffff_fff3]),
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
            assert_eq!(adder.out_part[1].val().to_u64(), sums[1] << 32 | sums[0]);
        }
    }
}
