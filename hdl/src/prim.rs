//! The cells everything else is built from.
//!
//! | cell | what it is | in the emitted Verilog |
//! |---|---|---|
//! | [`Flop`] | flip-flop with enable and synchronous reset | written into the parent |
//! | [`Pipe`] | flip-flop without reset | written into the parent |
//! | [`PipeEnable`] | flip-flop with enable, without reset | written into the parent |
//! | [`DelayLine`] | N flip-flops in a row, N ≥ 0 | written into the parent |
//! | [`Multiplier`] | signed combinational multiplier | written into the parent |
//! | [`MuxRegister`] | register with a multiplexer in front | `lpu_mux_register` |
//! | [`Optional`] | a block that is there or not | the block itself, or nothing |
//! | [`Pack`] | equal parts to one word | written into the parent |
//! | [`Concat`] | two parts to one word | written into the parent |
//! | [`Fifo`] | small queue | `lpu_fifo` |
//! | [`StreamFifo`] | small queue with handshakes on both sides | `lpu_stream_fifo` |
//! | [`SramBank`] | synchronous RAM, one read and one write port | `lpu_sram_bank` |

mod fifo;
mod flop;
mod multiplier;
mod mux_register;
mod optional;
mod pack;
mod pipe;
mod sram_bank;
mod stream_fifo;
#[cfg(test)]
pub(crate) mod testing;

pub use fifo::Fifo;
pub use flop::Flop;
pub use multiplier::Multiplier;
pub use mux_register::{MAX_INPUTS, MuxRegister};
pub use optional::Optional;
pub use pack::{Concat, Pack};
pub use pipe::{DelayLine, Pipe, PipeEnable};
pub use sram_bank::{MAX_DEPTH, SramBank};
pub use stream_fifo::StreamFifo;
