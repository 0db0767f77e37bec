//! The attention half of a layer: projections, rotation, cache, scores, softmax, values, output.

mod project;
mod softmax;

use super::choice::Order;
use super::layout::{Attention, Cache};
use super::product::Column;
use super::scheduler::{Passes, Work};
use super::step::Step;
use crate::CompileError;
use crate::alu::{add, fixed, fma, multiply, with_constant};
use crate::nest::{Form, Level};
use lpu_isa::descriptor::{Format, Operand, Output, ResultFormat, Source};
use lpu_isa::latency::{READ_LATENCY, WRITE_LATENCY};
use lpu_isa::{AccMode, Descriptor, Stream};
use std::collections::VecDeque;

/// Base-2 logarithm of the largest softmax weight: its negative, FP32.
pub const AMPLITUDE: f32 = -14.99;
/// What the high plane of an int16 counts.
const BYTE: f32 = 256.0;
/// Rows of softmax weights that are loaded at once.
const PIECE: usize = 4;

/// A head of keys of a sequence.
#[derive(Clone, Copy)]
pub struct Item {
    pub index: usize,
    pub sequence: usize,
    pub head: usize,
}

/// Where rotated halves go.
#[derive(Clone, Copy)]
pub enum Target<'l> {
    Operands,
    Cache(Half, &'l Cache),
}

/// Keys or values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    Keys,
    Values,
}

/// For each head, when its last vectors are driven towards the cache.
pub type Driven = Vec<i64>;

impl Step<'_> {
    /// Lines norm, project, rotate, attend and output.
    pub fn attention(&mut self, number: usize, layer: &Attention) -> Result<(), CompileError> {
        self.normalise()?;
        let (sequences, heads) = (self.plan.shape.sequences, self.plan.shape.kv_heads);
        let (group, buffers) = (self.plan.group, self.plan.registers.buffers);
        let items: Vec<Item> = (0..sequences * heads)
            .map(|index| Item {
                index,
                sequence: index % sequences,
                head: index / sequences,
            })
            .collect();
        let target = Target::Cache(Half::Keys, &layer.keys);
        let every: Vec<usize> = (0..heads).collect();
        let keys = self.rotated(&layer.key, &every, target)?;
        // Softmax takes long; what is placed after it fills its time.
        let mut waiting = VecDeque::new();
        let mut values = vec![None; heads];
        for (head, items_of_head) in items.chunks(sequences).enumerate() {
            let queries: Vec<usize> = (head * group..(head + 1) * group).collect();
            self.rotated(&layer.query, &queries, Target::Operands)?;
            for &item in items_of_head {
                if waiting.len() == buffers
                    && let Some(first) = waiting.pop_front()
                {
                    self.attend_over(layer, first, &mut values)?;
                }
                self.scores(layer, item, keys[head])?;
                self.softmax(number, item)?;
                waiting.push_back(item);
            }
            if self.plan.order == Order::HeadByHead {
                for item in waiting.drain(..) {
                    self.attend_over(layer, item, &mut values)?;
                }
            }
        }
        // All values first: they have the time of the last softmax.
        for head in 0..heads {
            self.values_once(layer, head, &mut values)?;
        }
        for item in waiting {
            self.attend_over(layer, item, &mut values)?;
        }
        self.add_product(&layer.output, self.plan.rows.attended)
    }

    /// Values of a head into the cache, unless they are placed already; returns when the last were driven.
    pub fn values_once(
        &mut self,
        layer: &Attention,
        head: usize,
        placed: &mut [Option<i64>],
    ) -> Result<i64, CompileError> {
        if let Some(driven) = placed[head] {
            return Ok(driven);
        }
        let (registers, tiles) = (self.plan.registers, self.plan.head_tiles());
        let mut driven = 0;
        for element in 0..tiles {
            let output = head * tiles + element;
            let factor = registers.factor(output % 2);
            let column = Column {
                product: &layer.value,
                output,
                source: self.plan.rows.normed,
                factor,
                roomy: false,
            };
            let last = self.column(column, |step, work, start| {
                let row = registers.worth(0);
                let pass = step.projected(factor, row);
                let passes = step.each(start, row);
                let target = (Half::Values, &layer.values);
                step.store(work, passes, pass, target, [head, element])
            })?;
            driven = driven.max(last + self.scheduler.vector_latency());
        }
        placed[head] = Some(driven);
        Ok(driven)
    }

    fn attend_over(
        &mut self,
        layer: &Attention,
        item: Item,
        values: &mut [Option<i64>],
    ) -> Result<(), CompileError> {
        let driven = self.values_once(layer, item.head, values)?;
        self.attend(layer, item, driven)
    }

    /// Tiles of a cache as weights, and when their first READ may issue.
    fn read_cache(
        &self,
        work: &mut Work,
        (cache, column): (&Cache, bool),
        item: Item,
        driven: i64,
        period: usize,
    ) {
        let plan = self.plan;
        let tiles = plan.key_tiles * plan.head_tiles();
        let first = self.load_weights(work, column, tiles, period);
        let offset = self.layout.cache_offset(item.sequence, item.head, 0, 0);
        self.read_weights(work, &cache.places, offset, first, tiles, period);
        // The vectors reach slice 0 last, and its READs issue first.
        let config = self.config();
        let hops = (config.vxm_position() - 1 + config.mxm_position() - 1) as i64;
        let between = hops + (WRITE_LATENCY + READ_LATENCY) as i64;
        work.from = driven + between - first;
    }

    fn buffer(&self, item: Item) -> usize {
        item.index % self.plan.registers.buffers
    }

    /// Scores of the heads that share a head of keys, masked, into registers.
    pub fn scores(
        &mut self,
        layer: &Attention,
        item: Item,
        driven: i64,
    ) -> Result<(), CompileError> {
        let (plan, registers) = (self.plan, self.plan.registers);
        let (rows, tiles) = (plan.group, plan.head_tiles());
        let period = plan.burst().max(rows);
        let turn = tiles * period;
        let mut work = Work::default();
        // Each vector of keys is a column: a lane holds a key.
        self.read_cache(&mut work, (&layer.keys, true), item, driven, period);
        let head = item.sequence * plan.shape.kv_heads + item.head;
        let source = plan.rows.queries + head * tiles * rows;
        for key_tile in 0..plan.key_tiles {
            let start = (key_tile * turn) as i64;
            let levels = [Level::new(rows, 1, 1), Level::new(tiles, period, rows)];
            self.scheduler.multiply(&mut work, start, source, &levels);
            self.accumulate_tiles(&mut work, start, rows, tiles, period);
            let mut pass = Descriptor {
                source: Source::Stream(Format::Int32),
                write: Some(0),
                ..Descriptor::default()
            };
            let mask = registers.masks + key_tile;
            pass.alus[0] = fixed(mask, add(Operand::Register));
            let passes = Passes {
                start: self.passing(start + (turn - period) as i64),
                row: registers.head(self.buffer(item), 0) + key_tile,
                count: rows,
                interval: 1,
                stride: registers.head_size,
            };
            self.scheduler
                .pass(&mut work, Stream::west(0), passes, pass)?;
        }
        self.scheduler.place(work)?;
        Ok(())
    }

    /// The product of the softmax weights with the values, divided by their sum, as codes in the operand buffer.
    pub fn attend(
        &mut self,
        layer: &Attention,
        item: Item,
        driven: i64,
    ) -> Result<(), CompileError> {
        let (plan, registers) = (self.plan, self.plan.registers);
        let (rows, tiles, turns) = (2 * plan.group, plan.head_tiles(), plan.key_tiles);
        let period = plan.burst().max(rows);
        let turn = tiles * period;
        let first = registers.head(self.buffer(item), 0);
        let mut work = Work::default();
        self.read_cache(&mut work, (&layer.values, false), item, driven, period);
        for key_tile in 0..turns {
            let start = (key_tile * turn) as i64;
            let row = self.weight_row(item) + key_tile * rows;
            let levels = [Level::new(rows, 1, 1), Level::new(tiles, period, 0)];
            self.scheduler.multiply(&mut work, start, row, &levels);
            let mode = |on: bool| if on { AccMode::Always } else { AccMode::Never };
            let modes = [mode(key_tile == 0), mode(key_tile + 1 == turns)];
            let levels = [Level::new(rows, 1, 1), Level::new(tiles, period, rows)];
            self.accumulate(&mut work, start, modes, Form::Free, &levels);
        }
        let sum = Descriptor {
            source: Source::Stream(Format::Int32),
            write: Some(0),
            ..Descriptor::default()
        };
        for tile in 0..tiles {
            let start = self.passing(((turns - 1) * turn + tile * period) as i64);
            for row in 0..plan.group {
                let start = start + 2 * row as i64;
                let at = first + row * registers.head_size + registers.sums() + 2 * tile;
                let passes = Passes::run(start, at, 2);
                self.scheduler
                    .pass(&mut work, Stream::west(0), passes, sum)?;
            }
        }
        self.scheduler.place(work)?;
        self.quotients(item)
    }

    fn quotients(&mut self, item: Item) -> Result<(), CompileError> {
        let (plan, registers) = (self.plan, self.plan.registers);
        let (tiles, sequences) = (plan.head_tiles(), plan.shape.sequences);
        let mut join = Self::copy(1, 0);
        let shifted = fma(Operand::Constant, Operand::Register);
        join.alus[0] = with_constant(BYTE.to_bits(), shifted);
        let stream = plan.vector_stream;
        for row in 0..plan.group {
            let first = registers.head(self.buffer(item), row);
            let sums = first + registers.sums();
            let passes = Passes {
                start: 0,
                row: sums,
                count: tiles,
                interval: 1,
                stride: 2,
            };
            self.scheduler.passes(passes, join)?;
            for tile in 0..tiles {
                let row_of_sum = sums + 2 * tile;
                let mut quotient = Descriptor::default();
                let reciprocal = first + registers.maximum();
                quotient.alus[0] = self.beside(row_of_sum, reciprocal, multiply(Operand::Register));
                let passes = Passes::one(0, row_of_sum);
                let head = item.head * plan.group + row;
                let at = (head * tiles + tile) * sequences + item.sequence;
                let at = plan.rows.attended + at;
                if plan.attention.chips > 1 {
                    self.send_row(passes, quotient, at, 0)?;
                }
                let quotient = coded(quotient, Stream::east(stream));
                let mut work = Work::default();
                self.scheduler
                    .pass(&mut work, Stream::west(0), passes, quotient)?;
                self.scheduler.load(&mut work, stream, passes, at, 0);
                self.scheduler.place(work)?;
            }
        }
        Ok(())
    }
}

/// A pass whose result is int8 codes on a stream.
fn coded(pass: Descriptor, stream: Stream) -> Descriptor {
    Descriptor {
        output: Some(Output {
            format: ResultFormat::Int8,
            stream,
        }),
        ..pass
    }
}
