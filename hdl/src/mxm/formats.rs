//! The number formats of the matrix unit beside int8: E4M3 and NVFP4.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`FormatArray`] | all columns, in place of [`Array`](super::Array) | [`Formats::stages`] |
//! | [`FormatWeights`] | weights and scales of one column | 1 |
//! | [`FormatOperand`] | takes an activation apart | 0 |
//! | [`FormatDot`] | multipliers, shifters and adder tree of one column | [`Formats::stages`] |
//! | [`FormatPipeline`] | which format is in which stage | |
//! | [`ActivationScales`] | scales of an activation on their way to their stage | |
//! | [`NanFlags`] | NaN flags of all columns on their way to the dot products | [`Formats::stages`] |
//! | [`ScaleOperand`] | second operand of LX and MM: the scales of an activation | 4 |
//! | [`FormatAdder`] | adders of 64 bits and NaN flags of the accumulators | 3 |
//! | [`RoundSum`] | one sum to FP32 | 3 |
//! | [`Rounder`] | all sums of a result, and where they go | 3 |

mod activation_scales;
mod adder;
mod array;
pub(crate) mod code;
mod dot;
mod nan_flags;
mod operand;
mod pipeline;
mod round_sum;
mod rounder;
mod scale_operand;
mod weights;

pub use activation_scales::ActivationScales;
pub use adder::{FormatAdder, WIDE_PARTS};
pub use array::FormatArray;
pub use dot::{FormatDot, WIDE_BITS};
pub use nan_flags::NanFlags;
pub use operand::FormatOperand;
pub use pipeline::FormatPipeline;
pub use round_sum::RoundSum;
pub use rounder::Rounder;
pub use scale_operand::ScaleOperand;
pub use weights::FormatWeights;

use crate::info::Info;
use lpu_isa::Config;
use lpu_isa::config::MxmFormat;
use rust_hdl::prelude::*;
use std::fmt;

/// The formats that are built in beside int8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Formats {
    /// E4M3.
    pub e4m3: bool,
    /// NVFP4.
    pub nvfp4: bool,
}

impl Formats {
    /// Those of a machine.
    pub fn of(config: &Config) -> Self {
        Self {
            e4m3: config.mxm.has(MxmFormat::E4m3),
            nvfp4: config.mxm.has(MxmFormat::Nvfp4),
        }
    }

    /// The values of CONFIG 1; none in a machine without formats.
    pub(super) fn codes(self) -> impl Iterator<Item = u8> {
        let codes = [
            (self.any(), code::INT8),
            (self.e4m3, code::E4M3),
            (self.nvfp4, code::NVFP4),
        ];
        codes
            .into_iter()
            .filter_map(|(built, code)| built.then_some(code))
    }

    /// Adds the formats to the parameters of a block, if there are any.
    pub(crate) fn param(self, info: Info) -> Info {
        if self.any() {
            info.param("FORMATS", self)
        } else {
            info
        }
    }

    /// Whether there is any.
    pub fn any(self) -> bool {
        self.e4m3 || self.nvfp4
    }
}

impl fmt::Display for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.e4m3, self.nvfp4) {
            (false, false) => "int8",
            (true, false) => "e4m3",
            (false, true) => "nvfp4",
            (true, true) => "e4m3_nvfp4",
        })
    }
}

/// The names of the ports of an array.
fn names(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|i| format!("{name}${i}")).collect()
}

/// The timing of a clocked block.
fn timing(name: &str, inputs: Vec<String>, outputs: Vec<String>) -> Vec<TimingInfo> {
    vec![TimingInfo {
        name: name.into(),
        clock: "clock".into(),
        inputs,
        outputs,
    }]
}
