//! One lane of the special-function unit.

use super::{Stages, number, signals, timing};
use crate::info::Info;
use lpu_isa::functions::{ENTRY_BITS, EXP2, RCP, RSQRT, SEGMENTS};
use rust_hdl::prelude::*;
use std::fmt::Write;

/// One lane of exp2, reciprocal and reciprocal square root, by a quadratic from one ROM of 1024 words for all three.
///
/// ```text
/// clock         _/~\_/~\_   _/~\_/~\_
/// in_x          X v X
/// in_enable     X   X        0 in the cycle of x, j in the j-th after it
/// out_result                X   X r     8 cycles after x; holds while in_enable[7] is low
/// ```
///
/// | `in_function` | result |
/// |---|---|
/// | 0 | x as it is |
/// | 1 | 2^x |
/// | 2 | 1 / x |
/// | 3 | 1 / sqrt(x) |
///
/// `docs/numbers.md` defines every bit and states the bounds of the errors.
///
/// | stage | what |
/// |---|---|
/// | 1 | classes, distance of the binary point |
/// | 2 | argument as a fixed-point number; leading one of a subnormal |
/// | 3 | argument rounded and signed; exponent of the result |
/// | 4 | ROM; square of the offset |
/// | 5 | c1 and c2 multiplied |
/// | 6 | y |
/// | 7 | a subnormal result moves |
/// | 8 | rounded and packed |
///
/// Latency: [`LATENCY`](Self::LATENCY). No reset.
#[derive(LogicBlock)]
pub struct Sfu {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage 1 (0) to 8 (7).
    pub in_enable: Vec<Signal<In, Bit>>,
    /// FP32.
    pub in_x: Signal<In, Bits<32>>,
    /// What to do.
    pub in_function: Signal<In, Bits<2>>,
    /// The result.
    pub out_result: Signal<Out, Bits<32>>,
    info: Info,
    _stages: Stages<u32>,
}

impl Sfu {
    /// Cycles from x to the result.
    pub const LATENCY: usize = lpu_isa::latency::SFU_LATENCY as usize;
}

impl Default for Sfu {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            in_enable: signals(Self::LATENCY),
            in_x: Signal::default(),
            in_function: Signal::default(),
            out_result: Signal::default(),
            info: Info::new("sfu", file!())
                .summary("One lane of exp2, reciprocal and reciprocal square root")
                .port("in_enable", "j: loads stage j + 1")
                .port("in_x", "FP32")
                .port(
                    "in_function",
                    "0 pass, 1 exp2, 2 reciprocal, 3 reciprocal square root",
                )
                .port("out_result", "FP32, eight cycles later"),
            _stages: Stages::new(Self::LATENCY),
        }
    }
}

impl Logic for Sfu {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let x = self.in_x.val().to_u32();
            let entering = number::function(self.in_function.val().to_u8(), x);
            let result = self._stages.step(&self.in_enable, entering);
            self.out_result.next = Bits::from(u64::from(result));
        }
    }

    fn connect(&mut self) {
        self.out_result.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut text = format!(
            "// c2, c1, c0 of each segment: exp2 from 256, reciprocal from 512, reciprocal square root from 768.\n\
             reg [{}:0] coefficients [0:{}];\ninitial begin\n",
            ENTRY_BITS - 1,
            4 * SEGMENTS - 1
        );
        let tables = [&[0; SEGMENTS], &EXP2, &RCP, &RSQRT];
        for (address, entry) in tables.into_iter().flatten().enumerate() {
            let _ = writeln!(
                text,
                "  coefficients[{address}] = {ENTRY_BITS}'h{entry:014x};"
            );
        }
        text += "end\n\n";
        text += include_str!("sfu/datapath.v");
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let inputs = ["in_x", "in_function"];
        timing("sfu", Self::LATENCY, &inputs, &["out_result"])
    }
}
