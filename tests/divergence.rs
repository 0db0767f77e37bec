//! RTL that differs from the golden model: what the report says, and what the waves show.
//!
//! The Verilog is spoilt on purpose: one adder of the accumulators subtracts.

mod common;

use common::{lpu, names, run, script, small, verilator};
use lpu::data::Matrix;
use lpu::data::{Array, Elements};
use lpu::run::Job;
use lpu::workload::Matmul;
use lpu_gen::Emitted;
use lpu_isa::Config;
use lpu_sim::{Builder, Verilator};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const MODULE: &str = "lpu_accumulator_adder";
/// The lane whose adder subtracts.
const LANE: u64 = 3;
/// Names the folder that [`child`] works in.
const FOLDER: &str = "LPU_TEST_DIVERGENCE";

/// The adder of [`LANE`] subtracts.
fn spoil(emitted: &mut Emitted) {
    let module = emitted
        .modules
        .iter_mut()
        .find(|module| module.name == MODULE);
    let module = module.expect("the design has accumulators");
    let (good, bad) = (format!("+ in_dot_{LANE};"), format!("- in_dot_{LANE};"));
    assert_eq!(module.text.matches(&good).count(), 1, "{}", module.text);
    module.text = module.text.replace(&good, &bad);
}

/// A process of its own, because the quick compiler is chosen by a variable: runs a product on a spoilt design by the library.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let config = Config::preset("nano").unwrap();
    let mut emitted = lpu::design::emit(&config).unwrap();
    spoil(&mut emitted);
    let builder = Builder::new(Verilator::at(&verilator()).unwrap(), common::cache()).trace(true);
    let compiled = lpu::rtl::build_emitted(&config, &emitted, &builder).unwrap();
    let product = Matmul::new(
        &config,
        Matrix::seeded(8, 8, 1, 0),
        Matrix::seeded(8, 8, 1, 1),
    );
    let job = Job::new(&config, product.unwrap());
    let mut finished = job.run_rtl(&compiled, None, |_| ()).unwrap();
    let integers = |array: Option<Array>| match array.expect("the tile comes to its end").elements {
        Elements::Int32(elements) => elements,
        _ => panic!("a product is int32"),
    };
    let product = integers(finished.result);
    let exact = integers(job.run_model(|_| ()).unwrap().result);
    for (i, (wrong, right)) in product.iter().zip(&exact).enumerate() {
        let expected = if i as u64 % 8 == LANE { -right } else { *right };
        assert_eq!(*wrong, expected, "element {i}");
    }
    let report = finished.report.divergence.as_mut().expect("a difference");
    let path = Path::new(&folder).join("waves.fst");
    job.record_divergence(&compiled, report, &path, |_| ())
        .unwrap();
    println!("\n{}", serde_json::to_string(&finished.report).unwrap());
}

/// Checks the report of a product whose [`LANE`] is wrong, and its waves in `folder`.
fn check(report: &Value, folder: &Path, file: &str) {
    let wrong = report["mismatches"].as_u64().unwrap();
    assert!(
        (2..=9).contains(&wrong),
        "one column and the difference itself: {wrong}"
    );
    let divergence = &report["divergence"];
    for (field, value) in [
        ("kind", "stream drive"),
        ("difference", "value"),
        ("unit", "mxm0.accumulate"),
    ] {
        assert_eq!(divergence[field], value, "{divergence}");
    }
    assert_eq!(
        (&divergence["lane"], &divergence["slice"]),
        (&LANE.into(), &Value::Null)
    );
    let stream = divergence["stream"].as_str().unwrap();
    assert!(stream.starts_with('w'), "results flow west: {stream}");
    let field = &divergence["field"];
    assert_eq!(field["name"], format!("lane {LANE}"));
    let byte = |value: &Value| {
        let digits = value.as_str().unwrap().strip_prefix("0x").unwrap();
        u8::from_str_radix(digits, 16).unwrap()
    };
    assert_eq!(
        byte(&field["expected"]).wrapping_neg(),
        byte(&field["observed"])
    );
    let lane_of = |event: &str| {
        let data = divergence[event]["data"].as_str().unwrap();
        assert_eq!(data.len(), 16, "eight lanes");
        u8::from_str_radix(&data[2 * LANE as usize..][..2], 16).unwrap()
    };
    assert_eq!(lane_of("expected"), byte(&field["expected"]));
    assert_eq!(lane_of("observed"), byte(&field["observed"]));
    let instruction = &divergence["instruction"];
    assert_eq!(instruction["queue"], "mxm0.accumulate");
    assert!(
        instruction["text"].as_str().unwrap().starts_with("acc."),
        "{instruction}"
    );

    let waves = &divergence["waves"];
    assert!(waves["path"].as_str().unwrap().ends_with(file), "{waves}");
    assert_eq!(names(folder), [file]);
    let cycle = divergence["cycle"].as_u64().unwrap();
    let time = waves["launch_nanoseconds"].as_u64().unwrap() + 10 * cycle;
    let changes = common::waves(&folder.join(file));
    let signal = |name| common::value_at(&changes, &format!("lpu_tile.mxm_0.{name}"), time);
    assert_eq!(
        signal("out_result_enable"),
        "1",
        "the cycle named is the one in which the MXM drives"
    );
    let bits = signal("out_result_data_0");
    let data = u64::from_str_radix(bits, 2).unwrap();
    assert_eq!((data >> (8 * LANE)) as u8, lane_of("observed"));
}

#[test]
fn the_library_explains_a_spoilt_adder() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .env("CXX", common::quick_compiler());
    let ended = run(&mut command);
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let line = ended
        .out
        .lines()
        .find(|line| line.starts_with('{'))
        .unwrap();
    check(
        &serde_json::from_str(line).unwrap(),
        folder.path(),
        "waves.fst",
    );
}

/// A Verilator that reads spoilt Verilog: the way a fault of a tool reaches the user.
fn spoiling_verilator() -> std::path::PathBuf {
    let verilator = verilator();
    let root = run(Command::new(&verilator).args(["--getenv", "VERILATOR_ROOT"])).out;
    let near = verilator.parent().unwrap().join("..");
    let root = match near.join("include/verilated.h").is_file() {
        true => near.display().to_string(),
        false => root.trim().to_owned(),
    };
    let text = format!(
        "#!/bin/sh\n\
         export VERILATOR_ROOT=\"{root}\"\n\
         case \"$*\" in\n\
         *--version*) echo 'Verilator 5.0 that spoils lane {LANE}'; exit;;\n\
         *--getenv*) echo \"$VERILATOR_ROOT\"; exit;;\n\
         esac\n\
         for file in $(find . .. -name '{MODULE}.v'); do\n\
           sed -i 's/+ in_dot_{LANE};/- in_dot_{LANE};/' \"$file\"\n\
         done\n\
         exec \"{}\" \"$@\"\n",
        verilator.display()
    );
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spoiling");
    script(&folder, "verilator", &text)
}

#[test]
fn the_command_line_reports_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let go = |more: &[&str]| {
        run(lpu(folder.path(), &small(more)).env("LPU_VERILATOR", spoiling_verilator()))
    };
    let ended = go(&["--json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    let report = ended.json();
    check(&report, folder.path(), "lpu-divergence.fst");
    let divergence = &report["divergence"];
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let field = &divergence["field"];
    for part in [
        format!("cycle {}: stream drive differs", divergence["cycle"]),
        format!(
            "lane {LANE}: expected {}, observed {}",
            text(&field["expected"]),
            text(&field["observed"])
        ),
        format!("mxm0.accumulate drives {}", text(&divergence["stream"])),
        format!("`{}`", text(&divergence["instruction"]["text"])),
        format!(
            "waves: lpu-divergence.fst, cycles {} to {}",
            divergence["waves"]["first_cycle"], divergence["waves"]["last_cycle"]
        ),
    ] {
        assert!(
            ended.err.contains(&part),
            "`{part}` is missing in\n{}",
            ended.err
        );
    }
    let ended = go(&[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.out.contains("DIFFERENT from the golden model"),
        "{}",
        ended.out
    );

    // Waves that cannot be written cost nothing but the waves.
    std::fs::remove_file(folder.path().join("lpu-divergence.fst")).unwrap();
    std::fs::create_dir(folder.path().join("lpu-divergence.fst")).unwrap();
    let ended = go(&["--json"]);
    assert_eq!(
        (ended.code, &ended.json()["divergence"]["waves"]),
        (Some(1), &Value::Null)
    );
    assert!(
        ended.err.contains("no waves of the first difference"),
        "{}",
        ended.err
    );
}
