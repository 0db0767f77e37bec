//! `lpu gen`.

use crate::cli::{GenArgs, TopArg};
use lpu::files;
use lpu_gen::EmitError;
use lpu_isa::Config;
use lpu_isa::c2c::{LANE_BITS, Shape};
use miette::{IntoDiagnostic, miette};
use serde_json::json;
use std::time::Instant;

/// Runs `lpu gen`.
pub fn execute(args: &GenArgs) -> miette::Result<()> {
    let config = files::config(&args.config.config)?;
    let start = Instant::now();
    let emitted = match args.top {
        TopArg::Tile => lpu::design::emit(&config),
        TopArg::Axi => lpu::design::emit_axi(&config),
        TopArg::C2c => lpu::design::emit_c2c(&config, shape(&config, args.slots)?),
    };
    let emitted = emitted.into_diagnostic()?;
    let seconds = start.elapsed().as_secs_f64();
    let written = match args.force {
        true => emitted.write_into(&args.out),
        false => emitted.write_to(&args.out),
    };
    written.map_err(refusal)?;
    let statistics = emitted.statistics;
    let text = if args.json {
        let report = json!({
            "config": config.name,
            "config_hash": config.hash(),
            "top": emitted.top,
            "out": args.out,
            "files": emitted.file_names().collect::<Vec<_>>(),
            "modules": statistics.modules,
            "instances": statistics.instances,
            "cells": statistics.cells,
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

/// The link for vectors of this machine.
fn shape(config: &Config, slots: usize) -> miette::Result<Shape> {
    let lanes = config.lanes * 8 / LANE_BITS;
    Shape::new(lanes, slots).map_err(|error| miette!(code = "lpu::gen::slots", "{error}"))
}

fn refusal(error: EmitError) -> miette::Report {
    match error {
        EmitError::Foreign { path } => miette!(
            code = "lpu::gen::foreign",
            help = "choose another folder with --out, or write among the files that are there with --force",
            "`{path}` was not written by lpu; nothing was changed"
        ),
        error => miette!("{error}"),
    }
}
