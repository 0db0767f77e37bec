//! One lane of the conversion into FP32.

use super::{Stages, number, signals, timing};
use crate::info::Info;
use rust_hdl::prelude::*;

/// One lane of the conversion into FP32: exact, but for int32 above 2^24, which is rounded once.
///
/// ```text
/// clock         _/~\_/~\_   _/~\_/~\_
/// in_word       X v X
/// in_register           X r      two cycles after the word
/// in_enable     X   X        0 in the cycle of the word, j in the j-th after it
/// out_result                X   X r     3 cycles after the word; holds while in_enable[2] is low
/// ```
///
/// | `in_format` | what the word is |
/// |---|---|
/// | 0 | nothing: `in_register` two cycles later is the result, as it is |
/// | 1 | FP32, as it is |
/// | 2 | int32 |
/// | 3 | int8 in the low byte |
/// | 4 | E4M3 in the low byte; a NaN gives 0x7fc00000 |
/// | other | +0 |
///
/// Latency: [`LATENCY`](Self::LATENCY). No reset.
#[derive(LogicBlock)]
pub struct ConvertIn {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage 1 (0) to 3 (2).
    pub in_enable: Vec<Signal<In, Bit>>,
    /// The word.
    pub in_word: Signal<In, Bits<32>>,
    /// What it is.
    pub in_format: Signal<In, Bits<3>>,
    /// FP32 that format 0 takes, two cycles after the word.
    pub in_register: Signal<In, Bits<32>>,
    /// FP32.
    pub out_result: Signal<Out, Bits<32>>,
    info: Info,
    _stages: Stages<Option<u32>>,
}

impl ConvertIn {
    /// Cycles from the word to the result.
    pub const LATENCY: usize = lpu_isa::latency::CONVERT_LATENCY as usize;
}

impl Default for ConvertIn {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            in_enable: signals(Self::LATENCY),
            in_word: Signal::default(),
            in_format: Signal::default(),
            in_register: Signal::default(),
            out_result: Signal::default(),
            info: Info::new("convert_in", file!())
                .summary("One lane of the conversion into FP32")
                .port("in_enable", "j: loads stage j + 1")
                .port("in_word", "the word")
                .port(
                    "in_format",
                    "0 in_register, 1 FP32, 2 int32, 3 int8, 4 E4M3",
                )
                .port("in_register", "FP32, two cycles after the word")
                .port("out_result", "FP32, three cycles later"),
            _stages: Stages::new(Self::LATENCY),
        }
    }
}

impl Logic for ConvertIn {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let word = self.in_word.val().to_u32();
            let format = self.in_format.val().to_u8();
            let entering = (format != 0).then(|| number::from_format(word, format));
            if self.in_enable[Self::LATENCY - 1].val() {
                let register = self.in_register.val().to_u32();
                let result = self._stages.last_but_one().unwrap_or(register);
                self.out_result.next = Bits::from(u64::from(result));
            }
            self._stages.step(&self.in_enable, entering);
        }
    }

    fn connect(&mut self) {
        self.out_result.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(include_str!("convert_in/datapath.v").into())
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let inputs = ["in_word", "in_format", "in_register"];
        timing("convert_in", Self::LATENCY, &inputs, &["out_result"])
    }
}
