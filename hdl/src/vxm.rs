//! The vector unit: a chain of FP32 ALUs in every lane.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`ChainAlu`] | one ALU of a lane's chain with its registers | 8 |
//! | [`Lane`] | conversions, ALUs, special functions, registers of one lane | 18 + 8 F |
//! | [`Control`] | what a pass does, at the time of each stage | |
//! | [`Datapath`] | operands, lanes, result | 20 + 8 F |

mod chain_alu;
mod control;
mod datapath;
mod lane;

pub use chain_alu::ChainAlu;
pub use control::Control;
pub use datapath::Datapath;
pub use lane::Lane;
