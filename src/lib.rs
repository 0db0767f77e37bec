//! Generates, simulates and verifies the RTL of a Language Processing Unit.
//!
//! [`rtl::Rtl`] is a tile in simulation behind its host port; [`workload`] compiles operations with their operands; [`run`] computes them on
//! it (or on the golden machine alone) and compares values and cycles; [`divergence`] says where they part. [`tile`] launches one program again and again, and
//! [`decode`] lets a language model generate text in that way.
//! [`session::Lpu`] is all of that in one place for other programs: load a model, stream tokens, load another.

pub mod data;
pub mod decode;
pub mod design;
pub mod divergence;
pub mod files;
mod host_port;
pub mod host_record;
mod link_ends;
pub mod quantise;
pub mod rack;
pub mod rtl;
pub mod run;
pub mod session;
pub mod tile;
pub mod workload;
