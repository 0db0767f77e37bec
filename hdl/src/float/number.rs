//! FP32 and the small formats in integer arithmetic: what the blocks compute in rust-hdl's simulator.

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
    let key = |x: u32| if x & SIGN == 0 { x | SIGN } else { !x };
    key(a) < key(b)
}
