//! Kernels of the vector unit on the rows of a matrix.

mod exact;

use super::{Errors, Judgement, OperandError, Shape, Work, Workload, expect};
use crate::data::{Array, Elements, Matrix};
use lpu_compiler::matmul::Vector;
use lpu_compiler::vector::{self, Compiled, Element, Kernel, Spread};
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::{Config, Program};
use lpu_verif::kernels::{Order, activation, norm, quantise, rope, softmax};
use lpu_verif::numeric::{e2m1, e4m3, fp32};

/// A compiled kernel with its operands.
pub struct Rows {
    compiled: Compiled,
    shape: vector::Shape,
    lanes: usize,
    /// Patterns in row-major order, in the order of the kernel; codes in the low byte.
    operands: Vec<Vec<u32>>,
    /// Angles of a rotation, from which the operands cos and sin were made.
    angles: Vec<f64>,
}

/// A rotation: position of the first row and base of the frequencies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation {
    /// Position of row 0; the others follow.
    pub offset: usize,
    /// Pair i of d / 2 turns by position * base^(-2 i / d).
    pub base: f64,
}

/// The FP32 patterns of a matrix.
pub fn patterns(matrix: &Matrix<f32>) -> Matrix<u32> {
    Matrix {
        rows: matrix.rows,
        columns: matrix.columns,
        elements: matrix.elements.iter().map(|x| x.to_bits()).collect(),
    }
}

impl Rows {
    /// Compiles a kernel of `operands`, which are matrices of patterns: x or codes, then what the kernel takes besides. A vector is a matrix
    /// of one row. `rotation` makes cos and sin of a [`Kernel::Rope`], whose only other operand is x.
    pub fn new(
        config: &Config,
        spread: Option<Spread>,
        kernel: Kernel,
        operands: Vec<Matrix<u32>>,
        rotation: Option<Rotation>,
    ) -> Result<Self, OperandError> {
        let (rows, columns) = (operands[0].rows, operands[0].columns);
        let shape = vector::Shape {
            rows,
            columns,
            spread,
            kernel,
        };
        let compiled = vector::compile(config, shape)?;
        let columnwise = "one number for each column";
        let rest: &[_] = match kernel {
            Kernel::RmsNorm { .. } => &[("gamma", 1, columns, columnwise)],
            Kernel::LayerNorm { .. } => &[
                ("gamma", 1, columns, columnwise),
                ("beta", 1, columns, columnwise),
            ],
            Kernel::Silu { gated: true } => &[("b", rows, columns, "the shape of x")],
            Kernel::Dequantise { .. } => &[
                ("row scales", 1, rows, "one number for each row"),
                ("column scales", 1, columns, columnwise),
            ],
            _ => &[],
        };
        for (operand, &(name, rows, columns, rule)) in operands[1..].iter().zip(rest) {
            expect(name, operand, rows, columns, rule)?;
        }
        let mut operands: Vec<_> = operands.into_iter().map(|matrix| matrix.elements).collect();
        let mut angles = Vec::new();
        if let (Kernel::Rope { heads }, Some(rotation)) = (kernel, rotation) {
            let dim = columns / heads;
            let angle = |row: usize, i: usize| {
                let exponent = -2.0 * i as f64 / dim as f64;
                (rotation.offset + row) as f64 * libm::pow(rotation.base, exponent)
            };
            let pairs = (0..rows).flat_map(|row| (0..dim / 2).map(move |i| (row, i)));
            angles = pairs.map(|(row, i)| angle(row, i)).collect();
            for function in [libm::cos, libm::sin] {
                let table = angles
                    .iter()
                    .map(|&angle| (function(angle) as f32).to_bits());
                operands.push(table.collect());
            }
        }
        Ok(Self {
            compiled,
            shape,
            lanes: config.lanes,
            operands,
            angles,
        })
    }

    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.operands[0].chunks(self.shape.columns)
    }

    /// What the golden kernels make of the operands.
    fn golden(&self) -> Vec<Vec<u32>> {
        let columns = self.shape.columns;
        let order = Order {
            lanes: (self.compiled.spread == Spread::OverLanes).then_some(self.lanes),
            partials: self.compiled.partials,
        };
        let [x, rest @ ..] = self.operands.as_slice() else {
            return Vec::new();
        };
        let result = match self.shape.kernel {
            Kernel::Softmax { scale } => {
                let factor = (f64::from(scale) * std::f64::consts::LOG2_E) as f32;
                let row = |row| softmax::softmax(row, factor.to_bits(), order);
                self.rows().flat_map(row).collect()
            }
            Kernel::RmsNorm { epsilon } => {
                let row = |row| norm::rms_norm(row, &rest[0], epsilon.to_bits(), order);
                self.rows().flat_map(row).collect()
            }
            Kernel::LayerNorm { epsilon } => {
                let epsilon = epsilon.to_bits();
                let row = |row| norm::layer_norm(row, &rest[0], &rest[1], epsilon, order);
                self.rows().flat_map(row).collect()
            }
            Kernel::Silu { gated: false } => x.iter().map(|&x| activation::silu(x)).collect(),
            Kernel::Silu { gated: true } => {
                let pairs = x.iter().zip(&rest[0]);
                pairs.map(|(&x, &b)| activation::swiglu(x, b)).collect()
            }
            Kernel::Gelu => x.iter().map(|&x| activation::gelu(x)).collect(),
            Kernel::Rope { heads } => {
                let half = columns / heads / 2;
                let tables = rest[0].chunks(half).zip(rest[1].chunks(half));
                let row = |(row, (cos, sin))| rope::rope(row, heads, cos, sin);
                self.rows().zip(tables).flat_map(row).collect()
            }
            Kernel::Quantise { format } => return self.quantised(format),
            Kernel::Dequantise { format } => {
                let element = |(i, &code): (usize, &u32)| {
                    let (row, column) = (rest[0][i / columns], rest[1][i % columns]);
                    quantise::dequantise(decode(format, code), row, column)
                };
                x.iter().enumerate().map(element).collect()
            }
        };
        vec![result]
    }

    fn quantised(&self, format: Element) -> Vec<Vec<u32>> {
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        for row in self.rows() {
            let (of_row, scales_of_row) = match format {
                Element::E2m1 => {
                    let (codes, scales) = quantise::quantise_nvfp4(row);
                    (codes, scales.into_iter().map(u32::from).collect())
                }
                _ => {
                    let format = match format {
                        Element::E4m3 => quantise::Format::E4m3,
                        _ => quantise::Format::Int8,
                    };
                    let (codes, scale) = quantise::quantise(row, format);
                    (codes, vec![scale])
                }
            };
            codes.extend(of_row.into_iter().map(u32::from));
            scales.extend(scales_of_row);
        }
        vec![codes, scales]
    }

    /// The real values of a result.
    fn values(&self, results: &[Vec<u32>]) -> Vec<f64> {
        let columns = self.shape.columns;
        let Kernel::Quantise { format } = self.shape.kernel else {
            return results[0].iter().map(|&bits| real(bits)).collect();
        };
        let blocks = columns.div_ceil(quantise::BLOCK);
        let value = |(i, &code): (usize, &u32)| {
            let (row, column) = (i / columns, i % columns);
            let scale = match format {
                Element::E2m1 => {
                    let scale = results[1][row * blocks + column / quantise::BLOCK];
                    e4m3::to_fp32(scale as u8)
                }
                _ => results[1][row],
            };
            real(decode(format, code)) * real(scale)
        };
        results[0].iter().enumerate().map(value).collect()
    }
}

fn real(bits: u32) -> f64 {
    f64::from(f32::from_bits(bits))
}

/// A code as an FP32 pattern.
fn decode(format: Element, code: u32) -> u32 {
    match format {
        Element::Fp32 => code,
        Element::Int32 => fp32::from_i32(code as i32),
        Element::Int8 => fp32::from_i32((code as i8).into()),
        Element::E4m3 => e4m3::to_fp32(code as u8),
        Element::E2m1 => e2m1::to_fp32(code as u8),
    }
}

impl Workload for Rows {
    fn name(&self) -> &'static str {
        match self.shape.kernel {
            Kernel::Softmax { .. } => "softmax",
            Kernel::RmsNorm { .. } => "rmsnorm",
            Kernel::LayerNorm { .. } => "layernorm",
            Kernel::Silu { gated: false } => "silu",
            Kernel::Silu { gated: true } => "swiglu",
            Kernel::Gelu => "gelu",
            Kernel::Rope { .. } => "rope",
            Kernel::Quantise { .. } => "quantise",
            Kernel::Dequantise { .. } => "dequantise",
        }
    }

    fn shape(&self) -> Shape {
        Shape::Rows {
            rows: self.shape.rows,
            cols: self.shape.columns,
            layout: match self.compiled.spread {
                Spread::OverLanes => "over-lanes",
                Spread::PerLane => "per-lane",
            },
            partials: self.compiled.partials,
            passes: self.compiled.passes,
            bound_cycles: self.compiled.bound,
        }
    }

    fn program(&self) -> &Program {
        &self.compiled.program
    }

    fn prediction(&self) -> &Prediction {
        &self.compiled.prediction
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        let operands: Vec<&[u32]> = self.operands.iter().map(Vec::as_slice).collect();
        self.compiled.pack(&operands)
    }

    fn results(&self) -> Vec<(usize, usize)> {
        self.compiled.result_vectors().collect()
    }

    fn work(&self) -> Work {
        let of_first = match self.shape.kernel {
            Kernel::Dequantise { format } if format != Element::Int32 => 1,
            _ => 4,
        };
        let rest: usize = self.operands[1..]
            .iter()
            .map(|operand| 4 * operand.len())
            .sum();
        Work {
            elements: (self.shape.rows * self.shape.columns) as u64,
            macs: 0,
            macs_per_multiplier: 1,
            read_bytes: (of_first * self.operands[0].len() + rest) as u64,
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        let golden = self.golden();
        let found = self.compiled.unpack(read);
        let differ = |(found, golden): (&Vec<u32>, &Vec<u32>)| {
            found.iter().zip(golden).filter(|(a, b)| a != b).count()
        };
        let wrong: usize = found.iter().zip(&golden).map(differ).sum();
        let (rows, columns) = (self.shape.rows, self.shape.columns);
        let array = |shape: Vec<usize>, words: &[u32], element: Element| Array {
            shape,
            elements: match element {
                Element::Fp32 => Elements::Fp32(words.iter().map(|&x| f32::from_bits(x)).collect()),
                Element::Int32 => Elements::Int32(words.iter().map(|&x| x as i32).collect()),
                Element::Int8 => Elements::Int8(words.iter().map(|&x| x as i8).collect()),
                _ => Elements::Byte(words.iter().map(|&x| x as u8).collect()),
            },
        };
        let (element, scales) = match self.shape.kernel {
            Kernel::Quantise {
                format: Element::E2m1,
            } => {
                let shape = vec![rows, columns.div_ceil(quantise::BLOCK)];
                (Element::E2m1, Some(array(shape, &found[1], Element::E4m3)))
            }
            Kernel::Quantise { format } => {
                (format, Some(array(vec![rows], &found[1], Element::Fp32)))
            }
            _ => (Element::Fp32, None),
        };
        Judgement {
            wrong: wrong as u64,
            errors: Some(Errors::between(
                &self.values(&found),
                &self.exact(),
                columns,
            )),
            result: array(vec![rows, columns], &found[0], element),
            scales,
        }
    }
}
