//! RMSNorm of the rows of x into codes in the operand buffer.

use super::plan::PARTIALS;
use super::scheduler::{Passes, Work};
use super::step::Step;
use crate::CompileError;
use crate::alu::{add, fixed, fma, maximum, multiply, with_constant};
use lpu_isa::descriptor::{Alu, Format, Function, Operand, Output, ResultFormat, Source};
use lpu_isa::latency::reduce_latency;
use lpu_isa::{Descriptor, Operation, Queue, QueueKind, Reduction, Stream};

const LARGEST: f32 = 127.0;

impl Step<'_> {
    /// The line "norm" of `docs/decoder.md`, for every sequence.
    pub fn normalise(&mut self) -> Result<(), CompileError> {
        for sequence in 0..self.plan.shape.sequences {
            self.largest(sequence)?;
            self.squares(sequence)?;
            self.codes(sequence)?;
        }
        Ok(())
    }

    /// Partial results over the tiles of x, four at once, then their tree; the result is in `partials`.
    fn partials(
        &mut self,
        sequence: usize,
        partials: usize,
        [first, next, join]: [Alu; 3],
    ) -> Result<(), CompileError> {
        let tiles = self.plan.width.len();
        for tile in (0..tiles).step_by(PARTIALS) {
            let x = self.plan.registers.x(sequence, tile);
            let mut pass = Descriptor {
                source: Source::Register(self.offset(partials, x)),
                write: Some(0),
                ..Descriptor::default()
            };
            pass.alus[1] = if tile == 0 { first } else { next };
            let count = PARTIALS.min(tiles - tile);
            // One by one, as the tiles of x come.
            for i in 0..count {
                self.scheduler.passes(Passes::one(0, partials + i), pass)?;
            }
        }
        let count = PARTIALS.min(tiles);
        for (distance, pairs) in [(2, count.saturating_sub(2)), (1, 1)] {
            if count > distance {
                let mut pass = Descriptor {
                    source: Source::Register(distance as u16),
                    write: Some(0),
                    ..Descriptor::default()
                };
                pass.alus[1] = join;
                self.scheduler
                    .passes(Passes::run(0, partials, pairs), pass)?;
            }
        }
        Ok(())
    }

    /// A register, reduced over all lanes, taken by one pass after the other; one that takes operand B is given c of the layer.
    pub fn reduce(
        &mut self,
        register: usize,
        reduction: Reduction,
        takers: &[(usize, Descriptor)],
        layer: usize,
    ) -> Result<(), CompileError> {
        let mut work = Work::default();
        let east = Stream::east(self.plan.vector_stream);
        let show = Descriptor {
            output: Some(Output {
                format: ResultFormat::Fp32,
                stream: east,
            }),
            ..Descriptor::default()
        };
        let shown = self.scheduler.vector_latency();
        let west = Stream::west(4);
        for (i, &(row, taker)) in takers.iter().enumerate() {
            let at = i as i64;
            self.scheduler
                .pass(&mut work, east, Passes::one(at, register), show)?;
            let operation = Operation::Reduce {
                from: east,
                to: west,
            };
            let nest = crate::nest::Nest::free(at + shown, reduction as usize, &[]);
            work.burst
                .push(Queue::new(QueueKind::Sxm, 0), operation, nest);
            let reduced = at + shown + reduce_latency(self.plan.lanes) as i64;
            self.scored(&mut work, west, Passes::one(reduced, row), taker, layer)?;
        }
        self.scheduler.place(work)?;
        Ok(())
    }

    fn largest(&mut self, sequence: usize) -> Result<(), CompileError> {
        let registers = self.plan.registers;
        let absolute = Alu {
            absolute: true,
            ..Alu::default()
        };
        let larger = Alu {
            absolute: true,
            ..maximum()
        };
        let partials = registers.maxima(sequence);
        self.partials(sequence, partials, [absolute, larger, maximum()])?;
        let taken = Descriptor {
            source: Source::Stream(Format::Fp32),
            write: Some(0),
            ..Descriptor::default()
        };
        let mut inverse = Descriptor {
            function: Function::Rcp,
            ..taken
        };
        inverse.alus[1] = with_constant(LARGEST.to_bits(), multiply(Operand::Constant));
        let mut step = taken;
        let share = (1.0 / LARGEST).to_bits();
        step.alus[1] = with_constant(share, multiply(Operand::Constant));
        let takers = [
            (registers.inverse(sequence), inverse),
            (registers.step(sequence), step),
        ];
        self.reduce(partials, Reduction::Max, &takers, 0)
    }

    fn squares(&mut self, sequence: usize) -> Result<(), CompileError> {
        let registers = self.plan.registers;
        let partials = registers.squares(sequence);
        let first = multiply(Operand::P);
        let next = fma(Operand::P, Operand::Register);
        self.partials(sequence, partials, [first, next, add(Operand::Register)])?;
        let mean = (1.0 / self.plan.shape.width as f32).to_bits();
        let worth = registers.worth(sequence);
        let mut root = Descriptor {
            source: Source::Stream(Format::Fp32),
            function: Function::Rsqrt,
            write: Some(0),
            ..Descriptor::default()
        };
        let shifted = fma(Operand::Constant, Operand::Register);
        root.alus[0] = fixed(registers.epsilon, with_constant(mean, shifted));
        let step = registers.step(sequence);
        root.alus[1] = self.beside(worth, step, multiply(Operand::Register));
        self.reduce(partials, Reduction::Sum, &[(worth, root)], 0)
    }

    fn codes(&mut self, sequence: usize) -> Result<(), CompileError> {
        let (registers, rows) = (self.plan.registers, self.plan.rows);
        let stream = self.plan.vector_stream;
        let mut code = Descriptor {
            output: Some(Output {
                format: ResultFormat::Int8,
                stream: Stream::east(stream),
            }),
            ..Descriptor::default()
        };
        code.alus[0] = fixed(registers.inverse(sequence), multiply(Operand::Register));
        let mut work = Work::default();
        let passes = Passes::run(0, registers.x(sequence, 0), self.plan.width.len());
        self.scheduler
            .pass(&mut work, Stream::east(0), passes, code)?;
        let (row, stride) = (rows.normed + sequence, self.plan.shape.sequences);
        self.scheduler.load(&mut work, stream, passes, row, stride);
        self.scheduler.place(work)?;
        Ok(())
    }
}
