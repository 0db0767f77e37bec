//! Tries every plan and placement and keeps the fastest that fits.

use super::emit::Emitter;
use super::layout::Layout;
use super::phases::phases;
use super::place::{ORDERS, Placement, place};
use super::plan::{Plan, Shape, plans};
use super::{Format, Matmul, Schedule};
use crate::timeline::Timeline;
use crate::{CompileError, check};
use lpu_isa::latency::SELECT_LATENCY;
use lpu_isa::{Config, QueueKind};

/// Byte planes of a result, which are written at once.
const BYTE_PLANES: usize = 4;

/// A plan with a placement that fits.
struct Candidate {
    cycles: i64,
    plan: Plan,
    placement: Placement,
}

pub fn compile(config: &Config, shape: Shape) -> Result<Matmul, CompileError> {
    let needed = fits(config, shape)?;
    let mut error = CompileError::Placement {
        needed,
        available: capacity(config),
    };
    for candidate in candidates(config, shape) {
        match finish(config, shape, candidate) {
            Err(found) if is_too_long(&found) => error = closer(error, found),
            other => return other,
        }
    }
    Err(error)
}

pub fn alternatives(config: &Config, shape: Shape) -> Result<Vec<Matmul>, CompileError> {
    fits(config, shape)?;
    let programs = candidates(config, shape)
        .into_iter()
        .map(|candidate| finish(config, shape, candidate));
    programs
        .filter(|program| !program.as_ref().is_err_and(is_too_long))
        .collect()
}

/// Every plan in every placement that fits, fastest first; of equals, the first tried.
fn candidates(config: &Config, shape: Shape) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = plans(config, shape)
        .iter()
        .flat_map(|plan| ORDERS.map(|order| (plan, order)))
        .filter_map(|(plan, order)| {
            candidate(config, shape.format, plan, place(config, plan, order)?)
        })
        .collect();
    candidates.sort_by_key(|candidate| candidate.cycles);
    candidates
}

/// Whether a program is too long for the machine, so that a slower one may fit.
fn is_too_long(error: &CompileError) -> bool {
    matches!(
        error,
        CompileError::ProgramMemory { .. } | CompileError::Fields { .. }
    )
}

/// The error that is nearest to a program that fits.
fn closer(old: CompileError, new: CompileError) -> CompileError {
    let size = |error: &CompileError| match error {
        CompileError::ProgramMemory { needed, .. } => *needed,
        CompileError::Fields { .. } => usize::MAX - 1,
        _ => usize::MAX,
    };
    if size(&new) < size(&old) { new } else { old }
}

fn capacity(config: &Config) -> u128 {
    config.mem.slices as u128 * config.mem.depth as u128
}

/// Vectors that the matrices take, if the machine is valid and has as many.
fn fits(config: &Config, Shape { m, k, n, format }: Shape) -> Result<u128, CompileError> {
    config.validate()?;
    format.require(config)?;
    if m == 0 || k == 0 || n == 0 {
        return Err(CompileError::Empty { m, k, n });
    }
    if config.mem.slices < BYTE_PLANES {
        return Err(CompileError::Slices {
            needed: BYTE_PLANES,
            available: config.mem.slices,
        });
    }
    // With at least 8 lanes the three terms are below 2^125, 2^125 and 2^127.
    let (m, lanes) = (m as u128, config.lanes as u128);
    let k_tiles = (k as u128).div_ceil(format.tile(config.lanes) as u128);
    let n_tiles = (n as u128).div_ceil(lanes);
    // Scales take a vector of their own beside each of activations, and a row for 8 of weights.
    let (beside, rows) = match format.scaled() {
        true => (2, lanes + lanes / 8),
        false => (1, lanes),
    };
    let left = m * k_tiles * beside;
    let right = k_tiles * n_tiles * rows;
    let result = m * n_tiles * BYTE_PLANES as u128;
    let needed = left + right + result;
    let available = capacity(config);
    if needed > available {
        return Err(CompileError::Sram {
            needed,
            left,
            right,
            result,
            available,
        });
    }
    Ok(needed)
}

fn timeline(config: &Config, format: Format, plan: &Plan, placement: &Placement) -> Timeline {
    let phases = phases(plan, placement);
    let emitter = Emitter {
        config,
        format,
        plan,
        placement,
    };
    emitter.timeline(&phases)
}

fn candidate(
    config: &Config,
    format: Format,
    plan: &Plan,
    placement: Placement,
) -> Option<Candidate> {
    let timeline = timeline(config, format, plan, &placement);
    let of = |kind: QueueKind| {
        let events = timeline.events.iter();
        events.filter(move |event| event.queue.kind == kind)
    };
    let first = of(QueueKind::MemRead).map(|event| event.nest.start).min()?;
    let last = of(QueueKind::MemWrite)
        .map(|event| event.nest.last())
        .max()?;
    let cycles = last + SELECT_LATENCY as i64 - first + 1;
    Some(Candidate {
        cycles,
        plan: plan.clone(),
        placement,
    })
}

fn finish(config: &Config, shape: Shape, candidate: Candidate) -> Result<Matmul, CompileError> {
    let Candidate {
        cycles,
        plan,
        placement,
    } = candidate;
    let program = timeline(config, shape.format, &plan, &placement).lower(config)?;
    let prediction = check(config, &program).map_err(CompileError::Schedule)?;
    debug_assert_eq!(prediction.cycles() as i64, cycles);
    let schedule = Schedule::new(config, &plan, shape, prediction);
    let layout = Layout {
        lanes: config.lanes,
        slices: config.mem.slices,
        depth: config.mem.depth,
        shape,
        plan,
        placement,
    };
    Ok(Matmul {
        program,
        layout,
        schedule,
    })
}
