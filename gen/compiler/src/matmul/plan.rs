//! What the compiler decides before it places and schedules.

use super::Format;
use super::balance::balance;
use lpu_isa::Config;
use std::ops::Range;

/// How activations reach the multipliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// From the operand buffer, filled before; all slices supply weights.
    Decode,
    /// From the SRAM, anew for every tile.
    Streamed,
}

/// The sizes of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub m: usize,
    pub k: usize,
    pub n: usize,
    pub format: Format,
}

/// One way to cut a product into tiles, planes and chunks.
#[derive(Clone, Debug)]
pub struct Plan {
    pub mode: Mode,
    /// Planes used; n tile j goes to plane j mod planes.
    pub planes: usize,
    /// c: weight streams of a plane.
    pub streams: usize,
    /// Cycles of a tile's LW burst: L / c, and those of the scales.
    pub burst: usize,
    /// First stream of the weights of plane p is p times this.
    pub group: usize,
    /// Rows of A that pass together, and so one pass over B each.
    pub rows: Vec<Range<usize>>,
    /// k tiles that are accumulated together.
    pub k: Vec<Range<usize>>,
    /// n steps (one n tile for each plane) that share an activation buffer filling.
    pub n: Vec<Range<usize>>,
    /// Eastward stream of the activations.
    pub activation_stream: usize,
    /// Eastward stream of their scales, if they have some.
    pub scale_stream: Option<usize>,
    /// Whether no weights use these streams.
    pub own_stream: bool,
}

impl Plan {
    /// k tiles.
    pub fn k_tiles(&self) -> usize {
        self.k.last().map_or(0, |range| range.end)
    }

    /// n steps.
    pub fn n_steps(&self) -> usize {
        self.n.last().map_or(0, |range| range.end)
    }

    /// Tile steps of a pass over B.
    pub fn tiles(&self) -> usize {
        self.k_tiles() * self.n_steps()
    }

    /// Weight rows that arrive in a cycle, over all planes.
    pub fn classes(&self) -> usize {
        self.planes * self.streams
    }

    /// Cycles from tile to tile with `rows` activations.
    pub fn period(&self, rows: usize) -> usize {
        rows.max(self.burst)
    }

    /// Cycles from row to row, so that rows fill the period evenly if they can.
    pub fn spacing(&self, rows: usize) -> usize {
        match self.period(rows) {
            period if period.is_multiple_of(rows) => period / rows,
            _ => 1,
        }
    }
}

/// 1, 2, 4 .. up to `limit`.
fn powers(limit: usize) -> impl Iterator<Item = usize> {
    (0..usize::BITS)
        .map(|i| 1 << i)
        .take_while(move |&power| power <= limit)
}

/// Every plan worth trying.
pub fn plans(config: &Config, shape: Shape) -> Vec<Plan> {
    let mut plans = Vec::new();
    let k_tiles = shape.k.div_ceil(shape.format.tile(config.lanes));
    let n_tiles = shape.n.div_ceil(config.lanes);
    for planes in 1..=config.mxm.planes.min(n_tiles) {
        if 4 * planes > config.mem.slices || 4 * planes > config.streams {
            break;
        }
        let n_steps = n_tiles.div_ceil(planes);
        for streams in powers(config.mxm.weight_streams) {
            let Some(base) = base_plan(config, shape.format, planes, streams) else {
                continue;
            };
            plans.extend(streamed(config, &base, shape.m, k_tiles, n_steps));
            plans.extend(decode(config, &base, shape.m, k_tiles, n_steps));
        }
    }
    plans
}

/// The part of a plan that planes and weight streams decide.
fn base_plan(config: &Config, format: Format, planes: usize, streams: usize) -> Option<Plan> {
    let group = config.mxm.weight_streams;
    let last = (planes - 1) * group + streams;
    if last > config.streams || planes * streams > config.mem.slices {
        return None;
    }
    let used = |stream: usize| stream / group < planes && stream % group < streams;
    let mut free = (0..config.streams).filter(|&stream| !used(stream));
    let activations = free.next();
    let own_stream = activations.is_some() && (!format.scaled() || free.clone().next().is_some());
    let activation_stream = activations.unwrap_or(0);
    let scales = || {
        let other = || (0..config.streams).find(|&stream| stream != activation_stream);
        free.next().or_else(other)
    };
    let scale_stream = format.scaled().then(scales).flatten();
    Some(Plan {
        mode: Mode::Streamed,
        planes,
        streams,
        burst: format.burst(config.lanes, streams),
        group,
        rows: Vec::new(),
        k: Vec::new(),
        n: Vec::new(),
        activation_stream,
        scale_stream,
        own_stream,
    })
}

fn streamed(
    config: &Config,
    base: &Plan,
    m: usize,
    k_tiles: usize,
    n_steps: usize,
) -> Option<Plan> {
    let chunks = m.div_ceil(config.mxm.accumulator_depth);
    let worth = base.own_stream && chunks <= config.icu.queue_depth;
    worth.then(|| Plan {
        rows: balance(m, chunks),
        k: balance(k_tiles, 1),
        n: balance(n_steps, 1),
        ..base.clone()
    })
}

fn decode(config: &Config, base: &Plan, m: usize, k_tiles: usize, n_steps: usize) -> Vec<Plan> {
    let mxm = &config.mxm;
    let fewest = m.div_ceil(mxm.accumulator_depth.min(mxm.operand_depth));
    let counts = powers(m)
        .map(|power| power.saturating_mul(fewest))
        .take_while(|&count| count < m);
    let mut plans = Vec::new();
    for chunks in counts.chain([m]) {
        let rows = m.div_ceil(chunks);
        let k_parts = k_tiles.div_ceil((mxm.operand_depth / rows).max(1));
        let n_parts = match k_parts {
            1 => 1,
            _ => n_steps.div_ceil(mxm.accumulator_depth / rows),
        };
        // Every phase takes an instruction of each queue of a plane.
        let phases = chunks.saturating_mul(k_parts).saturating_mul(n_parts);
        if phases > config.icu.queue_depth {
            continue;
        }
        plans.push(Plan {
            mode: Mode::Decode,
            rows: balance(m, chunks),
            k: balance(k_tiles, k_parts),
            n: balance(n_steps, n_parts),
            ..base.clone()
        });
    }
    plans
}
