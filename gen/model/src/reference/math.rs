//! f32 arithmetic with a fixed order of every sum and functions of `libm`, so that each host gives the same bits.

use crate::architecture::{Activation, NormKind};
use crate::model::Norm;
use multiversion::multiversion;

/// Partial sums of a dot product.
pub const LANES: usize = 16;

/// Σ a\[i\] · b\[i\]: lane i mod 16 sums in ascending order, then the lanes are added as a tree whose second half is added to the first. Products
/// and sums are rounded one by one.
///
/// # Panics
/// If the lengths differ.
#[multiversion(targets("x86_64+avx2"))]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(
        a.len(),
        b.len(),
        "a dot product has operands of equal length"
    );
    let mut sums = [0.0; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
        *sum += a * b;
    }
    tree(sums)
}

/// The sum of all lanes: the second half is added to the first, again and again.
#[inline(always)]
pub fn tree(mut sums: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The sum of all elements in the order of [`dot`].
pub fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (at, value) in values.iter().enumerate() {
        sums[at % LANES] += value;
    }
    tree(sums)
}

/// Normalises `x`.
pub fn normalise(x: &mut [f32], norm: &Norm, kind: NormKind, epsilon: f32) {
    let size = x.len() as f32;
    if kind == NormKind::Layer {
        let mean = sum(x) / size;
        x.iter_mut().for_each(|value| *value -= mean);
    }
    let factor = 1.0 / (dot(x, x) / size + epsilon).sqrt();
    for (value, weight) in x.iter_mut().zip(&norm.weight) {
        *value = *value * factor * weight;
    }
    for (value, bias) in x.iter_mut().zip(norm.bias.iter().flatten()) {
        *value += bias;
    }
}

/// Shares that sum to one: exp(x - max) / sum.
pub fn softmax(x: &mut [f32]) {
    let most = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in &mut *x {
        *value = libm::expf(*value - most);
    }
    let total = sum(x);
    x.iter_mut().for_each(|value| *value /= total);
}

/// 1 / (1 + exp(-x)).
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-x))
}

impl Activation {
    /// The function.
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::Silu => x * sigmoid(x),
            Self::Gelu => 0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2)),
            Self::GeluTanh => {
                let root = 0.797_884_6; // sqrt(2 / pi)
                0.5 * x * (1.0 + libm::tanhf(root * (x + 0.044_715 * x * x * x)))
            }
            Self::Relu => x.max(0.0),
        }
    }
}

/// The `count` largest values' places, the largest first, of equals the earlier one.
pub fn top(values: &[f32], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    order.truncate(count);
    order
}
