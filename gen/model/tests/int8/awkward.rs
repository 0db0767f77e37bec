//! A random Llama whose sizes are multiples of nothing: 5 layers, 200 wide, 5 heads of 40 over one head of keys, 61 tokens.

use super::common::Files;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use safetensors::tensor::{Dtype, TensorView};

const CONFIG: &str = r#"{
  "model_type": "llama", "hidden_size": 200, "num_hidden_layers": 5, "num_attention_heads": 5, "num_key_value_heads": 1,
  "head_dim": 40, "intermediate_size": 331, "vocab_size": 61, "max_position_embeddings": 64, "rms_norm_eps": 1e-6,
  "rope_theta": 10000.0, "hidden_act": "silu"
}"#;

/// Nearly normal, standard deviation 1.
fn normal(random: &mut ChaCha8Rng) -> f32 {
    let mut uniform = || random.next_u32() as f32 / 4_294_967_296.0;
    (0..12).map(|_| uniform()).sum::<f32>() - 6.0
}

/// Its folder.
pub fn files() -> Files {
    let (width, hidden) = (200, 331);
    let mut shapes = vec![
        ("model.embed_tokens.weight".to_owned(), vec![61, width], 1.0),
        ("model.norm.weight".into(), vec![width], 1.0),
        ("lm_head.weight".into(), vec![61, width], 2.0),
    ];
    for layer in 0..5 {
        for (name, shape, gain) in [
            ("input_layernorm", vec![width], 1.0),
            ("self_attn.q_proj", vec![200, width], 1.0),
            ("self_attn.k_proj", vec![40, width], 1.0),
            ("self_attn.v_proj", vec![40, width], 1.0),
            ("self_attn.o_proj", vec![width, 200], 0.7),
            ("post_attention_layernorm", vec![width], 1.0),
            ("mlp.gate_proj", vec![hidden, width], 1.0),
            ("mlp.up_proj", vec![hidden, width], 1.0),
            ("mlp.down_proj", vec![width, hidden], 0.7),
        ] {
            shapes.push((format!("model.layers.{layer}.{name}.weight"), shape, gain));
        }
    }
    let mut random = ChaCha8Rng::seed_from_u64(20);
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = shapes
        .into_iter()
        .map(|(name, shape, gain)| {
            let count: usize = shape.iter().product();
            let embedding = name.contains("embed");
            let mut element = || match shape[..] {
                [_] => 1.0 + 0.2 * normal(&mut random),
                _ if embedding => normal(&mut random),
                _ => gain * normal(&mut random) / (shape[1] as f32).sqrt(),
            };
            let bytes = (0..count).flat_map(|_| element().to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name, view.unwrap())
    });
    vec![
        ("config.json".into(), CONFIG.into()),
        (
            "model.safetensors".into(),
            safetensors::serialize(views, None).unwrap(),
        ),
    ]
}
