//! A difference between golden machine and observation, as data.

use crate::{Effect, Event, Origin, Vector};
use lpu_isa::secded::LANES_PER_CODEWORD;
use lpu_isa::{Config, Queue, Stream};

/// One of the two compared sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The golden machine.
    Expected,
    /// What was observed.
    Observed,
}

/// How two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Same place and cycle, other content.
    Value,
    /// Expected and not observed.
    Missing,
    /// Observed and not expected.
    Unexpected,
    /// A side is not in canonical order (a mistake of the test bench, not of the machine).
    Disorder(Side),
    /// A register differs after the launch.
    Register,
}

/// The first part of an event or register that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, for example `lane 5` or `check bits of lanes 8..15`.
    pub name: String,
    /// Value that the golden machine says.
    pub expected: String,
    /// Value that was observed.
    pub observed: String,
}

/// The instruction that caused an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Its queue.
    pub queue: Queue,
    /// Index and iteration.
    pub origin: Origin,
    /// Its disassembly.
    pub text: String,
}

/// The first difference between the golden machine and what was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Cycle of the launch.
    pub cycle: u64,
    /// What differs, in words: `stream drive`, `SRAM write`, ...
    pub kind: &'static str,
    /// How it differs.
    pub difference: Difference,
    /// Position (drives, flits: -1 is west of MEM 0) or slice (SRAM) or unit (faults).
    pub position: Option<isize>,
    /// Driven stream.
    pub stream: Option<Stream>,
    /// First lane that differs.
    pub lane: Option<usize>,
    /// First part that differs.
    pub field: Option<Field>,
    /// The expected event; for [`Difference::Unexpected`] the next one that is expected.
    pub expected: Option<Event>,
    /// The observed event; for [`Difference::Missing`] the next one that was observed.
    pub observed: Option<Event>,
    /// How many cycles late (or, negative, early) the event was observed, if it was in sight.
    pub shift: Option<i64>,
    /// The instruction that should have caused the event.
    pub instruction: Option<InFlight>,
    /// Lanes of the machine.
    pub lanes: usize,
}

impl Divergence {
    /// A divergence without shift and instruction.
    pub(super) fn new(
        config: &Config,
        difference: Difference,
        expected: Option<Event>,
        observed: Option<Event>,
    ) -> Self {
        let subject = match difference {
            Difference::Unexpected | Difference::Disorder(Side::Observed) => observed,
            _ => expected,
        };
        let subject = subject.expect("a divergence is about an event");
        let (position, stream) = match subject.effect {
            Effect::Drive { source, stream, .. } => (source.position(config), Some(stream)),
            Effect::Write { slice, .. } | Effect::ReadStart { slice } => (slice.into(), None),
            Effect::Send { .. } => (-1, None),
            Effect::Fault { unit, .. } => (unit.into(), None),
        };
        let mut divergence = Self {
            cycle: subject.cycle,
            kind: subject.effect.kind(),
            difference,
            position: Some(position),
            stream,
            lane: None,
            field: None,
            expected,
            observed,
            shift: None,
            instruction: None,
            lanes: config.lanes,
        };
        if difference == Difference::Value {
            divergence.find_field();
        }
        divergence
    }

    fn find_field(&mut self) {
        let (Some(expected), Some(observed)) = (self.expected, self.observed) else {
            return;
        };
        let field = |name: &str, expected: String, observed: String| {
            Some(Field {
                name: name.to_owned(),
                expected,
                observed,
            })
        };
        self.field = match (expected.effect, observed.effect) {
            (Effect::Write { address: one, .. }, Effect::Write { address: two, .. })
                if one != two =>
            {
                field("address", format!("{one:#06x}"), format!("{two:#06x}"))
            }
            (Effect::Fault { code: one, .. }, Effect::Fault { code: two, .. }) => {
                field("code", one.to_string(), two.to_string())
            }
            (one, two) => match (one.vector(), two.vector()) {
                (Some(one), Some(two)) => self.vector_field(one, two),
                _ => None,
            },
        };
    }

    fn vector_field(&mut self, one: &Vector, two: &Vector) -> Option<Field> {
        self.lane = (0..self.lanes).find(|&n| one.lane(n) != two.lane(n));
        let (name, one, two) = if let Some(n) = self.lane {
            (format!("lane {n}"), one.lane(n), two.lane(n))
        } else {
            let g = (0..one.check.len()).find(|&g| one.check[g] != two.check[g])?;
            let first = g * LANES_PER_CODEWORD;
            let name = format!("check bits of lanes {first}..{}", first + 7);
            (name, one.check[g], two.check[g])
        };
        Some(Field {
            name,
            expected: format!("{one:#04x}"),
            observed: format!("{two:#04x}"),
        })
    }
}
