//! Where the tensors of all chips are, what the host writes before a launch and reads after it.

use super::super::{Entry, Inputs, Layout, Shape, Token, Weights};
use super::Placement;
use crate::CompileError;
use crate::matmul::Vector;
use lpu_isa::Config;
use lpu_isa::rack::Numbering;
use std::ops::Range;

/// Where the tensors are, slices and queues as [`Numbering`] counts.
#[derive(Clone, Debug)]
pub struct RackLayout {
    shape: Shape,
    placement: Placement,
    chips: Vec<Layout>,
    /// The layers of each chip.
    layers: Vec<Range<usize>>,
    numbering: Numbering,
}

impl RackLayout {
    pub(super) fn new(
        config: &Config,
        shape: &Shape,
        placement: Placement,
        chips: Vec<Layout>,
    ) -> Self {
        let mut next = 0;
        let layers = chips.iter().map(|layout| {
            let count = layout.shape().layers;
            let first = match placement {
                Placement::Tensor => 0,
                Placement::Pipeline => next,
            };
            next = first + count;
            first..next
        });
        Self {
            shape: shape.clone(),
            placement,
            layers: layers.collect(),
            chips,
            numbering: Numbering::of(config),
        }
    }

    /// The sizes.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The layers of each chip.
    pub fn layers(&self) -> &[Range<usize>] {
        &self.layers
    }

    /// Launches that a token takes. In each of them a stage of the rack has a token of its own: what stage s has in one, stage s + 1 has in
    /// the next.
    pub const fn stages(&self) -> usize {
        match self.placement {
            Placement::Tensor => 1,
            Placement::Pipeline => self.chips.len(),
        }
    }

    /// The chips that work on the token of a stage.
    fn stage(&self, stage: usize) -> Range<usize> {
        match self.placement {
            Placement::Tensor => 0..self.chips.len(),
            Placement::Pipeline => stage..stage + 1,
        }
    }

    /// Chips with their numbers.
    fn numbered(&self, chips: Range<usize>) -> impl Iterator<Item = (usize, &Layout)> {
        chips.map(|chip| (chip, &self.chips[chip]))
    }

    /// Vectors of a chip under their numbers in the rack.
    fn vectors(&self, chip: usize, vectors: Vec<Vector>) -> impl Iterator<Item = Vector> + use<> {
        let numbering = self.numbering;
        vectors.into_iter().map(move |vector| Vector {
            slice: numbering.slice(chip, vector.slice),
            ..vector
        })
    }

    /// Weights and vectors B; see [`Layout::pack`].
    pub fn pack(&self, weights: &Weights<'_>) -> Result<Vec<Vector>, CompileError> {
        weights.check(&self.shape)?;
        let mut vectors = Vec::new();
        for (chip, layout) in self.numbered(0..self.chips.len()) {
            let head = weights.head.as_ref();
            let own = Weights {
                layers: weights.layers[self.layers[chip].clone()].to_vec(),
                head: head.filter(|_| layout.head.is_some()).cloned(),
            };
            vectors.extend(self.vectors(chip, layout.pack(&own)?));
        }
        Ok(vectors)
    }

    /// What the host writes for a stage before a launch in which it has this token, or none.
    ///
    /// # Panics
    /// If there is no such stage, or if the token is not one of the shape.
    pub fn inputs(&self, stage: usize, token: Option<&Token<'_>>) -> Inputs {
        assert!(stage < self.stages(), "a stage of the rack");
        let mut all = Inputs::default();
        for (chip, layout) in self.numbered(self.stage(stage)) {
            let Inputs { mut vectors, bases } =
                token.map_or_else(|| layout.idle(), |token| layout.inputs(token));
            if let Some(token) = token.filter(|_| self.layers[chip].start == 0) {
                layout.pack_rows(&mut vectors, token.rows);
            }
            all.vectors.extend(self.vectors(chip, vectors));
            let bases = bases.into_iter();
            all.bases
                .extend(bases.map(|(queue, base)| (self.numbering.queue(chip, queue), base)));
        }
        all
    }

    /// Chips that have results of their own: of the last stage all have logits, and one x, which is the same everywhere.
    fn with_results(&self) -> impl Iterator<Item = (usize, &Layout)> {
        let last = self.stage(self.stages() - 1);
        self.numbered(match self.shape.vocabulary {
            Some(_) => last,
            None => last.start..last.start + 1,
        })
    }

    /// The vectors (slice, address) that hold the results after a launch in which the token of the last stage is at `position` of the cache.
    pub fn result_places(&self, position: usize) -> Vec<(usize, usize)> {
        let places = self.with_results().flat_map(|(chip, layout)| {
            let places = layout.result_places(position);
            self.numbering.places(chip, places)
        });
        places.collect()
    }

    /// The results of each sequence, FP32 patterns, from the bytes of [`Self::result_places`].
    pub fn results(&self, mut bytes: &[u8]) -> Vec<Vec<u32>> {
        let size = self.shape.vocabulary.unwrap_or(self.shape.width);
        let mut rows = vec![vec![0; size]; self.shape.sequences];
        for (_, layout) in self.with_results() {
            let (own, rest) = bytes.split_at(layout.result_bytes());
            layout.place_results(own, &mut rows);
            bytes = rest;
        }
        rows
    }

    /// Chips that have the caches of all layers together.
    fn with_caches(&self) -> impl Iterator<Item = (usize, &Layout)> {
        self.numbered(0..self.stages())
    }

    /// The vectors that hold keys and values of the first positions of a sequence.
    pub fn cache_places(&self, sequence: usize, positions: usize) -> Vec<(usize, usize)> {
        let places = self.with_caches().flat_map(|(chip, layout)| {
            let places = layout.cache_places(sequence, positions);
            self.numbering.places(chip, places)
        });
        places.collect()
    }

    /// Keys and values, by layer and position, from the bytes of [`Self::cache_places`].
    pub fn cache(&self, mut bytes: &[u8], positions: usize) -> Vec<Vec<Entry>> {
        let mut layers = Vec::new();
        for (_, layout) in self.with_caches() {
            let (own, rest) = bytes.split_at(layout.cache_bytes(positions));
            layers.extend(layout.cache(own, positions));
            bytes = rest;
        }
        layers
    }

    /// The vectors that put keys and values, by layer and position, into the cache of a sequence; see [`Layout::cache_image`].
    pub fn cache_image(&self, sequence: usize, entries: &[Vec<Entry>]) -> Vec<Vector> {
        let chips = self.numbered(0..self.chips.len());
        let vectors = chips.flat_map(|(chip, layout)| {
            let layers = self.layers[chip].clone();
            let own = entries.get(layers).unwrap_or_default();
            self.vectors(chip, layout.cache_image(sequence, own))
        });
        vectors.collect()
    }
}
