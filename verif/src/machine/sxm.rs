//! The switch unit: crossbar, transposer and reductions, as `docs/vector.md` defines them.

use super::Shared;
use super::calendar::{Calendar, FAR_HORIZON};
use super::queue::Issued;
use super::words::{MAX_LANES, Result, Words};
use crate::numeric::fp32;
use crate::{FaultCode, Observe, Origin, Source};
use lpu_isa::instruction::ARGUMENT_BITS;
use lpu_isa::latency::{LANES_LATENCY, TLOAD_TO_TSTORE, TSTORE_LATENCY, reduce_latency};
use lpu_isa::{Config, LaneMode, Operation, Reduction, Stream};

/// Sources of results, the one issued last first.
const STORE: usize = 0;
const LANES: usize = 1;
const REDUCE: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Row {
    row: usize,
    bytes: [u8; MAX_LANES],
}

#[derive(Clone, Copy, Debug)]
struct Column {
    column: usize,
    stream: Stream,
    origin: Origin,
}

/// The switch unit.
#[derive(Clone, Debug)]
pub struct Sxm {
    lanes: usize,
    position: usize,
    /// Rows of the two blocks of the transposer.
    rows: Vec<[u8; MAX_LANES]>,
    pub maps: Vec<Vec<u8>>,
    loads: Calendar<Option<Row>>,
    columns: Calendar<Option<Column>>,
    results: Calendar<Option<Result>, { FAR_HORIZON as usize }>,
}

impl Sxm {
    /// The switch unit of a machine that has one.
    pub fn new(config: &Config) -> Option<Self> {
        let sxm = config.sxm.as_ref()?;
        Some(Self {
            lanes: config.lanes,
            position: config.sxm_position(),
            rows: vec![[0; _]; 2 * config.lanes],
            maps: vec![vec![0; config.lanes]; sxm.maps],
            loads: Calendar::new(1, None),
            columns: Calendar::new(1, None),
            results: Calendar::new(3, None),
        })
    }

    pub const fn restart(&mut self) {
        self.loads.clear();
        self.columns.clear();
        self.results.clear();
    }

    /// An operation issues.
    pub fn issue(&mut self, shared: &mut Shared, cycle: u64, op: Issued) {
        let origin = op.origin;
        match op.operation {
            Operation::Lanes { from, to, word } => {
                self.move_lanes(shared, cycle, from, to, word, op);
            }
            Operation::TransposeLoad { from } => {
                let row = self.transposer_row(shared, cycle, op);
                if let Some(words) = self.operand(shared, cycle, from, 1, origin) {
                    *self.loads.schedule(cycle + TLOAD_TO_TSTORE, 0) = Some(Row {
                        row,
                        bytes: words.map(|word| word as u8),
                    });
                }
            }
            Operation::TransposeStore { to } => {
                let column = self.transposer_row(shared, cycle, op);
                *self.columns.schedule(cycle + 1, 0) = Some(Column {
                    column,
                    stream: to,
                    origin,
                });
            }
            Operation::Reduce { from, to } => {
                let Some(&(_, reduction)) = Reduction::ALL.get(usize::from(op.address)) else {
                    return illegal(shared, cycle, origin);
                };
                if let Some(words) = self.operand(shared, cycle, from, 4, origin) {
                    let word = reduce(reduction, &words[..self.lanes]);
                    let due = cycle + reduce_latency(self.lanes) - 1;
                    self.result(due, REDUCE, to, 4, [word; MAX_LANES], origin);
                }
            }
            _ => unreachable!("the queue takes no other operation"),
        }
    }

    /// The address of TLOAD or TSTORE modulo 2L, with ADDRESS_RANGE where it applies.
    fn transposer_row(&self, shared: &mut Shared, cycle: u64, op: Issued) -> usize {
        let row = usize::from(op.address);
        if row >= self.rows.len() {
            shared
                .faults
                .record(cycle, FaultCode::AddressRange, op.origin);
        }
        row % self.rows.len()
    }

    /// An operand, decoded and counted.
    fn operand(
        &self,
        shared: &mut Shared,
        cycle: u64,
        stream: Stream,
        planes: usize,
        origin: Origin,
    ) -> Option<Words> {
        let (position, lanes) = (self.position, self.lanes);
        if !shared.has_planes(cycle, position, stream, planes) {
            shared.missing(cycle, origin);
            return None;
        }
        let mut words = [0; _];
        shared.sample_words(cycle, position, stream, planes, &mut words[..lanes], origin);
        Some(words)
    }

    fn result(
        &mut self,
        cycle: u64,
        source: usize,
        stream: Stream,
        planes: usize,
        words: Words,
        origin: Origin,
    ) {
        let lanes = self.lanes;
        *self.results.schedule(cycle, source) = Some(Result {
            stream,
            planes,
            lanes,
            words,
            origin,
        });
    }

    fn move_lanes(
        &mut self,
        shared: &mut Shared,
        cycle: u64,
        from: Stream,
        to: Stream,
        word: bool,
        op: Issued,
    ) {
        let mode = usize::from(op.address >> ARGUMENT_BITS);
        let n = usize::from(op.address & ((1 << ARGUMENT_BITS) - 1));
        let Some(&(_, mode)) = LaneMode::ALL.get(mode) else {
            return illegal(shared, cycle, op.origin);
        };
        if mode == LaneMode::Permute && n >= self.maps.len() {
            shared
                .faults
                .record(cycle, FaultCode::AddressRange, op.origin);
        }
        let planes = if word { 4 } else { 1 };
        let Some(words) = self.operand(shared, cycle, from, planes, op.origin) else {
            return;
        };
        let lanes = self.lanes;
        let map = &self.maps[n % self.maps.len()];
        let source = |lane: usize| match mode {
            LaneMode::Up => lane.checked_sub(n),
            LaneMode::Down => Some(lane + n),
            LaneMode::Rotate => Some((lane + lanes - n % lanes) % lanes),
            LaneMode::Broadcast => Some(n % lanes),
            LaneMode::Permute => Some(usize::from(map[lane])),
            LaneMode::Distribute => Some((n % 256 + (lane >> (n / 256))) % lanes),
        };
        let moved = std::array::from_fn(|lane| {
            let source = if lane < lanes { source(lane) } else { None };
            source
                .filter(|&lane| lane < lanes)
                .map_or(0, |lane| words[lane])
        });
        self.result(
            cycle + LANES_LATENCY - 1,
            LANES,
            to,
            planes,
            moved,
            op.origin,
        );
    }

    /// Results that drive in `cycle`: of several, the one issued last.
    pub fn drive(&mut self, shared: &mut Shared, cycle: u64, events: &mut impl Observe) {
        let mut wins = true;
        for source in self.results.take(cycle) {
            let result = self
                .results
                .entry(cycle, source)
                .expect("set when scheduled");
            if wins {
                shared.drive_planes(cycle, self.position, Source::Sxm, &result, events);
            } else {
                let code = FaultCode::BankConflict;
                shared.faults.record(cycle, code, result.origin);
            }
            wins = false;
        }
    }

    /// Columns of the transposer that are read in `cycle`.
    pub fn read_columns(&mut self, cycle: u64) {
        for _ in self.columns.take(cycle) {
            let Column {
                column,
                stream,
                origin,
            } = self.columns.entry(cycle, 0).expect("set when scheduled");
            let (block, lane) = (column / self.lanes * self.lanes, column % self.lanes);
            let words = std::array::from_fn(|row| {
                let present = row < self.lanes;
                if present {
                    self.rows[block + row][lane].into()
                } else {
                    0
                }
            });
            self.result(cycle + TSTORE_LATENCY - 2, STORE, stream, 1, words, origin);
        }
    }

    /// Rows of the transposer that the edge ending `cycle` writes.
    pub fn write(&mut self, cycle: u64) {
        for _ in self.loads.take(cycle) {
            let load = self.loads.entry(cycle, 0).expect("set when scheduled");
            self.rows[load.row] = load.bytes;
        }
    }
}

fn illegal(shared: &mut Shared, cycle: u64, origin: Origin) {
    let code = FaultCode::IllegalInstruction;
    shared.faults.record(cycle, code, origin);
}

/// A reduction over all lanes, whose number is a power of two.
fn reduce(reduction: Reduction, words: &[u32]) -> u32 {
    if reduction == Reduction::Sum {
        let mut sums = words.to_vec();
        while sums.len() > 1 {
            let (low, high) = sums.split_at(sums.len() / 2);
            sums = low
                .iter()
                .zip(high)
                .map(|(&a, &b)| fp32::add(a, b))
                .collect();
        }
        return sums[0];
    }
    // NaN above all, and of equals the first.
    let above =
        |a: u32, b: u32| !fp32::is_nan(b) && (fp32::is_nan(a) || (fp32::max(a, b) == a && a != b));
    let mut best = 0;
    for lane in 1..words.len() {
        if above(words[lane], words[best]) {
            best = lane;
        }
    }
    match reduction {
        Reduction::Argmax => best as u32,
        _ if fp32::is_nan(words[best]) => fp32::NAN,
        _ => words[best],
    }
}
