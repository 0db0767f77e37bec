//! Vectors of words for a `nano` with vector unit and switch unit.

use super::*;
use lpu_isa::QueueKind::MemRead;
use lpu_isa::config::{SxmConfig, VxmConfig};

/// `nano` with two ALUs, 64 registers and 4 permutation tables.
pub fn complete() -> Config {
    let mut config = nano();
    let (alus, registers) = (2, 64);
    config.vxm = Some(VxmConfig { alus, registers });
    config.sxm = Some(SxmConfig { maps: 4 });
    config
}

/// Byte plane `plane` of words.
pub fn plane(words: [u32; 8], plane: usize) -> Vector {
    Vector::encode(&words.map(|word| (word >> (8 * plane)) as u8))
}

pub fn floats(values: [f32; 8]) -> [u32; 8] {
    values.map(f32::to_bits)
}

impl Bench {
    /// Words that the unit at `position` (4 or 5) sees eastward on streams 0 to 3 in `cycle`; plane i comes from slice i.
    pub fn feed(&mut self, cycle: u64, position: isize, words: [u32; 8]) {
        for slice in 0..4 {
            let id = self.id(MemRead, slice);
            let address = self.program.queue(id).len() as u16;
            let vector = plane(words, slice);
            self.machine.write_sram(slice, address.into(), &vector);
            // READ drives E[slice] in cycle + 3, from where it takes a cycle a hop to E[position - 1].
            let issue = cycle - 3 - (position - 1 - slice as isize) as u64;
            self.op(issue, MemRead, slice, read(e(slice as u8)), address);
        }
    }

    /// Words that drive streams from `first` on in `cycle` at `position`.
    pub fn words_driven(&self, cycle: u64, position: isize, first: Stream) -> Option<[u32; 8]> {
        let mut words = [0; 8];
        for p in 0..4 {
            let stream = Stream {
                index: first.index + p,
                ..first
            };
            let drives = self.drives();
            let drive = drives
                .iter()
                .find(|d| (d.0, d.1, d.2) == (cycle, position, stream))?;
            for (word, byte) in words.iter_mut().zip(drive.3.lanes(8)) {
                *word |= u32::from(byte) << (8 * p);
            }
        }
        Some(words)
    }
}
