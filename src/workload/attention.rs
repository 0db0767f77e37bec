//! softmax(Q K^T) V.

use super::{Errors, Judgement, OperandError, Shape, Work, Workload, expect};
use crate::data::{Array, Elements, Matrix};
use lpu_compiler::attention::{self, Mode, Weights};
use lpu_compiler::matmul::Vector;
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::{Config, Program};
use lpu_verif::kernels;

/// Real value of one step of the operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    /// Of Q.
    pub q: f64,
    /// Of K.
    pub k: f64,
    /// Of V.
    pub v: f64,
}

/// What to compute, apart from the operands.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Queries of each head.
    pub queries: usize,
    /// Keys of each head.
    pub keys: usize,
    /// Heads.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Elements of a head.
    pub dim: usize,
    /// Whether a query sees earlier positions only.
    pub causal: bool,
    /// Precision of the softmax weights.
    pub weights: Weights,
    /// Real value of one step.
    pub scales: Scales,
}

/// A compiled attention with its operands.
pub struct Attention {
    compiled: attention::Attention,
    shape: attention::Shape,
    scales: Scales,
    lanes: usize,
    /// Elements of each head of Q, K and V, head after head.
    operands: [Matrix<i8>; 3],
}

impl Attention {
    /// Compiles attention of `q` (heads * queries x dim), `k` and `v` (kv_heads * keys x dim).
    pub fn new(
        config: &Config,
        options: Options,
        operands: [Matrix<i8>; 3],
    ) -> Result<Self, OperandError> {
        let Scales { q, k, .. } = options.scales;
        // The one factor between a score and the exponent of two.
        let scale = q * k * std::f64::consts::LOG2_E / (options.dim as f64).sqrt();
        let shape = attention::Shape {
            queries: options.queries,
            keys: options.keys,
            heads: options.heads,
            kv_heads: options.kv_heads,
            dim: options.dim,
            causal: options.causal,
            scale: scale as f32,
            weights: options.weights,
        };
        let compiled = attention::compile(config, shape)?;
        let [q, k, v] = &operands;
        let (of_queries, of_keys) = (shape.heads * shape.queries, shape.kv_heads * shape.keys);
        expect(
            "Q",
            q,
            of_queries,
            shape.dim,
            "heads * seq rows of dim elements",
        )?;
        for (name, operand) in [("K", k), ("V", v)] {
            let rule = "kv_heads * keys rows of dim elements";
            expect(name, operand, of_keys, shape.dim, rule)?;
        }
        Ok(Self {
            compiled,
            shape,
            scales: options.scales,
            lanes: config.lanes,
            operands,
        })
    }

    /// The result in double precision.
    fn exact(&self) -> Vec<f64> {
        let shape = &self.shape;
        let dim = shape.dim;
        let [q, k, v] = &self.operands;
        let row = |matrix: &Matrix<i8>, row: usize, scale: f64| -> Vec<f64> {
            let bytes = &matrix.elements[row * dim..][..dim];
            bytes.iter().map(|&byte| f64::from(byte) * scale).collect()
        };
        let mut result = Vec::new();
        for (head, i) in (0..shape.heads).flat_map(|h| (0..shape.queries).map(move |i| (h, i))) {
            let q = row(q, head * shape.queries + i, self.scales.q);
            let first = shape.kv_head(head) * shape.keys;
            let score = |j: usize| {
                let k = row(k, first + j, self.scales.k);
                let dot: f64 = q.iter().zip(&k).map(|(a, b)| a * b).sum();
                dot / (dim as f64).sqrt()
            };
            let scores: Vec<f64> = (0..shape.visible(i)).map(score).collect();
            let maximum = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| libm::exp(s - maximum)).collect();
            let sum: f64 = weights.iter().sum();
            let mut sums = vec![0.0; dim];
            for (j, weight) in weights.iter().enumerate() {
                let v = row(v, first + j, self.scales.v);
                sums.iter_mut().zip(&v).for_each(|(s, v)| *s += weight * v);
            }
            result.extend(sums.iter().map(|s| s / sum));
        }
        result
    }
}

impl Workload for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn shape(&self) -> Shape {
        let shape = &self.shape;
        Shape::Attention {
            seq: shape.queries,
            keys: shape.keys,
            heads: shape.heads,
            kv_heads: shape.kv_heads,
            dim: shape.dim,
            causal: shape.causal,
            weights: match shape.weights {
                Weights::Int8 => "int8",
                Weights::Int16 => "int16",
            },
            mode: match self.compiled.mode {
                Mode::Prefill => "prefill",
                Mode::Decode => "decode",
            },
        }
    }

    fn program(&self) -> &Program {
        &self.compiled.program
    }

    fn prediction(&self) -> &Prediction {
        &self.compiled.prediction
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        let [q, k, v] = &self.operands;
        let layout = &self.compiled.layout;
        layout.pack(&q.elements, &k.elements, &v.elements)
    }

    fn results(&self) -> Vec<(usize, usize)> {
        self.compiled.layout.result_vectors().collect()
    }

    fn work(&self) -> Work {
        let shape = &self.shape;
        Work {
            elements: (shape.heads * shape.queries * shape.dim) as u64,
            macs: self.compiled.byte_macs,
            macs_per_multiplier: 1,
            read_bytes: (2 * shape.kv_heads * shape.keys * shape.dim) as u64,
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        let shape = &self.shape;
        let [q, k, v] = &self.operands;
        let golden = kernels::Attention {
            q: &q.elements,
            k: &k.elements,
            v: &v.elements,
            queries: shape.queries,
            keys: shape.keys,
            heads: shape.heads,
            kv_heads: shape.kv_heads,
            dim: shape.dim,
            causal: shape.causal,
            scale: shape.scale.to_bits(),
            weights: match shape.weights {
                Weights::Int8 => kernels::Weights::Int8,
                Weights::Int16 => kernels::Weights::Int16,
            },
            sum: match self.compiled.mode {
                Mode::Prefill => kernels::Sum::Rounded,
                Mode::Decode => kernels::Sum::Tree { lanes: self.lanes },
            },
        };
        let golden = golden.compute();
        let found = self.compiled.layout.unpack(read);
        let wrong = found.iter().zip(&golden).filter(|(a, b)| a != b).count();
        let real = |&bits: &u32| f64::from(f32::from_bits(bits)) * self.scales.v;
        let values: Vec<f64> = found.iter().map(real).collect();
        Judgement {
            wrong: wrong as u64,
            errors: Some(Errors::between(&values, &self.exact(), shape.dim)),
            scales: None,
            result: Array {
                shape: vec![shape.heads, shape.queries, shape.dim],
                elements: Elements::Fp32(values.iter().map(|&value| value as f32).collect()),
            },
        }
    }
}
