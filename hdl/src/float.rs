//! Arithmetic of the vector unit and the switch unit: one lane of FP32.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`FpAlu`] | one ALU: fused multiply-add, extremes, comparisons, selection | 8 |
//! | [`Sfu`] | exp2, reciprocal, reciprocal square root | 8 |
//! | [`ConvertIn`] | FP32 from int32, int8, E4M3 | 3 |
//! | [`ConvertOut`] | FP32 to int32, int8, E4M3, int16 in two planes, E2M1 | 3 |
//! | [`FpNode`] | node of a reduction tree: sum, or maximum with its lane | 5 |
//!
//! Subnormals are numbers like all others, every result is rounded once, to nearest, ties to even, and nothing takes longer
//! for any value. Pipelines have an enable for each stage and no reset.

mod convert_in;
mod convert_out;
mod fp_alu;
mod fp_node;
mod number;
mod sfu;

pub use convert_in::ConvertIn;
pub use convert_out::ConvertOut;
pub use fp_alu::FpAlu;
pub use fp_node::{FpNode, LANE_BITS};
pub use sfu::Sfu;

use rust_hdl::prelude::*;

/// Results on their way through a pipeline with an enable for each stage.
#[derive(Clone, Debug)]
struct Stages<T>(Vec<T>);

impl<T: Copy + Default> Stages<T> {
    fn new(count: usize) -> Self {
        Self(vec![T::default(); count])
    }

    /// What the last stage takes with the next edge, if it is enabled.
    fn last_but_one(&self) -> T {
        self.0[self.0.len() - 2]
    }

    /// A rising edge: each enabled stage takes what was in the one before, the first one `entering`. Gives the last stage.
    fn step(&mut self, enable: &[Signal<In, Bit>], entering: T) -> T {
        for stage in (0..self.0.len()).rev() {
            if enable[stage].val() {
                self.0[stage] = if stage == 0 {
                    entering
                } else {
                    self.0[stage - 1]
                };
            }
        }
        self.0[self.0.len() - 1]
    }
}

/// The timing of a pipelined block: its enables and other inputs, its outputs.
fn timing(name: &str, stages: usize, inputs: &[&str], outputs: &[&str]) -> Vec<TimingInfo> {
    let enables = (0..stages).map(|stage| format!("in_enable${stage}"));
    vec![TimingInfo {
        name: name.into(),
        clock: "clock".into(),
        inputs: enables
            .chain(inputs.iter().map(ToString::to_string))
            .collect(),
        outputs: outputs.iter().map(ToString::to_string).collect(),
    }]
}

/// `count` signals with the default value.
fn signals<D: rust_hdl::core::direction::Direction, T: Synth>(count: usize) -> Vec<Signal<D, T>> {
    (0..count).map(|_| Signal::default()).collect()
}
