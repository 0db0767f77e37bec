//! Attention on the host, feed-forward networks on a machine.

use super::engines::steps;
use super::machine::misfit;
use super::report::Facts;
use super::{Job, Outcome};
use crate::cli::{CheckArg, EngineName, GenerateArgs};
use crate::progress::Build;
use lpu::decode::{Logged, MachineNetworks, SharedLog, compile_networks};
use lpu::files;
use lpu::tile::{ModelTile, RtlTile, Task, Tile};
use lpu_model::Model;
use lpu_model::disaggregated::Disaggregated;
use lpu_model::int8::{GoldenNetworks, convert_networks};
use lpu_model::reference::{Networks, Reference};

/// Decodes with the networks where `--engine` says.
pub fn run(
    args: &GenerateArgs,
    model: &Model,
    positions: usize,
    job: Job<'_>,
) -> miette::Result<Outcome> {
    let config = files::config(&args.config)?;
    let int8 = convert_networks(model, &steps(args, model)?)?;
    let log = SharedLog::default();
    let decode = |networks: Box<dyn Networks + '_>, facts, job: Job<'_>| {
        let engine = Disaggregated::new(Reference::new(model, positions), networks);
        job.run(&mut Logged::new(engine, log.clone()), &log, facts)
    };
    let facts = Facts {
        config: Some(&config),
        ..Facts::default()
    };
    if args.engine() == EngineName::Golden {
        let networks = GoldenNetworks::new(&int8, config.lanes);
        let engine = "afd-golden";
        return decode(Box::new(networks), Facts { engine, ..facts }, job);
    }
    let network = compile_networks(&config, &int8).map_err(|error| misfit(&config, &error, ""))?;
    let task = Task {
        config: &config,
        program: &network.program,
        prediction: &network.prediction,
    };
    let facts = Facts {
        read_bytes: network.read_bytes * int8.per_token() as u64,
        ..facts
    };
    let (engine, tile): (_, Box<dyn Tile>) = match args.engine() {
        EngineName::Rtl => {
            let build = Build::new(&config, false)?;
            let events = args.check == CheckArg::Events;
            let tile = RtlTile::new(task, &build.compiled, events)?;
            ("afd-rtl", Box::new(tile))
        }
        _ => ("afd-model", Box::new(ModelTile::new(task))),
    };
    let networks = MachineNetworks::new(&config, &int8, &network, tile, log.clone())?;
    decode(Box::new(networks), Facts { engine, ..facts }, job)
}
