//! What a model is, apart from its weights.

use serde::Serialize;

/// How vectors are normalised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NormKind {
    /// x / rms(x) · weight (Zhang, Sennrich 2019).
    Rms,
    /// (x - mean) / deviation · weight + bias (Ba, Kiros, Hinton 2016).
    Layer,
}

/// The nonlinearity of a feed-forward network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x · sigmoid(x).
    Silu,
    /// x · Φ(x) with the error function.
    Gelu,
    /// The approximation of GELU by tanh (Hendrycks, Gimpel 2016).
    GeluTanh,
    /// max(x, 0).
    Relu,
}

/// Which two elements of a head are rotated together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RopePairs {
    /// i and i + half: Hugging Face.
    Halves,
    /// 2i and 2i + 1: the paper, llama2.c.
    Neighbours,
}

/// How rotary frequencies are stretched for long contexts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RopeScaling {
    /// Not.
    None,
    /// All by the same factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// Low frequencies by the factor, high ones not, with a ramp between them (Llama 3.1).
    Llama3 {
        /// The factor.
        factor: f64,
        /// Wavelengths above `original_context / low` are stretched fully.
        low: f64,
        /// Wavelengths below `original_context / high` are kept.
        high: f64,
        /// Context the model was trained with first.
        original_context: f64,
    },
}

/// Rotary position embedding (Su et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rope {
    /// Base of the frequencies.
    pub theta: f64,
    /// Their stretching.
    pub scaling: RopeScaling,
    /// Elements that are rotated together.
    pub pairs: RopePairs,
}

impl Rope {
    /// The angle by which each of the head_dim / 2 pairs turns from one position to the next, radians.
    pub fn frequencies(&self, head_dim: usize) -> Vec<f64> {
        (0..head_dim / 2)
            .map(|pair| {
                let exponent = 2.0 * pair as f64 / head_dim as f64;
                self.scaled(libm::pow(self.theta, -exponent))
            })
            .collect()
    }

    fn scaled(&self, frequency: f64) -> f64 {
        match self.scaling {
            RopeScaling::None => frequency,
            RopeScaling::Linear { factor } => frequency / factor,
            RopeScaling::Llama3 {
                factor,
                low,
                high,
                original_context,
            } => {
                let turns = original_context * frequency / std::f64::consts::TAU;
                let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                frequency * (kept + (1.0 - kept) / factor)
            }
        }
    }
}

/// How a token's position enters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Positions {
    /// Queries and keys are rotated.
    Rope(Rope),
    /// A learned vector is added to the embedding.
    Learned,
}

/// Experts of a layer (Shazeer et al. 2017): the router's best `per_token` compute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Experts {
    /// Number of experts.
    pub count: usize,
    /// Experts that a token passes.
    pub per_token: usize,
    /// Inner width of an expert.
    pub hidden: usize,
    /// Whether the shares of the chosen experts are made to sum to one.
    pub renormalise: bool,
    /// Inner width of an expert that every token passes, scaled by a gate of its own; 0 if there is none.
    pub shared_hidden: usize,
}

/// The feed-forward network of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ffn {
    /// down(activation(gate(x)) · up(x)) (Shazeer 2020).
    Gated {
        /// Inner width.
        hidden: usize,
    },
    /// down(activation(up(x))).
    Plain {
        /// Inner width.
        hidden: usize,
    },
    /// Gated networks, of which a router chooses some.
    Experts(Experts),
}

/// The shape of a decoder-only transformer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Architecture {
    /// Name of the family: `model_type` of Hugging Face, or `llama2.c`.
    pub family: String,
    /// Tokens.
    pub vocabulary: usize,
    /// Elements of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Heads of keys and values; each serves heads / kv_heads neighbouring query heads.
    pub kv_heads: usize,
    /// Elements of a head.
    pub head_dim: usize,
    /// Positions the model may see.
    pub context: usize,
    /// Normalisation.
    pub norm: NormKind,
    /// Added to the mean square or variance.
    pub epsilon: f64,
    /// Positions.
    pub positions: Positions,
    /// Nonlinearity.
    pub activation: Activation,
    /// Whether queries and keys are normalised head by head before they are rotated (Qwen3).
    pub head_norm: bool,
    /// Whether the embedding is the output head too.
    pub tied: bool,
    /// The feed-forward network of each layer.
    pub ffn: Vec<Ffn>,
    /// Token a text begins with, if the files say so.
    pub start: Option<u32>,
    /// Tokens a text ends with.
    pub ends: Vec<u32>,
}

impl Architecture {
    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.ffn.len()
    }
}

/// Largest values accepted; beyond them a file is damaged, or no machine of ours could hold the model.
pub mod limits {
    /// Layers.
    pub const LAYERS: usize = 1024;
    /// Width, inner width.
    pub const WIDTH: usize = 1 << 17;
    /// Heads.
    pub const HEADS: usize = 1024;
    /// Elements of a head.
    pub const HEAD_DIM: usize = 1024;
    /// Tokens.
    pub const VOCABULARY: usize = 1 << 22;
    /// Positions.
    pub const CONTEXT: usize = 1 << 24;
    /// Experts of a layer.
    pub const EXPERTS: usize = 1024;
    /// Bytes of config.json.
    pub const CONFIG_BYTES: u64 = 1 << 20;
    /// Bytes of the index of shards, and of the header of a safetensors file.
    pub const INDEX_BYTES: u64 = 16 << 20;
    /// Bytes of a tokenizer.
    pub const TOKENIZER_BYTES: u64 = 64 << 20;
    /// Bytes of one file of weights.
    pub const WEIGHT_BYTES: u64 = 1 << 38;
    /// Files of weights.
    pub const SHARDS: usize = 4096;
    /// Tensors of all files.
    pub const TENSORS: usize = 1 << 20;
}
