//! Writes a Llama of 150 million random F32 weights, to measure memory and time with a model of real size.
//!
//!     cargo run -p lpu-model --example random_llama -- FOLDER
//!     lpu generate --model FOLDER --prompt abc --max-tokens 16 --json

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::json;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

const WIDTH: usize = 768;
const LAYERS: usize = 16;
const HEADS: usize = 12;
const KV_HEADS: usize = 4;
const HIDDEN: usize = 2048;
const VOCABULARY: usize = 32000;

fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut list = vec![(
        "model.embed_tokens.weight".to_owned(),
        vec![VOCABULARY, WIDTH],
    )];
    let keys = WIDTH / HEADS * KV_HEADS;
    for layer in 0..LAYERS {
        for (name, shape) in [
            ("input_layernorm", vec![WIDTH]),
            ("self_attn.q_proj", vec![WIDTH, WIDTH]),
            ("self_attn.k_proj", vec![keys, WIDTH]),
            ("self_attn.v_proj", vec![keys, WIDTH]),
            ("self_attn.o_proj", vec![WIDTH, WIDTH]),
            ("post_attention_layernorm", vec![WIDTH]),
            ("mlp.gate_proj", vec![HIDDEN, WIDTH]),
            ("mlp.up_proj", vec![HIDDEN, WIDTH]),
            ("mlp.down_proj", vec![WIDTH, HIDDEN]),
        ] {
            list.push((format!("model.layers.{layer}.{name}.weight"), shape));
        }
    }
    list.push(("model.norm.weight".into(), vec![WIDTH]));
    list.push(("lm_head.weight".into(), vec![VOCABULARY, WIDTH]));
    list
}

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("name a folder to write to"));
    };
    fs::create_dir_all(&folder)?;
    let config = json!({
        "model_type": "llama", "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "intermediate_size": HIDDEN, "vocab_size": VOCABULARY,
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    });
    fs::write(folder.join("config.json"), config.to_string())?;
    let (mut header, mut at) = (serde_json::Map::new(), 0);
    for (name, shape) in tensors() {
        let end = at + 4 * shape.iter().product::<usize>();
        header.insert(
            name,
            json!({"dtype": "F32", "shape": shape, "data_offsets": [at, end]}),
        );
        at = end;
    }
    let header = serde_json::Value::from(header).to_string();
    let mut file = BufWriter::new(File::create(folder.join("model.safetensors"))?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (name, shape) in tensors() {
        let inputs = shape[shape.len() - 1] as f32;
        for _ in 0..shape.iter().product() {
            // Uniform with the deviation that keeps vectors as long as they are; norms are ones.
            let uniform =
                (random.next_u32() as f32 / u32::MAX as f32 - 0.5) * (12.0 / inputs).sqrt();
            let weight = if name.contains("norm") { 1.0 } else { uniform };
            file.write_all(&weight.to_le_bytes())?;
        }
    }
    file.flush()
}
