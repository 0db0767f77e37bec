//! DESKEW and RUNTIME_DESKEW of a link in RTL, whose counter is trimmed, against the golden clock.

use super::pair::{Act, Pair, Program, Seen, fault, register};
use super::{bad, shape};
use lpu_verif::c2c::{Errors, ProgramClock, Random};

/// A side that DESKEWs once and then RUNTIME_DESKEWs at random, with waits that the drift exceeds at times.
struct Waits {
    random: Random,
    waiting: bool,
    /// Cycle and wait of each command, and the cycles of go.
    commands: Vec<(u64, Option<u16>)>,
    goes: Vec<u64>,
    now: u64,
}

impl Program for Waits {
    fn act(&mut self, side: usize, cycle: u64) -> Act {
        let mut act = Act::default();
        if side == 1 {
            return act;
        }
        self.now = cycle;
        if self.waiting || self.random.below(100) > 0 {
            return act;
        }
        let deskew = self.commands.is_empty() || self.random.below(60) == 0;
        let wait = (!deskew).then(|| 1 + self.random.below(40) as u16);
        act.deskew = deskew;
        act.runtime_deskew = wait.map(u64::from);
        self.commands.push((cycle, wait));
        self.waiting = true;
        act
    }

    fn seen(&mut self, side: usize, seen: Seen) {
        if side == 0 && seen.go {
            self.goes.push(self.now);
            self.waiting = false;
        }
    }
}

/// A link lets a program go on in the cycles that the golden clock gives for the HAC that it has, trims included.
#[test]
fn programs_wait_as_long_as_the_golden_clock_says() {
    let shape = shape(1, 8);
    // More than clocks differ, so that trims are many and large; those of the slow side take from the waits.
    let line = |ppm| bad(1, ppm, Errors::default());
    let mut pair = Pair::new(shape, [line(-2000), line(2000)], 5);
    pair.sides[0].set_child(true);
    pair.bring_up();
    pair.rest(40);
    pair.clear();
    let begin = pair.sides[0].cycle;
    let hac = |pair: &mut Pair| (pair.sides[0].status(register::HAC) & 0xfff) as i64;
    let mut waits = Waits {
        random: Random::new(3),
        waiting: false,
        commands: vec![],
        goes: vec![],
        now: begin,
    };
    let mut last = hac(&mut pair);
    let (mut clock, mut trims) = (ProgramClock::new(last as u16), 0);
    for cycle in 1..60_000 {
        pair.run(1, &mut waits);
        let now = hac(&mut pair);
        let by = (now - last - 1 + 2048).rem_euclid(4096) - 2048;
        if by != 0 {
            clock = clock.trim(cycle, by);
            trims += 1;
        }
        last = now;
    }
    for (&(cycle, wait), go) in waits.commands.iter().zip(&waits.goes) {
        let expected = clock.command(cycle - begin, wait).map(|go| go + begin);
        assert_eq!(expected, Some(*go), "{wait:?} in cycle {cycle}");
    }
    println!("{} waits, {trims} trims", waits.goes.len());
    assert!(waits.goes.len() > 200 && trims > 5);
    assert!(clock.late());
    let faults = pair.sides[0].status(register::FAULTS);
    assert_eq!(faults, fault::LATE);
}
