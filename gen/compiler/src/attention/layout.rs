//! Where the tensors of attention are in SRAM.

use super::Shape;
use super::plan::Plan;
use crate::CompileError;
use crate::alu::PLANES;
use crate::matmul::Vector;
use crate::place::{Place, Room};
use lpu_isa::Config;

/// Where the tensors are.
#[derive(Clone, Debug)]
pub struct Layout {
    lanes: usize,
    shape: Shape,
    streams: usize,
    /// Queries, by class: tile (head, query tile, element tile) after tile, L / c vectors each.
    pub(super) queries: Vec<Place>,
    /// Keys of each head of keys: (element tile, key).
    pub(super) keys: Vec<Place>,
    /// Values of each head of keys: (key tile, ones then elements).
    pub(super) values: Vec<Place>,
    /// Masks 1 to L - 1: lane i is 1 if i is at least that.
    pub(super) masks: Place,
    /// Byte planes of the scores of each buffer.
    pub(super) scores: Vec<[Place; PLANES]>,
    /// Softmax weights of each buffer, plane and class.
    pub(super) weights: Vec<Vec<Vec<Place>>>,
    /// Byte planes of the result: (head, query tile, element).
    pub(super) outputs: [Place; PLANES],
    padded_keys: usize,
}

impl Layout {
    pub(super) fn new(config: &Config, plan: &Plan) -> Result<Self, CompileError> {
        let shape = plan.shape;
        let mut room = Room::new(config);
        let tiles = shape.heads * plan.query_tiles();
        let [first, second] = plan.operand_slices;
        let queries = plan.weight_slices[0]
            .iter()
            .map(|&slice| room.take(slice, tiles * plan.dim_tiles() * plan.burst()))
            .collect();
        let padded_keys = plan.key_tiles() * plan.lanes;
        let weights = (0..plan.buffers)
            .map(|_| {
                let classes = |slices: &Vec<usize>| {
                    let place = |&slice| room.take(slice, padded_keys / plan.streams);
                    slices.iter().map(place).collect()
                };
                plan.weight_slices.iter().map(classes).collect()
            })
            .collect();
        let scores = (0..plan.buffers)
            .map(|_| plan.score_slices.map(|slice| room.take(slice, shape.keys)))
            .collect();
        let outputs = plan
            .output_slices
            .map(|slice| room.take(slice, tiles * shape.dim));
        let masks = match shape.causal {
            true => room.take(first, plan.lanes),
            false => room.take(first, 0),
        };
        let keys = (0..shape.kv_heads)
            .map(|_| room.either([first, second], plan.dim_tiles() * shape.keys))
            .collect();
        let values = (0..shape.kv_heads)
            .map(|_| room.either([second, first], plan.key_tiles() * (shape.dim + 1)))
            .collect();
        room.check()?;
        Ok(Self {
            lanes: plan.lanes,
            shape,
            streams: plan.streams,
            queries,
            keys,
            values,
            masks,
            scores,
            weights,
            outputs,
            padded_keys,
        })
    }

    pub fn pack(&self, q: &[i8], k: &[i8], v: &[i8]) -> Vec<Vector> {
        let shape = self.shape;
        let mut vectors = Vec::new();
        self.pack_queries(q, &mut vectors);
        self.pack_keys(k, &mut vectors);
        self.pack_values(v, &mut vectors);
        if shape.causal {
            let mask = |first| (0..self.lanes).map(move |lane| u8::from(lane >= first));
            let bytes = |first| mask(first).collect();
            vectors.extend((0..self.lanes).map(|first| self.masks.vector(first, bytes(first))));
        }
        // Rows past the last key meet values of zero, and must be words all the same.
        for place in self.weights.iter().flatten().flatten() {
            let padding = (0..self.padded_keys / self.streams).rev();
            let rows = padding.take_while(|row| (row + 1) * self.streams > shape.keys);
            vectors.extend(rows.map(|row| place.vector(row, vec![0; self.lanes])));
        }
        vectors
    }

    fn pack_queries(&self, q: &[i8], vectors: &mut Vec<Vector>) {
        let Shape {
            queries,
            heads,
            dim,
            ..
        } = self.shape;
        let lanes = self.lanes;
        let burst = lanes / self.streams;
        let tiles = (queries.div_ceil(lanes), dim.div_ceil(lanes));
        for tile in 0..heads * tiles.0 * tiles.1 {
            let (head, query, element) = (
                tile / tiles.1 / tiles.0,
                tile / tiles.1 % tiles.0,
                tile % tiles.1,
            );
            for row in 0..lanes {
                let i = query * lanes + row;
                let elements = (element * lanes..).take(lanes);
                let byte = |d| match i < queries && d < dim {
                    true => q[(head * queries + i) * dim + d] as u8,
                    false => 0,
                };
                let place = self.queries[row % self.streams];
                let at = tile * burst + row / self.streams;
                vectors.push(place.vector(at, elements.map(byte).collect()));
            }
        }
    }

    fn pack_keys(&self, k: &[i8], vectors: &mut Vec<Vector>) {
        let Shape { keys, dim, .. } = self.shape;
        for (head, place) in self.keys.iter().enumerate() {
            for tile in 0..dim.div_ceil(self.lanes) {
                for key in 0..keys {
                    let row = &k[(head * keys + key) * dim..][..dim];
                    let part = row.iter().skip(tile * self.lanes).take(self.lanes);
                    let mut bytes: Vec<u8> = part.map(|&byte| byte as u8).collect();
                    bytes.resize(self.lanes, 0);
                    vectors.push(place.vector(tile * keys + key, bytes));
                }
            }
        }
    }

    fn pack_values(&self, v: &[i8], vectors: &mut Vec<Vector>) {
        let Shape { keys, dim, .. } = self.shape;
        for (head, place) in self.values.iter().enumerate() {
            for tile in 0..keys.div_ceil(self.lanes) {
                let of_tile = (tile * self.lanes..).take(self.lanes);
                let column = |value: &dyn Fn(usize) -> u8| {
                    let byte = |key| if key < keys { value(key) } else { 0 };
                    of_tile.clone().map(byte).collect()
                };
                let first = tile * (dim + 1);
                vectors.push(place.vector(first, column(&|_| 1)));
                vectors.extend((0..dim).map(|d| {
                    let value = |key| v[(head * keys + key) * dim + d] as u8;
                    place.vector(first + 1 + d, column(&value))
                }));
            }
        }
    }

    pub fn result_vectors(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let vectors = self.shape.heads * self.shape.queries.div_ceil(self.lanes) * self.shape.dim;
        let places = self.outputs.into_iter();
        places.flat_map(move |place| (0..vectors).map(move |i| (place.slice, place.address + i)))
    }

    pub fn unpack<'a>(&self, read: impl Fn(usize, usize) -> &'a [u8]) -> Vec<u32> {
        let Shape {
            queries,
            heads,
            dim,
            ..
        } = self.shape;
        let tiles = queries.div_ceil(self.lanes);
        let mut result = vec![0; heads * queries * dim];
        for (byte, place) in self.outputs.iter().enumerate() {
            for vector in 0..heads * tiles * dim {
                let (head, tile, d) = (vector / dim / tiles, vector / dim % tiles, vector % dim);
                let first = tile * self.lanes;
                let lanes = read(place.slice, place.address + vector);
                let visible = (first..queries).zip(lanes);
                for (query, &value) in visible {
                    result[(head * queries + query) * dim + d] |= u32::from(value) << (8 * byte);
                }
            }
        }
        result
    }
}
