//! Compiles tensor operations into LPU programs and checks their schedule.
//!
//! - [`matmul::compile`]: an int8 matrix product of any shape, placed, scheduled and checked;
//! - [`attention::compile`]: softmax(Q K^T) V of int8 heads;
//! - [`vector::compile`]: softmax, norms, activations, rotation and (de)quantisation of FP32 rows;
//! - [`decoder::compile`]: whole layers of a transformer decoder, a token a launch;
//! - [`collective::compile`]: all-reduce, reduce-scatter and all-gather of FP32 vectors on several chips;
//! - [`check()`]: proves for any program, without data, that its schedule breaks no rule of the machine,
//!   and predicts its cycles.
//!
//! `docs/compiler.md` draws the schedule of a small product cycle by cycle.

mod alu;
pub mod attention;
mod burst;
pub mod check;
pub mod collective;
pub mod decoder;
mod error;
pub mod matmul;
mod nest;
mod place;
mod timeline;
pub mod vector;

pub use check::{Prediction, check, check_rack};
pub use error::CompileError;
