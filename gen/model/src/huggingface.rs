//! A folder of Hugging Face: the tensors' names, and their roles.

use crate::architecture::{Architecture, Experts, Ffn as FfnShape, NormKind, Positions, limits};
use crate::config;
use crate::error::ModelError;
use crate::files::Place;
use crate::json::{self, Fields};
use crate::model::{Dense, ExpertWeights, Ffn, Layer, Linear, Model, Norm};
use crate::store::Store;
use crate::tensor::{Matrix, Tensor};
use crate::tokenizer::Tokenizer;

/// Reads a model.
pub fn open(place: &Place) -> Result<Model, ModelError> {
    let path = place.path("config.json");
    let map = json::object(&path, &place.read("config.json", limits::CONFIG_BYTES)?)?;
    let architecture = config::architecture(&Fields {
        path: &path,
        map: &map,
    })?;
    let mut store = Store::open(place)?;
    let tokenizer = Tokenizer::open(place, architecture.vocabulary)?;
    let model = match architecture.positions {
        Positions::Learned => gpt2(&mut store, architecture, tokenizer)?,
        Positions::Rope(_) => llama(&mut store, architecture, tokenizer)?,
    };
    // Buffers of older files: masks and frequencies, which follow from the architecture.
    store.finish(|name| {
        [".rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias"]
            .iter()
            .any(|end| name.ends_with(end))
    })?;
    Ok(model)
}

fn linear(
    store: &mut Store,
    name: &str,
    outputs: usize,
    inputs: usize,
) -> Result<Linear, ModelError> {
    let weight = Matrix::rows(store.take(&format!("{name}.weight"), &[outputs, inputs])?);
    let bias = format!("{name}.bias");
    let bias = match store.has(&bias) {
        true => Some(store.take(&bias, &[outputs])?.to_vec()),
        false => None,
    };
    Ok(Linear { weight, bias })
}

fn norm(store: &mut Store, name: &str, size: usize, kind: NormKind) -> Result<Norm, ModelError> {
    let mut part = |part: &str| Ok(store.take(&format!("{name}.{part}"), &[size])?.to_vec());
    Ok(Norm {
        weight: part("weight")?,
        bias: match kind {
            NormKind::Rms => None,
            NormKind::Layer => Some(part("bias")?),
        },
    })
}

/// The head: its own matrix, or the embedding. A file of a tied model may hold the head all the same; the embedding counts.
fn head(
    store: &mut Store,
    architecture: &Architecture,
    embedding: &Tensor,
) -> Result<Linear, ModelError> {
    let name = "lm_head.weight";
    let mut tensor = embedding.clone();
    if !architecture.tied || store.has(name) {
        let own = store.take(name, embedding.shape())?;
        if !architecture.tied {
            tensor = own;
        }
    }
    Ok(Linear {
        weight: Matrix::rows(tensor),
        bias: None,
    })
}

fn llama(
    store: &mut Store,
    shape: Architecture,
    tokenizer: Tokenizer,
) -> Result<Model, ModelError> {
    let (width, kind) = (shape.width, shape.norm);
    let embedding = store.take("model.embed_tokens.weight", &[shape.vocabulary, width])?;
    let (queries, keys) = (
        shape.heads * shape.head_dim,
        shape.kv_heads * shape.head_dim,
    );
    let mut layers = Vec::new();
    for (number, ffn) in shape.ffn.iter().enumerate() {
        let at = format!("model.layers.{number}");
        let attention = format!("{at}.self_attn");
        let head_norm = |store: &mut Store, name: &str| match shape.head_norm {
            true => norm(store, &format!("{attention}.{name}"), shape.head_dim, kind).map(Some),
            false => Ok(None),
        };
        layers.push(Layer {
            attention_norm: norm(store, &format!("{at}.input_layernorm"), width, kind)?,
            query: linear(store, &format!("{attention}.q_proj"), queries, width)?,
            key: linear(store, &format!("{attention}.k_proj"), keys, width)?,
            value: linear(store, &format!("{attention}.v_proj"), keys, width)?,
            query_norm: head_norm(store, "q_norm")?,
            key_norm: head_norm(store, "k_norm")?,
            output: linear(store, &format!("{attention}.o_proj"), width, queries)?,
            ffn_norm: norm(
                store,
                &format!("{at}.post_attention_layernorm"),
                width,
                kind,
            )?,
            ffn: match ffn {
                FfnShape::Gated { hidden } | FfnShape::Plain { hidden } => {
                    let names = ["gate_proj", "up_proj", "down_proj"];
                    Ffn::Dense(gated(store, &format!("{at}.mlp"), names, width, *hidden)?)
                }
                FfnShape::Experts(experts) => {
                    let mixtral = shape.family == "mixtral";
                    Ffn::Experts(Box::new(mixture(store, &at, mixtral, width, experts)?))
                }
            },
        });
    }
    let norm = norm(store, "model.norm", width, kind)?;
    let head = head(store, &shape, &embedding)?;
    Ok(Model {
        architecture: shape,
        embedding: Matrix::rows(embedding),
        positions: None,
        layers,
        norm,
        head,
        tokenizer,
    })
}

fn gated(
    store: &mut Store,
    at: &str,
    [gate, up, down]: [&str; 3],
    width: usize,
    hidden: usize,
) -> Result<Dense, ModelError> {
    Ok(Dense {
        gate: Some(linear(store, &format!("{at}.{gate}"), hidden, width)?),
        up: linear(store, &format!("{at}.{up}"), hidden, width)?,
        down: linear(store, &format!("{at}.{down}"), width, hidden)?,
    })
}

fn mixture(
    store: &mut Store,
    at: &str,
    mixtral: bool,
    width: usize,
    shape: &Experts,
) -> Result<ExpertWeights, ModelError> {
    let (block, names) = match mixtral {
        true => ("block_sparse_moe", ["w1", "w3", "w2"]),
        false => ("mlp", ["gate_proj", "up_proj", "down_proj"]),
    };
    let block = format!("{at}.{block}");
    let router = linear(store, &format!("{block}.gate"), shape.count, width)?;
    let expert = |number| {
        gated(
            store,
            &format!("{block}.experts.{number}"),
            names,
            width,
            shape.hidden,
        )
    };
    let experts = (0..shape.count).map(expert).collect::<Result<_, _>>()?;
    let shared = match shape.shared_hidden {
        0 => None,
        hidden => Some((
            gated(
                store,
                &format!("{block}.shared_expert"),
                names,
                width,
                hidden,
            )?,
            linear(store, &format!("{block}.shared_expert_gate"), 1, width)?,
        )),
    };
    Ok(ExpertWeights {
        router,
        experts,
        shared,
    })
}

/// A layer of GPT-2 whose weights lie transposed; `parts` of equal size become one linear layer each.
fn fused<const PARTS: usize>(
    store: &mut Store,
    name: &str,
    outputs: usize,
    inputs: usize,
) -> Result<[Linear; PARTS], ModelError> {
    let weight = store.take(&format!("{name}.weight"), &[inputs, PARTS * outputs])?;
    let bias = store
        .take(&format!("{name}.bias"), &[PARTS * outputs])?
        .to_vec();
    Ok(std::array::from_fn(|part| Linear {
        weight: Matrix::columns(weight.clone(), part * outputs, outputs),
        bias: Some(bias[part * outputs..][..outputs].to_vec()),
    }))
}

fn gpt2(store: &mut Store, shape: Architecture, tokenizer: Tokenizer) -> Result<Model, ModelError> {
    let (width, kind) = (shape.width, shape.norm);
    // The bare model has no prefix, the one with a head has.
    let prefix = match store.has("wte.weight") {
        true => "",
        false => "transformer.",
    };
    let embedding = store.take(&format!("{prefix}wte.weight"), &[shape.vocabulary, width])?;
    let positions = store.take(&format!("{prefix}wpe.weight"), &[shape.context, width])?;
    let mut layers = Vec::new();
    for (number, ffn) in shape.ffn.iter().enumerate() {
        let at = format!("{prefix}h.{number}");
        let (FfnShape::Plain { hidden } | FfnShape::Gated { hidden }) = *ffn else {
            unreachable!("GPT-2 has no experts");
        };
        let attention_norm = norm(store, &format!("{at}.ln_1"), width, kind)?;
        let [query, key, value] = fused(store, &format!("{at}.attn.c_attn"), width, width)?;
        let [output] = fused(store, &format!("{at}.attn.c_proj"), width, width)?;
        let ffn_norm = norm(store, &format!("{at}.ln_2"), width, kind)?;
        let [up] = fused(store, &format!("{at}.mlp.c_fc"), hidden, width)?;
        let [down] = fused(store, &format!("{at}.mlp.c_proj"), width, hidden)?;
        layers.push(Layer {
            attention_norm,
            query,
            key,
            value,
            query_norm: None,
            key_norm: None,
            output,
            ffn_norm,
            ffn: Ffn::Dense(Dense {
                gate: None,
                up,
                down,
            }),
        });
    }
    let norm = norm(store, &format!("{prefix}ln_f"), width, kind)?;
    let head = head(store, &shape, &embedding)?;
    Ok(Model {
        architecture: shape,
        embedding: Matrix::rows(embedding),
        positions: Some(Matrix::rows(positions)),
        layers,
        norm,
        head,
        tokenizer,
    })
}
