//! The MXM planes: issue of LW, IW, LX, MM and ACC.

use super::Shared;
use super::calendar::Calendar;
use super::dot::dot;
use super::queue::Issued;
use crate::vector::MAX_CODEWORDS;
use crate::{FaultCode, Origin, Vector};
use lpu_isa::latency::{
    IW_LATENCY, LW_LATENCY, LX_TO_MM, MM_OPERAND_LATENCY, SELECT_LATENCY, mm_latency,
};
use lpu_isa::secded::LANES_PER_CODEWORD;
use lpu_isa::{AccMode, Config, Operation, Stream};

/// ACC issue to the cycle in which it drives.
pub(super) const EMIT: u64 = lpu_isa::latency::ACC_LATENCY - 1;
/// MM issue to the cycle in which the operand buffer is read.
const BUFFER_READ: u64 = LX_TO_MM - 1;
const MAX_LANES: usize = MAX_CODEWORDS * LANES_PER_CODEWORD;
const MAX_WEIGHT_STREAMS: usize = 32;

/// Weights that enter the shadow.
#[derive(Clone, Debug)]
pub(super) struct Load {
    pub row: usize,
    pub column: bool,
    pub vectors: Vec<Vector>,
}

/// An activation on its way to the multipliers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub row: usize,
    pub vector: Vector,
    pub origin: Origin,
}

/// Dot products on their way to the accumulators.
#[derive(Clone, Copy, Debug)]
struct Dots {
    sums: [i32; MAX_LANES],
    origin: Origin,
}

/// Four byte planes of a result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Emission {
    pub stream: u8,
    pub vectors: [Vector; 4],
    pub origin: Origin,
}

/// State of a plane.
#[derive(Clone, Debug)]
pub struct Plane {
    /// Weights by column, widened: element n * L + k.
    pub shadow: Vec<i16>,
    pub active: Vec<i16>,
    pub accumulators: Vec<i32>,
    pub operands: Vec<Vector>,
    /// c: streams that an LW takes.
    pub weight_streams: usize,
}

/// All planes.
#[derive(Clone, Debug)]
pub struct Mxm {
    pub planes: Vec<Plane>,
    lanes: usize,
    codewords: usize,
    position: usize,
    max_weight_streams: usize,
    operand_depth: usize,
    accumulator_depth: usize,
    pub(super) loads: Calendar<Load>,
    pub(super) installs: Calendar<()>,
    pub(super) operand_loads: Calendar<Operand>,
    buffer_reads: Calendar<Operand>,
    activations: Calendar<Operand>,
    dots: Calendar<Dots>,
    pub(super) emissions: Calendar<Emission>,
}

impl Mxm {
    pub fn new(config: &Config) -> Self {
        let (lanes, planes) = (config.lanes, config.mxm.planes);
        let origin = Origin {
            queue: 0,
            index: 0,
            inner: 0,
            outer: 0,
        };
        let load = Load {
            row: 0,
            column: false,
            vectors: Vec::with_capacity(MAX_WEIGHT_STREAMS),
        };
        let operands = Calendar::new(
            planes,
            Operand {
                row: 0,
                vector: Vector::default(),
                origin,
            },
        );
        let sums = [0; MAX_LANES];
        let emission = Emission {
            stream: 0,
            vectors: [Vector::default(); 4],
            origin,
        };
        let plane = Plane {
            shadow: vec![0; lanes * lanes],
            active: vec![0; lanes * lanes],
            accumulators: vec![0; config.mxm.accumulator_depth * lanes],
            operands: vec![Vector::default(); config.mxm.operand_depth],
            weight_streams: config.mxm.weight_streams,
        };
        Self {
            planes: vec![plane; planes],
            lanes,
            codewords: lanes / LANES_PER_CODEWORD,
            position: config.mem.slices,
            max_weight_streams: config.mxm.weight_streams,
            operand_depth: config.mxm.operand_depth,
            accumulator_depth: config.mxm.accumulator_depth,
            loads: Calendar::new(planes, load),
            installs: Calendar::new(planes, ()),
            operand_loads: operands.clone(),
            buffer_reads: operands.clone(),
            activations: operands,
            dots: Calendar::new(planes, Dots { sums, origin }),
            emissions: Calendar::new(planes, emission),
        }
    }

    pub fn restart(&mut self) {
        for plane in &mut self.planes {
            plane.weight_streams = self.max_weight_streams;
        }
        self.loads.clear();
        self.installs.clear();
        self.operand_loads.clear();
        self.buffer_reads.clear();
        self.activations.clear();
        self.dots.clear();
        self.emissions.clear();
    }

    /// CONFIG in plane `p`, for the LWs of later cycles. Returns whether it is legal.
    pub fn configure(&mut self, p: usize, register: u8, value: u16) -> bool {
        let count = usize::from(value);
        let legal = register == 0 && count.is_power_of_two() && count <= self.max_weight_streams;
        if legal {
            self.planes[p].weight_streams = count;
        }
        legal
    }

    /// `row` modulo `depth`, with ADDRESS_RANGE in `cycle` where it applies.
    fn row(shared: &mut Shared, cycle: u64, row: u16, depth: usize, origin: Origin) -> usize {
        let row = usize::from(row);
        if row >= depth {
            shared.faults.record(cycle, FaultCode::AddressRange, origin);
        }
        row % depth
    }

    /// An operation of plane `p` issues.
    pub fn issue(&mut self, shared: &mut Shared, cycle: u64, p: usize, op: Issued) {
        let origin = op.origin;
        match op.operation {
            Operation::LoadWeights {
                stream,
                column,
                install,
            } => {
                self.load_weights(shared, cycle, p, stream, column, op);
                if install && op.last[0] {
                    self.installs.schedule(cycle + IW_LATENCY - 1, p);
                }
            }
            Operation::InstallWeights => {
                self.installs.schedule(cycle + IW_LATENCY - 1, p);
            }
            Operation::LoadOperand { stream } => {
                let row = Self::row(shared, cycle, op.address, self.operand_depth, origin);
                let stream = Stream::east(stream);
                if let Some(vector) = shared.operand(cycle, self.position, stream, origin) {
                    *self.operand_loads.schedule(cycle + SELECT_LATENCY, p) = Operand {
                        row,
                        vector,
                        origin,
                    };
                }
            }
            Operation::MultiplyStream { stream } => {
                let stream = Stream::east(stream);
                if let Some(vector) = shared.operand(cycle, self.position, stream, origin) {
                    self.activate(shared, cycle, p, vector, origin);
                }
            }
            Operation::MultiplyBuffer => {
                let row = Self::row(shared, cycle, op.address, self.operand_depth, origin);
                *self.buffer_reads.schedule(cycle + BUFFER_READ, p) = Operand {
                    row,
                    vector: Vector::default(),
                    origin,
                };
            }
            Operation::Accumulate { stream, init, emit } => {
                let row = Self::row(shared, cycle, op.address, self.accumulator_depth, origin);
                let init = applies(init, op.first);
                let emit = applies(emit, op.last).then_some(stream & !3);
                self.accumulate(shared, cycle, p, row, init, emit, origin);
            }
            _ => unreachable!("the queue takes no other operation"),
        }
    }

    fn load_weights(
        &mut self,
        shared: &mut Shared,
        cycle: u64,
        p: usize,
        stream: u8,
        column: bool,
        op: Issued,
    ) {
        let count = self.planes[p].weight_streams;
        let row = Self::row(shared, cycle, op.address, self.lanes, op.origin) & !(count - 1);
        let first = stream & !(self.max_weight_streams as u8 - 1);
        let streams = (first..first + count as u8).map(Stream::east);
        let sample = |stream| shared.streams.sample(cycle, self.position, stream);
        if streams.clone().any(|stream| sample(stream).is_none()) {
            shared.missing(cycle, op.origin);
            return;
        }
        let load = self.loads.schedule(cycle + LW_LATENCY - 1, p);
        (load.row, load.column) = (row, column);
        load.vectors.clear();
        load.vectors.extend(streams.filter_map(sample));
        for vector in &mut load.vectors {
            let count = vector.correct(self.codewords);
            shared
                .faults
                .count(cycle + MM_OPERAND_LATENCY, count, op.origin);
        }
    }

    /// An activation of an MM that issued in `issue` is selected.
    fn activate(
        &mut self,
        shared: &mut Shared,
        issue: u64,
        p: usize,
        mut vector: Vector,
        origin: Origin,
    ) {
        let decoded = issue + MM_OPERAND_LATENCY;
        let count = vector.correct(self.codewords);
        shared.faults.count(decoded, count, origin);
        *self.activations.schedule(decoded, p) = Operand {
            row: 0,
            vector,
            origin,
        };
    }

    /// Operand-buffer rows that MMs read in `cycle`.
    pub fn read_buffers(&mut self, shared: &mut Shared, cycle: u64) {
        for p in self.buffer_reads.take(cycle) {
            let Operand { row, origin, .. } = *self.buffer_reads.entry(cycle, p);
            let vector = self.planes[p].operands[row];
            self.activate(shared, cycle - BUFFER_READ, p, vector, origin);
        }
    }

    /// Multiplications of `cycle`, with the weights active in it.
    pub fn multiply(&mut self, cycle: u64) {
        for p in self.activations.take(cycle) {
            let Operand { vector, origin, .. } = self.activations.entry(cycle, p);
            let mut x = [0i16; MAX_LANES];
            for (word, x) in vector.data[..self.codewords]
                .iter()
                .zip(x.chunks_exact_mut(8))
            {
                for (byte, x) in word.to_le_bytes().into_iter().zip(x) {
                    *x = i16::from(byte as i8);
                }
            }
            let visible = cycle - MM_OPERAND_LATENCY + mm_latency(self.lanes);
            let dots = self.dots.schedule(visible, p);
            dots.origin = *origin;
            dot(self.lanes, &x, &self.planes[p].active, &mut dots.sums);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn accumulate(
        &mut self,
        shared: &mut Shared,
        cycle: u64,
        p: usize,
        row: usize,
        init: bool,
        emit: Option<u8>,
        origin: Origin,
    ) {
        if !self.dots.is_due(cycle, p) {
            shared
                .faults
                .record(cycle, FaultCode::OperandMissing, origin);
            return;
        }
        self.dots.strike(cycle, p);
        let sums = &self.dots.entry(cycle, p).sums[..self.lanes];
        let row = &mut self.planes[p].accumulators[row * self.lanes..][..self.lanes];
        if init {
            row.copy_from_slice(sums);
        } else {
            for (sum, dot) in row.iter_mut().zip(sums) {
                *sum = sum.wrapping_add(*dot);
            }
        }
        if let Some(stream) = emit {
            let emission = self.emissions.schedule(cycle + EMIT, p);
            (emission.stream, emission.origin) = (stream, origin);
            let mut bytes = [[0u8; MAX_LANES]; 4];
            for (n, sum) in row.iter().enumerate() {
                for (plane, byte) in bytes.iter_mut().zip(sum.to_le_bytes()) {
                    plane[n] = byte;
                }
            }
            emission.vectors = bytes.map(|plane| Vector::encode(&plane[..self.lanes]));
        }
    }

    /// Dot products of `cycle` that no ACC took.
    pub fn lose_results(&mut self, shared: &mut Shared, cycle: u64) {
        for p in self.dots.take(cycle) {
            let origin = self.dots.entry(cycle, p).origin;
            // MM is the compute queue's, the fault the accumulate queue's.
            let unit = origin.queue + 1;
            shared
                .faults
                .record_on(unit, cycle, FaultCode::ResultLost, origin);
        }
    }
}

/// Whether a mode applies in an iteration that is the first (or last) of the inner and outer repeat.
const fn applies(mode: AccMode, edge: [bool; 2]) -> bool {
    match mode {
        AccMode::Never => false,
        AccMode::Inner => edge[0],
        AccMode::Outer => edge[1],
        AccMode::Always => true,
    }
}
