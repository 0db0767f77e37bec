//! The multipliers: one activation vector times an L x L weight tile.

/// `out[n]` = sum over k of `x[k] * weights[n * L + k]`, exact.
///
/// Weights are stored by column, widened to 16 bits, so that the inner loop becomes multiply-add
/// instructions over neighbouring pairs.
pub fn dot(lanes: usize, x: &[i16], weights: &[i16], out: &mut [i64]) {
    match lanes {
        8 => dot_lanes::<8>(x, weights, out),
        16 => dot_lanes::<16>(x, weights, out),
        32 => dot_lanes::<32>(x, weights, out),
        64 => dot_lanes::<64>(x, weights, out),
        _ => unreachable!("a valid configuration has 8, 16, 32 or 64 lanes"),
    }
}

fn dot_lanes<const L: usize>(x: &[i16], weights: &[i16], out: &mut [i64]) {
    let x: &[i16; L] = x[..L].try_into().expect("L lanes");
    for (column, sum) in weights.chunks_exact(L).zip(&mut out[..L]) {
        let column: &[i16; L] = column.try_into().expect("chunks of L");
        let products = x.iter().zip(column);
        let exact: i32 = products.map(|(&x, &w)| i32::from(x) * i32::from(w)).sum();
        *sum = exact.into();
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
            let columns: Vec<i16> = (0..lanes)
                .flat_map(|n| (0..lanes).map(move |k| (n, k)))
                .map(|(n, k)| w.at(k, n).into())
                .collect();
            let mut out = vec![0; lanes];
            dot(lanes, &wide, &columns, &mut out);
            let expected: Vec<i64> = matmul(&x, &w).row(0).iter().map(|&x| x.into()).collect();
            assert_eq!(out, expected);
        }
    }
}
