//! Golden arithmetic: exact integers on bit patterns, never the host's floating-point unit.
//!
//! Written from `docs/numbers.md`. A number in a floating-point format is its bit pattern (`u32` for FP32, `u8` for E4M3 and
//! E2M1), so that it is compared with hardware as it is.
//!
//! - [`matrix`]: int8 matrices and their product.
//! - [`fp32`]: arithmetic, comparisons and conversions of FP32.
//! - [`e4m3`], [`e2m1`]: the narrow formats and their conversions.
//! - [`accumulator`]: exact dot products of E4M3 and NVFP4.
//! - [`products`]: matrices of those formats and their products.
//! - [`functions`]: exp2, reciprocal, reciprocal square root.

pub mod accumulator;
pub mod e2m1;
pub mod e4m3;
mod format;
pub mod fp32;
pub mod functions;
pub(crate) mod host;
pub mod matrix;
#[cfg(test)]
mod patterns;
pub mod products;

pub use accumulator::{E4m3Accumulator, Nvfp4Accumulator};
pub use matrix::{Matrix, matmul};
pub use products::{Nvfp4Matrix, e4m3_matmul, nvfp4_matmul};
