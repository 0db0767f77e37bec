//! Compiles tensor operations into LPU programs and checks their schedule.
//!
//! - [`matmul::compile`]: an int8 matrix product of any shape, placed, scheduled and checked;
//! - [`check()`]: proves for any program, without data, that its schedule breaks no rule of the machine,
//!   and predicts its cycles.
//!
//! `docs/compiler.md` draws the schedule of a small product cycle by cycle.

pub mod attention;
mod burst;
pub mod check;
mod error;
pub mod matmul;
mod nest;
mod timeline;

pub use check::{Prediction, check};
pub use error::CompileError;
