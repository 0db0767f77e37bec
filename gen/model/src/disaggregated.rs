//! Attention on the host and feed-forward networks elsewhere (attention and FFN disaggregated).

use crate::engine::{Engine, EngineError};
use crate::kv::KvCache;
use crate::reference::{Networks, Reference};

/// The reference, whose networks are computed by `N`.
#[derive(Debug)]
pub struct Disaggregated<'m, N> {
    reference: Reference<'m>,
    networks: N,
}

impl<'m, N: Networks> Disaggregated<'m, N> {
    /// Joins the two.
    pub fn new(reference: Reference<'m>, networks: N) -> Self {
        Self {
            reference,
            networks,
        }
    }
}

impl<N: Networks> Engine for Disaggregated<'_, N> {
    fn vocabulary(&self) -> usize {
        self.reference.vocabulary()
    }

    fn capacity(&self) -> usize {
        self.reference.capacity()
    }

    fn position(&self) -> usize {
        self.reference.position()
    }

    fn step(&mut self, token: u32) -> Result<&[f32], EngineError> {
        self.reference.step_with(token, &mut self.networks)
    }

    fn rewind(&mut self, position: usize) {
        self.reference.rewind(position);
    }

    fn export_cache(&mut self) -> Result<KvCache, EngineError> {
        self.reference.export_cache()
    }

    fn import_cache(&mut self, cache: KvCache) -> Result<(), EngineError> {
        self.reference.import_cache(cache)
    }
}
