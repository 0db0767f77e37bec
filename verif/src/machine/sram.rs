//! The SRAM of a MEM slice.

use crate::Vector;
use lpu_isa::Config;
use lpu_isa::secded::LANES_PER_CODEWORD;

/// Vectors with their check bits, all zero (good codewords) at first.
#[derive(Clone, Debug)]
pub struct Sram {
    codewords: usize,
    data: Vec<u64>,
    check: Vec<u8>,
}

impl Sram {
    /// The memory of one slice.
    pub fn new(config: &Config) -> Self {
        let codewords = config.lanes / LANES_PER_CODEWORD;
        let words = config.mem.depth * codewords;
        Self {
            codewords,
            data: vec![0; words],
            check: vec![0; words],
        }
    }

    /// The vector at `address`, as stored.
    #[inline]
    pub fn read(&self, address: usize, vector: &mut Vector) {
        match self.codewords {
            1 => self.read_words::<1>(address, vector),
            2 => self.read_words::<2>(address, vector),
            4 => self.read_words::<4>(address, vector),
            _ => self.read_words::<8>(address, vector),
        }
    }

    /// Copies of a known size are a few moves.
    fn read_words<const N: usize>(&self, address: usize, vector: &mut Vector) {
        let words = address * N..(address + 1) * N;
        vector.data[..N].copy_from_slice(&self.data[words.clone()]);
        vector.check[..N].copy_from_slice(&self.check[words]);
    }

    /// Stores a vector as it is.
    pub fn write(&mut self, address: usize, vector: &Vector) {
        let words = address * self.codewords..(address + 1) * self.codewords;
        self.data[words.clone()].copy_from_slice(&vector.data[..self.codewords]);
        self.check[words].copy_from_slice(&vector.check[..self.codewords]);
    }
}
