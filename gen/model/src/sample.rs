//! The choice of a token from logits.

use crate::reference::math::top;
use miette::Diagnostic;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use thiserror::Error;

/// A setting that is refused.
#[derive(Debug, Error, Diagnostic)]
#[error("{name} is {value}; {rule}")]
#[diagnostic(code(lpu::sample), help("leave it out for the default"))]
pub struct SettingError {
    name: &'static str,
    value: f64,
    rule: &'static str,
}

/// How tokens are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Logits are divided by it; 0 chooses the most likely token.
    pub temperature: f64,
    /// Only the `top_k` most likely tokens; 0 means all.
    pub top_k: usize,
    /// Only the most likely tokens that make up this share (Holtzman et al. 2020).
    pub top_p: f64,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            seed: 1,
        }
    }
}

/// Chooses tokens; the same settings and logits give the same tokens on every host.
#[derive(Clone, Debug)]
pub struct Sampler {
    settings: Settings,
    random: ChaCha8Rng,
}

impl Sampler {
    /// Checks the settings.
    pub fn new(settings: Settings) -> Result<Self, SettingError> {
        let refuse = |name, value, rule| Err(SettingError { name, value, rule });
        let Settings {
            temperature, top_p, ..
        } = settings;
        if !(0.0..=1e6).contains(&temperature) {
            return refuse(
                "temperature",
                temperature,
                "it must be a number from 0 to 1000000",
            );
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return refuse("top_p", top_p, "it must be above 0 and at most 1");
        }
        Ok(Self {
            settings,
            random: ChaCha8Rng::seed_from_u64(settings.seed),
        })
    }

    /// The next token. Of equal logits the earlier token is the likelier one.
    ///
    /// # Panics
    /// If there are no logits.
    pub fn choose(&mut self, logits: &[f32]) -> u32 {
        let Settings {
            temperature,
            top_k,
            top_p,
            ..
        } = self.settings;
        if temperature == 0.0 {
            return greedy(logits);
        }
        let count = if top_k == 0 { logits.len() } else { top_k };
        let order = top(logits, count);
        let most = f64::from(logits[order[0]]);
        let weight = |&token: &usize| libm::exp((f64::from(logits[token]) - most) / temperature);
        let mut weights: Vec<f64> = order.iter().map(weight).collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let kept = weights.iter().position(|weight| {
            sum += weight;
            sum >= top_p * total
        });
        weights.truncate(kept.map_or(weights.len(), |last| last + 1));
        let total: f64 = weights.iter().sum();
        // 53 random bits, below 1.
        let mut point = (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64 * total;
        let chosen = weights.iter().position(|weight| {
            point -= weight;
            point < 0.0
        });
        order[chosen.unwrap_or(weights.len() - 1)] as u32
    }
}

/// The token with the largest logit, of equals the earlier one.
///
/// # Panics
/// If there are no logits.
pub fn greedy(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    assert!(!logits.is_empty(), "a vocabulary is not empty");
    best as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f64, top_k: usize, top_p: f64) -> Sampler {
        let settings = Settings {
            temperature,
            top_k,
            top_p,
            seed: 5,
        };
        Sampler::new(settings).unwrap()
    }

    fn counts(mut sampler: Sampler, logits: &[f32]) -> Vec<usize> {
        let mut counts = vec![0; logits.len()];
        (0..10_000).for_each(|_| counts[sampler.choose(logits) as usize] += 1);
        counts
    }

    #[test]
    fn shares_are_those_of_the_softmax() {
        let logits = [0.0, 2f32.ln(), 3f32.ln(), 4f32.ln()];
        let all = counts(sampler(1.0, 0, 1.0), &logits);
        for (count, share) in all.iter().zip([0.1, 0.2, 0.3, 0.4]) {
            assert!((*count as f64 / 10_000.0 - share).abs() < 0.02, "{all:?}");
        }
        // Temperature 1/2 squares the weights: 1, 4, 9, 16.
        let cold = counts(sampler(0.5, 0, 1.0), &logits);
        assert!(
            (cold[3] as f64 / 10_000.0 - 16.0 / 30.0).abs() < 0.02,
            "{cold:?}"
        );
    }

    #[test]
    fn unlikely_tokens_are_left_out() {
        let logits = [0.0, 2f32.ln(), 3f32.ln(), 4f32.ln()];
        assert_eq!(counts(sampler(1.0, 2, 1.0), &logits)[..2], [0, 0]);
        // 0.4 is not enough for 0.5, 0.4 + 0.3 is.
        let half = counts(sampler(1.0, 0, 0.5), &logits);
        assert!(half[..2] == [0, 0] && half[2] > 3000, "{half:?}");
        assert_eq!(counts(sampler(1.0, 0, 1e-9), &logits)[3], 10_000);
        assert_eq!(counts(sampler(0.0, 0, 1.0), &[1.0, 5.0, 5.0])[1], 10_000);
    }

    #[test]
    fn settings_are_checked() {
        for (temperature, top_p) in [
            (-1.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, 0.0),
            (1.0, f64::NAN),
            (1.0, 1.1),
        ] {
            let settings = Settings {
                temperature,
                top_p,
                ..Settings::default()
            };
            assert!(Sampler::new(settings).is_err(), "{settings:?}");
        }
    }
}
