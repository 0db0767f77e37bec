//! Passes, products and transfers placed in time: each in the first cycle in which its queues are free and its operands are there.

mod links;
mod pace;

pub use links::{Arrival, Links, Sent};

use self::pace::Pace;
use super::pool::Pool;
use crate::CompileError;
use crate::burst::{Burst, Calendar};
use crate::nest::{Level, Nest};
use crate::place::Place;
use crate::timeline::Timeline;
use lpu_isa::descriptor::{Operand, Source};
use lpu_isa::instruction::ROW_BITS;
use lpu_isa::latency::{ALU_LATENCY, LX_TO_MM, READ_LATENCY, SFU_LATENCY, vxm_chain, vxm_latency};
use lpu_isa::{Config, Descriptor, Operation, Program, Queue, QueueKind, Stream};

/// No operand.
const UNUSED: Stream = Stream::east(0);

/// What is known of a register or of a row of the operand buffer.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// From when on a pass may take it in ALU 0, or a product may.
    ready: i64,
    /// From when on it may be written.
    free: i64,
}

/// Who touches what, relative to the first cycle of a burst.
#[derive(Clone, Debug, Default)]
struct Accesses {
    /// Number, and issue (of a pass that takes a register in a later ALU: as if it took it in ALU 0).
    reads: Vec<(usize, i64)>,
    /// Number and issue of readers, for those who write later.
    uses: Vec<(usize, i64)>,
    writes: Vec<(usize, i64)>,
}

/// Operations with fixed distances, and what they need.
#[derive(Clone, Debug, Default)]
pub struct Work {
    pub burst: Burst,
    /// Not before this cycle.
    pub from: i64,
    /// SENDs.
    sending: Vec<i64>,
    sends: Option<Arrival>,
    /// Link, first and last RECEIVE.
    receiving: Option<(usize, i64, i64)>,
    registers: Accesses,
    rows: Accesses,
}

impl Work {
    /// Nothing yet, and nothing before a cycle.
    pub fn not_before(from: i64) -> Self {
        Self {
            from,
            ..Self::default()
        }
    }

    /// Names what its SENDs bring.
    pub const fn sends(&mut self, what: Arrival) {
        self.sends = Some(what);
    }
}

/// Passes of the same kind: registers advance by `stride` from one to the next.
#[derive(Clone, Copy, Debug)]
pub struct Passes {
    /// Issue of the first.
    pub start: i64,
    /// Register row of the first.
    pub row: usize,
    pub count: usize,
    pub interval: usize,
    pub stride: usize,
}

impl Passes {
    pub const fn one(start: i64, row: usize) -> Self {
        Self::run(start, row, 1)
    }

    /// One in each cycle, with neighbouring registers.
    pub const fn run(start: i64, row: usize, count: usize) -> Self {
        Self {
            start,
            row,
            count,
            interval: 1,
            stride: 1,
        }
    }

    fn issues(self) -> impl Iterator<Item = (i64, usize)> {
        (0..self.count).map(move |i| {
            (
                self.start + (i * self.interval) as i64,
                self.row + i * self.stride,
            )
        })
    }
}

/// Places bursts and remembers what they did.
pub struct Scheduler<'a> {
    pub config: &'a Config,
    calendar: Calendar<'a>,
    pool: Pool,
    alus: usize,
    registers: Vec<State>,
    rows: Vec<State>,
    links: Links,
    /// When SENDs may issue: flits leave in the order in which they are placed.
    pace: Pace,
    /// The same for RECEIVEs of each link.
    receive_from: Vec<i64>,
    sent: Vec<Sent>,
}

impl<'a> Scheduler<'a> {
    pub fn new(config: &'a Config, alus: usize, registers: usize, links: Links) -> Self {
        Self {
            config,
            calendar: Calendar::new(config),
            pool: Pool::default(),
            alus,
            registers: vec![State::default(); registers],
            rows: vec![State::default(); config.mxm.operand_depth],
            pace: Pace::new(links.shape, links.rest as i64),
            links,
            receive_from: vec![i64::MIN; config.links()],
            sent: Vec::new(),
        }
    }

    /// From a pass to the cell of the vector unit.
    pub const fn vector_latency(&self) -> i64 {
        vxm_latency(self.alus) as i64
    }

    /// Distance of two passes of which the second takes in ALU 0 what the first wrote.
    pub const fn chain(&self) -> i64 {
        vxm_chain(self.alus) as i64
    }

    /// Hops from a cell of the vector unit to what the MXM sees, and back.
    pub fn across(&self) -> i64 {
        (self.config.mxm_position() - 1 - self.config.vxm_position()) as i64
    }

    /// READ so that the vectors reach the unit at `position` from `nest.start` on; addresses count from `place`.
    pub fn read(&self, work: &mut Work, place: Place, stream: u8, position: usize, mut nest: Nest) {
        nest.start -= READ_LATENCY as i64 + (position - 1 - place.slice) as i64;
        nest.address += place.address as u64;
        let stream = Stream::east(stream);
        let queue = Queue::new(QueueKind::MemRead, place.slice);
        work.burst.push(queue, Operation::Read { stream }, nest);
    }

    /// WRITE of what the vector unit drives westward in consequence of a pass in cycle `start`.
    pub fn write(&self, work: &mut Work, place: Place, stream: u8, start: i64, levels: &[Level]) {
        let hops = (self.config.vxm_position() - 1 - place.slice) as i64;
        let nest = Nest::free(start + self.vector_latency() + hops, place.address, levels);
        let stream = Stream::west(stream);
        let queue = Queue::new(QueueKind::MemWrite, place.slice);
        work.burst.push(queue, Operation::Write { stream }, nest);
    }

    /// LX of what the vector unit drives eastward in consequence of passes: the first in row `row`, the others `stride` apart.
    pub fn load(&self, work: &mut Work, stream: u8, passes: Passes, row: usize, stride: usize) {
        let latency = self.vector_latency() + self.across();
        let load = Operation::LoadOperand {
            stream,
            scales: None,
        };
        let levels = [Level::new(passes.count, passes.interval, stride)];
        let nest = Nest::free(passes.start + latency, row, &levels);
        let queue = Queue::new(QueueKind::MxmCompute, 0);
        work.burst.push(queue, load, nest);
        for (i, (issue, _)) in passes.issues().enumerate() {
            work.rows.writes.push((row + i * stride, issue + latency));
        }
    }

    /// MM of rows of the operand buffer: `levels` as in a nest.
    pub fn multiply(&self, work: &mut Work, start: i64, row: usize, levels: &[Level]) {
        let operation = Operation::MultiplyBuffer { scaled: false };
        let nest = Nest::free(start, row, levels);
        work.burst
            .push(Queue::new(QueueKind::MxmCompute, 0), operation, nest);
        let mut issues = vec![(start, row)];
        for level in levels {
            issues = (0..level.count as i64)
                .flat_map(|i| {
                    let shift = |&(issue, row): &(i64, usize)| {
                        let row = row as i64 + i * level.stride;
                        (issue + i * level.interval as i64, row as usize)
                    };
                    issues.iter().map(shift).collect::<Vec<_>>()
                })
                .collect();
        }
        for (issue, row) in issues {
            work.rows.reads.push((row, issue));
            work.rows.uses.push((row, issue));
        }
    }

    /// Passes with operand A from `a` (if the descriptor takes it from a stream).
    pub fn pass(
        &mut self,
        work: &mut Work,
        a: Stream,
        passes: Passes,
        descriptor: Descriptor,
    ) -> Result<(), CompileError> {
        self.pass_with(work, [a, UNUSED], passes, descriptor)
    }

    /// Passes with operands A and B.
    pub fn pass_with(
        &mut self,
        work: &mut Work,
        [a, b]: [Stream; 2],
        passes: Passes,
        descriptor: Descriptor,
    ) -> Result<(), CompileError> {
        let index = self.pool.index(descriptor)?;
        let levels = [Level::new(passes.count, passes.interval, passes.stride)];
        let nest = Nest::free(passes.start, passes.row | index << ROW_BITS, &levels);
        let operation = Operation::Vector { a, b };
        work.burst
            .push(Queue::new(QueueKind::Vxm, 0), operation, nest);
        let file = self.registers.len();
        for (issue, row) in passes.issues() {
            let mut take = |register: usize, early: i64| {
                work.registers.reads.push((register % file, issue + early));
                work.registers.uses.push((register % file, issue));
            };
            if let Source::Register(offset) = descriptor.source {
                take(row + usize::from(offset), 0);
            }
            for (j, alu) in descriptor.alus.iter().enumerate() {
                if crate::alu::takes(alu, Operand::Register) {
                    let offset = usize::from(alu.offset);
                    let register = if alu.fixed { offset } else { row + offset };
                    let early = match j {
                        0 => 0,
                        _ => SFU_LATENCY + j as u64 * ALU_LATENCY,
                    };
                    take(register, early as i64);
                }
            }
            if let Some(offset) = descriptor.write {
                let register = (row + usize::from(offset)) % file;
                work.registers.writes.push((register, issue));
            }
        }
        Ok(())
    }

    /// Passes of registers alone, as soon as they may be.
    pub fn passes(&mut self, passes: Passes, descriptor: Descriptor) -> Result<i64, CompileError> {
        let mut work = Work::default();
        self.pass(&mut work, UNUSED, passes, descriptor)?;
        self.place(work)
    }

    /// Places work; returns its cycle 0.
    pub fn place(&mut self, work: Work) -> Result<i64, CompileError> {
        let mut from = work
            .from
            .max(earliest(&self.registers, &work.registers))
            .max(earliest(&self.rows, &work.rows));
        let mut sending = work.sending;
        sending.sort_unstable();
        from = self.pace.earliest(&sending, from)?;
        if let Some((link, first, _)) = work.receiving {
            from = from.max(self.receive_from[link].saturating_sub(first));
        }
        let cycle = self.calendar.place(work.burst, from)?;
        let chain = self.chain();
        commit(&mut self.registers, &work.registers, cycle, chain, 1);
        commit(&mut self.rows, &work.rows, cycle, LX_TO_MM as i64, 0);
        self.pace.commit(&sending, cycle);
        if let Some(first) = sending.first() {
            self.sent.push(Sent {
                what: work.sends.expect("what is sent has a name"),
                issue: cycle + first,
            });
        }
        if let Some((link, _, last)) = work.receiving {
            self.receive_from[link] = cycle + last + 1;
        }
        Ok(cycle)
    }

    /// From when on a register may be written.
    pub fn free(&self, register: usize) -> i64 {
        self.registers[register].free
    }

    /// CONFIG of the weight streams, and the program of all that was placed.
    pub fn finish(self, streams: usize) -> Result<Program, CompileError> {
        let config = self.config;
        let (timeline, pool) = self.timeline(streams);
        let mut program = timeline.lower(config)?;
        pool.describe(&mut program);
        Ok(program)
    }

    /// CONFIG of the weight streams, and all that was placed.
    pub fn timeline(mut self, streams: usize) -> (Timeline, Pool) {
        let queue = Queue::new(QueueKind::MxmWeights, 0);
        if streams != self.config.mxm.weight_streams
            && let Some(first) = self.calendar.first(queue)
        {
            self.calendar.configure(queue, first - 1, 0, streams as u16);
        }
        (self.calendar.finish(), self.pool)
    }
}

fn earliest(states: &[State], accesses: &Accesses) -> i64 {
    let reads = accesses.reads.iter().map(|&(i, at)| states[i].ready - at);
    let writes = accesses.writes.iter().map(|&(i, at)| states[i].free - at);
    reads.chain(writes).max().unwrap_or(i64::MIN)
}

/// What is written may be read `latency` later; what is read may be written `behind` later.
fn commit(states: &mut [State], accesses: &Accesses, cycle: i64, latency: i64, behind: i64) {
    for &(i, at) in &accesses.uses {
        states[i].free = states[i].free.max(cycle + at + behind);
    }
    for &(i, at) in &accesses.writes {
        states[i].ready = states[i].ready.max(cycle + at + latency);
        states[i].free = states[i].free.max(cycle + at + 1);
    }
}
