//! C\[m, n\] = A\[m, k\] x B\[k, n\] of any shape: int8 to int32, or in a [`Format`] of the machine to FP32.
//!
//! B is cut into tiles of L x L, zero padded at its edges, that are the weights of the matrix planes in turn; the rows of A
//! pass each tile as activations. Two schedules, and the compiler takes the one that is predicted
//! to be faster on the given machine:
//!
//! - [`Mode::Decode`], for few rows: the rows wait in the operand buffer and all read ports supply weights;
//! - [`Mode::Streamed`], for many rows: some slices stream activations while others supply the next tile's weights.
//!
//! A tile takes max(rows, L / c) cycles with c weight streams; its successor's weights arrive
//! meanwhile, so that its first row follows the last row of its predecessor without a bubble.

mod balance;
mod emit;
mod format;
mod layout;
mod phases;
mod place;
mod plan;
mod schedule;
mod search;

pub use format::{BLOCK, Format, Operand};
pub use layout::{Layout, Vector};
pub use plan::Mode;
pub use schedule::Schedule;

use crate::CompileError;
use lpu_isa::{Config, Program};
use plan::Shape;

/// A compiled product.
#[derive(Clone, Debug)]
pub struct Matmul {
    /// The program of every queue.
    pub program: Program,
    /// Where the matrices are.
    pub layout: Layout,
    /// What the launch takes.
    pub schedule: Schedule,
}

/// Compiles the product of an `m` x `k` and a `k` x `n` matrix for the machine `config`.
///
/// The schedule has passed [`check`](crate::check()). The same arguments always give the same program.
///
/// ```
/// let config = lpu_isa::Config::preset("nano").unwrap();
/// let product = lpu_compiler::matmul::compile(&config, 2, 3, 1)?;
/// let image = product.pack(&[1, 2, 3, 4, 5, 6], &[1, 0, -1])?;
/// assert!(image.iter().all(|vector| vector.bytes.len() == config.lanes));
/// assert!(product.schedule.cycles > 0);
/// # Ok::<(), lpu_compiler::CompileError>(())
/// ```
pub fn compile(config: &Config, m: usize, k: usize, n: usize) -> Result<Matmul, CompileError> {
    compile_in(config, Format::Int8, m, k, n)
}

/// [`compile`] in any format; one that the machine does not have is an error.
pub fn compile_in(
    config: &Config,
    format: Format,
    m: usize,
    k: usize,
    n: usize,
) -> Result<Matmul, CompileError> {
    search::compile(config, Shape { m, k, n, format })
}

/// Every schedule tried for the product that fits the machine, fastest first: [`compile`] takes the first.
pub fn alternatives(
    config: &Config,
    m: usize,
    k: usize,
    n: usize,
) -> Result<Vec<Matmul>, CompileError> {
    alternatives_in(config, Format::Int8, m, k, n)
}

/// [`alternatives`] in any format.
pub fn alternatives_in(
    config: &Config,
    format: Format,
    m: usize,
    k: usize,
    n: usize,
) -> Result<Vec<Matmul>, CompileError> {
    search::alternatives(config, Shape { m, k, n, format })
}

impl Matmul {
    /// The SRAM vectors that hold the matrices, in row-major order, before the launch.
    ///
    /// Vectors not listed may hold anything.
    pub fn pack(&self, a: &[i8], b: &[i8]) -> Result<Vec<Vector>, CompileError> {
        let (a, b) = (unsigned(a), unsigned(b));
        self.pack_operands(Operand::plain(&a), Operand::plain(&b))
    }

    /// [`Matmul::pack`] of operands in the format of the product.
    pub fn pack_operands(&self, a: Operand, b: Operand) -> Result<Vec<Vector>, CompileError> {
        self.layout.pack(a, b)
    }

    /// The same as one image for each slice, its vectors one after the other, zero where unused.
    pub fn images(&self, a: &[i8], b: &[i8]) -> Result<Vec<Vec<u8>>, CompileError> {
        let (a, b) = (unsigned(a), unsigned(b));
        self.layout.images(Operand::plain(&a), Operand::plain(&b))
    }

    /// The result in row-major order, from the SRAM after the launch: `read` gives the vector at an address of a
    /// slice. Results of a floating-point format are the bit patterns of FP32.
    pub fn unpack<'a>(&self, read: impl Fn(usize, usize) -> &'a [u8]) -> Vec<i32> {
        self.layout.unpack(read)
    }
}

fn unsigned(bytes: &[i8]) -> Vec<u8> {
    bytes.iter().map(|&byte| byte as u8).collect()
}
