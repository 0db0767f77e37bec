//! The tile of configurations away from the presets is emitted and clean under `verilator -Wall` but for the documented
//! waivers. The presets are linted by `scripts/lint`, with more tools.

mod tools;

use lpu_gen::{EmitOptions, FILE_LIST, LINT_WAIVERS, emit};
use lpu_hdl::build_tile;
use lpu_isa::Config;
use lpu_isa::config::C2cConfig;
use std::path::Path;
use std::process::Command;

/// What Verilator says about the design in `directory`.
fn lint(directory: &Path) -> (bool, String) {
    let mut command = Command::new(tools::verilator());
    command.args([
        "--lint-only",
        "-Wall",
        "--quiet",
        "--top-module",
        "lpu_tile",
    ]);
    command.args([LINT_WAIVERS, "-f", FILE_LIST]);
    tools::try_run(&mut command, directory)
}

fn clean(config: &Config) {
    let tile = build_tile(config);
    let emitted = emit(&*tile, &EmitOptions::new("lpu_tile"))
        .unwrap_or_else(|error| panic!("{error}\n{}", config.to_toml()));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let rtl = directory.path().join("rtl");
    emitted.write_to(&rtl).expect("the design is written");
    let (ok, text) = lint(&rtl);
    assert!(
        ok && !text.contains("Warning"),
        "{text}\n{}",
        config.to_toml()
    );
}

fn preset(name: &str) -> Config {
    Config::preset(name).expect("a preset")
}

/// Variations of nano: one field each at an end of its range, and several at once.
#[test]
fn off_default_configurations_are_clean() {
    type Vary = fn(&mut Config);
    let variations: [(&str, Vary); 18] = [
        ("two planes", |c| c.mxm.planes = 2),
        ("four planes", |c| c.mxm.planes = 4),
        ("one slice", |c| c.mem.slices = 1),
        ("no indirect addresses", |c| c.mem.indirect = false),
        ("two slices", |c| c.mem.slices = 2),
        ("many slices", |c| c.mem.slices = 32),
        ("four streams", |c| c.streams = 4),
        ("sixteen streams", |c| c.streams = 16),
        ("twelve streams", |c| c.streams = 12),
        ("many streams", |c| c.streams = 32),
        ("one weight stream", |c| c.mxm.weight_streams = 1),
        ("a link", |c| c.c2c = Some(C2cConfig { links: 1 })),
        ("seven links", |c| c.c2c = Some(C2cConfig { links: 7 })),
        ("shallow", |c| c.mem.depth = 16),
        ("deep", |c| c.mem.depth = 65536),
        ("least", |c| {
            (c.streams, c.mem.slices, c.mem.depth, c.icu.queue_depth) = (4, 1, 16, 16);
            (
                c.mxm.weight_streams,
                c.mxm.accumulator_depth,
                c.mxm.operand_depth,
            ) = (1, 2, 2);
        }),
        ("deepest", |c| {
            (c.mxm.accumulator_depth, c.mxm.operand_depth) = (4096, 4096);
            c.icu.queue_depth = 4096;
        }),
        ("sixteen lanes, two planes", |c| {
            (c.lanes, c.streams) = (16, 16);
            (c.mxm.planes, c.mxm.weight_streams) = (2, 16);
        }),
    ];
    for (name, vary) in variations {
        let mut config = preset("nano");
        vary(&mut config);
        config.validate().unwrap_or_else(|e| panic!("{name}: {e}"));
        println!("{name}");
        clean(&config);
    }
}

/// Formats with fewer weight streams than blocks, and with as many lanes as there can be.
#[test]
fn configurations_with_formats_are_clean() {
    let mut config = preset("edge+nvfp4");
    (config.mxm.weight_streams, config.mxm.planes) = (1, 2);
    (config.vxm, config.sxm) = (None, None);
    (config.mem.slices, config.mem.depth) = (2, 16);
    clean(&config);
    let mut config = preset("wide+e4m3+nvfp4");
    (config.mem.slices, config.mem.depth) = (1, 16);
    clean(&config);
}

#[test]
fn lint_does_not_pass_a_broken_tile() {
    let mut config = preset("nano");
    (config.mem.slices, config.mem.depth) = (1, 16);
    let emitted = emit(&*build_tile(&config), &EmitOptions::new("lpu_tile")).expect("a tile");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let rtl = directory.path().join("rtl");
    emitted.write_to(&rtl).expect("the design is written");
    let file = rtl.join("lpu_tile.v");
    let text = std::fs::read_to_string(&file).expect("the tile");
    let broken = text.replacen("output", "output wire unconnected, output", 1);
    assert_ne!(text, broken);
    std::fs::write(&file, broken).expect("the tile is written");
    let (ok, text) = lint(&rtl);
    assert!(!ok && text.contains("unconnected"), "{text}");
}
