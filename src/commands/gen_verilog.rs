//! `lpu gen`.

use crate::cli::GenArgs;
use crate::files;
use miette::IntoDiagnostic;
use serde_json::json;
use std::time::Instant;

/// Runs `lpu gen`.
pub fn execute(args: &GenArgs) -> miette::Result<()> {
    let config = files::config(&args.config.config)?;
    let start = Instant::now();
    let emitted = lpu::design::emit(&config).into_diagnostic()?;
    let seconds = start.elapsed().as_secs_f64();
    emitted.write_to(&args.out).into_diagnostic()?;
    let statistics = emitted.statistics;
    let text = if args.json {
        let report = json!({
            "config": config.name,
            "config_hash": config.hash(),
            "top": emitted.top,
            "out": args.out,
            "modules": statistics.modules,
            "instances": statistics.instances,
            "bytes": statistics.bytes,
            "seconds": seconds,
        });
        format!("{report}\n")
    } else {
        format!(
            "{}: {} modules for {} instances, {} KiB of Verilog in {} ({seconds:.2} s)\n",
            config.name,
            statistics.modules,
            statistics.instances,
            statistics.bytes / 1024,
            args.out.display(),
        )
    };
    Ok(files::print(text.as_bytes())?)
}
