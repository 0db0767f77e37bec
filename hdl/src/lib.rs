//! The hardware blocks of the LPU, described in rust-hdl.
//!
//! [`info`] carries what rust-hdl cannot say about a block; [`prim`] holds the cells everything else is built from.

pub mod icu;
pub mod info;
pub mod prim;
