//! The reference engine: the forward pass in f32, or with simulated quantisation, one token at a time.

mod attention;
mod ffn;
pub mod math;

use crate::engine::{Engine, EngineError, check_logits, check_step};
use crate::kv::KvCache;
use crate::model::{Linear, Model};
use crate::quant::{Format, Operator, Scheme};
use attention::Attention;
use ffn::Network;

/// A linear layer ready to be applied.
#[derive(Debug)]
struct Prepared<'m> {
    operator: Operator<'m>,
    bias: Option<&'m [f32]>,
    outputs: usize,
}

impl<'m> Prepared<'m> {
    fn new(linear: &'m Linear, format: Format) -> Self {
        Self {
            operator: Operator::new(&linear.weight, format),
            bias: linear.bias.as_deref(),
            outputs: linear.weight.outputs(),
        }
    }

    fn apply(&self, x: &[f32]) -> Vec<f32> {
        let mut y = vec![0.0; self.outputs];
        self.operator.multiply(x, &mut y);
        for (y, bias) in y.iter_mut().zip(self.bias.into_iter().flatten()) {
            *y += bias;
        }
        y
    }
}

/// Values inside a layer that [`Reference::step_watched`] shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Rotated queries, (heads, head_dim).
    Query,
    /// Rotated keys, (kv_heads, head_dim).
    Key,
    /// Values, (kv_heads, head_dim).
    Value,
    /// What the matrix `down` of a feed-forward network takes, (hidden); of each expert in turn.
    Hidden,
    /// The residual stream after the layer, (width).
    Residual,
}

/// A network of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// The only one.
    Dense,
    /// An expert.
    Expert(usize),
    /// The expert that every token takes.
    Shared,
}

/// Feed-forward networks that are computed elsewhere.
pub trait Networks {
    /// What a network gives for the row x that leaves attention; the norm of x is its own business.
    fn apply(&mut self, layer: usize, which: Which, x: &[f32]) -> Result<Vec<f32>, EngineError>;
}

impl<N: Networks + ?Sized> Networks for Box<N> {
    fn apply(&mut self, layer: usize, which: Which, x: &[f32]) -> Result<Vec<f32>, EngineError> {
        (**self).apply(layer, which, x)
    }
}

/// Who hears of them.
type Watch<'a> = dyn FnMut(Part, &[f32]) + 'a;

/// The forward pass of a model, with its keys and values.
#[derive(Debug)]
pub struct Reference<'m> {
    model: &'m Model,
    layers: Vec<(Attention<'m>, Network<'m>)>,
    head: Prepared<'m>,
    capacity: usize,
    cache: KvCache,
    logits: Vec<f32>,
}

impl<'m> Reference<'m> {
    /// In f32, for at most `capacity` positions (and no more than the model's context).
    pub fn new(model: &'m Model, capacity: usize) -> Self {
        Self::quantised(model, Scheme::EXACT, capacity)
    }

    /// With weights and activations rounded.
    pub fn quantised(model: &'m Model, scheme: Scheme, capacity: usize) -> Self {
        let shape = &model.architecture;
        let layers = model.layers.iter().zip(&shape.ffn).map(|(layer, ffn)| {
            let attention = Attention::new(shape, layer, scheme);
            (attention, Network::new(shape, ffn, layer, scheme))
        });
        Self {
            model,
            layers: layers.collect(),
            head: Prepared::new(&model.head, scheme.head),
            capacity: capacity.min(shape.context),
            cache: KvCache::new(shape.layers(), shape.kv_heads, shape.head_dim),
            logits: Vec::new(),
        }
    }

    /// As [`Engine::step`]; `observe` hears of the residual stream after each layer.
    pub fn step_observed(
        &mut self,
        token: u32,
        mut observe: impl FnMut(usize, &[f32]),
    ) -> Result<&[f32], EngineError> {
        self.step_watched(token, &mut |layer, part, values| {
            if part == Part::Residual {
                observe(layer, values);
            }
        })
    }

    /// As [`Engine::step`]; `watch` hears of the values inside each layer.
    pub fn step_watched(
        &mut self,
        token: u32,
        watch: &mut dyn FnMut(usize, Part, &[f32]),
    ) -> Result<&[f32], EngineError> {
        self.forward(token, watch, None)
    }

    /// As [`Engine::step`], with attention, routers, embedding and head here, and the networks elsewhere.
    pub fn step_with(
        &mut self,
        token: u32,
        networks: &mut dyn Networks,
    ) -> Result<&[f32], EngineError> {
        let position = self.cache.positions();
        let stepped = self
            .forward(token, &mut |_, _, _| {}, Some(networks))
            .map(|_| ());
        if stepped.is_err() {
            self.cache.truncate(position);
        }
        stepped.map(|()| &self.logits[..])
    }

    fn forward(
        &mut self,
        token: u32,
        watch: &mut dyn FnMut(usize, Part, &[f32]),
        mut networks: Option<&mut dyn Networks>,
    ) -> Result<&[f32], EngineError> {
        let (model, shape) = (self.model, &self.model.architecture);
        let position = self.cache.positions();
        check_step(model, token, position, self.capacity)?;
        let epsilon = shape.epsilon as f32;
        let mut x = vec![0.0; shape.width];
        model.embedding.row(token as usize, &mut x);
        if let Some(positions) = &model.positions {
            let mut learned = vec![0.0; shape.width];
            positions.row(position, &mut learned);
            add(&mut x, &learned);
        }
        for (number, ((attention, ffn), layer)) in self.layers.iter().zip(&model.layers).enumerate()
        {
            let mut watch = |part: Part, values: &[f32]| watch(number, part, values);
            let mut h = x.clone();
            math::normalise(&mut h, &layer.attention_norm, shape.norm, epsilon);
            let mixed = attention.apply(&h, position, number, &mut self.cache, &mut watch);
            add(&mut x, &mixed);
            let mut h = x.clone();
            math::normalise(&mut h, &layer.ffn_norm, shape.norm, epsilon);
            let y = match &mut networks {
                None => ffn.apply(&h, &mut |_, block| Ok(block.apply(&h, &mut watch))),
                Some(networks) => ffn.apply(&h, &mut |which, _| networks.apply(number, which, &x)),
            }?;
            add(&mut x, &y);
            watch(Part::Residual, &x);
        }
        math::normalise(&mut x, &model.norm, shape.norm, epsilon);
        self.logits = self.head.apply(&x);
        if let Err(error) = check_logits(&self.logits, position) {
            self.cache.truncate(position);
            return Err(error);
        }
        Ok(&self.logits)
    }
}

impl Engine for Reference<'_> {
    fn vocabulary(&self) -> usize {
        self.model.architecture.vocabulary
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn position(&self) -> usize {
        self.cache.positions()
    }

    fn step(&mut self, token: u32) -> Result<&[f32], EngineError> {
        self.step_observed(token, |_, _| {})
    }

    fn rewind(&mut self, position: usize) {
        self.cache.truncate(position);
    }

    fn export_cache(&mut self) -> Result<KvCache, EngineError> {
        Ok(self.cache.clone())
    }

    fn import_cache(&mut self, cache: KvCache) -> Result<(), EngineError> {
        cache.check(self.cache.shape(), self.capacity)?;
        self.cache = cache;
        Ok(())
    }
}

fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}
