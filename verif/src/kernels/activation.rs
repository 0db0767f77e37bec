//! SiLU and GELU of an element; all numbers are FP32 patterns.

use crate::numeric::{fp32, functions};

/// -log2(e).
const MINUS_LOG2_E: u32 = 0xbfb8_aa3b;
/// -2 sqrt(2 / pi) log2(e).
const LINEAR: u32 = 0xc013_5761;
/// The same times 0.044715.
const CUBIC: u32 = 0xbdd2_d3e8;

/// x / (1 + 2^exponent).
fn times_sigmoid(x: u32, exponent: u32) -> u32 {
    let denominator = fp32::add(functions::exp2(exponent), fp32::ONE);
    fp32::mul(functions::rcp(denominator), x)
}

/// x * sigmoid(x).
pub fn silu(x: u32) -> u32 {
    times_sigmoid(x, fp32::mul(x, MINUS_LOG2_E))
}

/// silu(x) * gate.
pub fn swiglu(x: u32, gate: u32) -> u32 {
    fp32::mul(silu(x), gate)
}

/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
pub fn gelu(x: u32) -> u32 {
    let polynomial = fp32::fma(fp32::mul(x, x), CUBIC, LINEAR);
    times_sigmoid(x, fp32::mul(polynomial, x))
}

#[cfg(test)]
mod tests {
    use super::{gelu, silu, swiglu};

    #[test]
    fn known_values() {
        let close = |found: u32, expected: f64| {
            let found = f64::from(f32::from_bits(found));
            assert!(
                (found - expected).abs() <= 2e-7 * expected.abs(),
                "{found} {expected}"
            );
        };
        let one = 1f32.to_bits();
        close(silu(one), 0.731_058_578_630_004_9);
        close(silu((-1f32).to_bits()), -0.268_941_421_369_995_1);
        close(gelu(one), 0.841_191_990_607_477_6);
        close(swiglu(one, 3f32.to_bits()), 3.0 * 0.731_058_578_630_004_9);
        for far in [200f32, 1e20, f32::MAX] {
            assert_eq!(silu(far.to_bits()), far.to_bits());
            assert_eq!(gelu(far.to_bits()), far.to_bits());
            assert_eq!(silu((-far).to_bits()), (-0f32).to_bits());
            assert_eq!(gelu((-far).to_bits()), (-0f32).to_bits());
        }
    }
}
