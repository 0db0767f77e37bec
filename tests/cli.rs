//! What users read: the help of each command and the errors for bad input.
//!
//! `TRYCMD=overwrite cargo test --test cli` and `INSTA_UPDATE=always` write what is said now; the difference is for review.

mod common;

use common::{Ended, bare, lpu, names, npy, run, small};
use std::fs;
use std::path::Path;

#[test]
fn help_and_text_input() {
    let cases = trycmd::TestCases::new();
    cases
        .env("PATH", "")
        .env("LC_ALL", "C")
        .env("COLUMNS", "100");
    cases.case("tests/cmd/*.trycmd");
}

/// A product with the files of a folder as operands, on the golden model.
fn product(folder: &Path, a: &str, b: &str) -> Ended {
    let arguments = ["run", "matmul", "--engine", "model", "--a", a, "--b", b];
    run(&mut bare(folder, &arguments))
}

#[test]
fn arrays_that_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let good = npy("|i1", &[4, 6], &[1; 24]);
    fs::write(path("good.npy"), &good).unwrap();
    fs::write(path("tall.npy"), npy("|i1", &[6, 2], &[3; 12])).unwrap();
    fs::write(path("float.npy"), npy("<f4", &[6, 2], &[0; 48])).unwrap();
    fs::write(path("unsigned.npy"), npy("|u1", &[6, 2], &[0; 12])).unwrap();
    fs::write(path("cube.npy"), npy("|i1", &[2, 3, 2], &[0; 12])).unwrap();
    fs::write(path("empty.npy"), npy("|i1", &[6, 0], &[])).unwrap();
    fs::write(path("cut.npy"), &good[..good.len() - 1]).unwrap();
    fs::write(path("header.npy"), &good[..40]).unwrap();
    fs::write(path("huge.npy"), npy("|i1", &[1 << 40, 6], &[0; 24])).unwrap();
    fs::write(path("text.npy"), "1 2 3\n").unwrap();
    let before = names(folder.path());
    assert_eq!(product(folder.path(), "good.npy", "tall.npy").code, Some(0));
    for (name, a, b) in [
        ("wrong_dtype", "good.npy", "float.npy"),
        ("unsigned", "good.npy", "unsigned.npy"),
        ("wrong_rank", "good.npy", "cube.npy"),
        ("empty", "good.npy", "empty.npy"),
        ("inner_dimensions", "good.npy", "good.npy"),
        ("truncated_data", "cut.npy", "tall.npy"),
        ("truncated_header", "header.npy", "tall.npy"),
        ("promises_too_much", "huge.npy", "tall.npy"),
        ("no_array", "text.npy", "tall.npy"),
        ("missing_file", "good.npy", "missing.npy"),
    ] {
        let ended = product(folder.path(), a, b);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{name}");
        insta::assert_snapshot!(name, ended.shown());
    }
    assert_eq!(names(folder.path()), before, "nothing is written");
}

#[test]
fn the_product_is_numpy_s() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.npy"), npy("|i1", &[2, 2], &[1, 2, 3, 0x80])).unwrap();
    fs::write(path("b.npy"), npy("|i1", &[2, 1], &[5, 7])).unwrap();
    let arguments = [
        "run", "matmul", "--engine", "model", "--a", "a.npy", "--b", "b.npy", "--out", "c.npy",
    ];
    let ended = run(&mut bare(folder.path(), &arguments));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let product: Vec<u8> = [5 + 14, 15 - 128 * 7].map(i32::to_le_bytes).concat();
    let written = fs::read(path("c.npy")).unwrap();
    assert!(written.ends_with(&product));
    let header = String::from_utf8_lossy(&written);
    assert!(
        header.contains("'<i4'") && header.contains("(2, 1, )"),
        "{header}"
    );
    assert_eq!(names(folder.path()), ["a.npy", "b.npy", "c.npy"]);
}

/// Runs a product in a format on the golden model.
fn product_in(folder: &Path, format: &str, a: &str, b: &str) -> Ended {
    let config = format!("nano+{format}");
    let arguments = [
        "run", "matmul", "--engine", "model", "--config", &config, "--format", format, "--a", a,
        "--b", b, "--out", "c.npy", "--json",
    ];
    run(&mut bare(folder, &arguments))
}

fn floats(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    npy("<f4", shape, &bytes)
}

/// The little-endian words at the end of a file.
fn last_words(path: &Path, count: usize) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    let words = bytes[bytes.len() - 4 * count..].chunks(4);
    words
        .map(|word| f32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

#[test]
fn products_in_formats_are_quantised_and_in_real_units() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(
        path("a.npy"),
        floats(&[2, 3], &[6e6, -3e6, 1.5e6, 0.0, 4e6, -0.0]),
    )
    .unwrap();
    fs::write(path("b.npy"), floats(&[3, 1], &[2.0, 1.0, -4.0])).unwrap();
    fs::write(
        path("codes.npy"),
        npy("|u1", &[2, 3], &[0x38, 0x40, 0, 0x7f, 0, 0]),
    )
    .unwrap();
    let ended = product_in(folder.path(), "e4m3", "a.npy", "b.npy");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (&report["format"], &report["macs"]),
        (&"e4m3".into(), &6.into())
    );
    assert_eq!(
        (&report["mismatches"], &report["max_abs_error"]),
        (&0.into(), &0.0.into())
    );
    // In units of 2^14, A is 366.2, -183.1, 91.6 and 244.1: 352, -176, 88 and 240 in E4M3. B is exact in units of 2^-6.
    let expected = [2.0 * 352.0 - 176.0 - 4.0 * 88.0, 240.0].map(|x: f32| x * 16384.0);
    assert_eq!(last_words(&path("c.npy"), 2), expected);

    let ended = product_in(folder.path(), "e4m3", "codes.npy", "b.npy");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let words = last_words(&path("c.npy"), 2);
    assert!(
        words[0] == 1.0 * 2.0 + 2.0 * 1.0 && words[1].is_nan(),
        "{words:?}"
    );

    let ended = product_in(folder.path(), "nvfp4", "b.npy", "row.npy");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    fs::write(path("row.npy"), floats(&[1, 2], &[0.5, -3.0])).unwrap();
    let ended = product_in(folder.path(), "nvfp4", "b.npy", "row.npy");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Blocks of one: the scale is E4M3 of the number / 6, the element 6.
    let words = last_words(&path("c.npy"), 6);
    let expected = [1.0f32, -6.0, 0.5, -3.0, -2.0, 12.0];
    for (word, expected) in words.iter().zip(expected) {
        assert!(
            (word - expected).abs() <= 0.13 * expected.abs(),
            "{words:?}"
        );
    }
}

#[test]
fn arrays_that_are_refused_in_formats() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("good.npy"), floats(&[1, 1], &[1.0])).unwrap();
    fs::write(path("codes.npy"), npy("|u1", &[1, 1], &[1])).unwrap();
    fs::write(path("signed.npy"), npy("|i1", &[1, 1], &[1])).unwrap();
    fs::write(path("nan.npy"), floats(&[1, 2], &[1.0, f32::NAN])).unwrap();
    fs::write(path("cut.npy"), npy("<f4", &[1, 2], &[0; 7])).unwrap();
    for (name, format, b) in [
        ("codes_of_nvfp4", "nvfp4", "codes.npy"),
        ("int8_as_e4m3", "e4m3", "signed.npy"),
        ("not_finite", "e4m3", "nan.npy"),
        ("truncated_float", "nvfp4", "cut.npy"),
    ] {
        let ended = product_in(folder.path(), format, "good.npy", b);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{name}");
        insta::assert_snapshot!(name, ended.shown());
    }
}

#[test]
fn outputs_are_checked_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder.vcd")).unwrap();
    for (name, option, file) in [
        ("output_is_a_folder", "--out", "folder.vcd"),
        ("output_without_folder", "--out", "missing/c.npy"),
        ("waves_are_a_folder", "--trace", "folder.vcd"),
        ("waves_without_folder", "--trace", "missing/waves.fst"),
    ] {
        // Without tools: a run that gets as far as looking for them says so instead.
        let ended = run(&mut bare(folder.path(), &small(&[option, file])));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{name}");
        insta::assert_snapshot!(name, ended.shown());
    }
    assert_eq!(names(folder.path()), ["folder.vcd"]);
}

#[test]
fn missing_tools_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(&mut bare(folder.path(), &small(&[])));
    insta::assert_snapshot!(
        "no_verilator_and_no_python",
        ended
            .err
            .replace(&folder.path().display().to_string(), "[folder]")
    );
    assert_eq!(ended.code, Some(2));
    let ended = run(lpu(folder.path(), &small(&[]))
        .env("PATH", "")
        .env_remove("CXX"));
    insta::assert_snapshot!("no_compiler", ended.shown());
    let ended = run(lpu(folder.path(), &small(&[])).env("LPU_VERILATOR", "/nowhere/verilator"));
    insta::assert_snapshot!("verilator_named_wrongly", ended.shown());
}

#[test]
fn the_doctor_knows_whether_a_run_can_work() {
    let folder = tempfile::tempdir().unwrap();
    let well = run(&mut lpu(folder.path(), &["doctor", "--json"]));
    assert_eq!(well.code, Some(0), "{well:?}");
    let report = well.json();
    assert_eq!(report["ready"], true);
    let tool = |name: &str| {
        let mut tools = report["tools"].as_array().unwrap().iter();
        tools.find(|tool| tool["name"] == name).unwrap().clone()
    };
    assert_eq!(tool("verilator")["reason"], "LPU_VERILATOR names it");
    assert_eq!(tool("c++")["reason"], "CXX names it");
    assert_eq!(report["cache"]["path"], common::cache().to_str().unwrap());

    let bare_doctor = || bare(folder.path(), &["doctor"]);
    let ill = run(&mut bare_doctor());
    assert_eq!(ill.code, Some(1));
    let text = ill
        .out
        .replace(&folder.path().display().to_string(), "[folder]");
    insta::assert_snapshot!("doctor_without_tools", text);
    // A compiler that answers and does not compile is no compiler.
    let liar = common::script(
        folder.path(),
        "liar",
        "#!/bin/sh\ncase \"$*\" in *-c*) exit 1;; esac\n",
    );
    let ill = run(lpu(folder.path(), &["doctor", "--json"]).env("CXX", liar));
    assert_eq!(
        (ill.code, &ill.json()["tools"][1]["state"]),
        (Some(1), &"unusable".into())
    );
    // A Verilator that is too old is passed over, and said so.
    let old = "#!/bin/sh\necho Verilator 4.038 2020-07-11\n";
    common::script(&folder.path().join("old/bin"), "verilator", old);
    let include = folder.path().join("old/share/verilator/include");
    fs::create_dir_all(&include).unwrap();
    fs::write(include.join("verilated.h"), "").unwrap();
    let path = folder.path().join("old/bin");
    let ill = run(bare(folder.path(), &["doctor", "--json"]).env("PATH", path));
    let (code, report) = (ill.code, ill.json());
    assert_eq!(
        (code, &report["tools"][0]["state"]),
        (Some(1), &"missing".into())
    );
    let reason = report["tools"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("Verilator 4.038 2020-07-11 is older than 5.0"),
        "{reason}"
    );
    // The cache cannot be made below a file.
    fs::write(folder.path().join("file"), "").unwrap();
    let below = folder.path().join("file/cache");
    let ill = run(lpu(folder.path(), &["doctor", "--json"]).env("LPU_CACHE_DIR", below));
    assert_eq!(
        (ill.code, &ill.json()["cache"]["writable"]),
        (Some(1), &false.into())
    );
}

#[test]
fn programs_go_round() {
    let folder = tempfile::tempdir().unwrap();
    let text = ".queue mem0.read\nread e2, 0x0004 repeat 2, 3, 1\nend\n.queue mxm0.accumulate\nnop 7\nacc.init.emit w4, 0x0001\nend\n";
    fs::write(folder.path().join("program.lpu"), text).unwrap();
    let go = |arguments: &[&str]| {
        let ended = run(&mut bare(folder.path(), arguments));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    };
    let words = go(&["asm", "program.lpu"]);
    assert_eq!(go(&["asm", "program.lpu", "-o", "words"]), "");
    assert_eq!(
        fs::read_to_string(folder.path().join("words")).unwrap(),
        words
    );
    let back = go(&["disasm", "words"]);
    fs::write(folder.path().join("back.lpu"), &back).unwrap();
    assert_eq!(go(&["asm", "back.lpu"]), words);
    for line in text.lines() {
        assert!(back.contains(line), "`{line}` is missing in\n{back}");
    }
    assert_eq!(names(folder.path()), ["back.lpu", "program.lpu", "words"]);
}

#[test]
fn gen_writes_a_folder_and_keeps_what_is_not_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let go = |arguments: &[&str]| run(&mut bare(folder.path(), arguments));
    let report = go(&["gen", "--out", "rtl", "--json"]).json();
    let rtl = folder.path().join("rtl");
    let mut files: Vec<_> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file.as_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(names(&rtl), files);
    let list = fs::read_to_string(rtl.join("files.f")).unwrap();
    let listed: Vec<_> = list
        .lines()
        .filter(|line| !line.starts_with("//"))
        .collect();
    assert_eq!(listed.len() as u64, report["modules"].as_u64().unwrap());
    assert_eq!(listed.last(), Some(&"lpu_tile.v"));
    let bytes: usize = listed
        .iter()
        .map(|file| fs::read(rtl.join(file)).unwrap().len())
        .sum();
    assert_eq!(bytes as u64, report["bytes"].as_u64().unwrap());
    // Again, with another configuration: files that are no longer needed go.
    fs::write(
        rtl.join("lpu_old.v"),
        "// Generated by lpu 0.0.1, configuration x; do not edit.\n",
    )
    .unwrap();
    assert_eq!(
        go(&["gen", "--config", "edge", "--out", "rtl"]).code,
        Some(0)
    );
    assert!(!rtl.join("lpu_old.v").exists());
    // A file of someone else.
    fs::write(rtl.join("mine.v"), "module mine; endmodule\n").unwrap();
    let before = fs::read(rtl.join("lpu_tile.v")).unwrap();
    let refused = go(&["gen", "--out", "rtl"]);
    insta::assert_snapshot!("gen_into_a_foreign_folder", refused.shown());
    assert_eq!(fs::read(rtl.join("lpu_tile.v")).unwrap(), before);
    assert_eq!(go(&["gen", "--out", "rtl", "--force"]).code, Some(0));
    assert_eq!(
        fs::read_to_string(rtl.join("mine.v")).unwrap(),
        "module mine; endmodule\n"
    );
    files.push("mine.v".into());
    files.sort();
    assert_eq!(names(&rtl), files);
    assert_ne!(fs::read(rtl.join("lpu_tile.v")).unwrap(), before);
    assert_eq!(names(folder.path()), ["rtl"]);
}

#[test]
fn the_widest_preset_is_generated_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["gen", "--config", "wide", "--json"];
    let report = run(&mut bare(folder.path(), &arguments)).json();
    // Well under a second by itself; the bound leaves room for a loaded machine and a build without optimisation.
    assert!(report["seconds"].as_f64().unwrap() < 10.0, "{report}");
}

#[test]
fn every_shell_gets_completions() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run(&mut bare(folder.path(), &["completions", shell]));
        assert_eq!(ended.code, Some(0));
        for word in ["matmul", "trace-from", "doctor", "disasm"] {
            assert!(ended.out.contains(word), "{shell}: no `{word}`");
        }
    }
}

#[test]
fn the_reference_names_every_field() {
    let folder = tempfile::tempdir().unwrap();
    let page = fs::read_to_string("docs/cli.md").unwrap();
    for arguments in [
        small(&["--engine", "model", "--json"]),
        vec![
            "generate",
            "--engine",
            "model",
            "--json",
            "--max-tokens",
            "0",
        ],
        vec!["gen", "--json"],
        vec!["doctor", "--json"],
        vec!["config", "show", "--json"],
    ] {
        let ended = run(&mut bare(folder.path(), &arguments));
        let report: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
        let lists = report["tools"][0].as_object().into_iter();
        let objects = lists
            .chain(report["cache"].as_object())
            .chain(report.as_object());
        for field in objects.flat_map(|object| object.keys()) {
            let field = field.as_str();
            let named = ["`", ".", "[]."]
                .iter()
                .any(|before| page.contains(&format!("{before}{field}`")));
            assert!(
                named || field == "tools" || field == "cache",
                "`{field}` of {arguments:?} is not described"
            );
        }
    }
}
