//! Models in int8 on the golden decoder, against the reference in f32.

#[path = "int8/awkward.rs"]
mod awkward;
mod common;

use lpu_model::architecture::{Activation, NormKind};
use lpu_model::generate::{Stop, Stream, generate};
use lpu_model::int8::calibration::{Steps, calibrate, own_texts};
use lpu_model::int8::{GoldenEngine, Int8Model, convert};
use lpu_model::kv::KvCache;
use lpu_model::model::Ffn;
use lpu_model::reference::Reference;
use lpu_model::sample::{Sampler, Settings};
use lpu_model::{Engine, Model};
use std::borrow::Cow;

fn int8(model: &Model) -> Int8Model {
    let texts = own_texts(model).unwrap();
    convert(model, &calibrate(model, &texts).unwrap()).unwrap()
}

fn engine<'m>(model: &'m Model, int8: &'m Int8Model, positions: usize) -> GoldenEngine<'m> {
    GoldenEngine::new(model, Cow::Borrowed(int8), positions, 16).unwrap()
}

fn open(files: &common::Files) -> Model {
    let folder = tempfile::tempdir().unwrap();
    common::write(folder.path(), files);
    Model::open(folder.path()).unwrap()
}

/// The relative root mean square error of the logits of a text, and how often both engines find the same next token.
fn compare(a: &mut dyn Engine, b: &mut dyn Engine, text: &[u32]) -> (f64, f64) {
    let (mut differences, mut squares, mut same) = (0.0, 0.0, 0);
    let mut choose = Sampler::new(Settings::default()).unwrap();
    for &token in text {
        let a = a.step(token).unwrap();
        let b = b.step(token).unwrap();
        for (&a, &b) in a.iter().zip(b) {
            differences += f64::from(a - b).powi(2);
            squares += f64::from(b).powi(2);
        }
        same += usize::from(choose.choose(a) == choose.choose(b));
    }
    let share = same as f64 / text.len() as f64;
    ((differences / squares).sqrt(), share)
}

#[test]
fn the_trained_model_adds_in_int8() {
    let model = Model::embedded().unwrap();
    let int8 = int8(&model);
    let mut golden = engine(&model, &int8, 128);
    let mut reference = Reference::new(&model, 128);
    for (prompt, sum) in [
        ("27182818+31415926=", "058598744"),
        ("99999999+00000001=", "100000000"),
        ("00000000+00000000=", "000000000"),
        ("40506070+08090102=", "048596172"),
    ] {
        let prompt = model.encode(prompt).unwrap();
        let mut sampler = Sampler::new(Settings::default()).unwrap();
        let mut stream = Stream::after(&model.tokenizer, &prompt);
        let mut text = String::new();
        golden.rewind(0);
        let ends = &model.architecture.ends;
        let heard = |token| text += &stream.push(token).unwrap();
        let (tokens, stop) =
            generate(&mut golden, &mut sampler, &prompt, ends, 128, heard).unwrap();
        assert!(text.ends_with(&format!(";{sum}")), "{text}");
        assert_eq!(stop, Stop::End);

        let all: Vec<u32> = prompt.into_iter().chain(tokens).collect();
        golden.rewind(0);
        reference.rewind(0);
        let (error, same) = compare(&mut golden, &mut reference, &all[..all.len() - 1]);
        println!("sums: logits differ by {error:.4}, {same:.3} of the choices are the same");
        assert!(error < 0.05 && same > 0.95, "{error} {same}");
    }
}

#[test]
fn an_awkward_model_stays_near_its_reference() {
    let model = open(&awkward::files());
    let int8 = int8(&model);
    let mut golden = engine(&model, &int8, 40);
    let mut reference = Reference::new(&model, 40);
    let text: Vec<u32> = (0..40).map(|i| (i * i * 7 + 3) % 61).collect();
    let (error, same) = compare(&mut golden, &mut reference, &text);
    println!("awkward: logits differ by {error:.4}, {same:.3} of the choices are the same");
    assert!(error < 0.1 && same > 0.6, "{error} {same}");
}

/// llama2.c rotates neighbours: rows of queries and keys change places, and nothing else does.
#[test]
fn neighbours_are_put_into_halves() {
    let model = open(&common::llama2c());
    let int8 = int8(&model);
    assert!(int8.neighbours);
    let mut golden = engine(&model, &int8, 16);
    let mut reference = Reference::new(&model, 16);
    let text: Vec<u32> = (0..16).map(|i| (i * 53 + 7) % 300).collect();
    let (error, _) = compare(&mut golden, &mut reference, &text);
    println!("llama2.c: logits differ by {error:.4}");
    assert!(error < 0.05, "{error}");

    // The cache is in the model's order on both sides.
    let (a, b) = (
        golden.export_cache().unwrap(),
        reference.export_cache().unwrap(),
    );
    let steps = int8.layers[0].steps;
    for (a, b) in a.keys(0, 0).iter().zip(b.keys(0, 0)) {
        assert!((a - b).abs() < 2.0 * steps.key, "key {a}, exactly {b}");
    }
}

#[test]
fn a_cache_goes_out_and_in_without_a_change() {
    let model = open(&common::llama2c());
    let int8 = int8(&model);
    let text: Vec<u32> = (0..12).map(|i| (i * 31 + 2) % 300).collect();
    let mut first = engine(&model, &int8, 16);
    for &token in &text[..8] {
        first.step(token).unwrap();
    }
    let mut second = engine(&model, &int8, 12);
    second.import_cache(first.export_cache().unwrap()).unwrap();
    assert_eq!(second.position(), 8);
    for &token in &text[8..] {
        let expected = first.step(token).unwrap().to_vec();
        assert_eq!(second.step(token).unwrap(), expected);
    }
    // A file in int8 holds the same codes.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.safetensors");
    let cache = second.export_cache().unwrap();
    std::fs::write(&path, int8.cache_file(&cache)).unwrap();
    assert_eq!(KvCache::read(&path).unwrap(), cache);

    assert!(second.step(0).is_err(), "all twelve positions are used");
    let mut small = engine(&model, &int8, 8);
    let message = small
        .import_cache(first.export_cache().unwrap())
        .unwrap_err();
    insta::assert_snapshot!(message, @"the cache has 12 positions, the engine holds 8");

    // The f32 reference hands over as well.
    let mut reference = Reference::new(&model, 16);
    let mut after = engine(&model, &int8, 16);
    for &token in &text[..8] {
        reference.step(token).unwrap();
    }
    after
        .import_cache(reference.export_cache().unwrap())
        .unwrap();
    let (error, _) = compare(&mut after, &mut reference, &text[8..]);
    assert!(error < 0.05, "{error}");
}

#[test]
fn codes_and_scales_follow_the_document() {
    let model = open(&common::whole());
    let converted = int8(&model);
    let (layer, exact) = (&converted.layers[1], &model.layers[1]);
    let mut row = vec![0.0; 12];
    for output in 0..10 {
        exact_row(exact, output, &mut row);
        let gained = row.iter().zip(&exact.ffn_norm.weight);
        let weights: Vec<f64> = gained.map(|(&w, &g)| f64::from(w) * f64::from(g)).collect();
        let scale = f64::from(layer.up.scales[output]);
        let largest = weights.iter().fold(0f64, |most, w| most.max(w.abs()));
        assert_eq!(scale as f32, (largest / 127.0) as f32);
        for (input, weight) in weights.iter().enumerate() {
            let code = f64::from(layer.up.codes.at(output, input));
            assert!(
                (code * scale - weight).abs() <= 0.5001 * scale,
                "{output} {input}"
            );
        }
    }
    // c and two entries of B.
    let steps = layer.steps;
    let golden = converted.golden(16, 16);
    let exact = f64::from(steps.query) * f64::from(steps.key) * std::f64::consts::LOG2_E / 2.0;
    assert_eq!(golden.layers[1].score, (exact as f32).to_bits());
    let quotient = f64::from(layer.up.scales[3]) / f64::from(steps.hidden);
    assert_eq!(golden.layers[1].up.factors[3], (quotient as f32).to_bits());
    let product = f64::from(layer.down.scales[3]) * f64::from(steps.hidden);
    assert_eq!(golden.layers[1].down.factors[3], (product as f32).to_bits());
}

fn exact_row(layer: &lpu_model::model::Layer, output: usize, row: &mut [f32]) {
    let Ffn::Dense(dense) = &layer.ffn else {
        panic!("a dense network");
    };
    dense.up.weight.row(output, row);
}

#[test]
fn calibration_takes_the_largest_values() {
    let model = open(&common::whole());
    let texts = [vec![1, 2, 3], vec![9, 9]];
    let steps = calibrate(&model, &texts).unwrap();
    assert_eq!(steps, calibrate(&model, &texts).unwrap());
    assert_eq!(own_texts(&model).unwrap(), own_texts(&model).unwrap());
    let mut most = [0f32; 2];
    for text in texts {
        let mut engine = Reference::new(&model, 32);
        text.iter()
            .for_each(|&token| drop(engine.step(token).map(<[f32]>::len)));
        let cache = engine.export_cache().unwrap();
        for head in 0..2 {
            let largest = |most: f32, x: &f32| most.max(x.abs());
            most[0] = cache.keys(1, head).iter().fold(most[0], largest);
            most[1] = cache.values(1, head).iter().fold(most[1], largest);
        }
    }
    let step = |most: f32| (f64::from(most) * 1.05 / 127.0) as f32;
    assert_eq!([steps[1].key, steps[1].value], most.map(step));
}

#[test]
fn what_the_layers_cannot_compute_is_refused() {
    let steps = [Steps {
        query: 1.0,
        key: 1.0,
        value: 1.0,
        hidden: 1.0,
    }; 2];
    let refused = |spoil: &dyn Fn(&mut Model)| {
        let mut model = open(&common::whole());
        spoil(&mut model);
        convert(&model, &steps).unwrap_err().to_string()
    };
    let messages = [
        refused(&|model| model.architecture.norm = NormKind::Layer),
        refused(&|model| model.architecture.activation = Activation::GeluTanh),
        refused(&|model| {
            model.architecture.positions = lpu_model::architecture::Positions::Learned
        }),
        refused(&|model| model.architecture.head_norm = true),
        refused(&|model| model.layers[1].key.bias = Some(vec![0.0; 8])),
        refused(&|model| {
            if let Ffn::Dense(dense) = &mut model.layers[0].ffn {
                dense.gate = None;
            }
        }),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}
