//! The schedule of attention: bursts of each tile of queries, placed one after the other where their queues are free.

use super::descriptors::{Pass, describe};
use super::layout::Layout;
use super::plan::Plan;
use crate::CompileError;
use crate::burst::{Burst, Calendar};
use crate::nest::{Form, Level, Nest};
use crate::place::Place;
use lpu_isa::latency::{
    HOP_LATENCY, IW_TO_MM, READ_LATENCY, WRITE_LATENCY, acc_latency, mm_latency, vxm_latency,
};
use lpu_isa::{AccMode, Config, Operation, Program, Queue, QueueKind, Stream};
use std::ops::Range;

/// The program of all heads.
pub fn program(config: &Config, plan: &Plan, layout: &Layout) -> Result<Program, CompileError> {
    let mut scheduler = Scheduler {
        config,
        plan,
        layout,
        calendar: Calendar::new(config),
        buffers: vec![Buffer::default(); plan.buffers],
        stage_free: 0,
    };
    scheduler.constants()?;
    let tiles: Vec<Tile> = (0..plan.shape.heads * plan.query_tiles())
        .map(|index| Tile::new(plan, index))
        .collect();
    // What is placed first gets the cycles it wants: the matrix unit never waits for passes that have time. With two buffers
    // the softmax of a tile runs beside the values of the tile before and the scores of the next.
    let ahead = plan.buffers - 1;
    let tile = |index: usize, behind: usize| index.checked_sub(behind).and_then(|i| tiles.get(i));
    let mut summed = 0;
    for index in 0..=tiles.len() + ahead {
        let scored = match tile(index, 0) {
            Some(tile) => Some((tile, scheduler.scores(tile)?)),
            None => None,
        };
        if let Some(tile) = tile(index, ahead + 1) {
            scheduler.quotients(tile, summed)?;
        }
        if ahead > 0
            && let Some(tile) = tile(index, ahead)
        {
            summed = scheduler.values(tile)?;
        }
        if let Some((tile, scored)) = scored {
            scheduler.softmax(tile, scored)?;
        }
        if ahead == 0
            && let Some(tile) = tile(index, ahead)
        {
            summed = scheduler.values(tile)?;
        }
    }
    let mut program = scheduler.finish().lower(config)?;
    describe(&mut program, plan);
    Ok(program)
}

/// A tile of queries of one head.
#[derive(Clone, Copy, Debug)]
struct Tile {
    index: usize,
    kv_head: usize,
    buffer: usize,
    /// Keys that some query sees, and those that all see.
    keys: usize,
    unmasked: usize,
    /// Keys in the tiles of weights; what no query sees has a weight of zero.
    padded: usize,
}

/// Until when the parts of a buffer are in use.
#[derive(Clone, Debug)]
struct Buffer {
    /// Partial maxima and scores.
    scores: i64,
    /// Softmax weights.
    weights: i64,
    /// Sums.
    sums: i64,
    /// Cycle of the write of each key's weights, of the plane that is written last.
    written: Vec<i64>,
}

impl Default for Buffer {
    fn default() -> Self {
        let never = 0;
        Self {
            scores: never,
            weights: never,
            sums: never,
            written: Vec::new(),
        }
    }
}

/// When the scores of a tile are there.
struct Scored {
    /// Last WRITE of a score.
    written: i64,
    /// Last pass that took a maximum.
    maximum: i64,
}

impl Tile {
    fn new(plan: &Plan, index: usize) -> Self {
        let (head, tile) = (index / plan.query_tiles(), index % plan.query_tiles());
        let keys = plan.visible(tile);
        Self {
            index,
            kv_head: plan.shape.kv_head(head),
            padded: keys.next_multiple_of(plan.lanes).min(plan.shape.keys),
            buffer: index % plan.buffers,
            keys,
            unmasked: match plan.shape.causal {
                true => plan.unmasked(tile).min(keys),
                false => keys,
            },
        }
    }

    const fn is_masked(&self) -> bool {
        self.unmasked < self.keys
    }
}

struct Scheduler<'a> {
    config: &'a Config,
    plan: &'a Plan,
    layout: &'a Layout,
    calendar: Calendar<'a>,
    buffers: Vec<Buffer>,
    /// Until when the stage of masked scores is in use.
    stage_free: i64,
}

/// Any stream: a pass without the operand ignores it.
const UNUSED: Stream = Stream::east(0);

impl Scheduler<'_> {
    fn queue(kind: QueueKind) -> Queue {
        Queue::new(kind, 0)
    }

    /// Hops from the cell that the MXM drives to the one that slice or unit `position` sees.
    fn mxm_to(&self, position: usize) -> i64 {
        (self.config.mxm_position() - 1 - position) as i64 * HOP_LATENCY as i64
    }

    /// The same from the vector unit.
    fn vxm_to(&self, slice: usize) -> i64 {
        (self.config.vxm_position() - 1 - slice) as i64 * HOP_LATENCY as i64
    }

    /// A READ whose first vector the MXM (`to_mxm`) or the vector unit sees in the first cycle of the nest.
    fn read(&self, burst: &mut Burst, place: Place, stream: u8, to_mxm: bool, mut nest: Nest) {
        let hops = match to_mxm {
            true => self.mxm_to(place.slice),
            false => self.vxm_to(place.slice),
        };
        nest.start -= READ_LATENCY as i64 + hops;
        nest.address += place.address as u64;
        let stream = Stream::east(stream);
        let queue = Queue::new(QueueKind::MemRead, place.slice);
        burst.push(queue, Operation::Read { stream }, nest);
    }

    fn write(&self, burst: &mut Burst, place: Place, stream: u8, hops: i64, mut nest: Nest) {
        nest.start += hops;
        nest.address += place.address as u64;
        let stream = Stream::west(stream);
        let queue = Queue::new(QueueKind::MemWrite, place.slice);
        burst.push(queue, Operation::Write { stream }, nest);
    }

    fn pass(&self, burst: &mut Burst, a: Stream, start: i64, address: usize, levels: &[Level]) {
        let operation = Operation::Vector { a, b: UNUSED };
        let nest = Nest::free(start, address, levels);
        burst.push(Self::queue(QueueKind::Vxm), operation, nest);
    }

    /// A burst of one nest of passes that take registers only.
    fn passes(&self, address: usize, levels: &[Level]) -> Burst {
        let mut burst = Burst::default();
        self.pass(&mut burst, UNUSED, 0, address, levels);
        burst
    }

    fn constants(&mut self) -> Result<(), CompileError> {
        let row = self.plan.registers.amplitude;
        let burst = self.passes(Pass::Amplitude.at(row), &[]);
        self.calendar.place(burst, 0)?;
        Ok(())
    }

    /// LW of `tiles` tiles `period` cycles apart whose first product is in cycle `start`.
    fn load(
        &self,
        burst: &mut Burst,
        column: bool,
        start: i64,
        tiles: usize,
        period: usize,
    ) -> i64 {
        let first = start - IW_TO_MM as i64 - self.plan.burst() as i64 + 1;
        let operation = Operation::LoadWeights {
            stream: 0,
            column,
            install: true,
        };
        let levels = [
            Level::new(self.plan.burst(), 1, self.plan.streams),
            Level::new(tiles, period, 0),
        ];
        let nest = Nest::new(first, 0, Form::Inner, &levels);
        burst.push(Self::queue(QueueKind::MxmWeights), operation, nest);
        first
    }

    /// MM and ACC of `rows` rows of `tiles` tiles that are summed up; returns the ACC that emits the first.
    fn multiply(
        &self,
        burst: &mut Burst,
        start: i64,
        rows: usize,
        tiles: usize,
        period: usize,
    ) -> i64 {
        let stream = self.plan.activation_stream;
        let levels = [Level::new(rows, 1, 0), Level::new(tiles, period, 0)];
        let multiply = Operation::MultiplyStream {
            stream,
            scales: None,
        };
        let nest = Nest::free(start, 0, &levels);
        burst.push(Self::queue(QueueKind::MxmCompute), multiply, nest);
        let mode = match tiles {
            1 => AccMode::Always,
            _ => AccMode::Outer,
        };
        let accumulate = Operation::Accumulate {
            stream: 0,
            init: mode,
            emit: mode,
        };
        let start = start + mm_latency(self.config) as i64;
        let levels = [Level::new(rows, 1, 1), Level::new(tiles, period, 0)];
        let nest = Nest::new(start, 0, Form::Both, &levels);
        burst.push(Self::queue(QueueKind::MxmAccumulate), accumulate, nest);
        start + ((tiles - 1) * period) as i64 + acc_latency(self.config) as i64
    }

    /// Q K^T of a tile, transposed: the keys pass the queries. The partial maxima are taken in passing.
    fn scores(&mut self, tile: &Tile) -> Result<Scored, CompileError> {
        let plan = self.plan;
        let tiles = plan.dim_tiles();
        let mut burst = Burst::default();
        let (mut start, mut written) = (0, 0);
        let mut maximum = None;
        let mut first_pass = None;
        for first in (0..tile.keys).step_by(plan.chunk) {
            let rows = plan.chunk.min(tile.keys - first);
            let period = rows.max(plan.burst());
            let load = self.load(&mut burst, true, start, tiles, period);
            for (class, &place) in self.layout.queries.iter().enumerate() {
                let address = tile.index * tiles * plan.burst();
                let levels = [
                    Level::new(plan.burst(), 1, 1),
                    Level::new(tiles, period, plan.burst()),
                ];
                let nest = Nest::free(load, address, &levels);
                self.read(&mut burst, place, class as u8, true, nest);
            }
            let levels = [
                Level::new(rows, 1, 1),
                Level::new(tiles, period, plan.shape.keys),
            ];
            let keys = self.layout.keys[tile.kv_head];
            let nest = Nest::free(start, first, &levels);
            self.read(&mut burst, keys, plan.activation_stream, true, nest);
            let emitted = self.multiply(&mut burst, start, rows, tiles, period);
            for (plane, &place) in self.layout.scores[tile.buffer].iter().enumerate() {
                let hops = self.mxm_to(place.slice);
                let nest = Nest::free(emitted, first, &[Level::new(rows, 1, 1)]);
                self.write(&mut burst, place, plane as u8, hops, nest);
                written = written.max(emitted + hops + rows as i64 - 1);
            }
            let passing = emitted + self.mxm_to(self.config.vxm_position());
            let visible = first..(first + rows).min(tile.unmasked);
            if !visible.is_empty() {
                first_pass.get_or_insert(passing);
                maximum = Some(passing + visible.len() as i64 - 1);
                self.maxima(&mut burst, tile, passing, visible);
            }
            start += (tiles * period) as i64;
        }
        let maximum = maximum.expect("every query sees a key");
        let buffer = &self.buffers[tile.buffer];
        let from = buffer.scores - first_pass.unwrap_or(0).min(maximum);
        let at = self.calendar.place(burst, from)?;
        Ok(Scored {
            written: at + written,
            maximum: at + maximum,
        })
    }

    /// Maximum of the scores of `keys`, that pass the vector unit from `start` on, into the partial maxima.
    fn maxima(&self, burst: &mut Burst, tile: &Tile, start: i64, keys: Range<usize>) {
        let plan = self.plan;
        let partials = plan.partials;
        let row = plan.registers.partials(tile.buffer);
        let a = Stream::west(0);
        let cycle = |key: usize| start + (key - keys.start) as i64;
        let new = keys.start..keys.end.min(partials);
        if !new.is_empty() {
            let address = Pass::First.at(row + new.start);
            self.pass(
                burst,
                a,
                cycle(new.start),
                address,
                &[Level::new(new.len(), 1, 1)],
            );
        }
        // Chunks are whole turns.
        let first = keys.start.max(partials);
        if first >= keys.end {
            return;
        }
        let address = Pass::Maximum.at(row);
        let (turns, rest) = ((keys.end - first) / partials, (keys.end - first) % partials);
        if turns > 0 {
            let levels = [Level::new(partials, 1, 1), Level::new(turns, partials, 0)];
            self.pass(burst, a, cycle(first), address, &levels);
        }
        if rest > 0 {
            let last = cycle(first + turns * partials);
            self.pass(burst, a, last, address, &[Level::new(rest, 1, 1)]);
        }
    }

    /// Reads the scores of `keys`; the vector unit sees the first in cycle 0 of the burst.
    fn read_scores(&self, burst: &mut Burst, tile: &Tile, keys: Range<usize>) {
        for (plane, &place) in self.layout.scores[tile.buffer].iter().enumerate() {
            let nest = Nest::free(0, keys.start, &[Level::new(keys.len(), 1, 1)]);
            let stream = self.plan.score_stream + plane as u8;
            self.read(burst, place, stream, false, nest);
        }
    }

    /// The first cycle in which the vector unit can see scores that are in SRAM from `written` on.
    fn readable(&self, tile: &Tile, written: i64) -> i64 {
        let hops = self.layout.scores[tile.buffer].map(|place| self.vxm_to(place.slice));
        let hops = hops.into_iter().max().expect("four planes");
        written + (WRITE_LATENCY + READ_LATENCY) as i64 + hops
    }

    /// Maximum, exponents and quantisation of a tile.
    fn softmax(&mut self, tile: &Tile, scored: Scored) -> Result<(), CompileError> {
        let plan = self.plan;
        let row = plan.registers.partials(tile.buffer);
        let scores = self.readable(tile, scored.written);
        let mut maximum = scored.maximum;
        let mut partials = plan.partials.min(tile.unmasked);
        if tile.is_masked() {
            maximum = self.mask(tile, scores, maximum)?;
            partials = plan.partials;
        }
        let mut ready = maximum + plan.chain();
        while partials > 1 {
            let distance = partials.div_ceil(2);
            let count = partials - distance;
            let burst = self.passes(Pass::Fold.nth_at(distance, row), &[Level::new(count, 1, 1)]);
            // The next level reads from the first row on what this one writes.
            ready = self.calendar.place(burst, ready)? + count as i64 - 1 + plan.chain();
            partials = distance;
        }
        let burst = self.passes(Pass::Scale.at(row), &[]);
        ready = self.calendar.place(burst, ready)? + plan.chain();

        self.buffers[tile.buffer].written = vec![0; tile.padded];
        let mut burst = Burst::default();
        let keys = 0..tile.unmasked;
        // The scores are read once they are written, each behind its write.
        let from = ready.max(scores - tile.unmasked as i64 + 1);
        self.read_scores(&mut burst, tile, keys.clone());
        let a = Stream::east(plan.score_stream);
        let address = Pass::Weight.at(row);
        self.pass(&mut burst, a, 0, address, &[Level::new(keys.len(), 1, 0)]);
        let mut last = self.weights(tile, burst, keys, from)?;
        if tile.is_masked() {
            let keys = tile.unmasked..tile.keys;
            let address = Pass::MaskedWeight.nth_at(tile.buffer, plan.registers.stage);
            let burst = self.passes(address, &[Level::new(keys.len(), 1, 1)]);
            last = last.max(self.weights(tile, burst, keys, ready)?);
            self.stage_free = last;
        }
        self.buffers[tile.buffer].scores = last + 1;
        if tile.keys < tile.padded {
            let count = [Level::new(tile.padded - tile.keys, 1, 0)];
            let burst = self.passes(Pass::Zero.at(0), &count);
            self.weights(tile, burst, tile.keys..tile.padded, 0)?;
        }
        Ok(())
    }

    /// Places a burst whose passes make the weights of `keys`, with their writes; returns its last pass.
    fn weights(
        &mut self,
        tile: &Tile,
        mut burst: Burst,
        keys: Range<usize>,
        from: i64,
    ) -> Result<i64, CompileError> {
        let plan = self.plan;
        let visible = vxm_latency(plan.alus) as i64;
        let mut writes = Vec::new();
        for (plane, classes) in self.layout.weights[tile.buffer].iter().enumerate() {
            for (class, &place) in classes.iter().enumerate() {
                // The first key of this class.
                let skipped = (class + plan.streams - keys.start % plan.streams) % plan.streams;
                if skipped >= keys.len() {
                    continue;
                }
                let count = (keys.len() - skipped).div_ceil(plan.streams);
                let address = (keys.start + skipped) / plan.streams;
                let nest = Nest::free(
                    visible + skipped as i64,
                    address,
                    &[Level::new(count, plan.streams, 1)],
                );
                let hops = self.vxm_to(place.slice);
                let stream = plan.vector_stream + plane as u8;
                self.write(&mut burst, place, stream, hops, nest);
                writes.push(hops);
            }
        }
        let latest = writes.iter().max().copied().unwrap_or(0);
        let earliest = writes.iter().min().copied().unwrap_or(0);
        let free = self.buffers[tile.buffer].weights - visible - earliest;
        let at = self.calendar.place(burst, from.max(free))?;
        let written = &mut self.buffers[tile.buffer].written;
        for (i, key) in keys.clone().enumerate() {
            written[key] = at + visible + latest + i as i64;
        }
        Ok(at + keys.len() as i64 - 1)
    }

    /// Scores that only some queries of the tile see become minus infinity for the others, and take part in the maximum.
    /// Returns the last pass that took a maximum.
    fn mask(&mut self, tile: &Tile, scores: i64, maximum: i64) -> Result<i64, CompileError> {
        let plan = self.plan;
        let keys = tile.unmasked..tile.keys;
        let count = [Level::new(keys.len(), 1, 1)];
        let stage = plan.registers.stage;
        let partials = plan.registers.partials(tile.buffer);
        let mut ready = maximum;
        if tile.unmasked < plan.partials {
            let unused = plan.partials - tile.unmasked;
            let address = Pass::Bottom.at(partials + tile.unmasked);
            let burst = self.passes(address, &[Level::new(unused, 1, 1)]);
            let free = self.buffers[tile.buffer].scores;
            ready = ready.max(self.calendar.place(burst, free)? + unused as i64 - 1);
        }
        let mut burst = Burst::default();
        self.read_scores(&mut burst, tile, keys.clone());
        self.pass(
            &mut burst,
            Stream::east(plan.score_stream),
            0,
            Pass::Stage.at(stage),
            &count,
        );
        let staged = self.calendar.place(burst, scores.max(self.stage_free))?;

        let mut burst = Burst::default();
        let nest = Nest::free(0, 1, &count);
        self.read(&mut burst, self.layout.masks, plan.mask_stream, false, nest);
        self.pass(
            &mut burst,
            Stream::east(plan.mask_stream),
            0,
            Pass::Mask.at(stage),
            &count,
        );
        let masked = self.calendar.place(burst, staged + plan.chain())?;

        ready = masked.max(ready) + plan.chain();
        for group in 0..keys.len().div_ceil(plan.partials) {
            let rows = plan.partials.min(keys.len() - group * plan.partials);
            let index = tile.buffer * plan.groups() + group;
            let address = Pass::MaskedMaximum.nth_at(index, partials);
            let burst = self.passes(address, &[Level::new(rows, 1, 1)]);
            let at = self.calendar.place(burst, ready)?;
            // The next group finds the maxima of this one.
            ready = at + plan.partials as i64;
        }
        Ok(ready)
    }

    /// The product of a tile's weights with ones and the values; returns the pass that makes the first sum of values.
    fn values(&mut self, tile: &Tile) -> Result<i64, CompileError> {
        let plan = self.plan;
        let rows = plan.shape.dim + 1;
        let tiles = tile.keys.div_ceil(plan.lanes);
        let period = rows.max(plan.burst());
        let planes = plan.weight_slices.len();
        // The second plane finds the sums of the first in the registers.
        let turn = (tiles * period).max(plan.chain() as usize) as i64;
        let sums = plan.registers.sums(tile.buffer);
        let mut burst = Burst::default();
        let (mut ready, mut summed, mut low) = (i64::MIN, 0, None);
        for plane in 0..planes {
            let start = plane as i64 * turn;
            let load = self.load(&mut burst, false, start, tiles, period);
            for (class, &place) in self.layout.weights[tile.buffer][plane].iter().enumerate() {
                let levels = [
                    Level::new(plan.burst(), 1, 1),
                    Level::new(tiles, period, plan.burst()),
                ];
                self.read(
                    &mut burst,
                    place,
                    class as u8,
                    true,
                    Nest::free(load, 0, &levels),
                );
                let first = load - READ_LATENCY as i64 - self.mxm_to(place.slice);
                ready = ready.max(self.written(tile, class, first, period));
            }
            let levels = [Level::new(rows, 1, 1), Level::new(tiles, period, rows)];
            let values = self.layout.values[tile.kv_head];
            let nest = Nest::free(start, 0, &levels);
            self.read(&mut burst, values, plan.activation_stream, true, nest);
            let emitted = self.multiply(&mut burst, start, rows, tiles, period);
            let passing = emitted + self.mxm_to(self.config.vxm_position());
            let a = Stream::west(0);
            if plane + 1 < planes {
                let address = Pass::Low.at(sums);
                self.pass(&mut burst, a, passing, address, &[Level::new(rows, 1, 1)]);
                low.get_or_insert(passing);
            } else {
                self.pass(&mut burst, a, passing, Pass::Sum.at(sums), &[]);
                let address = Pass::High.at(sums + 1);
                let levels = [Level::new(rows - 1, 1, 1)];
                self.pass(&mut burst, a, passing + 1, address, &levels);
                low.get_or_insert(passing);
                summed = passing + 1;
            }
        }
        let last_read = burst
            .last(|queue| {
                let slices = plan.weight_slices.iter().flatten();
                queue.kind == QueueKind::MemRead && slices.into_iter().any(|&s| s == queue.index)
            })
            .expect("weights are read");
        let buffer = &self.buffers[tile.buffer];
        let free = buffer.sums - low.unwrap_or(0);
        let at = self.calendar.place(burst, ready.max(free))?;

        self.buffers[tile.buffer].weights = at + last_read;
        Ok(at + summed)
    }

    /// The sums of a tile divided by the sum of its weights.
    fn quotients(&mut self, tile: &Tile, summed: i64) -> Result<(), CompileError> {
        let plan = self.plan;
        let sums = plan.registers.sums(tile.buffer);
        let address = Pass::Quotient.nth_at(tile.buffer, sums + 1);
        let dim = plan.shape.dim;
        let mut burst = self.passes(address, &[Level::new(dim, 1, 1)]);
        for (plane, &place) in self.layout.outputs.iter().enumerate() {
            let levels = [Level::new(dim, 1, 1)];
            let nest = Nest::free(vxm_latency(plan.alus) as i64, tile.index * dim, &levels);
            let stream = plan.vector_stream + plane as u8;
            self.write(&mut burst, place, stream, self.vxm_to(place.slice), nest);
        }
        let divided = self.calendar.place(burst, summed + plan.chain())?;
        self.buffers[tile.buffer].sums = divided + dim as i64;
        Ok(())
    }

    /// The least shift of a burst that reads the weights of a class from `first` on, tile after tile, so that each READ finds its word.
    fn written(&self, tile: &Tile, class: usize, first: i64, period: usize) -> i64 {
        let plan = self.plan;
        let keys = (class..tile.padded).step_by(plan.streams);
        let shifts = keys.map(|key| {
            let (k_tile, row) = (key / plan.lanes, key % plan.lanes / plan.streams);
            let read = first + (k_tile * period + row) as i64;
            self.buffers[tile.buffer].written[key] + WRITE_LATENCY as i64 - read
        });
        shifts.max().unwrap_or(i64::MIN)
    }

    /// CONFIG of the weight streams, and all that was placed.
    fn finish(mut self) -> crate::timeline::Timeline {
        let queue = Self::queue(QueueKind::MxmWeights);
        if self.plan.streams != self.config.mxm.weight_streams
            && let Some(first) = self.calendar.first(queue)
        {
            self.calendar
                .configure(queue, first - 1, 0, self.plan.streams as u16);
        }
        self.calendar.finish()
    }
}
