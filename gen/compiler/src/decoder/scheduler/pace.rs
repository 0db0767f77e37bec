//! When SENDs may issue: as fast as the frames of a link carry, and no faster.

use crate::CompileError;
use lpu_isa::c2c::Shape;

/// The SENDs of a link so far.
#[derive(Clone, Debug)]
pub struct Pace {
    shape: Option<Shape>,
    /// Cycles without a SEND behind those that are moved together.
    rest: i64,
    /// Their cycles, in order.
    issued: Vec<i64>,
}

impl Pace {
    /// Of a link without SENDs; without a shape it takes one in every cycle.
    pub const fn new(shape: Option<Shape>, rest: i64) -> Self {
        Self {
            shape,
            rest,
            issued: Vec::new(),
        }
    }

    /// The first cycle from `from` on to which SENDs may be moved, whose cycles (in order) count from there: behind all others, and the last of
    /// any S + 1 a frame or more behind the first.
    pub fn earliest(&self, sends: &[i64], from: i64) -> Result<i64, CompileError> {
        let Some(&first) = sends.first() else {
            return Ok(from);
        };
        let behind = self
            .issued
            .last()
            .map_or(from, |last| last + 1 + self.rest - first);
        let from = from.max(behind);
        let Some((slots, frame)) = self.shape.map(|s| (s.slots(), s.frame() as i64)) else {
            return Ok(from);
        };
        let mut runs = sends.windows(slots + 1);
        if runs.any(|run| run[slots] - run[0] < frame) {
            return Err(CompileError::Decoder(format!(
                "{} flits that belong together leave faster than a link of {slots} slots carries: raise the slots, or choose fewer sequences",
                sends.len()
            )));
        }
        // The send so many slots behind one that has issued.
        let old = self.issued.iter().rev().take(slots).rev();
        let missing = slots - old.len();
        let runs = old.zip(sends.iter().skip(missing));
        Ok(runs
            .map(|(old, new)| old + frame - new)
            .fold(from, i64::max))
    }

    /// Takes note of SENDs that issue, moved to `cycle`.
    pub fn commit(&mut self, sends: &[i64], cycle: i64) {
        self.issued.extend(sends.iter().map(|send| send + cycle));
    }
}
