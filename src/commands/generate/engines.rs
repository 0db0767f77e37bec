//! The engines of `lpu generate`.

use super::report::Facts;
use super::{Job, Outcome, afd, machine};
use crate::cli::{EngineName, GenerateArgs};
use lpu::decode::{Logged, SharedLog};
use lpu::files;
use lpu_model::Model;
use lpu_model::int8::calibration::{calibrate, own_texts};
use lpu_model::int8::{GoldenEngine, Int8Model, Steps, convert};
use lpu_model::reference::Reference;
use miette::{IntoDiagnostic, miette};
use std::borrow::Cow;
use std::sync::Arc;

/// Makes the engine that was asked for, for so many positions, and lets it do its job.
pub fn with_engine(
    args: &GenerateArgs,
    model: &Arc<Model>,
    positions: usize,
    job: Job<'_>,
) -> miette::Result<Outcome> {
    let log = SharedLog::default();
    let name = args.engine();
    if name != EngineName::Reference {
        check_format(args)?;
    }
    if args.rack.lpus > 1 && (args.afd || !matches!(name, EngineName::Rtl | EngineName::Model)) {
        return Err(miette!(
            code = "lpu::generate::lpus",
            help = "leave out --lpus, or choose --engine rtl or model without --afd",
            "--lpus {} shares a whole model out to machines, and there is no machine, or it has networks alone",
            args.rack.lpus
        ));
    }
    match name {
        EngineName::Reference if args.afd => Err(miette!(
            code = "lpu::generate::afd",
            help = "leave out --afd, or choose --engine rtl, model or golden",
            "--afd splits a model between host and machine, and the reference runs on the host alone"
        )),
        _ if args.afd => afd::run(args, model, positions, job),
        EngineName::Reference => {
            let engine = Reference::quantised(model, args.format.scheme(), positions);
            let facts = Facts {
                engine: "reference",
                scheme: Some(args.format.scheme()),
                ..Facts::default()
            };
            job.run(&mut Logged::new(engine, log.clone()), &log, facts)
        }
        EngineName::Rtl | EngineName::Model => {
            let config = files::config(&args.config)?;
            let int8 = Arc::new(quantise(args, model)?);
            machine::run(args, config, model, &int8, positions, job)
        }
        EngineName::Golden => {
            let config = files::config(&args.config)?;
            let int8 = quantise(args, model)?;
            let engine = GoldenEngine::new(model, Cow::Borrowed(&int8), positions, config.lanes)
                .into_diagnostic()?;
            let facts = Facts {
                engine: "golden",
                config: Some(&config),
                int8: Some(&int8),
                ..Facts::default()
            };
            job.run(&mut Logged::new(engine, log.clone()), &log, facts)
        }
    }
}

/// Weights and steps in int8.
fn quantise(args: &GenerateArgs, model: &Model) -> miette::Result<Int8Model> {
    Ok(convert(model, &steps(args, model)?)?)
}

/// The steps of int8 values.
pub fn steps(args: &GenerateArgs, model: &Model) -> miette::Result<Vec<Steps>> {
    let texts = match &args.calibrate {
        None => own_texts(model)?,
        Some(path) => vec![model.encode(&files::read_text(path)?)?],
    };
    Ok(calibrate(model, &texts)?)
}

/// The formats are those of the reference; a machine has its own.
fn check_format(args: &GenerateArgs) -> miette::Result<()> {
    let Some(given) = args.format.given() else {
        return Ok(());
    };
    Err(miette!(
        code = "lpu::generate::format",
        help = "leave it out, or add --engine reference",
        "{given} rounds the weights of the reference, and a machine computes in int8 as docs/decoder.md says"
    ))
}
