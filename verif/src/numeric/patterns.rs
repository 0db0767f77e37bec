//! Random FP32 patterns that look for trouble: subnormals, ties, ends of the exponent range, infinities, NaNs, cancellation.

use super::fp32;
use proptest::prelude::*;

/// The canonical NaN for any NaN, else the pattern.
pub fn canonical(x: u32) -> u32 {
    if fp32::is_nan(x) { fp32::NAN } else { x }
}

/// One pattern.
pub fn fp32() -> impl Strategy<Value = u32> {
    let sign = any::<bool>().prop_map(|negative| u32::from(negative) << 31);
    let exponent = prop_oneof![
        3 => 0u32..=255,
        2 => 0u32..=3,
        2 => 252u32..=255,
        3 => 120u32..=134,
    ];
    let fraction = prop_oneof![
        3 => 0u32..1 << 23,
        1 => Just(0),
        1 => Just((1 << 23) - 1),
        1 => (0u32..23).prop_map(|bit| 1 << bit),
        1 => (0u32..23).prop_map(|bit| (1 << 23) - (1 << bit)),
        1 => (0u32..23, 0u32..1 << 23).prop_map(|(bit, top)| top >> bit << bit),
        1 => (0u32..23, 0u32..1 << 23).prop_map(|(shift, top)| top >> shift),
    ];
    (sign, exponent, fraction)
        .prop_map(|(sign, exponent, fraction)| sign | exponent << 23 | fraction)
}

/// Two patterns: unrelated, nearly the same magnitude, or one near half a unit in the last place of the other.
pub fn fp32_pair() -> impl Strategy<Value = (u32, u32)> {
    let step =
        |x: u32, by: i32| x & 1 << 31 | (fp32::abs(x) as i32).saturating_add(by).max(0) as u32;
    let nearby = move |x: u32, flip: bool, by: i32| (x, step(x ^ u32::from(flip) << 31, by));
    let far = |x: u32, y: u32, down: u32| {
        let field = (x >> 23 & 255).saturating_sub(down);
        (x, y & 0x807f_ffff | field << 23)
    };
    prop_oneof![
        3 => (fp32(), fp32()),
        3 => (fp32(), any::<bool>(), -4i32..=4).prop_map(move |(x, flip, by)| nearby(x, flip, by)),
        2 => (fp32(), fp32(), 0u32..=3).prop_map(move |(x, y, down)| far(x, y, down)),
        3 => (fp32(), fp32(), 21u32..=27).prop_map(move |(x, y, down)| far(x, y, down)),
    ]
    .prop_flat_map(|(x, y)| prop_oneof![Just((x, y)), Just((y, x))])
}

/// Two factors and an addend: unrelated, or an addend near the product (or minus it), or near the last bits of it.
pub fn fp32_triple() -> impl Strategy<Value = (u32, u32, u32)> {
    let around = (fp32_pair(), fp32(), -30i32..=30, any::<bool>(), -2i32..=2).prop_map(
        |((a, b), c, scale, exact, by)| {
            let product = fp32::mul(a, b);
            let field = ((product >> 23 & 255) as i32 + scale).clamp(0, 254) as u32;
            let scaled = c & 0x807f_ffff | field << 23;
            let opposite = fp32::neg(product).wrapping_add_signed(by);
            (a, b, if exact { opposite } else { scaled })
        },
    );
    prop_oneof![
        1 => (fp32_pair(), fp32()).prop_map(|((a, b), c)| (a, b, c)),
        2 => around,
    ]
}
