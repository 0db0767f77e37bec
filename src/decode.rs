//! A language model on a machine: a launch for each token, every logit compared with the golden decoder.

mod compiled;
mod engine;
mod log;
mod networks;
mod step;

pub use compiled::CompiledStep;
pub use engine::{Logged, MachineEngine, Setup};
pub use log::{Launches, Log, SharedLog, StepRecord, logits_hash};
pub use networks::{MachineNetworks, compile_networks};
pub use step::{Inputs, Row, StepProgram};
