//! The order in which the parts of a step are placed; each goes where its queues and operands let it.

use super::attend::AMPLITUDE;
use super::layout::Layout;
use super::plan::{Part, Plan};
use super::scheduler::{Links, Passes, Scheduler, Work};
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

/// The program of all layers, on one chip.
pub fn program(config: &Config, plan: &Plan, layout: &Layout) -> Result<Program, CompileError> {
    let mut step = Step::new(config, plan, layout, Links::default());
    step.rows_of_x()?;
    match plan.part {
        Part::Layers => {
            step.layers()?;
            step.results()?;
        }
        Part::Network => {
            step.epsilon()?;
            step.network(&layout.layers[0].network)?;
        }
    }
    step.scheduler.finish(plan.streams)
}

impl<'a> Step<'a> {
    /// A step of which nothing is placed yet.
    pub fn new(config: &'a Config, plan: &'a Plan, layout: &'a Layout, links: Links) -> Self {
        Step {
            plan,
            layout,
            scheduler: Scheduler::new(config, plan.alus, plan.registers.count, links),
        }
    }

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

    /// All layers.
    pub fn layers(&mut self) -> Result<(), CompileError> {
        let layout = self.layout;
        self.tables()?;
        for (number, layer) in layout.layers.iter().enumerate() {
            if let Some(attention) = &layer.attention {
                self.attention(number, attention)?;
            }
            self.feed_forward(&layer.network)?;
        }
        Ok(())
    }

    /// Logits, or rows of x without a head, into SRAM.
    pub fn results(&mut self) -> Result<(), CompileError> {
        match &self.layout.head {
            Some(head) => self.logits(head),
            None => self.rows(),
        }
    }

    /// Rows of x into registers.
    pub fn rows_of_x(&mut self) -> Result<(), CompileError> {
        let (layout, plan) = (self.layout, self.plan);
        let tiles = plan.width.len();
        for sequence in 0..plan.shape.sequences {
            let mut work = Work::default();
            let passes = Passes::run(0, plan.registers.x(sequence, 0), tiles);
            self.fetch(&mut work, &layout.x, sequence * tiles, passes)?;
            self.scheduler.place(work)?;
        }
        Ok(())
    }

    /// eps of the norms into its register.
    fn epsilon(&mut self) -> Result<(), CompileError> {
        self.constant(self.plan.registers.epsilon, self.plan.shape.epsilon)
    }

    /// A constant into a register.
    fn constant(&mut self, register: usize, value: f32) -> Result<(), CompileError> {
        let mut pass = first_alu(constant(value.to_bits()));
        pass.write = Some(0);
        self.scheduler.passes(Passes::one(0, register), pass)?;
        Ok(())
    }

    /// What layers need in registers: eps, the largest softmax weight, angles and masks.
    pub fn tables(&mut self) -> Result<(), CompileError> {
        let (layout, plan) = (self.layout, self.plan);
        let registers = plan.registers;
        self.epsilon()?;
        self.constant(registers.amplitude, AMPLITUDE)?;
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
        let level = Level::new(plan.key_tiles, 1, 1);
        self.scheduler.claim_words(&mut work, 0, level);
        let nest = Nest::free(0, 0, &[level]);
        let position = self.config().vxm_position();
        self.scheduler
            .read(&mut work, self.layout.masks, stream, position, nest);
        let passes = Passes::run(0, plan.registers.masks, plan.key_tiles);
        self.scheduler
            .pass(&mut work, Stream::east(stream), passes, mask)?;
        self.scheduler.place(work)?;
        Ok(())
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
