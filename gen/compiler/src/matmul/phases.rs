//! The order of work: phases of equal tiles, with their cycles.

use super::balance::overlap;
use super::place::Placement;
use super::plan::{Mode, Plan};
use lpu_isa::latency::{IW_TO_MM, LX_TO_MM};
use std::ops::Range;

/// Tile steps (n outside, k inside) that follow each other every `period` cycles.
///
/// Cycles count from an arbitrary origin and are those of the MXM: the first MM issues in `start`.
#[derive(Clone, Debug)]
pub struct Phase {
    pub pass: usize,
    /// Activations of each tile.
    pub rows: usize,
    pub k: Range<usize>,
    pub n: Range<usize>,
    /// Place of the first tile step in the order of a pass.
    pub first_tile: usize,
    pub period: usize,
    pub spacing: usize,
    /// First LX of the operand buffer.
    pub load: Option<i64>,
    pub start: i64,
}

impl Phase {
    /// Tile steps.
    pub fn tiles(&self) -> usize {
        self.k.len() * self.n.len()
    }

    /// Places of its tile steps in the order of a pass.
    pub fn tile_range(&self) -> Range<usize> {
        self.first_tile..self.first_tile + self.tiles()
    }

    /// First LW of the first tile, whose install takes effect for the first MM.
    pub fn weights_start(&self, plan: &Plan) -> i64 {
        self.start - IW_TO_MM as i64 - plan.burst as i64 + 1
    }

    /// Cycle after the last MM.
    fn end(&self) -> i64 {
        let last = (self.tiles() - 1) * self.period + (self.rows - 1) * self.spacing;
        self.start + last as i64 + 1
    }
}

/// Lays out the phases in time.
pub fn phases(plan: &Plan, placement: &Placement) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    for (pass, rows) in plan.rows.iter().enumerate() {
        let mut first_tile = 0;
        for n in &plan.n {
            for k in &plan.k {
                let mut phase = Phase {
                    pass,
                    rows: rows.len(),
                    k: k.clone(),
                    n: n.clone(),
                    first_tile,
                    period: plan.period(rows.len()),
                    spacing: plan.spacing(rows.len()),
                    load: None,
                    start: 0,
                };
                follow(plan, placement, phases.last(), &mut phase);
                first_tile += phase.tiles();
                phases.push(phase);
            }
        }
    }
    phases
}

/// Sets the cycles of a phase after those of the one before.
fn follow(plan: &Plan, placement: &Placement, before: Option<&Phase>, phase: &mut Phase) {
    match plan.mode {
        Mode::Streamed => {
            phase.start = before.map_or(0, |p| p.start + (p.tiles() * p.period) as i64);
        }
        Mode::Decode => {
            let load = before.map_or(0, Phase::end);
            let loaded = load + (phase.rows * phase.k.len()) as i64;
            phase.load = Some(load);
            phase.start = loaded - 1 + LX_TO_MM as i64;
            if !plan.own_stream || shares_a_slice(placement, phase) {
                phase.start = loaded + plan.burst as i64 - 1 + IW_TO_MM as i64;
            }
            if let Some(before) = before {
                let previous = before.start + (before.tiles() * before.period) as i64;
                phase.start = phase.start.max(previous);
            }
        }
    }
}

/// Whether a slice holds both activations and weights of the first tile step of the phase.
fn shares_a_slice(placement: &Placement, phase: &Phase) -> bool {
    let first = phase.first_tile;
    let mut weights = placement
        .weights
        .iter()
        .filter(|w| w.tiles.contains(&first));
    let activations = placement.activations_of(phase.pass).iter();
    let loaded = activations.chain(placement.scales_of(phase.pass));
    weights.any(|w| {
        let mut same = loaded.clone().filter(|a| a.slice == w.slice);
        same.any(|a| overlap(&a.k, &phase.k).is_some())
    })
}
