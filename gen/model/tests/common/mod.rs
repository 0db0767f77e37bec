//! What the tests share.
#![allow(dead_code, reason = "each test binary uses some of it")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Python with NumPy, which `scripts/tools.py` installs once.
pub fn python() -> PathBuf {
    let script = root().join("scripts/tools.py");
    let output = Command::new("python3").arg(script).arg("numpy").output();
    let output = output.expect("Python 3 is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let path = text.split_whitespace().nth(1);
    PathBuf::from(path.expect("tools.py prints name and path"))
}

/// Runs a Python script; it has to succeed.
pub fn run_python(script: &Path, arguments: &[&str]) {
    let mut command = Command::new(python());
    command.arg(script).args(arguments);
    let output = command.output().expect("Python starts");
    assert!(
        output.status.success(),
        "{command:?}:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A number from the environment.
pub fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")),
    )
}

/// Names and contents of the files of a model.
pub type Files = Vec<(String, Vec<u8>)>;

/// Writes files into a folder.
pub fn write(folder: &Path, files: &Files) {
    for (name, content) in files {
        std::fs::write(folder.join(name), content).unwrap();
    }
}

/// The configuration of a Llama with 2 layers, 4 heads over 2 KV heads of 4 and 11 tokens.
pub const CONFIG: &str = r#"{
  "model_type": "llama", "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
  "head_dim": 4, "intermediate_size": 10, "vocab_size": 11, "max_position_embeddings": 32, "rms_norm_eps": 1e-5,
  "rope_theta": 10000.0, "hidden_act": "silu", "bos_token_id": 0, "eos_token_id": [1, 2]
}"#;

/// A tokenizer of 11 letters.
pub const TOKENIZER: &str = r#"{
  "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": {"type": "Lowercase"},
  "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a|b)+|."}, "behavior": "Isolated", "invert": false},
  "post_processor": null, "decoder": {"type": "Fuse"},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4, "f": 5, "g": 6, "h": 7, "ab": 8, "i": 9, "aba": 10},
    "merges": [["a", "b"], ["ab", "a"]], "unk_token": "i"}
}"#;

/// Names and shapes of the tensors that belong to [`CONFIG`].
pub fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut list: Vec<(String, Vec<usize>)> = vec![
        ("model.embed_tokens.weight".into(), vec![11, 12]),
        ("model.norm.weight".into(), vec![12]),
        ("lm_head.weight".into(), vec![11, 12]),
    ];
    for layer in 0..2 {
        for (name, shape) in [
            ("input_layernorm", vec![12]),
            ("self_attn.q_proj", vec![16, 12]),
            ("self_attn.k_proj", vec![8, 12]),
            ("self_attn.v_proj", vec![8, 12]),
            ("self_attn.o_proj", vec![12, 16]),
            ("post_attention_layernorm", vec![12]),
            ("mlp.gate_proj", vec![10, 12]),
            ("mlp.up_proj", vec![10, 12]),
            ("mlp.down_proj", vec![12, 10]),
        ] {
            list.push((format!("model.layers.{layer}.{name}.weight"), shape));
        }
    }
    list
}

/// A safetensors file of F32 tensors with elements that follow from their place.
pub fn safetensors(tensors: &[(String, Vec<usize>)]) -> Vec<u8> {
    let data: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, shape)| {
            let count: usize = shape.iter().product();
            let element = |i: usize| ((i * 37 + count) % 101) as f32 / 101.0 - 0.5;
            (0..count).flat_map(|i| element(i).to_le_bytes()).collect()
        })
        .collect();
    let views = tensors.iter().zip(&data).map(|((name, shape), data)| {
        let view =
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), data);
        (name, view.unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

/// A Hugging Face folder in one piece.
pub fn whole() -> Files {
    vec![
        ("config.json".into(), CONFIG.into()),
        ("tokenizer.json".into(), TOKENIZER.into()),
        ("model.safetensors".into(), safetensors(&tensors())),
    ]
}

/// The same in two shards.
pub fn sharded() -> Files {
    let all = tensors();
    let (first, second) = all.split_at(9);
    let mut map = serde_json::Map::new();
    for (part, file) in [(first, "a.safetensors"), (second, "b.safetensors")] {
        map.extend(part.iter().map(|(name, _)| (name.clone(), file.into())));
    }
    let index = serde_json::json!({"metadata": {}, "weight_map": map});
    vec![
        ("config.json".into(), CONFIG.into()),
        (
            "model.safetensors.index.json".into(),
            index.to_string().into_bytes(),
        ),
        ("a.safetensors".into(), safetensors(first)),
        ("b.safetensors".into(), safetensors(second)),
    ]
}

/// A llama2.c checkpoint with 1 layer, 2 heads over 1 KV head of 4, 300 tokens, and its tokenizer.
pub fn llama2c() -> Files {
    let (width, hidden, vocabulary, context) = (8, 6, 300, 16);
    let header = [8i32, 6, 1, 2, 1, 300, 16];
    let floats = vocabulary * width
        + 3 * width
        + 2 * width * width
        + 2 * 4 * width
        + 3 * hidden * width
        + context * 4;
    let mut model: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    let element = |i: usize| ((i * 29) % 103) as f32 / 103.0 - 0.5;
    model.extend((0..floats).flat_map(|i| element(i).to_le_bytes()));
    let mut tokenizer = 6i32.to_le_bytes().to_vec();
    for token in 0..vocabulary {
        let text = match token {
            0 => "<unk>".into(),
            1 => "<s>".into(),
            2 => "</s>".into(),
            3..259 => format!("<0x{:02X}>", token - 3),
            _ => "abc ".repeat(token)[token % 4..][..1 + token % 3].to_owned(),
        };
        tokenizer.extend((token as f32).to_le_bytes());
        tokenizer.extend((text.len() as i32).to_le_bytes());
        tokenizer.extend(text.as_bytes());
    }
    vec![
        ("model.bin".into(), model),
        ("tokenizer.bin".into(), tokenizer),
    ]
}
