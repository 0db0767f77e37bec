//! C = A x B.

use super::{Errors, Judgement, OperandError, Shape, Work, Workload};
use crate::data::{Array, Elements, Matrix};
use crate::quantise::{Quantised, Side};
use lpu_compiler::matmul::{self, Format, Operand, Vector};
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::{Config, Program};
use lpu_verif::numeric::{self, Nvfp4Matrix};

/// A compiled product with its operands.
pub struct Matmul {
    compiled: matmul::Matmul,
    format: Format,
    a: Quantised,
    b: Quantised,
}

impl Matmul {
    /// Compiles the product of int8 matrices.
    pub fn new(config: &Config, a: Matrix<i8>, b: Matrix<i8>) -> Result<Self, OperandError> {
        let [a, b] = [a, b].map(Quantised::int8);
        Self::new_in(config, Format::Int8, a, b)
    }

    /// Compiles the product of matrices in a format.
    pub fn new_in(
        config: &Config,
        format: Format,
        a: Quantised,
        b: Quantised,
    ) -> Result<Self, OperandError> {
        let (m, k, n) = (a.codes.rows, a.codes.columns, b.codes.columns);
        if k != b.codes.rows {
            let found = b.codes.rows;
            return Err(OperandError::Inner { m, k, found, n });
        }
        let compiled = matmul::compile_in(config, format, m, k, n)?;
        Ok(Self {
            compiled,
            format,
            a,
            b,
        })
    }

    fn sizes(&self) -> (usize, usize, usize) {
        let (a, b) = (&self.a.codes, &self.b.codes);
        (a.rows, a.columns, b.columns)
    }

    /// The words of the result, by the golden functions.
    fn golden(&self) -> numeric::Matrix<u32> {
        let (a, b) = (&self.a, &self.b);
        match self.format {
            Format::Int8 => {
                let signed = |x: &Matrix<u8>| {
                    let x = golden(x);
                    numeric::Matrix::from_fn(x.rows(), x.columns(), |r, c| x.at(r, c) as i8)
                };
                let product = numeric::matmul(&signed(&a.codes), &signed(&b.codes));
                numeric::Matrix::from_fn(product.rows(), product.columns(), |r, c| {
                    product.at(r, c) as u32
                })
            }
            Format::E4m3 => numeric::e4m3_matmul(&golden(&a.codes), &golden(&b.codes)),
            Format::Nvfp4 => {
                let operand = |x: &Quantised| Nvfp4Matrix {
                    elements: golden(&x.codes),
                    scales: golden(&x.scales),
                };
                numeric::nvfp4_matmul(&operand(a), &operand(b))
            }
        }
    }

    /// What one unit of the result is worth.
    fn unit(&self, value: f64) -> f64 {
        libm::ldexp(value, self.a.exponent + self.b.exponent)
    }

    /// The product of what the operands stand for, in double precision.
    fn exact(&self) -> Vec<f64> {
        let (m, k, n) = self.sizes();
        let (a, b) = (self.a.values(Side::Left), self.b.values(Side::Right));
        let mut product = vec![0.0; m * n];
        for (row, sums) in product.chunks_mut(n).enumerate() {
            for (x, weights) in a[row * k..][..k].iter().zip(b.chunks(n)) {
                for (sum, w) in sums.iter_mut().zip(weights) {
                    *sum += x * w;
                }
            }
        }
        product.into_iter().map(|sum| self.unit(sum)).collect()
    }
}

fn operand(matrix: &Quantised) -> Operand<'_> {
    Operand {
        elements: &matrix.codes.elements,
        scales: &matrix.scales.elements,
    }
}

fn golden(matrix: &Matrix<u8>) -> numeric::Matrix<u8> {
    numeric::Matrix::from_fn(matrix.rows, matrix.columns, |r, c| {
        matrix.elements[r * matrix.columns + c]
    })
}

impl Workload for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn shape(&self) -> Shape {
        let (m, k, n) = self.sizes();
        let format = self.format.name();
        Shape::Matmul { m, k, n, format }
    }

    fn program(&self) -> &Program {
        &self.compiled.program
    }

    fn prediction(&self) -> &Prediction {
        &self.compiled.schedule.prediction
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        self.compiled
            .pack_operands(operand(&self.a), operand(&self.b))
    }

    fn results(&self) -> Vec<(usize, usize)> {
        self.compiled.layout.result_vectors().collect()
    }

    fn work(&self) -> Work {
        let (m, k, n) = self.sizes();
        Work {
            elements: (m * n) as u64,
            macs: self.compiled.schedule.macs,
            macs_per_multiplier: self.format.packed(),
            read_bytes: self.format.bytes(k as u64, n as u64),
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        let words = self.compiled.unpack(read);
        let (m, _, n) = self.sizes();
        let golden = self.golden();
        let differs = |i: &usize| words[*i] as u32 != golden.at(i / n, i % n);
        let wrong = (0..m * n).filter(differs).count() as u64;
        let (errors, elements) = match self.format {
            Format::Int8 => (None, Elements::Int32(words)),
            _ => {
                let real = |&word: &i32| self.unit(f32::from_bits(word as u32).into());
                let values: Vec<f64> = words.iter().map(real).collect();
                let errors = Errors::between(&values, &self.exact(), n);
                let elements = values.iter().map(|&value| value as f32).collect();
                (Some(errors), Elements::Fp32(elements))
            }
        };
        Judgement {
            wrong,
            errors,
            scales: None,
            result: Array {
                shape: vec![m, n],
                elements,
            },
        }
    }
}
