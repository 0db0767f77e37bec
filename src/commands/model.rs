//! `lpu model`.

use super::generate::open;
use crate::cli::ModelCommand;
use lpu::files;
use lpu_model::architecture::{Ffn, Positions};
use lpu_model::quant::report::{self, Report};
use lpu_model::quant::{Format, Scheme};
use lpu_model::tensor::Dtype;
use lpu_model::{Architecture, Model};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What a model is.
#[derive(Serialize)]
struct Info<'a> {
    architecture: &'a Architecture,
    tokenizer: &'a str,
    parameters: usize,
    /// Formats of the matrices in the files.
    dtypes: BTreeSet<Dtype>,
    /// Matrices with their scales, by the format of layers and head.
    bytes: BTreeMap<&'static str, usize>,
    /// f32 keys and values of a position.
    kv_bytes_per_position: usize,
}

/// Runs `lpu model`.
pub fn execute(command: &ModelCommand) -> miette::Result<()> {
    let text = match command {
        ModelCommand::Info { model, json } => {
            let model = open(model.as_deref())?;
            let info = info(&model);
            if *json { line(&info) } else { describe(&info) }
        }
        ModelCommand::Compare {
            model,
            text,
            format,
            json,
        } => {
            let model = open(model.as_deref())?;
            let tokens = model.encode(files::read_text(text)?.trim_end_matches('\n'))?;
            let report = report::compare(&model, format.scheme(), &tokens)?;
            if *json { line(&report) } else { table(&report) }
        }
    };
    Ok(files::print(text.as_bytes())?)
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a report is JSON") + "\n"
}

fn info(model: &Model) -> Info<'_> {
    let shape = &model.architecture;
    let matrices = model.matrices();
    Info {
        architecture: shape,
        tokenizer: model.tokenizer.kind(),
        parameters: model.parameters(),
        dtypes: matrices.iter().map(|(_, matrix)| matrix.dtype()).collect(),
        bytes: Format::ALL
            .map(|format| (format.name(), report::bytes(model, Scheme::of(format))))
            .into(),
        kv_bytes_per_position: 2 * 4 * shape.layers() * shape.kv_heads * shape.head_dim,
    }
}

fn describe(info: &Info<'_>) -> String {
    let shape = info.architecture;
    let ffn = match shape.ffn.last() {
        Some(Ffn::Gated { hidden }) => format!("gated, {hidden} wide"),
        Some(Ffn::Plain { hidden }) => format!("{hidden} wide"),
        Some(Ffn::Experts(e)) => {
            format!("{} of {} experts, {} wide", e.per_token, e.count, e.hidden)
        }
        None => "none".into(),
    };
    let positions = match shape.positions {
        Positions::Rope(rope) => format!("rotary, base {}", rope.theta),
        Positions::Learned => "learned".into(),
    };
    let bytes =
        Format::ALL.map(|format| format!("{} {}", format.name(), info.bytes[format.name()]));
    let rows = [
        ("family", shape.family.clone()),
        ("parameters", info.parameters.to_string()),
        ("layers", shape.layers().to_string()),
        ("width", shape.width.to_string()),
        (
            "attention",
            format!(
                "{} heads of {} over {} KV heads",
                shape.heads, shape.head_dim, shape.kv_heads
            ),
        ),
        ("feed-forward", ffn),
        ("positions", positions),
        ("context", shape.context.to_string()),
        (
            "vocabulary",
            format!(
                "{}{}, {}",
                shape.vocabulary,
                if shape.tied { " (tied)" } else { "" },
                info.tokenizer
            ),
        ),
        ("bytes", bytes.join(", ")),
        (
            "KV bytes",
            format!("{} a position, f32", info.kv_bytes_per_position),
        ),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<14}{value}");
    }
    text
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    for (layer, error) in report.layers.iter().enumerate() {
        let _ = writeln!(text, "layer {layer:<4} relative RMS error {error:.2e}");
    }
    let _ = writeln!(
        text,
        "logits     relative RMS error {:.2e}, largest {:.2e}\n\
         KL         mean {:.2e}, largest {:.2e} nats\n\
         choice     the same at {:.4} of {} tokens\n\
         perplexity {:.5} in f32, {:.5} rounded\n\
         bytes      {} in f32, {} rounded",
        report.logit_rms_error,
        report.logit_max_error,
        report.kl_mean,
        report.kl_max,
        report.same_choice,
        report.tokens,
        report.perplexity_f32,
        report.perplexity,
        report.bytes_f32,
        report.bytes,
    );
    text
}
