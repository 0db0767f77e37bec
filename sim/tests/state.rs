//! Saving and restoring.

mod common;

use common::{counter, memory, model, wide};
use lpu_sim::{Model, SimError};

/// Writes and reads pseudo-random places and returns all that was read.
fn exercise(model: &mut Model, cycles: u64, seed: u64) -> Vec<u64> {
    let inputs = ["write_valid", "write_address", "write_data", "read_address"]
        .map(|name| model.port(name).unwrap());
    let outputs = ["read_data", "read_mirrored"].map(|name| model.port(name).unwrap());
    let mut state = seed;
    let mut rows = Vec::new();
    for _ in 0..cycles {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        rows.extend([
            state >> 63,
            state >> 40 & 15,
            state,
            state >> 30,
            state >> 50 & 15,
        ]);
        *rows.iter_mut().nth_back(1).unwrap() &= 0xf_ffff_ffff;
    }
    let mut record = Vec::new();
    model.play(&inputs, &rows, &outputs, &mut record);
    record
}

#[test]
fn a_restored_model_continues_identically() {
    let compiled = common::builder().build(&memory()).unwrap();
    let mut first = compiled.instantiate().unwrap();
    exercise(&mut first, 100, 1);
    let image = first.save();
    let expected = exercise(&mut first, 100, 2);
    assert!(expected.iter().any(|&word| word != 0));

    let mut second = compiled.instantiate().unwrap();
    second.restore(&image).unwrap();
    assert_eq!(second.cycle(), 100);
    assert_eq!(exercise(&mut second, 100, 2), expected);
    first.restore(&image).unwrap();
    assert_eq!(exercise(&mut first, 100, 2), expected);
    assert_eq!(first.save(), second.save());
}

#[test]
fn an_image_of_another_model_is_refused() {
    let image = model(&counter()).save();
    let mut other = model(&wide());
    for (image, expected) in [
        (&image[..], "another model saved it"),
        (b"something else", "it does not begin like one"),
    ] {
        match other.restore(image) {
            Err(SimError::Image { reason }) => assert_eq!(reason, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_cut_or_lengthened_image_is_refused() {
    let mut model = model(&memory());
    let image = model.save();
    let longer = [&image[..], &[0]].concat();
    for image in [&image[..image.len() - 1], &longer] {
        assert!(matches!(model.restore(image), Err(SimError::Image { .. })));
    }
    model.restore(&image).unwrap();
    model.step(1);
}
