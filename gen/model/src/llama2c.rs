//! Checkpoints of llama2.c in its legacy format (version 0) and its `tokenizer.bin`.
//!
//! Seven int32 (width, hidden, layers, heads, KV heads, vocabulary, context), then float32 tensors, each for all layers at once. A negative
//! vocabulary means that the head is not the embedding. Source: A. Karpathy, llama2.c, `run.c` and `export.py`.

use crate::architecture::{
    Architecture, Ffn as FfnShape, NormKind, Positions, Rope, RopePairs, RopeScaling, limits,
};
use crate::error::ModelError;
use crate::files::{self, Bytes};
use crate::model::{Dense, Ffn, Layer, Linear, Model, Norm};
use crate::tensor::{Dtype, Matrix, Tensor};
use crate::tokenizer::Tokenizer;
use std::path::Path;

/// First word of the later formats.
const MAGIC: i32 = 0x616b_3432;
const HEADER: usize = 28;

/// Reads a checkpoint and the `tokenizer.bin` beside it; without one, tokens are bytes or numbers.
pub fn open(path: &Path) -> Result<Model, ModelError> {
    let bytes = files::read(path, limits::WEIGHT_BYTES)?;
    let shape = header(path, &bytes)?;
    let beside = path.with_file_name("tokenizer.bin");
    let tokenizer = match beside.is_file() {
        true => Tokenizer::llama2c(
            &beside,
            &files::read(&beside, limits::TOKENIZER_BYTES)?,
            shape.vocabulary,
        )?,
        false => Tokenizer::without_file(shape.vocabulary),
    };
    weights(path, &bytes, shape, tokenizer)
}

fn header(path: &Path, bytes: &[u8]) -> Result<Architecture, ModelError> {
    let words: Vec<i32> = bytes
        .as_chunks()
        .0
        .iter()
        .take(7)
        .map(|w| i32::from_le_bytes(*w))
        .collect();
    let &[width, hidden, layers, heads, kv_heads, vocabulary, context] = &words[..] else {
        let rule = format!(
            "it has {} bytes, its header alone takes {HEADER}",
            bytes.len()
        );
        return Err(ModelError::format(path, rule, "fetch the file again"));
    };
    if width == MAGIC {
        let rule = "it is of version 1 or later; the legacy format, version 0, is read";
        return Err(ModelError::format(
            path,
            rule,
            "export it with `--version 0`",
        ));
    }
    let field = |name: &str, value: i32, most: usize| {
        let good = usize::try_from(value)
            .ok()
            .filter(|size| (1..=most).contains(size));
        good.ok_or_else(|| {
            let rule = format!("it must be from 1 to {most}");
            let fix = "check that this is a llama2.c checkpoint; a folder of Hugging Face has config.json";
            ModelError::field(path, name, value, rule, fix)
        })
    };
    let tied = vocabulary > 0;
    let width = field("dim", width, limits::WIDTH)?;
    let hidden = field("hidden_dim", hidden, limits::WIDTH)?;
    let layers = field("n_layers", layers, limits::LAYERS)?;
    let heads = field("n_heads", heads, limits::HEADS)?;
    let kv_heads = field("n_kv_heads", kv_heads, heads)?;
    let vocabulary = match vocabulary {
        negative @ i32::MIN..0 if negative.unsigned_abs() as usize <= limits::VOCABULARY => {
            -negative
        }
        other => other,
    };
    let vocabulary = field("vocab_size", vocabulary, limits::VOCABULARY)?;
    let context = field("seq_len", context, limits::CONTEXT)?;
    let rule = match () {
        () if width % heads != 0 => format!("it must divide dim, {width}"),
        () if width / heads % 2 != 0 => format!("dim / n_heads must be even, and dim is {width}"),
        () if width / heads > limits::HEAD_DIM => {
            format!("dim / n_heads may be at most {}", limits::HEAD_DIM)
        }
        () if heads % kv_heads != 0 => format!("it must be a multiple of n_kv_heads, {kv_heads}"),
        () => String::new(),
    };
    if !rule.is_empty() {
        return Err(ModelError::field(
            path,
            "n_heads",
            heads,
            rule,
            "fetch the file again",
        ));
    }
    Ok(Architecture {
        family: "llama2.c".into(),
        vocabulary,
        width,
        heads,
        kv_heads,
        head_dim: width / heads,
        context,
        norm: NormKind::Rms,
        epsilon: 1e-5,
        positions: Positions::Rope(Rope {
            theta: 10000.0,
            scaling: RopeScaling::None,
            pairs: RopePairs::Neighbours,
        }),
        activation: crate::architecture::Activation::Silu,
        head_norm: false,
        tied,
        ffn: vec![FfnShape::Gated { hidden }; layers],
        start: (vocabulary > 1).then_some(1),
        ends: [1, 2]
            .into_iter()
            .filter(|&end| (end as usize) < vocabulary)
            .collect(),
    })
}

/// A cursor over the tensors.
struct Reader<'a> {
    path: &'a Path,
    bytes: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let Some(tensor) = Tensor::new(self.bytes, self.at, Dtype::F32, shape) else {
            let value = format!("of shape {shape:?} would start at byte {}", self.at);
            let rule = format!("the file has {} bytes", self.bytes.len());
            let fix = "the file is cut short or its header is damaged; fetch it again";
            return Err(ModelError::tensor(self.path, name, value, rule, fix));
        };
        self.at += 4 * tensor.elements();
        tensor.check_finite(self.path, name)?;
        Ok(tensor)
    }

    /// A matrix of each layer.
    fn matrices(
        &mut self,
        name: &str,
        layers: usize,
        outputs: usize,
        inputs: usize,
    ) -> Result<Vec<Linear>, ModelError> {
        let matrix = |_| {
            let weight = Matrix::rows(self.take(name, &[outputs, inputs])?);
            Ok(Linear { weight, bias: None })
        };
        (0..layers).map(matrix).collect()
    }

    fn norms(&mut self, name: &str, layers: usize, width: usize) -> Result<Vec<Norm>, ModelError> {
        let norm = |_| {
            let weight = self.take(name, &[width])?.to_vec();
            Ok(Norm { weight, bias: None })
        };
        (0..layers).map(norm).collect()
    }
}

fn weights(
    path: &Path,
    bytes: &Bytes,
    shape: Architecture,
    tokenizer: Tokenizer,
) -> Result<Model, ModelError> {
    let (width, layers) = (shape.width, shape.layers());
    let (queries, keys) = (width, shape.kv_heads * shape.head_dim);
    let (FfnShape::Gated { hidden } | FfnShape::Plain { hidden }) = shape.ffn[0] else {
        unreachable!("made above");
    };
    let mut reader = Reader {
        path,
        bytes,
        at: HEADER,
    };
    let embedding = reader.take("token_embedding", &[shape.vocabulary, width])?;
    let attention_norms = reader.norms("rms_att", layers, width)?;
    let query = reader.matrices("wq", layers, queries, width)?;
    let key = reader.matrices("wk", layers, keys, width)?;
    let value = reader.matrices("wv", layers, keys, width)?;
    let output = reader.matrices("wo", layers, width, queries)?;
    let ffn_norms = reader.norms("rms_ffn", layers, width)?;
    let gate = reader.matrices("w1", layers, hidden, width)?;
    let down = reader.matrices("w2", layers, width, hidden)?;
    let up = reader.matrices("w3", layers, hidden, width)?;
    let norm = reader.norms("rms_final", 1, width)?.remove(0);
    // Cosines and sines of older versions; they follow from the shape.
    let head_dim = shape.head_dim;
    reader.take("freq_cis", &[2, shape.context, head_dim / 2])?;
    let head = match shape.tied {
        true => embedding.clone(),
        false => reader.take("wcls", &[shape.vocabulary, width])?,
    };
    if reader.at != bytes.len() {
        let rule = format!(
            "its header describes {} bytes, it has {}",
            reader.at,
            bytes.len()
        );
        return Err(ModelError::format(
            path,
            rule,
            "check that it is a llama2.c checkpoint of version 0",
        ));
    }
    let mut parts = attention_norms
        .into_iter()
        .zip(ffn_norms)
        .zip(query)
        .zip(key)
        .zip(value)
        .zip(output);
    let mut dense = gate.into_iter().zip(up).zip(down);
    let mut list = Vec::new();
    while let (
        Some((((((attention_norm, ffn_norm), query), key), value), output)),
        Some(((gate, up), down)),
    ) = (parts.next(), dense.next())
    {
        list.push(Layer {
            attention_norm,
            query,
            key,
            value,
            query_norm: None,
            key_norm: None,
            output,
            ffn_norm,
            ffn: Ffn::Dense(Dense {
                gate: Some(gate),
                up,
                down,
            }),
        });
    }
    Ok(Model {
        architecture: shape,
        embedding: Matrix::rows(embedding),
        positions: None,
        layers: list,
        norm,
        head: Linear {
            weight: Matrix::rows(head),
            bias: None,
        },
        tokenizer,
    })
}
