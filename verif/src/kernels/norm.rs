//! RMSNorm and LayerNorm of a row; all numbers are FP32 patterns.

use super::order::Order;
use crate::numeric::{fp32, functions};

/// 1 / columns, rounded.
fn share(columns: usize) -> u32 {
    ((1.0 / columns as f64) as f32).to_bits()
}

fn square(x: u32) -> u32 {
    fp32::mul(x, x)
}

fn add_square(sum: u32, x: u32) -> u32 {
    fp32::fma(x, x, sum)
}

/// One over the root of the mean of `squares` and epsilon.
fn root(squares: u32, columns: usize, epsilon: u32) -> u32 {
    functions::rsqrt(fp32::fma(squares, share(columns), epsilon))
}

/// x / sqrt(mean(x^2) + epsilon) * gamma.
pub fn rms_norm(row: &[u32], gamma: &[u32], epsilon: u32, order: Order) -> Vec<u32> {
    let root = root(order.sum(row, square, add_square), row.len(), epsilon);
    let scaled = row.iter().map(|&x| fp32::mul(x, root));
    scaled
        .zip(gamma)
        .map(|(x, &gamma)| fp32::mul(x, gamma))
        .collect()
}

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta.
pub fn layer_norm(
    row: &[u32],
    gamma: &[u32],
    beta: &[u32],
    epsilon: u32,
    order: Order,
) -> Vec<u32> {
    let mean = fp32::mul(order.sum(row, |x| x, fp32::add), share(row.len()));
    let centred: Vec<u32> = row.iter().map(|&x| fp32::sub(x, mean)).collect();
    let root = root(order.sum(&centred, square, add_square), row.len(), epsilon);
    let scaled = centred.iter().map(|&t| fp32::mul(t, root));
    let columns = gamma.iter().zip(beta);
    scaled
        .zip(columns)
        .map(|(t, (&gamma, &beta))| fp32::fma(t, gamma, beta))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Order, layer_norm, rms_norm};

    const ORDER: Order = Order {
        lanes: None,
        partials: 1,
    };

    fn bits<const N: usize>(values: [f32; N]) -> [u32; N] {
        values.map(f32::to_bits)
    }

    #[test]
    fn small_rows() {
        // The mean of the squares is 4, that of the elements 0.
        let row = bits([2.0, -2.0, 2.0, -2.0]);
        let gamma = bits([1.0, 2.0, 3.0, 4.0]);
        let scaled = rms_norm(&row, &gamma, 0, ORDER);
        assert_eq!(scaled, bits([1.0, -2.0, 3.0, -4.0]));
        let beta = bits([0.5, 0.5, 0.5, 0.5]);
        let shifted = layer_norm(&row, &gamma, &beta, 0, ORDER);
        assert_eq!(shifted, bits([1.5, -1.5, 3.5, -3.5]));
    }
}
