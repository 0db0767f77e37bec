//! Queries and keys: product, rotation, and where they go.

use super::super::layout::{Cache, Product};
use super::super::product::Column;
use super::super::scheduler::{Arrival, Passes, Work};
use super::super::step::Step;
use super::{Driven, Half, Target, coded};
use crate::CompileError;
use crate::alu::{add, at, multiply};
use crate::nest::Level;
use crate::place::Place;
use lpu_isa::descriptor::{Alu, Operand, Source};
use lpu_isa::{Descriptor, Stream};

impl Step<'_> {
    /// Queries or keys: product and rotation of some heads.
    pub fn rotated(
        &mut self,
        product: &Product,
        heads: &[usize],
        target: Target<'_>,
    ) -> Result<Driven, CompileError> {
        let (registers, tiles) = (self.plan.registers, self.plan.head_tiles());
        let (mut driven, mut waiting) = (Vec::new(), None);
        for (turn, &head) in heads.iter().enumerate() {
            // Of heads that follow each other the number says whose turn it is.
            let turn = match self.plan.share.chips {
                1 => head,
                _ => turn,
            };
            for tile in 0..tiles {
                let output = head * tiles + tile;
                let factor = registers.factor(turn * tiles + tile);
                let column = Column {
                    product,
                    output,
                    source: self.plan.rows.normed,
                    factor,
                    roomy: matches!(target, Target::Operands),
                };
                self.column(column, |step, work, start| {
                    let row = registers.rotated(0, turn) + tile;
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
                1 => Some((turn, head)),
                _ => waiting.replace((turn, head)),
            };
            if let Some((turn, head)) = ready {
                driven.push(self.rotate(turn, head, target)?);
            }
        }
        if let Some((turn, head)) = waiting {
            driven.push(self.rotate(turn, head, target)?);
        }
        Ok(driven)
    }

    /// Both halves of a head of every sequence; returns when the last was driven.
    fn rotate(
        &mut self,
        turn: usize,
        head: usize,
        target: Target<'_>,
    ) -> Result<i64, CompileError> {
        let (registers, half) = (self.plan.registers, self.plan.half);
        let mut driven = 0;
        for tile in 0..half {
            let row = registers.rotated(0, turn) + tile;
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
            Target::Cache(half, cache) => {
                self.store(work, passes, pass, (half, cache), [head, element])
            }
            Target::Operands => {
                let (group, tiles) = (self.plan.group, self.plan.head_tiles());
                let stream = self.plan.vector_stream;
                let row = (head / group * tiles + element) * group + head % group;
                let row = self.plan.rows.queries + row;
                let stride = self.plan.shape.heads * tiles;
                self.send_row(passes, pass, row, stride)?;
                let pass = coded(pass, Stream::east(stream));
                self.scheduler.pass(work, Stream::west(0), passes, pass)?;
                self.scheduler.load(work, stream, passes, row, stride);
                Ok(())
            }
        }
    }

    /// Passes of all sequences whose codes go to the cache: every slice of the group writes them, all but one where nobody reads.
    pub fn store(
        &mut self,
        work: &mut Work,
        passes: Passes,
        pass: Descriptor,
        (half, cache): (Half, &Cache),
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
        if self.plan.share.chips > 1 {
            self.scheduler.send(work, passes, stream);
            work.sends(Arrival::Cache {
                half,
                head,
                element,
            });
        }
        Ok(())
    }
}
