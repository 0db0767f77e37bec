//! What `lpu generate` says: a line for each token, and the sum.

use crate::cli::GenerateArgs;
use lpu::decode::Log;
use lpu::run::Lpus;
use lpu_isa::Config;
use lpu_model::generate::Stop;
use lpu_model::int8::Int8Model;
use lpu_model::kv::KvCache;
use lpu_model::quant::Scheme;
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// A generated token.
#[derive(Serialize)]
pub struct Token<'a> {
    token: u32,
    text: &'a str,
    /// Hash of the logits that it was chosen from.
    logits: &'a str,
    /// Cycles of the launch that gave them.
    cycles: Option<u64>,
}

impl Token<'_> {
    /// The line of a token that was chosen after the last step.
    pub fn line(log: &Log, token: u32, text: &str) -> String {
        let step = log.steps.last();
        json(&Token {
            token,
            text,
            logits: step.map_or("", |step| &step.logits),
            cycles: step.and_then(|step| step.cycles),
        })
    }
}

/// What is known about an engine.
#[derive(Clone, Default)]
pub struct Facts<'a> {
    /// Its name.
    pub engine: &'static str,
    /// What it rounds, if it is the reference.
    pub scheme: Option<Scheme>,
    /// Its machine.
    pub config: Option<&'a Config>,
    /// How many machines, if there are several.
    pub lpus: Option<Lpus>,
    /// Its weights.
    pub int8: Option<&'a Int8Model>,
    /// Bytes of weights, keys and values that a step has to read.
    pub read_bytes: u64,
}

impl Facts<'_> {
    /// A file with a cache of this engine.
    pub fn cache_file(&self, cache: &KvCache) -> Vec<u8> {
        match self.int8 {
            Some(int8) => int8.cache_file(cache),
            None => cache.to_safetensors(),
        }
    }
}

/// The sum.
#[derive(Serialize)]
pub struct Report<'a> {
    engine: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheme: Option<Scheme>,
    config: Option<&'a str>,
    config_hash: Option<String>,
    #[serde(flatten)]
    lpus: Option<Lpus>,
    prompt: &'a str,
    prompt_tokens: usize,
    text: &'a str,
    /// Generated.
    tokens: usize,
    stop: Stop,
    /// Tokens that went in, those of the prompt included.
    steps: usize,
    mismatches: u64,
    cycles_predicted: Option<u64>,
    cycles_measured: Option<u64>,
    sram_read_utilization: Option<f64>,
    tokens_per_cycle: Option<f64>,
    events_compared: u64,
    temperature: f64,
    top_k: usize,
    top_p: f64,
    seed: u64,
    seconds: f64,
    steps_per_second: f64,
}

impl<'a> Report<'a> {
    /// Sums up.
    #[expect(clippy::too_many_arguments, reason = "all that there is to report")]
    pub fn new(
        args: &'a GenerateArgs,
        facts: &Facts<'a>,
        prompt: &[u32],
        text: &'a str,
        tokens: &[u32],
        stop: Stop,
        seconds: f64,
        log: &Log,
    ) -> Self {
        let steps = log.steps.len();
        let cycles = log.cycles();
        let share = |work: f64| cycles.map(|(measured, _)| work / measured as f64);
        let vectors = facts
            .config
            .map_or(1, |config| config.mem.slices * config.lanes)
            * facts.lpus.as_ref().map_or(1, |lpus| lpus.lpus);
        Self {
            engine: facts.engine,
            scheme: facts.scheme,
            config: facts.config.map(|config| config.name.as_str()),
            config_hash: facts.config.map(Config::hash),
            lpus: facts.lpus.clone(),
            prompt: &args.prompt,
            prompt_tokens: prompt.len(),
            text,
            tokens: tokens.len(),
            stop,
            steps,
            mismatches: log.mismatches(),
            cycles_predicted: cycles.map(|(_, predicted)| predicted),
            cycles_measured: cycles.map(|(measured, _)| measured),
            sram_read_utilization: share(facts.read_bytes as f64 * steps as f64 / vectors as f64),
            tokens_per_cycle: share(steps as f64),
            events_compared: log.events_compared(),
            temperature: args.temperature,
            top_k: args.top_k,
            top_p: args.top_p,
            seed: args.seed,
            seconds,
            steps_per_second: steps as f64 / seconds.max(1e-9),
        }
    }

    /// Whether nothing differs and every launch took the predicted cycles.
    pub fn is_right(&self) -> bool {
        self.mismatches == 0 && self.cycles_predicted == self.cycles_measured
    }

    /// One line of JSON.
    pub fn line(&self) -> String {
        json(self)
    }
}

fn json(value: &impl Serialize) -> String {
    let line = serde_json::to_string(value).expect("a report is JSON");
    format!("{line}\n")
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let stop = match self.stop {
            Stop::End => "the model ended the text",
            Stop::MaxTokens => "as many as asked for",
            Stop::Context => "no position is left",
        };
        let Self {
            tokens,
            steps,
            seconds,
            ..
        } = self;
        let rate = self.steps_per_second;
        writeln!(
            f,
            "\n{} tokens ({stop}) after {} of the prompt: {steps} steps in {seconds:.1} s, {rate:.1} a second ({})",
            tokens, self.prompt_tokens, self.engine
        )?;
        let (Some(measured), Some(predicted)) = (self.cycles_measured, self.cycles_predicted)
        else {
            return Ok(());
        };
        let verdict = match self.is_right() {
            true => {
                "equal to the golden decoder in every bit of every logit, in the predicted cycles"
            }
            false => "DIFFERENT from the golden decoder",
        };
        let each = measured as f64 / (*steps).max(1) as f64;
        writeln!(f, "{verdict}")?;
        writeln!(f, "cycles predicted        {predicted}")?;
        writeln!(f, "cycles measured         {measured} ({each:.0} a step)")?;
        if let Some(share) = self.sram_read_utilization {
            let share = 100.0 * share;
            writeln!(
                f,
                "weights, keys, values   {share:.2} % of the SRAM read bandwidth"
            )?;
        }
        if self.events_compared > 0 {
            writeln!(f, "events compared         {}", self.events_compared)?;
        }
        writeln!(f, "mismatches              {}", self.mismatches)
    }
}
