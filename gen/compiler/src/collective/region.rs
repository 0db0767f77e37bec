//! Where word vectors lie.

use crate::alu::PLANES;
use crate::place::{Place, Room};

/// Slices of the planes of a word, from `first` on: planes that are read one after the other for a link leave cycles in which all four are read for a pass the
/// other way.
pub fn interleaved(first: usize) -> [usize; PLANES] {
    [0, 2, 1, 3].map(|i| first + i)
}

/// Word vectors in SRAM: of word v the planes lie at the places of class v modulo the classes, `stride` v / classes behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub classes: Vec<[Place; PLANES]>,
    pub stride: usize,
}

impl Region {
    /// Words whose planes follow each other in one slice.
    pub fn packed(room: &mut Room, slice: usize, words: usize) -> Self {
        let Place { slice, address } = room.take(slice, words * PLANES);
        let place = |plane| Place {
            slice,
            address: address + plane,
        };
        Self {
            classes: vec![[0, 1, 2, 3].map(place)],
            stride: PLANES,
        }
    }

    /// Words whose planes lie in slices of their own; the slices of each class.
    pub fn spread(room: &mut Room, classes: &[[usize; PLANES]], words: usize) -> Self {
        let each = words.div_ceil(classes.len());
        let take = |slices: &[usize; PLANES]| slices.map(|slice| room.take(slice, each));
        Self {
            classes: classes.iter().map(take).collect(),
            stride: 1,
        }
    }

    /// Where plane `plane` of word `word` lies.
    pub fn place(&self, word: usize, plane: usize) -> Place {
        let Place { slice, address } = self.classes[word % self.classes.len()][plane];
        Place {
            slice,
            address: address + word / self.classes.len() * self.stride,
        }
    }
}
