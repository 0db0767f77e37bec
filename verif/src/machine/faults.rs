//! First faults and ECC counters of the units.

use super::calendar::HORIZON;
use crate::vector::DecodeCount;
use crate::{Effect, Event, FaultCode, Observe, Origin};

/// A FAULT register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// What happened.
    pub code: FaultCode,
    /// Launch cycle, modulo 2^32.
    pub cycle: u32,
}

/// An ECC register: saturating counts of codewords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EccCount {
    /// Corrected.
    pub corrected: u32,
    /// Uncorrectable.
    pub uncorrectable: u32,
}

impl EccCount {
    /// Adds what a decoder found.
    pub const fn add(&mut self, count: DecodeCount) {
        self.corrected = self.corrected.saturating_add(count.corrected);
        self.uncorrectable = self.uncorrectable.saturating_add(count.uncorrectable);
    }
}

type Pending = Vec<(u8, FaultCode, Origin)>;

/// The FAULT and ECC registers of all units.
#[derive(Clone, Debug)]
pub struct Faults {
    kept: Vec<Option<Fault>>,
    ecc: Vec<EccCount>,
    pending: [Pending; HORIZON as usize],
}

impl Faults {
    /// Registers of `units` units, all clear.
    pub fn new(units: usize) -> Self {
        Self {
            kept: vec![None; units],
            ecc: vec![EccCount::default(); units],
            pending: std::array::from_fn(|_| Vec::new()),
        }
    }

    /// Forgets what was about to be recorded.
    pub fn restart(&mut self) {
        self.pending.iter_mut().for_each(Vec::clear);
    }

    /// The FAULT registers.
    pub fn kept(&self) -> &[Option<Fault>] {
        &self.kept
    }

    /// The ECC registers.
    pub fn ecc(&self) -> &[EccCount] {
        &self.ecc
    }

    /// Clears the registers.
    pub fn clear(&mut self) {
        self.kept.fill(None);
        self.ecc.fill(EccCount::default());
    }

    /// The unit of `origin` will record `code` in `cycle`, less than [`HORIZON`] cycles from now.
    pub fn record(&mut self, cycle: u64, code: FaultCode, origin: Origin) {
        self.record_on(origin.queue, cycle, code, origin);
    }

    /// The same on a unit other than the one that issued the cause.
    pub fn record_on(&mut self, unit: u8, cycle: u64, code: FaultCode, origin: Origin) {
        self.pending[(cycle % HORIZON) as usize].push((unit, code, origin));
    }

    /// The unit of `origin` counts a vector that is decoded in `cycle`.
    pub fn count(&mut self, cycle: u64, count: DecodeCount, origin: Origin) {
        if count != DecodeCount::default() {
            self.ecc[origin.queue as usize].add(count);
            if count.uncorrectable > 0 {
                self.record(cycle, FaultCode::EccUncorrectable, origin);
            }
        }
    }

    /// Records the faults of `cycle`: the first of each unit is kept and becomes an event.
    pub fn flush(&mut self, cycle: u64, events: &mut impl Observe) {
        let pending = &mut self.pending[(cycle % HORIZON) as usize];
        if pending.is_empty() {
            return;
        }
        pending.sort_by_key(|&(unit, code, _)| (unit, code));
        for (unit, code, origin) in pending.drain(..) {
            let kept = &mut self.kept[unit as usize];
            if kept.is_none() {
                *kept = Some(Fault {
                    code,
                    cycle: cycle as u32,
                });
                events.see(|| Event {
                    cycle,
                    effect: Effect::Fault { unit, code },
                    origin: Some(origin),
                });
            }
        }
    }
}
