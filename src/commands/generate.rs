//! `lpu generate`.

mod afd;
mod engines;
mod machine;
mod report;

use super::Outcome;
use crate::cli::GenerateArgs;
use lpu::decode::{Log, SharedLog};
use lpu::files::{self, Output};
use lpu_model::engine::EngineError;
use lpu_model::generate::{Stop, Stream, generate};
use lpu_model::kv::KvCache;
use lpu_model::sample::{Sampler, Settings};
use lpu_model::{Engine, Model, ModelError};
use report::{Report, Token};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The model that was asked for, or the one in the program.
pub fn open(path: Option<&Path>) -> Result<Model, ModelError> {
    match path {
        Some(path) => Model::open(path),
        None => Model::embedded(),
    }
}

/// Runs `lpu generate`.
pub fn execute(args: &GenerateArgs) -> miette::Result<Outcome> {
    let sampler = Sampler::new(Settings {
        temperature: args.temperature,
        top_k: args.top_k,
        top_p: args.top_p,
        seed: args.seed,
    })?;
    if let Some(path) = &args.kv_out {
        Output::check(path)?;
    }
    let model = Arc::new(open(args.model.as_deref())?);
    let cache = args.kv_in.as_deref().map(KvCache::read).transpose()?;
    let prompt = match cache {
        None => model.encode(&args.prompt)?,
        // The text goes on where the cache ends: no token begins it.
        Some(_) => model.encode_on(&args.prompt)?,
    };
    let before = cache.as_ref().map_or(0, KvCache::positions);
    let job = Job {
        args,
        model: &model,
        prompt,
        cache,
        sampler,
    };
    let positions = before + job.prompt.len().saturating_add(args.max_tokens);
    engines::with_engine(args, &model, positions, job)
}

/// What an engine is to do.
struct Job<'a> {
    args: &'a GenerateArgs,
    model: &'a Model,
    prompt: Vec<u32>,
    cache: Option<KvCache>,
    sampler: Sampler,
}

impl Job<'_> {
    /// Generates, showing the text as it comes, and reports.
    fn run(
        mut self,
        engine: &mut dyn Engine,
        log: &SharedLog,
        facts: report::Facts<'_>,
    ) -> miette::Result<Outcome> {
        let Self { args, model, .. } = self;
        if let Some(cache) = self.cache.take() {
            engine.import_cache(cache)?;
        }
        let mut stream = Stream::after(&model.tokenizer, &self.prompt);
        let (mut text, mut failed) = (String::new(), None);
        let mut show = |token: Option<u32>, piece: Result<String, ModelError>| {
            let shown = piece.map_err(miette::Report::from).and_then(|piece| {
                text.push_str(&piece);
                let line = match (args.json, token) {
                    (false, _) => piece,
                    (true, Some(token)) => Token::line(&log.borrow(), token, &piece),
                    (true, None) => return Ok(()),
                };
                Ok(files::print(line.as_bytes())?)
            });
            if let Err(error) = shown {
                failed.get_or_insert(error);
            }
        };
        let begun = Instant::now();
        let generated = generate(
            engine,
            &mut self.sampler,
            &self.prompt,
            &model.architecture.ends,
            args.max_tokens,
            |token| show(Some(token), stream.push(token)),
        );
        let seconds = begun.elapsed().as_secs_f64();
        show(None, stream.finish());
        if !args.json {
            show(None, Ok("\n".into()));
            text.pop();
        }
        let (tokens, stop): (Vec<u32>, Stop) = generated.map_err(|error| failure(log, error))?;
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(path) = &args.kv_out {
            let cache = engine.export_cache().map_err(|error| failure(log, error))?;
            files::write(path, &facts.cache_file(&cache))?;
        }
        let log = log.borrow();
        if let Some(difference) = &log.difference {
            eprintln!("{difference}");
        }
        let report = Report::new(
            args,
            &facts,
            &self.prompt,
            &text,
            &tokens,
            stop,
            seconds,
            &log,
        );
        match args.json {
            true => files::print(report.line().as_bytes())?,
            false => eprint!("{report}"),
        }
        Ok(match report.is_right() {
            true => Outcome::Success,
            false => Outcome::Failure,
        })
    }
}

/// The error of an engine, or of the machine behind it.
fn failure(log: &SharedLog, error: EngineError) -> miette::Report {
    let mut log: std::cell::RefMut<'_, Log> = log.borrow_mut();
    match log.failure.take() {
        Some(failure) => failure.into(),
        None => error.into(),
    }
}
