//! A program: one instruction list for each queue.

use crate::{Config, Instruction, Queue};

/// The instructions of every queue, by queue id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    queues: Vec<Vec<Instruction>>,
}

impl Program {
    /// A program whose queues are all empty (they still need their END).
    pub fn new(config: &Config) -> Self {
        Self {
            queues: vec![Vec::new(); config.num_queues()],
        }
    }

    /// Appends an instruction to the queue with id `queue`.
    ///
    /// # Panics
    /// If the machine the program was made for has no such queue.
    pub fn push(&mut self, queue: usize, instruction: Instruction) {
        self.queues[queue].push(instruction);
    }

    /// The instructions of the queue with id `queue`.
    pub fn queue(&self, queue: usize) -> &[Instruction] {
        &self.queues[queue]
    }

    /// All queues with their instructions, in the order of their ids.
    pub fn queues<'a>(
        &'a self,
        config: &'a Config,
    ) -> impl Iterator<Item = (Queue, &'a [Instruction])> {
        Queue::all(config).zip(self.queues.iter().map(Vec::as_slice))
    }

    /// Number of queues.
    pub fn num_queues(&self) -> usize {
        self.queues.len()
    }
}
