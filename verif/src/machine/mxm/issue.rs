//! The MXM planes: what samples, and when its effects are due.

use super::{BUFFER_READ, Codeword, Mxm, Operand};
use crate::machine::Shared;
use crate::machine::queue::Issued;
use crate::vector::DecodeCount;
use crate::{FaultCode, Origin, Vector};
use lpu_isa::latency::{IW_LATENCY, LW_LATENCY, MM_OPERAND_LATENCY, SELECT_LATENCY};
use lpu_isa::{AccMode, Operation, Stream};

impl Mxm {
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
                    self.install(cycle, p);
                }
            }
            Operation::InstallWeights => self.install(cycle, p),
            Operation::LoadOperand { stream, scales } => {
                let row = Self::row(shared, cycle, op.address, self.operand_depth, origin);
                if let Some((vector, scales)) =
                    self.activation(shared, cycle, stream, scales, origin)
                {
                    *self.operand_loads.schedule(cycle + SELECT_LATENCY, p) = Operand {
                        row,
                        vector,
                        scales,
                        origin,
                    };
                }
            }
            Operation::MultiplyStream { stream, scales } => {
                if let Some((vector, scales)) =
                    self.activation(shared, cycle, stream, scales, origin)
                {
                    self.activate(shared, cycle, p, vector, scales, origin);
                }
            }
            Operation::MultiplyBuffer { scaled } => {
                let row = Self::row(shared, cycle, op.address, self.operand_depth, origin);
                *self.buffer_reads.schedule(cycle + BUFFER_READ, p) = Operand {
                    row,
                    vector: Vector::default(),
                    scales: (scaled && self.scale_rows > 0).then(Codeword::default),
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

    /// An IW issues: it takes the format of its issue cycle.
    fn install(&mut self, cycle: u64, p: usize) {
        *self.installs.schedule(cycle + IW_LATENCY - 1, p) = self.planes[p].next_format;
    }

    /// Samples an activation, and its scales where the machine has them; none if either is missing.
    fn activation(
        &self,
        shared: &mut Shared,
        cycle: u64,
        stream: u8,
        scales: Option<u8>,
        origin: Origin,
    ) -> Option<(Vector, Option<Codeword>)> {
        let sample = |stream| {
            let stream = Stream::east(stream);
            shared.streams.sample(cycle, self.position, stream)
        };
        let vector = sample(stream).copied();
        let scales = match scales {
            Some(stream) if self.scale_rows > 0 => sample(stream).map(|v| Some(v.into())),
            _ => Some(None),
        };
        let both = vector.zip(scales);
        if both.is_none() {
            shared.missing(cycle, origin);
        }
        both
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
        let mut count = self.planes[p].weight_streams;
        // Rows of scales are counted from their first.
        let scale_row = usize::from(op.address)
            .checked_sub(self.lanes)
            .filter(|&row| !column && row < self.scale_rows);
        let row = match scale_row {
            Some(row) => row,
            None => Self::row(shared, cycle, op.address, self.lanes, op.origin),
        } & !(count - 1);
        if scale_row.is_some() {
            count = count.min(self.scale_rows);
        }
        let first = stream & !(self.max_weight_streams as u8 - 1);
        let streams = (first..first + count as u8).map(Stream::east);
        let due = cycle + LW_LATENCY - 1;
        let load = self.loads.prepare(due, p);
        (load.row, load.column, load.scales) = (row, column, scale_row.is_some());
        load.count = count;
        let mut wrong = DecodeCount::default();
        for (lanes, stream) in load.lanes.chunks_exact_mut(self.lanes).zip(streams) {
            let Some(vector) = shared.streams.sample(cycle, self.position, stream) else {
                return shared.missing(cycle, op.origin);
            };
            let found = shared.correct_lanes(vector, lanes);
            wrong.corrected += found.corrected;
            wrong.uncorrectable += found.uncorrectable;
        }
        shared
            .faults
            .count(cycle + MM_OPERAND_LATENCY, wrong, op.origin);
        self.loads.schedule(due, p);
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
