//! Where weights, caches and rows lie in SRAM.

mod host;

use super::Shape;
use super::plan::{Part, Plan};
use super::tiles::Tiles;
use crate::CompileError;
use crate::alu::PLANES;
use crate::place::{Place, Room};
use lpu_isa::Config;

/// Word vectors: where each byte plane begins.
pub type Words = [Place; PLANES];

/// A matrix: its tiles as weights of the MXM, and its vector B.
#[derive(Clone, Debug)]
pub struct Product {
    /// Tiles along the inputs.
    pub inputs: usize,
    /// The output tiles that the chip computes, ascending.
    pub outputs: Vec<usize>,
    /// By class: (output tile of the chip, input tile), L / c vectors each.
    pub weights: Vec<Place>,
    /// A word vector for each output tile of the chip.
    pub factors: Words,
}

impl Product {
    /// The how-manieth of the chip's output tiles this one is.
    pub fn local(&self, output: usize) -> usize {
        let found = self.outputs.binary_search(&output);
        found.expect("an output tile of the chip")
    }
}

/// Keys or values of a layer, by class: (sequence, head, tile of positions, tile of elements), L / c vectors each. Behind the positions
/// of each head there is room for one more tile, which takes what other slices than that of the position write.
#[derive(Clone, Debug)]
pub struct Cache {
    pub places: Vec<Place>,
}

/// The attention half of a layer.
#[derive(Clone, Debug)]
pub struct Attention {
    pub query: Product,
    pub key: Product,
    pub value: Product,
    pub output: Product,
    pub keys: Cache,
    pub values: Cache,
}

/// The feed-forward half of a layer.
#[derive(Clone, Debug)]
pub struct Network {
    pub gate: Product,
    pub up: Product,
    pub down: Product,
}

/// A layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Absent from networks alone.
    pub attention: Option<Attention>,
    pub network: Network,
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
    used: Vec<usize>,
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

    /// A product of which the chip computes some output tiles.
    fn product_of(&mut self, inputs: &Tiles, outputs: Vec<usize>) -> Product {
        let inputs = inputs.len();
        Product {
            inputs,
            weights: self.tiles(inputs * outputs.len()),
            factors: self.words(outputs.len()),
            outputs,
        }
    }

    /// A product whose output tiles are shared out one by one.
    fn product(&mut self, inputs: &Tiles, outputs: &Tiles) -> Product {
        let owned = self.plan.share.owned(outputs.len());
        self.product_of(inputs, owned)
    }

    /// A product whose output tiles are those of heads.
    fn heads(&mut self, inputs: &Tiles, heads: &[usize]) -> Product {
        let tiles = self.plan.head_tiles();
        let of_head = |&head: &usize| head * tiles..(head + 1) * tiles;
        self.product_of(inputs, heads.iter().flat_map(of_head).collect())
    }

    fn cache(&mut self) -> Cache {
        let shape = &self.plan.shape;
        let heads = shape.sequences * shape.kv_heads;
        let tiles = heads * (self.plan.key_tiles + 1) * self.plan.head_tiles();
        Cache {
            places: self.tiles(tiles),
        }
    }

    fn network(&mut self) -> Network {
        let Plan { width, hidden, .. } = self.plan;
        Network {
            gate: self.product(width, hidden),
            up: self.product(width, hidden),
            down: self.product(hidden, width),
        }
    }

    fn attention(&mut self) -> Attention {
        let Plan { width, queries, .. } = self.plan;
        let [key_heads, query_heads, value_heads] = self.plan.owned_heads();
        Attention {
            query: self.heads(width, &query_heads),
            key: self.heads(width, &key_heads),
            value: self.heads(width, &value_heads),
            output: self.product(queries, width),
            keys: self.cache(),
            values: self.cache(),
        }
    }

    /// All layers: networks first, since they are the largest; what is small comes last and fills up slices that are less full.
    fn layers(&mut self) -> Vec<Layer> {
        let count = self.plan.shape.layers;
        let networks: Vec<_> = (0..count).map(|_| self.network()).collect();
        let layer = |network| Layer {
            attention: (self.plan.part == Part::Layers).then(|| self.attention()),
            network,
        };
        networks.into_iter().map(layer).collect()
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
        let head = shape
            .vocabulary
            .map(|_| builder.product(&plan.width, &plan.vocabulary));
        let layers = builder.layers();
        let result_tiles = match &head {
            Some(head) => head.outputs.len(),
            None => plan.width.len(),
        };
        // What attention needs, if there is any.
        let attention = |vectors| match plan.part {
            Part::Layers => vectors,
            Part::Network => 0,
        };
        let layout = Self {
            slices: config.mem.slices,
            layers,
            head,
            x: builder.words(shape.sequences * plan.width.len()),
            cosines: builder.words(attention(plan.half)),
            sines: builder.words(attention(plan.half)),
            scores: builder.words(attention(shape.layers)),
            masks: {
                let slice = builder.emptiest(1);
                builder.room.take(slice, attention(plan.key_tiles))
            },
            results: builder
                .words(shape.sequences * result_tiles + attention(spare(plan) + plan.burst())),
            plan: plan.clone(),
            used: Vec::new(),
        };
        let used: Vec<usize> = (0..config.mem.slices)
            .map(|slice| builder.room.used(slice))
            .collect();
        match used.iter().any(|&vectors| vectors > config.mem.depth) {
            true => Err(CompileError::Decoder(too_large(config, plan, &used))),
            false => Ok(Self { used, ..layout }),
        }
    }

    /// Vectors taken of each slice.
    pub(super) fn used(&self) -> &[usize] {
        &self.used
    }

    /// The sizes.
    pub fn shape(&self) -> &Shape {
        &self.plan.shape
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
