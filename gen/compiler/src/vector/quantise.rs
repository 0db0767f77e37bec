//! FP32 to narrow formats with a scale for each row, and back.

use super::builder::Builder;
use super::columns::{self, Columns};
use super::groups::{Done, Fold, Group, Grouping, Needs, Unit};
use super::step::Step;
use super::tensor::{Element, Tensor};
use crate::CompileError;
use crate::alu::{first_alu, multiply, with_constant};
use lpu_isa::Descriptor;
use lpu_isa::descriptor::{Function, Operand};

/// Operands of a quantisation.
#[derive(Clone, Copy, Debug)]
pub struct Quantise {
    pub x: Tensor,
    /// int8, E4M3 or E2M1.
    pub codes: Tensor,
    /// One vector for each unit: FP32, or E4M3 for codes of E2M1.
    pub scales: Tensor,
    /// Whether a row lies over lanes.
    pub lanes: bool,
}

/// Operands of a dequantisation.
#[derive(Clone, Copy, Debug)]
pub struct Dequantise {
    /// int32, int8 or E4M3.
    pub codes: Tensor,
    /// FP32, one vector for each unit.
    pub rows: Tensor,
    /// FP32, one vector for each column of vectors.
    pub columns: Tensor,
    pub out: Tensor,
}

/// Regions: partial maxima, then the scale; its inverse.
const PARTIAL: usize = 0;
const SCALE: usize = 1;
const INVERSE: usize = 2;

/// 1 over the largest number of a format, an FP32 pattern.
fn share(element: Element) -> u32 {
    let largest = match element {
        Element::E4m3 => 448.0,
        Element::E2m1 => 6.0,
        _ => 127.0,
    };
    ((1.0f64 / largest) as f32).to_bits()
}

/// Passes for each vector.
pub const QUANTISE_PASSES: usize = 2;

/// Passes for each vector of a dequantisation.
pub const fn dequantise_passes(alus: usize, wide: bool) -> usize {
    if alus > 1 && wide { 1 } else { 2 }
}

/// Places the quantisation of all units; `x` may be read from cycle `from` on. Returns the cycle from which on passes may read the result.
pub fn quantise(
    builder: &mut Builder,
    units: &[Unit],
    op: Quantise,
    from: i64,
) -> Result<i64, CompileError> {
    let needs = Needs {
        regions: 3,
        phases: 2,
        columns: 0,
        least_columns: 0,
        // Blocks of a row may differ in length.
        splits: op.codes.element != Element::E2m1,
    };
    let grouping = Grouping::new(builder, units, op.lanes, needs)?;
    grouping.drive(
        builder,
        2,
        from,
        |builder, phase, group, from| match phase {
            0 => scales(builder, group, op, from),
            _ => codes(builder, group, op, from),
        },
    )
}

fn scales(
    builder: &mut Builder,
    group: &Group,
    op: Quantise,
    from: i64,
) -> Result<Done, CompileError> {
    let done = group.reduce(builder, Fold::AbsMax, PARTIAL, from, |_, _, vector, row| {
        Step::read(Descriptor::default(), row, op.x, vector)
    })?;
    let share = share(op.codes.element);
    let scale = first_alu(with_constant(share, multiply(Operand::Constant)));
    let out = Some(op.scales);
    let done = group.take(
        builder,
        Fold::AbsMax,
        PARTIAL,
        SCALE,
        1,
        scale,
        out,
        done.ready,
    )?;
    let inverse = |row_offset| Descriptor {
        function: Function::Rcp,
        write: Some(row_offset),
        ..Descriptor::default()
    };
    let issued = if op.scales.element == Element::Fp32 {
        let pass = inverse(group.between(builder, SCALE, INVERSE));
        let rows = (0..group.units.len()).map(|j| group.register(SCALE, j));
        let steps: Vec<Step> = rows.map(|row| Step::register(pass, row)).collect();
        builder.run(steps, done.ready)?
    } else {
        // The scale as it was rounded comes back from SRAM.
        let units = group.units.iter().enumerate();
        let steps = units.map(|(j, &(index, _))| {
            Step::read(inverse(0), group.register(INVERSE, j), op.scales, index)
        });
        let ready = done.last + builder.through(&op.scales);
        builder.run(steps.collect::<Vec<_>>(), ready)?
    };
    Ok(Done {
        last: issued.last,
        ready: issued.last + builder.chain(),
    })
}

fn codes(
    builder: &mut Builder,
    group: &Group,
    op: Quantise,
    from: i64,
) -> Result<Done, CompileError> {
    let pass = first_alu(multiply(Operand::Register));
    let steps = group.vectors().map(|(j, _, vector)| {
        Step::read(pass, group.register(INVERSE, j), op.x, vector).to(op.codes, vector)
    });
    let issued = builder.run(steps, from)?;
    Ok(Done {
        last: issued.last,
        ready: issued.last + builder.through(&op.codes),
    })
}

/// Places the dequantisation of all units, likewise.
pub fn dequantise(
    builder: &mut Builder,
    units: &[Unit],
    op: Dequantise,
    from: i64,
) -> Result<i64, CompileError> {
    let vectors = units[0].vectors;
    let staged: &[Tensor] = match builder.is_wide() {
        true => &[],
        false => &[op.columns],
    };
    let needs = Needs {
        regions: 1,
        phases: 2,
        columns: staged.len() * vectors,
        least_columns: staged.len(),
        splits: false,
    };
    let grouping = Grouping::new(builder, units, false, needs)?;
    let mut staged = Columns::new(builder, staged, vectors, from)?;
    grouping.drive(builder, 2, from, |builder, phase, group, from| {
        if phase == 1 {
            let (x, column, out) = (op.codes, op.columns, op.out);
            return columns::scale(builder, group, PARTIAL, x, column, &mut staged, out, from);
        }
        let pass = Descriptor {
            write: Some(0),
            ..Descriptor::default()
        };
        let units = group.units.iter().enumerate();
        let steps = units
            .map(|(j, &(index, _))| Step::read(pass, group.register(PARTIAL, j), op.rows, index));
        let issued = builder.run(steps.collect::<Vec<_>>(), from)?;
        Ok(Done {
            last: issued.last,
            ready: issued.last + builder.chain(),
        })
    })
}
