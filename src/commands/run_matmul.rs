//! `lpu run matmul`.

use super::Outcome;
use crate::cli::{EngineArg, MatmulArgs};
use crate::progress::{self, Build};
use lpu::data::Matrix;
use lpu::files::{self, Output};
use lpu::run::{Finished, Job, Report};
use lpu_isa::Config;
use miette::{IntoDiagnostic, miette};
use std::ops::Range;
use std::path::Path;

/// Waves of the first difference, in the current folder.
const DIVERGENCE_WAVES: &str = "lpu-divergence.fst";

/// Runs `lpu run matmul`.
pub fn execute(args: &MatmulArgs) -> miette::Result<Outcome> {
    if args.engine == EngineArg::Model {
        let options = [
            ("--trace", &args.trace),
            ("--record-host", &args.record_host),
        ];
        if let Some((option, _)) = options.iter().find(|(_, path)| path.is_some()) {
            miette::bail!(
                code = "lpu::run::engine",
                help = "leave out --engine model",
                "{option} records signals of the RTL, and the golden model has none"
            );
        }
    }
    let config = files::config(&args.config.config)?;
    for path in [&args.out, &args.trace, &args.record_host]
        .into_iter()
        .flatten()
    {
        Output::check(path)?;
    }
    let (a, b, seed) = match (&args.a, &args.b) {
        (Some(a), Some(b)) => (Matrix::read(a)?, Matrix::read(b)?, None),
        _ => (
            Matrix::seeded(args.m, args.k, args.seed, 0),
            Matrix::seeded(args.k, args.n, args.seed, 1),
            Some(args.seed),
        ),
    };
    let mut job = Job::new(&config, a, b)?;
    if let Some(path) = &args.record_host {
        job.record_host(path.clone());
    }
    let mut finished = match args.engine {
        EngineArg::Model => {
            let bar = progress::cycles(job.busy_cycles(), "golden model");
            let finished = job.run_model(|cycle| bar.set_position(cycle.min(job.busy_cycles())))?;
            bar.finish_and_clear();
            finished
        }
        EngineArg::Rtl => run_rtl(args, &config, &job)?,
    };
    finished.report.seed = seed;
    if let (Some(path), Some(product)) = (&args.out, &finished.product) {
        files::write(path, &product.to_npy().into_diagnostic()?)?;
    }
    if let Some(divergence) = &finished.report.divergence {
        eprint!("{divergence}");
    }
    let text = match args.json {
        true => format!(
            "{}\n",
            serde_json::to_string(&finished.report).into_diagnostic()?
        ),
        false => table(&finished.report),
    };
    files::print(text.as_bytes())?;
    Ok(match finished.report.is_right() {
        true => Outcome::Success,
        false => Outcome::Failure,
    })
}

fn run_rtl(args: &MatmulArgs, config: &Config, job: &Job) -> miette::Result<Finished> {
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
fn window(args: &MatmulArgs, cycles: u64) -> miette::Result<Range<u64>> {
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

fn table(report: &Report) -> String {
    let Report { m, k, n, .. } = report;
    let verdict = match (
        report.mismatches,
        report.cycles_measured == report.cycles_predicted,
    ) {
        (0, true) => "equal to the golden model in every bit and every cycle",
        (0, false) => "values equal, but not in the predicted number of cycles",
        _ => "DIFFERENT from the golden model",
    };
    let engine = format!("{:?}", report.engine).to_lowercase();
    format!(
        "matmul {m} x {k} x {n} on {} ({engine}): {verdict}\n\
         \n\
         cycles predicted        {}\n\
         cycles measured         {}\n\
         multiply-accumulates    {} ({:.2} % of the MXM)\n\
         weight bytes read       {:.2} % of the SRAM read bandwidth\n\
         events compared         {}\n\
         mismatches              {}\n\
         simulated               {:.0} cycles/s, {:.0} million MAC/s\n\
         configuration hash      {}\n",
        report.config,
        report.cycles_predicted,
        report.cycles_measured,
        report.macs,
        100.0 * report.mac_utilization,
        100.0 * report.sram_read_utilization,
        report.events_compared,
        report.mismatches,
        report.sim_cycles_per_second,
        report.sim_macs_per_second / 1e6,
        &report.config_hash[..16],
    )
}
