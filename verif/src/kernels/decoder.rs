//! The golden decoder: what a step through the layers of `docs/decoder.md` gives, bit for bit.
//!
//! Tensors are not padded here. Padding shows in two sums only, whose trees the shape fixes: that of the norms (over the lanes) and
//! that of the softmax weights (over lanes and key tiles).

mod block;
mod cache;
mod network;
mod norm;
mod rotate;
mod weights;

pub use cache::Cache;
pub use network::Network;
pub use rotate::{Rotation, frequencies};
pub use weights::{Layer, Linear, Parameters, Shape, ShapeError};

use block::Place;
use norm::Normed;

/// A decoder with the caches of B sequences.
#[derive(Clone, Debug)]
pub struct Decoder {
    parameters: Parameters,
    /// Of each sequence.
    caches: Vec<Cache>,
}

/// What a step gives for one sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The row of x behind the last layer, d FP32 patterns.
    pub x: Vec<u32>,
    /// V FP32 patterns, if there is a head.
    pub logits: Option<Vec<u32>>,
}

/// A place of a layer at which [`Decoder::step_observed`] shows what is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The codes n of the first norm, (d).
    Normed,
    /// Rotated queries, (H, D).
    Query,
    /// Rotated keys, (G, D).
    Key,
    /// Values, (G, D).
    Value,
    /// Results of attention, (H, D).
    Attended,
    /// x behind the output matrix, (d).
    Middle,
    /// The codes n of the second norm, (d).
    NormedMiddle,
    /// h, (F).
    Hidden,
    /// x behind the layer, (d).
    Out,
}

/// Values at a [`Stage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values<'a> {
    /// int8 codes.
    Codes(&'a [i8]),
    /// FP32 patterns.
    Numbers(&'a [u32]),
}

/// What an observer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation<'a> {
    /// Sequence.
    pub sequence: usize,
    /// Layer.
    pub layer: usize,
    /// Where.
    pub stage: Stage,
    /// What.
    pub values: Values<'a>,
}

impl Decoder {
    /// A decoder of `sequences` sequences, whose caches are zero.
    pub fn new(parameters: Parameters, sequences: usize) -> Result<Self, ShapeError> {
        parameters.check()?;
        let cache = Cache::new(&parameters.shape, parameters.layers.len());
        Ok(Self {
            parameters,
            caches: vec![cache; sequences],
        })
    }

    /// Shape, weights and constants.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Keys and values of a sequence.
    ///
    /// # Panics
    /// If there is no such sequence.
    pub fn cache(&self, sequence: usize) -> &Cache {
        &self.caches[sequence]
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// If there is no such sequence.
    pub fn cache_mut(&mut self, sequence: usize) -> &mut Cache {
        &mut self.caches[sequence]
    }

    /// Takes one token of each sequence, all at `position`: its row of x, d FP32 patterns. Keys and values of `position` are
    /// replaced; those of later positions are not looked at.
    ///
    /// # Panics
    /// If there are not as many rows as sequences, if a row has not d numbers, or if the cache has no such position.
    pub fn step(&mut self, rows: &[Vec<u32>], position: usize) -> Vec<Output> {
        self.step_observed(rows, position, &mut |_| {})
    }

    /// As [`Decoder::step`]; the observer sees the values at each [`Stage`] of each layer, sequence by sequence.
    ///
    /// # Panics
    /// As [`Decoder::step`].
    pub fn step_observed(
        &mut self,
        rows: &[Vec<u32>],
        position: usize,
        observe: &mut dyn FnMut(Observation<'_>),
    ) -> Vec<Output> {
        let Self { parameters, caches } = self;
        let shape = &parameters.shape;
        assert_eq!(rows.len(), caches.len(), "a row for each sequence");
        assert!(position < shape.positions, "a position of the cache");
        let rotation = Rotation::new(&parameters.frequencies, position);
        let mut outputs = Vec::new();
        for (sequence, (row, cache)) in rows.iter().zip(caches).enumerate() {
            assert_eq!(row.len(), shape.width, "d numbers in a row of x");
            let mut x = row.clone();
            for layer in 0..parameters.layers.len() {
                let place = Place {
                    parameters,
                    layer,
                    position,
                    rotation: &rotation,
                };
                let mut see = |stage, values: Values<'_>| {
                    observe(Observation {
                        sequence,
                        layer,
                        stage,
                        values,
                    });
                };
                block::attention(&place, cache, &mut x, &mut see);
                block::feed_forward(&place, &mut x, &mut see);
            }
            let logits = parameters.head.as_ref().map(|head| {
                let Normed { codes, factor } = norm::normalise(&x, parameters.epsilon, shape.lanes);
                head.project(&codes, factor)
            });
            outputs.push(Output { x, logits });
        }
        outputs
    }
}
