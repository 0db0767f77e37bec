//! Products of whole matrices in E4M3 and NVFP4: exact sums, each rounded once to FP32.

use super::accumulator::BLOCK;
use super::{E4m3Accumulator, Matrix, Nvfp4Accumulator, e2m1, e4m3};

/// An operand in NVFP4. Elements are E2M1 in the low four bits of a byte; a scale belongs to 16 elements along k.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nvfp4Matrix {
    /// Elements.
    pub elements: Matrix<u8>,
    /// E4M3 scales: (m, ceil(k / 16)) of a left operand, (ceil(k / 16), n) of a right one.
    pub scales: Matrix<u8>,
}

/// `a` (m, k) x `b` (k, n) in E4M3, as exact sums.
///
/// Sums of parts of k, merged in any order, are the sums of all.
///
/// # Panics
/// If `a` has another number of columns than `b` has rows.
pub fn e4m3_sums(a: &Matrix<u8>, b: &Matrix<u8>) -> Matrix<E4m3Accumulator> {
    assert_eq!(a.columns(), b.rows(), "inner dimensions");
    let value = |x: u8| i64::from(e4m3::fixed(x).unwrap_or(0));
    let columns = b.transpose();
    let values = Matrix::from_fn(b.columns(), b.rows(), |c, k| value(columns.at(c, k)));
    let nan = |x: &[u8]| x.iter().copied().any(e4m3::is_nan);
    let nan_columns: Vec<bool> = (0..b.columns()).map(|c| nan(columns.row(c))).collect();
    let mut sums = Vec::with_capacity(a.rows() * b.columns());
    for r in 0..a.rows() {
        let row: Vec<i64> = a.row(r).iter().map(|&x| value(x)).collect();
        let nan_row = nan(a.row(r));
        sums.extend((0..b.columns()).map(|c| {
            let terms = row.iter().zip(values.row(c)).map(|(x, w)| x * w);
            let sum = terms.fold(0i64, i64::wrapping_add);
            E4m3Accumulator::from_units(sum, nan_row || nan_columns[c])
        }));
    }
    Matrix::from_fn(a.rows(), b.columns(), |r, c| sums[r * b.columns() + c])
}

/// `a` (m, k) x `b` (k, n) in E4M3 as FP32.
///
/// ```
/// use lpu_verif::numeric::{Matrix, e4m3_matmul};
/// let ones = Matrix::from_fn(2, 2, |_, _| 0x38);
/// assert_eq!(e4m3_matmul(&ones, &ones).at(1, 0), 2f32.to_bits());
/// ```
///
/// # Panics
/// As [`e4m3_sums`].
pub fn e4m3_matmul(a: &Matrix<u8>, b: &Matrix<u8>) -> Matrix<u32> {
    let sums = e4m3_sums(a, b);
    Matrix::from_fn(sums.rows(), sums.columns(), |r, c| sums.at(r, c).to_fp32())
}

/// `a` (m, k) x `b` (k, n) in NVFP4, as exact sums; the last block of k is filled with zeros.
///
/// Sums of parts of k that are whole blocks, merged in any order, are the sums of all.
///
/// # Panics
/// If `a` has another number of columns than `b` has rows, or the scales have other shapes than they must.
pub fn nvfp4_sums(a: &Nvfp4Matrix, b: &Nvfp4Matrix) -> Matrix<Nvfp4Accumulator> {
    let (m, k, n) = (
        a.elements.rows(),
        a.elements.columns(),
        b.elements.columns(),
    );
    assert_eq!(k, b.elements.rows(), "inner dimensions");
    let blocks = k.div_ceil(BLOCK);
    assert_eq!(
        (a.scales.rows(), a.scales.columns()),
        (m, blocks),
        "left scales"
    );
    assert_eq!(
        (b.scales.rows(), b.scales.columns()),
        (blocks, n),
        "right scales"
    );
    let (weights, weight_scales) = (b.elements.transpose(), b.scales.transpose());
    let halves = |row: &[u8]| row.iter().map(|&x| e2m1::fixed(x)).collect::<Vec<i32>>();
    let columns: Vec<Vec<i32>> = (0..n).map(|c| halves(weights.row(c))).collect();
    let rows: Vec<Vec<i32>> = (0..m).map(|r| halves(a.elements.row(r))).collect();
    Matrix::from_fn(m, n, |r, c| {
        let mut sum = Nvfp4Accumulator::default();
        let pairs = rows[r].chunks(BLOCK).zip(columns[c].chunks(BLOCK));
        let scales = a.scales.row(r).iter().zip(weight_scales.row(c));
        for ((x, w), (&x_scale, &w_scale)) in pairs.zip(scales) {
            let quarters: i32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
            sum.add_scaled(quarters, x_scale, w_scale);
        }
        sum
    })
}

/// `a` (m, k) x `b` (k, n) in NVFP4 as FP32.
///
/// # Panics
/// As [`nvfp4_sums`].
pub fn nvfp4_matmul(a: &Nvfp4Matrix, b: &Nvfp4Matrix) -> Matrix<u32> {
    let sums = nvfp4_sums(a, b);
    Matrix::from_fn(sums.rows(), sums.columns(), |r, c| sums.at(r, c).to_fp32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    const MOST: usize = 70;

    fn matrix(rows: usize, columns: usize, bytes: &[u8]) -> Matrix<u8> {
        Matrix::from_fn(rows, columns, |r, c| bytes[(r * columns + c) % bytes.len()])
    }

    /// Columns `range` of k, of a left (rows) or right operand.
    fn part(x: &Matrix<u8>, k: std::ops::Range<usize>, left: bool) -> Matrix<u8> {
        if left {
            Matrix::from_fn(x.rows(), k.len(), |r, c| x.at(r, k.start + c))
        } else {
            Matrix::from_fn(k.len(), x.columns(), |r, c| x.at(k.start + r, c))
        }
    }

    proptest! {
        #[test]
        fn e4m3_has_the_same_bits_for_any_split_and_order_of_k(
            m in 1usize..4, n in 1usize..4, k in 2usize..MOST, cut in any::<prop::sample::Index>(),
            bytes in vec(any::<u8>(), 300), rotate in 0usize..MOST,
        ) {
            let (a, b) = (matrix(m, k, &bytes), matrix(k, n, &bytes[100..]));
            let whole = e4m3_sums(&a, &b);
            let cut = 1 + cut.index(k - 1);
            let [head, tail] = [0..cut, cut..k]
                .map(|range| e4m3_sums(&part(&a, range.clone(), true), &part(&b, range, false)));
            let turned_a = Matrix::from_fn(m, k, |r, c| a.at(r, (c + rotate) % k));
            let turned_b = Matrix::from_fn(k, n, |r, c| b.at((r + rotate) % k, c));
            prop_assert_eq!(&e4m3_sums(&turned_a, &turned_b), &whole);
            for r in 0..m {
                for c in 0..n {
                    let mut merged = tail.at(r, c);
                    merged.merge(&head.at(r, c));
                    prop_assert_eq!(merged, whole.at(r, c));
                    let mut sum = E4m3Accumulator::default();
                    (0..k).for_each(|i| sum.add(a.at(r, i), b.at(i, c)));
                    prop_assert_eq!(sum, whole.at(r, c));
                }
            }
        }

        #[test]
        fn nvfp4_has_the_same_bits_for_any_split_of_k(
            m in 1usize..4, n in 1usize..4, blocks in 2usize..5, rest in 1usize..=BLOCK, cut in any::<prop::sample::Index>(),
            bytes in vec(any::<u8>(), 300),
        ) {
            let k = (blocks - 1) * BLOCK + rest;
            let a = Nvfp4Matrix { elements: matrix(m, k, &bytes), scales: matrix(m, blocks, &bytes[50..]) };
            let b = Nvfp4Matrix { elements: matrix(k, n, &bytes[100..]), scales: matrix(blocks, n, &bytes[70..]) };
            let whole = nvfp4_sums(&a, &b);
            let cut = 1 + cut.index(blocks - 1);
            let [head, tail] = [0..cut, cut..blocks].map(|range| {
                let elements = range.start * BLOCK..(range.end * BLOCK).min(k);
                let left = Nvfp4Matrix {
                    elements: part(&a.elements, elements.clone(), true),
                    scales: part(&a.scales, range.clone(), true),
                };
                let right = Nvfp4Matrix {
                    elements: part(&b.elements, elements, false),
                    scales: part(&b.scales, range, false),
                };
                nvfp4_sums(&left, &right)
            });
            for r in 0..m {
                for c in 0..n {
                    let mut merged = tail.at(r, c);
                    merged.merge(&head.at(r, c));
                    prop_assert_eq!(merged, whole.at(r, c));
                    let mut sum = Nvfp4Accumulator::default();
                    for g in 0..blocks {
                        let half = |x: &Matrix<u8>, r: usize, c: usize| if r < x.rows() && c < x.columns() { x.at(r, c) } else { 0 };
                        let x = std::array::from_fn(|i| half(&a.elements, r, g * BLOCK + i));
                        let w = std::array::from_fn(|i| half(&b.elements, g * BLOCK + i, c));
                        sum.add_block(&x, a.scales.at(r, g), &w, b.scales.at(g, c));
                    }
                    prop_assert_eq!(sum, whole.at(r, c));
                }
            }
        }
    }
}
