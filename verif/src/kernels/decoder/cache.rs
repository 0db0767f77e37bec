//! Keys and values of one sequence.

use super::Shape;

/// int8 keys and values of all layers, heads and positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    kv_heads: usize,
    positions: usize,
    dim: usize,
    /// (layers, G, C, D).
    keys: Vec<i8>,
    values: Vec<i8>,
}

impl Cache {
    pub(super) fn new(shape: &Shape, layers: usize) -> Self {
        let size = layers * shape.kv_heads * shape.positions * shape.head_dim;
        Self {
            kv_heads: shape.kv_heads,
            positions: shape.positions,
            dim: shape.head_dim,
            keys: vec![0; size],
            values: vec![0; size],
        }
    }

    /// Keys of a head, (C, D).
    ///
    /// # Panics
    /// If there is no such layer or head.
    pub fn keys(&self, layer: usize, head: usize) -> &[i8] {
        &self.keys[self.head(layer, head)..][..self.positions * self.dim]
    }

    /// Values of a head, (C, D).
    ///
    /// # Panics
    /// If there is no such layer or head.
    pub fn values(&self, layer: usize, head: usize) -> &[i8] {
        &self.values[self.head(layer, head)..][..self.positions * self.dim]
    }

    /// Replaces keys and values, (G, D), of one position of a layer.
    ///
    /// # Panics
    /// If there is no such layer or position, or if they are not G D.
    pub fn set(&mut self, layer: usize, position: usize, keys: &[i8], values: &[i8]) {
        assert!(position < self.positions, "a position of the cache");
        let size = self.kv_heads * self.dim;
        assert_eq!((keys.len(), values.len()), (size, size), "G D elements");
        for head in 0..self.kv_heads {
            let at = self.head(layer, head) + position * self.dim;
            let from = head * self.dim..(head + 1) * self.dim;
            self.keys[at..at + self.dim].copy_from_slice(&keys[from.clone()]);
            self.values[at..at + self.dim].copy_from_slice(&values[from]);
        }
    }

    fn head(&self, layer: usize, head: usize) -> usize {
        assert!(head < self.kv_heads, "a head of keys and values");
        (layer * self.kv_heads + head) * self.positions * self.dim
    }
}
