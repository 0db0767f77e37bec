//! Softmax of rows.

use super::builder::Builder;
use super::groups::{Done, Fold, Group, Grouping, Needs, Unit};
use super::step::Step;
use super::tensor::Tensor;
use crate::CompileError;
use crate::alu::{at, first_alu, fma, multiply, with_constant};
use lpu_isa::Descriptor;
use lpu_isa::descriptor::{Alu, Function, Operand};

/// Operands of a softmax.
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    pub x: Tensor,
    pub out: Tensor,
    /// Factor of an element in the exponent of two, an FP32 pattern.
    pub factor: u32,
    /// Whether a row lies over lanes.
    pub lanes: bool,
}

/// Regions: partial results, scaled maximum, one over the sum.
const PARTIAL: usize = 0;
const MAXIMUM: usize = 1;
const INVERSE: usize = 2;

/// Passes for each vector.
pub const fn passes(alus: usize) -> usize {
    if alus > 1 { 3 } else { 4 }
}

/// Places a softmax of all units; `x` may be read from cycle `from` on. Returns the cycle from which on passes may read the result.
pub fn emit(
    builder: &mut Builder,
    units: &[Unit],
    op: Softmax,
    from: i64,
) -> Result<i64, CompileError> {
    let needs = Needs {
        regions: 3,
        phases: 3,
        columns: 0,
        least_columns: 0,
        splits: true,
    };
    let grouping = Grouping::new(builder, units, op.lanes, needs)?;
    grouping.drive(
        builder,
        3,
        from,
        |builder, phase, group, from| match phase {
            0 => maxima(builder, group, op, from),
            1 => sums(builder, group, op, from),
            _ => quotients(builder, group, op, from),
        },
    )
}

fn maxima(
    builder: &mut Builder,
    group: &Group,
    op: Softmax,
    from: i64,
) -> Result<Done, CompileError> {
    let done = group.reduce(builder, Fold::Max, PARTIAL, from, |_, _, vector, row| {
        Step::read(Descriptor::default(), row, op.x, vector)
    })?;
    let scale = first_alu(with_constant(op.factor, multiply(Operand::Constant)));
    let copies = group.partials;
    group.take(
        builder,
        Fold::Max,
        PARTIAL,
        MAXIMUM,
        copies,
        scale,
        None,
        done.ready,
    )
}

/// exp2(x * factor - maximum), with the maximum `offset` behind the row.
fn exponent(op: Softmax, offset: u16) -> Descriptor {
    let exponent = Alu {
        negate_z: true,
        ..fma(Operand::Constant, Operand::Register)
    };
    Descriptor {
        function: Function::Exp2,
        ..first_alu(at(offset, with_constant(op.factor, exponent)))
    }
}

fn sums(
    builder: &mut Builder,
    group: &Group,
    op: Softmax,
    from: i64,
) -> Result<Done, CompileError> {
    let done = if builder.alus() > 1 {
        let pass = exponent(op, group.between(builder, PARTIAL, MAXIMUM));
        group.reduce(builder, Fold::Sum, PARTIAL, from, |_, _, vector, row| {
            Step::read(pass, row, op.x, vector)
        })?
    } else {
        // The one ALU has no time for the sum: the exponentials go through the place of the result.
        let pass = exponent(op, 0);
        let steps = group.vectors().map(|(j, _, vector)| {
            Step::read(pass, group.register(MAXIMUM, j), op.x, vector).to(op.out, vector)
        });
        let ready = builder.run(steps, from)?.last + builder.through(&op.out);
        group.reduce(builder, Fold::Sum, PARTIAL, ready, |_, _, vector, row| {
            Step::read(Descriptor::default(), row, op.out, vector)
        })?
    };
    let inverse = Descriptor {
        function: Function::Rcp,
        ..Descriptor::default()
    };
    group.take(
        builder,
        Fold::Sum,
        PARTIAL,
        INVERSE,
        1,
        inverse,
        None,
        done.ready,
    )
}

fn quotients(
    builder: &mut Builder,
    group: &Group,
    op: Softmax,
    from: i64,
) -> Result<Done, CompileError> {
    let two = builder.alus() > 1;
    let (pass, region, source) = if two {
        let offset = group.between(builder, MAXIMUM, INVERSE);
        let mut pass = exponent(op, 0);
        pass.alus[1] = at(offset, multiply(Operand::Register));
        (pass, MAXIMUM, op.x)
    } else {
        (first_alu(multiply(Operand::Register)), INVERSE, op.out)
    };
    let steps = group.vectors().map(|(j, _, vector)| {
        Step::read(pass, group.register(region, j), source, vector).to(op.out, vector)
    });
    let issued = builder.run(steps, from)?;
    Ok(Done {
        last: issued.last,
        ready: issued.last + builder.through(&op.out),
    })
}
