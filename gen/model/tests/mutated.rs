//! Damaged files: they are refused or give a model that computes; nothing panics, hangs or takes memory beyond the files' size.
//!
//! `LPU_CASES=100000 cargo test --release -p lpu-model --test mutated` plays that many on each kind of model, `LPU_SEED=S` other ones; a failure
//! prints the command that replays it.

mod common;

use common::Files;
use lpu_model::reference::Reference;
use lpu_model::{Engine, Model};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Cases of each kind, unless `LPU_CASES` says otherwise.
const CASES: u64 = 300;

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        (self.0.next_u64() % limit.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Damages a file in one of several ways.
fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    // Headers and texts are at the beginning.
    let reach = random.pick(&[8, 32, 300, bytes.len()]).min(bytes.len());
    let at = random.below(reach);
    match random.below(8) {
        0 => bytes.truncate(at),
        1 | 2 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        3 if !bytes.is_empty() => bytes[at] = random.pick(b"0123456789{}[]\",:-.eE\\\0\xff"),
        4 => {
            let word = random.pick(&[0, 1, u64::MAX, 1 << 31, 1 << 32, 1 << 63, i64::MAX as u64]);
            let size = random.pick(&[4, 8]).min(bytes.len() - at);
            bytes[at..at + size].copy_from_slice(&word.to_le_bytes()[..size]);
        }
        5 => {
            let text = random.pick(&[
                "[",
                "{\"a\":",
                "9",
                "\"vocab_size\":1,",
                "null,",
                "1e999",
                "-",
                "\u{1f600}",
            ]);
            let many = random.pick(&[1, 3, 200, 20_000]);
            bytes.splice(at..at, text.repeat(many).into_bytes());
        }
        6 => {
            let size = random.below(40).min(bytes.len() - at);
            let part = bytes[at..at + size].to_vec();
            bytes.splice(at..at, part);
        }
        _ => {
            let size = random.below(40).min(bytes.len() - at);
            bytes.drain(at..at + size);
        }
    }
}

/// Opens the model and, if that works, uses it. Whether it opened.
fn play(files: &Files) -> bool {
    let folder = tempfile::tempdir().unwrap();
    common::write(folder.path(), files);
    let model = match Model::open(folder.path()) {
        Ok(model) => model,
        Err(error) => {
            let text = error.to_string();
            assert!(text.len() < 4000 && !text.contains('\0'), "{text}");
            return false;
        }
    };
    let prompts = ["ab ba c", "", "x\u{1f600}\0", "1 2 3"];
    let tokens: Vec<u32> = prompts
        .iter()
        .flat_map(|text| model.encode(text).unwrap_or_default())
        .collect();
    let _ = model.tokenizer.decode(&tokens);
    let mut engine = Reference::new(&model, 8);
    for token in tokens.into_iter().chain([0]) {
        if engine.step(token).is_err() {
            break;
        }
    }
    true
}

fn campaign(name: &str, files: &Files) {
    assert!(play(files), "the undamaged model opens");
    let cases = common::number("LPU_CASES").unwrap_or(CASES);
    let seed = common::number("LPU_SEED").unwrap_or(1);
    let mut opened = 0;
    for case in seed..seed + cases {
        let mut random = Random(ChaCha8Rng::seed_from_u64(case));
        let mut damaged = files.clone();
        for _ in 0..=random.below(3) {
            let file = random.below(damaged.len());
            damage(&mut random, &mut damaged[file].1);
        }
        let begun = Instant::now();
        let played = catch_unwind(AssertUnwindSafe(|| play(&damaged)));
        let replay =
            format!("LPU_SEED={case} LPU_CASES=1 cargo test -p lpu-model --test mutated {name}");
        let Ok(good) = played else {
            panic!("case {case} panics: {replay}");
        };
        assert!(
            begun.elapsed().as_secs() < 20,
            "case {case} takes too long: {replay}"
        );
        opened += u64::from(good);
    }
    println!("{name}: {opened} of {cases} opened");
    assert!(
        cases < 100 || (opened > 0 && opened < cases),
        "damage is sometimes seen and sometimes harmless"
    );
    // Weights, copies of the damaged files and all libraries; one absurd length would be more.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib < 400 << 10, "{kib} KiB at the peak");
    }
}

#[test]
fn whole() {
    campaign("whole", &common::whole());
}

#[test]
fn sharded() {
    campaign("sharded", &common::sharded());
}

#[test]
fn llama2c() {
    campaign("llama2c", &common::llama2c());
}

#[test]
fn key_value_files() {
    let mut cache = lpu_model::kv::KvCache::new(2, 3, 4);
    for position in 0..5 {
        for layer in 0..2 {
            cache.push(layer, &[position as f32; 12], &[1.0; 12]);
        }
    }
    let good = cache.to_safetensors();
    let file = tempfile::NamedTempFile::new().unwrap();
    for case in 0..common::number("LPU_CASES").unwrap_or(CASES) {
        let mut bytes = good.clone();
        damage(&mut Random(ChaCha8Rng::seed_from_u64(case)), &mut bytes);
        std::fs::write(file.path(), &bytes).unwrap();
        let read = lpu_model::kv::KvCache::read(file.path());
        assert!(bytes != good || read.unwrap() == cache, "case {case}");
    }
}
