//! What the line does to words.

use super::Random;
use super::frame::Flit;
use lpu_isa::c2c::LANE_BITS;
use std::collections::VecDeque;

/// Errors of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// Share of bits that are wrong by themselves.
    pub random: f64,
    /// Bursts for each bit of a lane.
    pub bursts: f64,
    /// Most bits from the first wrong bit of a burst to its last.
    pub longest: u64,
}

/// A line of several lanes between the words of a transmitter and those of a receiver, clocked by the transmitter.
#[derive(Clone, Debug)]
pub struct Channel {
    lanes: Vec<Lane>,
    errors: Errors,
    random: Random,
    cut: bool,
}

#[derive(Clone, Debug)]
struct Lane {
    /// Bits under way, the oldest first.
    bits: VecDeque<bool>,
    /// Bits to the next error by itself, and to the next burst.
    to_error: u64,
    to_burst: u64,
    /// Pattern of the burst that is going on, lowest bit next.
    burst: u64,
    /// Bits that were made wrong.
    wrong: u64,
}

impl Channel {
    /// A line whose lanes are late by so many bits each.
    pub fn new(delays: &[usize], errors: Errors, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let lanes = delays.iter().map(|&delay| Lane {
            bits: (0..delay).map(|_| random.below(2) == 1).collect(),
            to_error: 0,
            to_burst: 0,
            burst: 0,
            wrong: 0,
        });
        let mut channel = Self {
            lanes: lanes.collect(),
            errors,
            random,
            cut: false,
        };
        channel.set_errors(errors);
        channel
    }

    /// Changes what goes wrong from the next bit on.
    pub fn set_errors(&mut self, errors: Errors) {
        self.errors = errors;
        for lane in &mut self.lanes {
            lane.to_error = gap(&mut self.random, errors.random);
            lane.to_burst = gap(&mut self.random, errors.bursts);
        }
    }

    /// Cuts the line, or joins it again: a receiver gets noise meanwhile.
    pub fn cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    /// Whether the line is whole.
    pub const fn is_up(&self) -> bool {
        !self.cut
    }

    /// Bits made wrong so far.
    pub fn wrong(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.wrong).sum()
    }

    /// Makes bits of the oldest word under way wrong: those of `mask` in `lane`.
    pub fn strike(&mut self, lane: usize, mask: u64) {
        let lane = &mut self.lanes[lane];
        for (at, bit) in lane.bits.iter_mut().take(LANE_BITS).enumerate() {
            *bit ^= mask >> at & 1 == 1;
        }
        lane.wrong += u64::from(mask.count_ones());
    }

    /// Takes a word in and gives one out.
    pub fn step(&mut self, word: &[u64]) -> Flit {
        let Self {
            lanes,
            errors,
            random,
            cut,
        } = self;
        let each = lanes.iter_mut().zip(word);
        each.map(|(lane, &word)| {
            let word = if *cut { random.word() } else { word };
            lane.step(word, errors, random)
        })
        .collect()
    }
}

impl Lane {
    fn step(&mut self, word: u64, errors: &Errors, random: &mut Random) -> u64 {
        for at in 0..LANE_BITS {
            let mut bit = word >> at & 1 == 1;
            let mut flip = self.burst & 1 == 1;
            self.burst >>= 1;
            if self.to_error == 0 {
                flip = true;
                self.to_error = gap(random, errors.random);
            }
            self.to_error -= 1;
            if self.to_burst == 0 {
                let length = 1 + random.below(errors.longest.clamp(1, 64));
                let inside = random.word() & (u64::MAX >> (64 - length));
                // First and last bit wrong, any between.
                let pattern = inside | 1 | 1 << (length - 1);
                flip = true;
                self.burst = pattern >> 1;
                self.to_burst = gap(random, errors.bursts).max(length);
            }
            self.to_burst -= 1;
            if flip {
                bit = !bit;
                self.wrong += 1;
            }
            self.bits.push_back(bit);
        }
        let out = self.bits.drain(..LANE_BITS).enumerate();
        out.fold(0, |word, (at, bit)| word | u64::from(bit) << at)
    }
}

/// Bits until the next event of this probability, at least 1: a geometric distribution.
fn gap(random: &mut Random, probability: f64) -> u64 {
    if probability <= 0.0 {
        return u64::MAX;
    }
    let bits = libm::log(random.unit()) / libm::log1p(-probability.min(0.5));
    1 + bits.min(1e18) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_late_by_its_delay() {
        let mut channel = Channel::new(&[64, 3], Errors::default(), 1);
        channel.step(&[0x1234, 0x1]);
        let out = channel.step(&[0, 0]);
        assert_eq!(out[0], 0x1234);
        // Bit 0 of the first word went out as bit 3 of it.
        assert_eq!(out[1], 0);
        let mut again = Channel::new(&[64, 3], Errors::default(), 1);
        assert_eq!(again.step(&[0x1234, 0x1])[1] >> 3, 1);
    }

    #[test]
    fn errors_are_as_many_as_asked_for() {
        let errors = Errors {
            random: 1e-3,
            ..Errors::default()
        };
        let mut channel = Channel::new(&[0], errors, 7);
        let wrong: u32 = (0..10_000)
            .map(|_| channel.step(&[0])[0].count_ones())
            .sum();
        assert_eq!(u64::from(wrong), channel.wrong());
        assert!((500..=780).contains(&wrong), "{wrong} of 640 expected");
    }

    #[test]
    fn bursts_are_no_longer_than_asked_for() {
        let errors = Errors {
            bursts: 1e-4,
            longest: 9,
            ..Errors::default()
        };
        let mut channel = Channel::new(&[0], errors, 3);
        let mut bits = vec![];
        for _ in 0..5_000 {
            let word = channel.step(&[0])[0];
            bits.extend((0..64).map(|i| word >> i & 1 == 1));
        }
        let places: Vec<usize> = (0..bits.len()).filter(|&i| bits[i]).collect();
        assert!(places.len() > 30);
        let bursts = places.chunk_by(|a, b| b - a < 20);
        let long = bursts.filter(|burst| burst[burst.len() - 1] - burst[0] >= 9);
        // Two bursts may meet, rarely.
        assert!(long.count() <= 1);
    }
}
