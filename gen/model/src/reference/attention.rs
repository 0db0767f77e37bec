//! Attention of one position over all positions so far (Vaswani et al. 2017; grouped heads: Ainslie et al. 2023).

use super::{Part, Prepared, Watch, math};
use crate::architecture::{Architecture, Positions, RopePairs};
use crate::kv::KvCache;
use crate::model::{Layer, Norm};
use crate::quant::{self, Scheme};

/// The attention of a layer.
#[derive(Debug)]
pub struct Attention<'m> {
    shape: &'m Architecture,
    layer: &'m Layer,
    query: Prepared<'m>,
    key: Prepared<'m>,
    value: Prepared<'m>,
    output: Prepared<'m>,
    /// Radians from one position to the next, of each pair.
    frequencies: Vec<f64>,
    int8: bool,
}

impl<'m> Attention<'m> {
    /// Rounds the weights.
    pub fn new(shape: &'m Architecture, layer: &'m Layer, scheme: Scheme) -> Self {
        Self {
            shape,
            layer,
            query: Prepared::new(&layer.query, scheme.layers),
            key: Prepared::new(&layer.key, scheme.layers),
            value: Prepared::new(&layer.value, scheme.layers),
            output: Prepared::new(&layer.output, scheme.layers),
            frequencies: match shape.positions {
                Positions::Rope(rope) => rope.frequencies(shape.head_dim),
                Positions::Learned => Vec::new(),
            },
            int8: scheme.int8_attention,
        }
    }

    /// Adds keys and values of this position to the cache and mixes the values of all.
    pub fn apply(
        &self,
        h: &[f32],
        position: usize,
        layer: usize,
        cache: &mut KvCache,
        watch: &mut Watch<'_>,
    ) -> Vec<f32> {
        let dim = self.shape.head_dim;
        let mut queries = self.query.apply(h);
        let mut keys = self.key.apply(h);
        let mut values = self.value.apply(h);
        for (heads, norm) in [
            (&mut queries, &self.layer.query_norm),
            (&mut keys, &self.layer.key_norm),
        ] {
            for head in heads.chunks_mut(dim) {
                self.place(head, norm.as_ref(), position);
            }
        }
        if self.int8 {
            let heads = queries.chunks_mut(dim).chain(keys.chunks_mut(dim));
            heads
                .chain(values.chunks_mut(dim))
                .for_each(quant::round_int8);
        }
        watch(Part::Query, &queries);
        watch(Part::Key, &keys);
        watch(Part::Value, &values);
        cache.push(layer, &keys, &values);
        let scale = 1.0 / (dim as f32).sqrt();
        let group = self.shape.heads / self.shape.kv_heads;
        let mut mixed = vec![0.0; queries.len()];
        for (head, (query, mixed)) in queries.chunks(dim).zip(mixed.chunks_mut(dim)).enumerate() {
            let (keys, values) = (
                cache.keys(layer, head / group),
                cache.values(layer, head / group),
            );
            let scores = keys.chunks(dim).map(|key| math::dot(query, key) * scale);
            let mut shares: Vec<f32> = scores.collect();
            math::softmax(&mut shares);
            for (share, value) in shares.iter().zip(values.chunks(dim)) {
                for (mixed, value) in mixed.iter_mut().zip(value) {
                    *mixed += share * value;
                }
            }
        }
        self.output.apply(&mixed)
    }

    /// Normalises a head, if its model does, and rotates it to its position, if its model does.
    fn place(&self, head: &mut [f32], norm: Option<&Norm>, position: usize) {
        if let Some(norm) = norm {
            math::normalise(head, norm, self.shape.norm, self.shape.epsilon as f32);
        }
        let Positions::Rope(rope) = self.shape.positions else {
            return;
        };
        let half = head.len() / 2;
        for (pair, frequency) in self.frequencies.iter().enumerate() {
            let (sin, cos) = libm::sincos(position as f64 * frequency);
            let (sin, cos) = (sin as f32, cos as f32);
            let (a, b) = match rope.pairs {
                RopePairs::Halves => (pair, pair + half),
                RopePairs::Neighbours => (2 * pair, 2 * pair + 1),
            };
            let (x, y) = (head[a], head[b]);
            head[a] = x * cos - y * sin;
            head[b] = x * sin + y * cos;
        }
    }
}
