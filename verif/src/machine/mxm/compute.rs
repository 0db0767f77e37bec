//! The MXM planes: MM and ACC.

use super::formats::{UNSCALED, emitted};
use super::{BUFFER_READ, Codeword, MAX_LANES, Mxm, Operand};
use crate::machine::Shared;
use crate::machine::dot::dot;
use crate::secded::{self, Decoded};
use crate::{FaultCode, Origin, Vector};
use lpu_isa::config::MxmFormat;
use lpu_isa::latency::MM_OPERAND_LATENCY;

impl Mxm {
    /// An activation of an MM that issued in `issue` is selected, with its scales if it has some.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn activate(
        &mut self,
        shared: &mut Shared,
        issue: u64,
        p: usize,
        mut vector: Vector,
        mut scales: Option<Codeword>,
        origin: Origin,
    ) {
        let decoded = issue + MM_OPERAND_LATENCY;
        let mut count = shared.correct(&mut vector, self.codewords);
        if let Some(Codeword(data, check)) = &mut scales {
            let found = secded::decode(*data, *check);
            *data = found.data();
            match found {
                Decoded::Good(_) => {}
                Decoded::Corrected(_) => count.corrected += 1,
                Decoded::Uncorrectable(_) => count.uncorrectable += 1,
            }
        }
        shared.faults.count(decoded, count, origin);
        *self.activations.schedule(decoded, p) = Operand {
            row: 0,
            vector,
            scales,
            origin,
        };
    }

    /// Operand-buffer rows that MMs read in `cycle`.
    pub fn read_buffers(&mut self, shared: &mut Shared, cycle: u64) {
        for p in self.buffer_reads.take(cycle) {
            let &Operand {
                row,
                scales,
                origin,
                ..
            } = self.buffer_reads.entry(cycle, p);
            let plane = &self.planes[p];
            let vector = plane.operands[row];
            let scales = scales.map(|_| plane.operand_scales[row]);
            self.activate(shared, cycle - BUFFER_READ, p, vector, scales, origin);
        }
    }

    /// Multiplications of `cycle`, with the weights active in it.
    pub fn multiply(&mut self, cycle: u64) {
        for p in self.activations.take(cycle) {
            let Operand {
                vector,
                scales,
                origin,
                ..
            } = self.activations.entry(cycle, p);
            let visible = cycle - MM_OPERAND_LATENCY + self.mm_latency;
            let dots = self.dots.schedule(visible, p);
            dots.origin = *origin;
            let plane = &self.planes[p];
            let sums = &mut dots.sums;
            sums.format = plane.format;
            match plane.format {
                None => sums.nan = 0,
                Some(MxmFormat::E4m3) => {
                    plane.multiply_e4m3(self.lanes, vector, sums);
                    continue;
                }
                Some(MxmFormat::Nvfp4) => {
                    let scales = scales.map_or(UNSCALED, |Codeword(data, _)| data);
                    plane.multiply_nvfp4(self.lanes, vector, scales, sums);
                    continue;
                }
            }
            let mut x = [0i16; MAX_LANES];
            for (word, x) in vector.data[..self.codewords]
                .iter()
                .zip(x.chunks_exact_mut(8))
            {
                for (byte, x) in word.to_le_bytes().into_iter().zip(x) {
                    *x = i16::from(byte as i8);
                }
            }
            dot(self.lanes, &x, &plane.active, &mut sums.units);
        }
    }

    /// An ACC issues: it takes the dot products of its cycle.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn accumulate(
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
        let sums = &self.dots.entry(cycle, p).sums;
        let plane = &mut self.planes[p];
        let nans = &mut plane.nans[row];
        let row = &mut plane.accumulators[row * self.lanes..][..self.lanes];
        if init {
            row.copy_from_slice(&sums.units[..self.lanes]);
            *nans = sums.nan;
        } else {
            for (sum, dot) in row.iter_mut().zip(&sums.units) {
                *sum = sum.wrapping_add(*dot);
            }
            *nans |= sums.nan;
        }
        if let Some(stream) = emit {
            let emission = self.emissions.schedule(cycle + self.emit, p);
            (emission.stream, emission.origin) = (stream, origin);
            let mut bytes = [[0u8; MAX_LANES]; 4];
            for (n, &sum) in row.iter().enumerate() {
                let word = emitted(sums.format, sum, *nans >> n & 1 == 1);
                for (plane, byte) in bytes.iter_mut().zip(word.to_le_bytes()) {
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
