//! What a compiled product takes.

use super::plan::{Mode, Plan, Shape};
use crate::check::Prediction;
use lpu_isa::Config;

/// Predicted cycles and use of the machine, exact to the cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// How activations reach the multipliers.
    pub mode: Mode,
    /// Planes used.
    pub planes: usize,
    /// Weight streams of each plane.
    pub weight_streams: usize,
    /// Rows that pass a tile together (the largest chunk).
    pub rows: usize,
    /// Cycles from tile to tile.
    pub tile_cycles: usize,
    /// Cycles from the first SRAM read (issue of the first READ) to the last use of a write port, both included.
    pub cycles: u64,
    /// Cycles from the launch until busy falls.
    pub busy_cycles: u64,
    /// Useful multiply-accumulates: m k n.
    pub macs: u64,
    /// Useful multiply-accumulates for each that the planes could do in `cycles`.
    pub mac_utilization: f64,
    /// Vectors read for each that the slices could read in `cycles`.
    pub sram_read_utilization: f64,
    /// Bytes of the right matrix (scales included) for each that the slices could read in `cycles`.
    pub weight_utilization: f64,
    /// All that the checker derived, with the instructions in each queue.
    pub prediction: Prediction,
}

impl Schedule {
    pub(super) fn new(config: &Config, plan: &Plan, shape: Shape, prediction: Prediction) -> Self {
        let rows = plan.rows.first().map_or(0, ExactSizeIterator::len);
        let cycles = prediction.cycles();
        let macs = shape.m as u64 * shape.k as u64 * shape.n as u64;
        let share = |work: u64, each: usize| match cycles {
            0 => 0.0,
            _ => work as f64 / (each as f64 * cycles as f64),
        };
        let weights = shape.format.bytes(shape.k as u64, shape.n as u64);
        // The planes take this many elements for each byte.
        let each = config.macs_per_cycle() * shape.format.packed();
        Self {
            mode: plan.mode,
            planes: plan.planes,
            weight_streams: plan.streams,
            rows,
            tile_cycles: plan.period(rows),
            cycles,
            busy_cycles: prediction.busy_cycles,
            macs,
            mac_utilization: share(macs, each),
            sram_read_utilization: share(prediction.reads, config.mem.slices),
            weight_utilization: share(weights, config.mem.slices * config.lanes),
            prediction,
        }
    }
}
