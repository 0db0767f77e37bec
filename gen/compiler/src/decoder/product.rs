//! Products of rows in the operand buffer with a matrix, one tile of outputs after the other.

use super::layout::{Product, Words};
use super::scheduler::{Passes, Work};
use super::step::Step;
use crate::CompileError;
use crate::alu::{fixed, multiply};
use crate::nest::{Form, Level, Nest};
use lpu_isa::descriptor::{Alu, Format, Operand, Source};
use lpu_isa::latency::{IW_TO_MM, acc_latency, mm_latency};
use lpu_isa::{AccMode, Descriptor, Operation, Queue, QueueKind, Stream};

/// A tile of outputs of a product.
#[derive(Clone, Copy)]
pub struct Column<'p> {
    pub product: &'p Product,
    pub output: usize,
    /// First row of the operand buffer: (input tile, sequence).
    pub source: usize,
    /// Register for the tile's part of vector B.
    pub factor: usize,
    /// Whether a row of every sequence is to find time to enter the operand buffer in front of it.
    pub roomy: bool,
}

impl Step<'_> {
    /// A register that all sequences share, for a pass in row `row` of the first. Descriptors of one sequence count from the row, so that tiles
    /// and their registers move together; those of several cannot.
    pub const fn shared(&self, row: usize, register: usize, alu: Alu) -> Alu {
        match self.plan.shape.sequences {
            1 => self.beside(row, register, alu),
            _ => fixed(register, alu),
        }
    }

    /// A pass of a product's sum: times B, which is in `factor`.
    pub fn scaled(&self, factor: usize) -> Descriptor {
        let mut pass = Descriptor {
            source: Source::Stream(Format::Int32),
            ..Descriptor::default()
        };
        pass.alus[0] = fixed(factor, multiply(Operand::Register));
        pass
    }

    /// The same times t, for a pass in row `row` of the first sequence and those of the others.
    pub fn projected(&self, factor: usize, row: usize) -> Descriptor {
        let mut pass = self.scaled(factor);
        pass.alus[0] = self.shared(row, factor, multiply(Operand::Register));
        let worth = self.plan.registers.worth(0);
        pass.alus[1] = match self.plan.shape.sequences {
            1 => fixed(worth, multiply(Operand::Register)),
            _ => self.beside(row, worth, multiply(Operand::Register)),
        };
        pass
    }

    /// A pass for each sequence, the first in row `row`.
    pub const fn each(&self, start: i64, row: usize) -> Passes {
        Passes {
            start,
            row,
            count: self.plan.shape.sequences,
            interval: 1,
            stride: self.plan.registers.sequence_size,
        }
    }

    /// Word vectors to the vector unit, for passes from cycle `start` on.
    pub fn words(&self, work: &mut Work, words: &Words, index: usize, start: i64, level: Level) {
        self.scheduler.claim_words(work, start, level);
        let position = self.config().vxm_position();
        for (plane, &place) in words.iter().enumerate() {
            let nest = Nest::free(start, index, &[level]);
            let stream = self.plan.word_stream + plane as u8;
            self.scheduler.read(work, place, stream, position, nest);
        }
    }

    /// Word vectors to neighbouring registers.
    pub fn fetch(
        &mut self,
        work: &mut Work,
        words: &Words,
        index: usize,
        passes: Passes,
    ) -> Result<(), CompileError> {
        let level = Level::new(passes.count, 1, 1);
        self.words(work, words, index, passes.start, level);
        let fetched = Descriptor {
            source: Source::Stream(Format::Fp32),
            write: Some(0),
            ..Descriptor::default()
        };
        let a = Stream::east(self.plan.word_stream);
        self.scheduler.pass(work, a, passes, fetched)
    }

    /// From a product in cycle `start` to the pass that takes its sum.
    pub fn passing(&self, start: i64) -> i64 {
        let config = self.config();
        start + (mm_latency(config) + acc_latency(config)) as i64 + self.scheduler.across()
    }

    /// LW of `tiles` tiles, the first of which is multiplied in cycle 0, each `period` cycles behind the one before; returns when
    /// the first vector reaches the MXM.
    pub fn load_weights(&self, work: &mut Work, column: bool, tiles: usize, period: usize) -> i64 {
        let burst = self.plan.burst();
        let first = 1 - (IW_TO_MM as i64 + burst as i64);
        let load = Operation::LoadWeights {
            stream: 0,
            column,
            install: true,
        };
        let levels = [
            Level::new(burst, 1, self.plan.streams),
            Level::new(tiles, period, 0),
        ];
        let nest = Nest::new(first, 0, Form::Inner, &levels);
        let queue = Queue::new(QueueKind::MxmWeights, 0);
        work.burst.push(queue, load, nest);
        first
    }

    /// READs of these tiles: `offset` vectors from where each class begins.
    pub fn read_weights(
        &self,
        work: &mut Work,
        places: &[crate::place::Place],
        offset: usize,
        first: i64,
        tiles: usize,
        period: usize,
    ) {
        let (burst, position) = (self.plan.burst(), self.config().mxm_position());
        for (class, &place) in places.iter().enumerate() {
            let levels = [Level::new(burst, 1, 1), Level::new(tiles, period, burst)];
            let nest = Nest::free(first, offset, &levels);
            self.scheduler
                .read(work, place, class as u8, position, nest);
        }
    }

    /// ACC of products from cycle `start` on.
    pub fn accumulate(
        &self,
        work: &mut Work,
        start: i64,
        modes: [AccMode; 2],
        form: Form,
        levels: &[Level],
    ) {
        let [init, emit] = modes;
        let operation = Operation::Accumulate {
            stream: 0,
            init,
            emit,
        };
        let start = start + mm_latency(self.config()) as i64;
        let nest = Nest::new(start, 0, form, levels);
        let queue = Queue::new(QueueKind::MxmAccumulate, 0);
        work.burst.push(queue, operation, nest);
    }

    /// The first of `rows` sums over `tiles` tiles is started and the last emitted.
    pub fn accumulate_tiles(
        &self,
        work: &mut Work,
        start: i64,
        rows: usize,
        tiles: usize,
        period: usize,
    ) {
        let (mode, form, levels) = match (tiles, rows) {
            (1, _) => (AccMode::Always, Form::Free, vec![Level::new(rows, 1, 1)]),
            (_, 1) => (
                AccMode::Inner,
                Form::Inner,
                vec![Level::new(tiles, period, 0)],
            ),
            _ => (
                AccMode::Outer,
                Form::Both,
                vec![Level::new(rows, 1, 1), Level::new(tiles, period, 0)],
            ),
        };
        self.accumulate(work, start, [mode; 2], form, &levels);
    }

    /// A tile of outputs; `pass` is told the cycle of the first pass, that of the first sequence, that takes its sums. Returns the last.
    pub fn column(
        &mut self,
        column: Column<'_>,
        pass: impl FnOnce(&mut Self, &mut Work, i64) -> Result<(), CompileError>,
    ) -> Result<i64, CompileError> {
        let (tiles, sequences) = (column.product.inputs, self.plan.shape.sequences);
        let period = self.plan.burst().max(sequences);
        let mut work = Work::default();
        let first = self.load_weights(&mut work, false, tiles, period);
        let local = column.product.local(column.output);
        let offset = local * tiles * self.plan.burst();
        let places = &column.product.weights;
        self.read_weights(&mut work, places, offset, first, tiles, period);
        let levels = [
            Level::new(sequences, 1, 1),
            Level::new(tiles, period, sequences),
        ];
        self.scheduler
            .multiply(&mut work, 0, column.source, &levels);
        self.accumulate_tiles(&mut work, 0, sequences, tiles, period);
        let sums = self.passing(((tiles - 1) * period) as i64);
        // B takes its cycle of the slices in front of the weights.
        let gap = if column.roomy { sequences as i64 } else { 1 };
        let config = self.config();
        let hole = first - gap - (config.mxm_position() - config.vxm_position()) as i64;
        let fetched = hole.min(sums - self.scheduler.chain());
        let factors = &column.product.factors;
        let passes = Passes::one(fetched, column.factor);
        self.fetch(&mut work, factors, local, passes)?;
        pass(self, &mut work, sums)?;
        let cycle = self.scheduler.place(work)?;
        Ok(cycle + sums + sequences as i64 - 1)
    }
}
