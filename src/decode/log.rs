//! What the steps of a decoding did.

use crate::run::RunError;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// Position of the token that went in.
    pub position: usize,
    /// The token.
    pub token: u32,
    /// [`logits_hash`] of what came out.
    pub logits: String,
    /// Cycles of the launch, if there was one.
    pub cycles: Option<u64>,
    /// Cycles that were predicted for it.
    pub predicted: Option<u64>,
    /// Logits that differ from the golden decoder's, and one each for: no end, other cycles than predicted, faults, events.
    pub mismatches: u64,
    /// Events compared with the golden machine.
    pub events_compared: u64,
}

/// Launches of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Launches {
    /// Their cycles.
    pub cycles: u64,
    /// Cycles that were predicted for them.
    pub predicted: u64,
    /// As in [`StepRecord`].
    pub mismatches: u64,
    /// Events compared with the golden machine.
    pub events_compared: u64,
}

/// The steps so far, and the first thing that went wrong.
#[derive(Debug, Default)]
pub struct Log {
    /// Steps.
    pub steps: Vec<StepRecord>,
    /// Launches of the step under way, if there were any.
    pub launches: Option<Launches>,
    /// Description of the first step that differs.
    pub difference: Option<String>,
    /// Why the machine could not go on.
    pub failure: Option<RunError>,
}

/// A log that engine and command line share.
pub type SharedLog = Rc<RefCell<Log>>;

impl Log {
    /// Sum over all steps.
    pub fn mismatches(&self) -> u64 {
        self.steps.iter().map(|step| step.mismatches).sum()
    }

    /// Measured and predicted cycles of all launches, if there were any.
    pub fn cycles(&self) -> Option<(u64, u64)> {
        let sum = |cycles: &mut dyn Iterator<Item = Option<u64>>| cycles.sum::<Option<u64>>();
        let measured = sum(&mut self.steps.iter().map(|step| step.cycles))?;
        let predicted = sum(&mut self.steps.iter().map(|step| step.predicted))?;
        (!self.steps.is_empty()).then_some((measured, predicted))
    }

    /// Events compared with the golden machine.
    pub fn events_compared(&self) -> u64 {
        self.steps.iter().map(|step| step.events_compared).sum()
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of logits as little-endian FP32.
pub fn logits_hash(logits: &[f32]) -> String {
    let mut hash = Sha256::new();
    for logit in logits {
        hash.update(logit.to_le_bytes());
    }
    let mut text = String::new();
    for byte in &hash.finalize()[..8] {
        write!(text, "{byte:02x}").expect("a string takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::logits_hash;

    #[test]
    fn hashes_see_every_bit() {
        // sha256 of nothing.
        assert_eq!(logits_hash(&[]), "e3b0c44298fc1c14");
        assert_ne!(logits_hash(&[0.0]), logits_hash(&[-0.0]));
        assert_ne!(logits_hash(&[1.0, 2.0]), logits_hash(&[2.0, 1.0]));
    }
}
