//! CRC, scrambler and PRBS, bit by bit.

use lpu_isa::c2c::{
    CRC_POLYNOMIAL, CRC_START, LANE_BITS, PRBS_BITS, PRBS_TAP, SCRAMBLER_BITS, SCRAMBLER_START,
    SCRAMBLER_TAP,
};

/// The CRC of words, each the words of its lanes.
#[derive(Clone, Copy, Debug)]
pub struct Crc(u32);

impl Default for Crc {
    fn default() -> Self {
        Self(CRC_START)
    }
}

impl Crc {
    /// Takes the bits of a word, bit 0 first.
    pub fn take(&mut self, word: &[u64]) {
        for lane in word {
            for bit in 0..LANE_BITS {
                let out = (self.0 >> 31 ^ (lane >> bit) as u32) & 1;
                self.0 <<= 1;
                if out == 1 {
                    self.0 ^= CRC_POLYNOMIAL;
                }
            }
        }
    }

    /// The remainder.
    pub const fn value(self) -> u32 {
        self.0
    }
}

/// The last bits of a lane, the newest lowest.
#[derive(Clone, Copy, Debug, Default)]
pub struct History(u64);

impl History {
    /// The start of the scrambler of a lane.
    pub const fn scrambler(lane: usize) -> Self {
        Self(SCRAMBLER_START + lane as u64)
    }

    /// The start of PRBS-31 of a lane.
    pub const fn prbs(lane: usize) -> Self {
        Self(((1 << PRBS_BITS) - 1) - lane as u64)
    }

    const fn ago(self, bits: usize) -> u64 {
        self.0 >> (bits - 1) & 1
    }

    /// Applies `step` to each bit of a word: bit and history to the bit out, and the bit to remember.
    fn map(&mut self, word: u64, step: impl Fn(u64, Self) -> (u64, u64)) -> u64 {
        (0..LANE_BITS).fold(0, |out, at| {
            let (bit, remember) = step(word >> at & 1, *self);
            self.0 = self.0 << 1 | remember;
            out | bit << at
        })
    }

    /// Scrambles a word.
    pub fn scramble(&mut self, word: u64) -> u64 {
        self.map(word, |d, past| {
            let s = d ^ past.ago(SCRAMBLER_TAP) ^ past.ago(SCRAMBLER_BITS);
            (s, s)
        })
    }

    /// Undoes it, once the last 58 bits were right.
    pub fn descramble(&mut self, word: u64) -> u64 {
        self.map(word, |s, past| {
            (s ^ past.ago(SCRAMBLER_TAP) ^ past.ago(SCRAMBLER_BITS), s)
        })
    }

    /// The next word of PRBS-31.
    pub fn pattern(&mut self) -> u64 {
        self.map(0, |_, past| {
            let bit = past.ago(PRBS_TAP) ^ past.ago(PRBS_BITS);
            (bit, bit)
        })
    }

    /// The bits of a word that differ from what those before them predict.
    pub fn surprise(&mut self, word: u64) -> u64 {
        self.map(word, |r, past| {
            (r ^ past.ago(PRBS_TAP) ^ past.ago(PRBS_BITS), r)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c2c::Random;

    #[test]
    fn crc_of_a_known_text() {
        // CRC-32C of "123456789" in the reflected convention is 0xe3069283: the same bits, inverted and mirrored.
        let mut crc = Crc::default();
        let text = b"123456789";
        let mut bits = text.iter().flat_map(|b| (0..8).map(move |i| b >> i & 1));
        let mut value = CRC_START;
        bits.by_ref().for_each(|bit| {
            let out = (value >> 31) as u8 ^ bit;
            value = value << 1 ^ if out == 1 { CRC_POLYNOMIAL } else { 0 };
        });
        assert_eq!((!value).reverse_bits(), 0xe306_9283);
        // The same by words: the first eight letters.
        crc.take(&[u64::from_le_bytes(*b"12345678")]);
        let mut ninth = crc.value();
        (0..8).for_each(|i| {
            let out = (ninth >> 31) as u8 ^ (b'9' >> i & 1);
            ninth = ninth << 1 ^ if out == 1 { CRC_POLYNOMIAL } else { 0 };
        });
        assert_eq!(ninth, value);
    }

    #[test]
    fn descrambling_undoes_scrambling_from_any_state() {
        let (mut to, mut from) = (History::scrambler(3), History::default());
        let mut random = Random::new(1);
        let _ = from.descramble(to.scramble(random.word()));
        for _ in 0..100 {
            let word = random.word();
            assert_eq!(from.descramble(to.scramble(word)), word);
        }
    }

    #[test]
    fn one_wrong_bit_surprises_three_times() {
        let (mut to, mut check) = (History::prbs(0), History::default());
        check.surprise(to.pattern());
        assert_eq!(check.surprise(to.pattern()), 0);
        let wrong = check.surprise(to.pattern() ^ 1);
        assert_eq!(wrong, 1 | 1 << 28 | 1 << 31);
    }
}
