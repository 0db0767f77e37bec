//! Matrices and the product of int8 matrices.

/// A matrix in row-major order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix<T> {
    rows: usize,
    columns: usize,
    elements: Vec<T>,
}

impl<T: Copy> Matrix<T> {
    /// A matrix whose element (r, c) is `element(r, c)`.
    pub fn from_fn(
        rows: usize,
        columns: usize,
        mut element: impl FnMut(usize, usize) -> T,
    ) -> Self {
        let elements = (0..rows * columns)
            .map(|i| element(i / columns, i % columns))
            .collect();
        Self {
            rows,
            columns,
            elements,
        }
    }

    /// Number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Element in row `r`, column `c`.
    ///
    /// # Panics
    /// If there is no such element.
    pub fn at(&self, r: usize, c: usize) -> T {
        self.row(r)[c]
    }

    /// Row `r`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, r: usize) -> &[T] {
        &self.elements[r * self.columns..][..self.columns]
    }

    /// Rows as columns.
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self::from_fn(self.columns, self.rows, |r, c| self.at(c, r))
    }
}

/// `a` x `b` with every sum modulo 2^32, as the accumulators keep it: the result is the exact integer,
/// reduced into -2^31 .. 2^31-1. It is the exact integer itself when K <= 131071.
///
/// # Panics
/// If `a` has another number of columns than `b` has rows.
pub fn matmul(a: &Matrix<i8>, b: &Matrix<i8>) -> Matrix<i32> {
    assert_eq!(a.columns, b.rows, "inner dimensions");
    let mut elements = Vec::with_capacity(a.rows * b.columns);
    for r in 0..a.rows {
        let mut sums = vec![0i32; b.columns];
        for (k, &x) in a.row(r).iter().enumerate() {
            for (sum, &w) in sums.iter_mut().zip(b.row(k)) {
                *sum = sum.wrapping_add(i32::from(x) * i32::from(w));
            }
        }
        elements.extend(sums);
    }
    Matrix {
        rows: a.rows,
        columns: b.columns,
        elements,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    /// The textbook sum over unbounded integers, reduced at the very end.
    fn oracle(a: &Matrix<i8>, b: &Matrix<i8>, r: usize, c: usize) -> i32 {
        let products =
            (0..a.columns()).map(|k| BigInt::from(a.at(r, k)) * BigInt::from(b.at(k, c)));
        let sum: BigInt = products.sum();
        let modulus = BigInt::from(1u64 << 32);
        let reduced = ((sum % &modulus) + &modulus) % &modulus;
        u32::try_from(reduced).expect("reduced") as i32
    }

    #[test]
    fn extremes_wrap_only_past_the_stated_depth() {
        let product = |k| {
            let a = Matrix::from_fn(1, k, |_, _| -128);
            let b = Matrix::from_fn(k, 1, |_, _| -128);
            let sum = matmul(&a, &b).at(0, 0);
            assert_eq!(sum, oracle(&a, &b, 0, 0));
            sum
        };
        assert_eq!(product(131_071), 131_071 * 16_384);
        assert_eq!(product(131_072), i32::MIN);
    }

    proptest! {
        #[test]
        fn equals_unbounded_integers(
            m in 1usize..5, k in 1usize..40, n in 1usize..5,
            bytes in proptest::collection::vec(any::<i8>(), 400),
        ) {
            let a = Matrix::from_fn(m, k, |r, c| bytes[r * k + c]);
            let b = Matrix::from_fn(k, n, |r, c| bytes[200 + r * n + c]);
            let product = matmul(&a, &b);
            for r in 0..m {
                for c in 0..n {
                    prop_assert_eq!(product.at(r, c), oracle(&a, &b, r, c));
                }
            }
        }

        #[test]
        fn transposes(k in 1usize..9, bytes in proptest::collection::vec(any::<i8>(), 100)) {
            let a = Matrix::from_fn(4, k, |r, c| bytes[r * k + c]);
            let b = Matrix::from_fn(k, 5, |r, c| bytes[50 + r * 5 + c]);
            prop_assert_eq!(matmul(&a, &b).transpose(), matmul(&b.transpose(), &a.transpose()));
        }
    }
}
