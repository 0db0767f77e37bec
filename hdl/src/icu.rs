//! Instruction control: the queues and the fault registers of the functional units.
//!
//! | block | what it is |
//! |---|---|
//! | [`InstructionQueue`] | program memory, fetch and sequencer of one queue |
//! | [`ProgramFetch`] | program memory that gives a new instruction every cycle |
//! | [`FaultUnit`] | keeps the first fault of a unit |
//! | [`Sequencer`] | issues an instruction's repeats, waits and ends |

mod fault_unit;
mod instruction_queue;
mod program_fetch;
mod sequencer;

pub use fault_unit::FaultUnit;
pub use instruction_queue::InstructionQueue;
pub use program_fetch::ProgramFetch;
pub use sequencer::Sequencer;
