//! C = A x B on several chips: each has all of A and some columns of B.

use super::{Errors, Judgement, Matmul, OperandError, Shape, Work, Workload};
use crate::data::{Array, Elements, Matrix};
use crate::quantise::Quantised;
use lpu_compiler::matmul::{Format, Vector};
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::{Config, Program};
use std::ops::Range;

/// A product whose columns are shared out. No chip needs what another computes, so none waits.
pub struct SplitMatmul {
    parts: Vec<Matmul>,
    columns: Vec<Range<usize>>,
    prediction: Prediction,
    slices: usize,
    /// (m, k, n).
    sizes: [usize; 3],
    format: Format,
}

fn columns(matrix: &Matrix<u8>, range: &Range<usize>) -> Matrix<u8> {
    let rows = matrix.elements.chunks(matrix.columns.max(1));
    Matrix {
        rows: matrix.rows,
        columns: if matrix.rows == 0 { 0 } else { range.len() },
        elements: rows.flat_map(|row| row[range.clone()].to_vec()).collect(),
    }
}

impl SplitMatmul {
    /// Compiles the product for so many chips, of which each takes as many columns as any other, or one less.
    pub fn new(
        config: &Config,
        chips: usize,
        format: Format,
        a: &Quantised,
        b: &Quantised,
    ) -> Result<Self, OperandError> {
        let n = b.codes.columns;
        if n < chips {
            return Err(OperandError::Compile(CompileError::Kernel(format!(
                "{n} columns cannot be shared out to {chips} LPUs: choose --n {chips} or more, or fewer --lpus"
            ))));
        }
        let cut = |chip: usize| chip * n / chips;
        let ranges: Vec<_> = (0..chips).map(|chip| cut(chip)..cut(chip + 1)).collect();
        let parts = ranges.iter().map(|range| {
            let part = Quantised {
                codes: columns(&b.codes, range),
                scales: columns(&b.scales, range),
                exponent: b.exponent,
            };
            Matmul::new_in(config, format, a.clone(), part)
        });
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let predictions: Vec<_> = parts.iter().map(|part| part.prediction().clone()).collect();
        Ok(Self {
            prediction: Prediction::together(&predictions),
            parts,
            columns: ranges,
            slices: config.mem.slices,
            sizes: [a.codes.rows, a.codes.columns, n],
            format,
        })
    }

    /// Parts with the number of their first slice.
    fn numbered(&self) -> impl Iterator<Item = (usize, &Matmul)> {
        let parts = self.parts.iter().enumerate();
        parts.map(|(chip, part)| (chip * self.slices, part))
    }
}

impl Workload for SplitMatmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn shape(&self) -> Shape {
        let [m, k, n] = self.sizes;
        let format = self.format.name();
        Shape::Matmul { m, k, n, format }
    }

    fn program(&self) -> &Program {
        self.parts[0].program()
    }

    fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    fn chips(&self) -> Vec<(&Program, &Prediction)> {
        let parts = self.parts.iter();
        parts
            .map(|part| (part.program(), part.prediction()))
            .collect()
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        let mut vectors = Vec::new();
        for (first, part) in self.numbered() {
            vectors.extend(part.image()?.into_iter().map(|vector| Vector {
                slice: first + vector.slice,
                ..vector
            }));
        }
        Ok(vectors)
    }

    fn results(&self) -> Vec<(usize, usize)> {
        let places = self.numbered().flat_map(|(first, part)| {
            let places = part.results().into_iter();
            places.map(move |(slice, address)| (first + slice, address))
        });
        places.collect()
    }

    fn work(&self) -> Work {
        let works: Vec<Work> = self.parts.iter().map(Matmul::work).collect();
        Work {
            elements: works.iter().map(|work| work.elements).sum(),
            macs: works.iter().map(|work| work.macs).sum(),
            macs_per_multiplier: works[0].macs_per_multiplier,
            read_bytes: works.iter().map(|work| work.read_bytes).sum(),
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        let [m, _, n] = self.sizes;
        let judged: Vec<Judgement> = self
            .numbered()
            .map(|(first, part)| part.judge(&|slice, address| read(first + slice, address)))
            .collect();
        let errors = judged.iter().filter_map(|part| part.errors);
        let errors = errors.reduce(|a, b| Errors {
            max_abs_error: a.max_abs_error.max(b.max_abs_error),
            max_rel_error: a.max_rel_error.max(b.max_rel_error),
        });
        let mut elements = match judged[0].result.elements {
            Elements::Int32(_) => Elements::Int32(vec![0; m * n]),
            _ => Elements::Fp32(vec![0.0; m * n]),
        };
        for (range, part) in self.columns.iter().zip(&judged) {
            for row in 0..m {
                let (to, from) = (row * n + range.start, row * range.len());
                match (&mut elements, &part.result.elements) {
                    (Elements::Int32(all), Elements::Int32(some)) => {
                        all[to..to + range.len()].copy_from_slice(&some[from..from + range.len()]);
                    }
                    (Elements::Fp32(all), Elements::Fp32(some)) => {
                        all[to..to + range.len()].copy_from_slice(&some[from..from + range.len()]);
                    }
                    _ => unreachable!("all parts have one format"),
                }
            }
        }
        Judgement {
            wrong: judged.iter().map(|part| part.wrong).sum(),
            errors,
            result: Array {
                shape: vec![m, n],
                elements,
            },
            scales: None,
        }
    }
}
