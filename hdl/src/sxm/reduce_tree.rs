//! The tree that reduces a vector of words to one word.

use crate::float::{FpNode, LANE_BITS};
use crate::info::Info;
use crate::wiring::{assign, signal};
use rust_hdl::core::ast::{VerilogBlock, VerilogExpression};
use rust_hdl::prelude::*;

/// The tree that reduces a vector of words to one: FP32 sum, or FP32 maximum with its lane.
///
/// ```text
/// clock          _/~\_/~\_   _/~\_/~\_
/// in_word        X w X
/// in_enable      0   1 ..    j in the j-th cycle after the words
/// in_maximum     0           k in cycle 5 k after the words
/// out_value                  X   X r     5 log2 L cycles after the words
/// ```
///
/// Level 1 joins lanes i and i + L/2, each further level the two halves of what the level above it gives.
///
/// Parameter: L lanes (a power of two, 8 to 64). Latency: [`latency`](Self::latency). No reset: values follow the enables.
#[derive(LogicBlock)]
pub struct ReduceTree<const L: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage j + 1.
    pub in_enable: Vec<Signal<In, Bit>>,
    /// The word of each lane.
    pub in_word: Vec<Signal<In, Bits<32>>>,
    /// Level k + 1 looks for the larger rather than the sum.
    pub in_maximum: Vec<Signal<In, Bit>>,
    /// The reduction.
    pub out_value: Signal<Out, Bits<32>>,
    /// Lane of the maximum.
    pub out_lane: Signal<Out, Bits<LANE_BITS>>,
    node: Vec<FpNode>,
    info: Info,
}

impl<const L: usize> ReduceTree<L> {
    /// Levels of the tree.
    pub const LEVELS: usize = L.ilog2() as usize;

    /// Cycles from the words to the reduction.
    pub const fn latency() -> usize {
        Self::LEVELS * FpNode::LATENCY
    }

    /// Level, and place in its level, of all nodes in the order of `node`.
    fn places() -> impl Iterator<Item = (usize, usize)> {
        (0..Self::LEVELS).flat_map(|level| (0..L >> (level + 1)).map(move |i| (level, i)))
    }

    /// Index of node `i` of a level.
    const fn index(level: usize, i: usize) -> usize {
        L - (L >> level) + i
    }
}

impl<const L: usize> Default for ReduceTree<L> {
    fn default() -> Self {
        assert!(
            L.is_power_of_two() && (8..=64).contains(&L),
            "{L} lanes; a power of two from 8 to 64 is possible"
        );
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            in_enable: many(Self::latency()),
            in_word: many(L),
            in_maximum: many(Self::LEVELS),
            out_value: Signal::default(),
            out_lane: Signal::default(),
            node: many(L - 1),
            info: Info::new("reduce_tree", file!())
                .summary("Sum or maximum of all lanes")
                .param("LANES", L)
                .port("in_enable", "j: loads stage j + 1")
                .port("in_maximum", "level k + 1: the larger rather than the sum")
                .port("out_value", "five cycles for each level later")
                .port("out_lane", "lane of the maximum"),
        }
    }
}

impl<const L: usize> Logic for ReduceTree<L> {
    fn update(&mut self) {
        for (level, i) in Self::places() {
            let at = Self::index(level, i);
            let (above, rest) = self.node.split_at_mut(at);
            let node = &mut rest[0];
            let half = L >> (level + 1);
            node.clock.next = self.clock.val();
            for (stage, enable) in node.in_enable.iter_mut().enumerate() {
                enable.next = self.in_enable[FpNode::LATENCY * level + stage].val();
            }
            node.in_maximum.next = self.in_maximum[level].val();
            if level == 0 {
                node.in_a.next = self.in_word[i].val();
                node.in_b.next = self.in_word[i + half].val();
                node.in_a_lane.next = Bits::from(i as u64);
                node.in_b_lane.next = Bits::from((i + half) as u64);
            } else {
                let (a, b) = (
                    &above[Self::index(level - 1, i)],
                    &above[Self::index(level - 1, i + half)],
                );
                node.in_a.next = a.out_value.val();
                node.in_b.next = b.out_value.val();
                node.in_a_lane.next = a.out_lane.val();
                node.in_b_lane.next = b.out_lane.val();
            }
        }
        let root = &self.node[L - 2];
        self.out_value.next = root.out_value.val();
        self.out_lane.next = root.out_lane.val();
    }

    fn connect(&mut self) {
        for node in &mut self.node {
            node.clock.connect();
            node.in_enable.iter_mut().for_each(Logic::connect);
            node.in_maximum.connect();
            node.in_a.connect();
            node.in_b.connect();
            node.in_a_lane.connect();
            node.in_b_lane.connect();
        }
        self.out_value.connect();
        self.out_lane.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut text: VerilogBlock = vec![];
        let lane =
            |lane: usize| VerilogExpression::Literal(Bits::<LANE_BITS>::from(lane as u64).into());
        for (level, i) in Self::places() {
            let at = Self::index(level, i);
            let half = L >> (level + 1);
            let mut join =
                |port: &str, value| text.push(assign(format!("node${at}${port}"), value));
            join("clock", signal("clock"));
            for stage in 0..FpNode::LATENCY {
                let enable = format!("in_enable${}", FpNode::LATENCY * level + stage);
                join(&format!("in_enable${stage}"), signal(enable));
            }
            join("in_maximum", signal(format!("in_maximum${level}")));
            for (side, from) in [("a", i), ("b", i + half)] {
                let (value, number) = if level == 0 {
                    (signal(format!("in_word${from}")), lane(from))
                } else {
                    let above = Self::index(level - 1, from);
                    (
                        signal(format!("node${above}$out_value")),
                        signal(format!("node${above}$out_lane")),
                    )
                };
                join(&format!("in_{side}"), value);
                join(&format!("in_{side}_lane"), number);
            }
        }
        text.push(assign(
            "out_value",
            signal(format!("node${}$out_value", L - 2)),
        ));
        text.push(assign(
            "out_lane",
            signal(format!("node${}$out_lane", L - 2)),
        ));
        Verilog::Combinatorial(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    /// The reduction of eight numbers after exactly the latency.
    fn reduce(values: [f32; 8], maximum: bool) -> (f32, u64) {
        let mut block = ReduceTree::<8>::default();
        block.connect_all();
        for (word, value) in block.in_word.iter_mut().zip(values) {
            word.next = Bits::from(u64::from(value.to_bits()));
        }
        block
            .in_maximum
            .iter_mut()
            .for_each(|port| port.next = maximum);
        for now in 0..ReduceTree::<8>::latency() {
            for (stage, enable) in block.in_enable.iter_mut().enumerate() {
                enable.next = stage == now;
            }
            cycle(&mut block, |block, level| {
                block.clock.next = Clock::from(level)
            });
        }
        let value = f32::from_bits(block.out_value.val().to_u32());
        (value, block.out_lane.val().to_u64())
    }

    #[test]
    fn sums_and_maxima_after_15_cycles() {
        assert_eq!(ReduceTree::<8>::latency(), 15);
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0, 8.0];
        assert_eq!(reduce(values, false).0, 38.0);
        assert_eq!(reduce(values, true), (9.0, 6));
    }

    #[test]
    fn lanes_are_joined_with_those_half_a_vector_away() {
        // Numbers near 1e8 are 8 apart: 1e8 + 1 = 1e8, -1e8 + 1 = -1e8, 4.5, 0; 1e8 + 4.5 = 1e8 + 8, -1e8; 8.
        let values = [1e8, -1e8, 0.5, 0.0, 1.0, 1.0, 4.0, 0.0];
        assert_eq!(reduce(values, false).0, 8.0);
    }
}
