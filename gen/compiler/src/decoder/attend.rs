//! The attention half of a layer: projections, rotation, cache, scores, softmax, values, output.

use super::layout::{Cache, Layer, Product};
use super::plan::Order;
use super::product::Column;
use super::scheduler::{Passes, Work};
use super::step::Step;
use crate::CompileError;
use crate::alu::{add, at, fixed, fma, folds, maximum, multiply, with_constant};
use crate::nest::{Form, Level};
use crate::place::Place;
use lpu_isa::descriptor::{Alu, Format, Function, Operand, Output, ResultFormat, Source};
use lpu_isa::latency::{READ_LATENCY, WRITE_LATENCY};
use lpu_isa::{AccMode, Descriptor, Reduction, Stream};
use std::collections::VecDeque;
use std::ops::Range;

/// Base-2 logarithm of the largest softmax weight: its negative, FP32.
pub const AMPLITUDE: f32 = -14.99;
/// What the high plane of an int16 counts.
const BYTE: f32 = 256.0;
/// Rows of softmax weights that are loaded at once.
const PIECE: usize = 4;

/// A head of keys of a sequence.
#[derive(Clone, Copy)]
struct Item {
    index: usize,
    sequence: usize,
    head: usize,
}

/// Where rotated halves go.
#[derive(Clone, Copy)]
enum Target<'l> {
    Operands,
    Cache(&'l Cache),
}

/// For each head, when its last vectors are driven towards the cache.
type Driven = Vec<i64>;

impl Step<'_> {
    /// Lines norm, project, rotate, attend and output.
    pub fn attention(&mut self, number: usize, layer: &Layer) -> Result<(), CompileError> {
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
        let keys = self.rotated(&layer.key, 0..heads, Target::Cache(&layer.keys))?;
        // Softmax takes long; what is placed after it fills its time.
        let mut waiting = VecDeque::new();
        let mut values = vec![None; heads];
        for (head, items_of_head) in items.chunks(sequences).enumerate() {
            let queries = head * group..(head + 1) * group;
            self.rotated(&layer.query, queries, Target::Operands)?;
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

    /// Queries or keys: product and rotation of some heads.
    fn rotated(
        &mut self,
        product: &Product,
        heads: Range<usize>,
        target: Target<'_>,
    ) -> Result<Driven, CompileError> {
        let (registers, tiles) = (self.plan.registers, self.plan.head_tiles());
        let (mut driven, mut waiting) = (Vec::new(), None);
        for head in heads {
            for tile in 0..tiles {
                let output = head * tiles + tile;
                let factor = registers.factor(output);
                let column = Column {
                    product,
                    output,
                    source: self.plan.rows.normed,
                    factor,
                    roomy: matches!(target, Target::Operands),
                };
                self.column(column, |step, work, start| {
                    let row = registers.rotated(0, head) + tile;
                    let pass = Descriptor {
                        write: Some(0),
                        ..step.projected(factor, row)
                    };
                    let passes = step.each(start, row);
                    step.scheduler.pass(work, Stream::west(0), passes, pass)
                })?;
            }
            // Placed behind the next head's products, which its loads of the operand buffer would push away.
            let ready = match registers.turns {
                1 => Some(head),
                _ => waiting.replace(head),
            };
            if let Some(head) = ready {
                driven.push(self.rotate(head, target)?);
            }
        }
        if let Some(head) = waiting {
            driven.push(self.rotate(head, target)?);
        }
        Ok(driven)
    }

    /// Both halves of a head of every sequence; returns when the last was driven.
    fn rotate(&mut self, head: usize, target: Target<'_>) -> Result<i64, CompileError> {
        let (registers, half) = (self.plan.registers, self.plan.half);
        let mut driven = 0;
        for tile in 0..half {
            let row = registers.rotated(0, head) + tile;
            let passes = self.each(0, row);
            let [cosine, sine] = [registers.cosines, registers.sines]
                .map(|table| self.shared(row, table + tile, multiply(Operand::Register)));
            for second in [false, true] {
                // The other half times the sine, then this half times the cosine.
                let (own, other) = match second {
                    false => (0, half),
                    true => (half, 0),
                };
                let product = 2 * half + own;
                let mut mixed = Self::copy(other as u16, product as u16);
                mixed.alus[0] = sine;
                self.scheduler.passes(passes, mixed)?;
                let mut turned = Descriptor {
                    source: Source::Register(own as u16),
                    ..Descriptor::default()
                };
                turned.alus[0] = cosine;
                turned.alus[1] = Alu {
                    negate_z: !second,
                    ..at(product as u16, add(Operand::Register))
                };
                let element = usize::from(second) * half + tile;
                let mut work = Work::default();
                self.turned(&mut work, passes, turned, [head, element], target)?;
                driven = driven.max(self.scheduler.place(work)?);
            }
        }
        let last = self.plan.shape.sequences as i64 - 1;
        Ok(driven + last + self.scheduler.vector_latency())
    }

    fn turned(
        &mut self,
        work: &mut Work,
        passes: Passes,
        pass: Descriptor,
        [head, element]: [usize; 2],
        target: Target<'_>,
    ) -> Result<(), CompileError> {
        match target {
            Target::Cache(cache) => self.store(work, passes, pass, cache, [head, element]),
            Target::Operands => {
                let (group, tiles) = (self.plan.group, self.plan.head_tiles());
                let stream = self.plan.vector_stream;
                let pass = coded(pass, Stream::east(stream));
                self.scheduler.pass(work, Stream::west(0), passes, pass)?;
                let row = (head / group * tiles + element) * group + head % group;
                let row = self.plan.rows.queries + row;
                let stride = self.plan.shape.heads * tiles;
                self.scheduler.load(work, stream, passes, row, stride);
                Ok(())
            }
        }
    }

    /// Passes of all sequences whose codes go to the cache: every slice of the group writes them, all but one where nobody reads.
    fn store(
        &mut self,
        work: &mut Work,
        passes: Passes,
        pass: Descriptor,
        cache: &Cache,
        [head, element]: [usize; 2],
    ) -> Result<(), CompileError> {
        let stream = self.plan.vector_stream_west();
        let pass = coded(pass, Stream::west(stream));
        self.scheduler.pass(work, Stream::west(0), passes, pass)?;
        let offset = self.layout.cache_offset(0, head, 0, element);
        let stride = self.layout.cache_offset(1, 0, 0, 0);
        let levels = [Level::new(passes.count, passes.interval, stride)];
        for &place in &cache.places {
            let place = Place {
                address: place.address + offset,
                ..place
            };
            self.scheduler
                .write(work, place, stream, passes.start, &levels);
        }
        Ok(())
    }

    /// Values of a head into the cache, unless they are placed already; returns when the last were driven.
    fn values_once(
        &mut self,
        layer: &Layer,
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
                step.store(work, passes, pass, &layer.values, [head, element])
            })?;
            driven = driven.max(last + self.scheduler.vector_latency());
        }
        placed[head] = Some(driven);
        Ok(driven)
    }

    fn attend_over(
        &mut self,
        layer: &Layer,
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
    fn scores(&mut self, layer: &Layer, item: Item, driven: i64) -> Result<(), CompileError> {
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

    /// A tree over the tiles of a head; returns its root.
    fn fold(&mut self, first: usize, join: Alu) -> Result<usize, CompileError> {
        let fold = self.plan.registers.fold();
        let mut root = first;
        for (level, (distance, pairs)) in folds(self.plan.key_tiles).into_iter().enumerate() {
            let write = if level == 0 { fold as u16 } else { 0 };
            let mut pass = Self::copy(distance as u16, write);
            pass.alus[1] = join;
            self.scheduler.passes(Passes::run(0, root, pairs), pass)?;
            if level == 0 {
                if pairs < distance {
                    let copy = Self::copy(0, write);
                    self.scheduler.passes(Passes::one(0, root + pairs), copy)?;
                }
                root = first + fold;
            }
        }
        Ok(root)
    }

    /// Scores become softmax weights in the operand buffer, and registers the reciprocals of their sums.
    fn softmax(&mut self, number: usize, item: Item) -> Result<(), CompileError> {
        let (plan, registers) = (self.plan, self.plan.registers);
        let buffer = self.buffer(item);
        for row in 0..plan.group {
            let first = registers.head(buffer, row);
            let root = self.fold(first, maximum())?;
            let mut scaled = Descriptor {
                source: Source::Stream(Format::Fp32),
                write: Some(0),
                ..Descriptor::default()
            };
            let times = self.scale(number, &mut scaled);
            scaled.alus[0] = fixed(registers.amplitude, times);
            let maximum = first + registers.maximum();
            self.reduce(root, Reduction::Max, &[(maximum, scaled)], number)?;
        }
        // A descriptor for each tile or for each row, whichever are fewer.
        let by_tile = plan.key_tiles < plan.group * registers.buffers;
        let count = if by_tile { 1 } else { plan.key_tiles };
        for (row, tile) in (0..plan.group).flat_map(|row| {
            (0..plan.key_tiles)
                .step_by(count)
                .map(move |tile| (row, tile))
        }) {
            let first = registers.head(buffer, row);
            let maximum = first + registers.maximum();
            let mut exponent = Descriptor {
                function: Function::Exp2,
                write: Some(0),
                ..Descriptor::default()
            };
            let shifted = self.scale(number, &mut exponent);
            let placed = match by_tile {
                true => self.beside(first + tile, maximum, shifted),
                false => fixed(maximum, shifted),
            };
            exponent.alus[0] = Alu {
                negate_z: true,
                ..placed
            };
            let mut work = Work::default();
            let passes = Passes::run(0, first + tile, count);
            self.scored(&mut work, Stream::west(0), passes, exponent, number)?;
            self.scheduler.place(work)?;
        }
        self.weights(item)?;
        for row in 0..plan.group {
            let first = registers.head(buffer, row);
            let root = self.fold(first, add(Operand::Register))?;
            let inverse = Descriptor {
                source: Source::Stream(Format::Fp32),
                function: Function::Rcp,
                write: Some(0),
                ..Descriptor::default()
            };
            let reciprocal = first + registers.maximum();
            self.reduce(root, Reduction::Sum, &[(reciprocal, inverse)], number)?;
        }
        Ok(())
    }

    /// P times c of a layer plus a register. c is a constant if all layers have the same, else operand B: a descriptor for each
    /// layer would be too many.
    fn scale(&self, number: usize, pass: &mut Descriptor) -> Alu {
        let scores = &self.plan.shape.scores;
        let scale = scores[number];
        if scores.iter().all(|&other| other == scale) {
            return with_constant(scale.to_bits(), fma(Operand::Constant, Operand::Register));
        }
        pass.b = Some((Format::Fp32, 0));
        fma(Operand::B, Operand::Register)
    }

    /// Passes that may take c of a layer as operand B.
    pub fn scored(
        &mut self,
        work: &mut Work,
        a: Stream,
        passes: Passes,
        pass: Descriptor,
        number: usize,
    ) -> Result<(), CompileError> {
        if pass.b.is_some() {
            let scores = &self.layout.scores;
            let level = Level::new(passes.count, passes.interval, 0);
            self.words(work, scores, number, passes.start, level);
        }
        let b = Stream::east(self.plan.word_stream);
        self.scheduler.pass_with(work, [a, b], passes, pass)
    }

    /// First row of an item's softmax weights in the operand buffer.
    fn weight_row(&self, item: Item) -> usize {
        let rows = self.plan.rows;
        rows.weights + self.buffer(item) * rows.weight_slot
    }

    /// Both planes of the softmax weights into the operand buffer.
    fn weights(&mut self, item: Item) -> Result<(), CompileError> {
        let (plan, stream) = (self.plan, self.plan.vector_stream);
        let weight = Descriptor {
            output: Some(Output {
                format: ResultFormat::Int16,
                stream: Stream::east(stream),
            }),
            ..Descriptor::default()
        };
        for tile in (0..plan.key_tiles).step_by(PIECE) {
            let count = PIECE.min(plan.key_tiles - tile);
            for (row, plane) in (0..plan.group).flat_map(|row| [(row, 0), (row, 1)]) {
                let mut work = Work::default();
                let first = plan.registers.head(self.buffer(item), row) + tile;
                let passes = Passes::run(0, first, count);
                self.scheduler
                    .pass(&mut work, Stream::west(0), passes, weight)?;
                let at = self.weight_row(item) + (tile * plan.group + row) * 2 + plane;
                let stream = stream + plane as u8;
                self.scheduler
                    .load(&mut work, stream, passes, at, 2 * plan.group);
                self.scheduler.place(work)?;
            }
        }
        Ok(())
    }

    /// The product of the softmax weights with the values, divided by their sum, as codes in the operand buffer.
    fn attend(&mut self, layer: &Layer, item: Item, driven: i64) -> Result<(), CompileError> {
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
                let quotient = coded(quotient, Stream::east(stream));
                let mut work = Work::default();
                let passes = Passes::one(0, row_of_sum);
                self.scheduler
                    .pass(&mut work, Stream::west(0), passes, quotient)?;
                let head = item.head * plan.group + row;
                let at = (head * tiles + tile) * sequences + item.sequence;
                let at = plan.rows.attended + at;
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
