//! Vectors of words: operands and results of the vector unit and the switch unit.

use super::Shared;
use crate::vector::{DecodeCount, MAX_CODEWORDS};
use crate::{Effect, Event, FaultCode, Observe, Origin, Source, Vector};
use lpu_isa::Stream;
use lpu_isa::latency::MM_OPERAND_LATENCY;
use lpu_isa::secded::LANES_PER_CODEWORD;

/// Lanes of the widest vector.
pub const MAX_LANES: usize = MAX_CODEWORDS * LANES_PER_CODEWORD;

/// One 32-bit word in each lane.
pub type Words = [u32; MAX_LANES];

/// The streams of `planes` byte planes that begin at `stream`, whose low bits are ignored.
pub fn planes(stream: Stream, planes: usize) -> impl Iterator<Item = Stream> {
    let first = stream.index & !(planes as u8 - 1);
    let westward = stream.westward;
    (first..first + planes as u8).map(move |index| Stream { westward, index })
}

impl Shared {
    /// Whether all of `count` byte planes are there.
    pub fn has_planes(&self, cycle: u64, position: usize, stream: Stream, count: usize) -> bool {
        planes(stream, count).all(|stream| self.streams.sample(cycle, position, stream).is_some())
    }

    /// Samples `count` byte planes that are there, and decodes them, which is counted as of `MM_OPERAND_LATENCY` later, into a word for
    /// each lane.
    pub fn sample_words(
        &mut self,
        cycle: u64,
        position: usize,
        stream: Stream,
        count: usize,
        words: &mut [u32],
        origin: Origin,
    ) {
        let mut found = DecodeCount::default();
        words.fill(0);
        let mut lanes = [0; MAX_LANES];
        let lanes = &mut lanes[..words.len()];
        for (plane, stream) in planes(stream, count).enumerate() {
            let seen = self.streams.sample(cycle, position, stream);
            let count = self.correct_lanes(seen.expect("a plane that is there"), lanes);
            found.corrected += count.corrected;
            found.uncorrectable += count.uncorrectable;
            for (word, &lane) in words.iter_mut().zip(&*lanes) {
                *word |= u32::from(lane) << (8 * plane);
            }
        }
        let decoded = cycle + MM_OPERAND_LATENCY;
        self.faults.count(decoded, found, origin);
    }

    /// Drives the byte planes of a result, with its event and the fault of a collision.
    pub fn drive_planes(
        &mut self,
        cycle: u64,
        position: usize,
        source: Source,
        result: &Result,
        events: &mut impl Observe,
    ) {
        let vectors = result.vectors();
        for (stream, vector) in planes(result.stream, result.planes).zip(vectors) {
            if self.streams.drive(cycle, position, stream, &vector) {
                let code = FaultCode::StreamCollision;
                self.faults.record(cycle, code, result.origin);
            }
            events.see(|| Event {
                cycle,
                effect: Effect::Drive {
                    source,
                    stream,
                    vector,
                },
                origin: Some(result.origin),
            });
        }
    }
}

/// A result on its way to the streams.
#[derive(Clone, Copy, Debug)]
pub struct Result {
    pub stream: Stream,
    pub planes: usize,
    pub lanes: usize,
    pub words: Words,
    pub origin: Origin,
}

impl Result {
    /// The byte planes, encoded.
    fn vectors(&self) -> impl Iterator<Item = Vector> + '_ {
        (0..self.planes).map(|plane| {
            let bytes = self.words.map(|word| (word >> (8 * plane)) as u8);
            Vector::encode(&bytes[..self.lanes])
        })
    }
}
