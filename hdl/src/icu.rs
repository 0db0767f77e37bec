//! Instruction control: the queues and the fault registers of the functional units.
//!
//! | block | what it is |
//! |---|---|
//! | [`InstructionQueue`] | program memory, fetch and sequencer of one queue |
//! | [`SendQueue`] | the queue of the sending side of a link, with DESKEW and RUNTIME_DESKEW |
//! | [`ProgramFetch`] | program memory that gives a new instruction every cycle |
//! | [`FaultUnit`] | keeps the first fault of a unit |
//! | [`Sequencer`] | issues an instruction's repeats, waits and ends |

mod fault_unit;
mod instruction_queue;
mod program_fetch;
mod send_queue;
mod sequencer;

pub use fault_unit::FaultUnit;
pub use instruction_queue::InstructionQueue;
pub use program_fetch::ProgramFetch;
pub use send_queue::SendQueue;
pub use sequencer::Sequencer;
