//! The first difference between RTL and golden machine, as a report: what, where, why, and in which waves to see it.

use lpu_isa::{Config, Queue};
use lpu_verif::scoreboard::{Difference, Side};
use lpu_verif::{Divergence, Effect, Event, Source};
use serde::Serialize;
use std::fmt::{self, Display, Formatter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Cycles in the waves before a difference: enough to see the instruction issue and its operands arrive.
const CYCLES_BEFORE: u64 = 64;
/// Cycles in the waves after a difference.
const CYCLES_AFTER: u64 = 16;

/// The first difference, with names instead of numbers.
#[derive(Clone, Debug, Serialize)]
pub struct DivergenceReport {
    /// Cycle of the launch; for registers, the cycles it took.
    pub cycle: u64,
    /// What differs: `stream drive`, `SRAM write`, `read start`, `CYCLE register`, ...
    pub kind: &'static str,
    /// How: `value`, `missing`, `unexpected`, `disorder` or `register`.
    pub difference: &'static str,
    /// The unit, named by its queue, for example `mem3.read`.
    pub unit: Option<String>,
    /// MEM slice, unless it is a MXM plane.
    pub slice: Option<u8>,
    /// Driven stream, for example `w4`.
    pub stream: Option<String>,
    /// First lane that differs.
    pub lane: Option<usize>,
    /// First part that differs and both its values.
    pub field: Option<FieldReport>,
    /// What the golden machine expected (for `unexpected`: expects next).
    pub expected: Option<EventReport>,
    /// What was observed on RTL (for `missing`: next).
    pub observed: Option<EventReport>,
    /// Cycles by which the event came late (negative: early), if it was seen nearby.
    pub shift: Option<i64>,
    /// The instruction that caused the expected event.
    pub instruction: Option<InstructionReport>,
    /// Waves of the cycles around the difference.
    pub waves: Option<WavesReport>,
    #[serde(skip)]
    text: String,
}

/// The first part that differs.
#[derive(Clone, Debug, Serialize)]
pub struct FieldReport {
    /// Its name, for example `lane 5`.
    pub name: String,
    /// Value on the golden machine.
    pub expected: String,
    /// Value on RTL.
    pub observed: String,
}

/// One event.
#[derive(Clone, Debug, Serialize)]
pub struct EventReport {
    /// Cycle of the launch.
    pub cycle: u64,
    /// Its unit, named by its queue.
    pub unit: Option<String>,
    /// Driven stream.
    pub stream: Option<String>,
    /// Vector address of an SRAM write.
    pub address: Option<u16>,
    /// Bytes of all lanes in hexadecimal, lane 0 first.
    pub data: Option<String>,
    /// Check bits in hexadecimal, those of lanes 0 to 7 first.
    pub check: Option<String>,
}

/// An instruction in flight.
#[derive(Clone, Debug, Serialize)]
pub struct InstructionReport {
    /// Its queue.
    pub queue: String,
    /// Its index in the queue.
    pub index: u16,
    /// Iteration of the outer repeat.
    pub outer: u16,
    /// Iteration of the inner repeat.
    pub inner: u16,
    /// Its disassembly.
    pub text: String,
}

/// A wave file.
#[derive(Clone, Debug, Serialize)]
pub struct WavesReport {
    /// The file.
    pub path: PathBuf,
    /// First cycle of the launch in it.
    pub first_cycle: u64,
    /// Last cycle of the launch in it.
    pub last_cycle: u64,
    /// Time in the file of cycle 0 of the launch, in nanoseconds; a cycle takes 10.
    pub launch_nanoseconds: u64,
}

impl DivergenceReport {
    /// The report of a divergence on a machine of this configuration, without waves.
    pub fn new(config: &Config, divergence: &Divergence) -> Self {
        let subject = match divergence.difference {
            Difference::Unexpected | Difference::Disorder(Side::Observed) => divergence.observed,
            _ => divergence.expected,
        };
        let unit = match subject {
            Some(event) => unit(config, &event.effect),
            None => divergence
                .position
                .and_then(|id| Queue::from_id(usize::try_from(id).ok()?, config)),
        };
        let event = |event: Event| EventReport::new(config, &event);
        Self {
            cycle: divergence.cycle,
            kind: divergence.kind,
            difference: match divergence.difference {
                Difference::Value => "value",
                Difference::Missing => "missing",
                Difference::Unexpected => "unexpected",
                Difference::Disorder(_) => "disorder",
                Difference::Register => "register",
            },
            slice: unit
                .filter(|unit| unit.is_mem())
                .map(|unit| unit.index as u8),
            unit: unit.map(|unit| unit.to_string()),
            stream: divergence.stream.map(|stream| stream.to_string()),
            lane: divergence.lane,
            field: divergence.field.clone().map(|field| FieldReport {
                name: field.name,
                expected: field.expected,
                observed: field.observed,
            }),
            expected: divergence.expected.map(event),
            observed: divergence.observed.map(event),
            shift: divergence.shift,
            instruction: divergence
                .instruction
                .as_ref()
                .map(|cause| InstructionReport {
                    queue: cause.queue.to_string(),
                    index: cause.origin.index,
                    outer: cause.origin.outer,
                    inner: cause.origin.inner,
                    text: cause.text.clone(),
                }),
            waves: None,
            text: divergence.to_string(),
        }
    }

    /// Cycles of the launch worth seeing.
    pub fn window(&self) -> Range<u64> {
        self.cycle.saturating_sub(CYCLES_BEFORE)..self.cycle + CYCLES_AFTER + 1
    }

    /// Says that the waves of [`DivergenceReport::window`] are in a file whose time 0 is `launch_cycle` cycles before the launch.
    pub fn set_waves(&mut self, path: &Path, launch_cycle: u64) {
        let window = self.window();
        self.waves = Some(WavesReport {
            path: path.to_owned(),
            first_cycle: window.start,
            last_cycle: window.end - 1,
            launch_nanoseconds: NANOSECONDS_PER_CYCLE * launch_cycle,
        });
    }
}

/// Clock period in waves.
const NANOSECONDS_PER_CYCLE: u64 = 10;

impl Display for DivergenceReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RTL and golden model differ; the first difference:\n{}",
            self.text
        )?;
        let Some(waves) = &self.waves else {
            return Ok(());
        };
        let at = waves.launch_nanoseconds + NANOSECONDS_PER_CYCLE * self.cycle;
        writeln!(
            f,
            "  waves: {}, cycles {} to {} of the launch; cycle {} is at {at} ns",
            waves.path.display(),
            waves.first_cycle,
            waves.last_cycle,
            self.cycle,
        )
    }
}

impl EventReport {
    fn new(config: &Config, event: &Event) -> Self {
        let mut report = Self {
            cycle: event.cycle,
            unit: unit(config, &event.effect).map(|unit| unit.to_string()),
            stream: None,
            address: None,
            data: None,
            check: None,
        };
        match event.effect {
            Effect::Drive { stream, .. } => report.stream = Some(stream.to_string()),
            Effect::Write { address, .. } => report.address = Some(address),
            _ => {}
        }
        if let Some(vector) = event.effect.vector() {
            report.data = Some(hexadecimal(vector.lanes(config.lanes)));
            report.check = Some(hexadecimal(vector.check[..config.lanes / 8].to_vec()));
        }
        report
    }
}

/// The unit that an effect is about.
fn unit(config: &Config, effect: &Effect) -> Option<Queue> {
    use lpu_isa::QueueKind::{C2cSend, MemRead, MemWrite};
    match *effect {
        Effect::ReadStart { slice } => Some(Queue::new(MemRead, slice.into())),
        Effect::Drive { source, .. } => Some(Source::queue(source)),
        Effect::Write { slice, .. } => Some(Queue::new(MemWrite, slice.into())),
        Effect::Send { link, .. } => Some(Queue::new(C2cSend, link.into())),
        Effect::Fault { unit, .. } => Queue::from_id(unit.into(), config),
    }
}

fn hexadecimal(bytes: Vec<u8>) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
