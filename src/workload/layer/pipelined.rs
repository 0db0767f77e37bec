//! What a pipeline is worth.

use super::Options;
use lpu_compiler::CompileError;
use lpu_compiler::decoder::{self, Shape};
use lpu_isa::Config;
use serde::Serialize;

/// Cycles of a token of each sequence through all layers on one LPU.
#[derive(Clone, Copy, Debug)]
pub struct Baseline {
    of: &'static str,
    cycles: u64,
}

impl Baseline {
    /// All layers on one LPU, or, if it does not hold them, so many times one layer.
    pub fn new(config: &Config, shape: &Shape) -> Result<Self, CompileError> {
        if let Ok(all) = decoder::compile(config, shape) {
            return Ok(Self {
                of: "layers",
                cycles: all.prediction.busy_cycles,
            });
        }
        let one = Shape {
            layers: 1,
            scores: shape.scores[..1].to_vec(),
            ..shape.clone()
        };
        let one = decoder::compile(config, &one)?;
        Ok(Self {
            of: "layer",
            cycles: shape.layers as u64 * one.prediction.busy_cycles,
        })
    }
}

/// A run of a pipeline.
#[derive(Clone, Debug, Serialize)]
pub struct Pipelined {
    placement: &'static str,
    /// Layers of each LPU.
    layers_of: Vec<usize>,
    /// Groups of sequences that take turns.
    groups: usize,
    /// Tokens of each sequence of a group that went in.
    tokens: usize,
    /// Launches until the last came out.
    pub launches: usize,
    /// What the baseline is: `layers`, all layers on one LPU; `layer`, that many times one layer on one LPU.
    baseline: &'static str,
    /// Its cycles from the launch until busy falls.
    baseline_cycles: u64,
    /// Baseline for each cycle of a launch and each LPU, once the pipe is full.
    pub efficiency: f64,
}

impl Pipelined {
    pub(super) fn new(
        options: &Options,
        layers_of: Vec<usize>,
        launches: usize,
        baseline: Baseline,
        launch_cycles: u64,
    ) -> Self {
        let available = layers_of.len() as u64 * launch_cycles;
        Self {
            placement: "pipeline",
            layers_of,
            groups: options.groups,
            tokens: options.tokens,
            launches,
            baseline: baseline.of,
            baseline_cycles: baseline.cycles,
            efficiency: baseline.cycles as f64 / available.max(1) as f64,
        }
    }
}
