//! softmax(Q K^T * scale) V of int8 heads: every query attends to the keys that it may see.
//!
//! `docs/kernels.md` defines the arithmetic and draws the schedule. Scores are computed transposed (the rows of K pass tiles of
//! queries), so that each lane holds one query and the softmax needs no exchange between lanes; its weights, in two int8
//! planes, are the weights of the second product without leaving the order in which they were made. The vector unit works
//! on one tile of queries while the matrix unit works on its neighbours.

mod decode;
mod descriptors;
mod layout;
mod plan;
mod prefill;

use crate::matmul::Vector;
use crate::{CompileError, Prediction, check};
use lpu_isa::{Config, Program};

/// What to compute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Queries of each head.
    pub queries: usize,
    /// Keys and values of each head.
    pub keys: usize,
    /// Heads.
    pub heads: usize,
    /// Heads of keys and values; each serves `heads / kv_heads` neighbouring heads.
    pub kv_heads: usize,
    /// Elements of a query, key or value.
    pub dim: usize,
    /// Query i sees keys up to keys - queries + i only.
    pub causal: bool,
    /// Factor of a score before exp2, FP32: `q_scale * k_scale * log2(e) / sqrt(dim)`.
    pub scale: f32,
    /// Planes of the softmax weights.
    pub weights: Weights,
}

/// Precision of the softmax weights when they meet the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// One int8 plane: relative steps of 1/127 of the largest.
    Int8,
    /// Two int8 planes: 1/32542.
    Int16,
}

/// How keys and values meet queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Few queries: keys and values are weights, read once at the bandwidth of all slices; lanes hold keys. The sum of the softmax
    /// weights is taken before they are rounded, in a tree.
    Decode,
    /// Many queries: queries are weights, keys and values pass; lanes hold queries.
    Prefill,
}

/// Where the tensors are.
#[derive(Clone, Debug)]
pub struct Layout {
    shape: Shape,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Decode(decode::Layout),
    Prefill(layout::Layout),
}

impl Layout {
    /// The SRAM vectors before the launch, from row-major tensors: queries (heads, queries, dim), keys and values
    /// (kv_heads, keys, dim).
    ///
    /// Vectors not listed may hold anything.
    pub fn pack(&self, q: &[i8], k: &[i8], v: &[i8]) -> Result<Vec<Vector>, CompileError> {
        let shape = self.shape;
        let of_keys = shape.kv_heads * shape.keys;
        for (matrix, found, rows) in [
            ("query", q.len(), shape.heads * shape.queries),
            ("key", k.len(), of_keys),
            ("value", v.len(), of_keys),
        ] {
            if found != rows * shape.dim {
                return Err(CompileError::Elements {
                    matrix,
                    rows,
                    columns: shape.dim,
                    expected: rows * shape.dim,
                    found,
                });
            }
        }
        Ok(match &self.kind {
            Kind::Decode(layout) => layout.pack(q, k, v),
            Kind::Prefill(layout) => layout.pack(q, k, v),
        })
    }

    /// Addresses (slice, address) of the SRAM vectors that will hold the result.
    pub fn result_vectors(&self) -> Box<dyn Iterator<Item = (usize, usize)>> {
        match &self.kind {
            Kind::Decode(layout) => Box::new(layout.result_vectors()),
            Kind::Prefill(layout) => Box::new(layout.result_vectors()),
        }
    }

    /// The result, row-major (heads, queries, dim) as FP32 patterns, from the SRAM after the launch: `read` gives the vector
    /// at an address of a slice. A value counts in units of an element of V.
    pub fn unpack<'a>(&self, read: impl Fn(usize, usize) -> &'a [u8]) -> Vec<u32> {
        match &self.kind {
            Kind::Decode(layout) => layout.unpack(read),
            Kind::Prefill(layout) => layout.unpack(read),
        }
    }
}

/// A compiled attention.
#[derive(Clone, Debug)]
pub struct Attention {
    /// The schedule chosen.
    pub mode: Mode,
    /// The program of every queue.
    pub program: Program,
    /// Where the tensors are.
    pub layout: Layout,
    /// What the launch takes.
    pub prediction: Prediction,
    /// Multiply-accumulates of Q K^T and of the product with V that the result needs.
    pub macs: u64,
    /// int8 multiply-accumulates that these take: a product with int16 counts twice.
    pub byte_macs: u64,
}

impl Weights {
    /// int8 planes.
    pub const fn planes(self) -> usize {
        match self {
            Self::Int8 => 1,
            Self::Int16 => 2,
        }
    }

    /// Base-2 logarithm of the largest weight, FP32.
    pub const fn amplitude(self) -> f32 {
        match self {
            Self::Int8 => 6.98,
            Self::Int16 => 14.99,
        }
    }
}

impl Shape {
    /// Keys that query `i` sees.
    pub const fn visible(&self, i: usize) -> usize {
        match self.causal {
            true => self.keys - self.queries + i + 1,
            false => self.keys,
        }
    }

    /// The head of keys and values that serves head `head`.
    pub const fn kv_head(&self, head: usize) -> usize {
        head / (self.heads / self.kv_heads)
    }

    fn validate(&self) -> Result<(), CompileError> {
        let refuse = |rule: &str| Err(CompileError::Attention(rule.to_owned()));
        let Self {
            queries,
            keys,
            heads,
            kv_heads,
            dim,
            ..
        } = *self;
        if [queries, keys, heads, kv_heads, dim].contains(&0) {
            return refuse("queries, keys, heads, kv_heads and dim must be at least 1");
        }
        if heads % kv_heads != 0 {
            return Err(CompileError::Attention(format!(
                "{heads} heads cannot share {kv_heads} heads of keys and values evenly: kv_heads must divide heads"
            )));
        }
        if self.causal && keys < queries {
            return Err(CompileError::Attention(format!(
                "{queries} causal queries are the last of the positions, and there are only {keys} keys"
            )));
        }
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(CompileError::Attention(format!(
                "the scale of the scores is {}, and must be a positive number",
                self.scale
            )));
        }
        Ok(())
    }
}

/// Compiles attention for the machine `config`.
///
/// Of the schedules that fit it takes the one with the fewest cycles, which has passed [`check`](crate::check()). The same arguments always give the same program.
pub fn compile(config: &Config, shape: Shape) -> Result<Attention, CompileError> {
    config.validate()?;
    shape.validate()?;
    let decoded = decode::Plan::new(config, shape).map(|plan| {
        let layout = decode::Layout::new(config, &plan)?;
        let program = decode::program(config, &plan, &layout)?;
        finish(config, shape, Mode::Decode, Kind::Decode(layout), program)
    });
    let prefilled = || {
        let plan = plan::Plan::new(config, shape)?;
        let layout = layout::Layout::new(config, &plan)?;
        let program = prefill::program(config, &plan, &layout)?;
        finish(config, shape, Mode::Prefill, Kind::Prefill(layout), program)
    };
    match (decoded, prefilled()) {
        (Some(Ok(decoded)), Ok(prefilled)) => {
            let faster = decoded.prediction.cycles() <= prefilled.prediction.cycles();
            Ok(if faster { decoded } else { prefilled })
        }
        (Some(Err(CompileError::Schedule(found))), _) => Err(CompileError::Schedule(found)),
        (Some(Ok(decoded)), Err(_)) => Ok(decoded),
        (Some(Err(error)), Err(_)) => Err(error),
        (_, prefilled) => prefilled,
    }
}

fn finish(
    config: &Config,
    shape: Shape,
    mode: Mode,
    kind: Kind,
    program: Program,
) -> Result<Attention, CompileError> {
    let prediction = check(config, &program).map_err(CompileError::Schedule)?;
    let pairs: usize = (0..shape.queries).map(|i| shape.visible(i)).sum();
    let product = (pairs * shape.dim * shape.heads) as u64;
    Ok(Attention {
        mode,
        program,
        layout: Layout { shape, kind },
        prediction,
        macs: 2 * product,
        byte_macs: product * (1 + shape.weights.planes() as u64),
    })
}
