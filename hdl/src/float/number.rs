//! FP32 and the small formats in integer arithmetic: what the blocks compute in rust-hdl's simulator.

use lpu_isa::functions::{Coefficients, EXP2, RCP, RSQRT, SEGMENTS};

/// The NaN that operations give.
pub(super) const NAN: u32 = 0x7fc0_0000;
/// Positive infinity.
pub(super) const INFINITY: u32 = 0x7f80_0000;
/// The number one.
pub(super) const ONE: u32 = 0x3f80_0000;
/// The bit of the sign.
pub(super) const SIGN: u32 = 1 << 31;

/// Is it a NaN?
pub(super) fn is_nan(x: u32) -> bool {
    x & !SIGN > INFINITY
}

/// Is it a zero of either sign?
pub(super) fn is_zero(x: u32) -> bool {
    x & !SIGN == 0
}

/// The magnitude of a finite number: a significand and the power of two that it counts.
pub(super) fn magnitude(x: u32) -> (u128, i32) {
    let exponent = x >> 23 & 0xff;
    let hidden = u32::from(exponent != 0) << 23;
    let significand = x & 0x7f_ffff | hidden;
    (u128::from(significand), exponent.max(1) as i32 - 150)
}

/// `significand` * 2^`exponent` as a whole number, to nearest, ties to even.
///
/// Below 2^-100 of one it is zero; the whole number has to fit.
pub(super) fn round(significand: u128, exponent: i32) -> u128 {
    if exponent >= 0 {
        return significand << exponent;
    }
    let shift = (-exponent).min(127);
    let whole = significand >> shift;
    let half = 1 << (shift - 1);
    let rest = significand & ((half << 1) - 1);
    whole + u128::from(rest > half || rest == half && whole & 1 == 1)
}

/// `significand` * 2^`exponent` as FP32, rounded once.
pub(super) fn pack(negative: bool, significand: u128, exponent: i32) -> u32 {
    let sign = u32::from(negative) << 31;
    if significand == 0 {
        return sign;
    }
    let top = 127 - significand.leading_zeros() as i32 + exponent;
    if top > 127 {
        return sign | INFINITY;
    }
    // The last bit of the result; the smallest is 2^-149. A hidden bit adds one to the exponent.
    let last = (top - 23).max(-149);
    let field = ((last + 149) as u32) << 23;
    sign | (field + round(significand, exponent - last) as u32).min(INFINITY)
}

/// `p` * `y` + `z`, rounded once.
pub(super) fn fma(p: u32, y: u32, z: u32) -> u32 {
    let product_sign = (p ^ y) & SIGN;
    let infinite = |x: u32| x & !SIGN == INFINITY;
    let product_infinite = infinite(p) || infinite(y);
    let product_zero = is_zero(p) || is_zero(y);
    if [p, y, z].into_iter().any(is_nan)
        || product_infinite && product_zero
        || product_infinite && infinite(z) && product_sign != z & SIGN
    {
        return NAN;
    }
    if product_infinite {
        return product_sign | INFINITY;
    }
    if infinite(z) || product_zero && !is_zero(z) {
        return z;
    }
    if product_zero {
        return z & product_sign;
    }
    let ((p, p_exponent), (y, y_exponent), (addend, addend_exponent)) =
        (magnitude(p), magnitude(y), magnitude(z));
    let (product, exponent) = (p * y, p_exponent + y_exponent);
    // Both counted in the smaller power; of what is more than 70 powers below the other, only that it is there matters.
    let distance = exponent - addend_exponent;
    let (product, addend, exponent) = match distance {
        _ if addend == 0 => (product, 0, exponent),
        71.. => (product << 40, 1, exponent - 40),
        0..=70 => (product << distance, addend, addend_exponent),
        -70..0 => (product, addend << -distance, exponent),
        _ => (1, addend << 40, addend_exponent - 40),
    };
    let signed = |magnitude: u128, sign: u32| match sign {
        0 => magnitude as i128,
        _ => -(magnitude as i128),
    };
    let sum = signed(product, product_sign) + signed(addend, z & SIGN);
    pack(sum < 0, sum.unsigned_abs(), exponent)
}

/// Is `a` below `b` in the order of `maximum` and `minimum`, in which -0 is below +0? Neither may be a NaN.
pub(super) fn is_below(a: u32, b: u32) -> bool {
    order(a) < order(b)
}

/// Orders numbers like whole numbers, -0 below +0.
pub(super) fn order(x: u32) -> u32 {
    if x & SIGN == 0 { x | SIGN } else { !x }
}

/// FP32 from a word: 1 FP32, 2 int32, 3 int8, 4 E4M3, else +0.
pub(super) fn from_format(word: u32, format: u8) -> u32 {
    let integer = |value: i32| match value {
        0 => 0,
        value => pack(value < 0, value.unsigned_abs().into(), 0),
    };
    match format {
        1 => word,
        2 => integer(word as i32),
        3 => integer((word as i8).into()),
        4 if word & 0x7f == 0x7f => NAN,
        4 => {
            let (field, fraction) = (word >> 3 & 15, word & 7);
            let significand = fraction | u32::from(field != 0) << 3;
            pack(
                word & 0x80 != 0,
                significand.into(),
                field.max(1) as i32 - 10,
            )
        }
        _ => 0,
    }
}

/// A word from FP32: 1 FP32, 2 int32, 3 int8, 4 E4M3, 5 int16 in two planes, 6 E2M1, else 0.
pub(super) fn to_format(x: u32, format: u8) -> u32 {
    let negative = x & SIGN != 0;
    let (significand, exponent) = if x & !SIGN >= INFINITY {
        (1, 40)
    } else {
        magnitude(x)
    };
    // Beyond 2^40 everything saturates alike.
    let whole = |scale: i32| match exponent + scale + 24 {
        41.. => 1 << 40,
        _ => round(significand, exponent + scale) as i64,
    };
    let integer = |low: i64, high: i64| {
        let magnitude = whole(0);
        let signed = if negative { -magnitude } else { magnitude };
        if is_nan(x) {
            0
        } else {
            signed.clamp(low, high)
        }
    };
    // The pattern of a small format: fraction bits, its exponent's least value, its largest pattern.
    let small = |fraction_bits: i32, least: i32, largest: i64| {
        let field = (x >> 23 & 0xff) as i32 - 127;
        let unit = field.max(least) - fraction_bits;
        let rounded = round(significand, exponent - unit) as i64;
        let base = i64::from(field.max(least) - least) << fraction_bits;
        if x & !SIGN >= INFINITY {
            largest
        } else {
            (base + rounded).min(largest)
        }
    };
    match format {
        1 => x,
        2 => integer(i32::MIN.into(), i32::MAX.into()) as u32,
        3 => integer(-128, 127) as u32 & 0xff,
        4 if is_nan(x) => 0x7f,
        4 => small(3, -6, 0x7e) as u32 | u32::from(negative) << 7,
        5 => {
            let value = integer(-32640, 32639);
            let low = value as i8;
            (low as u8 as u32) | (((value - i64::from(low)) >> 8) as u8 as u32) << 8
        }
        6 if is_nan(x) => 0,
        6 => small(1, 0, 7) as u32 | u32::from(negative) << 3,
        _ => 0,
    }
}

/// 0: x, 1: 2^x, 2: 1 / x, 3: 1 / sqrt(x), as `docs/numbers.md` defines them.
pub(super) fn function(function: u8, x: u32) -> u32 {
    let negative = x & SIGN != 0;
    let sign = x & SIGN;
    let (significand, exponent) = magnitude(x & !SIGN);
    if function == 0 {
        return x;
    }
    if is_nan(x) || function == 3 && negative && !is_zero(x) {
        return NAN;
    }
    let infinite = x & !SIGN == INFINITY;
    if function == 1 {
        // 128 and -150 as patterns; of numbers with one sign the patterns are in order.
        if !negative && x >= 0x4300_0000 {
            return INFINITY;
        }
        if negative && x >= 0xc316_0000 {
            return 0;
        }
        let shift = exponent + 27;
        let halves = if shift >= 0 {
            (significand << shift) as i64
        } else {
            (significand >> (-shift).min(127)) as i64
        };
        let fixed = (halves + 1) >> 1;
        let fixed = if negative { -fixed } else { fixed };
        let y = quadratic(&EXP2, fixed & 0x3ff_ffff, false);
        return pack(false, y, (fixed >> 26) as i32 - 29);
    }
    if is_zero(x) {
        return sign | INFINITY;
    }
    if infinite {
        return sign;
    }
    let leading = 127 - significand.leading_zeros() as i32;
    let fraction = ((significand << (23 - leading)) & 0x7f_ffff) as i64;
    let e = exponent + leading;
    if function == 2 {
        let y = quadratic(&RCP, fraction << 3, true);
        return pack(negative, y, -e - 1 - 29);
    }
    let y = quadratic(&RSQRT, i64::from(e & 1) << 25 | fraction << 2, true);
    pack(false, y, -(e >> 1) - 1 - 29)
}

/// y in 2^-29, from index and position in 26 bits.
fn quadratic(table: &[u64; SEGMENTS], argument: i64, falling: bool) -> u128 {
    let Coefficients { c0, c1, c2 } = Coefficients::of(table[(argument >> 18) as usize]);
    let offset = (argument & 0x3_ffff) - 0x2_0000;
    let offset = if falling { !offset } else { offset };
    let size = offset.max(!offset) >> 5;
    let constant = ((1 << 26) + i64::from(c0)) << 3;
    let linear = (i64::from(c1) * offset) >> 14;
    let square = (size * size) >> 10;
    let quadratic = (i64::from(c2) * square) >> 11;
    (constant + linear + quadratic) as u128
}
