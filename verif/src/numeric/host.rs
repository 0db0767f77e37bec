//! FP32 operations by the host's own IEEE 754 unit, for speed: the same bits as those of [`fp32`](super::fp32), which defines them.
//!
//! Rust fixes the results of `+`, `*` and `mul_add` on finite numbers (IEEE 754-2019, round to nearest, subnormals); only the payload of a NaN is the
//! host's business, so whatever has to do with one goes to the definition.

use super::fp32;
use multiversion::multiversion;

/// a := a · b + c in every lane, rounded once.
///
/// # Panics
/// If the operands are not equally long.
#[multiversion(targets("x86_64+avx2+fma"))]
pub fn fma(a: &mut [u32], b: &[u32], c: &[u32]) {
    each(a, b, c, |a, b, c| a.mul_add(b, c));
}

/// a := a + c, which is [`fma`] with b = 1.
///
/// # Panics
/// If the operands are not equally long.
#[multiversion(targets("x86_64+avx2+fma"))]
pub fn add(a: &mut [u32], c: &[u32]) {
    each(a, &[fp32::ONE; LANES][..c.len()], c, |a, _, c| a + c);
}

/// a := a · b, which is [`fma`] with c = -0.
///
/// # Panics
/// If the operands are not equally long.
#[multiversion(targets("x86_64+avx2+fma"))]
pub fn mul(a: &mut [u32], b: &[u32]) {
    each(a, b, &[fp32::NEGATIVE_ZERO; LANES][..b.len()], |a, b, _| {
        a * b
    });
}

/// Integers, as words, become the nearest FP32 numbers.
pub fn from_i32(words: &mut [u32]) {
    for word in words {
        *word = (*word as i32 as f32).to_bits();
    }
}

/// The most lanes.
const LANES: usize = 64;

#[inline(always)]
fn each(a: &mut [u32], b: &[u32], c: &[u32], compute: impl Fn(f32, f32, f32) -> f32) {
    assert!(a.len() == b.len() && a.len() == c.len() && a.len() <= LANES);
    let mut results = [0u32; LANES];
    let results = &mut results[..a.len()];
    let mut number = true;
    for (((result, &a), &b), &c) in results.iter_mut().zip(&*a).zip(b).zip(c) {
        let value = compute(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
        number &= !value.is_nan();
        *result = value.to_bits();
    }
    if !number {
        for (((result, &a), &b), &c) in results.iter_mut().zip(&*a).zip(b).zip(c) {
            *result = fp32::fma(a, b, c);
        }
    }
    a.copy_from_slice(results);
}

#[cfg(test)]
mod tests {
    use super::super::fp32;
    use super::super::patterns::fp32_triple;
    use super::{add, fma, from_i32, mul};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn the_host_computes_what_is_defined(triples in prop::collection::vec(fp32_triple(), 1..=16)) {
            let of = |place: fn(&(u32, u32, u32)) -> u32| -> Vec<u32> { triples.iter().map(place).collect() };
            let (a, b, c) = (of(|t| t.0), of(|t| t.1), of(|t| t.2));
            let defined = |f: fn(u32, u32, u32) -> u32| -> Vec<u32> { triples.iter().map(|t| f(t.0, t.1, t.2)).collect() };
            let mut found = a.clone();
            fma(&mut found, &b, &c);
            prop_assert_eq!(&found, &defined(fp32::fma));
            found.copy_from_slice(&a);
            add(&mut found, &c);
            prop_assert_eq!(&found, &defined(|a, _, c| fp32::add(a, c)));
            found.copy_from_slice(&a);
            mul(&mut found, &b);
            prop_assert_eq!(&found, &defined(|a, b, _| fp32::mul(a, b)));
        }

        #[test]
        fn the_host_converts_integers_as_defined(value: i32, shift in 0u32..32) {
            let value = value >> shift;
            let mut found = [value as u32];
            from_i32(&mut found);
            prop_assert_eq!(found, [fp32::from_i32(value)]);
        }
    }
}
