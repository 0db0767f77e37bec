//! Rotary position embedding.

use super::builder::Builder;
use super::step::Step;

use super::stages;
use super::tensor::Tensor;
use crate::CompileError;
use crate::alu::{at, first_alu, fma, multiply};
use lpu_isa::Descriptor;
use lpu_isa::descriptor::{Alu, Operand, Source};

/// Operands of a rotation. Each unit has, for each head, `half` vectors of the first elements of its pairs, then as many of the second; cos and sin have
/// `half` vectors for each unit.
#[derive(Clone, Copy, Debug)]
pub struct Rope {
    pub x: Tensor,
    pub cos: Tensor,
    pub sin: Tensor,
    pub out: Tensor,
    pub units: usize,
    pub heads: usize,
    pub half: usize,
}

/// Passes for each two vectors; columns without a stream are loaded first.
pub const fn passes_of_pair(wide: bool) -> usize {
    if wide { 4 } else { 6 }
}

/// Registers of a pair: the products with the sine, then sine and cosine where they have no stream.
const SECOND: usize = 0;
const FIRST: usize = 1;
const SIN: usize = 2;
const COS: usize = 3;

/// Places the rotation of all pairs; operands may be read from cycle `from` on. Returns the cycle from which on passes may read the result.
pub fn emit(builder: &mut Builder, op: Rope, from: i64) -> Result<i64, CompileError> {
    let wide = builder.is_wide();
    let count = op.units * op.heads * op.half;
    // First element, second element, angle of a pair.
    let place = |pair: usize| {
        let (head, i) = (pair / op.half, pair % op.half);
        let first = 2 * head * op.half + i;
        (first, first + op.half, head / op.heads * op.half + i)
    };
    let loads: usize = if wide { 0 } else { 2 };
    let registers = if wide { 2 } else { 4 };
    let after: &[Option<usize>] = match wide {
        true => &[None, None, Some(0), Some(1)],
        false => &[None, None, Some(0), Some(0), Some(2), Some(3)],
    };
    let last = stages::run(
        builder,
        count,
        registers,
        after,
        from,
        |_, stage, chunk, pair| {
            let (first, second, angle) = place(pair);
            let row = chunk.row(pair);
            let Some(stage) = stage.checked_sub(loads) else {
                let (tensor, register) = [(op.sin, SIN), (op.cos, COS)][stage];
                let pass = Descriptor {
                    write: Some(chunk.offset(register)),
                    ..Descriptor::default()
                };
                return Step::read(pass, row, tensor, angle);
            };
            // Stages 0 and 2 end in the first element, 1 and 3 in the second.
            let (product, of_sin, of_cos, sign) = match stage % 2 {
                0 => (SECOND, second, first, true),
                _ => (FIRST, first, second, false),
            };
            let product = chunk.offset(product);
            if stage < 2 {
                let pass = |alu| Descriptor {
                    write: Some(product),
                    ..first_alu(alu)
                };
                return match wide {
                    true => Step::read(pass(multiply(Operand::B)), row, op.x, of_sin)
                        .with(op.sin, angle, 0),
                    false => {
                        let sine = at(chunk.offset(SIN), multiply(Operand::Register));
                        Step::read(pass(sine), row, op.x, of_sin)
                    }
                };
            }
            let sum = Alu {
                negate_z: sign,
                ..at(product, fma(Operand::B, Operand::Register))
            };
            let pass = first_alu(sum);
            let step = match wide {
                true => Step::read(pass, row, op.x, of_cos).with(op.cos, angle, 0),
                false => {
                    // The ALU has one register, the product: the cosine is A, the element B.
                    let source = Source::Register(chunk.offset(COS));
                    Step::register(Descriptor { source, ..pass }, row).with(op.x, of_cos, 0)
                }
            };
            step.to(op.out, of_cos)
        },
    )?;
    Ok(last + builder.through(&op.out))
}
