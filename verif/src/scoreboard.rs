//! Compares what was observed with what the golden machine expects, event by event.
//!
//! Both sides come in canonical order and in pieces of any size. The first difference ends the
//! comparison; what is left over on either side at the end is a difference too.
//!
//! ```
//! use lpu_isa::{Config, Program};
//! use lpu_verif::{Effect, Event, Scoreboard};
//!
//! let config = Config::preset("nano").unwrap();
//! let program = Program::new(&config);
//! let mut scoreboard = Scoreboard::new(&config, &program);
//! scoreboard.expect(&[Event::observed(4, Effect::ReadStart { slice: 1 })]).unwrap();
//! let error = scoreboard.observe(&[Event::observed(5, Effect::ReadStart { slice: 1 })]).unwrap_err();
//! assert_eq!((error.cycle, error.shift), (4, Some(1)));
//! ```

use crate::machine::LaunchReport;
use crate::{Event, Origin};
use lpu_isa::{Config, Program, Queue};
use std::collections::VecDeque;

mod divergence;
mod registers;
mod render;

pub use divergence::{Difference, Divergence, Field, InFlight, Side};

/// A comparison in progress.
#[derive(Clone, Debug)]
pub struct Scoreboard {
    config: Config,
    program: Program,
    faults: bool,
    read_starts: bool,
    expected: Feed,
    observed: Feed,
    compared: u64,
}

/// One side: what has come in and is not compared yet.
#[derive(Clone, Debug, Default)]
struct Feed {
    pending: VecDeque<Event>,
    last: Option<Event>,
}

impl Feed {
    /// Takes an event in; the one before it comes back if the two are not in canonical order.
    fn push(&mut self, event: Event) -> Option<Event> {
        let before = self.last.replace(event);
        self.pending.push_back(event);
        before.filter(|before| before.key() >= event.key())
    }
}

type Verdict = Result<(), Box<Divergence>>;

impl Scoreboard {
    /// A comparison of one launch of `program`.
    pub fn new(config: &Config, program: &Program) -> Self {
        Self {
            config: config.clone(),
            program: program.clone(),
            faults: true,
            read_starts: true,
            expected: Feed::default(),
            observed: Feed::default(),
            compared: 0,
        }
    }

    /// Fault events are not observed (the FAULT registers are compared at the end).
    #[must_use]
    pub const fn without_faults(mut self) -> Self {
        self.faults = false;
        self
    }

    /// Read starts are not observed.
    #[must_use]
    pub const fn without_read_starts(mut self) -> Self {
        self.read_starts = false;
        self
    }

    /// Events compared and found equal so far.
    pub const fn compared(&self) -> u64 {
        self.compared
    }

    /// More of what the golden machine does.
    pub fn expect(&mut self, events: &[Event]) -> Verdict {
        for &event in events {
            let wanted = match event.effect {
                crate::Effect::Fault { .. } => self.faults,
                crate::Effect::ReadStart { .. } => self.read_starts,
                _ => true,
            };
            if wanted && let Some(before) = self.expected.push(event) {
                return Err(self.disorder(Side::Expected, before, event));
            }
        }
        self.compare()
    }

    /// More of what was observed.
    pub fn observe(&mut self, events: &[Event]) -> Verdict {
        for &event in events {
            if let Some(before) = self.observed.push(event) {
                self.observed.pending.pop_back();
                self.compare()?;
                return Err(self.disorder(Side::Observed, before, event));
            }
        }
        self.compare()
    }

    /// Nothing more was observed up to and including `cycle`: what was expected until then is missing.
    pub fn observed_through(&self, cycle: u64) -> Verdict {
        match self.expected.pending.front() {
            Some(&event) if event.cycle <= cycle && self.observed.pending.is_empty() => {
                Err(self.divergence(Difference::Missing, Some(event), None))
            }
            _ => Ok(()),
        }
    }

    /// Ends the comparison: nothing may be left over on either side.
    pub fn finish(&self) -> Verdict {
        if let Some(&event) = self.expected.pending.front() {
            return Err(self.divergence(Difference::Missing, Some(event), None));
        }
        if let Some(&event) = self.observed.pending.front() {
            return Err(self.divergence(Difference::Unexpected, None, Some(event)));
        }
        Ok(())
    }

    /// Compares the registers that a launch leaves behind: CYCLE, FAULT and ECC of every unit.
    pub fn compare_reports(&self, expected: &LaunchReport, observed: &LaunchReport) -> Verdict {
        registers::compare(&self.config, expected, observed)
    }

    fn compare(&mut self) -> Verdict {
        while let (Some(expected), Some(observed)) =
            (self.expected.pending.front(), self.observed.pending.front())
        {
            if expected.cycle != observed.cycle || expected.effect != observed.effect {
                let (expected, observed) = (*expected, *observed);
                let difference = match expected.key().cmp(&observed.key()) {
                    std::cmp::Ordering::Less => Difference::Missing,
                    std::cmp::Ordering::Equal => Difference::Value,
                    std::cmp::Ordering::Greater => Difference::Unexpected,
                };
                return Err(self.divergence(difference, Some(expected), Some(observed)));
            }
            self.expected.pending.pop_front();
            self.observed.pending.pop_front();
            self.compared += 1;
        }
        Ok(())
    }

    fn disorder(&self, side: Side, before: Event, event: Event) -> Box<Divergence> {
        let difference = Difference::Disorder(side);
        let (expected, observed) = match side {
            Side::Expected => (Some(event), Some(before)),
            Side::Observed => (Some(before), Some(event)),
        };
        self.divergence(difference, expected, observed)
    }

    fn divergence(
        &self,
        difference: Difference,
        expected: Option<Event>,
        observed: Option<Event>,
    ) -> Box<Divergence> {
        let mut divergence = Divergence::new(&self.config, difference, expected, observed);
        divergence.shift = self.shift(&divergence);
        divergence.instruction = self.in_flight(&divergence);
        Box::new(divergence)
    }

    /// How many cycles later (or earlier) the other side has the same effect, if it is in sight.
    fn shift(&self, divergence: &Divergence) -> Option<i64> {
        let (event, other, sign) = match divergence.difference {
            Difference::Missing => (divergence.expected?, &self.observed, 1),
            Difference::Unexpected => (divergence.observed?, &self.expected, -1),
            _ => return None,
        };
        let same = |other: &&Event| other.effect == event.effect;
        let other = other.pending.iter().find(same)?;
        Some(sign * (other.cycle as i64 - event.cycle as i64))
    }

    /// The instruction that caused what was expected.
    fn in_flight(&self, divergence: &Divergence) -> Option<InFlight> {
        let origin: Origin = match divergence.difference {
            Difference::Unexpected => None,
            _ => divergence.expected.and_then(|event| event.origin),
        }?;
        let queue = usize::from(origin.queue);
        let instruction = self.program.queue(queue).get(usize::from(origin.index));
        Some(InFlight {
            queue: Queue::from_id(queue, &self.config)?,
            origin,
            text: instruction.map_or_else(|| "past the end".to_owned(), render::instruction),
        })
    }
}
