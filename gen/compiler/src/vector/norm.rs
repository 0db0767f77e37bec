//! RMSNorm and LayerNorm of rows.

use super::builder::Builder;
use super::columns::{self, Columns};
use super::groups::{Done, Fold, Group, Grouping, Needs, Unit};
use super::step::Step;
use super::tensor::Tensor;
use crate::CompileError;
use crate::alu::{self, at, first_alu, fixed, fma, multiply, with_constant};
use lpu_isa::Descriptor;
use lpu_isa::descriptor::{Alu, Function, Operand, Source};

/// Operands of a RMSNorm.
#[derive(Clone, Copy, Debug)]
pub struct RmsNorm {
    pub x: Tensor,
    pub gamma: Tensor,
    pub out: Tensor,
    /// Elements of a row.
    pub columns: usize,
    pub epsilon: f32,
    /// Whether a row lies over lanes.
    pub lanes: bool,
}

/// Operands of a LayerNorm.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    pub x: Tensor,
    pub gamma: Tensor,
    pub beta: Tensor,
    /// One byte for each lane: 1 where the last vector of a row holds an element; `None` if it has no padding.
    pub mask: Option<Tensor>,
    pub out: Tensor,
    /// Elements of a row.
    pub columns: usize,
    pub epsilon: f32,
    /// Whether a row lies over lanes.
    pub lanes: bool,
}

/// Regions: partial results, mean (or the root of a RMSNorm), inverse of the deviation, mean in the lanes that hold an element.
const PARTIAL: usize = 0;
const MEAN: usize = 1;
const INVERSE: usize = 2;
const MASKED: usize = 3;

/// Passes for each vector of a RMSNorm.
pub const fn rms_passes(alus: usize, wide: bool) -> usize {
    if alus > 1 && wide { 2 } else { 3 }
}

/// Passes for each vector of a LayerNorm.
pub const fn layer_passes(alus: usize) -> usize {
    if alus > 1 { 4 } else { 5 }
}

/// rsqrt(sum / columns + epsilon), with epsilon in a register.
fn root(columns: usize, epsilon: usize) -> Descriptor {
    let share = (1.0 / columns as f64) as f32;
    let mean = with_constant(share.to_bits(), fma(Operand::Constant, Operand::Register));
    Descriptor {
        function: Function::Rsqrt,
        ..first_alu(fixed(epsilon, mean))
    }
}

/// Places a RMSNorm of all units; operands may be read from cycle `from` on. Returns the cycle from which on passes may read the result.
pub fn rms(
    builder: &mut Builder,
    units: &[Unit],
    op: RmsNorm,
    from: i64,
) -> Result<i64, CompileError> {
    let vectors = units[0].vectors;
    let staged: &[Tensor] = if builder.is_wide() { &[] } else { &[op.gamma] };
    let epsilon = builder.take(1);
    let from = from.max(builder.constant(epsilon, op.epsilon.to_bits())?);
    let needs = Needs {
        regions: 2,
        phases: 2,
        columns: staged.len() * vectors,
        least_columns: staged.len(),
        splits: true,
    };
    let grouping = Grouping::new(builder, units, op.lanes, needs)?;
    let mut staged = Columns::new(builder, staged, vectors, from)?;
    grouping.drive(builder, 2, from, |builder, phase, group, from| {
        if phase == 1 {
            let (x, gamma, out) = (op.x, op.gamma, op.out);
            return columns::scale(builder, group, MEAN, x, gamma, &mut staged, out, from);
        }
        let done = group.reduce(
            builder,
            Fold::Squares,
            PARTIAL,
            from,
            |_, _, vector, row| Step::read(Descriptor::default(), row, op.x, vector),
        )?;
        let root = root(op.columns, epsilon);
        group.take(
            builder,
            Fold::Squares,
            PARTIAL,
            MEAN,
            1,
            root,
            None,
            done.ready,
        )
    })
}

/// Places a LayerNorm of all units, likewise.
pub fn layer(
    builder: &mut Builder,
    units: &[Unit],
    op: LayerNorm,
    from: i64,
) -> Result<i64, CompileError> {
    let vectors = units[0].vectors;
    let staged: &[Tensor] = match builder.is_wide() {
        true => &[op.beta],
        false => &[op.beta, op.gamma],
    };
    let epsilon = builder.take(1);
    let mut ready = from.max(builder.constant(epsilon, op.epsilon.to_bits())?);
    let mask = op.mask.map(|tensor| (builder.take(1), tensor));
    if let Some((register, tensor)) = mask {
        let pass = Descriptor {
            write: Some(0),
            ..Descriptor::default()
        };
        let issued = builder.run([Step::read(pass, register, tensor, 0)], from)?;
        ready = ready.max(issued.last + builder.chain());
    }
    let needs = Needs {
        regions: 3 + usize::from(mask.is_some()),
        phases: 3,
        columns: staged.len() * vectors,
        least_columns: staged.len(),
        splits: true,
    };
    let grouping = Grouping::new(builder, units, op.lanes, needs)?;
    let mut staged = Columns::new(builder, staged, vectors, ready)?;
    let layer = Layer {
        op,
        epsilon,
        mask: mask.map(|(register, _)| register),
        last: vectors - 1,
    };
    grouping.drive(
        builder,
        3,
        ready,
        |builder, phase, group, from| match phase {
            0 => layer.means(builder, group, from),
            1 => layer.deviations(builder, group, from),
            _ => layer.results(builder, group, &mut staged, from),
        },
    )
}

struct Layer {
    op: LayerNorm,
    epsilon: usize,
    /// Register of the mask.
    mask: Option<usize>,
    /// The last vector of a unit.
    last: usize,
}

impl Layer {
    fn means(&self, builder: &mut Builder, group: &Group, from: i64) -> Result<Done, CompileError> {
        let op = self.op;
        let done = group.reduce(builder, Fold::Sum, PARTIAL, from, |_, _, vector, row| {
            Step::read(Descriptor::default(), row, op.x, vector)
        })?;
        let share = (1.0 / op.columns as f64) as f32;
        let mean = first_alu(with_constant(share.to_bits(), multiply(Operand::Constant)));
        let copies = group.partials;
        let done = group.take(
            builder,
            Fold::Sum,
            PARTIAL,
            MEAN,
            copies,
            mean,
            None,
            done.ready,
        )?;
        let Some(mask) = self.mask else {
            return Ok(done);
        };
        // Zero where there is no element, so that the padding, which is zero, stays so.
        let pass = Descriptor {
            write: Some(group.between(builder, MEAN, MASKED)),
            ..first_alu(fixed(mask, multiply(Operand::Register)))
        };
        let rows = (0..group.units.len()).map(|j| self.row(group, j, self.last));
        let steps = rows.map(|row| Step::register(pass, row));
        let issued = builder.run(steps.collect::<Vec<_>>(), done.ready)?;
        Ok(Done {
            last: issued.last,
            ready: issued.last + builder.chain(),
        })
    }

    /// The row of the mean that vector `i` of unit `j` takes.
    const fn row(&self, group: &Group, j: usize, i: usize) -> usize {
        group.register(MEAN, j) + i % group.partials
    }

    /// x - mean in ALU 0, in a row of region `from`.
    fn centred(&self, builder: &Builder, group: &Group, from: usize, i: usize) -> Descriptor {
        let mean = match i == self.last && self.mask.is_some() {
            true => MASKED,
            false => MEAN,
        };
        let difference = Alu {
            negate_z: true,
            ..alu::add(Operand::Register)
        };
        first_alu(at(group.between(builder, from, mean), difference))
    }

    fn deviations(
        &self,
        builder: &mut Builder,
        group: &Group,
        from: i64,
    ) -> Result<Done, CompileError> {
        let op = self.op;
        let done = if builder.alus() > 1 {
            let passes: Vec<Descriptor> = (0..=self.last)
                .map(|i| self.centred(builder, group, PARTIAL, i))
                .collect();
            group.reduce(
                builder,
                Fold::Squares,
                PARTIAL,
                from,
                |_, i, vector, row| Step::read(passes[i], row, op.x, vector),
            )?
        } else {
            let steps: Vec<Step> = group
                .vectors()
                .map(|(j, i, vector)| {
                    let pass = self.centred(builder, group, MEAN, i);
                    Step::read(pass, self.row(group, j, i), op.x, vector).to(op.out, vector)
                })
                .collect();
            let ready = builder.run(steps, from)?.last + builder.through(&op.out);
            group.reduce(
                builder,
                Fold::Squares,
                PARTIAL,
                ready,
                |_, _, vector, row| Step::read(Descriptor::default(), row, op.out, vector),
            )?
        };
        let root = root(op.columns, self.epsilon);
        let copies = group.partials;
        group.take(
            builder,
            Fold::Squares,
            PARTIAL,
            INVERSE,
            copies,
            root,
            None,
            done.ready,
        )
    }

    fn results(
        &self,
        builder: &mut Builder,
        group: &Group,
        columns: &mut Columns,
        from: i64,
    ) -> Result<Done, CompileError> {
        let op = self.op;
        let to_inverse = group.between(builder, MEAN, INVERSE);
        let steps: Vec<Step> = group
            .vectors()
            .map(|(j, i, vector)| {
                let row = self.row(group, j, i);
                let step = match builder.alus() > 1 {
                    true => {
                        let mut pass = self.centred(builder, group, MEAN, i);
                        pass.alus[1] = at(to_inverse, multiply(Operand::Register));
                        Step::read(pass, row, op.x, vector)
                    }
                    false => {
                        let pass = first_alu(at(to_inverse, multiply(Operand::Register)));
                        Step::read(pass, row, op.out, vector)
                    }
                };
                step.to(op.out, vector)
            })
            .collect();
        let scaled = builder.run(steps, from)?;
        let ready = scaled.last + builder.through(&op.out);
        let wide = builder.is_wide();
        // One register for each ALU: gamma is A where it has no stream.
        let pass = match wide {
            true => first_alu(fma(Operand::B, Operand::Register)),
            false => Descriptor {
                source: Source::Register(columns.offset(1)),
                ..first_alu(fma(Operand::B, Operand::Register))
            },
        };
        let issued = columns.sweep(builder, group, ready, |row, i, vector| {
            let step = match wide {
                true => Step::read(pass, row, op.out, vector).with(op.gamma, i, 0),
                false => Step::register(pass, row).with(op.out, vector, 0),
            };
            step.to(op.out, vector)
        })?;
        Ok(Done {
            last: issued.last,
            ready: issued.last + builder.through(&op.out),
        })
    }
}
