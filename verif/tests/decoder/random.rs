//! Seeded decoders whose values fill their formats.

use lpu_verif::kernels::decoder::{Layer, Linear, Parameters, Shape, frequencies};
use lpu_verif::numeric::Matrix;

/// splitmix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Nearly normal, standard deviation 1: twelve uniform numbers.
    pub fn normal(&mut self) -> f64 {
        let uniform = |bits: u64| (bits >> 11) as f64 / (1u64 << 53) as f64;
        (0..12).map(|_| uniform(self.bits())).sum::<f64>() - 6.0
    }
}

/// A matrix whose outputs have a standard deviation of `gain` when its inputs have one of `input`.
fn linear(random: &mut Random, outputs: usize, inputs: usize, input: f64, gain: f64) -> Linear {
    let codes = Matrix::from_fn(outputs, inputs, |_, _| {
        (random.normal() * 40.0).round().clamp(-127.0, 127.0) as i8
    });
    let factor = gain / (40.0 * input * (inputs as f64).sqrt());
    let factors = (0..outputs)
        .map(|_| ((factor * (1.0 + 0.3 * random.normal().abs())) as f32).to_bits())
        .collect();
    Linear { codes, factors }
}

/// Random parameters: q, k, v and h are codes with a standard deviation of about 30, so that some saturate.
pub fn parameters(shape: &Shape, layers: usize, seed: u64) -> Parameters {
    scaled(shape, layers, seed, 1.0)
}

/// The same with smaller codes, so that hardly any saturates, scores that lie closer, and layers that add less to x, so that errors do not grow.
pub fn calm(shape: &Shape, layers: usize, seed: u64) -> Parameters {
    scaled(shape, layers, seed, 0.3)
}

fn scaled(shape: &Shape, layers: usize, seed: u64, share: f64) -> Parameters {
    let mut random = Random(seed);
    let r = &mut random;
    let (d, f) = (shape.width, shape.hidden);
    let (queries, keys) = (
        shape.heads * shape.head_dim,
        shape.kv_heads * shape.head_dim,
    );
    let layer = |_| Layer {
        query: linear(r, queries, d, 1.0, 30.0 * share),
        key: linear(r, keys, d, 1.0, 30.0 * share),
        value: linear(r, keys, d, 1.0, 30.0 * share),
        output: linear(r, d, queries, 20.0 * share, 0.7 * share),
        gate: linear(r, f, d, 1.0, 1.5 * share.sqrt()),
        up: linear(r, f, d, 1.0, 40.0 * share),
        down: linear(r, d, f, 30.0 * share, 0.7 * share),
        // Scores have a standard deviation of a few bits.
        score: ((3.0 / (900.0 * share * (shape.head_dim as f64).sqrt())) as f32).to_bits(),
    };
    Parameters {
        shape: *shape,
        layers: (0..layers).map(layer).collect(),
        head: Some(linear(&mut random, shape.vocabulary, d, 1.0, 2.0)),
        epsilon: 1e-5f32.to_bits(),
        frequencies: frequencies(10_000.0, shape.head_dim),
    }
}

/// Rows of x, one for each sequence.
pub fn rows(shape: &Shape, sequences: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut random = Random(seed ^ 0x5eed);
    let mut row = || -> Vec<u32> {
        (0..shape.width)
            .map(|_| (random.normal() as f32).to_bits())
            .collect()
    };
    (0..sequences).map(|_| row()).collect()
}
