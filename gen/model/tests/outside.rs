//! The reference engine beside a double precision forward pass in Python (`outside.py`), for every family.
//!
//! `LPU_SEED=S cargo test -p lpu-model --test outside` draws other weights.

mod common;

use lpu_model::disaggregated::Disaggregated;
use lpu_model::int8::calibration::calibrate;
use lpu_model::int8::{GoldenEngine, GoldenNetworks, convert, convert_networks};
use lpu_model::reference::Reference;
use lpu_model::{Engine, Model};
use std::borrow::Cow;
use std::path::Path;

const FAMILIES: [&str; 12] = [
    "llama",
    "llama3",
    "mistral",
    "qwen2",
    "qwen3",
    "mixtral",
    "qwen2_moe",
    "qwen3_moe",
    "gpt2_gelu_new",
    "gpt2_gelu",
    "llama2c",
    "llama2c_head",
];

fn words<const N: usize>(path: &Path) -> Vec<[u8; N]> {
    let bytes = std::fs::read(path).unwrap();
    bytes.as_chunks().0.to_vec()
}

fn tokens(folder: &Path) -> Vec<u32> {
    let words = words(&folder.join("tokens.bin")).into_iter();
    words.map(u32::from_le_bytes).collect()
}

/// The largest difference of a logit at any position, for the largest logit there.
fn difference(folder: &Path, model: &Model) -> f64 {
    let mut engine = Reference::new(model, tokens(folder).len());
    engine_difference(folder, &mut engine)
}

fn engine_difference(folder: &Path, engine: &mut dyn Engine) -> f64 {
    let tokens = tokens(folder);
    let logits: Vec<f64> = words(&folder.join("logits.bin"))
        .into_iter()
        .map(f64::from_le_bytes)
        .collect();
    let mut worst = 0.0f64;
    for (&token, expected) in tokens.iter().zip(logits.chunks(engine.vocabulary())) {
        let found = engine.step(token).unwrap();
        let pairs = found.iter().zip(expected);
        let error = pairs
            .map(|(&f, e)| (f64::from(f) - e).abs())
            .fold(0.0, f64::max);
        worst = worst.max(error / expected.iter().fold(0.0, |most, e| e.abs().max(most)));
    }
    assert_eq!(engine.position(), tokens.len());
    worst
}

/// What a machine computes in int8, without the machine: all layers, and the networks alone with attention in f32.
fn rounded(folder: &Path, model: &Model) -> [Option<f64>; 2] {
    let text = tokens(folder);
    let steps = calibrate(model, std::slice::from_ref(&text)).unwrap();
    let whole = convert(model, &steps).ok().map(|int8| {
        let mut engine = GoldenEngine::new(model, Cow::Owned(int8), text.len(), 16).unwrap();
        engine_difference(folder, &mut engine)
    });
    let networks = convert_networks(model, &steps).ok().map(|int8| {
        let networks = GoldenNetworks::new(&int8, 16);
        let mut engine = Disaggregated::new(Reference::new(model, text.len()), networks);
        engine_difference(folder, &mut engine)
    });
    [whole, networks]
}

/// Families whose layers a machine computes, and those whose feed-forward networks it computes.
const LAYERS: [&str; 5] = ["llama", "llama3", "mistral", "llama2c", "llama2c_head"];
const NETWORKS: [&str; 5] = ["qwen2", "qwen3", "mixtral", "qwen2_moe", "qwen3_moe"];

#[test]
fn logits_are_those_of_the_papers() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    let seed = common::number("LPU_SEED").unwrap_or(1);
    let script = common::root().join("gen/model/tests/outside.py");
    common::run_python(&script, &[models.to_str().unwrap(), &seed.to_string()]);
    for family in FAMILIES {
        let folder = models.join(family);
        let model = Model::open(&folder).unwrap_or_else(|error| panic!("{family}: {error}"));
        let worst = difference(&folder, &model);
        println!("{family}: {worst:.1e}");
        assert!(
            worst < 1e-4,
            "seed {seed}, {family}: relative difference {worst:e}"
        );
        assert!(worst > 0.0, "f32 and f64 differ somewhere");
        let [whole, networks] = rounded(&folder, &model);
        println!("{family} in int8: {whole:.3?}; networks alone: {networks:.3?}");
        assert_eq!(whole.is_some(), LAYERS.contains(&family), "{family}");
        let alone = LAYERS.contains(&family) || NETWORKS.contains(&family);
        assert_eq!(networks.is_some(), alone, "{family}");
        // An error of x can make a router choose another expert, and that is no small difference.
        let mixture = family.contains("moe") || family == "mixtral";
        let most = if mixture { 0.3 } else { 0.1 };
        for error in whole.into_iter().chain(networks) {
            assert!((1e-6..most).contains(&error), "{family}: {error}");
        }
    }
    // The measure sees a wrong epsilon.
    let mut model = Model::open(&models.join("llama")).unwrap();
    model.architecture.epsilon = 0.1;
    assert!(difference(&models.join("llama"), &model) > 1e-3);
}
