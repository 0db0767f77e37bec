//! C = A x B.

use super::{Judgement, OperandError, Shape, Work, Workload};
use crate::data::{Array, Elements, Matrix};
use lpu_compiler::matmul::{self, Vector};
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::{Config, Program};
use lpu_verif::numeric;

/// A compiled product with its operands.
pub struct Matmul {
    compiled: matmul::Matmul,
    a: Matrix<i8>,
    b: Matrix<i8>,
}

impl Matmul {
    /// Compiles the product of `a` and `b`.
    pub fn new(config: &Config, a: Matrix<i8>, b: Matrix<i8>) -> Result<Self, OperandError> {
        if a.columns != b.rows {
            let (m, k, found, n) = (a.rows, a.columns, b.rows, b.columns);
            return Err(OperandError::Inner { m, k, found, n });
        }
        let compiled = matmul::compile(config, a.rows, a.columns, b.columns)?;
        Ok(Self { compiled, a, b })
    }
}

impl Workload for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn shape(&self) -> Shape {
        Shape::Matmul {
            m: self.a.rows,
            k: self.a.columns,
            n: self.b.columns,
        }
    }

    fn program(&self) -> &Program {
        &self.compiled.program
    }

    fn prediction(&self) -> &Prediction {
        &self.compiled.schedule.prediction
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        self.compiled.pack(&self.a.elements, &self.b.elements)
    }

    fn results(&self) -> Vec<(usize, usize)> {
        self.compiled.layout.result_vectors().collect()
    }

    fn work(&self) -> Work {
        Work {
            elements: (self.a.rows * self.b.columns) as u64,
            macs: self.compiled.schedule.macs,
            read_bytes: (self.b.rows * self.b.columns) as u64,
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        let elements = self.compiled.unpack(read);
        let golden = |matrix: &Matrix<i8>| {
            numeric::Matrix::from_fn(matrix.rows, matrix.columns, |r, c| {
                matrix.elements[r * matrix.columns + c]
            })
        };
        let (m, n) = (self.a.rows, self.b.columns);
        let exact = numeric::matmul(&golden(&self.a), &golden(&self.b));
        let differs = |i: &usize| elements[*i] != exact.at(i / n, i % n);
        Judgement {
            wrong: (0..m * n).filter(differs).count() as u64,
            errors: None,
            scales: None,
            result: Array {
                shape: vec![m, n],
                elements: Elements::Int32(elements),
            },
        }
    }
}
