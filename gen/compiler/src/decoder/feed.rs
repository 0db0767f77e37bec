//! The feed-forward half of a layer, and the head.

use super::layout::{Network, Product};
use super::product::Column;
use super::scheduler::{Arrival, Passes, Work};
use super::step::Step;
use crate::CompileError;
use crate::alu::{PLANES, add, multiply, with_constant};
use crate::nest::Level;
use lpu_isa::descriptor::{Function, Operand, Output, ResultFormat, Source};
use lpu_isa::{Descriptor, Stream};

impl Step<'_> {
    /// Lines norm, gate, up and down.
    pub fn feed_forward(&mut self, network: &Network) -> Result<(), CompileError> {
        self.hidden_rows(network)?;
        self.add_product(&network.down, self.plan.rows.hidden)
    }

    /// The same without the sum with x: what the network gives, into SRAM.
    pub fn network(&mut self, network: &Network) -> Result<(), CompileError> {
        self.hidden_rows(network)?;
        let (registers, tiles) = (self.plan.registers, self.plan.width.len());
        for output in 0..tiles {
            let factor = registers.factor(output % 2);
            let column = Column {
                product: &network.down,
                output,
                source: self.plan.rows.hidden,
                factor,
                roomy: false,
            };
            self.column(column, |step, work, start| {
                let passes = step.each(start, registers.worth(0));
                step.result(work, passes, step.scaled(factor), output, tiles)
            })?;
        }
        Ok(())
    }

    /// Lines norm, gate and up: h into the operand buffer, as far as the chip computes it.
    pub fn hidden_rows(&mut self, network: &Network) -> Result<(), CompileError> {
        self.normalise()?;
        let tiles = &network.gate.outputs;
        for (local, &tile) in tiles.iter().enumerate() {
            self.gate(network, local, tile)?;
            self.up(network, local, tile)?;
            // Placed behind the next tile's products, which its load of the operand buffer would push away.
            if let Some(before) = local.checked_sub(1) {
                self.hidden(before, tiles[before])?;
            }
        }
        match tiles.len().checked_sub(1) {
            Some(last) => self.hidden(last, tiles[last]),
            None => Ok(()),
        }
    }

    /// x plus a product of rows of the operand buffer, as far as the chip computes it.
    pub fn add_product(&mut self, product: &Product, source: usize) -> Result<(), CompileError> {
        let registers = self.plan.registers;
        for (local, &output) in product.outputs.iter().enumerate() {
            let factor = registers.factor(local % 2);
            let column = Column {
                product,
                output,
                source,
                factor,
                roomy: false,
            };
            self.column(column, |step, work, start| {
                let mut pass = Descriptor {
                    write: Some(0),
                    ..step.scaled(factor)
                };
                pass.alus[1] = add(Operand::Register);
                let passes = step.each(start, registers.x(0, output));
                step.scheduler.pass(work, Stream::west(0), passes, pass)
            })?;
            if self.plan.share.chips > 1 {
                self.send_x(output, 0)?;
            }
        }
        Ok(())
    }

    /// A tile of x of every sequence to other chips, not before a cycle: a pass for each byte plane, since a link takes a vector in a cycle.
    pub fn send_x(&mut self, tile: usize, from: i64) -> Result<(), CompileError> {
        let (plan, stream) = (self.plan, self.plan.vector_stream_west());
        let pass = Descriptor {
            output: Some(Output {
                format: ResultFormat::Fp32,
                stream: Stream::west(stream),
            }),
            ..Descriptor::default()
        };
        let mut work = Work::not_before(from);
        for sequence in 0..plan.shape.sequences {
            let start = (sequence * self.scheduler.word_interval()) as i64;
            let passes = Passes {
                start,
                row: plan.registers.x(sequence, tile),
                count: PLANES,
                interval: 1,
                stride: 0,
            };
            self.scheduler
                .pass(&mut work, Stream::west(0), passes, pass)?;
            for plane in 0..PLANES {
                let passes = Passes::one(start + plane as i64, 0);
                self.scheduler.send(&mut work, passes, stream + plane as u8);
            }
        }
        work.sends(Arrival::X { tile });
        self.scheduler.place(work)?;
        Ok(())
    }

    /// g and s of a tile.
    fn gate(&mut self, network: &Network, local: usize, tile: usize) -> Result<(), CompileError> {
        let registers = self.plan.registers;
        let factor = registers.gate_factor(local);
        let column = Column {
            product: &network.gate,
            output: tile,
            source: self.plan.rows.normed,
            factor,
            roomy: true,
        };
        self.column(column, |step, work, start| {
            let row = registers.gated(0, local);
            let pass = Descriptor {
                write: Some(0),
                ..step.projected(factor, row)
            };
            let passes = step.each(start, row);
            step.scheduler.pass(work, Stream::west(0), passes, pass)
        })?;
        let mut exponential = Descriptor {
            function: Function::Exp2,
            write: Some(1),
            ..Descriptor::default()
        };
        let minus = (-std::f32::consts::LOG2_E).to_bits();
        exponential.alus[0] = with_constant(minus, multiply(Operand::Constant));
        exponential.alus[1] = with_constant(1f32.to_bits(), add(Operand::Constant));
        let mut activation = Descriptor {
            source: Source::Register(1),
            function: Function::Rcp,
            write: Some(1),
            ..Descriptor::default()
        };
        activation.alus[1] = multiply(Operand::Register);
        let passes = self.each(0, registers.gated(0, local));
        self.scheduler.passes(passes, exponential)?;
        self.scheduler.passes(passes, activation)?;
        Ok(())
    }

    /// u of a tile.
    fn up(&mut self, network: &Network, local: usize, tile: usize) -> Result<(), CompileError> {
        let registers = self.plan.registers;
        let factor = registers.up_factor(local);
        let column = Column {
            product: &network.up,
            output: tile,
            source: self.plan.rows.normed,
            factor,
            roomy: true,
        };
        self.column(column, |step, work, start| {
            let row = registers.gated(0, local) + 2;
            let pass = Descriptor {
                write: Some(0),
                ..step.projected(factor, row)
            };
            let passes = step.each(start, row);
            step.scheduler.pass(work, Stream::west(0), passes, pass)
        })?;
        Ok(())
    }

    /// h of a tile into the operand buffer.
    fn hidden(&mut self, local: usize, tile: usize) -> Result<(), CompileError> {
        let registers = self.plan.registers;
        let stream = self.plan.vector_stream;
        let mut code = Descriptor {
            source: Source::Register(2),
            output: Some(Output {
                format: ResultFormat::Int8,
                stream: Stream::east(stream),
            }),
            ..Descriptor::default()
        };
        code.alus[1] = crate::alu::at(1, multiply(Operand::Register));
        let mut work = Work::default();
        let passes = self.each(0, registers.gated(0, local));
        let row = self.plan.rows.hidden + tile * self.plan.shape.sequences;
        // To the others first: they wait longer.
        self.send_row(passes, code, row, 1)?;
        self.scheduler
            .pass(&mut work, Stream::east(0), passes, code)?;
        self.scheduler.load(&mut work, stream, passes, row, 1);
        self.scheduler.place(work)?;
        Ok(())
    }

    /// Codes, which the passes of this descriptor give, to the operand buffers of all other chips, if there are any.
    pub fn send_row(
        &mut self,
        passes: Passes,
        pass: Descriptor,
        row: usize,
        stride: usize,
    ) -> Result<(), CompileError> {
        if self.plan.share.chips == 1 {
            return Ok(());
        }
        let stream = self.plan.vector_stream_west();
        let pass = Descriptor {
            output: Some(Output {
                format: ResultFormat::Int8,
                stream: Stream::west(stream),
            }),
            ..pass
        };
        let mut work = Work::default();
        self.scheduler
            .pass(&mut work, Stream::west(0), passes, pass)?;
        self.scheduler.send(&mut work, passes, stream);
        let count = passes.count;
        work.sends(Arrival::Row { row, stride, count });
        self.scheduler.place(work)?;
        Ok(())
    }

    /// Logits into SRAM.
    pub fn logits(&mut self, head: &Product) -> Result<(), CompileError> {
        self.normalise()?;
        let (registers, tiles) = (self.plan.registers, head.outputs.len());
        for (local, &output) in head.outputs.iter().enumerate() {
            let factor = registers.factor(local % 2);
            let column = Column {
                product: head,
                output,
                source: self.plan.rows.normed,
                factor,
                roomy: false,
            };
            self.column(column, |step, work, start| {
                let row = registers.worth(0);
                let pass = step.projected(factor, row);
                step.result(work, step.each(start, row), pass, local, tiles)
            })?;
        }
        Ok(())
    }

    /// Rows of x into SRAM.
    pub fn rows(&mut self) -> Result<(), CompileError> {
        let tiles = self.plan.width.len();
        for tile in 0..tiles {
            let mut work = Work::default();
            let passes = self.each(0, self.plan.registers.x(0, tile));
            self.result(&mut work, passes, Descriptor::default(), tile, tiles)?;
            self.scheduler.place(work)?;
        }
        Ok(())
    }

    /// Passes whose words go to SRAM, `stride` vectors apart.
    fn result(
        &mut self,
        work: &mut Work,
        passes: Passes,
        pass: Descriptor,
        index: usize,
        stride: usize,
    ) -> Result<(), CompileError> {
        let levels = [Level::new(passes.count, passes.interval, stride)];
        let stream = self.plan.vector_stream_west();
        let pass = Descriptor {
            output: Some(Output {
                format: ResultFormat::Fp32,
                stream: Stream::west(stream),
            }),
            ..pass
        };
        self.scheduler.pass(work, Stream::west(0), passes, pass)?;
        for (plane, mut place) in self.layout.results.into_iter().enumerate() {
            place.address += index;
            let stream = stream + plane as u8;
            self.scheduler
                .write(work, place, stream, passes.start, &levels);
        }
        Ok(())
    }
}
