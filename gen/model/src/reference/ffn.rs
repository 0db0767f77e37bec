//! Feed-forward networks: dense ones, and mixtures of experts.

use super::{Part, Prepared, Watch, Which, add, math};
use crate::architecture::{Activation, Architecture, Experts, Ffn as Shape};
use crate::engine::EngineError;
use crate::model::{Dense, Ffn, Layer};
use crate::quant::{Format, Scheme};

/// Computes a block of a network.
pub type Run<'a, 'm> = dyn FnMut(Which, &Block<'m>) -> Result<Vec<f32>, EngineError> + 'a;

/// The network of a layer.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one for each layer")]
pub enum Network<'m> {
    /// One.
    Dense(Block<'m>),
    /// Several.
    Experts(Mixture<'m>),
}

/// A dense network.
#[derive(Debug)]
pub struct Block<'m> {
    gate: Option<Prepared<'m>>,
    up: Prepared<'m>,
    down: Prepared<'m>,
    activation: Activation,
}

/// A mixture of experts.
#[derive(Debug)]
pub struct Mixture<'m> {
    shape: Experts,
    router: Prepared<'m>,
    experts: Vec<Block<'m>>,
    shared: Option<(Block<'m>, Prepared<'m>)>,
}

impl<'m> Network<'m> {
    /// Rounds the weights.
    pub fn new(shape: &Architecture, ffn: &Shape, layer: &'m Layer, scheme: Scheme) -> Self {
        let block = |dense| Block::new(dense, shape.activation, scheme.layers);
        match (&layer.ffn, ffn) {
            (Ffn::Dense(dense), _) => Self::Dense(block(dense)),
            (Ffn::Experts(weights), Shape::Experts(shape)) => Self::Experts(Mixture {
                shape: *shape,
                router: Prepared::new(&weights.router, scheme.router),
                experts: weights.experts.iter().map(block).collect(),
                shared: weights
                    .shared
                    .as_ref()
                    .map(|(dense, gate)| (block(dense), Prepared::new(gate, scheme.router))),
            }),
            (Ffn::Experts(_), _) => unreachable!("weights are made from the shape"),
        }
    }

    /// The network's output; `run` computes a block.
    pub fn apply(&self, h: &[f32], run: &mut Run<'_, 'm>) -> Result<Vec<f32>, EngineError> {
        match self {
            Self::Dense(block) => run(Which::Dense, block),
            Self::Experts(mixture) => mixture.apply(h, run),
        }
    }
}

impl<'m> Block<'m> {
    fn new(dense: &'m Dense, activation: Activation, format: Format) -> Self {
        Self {
            gate: dense.gate.as_ref().map(|gate| Prepared::new(gate, format)),
            up: Prepared::new(&dense.up, format),
            down: Prepared::new(&dense.down, format),
            activation,
        }
    }

    /// The output of one block.
    pub fn apply(&self, h: &[f32], watch: &mut Watch<'_>) -> Vec<f32> {
        let mut inner = self.up.apply(h);
        match &self.gate {
            Some(gate) => {
                for (inner, gate) in inner.iter_mut().zip(gate.apply(h)) {
                    *inner *= self.activation.apply(gate);
                }
            }
            None => inner
                .iter_mut()
                .for_each(|x| *x = self.activation.apply(*x)),
        }
        watch(Part::Hidden, &inner);
        self.down.apply(&inner)
    }
}

impl<'m> Mixture<'m> {
    /// Shares are the softmax over all experts' scores, of which the chosen ones are added up, the best one first; of equal scores the
    /// earlier expert is the better one.
    fn apply(&self, h: &[f32], run: &mut Run<'_, 'm>) -> Result<Vec<f32>, EngineError> {
        let mut shares = self.router.apply(h);
        math::softmax(&mut shares);
        let chosen = math::top(&shares, self.shape.per_token);
        let mut total = 1.0;
        if self.shape.renormalise {
            let kept: Vec<f32> = chosen.iter().map(|&expert| shares[expert]).collect();
            total = math::sum(&kept);
        }
        let mut mixed = vec![0.0; h.len()];
        for expert in chosen {
            let share = shares[expert] / total;
            let y = run(Which::Expert(expert), &self.experts[expert])?;
            for (mixed, y) in mixed.iter_mut().zip(y) {
                *mixed += share * y;
            }
        }
        if let Some((block, gate)) = &self.shared {
            let share = math::sigmoid(gate.apply(h)[0]);
            let y = run(Which::Shared, block)?;
            let shared: Vec<f32> = y.iter().map(|y| share * y).collect();
            add(&mut mixed, &shared);
        }
        Ok(mixed)
    }
}
