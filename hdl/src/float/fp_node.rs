//! A node of a tree that sums FP32 numbers or finds the largest.

use super::{Stages, number, signals, timing};
use crate::info::Info;
use rust_hdl::prelude::*;

/// Bits of a lane's number.
pub const LANE_BITS: usize = 6;

/// A node of a reduction tree: the sum of two numbers, or the larger of two with its lane.
///
/// ```text
/// clock         _/~\_/~\_   _/~\_/~\_
/// in_a, in_b    X v X
/// in_enable     X   X        0 in the cycle of the operands, j in the j-th after it
/// out_value                 X   X r     5 cycles after the operands; holds while in_enable[4] is low
/// ```
///
/// | `in_maximum` | `out_value` | `out_lane` |
/// |---|---|---|
/// | low | a + b, rounded once | unspecified |
/// | high | the larger; -0 < +0, NaN above all, every NaN as 0x7fc00000 | its lane; the lower of two equal ones, as NaNs are |
///
/// | stage | what |
/// |---|---|
/// | 1 | comparison, distance of the exponents |
/// | 2 | the smaller number beside the larger |
/// | 3 | sum or difference |
/// | 4 | normalised |
/// | 5 | rounded and packed |
///
/// Latency: [`LATENCY`](Self::LATENCY). No reset.
#[derive(LogicBlock)]
pub struct FpNode {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage 1 (0) to 5 (4).
    pub in_enable: Vec<Signal<In, Bit>>,
    /// a.
    pub in_a: Signal<In, Bits<32>>,
    /// b.
    pub in_b: Signal<In, Bits<32>>,
    /// Lane of a.
    pub in_a_lane: Signal<In, Bits<LANE_BITS>>,
    /// Lane of b.
    pub in_b_lane: Signal<In, Bits<LANE_BITS>>,
    /// The larger rather than the sum.
    pub in_maximum: Signal<In, Bit>,
    /// The result.
    pub out_value: Signal<Out, Bits<32>>,
    /// Lane of the larger.
    pub out_lane: Signal<Out, Bits<LANE_BITS>>,
    info: Info,
    _stages: Stages<(u32, u8)>,
}

impl FpNode {
    /// Cycles from the operands to the result.
    pub const LATENCY: usize = lpu_isa::latency::FP_ADD_LATENCY as usize;

    fn result(&self) -> (u32, u8) {
        let (a, b) = (self.in_a.val().to_u32(), self.in_b.val().to_u32());
        let (a_lane, b_lane) = (self.in_a_lane.val().to_u8(), self.in_b_lane.val().to_u8());
        let key = |x: u32| {
            if number::is_nan(x) {
                u32::MAX
            } else {
                number::order(x)
            }
        };
        let take_b = match key(a).cmp(&key(b)) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => b_lane <= a_lane,
            std::cmp::Ordering::Greater => false,
        };
        let (larger, lane) = if take_b { (b, b_lane) } else { (a, a_lane) };
        let value = match self.in_maximum.val() {
            false => number::fma(a, number::ONE, b),
            true if number::is_nan(larger) => number::NAN,
            true => larger,
        };
        (value, lane)
    }
}

impl Default for FpNode {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            in_enable: signals(Self::LATENCY),
            in_a: Signal::default(),
            in_b: Signal::default(),
            in_a_lane: Signal::default(),
            in_b_lane: Signal::default(),
            in_maximum: Signal::default(),
            out_value: Signal::default(),
            out_lane: Signal::default(),
            info: Info::new("fp_node", file!())
                .summary("Node of a tree that sums FP32 numbers or finds the largest")
                .port("in_enable", "j: loads stage j + 1")
                .port("in_a", "a, FP32")
                .port("in_b", "b, FP32")
                .port("in_a_lane", "lane of a")
                .port("in_b_lane", "lane of b")
                .port("in_maximum", "the larger rather than the sum")
                .port("out_value", "the result, five cycles later")
                .port("out_lane", "lane of the larger"),
            _stages: Stages::new(Self::LATENCY),
        }
    }
}

impl Logic for FpNode {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let entering = self.result();
            let (value, lane) = self._stages.step(&self.in_enable, entering);
            self.out_value.next = Bits::from(u64::from(value));
            self.out_lane.next = Bits::from(u64::from(lane));
        }
    }

    fn connect(&mut self) {
        self.out_value.connect();
        self.out_lane.connect();
    }

    fn hdl(&self) -> Verilog {
        let lane = format!("[{}:0]", LANE_BITS - 1);
        Verilog::Custom(include_str!("fp_node/datapath.v").replace("[LANE]", &lane))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let inputs = ["in_a", "in_b", "in_a_lane", "in_b_lane", "in_maximum"];
        timing(
            "fp_node",
            Self::LATENCY,
            &inputs,
            &["out_value", "out_lane"],
        )
    }
}
