//! Lanes of any bit position and skew to frames.

use super::frame::{Decoded, Decoder, Flit};
use lpu_isa::c2c::{LANE_BITS, Shape, marker};

/// Finds the frames in what a PHY delivers and decodes them.
///
/// It knows the whole past, so it finds each lane's markers by looking: a lane starts where its marker stands twice, a
/// frame apart.
#[derive(Clone, Debug)]
pub struct Receiver {
    shape: Shape,
    decoder: Decoder,
    /// Bits of each lane that no frame has used.
    lanes: Vec<Vec<bool>>,
    aligned: bool,
}

impl Receiver {
    /// A receiver that has seen nothing.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            decoder: Decoder::new(shape),
            lanes: vec![vec![]; shape.lanes()],
            aligned: false,
        }
    }

    /// Whether frames have been found.
    pub const fn aligned(&self) -> bool {
        self.aligned
    }

    /// Takes a word of the PHY; a frame, when one is complete.
    ///
    /// Lanes whose markers are a frame or more apart are not joined: they start with the markers that lie closest.
    pub fn take(&mut self, word: &[u64]) -> Option<Decoded> {
        self.words(word).map(|words| self.decoder.decode(&words))
    }

    /// Takes a word of the PHY; the words of a frame, as they came, when one is complete.
    pub fn words(&mut self, word: &[u64]) -> Option<Vec<Flit>> {
        for (bits, lane) in self.lanes.iter_mut().zip(word) {
            bits.extend((0..LANE_BITS).map(|i| lane >> i & 1 == 1));
        }
        let frame = LANE_BITS * self.shape.frame();
        if !self.aligned {
            self.align(2 * frame);
        }
        if !self.aligned || self.lanes.iter().any(|bits| bits.len() < frame) {
            return None;
        }
        let word = |bits: &[bool], w: usize| {
            let bits = bits[LANE_BITS * w..][..LANE_BITS].iter().enumerate();
            bits.fold(0, |word, (i, &bit)| word | u64::from(bit) << i)
        };
        let words: Vec<Flit> = (0..self.shape.frame())
            .map(|w| self.lanes.iter().map(|bits| word(bits, w)).collect())
            .collect();
        self.lanes.iter_mut().for_each(|bits| {
            bits.drain(..frame);
        });
        Some(words)
    }

    /// Drops what is before the first marker of each lane, once every lane has two.
    fn align(&mut self, enough: usize) {
        if self.lanes.iter().any(|bits| bits.len() < 2 * enough) {
            return;
        }
        let frame = LANE_BITS * self.shape.frame();
        let is_marker = |bits: &[bool], at: usize, lane: usize| {
            let expected = marker(lane);
            (0..LANE_BITS).all(|i| bits[at + i] == (expected >> i & 1 == 1))
        };
        let starts = self.lanes.iter().enumerate().map(|(lane, bits)| {
            (0..frame).find(|&at| is_marker(bits, at, lane) && is_marker(bits, at + frame, lane))
        });
        let Some(mut starts) = starts.collect::<Option<Vec<usize>>>() else {
            // Not a marker yet: forget a word and go on.
            self.lanes.iter_mut().for_each(|bits| {
                bits.drain(..LANE_BITS);
            });
            return;
        };
        // Skew is below half a frame: a lane that seems earlier by more is one frame ahead.
        let latest = starts.iter().copied().max().unwrap_or(0);
        for start in &mut starts {
            if latest - *start > frame / 2 {
                *start += frame;
            }
        }
        for (bits, start) in self.lanes.iter_mut().zip(starts) {
            bits.drain(..start);
        }
        self.aligned = true;
    }
}
