//! Matrices to SRAM vectors and back.

use super::format::{BLOCK, Operand};
use super::place::{Activations, Placement, Results, Weights};
use super::plan::{Plan, Shape};
use crate::CompileError;

/// A vector of SRAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// MEM slice.
    pub slice: usize,
    /// Address in the slice.
    pub address: usize,
    /// One byte for each lane.
    pub bytes: Vec<u8>,
}

/// Where the matrices of a product are.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(super) lanes: usize,
    pub(super) slices: usize,
    pub(super) depth: usize,
    pub(super) shape: Shape,
    pub(super) plan: Plan,
    pub(super) placement: Placement,
}

/// Element (row, column) of a row-major matrix, zero outside of it.
fn element(matrix: &[u8], rows: usize, columns: usize, row: usize, column: usize) -> u8 {
    match row < rows && column < columns {
        true => matrix[row * columns + column],
        false => 0,
    }
}

fn expect(
    matrix: &'static str,
    found: usize,
    rows: usize,
    columns: usize,
) -> Result<(), CompileError> {
    let expected = rows * columns;
    if found == expected {
        return Ok(());
    }
    Err(CompileError::Elements {
        matrix,
        rows,
        columns,
        expected,
        found,
    })
}

impl Layout {
    /// Addresses (slice, address) of the SRAM vectors that will hold the result, in no useful order.
    pub fn result_vectors(&self) -> impl Iterator<Item = (usize, usize)> {
        let vectors = |results: &Results| {
            let count = results.n.len() * self.plan.rows[results.pass].len();
            let planes = results.planes.clone().into_iter();
            planes.flat_map(move |(slice, first)| (0..count).map(move |i| (slice, first + i)))
        };
        self.placement.results.iter().flat_map(vectors)
    }

    pub(super) fn pack(&self, a: Operand, b: Operand) -> Result<Vec<Vector>, CompileError> {
        let Shape { m, k, n, format } = self.shape;
        expect("left", a.elements.len(), m, k)?;
        expect("right", b.elements.len(), k, n)?;
        let blocks = if format.scaled() {
            k.div_ceil(BLOCK)
        } else {
            0
        };
        expect("left scale", a.scales.len(), m, blocks)?;
        expect("right scale", b.scales.len(), blocks, n)?;
        let mut vectors = Vec::new();
        let byte = |row, byte| self.byte(|k_index| element(a.elements, m, k, row, k_index), byte);
        self.pack_activations(&self.placement.activations, byte, &mut vectors);
        let of_tile = self.lanes / 8;
        let scale = |row, byte: usize| match byte % self.lanes < of_tile {
            true => {
                let block = byte / self.lanes * of_tile + byte % self.lanes;
                element(a.scales, m, blocks, row, block)
            }
            false => 0,
        };
        self.pack_activations(&self.placement.scales, scale, &mut vectors);
        let tiles = self.tile_order();
        for segment in &self.placement.weights {
            self.pack_weights(b, segment, &tiles, &mut vectors);
        }
        Ok(vectors)
    }

    /// Byte `byte` along k of a matrix of which `element` gives the elements along k.
    fn byte(&self, element: impl Fn(usize) -> u8, byte: usize) -> u8 {
        match self.shape.format.packed() {
            1 => element(byte),
            // The earlier element lies in the low four bits.
            _ => element(2 * byte) & 15 | element(2 * byte + 1) << 4,
        }
    }

    /// A vector for each row and k tile, of which `byte` gives each row's bytes along k.
    fn pack_activations(
        &self,
        segments: &[Activations],
        byte: impl Fn(usize, usize) -> u8,
        vectors: &mut Vec<Vector>,
    ) {
        for segment in segments {
            let rows = &self.plan.rows[segment.pass];
            let places = segment
                .k
                .clone()
                .flat_map(|tile| rows.clone().map(move |row| (tile, row)));
            for (i, (tile, row)) in places.enumerate() {
                let columns = tile * self.lanes..(tile + 1) * self.lanes;
                vectors.push(Vector {
                    slice: segment.slice,
                    address: segment.address + i,
                    bytes: columns.map(|column| byte(row, column)).collect(),
                });
            }
        }
    }

    /// (n step, k tile) of every tile step of a pass.
    fn tile_order(&self) -> Vec<(usize, usize)> {
        let plan = &self.plan;
        let chunk = |n: &std::ops::Range<usize>, k: &std::ops::Range<usize>| {
            let k = k.clone();
            n.clone().flat_map(move |n| k.clone().map(move |k| (n, k)))
        };
        let chunks = plan
            .n
            .iter()
            .flat_map(|n| plan.k.iter().map(move |k| (n, k)));
        chunks.flat_map(|(n, k)| chunk(n, k)).collect()
    }

    fn pack_weights(
        &self,
        b: Operand,
        segment: &Weights,
        tiles: &[(usize, usize)],
        vectors: &mut Vec<Vector>,
    ) {
        let Shape { k, n, format, .. } = self.shape;
        let (plan, lanes) = (&self.plan, self.lanes);
        let weight = |row: usize, column| {
            self.byte(|k_index| element(b.elements, k, n, k_index, column), row)
        };
        let (blocks, of_tile) = (k.div_ceil(BLOCK), lanes / 8);
        let (plane, i) = (segment.class / plan.streams, segment.class % plan.streams);
        let mut address = segment.address;
        for &(n_step, k_tile) in &tiles[segment.tiles.clone()] {
            let first = (n_step * plan.planes + plane) * self.lanes;
            for part in 0..plan.burst {
                // Rows of weights, then of scales; the last LW may take fewer streams than there are.
                let row = part * plan.streams + i;
                let byte = |column| match row.checked_sub(lanes) {
                    None => weight(k_tile * lanes + row, column),
                    Some(block) if format.scaled() && block < of_tile => {
                        element(b.scales, blocks, n, k_tile * of_tile + block, column)
                    }
                    Some(_) => 0,
                };
                vectors.push(Vector {
                    slice: segment.slice,
                    address,
                    bytes: (first..first + lanes).map(byte).collect(),
                });
                address += 1;
            }
        }
    }

    pub(super) fn images(&self, a: Operand, b: Operand) -> Result<Vec<Vec<u8>>, CompileError> {
        let mut images = vec![vec![0; self.depth * self.lanes]; self.slices];
        for vector in self.pack(a, b)? {
            let first = vector.address * self.lanes;
            images[vector.slice][first..first + self.lanes].copy_from_slice(&vector.bytes);
        }
        Ok(images)
    }

    pub(super) fn unpack<'a>(&self, read: impl Fn(usize, usize) -> &'a [u8]) -> Vec<i32> {
        let Shape { m, n, .. } = self.shape;
        let mut c = vec![0u32; m * n];
        for segment in &self.placement.results {
            let rows = &self.plan.rows[segment.pass];
            for (i, &(slice, first)) in segment.planes.iter().enumerate() {
                let (plane, byte) = (i / 4, i % 4);
                let places = segment
                    .n
                    .clone()
                    .flat_map(|n| rows.clone().map(move |row| (n, row)));
                for (offset, (n_step, row)) in places.enumerate() {
                    let column = (n_step * self.plan.planes + plane) * self.lanes;
                    let lanes = n.saturating_sub(column).min(self.lanes);
                    let vector = read(slice, first + offset);
                    for (lane, value) in vector.iter().take(lanes).enumerate() {
                        c[row * n + column + lane] |= u32::from(*value) << (8 * byte);
                    }
                }
            }
        }
        c.into_iter().map(|value| value as i32).collect()
    }
}
