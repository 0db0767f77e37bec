//! The order in which the parts of a step are placed; each goes where its queues and operands let it.

use super::attend::AMPLITUDE;
use super::layout::{Layer, Layout};
use super::plan::Plan;
use super::scheduler::{Passes, Scheduler, Work};
use crate::CompileError;
use crate::alu::{constant, first_alu};
use crate::nest::{Level, Nest};
use lpu_isa::descriptor::{Alu, AluOperation, Format, Operand, Source};
use lpu_isa::{Config, Descriptor, Program, Stream};

const MINUS_INFINITY: u32 = 0xff80_0000;

/// A step under construction.
pub struct Step<'a> {
    pub plan: &'a Plan,
    pub layout: &'a Layout,
    pub scheduler: Scheduler<'a>,
}

/// The program of all layers.
pub fn program(config: &Config, plan: &Plan, layout: &Layout) -> Result<Program, CompileError> {
    let mut step = Step {
        plan,
        layout,
        scheduler: Scheduler::new(config, plan.alus, plan.registers.count),
    };
    step.prologue()?;
    for (number, layer) in layout.layers.iter().enumerate() {
        step.layer(number, layer)?;
    }
    match &layout.head {
        Some(head) => step.logits(head)?,
        None => step.rows()?,
    }
    step.scheduler.finish(plan.streams)
}

impl<'a> Step<'a> {
    pub const fn config(&self) -> &'a Config {
        self.scheduler.config
    }

    /// From one register to another, as descriptors count.
    pub const fn offset(&self, from: usize, to: usize) -> u16 {
        let file = self.plan.registers.count;
        ((to + file - from) % file) as u16
    }

    /// An ALU with register `register`, for a pass in row `row`.
    pub const fn beside(&self, row: usize, register: usize, alu: Alu) -> Alu {
        Alu {
            offset: self.offset(row, register),
            ..alu
        }
    }

    /// Constants, rows of x, angles and masks into registers.
    fn prologue(&mut self) -> Result<(), CompileError> {
        let (layout, plan) = (self.layout, self.plan);
        let registers = plan.registers;
        let tiles = plan.width.len();
        for sequence in 0..plan.shape.sequences {
            let mut work = Work::default();
            let passes = Passes::run(0, registers.x(sequence, 0), tiles);
            self.fetch(&mut work, &layout.x, sequence * tiles, passes)?;
            self.scheduler.place(work)?;
        }
        for (register, value) in [
            (registers.epsilon, plan.shape.epsilon),
            (registers.amplitude, AMPLITUDE),
        ] {
            let mut pass = first_alu(constant(value.to_bits()));
            pass.write = Some(0);
            self.scheduler.passes(Passes::one(0, register), pass)?;
        }
        for (words, row) in [
            (&layout.cosines, registers.cosines),
            (&layout.sines, registers.sines),
        ] {
            let mut work = Work::default();
            self.fetch(&mut work, words, 0, Passes::run(0, row, plan.half))?;
            self.scheduler.place(work)?;
        }
        self.masks()
    }

    /// Bytes of zero and one become minus infinity and -0.0.
    fn masks(&mut self) -> Result<(), CompileError> {
        let (plan, stream) = (self.plan, self.plan.word_stream);
        let mut mask = first_alu(Alu {
            operation: AluOperation::Select,
            y: Operand::NegativeZero,
            constant: MINUS_INFINITY,
            ..Alu::default()
        });
        mask.source = Source::Stream(Format::Int8);
        mask.write = Some(0);
        let mut work = Work::default();
        let nest = Nest::free(0, 0, &[Level::new(plan.key_tiles, 1, 1)]);
        let position = self.config().vxm_position();
        self.scheduler
            .read(&mut work, self.layout.masks, stream, position, nest);
        let passes = Passes::run(0, plan.registers.masks, plan.key_tiles);
        self.scheduler
            .pass(&mut work, Stream::east(stream), passes, mask)?;
        self.scheduler.place(work)?;
        Ok(())
    }

    fn layer(&mut self, number: usize, layer: &Layer) -> Result<(), CompileError> {
        self.attention(number, layer)?;
        self.feed_forward(layer)
    }

    /// A pass of a register and nothing else.
    pub fn copy(source: u16, write: u16) -> Descriptor {
        Descriptor {
            source: Source::Register(source),
            write: Some(write),
            ..Descriptor::default()
        }
    }
}
