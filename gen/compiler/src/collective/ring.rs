//! Rings: shares go around, each chip adds its own, and the sums go around once more.
//!
//! A share has a part for each direction. Of the part that goes forward chip i sends that of share i - 1 first, then what it has
//! made of those that come; so share i ends on chip i.

use super::cadence::Cadence;
use super::region::{Region, interleaved};
use super::unit::{A, B, Unit};
use super::{Kind, Plan};
use crate::CompileError;
use crate::alu::PLANES;
use crate::place::Room;
use lpu_isa::Config;
use lpu_isa::rack::Rack;

/// Where the parts of a direction lie, the same on every chip, by share.
#[derive(Clone, Debug)]
pub struct Part {
    /// Words of a share that go this way, and those before them.
    pub words: usize,
    pub before: usize,
    /// What is added to what comes.
    own: Vec<Region>,
    /// What is sent, and what remains.
    result: Vec<Region>,
}

/// A direction on a chip.
struct Direction<'p> {
    part: &'p Part,
    plan: Plan,
    chips: usize,
    forward: bool,
    cadence: Cadence,
    /// Cycles by which it begins later than the other, and by which it receives later than it could.
    late: i64,
    wait: i64,
}

/// What all chips need to know.
pub struct Ring<'a> {
    config: &'a Config,
    rack: Rack,
    plan: Plan,
    pub parts: Vec<Part>,
    /// Of each part; see [`Direction`].
    times: Vec<[i64; 2]>,
}

impl<'a> Ring<'a> {
    /// Finds places and times.
    pub fn new(config: &'a Config, rack: &Rack, plan: Plan) -> Result<Self, CompileError> {
        let slices = config.mem.slices;
        let (chips, words) = (rack.chips(), plan.words);
        // Both directions need the ports of eight slices; a word by itself has one way to go.
        let both = slices >= 2 * PLANES && words > 1;
        let near = slices - PLANES;
        let halves = match both {
            true => vec![(words.div_ceil(2), 0), (words / 2, words.div_ceil(2))],
            false => vec![(words, 0)],
        };
        let mut room = Room::new(config);
        let mut parts = Vec::new();
        for (direction, (words, before)) in halves.into_iter().enumerate() {
            let [result, own] = match direction {
                0 => [interleaved(0), interleaved(near)],
                _ => [interleaved(near), interleaved(0)],
            };
            let mut take = |slices| {
                let region = |_| Region::spread(&mut room, &[slices], words);
                (0..chips).map(region).collect::<Vec<_>>()
            };
            parts.push(Part {
                words,
                before,
                result: take(result),
                own: match plan.kind.adds() {
                    true => take(own),
                    false => Vec::new(),
                },
            });
        }
        room.check()?;
        let mut ring = Self {
            config,
            rack: *rack,
            plan,
            parts,
            times: Vec::new(),
        };
        ring.find_times()?;
        Ok(ring)
    }

    /// Finds for each direction when it fits beside the one before it.
    fn find_times(&mut self) -> Result<(), CompileError> {
        let mut script = Unit::new(self.config, self.rack.hop()).script;
        for number in 0..self.parts.len() {
            let tries = (0..2 * PLANES as i64)
                .flat_map(|wait| (0..PLANES as i64).map(move |late| [late, wait]));
            let found = tries
                .filter(|[late, _]| number > 0 || *late == 0)
                .find_map(|times| {
                    let unit = self.direction(0, number, times);
                    unit.script.fits(&script).then_some((times, unit))
                });
            let Some((times, unit)) = found else {
                let unit = Unit::new(self.config, self.rack.hop());
                return Err(unit.no_ports(self.rack.topology()));
            };
            self.times.push(times);
            script.join(unit.script);
            script.sort();
        }
        Ok(())
    }

    /// All that a chip does.
    pub fn chip(&self, chip: usize) -> Unit<'a> {
        let mut unit = Unit::new(self.config, self.rack.hop());
        for (number, &times) in self.times.iter().enumerate() {
            unit.script.join(self.direction(chip, number, times).script);
        }
        unit
    }

    fn direction(&self, chip: usize, number: usize, [late, wait]: [i64; 2]) -> Unit<'a> {
        let mut unit = Unit::new(self.config, self.rack.hop());
        let direction = Direction {
            part: &self.parts[number],
            plan: self.plan,
            chips: self.rack.chips(),
            forward: number == 0,
            cadence: Cadence::fastest(self.rack.shape()).rounded(),
            late,
            wait,
        };
        direction.place(&mut unit, chip);
        unit.script.sort();
        unit
    }

    /// Words of share `share` that go one way, on chip `chip`: where they are before.
    pub fn input(&self, part: &Part, number: usize, chip: usize, share: usize) -> Option<Region> {
        let chips = self.rack.chips();
        let first = match number {
            0 => (chip + chips - 1) % chips,
            _ => (chip + 1) % chips,
        };
        match self.plan.kind {
            Kind::AllGather => (share == chip).then(|| part.result[share].clone()),
            _ if share == first => Some(part.result[share].clone()),
            _ => Some(part.own[share].clone()),
        }
    }

    /// And where they are in the end.
    pub fn output(&self, part: &Part, chip: usize, share: usize) -> Option<Region> {
        match self.plan.kind {
            Kind::ReduceScatter if share != chip => None,
            _ => Some(part.result[share].clone()),
        }
    }
}

impl Direction<'_> {
    /// The share that lies `back` behind a chip.
    fn share(&self, chip: usize, back: usize) -> usize {
        let back = back % self.chips;
        match self.forward {
            true => (chip + self.chips - back) % self.chips,
            false => (chip + back) % self.chips,
        }
    }

    fn place(&self, unit: &mut Unit<'_>, chip: usize) {
        let steps = self.chips - 1;
        let (slices, latency) = (unit.slices(), unit.pass_latency());
        // From a SEND to the one of the same word by the next chip.
        let behind = unit.way + self.wait + unit.to_pass() + unit.pass_to_send();
        let behind = (behind as usize).div_ceil(PLANES);
        let stride = self.part.words.max(behind);
        let begin = |step: usize, word: usize| self.late + self.cadence.start(step * stride + word);
        let (out, back) = match self.forward {
            true => (0, 1),
            false => (1, 0),
        };
        let lane = out as u8;
        let mut behind_sums = 0;
        if self.plan.kind.adds() {
            for (step, word) in (0..steps).flat_map(|s| (0..self.part.words).map(move |w| (s, w))) {
                let at = begin(step, word);
                let share = self.share(chip, 1 + step);
                unit.send_word(out..=out, at, lane, &self.part.result[share], word);
                let share = self.share(chip, 2 + step);
                let pass = at + unit.way + self.wait + unit.to_pass();
                unit.receive_for_pass(back, pass, A);
                unit.read_for_pass(&self.part.own[share], word, pass, B);
                unit.pass(pass, 0, 0);
                unit.write_result(&self.part.result[share], word, pass);
            }
            // What is written behind the vector unit first, then what comes from the links.
            let pause = (latency + 2 * slices) as usize;
            behind_sums = steps * stride + pause.div_ceil(PLANES);
        }
        if self.plan.kind.gathers() {
            for (step, word) in (0..steps).flat_map(|s| (0..self.part.words).map(move |w| (s, w))) {
                let at = begin(step, behind_sums + word);
                let share = self.share(chip, step);
                unit.send_word(out..=out, at, lane, &self.part.result[share], word);
                let share = self.share(chip, step + 1);
                let cycle = at + unit.way + self.wait;
                unit.receive_word(back, cycle, lane, &self.part.result[share], word);
            }
        }
    }
}
