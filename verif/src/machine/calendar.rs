//! What is scheduled for the next cycles, by cycle and unit.

/// Cycles ahead that most units schedule; more than any latency in them.
pub const HORIZON: u64 = 16;
/// Cycles ahead that the vector unit and the switch unit schedule; more than any latency of all.
pub const FAR_HORIZON: u64 = 64;

/// At most one entry for each unit and cycle, up to `AHEAD` cycles ahead.
///
/// Entries are reused: nothing is allocated after construction.
#[derive(Clone, Debug)]
pub struct Calendar<T, const AHEAD: usize = { HORIZON as usize }> {
    units: usize,
    entries: Vec<T>,
    due: [u32; AHEAD],
}

impl<T: Clone, const AHEAD: usize> Calendar<T, AHEAD> {
    /// An empty calendar for `units` (at most 32) units.
    pub fn new(units: usize, empty: T) -> Self {
        assert!(units <= 32);
        Self {
            units,
            entries: vec![empty; units * AHEAD],
            due: [0; AHEAD],
        }
    }

    const fn slot(cycle: u64) -> usize {
        (cycle % AHEAD as u64) as usize
    }

    /// The entry of `unit` in `cycle`, now due.
    pub fn schedule(&mut self, cycle: u64, unit: usize) -> &mut T {
        debug_assert!(!self.is_due(cycle, unit), "one entry per unit and cycle");
        self.due[Self::slot(cycle)] |= 1 << unit;
        &mut self.entries[Self::slot(cycle) * self.units + unit]
    }

    /// The entry of `unit` in `cycle`, to be filled before it is scheduled.
    pub fn prepare(&mut self, cycle: u64, unit: usize) -> &mut T {
        &mut self.entries[Self::slot(cycle) * self.units + unit]
    }

    /// Whether `unit` has something due in `cycle`.
    pub const fn is_due(&self, cycle: u64, unit: usize) -> bool {
        self.due[Self::slot(cycle)] >> unit & 1 == 1
    }

    /// The entry of `unit` in `cycle`.
    pub fn entry(&self, cycle: u64, unit: usize) -> &T {
        &self.entries[Self::slot(cycle) * self.units + unit]
    }

    /// Strikes one entry out.
    pub const fn strike(&mut self, cycle: u64, unit: usize) {
        self.due[Self::slot(cycle)] &= !(1 << unit);
    }

    /// Units with something due in `cycle`, all struck out; [`Self::entry`] still holds what it was.
    pub const fn take(&mut self, cycle: u64) -> Units {
        let slot = Self::slot(cycle);
        let units = Units(self.due[slot]);
        self.due[slot] = 0;
        units
    }

    /// Strikes everything out.
    pub const fn clear(&mut self) {
        self.due = [0; AHEAD];
    }
}

/// A set of units, iterated in ascending order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Units(pub u32);

impl Iterator for Units {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let unit = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (unit < 32).then_some(unit as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_due_once_in_unit_order() {
        let mut calendar = Calendar::<_>::new(3, 0);
        *calendar.schedule(20, 2) = 7;
        *calendar.schedule(20, 0) = 5;
        *calendar.schedule(21, 1) = 6;
        assert!(calendar.is_due(20, 2) && !calendar.is_due(19, 2));
        let due: Vec<_> = calendar.take(20).map(|u| *calendar.entry(20, u)).collect();
        assert_eq!(due, [5, 7]);
        assert_eq!(calendar.take(20).count(), 0);
        calendar.strike(21, 1);
        assert_eq!(calendar.take(21).count(), 0);
    }
}
