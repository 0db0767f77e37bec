//! Rotary embedding (Su et al., RoFormer, 2021) of one position.

use crate::numeric::fp32;

/// cos and sin of one position, an FP32 pattern for each pair of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// D/2 cosines.
    pub cosines: Vec<u32>,
    /// D/2 sines.
    pub sines: Vec<u32>,
}

/// theta^(-2i/D) for i from 0 to D/2 - 1, in double precision.
pub fn frequencies(theta: f64, head_dim: usize) -> Vec<f64> {
    (0..head_dim / 2)
        .map(|i| libm::pow(theta, -(2.0 * i as f64) / head_dim as f64))
        .collect()
}

impl Rotation {
    /// Of the angles position x frequency in double precision, rounded to FP32.
    pub fn new(frequencies: &[f64], position: usize) -> Self {
        let angles = frequencies.iter().map(|turn| position as f64 * turn);
        let (sines, cosines) = angles
            .map(libm::sincos)
            .map(|(sine, cosine)| ((sine as f32).to_bits(), (cosine as f32).to_bits()))
            .unzip();
        Self { cosines, sines }
    }

    /// Rotates heads of D numbers, pair (i, i + D/2) by angle i, and converts them to int8.
    pub(super) fn apply(&self, heads: &[u32]) -> Vec<i8> {
        let half = self.cosines.len();
        let mut codes = Vec::with_capacity(heads.len());
        for head in heads.chunks_exact(2 * half) {
            let (first, second) = head.split_at(half);
            let rotate = |a: &[u32], b: &[u32], turn: fn(u32) -> u32| -> Vec<i8> {
                (0..half)
                    .map(|i| {
                        let kept = fp32::mul(a[i], self.cosines[i]);
                        let mixed = turn(fp32::mul(b[i], self.sines[i]));
                        fp32::to_i8(fp32::add(kept, mixed))
                    })
                    .collect()
            };
            codes.extend(rotate(first, second, fp32::neg));
            codes.extend(rotate(second, first, |mixed| mixed));
        }
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::{Rotation, frequencies};

    #[test]
    fn a_quarter_turn_swaps_a_pair() {
        let rotation = Rotation::new(&[std::f64::consts::FRAC_PI_2, 0.0], 1);
        let head: Vec<u32> = [10f32, 20.0, 30.0, 200.0].map(f32::to_bits).to_vec();
        // (10, 30) becomes (-30, 10); (20, 200) stays, and 200 saturates.
        assert_eq!(rotation.apply(&head), [-30, 20, 10, 127]);
    }

    #[test]
    fn frequencies_fall_from_one() {
        assert_eq!(frequencies(10_000.0, 2), [1.0]);
        let four = frequencies(10_000.0, 4);
        assert_eq!(four[0], 1.0);
        assert!((four[1] - 0.01).abs() < 1e-17);
        let rotation = Rotation::new(&four, 100);
        assert_eq!(rotation.cosines[1], (1f64.cos() as f32).to_bits());
    }
}
