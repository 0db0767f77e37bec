//! The MXM planes: what the edge that ends a cycle writes, and result drives.

use super::{Emission, Mxm, Plane};
use crate::machine::Shared;
use crate::{Effect, Event, FaultCode, Observe, Source, Vector};
use lpu_isa::Stream;

impl Mxm {
    /// Result drives of `cycle`. Planes that drive the same streams collide; the lowest wins.
    pub fn drive(
        &mut self,
        shared: &mut Shared,
        cycle: u64,
        position: usize,
        events: &mut impl Observe,
    ) {
        let due = self.emissions.take(cycle);
        for p in due {
            let &Emission {
                stream,
                ref vectors,
                origin,
            } = self.emissions.entry(cycle, p);
            let same = |q: &usize| self.emissions.entry(cycle, *q).stream == stream;
            let mut rivals = due.filter(same);
            let wins = rivals.next() == Some(p);
            if !wins || rivals.next().is_some() {
                shared
                    .faults
                    .record(cycle, FaultCode::StreamCollision, origin);
            }
            for (stream, vector) in (stream..).map(Stream::west).zip(vectors) {
                if wins {
                    shared.streams.drive(cycle, position, stream, vector);
                }
                events.see(|| Event {
                    cycle,
                    effect: Effect::Drive {
                        source: Source::Mxm(p as u8),
                        stream,
                        vector: *vector,
                    },
                    origin: Some(origin),
                });
            }
        }
    }

    /// State that the edge ending `cycle` writes, after all that read it.
    pub fn write(&mut self, cycle: u64) {
        // An IW takes the shadow of this cycle, before the loads below change it.
        for p in self.installs.take(cycle) {
            let plane = &mut self.planes[p];
            plane.active.copy_from_slice(&plane.shadow);
            plane.active_scales.copy_from_slice(&plane.shadow_scales);
            plane.format = *self.installs.entry(cycle, p);
            plane.appraise(self.lanes);
        }
        for p in self.loads.take(cycle) {
            let load = self.loads.entry(cycle, p);
            let plane = &mut self.planes[p];
            if load.scales {
                let rows = plane.shadow_scales.chunks_exact_mut(self.lanes);
                for (row, vector) in rows.skip(load.row).zip(&load.vectors) {
                    row.copy_from_slice(&vector.lanes(self.lanes));
                }
                continue;
            }
            match load.column {
                true => plane.load_columns(load.row, &load.vectors),
                false => plane.load_rows(load.row, &load.vectors),
            }
        }
        for p in self.operand_loads.take(cycle) {
            let load = self.operand_loads.entry(cycle, p);
            let plane = &mut self.planes[p];
            plane.operands[load.row] = load.vector;
            if let Some(scales) = load.scales {
                plane.operand_scales[load.row] = scales;
            }
        }
    }
}

impl Plane {
    /// Vectors become neighbouring rows: lane n of each is an element of column n, byte n % 8 of its codeword n / 8.
    fn load_rows(&mut self, row: usize, vectors: &[Vector]) {
        let lanes = self.shadow.len().isqrt();
        for (group, columns) in self.shadow.chunks_exact_mut(8 * lanes).enumerate() {
            for (i, vector) in vectors.iter().enumerate() {
                let bytes = vector.data[group].to_le_bytes();
                for (column, byte) in columns.chunks_exact_mut(lanes).zip(bytes) {
                    column[row + i] = (byte as i8).into();
                }
            }
        }
    }

    /// Vectors become neighbouring columns.
    fn load_columns(&mut self, first: usize, vectors: &[Vector]) {
        let lanes = self.shadow.len().isqrt();
        let columns = self.shadow.chunks_exact_mut(lanes).skip(first);
        for (column, vector) in columns.zip(vectors) {
            for (n, element) in column.iter_mut().enumerate() {
                *element = (vector.lane(n) as i8).into();
            }
        }
    }
}
