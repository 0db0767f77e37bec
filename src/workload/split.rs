//! Operations on several chips of which none needs what another computes: columns of a product, heads of attention.

use super::attention::{Attention, Options};
use super::{Errors, Judgement, Matmul, OperandError, Shape, Work, Workload};
use crate::data::{Array, Elements, Matrix};
use crate::quantise::Quantised;
use lpu_compiler::matmul::{Format, Vector};
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::rack::Numbering;
use lpu_isa::{Config, Program};
use std::ops::Range;

/// A part for each chip.
pub struct Split {
    parts: Vec<Box<dyn Workload>>,
    join: Join,
    shape: Shape,
    prediction: Prediction,
    numbering: Numbering,
}

/// How the results of the parts lie in that of the whole.
enum Join {
    /// Rows one after the other, of an array of this shape.
    Rows(Vec<usize>),
    /// These columns of so many rows.
    Columns(usize, Vec<Range<usize>>),
}

/// As equal shares of `count` as there can be, in order.
fn shares(count: usize, chips: usize) -> Vec<Range<usize>> {
    let cut = |chip: usize| chip * count / chips;
    (0..chips).map(|chip| cut(chip)..cut(chip + 1)).collect()
}

fn columns(matrix: &Matrix<u8>, range: &Range<usize>) -> Matrix<u8> {
    let rows = matrix.elements.chunks(matrix.columns.max(1));
    Matrix {
        rows: matrix.rows,
        columns: if matrix.rows == 0 { 0 } else { range.len() },
        elements: rows.flat_map(|row| row[range.clone()].to_vec()).collect(),
    }
}

fn rows(matrix: &Matrix<i8>, range: Range<usize>) -> Matrix<i8> {
    let elements = range.start * matrix.columns..range.end * matrix.columns;
    Matrix {
        rows: range.len(),
        columns: matrix.columns,
        elements: matrix.elements[elements].to_vec(),
    }
}

impl Split {
    fn new(config: &Config, parts: Vec<Box<dyn Workload>>, join: Join, shape: Shape) -> Self {
        let predictions: Vec<_> = parts.iter().map(|part| part.prediction().clone()).collect();
        Self {
            prediction: Prediction::together(&predictions),
            parts,
            join,
            shape,
            numbering: Numbering::of(config),
        }
    }

    /// Compiles C = A x B: every chip has all of A, and as many columns of B as any other, or one less.
    pub fn matmul(
        config: &Config,
        chips: usize,
        format: Format,
        a: &Quantised,
        b: &Quantised,
    ) -> Result<Self, OperandError> {
        let (m, k, n) = (a.codes.rows, a.codes.columns, b.codes.columns);
        if n < chips {
            return Err(OperandError::Compile(CompileError::Kernel(format!(
                "{n} columns cannot be shared out to {chips} LPUs: choose --n {chips} or more, or fewer --lpus"
            ))));
        }
        let ranges = shares(n, chips);
        let parts = ranges.iter().map(|range| {
            let part = Quantised {
                codes: columns(&b.codes, range),
                scales: columns(&b.scales, range),
                exponent: b.exponent,
            };
            let part = Matmul::new_in(config, format, a.clone(), part)?;
            Ok(Box::new(part) as Box<dyn Workload>)
        });
        let parts = parts.collect::<Result<Vec<_>, OperandError>>()?;
        let format = format.name();
        let shape = Shape::Matmul { m, k, n, format };
        Ok(Self::new(config, parts, Join::Columns(m, ranges), shape))
    }

    /// Compiles attention: every chip has heads of keys and values and the heads that share them; if there are more chips than heads of
    /// keys, several chips have the same one and some of its heads each.
    pub fn attention(
        config: &Config,
        chips: usize,
        options: Options,
        operands: &[Matrix<i8>; 3],
    ) -> Result<Self, OperandError> {
        let Options {
            queries,
            keys,
            heads,
            kv_heads,
            dim,
            ..
        } = options;
        let refuse = |why: String| OperandError::Compile(CompileError::Attention(why));
        if kv_heads == 0 || !heads.is_multiple_of(kv_heads) {
            return Err(refuse(format!(
                "{heads} heads cannot share {kv_heads} heads of keys and values evenly: kv_heads must divide heads"
            )));
        }
        let group = heads / kv_heads;
        // Chips that share a head of keys.
        let sharing = chips.div_ceil(kv_heads);
        if kv_heads < chips && (kv_heads * sharing != chips || !group.is_multiple_of(sharing)) {
            return Err(refuse(format!(
                "{heads} heads over {kv_heads} heads of keys cannot be shared out to {chips} LPUs evenly: choose --lpus {kv_heads} or fewer"
            )));
        }
        let [q, k, v] = operands;
        if q.rows != heads * queries || k.rows != kv_heads * keys || v.rows != kv_heads * keys {
            // The whole says what is wrong with its operands.
            Attention::new(config, options, operands.clone())?;
        }
        // Heads, and heads of keys, of each chip.
        let parts = (0..chips).map(|chip| match kv_heads < chips {
            false => {
                let of_keys = shares(kv_heads, chips).swap_remove(chip);
                (of_keys.start * group..of_keys.end * group, of_keys)
            }
            true => {
                let head = chip / sharing;
                let own = shares(heads, chips).swap_remove(chip);
                (own, head..head + 1)
            }
        });
        let parts = parts.map(|(own, of_keys)| {
            let options = Options {
                heads: own.len(),
                kv_heads: of_keys.len(),
                ..options
            };
            let of_keys = of_keys.start * keys..of_keys.end * keys;
            let operands = [
                rows(q, own.start * queries..own.end * queries),
                rows(k, of_keys.clone()),
                rows(v, of_keys),
            ];
            let part = Attention::new(config, options, operands)?;
            Ok(Box::new(part) as Box<dyn Workload>)
        });
        let parts = parts.collect::<Result<Vec<_>, OperandError>>()?;
        let Shape::Attention {
            causal,
            weights,
            mode,
            ..
        } = parts[0].shape()
        else {
            unreachable!("parts of attention");
        };
        let shape = Shape::Attention {
            seq: queries,
            keys,
            heads,
            kv_heads,
            dim,
            causal,
            weights,
            mode,
        };
        let join = Join::Rows(vec![heads, queries, dim]);
        Ok(Self::new(config, parts, join, shape))
    }

    /// Parts with the number of their chip.
    fn numbered(&self) -> impl Iterator<Item = (usize, &dyn Workload)> {
        self.parts.iter().map(Box::as_ref).enumerate()
    }
}

impl Join {
    fn shape(&self) -> Vec<usize> {
        match self {
            Self::Rows(shape) => shape.clone(),
            Self::Columns(rows, ranges) => {
                vec![*rows, ranges.last().map_or(0, |range| range.end)]
            }
        }
    }

    fn join<T: Copy>(&self, parts: &[&Vec<T>]) -> Vec<T> {
        match self {
            Self::Rows(_) => parts.iter().flat_map(|part| part.iter().copied()).collect(),
            Self::Columns(rows, ranges) => (0..*rows)
                .flat_map(|row| {
                    let parts = parts.iter().zip(ranges);
                    parts.flat_map(move |(part, range)| {
                        part[row * range.len()..(row + 1) * range.len()].to_vec()
                    })
                })
                .collect(),
        }
    }

    /// The elements of the whole.
    fn elements(&self, parts: &[Judgement]) -> Elements {
        fn all<'p, T>(
            parts: &'p [Judgement],
            of: impl Fn(&'p Elements) -> Option<&'p Vec<T>>,
        ) -> Option<Vec<&'p Vec<T>>> {
            parts.iter().map(|part| of(&part.result.elements)).collect()
        }
        let words = all(parts, |elements| match elements {
            Elements::Int32(words) => Some(words),
            _ => None,
        });
        let numbers = all(parts, |elements| match elements {
            Elements::Fp32(numbers) => Some(numbers),
            _ => None,
        });
        match (words, numbers) {
            (Some(words), _) => Elements::Int32(self.join(&words)),
            (_, Some(numbers)) => Elements::Fp32(self.join(&numbers)),
            _ => unreachable!("results are int32 or FP32, all alike"),
        }
    }
}

impl Workload for Split {
    fn name(&self) -> &'static str {
        self.parts[0].name()
    }

    fn shape(&self) -> Shape {
        self.shape.clone()
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
        for (chip, part) in self.numbered() {
            vectors.extend(part.image()?.into_iter().map(|vector| Vector {
                slice: self.numbering.slice(chip, vector.slice),
                ..vector
            }));
        }
        Ok(vectors)
    }

    fn results(&self) -> Vec<(usize, usize)> {
        let parts = self.numbered();
        parts
            .flat_map(|(chip, part)| self.numbering.places(chip, part.results()))
            .collect()
    }

    fn work(&self) -> Work {
        let works: Vec<Work> = self.parts.iter().map(|part| part.work()).collect();
        Work {
            elements: works.iter().map(|work| work.elements).sum(),
            macs: works.iter().map(|work| work.macs).sum(),
            macs_per_multiplier: works[0].macs_per_multiplier,
            read_bytes: works.iter().map(|work| work.read_bytes).sum(),
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        let judged: Vec<Judgement> = self
            .numbered()
            .map(|(chip, part)| {
                part.judge(&|slice, address| read(self.numbering.slice(chip, slice), address))
            })
            .collect();
        let errors = judged.iter().filter_map(|part| part.errors);
        let errors = errors.reduce(|a, b| Errors {
            max_abs_error: a.max_abs_error.max(b.max_abs_error),
            max_rel_error: a.max_rel_error.max(b.max_rel_error),
        });
        Judgement {
            wrong: judged.iter().map(|part| part.wrong).sum(),
            errors,
            result: Array {
                shape: self.join.shape(),
                elements: self.join.elements(&judged),
            },
            scales: None,
        }
    }
}
