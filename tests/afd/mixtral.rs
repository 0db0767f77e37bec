//! A random mixture of experts: 2 layers, 4 experts of which a token takes 2, 40 tokens.

use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

const WIDTH: usize = 36;
const HIDDEN: usize = 50;
const VOCABULARY: usize = 40;
const LAYERS: usize = 2;
const EXPERTS: usize = 4;

fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut list = vec![
        (
            "model.embed_tokens.weight".to_owned(),
            vec![VOCABULARY, WIDTH],
        ),
        ("model.norm.weight".into(), vec![WIDTH]),
        ("lm_head.weight".into(), vec![VOCABULARY, WIDTH]),
    ];
    for layer in 0..LAYERS {
        let mut add = |name: String, shape: &[usize]| {
            list.push((format!("model.layers.{layer}.{name}.weight"), shape.into()));
        };
        add("input_layernorm".into(), &[WIDTH]);
        add("post_attention_layernorm".into(), &[WIDTH]);
        for (name, outputs) in [("q", 24), ("k", 12), ("v", 12)] {
            add(format!("self_attn.{name}_proj"), &[outputs, WIDTH]);
        }
        add("self_attn.o_proj".into(), &[WIDTH, 24]);
        add("block_sparse_moe.gate".into(), &[EXPERTS, WIDTH]);
        for expert in 0..EXPERTS {
            for (name, shape) in [
                ("w1", [HIDDEN, WIDTH]),
                ("w3", [HIDDEN, WIDTH]),
                ("w2", [WIDTH, HIDDEN]),
            ] {
                add(format!("block_sparse_moe.experts.{expert}.{name}"), &shape);
            }
        }
    }
    list
}

/// Writes its folder.
pub fn write(folder: &Path) {
    let config = json!({
        "model_type": "mixtral", "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 6, "intermediate_size": HIDDEN, "vocab_size": VOCABULARY,
        "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "num_local_experts": EXPERTS, "num_experts_per_tok": 2,
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let (mut header, mut data) = (Map::new(), Vec::<u8>::new());
    let mut state = 1u32;
    for (name, shape) in shapes() {
        let begin = data.len();
        let fan = shape.get(1).map_or(1.0, |&inputs| (inputs as f32).sqrt());
        for _ in 0..shape.iter().product::<usize>() {
            // Numerical Recipes' linear congruential generator.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let uniform = (state >> 8) as f32 / (1 << 24) as f32;
            let weight = match shape[..] {
                [_] => 0.5 + uniform,
                _ => (uniform - 0.5) * 4.0 / fan,
            };
            data.extend(weight.to_le_bytes());
        }
        let place = json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, data.len()]});
        header.insert(name, place);
    }
    let header = Value::from(header).to_string().into_bytes();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    fs::write(folder.join("model.safetensors"), file).unwrap();
}
