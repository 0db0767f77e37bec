//! The golden machine as a tile.

use super::{Launch, Task, Tile, unsound_units};
use crate::run::RunError;
use lpu_compiler::matmul::Vector as Written;
use lpu_verif::{Machine, Status, Vector};

/// Cycles between two looks at the events, which bounds the memory that they take.
const CHUNK: u64 = 4096;

/// The golden machine.
pub struct ModelTile {
    machine: Machine,
    /// A launch that takes longer than this has gone wrong.
    limit: u64,
    /// Stream writes, SRAM reads and writes so far.
    events: u64,
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
            events: 0,
        }
    }

    /// Events of all launches so far.
    pub fn events(&self) -> u64 {
        self.events
    }
}

/// A golden machine with a program.
pub(super) fn loaded(task: Task<'_>) -> Machine {
    let mut machine = Machine::new(task.config);
    let loaded = machine.load(task.program);
    loaded.expect("a compiled program fits its machine");
    machine
}

/// Writes vectors into the SRAM of a golden machine.
pub(super) fn write(machine: &mut Machine, vectors: &[Written]) {
    for vector in vectors {
        machine.write_sram(vector.slice, vector.address, &Vector::encode(&vector.bytes));
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

    fn launch(&mut self) -> Result<Launch, RunError> {
        self.machine.launch();
        let mut events = Vec::new();
        let ended = loop {
            let status = self.machine.run(CHUNK, &mut events);
            self.events += events.len() as u64;
            events.clear();
            match status {
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
