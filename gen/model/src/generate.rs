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
    let mut chosen = Vec::new();
    let Some((&last, before)) = prompt.split_last() else {
        return Ok((chosen, Stop::Context));
    };
    for &token in before {
        engine.step(token)?;
    }
    let mut token = last;
    loop {
        // The last token chosen needs no position, since nothing follows it.
        if chosen.len() == max_tokens {
            return Ok((chosen, Stop::MaxTokens));
        }
        if engine.position() == engine.capacity() && !chosen.is_empty() {
            return Ok((chosen, Stop::Context));
        }
        token = sampler.choose(engine.step(token)?);
        chosen.push(token);
        heard(token);
        if ends.contains(&token) {
            return Ok((chosen, Stop::End));
        }
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
