//! FP32 operations by the host's own IEEE 754 unit, for speed: the same bits as those of [`fp32`](super::fp32), which defines them.
//!
//! Rust fixes the results of `+`, `*` and `mul_add` on finite numbers (IEEE 754-2019, round to nearest, subnormals); only the payload of a NaN is the
//! host's business, so whatever has to do with one goes to the definition.

use super::fp32;

/// a · b + c, rounded once.
pub fn fma(a: u32, b: u32, c: u32) -> u32 {
    let number = f32::from_bits;
    let result = match (b, c) {
        (fp32::ONE, _) => number(a) + number(c),
        (_, fp32::NEGATIVE_ZERO) => number(a) * number(b),
        _ => number(a).mul_add(number(b), number(c)),
    };
    match result.is_nan() {
        true => fp32::fma(a, b, c),
        false => result.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fp32;
    use super::super::patterns::fp32_triple;
    use super::fma;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

        #[test]
        fn the_host_computes_what_is_defined((a, b, c) in fp32_triple()) {
            prop_assert_eq!(fma(a, b, c), fp32::fma(a, b, c));
            prop_assert_eq!(fma(a, fp32::ONE, c), fp32::add(a, c));
            prop_assert_eq!(fma(a, b, fp32::NEGATIVE_ZERO), fp32::mul(a, b));
        }
    }
}
