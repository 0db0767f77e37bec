//! Simulated quantisation: weights and activations of linear layers rounded to int8, FP8 (E4M3) or NVFP4, as `docs/models.md` defines it.

mod block;
mod operator;
pub mod report;

pub use operator::Operator;

use serde::Serialize;

/// Format of a matrix and of the activations that meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// As in the file, computed in f32.
    F32,
    /// int8 with one FP32 scale for each output, and for each token.
    Int8,
    /// E4M3, likewise.
    E4m3,
    /// E2M1 with an E4M3 scale for each 16 inputs and one FP32 scale for the matrix, and for each token.
    Nvfp4,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::F32, Self::Int8, Self::E4m3, Self::Nvfp4];

    /// Name as on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Int8 => "int8",
            Self::E4m3 => "e4m3",
            Self::Nvfp4 => "nvfp4",
        }
    }

    /// Bytes of a matrix with its scales.
    pub fn matrix_bytes(self, outputs: usize, inputs: usize) -> usize {
        let (elements, blocks) = (outputs * inputs, inputs.div_ceil(block::SIZE));
        match self {
            Self::F32 => 4 * elements,
            Self::Int8 | Self::E4m3 => elements + 4 * outputs,
            Self::Nvfp4 => outputs * blocks * (block::SIZE / 2 + 1) + 4,
        }
    }
}

/// What is rounded, and to which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Scheme {
    /// Linear layers of attention and feed-forward networks.
    pub layers: Format,
    /// The head.
    pub head: Format,
    /// Routers and the gate of a shared expert.
    pub router: Format,
    /// Whether queries, keys and values are rounded to int8, with a scale for each head and position.
    pub int8_attention: bool,
}

impl Scheme {
    /// Nothing is rounded.
    pub const EXACT: Self = Self {
        layers: Format::F32,
        head: Format::F32,
        router: Format::F32,
        int8_attention: false,
    };

    /// Layers and head in `format`, routers in f32.
    pub fn of(format: Format) -> Self {
        Self {
            layers: format,
            head: format,
            ..Self::EXACT
        }
    }

    /// The same with int8 queries, keys and values.
    pub fn with_int8_attention(self) -> Self {
        Self {
            int8_attention: true,
            ..self
        }
    }
}

/// Rounds `x` to int8 and back: one step of max |x| / 127.
pub fn round_int8(x: &mut [f32]) {
    let mut codes = vec![0; x.len()];
    let step = operator::int8(x, &mut codes);
    for (value, code) in x.iter_mut().zip(codes) {
        *value = f32::from(code) * step;
    }
}
