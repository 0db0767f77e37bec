//! Trees: partial sums go up, what the root makes of them goes down, word by word.
//!
//! Times are found from the root on. A chip sends a partial sum when its parent takes it, so flits hardly wait in buffers; a chip that is nearer to
//! the root begins later.

use super::cadence::Cadence;
use super::region::{Region, interleaved};
use super::sums;
use super::unit::{A, B, Unit};
use crate::CompileError;
use crate::alu::PLANES;
use crate::place::Room;
use lpu_isa::latency::{READ_LATENCY, RECEIVE_LATENCY, WRITE_LATENCY};
use lpu_isa::rack::{Rack, Topology};
use lpu_isa::{Config, Descriptor};

/// Links to the parent and to the children; sums of the second child are added first, since its subtree is never the deeper one.
const PARENT: usize = 0;
const CHILDREN: [usize; 2] = [2, 1];

/// Streams of what goes up and down.
const UP: u8 = 0;
const DOWN: u8 = 1;

/// Cycles in which a chip sends its first flit to its parent, and in which it receives the first from there or later.
#[derive(Clone, Copy)]
struct Meeting {
    up: i64,
    down: i64,
}

/// A chip.
pub struct Node<'a> {
    pub unit: Unit<'a>,
    cadence: Cadence,
    words: usize,
    /// Links to the children in the order in which their sums are added.
    children: Vec<usize>,
    /// The vector of the chip.
    pub own: Region,
    /// What goes up.
    sums: Region,
    /// The sum of all.
    pub result: Region,
}

/// Finds places and times of an all-reduce of so many words on every chip.
pub fn compile<'a>(
    config: &'a Config,
    rack: &Rack,
    words: usize,
) -> Result<(Vec<Node<'a>>, Vec<Descriptor>), CompileError> {
    let chips = rack.chips();
    let unit = Unit::new(config, rack.hop());
    // The root has as many children as any.
    let terms = chips.min(CHILDREN.len() + 1);
    sums::require(&unit, chips, terms)?;
    // Those of chips with one child, then those of chips with two.
    let descriptors = (2..=terms).flat_map(|terms| sums::descriptors(&unit, terms));
    let mut meetings = vec![None; chips];
    let mut nodes = Vec::new();
    for chip in 0..chips {
        let mut node = Node::new(config, rack, words, chip)?;
        for (link, meeting) in node.place(meetings[chip])? {
            let (child, _) = rack.peer(chip, link).expect("there is a child");
            meetings[child] = Some(meeting);
        }
        nodes.push(node);
    }
    Ok((nodes, descriptors.collect()))
}

impl<'a> Node<'a> {
    fn new(
        config: &'a Config,
        rack: &Rack,
        words: usize,
        chip: usize,
    ) -> Result<Self, CompileError> {
        let children: Vec<usize> = (CHILDREN.into_iter())
            .filter(|&link| rack.peer(chip, link).is_some())
            .collect();
        // What goes up is far from the links, what goes down near them; the own vector is read from both, so that no queue has more than
        // two operations that alternate.
        let slices = config.mem.slices;
        let near = interleaved(0);
        let far = match slices >= 2 * PLANES {
            true => interleaved(slices - PLANES),
            false => near,
        };
        let mut room = Room::new(config);
        let result = Region::spread(&mut room, &[near], words);
        let root = chip == 0;
        let own = match root || children.is_empty() {
            true => Region::spread(&mut room, &[far], words),
            false => Region::spread(&mut room, &[far, near], words),
        };
        let sums = match (root, children.is_empty()) {
            (true, _) => result.clone(),
            (_, true) => own.clone(),
            _ => Region::spread(&mut room, &[far], words),
        };
        room.check()?;
        Ok(Self {
            unit: Unit::new(config, rack.hop()),
            cadence: Cadence::fastest(rack.shape()).rounded(),
            words,
            children,
            own,
            sums,
            result,
        })
    }

    /// Fills the queues, and says when children send and receive.
    fn place(&mut self, parent: Option<Meeting>) -> Result<Vec<(usize, Meeting)>, CompileError> {
        let leaf = self.children.is_empty();
        // From the first pass of a word to the SEND of its sum.
        let last_pass = self.pass_after(self.children.len().max(1) - 1);
        let adding = last_pass + self.unit.pass_to_send();
        let (mut pass, mut down) = (0, adding);
        if let Some(Meeting { up, down: there }) = parent {
            self.fit(|node, unit, _| node.send(unit, &[PARENT], up, UP, &node.sums))?;
            if !leaf {
                let wait = self.fit(|node, unit, wait| node.add(unit, up - adding - wait))?;
                pass = up - adding - wait;
            }
            let wait = self.fit(|node, unit, wait| node.receive(unit, there + wait))?;
            down = there + wait + self.forwarding();
        } else {
            self.fit(|node, unit, _| node.add(unit, pass))?;
        }
        if !leaf {
            down += self.fit(|node, unit, wait| {
                node.send(unit, &node.children, down + wait, DOWN, &node.result);
            })?;
        }
        let meeting = |(number, &link): (usize, &usize)| {
            let pass = pass + self.pass_after(number);
            let up = pass - self.unit.to_pass() - self.unit.way;
            let down = down + self.unit.way;
            (link, Meeting { up, down })
        };
        Ok(self.children.iter().enumerate().map(meeting).collect())
    }

    /// Cycles from the first pass of a word to one of its passes.
    const fn pass_after(&self, pass: usize) -> i64 {
        pass as i64 * sums::behind()
    }

    /// Cycles from the RECEIVE of a word to its SEND, by way of SRAM.
    fn forwarding(&self) -> i64 {
        let slices = (0..PLANES).map(|plane| self.result.place(0, plane).slice);
        let farthest = slices.max().expect("a word has planes") as i64;
        (RECEIVE_LATENCY + WRITE_LATENCY + READ_LATENCY) as i64 + 2 * farthest
    }

    /// Adds issues as few cycles later as leaves every queue one thing to do in a cycle; returns that wait.
    fn fit(&mut self, issues: impl Fn(&Self, &mut Unit<'a>, i64)) -> Result<i64, CompileError> {
        for wait in 0..2 * PLANES as i64 {
            let mut unit = self.unit.idle();
            issues(self, &mut unit, wait);
            unit.script.sort();
            if unit.script.fits(&self.unit.script) {
                self.unit.script.join(unit.script);
                self.unit.script.sort();
                return Ok(wait);
            }
        }
        Err(self.unit.no_ports(Topology::Tree))
    }

    /// Sends all words of a region, the first in cycle `first`.
    fn send(&self, unit: &mut Unit<'_>, links: &[usize], first: i64, lane: u8, region: &Region) {
        for word in 0..self.words {
            let at = first + self.cadence.start(word);
            unit.send_word(links.iter().copied(), at, lane, region, word);
        }
    }

    /// Takes the sum from the parent.
    fn receive(&self, unit: &mut Unit<'_>, first: i64) {
        for word in 0..self.words {
            let at = first + self.cadence.start(word);
            unit.receive_word(PARENT, at, 0, &self.result, word);
        }
    }

    /// Adds what children send to the own words; the first pass issues in cycle `first`.
    fn add(&self, unit: &mut Unit<'_>, first: i64) {
        for word in 0..self.words {
            let mut at = first + self.cadence.start(word);
            for (pass, &link) in self.children.iter().enumerate() {
                unit.receive_for_pass(link, at + self.pass_after(pass), A);
                let descriptor = match self.children.len() {
                    1 => 0,
                    _ => 1 + pass,
                };
                let row = sums::row(unit, word, pass);
                unit.pass(at + self.pass_after(pass), descriptor, row);
            }
            unit.read_for_pass(&self.own, word, at, B);
            at += self.pass_after(self.children.len() - 1);
            unit.write_result(&self.sums, word, at);
        }
    }
}
