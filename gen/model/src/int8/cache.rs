//! Keys and values between f32 as the model has them and int8 as the decoder has them.

use super::Int8Model;
use super::convert::rotation_order;
use crate::engine::EngineError;
use crate::kv::KvCache;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;

/// Keys and values of one position of a layer, (kv_heads, head_dim) each, in the decoder's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// After rotation.
    pub keys: Vec<i8>,
    /// Values.
    pub values: Vec<i8>,
}

impl Int8Model {
    /// An empty cache of this model.
    pub fn empty_cache(&self) -> KvCache {
        KvCache::new(self.layers.len(), self.kv_heads, self.head_dim)
    }

    /// Whether a cache belongs to this model and has at most `capacity` positions.
    pub fn check_cache(&self, cache: &KvCache, capacity: usize) -> Result<(), EngineError> {
        Ok(cache.check(self.empty_cache().shape(), capacity)?)
    }

    /// Rounds a position of a cache to the steps of the layer; what lies beyond the ends of int8 saturates.
    ///
    /// # Panics
    /// If the cache has no such position or layer.
    pub fn entry(&self, cache: &KvCache, layer: usize, position: usize) -> Entry {
        let steps = &self.layers[layer].steps;
        let at = position * self.head_dim;
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for head in 0..self.kv_heads {
            let key = &cache.keys(layer, head)[at..at + self.head_dim];
            let value = &cache.values(layer, head)[at..at + self.head_dim];
            let order = |i| rotation_order(i, self.head_dim, self.neighbours);
            keys.extend((0..self.head_dim).map(|i| code(key[order(i)], steps.key)));
            values.extend(value.iter().map(|&x| code(x, steps.value)));
        }
        Entry { keys, values }
    }

    /// Appends an entry to a layer of a cache, as numbers; [`Int8Model::entry`] gives back the same codes.
    ///
    /// # Panics
    /// If the entry has another size.
    pub fn push_entry(&self, cache: &mut KvCache, layer: usize, entry: &Entry) {
        let steps = &self.layers[layer].steps;
        let mut keys = vec![0.0; entry.keys.len()];
        for (i, &code) in entry.keys.iter().enumerate() {
            keys[rotation_order(i, self.head_dim, self.neighbours)] = f32::from(code) * steps.key;
        }
        let values: Vec<f32> = (entry.values.iter())
            .map(|&code| f32::from(code) * steps.value)
            .collect();
        cache.push(layer, &keys, &values);
    }
}

impl Int8Model {
    /// The content of a safetensors file with a cache in int8: `layers.N.keys` (after rotation, in the model's order) and `layers.N.values`, I8 (kv_heads,
    /// positions, head_dim), and what their steps are worth, `layers.N.key_step` and `layers.N.value_step`, F32 (1).
    ///
    /// [`KvCache::read`] reads it.
    pub fn cache_file(&self, cache: &KvCache) -> Vec<u8> {
        let shape = [self.kv_heads, cache.positions(), self.head_dim];
        let mut parts: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        for (layer, weights) in self.layers.iter().enumerate() {
            let heads = 0..self.kv_heads;
            let keys: Vec<&[f32]> = heads.clone().map(|head| cache.keys(layer, head)).collect();
            let values: Vec<&[f32]> = heads.map(|head| cache.values(layer, head)).collect();
            let steps = &weights.steps;
            for (name, numbers, step) in [("key", keys, steps.key), ("value", values, steps.value)]
            {
                let codes = numbers.concat().into_iter().map(|x| code(x, step) as u8);
                let at = format!("layers.{layer}.{name}");
                parts.push((format!("{at}s"), Dtype::I8, shape.to_vec(), codes.collect()));
                let step = step.to_le_bytes().to_vec();
                parts.push((format!("{at}_step"), Dtype::F32, vec![1], step));
            }
        }
        let views = parts.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes);
            (name, view.expect("the bytes fit the shape"))
        });
        let metadata = HashMap::from([("format".to_owned(), "lpu-kv-int8-1".to_owned())]);
        safetensors::serialize(views, Some(metadata)).expect("names and shapes are valid")
    }
}

/// The nearest code of a number.
fn code(x: f32, step: f32) -> i8 {
    let code = (f64::from(x) / f64::from(step)).round_ties_even();
    code.clamp(-128.0, 127.0) as i8
}
