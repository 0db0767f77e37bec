//! `lpu generate` as a user meets it.

mod common;
#[path = "decode/model.rs"]
mod model;

use common::{Ended, bare, run};
use serde_json::Value;
use std::path::Path;

/// Tokens, and what they are summed up to.
fn lines(ended: &Ended) -> (Vec<Value>, Value) {
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let lines = ended.out.lines().map(serde_json::from_str::<Value>);
    let mut lines: Vec<Value> = lines.collect::<Result<_, _>>().unwrap();
    let sum = lines.pop().unwrap();
    assert_eq!(lines.len() as u64, sum["tokens"].as_u64().unwrap());
    (lines, sum)
}

fn generate(folder: &Path, arguments: &[&str]) -> Ended {
    let mut all = vec!["generate", "--model", "model.bin"];
    all.extend(arguments);
    run(&mut bare(folder, &all))
}

/// A folder with a small model.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    model::write(&folder.path().join("model.bin"));
    folder
}

#[test]
fn tokens_come_as_lines_and_are_summed_up() {
    let folder = folder();
    let arguments = ["--prompt", "Hello", "--max-tokens", "6", "--json"];
    let golden = generate(
        folder.path(),
        &[&arguments[..], &["--engine", "golden"]].concat(),
    );
    let (tokens, sum) = lines(&golden);
    assert_eq!(tokens.len(), 6);
    let text: String = tokens
        .iter()
        .map(|line| line["text"].as_str().unwrap())
        .collect();
    assert!(sum["text"].as_str().unwrap().starts_with(&text));
    assert_eq!(sum["engine"], "golden");
    assert_eq!(sum["mismatches"], 0);
    assert_eq!(sum["cycles_measured"], Value::Null);
    for line in &tokens {
        assert_eq!(line["logits"].as_str().unwrap().len(), 16);
    }
    let again = generate(
        folder.path(),
        &[&arguments[..], &["--engine", "golden"]].concat(),
    );
    assert_eq!(lines(&again).0, tokens);

    // In f32 the logits are others.
    let reference = generate(
        folder.path(),
        &[&arguments[..], &["--engine", "reference"]].concat(),
    );
    let (others, sum) = lines(&reference);
    assert_eq!(sum["engine"], "reference");
    let rounded = generate(
        folder.path(),
        &[&arguments[..], &["--format", "int8"]].concat(),
    );
    assert_eq!(lines(&rounded).1["scheme"]["layers"], "int8");
    assert_ne!(others[0]["logits"], tokens[0]["logits"]);
}

#[test]
fn text_goes_out_as_it_comes_and_the_report_beside() {
    let folder = folder();
    let ended = generate(folder.path(), &["--prompt", "Hi", "--max-tokens", "3"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.out.ends_with('\n'));
    assert!(
        ended
            .err
            .contains("3 tokens (as many as asked for) after 3 of the prompt"),
        "{ended:?}"
    );
}

/// A cache that was written goes on where it ended: the same logits as in one go, from int8 and from f32.
#[test]
fn caches_are_handed_over() {
    let folder = folder();
    let path = folder.path();
    for engine in ["golden", "reference"] {
        let own = ["--engine", engine, "--json", "--max-tokens"];
        let whole = generate(path, &[&own[..], &["4", "--prompt", "abXyz"]].concat());
        // X is the last token of the prompt, and has not gone in.
        let first = [
            &own[..],
            &["0", "--prompt", "abX", "--kv-out", "kv.safetensors"],
        ]
        .concat();
        assert_eq!(lines(&generate(path, &first)).0.len(), 0);
        let second = [
            &own[..],
            &["4", "--prompt", "Xyz", "--kv-in", "kv.safetensors"],
        ]
        .concat();
        let (tokens, sum) = lines(&generate(path, &second));
        assert_eq!(tokens, lines(&whole).0, "{engine}");
        assert_eq!(sum["prompt_tokens"], 3);
    }
    // The last file is of the reference: a prefill in f32, whose keys and values are rounded.
    let arguments = [
        "--prompt",
        "Xyz",
        "--kv-in",
        "kv.safetensors",
        "--max-tokens",
        "4",
        "--json",
    ];
    let (tokens, _) = lines(&generate(path, &arguments));
    assert_eq!(tokens.len(), 4);
}

#[test]
fn bad_input_is_refused() {
    let folder = folder();
    let path = folder.path();
    std::fs::write(path.join("no.safetensors"), [3; 20]).unwrap();
    let cases: [&[&str]; 5] = [
        &["--prompt", "a", "--format", "int8", "--engine", "golden"],
        &["--prompt", "a", "--int8-attention", "--engine", "golden"],
        &["--prompt", "a", "--kv-in", "no.safetensors"],
        &["--prompt", "a", "--config", "none.toml"],
        &["--prompt", "a", "--kv-out", "no/folder/kv.safetensors"],
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|case| format!("$ {}\n{}", case.join(" "), generate(path, case).shown()))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}
