//! The engine that decodes on a tile, with a tile that is the golden decoder itself: what it writes, reads, compares and notes.

#[path = "decode/fake.rs"]
mod fake;
#[path = "decode/model.rs"]
mod model;

use fake::{FakeStep, FakeTile, Spoil};
use lpu::decode::{Log, Logged, MachineEngine, Setup, SharedLog};
use lpu_isa::Config;
use lpu_model::int8::calibration::{calibrate, own_texts};
use lpu_model::int8::{GoldenEngine, Int8Model, convert};
use lpu_model::{Engine, Model};
use std::borrow::Cow;
use std::sync::Arc;

const POSITIONS: usize = 16;

fn int8(model: &Model) -> Int8Model {
    let texts = own_texts(model).unwrap();
    convert(model, &calibrate(model, &texts).unwrap()).unwrap()
}

/// An engine on a tile that goes wrong at a position.
fn with_engine<T>(
    spoil: Option<(usize, Spoil)>,
    run: impl FnOnce(&mut dyn Engine, &mut dyn Engine, &SharedLog) -> T,
) -> T {
    let model = Arc::new(model::open());
    let int8 = int8(&model);
    let config = Config::preset("edge").unwrap();
    let step = FakeStep::new(&int8, POSITIONS);
    let tile = FakeTile::new(int8.decoder(POSITIONS, config.lanes).unwrap(), spoil);
    let log = SharedLog::default();
    let setup = Setup {
        config: Arc::new(config.clone()),
        model: model.clone(),
        int8: Arc::new(int8.clone()),
        step,
        positions: POSITIONS,
    };
    let mut engine = MachineEngine::new(setup, tile, log.clone()).unwrap();
    let golden = GoldenEngine::new(&model, Cow::Borrowed(&int8), POSITIONS, config.lanes);
    run(&mut engine, &mut golden.unwrap(), &log)
}

fn text() -> impl Iterator<Item = u32> {
    (0..8).map(|i| (i * 37 + 5) % 300)
}

#[test]
fn steps_are_launches() {
    with_engine(None, |engine, golden, log| {
        for token in text() {
            let expected = golden.step(token).unwrap().to_vec();
            assert_eq!(engine.step(token).unwrap(), expected);
        }
        assert_eq!(engine.position(), 8);
        let log = log.borrow();
        assert_eq!(log.steps.len(), 8);
        assert_eq!(log.mismatches(), 0);
        assert_eq!(log.difference, None);
        assert_eq!(log.cycles(), Some((8 * fake::CYCLES, 8 * fake::CYCLES)));
        assert_eq!((log.steps[3].position, log.steps[3].token), (3, 116));
    });
}

#[test]
fn rewinding_and_caches() {
    with_engine(None, |engine, golden, _| {
        for token in text() {
            engine.step(token).unwrap();
            golden.step(token).unwrap();
        }
        let cache = engine.export_cache().unwrap();
        assert_eq!(cache, golden.export_cache().unwrap());
        let next = engine.step(9).unwrap().to_vec();
        engine.rewind(8);
        assert_eq!(engine.step(9).unwrap(), next);
        with_engine(None, |other, _, log| {
            other.import_cache(cache).unwrap();
            assert_eq!(other.step(9).unwrap(), next);
            assert_eq!(log.borrow().mismatches(), 0);
        });
    });
}

#[test]
fn steps_that_cannot_be_taken() {
    with_engine(None, |engine, _, _| {
        insta::assert_snapshot!(engine.step(300).unwrap_err(), @"token 300 is not in the vocabulary of 300 tokens");
        (0..16).for_each(|token| assert!(engine.step(token).is_ok()));
        insta::assert_snapshot!(engine.step(1).unwrap_err(), @"all 16 positions are used");
    });
}

/// Runs the text with a fault at position 5 and returns what the log says.
fn spoilt(spoil: Spoil) -> (u64, String) {
    with_engine(Some((5, spoil)), |engine, _, log| {
        text().for_each(|token| assert!(engine.step(token).is_ok()));
        let Log {
            difference, steps, ..
        } = &*log.borrow();
        let wrong: Vec<usize> = (steps.iter().filter(|step| step.mismatches > 0))
            .map(|step| step.position)
            .collect();
        assert_eq!(wrong, [5]);
        (steps[5].mismatches, difference.clone().unwrap())
    })
}

#[test]
fn every_difference_is_counted_and_described() {
    let shown: Vec<String> = [Spoil::Logit, Spoil::Cycles, Spoil::Fault, Spoil::NoEnd]
        .into_iter()
        .map(|spoil| {
            let (mismatches, text) = spoilt(spoil);
            format!("{spoil:?}: {mismatches}\n{text}")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn a_failing_tile_is_an_error() {
    with_engine(Some((2, Spoil::Refuse)), |engine, _, log| {
        engine.step(1).unwrap();
        engine.step(1).unwrap();
        let message = engine.step(1).unwrap_err().to_string();
        insta::assert_snapshot!(message, @"the machine has failed: the tile refused the host's read at 0x00000000");
        assert!(log.borrow().failure.is_some());
    });
}

#[test]
fn engines_without_a_machine_are_noted() {
    let model = model::open();
    let int8 = int8(&model);
    let log = SharedLog::default();
    let golden = GoldenEngine::new(&model, Cow::Borrowed(&int8), POSITIONS, 16).unwrap();
    let mut engine = Logged::new(golden, log.clone());
    text().for_each(|token| assert!(engine.step(token).is_ok()));
    let log = log.borrow();
    assert_eq!((log.steps.len(), log.cycles()), (8, None));
    assert_ne!(log.steps[0].logits, log.steps[1].logits);
}
