//! What the host writes before a launch and reads after it.

use super::super::plan::Plan;
use super::super::tiles::Tiles;
use super::super::{Entry, Inputs, LayerWeights, Matrix, Token, Weights};
use super::{Cache, Layer, Layout, Network, Product, Words, spare};
use crate::CompileError;
use crate::alu::PLANES;
use crate::matmul::Vector;
use crate::place::Place;

impl Layer {
    /// Keys and values.
    fn caches(&self) -> [&Cache; 2] {
        let attention = self.attention.as_ref().expect("whole layers");
        [&attention.keys, &attention.values]
    }
}

impl Layout {
    fn tile_bytes(tile: &[Option<usize>], byte: impl Fn(usize) -> u8) -> Vec<u8> {
        tile.iter()
            .map(|element| element.map_or(0, &byte))
            .collect()
    }

    /// Byte planes of a tile of words.
    fn pack_words(
        vectors: &mut Vec<Vector>,
        words: &Words,
        index: usize,
        tile: &[Option<usize>],
        word: impl Fn(usize) -> u32,
    ) {
        for (plane, place) in words.iter().enumerate() {
            let byte = |element| word(element).to_le_bytes()[plane];
            vectors.push(place.vector(index, Self::tile_bytes(tile, byte)));
        }
    }

    fn pack_product(
        &self,
        vectors: &mut Vec<Vector>,
        product: &Product,
        [inputs, outputs]: [&Tiles; 2],
        matrix: &Matrix<'_>,
    ) {
        let streams = self.plan.streams;
        let mut first = 0;
        for (local, &output) in product.outputs.iter().enumerate() {
            let columns = outputs.tile(output);
            Self::pack_words(vectors, &product.factors, local, columns, |n| {
                matrix.factors[n]
            });
            for input in 0..inputs.len() {
                for (row, &k) in inputs.tile(input).iter().enumerate() {
                    let byte = |n: usize| k.map_or(0, |k| matrix.rows[n][k] as u8);
                    let bytes = Self::tile_bytes(columns, byte);
                    let place = product.weights[row % streams];
                    vectors.push(place.vector(first + row / streams, bytes));
                }
                first += self.plan.burst();
            }
        }
    }

    pub(in super::super) fn pack_network(
        &self,
        vectors: &mut Vec<Vector>,
        network: &Network,
        [gate, up, down]: [&Matrix<'_>; 3],
    ) {
        let Plan { width, hidden, .. } = &self.plan;
        self.pack_product(vectors, &network.gate, [width, hidden], gate);
        self.pack_product(vectors, &network.up, [width, hidden], up);
        self.pack_product(vectors, &network.down, [hidden, width], down);
    }

    /// Rows of x.
    pub(in super::super) fn pack_rows(&self, vectors: &mut Vec<Vector>, rows: &[&[u32]]) {
        let (plan, shape) = (&self.plan, self.shape());
        assert_eq!(rows.len(), shape.sequences, "a row for each sequence");
        for (sequence, row) in rows.iter().enumerate() {
            assert_eq!(row.len(), shape.width, "d numbers in a row");
            for tile in 0..plan.width.len() {
                let index = sequence * plan.width.len() + tile;
                Self::pack_words(vectors, &self.x, index, plan.width.tile(tile), |k| row[k]);
            }
        }
    }

    /// Weights and vectors B. Vectors not listed may hold anything, but those of the cache must have been written once.
    pub fn pack(&self, weights: &Weights<'_>) -> Result<Vec<Vector>, CompileError> {
        weights.check(self.shape())?;
        let Plan {
            width,
            queries,
            keys,
            vocabulary,
            ..
        } = &self.plan;
        let mut vectors = Vec::new();
        for (layer, weights) in self.layers.iter().zip(&weights.layers) {
            let attention = layer.attention.as_ref().expect("whole layers");
            for (product, tiles, matrix) in [
                (&attention.query, [width, queries], &weights.query),
                (&attention.key, [width, keys], &weights.key),
                (&attention.value, [width, keys], &weights.value),
                (&attention.output, [queries, width], &weights.output),
            ] {
                self.pack_product(&mut vectors, product, tiles, matrix);
            }
            let LayerWeights { gate, up, down, .. } = weights;
            self.pack_network(&mut vectors, &layer.network, [gate, up, down]);
        }
        let lanes: Vec<_> = (0..self.plan.lanes).map(Some).collect();
        for (layer, score) in self.shape().scores.iter().enumerate() {
            Self::pack_words(&mut vectors, &self.scores, layer, &lanes, |_| {
                score.to_bits()
            });
        }
        if let (Some(product), Some(matrix)) = (&self.head, &weights.head) {
            self.pack_product(&mut vectors, product, [width, vocabulary], matrix);
        }
        Ok(vectors)
    }

    /// What the host writes for a step, beside [rows of x](Self::pack_rows) where they come from the host.
    ///
    /// # Panics
    /// If cosines and sines are not those of the shape, or if there are no such positions.
    pub(in super::super) fn inputs(&self, token: &Token<'_>) -> Inputs {
        let (plan, shape) = (&self.plan, self.shape());
        let (cosines, sines) = token.tables;
        let seen = &token.seen;
        assert!(
            !seen.is_empty() && seen.end <= shape.positions,
            "positions of the cache"
        );
        let mut vectors = Vec::new();
        let pairs = Tiles::dense(shape.head_dim / 2, plan.lanes);
        for (words, table) in [(&self.cosines, cosines), (&self.sines, sines)] {
            assert_eq!(table.len(), shape.head_dim / 2, "D/2 angles");
            for tile in 0..plan.half {
                Self::pack_words(&mut vectors, words, tile, pairs.tile(tile), |i| table[i]);
            }
        }
        for tile in 0..plan.key_tiles {
            let sees = |lane| u8::from(seen.contains(&(tile * plan.lanes + lane)));
            let bytes = (0..plan.lanes).map(sees).collect();
            vectors.push(self.masks.vector(tile, bytes));
        }
        let bases = self.bases(|slice| self.base(slice, seen.end - 1));
        Inputs { vectors, bases }
    }

    /// The same for a step without a token: its keys and values go where nobody reads.
    pub(in super::super) fn idle(&self) -> Inputs {
        Inputs {
            vectors: Vec::new(),
            bases: self.bases(|_| spare(&self.plan)),
        }
    }

    /// BASE of every write queue.
    fn bases(&self, base: impl Fn(usize) -> usize) -> Vec<(usize, u16)> {
        let slices = 0..self.slices;
        slices
            .map(|slice| (2 * slice + 1, base(slice) as u16))
            .collect()
    }

    /// The vectors (slice, address) that hold the results of a step at `position`.
    pub fn result_places(&self, position: usize) -> Vec<(usize, usize)> {
        self.based_results(|slice| self.base(slice, position))
    }

    /// The same with any BASE of each slice.
    pub(in super::super) fn based_results(
        &self,
        base: impl Fn(usize) -> usize,
    ) -> Vec<(usize, usize)> {
        let tiles = self.result_tiles().len() * self.shape().sequences;
        let plane = |place: &Place| {
            let (slice, first) = (place.slice, place.address + base(place.slice));
            (0..tiles).map(move |tile| (slice, first + tile))
        };
        self.results.iter().flat_map(plane).collect()
    }

    /// Lanes of the tiles of results that are in SRAM.
    fn result_tiles(&self) -> Vec<&[Option<usize>]> {
        let plan = &self.plan;
        match &self.head {
            Some(head) => {
                let outputs = head.outputs.iter();
                outputs.map(|&tile| plan.vocabulary.tile(tile)).collect()
            }
            None => (0..plan.width.len())
                .map(|tile| plan.width.tile(tile))
                .collect(),
        }
    }

    /// Bytes of [`Self::result_places`].
    pub(in super::super) fn result_bytes(&self) -> usize {
        PLANES * self.result_tiles().len() * self.shape().sequences * self.plan.lanes
    }

    /// The results of each sequence, FP32 patterns, from the bytes of [`Self::result_places`].
    pub fn results(&self, bytes: &[u8]) -> Vec<Vec<u32>> {
        let size = self.shape().vocabulary.unwrap_or(self.shape().width);
        let mut rows = vec![vec![0; size]; self.shape().sequences];
        self.place_results(bytes, &mut rows);
        rows
    }

    /// The same into rows of which other chips fill the rest.
    pub(in super::super) fn place_results(&self, bytes: &[u8], rows: &mut [Vec<u32>]) {
        let (tiles, lanes) = (self.result_tiles(), self.plan.lanes);
        let plane = tiles.len() * self.shape().sequences * lanes;
        for (sequence, row) in rows.iter_mut().enumerate() {
            for (tile, elements) in tiles.iter().enumerate() {
                let first = (sequence * tiles.len() + tile) * lanes;
                for (lane, element) in elements.iter().enumerate() {
                    if let Some(element) = *element {
                        let byte = |p| bytes[p * plane + first + lane];
                        row[element] = u32::from_le_bytes(std::array::from_fn(byte));
                    }
                }
            }
        }
    }

    /// The vectors (slice, address) that hold keys and values of positions 0 to `positions` - 1 of a sequence.
    pub fn cache_places(&self, sequence: usize, positions: usize) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        for layer in &self.layers {
            for position in 0..positions {
                for cache in layer.caches() {
                    let entries = self.entry_places(cache, sequence, position);
                    places.extend(entries.iter().map(|place| (place.slice, place.address)));
                }
            }
        }
        places
    }

    /// Bytes of [`Self::cache_places`].
    pub(in super::super) fn cache_bytes(&self, positions: usize) -> usize {
        let tiles = self.plan.shape.kv_heads * self.plan.head_tiles();
        2 * self.layers.len() * positions * tiles * self.plan.lanes
    }

    /// Keys and values, by layer and position, from the bytes of [`Self::cache_places`].
    pub fn cache(&self, bytes: &[u8], positions: usize) -> Vec<Vec<Entry>> {
        let (plan, keys) = (&self.plan, &self.plan.keys);
        let vectors = bytes.chunks(plan.lanes);
        let size = plan.shape.kv_heads * plan.shape.head_dim;
        let mut halves = vectors.collect::<Vec<_>>();
        halves.truncate(self.layers.len() * positions * 2 * keys.len());
        let codes = |tiles: &[&[u8]]| {
            let mut codes = vec![0; size];
            for (tile, bytes) in tiles.iter().enumerate() {
                for (element, &byte) in keys.tile(tile).iter().zip(*bytes) {
                    if let Some(element) = element {
                        codes[*element] = byte as i8;
                    }
                }
            }
            codes
        };
        let mut entries = halves.chunks(2 * keys.len()).map(|entry| Entry {
            keys: codes(&entry[..keys.len()]),
            values: codes(&entry[keys.len()..]),
        });
        (0..self.layers.len())
            .map(|_| entries.by_ref().take(positions).collect())
            .collect()
    }

    /// The vectors that put keys and values, by layer and position, into the cache of a sequence, and zeros into its other positions.
    pub fn cache_image(&self, sequence: usize, entries: &[Vec<Entry>]) -> Vec<Vector> {
        let (plan, keys) = (&self.plan, &self.plan.keys);
        let mut vectors = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            for position in 0..plan.shape.positions {
                let entry = entries
                    .get(number)
                    .and_then(|entries| entries.get(position));
                let halves = entry.map_or([None; 2], |Entry { keys, values }| {
                    [Some(keys), Some(values)]
                });
                for (cache, codes) in layer.caches().into_iter().zip(halves) {
                    let places = self.entry_places(cache, sequence, position);
                    for (tile, place) in places.iter().enumerate() {
                        let byte = |element: usize| codes.map_or(0, |codes| codes[element] as u8);
                        let bytes = Self::tile_bytes(keys.tile(tile), byte);
                        vectors.push(place.vector(0, bytes));
                    }
                }
            }
        }
        vectors
    }
}
