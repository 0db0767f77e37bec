//! What rounding does to a model on a text.

use super::{Format, Scheme};
use crate::engine::EngineError;
use crate::model::Model;
use crate::reference::Reference;
use crate::sample::greedy;
use serde::Serialize;

/// Differences between a model with rounding and the model in f32, both fed the same text.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was rounded.
    pub scheme: Scheme,
    /// Tokens of the text.
    pub tokens: usize,
    /// For each layer, of the residual stream after it: root of the sum of squared differences for that of squares in f32. Errors of earlier
    /// layers are in it.
    pub layers: Vec<f64>,
    /// Largest difference of a logit.
    pub logit_max_error: f64,
    /// Relative root mean square error of the logits, as of layers.
    pub logit_rms_error: f64,
    /// Kullback-Leibler divergence of the rounded from the f32 distribution of the next token, nats: mean.
    pub kl_mean: f64,
    /// Largest.
    pub kl_max: f64,
    /// Share of positions at which both find the same token the most likely one.
    pub same_choice: f64,
    /// exp of the mean negative log-likelihood of the text after its first token, in f32.
    pub perplexity_f32: f64,
    /// With rounding.
    pub perplexity: f64,
    /// Bytes of all matrices in f32.
    pub bytes_f32: usize,
    /// In the scheme's formats; embedding and positions stay in f32.
    pub bytes: usize,
}

/// Sums of squares: of differences, and of the exact values.
#[derive(Clone, Copy, Debug, Default)]
struct Squares(f64, f64);

impl Squares {
    fn add(&mut self, rounded: &[f32], exact: &[f32]) {
        for (&rounded, &exact) in rounded.iter().zip(exact) {
            let (rounded, exact) = (f64::from(rounded), f64::from(exact));
            self.0 += (rounded - exact) * (rounded - exact);
            self.1 += exact * exact;
        }
    }

    fn relative(self) -> f64 {
        if self.0 == 0.0 {
            0.0
        } else {
            (self.0 / self.1).sqrt()
        }
    }
}

/// Runs both on the tokens of a text, of which at most the context is used.
pub fn compare(model: &Model, scheme: Scheme, tokens: &[u32]) -> Result<Report, EngineError> {
    let tokens = &tokens[..tokens.len().min(model.architecture.context)];
    let mut exact = Reference::new(model, tokens.len());
    let mut rounded = Reference::quantised(model, scheme, tokens.len());
    let layers = model.layers.len();
    let mut squares = vec![Squares::default(); layers];
    let (mut logits, mut kl, mut same) = (Squares::default(), Vec::new(), 0);
    let (mut largest, mut losses) = (0.0f64, [0.0; 2]);
    for (at, &token) in tokens.iter().enumerate() {
        let mut streams = Vec::with_capacity(layers);
        let expected = exact.step_observed(token, |_, x| streams.push(x.to_vec()))?;
        let found =
            rounded.step_observed(token, |layer, x| squares[layer].add(x, &streams[layer]))?;
        logits.add(found, expected);
        for (&found, &expected) in found.iter().zip(expected) {
            largest = largest.max((f64::from(found) - f64::from(expected)).abs());
        }
        same += usize::from(greedy(found) == greedy(expected));
        let (p, q) = (log_softmax(expected), log_softmax(found));
        let divergence = p.iter().zip(&q).map(|(p, q)| libm::exp(*p) * (p - q));
        kl.push(divergence.sum::<f64>().max(0.0));
        if let Some(&next) = tokens.get(at + 1) {
            losses[0] -= p.get(next as usize).copied().unwrap_or(0.0);
            losses[1] -= q.get(next as usize).copied().unwrap_or(0.0);
        }
    }
    let steps = tokens.len().max(1) as f64;
    let perplexity = |loss: f64| libm::exp(loss / (steps - 1.0).max(1.0));
    Ok(Report {
        scheme,
        tokens: tokens.len(),
        layers: squares.into_iter().map(Squares::relative).collect(),
        logit_max_error: largest,
        logit_rms_error: logits.relative(),
        kl_mean: kl.iter().sum::<f64>() / steps,
        kl_max: kl.iter().copied().fold(0.0, f64::max),
        same_choice: same as f64 / steps,
        perplexity_f32: perplexity(losses[0]),
        perplexity: perplexity(losses[1]),
        bytes_f32: bytes(model, Scheme::EXACT),
        bytes: bytes(model, scheme),
    })
}

/// Bytes of all matrices with their scales. A head that is the embedding counts as the head as well, unless both are in f32.
pub fn bytes(model: &Model, scheme: Scheme) -> usize {
    let mut total = 0;
    for (name, matrix) in model.matrices() {
        let format = match name.rsplit('.').next() {
            Some("head") => scheme.head,
            Some("embedding" | "positions") => Format::F32,
            Some("router" | "shared_gate") => scheme.router,
            _ => scheme.layers,
        };
        total += format.matrix_bytes(matrix.outputs(), matrix.inputs());
    }
    if model.architecture.tied && scheme.head != Format::F32 {
        let head = &model.head.weight;
        total += scheme.head.matrix_bytes(head.outputs(), head.inputs());
    }
    total
}

fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = logits
        .iter()
        .map(|&x| libm::exp(f64::from(x) - f64::from(most)))
        .sum();
    let base = f64::from(most) + libm::log(total);
    logits.iter().map(|&x| f64::from(x) - base).collect()
}
