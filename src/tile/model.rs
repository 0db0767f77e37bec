//! The golden machine as a tile.

use super::{CHUNK, Launch, Reload, Task, Tile, unsound_units};
use crate::run::RunError;
use lpu_compiler::Prediction;
use lpu_compiler::matmul::Vector as Written;
use lpu_isa::Program;
use lpu_verif::{EventCount, Flit, Machine, Status, Vector};

/// The golden machine.
pub struct ModelTile {
    machine: Machine,
    /// A launch that takes longer than this has gone wrong.
    limit: u64,
    /// Where the launch is.
    status: Status,
    /// Stream writes, SRAM reads and writes so far.
    events: EventCount,
}

impl ModelTile {
    /// A machine with all memories zero and the program in its queues.
    ///
    /// # Panics
    /// If the program does not fit the machine: it is made by a compiler.
    pub fn new(task: Task<'_>) -> Self {
        Self {
            machine: loaded(task),
            limit: task.prediction.busy_cycles + CHUNK,
            status: Status::Finished,
            events: EventCount::default(),
        }
    }

    /// Events of all launches so far.
    pub fn events(&self) -> u64 {
        self.events.0
    }
}

/// A golden machine with a program.
pub(super) fn loaded(task: Task<'_>) -> Machine {
    let mut machine = Machine::new(task.config);
    load(&mut machine, task.program);
    machine
}

/// Loads a compiled program.
pub(super) fn load(machine: &mut Machine, program: &Program) {
    let loaded = machine.load(program);
    loaded.expect("a compiled program fits its machine");
}

/// Writes vectors into the SRAM of a golden machine.
pub(super) fn write(machine: &mut Machine, vectors: &[Written]) {
    for vector in vectors {
        machine.write_sram(vector.slice, vector.address, &Vector::encode(&vector.bytes));
    }
}

impl Reload for ModelTile {
    fn load(&mut self, program: &Program, prediction: &Prediction) -> Result<(), RunError> {
        load(&mut self.machine, program);
        self.limit = prediction.busy_cycles + CHUNK;
        Ok(())
    }
}

impl Tile for ModelTile {
    fn write(&mut self, vectors: &[Written]) -> Result<(), RunError> {
        write(&mut self.machine, vectors);
        Ok(())
    }

    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError> {
        self.machine.set_base(queue, base);
        Ok(())
    }

    fn begin(&mut self) {
        self.machine.launch();
        self.status = Status::Running;
    }

    fn advance(&mut self, cycles: u64) -> bool {
        if self.status == Status::Running {
            self.status = self.machine.run_counting(cycles, &mut self.events);
        }
        self.status == Status::Running && self.machine.cycle() <= self.limit
    }

    fn arrive(&mut self, flit: Flit) {
        self.machine.arrive(flit);
    }

    fn take_sent(&mut self) -> Vec<Flit> {
        self.machine.take_sent()
    }

    fn finish(&mut self) -> Result<Launch, RunError> {
        let report = self.machine.report();
        Ok(Launch {
            ended: self.status == Status::Finished,
            cycles: report.cycles,
            first_read: report.first_read,
            last_write: report.last_write,
            unsound_units: unsound_units(&report),
            waiting_flits: self.machine.waiting_flits(),
            events_compared: 0,
            divergence: None,
        })
    }

    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError> {
        let lanes = self.machine.config().lanes;
        let bytes = places
            .iter()
            .flat_map(|&(slice, address)| self.machine.sram(slice, address).lanes(lanes));
        Ok(bytes.collect())
    }
}
