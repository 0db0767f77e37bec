//! The golden decoder as an engine: the arithmetic of the machine without the machine.

use super::Int8Model;
use super::cache::Entry;
use crate::Model;
use crate::engine::{Engine, EngineError, check_logits, check_step};
use crate::kv::KvCache;
use lpu_verif::kernels::decoder::{Decoder, ShapeError};
use std::borrow::Cow;

/// Decodes one sequence in int8 and FP32, bit for bit as `docs/decoder.md` says.
#[derive(Clone, Debug)]
pub struct GoldenEngine<'m> {
    model: &'m Model,
    int8: Cow<'m, Int8Model>,
    decoder: Decoder,
    capacity: usize,
    position: usize,
    logits: Vec<f32>,
}

impl<'m> GoldenEngine<'m> {
    /// An engine for `positions` positions on a machine of `lanes` lanes; the cache is filled up to whole tiles of lanes.
    pub fn new(
        model: &'m Model,
        int8: Cow<'m, Int8Model>,
        positions: usize,
        lanes: usize,
    ) -> Result<Self, ShapeError> {
        let capacity = positions.min(int8.context);
        let decoder = int8.decoder(capacity.max(1).next_multiple_of(lanes), lanes)?;
        Ok(Self {
            model,
            int8,
            decoder,
            capacity,
            position: 0,
            logits: Vec::new(),
        })
    }
}

/// The row of x of a token: its embedding, FP32 patterns.
///
/// # Panics
/// If the token is not in the vocabulary.
pub fn embedding(model: &Model, token: u32) -> Vec<u32> {
    let mut row = vec![0.0; model.architecture.width];
    model.embedding.row(token as usize, &mut row);
    row.into_iter().map(f32::to_bits).collect()
}

/// The first positions of a golden decoder's cache, as numbers.
pub fn export(int8: &Int8Model, decoder: &Decoder, positions: usize) -> KvCache {
    let (mut cache, dim) = (int8.empty_cache(), int8.head_dim);
    let codes = decoder.cache(0);
    for layer in 0..int8.layers.len() {
        for position in 0..positions {
            let at = position * dim..(position + 1) * dim;
            let heads = 0..int8.kv_heads;
            let entry = Entry {
                keys: heads
                    .clone()
                    .flat_map(|h| codes.keys(layer, h)[at.clone()].to_vec())
                    .collect(),
                values: heads
                    .flat_map(|h| codes.values(layer, h)[at.clone()].to_vec())
                    .collect(),
            };
            int8.push_entry(&mut cache, layer, &entry);
        }
    }
    cache
}

/// Puts a cache into a golden decoder's, rounded.
pub fn import(int8: &Int8Model, decoder: &mut Decoder, cache: &KvCache) {
    for layer in 0..int8.layers.len() {
        for position in 0..cache.positions() {
            let Entry { keys, values } = int8.entry(cache, layer, position);
            decoder.cache_mut(0).set(layer, position, &keys, &values);
        }
    }
}

impl Engine for GoldenEngine<'_> {
    fn vocabulary(&self) -> usize {
        self.int8.vocabulary
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn position(&self) -> usize {
        self.position
    }

    fn step(&mut self, token: u32) -> Result<&[f32], EngineError> {
        check_step(self.model, token, self.position, self.capacity)?;
        let row = embedding(self.model, token);
        let output = self.decoder.step(&[row], self.position).swap_remove(0);
        let logits = output.logits.expect("the decoder has a head");
        self.logits = logits.into_iter().map(f32::from_bits).collect();
        check_logits(&self.logits, self.position)?;
        self.position += 1;
        Ok(&self.logits)
    }

    fn rewind(&mut self, position: usize) {
        self.position = self.position.min(position);
    }

    fn export_cache(&mut self) -> Result<KvCache, EngineError> {
        Ok(export(&self.int8, &self.decoder, self.position))
    }

    fn import_cache(&mut self, cache: KvCache) -> Result<(), EngineError> {
        self.int8.check_cache(&cache, self.capacity)?;
        import(&self.int8, &mut self.decoder, &cache);
        self.position = cache.positions();
        Ok(())
    }
}
