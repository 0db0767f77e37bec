//! Where the tensors of a kernel are.

use super::tensor::{Bound, Tensor};
use super::{Arrangement, Element, Shape, Spread};
use crate::alu::PLANES;
use crate::place::{Place, Room};

/// Gives tensors their places.
pub struct Placer<'a> {
    pub shape: Shape,
    pub spread: Spread,
    pub lanes: usize,
    /// Slices of A and of B.
    pub slices: [[usize; PLANES]; 2],
    pub room: &'a mut Room,
}

/// The part of a tensor's name that says where it lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    A,
    B,
}

impl Placer<'_> {
    pub fn place(&mut self, arrangement: Arrangement, element: Element, side: Side) -> Bound {
        let vectors = arrangement.vectors(self.lanes);
        let slices = self.slices[usize::from(side == Side::B)];
        // One plane lies in the nearest slice.
        let first = PLANES - element.planes();
        let mut planes = [0, 1, 2, 3].map(|plane| (first + plane).min(PLANES - 1));
        planes.sort_unstable();
        let mut places = planes.map(|plane| Place {
            slice: slices[plane],
            address: 0,
        });
        for place in places.iter_mut().take(element.planes()) {
            *place = self.room.take(place.slice, vectors);
        }
        // Each slice has a stream of its own.
        let beside = side == Side::B && self.slices[0] != self.slices[1];
        let stream = if beside { PLANES } else { 0 } + first;
        Bound {
            tensor: Tensor {
                planes: places,
                element,
                stream: stream as u8,
            },
            arrangement,
            padding: 0,
            lanes: self.lanes,
        }
    }

    /// A matrix whose rows lie as those of the kernel.
    pub fn rows(&mut self, rows: usize, columns: usize, element: Element, side: Side) -> Bound {
        let arrangement = match self.spread {
            Spread::OverLanes => Arrangement::OverLanes { rows, columns },
            Spread::PerLane => Arrangement::PerLane { rows, columns },
        };
        self.place(arrangement, element, side)
    }

    pub fn matrix(&mut self, element: Element, side: Side) -> Bound {
        self.rows(self.shape.rows, self.shape.columns, element, side)
    }

    /// One number for each column.
    pub fn column(&mut self) -> Bound {
        let columns = self.shape.columns;
        let arrangement = match self.spread {
            Spread::OverLanes => Arrangement::OverLanes { rows: 1, columns },
            Spread::PerLane => Arrangement::Splat { count: columns },
        };
        self.place(arrangement, Element::Fp32, Side::B)
    }

    /// One number for each row.
    pub fn per_row(&mut self) -> Bound {
        let rows = self.shape.rows;
        let arrangement = match self.spread {
            Spread::OverLanes => Arrangement::Splat { count: rows },
            Spread::PerLane => Arrangement::OverLanes {
                rows: 1,
                columns: rows,
            },
        };
        self.place(arrangement, Element::Fp32, Side::A)
    }
}
