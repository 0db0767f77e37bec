//! A slice as the contract tells it: events in the cycles in which they are due.

use super::check;
use lpu_isa::instruction::encoding::opcode;
use std::collections::BTreeMap;

/// Data and check bits of one codeword.
pub type Cell = (u64, u8);

/// An operation as a queue issues it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op {
    pub opcode: u8,
    pub stream: u64,
    pub stream2: u64,
    pub address: u64,
}

/// What is to be seen in a cycle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub east: Vec<Option<Cell>>,
    pub west: Vec<Option<Cell>>,
    pub read_start: bool,
    pub drive: Option<(u64, Cell)>,
    pub write: Option<(u64, Cell)>,
    pub read_fault: u64,
    pub write_fault: u64,
    pub read_ecc: (u64, u64),
    pub write_ecc: (u64, u64),
}

const COLLISION: u64 = 1 << 1;
const MISSING: u64 = 1 << 2;
const CONFLICT: u64 = 1 << 3;
const RANGE: u64 = 1 << 4;
const BROKEN: u64 = 1 << 5;

pub struct Model {
    now: u64,
    depth: u64,
    words: Vec<Cell>,
    cells: [Vec<Option<Cell>>; 2],
    /// What this and later cycles show.
    due: BTreeMap<u64, Seen>,
    /// Cycle in which a GATHER uses its address: address, stream.
    gathers: BTreeMap<u64, (u64, u64)>,
    /// Cycle in which a WRITE uses the port: address, vector.
    writes: BTreeMap<u64, (u64, Cell)>,
    /// The same for SCATTER.
    scatters: BTreeMap<u64, (u64, Cell)>,
}

/// The corrected data; how many codewords were corrected, how many cannot be.
fn decode((data, stored): Cell) -> (u64, (u64, u64)) {
    let fits = |data: u64, stored: u8| check(data) == stored;
    if fits(data, stored) {
        return (data, (0, 0));
    }
    if let Some(bit) = (0..64).find(|bit| fits(data ^ 1 << bit, stored)) {
        return (data ^ 1 << bit, (1, 0));
    }
    match (0..8).any(|bit| fits(data, stored ^ 1 << bit)) {
        true => (data, (1, 0)),
        false => (data, (0, 1)),
    }
}

impl Model {
    pub fn new(depth: usize, streams: usize) -> Self {
        Self {
            now: 0,
            depth: depth as u64,
            words: vec![(0, 0); depth],
            cells: [vec![None; streams], vec![None; streams]],
            due: BTreeMap::new(),
            gathers: BTreeMap::new(),
            writes: BTreeMap::new(),
            scatters: BTreeMap::new(),
        }
    }

    fn at(&mut self, later: u64) -> &mut Seen {
        self.due.entry(self.now + later).or_default()
    }

    /// One cycle: what is seen in it.
    pub fn cycle(
        &mut self,
        east: &[Option<Cell>],
        west: &[Option<Cell>],
        read: Option<Op>,
        write: Option<Op>,
    ) -> Seen {
        let sample = |stream: u64| {
            let side = if stream < 32 { east } else { west };
            side.get(stream as usize % 32).copied().flatten()
        };
        let now = self.now;

        // Issue.
        let mut uses = None;
        match read {
            Some(op) if op.opcode == opcode::READ => uses = Some((op.address, op.stream)),
            Some(op) => match sample(op.stream2) {
                None => self.at(2).read_fault |= MISSING,
                Some(cell) => {
                    let (offset, found) = decode(cell);
                    self.at(4).read_ecc = found;
                    if found.1 > 0 {
                        self.at(4).read_fault |= BROKEN;
                    }
                    let address = (op.address + (offset & 0xffff)) & 0xffff;
                    self.gathers.insert(now + 5, (address, op.stream));
                }
            },
            None => {}
        }
        match write {
            Some(op) if op.opcode == opcode::WRITE => {
                if op.address >= self.depth {
                    self.at(0).write_fault |= RANGE;
                }
                match sample(op.stream) {
                    None => self.at(2).write_fault |= MISSING,
                    Some(cell) => {
                        self.writes.insert(now + 2, (op.address, cell));
                    }
                }
            }
            Some(op) => match (sample(op.stream), sample(op.stream2)) {
                (Some(cell), Some(offset)) => {
                    let (offset, found) = decode(offset);
                    self.at(4).write_ecc = found;
                    if found.1 > 0 {
                        self.at(4).write_fault |= BROKEN;
                    }
                    let address = (op.address + (offset & 0xffff)) & 0xffff;
                    self.scatters.insert(now + 5, (address, cell));
                }
                _ => self.at(2).write_fault |= MISSING,
            },
            None => {}
        }

        // The read port.
        let gather = self.gathers.remove(&now);
        if uses.is_some() && gather.is_some() {
            self.at(0).read_fault |= CONFLICT;
        }
        if let Some((address, stream)) = uses.or(gather) {
            if address >= self.depth {
                self.at(0).read_fault |= RANGE;
            }
            let word = self.words[(address % self.depth) as usize];
            self.at(0).read_start = true;
            self.at(2).drive = Some((stream, word));
        }

        // The write port; a read of this cycle has seen the old word.
        let direct = self.writes.remove(&now);
        let scatter = self.scatters.remove(&now);
        match (direct, scatter) {
            (Some(_), Some(_)) => self.at(0).write_fault |= CONFLICT,
            (None, Some((address, _))) if address >= self.depth => {
                self.at(0).write_fault |= RANGE;
            }
            _ => {}
        }
        if let Some((address, cell)) = direct.or(scatter) {
            let address = address % self.depth;
            self.words[address as usize] = cell;
            self.at(0).write = Some((address, cell));
        }

        // The cells.
        let mut next = [east.to_vec(), west.to_vec()];
        if let Some((stream, word)) = self.at(0).drive
            && let Some(cell) = next[usize::from(stream >= 32)].get_mut(stream as usize % 32)
            && cell.replace(word).is_some()
        {
            self.at(0).read_fault |= COLLISION;
        }
        let mut seen = self.due.remove(&now).unwrap_or_default();
        [seen.east, seen.west] = std::mem::replace(&mut self.cells, next);
        self.now += 1;
        seen
    }
}
