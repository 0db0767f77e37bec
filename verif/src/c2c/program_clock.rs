//! DESKEW and RUNTIME_DESKEW: when a link lets a program go on.

/// One more than the largest HAC.
const EPOCH: i64 = 4096;

/// HAC and SAC of a link in the cycles of a launch, and what they make of DESKEW and RUNTIME_DESKEW.
///
/// The peer is not in it: how far the clocks have drifted apart is what the trims of this side take off.
///
/// ```
/// use lpu_verif::c2c::ProgramClock;
/// let mut clock = ProgramClock::new(4000).trim(500, -2);
/// // HAC 0 in cycle 96.
/// assert_eq!(clock.command(50, None), Some(96));
/// // The HAC has lost two cycles, and so the program waits two longer.
/// assert_eq!(clock.command(600, Some(60)), Some(662));
/// assert_eq!(clock.command(700, Some(60)), Some(760));
/// assert!(!clock.late());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramClock {
    /// HAC in cycle 0 of a launch; a link without one never lets a program go on.
    hac: Option<i64>,
    /// From a cycle on the HAC is so much further.
    trims: Vec<(u64, i64)>,
    /// SAC in cycle 0, had it always counted as it does now.
    sac: i64,
    late: bool,
}

impl ProgramClock {
    /// A link whose HAC is `hac` in cycle 0 of each launch, and its SAC as well.
    pub fn new(hac: u16) -> Self {
        Self {
            hac: Some(hac.into()),
            trims: Vec::new(),
            sac: hac.into(),
            late: false,
        }
    }

    /// A link that never lets a program go on, as if `in_c2c_go` were tied low.
    pub fn silent() -> Self {
        Self {
            hac: None,
            ..Self::new(0)
        }
    }

    /// The same with a trim that adds `by` to the HAC as of `cycle`.
    #[must_use]
    pub fn trim(mut self, cycle: u64, by: i64) -> Self {
        self.trims.push((cycle, by));
        self
    }

    /// A launch.
    pub fn restart(&mut self) {
        self.sac = self.hac.unwrap_or(0);
        self.late = false;
    }

    /// Whether a RUNTIME_DESKEW of the launch found less than a cycle left (fault LATE of the link).
    pub const fn late(&self) -> bool {
        self.late
    }

    fn hac(&self, cycle: u64) -> Option<i64> {
        let trims = self.trims.iter().filter(|&&(from, _)| from <= cycle);
        let trimmed: i64 = trims.map(|&(_, by)| by).sum();
        Some((self.hac? + trimmed + cycle as i64).rem_euclid(EPOCH))
    }

    /// DESKEW, or RUNTIME_DESKEW with its wait, in `cycle`; the cycle in which the link says go, if it does.
    pub fn command(&mut self, cycle: u64, wait: Option<u16>) -> Option<u64> {
        let hac = self.hac(cycle)?;
        let Some(wait) = wait else {
            let mut upper = hac >= EPOCH / 2;
            let mut go = cycle;
            loop {
                go += 1;
                let before = std::mem::replace(&mut upper, self.hac(go)? >= EPOCH / 2);
                if before && !upper {
                    break;
                }
            }
            self.sac = -(go as i64);
            return Some(go);
        };
        let ahead = (self.sac + cycle as i64 - hac).rem_euclid(EPOCH);
        let ahead = if ahead < EPOCH / 2 {
            ahead
        } else {
            ahead - EPOCH
        };
        self.sac = hac - cycle as i64;
        let left = i64::from(wait) + ahead;
        self.late |= left < 1;
        Some(cycle + left.max(1) as u64)
    }
}

impl Default for ProgramClock {
    fn default() -> Self {
        Self::new(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_begins_once() {
        // A trim in the last cycle of the epoch steps over 0, one just behind it back: go is where it came round first.
        for (trim, go) in [((96, 2), 96), ((97, -3), 96), ((95, 2), 95)] {
            let mut clock = ProgramClock::new(4000).trim(trim.0, trim.1);
            assert_eq!(clock.command(50, None), Some(go), "{trim:?}");
            // The program has counted from there: what the trim took over is made good.
            let made_good = clock.command(1000, Some(100)).unwrap() as i64 - 1100;
            let hac = clock.hac(1000).unwrap();
            assert_eq!(made_good, 1000 - go as i64 - hac, "{trim:?}");
        }
    }

    #[test]
    fn a_wait_of_less_than_a_cycle_is_late() {
        for (by, wait, go, late) in [(5, 5, 201, true), (5, 6, 201, false), (-5, 5, 210, false)] {
            let mut clock = ProgramClock::new(10).trim(100, by);
            assert_eq!(clock.command(200, Some(wait)), Some(go));
            assert_eq!(clock.late(), late);
            clock.restart();
            assert!(!clock.late());
        }
    }

    #[test]
    fn a_trim_in_a_wait_is_made_good_by_the_next() {
        let mut clock = ProgramClock::new(0).trim(130, -2);
        assert_eq!(clock.command(100, Some(60)), Some(160));
        assert_eq!(clock.command(200, Some(60)), Some(262));
    }

    #[test]
    fn a_silent_link_never_goes() {
        let mut clock = ProgramClock::silent();
        assert_eq!(clock.command(7, None), None);
        assert_eq!(clock.command(7, Some(3)), None);
    }
}
