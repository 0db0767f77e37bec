//! `lpu::session` as another program meets it, on the golden machine.

#[path = "decode/model.rs"]
mod model;

use lpu::session::{Lpu, LpuError};
use lpu_isa::Config;
use lpu_model::Model;
use lpu_model::generate::Stop;
use lpu_model::sample::{Sampler, Settings};
use std::sync::Arc;

fn sampler() -> Sampler {
    Sampler::new(Settings::default()).unwrap()
}

/// Pieces of a text: what they say, and the logits' hashes.
fn pieces(lpu: &mut Lpu, prompt: &str, most: usize) -> (String, Vec<String>, Option<Stop>) {
    let mut sampler = sampler();
    let mut stream = lpu.stream(prompt, &mut sampler, most).unwrap();
    let (mut text, mut logits) = (String::new(), Vec::new());
    for piece in stream.by_ref() {
        let piece = piece.unwrap();
        assert!(piece.cycles > 0);
        text += &piece.text;
        logits.push(piece.logits);
    }
    (text, logits, stream.stop())
}

/// One model after the other in the same machine, each with its own answers, as if it had been the first.
#[test]
fn models_are_swapped() {
    let config = Config::preset("proto").unwrap();
    let sums = Arc::new(Model::embedded().unwrap());
    let other = Arc::new(model::open());
    let mut lpu = Lpu::golden(config.clone());
    lpu.load(sums.clone(), 128).unwrap();
    let first = pieces(&mut lpu, "00000012+00000034=", 120);
    assert!(first.0.ends_with(";000000046"), "{first:?}");
    assert_eq!(first.2, Some(Stop::End));
    // A stream that is dropped, and the same prompt again: it starts from the beginning.
    {
        let mut sampler = sampler();
        let mut stream = lpu.stream("98765432+12345678=", &mut sampler, 90).unwrap();
        stream.next().unwrap().unwrap();
    }
    assert_eq!(pieces(&mut lpu, "00000012+00000034=", 120), first);

    lpu.load(other.clone(), 16).unwrap();
    let second = pieces(&mut lpu, "ab", 5);
    assert_eq!(second.1.len(), 5);
    let mut fresh = Lpu::golden(config);
    fresh.load(other, 16).unwrap();
    assert_eq!(pieces(&mut fresh, "ab", 5), second);

    lpu.load(sums, 128).unwrap();
    assert_eq!(pieces(&mut lpu, "00000012+00000034=", 120), first);
    assert_eq!(lpu.log().mismatches(), 0);
}

/// What goes wrong leaves the model before it where it is.
#[test]
fn failures_lose_nothing() {
    let mut lpu = Lpu::golden(Config::preset("proto").unwrap());
    assert!(matches!(lpu.engine().err(), Some(LpuError::Empty)));
    let sums = Arc::new(Model::embedded().unwrap());
    lpu.load(sums.clone(), 64).unwrap();
    let first = pieces(&mut lpu, "1+2=", 3);
    let mut wrong = model::open();
    wrong.architecture.head_norm = true;
    let refused = lpu.load(Arc::new(wrong), 16);
    assert!(matches!(refused, Err(LpuError::Convert(_))), "{refused:?}");
    let too_large = lpu.load(sums, 1 << 20);
    assert!(too_large.is_ok(), "as many positions as the model has");
    assert_eq!(pieces(&mut lpu, "1+2=", 3), first);
    assert_eq!(lpu.engine().unwrap().vocabulary(), 16);
}
