//! What the passes of the vector unit do.

use super::plan::Plan;
use crate::alu::{self, fma};
use lpu_isa::descriptor::{
    Alu, AluOperation, Format, Function, Operand, Output, ResultFormat, Source,
};
use lpu_isa::{Descriptor, Program, Stream};

use super::Weights;

/// Passes, by descriptor number; those of a buffer follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Pass {
    /// The amplitude becomes a register.
    Amplitude,
    /// Minus infinity becomes a register.
    Bottom,
    /// The first score of a partial maximum.
    First,
    /// Maximum of a score and a partial maximum.
    Maximum,
    /// A score becomes a register.
    Stage,
    /// A register becomes minus infinity where the mask is zero.
    Mask,
    /// Maximum of a masked score and a partial maximum, for each group of partials in the stage of each buffer (up to 8).
    MaskedMaximum,
    /// Maximum of a register and the one that is a distance of 1 to 16 behind.
    Fold = Self::MaskedMaximum as u16 + 7,
    /// Scores to exponents.
    Scale = Self::Fold as u16 + 17,
    /// Softmax weight of a score.
    Weight,
    /// The same of a masked score, for each buffer.
    MaskedWeight,
    /// A weight of zero.
    Zero = Self::MaskedWeight as u16 + 2,
    /// Products with the low plane become registers.
    Low,
    /// Sum of the planes of the weights, reciprocal.
    Sum,
    /// Sum of the planes of a value.
    High,
    /// A value divided by the sum of the weights, for each buffer.
    Quotient,
}

impl Pass {
    /// Address of a VEC in register row `row`.
    pub const fn at(self, row: usize) -> usize {
        row | (self as usize) << lpu_isa::instruction::ROW_BITS
    }

    /// Address of a pass that has one descriptor for each of several buffers or groups.
    pub const fn nth_at(self, index: usize, row: usize) -> usize {
        row | (self as usize + index) << lpu_isa::instruction::ROW_BITS
    }
}

const MINUS_INFINITY: u32 = 0xff80_0000;
const BYTE: u32 = 0x4380_0000;

/// K becomes a register, whatever comes in.
fn constant(constant: u32) -> Descriptor {
    let mut descriptor = Descriptor {
        write: Some(0),
        ..Descriptor::default()
    };
    descriptor.alus[0] = alu::constant(constant);
    descriptor
}

/// Gives the program every descriptor that attention uses.
pub fn describe(program: &mut Program, plan: &Plan) {
    let last = plan.alus - 1;
    let mut set = |pass: Pass, index: usize, descriptor: Descriptor| {
        program.describe(pass as usize + index, descriptor);
    };
    let from = |format| Descriptor {
        source: Source::Stream(format),
        write: Some(0),
        ..Descriptor::default()
    };
    let scores = from(Format::Int32);
    let scale = plan.shape.scale.to_bits();
    let amplitude = plan.shape.weights.amplitude();
    set(Pass::Amplitude, 0, constant((-amplitude).to_bits()));
    set(Pass::Bottom, 0, constant(MINUS_INFINITY));
    set(Pass::First, 0, scores);

    let maximum = alu::maximum();
    let mut pass = scores;
    pass.alus[last] = maximum;
    set(Pass::Maximum, 0, pass);
    set(Pass::Stage, 0, scores);
    let mut pass = from(Format::Int8);
    pass.alus[0] = Alu {
        operation: AluOperation::Select,
        y: Operand::Register,
        z: Operand::Constant,
        constant: MINUS_INFINITY,
        ..Alu::default()
    };
    set(Pass::Mask, 0, pass);
    for distance in 1..=plan.partials / 2 {
        let mut pass = Descriptor {
            source: Source::Register(distance as u16),
            write: Some(0),
            ..Descriptor::default()
        };
        pass.alus[last] = maximum;
        set(Pass::Fold, distance, pass);
    }

    let mut pass = Descriptor {
        write: Some(0),
        ..Descriptor::default()
    };
    pass.alus[0] = Alu {
        constant: scale,
        offset: plan.registers.amplitude as u16,
        fixed: true,
        ..fma(Operand::Constant, Operand::Register)
    };
    set(Pass::Scale, 0, pass);

    let weight = Output {
        format: match plan.shape.weights {
            Weights::Int8 => ResultFormat::Int8,
            Weights::Int16 => ResultFormat::Int16,
        },
        stream: Stream::west(plan.vector_stream),
    };
    let zero = Descriptor {
        write: None,
        output: Some(weight),
        ..constant(0)
    };
    set(Pass::Zero, 0, zero);
    let mut pass = Descriptor {
        write: None,
        function: Function::Exp2,
        output: Some(weight),
        ..scores
    };
    pass.alus[0] = Alu {
        constant: scale,
        negate_z: true,
        ..fma(Operand::Constant, Operand::Register)
    };
    set(Pass::Weight, 0, pass);
    for buffer in 0..plan.buffers {
        pass.source = Source::Register(0);
        pass.alus[0].offset = plan.registers.maximum(buffer) as u16;
        pass.alus[0].fixed = true;
        set(Pass::MaskedWeight, buffer, pass);
    }

    set(Pass::Low, 0, scores);
    let mut pass = scores;
    if plan.shape.weights == Weights::Int16 {
        pass.alus[0] = Alu {
            constant: BYTE,
            ..fma(Operand::Constant, Operand::Register)
        };
    }
    set(Pass::High, 0, pass);
    pass.function = Function::Rcp;
    set(Pass::Sum, 0, pass);
    for buffer in 0..plan.buffers {
        let mut pass = Descriptor {
            output: Some(Output {
                format: ResultFormat::Fp32,
                stream: Stream::west(plan.vector_stream),
            }),
            ..Descriptor::default()
        };
        pass.alus[0] = Alu {
            offset: plan.registers.sums(buffer) as u16,
            fixed: true,
            ..fma(Operand::Register, Operand::NegativeZero)
        };
        set(Pass::Quotient, buffer, pass);
    }
    // A pass in the row of a partial maximum takes the masked score of that group.
    if plan.shape.causal {
        let distance = plan.registers.stage;
        for buffer in 0..plan.buffers {
            let groups = plan.groups();
            for group in 0..groups {
                let source = distance + group * plan.partials - plan.registers.partials(buffer);
                let mut pass = Descriptor {
                    source: Source::Register(source as u16),
                    write: Some(0),
                    ..Descriptor::default()
                };
                pass.alus[last] = maximum;
                set(Pass::MaskedMaximum, buffer * groups + group, pass);
            }
        }
    }
}
