//! Scores become weights.

use super::super::scheduler::{Passes, Work};
use super::super::step::Step;
use super::{Item, PIECE};
use crate::CompileError;
use crate::alu::{add, fixed, fma, folds, maximum, with_constant};
use crate::nest::Level;
use lpu_isa::descriptor::{Alu, Format, Function, Operand, Output, ResultFormat, Source};
use lpu_isa::{Descriptor, Reduction, Stream};

impl Step<'_> {
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
    pub fn softmax(&mut self, number: usize, item: Item) -> Result<(), CompileError> {
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
    pub fn weight_row(&self, item: Item) -> usize {
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
}
