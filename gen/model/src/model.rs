//! A checked model: architecture, weights in their roles, tokenizer.

use crate::architecture::Architecture;
use crate::error::ModelError;
use crate::files::Place;
use crate::tensor::Matrix;
use crate::tokenizer::Tokenizer;
use crate::{huggingface, llama2c};
use std::path::Path;

/// A linear layer.
#[derive(Clone, Debug)]
pub struct Linear {
    /// (outputs, inputs).
    pub weight: Matrix,
    /// Added to the outputs.
    pub bias: Option<Vec<f32>>,
}

/// Weights of a normalisation, one for each element.
#[derive(Clone, Debug)]
pub struct Norm {
    /// Factors.
    pub weight: Vec<f32>,
    /// Summands, of a LayerNorm.
    pub bias: Option<Vec<f32>>,
}

/// A feed-forward network.
#[derive(Clone, Debug)]
pub struct Dense {
    /// Inner width from width: the gate, of a gated network.
    pub gate: Option<Linear>,
    /// Inner width from width.
    pub up: Linear,
    /// Width from inner width.
    pub down: Linear,
}

/// What follows the attention of a layer.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one for each layer")]
pub enum Ffn {
    /// One network.
    Dense(Dense),
    /// Several, of which a router chooses.
    Experts(Box<ExpertWeights>),
}

/// A mixture of experts.
#[derive(Clone, Debug)]
pub struct ExpertWeights {
    /// Number of experts from width.
    pub router: Linear,
    /// The experts.
    pub experts: Vec<Dense>,
    /// The expert of all tokens, and its gate: 1 from width.
    pub shared: Option<(Dense, Linear)>,
}

/// A layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Before attention.
    pub attention_norm: Norm,
    /// heads · head_dim from width.
    pub query: Linear,
    /// kv_heads · head_dim from width.
    pub key: Linear,
    /// kv_heads · head_dim from width.
    pub value: Linear,
    /// Of each head's query, over head_dim.
    pub query_norm: Option<Norm>,
    /// Of each head's key.
    pub key_norm: Option<Norm>,
    /// Width from heads · head_dim.
    pub output: Linear,
    /// Before the feed-forward network.
    pub ffn_norm: Norm,
    /// The feed-forward network.
    pub ffn: Ffn,
}

/// A model.
#[derive(Debug)]
pub struct Model {
    /// Its shape.
    pub architecture: Architecture,
    /// (vocabulary, width).
    pub embedding: Matrix,
    /// (context, width), of learned positions.
    pub positions: Option<Matrix>,
    /// Layers, the first one first.
    pub layers: Vec<Layer>,
    /// Before the head.
    pub norm: Norm,
    /// Logits: vocabulary from width. The embedding itself if they are tied.
    pub head: Linear,
    /// Text to tokens and back.
    pub tokenizer: Tokenizer,
}

impl Model {
    /// Reads a Hugging Face folder (with `config.json`), a folder of llama2.c (with `model.bin`), or a llama2.c checkpoint.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        if !path.is_dir() {
            return llama2c::open(path);
        }
        let place = Place::Folder(path.to_owned());
        if !place.has("config.json") && place.has("model.bin") {
            return llama2c::open(&path.join("model.bin"));
        }
        huggingface::open(&place)
    }

    /// The model that is part of this program: `models/sums` of the repository.
    pub fn embedded() -> Result<Self, ModelError> {
        huggingface::open(&Place::Embedded(
            "embedded model",
            &[
                (
                    "config.json",
                    include_bytes!("../../../models/sums/config.json"),
                ),
                (
                    "tokenizer.json",
                    include_bytes!("../../../models/sums/tokenizer.json"),
                ),
                (
                    "model.safetensors",
                    include_bytes!("../../../models/sums/model.safetensors"),
                ),
            ],
        ))
    }

    /// Tokens of a prompt, with the token a text begins with; all of them are in the vocabulary.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.checked(self.tokenizer.encode(text, self.architecture.start)?)
    }

    /// Tokens of a text that follows others, without the token a text begins with.
    pub fn encode_on(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.checked(self.tokenizer.encode_on(text)?)
    }

    /// Refuses tokens that are not in the vocabulary, and no tokens at all.
    fn checked(&self, tokens: Vec<u32>) -> Result<Vec<u32>, ModelError> {
        let limit = self.architecture.vocabulary;
        if let Some(token) = tokens.iter().find(|&&token| token as usize >= limit) {
            let reason = format!("its token {token} is not in the vocabulary of {limit} tokens");
            let fix = "check that the tokenizer belongs to the model";
            return Err(ModelError::text("the prompt", reason, fix));
        }
        if tokens.is_empty() {
            return Err(ModelError::text(
                "the prompt",
                "it has no tokens",
                "give a longer one",
            ));
        }
        Ok(tokens)
    }

    /// Every matrix with its role: those of the layers in the order in which they are used, then the head (if it is not the
    /// embedding), embedding and positions.
    pub fn matrices(&self) -> Vec<(String, &Matrix)> {
        let mut list = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            for (name, linear) in layer.linears() {
                list.push((format!("layers.{number}.{name}"), &linear.weight));
            }
        }
        if !self.architecture.tied {
            list.push(("head".into(), &self.head.weight));
        }
        list.push(("embedding".into(), &self.embedding));
        list.extend(
            self.positions
                .iter()
                .map(|matrix| ("positions".into(), matrix)),
        );
        list
    }

    /// Number of weights: matrices, biases, norms.
    pub fn parameters(&self) -> usize {
        let matrices = self.matrices().into_iter();
        let matrices: usize = matrices.map(|(_, m)| m.outputs() * m.inputs()).sum();
        let norm = |norm: &Norm| norm.weight.len() + norm.bias.as_ref().map_or(0, Vec::len);
        let head = self.head.bias.as_ref().map_or(0, Vec::len);
        let vectors = self.layers.iter().map(|layer| {
            let biases = layer.linears().into_iter();
            let biases: usize = biases
                .map(|(_, l)| l.bias.as_ref().map_or(0, Vec::len))
                .sum();
            let norms = [Some(&layer.attention_norm), Some(&layer.ffn_norm)];
            let norms = norms
                .into_iter()
                .chain([layer.query_norm.as_ref(), layer.key_norm.as_ref()]);
            biases + norms.flatten().map(norm).sum::<usize>()
        });
        matrices + vectors.sum::<usize>() + norm(&self.norm) + head
    }
}

impl Dense {
    fn linears(&self) -> Vec<(&'static str, &Linear)> {
        let gate = self.gate.iter().map(|gate| ("gate", gate));
        gate.chain([("up", &self.up), ("down", &self.down)])
            .collect()
    }
}

impl Layer {
    /// The linear layers with their names, in the order in which they are used: `query`, `key`, `value`, `output`, then `gate`, `up`,
    /// `down`, or `router`, `experts.N.gate` and so on, `shared.gate` and so on, `shared_gate`.
    pub fn linears(&self) -> Vec<(String, &Linear)> {
        let mut list: Vec<(String, &Linear)> = vec![
            ("query".into(), &self.query),
            ("key".into(), &self.key),
            ("value".into(), &self.value),
            ("output".into(), &self.output),
        ];
        match &self.ffn {
            Ffn::Dense(dense) => {
                list.extend(dense.linears().into_iter().map(|(n, l)| (n.into(), l)))
            }
            Ffn::Experts(weights) => {
                list.push(("router".into(), &weights.router));
                for (number, expert) in weights.experts.iter().enumerate() {
                    let named = expert.linears().into_iter();
                    list.extend(named.map(|(name, l)| (format!("experts.{number}.{name}"), l)));
                }
                if let Some((dense, gate)) = &weights.shared {
                    let named = dense.linears().into_iter();
                    list.extend(named.map(|(name, l)| (format!("shared.{name}"), l)));
                    list.push(("shared_gate".into(), gate));
                }
            }
        }
        list
    }
}
