//! Configuration, instruction set, latencies and memory map of the LPU.
//!
//! The one crate that hardware, golden model, compiler and tests share. It holds facts of the
//! specification (`docs/machine.md`) and no behaviour of the machine.

pub mod asm;
pub mod c2c;
pub mod config;
pub mod descriptor;
pub mod functions;
pub mod instruction;
pub mod latency;
pub mod memory_map;
pub mod program;
pub mod queue;
pub mod rack;
pub mod registers;
pub mod secded;

pub use config::Config;
pub use descriptor::Descriptor;
pub use instruction::{AccMode, Instruction, LaneMode, Operation, Reduction, Repeat, Stream};
pub use program::Program;
pub use queue::{Queue, QueueKind};
