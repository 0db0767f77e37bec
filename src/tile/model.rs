//! The golden machine as a tile.

use super::{Launch, Task, Tile, unsound_units};
use crate::run::RunError;
use lpu_compiler::Prediction;
use lpu_compiler::matmul::Vector as Written;
use lpu_isa::Program;
use lpu_verif::{EventCount, Machine, Status, Vector};

/// Cycles between two looks at the time.
const CHUNK: u64 = 4096;

/// The golden machine.
pub struct ModelTile {
    machine: Machine,
    /// A launch that takes longer than this has gone wrong.
    limit: u64,
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

impl Tile for ModelTile {
    fn load(&mut self, program: &Program, prediction: &Prediction) -> Result<(), RunError> {
        load(&mut self.machine, program);
        self.limit = prediction.busy_cycles + CHUNK;
        Ok(())
    }

    fn write(&mut self, vectors: &[Written]) -> Result<(), RunError> {
        write(&mut self.machine, vectors);
        Ok(())
    }

    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError> {
        self.machine.set_base(queue, base);
        Ok(())
    }

    fn launch(&mut self) -> Result<Launch, RunError> {
        self.machine.launch();
        let ended = loop {
            match self.machine.run(CHUNK, &mut self.events) {
                Status::Finished => break true,
                Status::Running if self.machine.cycle() <= self.limit => {}
                _ => break false,
            }
        };
        let report = self.machine.report();
        Ok(Launch {
            ended,
            cycles: report.cycles,
            unsound_units: unsound_units(&report),
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
