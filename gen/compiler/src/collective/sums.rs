//! Passes of the vector unit that add up the terms of a word, two in a pass.

use super::unit::Unit;
use crate::CompileError;
use crate::alu::{PLANES, add, first_alu};
use lpu_isa::descriptor::{Alu, Format, Operand, Output, ResultFormat, Source};
use lpu_isa::{Descriptor, Stream};

/// Words from a pass to the next of the same word: more than the way back from a register to the last ALU.
pub const LAG: usize = 3;

/// Refuses more than two terms on a machine that has no ALU behind the first.
pub fn require(unit: &Unit<'_>, chips: usize, terms: usize) -> Result<(), CompileError> {
    if terms > 2 && unit.alus() < 2 {
        return Err(CompileError::Collective(format!(
            "sums of {chips} LPUs take two ALUs and vxm.alus is {}: raise it to 2, or choose the topology ring",
            unit.alus()
        )));
    }
    Ok(())
}

/// Descriptors of the passes, the word's register counted from the [`row`]: the first adds two terms, each further one adds the sum of two or the
/// last by itself to that, and the last drives the result.
pub fn descriptors(unit: &Unit<'_>, terms: usize) -> Vec<Descriptor> {
    let (alus, registers) = (unit.alus(), unit.registers());
    let passes = terms.div_ceil(2);
    let describe = |pass| {
        let pair = 2 * pass + 1 < terms;
        let mut descriptor = first_alu(match pair {
            true => add(Operand::B),
            false => Alu::default(),
        });
        descriptor.source = Source::Stream(Format::Fp32);
        descriptor.b = pair.then_some((Format::Fp32, 0));
        let offset = (registers - LAG * pass) % registers;
        if pass > 0 {
            let mut sum = add(Operand::Register);
            sum.offset = offset as u16;
            descriptor.alus[alus - 1] = sum;
        }
        if pass + 1 < passes {
            descriptor.write = Some(offset as u16);
        } else {
            descriptor.output = Some(Output {
                format: ResultFormat::Fp32,
                stream: Stream::west(0),
            });
        }
        descriptor
    };
    (0..passes).map(describe).collect()
}

/// Row of a pass of a word: passes that issue one after the other have the same.
pub fn row(unit: &Unit<'_>, word: usize, pass: usize) -> usize {
    (word + LAG * pass) % unit.registers()
}

/// Cycles from the first pass of a word to the second, in whose cycles of every four no first pass issues.
pub const fn behind() -> i64 {
    (LAG * PLANES + 1) as i64
}
