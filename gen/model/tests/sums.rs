//! The trained model of the repository answers right, in f32 and with int8 weights, activations, queries, keys and values; nearly so in E4M3 and NVFP4.
//!
//! `LPU_CASES=2000 cargo test --release -p lpu-model --test sums -- --nocapture` asks more problems and prints the shares.

mod common;

use lpu_model::generate::{Stop, Stream, generate};
use lpu_model::quant::report::compare;
use lpu_model::quant::{Format, Scheme};
use lpu_model::reference::Reference;
use lpu_model::sample::{Sampler, Settings};
use lpu_model::{Engine, Model};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

const DIGITS: u32 = 8;

/// What the model gets.
fn prompt(a: u64, b: u64) -> String {
    format!("{a:08}+{b:08}=")
}

/// What it has to write, from the definition of the task and without the training script.
fn answer(a: u64, b: u64) -> String {
    let (mut text, mut carry) = (String::new(), 0);
    for column in 0..DIGITS {
        let digit = |n: u64| n / 10u64.pow(column) % 10;
        let sum = digit(a) + digit(b) + carry;
        text += &format!("{}+{}+{carry}={sum:02} ", digit(a), digit(b));
        carry = sum / 10;
    }
    text + &format!(";{:09}", a + b)
}

/// A number of one to eight digits; every length is as likely as any other.
fn operand(random: &mut ChaCha8Rng) -> u64 {
    let digits = 1 + (random.next_u64() % u64::from(DIGITS)) as u32;
    random.next_u64() % 10u64.pow(digits)
}

/// The text after a prompt, and why it ended.
fn complete(model: &Model, engine: &mut dyn Engine, prompt: &str) -> (String, usize, Stop) {
    let prompt = model.encode(prompt).unwrap();
    let mut sampler = Sampler::new(Settings::default()).unwrap();
    let mut stream = Stream::after(&model.tokenizer, &prompt);
    let mut text = String::new();
    engine.rewind(0);
    let ends = &model.architecture.ends;
    let heard = |token| text += &stream.push(token).unwrap();
    let (tokens, stop) = generate(engine, &mut sampler, &prompt, ends, 128, heard).unwrap();
    text += &stream.finish().unwrap();
    (text, tokens.len(), stop)
}

#[test]
fn answers_are_right() {
    let model = Model::embedded().unwrap();
    let int8 = Scheme::of(Format::Int8);
    let cases = common::number("LPU_CASES").unwrap_or(30);
    for (name, scheme, percent_wrong) in [
        ("f32", Scheme::EXACT, 1),
        ("int8", int8, 1),
        ("int8 with attention", int8.with_int8_attention(), 1),
        ("e4m3", Scheme::of(Format::E4m3), 2),
        ("nvfp4", Scheme::of(Format::Nvfp4), 10),
    ] {
        let mut engine = Reference::quantised(&model, scheme, 128);
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let mut wrong = Vec::new();
        for _ in 0..cases {
            let (a, b) = (operand(&mut random), operand(&mut random));
            let (text, _, stop) = complete(&model, &mut engine, &prompt(a, b));
            if text != answer(a, b) || stop != Stop::End {
                wrong.push(prompt(a, b) + &text);
            }
        }
        println!("{name}: {} of {cases} right", cases - wrong.len() as u64);
        assert!(
            100 * wrong.len() as u64 <= percent_wrong * cases.max(100),
            "{name}: {wrong:#?}"
        );
    }
}

#[test]
fn a_prompt_gives_many_tokens() {
    let model = Model::embedded().unwrap();
    let mut engine = Reference::new(&model, 128);
    let (text, tokens, stop) = complete(&model, &mut engine, "27182818+31415926=");
    assert_eq!(text, answer(27182818, 31415926));
    assert_eq!((tokens, stop), (83, Stop::End));
    let shape = &model.architecture;
    assert_eq!((shape.vocabulary, shape.width, shape.layers()), (16, 64, 4));
    assert_eq!(model.parameters(), 150_080);
}

#[test]
fn rounding_costs_little() {
    let model = Model::embedded().unwrap();
    let tokens = model
        .encode(&format!("58+967={}", answer(58, 967)))
        .unwrap();
    let report = compare(&model, Scheme::of(Format::Int8), &tokens).unwrap();
    let worst = report.layers.iter().copied().fold(0.0, f64::max);
    assert!(worst > 0.0 && worst < 0.05, "{report:?}");
    assert!(report.bytes < report.bytes_f32 / 3, "{report:?}");
}

/// The bits of the logits are the same on every host.
#[test]
fn logits_are_pinned() {
    let model = Model::embedded().unwrap();
    let mut lines = Vec::new();
    for scheme in [
        Scheme::EXACT,
        Scheme::of(Format::Int8),
        Scheme::of(Format::E4m3),
        Scheme::of(Format::Nvfp4),
    ] {
        let mut engine = Reference::quantised(&model, scheme, 128);
        let mut last = Vec::new();
        for token in model.encode("00000090+00000017=").unwrap() {
            last = engine.step(token).unwrap().to_vec();
        }
        let bits: Vec<String> = last
            .iter()
            .map(|logit| format!("{:08x}", logit.to_bits()))
            .collect();
        lines.push(format!("{}: {}", scheme.layers.name(), bits.join(" ")));
    }
    insta::assert_snapshot!(lines.join("\n"));
}
