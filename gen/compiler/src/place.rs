//! Places in SRAM, and who gets them.

use crate::CompileError;
use crate::matmul::Vector;
use lpu_isa::Config;

/// Vectors from an address of a slice on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub slice: usize,
    pub address: usize,
}

impl Place {
    pub fn vector(self, offset: usize, bytes: Vec<u8>) -> Vector {
        Vector {
            slice: self.slice,
            address: self.address + offset,
            bytes,
        }
    }
}

/// Hands out SRAM from address 0 of each slice on.
#[derive(Debug)]
pub struct Room {
    used: Vec<usize>,
    depth: usize,
}

impl Room {
    pub fn new(config: &Config) -> Self {
        Self {
            used: vec![0; config.mem.slices],
            depth: config.mem.depth,
        }
    }

    pub fn take(&mut self, slice: usize, vectors: usize) -> Place {
        let address = self.used[slice];
        self.used[slice] += vectors;
        Place { slice, address }
    }

    /// Vectors given of a slice.
    pub fn used(&self, slice: usize) -> usize {
        self.used[slice]
    }

    /// In the first of two slices with room, or in the second.
    pub fn either(&mut self, slices: [usize; 2], vectors: usize) -> Place {
        let fits = self.used[slices[0]] + vectors <= self.depth;
        self.take(slices[usize::from(!fits)], vectors)
    }

    /// An error if a slice was given more than it has.
    pub fn check(&self) -> Result<(), CompileError> {
        let fullest = (0..self.used.len()).max_by_key(|&slice| self.used[slice]);
        let slice = fullest.expect("a machine has slices");
        match self.used[slice] > self.depth {
            true => Err(CompileError::Depth {
                slice,
                needed: self.used[slice],
                available: self.depth,
            }),
            false => Ok(()),
        }
    }
}
