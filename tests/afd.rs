//! `lpu generate --afd`: attention on the host, feed-forward networks on the machine.

#[path = "afd/mixtral.rs"]
mod mixtral;

mod common;

use common::{Ended, bare, run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Logits of each token, and what they are summed up to.
fn tokens(ended: &Ended) -> (Vec<Value>, Value) {
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let lines = ended.out.lines().map(serde_json::from_str::<Value>);
    let mut lines: Vec<Value> = lines.collect::<Result<_, _>>().unwrap();
    let sum = lines.pop().unwrap();
    let logits = lines.iter().map(|line| line["logits"].clone());
    (logits.collect(), sum)
}

/// The model in the program adds, with its networks on RTL: the logits of the golden networks, in the predicted cycles.
#[test]
fn networks_on_rtl() {
    let folder = tempfile::tempdir().unwrap();
    let sum = |engine: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lpu"));
        let command = command.current_dir(folder.path());
        let arguments = ["generate", "--afd", "--json", "--engine", engine];
        tokens(&run(command.args(arguments)))
    };
    let (golden, report) = sum("golden");
    let text = report["text"].as_str().unwrap();
    assert!(text.ends_with(";058598744"), "{report}");
    assert_eq!(report["engine"], "afd-golden");
    assert_eq!(report["cycles_measured"], Value::Null);
    for engine in ["rtl", "model"] {
        let (logits, report) = sum(engine);
        assert_eq!(logits, golden, "{engine}");
        assert_eq!(report["engine"], format!("afd-{engine}"));
        assert_eq!(report["mismatches"], 0);
        assert_eq!(report["cycles_measured"], report["cycles_predicted"]);
        assert!(report["cycles_measured"].as_u64().unwrap() > 0);
    }
}

fn experts(folder: &Path, arguments: &[&str]) -> Ended {
    let mut all = vec!["generate", "--model", ".", "--prompt", "3 14 15 9 26"];
    all.extend(arguments);
    run(&mut bare(folder, &all))
}

/// Experts that the host's router chooses are launches of one program.
#[test]
fn experts_on_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    mixtral::write(folder.path());
    let sum = |arguments: &[&str]| {
        let own = ["--max-tokens", "8", "--json", "--engine"];
        tokens(&experts(folder.path(), &[&own[..], arguments].concat()))
    };
    let (golden, _) = sum(&["golden", "--afd"]);
    let (logits, report) = sum(&["model", "--afd"]);
    assert_eq!(logits, golden);
    assert_eq!(report["mismatches"], 0);
    // Two layers and two experts for each of twelve tokens.
    let launches = report["cycles_measured"].as_u64().unwrap();
    assert_eq!(launches % (12 * 2 * 2), 0);
    let (exact, _) = sum(&["reference"]);
    assert_ne!(exact, golden);
}

#[test]
fn what_cannot_be_split_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    mixtral::write(folder.path());
    let cases: [&[&str]; 3] = [
        &["--engine", "model"],
        &["--engine", "reference", "--afd"],
        &["--engine", "model", "--afd", "--config", "small.toml"],
    ];
    let small = lpu_isa::Config::preset("nano").unwrap().to_toml();
    std::fs::write(folder.path().join("small.toml"), small).unwrap();
    let shown: Vec<String> = cases
        .iter()
        .map(|case| {
            let ended = experts(folder.path(), case);
            format!("$ {}\n{}", case.join(" "), ended.shown())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}
