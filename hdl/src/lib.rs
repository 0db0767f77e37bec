//! The hardware blocks of the LPU, described in rust-hdl.
//!
//! [`info`] carries what rust-hdl cannot say about a block; [`prim`] holds the cells everything else is built from.

pub mod c2c;
pub mod ecc;
pub mod float;
pub mod host;
pub mod icu;
pub mod info;
pub mod mem;
pub mod mxm;
pub mod prim;
pub mod stream;
pub mod sxm;
pub mod tile;
pub mod vxm;
mod wiring;

pub use c2c::build_link;
pub use tile::{build_axi, build_tile};
