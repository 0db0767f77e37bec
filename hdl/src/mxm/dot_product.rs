//! One column of multipliers and the pipelined adder tree below it.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Bits of a result: every dot product of up to 64 int8 pairs fits, sign-extended.
pub const DOT_BITS: usize = 32;

/// The dot product of L activations and L weights, int8 by int8: L multipliers and a pipelined adder tree.
///
/// ```text
/// clock         _/~\_/~\_/~\_/~\_/~\_
/// in_x          X x X                      in_enable[0]
/// products          X p X                  in_enable[1]
/// level 1               X   X              in_enable[2] ..
/// out_dot                   X d X          L = 4: 1 + log2 L = 3 cycles
/// ```
///
/// `in_enable[0]` loads the products, `in_enable[j]` adder level j. Level j adds nodes `i` and `i + n` of the `2n` nodes
/// above, which lets a compiler of the emitted code use vector instructions.
///
/// Parameter: L lanes (a power of two, 2 to 64). No reset: values follow the enables.
#[derive(Clone, Debug, LogicBlock)]
pub struct DotProduct<const L: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads the products (0) or an adder level (1..).
    pub in_enable: Vec<Signal<In, Bit>>,
    /// Activations.
    pub in_x: Vec<Signal<In, Bits<8>>>,
    /// Weights.
    pub in_weight: Vec<Signal<In, Bits<8>>>,
    /// The dot product, two's complement.
    pub out_dot: Signal<Out, Bits<DOT_BITS>>,
    info: Info,
    /// The nodes of the tree, products first.
    _levels: Vec<Vec<i32>>,
}

impl<const L: usize> Default for DotProduct<L> {
    fn default() -> Self {
        assert!(
            L.is_power_of_two() && (2..=64).contains(&L),
            "{L} lanes; a power of two from 2 to 64 is possible"
        );
        Self {
            clock: Signal::default(),
            in_enable: (0..Self::LATENCY).map(|_| Signal::default()).collect(),
            in_x: (0..L).map(|_| Signal::default()).collect(),
            in_weight: (0..L).map(|_| Signal::default()).collect(),
            out_dot: Signal::default(),
            info: Info::new("dot_product", file!())
                .summary("Multipliers and adder tree of one column")
                .param("LANES", L)
                .port("in_enable", "0: products, j: adder level j")
                .port("in_x", "activation, int8")
                .port("in_weight", "weight, int8")
                .port("out_dot", "dot product, two's complement"),
            _levels: (0..Self::LATENCY)
                .map(|level| vec![0; L >> level])
                .collect(),
        }
    }
}

impl<const L: usize> DotProduct<L> {
    /// Cycles from `in_x` to `out_dot`: the products and every adder level.
    pub const LATENCY: usize = 1 + L.ilog2() as usize;

    /// Bits of a node of an adder level; level 0 are the products.
    const fn node_bits(level: usize) -> usize {
        16 + level
    }
}

fn int8(value: Bits<8>) -> i32 {
    i32::from(value.to_u8() as i8)
}

impl<const L: usize> Logic for DotProduct<L> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        for level in (1..Self::LATENCY).rev() {
            if self.in_enable[level].val() {
                let nodes = L >> level;
                for i in 0..nodes {
                    self._levels[level][i] =
                        self._levels[level - 1][i] + self._levels[level - 1][i + nodes];
                }
            }
        }
        if self.in_enable[0].val() {
            for i in 0..L {
                self._levels[0][i] = int8(self.in_x[i].val()) * int8(self.in_weight[i].val());
            }
        }
        let dot = self._levels[Self::LATENCY - 1][0];
        self.out_dot.next = Bits::from(u64::from(dot as u32));
    }

    fn connect(&mut self) {
        self.out_dot.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut text = String::new();
        for level in 0..Self::LATENCY {
            for i in 0..L >> level {
                let top = Self::node_bits(level) - 1;
                text += &format!("reg signed [{top}:0] node_{level}_{i};\n");
            }
        }
        text += "\nalways @(posedge clock)\n  if (in_enable$0) begin\n";
        for i in 0..L {
            text += &format!("    node_0_{i} <= $signed(in_x${i}) * $signed(in_weight${i});\n");
        }
        text += "  end\n";
        for level in 1..Self::LATENCY {
            text += &format!("\nalways @(posedge clock)\n  if (in_enable${level}) begin\n");
            let nodes = L >> level;
            let above = level - 1;
            for i in 0..nodes {
                text += &format!(
                    "    node_{level}_{i} <= node_{above}_{i} + node_{above}_{};\n",
                    i + nodes
                );
            }
            text += "  end\n";
        }
        let last = Self::LATENCY - 1;
        let top = Self::node_bits(last) - 1;
        let sign = DOT_BITS - 1 - top;
        text += &format!(
            "\nalways @(*) out_dot = {{{{{sign}{{node_{last}_0[{top}]}}}}, node_{last}_0}};"
        );
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let names = |name: &str, count: usize| {
            (0..count)
                .map(move |i| format!("{name}${i}"))
                .collect::<Vec<_>>()
        };
        let mut inputs = names("in_enable", Self::LATENCY);
        inputs.extend(names("in_x", L));
        inputs.extend(names("in_weight", L));
        vec![TimingInfo {
            name: "dot_product".into(),
            clock: "clock".into(),
            inputs,
            outputs: vec!["out_dot".into()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use proptest::prelude::*;

    const L: usize = 8;

    #[test]
    fn the_latency_is_one_cycle_and_one_a_level() {
        assert_eq!(DotProduct::<L>::LATENCY, 4);
        assert_eq!(DotProduct::<64>::LATENCY, 7);
    }

    proptest! {
        /// A new pair of vectors in every cycle that `valid` marks; each result appears `LATENCY` cycles later and holds.
        #[test]
        fn equals_the_sum_of_products(
            cases in prop::collection::vec((any::<bool>(), any::<[i8; L]>(), any::<[i8; L]>()), 1..20),
        ) {
            let mut dot = DotProduct::<L>::default();
            dot.connect_all();
            let latency = DotProduct::<L>::LATENCY;
            let idle = (false, [0; L], [0; L]);
            let mut expected = 0;
            for now in 0..cases.len() + latency {
                let case = |age: usize| now.checked_sub(age).and_then(|at| cases.get(at)).unwrap_or(&idle);
                for (level, enable) in dot.in_enable.iter_mut().enumerate() {
                    enable.next = case(level).0;
                }
                let (_, x, w) = case(0);
                for i in 0..L {
                    dot.in_x[i].next = Bits::from(u64::from(x[i] as u8));
                    dot.in_weight[i].next = Bits::from(u64::from(w[i] as u8));
                }
                cycle(&mut dot, |dot, level| dot.clock.next = Clock::from(level));
                let (valid, x, w) = case(latency - 1);
                if *valid {
                    expected = x.iter().zip(w).map(|(&x, &w)| i32::from(x) * i32::from(w)).sum();
                }
                prop_assert_eq!(dot.out_dot.val().to_u64(), u64::from(expected as u32));
            }
        }
    }
}
