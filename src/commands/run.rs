//! `lpu run`.

mod operands;
mod rows;
mod table;

use super::{Outcome, lpus};
use crate::cli::{CollectiveArgs, EngineArg, RackArgs, RunArgs, RunCommand};
use crate::progress::{self, Build};
use lpu::files::{self, Output};
use lpu::run::{Finished, Job};
use lpu::workload::{Attention, Collective, Matmul, Split, Workload};
use lpu_compiler::collective::Kind;
use lpu_isa::Config;
use lpu_isa::rack::Rack;
use miette::{IntoDiagnostic, miette};
use std::ops::Range;
use std::path::Path;

/// Waves of the first difference, in the current folder.
const DIVERGENCE_WAVES: &str = "lpu-divergence.fst";

/// Runs a workload.
pub fn execute(command: &RunCommand) -> miette::Result<Outcome> {
    match command {
        RunCommand::Matmul(args) => {
            // No part of a product needs what another computes.
            let bench = Bench::new(&args.run, &args.rack, false)?;
            let (config, chips) = (&bench.config, bench.rack.chips());
            let (format, a, b) = operands::product(config, args)?;
            let seeded = args.a.is_none();
            match chips {
                1 => bench.run(Matmul::new_in(config, format, a, b)?, seeded),
                _ => bench.run(Split::matmul(config, chips, format, &a, &b)?, seeded),
            }
        }
        RunCommand::Attention(args) => {
            let bench = Bench::new(&args.run, &args.rack, false)?;
            let (config, chips) = (&bench.config, bench.rack.chips());
            let (options, tensors) = operands::attention(config, args)?;
            let seeded = args.q.is_none();
            match chips {
                1 => bench.run(Attention::new(config, options, tensors)?, seeded),
                _ => bench.run(Split::attention(config, chips, options, &tensors)?, seeded),
            }
        }
        RunCommand::Layer(args) => {
            let bench = Bench::new(&args.run, &args.rack, true)?;
            bench.run(operands::layers(&bench.config, &bench.rack, args)?, true)
        }
        RunCommand::AllReduce(args) => collective(args, Kind::AllReduce),
        RunCommand::ReduceScatter(args) => collective(args, Kind::ReduceScatter),
        RunCommand::AllGather(args) => collective(args, Kind::AllGather),
        command => rows::execute(command),
    }
}

fn collective(args: &CollectiveArgs, kind: Kind) -> miette::Result<Outcome> {
    let bench = Bench::new(&args.run, &args.rack, true)?;
    // Four bytes each.
    operands::check_seeded(&bench.config, &[(4, args.elements)], 1, "--elements")?;
    let (config, rack) = (&bench.config, &bench.rack);
    let collective = Collective::new(config, rack, kind, args.elements, args.run.seed)?;
    bench.run(collective, true)
}

/// What a workload runs on: an LPU, or several.
struct Bench<'a> {
    args: &'a RunArgs,
    config: Config,
    rack: Rack,
    threads: usize,
}

impl<'a> Bench<'a> {
    /// From options that have passed all checks for which nothing has to be computed; with links if the workload needs some.
    fn new(args: &'a RunArgs, rack: &RackArgs, linked: bool) -> miette::Result<Self> {
        let mut config = prepare(args)?;
        if rack.lpus > 1
            && let Some(option) = recording(args)
        {
            miette::bail!(
                code = "lpu::run::lpus",
                help = "leave out --lpus, or the option",
                "{option} records signals of one LPU, and --lpus asks for {}",
                rack.lpus
            );
        }
        Ok(Self {
            args,
            rack: lpus::rack(rack, &mut config, linked)?,
            threads: lpus::threads(rack),
            config,
        })
    }

    fn run(&self, workload: impl Workload + 'static, seeded: bool) -> miette::Result<Outcome> {
        match self.rack.chips() {
            1 => run(self.args, &self.config, workload, seeded, None),
            _ => self.run_rack(workload, seeded),
        }
    }

    fn run_rack(&self, workload: impl Workload + 'static, seeded: bool) -> miette::Result<Outcome> {
        let job = Job::new(&self.config, workload);
        let build = match self.args.engine {
            EngineArg::Model => None,
            EngineArg::Rtl => Some(Build::new(&self.config, false)?),
        };
        let bar = progress::cycles(job.busy_cycles(), "LPUs");
        let compiled = build.as_ref().map(|build| &build.compiled);
        let mut finished = job.run_rack(&self.rack, compiled, self.threads, |cycle| {
            bar.set_position(cycle.min(job.busy_cycles()));
        })?;
        bar.finish_and_clear();
        finished.report.model_cached = build.as_ref().map(|build| build.cached);
        finished.report.model_build_seconds = build.as_ref().map(|build| build.seconds);
        conclude(self.args, finished, seeded, None)
    }
}

/// The option that asks for signals of the RTL, if there is one.
fn recording(args: &RunArgs) -> Option<&'static str> {
    match (&args.trace, &args.record_host) {
        (Some(_), _) => Some("--trace"),
        (_, Some(_)) => Some("--record-host"),
        _ => None,
    }
}

/// Checks the options that can be checked before anything is computed.
fn prepare(args: &RunArgs) -> miette::Result<Config> {
    if args.engine == EngineArg::Model
        && let Some(option) = recording(args)
    {
        miette::bail!(
            code = "lpu::run::engine",
            help = "leave out --engine model",
            "{option} records signals of the RTL, and the golden model has none"
        );
    }
    let config = files::config(&args.config.config)?;
    for path in [&args.out, &args.trace, &args.record_host]
        .into_iter()
        .flatten()
    {
        Output::check(path)?;
    }
    Ok(config)
}

fn run(
    args: &RunArgs,
    config: &Config,
    workload: impl Workload + 'static,
    seeded: bool,
    scales: Option<&Path>,
) -> miette::Result<Outcome> {
    let mut job = Job::new(config, workload);
    if let Some(path) = &args.record_host {
        job.record_host(path.clone());
    }
    let finished = match args.engine {
        EngineArg::Model => {
            let bar = progress::cycles(job.busy_cycles(), "golden model");
            let finished = job.run_model(|cycle| bar.set_position(cycle.min(job.busy_cycles())))?;
            bar.finish_and_clear();
            finished
        }
        EngineArg::Rtl => run_rtl(args, config, &job)?,
    };
    conclude(args, finished, seeded, scales)
}

/// Writes what was asked for and says how it went.
fn conclude(
    args: &RunArgs,
    mut finished: Finished,
    seeded: bool,
    scales: Option<&Path>,
) -> miette::Result<Outcome> {
    finished.report.seed = seeded.then_some(args.seed);
    if let (Some(path), Some(result)) = (&args.out, &finished.result) {
        files::write(path, &result.to_npy().into_diagnostic()?)?;
    }
    if let (Some(path), Some(scales)) = (scales, &finished.scales) {
        files::write(path, &scales.to_npy().into_diagnostic()?)?;
    }
    if let Some(divergence) = &finished.report.divergence {
        eprint!("{divergence}");
    }
    let text = match args.json {
        true => format!(
            "{}\n",
            serde_json::to_string(&finished.report).into_diagnostic()?
        ),
        false => table::table(&finished.report),
    };
    files::print(text.as_bytes())?;
    Ok(match finished.report.is_right() {
        true => Outcome::Success,
        false => Outcome::Failure,
    })
}

fn run_rtl(args: &RunArgs, config: &Config, job: &Job) -> miette::Result<Finished> {
    let waves = match &args.trace {
        Some(path) => Some((path.as_path(), window(args, job.busy_cycles())?)),
        None => None,
    };
    let build = Build::new(config, args.trace.is_some())?;
    let bar = progress::cycles(job.busy_cycles(), "RTL");
    let mut finished = job.run_rtl(&build.compiled, waves, |cycle| {
        bar.set_position(cycle.min(job.busy_cycles()))
    })?;
    bar.finish_and_clear();
    finished.report.model_cached = Some(build.cached);
    finished.report.model_build_seconds = Some(build.seconds);
    if let Some(report) = &mut finished.report.divergence {
        // The difference is worth more than its waves: without them the report still comes.
        let path = Path::new(DIVERGENCE_WAVES);
        let recorded = Output::check(path)
            .map_err(miette::Report::from)
            .and_then(|()| match args.trace {
                Some(_) => Ok(build),
                None => Build::new(config, true),
            })
            .and_then(|build| {
                let bar = progress::cycles(report.window().end, "waves of the first difference");
                let listen = |cycle| bar.set_position(cycle);
                let recorded = job.record_divergence(&build.compiled, report, path, listen);
                bar.finish_and_clear();
                Ok(recorded?)
            });
        if let Err(error) = recorded {
            eprintln!("lpu: no waves of the first difference:\n{error:?}");
        }
    }
    Ok(finished)
}

/// The cycles to trace of a launch of `cycles` cycles.
fn window(args: &RunArgs, cycles: u64) -> miette::Result<Range<u64>> {
    let first = args.trace_from.unwrap_or(0);
    let last = args.trace_to.unwrap_or(cycles - 1);
    if first > last || last >= cycles {
        let end = cycles - 1;
        let help = format!("choose 0 <= --trace-from <= --trace-to <= {end}");
        return Err(miette!(
            code = "lpu::trace::window",
            help = help,
            "the waves cannot show cycles {first} to {last}: the launch has cycles 0 to {end}"
        ));
    }
    Ok(first..last + 1)
}
