//! How large the values between the matrices become: the f32 reference over some text.

use crate::Model;
use crate::engine::{Engine, EngineError};
use crate::reference::{Part, Reference};
use crate::sample::{Sampler, Settings};
use serde::{Deserialize, Serialize};

/// Texts that a model makes up for its own calibration.
const TEXTS: usize = 4;
/// Most tokens of each.
const TOKENS: usize = 128;
/// Steps are this much larger than the calibration asks for, so that somewhat larger values do not saturate.
const MARGIN: f64 = 1.05;
/// The largest code.
const LARGEST: f64 = 127.0;

/// What one step of the int8 values of a layer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// Rotated queries.
    pub query: f32,
    /// Rotated keys.
    pub key: f32,
    /// Values, and what attention makes of them.
    pub value: f32,
    /// The product that `down` takes.
    pub hidden: f32,
}

/// Steps for each layer: the largest magnitude in the texts and five percent, divided by 127.
///
/// Each text is a sequence of its own from position 0; one longer than the context is cut.
pub fn calibrate(model: &Model, texts: &[Vec<u32>]) -> Result<Vec<Steps>, EngineError> {
    let mut largest = vec![[0f32; 4]; model.layers.len()];
    let mut engine = Reference::new(model, model.architecture.context);
    for text in texts {
        engine.rewind(0);
        for &token in text.iter().take(engine.capacity()) {
            engine.step_watched(token, &mut |layer, part, values| {
                let at = match part {
                    Part::Query => 0,
                    Part::Key => 1,
                    Part::Value => 2,
                    Part::Hidden => 3,
                    Part::Residual => return,
                };
                let most = &mut largest[layer][at];
                *most = values.iter().fold(*most, |most, x| most.max(x.abs()));
            })?;
        }
    }
    // A part that was zero throughout may have any step.
    let step = |largest: f32| match largest {
        0.0 => 1.0,
        largest => (f64::from(largest) * MARGIN / LARGEST) as f32,
    };
    let steps = largest.into_iter().map(|layer| {
        let [query, key, value, hidden] = layer.map(step);
        Steps {
            query,
            key,
            value,
            hidden,
        }
    });
    Ok(steps.collect())
}

/// Four texts that the model itself writes, drawn at temperature 1 from fixed seeds; each begins with the token that texts begin with, or with one of
/// the first four tokens. Where one ends, the next begins.
pub fn own_texts(model: &Model) -> Result<Vec<Vec<u32>>, EngineError> {
    let shape = &model.architecture;
    let mut engine = Reference::new(model, TOKENS);
    let mut texts = Vec::new();
    for seed in 0..TEXTS {
        let settings = Settings {
            temperature: 1.0,
            seed: seed as u64,
            ..Settings::default()
        };
        let mut sampler = Sampler::new(settings).expect("the settings are legal");
        engine.rewind(0);
        let first = (seed % shape.vocabulary) as u32;
        let mut text = vec![shape.start.unwrap_or(first)];
        loop {
            let logits = engine.step(text[text.len() - 1])?;
            let token = sampler.choose(logits);
            if shape.ends.contains(&token) || engine.position() == engine.capacity() {
                break;
            }
            text.push(token);
        }
        texts.push(text);
    }
    Ok(texts)
}
