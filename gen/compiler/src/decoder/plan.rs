//! Which streams, registers and rows of the operand buffer decoder layers use on a machine.

use super::choice::{Choice, Order};
use super::{Shape, tiles::Tiles};
use crate::CompileError;
use crate::alu::PLANES;
use lpu_isa::Config;

/// Partial sums and maxima of a norm.
pub const PARTIALS: usize = 4;
/// The most heads of keys whose attention is under way at once.
const BUFFERS: usize = 8;
/// Tiles of the feed-forward that are between their product and the operand buffer at once.
const GATED: usize = 2;

/// What a launch computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All layers, and the head.
    Layers,
    /// One feed-forward network, without the sum with x.
    Network,
}

/// Which of the columns and heads a chip computes: unit u belongs to chip u modulo their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub chip: usize,
    pub chips: usize,
}

impl Share {
    /// A chip that computes everything.
    pub const ALONE: Self = Self { chip: 0, chips: 1 };

    pub const fn owns(self, unit: usize) -> bool {
        unit % self.chips == self.chip
    }

    /// Of so many units, those of the chip.
    pub fn owned(self, units: usize) -> Vec<usize> {
        (0..units).filter(|&unit| self.owns(unit)).collect()
    }
}

/// Everything that does not depend on time.
#[derive(Clone, Debug)]
pub struct Plan {
    pub part: Part,
    pub share: Share,
    /// Of the heads of keys of all sequences, in attention: all of them, or a share.
    pub attention: Share,
    pub shape: Shape,
    pub lanes: usize,
    pub alus: usize,
    /// Weight streams: c.
    pub streams: usize,
    /// Eastward: first stream of words for the vector unit, first of what it drives.
    pub word_stream: u8,
    pub vector_stream: u8,
    pub width: Tiles,
    pub queries: Tiles,
    pub keys: Tiles,
    pub hidden: Tiles,
    pub vocabulary: Tiles,
    /// Tiles of half a head, and of a whole one.
    pub half: usize,
    pub key_tiles: usize,
    /// Heads that share a head of keys.
    pub group: usize,
    pub order: Order,
    pub registers: Registers,
    pub rows: Rows,
}

/// Rows of the register file.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    pub epsilon: usize,
    /// Minus the base-2 logarithm of the largest softmax weight.
    pub amplitude: usize,
    /// One for each tile of keys: -0.0 for positions that are seen, minus infinity for others.
    pub masks: usize,
    pub cosines: usize,
    pub sines: usize,
    /// Vectors B under way.
    pub factors: usize,
    factor_slots: usize,
    /// The same for gate and up.
    gates: usize,
    /// Heads that are between their product and the operand buffer at once.
    pub turns: usize,
    sequences: usize,
    /// From a register of a sequence to the same of the next.
    pub sequence_size: usize,
    half: usize,
    width: usize,
    attention: usize,
    pub head_size: usize,
    group: usize,
    key_tiles: usize,
    /// Registers for scores, and for the sums that follow them.
    scores: usize,
    pub buffers: usize,
    pub count: usize,
}

/// Rows of the operand buffer.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// (tile, sequence) each.
    pub normed: usize,
    pub hidden: usize,
    pub attended: usize,
    /// (sequence, head of keys, tile, head of the group).
    pub queries: usize,
    /// (slot, tile of keys, head of the group, plane).
    pub weights: usize,
    pub weight_slot: usize,
    /// Slots that there is room for.
    slots: usize,
}

impl Registers {
    const fn sequence(&self, sequence: usize) -> usize {
        self.sequences + sequence * self.sequence_size
    }

    /// A tile of x.
    pub const fn x(&self, sequence: usize, tile: usize) -> usize {
        self.sequence(sequence) + tile
    }

    /// First of the partial sums of squares.
    pub const fn squares(&self, sequence: usize) -> usize {
        self.x(sequence, self.width)
    }

    /// First of the partial maxima.
    pub const fn maxima(&self, sequence: usize) -> usize {
        self.squares(sequence) + PARTIALS
    }

    /// i: 127 over the largest element.
    pub const fn inverse(&self, sequence: usize) -> usize {
        self.maxima(sequence) + PARTIALS
    }

    /// The largest element over 127.
    pub const fn step(&self, sequence: usize) -> usize {
        self.inverse(sequence) + 1
    }

    /// t: what a code is worth.
    pub const fn worth(&self, sequence: usize) -> usize {
        self.step(sequence) + 1
    }

    /// Both halves of a head before its rotation and a product with the sine of each, in turns.
    pub const fn rotated(&self, sequence: usize, head: usize) -> usize {
        self.worth(sequence) + 1 + head % self.turns * 4 * self.half
    }

    /// Gate, its activation and up of a tile of the feed-forward, in turns.
    pub const fn gated(&self, sequence: usize, tile: usize) -> usize {
        self.worth(sequence) + 1 + self.turns * 4 * self.half + tile % GATED * 3
    }

    /// Rows of a head of the group in a buffer.
    pub const fn head(&self, buffer: usize, head: usize) -> usize {
        self.attention + (buffer * self.group + head) * self.head_size
    }

    /// Within a head: the tree over tiles of scores.
    pub const fn fold(&self) -> usize {
        self.scores
    }

    /// The maximum, later the reciprocal of the sum.
    pub const fn maximum(&self) -> usize {
        self.fold() + self.key_tiles.div_ceil(2)
    }

    /// The sums of both planes of each tile, in the place of the scores.
    pub const fn sums(&self) -> usize {
        0
    }

    /// Registers of the vectors B of gate and up of a tile of the feed-forward.
    pub const fn gate_factor(&self, tile: usize) -> usize {
        self.gates + tile % GATED * 2
    }

    pub const fn up_factor(&self, tile: usize) -> usize {
        self.gates + tile % GATED * 2 + 1
    }

    /// The register of a vector B.
    pub const fn factor(&self, index: usize) -> usize {
        self.factors + index % self.factor_slots
    }
}

impl Plan {
    pub fn new(
        config: &Config,
        part: Part,
        shape: &Shape,
        choice: Choice,
        [share, attention]: [Share; 2],
    ) -> Result<Self, CompileError> {
        let Some(vxm) = &config.vxm else {
            return Err(CompileError::NoVectorUnit);
        };
        let refuse = |rule: String| Err(CompileError::Decoder(rule));
        if config.sxm.is_none() {
            return refuse("decoder layers need a switch unit and the machine has none: add [sxm] to the configuration".into());
        }
        if vxm.alus < 2 {
            return refuse(
                "decoder layers need two ALUs in a lane and vxm.alus is 1: raise it to 2".into(),
            );
        }
        let slices = config.mem.slices;
        if slices < PLANES {
            return Err(CompileError::WordSlices {
                needed: PLANES,
                available: slices,
            });
        }
        let (lanes, width) = (config.lanes, config.streams);
        let fits = |c: &usize| {
            *c <= config.mxm.weight_streams
                && *c <= slices
                && c.next_multiple_of(PLANES) + 2 * PLANES <= width
        };
        let Some(streams) = [32, 16, 8, 4, 2, 1].into_iter().find(fits) else {
            return refuse(format!(
                "weights, words and results take 12 streams and the machine has {width}: raise streams to 12"
            ));
        };
        let half = (shape.head_dim / 2).div_ceil(lanes);
        let items = (shape.sequences * shape.kv_heads).div_ceil(attention.chips);
        let rows = rows(shape, lanes, config.mxm.operand_depth, items)?;
        let registers = registers(shape, lanes, vxm.registers, [rows.slots, choice.turns])?;
        let plan = Self {
            part,
            share,
            attention,
            lanes,
            alus: vxm.alus,
            streams,
            word_stream: streams.next_multiple_of(PLANES) as u8,
            vector_stream: (streams.next_multiple_of(PLANES) + PLANES) as u8,
            width: Tiles::dense(shape.width, lanes),
            queries: Tiles::heads(shape.heads, shape.head_dim, lanes),
            keys: Tiles::heads(shape.kv_heads, shape.head_dim, lanes),
            hidden: Tiles::dense(shape.hidden, lanes),
            vocabulary: Tiles::dense(shape.vocabulary.unwrap_or(0), lanes),
            half,
            key_tiles: shape.positions / lanes,
            group: shape.heads / shape.kv_heads,
            order: choice.order,
            registers,
            rows,
            shape: shape.clone(),
        };
        let accumulators = shape.sequences.max(2 * plan.group * plan.head_tiles());
        if accumulators > config.mxm.accumulator_depth {
            return refuse(format!(
                "the layers need {accumulators} accumulator rows and mxm.accumulator_depth is {}: raise it to {}",
                config.mxm.accumulator_depth,
                accumulators.next_power_of_two()
            ));
        }
        Ok(plan)
    }

    /// Westward: the first stream that the vector unit drives. The MXM and the switch unit drive those before it.
    pub const fn vector_stream_west(&self) -> u8 {
        2 * PLANES as u8
    }

    /// Heads of keys whose keys, heads of queries, and heads of keys whose values the chip computes: all of them are units, one after the
    /// other.
    pub fn owned_heads(&self) -> [Vec<usize>; 3] {
        let (heads, keys) = (self.shape.heads, self.shape.kv_heads);
        let owned = |first: usize, count: usize| {
            (0..count)
                .filter(|head| self.share.owns(first + head))
                .collect()
        };
        [
            owned(0, keys),
            owned(keys, heads),
            owned(keys + heads, keys),
        ]
    }

    /// Tiles of a head.
    pub const fn head_tiles(&self) -> usize {
        2 * self.half
    }

    /// Cycles in which a tile of weights is loaded.
    pub const fn burst(&self) -> usize {
        self.lanes / self.streams
    }
}

fn registers(
    shape: &Shape,
    lanes: usize,
    available: usize,
    [slots, turns]: [usize; 2],
) -> Result<Registers, CompileError> {
    let half = (shape.head_dim / 2).div_ceil(lanes);
    let (key_tiles, width) = (shape.positions / lanes, shape.width.div_ceil(lanes));
    let group = shape.heads / shape.kv_heads;
    let masks = 2;
    let cosines = masks + key_tiles;
    let sines = cosines + half;
    let factors = sines + half;
    let factor_slots = turns * 2 * half;
    let gates = factors + factor_slots;
    let sequences = gates + GATED * 2;
    let sequence_size = width + 2 * PARTIALS + 3 + turns * 4 * half + GATED * 3;
    let attention = sequences + shape.sequences * sequence_size;
    let scores = key_tiles.max(4 * half);
    let head_size = scores + key_tiles.div_ceil(2) + 1;
    let needed = |buffers: usize| attention + buffers * group * head_size;
    let Some(buffers) = (1..=slots).rev().find(|&b| needed(b) <= available) else {
        return Err(CompileError::Decoder(format!(
            "the layers need {} registers ({} for the rows of x and what comes of them, {} for the attention of a head of keys) and vxm.registers is {available}: raise it to {} (1024 is the most), or shrink the cache",
            needed(1),
            attention,
            needed(1) - attention,
            needed(1).next_power_of_two()
        )));
    };
    Ok(Registers {
        epsilon: 0,
        amplitude: 1,
        masks,
        cosines,
        sines,
        factors,
        factor_slots,
        gates,
        turns,
        sequences,
        sequence_size,
        half,
        width,
        attention,
        head_size,
        group,
        key_tiles,
        scores,
        buffers,
        count: available,
    })
}

fn rows(shape: &Shape, lanes: usize, available: usize, items: usize) -> Result<Rows, CompileError> {
    let tiles = 2 * (shape.head_dim / 2).div_ceil(lanes) * shape.heads * shape.sequences;
    let group = shape.heads / shape.kv_heads;
    let hidden = shape.width.div_ceil(lanes) * shape.sequences;
    let attended = hidden + shape.hidden.div_ceil(lanes) * shape.sequences;
    let queries = attended + tiles;
    let weights = queries + tiles;
    let weight_slot = 2 * group * (shape.positions / lanes);
    let needed = weights + weight_slot;
    if needed > available {
        return Err(CompileError::Decoder(format!(
            "the layers need {needed} rows of the operand buffer and mxm.operand_depth is {available}: raise it to {} (4096 is the most)",
            needed.next_power_of_two()
        )));
    }
    Ok(Rows {
        normed: 0,
        hidden,
        attended,
        queries,
        weights,
        weight_slot,
        slots: ((available - weights) / weight_slot)
            .min(items)
            .min(BUFFERS),
    })
}
