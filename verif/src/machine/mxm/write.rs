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
            let (blocks, rest) = vectors.as_chunks::<8>();
            for (block, vectors) in blocks.iter().enumerate() {
                let first = row + 8 * block;
                let words = transposed(vectors.each_ref().map(|vector| vector.data[group]));
                for (column, word) in columns.chunks_exact_mut(lanes).zip(words) {
                    let elements = word.to_le_bytes().map(|byte| i16::from(byte as i8));
                    column[first..first + 8].copy_from_slice(&elements);
                }
            }
            let first = row + vectors.len() - rest.len();
            for (i, vector) in rest.iter().enumerate() {
                let bytes = vector.data[group].to_le_bytes();
                for (column, byte) in columns.chunks_exact_mut(lanes).zip(bytes) {
                    column[first + i] = (byte as i8).into();
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

/// Byte i of word j becomes byte j of word i: squares of 4, 2 and 1 bytes change places (H. S. Warren, Hacker's Delight, 7-3).
fn transposed(mut words: [u64; 8]) -> [u64; 8] {
    for (size, mask) in [
        (4, 0x0000_0000_ffff_ffff),
        (2, 0x0000_ffff_0000_ffff),
        (1, 0x00ff_00ff_00ff_00ff),
    ] {
        for i in (0..8).filter(|i| i & size == 0) {
            let changed = (words[i] >> (8 * size) ^ words[i + size]) & mask;
            words[i] ^= changed << (8 * size);
            words[i + size] ^= changed;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::transposed;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_change_places(words: [u64; 8]) {
            let found = transposed(words).map(u64::to_le_bytes);
            let bytes = words.map(u64::to_le_bytes);
            for i in 0..8 {
                prop_assert_eq!(found[i], bytes.map(|word| word[i]));
            }
        }
    }
}
