//! Softmax of a row.

use super::order::{Order, maximum};
use crate::numeric::{fp32, functions};

/// softmax of `row` times a scale, whose product with log2(e) is `factor`. All are FP32 patterns.
pub fn softmax(row: &[u32], factor: u32, order: Order) -> Vec<u32> {
    let shift = fp32::mul(maximum(row.iter().copied()), factor);
    let exponent = |&x: &u32| functions::exp2(fp32::fma(x, factor, fp32::neg(shift)));
    let exponents: Vec<u32> = row.iter().map(exponent).collect();
    let inverse = functions::rcp(order.sum(&exponents, |e| e, fp32::add));
    exponents.iter().map(|&e| fp32::mul(e, inverse)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Order, softmax};

    #[test]
    fn equal_elements_share_one() {
        let order = Order {
            lanes: Some(8),
            partials: 1,
        };
        let row = [0x4000_0000; 4];
        assert_eq!(softmax(&row, 0x3f80_0000, order), [0x3e80_0000; 4]);
    }
}
