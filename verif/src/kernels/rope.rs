//! Rotary position embedding of a row; all numbers are FP32 patterns.

use crate::numeric::fp32;

/// Rotates the pairs (i, i + d / 2) of each head of a row of `heads` heads; `cos` and `sin` have d / 2 elements.
pub fn rope(row: &[u32], heads: usize, cos: &[u32], sin: &[u32]) -> Vec<u32> {
    let half = row.len() / heads / 2;
    let rotated = row.chunks(2 * half).flat_map(|head| {
        let (first, second) = head.split_at(half);
        let low = (0..half).map(|i| {
            let product = fp32::mul(second[i], sin[i]);
            fp32::fma(first[i], cos[i], fp32::neg(product))
        });
        let high = (0..half).map(|i| fp32::fma(second[i], cos[i], fp32::mul(first[i], sin[i])));
        low.chain(high).collect::<Vec<_>>()
    });
    rotated.collect()
}

#[cfg(test)]
mod tests {
    use super::rope;

    #[test]
    fn a_quarter_turn() {
        let row = [1.0f32, 2.0, 3.0, 4.0].map(f32::to_bits);
        let (cos, sin) = ([0f32; 1].map(f32::to_bits), [1f32; 1].map(f32::to_bits));
        let turned = [-2.0f32, 1.0, -4.0, 3.0].map(f32::to_bits);
        assert_eq!(rope(&row, 2, &cos, &sin), turned);
    }
}
