//! What is said about files that are refused: the file, the value, the rule, the fix.
//!
//! `INSTA_UPDATE=always cargo test -p lpu-model --test errors` writes what is said now; the difference is for review.

mod common;

use common::{CONFIG, Files};
use lpu_model::Model;
use miette::Diagnostic;
use std::fmt::Write;

/// The error of a folder, with its fix.
fn error(files: &Files) -> String {
    let folder = tempfile::tempdir().unwrap();
    common::write(folder.path(), files);
    let error = match Model::open(folder.path()) {
        Ok(_) => return "no error".into(),
        Err(error) => error,
    };
    let fix = error.help().map_or("none".into(), |help| help.to_string());
    let text = format!("{error}\n  fix: {fix}");
    text.replace(folder.path().to_str().unwrap(), "DIR")
}

fn with(mut files: Files, name: &str, content: impl Into<Vec<u8>>) -> Files {
    files.retain(|(known, _)| known != name);
    files.push((name.into(), content.into()));
    files
}

/// A safetensors file with this header.
fn header(text: &str, data: usize) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn configurations() {
    let mut all = String::new();
    let changed = |from: &str, to: &str| {
        assert!(CONFIG.contains(from), "{from}");
        CONFIG.replace(from, to)
    };
    let deep = format!("{{\"a\": {}", "[".repeat(100_000));
    for (name, text) in [
        ("cut short", CONFIG[..60].to_owned()),
        ("no object", "[1]".into()),
        ("deep", deep),
        (
            "twice",
            changed("\"head_dim\": 4", "\"head_dim\": 4, \"head_dim\": 8"),
        ),
        ("family", changed("\"llama\"", "\"bert\"")),
        ("field missing", changed("\"hidden_size\": 12,", "")),
        (
            "field absurd",
            changed(
                "\"num_hidden_layers\": 2",
                "\"num_hidden_layers\": 18446744073709551615",
            ),
        ),
        (
            "negative",
            changed("\"vocab_size\": 11", "\"vocab_size\": -11"),
        ),
        (
            "fraction",
            changed("\"vocab_size\": 11", "\"vocab_size\": 11.5"),
        ),
        (
            "heads",
            changed("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3"),
        ),
        ("odd head", changed("\"head_dim\": 4", "\"head_dim\": 5")),
        ("activation", changed("\"silu\"", "\"mish\"")),
        ("marker", changed("[1, 2]", "[1, 11]")),
        (
            "scaling",
            changed(
                "\"bos_token_id\"",
                "\"rope_scaling\": {\"rope_type\": \"yarn\"}, \"bos_token_id\"",
            ),
        ),
        (
            "quantised",
            changed(
                "\"bos_token_id\"",
                "\"quantization_config\": {}, \"bos_token_id\"",
            ),
        ),
        (
            "rotary",
            changed(
                "\"bos_token_id\"",
                "\"partial_rotary_factor\": 0.5, \"bos_token_id\"",
            ),
        ),
        (
            "wide heads",
            changed("\"head_dim\": 4", "\"head_dim\": 1024")
                .replace("_heads\": 4", "_heads\": 1000"),
        ),
    ] {
        let _ = writeln!(
            all,
            "{name}: {}\n",
            error(&with(common::whole(), "config.json", text))
        );
    }
    let _ = writeln!(all, "empty folder: {}\n", error(&Vec::new()));
    insta::assert_snapshot!(all);
}

#[test]
fn weights() {
    let mut all = String::new();
    let good = common::safetensors(&common::tensors());
    let mut several = |name: &str, bytes: Vec<u8>| {
        let _ = writeln!(
            all,
            "{name}: {}\n",
            error(&with(common::whole(), "model.safetensors", bytes))
        );
    };
    several("empty", Vec::new());
    several("cut short", good[..good.len() - 1].to_vec());
    several(
        "header absurd",
        [&u64::MAX.to_le_bytes(), &good[8..]].concat(),
    );
    several("header cut", header("{\"a\": {", 0));
    let tensor = |dtype: &str, shape: &str, offsets: &str| {
        format!(
            "{{\"model.embed_tokens.weight\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}"
        )
    };
    several("beyond", header(&tensor("F32", "[11,12]", "[0,528]"), 527));
    several("size", header(&tensor("F32", "[11,12]", "[0,500]"), 500));
    several(
        "overflow",
        header(&tensor("F32", "[4294967296,4294967296,4]", "[0,528]"), 528),
    );
    several("type", header(&tensor("I32", "[11,12]", "[0,528]"), 528));
    several("shape", header(&tensor("F32", "[12,11]", "[0,528]"), 528));
    let name =
        "\"model.embed_tokens.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";
    several("twice", header(&format!("{{{name},{name}}}"), 4));
    let mut tensors = common::tensors();
    let removed = tensors.pop().unwrap();
    several("missing", common::safetensors(&tensors));
    tensors.extend([
        removed,
        ("model.layers.2.mlp.up_proj.weight".into(), vec![10, 12]),
    ]);
    several("too many", common::safetensors(&tensors));
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    several("not finite", nan);
    insta::assert_snapshot!(all);
}

#[test]
fn shards() {
    let mut all = String::new();
    let name = "model.safetensors.index.json";
    let files = common::sharded();
    assert_eq!(error(&files), "no error");
    let index = String::from_utf8(
        files
            .iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .clone(),
    )
    .unwrap();
    for file in [
        "../a.safetensors",
        "/etc/a.safetensors",
        "sub/a.safetensors",
        "..\\\\a.safetensors",
        ".a.safetensors",
        "model.safetensors.index.json",
        "c.safetensors",
        "",
    ] {
        let text = index.replace("a.safetensors", file);
        let _ = writeln!(
            all,
            "`{file}`: {}\n",
            error(&with(common::sharded(), name, text))
        );
    }
    let _ = writeln!(
        all,
        "exchanged: {}\n",
        error(&with(
            with(
                common::sharded(),
                "a.safetensors",
                common::safetensors(&common::tensors()[9..])
            ),
            "b.safetensors",
            common::safetensors(&common::tensors()[..9]),
        ))
    );
    let _ = writeln!(
        all,
        "in both: {}\n",
        error(&with(
            common::sharded(),
            "b.safetensors",
            common::safetensors(&common::tensors())
        ))
    );
    let _ = writeln!(
        all,
        "empty map: {}\n",
        error(&with(common::sharded(), name, "{\"weight_map\": {}}"))
    );
    let _ = writeln!(
        all,
        "no map: {}\n",
        error(&with(common::sharded(), name, "{}"))
    );
    insta::assert_snapshot!(all);
}

#[test]
fn tokenizers_and_checkpoints() {
    let mut all = String::new();
    for (name, text) in [
        ("cut short", common::TOKENIZER[..200].to_owned()),
        ("unknown model", common::TOKENIZER.replace("BPE", "ABC")),
        (
            "impossible merge",
            common::TOKENIZER.replace("[\"ab\", \"a\"]", "[\"ab\", \"z\"]"),
        ),
        ("twice", common::TOKENIZER.replace("\"b\": 1", "\"a\": 1")),
    ] {
        let _ = writeln!(
            all,
            "{name}: {}\n",
            error(&with(common::whole(), "tokenizer.json", text))
        );
    }
    let checkpoint = common::llama2c().remove(0).1;
    for (name, word, value) in [
        ("later version", 0, 0x616b_3432),
        ("negative width", 0, -8),
        ("heads", 3, 3),
        ("KV heads", 4, 3),
        ("layers", 2, 1000),
        ("vocabulary", 5, i32::MIN),
        ("context", 6, 17),
        ("untied", 5, -300),
    ] {
        let mut bytes = checkpoint.clone();
        bytes[4 * word..4 * word + 4].copy_from_slice(&i32::to_le_bytes(value));
        let _ = writeln!(
            all,
            "{name}: {}\n",
            error(&with(common::llama2c(), "model.bin", bytes))
        );
    }
    let _ = writeln!(
        all,
        "header cut: {}\n",
        error(&with(common::llama2c(), "model.bin", [8, 0, 0]))
    );
    let _ = writeln!(
        all,
        "no tokenizer: {}\n",
        error(&with(common::llama2c(), "tokenizer.bin", [8, 0, 0]))
    );
    insta::assert_snapshot!(all);
}

#[test]
fn prompts() {
    let folder = tempfile::tempdir().unwrap();
    common::write(folder.path(), &common::whole());
    let model = Model::open(folder.path()).unwrap();
    assert_eq!(model.encode("abac").unwrap(), [10, 2]);
    assert_eq!(model.tokenizer.decode(&[10, 2]).unwrap(), "abac");
    let mut all = String::new();
    let long = "a".repeat(lpu_model::tokenizer::TEXT_BYTES + 1);
    for prompt in ["", &long] {
        let error = model.encode(prompt).unwrap_err();
        let _ = writeln!(all, "{error}\n  fix: {}\n", error.help().unwrap());
    }
    std::fs::write(
        folder.path().join("tokenizer.json"),
        common::TOKENIZER.replace("\"aba\": 10", "\"aba\": 11"),
    )
    .unwrap();
    let model = Model::open(folder.path()).unwrap();
    let _ = writeln!(all, "{}", model.encode("aba").unwrap_err());
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    let model = Model::open(folder.path()).unwrap();
    assert_eq!(model.encode("5 6").unwrap(), [0, 5, 6]);
    for prompt in ["5 x", "5 11"] {
        let _ = writeln!(all, "{}", model.encode(prompt).unwrap_err());
    }
    insta::assert_snapshot!(all);
}
