//! `lpu run matmul`.

use super::Outcome;
use crate::cli::{EngineArg, MatmulArgs};
use crate::files;
use indicatif::{ProgressBar, ProgressStyle};
use lpu::data::Matrix;
use lpu::rtl;
use lpu::run::{Finished, Job, Report};
use lpu_sim::{Builder, Verilator, default_cache_dir};
use miette::IntoDiagnostic;
use std::time::Duration;

/// Runs `lpu run matmul`.
pub fn execute(args: &MatmulArgs) -> miette::Result<Outcome> {
    let config = files::config(&args.config.config)?;
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
        if args.engine == EngineArg::Model {
            miette::bail!(
                help = "leave out --engine model",
                "--record-host records the inputs of the RTL, and the golden model has none"
            );
        }
        job.record_host(path.clone());
    }
    let mut finished = match args.engine {
        EngineArg::Model => {
            let bar = cycles_bar(&job, "golden model");
            job.run_model(|cycle| bar.set_position(cycle))?
        }
        EngineArg::Rtl => run_rtl(args, &config, &job)?,
    };
    finished.report.seed = seed;
    if let Some(path) = &args.out {
        files::write(path, &finished.product.to_npy().into_diagnostic()?)?;
    }
    if let Some(divergence) = &finished.divergence {
        eprintln!("{divergence}");
    }
    let text = match args.json {
        true => format!(
            "{}\n",
            serde_json::to_string(&finished.report).into_diagnostic()?
        ),
        false => table(&finished.report),
    };
    files::print(text.as_bytes())?;
    Ok(match finished.report.mismatches {
        0 => Outcome::Success,
        _ => Outcome::Mismatch,
    })
}

fn run_rtl(args: &MatmulArgs, config: &lpu_isa::Config, job: &Job) -> miette::Result<Finished> {
    let cache = default_cache_dir();
    let builder = Builder::new(Verilator::find(&cache)?, &cache).trace(args.trace.is_some());
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner.set_message(format!(
        "building the RTL model of `{}` (kept for the next run)",
        config.name
    ));
    let compiled = rtl::build(config, &builder)?;
    spinner.finish_and_clear();
    let bar = cycles_bar(job, "RTL");
    let waves = args.trace.as_deref().map(|path| {
        let all = 0..job.compiled().schedule.busy_cycles;
        (path, args.trace_window.clone().unwrap_or(all))
    });
    let finished = job.run_rtl(&compiled, waves, |cycle| bar.set_position(cycle))?;
    bar.finish_and_clear();
    Ok(finished)
}

/// A bar over the cycles of the launch; invisible unless standard error is a terminal.
fn cycles_bar(job: &Job, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len} cycles {elapsed}");
    let bar = ProgressBar::new(job.compiled().schedule.busy_cycles).with_prefix(what);
    bar.with_style(style.expect("the template is right"))
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
