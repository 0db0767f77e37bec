//! A vector as it travels: data of L lanes and their SECDED check bits.

use crate::secded::{self, Decoded};
use lpu_isa::secded::LANES_PER_CODEWORD;

/// Codewords in the widest vector (L = 64).
pub const MAX_CODEWORDS: usize = 8;

/// Up to 64 lanes with their check bits; codewords past L/8 are zero.
///
/// Lane 8g+b is byte b of `data[g]`, and `check[g]` protects it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Vector {
    /// Codewords of 8 lanes, lane 8g in the low byte of word g.
    pub data: [u64; MAX_CODEWORDS],
    /// Check bits of each codeword, as stored.
    pub check: [u8; MAX_CODEWORDS],
}

/// What decoding a vector found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecodeCount {
    /// Codewords with one wrong bit.
    pub corrected: u32,
    /// Codewords that could not be corrected.
    pub uncorrectable: u32,
}

impl Vector {
    /// Encodes lanes.
    ///
    /// # Panics
    /// If the number of lanes is not a multiple of 8 of at most 64.
    pub fn encode(lanes: &[u8]) -> Self {
        assert!(lanes.len().is_multiple_of(LANES_PER_CODEWORD));
        let mut vector = Self::default();
        for (g, bytes) in lanes.chunks_exact(LANES_PER_CODEWORD).enumerate() {
            vector.data[g] = u64::from_le_bytes(bytes.try_into().expect("chunks of 8"));
            vector.check[g] = secded::encode(vector.data[g]);
        }
        vector
    }

    /// Encodes lanes of signed bytes.
    pub fn encode_i8(lanes: &[i8]) -> Self {
        let bytes: Vec<u8> = lanes.iter().map(|&lane| lane as u8).collect();
        Self::encode(&bytes)
    }

    /// Lane `n`, as stored.
    pub const fn lane(&self, n: usize) -> u8 {
        (self.data[n / LANES_PER_CODEWORD] >> (8 * (n % LANES_PER_CODEWORD))) as u8
    }

    /// The first `count` lanes, as stored.
    pub fn lanes(&self, count: usize) -> Vec<u8> {
        (0..count).map(|n| self.lane(n)).collect()
    }

    /// Corrects the first `codewords` codewords in place and counts what it found.
    pub fn correct(&mut self, codewords: usize) -> DecodeCount {
        let mut count = DecodeCount::default();
        for (data, check) in self.data[..codewords].iter_mut().zip(&self.check) {
            match secded::decode(*data, *check) {
                Decoded::Good(_) => {}
                Decoded::Corrected(good) => {
                    *data = good;
                    count.corrected += 1;
                }
                Decoded::Uncorrectable(_) => count.uncorrectable += 1,
            }
        }
        count
    }

    /// Flips one stored bit of codeword `g`: 0..=63 data, 64..=71 check.
    #[must_use]
    pub const fn with_flip(mut self, g: usize, bit: usize) -> Self {
        if bit < 64 {
            self.data[g] ^= 1 << bit;
        } else {
            self.check[g] ^= 1 << (bit - 64);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_little_endian_in_codewords() {
        let lanes: Vec<u8> = (0..16).collect();
        let vector = Vector::encode(&lanes);
        assert_eq!(vector.data[1], 0x0f0e_0d0c_0b0a_0908);
        assert_eq!(vector.lane(9), 9);
        assert_eq!(vector.lanes(16), lanes);
    }

    #[test]
    fn each_codeword_counts() {
        let good = Vector::encode(&[7; 32]);
        let bad = good.with_flip(0, 5).with_flip(1, 66);
        let mut bad = bad.with_flip(3, 1).with_flip(3, 70);
        let count = bad.correct(4);
        assert_eq!((count.corrected, count.uncorrectable), (2, 1));
        assert_eq!(bad.data[..3], good.data[..3]);
        assert_eq!(bad.data[3], good.data[3] ^ 2);
    }
}
