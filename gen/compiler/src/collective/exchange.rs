//! Direct exchange: every chip sends every other its share, adds up its own, and sends that to all.
//!
//! Link k leads to the chip k + 1 further, so all chips run one program: what it calls the share of link k is that of the chip k + 1
//! further.

use super::cadence::Cadence;
use super::region::Region;
use super::sums::{self, LAG};
use super::unit::{A, B, Unit};
use super::{Kind, Plan};
use crate::CompileError;
use crate::alu::PLANES;
use crate::place::Room;
use lpu_isa::latency::{READ_LATENCY, WRITE_LATENCY};
use lpu_isa::rack::Rack;
use lpu_isa::{Config, Descriptor, Queue, QueueKind};

/// Shares of a chip: what it has at first and in the end of each link's chip, and its own.
#[derive(Clone, Debug)]
pub struct Shares {
    pub first: Vec<Region>,
    pub own: Region,
    pub sum: Region,
    pub last: Vec<Region>,
}

/// The exchange of a chip; they are all alike.
struct Exchange<'a> {
    unit: Unit<'a>,
    plan: Plan,
    links: usize,
    shares: Shares,
    /// Of sums, and of what is sent to all.
    cadences: [Cadence; 2],
    /// The most cycles that a link sends its words later than another.
    slack: i64,
    descriptors: Vec<Descriptor>,
}

/// Compiles the program of a chip and says where its shares are.
pub fn compile<'a>(
    config: &'a Config,
    rack: &Rack,
    plan: Plan,
) -> Result<(Unit<'a>, Vec<Descriptor>, Shares), CompileError> {
    let (links, slices) = (rack.links(), config.mem.slices);
    let unit = Unit::new(config, rack.hop());
    if links > slices {
        return Err(CompileError::Collective(format!(
            "{links} links send at once, each from a slice of its own, and the machine has {slices} slices: raise mem.slices to {}, or choose fewer LPUs",
            links.next_power_of_two()
        )));
    }
    if plan.kind.adds() {
        sums::require(&unit, links + 1, links + 1)?;
    }
    let mut room = Room::new(config);
    let shares = Shares::place(&mut room, plan, links, slices);
    room.check()?;
    let fastest = Cadence::fastest(rack.shape());
    let (sums, slack) = match is_roomy(links, slices) {
        true => (fastest, 0),
        false => {
            let classes = shares.own.classes.len();
            let paused = Cadence::grouped(rack.shape(), classes, 1);
            (paused, paused.period as i64 - 1)
        }
    };
    let mut exchange = Exchange {
        unit,
        plan,
        links,
        shares,
        cadences: [sums, fastest],
        slack,
        descriptors: Vec::new(),
    };
    if plan.kind.adds() {
        exchange.descriptors = sums::descriptors(&exchange.unit, links + 1);
        exchange.sums();
    }
    if plan.kind.gathers() {
        exchange.gather(rack);
    }
    Ok((exchange.unit, exchange.descriptors, exchange.shares))
}

/// Whether four slices are left beside those that links read.
const fn is_roomy(links: usize, slices: usize) -> bool {
    slices >= links + PLANES
}

/// The last four slices.
fn last_slices(slices: usize) -> [usize; PLANES] {
    std::array::from_fn(|i| slices - PLANES + i)
}

/// Slices of the own share: those that links leave, else some of links, which pause for it. With two groups words alternate.
fn own_slices(links: usize, slices: usize) -> Vec<[usize; PLANES]> {
    if is_roomy(links, slices) {
        return vec![last_slices(slices)];
    }
    let shared = PLANES - (slices - links);
    let groups = if 2 * shared <= links { 2 } else { 1 };
    let group = |number| {
        std::array::from_fn(|i| match i < shared {
            true => number * shared + i,
            false => links + i - shared,
        })
    };
    (0..groups).map(group).collect()
}

impl Shares {
    /// What comes and what is sent to all are in slices of their own if there are enough.
    fn place(room: &mut Room, plan: Plan, links: usize, slices: usize) -> Self {
        let (kind, words) = (plan.kind, plan.words);
        let roomy = is_roomy(links, slices);
        let mut packed = |slice| Region::packed(room, slice, words);
        let first: Vec<Region> = match kind.adds() {
            true => (0..links).map(&mut packed).collect(),
            false => Vec::new(),
        };
        let last = match kind {
            Kind::ReduceScatter => Vec::new(),
            Kind::AllReduce if !roomy => first.clone(),
            _ if roomy => (0..links).map(|link| packed(slices - 1 - link)).collect(),
            _ => (0..links).map(packed).collect(),
        };
        let of_sums = if roomy {
            [0, 1, 2, 3]
        } else {
            last_slices(slices)
        };
        let sum = Region::spread(room, &[of_sums], words);
        let own = match kind.adds() {
            true => Region::spread(room, &own_slices(links, slices), words),
            false => sum.clone(),
        };
        Self {
            first,
            own,
            sum,
            last,
        }
    }
}

impl Exchange<'_> {
    /// Passes of a word: two terms each, those of the links in order, then the own.
    fn passes(&self) -> usize {
        (self.links + 1).div_ceil(2)
    }

    /// When a pass of a word issues; the links begin to send the first word in cycle 0.
    fn pass_at(&self, word: usize, pass: usize) -> i64 {
        let first = self.slack + self.unit.way + self.unit.to_pass();
        first + self.cadences[0].start(word + LAG * pass) + pass as i64
    }

    /// Every chip sends each share to its chip and adds its own up.
    fn sums(&mut self) {
        let cadence = self.cadences[0];
        let (words, passes) = (self.plan.words, self.passes());
        for word in 0..words {
            for pass in 0..passes {
                let at = self.pass_at(word, pass);
                let row = sums::row(&self.unit, word, pass);
                self.unit.pass(at, pass, row);
                for (term, stream) in [(2 * pass, A), (2 * pass + 1, B)] {
                    if term < self.links {
                        self.unit.receive_for_pass(term, at, stream);
                    } else if term == self.links {
                        self.unit.read_for_pass(&self.shares.own, word, at, stream);
                    }
                }
            }
            let at = self.pass_at(word, passes - 1);
            self.unit.write_result(&self.shares.sum, word, at);
        }
        for link in 0..self.links {
            let late = self.lateness(link);
            let region = self.shares.first[link].clone();
            for word in 0..words {
                let at = late + cadence.start(word);
                self.unit
                    .send_word(link..=link, at, link as u8, &region, word);
            }
        }
    }

    /// How many cycles a link sends later, so that its slice is free when words of the own share are read; the latest is best for the others, whose
    /// flits then wait least.
    fn lateness(&self, link: usize) -> i64 {
        let cadence = self.cadences[0];
        let period = cadence.period as i64;
        let own = &self.shares.own;
        let slice = self.shares.first[link].place(0, 0).slice;
        let reads: Vec<i64> = (0..own.classes.len())
            .filter(|&class| own.classes[class].iter().any(|place| place.slice == slice))
            .map(|class| {
                self.unit
                    .read_cycle(slice, self.pass_at(class, self.passes() - 1))
            })
            .collect();
        let flits = || {
            (0..cadence.words).flat_map(|w| (0..PLANES as i64).map(move |p| cadence.start(w) + p))
        };
        let late = (0..=self.slack).rev().find(|late| {
            let first = late - READ_LATENCY as i64 - slice as i64;
            let meet = |read: &i64| flits().any(|flit| (read - first - flit) % period == 0);
            !reads.iter().any(meet)
        });
        late.unwrap_or(0)
    }

    /// Every chip sends its sum to all, as soon as it can.
    fn gather(&mut self, rack: &Rack) {
        self.unit.script.sort();
        let sends = (0..self.links).map(|link| Queue::new(QueueKind::C2cSend, link));
        let ends = sends.filter_map(|queue| self.unit.script.last(queue));
        let mut from = ends.max().map_or(0, |last| last + 1);
        loop {
            if let Some(gather) = self.gather_from(rack, from) {
                self.unit.script.join(gather.script);
                return;
            }
            from += 1;
        }
    }

    /// The same from a cycle on, if sums are there, links carry it and queues are free.
    fn gather_from(&self, rack: &Rack, from: i64) -> Option<Unit<'_>> {
        let cadence = self.cadences[1];
        let mut unit = Unit::new(self.unit.config, rack.hop());
        let lane = self.links as u8;
        // Flits are taken in their order.
        let delays: Vec<i64> = (0..self.links)
            .map(|link| {
                let queue = Queue::new(QueueKind::C2cReceive, link);
                let last = self.unit.script.last(queue).unwrap_or(i64::MIN / 2);
                (last + 1 - from - unit.way).max(0)
            })
            .collect();
        for (word, plane) in (0..self.plan.words).flat_map(|w| (0..PLANES).map(move |p| (w, p))) {
            let at = from + cadence.start(word) + plane as i64;
            let read = unit.read_to_send(&self.shares.sum, word, plane, at, lane);
            if self.plan.kind.adds() {
                let slice = self.shares.sum.place(word, plane).slice;
                let written = self
                    .unit
                    .write_cycle(slice, self.pass_at(word, self.passes() - 1));
                if read < written + WRITE_LATENCY as i64 {
                    return None;
                }
            }
            for (link, delay) in delays.iter().enumerate() {
                unit.send(link, at, lane);
                let region = &self.shares.last[link];
                unit.receive_to_write(
                    link,
                    at + unit.way + delay,
                    link as u8,
                    region,
                    (word, plane),
                );
            }
        }
        unit.script.sort();
        let carried = rack.shape().is_none_or(|shape| {
            (0..self.links).all(|link| {
                let queue = Queue::new(QueueKind::C2cSend, link);
                let before = self.unit.script.cycles(queue);
                let begin = before.len().saturating_sub(shape.slots());
                let mut sends = before[begin..].to_vec();
                sends.extend(unit.script.cycles(queue).into_iter().take(shape.slots()));
                let mut runs = sends.windows(shape.slots() + 1);
                runs.all(|run| run[shape.slots()] - run[0] >= shape.frame() as i64)
            })
        });
        (carried && unit.script.fits(&self.unit.script)).then_some(unit)
    }
}
