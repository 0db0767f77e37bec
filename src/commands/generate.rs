//! `lpu generate`.

use crate::cli::{EngineName, GenerateArgs};
use lpu::files::{self, FileError};
use lpu_model::Model;
use lpu_model::generate::{Stop, Stream, generate};
use lpu_model::quant::Scheme;
use lpu_model::reference::Reference;
use lpu_model::sample::{Sampler, Settings};
use lpu_model::{Engine, ModelError};
use serde::Serialize;
use std::io::{Write, stderr};
use std::path::Path;
use std::time::Instant;

/// What was generated.
#[derive(Serialize)]
struct Report<'a> {
    family: &'a str,
    engine: &'a str,
    scheme: Scheme,
    prompt: &'a str,
    prompt_tokens: usize,
    text: String,
    tokens: Vec<u32>,
    generated: usize,
    stop: Stop,
    temperature: f64,
    top_k: usize,
    top_p: f64,
    seed: u64,
    seconds: f64,
    tokens_per_second: f64,
}

/// The model that was asked for, or the one in the program.
pub fn open(path: Option<&Path>) -> Result<Model, ModelError> {
    match path {
        Some(path) => Model::open(path),
        None => Model::embedded(),
    }
}

/// An engine for so many positions.
fn engine<'m>(args: &GenerateArgs, model: &'m Model, positions: usize) -> Box<dyn Engine + 'm> {
    match args.engine {
        EngineName::Reference => {
            Box::new(Reference::quantised(model, args.format.scheme(), positions))
        }
    }
}

/// Runs `lpu generate`.
pub fn execute(args: &GenerateArgs) -> miette::Result<()> {
    let mut sampler = Sampler::new(Settings {
        temperature: args.temperature,
        top_k: args.top_k,
        top_p: args.top_p,
        seed: args.seed,
    })?;
    let model = open(args.model.as_deref())?;
    let shape = &model.architecture;
    let prompt = model.encode(&args.prompt)?;
    let mut engine = engine(args, &model, prompt.len().saturating_add(args.max_tokens));
    let mut stream = Stream::after(&model.tokenizer, &prompt);
    let (mut text, mut failed) = (String::new(), None);
    let mut show = |piece: Result<String, ModelError>| {
        let shown = piece.map_err(miette::Report::from).and_then(|piece| {
            text.push_str(&piece);
            Ok(print(args.json, &piece)?)
        });
        if let Err(error) = shown {
            failed.get_or_insert(error);
        }
    };
    let begun = Instant::now();
    let ends = &shape.ends;
    let (tokens, stop) = generate(
        engine.as_mut(),
        &mut sampler,
        &prompt,
        ends,
        args.max_tokens,
        |token| show(stream.push(token)),
    )?;
    let seconds = begun.elapsed().as_secs_f64();
    show(stream.finish());
    show(Ok("\n".into()));
    if let Some(error) = failed {
        return Err(error);
    }
    text.pop();
    if args.json {
        let steps = prompt.len() + tokens.len().saturating_sub(1);
        let report = Report {
            family: &shape.family,
            engine: "reference",
            scheme: args.format.scheme(),
            prompt: &args.prompt,
            prompt_tokens: prompt.len(),
            text,
            generated: tokens.len(),
            tokens,
            stop,
            temperature: args.temperature,
            top_k: args.top_k,
            top_p: args.top_p,
            seed: args.seed,
            seconds,
            tokens_per_second: steps as f64 / seconds.max(1e-9),
        };
        let line = serde_json::to_string(&report).expect("a report is JSON");
        files::print(format!("{line}\n").as_bytes())?;
    }
    Ok(())
}

/// Shows text as it comes.
fn print(json: bool, text: &str) -> Result<(), FileError> {
    if !json {
        return files::print(text.as_bytes());
    }
    // A reader that has gone away is no error here either.
    let _ = stderr().write_all(text.as_bytes());
    Ok(())
}
