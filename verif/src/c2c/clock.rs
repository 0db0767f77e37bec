//! Edges of clocks that differ and jitter.

use super::Random;

/// Femtoseconds of a period at 0 ppm: 1 GHz.
pub const PERIOD: u64 = 1_000_000;

/// A clock: when its next rising edge is.
#[derive(Clone, Debug)]
pub struct Clock {
    period: u64,
    next: u64,
    jitter: u64,
    random: Random,
}

impl Clock {
    /// A clock that is fast by so many ppm, starts at `phase` femtoseconds, and whose edges are late by up to `jitter`.
    pub fn new(ppm: i64, phase: u64, jitter: u64, seed: u64) -> Self {
        // A clock that is fast by x has periods shorter by x / (1 + x).
        let period = PERIOD as i128 * 1_000_000 / (1_000_000 + i128::from(ppm));
        Self {
            period: period as u64,
            next: phase,
            jitter,
            random: Random::new(seed),
        }
    }

    /// Femtoseconds of a period.
    pub const fn period(&self) -> u64 {
        self.period
    }

    /// Time of the next edge, without jitter.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Takes the next edge; its time, with jitter.
    pub fn tick(&mut self) -> u64 {
        let late = match self.jitter {
            0 => 0,
            jitter => self.random.below(jitter),
        };
        let at = self.next + late;
        self.next += self.period;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clocks_drift_apart() {
        let (mut fast, mut slow) = (Clock::new(100, 0, 0, 1), Clock::new(-100, 0, 0, 2));
        let (mut f, mut s) = (0, 0);
        for _ in 0..10_000 {
            (f, s) = (fast.tick(), slow.tick());
        }
        // 200 ppm of 10,000 cycles are two cycles.
        assert!((s - f).abs_diff(2 * PERIOD) < PERIOD / 50, "{}", s - f);
    }
}
