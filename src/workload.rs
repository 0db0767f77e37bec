//! What runs on a tile: its program and operands, and what its result has to be.

pub mod attention;
pub mod collective;
pub mod layer;
pub mod matmul;
pub mod rows;
pub mod split;

pub use attention::Attention;
pub use collective::Collective;
pub use layer::{Layers, Pipelined};
pub use matmul::Matmul;
pub use rows::Rows;
pub use split::Split;

use crate::data::{Array, ArrayError, Matrix};
use lpu_compiler::decoder::Inputs;
use lpu_compiler::matmul::Vector;
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::Program;
use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

/// A compiled operation with its operands.
pub trait Workload {
    /// What `lpu run` calls it.
    fn name(&self) -> &'static str;
    /// Its dimensions.
    fn shape(&self) -> Shape;
    /// The program of every queue, of the first chip if there are several.
    fn program(&self) -> &Program;
    /// What the launch takes, on all chips together.
    fn prediction(&self) -> &Prediction;
    /// The program of each chip and what it takes there, if the operation is shared out to several. Their slices and queues are then numbered
    /// as those of a [`RackTile`](crate::rack::RackTile).
    fn chips(&self) -> Vec<(&Program, &Prediction)> {
        vec![(self.program(), self.prediction())]
    }
    /// The SRAM vectors before the first launch.
    fn image(&self) -> Result<Vec<Vector>, CompileError>;
    /// Launches, one after the other; more than one on several chips only.
    fn launches(&self) -> usize {
        1
    }
    /// What the host writes before a launch beside the image.
    fn inputs(&self, _launch: usize) -> Inputs {
        Inputs::default()
    }
    /// The SRAM vectors (slice, address) that hold the result.
    fn results(&self) -> Vec<(usize, usize)>;
    /// Those that hold what a launch of several gives.
    fn results_of(&self, _launch: usize) -> Vec<(usize, usize)> {
        self.results()
    }
    /// What a launch is worth.
    fn work(&self) -> Work;
    /// What a pipeline is worth whose launches take so many cycles.
    fn pipelined(&self, _launch_cycles: u64) -> Option<Pipelined> {
        None
    }
    /// Compares the result with the golden kernel; `read` gives the vector at an address of a slice.
    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement;
    /// The same of all launches; `read` gives the vector that was there after a launch.
    fn judge_all<'a>(&self, read: &dyn Fn(usize, usize, usize) -> &'a [u8]) -> Judgement {
        self.judge(&|slice, address| read(0, slice, address))
    }
}

/// Useful work.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Elements of the result.
    pub elements: u64,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Multiply-accumulates that a multiplier of the MXM does in a cycle: 2 in NVFP4, else 1.
    pub macs_per_multiplier: usize,
    /// Bytes of weights that have to be read.
    pub read_bytes: u64,
}

/// How a result compares with what it has to be.
pub struct Judgement {
    /// Elements that differ from the golden kernel.
    pub wrong: u64,
    /// Differences from double precision.
    pub errors: Option<Errors>,
    /// The result.
    pub result: Array,
    /// The scales of a quantised result.
    pub scales: Option<Array>,
}

/// Differences from the same operation in double precision on the same operands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Errors {
    /// The largest.
    pub max_abs_error: f64,
    /// The largest for each row, divided by the largest element of the row.
    pub max_rel_error: f64,
}

impl Errors {
    /// Compares rows of `columns` elements.
    pub fn between(found: &[f64], exact: &[f64], columns: usize) -> Self {
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        let rows = found.chunks(columns).zip(exact.chunks(columns));
        let rows = rows.map(|(found, exact)| {
            let error = largest(&mut found.iter().zip(exact).map(|(a, b)| (a - b).abs()));
            let scale = largest(&mut exact.iter().map(|value| value.abs()));
            (error, if error == 0.0 { 0.0 } else { error / scale })
        });
        let none = Self {
            max_abs_error: 0.0,
            max_rel_error: 0.0,
        };
        rows.fold(none, |errors, (abs, rel)| Self {
            max_abs_error: errors.max_abs_error.max(abs),
            max_rel_error: errors.max_rel_error.max(rel),
        })
    }
}

/// Dimensions of a workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Shape {
    /// A matrix product.
    Matmul {
        /// Rows of A.
        m: usize,
        /// Columns of A.
        k: usize,
        /// Columns of B.
        n: usize,
        /// Format of the operands.
        format: &'static str,
    },
    /// Attention.
    Attention {
        /// Queries of each head.
        seq: usize,
        /// Keys of each head.
        keys: usize,
        /// Heads.
        heads: usize,
        /// Heads of keys and values.
        kv_heads: usize,
        /// Elements of a head.
        dim: usize,
        /// Whether a query sees earlier positions only.
        causal: bool,
        /// Precision of the softmax weights.
        weights: &'static str,
        /// Schedule.
        mode: &'static str,
    },
    /// Layers of a decoder.
    Layer {
        /// Width of the model.
        dim: usize,
        /// Width of the feed-forward.
        ffn: usize,
        /// Heads.
        heads: usize,
        /// Heads of keys and values.
        kv_heads: usize,
        /// Elements of a head.
        head_dim: usize,
        /// Layers.
        layers: usize,
        /// Positions of the cache.
        cache: usize,
        /// Position of the token.
        position: usize,
        /// Sequences, a token each.
        batch: usize,
    },
    /// A kernel of the vector unit.
    Rows {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
        /// How rows lie.
        layout: &'static str,
        /// Partial results of a row.
        partials: usize,
        /// Passes of the vector unit.
        passes: u64,
        /// Passes that the elements need: no schedule takes fewer cycles.
        bound_cycles: u64,
    },
    /// A collective.
    Collective {
        /// Elements of the vector.
        elements: usize,
        /// Cycles in which the links carry what they have to: no schedule takes fewer.
        bound_cycles: u64,
    },
}

/// Why operands do not make a workload.
#[derive(Debug, Error, Diagnostic)]
pub enum OperandError {
    /// It does not compile for the machine.
    #[error(transparent)]
    #[diagnostic(code(lpu::compile))]
    Compile(#[from] CompileError),
    /// An array file is refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Array(#[from] ArrayError),
    /// Inner dimensions differ.
    #[error("A is {m} x {k} and B is {found} x {n}: the columns of A must be the rows of B")]
    #[diagnostic(code(lpu::shape), help("transpose or cut one of them"))]
    Inner {
        /// Rows of A.
        m: usize,
        /// Columns of A.
        k: usize,
        /// Rows of B.
        found: usize,
        /// Columns of B.
        n: usize,
    },
    /// An operand has another shape than the options say.
    #[error(
        "{operand} is {found_rows} x {found_columns}, and has to be {rows} x {columns}: {rule}"
    )]
    #[diagnostic(code(lpu::shape), help("reshape it, or change the options"))]
    Shape {
        /// Which one.
        operand: &'static str,
        /// Rows found.
        found_rows: usize,
        /// Columns found.
        found_columns: usize,
        /// Rows wanted.
        rows: usize,
        /// Columns wanted.
        columns: usize,
        /// What the dimensions are.
        rule: &'static str,
    },
}

/// Checks the shape of an operand.
fn expect<T>(
    operand: &'static str,
    matrix: &Matrix<T>,
    rows: usize,
    columns: usize,
    rule: &'static str,
) -> Result<(), OperandError> {
    if (matrix.rows, matrix.columns) == (rows, columns) {
        return Ok(());
    }
    Err(OperandError::Shape {
        operand,
        found_rows: matrix.rows,
        found_columns: matrix.columns,
        rows,
        columns,
        rule,
    })
}
