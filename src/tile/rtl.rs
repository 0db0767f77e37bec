//! The RTL simulation as a tile, with the golden machine beside it if every event is to be compared.

use super::{Launch, Task, Tile, model, unsound_units};
use crate::rtl::Rtl;
use crate::run::RunError;
use lpu_compiler::Prediction;
use lpu_compiler::matmul::Vector;
use lpu_isa::{Config, Program};
use lpu_sim::CompiledModel;
use lpu_verif::{Effect, Event, LaunchReport, Machine, Scoreboard};
use std::thread;
use std::time::Duration;

/// Cycles between comparisons; bounds the memory that events take.
const CHUNK: u64 = 4096;

/// A tile in RTL simulation.
pub struct RtlTile {
    config: Config,
    program: Program,
    busy_cycles: u64,
    rtl: Rtl,
    /// Compared with in every event.
    beside: Option<Machine>,
    simulating: Duration,
}

impl RtlTile {
    /// A tile after reset with the program in its queues. With `events` the golden machine runs the same launches on a second
    /// thread, and every event and register of each launch is compared.
    ///
    /// # Panics
    /// If the program does not fit the machine: it is made by a compiler.
    pub fn new(task: Task<'_>, compiled: &CompiledModel, events: bool) -> Result<Self, RunError> {
        let mut rtl = Rtl::new(task.config, compiled)?;
        rtl.load(task.program)?;
        Ok(Self {
            config: task.config.clone(),
            program: task.program.clone(),
            busy_cycles: task.prediction.busy_cycles,
            rtl,
            beside: events.then(|| model::loaded(task)),
            simulating: Duration::ZERO,
        })
    }

    /// The simulation, past the golden machine.
    pub fn rtl(&mut self) -> &mut Rtl {
        &mut self.rtl
    }

    /// Host time that the simulation of all launches took.
    pub fn simulating(&self) -> Duration {
        self.simulating
    }
}

/// First SRAM read and last SRAM write among events.
#[derive(Default)]
struct Span {
    first: Option<u64>,
    last: Option<u64>,
}

impl Span {
    fn extend(&mut self, events: &[Event]) {
        for event in events {
            match event.effect {
                Effect::ReadStart { .. } => self.first = self.first.or(Some(event.cycle)),
                Effect::Write { .. } => self.last = Some(event.cycle),
                _ => {}
            }
        }
    }
}

impl Tile for RtlTile {
    fn load(&mut self, program: &Program, prediction: &Prediction) -> Result<(), RunError> {
        self.rtl.load(program)?;
        if let Some(machine) = &mut self.beside {
            model::load(machine, program);
        }
        self.program = program.clone();
        self.busy_cycles = prediction.busy_cycles;
        Ok(())
    }

    fn write(&mut self, vectors: &[Vector]) -> Result<(), RunError> {
        let writes = vectors
            .iter()
            .map(|vector| (vector.slice, vector.address, vector.bytes.as_slice()));
        self.rtl.write_sram(writes)?;
        if let Some(machine) = &mut self.beside {
            model::write(machine, vectors);
        }
        Ok(())
    }

    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError> {
        self.rtl.set_base(queue, base)?;
        if let Some(machine) = &mut self.beside {
            machine.set_base(queue, base);
        }
        Ok(())
    }

    fn launch(&mut self) -> Result<Launch, RunError> {
        let Self {
            rtl,
            beside,
            busy_cycles,
            ..
        } = self;
        rtl.launch_watching(beside.is_some());
        beside.iter_mut().for_each(Machine::launch);
        let mut scoreboard = Scoreboard::new(&self.config, &self.program).without_faults();
        let (mut expected, mut observed) = (Vec::new(), Vec::new());
        let (mut span, mut divergence, mut cycle) = (Span::default(), None, 0);
        let chunk = if beside.is_some() { CHUNK } else { u64::MAX };
        let ended = loop {
            // Not past the end that is predicted, so that the time measured is that of the launch.
            let left = (*busy_cycles + 1).saturating_sub(cycle);
            let cycles = if left == 0 { CHUNK } else { left.min(chunk) };
            let busy = match beside {
                None => rtl.run(cycles, &mut observed),
                Some(machine) => thread::scope(|scope| {
                    let golden = scope.spawn(|| machine.run(cycles, &mut expected));
                    let busy = rtl.run(cycles, &mut observed);
                    golden.join().expect("the golden machine does not panic");
                    busy
                }),
            };
            cycle += cycles;
            span.extend(&observed);
            if beside.is_some() && divergence.is_none() {
                let verdict = scoreboard
                    .expect(&expected)
                    .and_then(|()| scoreboard.observe(&observed))
                    .and_then(|()| scoreboard.observed_through(cycle - 1));
                divergence = verdict.err();
            }
            expected.clear();
            observed.clear();
            if !busy || cycle > *busy_cycles + CHUNK {
                break !busy;
            }
        };
        self.simulating += rtl.simulating();
        let report = LaunchReport {
            first_read: span.first,
            last_write: span.last,
            ..rtl.report()?
        };
        if let (Some(machine), None) = (beside, &divergence) {
            let verdict = scoreboard
                .finish()
                .and_then(|()| scoreboard.compare_reports(&machine.report(), &report));
            divergence = verdict.err();
        }
        Ok(Launch {
            ended,
            cycles: report.cycles,
            unsound_units: unsound_units(&report),
            events_compared: scoreboard.compared(),
            divergence,
        })
    }

    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError> {
        Ok(self.rtl.read_sram(places.iter().copied())?)
    }
}
