//! A language model on a machine: a launch for each token, every logit compared with the golden decoder.

mod compiled;
mod engine;
mod log;
mod step;

pub use compiled::CompiledStep;
pub use engine::{Logged, MachineEngine, Setup};
pub use log::{Log, SharedLog, StepRecord, logits_hash};
pub use step::{Inputs, StepProgram};
