//! Where weights, caches and rows lie in SRAM.

use super::plan::Plan;
use super::tiles::Tiles;
use super::{Entry, Inputs, Matrix, Shape, Weights};
use crate::CompileError;
use crate::alu::PLANES;
use crate::matmul::Vector;
use crate::place::{Place, Room};
use lpu_isa::Config;

/// Word vectors: where each byte plane begins.
pub type Words = [Place; PLANES];

/// A matrix: its tiles as weights of the MXM, and its vector B.
#[derive(Clone, Debug)]
pub struct Product {
    /// Tiles along the inputs.
    pub inputs: usize,
    /// By class: (output tile, input tile), L / c vectors each.
    pub weights: Vec<Place>,
    /// A word vector for each output tile.
    pub factors: Words,
}

/// Keys or values of a layer, by class: (sequence, head, tile of positions, tile of elements), L / c vectors each. Behind the positions
/// of each head there is room for one more tile, which takes what other slices than that of the position write.
#[derive(Clone, Debug)]
pub struct Cache {
    pub places: Vec<Place>,
}

/// A layer.
#[derive(Clone, Debug)]
pub struct Layer {
    pub query: Product,
    pub key: Product,
    pub value: Product,
    pub output: Product,
    pub gate: Product,
    pub up: Product,
    pub down: Product,
    pub keys: Cache,
    pub values: Cache,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Layout {
    plan: Plan,
    slices: usize,
    pub(super) layers: Vec<Layer>,
    pub(super) head: Option<Product>,
    /// (sequence, tile of x).
    pub(super) x: Words,
    pub(super) cosines: Words,
    pub(super) sines: Words,
    /// c of each layer in all lanes.
    pub(super) scores: Words,
    /// A byte vector for each tile of positions.
    pub(super) masks: Place,
    /// (sequence, tile) of the logits, or of x without a head; moves with BASE.
    pub(super) results: Words,
}

/// Hands out SRAM where most is left.
struct Builder<'a> {
    plan: &'a Plan,
    room: Room,
    slices: usize,
}

impl Builder<'_> {
    /// The first of `width` neighbouring slices, `width` apart, of which the fullest is the emptiest.
    fn emptiest(&self, width: usize) -> usize {
        let groups = (0..self.slices / width).map(|group| group * width);
        let fullest = |first: &usize| {
            (*first..first + width)
                .map(|slice| self.room.used(slice))
                .max()
        };
        groups.min_by_key(fullest).expect("enough slices")
    }

    fn words(&mut self, vectors: usize) -> Words {
        let first = self.emptiest(PLANES);
        std::array::from_fn(|plane| self.room.take(first + plane, vectors))
    }

    /// Tiles of weights, a class in each slice.
    fn tiles(&mut self, tiles: usize) -> Vec<Place> {
        let (streams, vectors) = (self.plan.streams, tiles * self.plan.burst());
        let first = self.emptiest(streams);
        (0..streams)
            .map(|class| self.room.take(first + class, vectors))
            .collect()
    }

    fn product(&mut self, inputs: &Tiles, outputs: &Tiles) -> Product {
        let (inputs, outputs) = (inputs.len(), outputs.len());
        Product {
            inputs,
            weights: self.tiles(inputs * outputs),
            factors: self.words(outputs),
        }
    }

    fn cache(&mut self) -> Cache {
        let shape = &self.plan.shape;
        let heads = shape.sequences * shape.kv_heads;
        let tiles = heads * (self.plan.key_tiles + 1) * self.plan.head_tiles();
        Cache {
            places: self.tiles(tiles),
        }
    }

    fn layer(&mut self) -> Layer {
        let Plan {
            width,
            queries,
            keys,
            hidden,
            ..
        } = self.plan;
        Layer {
            query: self.product(width, queries),
            key: self.product(width, keys),
            value: self.product(width, keys),
            output: self.product(queries, width),
            gate: self.product(width, hidden),
            up: self.product(width, hidden),
            down: self.product(hidden, width),
            keys: self.cache(),
            values: self.cache(),
        }
    }
}

impl Layout {
    pub(super) fn new(config: &Config, plan: &Plan) -> Result<Self, CompileError> {
        let mut builder = Builder {
            plan,
            room: Room::new(config),
            slices: config.mem.slices,
        };
        let shape = &plan.shape;
        let layers = (0..shape.layers).map(|_| builder.layer()).collect();
        let head = shape
            .vocabulary
            .map(|_| builder.product(&plan.width, &plan.vocabulary));
        let result_tiles = match head {
            Some(_) => plan.vocabulary.len(),
            None => plan.width.len(),
        };
        let layout = Self {
            slices: config.mem.slices,
            layers,
            head,
            x: builder.words(shape.sequences * plan.width.len()),
            cosines: builder.words(plan.half),
            sines: builder.words(plan.half),
            scores: builder.words(shape.layers),
            masks: {
                let slice = builder.emptiest(1);
                builder.room.take(slice, plan.key_tiles)
            },
            results: builder.words(shape.sequences * result_tiles + spare(plan) + plan.burst()),
            plan: plan.clone(),
        };
        let used: Vec<usize> = (0..config.mem.slices)
            .map(|slice| builder.room.used(slice))
            .collect();
        match used.iter().any(|&vectors| vectors > config.mem.depth) {
            true => Err(CompileError::Decoder(too_large(config, plan, &used))),
            false => Ok(layout),
        }
    }

    /// The sizes.
    pub fn shape(&self) -> &Shape {
        &self.plan.shape
    }

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
        for output in 0..outputs.len() {
            let columns = outputs.tile(output);
            Self::pack_words(vectors, &product.factors, output, columns, |n| {
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

    /// Weights and vectors B. Vectors not listed may hold anything, but those of the cache must have been written once.
    pub fn pack(&self, weights: &Weights<'_>) -> Result<Vec<Vector>, CompileError> {
        weights.check(self.shape())?;
        let Plan {
            width,
            queries,
            keys,
            hidden,
            vocabulary,
            ..
        } = &self.plan;
        let mut vectors = Vec::new();
        for (layer, weights) in self.layers.iter().zip(&weights.layers) {
            for (product, tiles, matrix) in [
                (&layer.query, [width, queries], &weights.query),
                (&layer.key, [width, keys], &weights.key),
                (&layer.value, [width, keys], &weights.value),
                (&layer.output, [queries, width], &weights.output),
                (&layer.gate, [width, hidden], &weights.gate),
                (&layer.up, [width, hidden], &weights.up),
                (&layer.down, [hidden, width], &weights.down),
            ] {
                self.pack_product(&mut vectors, product, tiles, matrix);
            }
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

    /// What the host writes for a step, in which every sequence is at `position`.
    ///
    /// # Panics
    /// If the rows, or cosines and sines, are not those of the shape, or if there is no such position.
    pub fn inputs(
        &self,
        rows: &[&[u32]],
        (cosines, sines): (&[u32], &[u32]),
        position: usize,
    ) -> Inputs {
        let (plan, shape) = (&self.plan, self.shape());
        assert_eq!(rows.len(), shape.sequences, "a row for each sequence");
        assert!(position < shape.positions, "a position of the cache");
        let mut vectors = Vec::new();
        for (sequence, row) in rows.iter().enumerate() {
            assert_eq!(row.len(), shape.width, "d numbers in a row");
            for tile in 0..plan.width.len() {
                let index = sequence * plan.width.len() + tile;
                Self::pack_words(&mut vectors, &self.x, index, plan.width.tile(tile), |k| {
                    row[k]
                });
            }
        }
        let pairs = Tiles::dense(shape.head_dim / 2, plan.lanes);
        for (words, table) in [(&self.cosines, cosines), (&self.sines, sines)] {
            assert_eq!(table.len(), shape.head_dim / 2, "D/2 angles");
            for tile in 0..plan.half {
                Self::pack_words(&mut vectors, words, tile, pairs.tile(tile), |i| table[i]);
            }
        }
        for tile in 0..plan.key_tiles {
            let seen = |lane| u8::from(tile * plan.lanes + lane <= position);
            let bytes = (0..plan.lanes).map(seen).collect();
            vectors.push(self.masks.vector(tile, bytes));
        }
        let bases = (0..self.slices)
            .map(|slice| (2 * slice + 1, self.base(slice, position) as u16))
            .collect();
        Inputs { vectors, bases }
    }

    /// BASE of a slice's write queue: where in a head's room the vectors of a position go.
    fn base(&self, slice: usize, position: usize) -> usize {
        let plan = &self.plan;
        let (tile, row) = (position / plan.lanes, position % plan.lanes);
        // Groups of c slices begin at multiples of c.
        match slice % plan.streams == row % plan.streams {
            true => tile * plan.head_tiles() * plan.burst() + row / plan.streams,
            false => spare(plan),
        }
    }

    /// The vectors (slice, address) that hold the results of a step at `position`.
    pub fn result_places(&self, position: usize) -> Vec<(usize, usize)> {
        let tiles = self.result_tiles().len() * self.shape().sequences;
        let plane = |place: &Place| {
            let (slice, first) = (
                place.slice,
                place.address + self.base(place.slice, position),
            );
            (0..tiles).map(move |tile| (slice, first + tile))
        };
        self.results.iter().flat_map(plane).collect()
    }

    fn result_tiles(&self) -> &Tiles {
        match self.head {
            Some(_) => &self.plan.vocabulary,
            None => &self.plan.width,
        }
    }

    /// The results of each sequence, FP32 patterns, from the bytes of [`Self::result_places`].
    pub fn results(&self, bytes: &[u8]) -> Vec<Vec<u32>> {
        let (tiles, lanes) = (self.result_tiles(), self.plan.lanes);
        let plane = tiles.len() * self.shape().sequences * lanes;
        let row = |sequence: usize| {
            let mut row = Vec::new();
            for tile in 0..tiles.len() {
                let first = (sequence * tiles.len() + tile) * lanes;
                for lane in (0..lanes).filter(|&lane| tiles.tile(tile)[lane].is_some()) {
                    let byte = |p| bytes[p * plane + first + lane];
                    row.push(u32::from_le_bytes(std::array::from_fn(byte)));
                }
            }
            row
        };
        (0..self.shape().sequences).map(row).collect()
    }

    /// Vectors of a head in front of those of a tile of positions and a tile of elements.
    pub(super) fn cache_offset(
        &self,
        sequence: usize,
        head: usize,
        tile: usize,
        element: usize,
    ) -> usize {
        let plan = &self.plan;
        let head = sequence * plan.shape.kv_heads + head;
        ((head * (plan.key_tiles + 1) + tile) * plan.head_tiles() + element) * plan.burst()
    }

    /// Where the keys or values of a position begin, (slice, address) for each head and tile of elements.
    fn entry_places(&self, cache: &Cache, sequence: usize, position: usize) -> Vec<Place> {
        let plan = &self.plan;
        let (tile, row) = (position / plan.lanes, position % plan.lanes);
        let place = cache.places[row % plan.streams];
        let offset =
            |head, element| self.cache_offset(sequence, head, tile, element) + row / plan.streams;
        (0..plan.shape.kv_heads)
            .flat_map(|head| (0..plan.head_tiles()).map(move |element| (head, element)))
            .map(|(head, element)| Place {
                slice: place.slice,
                address: place.address + offset(head, element),
            })
            .collect()
    }

    /// The vectors (slice, address) that hold keys and values of positions 0 to `positions` - 1 of a sequence.
    pub fn cache_places(&self, sequence: usize, positions: usize) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        for layer in &self.layers {
            for position in 0..positions {
                for cache in [&layer.keys, &layer.values] {
                    let entries = self.entry_places(cache, sequence, position);
                    places.extend(entries.iter().map(|place| (place.slice, place.address)));
                }
            }
        }
        places
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
                for (cache, codes) in [
                    (&layer.keys, entry.map(|entry| &entry.keys)),
                    (&layer.values, entry.map(|entry| &entry.values)),
                ] {
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

/// What would hold layers that take so many vectors of each slice.
fn too_large(config: &Config, plan: &Plan, used: &[usize]) -> String {
    const DEEPEST: usize = 65536;
    const MOST_SLICES: usize = 32;
    let (slices, depth) = (config.mem.slices, config.mem.depth);
    let (total, fullest) = (
        used.iter().sum::<usize>(),
        used.iter().max().copied().unwrap_or(0),
    );
    let wanted = total.div_ceil(DEEPEST).next_multiple_of(plan.streams);
    let fix = if fullest <= DEEPEST {
        format!("raise mem.depth to {}", fullest.next_power_of_two())
    } else if wanted <= MOST_SLICES {
        format!("raise mem.slices to {wanted} and mem.depth to {DEEPEST}")
    } else {
        format!("no machine of {} lanes holds that", config.lanes)
    };
    format!(
        "the layers take {total} vectors of {} bytes, {fullest} of the fullest MEM slice, and mem.slices is {slices}, mem.depth is {depth}: {fix}, take fewer positions, or spread the layers over {} machines of this size",
        config.lanes,
        total.div_ceil(slices * depth).max(2)
    )
}

/// Vectors of a head in front of the tile that nobody reads.
fn spare(plan: &Plan) -> usize {
    plan.key_tiles * plan.head_tiles() * plan.burst()
}
