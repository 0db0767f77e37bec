//! The memory slices.
//!
//! | block | what it is |
//! |---|---|
//! | [`MemSlice`] | a slice: SRAM, its two queues, the stream cells at its position |
//! | [`SliceDatapath`] | the same without the queues |
//! | [`Sram`] | banks of one codeword each, and the way of the host to them |
//! | [`ReadPort`] | READ and GATHER |
//! | [`WritePort`] | WRITE and SCATTER |
//! | [`IndirectAddress`] | an address from a stream |

mod indirect_address;
mod mem_slice;
mod read_port;
mod slice_datapath;
mod sram;
mod write_port;

pub use indirect_address::IndirectAddress;
pub use mem_slice::MemSlice;
pub use read_port::ReadPort;
pub use slice_datapath::SliceDatapath;
pub use sram::Sram;
pub use write_port::WritePort;
