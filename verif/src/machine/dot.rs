//! The multipliers: one activation vector times an L x L weight tile.
//!
//! Functions are compiled for several instruction sets of the host, which all give the same integers.

use multiversion::multiversion;

/// `out[n]` = sum over k of `x[k] * weights[k * L + n]`, exact.
///
/// Weights are stored by row, widened to 16 bits, so that neighbouring columns become vector instructions.
#[multiversion(targets("x86_64+avx2"))]
pub fn dot(lanes: usize, x: &[i16], weights: &[i16], out: &mut [i64]) {
    match lanes {
        8 => dot_lanes::<8, 8>(x, weights, out),
        16 => dot_lanes::<16, 16>(x, weights, out),
        32 => dot_lanes::<32, 32>(x, weights, out),
        64 => dot_lanes::<64, 32>(x, weights, out),
        _ => unreachable!("a valid configuration has 8, 16, 32 or 64 lanes"),
    }
}

/// Bytes as weights.
#[multiversion(targets("x86_64+avx2"))]
pub fn widen(lanes: &[u8], weights: &mut [i16]) {
    for (weight, &lane) in weights.iter_mut().zip(lanes) {
        *weight = i16::from(lane as i8);
    }
}

/// L lanes, B columns at a time: as many sums as the host's registers hold.
#[inline(always)]
fn dot_lanes<const L: usize, const B: usize>(x: &[i16], weights: &[i16], out: &mut [i64]) {
    for (block, out) in out[..L].chunks_exact_mut(B).enumerate() {
        let mut sums = [0i32; B];
        for (row, &x) in weights.chunks_exact(L).zip(&x[..L]) {
            let row: &[i16; B] = row[block * B..][..B].try_into().expect("B columns");
            for (sum, &weight) in sums.iter_mut().zip(row) {
                *sum += i32::from(x) * i32::from(weight);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = sum.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::dot;
    use crate::numeric::{Matrix, matmul};

    #[test]
    fn equals_the_tensor_product() {
        for lanes in [8, 16, 32, 64] {
            let x = Matrix::from_fn(1, lanes, |_, k| (k * 37 + 128) as i8);
            let w = Matrix::from_fn(lanes, lanes, |k, n| (k * 11 + n * 5 + 128) as i8);
            let wide: Vec<i16> = x.row(0).iter().map(|&x| x.into()).collect();
            let rows = (0..lanes).flat_map(|k| w.row(k));
            let rows: Vec<i16> = rows.map(|&w| w.into()).collect();
            let mut out = vec![0; lanes];
            dot(lanes, &wide, &rows, &mut out);
            let expected: Vec<i64> = matmul(&x, &w).row(0).iter().map(|&x| x.into()).collect();
            assert_eq!(out, expected);
        }
    }
}
