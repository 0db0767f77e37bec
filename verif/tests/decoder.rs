//! The golden decoder against double precision, by hand, and with channels of zeros.

#[path = "decoder/exact.rs"]
mod exact;
#[path = "decoder/random.rs"]
mod random;

use lpu_verif::kernels::decoder::{
    Decoder, Layer, Linear, Observation, Output, Parameters, Shape, Stage, Values,
};
use lpu_verif::numeric::Matrix;
use random::{calm, parameters, rows};
use std::collections::BTreeMap;

/// 5 heads of 14 elements over one head of keys, a width that is no multiple of anything.
const AWKWARD: Shape = Shape {
    width: 37,
    heads: 5,
    kv_heads: 1,
    head_dim: 14,
    hidden: 51,
    vocabulary: 29,
    positions: 48,
    lanes: 16,
};

fn numbers(bits: &[u32]) -> Vec<f64> {
    bits.iter().map(|&x| f32::from_bits(x).into()).collect()
}

/// The root mean square of the differences, as a share of that of the numbers.
fn error(found: &[f64], exact: &[f64]) -> f64 {
    assert_eq!(found.len(), exact.len());
    let square = |x: f64| x * x;
    let differences: f64 = found.iter().zip(exact).map(|(a, b)| square(a - b)).sum();
    let numbers: f64 = exact.iter().map(|&x| square(x)).sum();
    (differences / numbers).sqrt()
}

/// Every stage of every layer, computed once more in double precision from the stages before it: codes are the nearest ones
/// (or, if the exact value lies within 1e-3 of the middle, a neighbour), numbers agree to 2e-6.
#[test]
fn each_stage_is_double_precision_rounded_once() {
    for (seed, shape) in [
        (1, AWKWARD),
        (
            2,
            Shape {
                heads: 6,
                kv_heads: 3,
                head_dim: 8,
                lanes: 8,
                positions: 24,
                ..AWKWARD
            },
        ),
        (
            3,
            Shape {
                width: 96,
                heads: 4,
                kv_heads: 2,
                head_dim: 24,
                lanes: 32,
                positions: 64,
                ..AWKWARD
            },
        ),
    ] {
        let parameters = parameters(&shape, 3, seed);
        let mut decoder = Decoder::new(parameters.clone(), 2).unwrap();
        let mut caches = vec![exact::Cache::default(); 2];
        let mut codes = 0;
        for position in 0..20 {
            let rows = rows(&shape, 2, seed << 32 | position as u64);
            let mut seen = BTreeMap::new();
            let outputs = decoder.step_observed(&rows, position, &mut |at: Observation<'_>| {
                let values = match at.values {
                    Values::Codes(codes) => codes.iter().map(|&code| code.into()).collect(),
                    Values::Numbers(bits) => numbers(bits),
                };
                seen.insert((at.sequence, at.layer, at.stage as usize), values);
            });
            for (sequence, (row, output)) in rows.iter().zip(&outputs).enumerate() {
                let mut x = numbers(row);
                for layer in 0..3 {
                    let stage = |stage: Stage| &seen[&(sequence, layer, stage as usize)];
                    let cache = &mut caches[sequence];
                    let checked = exact::layer(&parameters, layer, position, cache, &x, &stage);
                    codes += checked.unwrap_or_else(|what| {
                        panic!("seed {seed}, position {position}, layer {layer}: {what}")
                    });
                    x.clone_from(stage(Stage::Out));
                }
                assert_eq!(numbers(&output.x), x);
                let head = parameters.head.as_ref().unwrap();
                let logits = exact::head(&parameters, head, &x);
                let found = numbers(output.logits.as_ref().unwrap());
                let error = error(&found, &logits);
                assert!(error < 2e-6, "logits differ by {error}");
            }
        }
        assert!(codes > 10_000, "{codes} codes");
    }
}

/// The comparison above sees a wrong code and a wrong number.
#[test]
fn a_wrong_stage_is_seen() {
    let parameters = parameters(&AWKWARD, 1, 6);
    let mut decoder = Decoder::new(parameters.clone(), 1).unwrap();
    let rows = rows(&AWKWARD, 1, 6);
    let mut seen = BTreeMap::new();
    decoder.step_observed(&rows, 0, &mut |at| {
        let values = match at.values {
            Values::Codes(codes) => codes.iter().map(|&code| code.into()).collect(),
            Values::Numbers(bits) => numbers(bits),
        };
        seen.insert(at.stage as usize, values);
    });
    let check = |seen: &BTreeMap<usize, Vec<f64>>| {
        let mut cache = exact::Cache::default();
        let stage = |stage: Stage| &seen[&(stage as usize)];
        exact::layer(&parameters, 0, 0, &mut cache, &numbers(&rows[0]), &stage)
    };
    check(&seen).unwrap();
    for stage in [Stage::Normed, Stage::Key, Stage::Attended, Stage::Hidden] {
        let mut spoilt = seen.clone();
        spoilt.get_mut(&(stage as usize)).unwrap()[3] += 2.0;
        let message = check(&spoilt).unwrap_err();
        assert!(message.starts_with(&format!("{stage:?}[3]")), "{message}");
    }
    for stage in [Stage::Middle, Stage::Out] {
        let mut spoilt = seen.clone();
        spoilt.get_mut(&(stage as usize)).unwrap()[3] += 1e-4;
        let message = check(&spoilt).unwrap_err();
        assert!(message.starts_with(&format!("{stage:?}[3]")), "{message}");
    }
}

/// A whole step against a decoder in double precision that saturates but rounds nothing.
#[test]
fn steps_stay_near_a_decoder_without_rounding() {
    let parameters = calm(&AWKWARD, 4, 5);
    let mut decoder = Decoder::new(parameters.clone(), 1).unwrap();
    let mut unrounded = exact::Unrounded::new(&parameters);
    let mut largest = 0f64;
    for position in 0..AWKWARD.positions {
        let rows = rows(&AWKWARD, 1, 77 + position as u64);
        let output = &decoder.step(&rows, position)[0];
        let (x, logits) = unrounded.step(&numbers(&rows[0]), position);
        let errors = [
            error(&numbers(&output.x), &x),
            error(&numbers(output.logits.as_ref().unwrap()), &logits),
        ];
        largest = largest.max(errors[0]).max(errors[1]);
    }
    assert!(largest < 0.08, "x or logits differ by {largest}");
}

fn matrix(rows: &[&[i8]]) -> Linear {
    Linear {
        codes: Matrix::from_fn(rows.len(), rows[0].len(), |r, c| rows[r][c]),
        factors: vec![1f32.to_bits(); rows.len()],
    }
}

/// d = 2, one head of two elements, F = 1, no head: small enough for pencil and paper.
fn small() -> Parameters {
    let identity = || matrix(&[&[1, 0], &[0, 1]]);
    Parameters {
        shape: Shape {
            width: 2,
            heads: 1,
            kv_heads: 1,
            head_dim: 2,
            hidden: 1,
            vocabulary: 1,
            positions: 8,
            lanes: 8,
        },
        layers: vec![Layer {
            query: identity(),
            key: identity(),
            value: matrix(&[&[1, 0], &[0, 3]]),
            output: identity(),
            gate: matrix(&[&[0, 0]]),
            up: matrix(&[&[1, 1]]),
            down: matrix(&[&[1], &[1]]),
            score: 1f32.to_bits(),
        }],
        head: None,
        epsilon: 0,
        // Each position turns a pair by a quarter.
        frequencies: vec![std::f64::consts::FRAC_PI_2],
    }
}

/// x = (4, 4): a = 4, S = 32, r = 1/4, n = (127, 127), t = 4/127 / 4 = 1/127.
#[test]
fn a_step_by_hand() {
    let mut decoder = Decoder::new(small(), 1).unwrap();
    let x = vec![4f32.to_bits(); 2];
    let mut seen = Vec::new();
    let outputs = decoder.step_observed(std::slice::from_ref(&x), 0, &mut |at| {
        if let Values::Codes(codes) = at.values {
            seen.push((at.stage, codes.to_vec()));
        }
    });
    let expected = [
        (Stage::Normed, vec![127, 127]),
        // sum / 127
        (Stage::Query, vec![1, 1]),
        (Stage::Key, vec![1, 1]),
        (Stage::Value, vec![1, 3]),
        // The only position takes all.
        (Stage::Attended, vec![1, 3]),
        // x is (5, 7); a = 7, and 5 x 127 / 7 is 90.7.
        (Stage::NormedMiddle, vec![91, 127]),
        // silu(0) is 0.
        (Stage::Hidden, vec![0]),
    ];
    assert_eq!(seen, expected);
    assert_eq!(numbers(&outputs[0].x), [5.0, 7.0]);
    assert_eq!(outputs[0].logits, None);

    // A quarter turn takes (1, 1) to (-1, 1): its score with itself is 2, with the first key 0. One share of
    // 1 / (1 + e^2 in the base of two: 2^2) goes to the first value, which is the same.
    let mut seen = Vec::new();
    decoder.step_observed(&[x], 1, &mut |at| {
        if let Values::Codes(codes) = at.values {
            seen.push((at.stage, codes.to_vec()));
        }
    });
    assert_eq!(seen[1], (Stage::Query, vec![-1, 1]));
    assert_eq!(seen[2], (Stage::Key, vec![-1, 1]));
    assert_eq!(seen[4], (Stage::Attended, vec![1, 3]));
    assert_eq!(decoder.cache(0).keys(0, 0)[..6], [1, 1, -1, 1, 0, 0]);
    assert_eq!(decoder.cache(0).values(0, 0)[..6], [1, 3, 1, 3, 0, 0]);
}

/// Two positions with values 0 and 100 and scores that differ by 1: shares of 1/3 and 2/3.
#[test]
fn attention_weighs_the_cache() {
    let mut decoder = Decoder::new(small(), 1).unwrap();
    decoder.cache_mut(0).set(0, 0, &[1, 0], &[0, 90]);
    // Of position 1: key (-1, 1), value (1, 3); the query sees the first key with -1, itself with 2.
    let mut attended = Vec::new();
    decoder.step_observed(&[vec![4f32.to_bits(); 2]], 1, &mut |at| {
        if let (Stage::Attended, Values::Codes(codes)) = (at.stage, at.values) {
            attended = codes.to_vec();
        }
    });
    // Shares 1 and 8: (0 + 8) / 9 and (90 + 24) / 9 = 12.67.
    assert_eq!(attended, [1, 13]);
}

#[test]
fn zeros_stay_zeros() {
    let mut parameters = small();
    parameters.epsilon = 1e-5f32.to_bits();
    let mut decoder = Decoder::new(parameters, 1).unwrap();
    let outputs = decoder.step(&[vec![0, 0x8000_0000]], 0);
    assert_eq!(numbers(&outputs[0].x), [0.0, 0.0]);
}

/// The parameters with channels of zeros: wider x, wider heads, wider feed-forward. 1/d, c and the angles are made again for the
/// true sizes, as for any padded model.
fn padded(parameters: &Parameters) -> Parameters {
    let old = parameters.shape;
    let shape = Shape {
        head_dim: old.head_dim + 6,
        hidden: old.hidden + 11,
        ..old
    };
    let heads = |index: usize| {
        // Each half gets three more elements.
        let (head, element) = (index / shape.head_dim, index % shape.head_dim);
        let half = shape.head_dim / 2;
        let (part, element) = (element / half, element % half);
        let kept = element < old.head_dim / 2;
        kept.then(|| head * old.head_dim + part * old.head_dim / 2 + element)
    };
    let plain = |limit: usize| move |index: usize| (index < limit).then_some(index);
    let pad = |linear: &Linear,
               outputs: usize,
               output: &dyn Fn(usize) -> Option<usize>,
               inputs: usize,
               input: &dyn Fn(usize) -> Option<usize>| Linear {
        codes: Matrix::from_fn(outputs, inputs, |r, c| match (output(r), input(c)) {
            (Some(r), Some(c)) => linear.codes.at(r, c),
            _ => 0,
        }),
        factors: (0..outputs)
            .map(|r| output(r).map_or(0, |r| linear.factors[r]))
            .collect(),
    };
    let (d, wide) = (shape.width, plain(shape.width));
    let (queries, keys) = (
        shape.heads * shape.head_dim,
        shape.kv_heads * shape.head_dim,
    );
    let (f, hidden) = (shape.hidden, plain(old.hidden));
    let layers = parameters.layers.iter().map(|layer| Layer {
        query: pad(&layer.query, queries, &heads, d, &wide),
        key: pad(&layer.key, keys, &heads, d, &wide),
        value: pad(&layer.value, keys, &heads, d, &wide),
        output: pad(&layer.output, d, &wide, queries, &heads),
        gate: pad(&layer.gate, f, &hidden, d, &wide),
        up: pad(&layer.up, f, &hidden, d, &wide),
        down: pad(&layer.down, d, &wide, f, &hidden),
        score: layer.score,
    });
    let mut frequencies = parameters.frequencies.clone();
    frequencies.resize(shape.head_dim / 2, 0.0);
    Parameters {
        shape,
        layers: layers.collect(),
        frequencies,
        ..parameters.clone()
    }
}

fn steps(decoder: &mut Decoder, seed: u64, count: usize) -> Vec<Vec<Output>> {
    let shape = decoder.parameters().shape;
    (0..count)
        .map(|position| decoder.step(&rows(&shape, 2, seed << 20 | position as u64), position))
        .collect()
}

#[test]
fn channels_of_zeros_change_no_bit() {
    for seed in 10..16 {
        let parameters = parameters(&AWKWARD, 2, seed);
        let mut wide = Decoder::new(padded(&parameters), 2).unwrap();
        let mut plain = Decoder::new(parameters, 2).unwrap();
        assert_eq!(
            steps(&mut wide, seed, 9),
            steps(&mut plain, seed, 9),
            "seed {seed}"
        );
    }
}

#[test]
fn sequences_do_not_see_each_other() {
    let parameters = parameters(&AWKWARD, 2, 30);
    let mut both = Decoder::new(parameters.clone(), 2).unwrap();
    let mut alone = Decoder::new(parameters, 1).unwrap();
    for position in 0..6 {
        let rows = rows(&AWKWARD, 2, 900 + position as u64);
        let first = both.step(&rows, position).swap_remove(1);
        assert_eq!(first, alone.step(&rows[1..], position)[0]);
    }
}

/// Keys beyond the position do not count, whatever they are; more of them change the tree of the sum, and so the last bits only.
#[test]
fn later_positions_do_not_count() {
    let parameters = parameters(&AWKWARD, 2, 31);
    let mut clean = Decoder::new(parameters.clone(), 2).unwrap();
    let mut dirty = Decoder::new(parameters.clone(), 2).unwrap();
    let keys = [113; AWKWARD.head_dim];
    for position in 6..AWKWARD.positions {
        (0..2).for_each(|layer| dirty.cache_mut(1).set(layer, position, &keys, &keys));
    }
    let expected = steps(&mut clean, 31, 6);
    assert_eq!(steps(&mut dirty, 31, 6), expected);

    let mut longer = parameters;
    longer.shape.positions *= 3;
    let mut longer = Decoder::new(longer, 2).unwrap();
    for (a, b) in steps(&mut longer, 31, 6)
        .iter()
        .flatten()
        .zip(expected.iter().flatten())
    {
        let error = error(&numbers(&a.x), &numbers(&b.x));
        assert!(error < 0.02, "x differs by {error}");
    }
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    let good = parameters(&AWKWARD, 2, 40);
    let refused = |spoil: &dyn Fn(&mut Parameters)| {
        let mut bad = good.clone();
        spoil(&mut bad);
        Decoder::new(bad, 1).unwrap_err().to_string()
    };
    let messages = [
        refused(&|p| p.shape.positions = 40),
        refused(&|p| p.shape.heads = 0),
        refused(&|p| p.shape.lanes = 12),
        refused(&|p| p.layers[1].down = p.layers[1].up.clone()),
        refused(&|p| p.layers[0].score = 0),
        refused(&|p| p.frequencies.truncate(6)),
        refused(&|p| p.head.as_mut().unwrap().factors.truncate(3)),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    C is 40, not a multiple of L = 16
    H is 0, not a multiple of G = 1
    L is 12, not a power of two
    down of layer 1 is 51 x 37 with 51 factors, not 37 x 51 with 37 factors
    c of layer 0 is 0, not a number above zero
    frequencies is 6, not D/2 = 7
    head is 29 x 37 with 3 factors, not 29 x 37 with 29 factors
    ");
}
