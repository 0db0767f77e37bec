//! Tensors of word vectors: which lane holds which element, and in which slices.

use crate::alu::PLANES;
use crate::matmul::Vector;
use crate::place::Place;
use lpu_isa::descriptor::{Format, ResultFormat};

/// What a lane of a vector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// FP32, four planes.
    Fp32,
    /// int32, four planes.
    Int32,
    /// int8, one plane.
    Int8,
    /// E4M3, one plane.
    E4m3,
    /// E2M1 in the low half of a byte, one plane; a result only.
    E2m1,
}

impl Element {
    /// Byte planes, which is slices and streams.
    pub const fn planes(self) -> usize {
        match self {
            Self::Fp32 | Self::Int32 => PLANES,
            _ => 1,
        }
    }

    /// As an operand of a pass.
    pub fn operand(self) -> Format {
        match self {
            Self::Fp32 => Format::Fp32,
            Self::Int32 => Format::Int32,
            Self::Int8 => Format::Int8,
            Self::E4m3 => Format::E4m3,
            Self::E2m1 => unreachable!("no pass takes E2M1"),
        }
    }

    /// As the result of a pass.
    pub const fn result(self) -> ResultFormat {
        match self {
            Self::Fp32 => ResultFormat::Fp32,
            Self::Int32 => ResultFormat::Int32,
            Self::Int8 => ResultFormat::Int8,
            Self::E4m3 => ResultFormat::E4m3,
            Self::E2m1 => ResultFormat::E2m1,
        }
    }
}

/// Which element of a row-major matrix a lane of a vector holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Each row fills ceil(columns / L) vectors, its last one padded.
    OverLanes {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// Each lane holds a row: a tile of L rows has one vector for each column.
    PerLane {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// Every lane of vector i holds element i.
    Splat {
        /// Elements.
        count: usize,
    },
}

impl Arrangement {
    /// Vectors.
    pub const fn vectors(self, lanes: usize) -> usize {
        match self {
            Self::OverLanes { rows, columns } => rows * columns.div_ceil(lanes),
            Self::PerLane { rows, columns } => rows.div_ceil(lanes) * columns,
            Self::Splat { count } => count,
        }
    }

    /// Elements.
    pub const fn elements(self) -> usize {
        match self {
            Self::OverLanes { rows, columns } | Self::PerLane { rows, columns } => rows * columns,
            Self::Splat { count } => count,
        }
    }

    /// The element in a lane of a vector; `None` in the padding.
    pub fn element(self, lanes: usize, vector: usize, lane: usize) -> Option<usize> {
        match self {
            Self::OverLanes { columns, .. } => {
                let of_row = columns.div_ceil(lanes);
                let column = vector % of_row * lanes + lane;
                (column < columns).then_some(vector / of_row * columns + column)
            }
            Self::PerLane { rows, columns } => {
                let row = vector / columns * lanes + lane;
                (row < rows).then_some(row * columns + vector % columns)
            }
            Self::Splat { .. } => Some(vector),
        }
    }
}

/// A tensor in SRAM: vector i of plane b is i behind the plane's place.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    /// Where its byte planes are; those that the element does not have mean nothing.
    pub planes: [Place; PLANES],
    /// What its lanes are.
    pub element: Element,
    /// The eastward stream on which its first plane is read; the others follow. Tensors that share slices may share streams, others must not.
    pub stream: u8,
}

impl Tensor {
    /// The planes that it has.
    pub fn places(&self) -> &[Place] {
        &self.planes[..self.element.planes()]
    }
}

/// A tensor that the host fills or reads.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub tensor: Tensor,
    pub arrangement: Arrangement,
    /// What the padding lanes hold.
    pub padding: u32,
    pub lanes: usize,
}

impl Bound {
    /// The vectors of its planes, from words in row-major order (bytes in the low bits).
    pub fn pack(&self, words: &[u32]) -> Vec<Vector> {
        let vectors = 0..self.arrangement.vectors(self.lanes);
        let of_vector = |vector| {
            let word = move |lane| {
                let element = self.arrangement.element(self.lanes, vector, lane);
                element.map_or(self.padding, |index| words[index])
            };
            let planes = self.tensor.places().iter().enumerate();
            planes.map(move |(byte, place)| {
                let bytes = (0..self.lanes).map(|lane| (word(lane) >> (8 * byte)) as u8);
                place.vector(vector, bytes.collect())
            })
        };
        vectors.flat_map(of_vector).collect()
    }

    /// Slice and address of its vectors.
    pub fn vectors(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let vectors = self.arrangement.vectors(self.lanes);
        let places = self.tensor.places().iter();
        places.flat_map(move |place| (0..vectors).map(|i| (place.slice, place.address + i)))
    }

    /// Its words in row-major order; `read` gives the vector at an address of a slice.
    pub fn unpack<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Vec<u32> {
        let mut words = vec![0; self.arrangement.elements()];
        for (byte, place) in self.tensor.places().iter().enumerate() {
            for vector in 0..self.arrangement.vectors(self.lanes) {
                let bytes = read(place.slice, place.address + vector);
                for (lane, &value) in bytes.iter().enumerate() {
                    if let Some(index) = self.arrangement.element(self.lanes, vector, lane) {
                        words[index] |= u32::from(value) << (8 * byte);
                    }
                }
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrangement, Bound, Element, Tensor};
    use crate::place::Place;

    #[test]
    fn what_is_packed_comes_back() {
        let (rows, columns, lanes) = (11, 21, 8);
        let arrangements = [
            Arrangement::OverLanes { rows, columns },
            Arrangement::PerLane { rows, columns },
        ];
        for arrangement in arrangements {
            let planes = [0, 1, 2, 3].map(|slice| Place { slice, address: 5 });
            let bound = Bound {
                tensor: Tensor {
                    planes,
                    element: Element::Fp32,
                    stream: 0,
                },
                arrangement,
                padding: 7,
                lanes,
            };
            let words: Vec<u32> = (0..231).map(|i| i * 0x0102_0408).collect();
            let vectors = bound.pack(&words);
            assert_eq!(vectors.len(), bound.vectors().count());
            let read = |slice, address| {
                let found = vectors
                    .iter()
                    .find(|v| (v.slice, v.address) == (slice, address));
                found.expect("a packed vector").bytes.as_slice()
            };
            assert_eq!(bound.unpack(&read), words);
        }
    }
}
