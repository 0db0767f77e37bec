//! A program: one instruction list for each queue.

use crate::{Config, Descriptor, Instruction, Queue};
use std::collections::BTreeMap;

/// The instructions of every queue, by queue id, with the descriptors and permutation tables that they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    queues: Vec<Vec<Instruction>>,
    descriptors: BTreeMap<usize, Descriptor>,
    maps: BTreeMap<usize, Vec<u8>>,
}

impl Program {
    /// A program whose queues are all empty (they still need their END).
    pub fn new(config: &Config) -> Self {
        Self {
            queues: vec![Vec::new(); config.num_queues()],
            descriptors: BTreeMap::new(),
            maps: BTreeMap::new(),
        }
    }

    /// Appends an instruction to the queue with id `queue`.
    ///
    /// # Panics
    /// If the machine the program was made for has no such queue.
    pub fn push(&mut self, queue: usize, instruction: Instruction) {
        self.queues[queue].push(instruction);
    }

    /// Descriptor `index` (0 to 63) of the vector unit becomes `descriptor`.
    pub fn describe(&mut self, index: usize, descriptor: Descriptor) {
        self.descriptors.insert(index, descriptor);
    }

    /// The descriptors that the program brings, by index.
    pub const fn descriptors(&self) -> &BTreeMap<usize, Descriptor> {
        &self.descriptors
    }

    /// Permutation table `index` of the switch unit: the source of each lane; a number of L or above gives zero.
    pub fn map(&mut self, index: usize, lanes: Vec<u8>) {
        self.maps.insert(index, lanes);
    }

    /// The permutation tables that the program brings, by index.
    pub const fn maps(&self) -> &BTreeMap<usize, Vec<u8>> {
        &self.maps
    }

    /// Takes over the descriptors and the permutation tables of another program.
    pub fn bring_tables_of(&mut self, other: &Self) {
        self.descriptors.clone_from(&other.descriptors);
        self.maps.clone_from(&other.maps);
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
