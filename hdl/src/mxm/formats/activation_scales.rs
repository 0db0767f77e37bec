//! The scales of an activation on their way to their stage.

use super::{Formats, code, names, timing};
use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// The scales of an activation: delayed to the stage in which they meet those of the weights, and taken apart.
///
/// ```text
/// clock             _/~\_/~\_  .. _/~\_
/// in_block          X   X   X  j in the j-th cycle after the scales
/// in_scale          X s X
/// out_significand                X m      in the cycle of in_block[scale_stage - 1]
/// out_exponent                   X e
/// ```
///
/// A NaN has the significand zero. Parameters: L lanes, formats. Latency: [`Formats::scale_stage`] - 1. No reset.
#[derive(Clone, Debug, LogicBlock)]
pub struct ActivationScales<const L: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// NVFP4 enters stage j.
    pub in_block: Vec<Signal<In, Bit>>,
    /// The scales, E4M3.
    pub in_scale: Vec<Signal<In, Bits<8>>>,
    /// Their significands.
    pub out_significand: Vec<Signal<Out, Bits<5>>>,
    /// Their exponents.
    pub out_exponent: Vec<Signal<Out, Bits<5>>>,
    info: Info,
    _stages: Vec<Vec<u8>>,
}

impl<const L: usize> ActivationScales<L> {
    /// For these formats, with NVFP4 among them.
    pub fn new(formats: Formats) -> Self {
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let (blocks, stages) = (formats.blocks(L), formats.scale_stage() - 1);
        Self {
            clock: Signal::default(),
            in_block: many(stages),
            in_scale: many(blocks),
            out_significand: many(blocks),
            out_exponent: many(blocks),
            info: Info::new("mxm_activation_scales", file!())
                .summary("Scales of an activation on their way to their stage")
                .param("BLOCKS", blocks)
                .param("STAGES", stages)
                .port("in_block", "j: loads stage j")
                .port("in_scale", "E4M3")
                .port("out_significand", "with sign")
                .port("out_exponent", "0 to 14"),
            _stages: vec![vec![0; blocks]; stages],
        }
    }
}

impl<const L: usize> Logic for ActivationScales<L> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let last = self._stages.len() - 1;
        for stage in (0..=last).rev().filter(|&stage| self.in_block[stage].val()) {
            for g in 0..self.in_scale.len() {
                self._stages[stage][g] = match stage {
                    0 => self.in_scale[g].val().to_u8(),
                    _ => self._stages[stage - 1][g],
                };
            }
        }
        for (g, &scale) in self._stages[last].iter().enumerate() {
            let (significand, exponent) = code::e4m3(scale);
            self.out_significand[g].next = Bits::from(u64::from(significand as u8 & 31));
            self.out_exponent[g].next = Bits::from(u64::from(exponent));
        }
    }

    fn connect(&mut self) {
        self.out_significand.iter_mut().for_each(Logic::connect);
        self.out_exponent.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let (last, blocks) = (self._stages.len() - 1, self.in_scale.len());
        let mut text = String::new();
        for stage in 0..=last {
            text.extend((0..blocks).map(|g| format!("reg [7:0] scale_{stage}_{g};\n")));
        }
        text += "\n";
        text += code::scale_functions();
        for stage in 0..=last {
            let _ = write!(
                text,
                "\nalways @(posedge clock)\n  if (in_block${stage}) begin\n"
            );
            for g in 0..blocks {
                let _ = match stage {
                    0 => writeln!(text, "    scale_0_{g} <= in_scale${g};"),
                    _ => writeln!(text, "    scale_{stage}_{g} <= scale_{}_{g};", stage - 1),
                };
            }
            text += "  end\n";
        }
        text += "\nalways @(*) begin\n";
        for g in 0..blocks {
            let _ = write!(
                text,
                "  out_significand${g} = low_significand(scale_{last}_{g});\n  out_exponent${g} = exponent(scale_{last}_{g}[6:3]);\n"
            );
        }
        Verilog::Custom(text + "end")
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let blocks = self.in_scale.len();
        let inputs = [
            names("in_block", self.in_block.len()),
            names("in_scale", blocks),
        ];
        let outputs = [
            names("out_significand", blocks),
            names("out_exponent", blocks),
        ];
        timing("activation_scales", inputs.concat(), outputs.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn scales_wait_for_the_sums_of_their_blocks() {
        let formats = Formats {
            e4m3: true,
            nvfp4: true,
        };
        let mut scales = ActivationScales::<16>::new(formats);
        scales.connect_all();
        for stage in 0..formats.scale_stage() - 1 {
            for (j, block) in scales.in_block.iter_mut().enumerate() {
                block.next = j == stage;
            }
            // 448 and -1.0, only in the first cycle.
            let codes = if stage == 0 { [0x7e, 0xb8] } else { [0, 0] };
            for (scale, code) in scales.in_scale.iter_mut().zip(codes) {
                scale.next = Bits::from(code);
            }
            cycle(&mut scales, |scales, level| {
                scales.clock.next = Clock::from(level)
            });
        }
        let seen = [0, 1].map(|g| {
            let significand = scales.out_significand[g].val().to_u64();
            (significand, scales.out_exponent[g].val().to_u64())
        });
        assert_eq!(seen, [(14, 14), (24, 6)]);
    }
}
