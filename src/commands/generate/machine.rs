//! Machines as engines: RTL and the golden machine.

use super::report::Facts;
use super::{Job, Outcome};
use crate::cli::{CheckArg, EngineName, GenerateArgs};
use crate::progress::Build;
use lpu::decode::{CompiledStep, MachineEngine, Setup, SharedLog, StepProgram};
use lpu::tile::{ModelTile, RtlTile, Task};
use lpu_isa::Config;
use lpu_model::Model;
use lpu_model::int8::Int8Model;
use miette::miette;

/// Compiles the model for `positions` positions and decodes on RTL or on the golden machine.
pub fn run(
    args: &GenerateArgs,
    config: &Config,
    model: &Model,
    int8: &Int8Model,
    positions: usize,
    job: Job<'_>,
) -> miette::Result<Outcome> {
    let positions = positions.min(int8.context).max(1);
    let step = CompiledStep::new(config, int8, positions.next_multiple_of(config.lanes));
    let step = step.map_err(|error| {
        miette!(
            code = "lpu::compile",
            help = "change the configuration (lpu config show proto > mine.toml), choose fewer --max-tokens, or decode without the machine: --engine golden",
            "the model does not fit the machine `{}`: {error}",
            config.name
        )
    })?;
    let setup = Setup {
        config,
        model,
        int8,
        step: &step,
        positions: positions.next_multiple_of(config.lanes),
    };
    let task = Task {
        config,
        program: step.program(),
        prediction: step.prediction(),
    };
    let facts = |engine| Facts {
        engine,
        config: Some(config),
        int8: Some(int8),
        read_bytes: step.read_bytes(),
        ..Facts::default()
    };
    let log = SharedLog::default();
    match args.engine() {
        EngineName::Rtl => {
            let build = Build::new(config, false)?;
            let events = args.check == CheckArg::Events;
            let tile = RtlTile::new(task, &build.compiled, events)?;
            let mut engine = MachineEngine::new(setup, tile, log.clone())?;
            job.run(&mut engine, &log, facts("rtl"))
        }
        _ => {
            let mut engine = MachineEngine::new(setup, ModelTile::new(task), log.clone())?;
            job.run(&mut engine, &log, facts("model"))
        }
    }
}
