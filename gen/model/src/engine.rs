//! What decodes: a token in, logits of the next one out.

use crate::Model;
use crate::kv::{KvCache, KvError};
use miette::Diagnostic;
use thiserror::Error;

/// A step that cannot be taken.
#[derive(Debug, Error, Diagnostic)]
pub enum EngineError {
    /// The token is not in the vocabulary.
    #[error("token {token} is not in the vocabulary of {vocabulary} tokens")]
    #[diagnostic(code(lpu::engine::token), help("tokens are from 0 to {}", vocabulary - 1))]
    Token {
        /// The token.
        token: u32,
        /// Number of tokens.
        vocabulary: usize,
    },
    /// No position is left.
    #[error("all {capacity} positions are used")]
    #[diagnostic(
        code(lpu::engine::capacity),
        help("shorten the prompt, or generate fewer tokens")
    )]
    Capacity {
        /// Number of positions.
        capacity: usize,
    },
    /// A logit is a NaN or infinite.
    #[error("the logit of token {token} at position {position} is {value}")]
    #[diagnostic(
        code(lpu::engine::logit),
        help("logits are finite numbers: the weights are too large for this engine's arithmetic")
    )]
    Logit {
        /// The token.
        token: usize,
        /// The position of the input.
        position: usize,
        /// The value.
        value: f32,
    },
    /// The machine that computes has failed; its own error says more.
    #[error("the machine has failed: {reason}")]
    #[diagnostic(code(lpu::engine::machine))]
    Machine {
        /// Its error.
        reason: String,
    },
    /// Keys and values do not fit the model.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cache(#[from] KvError),
}

/// A model that decodes token by token.
pub trait Engine {
    /// Number of tokens.
    fn vocabulary(&self) -> usize;

    /// Positions it can hold.
    fn capacity(&self) -> usize;

    /// Tokens taken so far: the position of the next one.
    fn position(&self) -> usize;

    /// Takes a token and gives the logits of the one that follows it, `vocabulary` finite numbers.
    fn step(&mut self, token: u32) -> Result<&[f32], EngineError>;

    /// Takes a token whose logits nobody asks for, such as those of a prompt: an engine that works on several at once need not wait for
    /// them. What is wrong with them may show in a later call.
    fn feed(&mut self, token: u32) -> Result<(), EngineError> {
        self.step(token).map(drop)
    }

    /// Waits for all tokens that it was fed.
    fn settle(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    /// Forgets all positions from `position` on.
    fn rewind(&mut self, position: usize);

    /// A copy of the keys and values of all positions.
    fn export_cache(&mut self) -> Result<KvCache, EngineError>;

    /// Goes on after the positions of a cache.
    fn import_cache(&mut self, cache: KvCache) -> Result<(), EngineError>;
}

/// Refuses a token that is not in the vocabulary, and a position beyond the last one.
pub fn check_step(
    model: &Model,
    token: u32,
    position: usize,
    capacity: usize,
) -> Result<(), EngineError> {
    let vocabulary = model.architecture.vocabulary;
    if token as usize >= vocabulary {
        return Err(EngineError::Token { token, vocabulary });
    }
    match position < capacity {
        true => Ok(()),
        false => Err(EngineError::Capacity { capacity }),
    }
}

/// Refuses logits that are not finite.
pub fn check_logits(logits: &[f32], position: usize) -> Result<(), EngineError> {
    match logits.iter().position(|logit| !logit.is_finite()) {
        None => Ok(()),
        Some(token) => Err(EngineError::Logit {
            token,
            position,
            value: logits[token],
        }),
    }
}
