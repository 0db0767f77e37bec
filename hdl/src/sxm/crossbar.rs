//! Moves lanes of a vector to other lanes.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Moves lanes of a vector to other lanes: every lane of the result takes any lane of the operand, or zero.
///
/// ```text
/// clock      _/~\_/~\_/~\_
/// in_enable  /~~~\________
/// in_data    X d X
/// in_source  X s X
/// out_data       X d'         <- holds until the next operation
/// ```
///
/// Bit 7 of a source says zero; otherwise its low log2 L bits are a lane.
///
/// Parameter: L lanes (a power of two, 8 to 64); V = 8 L. Latency: one cycle. No reset: data follow the enable.
#[derive(Clone, Debug, LogicBlock)]
pub struct Crossbar<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// There is an operand.
    pub in_enable: Signal<In, Bit>,
    /// The operand.
    pub in_data: Signal<In, Bits<V>>,
    /// The source of each lane.
    pub in_source: Vec<Signal<In, Bits<8>>>,
    /// The result.
    pub out_data: Signal<Out, Bits<V>>,
    info: Info,
}

impl<const L: usize, const V: usize> Crossbar<L, V> {
    /// Cycles from operand to result.
    pub const LATENCY: u64 = 1;
}

impl<const L: usize, const V: usize> Default for Crossbar<L, V> {
    fn default() -> Self {
        assert!(
            L.is_power_of_two() && (8..=64).contains(&L) && V == 8 * L,
            "{L} lanes of {V} bits; a power of two from 8 to 64 lanes is possible"
        );
        Self {
            clock: Signal::default(),
            in_enable: Signal::default(),
            in_data: Signal::default(),
            in_source: (0..L).map(|_| Signal::default()).collect(),
            out_data: Signal::default(),
            info: Info::new("crossbar", file!())
                .summary("Moves lanes of a vector to other lanes")
                .param("LANES", L)
                .port("in_source", "lane; bit 7: zero")
                .port("out_data", "holds until the next operation"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for Crossbar<L, V> {
    fn update(&mut self) {
        if !self.clock.pos_edge() || !self.in_enable.val() {
            return;
        }
        let operand = self.in_data.val();
        let mut result = Bits::<V>::default();
        for (i, source) in self.in_source.iter().enumerate() {
            let source = source.val();
            if !source.get_bit(7) {
                let lane = source.index() % L;
                result.set_bits::<8>(8 * i, operand.get_bits::<8>(8 * lane));
            }
        }
        self.out_data.next = result;
    }

    fn connect(&mut self) {
        self.out_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let top = L.ilog2() - 1;
        let lanes: String = (0..L)
            .map(|i| {
                format!(
                    "    out_data[{}:{}] <= in_source${i}[7] ? 8'd0 : in_data[{{in_source${i}[{top}:0], 3'd0}} +: 8];\n",
                    8 * i + 7,
                    8 * i
                )
            })
            .collect();
        Verilog::Custom(format!(
            "always @(posedge clock)\n  if (in_enable) begin\n{lanes}  end"
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let mut inputs = vec!["in_enable".into(), "in_data".into()];
        inputs.extend((0..L).map(|i| format!("in_source${i}")));
        vec![TimingInfo {
            name: "crossbar".into(),
            clock: "clock".into(),
            inputs,
            outputs: vec!["out_data".into()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lanes_come_from_their_sources(data: [u8; 8], sources in prop::array::uniform8(0u64..16)) {
            let mut block = Crossbar::<8, 64>::default();
            block.connect_all();
            block.in_enable.next = true;
            block.in_data.next = Bits::from(u64::from_le_bytes(data));
            for (signal, source) in block.in_source.iter_mut().zip(sources) {
                signal.next = Bits::from((source % 8) | ((source & 8) << 4));
            }
            cycle(&mut block, |block, level| block.clock.next = Clock::from(level));
            let expected = sources.map(|s| if s & 8 == 0 { data[s as usize % 8] } else { 0 });
            prop_assert_eq!(block.out_data.val().to_u64(), u64::from_le_bytes(expected));
        }
    }
}
