//! RMSNorm of a row of x into int8 codes.

use super::super::order::tree;
use crate::numeric::{fp32, functions};

/// A row behind a norm: element k is `factor` times code k.
pub struct Normed {
    pub codes: Vec<i8>,
    /// t, an FP32 pattern.
    pub factor: u32,
}

/// The largest code.
const LARGEST: f32 = 127.0;

/// The line "norm" of a layer.
pub fn normalise(x: &[u32], epsilon: u32, lanes: usize) -> Normed {
    let width = x.len() as f32;
    let largest = x.iter().map(|&x| fp32::abs(x)).fold(0, fp32::max);
    let sum = squares(x, lanes);
    let mean = fp32::fma(sum, (1.0 / width).to_bits(), epsilon);
    let root = functions::rsqrt(mean);
    let inverse = fp32::mul(functions::rcp(largest), LARGEST.to_bits());
    let step = fp32::mul(largest, (1.0 / LARGEST).to_bits());
    Normed {
        codes: x
            .iter()
            .map(|&x| fp32::to_i8(fp32::mul(x, inverse)))
            .collect(),
        factor: fp32::mul(step, root),
    }
}

/// S: four partial sums in each lane over the tiles of x, then the lanes as REDUCE adds them up.
fn squares(x: &[u32], lanes: usize) -> u32 {
    let lane = |lane: usize| {
        let mut partial = [0; 4];
        for (j, &x) in x.iter().skip(lane).step_by(lanes).enumerate() {
            partial[j % 4] = fp32::fma(x, x, partial[j % 4]);
        }
        tree(partial.to_vec())
    };
    tree((0..lanes).map(lane).collect())
}

#[cfg(test)]
mod tests {
    use super::squares;

    /// 2^12, whose square 2^24 swallows a one that is added to it.
    const LARGE: f32 = 4096.0;

    fn sum(x: &[f32], lanes: usize) -> f32 {
        let x: Vec<u32> = x.iter().map(|x| x.to_bits()).collect();
        f32::from_bits(squares(&x, lanes))
    }

    #[test]
    fn the_order_of_the_sum_is_that_of_the_document() {
        // One lane: tiles 0 and 4 meet first, so the one of tile 4 is lost.
        assert_eq!(sum(&[LARGE, 0.0, 0.0, 0.0, 1.0, 1.0], 1), 16_777_216.0);
        // Tiles 1 and 3 meet before they meet tiles 0 and 2: 1 + 1 survives.
        assert_eq!(sum(&[LARGE, 1.0, 0.0, 1.0], 1), 16_777_218.0);
        // Tile 2 meets tile 0 first and is lost.
        assert_eq!(sum(&[LARGE, 0.0, 1.0, 1.0], 1), 16_777_216.0);
        // Four lanes: lane 2 meets lane 0, lane 3 meets lane 1.
        assert_eq!(sum(&[LARGE, 1.0, 0.0, 1.0], 4), 16_777_218.0);
        assert_eq!(sum(&[LARGE, 0.0, 1.0, 1.0], 4), 16_777_216.0);
        // A lane adds up its own tiles before the lanes meet.
        assert_eq!(
            sum(&[0.0, 1.0, LARGE, 0.0, 0.0, 1.0, 0.0, 0.0], 4),
            16_777_218.0
        );
    }
}
