//! Keys and values: out of one engine and into another, through a file; positions and tokens that do not exist.

mod common;

use lpu_model::engine::EngineError;
use lpu_model::kv::{KvCache, KvError};
use lpu_model::reference::Reference;
use lpu_model::{Engine, Model};

fn model() -> Model {
    let folder = tempfile::tempdir().unwrap();
    common::write(folder.path(), &common::whole());
    Model::open(folder.path()).unwrap()
}

#[test]
fn another_engine_goes_on() {
    let model = model();
    let mut first = Reference::new(&model, 32);
    for token in [0, 3, 9] {
        first.step(token).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.safetensors");
    std::fs::write(&path, first.export_cache().unwrap().to_safetensors()).unwrap();
    let cache = KvCache::read(&path).unwrap();
    assert_eq!(cache, first.export_cache().unwrap());
    assert_eq!((cache.shape(), cache.positions()), ((2, 2, 4), 3));
    assert_eq!(cache.keys(1, 0).len(), 3 * 4);
    let mut second = Reference::new(&model, 32);
    second.import_cache(cache).unwrap();
    assert_eq!(second.position(), 3);
    assert_eq!(first.step(4).unwrap(), second.step(4).unwrap());
    // Back to an earlier position, and the same again.
    let logits = first.step(5).unwrap().to_vec();
    first.rewind(4);
    assert_eq!(first.step(5).unwrap(), logits);
    first.rewind(4);
    assert_ne!(first.step(6).unwrap(), logits);
}

#[test]
fn what_does_not_fit_is_refused() {
    let model = model();
    let mut engine = Reference::new(&model, 2);
    let refused = engine.import_cache(KvCache::new(2, 4, 4));
    assert!(matches!(
        refused,
        Err(EngineError::Cache(KvError::Shape { .. }))
    ));
    assert!(matches!(
        engine.step(11),
        Err(EngineError::Token {
            token: 11,
            vocabulary: 11
        })
    ));
    engine.step(1).unwrap();
    engine.step(1).unwrap();
    assert!(matches!(
        engine.step(1),
        Err(EngineError::Capacity { capacity: 2 })
    ));
    let mut short = Reference::new(&model, 1);
    let refused = short.import_cache(engine.export_cache().unwrap());
    assert!(matches!(
        refused,
        Err(EngineError::Cache(KvError::Capacity {
            found: 2,
            capacity: 1
        }))
    ));
    assert_eq!(
        Reference::new(&model, 1000).capacity(),
        32,
        "the model's context"
    );
}

#[test]
fn a_file_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    for bytes in [
        Vec::new(),
        b"text".to_vec(),
        common::safetensors(&common::tensors()),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert!(KvCache::read(&path).is_err());
    }
    let mut empty = KvCache::new(1, 1, 2);
    assert_eq!(empty.positions(), 0);
    std::fs::write(&path, empty.to_safetensors()).unwrap();
    assert_eq!(KvCache::read(&path).unwrap(), empty);
    empty.push(0, &[1.0, f32::NAN], &[1.0, 2.0]);
    std::fs::write(&path, empty.to_safetensors()).unwrap();
    assert!(KvCache::read(&path).is_err(), "a NaN");
}
