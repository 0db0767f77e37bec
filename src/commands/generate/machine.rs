//! Machines as engines: RTL and the golden machine.

use super::report::Facts;
use super::{Job, Outcome};
use crate::cli::{CheckArg, EngineName, GenerateArgs};
use crate::commands::lpus;
use crate::progress::Build;
use lpu::decode::{CompiledStep, MachineEngine, Setup, SharedLog, StepProgram};
use lpu::rack::RackTile;
use lpu::run::Lpus;
use lpu::tile::{ModelTile, RtlTile, Task, Tile};
use lpu_compiler::CompileError;
use lpu_isa::Config;
use lpu_model::Model;
use lpu_model::int8::Int8Model;
use miette::miette;
use std::sync::Arc;

/// Compiles the model for `positions` positions and decodes on RTL or on the golden machine.
pub fn run(
    args: &GenerateArgs,
    mut config: Config,
    model: &Arc<Model>,
    int8: &Arc<Int8Model>,
    positions: usize,
    job: Job<'_>,
) -> miette::Result<Outcome> {
    let positions = positions.min(int8.context).max(1);
    let rack = lpus::rack(&args.rack, &mut config, true)?;
    let threads = lpus::threads(&args.rack);
    let step = CompiledStep::on_rack(
        &config,
        &rack,
        args.placement.placement(),
        int8.clone(),
        positions.next_multiple_of(config.lanes),
    );
    let step = step.map_err(|error| misfit(&config, &error, "choose fewer --max-tokens, "))?;
    let mut facts = Facts {
        engine: "model",
        config: Some(&config),
        lpus: Lpus::of(&rack, threads),
        int8: Some(int8),
        read_bytes: step.read_bytes(),
        ..Facts::default()
    };
    let build = match args.engine() {
        EngineName::Rtl => {
            facts.engine = "rtl";
            Some(Build::new(&config, false)?)
        }
        _ => None,
    };
    let events = args.check == CheckArg::Events;
    let mut tiles = Vec::new();
    for (program, prediction) in step.chips() {
        let task = Task {
            config: &config,
            program,
            prediction,
        };
        let tile: Box<dyn Tile + Send> = match &build {
            Some(build) => Box::new(RtlTile::new(task, &build.compiled, events)?),
            None => Box::new(ModelTile::new(task)),
        };
        tiles.push(tile);
    }
    let tile: Box<dyn Tile> = match tiles.pop() {
        Some(tile) if tiles.is_empty() => tile,
        last => {
            tiles.extend(last);
            Box::new(RackTile::new(rack, &config, tiles, threads))
        }
    };
    let setup = Setup {
        config: Arc::new(config.clone()),
        model: model.clone(),
        int8: int8.clone(),
        positions: positions.next_multiple_of(config.lanes),
        step,
    };
    let log = SharedLog::default();
    let mut engine = MachineEngine::new(setup, tile, log.clone())?;
    job.run(&mut engine, &log, facts)
}

/// A model that does not fit the machine, with what else could be done.
pub fn misfit(config: &Config, error: &CompileError, way: &str) -> miette::Report {
    miette!(
        code = "lpu::compile",
        help = format!(
            "change the configuration (lpu config show proto > mine.toml), {way}or decode without the machine: --engine golden"
        ),
        "the model does not fit the machine `{}`: {error}",
        config.name
    )
}
