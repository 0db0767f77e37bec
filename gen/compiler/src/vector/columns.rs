//! Vectors that meet every row: one for each column (or tile of columns) of a matrix.

use super::builder::{Builder, Issued};
use super::groups::{Done, Group};
use super::step::Step;
use super::tensor::Tensor;
use crate::CompileError;
use crate::alu::{at, first_alu, multiply};
use lpu_isa::Descriptor;
use lpu_isa::descriptor::Operand;

/// Column vectors that pass through registers: all of them once if they fit, else a chunk after the other for each group.
#[derive(Clone, Debug)]
pub struct Columns {
    tensors: Vec<Tensor>,
    vectors: usize,
    base: usize,
    /// Vectors of a tensor in registers at once.
    capacity: usize,
    /// From when on passes find them, if all are there.
    resident: Option<i64>,
    /// Until when passes take what is there.
    busy: i64,
}

impl Columns {
    /// Takes the registers that are left.
    pub fn new(
        builder: &mut Builder,
        tensors: &[Tensor],
        vectors: usize,
        from: i64,
    ) -> Result<Self, CompileError> {
        let capacity = match tensors.len() {
            0 => vectors,
            count => vectors.min(builder.available() / count),
        };
        if capacity == 0 {
            return Err(CompileError::Kernel(format!(
                "the columns of the operation need {} registers at least and {} of vxm.registers are left: raise it",
                tensors.len(),
                builder.available()
            )));
        }
        let mut columns = Self {
            tensors: tensors.to_vec(),
            vectors,
            base: builder.take(capacity * tensors.len()),
            capacity,
            resident: None,
            busy: from,
        };
        if capacity == vectors {
            columns.resident = Some(columns.load(builder, 0, from)?);
        }
        Ok(columns)
    }

    /// Loads what starts with column `first`; returns the cycle from which on passes find it.
    fn load(&self, builder: &mut Builder, first: usize, from: i64) -> Result<i64, CompileError> {
        let pass = Descriptor {
            write: Some(0),
            ..Descriptor::default()
        };
        let chunk = first..self.vectors.min(first + self.capacity);
        let mut ready = from;
        for (k, &tensor) in self.tensors.iter().enumerate() {
            let row = |i: usize| self.base + k * self.capacity + i - first;
            let steps = chunk.clone().map(|i| Step::read(pass, row(i), tensor, i));
            ready = builder.run(steps, ready)?.last + builder.chain();
        }
        Ok(ready)
    }

    /// Offset from the row of a column to its register of tensor `k`.
    pub const fn offset(&self, k: usize) -> u16 {
        (k * self.capacity) as u16
    }

    /// Passes over all vectors of a group, each in the row of its column; `make` is given the row, the column and the vector.
    pub fn sweep(
        &mut self,
        builder: &mut Builder,
        group: &Group,
        from: i64,
        make: impl Fn(usize, usize, usize) -> Step,
    ) -> Result<Issued, CompileError> {
        let mut issued: Option<Issued> = None;
        for first in (0..self.vectors).step_by(self.capacity) {
            let ready = match self.resident {
                Some(ready) => ready,
                None => self.load(builder, first, self.busy.max(from))?,
            };
            let chunk = first..self.vectors.min(first + self.capacity);
            let units = group.units.iter();
            let steps = units.flat_map(|&(_, unit)| {
                let make = &make;
                let row = |i| {
                    if self.tensors.is_empty() {
                        0
                    } else {
                        self.base + i - first
                    }
                };
                chunk.clone().map(move |i| make(row(i), i, unit.first + i))
            });
            let placed = builder.run(steps.collect::<Vec<_>>(), ready.max(from))?;
            self.busy = placed.last + 1;
            let first = issued.map_or(placed.first, |issued| issued.first);
            issued = Some(Issued {
                first,
                last: placed.last,
            });
        }
        Ok(issued.expect("a row has columns"))
    }
}

/// (x * r) * c into `out`, with r the register of each unit in region `factor` and c one vector for each column.
///
/// Two ALUs with a stream for the columns do it in one pass; else the first product goes through `out`, and `columns` holds c where
/// it has no stream.
#[allow(clippy::too_many_arguments, reason = "operands, places and times")]
pub fn scale(
    builder: &mut Builder,
    group: &Group,
    factor: usize,
    x: Tensor,
    column: Tensor,
    columns: &mut Columns,
    out: Tensor,
    from: i64,
) -> Result<Done, CompileError> {
    let mut pass = first_alu(multiply(Operand::Register));
    let together = builder.alus() > 1 && builder.is_wide();
    if together {
        pass.alus[1] = multiply(Operand::B);
    }
    let steps = group.vectors().map(|(j, i, vector)| {
        let step = Step::read(pass, group.register(factor, j), x, vector).to(out, vector);
        match together {
            true => step.with(column, i, 1),
            false => step,
        }
    });
    let issued = builder.run(steps, from)?;
    let ready = issued.last + builder.through(&out);
    if together {
        return Ok(Done {
            last: issued.last,
            ready,
        });
    }
    let wide = builder.is_wide();
    let pass = match wide {
        true => first_alu(multiply(Operand::B)),
        false => first_alu(at(columns.offset(0), multiply(Operand::Register))),
    };
    let issued = columns.sweep(builder, group, ready, |row, i, vector| {
        let step = Step::read(pass, row, out, vector).to(out, vector);
        match wide {
            true => step.with(column, i, 0),
            false => step,
        }
    })?;
    Ok(Done {
        last: issued.last,
        ready: issued.last + builder.through(&out),
    })
}
