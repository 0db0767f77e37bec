//! The cycles of a launch.

use super::expand::{Launch, Run};
use super::memory::port_latency;
use lpu_isa::latency::drain_cycles;
use lpu_isa::{Config, Operation, Program, QueueKind};

/// What a launch takes, exact to the cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// Cycle in which the SRAM is first read (READ issue).
    pub first_read: Option<u64>,
    /// Cycle in which an SRAM write port is last used.
    pub last_write: Option<u64>,
    /// Cycle in which each queue issues END, by queue id.
    pub queue_ends: Vec<u64>,
    /// Cycles from the launch until busy falls.
    pub busy_cycles: u64,
    /// SRAM reads of all slices.
    pub reads: u64,
    /// SRAM writes of all slices.
    pub writes: u64,
    /// MM issues of all planes.
    pub products: u64,
    /// Values driven on a stream that nothing samples: no fault, but work for nothing.
    pub unused_values: u64,
    /// Instructions in each queue, by queue id.
    pub instructions: Vec<usize>,
}

impl Prediction {
    pub(super) fn new(
        config: &Config,
        program: &Program,
        launch: &Launch,
        unused_values: u64,
    ) -> Self {
        let of = |kinds: &'static [QueueKind]| {
            let runs = launch.runs.iter().flatten();
            runs.filter(move |run| kinds.contains(&run.queue.kind))
        };
        let issues = |run: &Run| u64::from(run.repeat.count0) * u64::from(run.repeat.count1);
        let read = || of(&[QueueKind::MemRead]);
        let write = || of(&[QueueKind::MemWrite]);
        let port = |run: &Run| run.start + port_latency(run.operation);
        let multiplies = |run: &&Run| !matches!(run.operation, Operation::LoadOperand { .. });
        let end = launch.ends.iter().copied().max().unwrap_or(0);
        Self {
            first_read: read().map(port).min(),
            last_write: write()
                .map(|run| port(run) + run.repeat.duration() - 1)
                .max(),
            queue_ends: launch.ends.clone(),
            busy_cycles: end + drain_cycles(config),
            reads: read().map(issues).sum(),
            writes: write().map(issues).sum(),
            products: of(&[QueueKind::MxmCompute])
                .filter(multiplies)
                .map(issues)
                .sum(),
            unused_values,
            instructions: program.queues(config).map(|(_, list)| list.len()).collect(),
        }
    }

    /// What chips that are launched together take: counts of all, times of the first and of the last.
    ///
    /// # Panics
    /// Without a chip.
    pub fn together(chips: &[Self]) -> Self {
        let sum = |of: fn(&Self) -> u64| chips.iter().map(of).sum();
        let ends = chips.iter().flat_map(|chip| chip.queue_ends.clone());
        let instructions = chips.iter().flat_map(|chip| chip.instructions.clone());
        Self {
            first_read: chips.iter().filter_map(|chip| chip.first_read).min(),
            last_write: chips.iter().filter_map(|chip| chip.last_write).max(),
            queue_ends: ends.collect(),
            busy_cycles: (chips.iter().map(|chip| chip.busy_cycles).max()).expect("a chip"),
            reads: sum(|chip| chip.reads),
            writes: sum(|chip| chip.writes),
            products: sum(|chip| chip.products),
            unused_values: sum(|chip| chip.unused_values),
            instructions: instructions.collect(),
        }
    }

    /// Cycles from the first SRAM read to the last SRAM write, both included; zero without either.
    pub fn cycles(&self) -> u64 {
        match (self.first_read, self.last_write) {
            (Some(first), Some(last)) => (last + 1).saturating_sub(first),
            _ => 0,
        }
    }
}
