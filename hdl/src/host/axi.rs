//! The AXI side of the tile: an AXI4-Lite register file and an AXI4 window onto its memories.
//!
//! ```text
//! s_axil ----> RegisterPort ----+
//! s_axi AR --> ReadWindow ------+--> RequestPipe --> host port of the tile
//! s_axi AW/W > WriteWindow -----+         |
//!        R, B <-------------- answers ----+            out_interrupt <-- Interrupts
//! ```
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`BurstAddress`] | the beats of AXI bursts | 1 |
//! | [`AddressChannel`] | a queue of addresses in front of them | 2 |
//! | [`WindowMap`] | byte addresses to words of the host port | 0 |
//! | [`ReadWindow`] | reads of the window | 12 |
//! | [`WriteWindow`] | writes of the window | 12 |
//! | [`RegisterMap`] | what lies at a register address | 0 |
//! | [`RegisterPort`] | AXI4-Lite register file | 3, or 13 through the tile |
//! | [`RequestPipe`] | three sources of requests into one host port | 1 + 8 |
//! | [`Interrupts`] | interrupts and the first refused access | 1 |
//! | [`ResetHold`] | a reset that lasts long enough | 0 |
//! | [`AxiPort`] | all of these | |
//!
//! `docs/host.md` is its specification, `lpu_isa::registers` its addresses.

mod address_channel;
mod burst_address;
mod interrupts;
mod port;
mod read_window;
mod register_map;
mod register_port;
mod request_pipe;
mod reset_hold;
mod window_map;
mod write_window;

pub use address_channel::AddressChannel;
pub use burst_address::BurstAddress;
pub use interrupts::Interrupts;
pub use port::AxiPort;
pub use read_window::ReadWindow;
pub use register_map::RegisterMap;
pub use register_port::RegisterPort;
pub use request_pipe::RequestPipe;
pub use reset_hold::ResetHold;
pub use window_map::WindowMap;
pub use write_window::WriteWindow;

/// Bits of the identifiers of the AXI4 window; tie what an interconnect does not have to zero.
pub const ID_BITS: usize = 8;
/// Bits of a byte address in the window.
pub const WINDOW_BITS: usize = lpu_isa::registers::WINDOW_BITS as usize;
/// Bits of a byte address of the registers.
pub const REGISTER_BITS: usize = lpu_isa::registers::REGISTER_BITS as usize;

/// Response: done.
pub const OKAY: u64 = 0;
/// Response: refused, or an uncorrectable word.
pub const SLVERR: u64 = 2;
/// Response: no such address.
pub const DECERR: u64 = 3;

/// What an answer is for: a register access.
pub(crate) const KIND_REGISTER: u64 = 0;
/// A beat of a read burst.
pub(crate) const KIND_READ: u64 = 1;
/// A beat of a write burst.
pub(crate) const KIND_WRITE: u64 = 2;
/// The word that a partial write is put into.
pub(crate) const KIND_MERGE: u64 = 3;
