//! Attention of int8 heads.

use super::order::tree;
use crate::numeric::{fp32, functions};

/// Precision of the softmax weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// One int8 plane.
    Int8,
    /// int16.
    Int16,
}

/// One attention; tensors are row-major.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// (heads, queries, dim).
    pub q: &'a [i8],
    /// (kv_heads, keys, dim).
    pub k: &'a [i8],
    /// (kv_heads, keys, dim).
    pub v: &'a [i8],
    /// Queries of a head.
    pub queries: usize,
    /// Keys of a head.
    pub keys: usize,
    /// Heads.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Elements of a query.
    pub dim: usize,
    /// Query i sees key j if j ≤ keys - queries + i.
    pub causal: bool,
    /// Factor of a score before exp2, an FP32 pattern.
    pub scale: u32,
    /// Precision of the softmax weights.
    pub weights: Weights,
    /// How they are summed up.
    pub sum: Sum,
}

/// The sum of the softmax weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Of the weights as rounded, exact.
    Rounded,
    /// Of the weights before they are rounded, in FP32: key j is in lane j mod L, and each lane adds up its keys as a tree in which the
    /// second half meets the first (the larger half, if they differ), then the lanes likewise. Keys that are not seen count as +0.
    Tree {
        /// L.
        lanes: usize,
    },
}

impl Attention<'_> {
    /// The result, (heads, queries, dim), as FP32 patterns in units of an element of V.
    pub fn compute(&self) -> Vec<u32> {
        let rows = (0..self.heads).flat_map(|head| (0..self.queries).map(move |i| (head, i)));
        rows.flat_map(|(head, i)| self.row(head, i)).collect()
    }

    fn row(&self, head: usize, i: usize) -> Vec<u32> {
        let dim = self.dim;
        let kv_head = head / (self.heads / self.kv_heads);
        let keys = kv_head * self.keys * dim..(kv_head + 1) * self.keys * dim;
        Row {
            q: &self.q[(head * self.queries + i) * dim..][..dim],
            k: &self.k[keys.clone()],
            v: &self.v[keys],
            visible: match self.causal {
                true => self.keys - self.queries + i + 1,
                false => self.keys,
            },
            scale: self.scale,
            weights: self.weights,
            sum: self.sum,
        }
        .compute()
    }
}

/// One query over the keys of its head, of which it sees the first.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The query, (dim).
    pub q: &'a [i8],
    /// (keys, dim).
    pub k: &'a [i8],
    /// (keys, dim).
    pub v: &'a [i8],
    /// Keys that the query sees, at least one; the others have a score of minus infinity.
    pub visible: usize,
    /// Factor of a score before exp2, an FP32 pattern above zero.
    pub scale: u32,
    /// Precision of the softmax weights.
    pub weights: Weights,
    /// How they are summed up: over all keys, seen or not.
    pub sum: Sum,
}

impl Row<'_> {
    /// The result, (dim), as FP32 patterns in units of an element of V.
    ///
    /// # Panics
    /// If the query sees no key, or more than there are.
    pub fn compute(&self) -> Vec<u32> {
        let (dim, visible) = (self.q.len(), self.visible);
        let keys = self.k.len() / dim;
        assert!((1..=keys).contains(&visible), "the query sees a key");
        let scores: Vec<u32> = (0..visible)
            .map(|j| fp32::from_i32(dot(self.q, row(self.k, j, dim))))
            .collect();

        let (amplitude, limits) = match self.weights {
            Weights::Int8 => (6.98f32, (-128, 127)),
            Weights::Int16 => (14.99f32, (-32640, 32639)),
        };
        let maximum = scores.iter().copied().reduce(fp32::max);
        let maximum = maximum.expect("every query sees a key");
        let shift = fp32::fma(maximum, self.scale, fp32::neg(amplitude.to_bits()));
        // exp2 of minus infinity is +0, so a key that is not seen has no weight and adds +0 to the trees.
        let exact: Vec<u32> = scores
            .iter()
            .map(|&score| functions::exp2(fp32::fma(score, self.scale, fp32::neg(shift))))
            .collect();
        let weights: Vec<i32> = exact
            .iter()
            .map(|&weight| fp32::to_i32(weight).clamp(limits.0, limits.1))
            .collect();

        // The sum of w x over the keys for each x of a key; sums of integers are exact.
        let total = |width: usize, values: &[i8]| -> Vec<u32> {
            let sums = |part: &dyn Fn(i32) -> i32| {
                let mut sums = vec![0i32; width];
                for (&weight, values) in weights.iter().zip(values.chunks_exact(width)) {
                    let weight = part(weight);
                    for (sum, &value) in sums.iter_mut().zip(values) {
                        *sum += weight * i32::from(value);
                    }
                }
                sums.into_iter().map(fp32::from_i32)
            };
            match self.weights {
                Weights::Int8 => sums(&|weight| weight).collect(),
                Weights::Int16 => {
                    // w = 256 h + l with both int8.
                    let low = |weight| i32::from(weight as i8);
                    let high = sums(&|weight| (weight - low(weight)) / 256);
                    let both = high.zip(sums(&low));
                    both.map(|(high, low)| fp32::fma(high, fp32::from_i32(256), low))
                        .collect()
                }
            }
        };
        let inverse = functions::rcp(match self.sum {
            Sum::Rounded => total(1, &vec![1; visible])[0],
            Sum::Tree { lanes } => {
                let lane = |lane| {
                    let keys = (0..keys.div_ceil(lanes)).map(|tile| tile * lanes + lane);
                    tree(keys.map(|j| exact.get(j).copied().unwrap_or(0)).collect())
                };
                tree((0..lanes).map(lane).collect())
            }
        });
        let sums = total(dim, self.v).into_iter();
        sums.map(|sum| fp32::mul(sum, inverse)).collect()
    }
}

fn row(tensor: &[i8], index: usize, dim: usize) -> &[i8] {
    &tensor[index * dim..][..dim]
}

pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| i32::from(a) * i32::from(b))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{Attention, Sum, Weights};

    #[test]
    fn equal_scores_give_the_mean() {
        let k = [1, 0, 1, 0, 1, 0, 1, 0];
        let v = [1, 10, 2, 20, 3, 30, 6, 60];
        for weights in [Weights::Int8, Weights::Int16] {
            for (causal, expected) in [(false, [3.0, 30.0]), (true, [2.0, 20.0])] {
                let attention = Attention {
                    q: &[5, 5, 5, 5],
                    k: &k,
                    v: &v,
                    queries: 2,
                    keys: 4,
                    heads: 1,
                    kv_heads: 1,
                    dim: 2,
                    causal,
                    scale: 0.25f32.to_bits(),
                    weights,
                    sum: Sum::Rounded,
                };
                let result = attention.compute();
                for (found, expected) in result[..2].iter().zip(expected) {
                    let found = f32::from_bits(*found);
                    assert!((found - expected).abs() <= 1e-6 * expected, "{found}");
                }
            }
        }
    }

    #[test]
    fn a_much_larger_score_takes_all() {
        let attention = Attention {
            q: &[127],
            k: &[-128, 127, 3],
            v: &[100, -7, 9],
            queries: 1,
            keys: 3,
            heads: 1,
            kv_heads: 1,
            dim: 1,
            causal: false,
            scale: 1f32.to_bits(),
            weights: Weights::Int16,
            sum: Sum::Tree { lanes: 2 },
        };
        let found = f32::from_bits(attention.compute()[0]);
        // The one weight is rounded to a step in 32542, the sum is taken before.
        assert!((found + 7.0).abs() <= 7.0 * 0.5 / 32542.0, "{found}");
    }
}
