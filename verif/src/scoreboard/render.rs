//! A divergence as text for people.

use super::{Difference, Divergence, Side};
use crate::{Effect, Event, Vector};
use lpu_isa::Instruction;
use std::fmt::{self, Display, Formatter};

/// Disassembly of an instruction: the one place that decides how it looks.
pub(super) fn instruction(instruction: &Instruction) -> String {
    instruction.to_string()
}

impl Display for Divergence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (cycle, kind) = (self.cycle, self.kind);
        match self.difference {
            Difference::Value => writeln!(f, "cycle {cycle}: {kind} differs")?,
            Difference::Missing => writeln!(f, "cycle {cycle}: {kind} expected, not observed")?,
            Difference::Unexpected => writeln!(f, "cycle {cycle}: {kind} observed, not expected")?,
            Difference::Disorder(side) => {
                let side = match side {
                    Side::Expected => "expected",
                    Side::Observed => "observed",
                };
                writeln!(f, "cycle {cycle}: {side} events are not in canonical order")?;
            }
            Difference::Register => writeln!(f, "after {cycle} cycles: {kind} differs")?,
        }
        if let Some(field) = &self.field {
            let (one, two) = (&field.expected, &field.observed);
            writeln!(f, "  {}: expected {one}, observed {two}", field.name)?;
        }
        for (name, event) in self.sides() {
            writeln!(f, "  {name}: {}", Line(event, self.lanes))?;
        }
        match self.shift {
            Some(shift @ 1..) => writeln!(f, "  it comes {shift} cycles late")?,
            Some(shift) => writeln!(f, "  it comes {} cycles early", -shift)?,
            None => {}
        }
        if let Some(cause) = &self.instruction {
            let origin = cause.origin;
            let (queue, index, text) = (cause.queue, origin.index, &cause.text);
            let (outer, inner) = (origin.outer, origin.inner);
            writeln!(
                f,
                "  cause: {queue}[{index}] `{text}`, iteration {outer}, {inner}"
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Divergence {}

impl Divergence {
    /// The events of both sides with their names, as far as there are any.
    fn sides(&self) -> impl Iterator<Item = (&'static str, &Event)> {
        let (one, two) = match self.difference {
            Difference::Value | Difference::Register => ("expected", "observed"),
            Difference::Missing => ("expected", "next observed"),
            Difference::Unexpected => ("next expected", "observed"),
            Difference::Disorder(Side::Expected) => ("event", "came after"),
            Difference::Disorder(Side::Observed) => ("came after", "event"),
        };
        let sides = [(one, self.expected.as_ref()), (two, self.observed.as_ref())];
        sides
            .into_iter()
            .filter_map(|(name, event)| Some((name, event?)))
    }
}

/// An event on one line, for a machine of some lanes.
struct Line<'a>(&'a Event, usize);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "cycle {}, ", self.0.cycle)?;
        match &self.0.effect {
            Effect::ReadStart { slice } => write!(f, "mem{slice} starts a read"),
            Effect::Drive {
                source,
                stream,
                vector,
            } => {
                let queue = source.queue();
                write!(f, "{queue} drives {stream} with {}", Bytes(vector, self.1))
            }
            Effect::Write {
                slice,
                address,
                vector,
            } => {
                let bytes = Bytes(vector, self.1);
                write!(f, "mem{slice} writes {address:#06x} with {bytes}")
            }
            Effect::Send { link, vector } => {
                write!(f, "c2c{link} sends {}", Bytes(vector, self.1))
            }
            Effect::Fault { unit, code } => write!(f, "unit {unit} records {code}"),
        }
    }
}

/// Lanes from 0 upwards, then check bytes.
struct Bytes<'a>(&'a Vector, usize);

impl Display for Bytes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for n in 0..self.1 {
            let gap = if n > 0 && n.is_multiple_of(8) {
                " "
            } else {
                ""
            };
            write!(f, "{gap}{:02x}", self.0.lane(n))?;
        }
        f.write_str(" check")?;
        self.0.check[..self.1 / 8]
            .iter()
            .try_for_each(|check| write!(f, " {check:02x}"))
    }
}
