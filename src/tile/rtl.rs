//! The RTL simulation as a tile, with the golden machine beside it if every event is to be compared.

use super::{CHUNK, Launch, Reload, Task, Tile, model, unsound_units};
use crate::rtl::Rtl;
use crate::run::RunError;
use lpu_compiler::Prediction;
use lpu_compiler::matmul::Vector;
use lpu_isa::{Config, Program};
use lpu_sim::CompiledModel;
use lpu_verif::{Divergence, Effect, Event, Flit, LaunchReport, Machine, Scoreboard};
use std::thread;
use std::time::Duration;

/// Cycles that are worth a thread for the golden machine.
const PARALLEL: u64 = 1024;

/// A tile in RTL simulation.
pub struct RtlTile {
    config: Config,
    program: Program,
    busy_cycles: u64,
    rtl: Rtl,
    /// Compared with in every event.
    beside: Option<Machine>,
    launch: Running,
    simulating: Duration,
}

/// A launch under way.
struct Running {
    scoreboard: Scoreboard,
    expected: Vec<Event>,
    observed: Vec<Event>,
    span: Span,
    divergence: Option<Box<Divergence>>,
    cycle: u64,
    busy: bool,
}

impl Running {
    fn new(config: &Config, program: &Program) -> Self {
        Self {
            scoreboard: Scoreboard::new(config, program).without_faults(),
            expected: Vec::new(),
            observed: Vec::new(),
            span: Span::default(),
            divergence: None,
            cycle: 0,
            busy: false,
        }
    }
}

impl RtlTile {
    /// A tile after reset with the program in its queues. Without `events` nobody sees when SRAM is read and written. With `events` the golden machine runs the same launches on a second
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
            launch: Running::new(task.config, task.program),
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

impl Reload for RtlTile {
    fn load(&mut self, program: &Program, prediction: &Prediction) -> Result<(), RunError> {
        self.rtl.load(program)?;
        if let Some(machine) = &mut self.beside {
            model::load(machine, program);
        }
        self.program = program.clone();
        self.busy_cycles = prediction.busy_cycles;
        Ok(())
    }
}

impl Tile for RtlTile {
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

    fn begin(&mut self) {
        self.rtl.launch_watching(self.beside.is_some());
        self.beside.iter_mut().for_each(Machine::launch);
        self.launch = Running::new(&self.config, &self.program);
        self.launch.busy = true;
    }

    fn advance(&mut self, cycles: u64) -> bool {
        let Self {
            rtl,
            beside,
            busy_cycles,
            launch,
            ..
        } = self;
        if !launch.busy {
            return false;
        }
        // Not past the end that is predicted, so that the time measured is that of the launch.
        let left = (*busy_cycles + 1).saturating_sub(launch.cycle);
        let cycles = if left == 0 { cycles } else { left.min(cycles) };
        let Running {
            expected, observed, ..
        } = launch;
        launch.busy = match beside {
            None => rtl.run(cycles, observed),
            Some(machine) if cycles < PARALLEL => {
                machine.run(cycles, expected);
                rtl.run(cycles, observed)
            }
            Some(machine) => thread::scope(|scope| {
                let golden = scope.spawn(|| machine.run(cycles, expected));
                let busy = rtl.run(cycles, observed);
                golden.join().expect("the golden machine does not panic");
                busy
            }),
        };
        launch.cycle += cycles;
        launch.span.extend(&launch.observed);
        if beside.is_some() && launch.divergence.is_none() {
            let scoreboard = &mut launch.scoreboard;
            let verdict = scoreboard
                .expect(&launch.expected)
                .and_then(|()| scoreboard.observe(&launch.observed))
                .and_then(|()| scoreboard.observed_through(launch.cycle - 1));
            launch.divergence = verdict.err();
        }
        launch.expected.clear();
        launch.observed.clear();
        launch.busy && launch.cycle <= *busy_cycles + CHUNK
    }

    fn finish(&mut self) -> Result<Launch, RunError> {
        let Self {
            rtl,
            beside,
            launch,
            ..
        } = self;
        self.simulating += rtl.simulating();
        let report = LaunchReport {
            first_read: launch.span.first,
            last_write: launch.span.last,
            ..rtl.report()?
        };
        let mut divergence = launch.divergence.take();
        if let (Some(machine), None) = (beside, &divergence) {
            let verdict = launch.scoreboard.finish().and_then(|()| {
                launch
                    .scoreboard
                    .compare_reports(&machine.report(), &report)
            });
            divergence = verdict.err();
        }
        Ok(Launch {
            ended: !launch.busy,
            cycles: report.cycles,
            first_read: report.first_read,
            last_write: report.last_write,
            unsound_units: unsound_units(&report),
            waiting_flits: rtl.waiting_flits(),
            events_compared: launch.scoreboard.compared(),
            divergence,
        })
    }

    fn arrive(&mut self, flit: Flit) {
        self.rtl.arrive(flit);
        self.beside
            .iter_mut()
            .for_each(|machine| machine.arrive(flit));
    }

    fn take_sent(&mut self) -> Vec<Flit> {
        // Those of the golden machine are the same, or an event differs.
        self.beside
            .iter_mut()
            .for_each(|machine| drop(machine.take_sent()));
        self.rtl.take_sent()
    }

    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError> {
        Ok(self.rtl.read_sram(places.iter().copied())?)
    }
}
