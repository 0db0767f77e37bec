//! The MXM planes: what the edge that ends a cycle writes, and result drives.

use super::{Emission, Mxm, Plane};
use crate::machine::Shared;
use crate::machine::dot::widen;
use crate::{Effect, Event, FaultCode, Observe, Source};
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
            let lanes = &load.lanes[..load.count * self.lanes];
            let plane = &mut self.planes[p];
            if load.scales {
                let rows = &mut plane.shadow_scales[load.row * self.lanes..];
                rows[..lanes.len()].copy_from_slice(lanes);
                continue;
            }
            match load.column {
                true => plane.load_columns(self.lanes, load.row, lanes),
                false => {
                    let rows = &mut plane.shadow[load.row * self.lanes..];
                    widen(lanes, &mut rows[..lanes.len()]);
                }
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
    /// Vectors become neighbouring columns.
    fn load_columns(&mut self, lanes: usize, first: usize, vectors: &[u8]) {
        for (k, row) in self.shadow.chunks_exact_mut(lanes).enumerate() {
            let vectors = vectors.chunks_exact(lanes);
            for (weight, vector) in row[first..].iter_mut().zip(vectors) {
                *weight = i16::from(vector[k] as i8);
            }
        }
    }
}
