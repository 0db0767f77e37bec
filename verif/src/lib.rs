//! Golden model, scoreboard and properties of the LPU.
//!
//! Shares no code with the hardware: everything here is written from `docs/machine.md` and the facts
//! in `lpu-isa`.
//!
//! - [`numeric`]: exact tensor arithmetic.
//! - [`kernels`]: what whole operations give, from that arithmetic.
//! - [`secded`]: the error-correcting code, bit by bit and by table.
//! - [`machine`]: the cycle-accurate machine; it yields the [`Event`]s that hardware must show.
//! - [`scoreboard`]: compares two event streams on value and cycle.
//! - [`provenance`]: which SRAM word a fault came from.
//! - [`c2c`]: the chip-to-chip link, from `docs/c2c.md`.
//! - [`rack`]: several machines joined by links.
//! - [`generate`]: random configurations and programs.

pub mod c2c;
pub mod event;
pub mod generate;
pub mod kernels;
pub mod machine;
pub mod numeric;
pub mod provenance;
pub mod rack;
pub mod scoreboard;
pub mod secded;
pub mod vector;

pub use event::{Effect, Event, EventCount, FaultCode, Observe, Origin, Source};
pub use machine::{Command, Flit, LaunchReport, Machine, Status};
pub use scoreboard::{Divergence, Scoreboard};
pub use vector::Vector;
