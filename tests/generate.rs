//! `lpu generate` as a user meets it.

mod common;
#[path = "decode/model.rs"]
mod model;

use common::{Ended, bare, run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

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
    let ended = generate(
        folder.path(),
        &["--prompt", "Hi", "--max-tokens", "3", "--engine", "golden"],
    );
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
        "--engine",
        "golden",
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
    let cases: [&[&str]; 6] = [
        &["--prompt", "a", "--format", "int8", "--engine", "golden"],
        &["--prompt", "a", "--int8-attention", "--engine", "golden"],
        &["--prompt", "a", "--kv-in", "no.safetensors"],
        &["--prompt", "a", "--config", "none.toml"],
        &["--prompt", "a", "--engine", "model", "--config", "wide"],
        &["--prompt", "a", "--kv-out", "no/folder/kv.safetensors"],
    ];
    let shown: Vec<String> = cases
        .iter()
        .map(|case| format!("$ {}\n{}", case.join(" "), generate(path, case).shown()))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// The program in a folder, with the tools and models of this machine.
fn own(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lpu"));
    command.current_dir(folder).args(arguments);
    command
}

/// The model in the program adds: all tokens of the answer on the golden machine and on RTL, the same logits, the predicted cycles.
#[test]
fn the_machine_adds() {
    let folder = tempfile::tempdir().unwrap();
    let sum = |arguments: &[&str]| {
        let mut all = vec!["generate", "--prompt", "27182818+31415926=", "--json"];
        all.extend(arguments);
        lines(&run(&mut own(folder.path(), &all)))
    };
    let (golden, _) = sum(&["--engine", "golden", "--config", "proto"]);
    let (tokens, report) = sum(&["--engine", "rtl"]);
    assert!(tokens.len() >= 64, "{report}");
    assert!(
        report["text"].as_str().unwrap().ends_with(";058598744"),
        "{report}"
    );
    assert_eq!(report["mismatches"], 0);
    assert_eq!(report["cycles_measured"], report["cycles_predicted"]);
    let of = |lines: &[Value]| -> Vec<Value> {
        lines.iter().map(|line| line["logits"].clone()).collect()
    };
    assert_eq!(of(&tokens), of(&golden));
    let (model, other) = sum(&["--engine", "model"]);
    assert_eq!(model, tokens);
    assert_eq!(other["cycles_measured"], report["cycles_measured"]);
    let few = ["--max-tokens", "2", "--check", "events"];
    let (_, compared) = sum(&few);
    assert!(compared["events_compared"].as_u64().unwrap() > 100_000);
}

/// Keys and values go from one machine to another, and on.
#[test]
fn caches_leave_and_enter_machines() {
    let folder = tempfile::tempdir().unwrap();
    let generate = |arguments: &[&str]| {
        let mut all = vec!["generate", "--json", "--engine"];
        all.extend(arguments);
        lines(&run(&mut own(folder.path(), &all)))
    };
    let prompt = ["--prompt", "12+34="];
    let whole = generate(&[&["model", "--max-tokens", "6"], &prompt[..]].concat()).0;
    let first = ["rtl", "--max-tokens", "3", "--kv-out", "kv.safetensors"];
    let before = generate(&[&first[..], &prompt[..]].concat()).0;
    assert_eq!(before[..], whole[..3]);
    // The last token has not gone in.
    let last = before[2]["text"].as_str().unwrap();
    let second = [
        "model",
        "--max-tokens",
        "3",
        "--kv-in",
        "kv.safetensors",
        "--prompt",
        last,
    ];
    assert_eq!(generate(&second).0[..], whole[3..]);
}

/// The layers of the model on two and four chips, a token on each: logits, caches and cycles are right, whatever joins them.
#[test]
fn a_pipeline_adds() {
    let folder = tempfile::tempdir().unwrap();
    let generate = |arguments: &[&str]| {
        let mut all = vec!["generate", "--prompt", "27182818+31415926=", "--json"];
        all.extend(["--config", "proto", "--engine"]);
        all.extend(arguments);
        lines(&run(&mut own(folder.path(), &all)))
    };
    let cache = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let of = |lines: &[Value], field: &str| -> Vec<Value> {
        lines.iter().map(|line| line[field].clone()).collect()
    };
    let right = |sum: &Value| {
        assert_eq!(sum["mismatches"], 0, "{sum}");
        assert_eq!(sum["cycles_measured"], sum["cycles_predicted"]);
    };
    let (golden, _) = generate(&["golden", "--kv-out", "golden.safetensors"]);
    for (lpus, topology) in [
        (2, "ring"),
        (2, "all-to-all"),
        (4, "ring"),
        (4, "all-to-all"),
    ] {
        let number = lpus.to_string();
        let pipeline = ["--placement", "pipeline", "--lpus", &number];
        let out = [
            "model",
            "--topology",
            topology,
            "--kv-out",
            "own.safetensors",
        ];
        let (tokens, sum) = generate(&[&out[..], &pipeline[..]].concat());
        assert_eq!(of(&tokens, "logits"), of(&golden, "logits"), "{lpus} LPUs");
        right(&sum);
        assert!(cache("own.safetensors") == cache("golden.safetensors"));
        // A generated token takes as many launches as there are LPUs, one of the prompt a launch.
        let launch = tokens[1]["cycles"].as_u64().unwrap() / lpus;
        let launches = sum["cycles_measured"].as_u64().unwrap() / launch;
        let before = sum["prompt_tokens"].as_u64().unwrap() - 1;
        assert_eq!(launches, before + lpus * tokens.len() as u64);
    }
}
