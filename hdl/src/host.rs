//! The host's side of the tile.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`RequestDecoder`] | what a request asks for, and whether it may | 0 |
//! | [`UnitMux`] | reads one of the registers that every unit has | 2 |
//! | [`HostPort`] | requests to answers; register file, SRAM and program access | 8 |
//! | [`axi`] | an AXI4-Lite and an AXI4 slave in front of it | |

pub mod axi;
mod host_port;
mod request_decoder;
mod unit_mux;

pub use host_port::HostPort;
pub use request_decoder::RequestDecoder;
pub use unit_mux::UnitMux;
