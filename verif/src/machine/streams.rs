//! Stream cells as values in flight.
//!
//! Every hop takes one cycle, so the cell a value is in and the cycle determine each other: an eastward
//! value seen by unit i in cycle t is the one seen by unit i+1 in t+1. All these (unit, cycle) pairs form
//! a diagonal, and a stream holds one value per diagonal:
//!
//! ```text
//! eastward:  t + n - i      westward:  t + i        (i the place of the unit, n that of the MXM)
//! ```
//!
//! A unit samples and drives on the same diagonal in one cycle: what it drives replaces what it sees, for
//! the units downstream. Nothing moves, and a lookup is an index.

use crate::Vector;
use lpu_isa::{Config, Stream};

const EMPTY: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
struct Cell {
    diagonal: u64,
    vector: Vector,
}

/// All streams of a machine.
///
/// A *place* is a position, counted from the C2C unit in the west: 0 is that unit, 1 is MEM 0.
#[derive(Clone, Debug)]
pub struct Streams {
    /// Place of the matrix unit.
    last: u64,
    streams: usize,
    /// Diagonals kept for a stream: a power of two above the number of cells.
    window: usize,
    cells: Vec<Cell>,
}

impl Streams {
    /// Streams whose cells are all invalid.
    pub fn new(config: &Config) -> Self {
        let window = (config.mxm_position() + 3).next_power_of_two();
        let empty = Cell {
            diagonal: EMPTY,
            vector: Vector::default(),
        };
        Self {
            last: config.mxm_position() as u64 + 1,
            streams: config.streams,
            window,
            cells: vec![empty; 2 * config.streams * window],
        }
    }

    /// Makes all cells invalid.
    pub fn clear(&mut self) {
        for cell in &mut self.cells {
            cell.diagonal = EMPTY;
        }
    }

    /// Index of the cell that the unit at `place` sees in `cycle`, and its diagonal.
    fn locate(&self, cycle: u64, place: usize, stream: Stream) -> Option<(usize, u64)> {
        let index = stream.index as usize;
        if index >= self.streams {
            return None;
        }
        let (diagonal, row) = if stream.westward {
            (cycle + place as u64, self.streams + index)
        } else {
            (cycle + self.last - place as u64, index)
        };
        let column = diagonal as usize & (self.window - 1);
        Some((row * self.window + column, diagonal))
    }

    /// What the unit at `position` sees on `stream` in `cycle`, if it is valid.
    pub fn sample(&self, cycle: u64, position: usize, stream: Stream) -> Option<&Vector> {
        self.at(cycle, position + 1, stream)
    }

    /// What the C2C unit sees on `stream` in `cycle`, if it is valid.
    pub fn sample_west_end(&self, cycle: u64, stream: Stream) -> Option<&Vector> {
        self.at(cycle, 0, stream)
    }

    fn at(&self, cycle: u64, place: usize, stream: Stream) -> Option<&Vector> {
        let (index, diagonal) = self.locate(cycle, place, stream)?;
        let cell = &self.cells[index];
        (cell.diagonal == diagonal).then_some(&cell.vector)
    }

    /// The C2C unit drives `stream` in `cycle`, into which nothing flows.
    pub fn drive_west_end(&mut self, cycle: u64, stream: Stream, vector: &Vector) {
        self.put(cycle, 0, stream, vector);
    }

    /// The unit at `position` drives `stream` in `cycle`. Returns whether a valid value flowed in.
    pub fn drive(&mut self, cycle: u64, position: usize, stream: Stream, vector: &Vector) -> bool {
        self.put(cycle, position + 1, stream, vector)
    }

    fn put(&mut self, cycle: u64, place: usize, stream: Stream, vector: &Vector) -> bool {
        let Some((index, diagonal)) = self.locate(cycle, place, stream) else {
            return false;
        };
        let cell = &mut self.cells[index];
        let collision = cell.diagonal == diagonal;
        cell.diagonal = diagonal;
        cell.vector = *vector;
        collision
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The contract's register equations, cell by cell, for one stream of each direction.
    struct Registers {
        east: Vec<Option<u8>>,
        west: Vec<Option<u8>>,
    }

    impl Registers {
        fn seen(&self, unit: usize, westward: bool) -> Option<u8> {
            let cell = if westward {
                self.west.get(unit + 1)
            } else {
                unit.checked_sub(1).and_then(|i| self.east.get(i))
            };
            cell.copied().flatten()
        }

        fn step(&mut self, drives: &[(usize, bool, u8)]) {
            let this = &*self;
            let next = |westward, cells: usize| {
                (0..cells).map(move |i| {
                    let drive = drives.iter().find(|d| (d.0, d.1) == (i, westward));
                    drive.map_or_else(|| this.seen(i, westward), |d| Some(d.2))
                })
            };
            let east = next(false, self.east.len()).collect();
            let west = next(true, self.west.len()).collect();
            (self.east, self.west) = (east, west);
        }
    }

    proptest! {
        #[test]
        fn diagonals_equal_shift_registers(
            slices in 1usize..7,
            drives in prop::collection::vec(prop::collection::vec((0usize..8, any::<bool>(), any::<u8>()), 0..3), 1..60),
        ) {
            let mut config = Config::preset("nano").unwrap();
            config.mem.slices = slices;
            let mut streams = Streams::new(&config);
            let mut registers = Registers { east: vec![None; slices], west: vec![None; slices + 1] };
            for (cycle, mut drives) in drives.into_iter().enumerate() {
                let cycle = cycle as u64;
                drives.retain(|&(unit, westward, _)| unit < slices || (westward && unit == slices));
                drives.sort();
                drives.dedup_by_key(|d| (d.0, d.1));
                for unit in 0..=slices {
                    for westward in [false, true] {
                        let stream = Stream { westward, index: 3 };
                        let seen = streams.sample(cycle, unit, stream).map(|v| v.lane(0));
                        prop_assert_eq!(seen, registers.seen(unit, westward));
                    }
                }
                for &(unit, westward, value) in &drives {
                    let stream = Stream { westward, index: 3 };
                    let vector = Vector::encode(&[value; 8]);
                    let collision = streams.drive(cycle, unit, stream, &vector);
                    prop_assert_eq!(collision, registers.seen(unit, westward).is_some());
                }
                registers.step(&drives);
            }
        }
    }
}
