//! Decoding: a prompt in, text out as it comes.

use crate::engine::{Engine, EngineError};
use crate::error::ModelError;
use crate::sample::Sampler;
use crate::tokenizer::Tokenizer;
use serde::Serialize;

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The model chose a token that ends a text.
    End,
    /// As many tokens as asked for.
    MaxTokens,
    /// All positions are used.
    Context,
}

/// Takes the prompt and then chooses at most `max_tokens` tokens; `heard` gets each of them, one of `ends` too. Gives the chosen tokens.
pub fn generate(
    engine: &mut dyn Engine,
    sampler: &mut Sampler,
    prompt: &[u32],
    ends: &[u32],
    max_tokens: usize,
    mut heard: impl FnMut(u32),
) -> Result<(Vec<u32>, Stop), EngineError> {
    let mut generation = Generation::new(prompt, ends, max_tokens);
    let mut chosen = Vec::new();
    while let Some(token) = generation.next(engine, sampler)? {
        chosen.push(token);
        heard(token);
    }
    Ok((chosen, generation.stop().expect("it has ended")))
}

/// A generation, token by token.
#[derive(Clone, Debug)]
pub struct Generation {
    /// What goes in before the next token is chosen.
    input: Vec<u32>,
    ends: Vec<u32>,
    /// Tokens chosen, and the most there may be.
    chosen: usize,
    max_tokens: usize,
    stop: Option<Stop>,
}

impl Generation {
    /// After a prompt, for at most `max_tokens` tokens or up to one of `ends`.
    pub fn new(prompt: &[u32], ends: &[u32], max_tokens: usize) -> Self {
        Self {
            input: prompt.to_vec(),
            ends: ends.to_vec(),
            chosen: 0,
            max_tokens,
            stop: prompt.is_empty().then_some(Stop::Context),
        }
    }

    /// Why it has ended, if it has.
    pub const fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// Takes what has not gone in yet and chooses the next token; none after the end.
    pub fn next(
        &mut self,
        engine: &mut dyn Engine,
        sampler: &mut Sampler,
    ) -> Result<Option<u32>, EngineError> {
        if self.stop.is_some() {
            return Ok(None);
        }
        // The last token goes in only if another one is to be chosen: nothing follows it otherwise.
        while self.input.len() > 1 {
            engine.feed(self.input[0])?;
            self.input.remove(0);
        }
        if self.chosen == self.max_tokens {
            engine.settle()?;
            self.stop = Some(Stop::MaxTokens);
            return Ok(None);
        }
        if engine.position() == engine.capacity() && self.chosen > 0 {
            self.stop = Some(Stop::Context);
            return Ok(None);
        }
        let token = sampler.choose(engine.step(self.input[0])?);
        self.input[0] = token;
        self.chosen += 1;
        if self.ends.contains(&token) {
            self.stop = Some(Stop::End);
        }
        Ok(Some(token))
    }
}

/// Tokens to text as they come: a character appears when all of its bytes are there.
#[derive(Debug)]
pub struct Stream<'t> {
    tokenizer: &'t Tokenizer,
    tokens: Vec<u32>,
    /// Tokens from here on are decoded, since what a token says may depend on those before it.
    from: usize,
    /// Tokens before this one have been shown.
    shown: usize,
}

impl<'t> Stream<'t> {
    /// After these tokens, which are not shown.
    pub fn after(tokenizer: &'t Tokenizer, prompt: &[u32]) -> Self {
        Self {
            tokenizer,
            tokens: prompt.to_vec(),
            from: prompt.len().saturating_sub(8),
            shown: prompt.len(),
        }
    }

    /// The text that this token completes.
    pub fn push(&mut self, token: u32) -> Result<String, ModelError> {
        self.tokens.push(token);
        self.text(false)
    }

    /// What is left: characters that never became complete.
    pub fn finish(mut self) -> Result<String, ModelError> {
        self.text(true)
    }

    fn text(&mut self, last: bool) -> Result<String, ModelError> {
        let before = self.tokenizer.decode(&self.tokens[self.from..self.shown])?;
        let now = self.tokenizer.decode(&self.tokens[self.from..])?;
        if now.ends_with(char::REPLACEMENT_CHARACTER) && !last {
            return Ok(String::new());
        }
        (self.from, self.shown) = (self.shown, self.tokens.len());
        // A decoder may rewrite what came before; then nothing more can be told apart.
        Ok(now.strip_prefix(&before).unwrap_or(&now).to_owned())
    }
}
