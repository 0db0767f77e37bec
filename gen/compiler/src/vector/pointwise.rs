//! SiLU, its gated form, and GELU.

use super::builder::Builder;
use super::step::Step;

use super::stages;
use super::tensor::Tensor;
use crate::CompileError;
use crate::alu::{add, first_alu, fixed, fma, multiply, with_constant};
use lpu_isa::Descriptor;
use lpu_isa::descriptor::{Alu, Function, Operand};

/// -log2(e).
const MINUS_LOG2_E: u32 = 0xbfb8_aa3b;
/// -2 sqrt(2 / pi) log2(e), and that times 0.044715.
pub const GELU: [u32; 2] = [0xc013_5761, 0xbdd2_d3e8];

/// Passes for each vector of SiLU, without the product with a gate.
pub const fn silu_passes(alus: usize) -> usize {
    if alus > 1 { 2 } else { 3 }
}

/// Passes for each vector of GELU.
pub const fn gelu_passes(alus: usize) -> usize {
    if alus > 1 { 3 } else { 5 }
}

/// One ALU, then a function, into a register.
fn into(function: Function, alu: Alu) -> Descriptor {
    Descriptor {
        function,
        write: Some(0),
        ..first_alu(alu)
    }
}

/// The end of all of them: rcp(register + 1) times vector `x`. With one ALU that takes two stages, `part` 0 and 1.
fn sigmoid_times(builder: &Builder, part: usize, row: usize, x: (Tensor, usize)) -> Step {
    let plus_one = into(Function::Rcp, add(Operand::One));
    if builder.alus() > 1 {
        let mut pass = plus_one;
        pass.alus[1] = multiply(Operand::B);
        Step::register(pass, row).with(x.0, x.1, 1)
    } else if part == 0 {
        Step::register(plus_one, row)
    } else {
        let pass = into(Function::Pass, multiply(Operand::B));
        Step::register(pass, row).with(x.0, x.1, 0)
    }
}

/// The result of the last stage goes to SRAM only.
fn result(step: Step, out: Tensor, vector: usize) -> Step {
    let pass = Descriptor {
        write: None,
        ..step.pass
    };
    Step { pass, ..step }.to(out, vector)
}

/// A stage for each of `count`, each behind the one before.
fn chained(count: usize) -> Vec<Option<usize>> {
    (0..count)
        .map(|stage: usize| stage.checked_sub(1))
        .collect()
}

/// Places x * sigmoid(x), times `gate` if there is one, of `count` vectors; operands may be read from cycle `from` on.
/// Returns the cycle from which on passes may read the result.
pub fn silu(
    builder: &mut Builder,
    count: usize,
    x: Tensor,
    gate: Option<Tensor>,
    out: Tensor,
    from: i64,
) -> Result<i64, CompileError> {
    let own = silu_passes(builder.alus());
    let stages = chained(own + usize::from(gate.is_some()));
    let exponent = with_constant(MINUS_LOG2_E, multiply(Operand::Constant));
    let exponent = into(Function::Exp2, exponent);
    let last = stages::run(
        builder,
        count,
        1,
        &stages,
        from,
        |builder, stage, chunk, vector| {
            let row = chunk.row(vector);
            let step = match (stage, gate) {
                (0, _) => Step::read(exponent, row, x, vector),
                (stage, Some(gate)) if stage == own => {
                    let pass = into(Function::Pass, multiply(Operand::B));
                    Step::register(pass, row).with(gate, vector, 0)
                }
                (stage, _) => sigmoid_times(builder, stage - 1, row, (x, vector)),
            };
            match stage + 1 == stages.len() {
                true => result(step, out, vector),
                false => step,
            }
        },
    )?;
    Ok(last + builder.through(&out))
}

/// Places GELU, tanh form, of `count` vectors, likewise.
pub fn gelu(
    builder: &mut Builder,
    count: usize,
    x: Tensor,
    out: Tensor,
    from: i64,
) -> Result<i64, CompileError> {
    let linear = builder.take(1);
    let from = from.max(builder.constant(linear, GELU[0])?);
    let stages = chained(gelu_passes(builder.alus()));
    let square = multiply(Operand::P);
    let polynomial = fma(Operand::Constant, Operand::Register);
    let polynomial = fixed(linear, with_constant(GELU[1], polynomial));
    // With one ALU the square is a stage of its own.
    let first = usize::from(builder.alus() == 1);
    let last = stages::run(
        builder,
        count,
        1,
        &stages,
        from,
        |builder, stage, chunk, vector| {
            let row = chunk.row(vector);
            let step = if stage == 0 {
                let mut pass = into(Function::Pass, square);
                if first == 0 {
                    pass.alus[1] = polynomial;
                }
                Step::read(pass, row, x, vector)
            } else if stage == first {
                Step::register(into(Function::Pass, polynomial), row)
            } else if stage == first + 1 {
                let pass = into(Function::Exp2, multiply(Operand::B));
                Step::register(pass, row).with(x, vector, 0)
            } else {
                sigmoid_times(builder, stage - first - 2, row, (x, vector))
            };
            match stage + 1 == stages.len() {
                true => result(step, out, vector),
                false => step,
            }
        },
    )?;
    Ok(last + builder.through(&out))
}

#[cfg(test)]
mod tests {
    use super::{GELU, MINUS_LOG2_E};
    use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, LOG2_E};

    #[test]
    fn constants_are_the_nearest_numbers() {
        let linear = -2.0 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * LOG2_E;
        assert_eq!(
            GELU,
            [linear, 0.044715 * linear].map(|c| (c as f32).to_bits())
        );
        assert_eq!(MINUS_LOG2_E, (-LOG2_E as f32).to_bits());
    }
}
