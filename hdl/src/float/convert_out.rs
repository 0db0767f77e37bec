//! One lane of the conversion out of FP32.

use super::{Stages, number, signals, timing};
use crate::info::Info;
use rust_hdl::prelude::*;

/// One lane of the conversion out of FP32: rounded to nearest, ties to even, then saturated.
///
/// ```text
/// clock         _/~\_/~\_   _/~\_/~\_
/// in_value      X v X
/// in_enable     X   X        0 in the cycle of the value, j in the j-th after it
/// out_word                  X   X w     3 cycles after the value; holds while in_enable[2] is low
/// ```
///
/// | `in_format` | what the word is |
/// |---|---|
/// | 1 | FP32, as it is |
/// | 2 | int32; a NaN gives 0 |
/// | 3 | int8 in the low byte; a NaN gives 0 |
/// | 4 | E4M3 in the low byte, at most 448 in magnitude; a NaN gives 0x7f |
/// | 5 | v from -32640 to 32639 in two int8 planes l (low byte) and h, v = 256 h + l; a NaN gives 0 |
/// | 6 | E2M1 in the low four bits, at most 6 in magnitude; a NaN gives 0 |
/// | other | 0 |
///
/// Bits that a format does not use are zero. The negation of integers, the rounding, and for two planes the carry of the low
/// byte's sign are in one addition each.
///
/// Latency: [`LATENCY`](Self::LATENCY). No reset.
#[derive(LogicBlock)]
pub struct ConvertOut {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage 1 (0) to 3 (2).
    pub in_enable: Vec<Signal<In, Bit>>,
    /// FP32.
    pub in_value: Signal<In, Bits<32>>,
    /// What to make of it.
    pub in_format: Signal<In, Bits<3>>,
    /// The word: byte b is the vector's byte plane b.
    pub out_word: Signal<Out, Bits<32>>,
    info: Info,
    _stages: Stages<u32>,
}

impl ConvertOut {
    /// Cycles from the value to the word.
    pub const LATENCY: usize = lpu_isa::latency::CONVERT_LATENCY as usize;
}

impl Default for ConvertOut {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            in_enable: signals(Self::LATENCY),
            in_value: Signal::default(),
            in_format: Signal::default(),
            out_word: Signal::default(),
            info: Info::new("convert_out", file!())
                .summary("One lane of the conversion out of FP32")
                .port("in_enable", "j: loads stage j + 1")
                .port("in_value", "FP32")
                .port(
                    "in_format",
                    "1 FP32, 2 int32, 3 int8, 4 E4M3, 5 int16, 6 E2M1",
                )
                .port("out_word", "byte planes, three cycles later"),
            _stages: Stages::new(Self::LATENCY),
        }
    }
}

impl Logic for ConvertOut {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let value = self.in_value.val().to_u32();
            let entering = number::to_format(value, self.in_format.val().to_u8());
            let result = self._stages.step(&self.in_enable, entering);
            self.out_word.next = Bits::from(u64::from(result));
        }
    }

    fn connect(&mut self) {
        self.out_word.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(include_str!("convert_out/datapath.v").into())
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let inputs = ["in_value", "in_format"];
        timing("convert_out", Self::LATENCY, &inputs, &["out_word"])
    }
}
