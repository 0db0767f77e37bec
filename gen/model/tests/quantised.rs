//! Products in each format beside their definition in exact arithmetic, and the report of errors.

mod common;

use lpu_model::Model;
use lpu_model::quant::report::compare;
use lpu_model::quant::{Format, Operator, Scheme};
use lpu_verif::numeric::{E4m3Accumulator, Nvfp4Accumulator, e2m1, e4m3};
use proptest::prelude::*;

/// A model with a query matrix of 16 x 12 that has these weights in front.
fn model(weights: &[f32]) -> (tempfile::TempDir, Model) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = common::whole();
    let bytes = &mut files[2].1;
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let text: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let at = &text["model.layers.0.self_attn.q_proj.weight"]["data_offsets"][0];
    let at = 8 + header + at.as_u64().unwrap() as usize;
    for (i, weight) in weights.iter().enumerate() {
        bytes[at + 4 * i..at + 4 * i + 4].copy_from_slice(&weight.to_le_bytes());
    }
    common::write(folder.path(), &files);
    let model = Model::open(folder.path()).unwrap();
    (folder, model)
}

fn largest(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |most, value| value.abs().max(most))
}

/// Σ of int8 codes, from the definition, in integers.
fn int8(w: &[f32], x: &[f32]) -> f32 {
    let code = |value: f32, most: f32| (value * (127.0 / most)).round_ties_even() as i64;
    let (a, b) = (largest(w), largest(x));
    if a == 0.0 || b == 0.0 {
        return 0.0;
    }
    let sum: i64 = w
        .iter()
        .zip(x)
        .map(|(&w, &x)| code(w, a) * code(x, b))
        .sum();
    sum as f32 * (b / 127.0) * (a / 127.0)
}

fn fp8(w: &[f32], x: &[f32]) -> f32 {
    let (a, b) = (largest(w), largest(x));
    if a == 0.0 || b == 0.0 {
        return 0.0;
    }
    let code = |value: f32, most: f32| e4m3::from_fp32((value * (448.0 / most)).to_bits());
    let mut sum = E4m3Accumulator::default();
    w.iter()
        .zip(x)
        .for_each(|(&w, &x)| sum.add(code(w, a), code(x, b)));
    f32::from_bits(sum.to_fp32()) * (b / 448.0) * (a / 448.0)
}

/// One row of a matrix whose largest weight is `most`.
fn nvfp4(w: &[f32], most: f32, x: &[f32]) -> f32 {
    let global = |most: f32| {
        if most == 0.0 {
            1.0
        } else {
            most / (6.0 * 448.0)
        }
    };
    let block = |values: &[f32], global: f32| {
        let mut padded = [0.0; 16];
        padded[..values.len()].copy_from_slice(values);
        let scale = e4m3::from_fp32((largest(values) / 6.0 / global).to_bits());
        let step = f32::from_bits(e4m3::to_fp32(scale)) * global;
        let code = |value: f32| {
            if step == 0.0 {
                0
            } else {
                e2m1::from_fp32((value / step).to_bits())
            }
        };
        (padded.map(code), scale)
    };
    let (a, b) = (global(most), global(largest(x)));
    let mut sum = Nvfp4Accumulator::default();
    for (w, x) in w.chunks(16).zip(x.chunks(16)) {
        let ((w, ws), (x, xs)) = (block(w, a), block(x, b));
        sum.add_block(&x, xs, &w, ws);
    }
    f32::from_bits(sum.to_fp32()) * b * a
}

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![4 => -3.0f32..3.0, 1 => Just(0.0), 1 => (-20i32..20).prop_map(|e| (e as f32).exp2())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn products_are_those_of_the_definition(
        weights in proptest::collection::vec(value(), 16 * 12),
        x in proptest::collection::vec(value(), 12),
    ) {
        let (_folder, model) = model(&weights);
        let matrix = &model.layers[0].query.weight;
        let most = largest(&weights);
        for format in Format::ALL {
            let mut y = vec![0.0; 16];
            Operator::new(matrix, format).multiply(&x, &mut y);
            for (y, row) in y.iter().zip(weights.chunks(12)) {
                let exact: f64 = row.iter().zip(&x).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum();
                let size: f64 = row.iter().zip(&x).map(|(&w, &x)| f64::from((w * x).abs())).sum();
                match format {
                    Format::F32 => prop_assert!((f64::from(*y) - exact).abs() <= 1e-6 * size, "{y} {exact}"),
                    Format::Int8 => prop_assert_eq!(*y, int8(row, &x)),
                    Format::E4m3 => prop_assert_eq!(*y, fp8(row, &x)),
                    Format::Nvfp4 => prop_assert_eq!(*y, nvfp4(row, most, &x)),
                }
            }
        }
    }
}

#[test]
fn what_is_representable_stays() {
    // Multiples of 1/127 of the largest one; E4M3 and E2M1 numbers.
    let x: Vec<f32> = (0..12).map(|i| [127.0, -3.0, 64.0, 1.0][i % 4]).collect();
    let mut weights = vec![0.0; 192];
    for (i, weight) in weights.iter_mut().enumerate() {
        *weight = [127.0, 5.0, -90.0][i % 3];
    }
    let (_folder, model) = model(&weights);
    let matrix = &model.layers[0].query.weight;
    let (mut exact, mut rounded) = (vec![0.0; 16], vec![0.0; 16]);
    Operator::new(matrix, Format::F32).multiply(&x, &mut exact);
    Operator::new(matrix, Format::Int8).multiply(&x, &mut rounded);
    assert_eq!(exact, rounded);
}

#[test]
fn errors_are_reported_layer_by_layer() {
    let (_folder, model) = model(&[]);
    let tokens = [0, 3, 10, 4, 4, 7, 1, 9, 2, 5];
    let report = |scheme| compare(&model, scheme, &tokens).unwrap();
    let exact = report(Scheme::EXACT);
    assert_eq!(exact.layers, [0.0, 0.0]);
    assert_eq!(
        (exact.kl_max, exact.logit_max_error, exact.same_choice),
        (0.0, 0.0, 1.0)
    );
    assert_eq!(exact.perplexity, exact.perplexity_f32);
    let [int8, fp8, fp4] =
        [Format::Int8, Format::E4m3, Format::Nvfp4].map(|format| report(Scheme::of(format)));
    for (finer, coarser) in [(&exact, &int8), (&int8, &fp8), (&fp8, &fp4)] {
        assert!(
            finer.layers[1] < coarser.layers[1],
            "{finer:?}\n{coarser:?}"
        );
        assert!(finer.kl_mean < coarser.kl_mean);
    }
    assert!(
        int8.layers[1] < 0.03 && fp4.layers[1] < 0.6,
        "{int8:?}\n{fp4:?}"
    );
    let attention = report(Scheme::EXACT.with_int8_attention());
    assert!(attention.layers[0] > 0.0 && attention.layers[1] < int8.layers[1]);
    let json = serde_json::to_value(&int8).unwrap();
    assert_eq!(json["scheme"]["layers"], "int8");
    assert_eq!(json["layers"].as_array().unwrap().len(), 2);
}
