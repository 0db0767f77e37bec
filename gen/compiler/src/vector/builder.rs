//! Passes of the vector unit with the reads, writes and reductions that belong to them, placed as bursts.

use super::sequence::{Point, nests};
use super::step::{Input, Step, Target};
use super::tensor::Tensor;
use crate::CompileError;
use crate::alu::PLANES;
use crate::burst::{Burst, Calendar};
use lpu_isa::descriptor::{DESCRIPTORS, Output, ResultFormat, Source};
use lpu_isa::instruction::ROW_BITS;
use lpu_isa::latency::{
    ALU_LATENCY, HOP_LATENCY, READ_LATENCY, SFU_LATENCY, WRITE_LATENCY, reduce_latency, vxm_chain,
    vxm_latency,
};
use lpu_isa::{Config, Descriptor, Operation, Program, Queue, QueueKind, Stream};
use std::collections::BTreeMap;

/// Issue of a pass to the sample of an operand B of ALU 1.
const LATE: u64 = ALU_LATENCY + SFU_LATENCY;

/// The shortest piece of a run that is cut to fill a gap.
const SCRAP: usize = 4;

/// Cycles of the first and the last pass of what was placed.
#[derive(Clone, Copy, Debug)]
pub struct Issued {
    pub first: i64,
    pub last: i64,
}

/// Places passes in a calendar; kernels are functions on it.
#[derive(Debug)]
pub struct Builder<'a> {
    pub config: &'a Config,
    pub calendar: Calendar<'a>,
    descriptors: Vec<Descriptor>,
    alus: usize,
    registers: usize,
    /// First register that nobody has.
    free: usize,
    /// The most passes of a burst.
    pub piece: usize,
    /// Whether pieces are cut to fill gaps, which takes instructions.
    pub fills_gaps: bool,
    /// Passes placed.
    pub passes: u64,
    /// Partial results of a row, in the last reduction that was planned.
    pub partials: usize,
}

impl<'a> Builder<'a> {
    pub fn new(config: &'a Config) -> Result<Self, CompileError> {
        let vxm = config.vxm.as_ref().ok_or(CompileError::NoVectorUnit)?;
        if config.mem.slices < PLANES {
            return Err(CompileError::WordSlices {
                needed: PLANES,
                available: config.mem.slices,
            });
        }
        Ok(Self {
            config,
            calendar: Calendar::new(config),
            descriptors: Vec::new(),
            alus: vxm.alus,
            registers: vxm.registers,
            free: 0,
            piece: 32,
            fills_gaps: true,
            passes: 0,
            partials: 1,
        })
    }

    pub const fn alus(&self) -> usize {
        self.alus
    }

    /// The ALU at the end of the chain.
    pub const fn last_alu(&self) -> usize {
        self.alus - 1
    }

    /// Whether a pass may take two word vectors from SRAM, and the switch unit has streams beside them.
    pub const fn is_wide(&self) -> bool {
        self.config.mem.slices >= 2 * PLANES && self.config.streams >= 3 * PLANES
    }

    /// The slices of tensors that pass as A, and of those that pass as B beside them (the same in a narrow machine). The nearest are the first.
    pub fn slices(&self, beside: bool) -> [usize; PLANES] {
        let groups = if beside && self.is_wide() { 2 } else { 1 };
        let first = self.config.mem.slices - groups * PLANES;
        std::array::from_fn(|plane| first + plane)
    }

    /// Registers that nobody has.
    pub const fn available(&self) -> usize {
        self.registers - self.free
    }

    /// Takes registers; the caller has asked for how many there are.
    pub fn take(&mut self, registers: usize) -> usize {
        let first = self.free;
        self.free += registers;
        assert!(self.free <= self.registers, "registers are counted");
        first
    }

    /// Offset of a descriptor that leads from register `from` to register `to`.
    pub fn offset(&self, from: usize, to: usize) -> u16 {
        ((to + self.registers - from % self.registers) % self.registers) as u16
    }

    /// Distance of a pass that writes a register and one that takes it anywhere.
    pub const fn chain(&self) -> i64 {
        vxm_chain(self.alus) as i64
    }

    /// Hops between a slice and the vector unit.
    fn hops(&self, slice: usize) -> i64 {
        (self.config.vxm_position() - 1 - slice) as i64 * HOP_LATENCY as i64
    }

    /// Distance of a pass whose result goes to a tensor and one that reads it.
    pub fn through(&self, tensor: &Tensor) -> i64 {
        let hops = tensor.places().iter().map(|place| self.hops(place.slice));
        let there_and_back = 2 * hops.max().unwrap_or(0);
        (vxm_latency(self.alus) + WRITE_LATENCY + READ_LATENCY) as i64 + there_and_back
    }

    /// Distance of a pass that shows a register to the switch unit and one that takes the reduction.
    pub const fn reduced(&self) -> i64 {
        (vxm_latency(self.alus) + reduce_latency(self.config.lanes)) as i64
    }

    /// First stream of the operands and results of the switch unit: no pass has others on it.
    fn switch_stream(&self) -> u8 {
        (if self.is_wide() { 2 * PLANES } else { PLANES }) as u8
    }

    fn number(&mut self, descriptor: Descriptor) -> Result<usize, CompileError> {
        let known = self.descriptors.iter().rposition(|&one| one == descriptor);
        match known {
            Some(index) => Ok(index),
            None if self.descriptors.len() < DESCRIPTORS => {
                self.descriptors.push(descriptor);
                Ok(self.descriptors.len() - 1)
            }
            None => Err(CompileError::Kernel(format!(
                "the operation needs more than the {DESCRIPTORS} descriptors of a vector unit: split it"
            ))),
        }
    }

    /// Places passes, each in its cycle, in the order of the cycles, in the first cycle from `from` on in which all is free.
    pub fn place(&mut self, steps: &[(i64, Step)], from: i64) -> Result<Issued, CompileError> {
        let burst = self.burst(steps)?;
        let at = self.calendar.place(burst, from)?;
        self.passes += steps.len() as u64;
        let cycles = || steps.iter().map(|&(cycle, _)| at + cycle);
        Ok(Issued {
            first: cycles().min().unwrap_or(from),
            last: cycles().max().unwrap_or(from),
        })
    }

    /// Places the first passes of `steps`: the longest beginning of those offered (in descending order) that is not put off, or the one that comes first. Returns how many.
    pub fn place_beginning(
        &mut self,
        steps: &[(i64, Step)],
        lengths: &[usize],
        from: i64,
    ) -> Result<(usize, Issued), CompileError> {
        let mut best = (i64::MAX, 0);
        for &length in lengths {
            let burst = self.burst(&steps[..length])?;
            let at = self.calendar.fit(&burst, from)?;
            if at < best.0 {
                best = (at, length);
            }
            if at == from {
                break;
            }
        }
        let (_, length) = best;
        Ok((length, self.place(&steps[..length], from)?))
    }

    /// The operations of passes and of all that belongs to them.
    fn burst(&mut self, steps: &[(i64, Step)]) -> Result<Burst, CompileError> {
        let mut burst = Burst::default();
        let mut memory: BTreeMap<(usize, bool, u8), Vec<Point>> = BTreeMap::new();
        let (mut passes, mut now): (Vec<Point>, _) = (Vec::new(), None);
        let mut reductions: Vec<Point> = Vec::new();
        let shown = vxm_latency(self.alus) as i64;
        let (east, west) = (self.switch_stream(), PLANES as u8);
        for &(cycle, step) in steps {
            let mut descriptor = step.pass;
            let mut operation = (Stream::east(0), Stream::east(0));
            match step.a {
                Input::Register => {}
                Input::Switch => {
                    descriptor.source = Source::Stream(lpu_isa::descriptor::Format::Fp32);
                    operation.0 = Stream::west(west);
                }
                Input::Tensor(tensor, vector) => {
                    descriptor.source = Source::Stream(tensor.element.operand());
                    operation.0 = Stream::east(tensor.stream);
                    for (plane, place) in tensor.places().iter().enumerate() {
                        let issue = cycle - READ_LATENCY as i64 - self.hops(place.slice);
                        let points =
                            memory.entry((place.slice, false, tensor.stream + plane as u8));
                        points.or_default().push((issue, place.address + vector));
                    }
                }
            }
            if let Some((tensor, vector, alu)) = step.b {
                descriptor.b = Some((tensor.element.operand(), alu));
                operation.1 = Stream::east(tensor.stream);
                for (plane, place) in tensor.places().iter().enumerate() {
                    let sample = cycle + LATE as i64 * i64::from(alu);
                    let issue = sample - READ_LATENCY as i64 - self.hops(place.slice);
                    let points = memory.entry((place.slice, false, tensor.stream + plane as u8));
                    points.or_default().push((issue, place.address + vector));
                }
            }
            match step.out {
                Target::None => {}
                Target::Switch(reduction) => {
                    descriptor.output = Some(Output {
                        format: ResultFormat::Fp32,
                        stream: Stream::east(east),
                    });
                    reductions.push((cycle + shown, reduction as usize));
                }
                Target::Tensor(tensor, vector) => {
                    descriptor.output = Some(Output {
                        format: tensor.element.result(),
                        stream: Stream::west(0),
                    });
                    for (plane, place) in tensor.places().iter().enumerate() {
                        let issue = cycle + shown + self.hops(place.slice);
                        let points = memory.entry((place.slice, true, plane as u8));
                        points.or_default().push((issue, place.address + vector));
                    }
                }
            }
            let address = step.row | self.number(descriptor)? << ROW_BITS;
            if now != Some(operation) {
                Self::issue_passes(&mut burst, now, &passes);
                passes.clear();
                now = Some(operation);
            }
            passes.push((cycle, address));
        }
        Self::issue_passes(&mut burst, now, &passes);
        for nest in nests(&reductions) {
            let operation = Operation::Reduce {
                from: Stream::east(east),
                to: Stream::west(west),
            };
            burst.push(Queue::new(QueueKind::Sxm, 0), operation, nest);
        }
        for ((slice, writes, plane), mut points) in memory {
            points.sort_unstable();
            let (kind, operation) = match writes {
                false => {
                    let stream = Stream::east(plane);
                    (QueueKind::MemRead, Operation::Read { stream })
                }
                true => {
                    let stream = Stream::west(plane);
                    (QueueKind::MemWrite, Operation::Write { stream })
                }
            };
            for nest in nests(&points) {
                burst.push(Queue::new(kind, slice), operation, nest);
            }
        }
        Ok(burst)
    }

    fn issue_passes(burst: &mut Burst, operation: Option<(Stream, Stream)>, passes: &[Point]) {
        let Some((a, b)) = operation else {
            return;
        };
        for nest in nests(passes) {
            burst.push(
                Queue::new(QueueKind::Vxm, 0),
                Operation::Vector { a, b },
                nest,
            );
        }
    }

    /// Places passes that may follow each other in every cycle, a piece after the other.
    pub fn run(
        &mut self,
        steps: impl IntoIterator<Item = Step>,
        from: i64,
    ) -> Result<Issued, CompileError> {
        let mut issued = None;
        let mut next = from;
        let timed = (0..).zip(steps);
        let steps: Vec<(i64, Step)> = timed.collect();
        let mut done = 0;
        while done < steps.len() {
            let left = steps.len() - done;
            let mut lengths = vec![left.min(self.piece)];
            while self.fills_gaps && lengths.last().is_some_and(|&length| length > SCRAP) {
                lengths.push(lengths[lengths.len() - 1].div_ceil(2));
            }
            let begun = next - done as i64;
            let (length, placed) = self.place_beginning(&steps[done..], &lengths, begun)?;
            let first = issued.map_or(placed.first, |issued: Issued| issued.first);
            issued = Some(Issued {
                first,
                last: placed.last,
            });
            next = placed.last + 1;
            done += length;
        }
        Ok(issued.unwrap_or(Issued {
            first: from,
            last: from,
        }))
    }

    /// A register that holds a constant in every lane; returns the cycle from which on passes find it.
    pub fn constant(&mut self, register: usize, value: u32) -> Result<i64, CompileError> {
        let mut pass = Descriptor {
            write: Some(0),
            ..Descriptor::default()
        };
        pass.alus[0] = crate::alu::constant(value);
        let issued = self.run([Step::register(pass, register)], 0)?;
        Ok(issued.last + self.chain())
    }

    /// The program of all that was placed.
    pub fn finish(self) -> Result<Program, CompileError> {
        let mut program = self.calendar.finish().lower(self.config)?;
        for (index, descriptor) in self.descriptors.into_iter().enumerate() {
            program.describe(index, descriptor);
        }
        Ok(program)
    }
}
