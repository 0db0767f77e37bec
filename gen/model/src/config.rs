//! `config.json` of Hugging Face to an [`Architecture`]. Anything that would change the arithmetic and is not implemented is refused.

use crate::architecture::{
    Activation, Architecture, Experts, Ffn, NormKind, Positions, Rope, RopePairs, RopeScaling,
    limits,
};
use crate::error::ModelError;
use crate::json::Fields;

/// Families by their `model_type`.
pub const FAMILIES: [&str; 8] = [
    "llama",
    "mistral",
    "mixtral",
    "qwen2",
    "qwen3",
    "qwen2_moe",
    "qwen3_moe",
    "gpt2",
];

/// Reads the architecture.
pub fn architecture(fields: &Fields<'_>) -> Result<Architecture, ModelError> {
    let family = fields.text("model_type")?.unwrap_or("missing");
    if !FAMILIES.contains(&family) {
        let rule = format!("the families known are {}", FAMILIES.join(", "));
        let fix = "convert the model, or use one of these";
        return Err(ModelError::field(
            fields.path,
            "model_type",
            family,
            rule,
            fix,
        ));
    }
    for name in ["quantization_config", "compression_config"] {
        if fields.get(name).is_some() {
            let rule = "weights are F32, F16 or BF16";
            return Err(refused(
                fields,
                name,
                rule,
                "use the model before quantisation",
            ));
        }
    }
    if family == "gpt2" {
        gpt2(fields)
    } else {
        llama(fields, family)
    }
}

fn refused(fields: &Fields<'_>, name: &str, rule: &str, fix: &str) -> ModelError {
    let value = fields
        .map
        .get(name)
        .map_or("missing".into(), ToString::to_string);
    ModelError::field(fields.path, name, value, rule, fix)
}

/// Refuses a field that is there with another value than the one implemented.
fn only(fields: &Fields<'_>, name: &str, value: f64) -> Result<(), ModelError> {
    match fields.get(name) {
        Some(found) if found.as_f64() != Some(value) => {
            let rule = format!("only {value} is implemented");
            Err(refused(fields, name, &rule, "use another model"))
        }
        _ => Ok(()),
    }
}

fn llama(fields: &Fields<'_>, family: &str) -> Result<Architecture, ModelError> {
    only(fields, "partial_rotary_factor", 1.0)?;
    let width = fields.integer("hidden_size", (1, limits::WIDTH), None)?;
    let heads = fields.integer("num_attention_heads", (1, limits::HEADS), None)?;
    let kv_heads = fields.integer("num_key_value_heads", (1, heads), Some(heads))?;
    if heads % kv_heads != 0 {
        let rule = format!("it must divide the {heads} query heads");
        return Err(refused(
            fields,
            "num_key_value_heads",
            &rule,
            "correct the file",
        ));
    }
    if fields.get("head_dim").is_none() && width % heads != 0 {
        let rule = format!("it must be a multiple of the {heads} heads unless head_dim is given");
        return Err(refused(fields, "hidden_size", &rule, "give head_dim"));
    }
    let head_dim = fields.integer("head_dim", (2, limits::HEAD_DIM), Some(width / heads))?;
    if head_dim % 2 != 0 {
        let rule = "it must be even, since rotation takes pairs";
        return Err(ModelError::field(
            fields.path,
            "head_dim",
            head_dim,
            rule,
            "correct the file",
        ));
    }
    if heads * head_dim > limits::WIDTH {
        let rule = format!(
            "all {heads} heads together may be at most {} wide",
            limits::WIDTH
        );
        return Err(ModelError::field(
            fields.path,
            "head_dim",
            head_dim,
            rule,
            "correct the file",
        ));
    }
    let layers = fields.integer("num_hidden_layers", (1, limits::LAYERS), None)?;
    let mut context =
        fields.integer("max_position_embeddings", (1, limits::CONTEXT), Some(2048))?;
    if fields.flag("use_sliding_window", fields.get("sliding_window").is_some())? {
        // Within the window a sliding attention is a full one.
        context = context.min(fields.integer("sliding_window", (1, limits::CONTEXT), None)?);
    }
    let vocabulary = fields.integer("vocab_size", (1, limits::VOCABULARY), None)?;
    let (start, ends) = markers(fields, vocabulary)?;
    Ok(Architecture {
        family: family.into(),
        vocabulary,
        width,
        heads,
        kv_heads,
        head_dim,
        context,
        norm: NormKind::Rms,
        epsilon: fields.number("rms_norm_eps", (0.0, 1.0), Some(1e-6))?,
        positions: Positions::Rope(rope(fields, context)?),
        activation: activation(fields, "hidden_act", "silu")?,
        head_norm: family.starts_with("qwen3"),
        tied: fields.flag("tie_word_embeddings", false)?,
        ffn: ffn(fields, family, layers)?,
        start,
        ends,
    })
}

fn ffn(fields: &Fields<'_>, family: &str, layers: usize) -> Result<Vec<Ffn>, ModelError> {
    let inner = |name, default| fields.integer(name, (1, limits::WIDTH), default);
    let (count, renormalise, hidden) = match family {
        "mixtral" => ("num_local_experts", true, "intermediate_size"),
        "qwen2_moe" | "qwen3_moe" => (
            "num_experts",
            fields.flag("norm_topk_prob", false)?,
            "moe_intermediate_size",
        ),
        _ => {
            let hidden = inner("intermediate_size", None)?;
            return Ok(vec![Ffn::Gated { hidden }; layers]);
        }
    };
    let count = fields.integer(count, (1, limits::EXPERTS), None)?;
    let experts = Experts {
        count,
        per_token: fields.integer("num_experts_per_tok", (1, count), None)?,
        hidden: inner(hidden, None)?,
        renormalise,
        shared_hidden: match family {
            "qwen2_moe" => inner("shared_expert_intermediate_size", None)?,
            _ => 0,
        },
    };
    let step = fields.integer("decoder_sparse_step", (1, limits::LAYERS), Some(1))?;
    let dense = fields.integers("mlp_only_layers", limits::LAYERS)?;
    (0..layers)
        .map(|layer| {
            if family == "mixtral" || ((layer + 1) % step == 0 && !dense.contains(&layer)) {
                Ok(Ffn::Experts(experts))
            } else {
                let hidden = inner("intermediate_size", None)?;
                Ok(Ffn::Gated { hidden })
            }
        })
        .collect()
}

/// `rope_theta` and `rope_scaling`, or `rope_parameters` of newer files, which holds both.
fn rope(fields: &Fields<'_>, context: usize) -> Result<Rope, ModelError> {
    let newer = fields.object("rope_parameters")?;
    let scaling = match newer {
        Some(_) => fields.object("rope_parameters")?,
        None => fields.object("rope_scaling")?,
    };
    let theta = newer.as_ref().unwrap_or(fields);
    let theta = theta.number("rope_theta", (1.0, 1e12), Some(10000.0))?;
    let scaling = match &scaling {
        None => RopeScaling::None,
        Some(inner) => {
            let kind = match inner.text("rope_type")? {
                Some(kind) => Some(kind),
                None => inner.text("type")?,
            };
            let positive = |name, default| inner.number(name, (1e-6, 1e9), default);
            match kind {
                None | Some("default") => RopeScaling::None,
                Some("linear") => RopeScaling::Linear {
                    factor: positive("factor", None)?,
                },
                Some("llama3") => {
                    let low = positive("low_freq_factor", None)?;
                    let high = positive("high_freq_factor", None)?;
                    if low >= high {
                        let rule = format!("it must be above low_freq_factor, {low}");
                        return Err(refused(
                            inner,
                            "high_freq_factor",
                            &rule,
                            "correct the file",
                        ));
                    }
                    RopeScaling::Llama3 {
                        factor: positive("factor", None)?,
                        low,
                        high,
                        original_context: positive(
                            "original_max_position_embeddings",
                            Some(context as f64),
                        )?,
                    }
                }
                Some(other) => {
                    let rule = "default, linear and llama3 are implemented";
                    let fix =
                        "use another model, or remove the scaling to use the original context";
                    return Err(ModelError::field(
                        fields.path,
                        "rope_type",
                        other,
                        rule,
                        fix,
                    ));
                }
            }
        }
    };
    Ok(Rope {
        theta,
        scaling,
        pairs: RopePairs::Halves,
    })
}

fn gpt2(fields: &Fields<'_>) -> Result<Architecture, ModelError> {
    for (name, value) in [
        ("scale_attn_weights", true),
        ("scale_attn_by_inverse_layer_idx", false),
    ] {
        if fields.flag(name, value)? != value {
            return Err(refused(
                fields,
                name,
                &format!("only {value} is implemented"),
                "use another model",
            ));
        }
    }
    let width = fields.integer("n_embd", (1, limits::WIDTH), None)?;
    let heads = fields.integer("n_head", (1, limits::HEADS), None)?;
    if width % heads != 0 || width / heads > limits::HEAD_DIM {
        let rule = format!(
            "it must be a multiple of the {heads} heads, at most {} times",
            limits::HEAD_DIM
        );
        return Err(refused(fields, "n_embd", &rule, "correct the file"));
    }
    let layers = fields.integer("n_layer", (1, limits::LAYERS), None)?;
    let hidden = fields.integer(
        "n_inner",
        (1, limits::WIDTH),
        Some((4 * width).min(limits::WIDTH)),
    )?;
    let vocabulary = fields.integer("vocab_size", (1, limits::VOCABULARY), None)?;
    let (start, ends) = markers(fields, vocabulary)?;
    Ok(Architecture {
        family: "gpt2".into(),
        vocabulary,
        width,
        heads,
        kv_heads: heads,
        head_dim: width / heads,
        context: fields.integer("n_positions", (1, limits::CONTEXT), Some(1024))?,
        norm: NormKind::Layer,
        epsilon: fields.number("layer_norm_epsilon", (0.0, 1.0), Some(1e-5))?,
        positions: Positions::Learned,
        activation: activation(fields, "activation_function", "gelu_new")?,
        head_norm: false,
        tied: fields.flag("tie_word_embeddings", true)?,
        ffn: vec![Ffn::Plain { hidden }; layers],
        start,
        ends,
    })
}

fn activation(fields: &Fields<'_>, name: &str, default: &str) -> Result<Activation, ModelError> {
    match fields.text(name)?.unwrap_or(default) {
        "silu" | "swish" => Ok(Activation::Silu),
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        _ => {
            let rule = "silu, gelu, gelu_new, gelu_pytorch_tanh and relu are implemented";
            Err(refused(fields, name, rule, "use another model"))
        }
    }
}

/// Token a text begins with, and tokens it ends with.
fn markers(fields: &Fields<'_>, vocabulary: usize) -> Result<(Option<u32>, Vec<u32>), ModelError> {
    let tokens = |name| -> Result<Vec<u32>, ModelError> {
        let numbers = fields.integers(name, vocabulary)?;
        Ok(numbers.into_iter().map(|number| number as u32).collect())
    };
    Ok((
        tokens("bos_token_id")?.first().copied(),
        tokens("eos_token_id")?,
    ))
}
