//! When each queue issues next.

use super::queue::NEVER;

/// Cycles ahead in which a queue has a place of its own.
const SOON: u64 = 64;

/// The next issue cycle of each queue, with the queues of each of the next cycles as a mask: most cycles ask for theirs only.
#[derive(Clone, Debug)]
pub struct Agenda {
    next: Vec<u64>,
    /// Queues by cycle modulo [`SOON`].
    soon: [u128; SOON as usize],
    /// Queues that issue later than that.
    far: u128,
    /// The first issue of those.
    far_from: u64,
}

impl Agenda {
    /// No queue ever issues.
    pub fn new(queues: usize) -> Self {
        assert!(queues <= 128);
        Self {
            next: vec![NEVER; queues],
            soon: [0; _],
            far: 0,
            far_from: NEVER,
        }
    }

    /// All queues issue in cycle 0.
    pub fn restart(&mut self) {
        *self = Self::new(self.next.len());
        for id in 0..self.next.len() {
            self.set(id, 0, 0);
        }
    }

    /// A queue that is due, or not on the agenda, issues next in a cycle that has not been taken; it is cycle `now`.
    #[inline]
    pub fn set(&mut self, id: usize, now: u64, next: u64) {
        self.next[id] = next;
        if next == NEVER {
            return;
        }
        if next - now < SOON {
            self.soon[(next % SOON) as usize] |= 1 << id;
        } else {
            self.far |= 1 << id;
            self.far_from = self.far_from.min(next);
        }
    }

    /// The queues that issue in a cycle, as a mask; cycles are taken in order, and none with an issue is left out.
    #[inline]
    pub fn take(&mut self, cycle: u64) -> u128 {
        if self.far_from < cycle.saturating_add(SOON) {
            self.bring_near(cycle);
        }
        std::mem::take(&mut self.soon[(cycle % SOON) as usize])
    }

    fn bring_near(&mut self, cycle: u64) {
        let far = std::mem::take(&mut self.far);
        self.far_from = NEVER;
        for id in (0..self.next.len()).filter(|id| far >> id & 1 == 1) {
            self.set(id, cycle, self.next[id]);
        }
    }

    /// The first issue of all.
    pub fn earliest(&self) -> u64 {
        self.next.iter().copied().min().unwrap_or(NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_queue_is_taken_in_its_cycle(
            steps in prop::collection::vec((1u64..300, any::<bool>()), 1..200),
        ) {
            let mut agenda = Agenda::new(3);
            let mut naive = [NEVER; 3];
            agenda.restart();
            naive.fill(0);
            let mut steps = steps.into_iter();
            let mut cycle = 0;
            while cycle != NEVER {
                let due = (0..3).filter(|&id| naive[id] == cycle);
                let expected = due.fold(0, |mask, id| mask | 1u128 << id);
                prop_assert_eq!(agenda.take(cycle), expected);
                for id in (0..3).filter(|id| expected >> id & 1 == 1) {
                    let next = match steps.next() {
                        Some((step, false)) => cycle + step,
                        Some((_, true)) => cycle + 1,
                        None => NEVER,
                    };
                    agenda.set(id, cycle, next);
                    naive[id] = next;
                }
                cycle = naive.into_iter().min().unwrap();
                prop_assert_eq!(agenda.earliest(), cycle);
            }
        }
    }
}
