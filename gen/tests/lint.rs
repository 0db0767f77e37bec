//! Every toy and every cell is clean under `verilator -Wall` but for the documented waivers.

mod tools;
mod toys;

use lpu_gen::{EmitOptions, Emitted, FILE_LIST, LINT_WAIVERS, emit};
use lpu_hdl::prim::{Fifo, Multiplier, SramBank};
use rust_hdl::prelude::*;
use std::path::Path;
use std::process::Command;
use toys::*;

/// What Verilator says about the design in `directory`.
fn lint(directory: &Path, top: &str) -> (bool, String) {
    let mut command = Command::new(tools::verilator());
    command.args([
        "--lint-only",
        "-Wall",
        "--quiet",
        "--top-module",
        top,
        LINT_WAIVERS,
        "-f",
        FILE_LIST,
    ]);
    tools::try_run(&mut command, directory)
}

fn write(emitted: &Emitted) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    emitted
        .write_to(directory.path().join("rtl"))
        .expect("the design is written");
    directory
}

fn clean<B: Block>(block: B) {
    let emitted = emit(&connected(block), &EmitOptions::new("lpu_dut")).unwrap();
    let directory = write(&emitted);
    let (ok, text) = lint(&directory.path().join("rtl"), "lpu_dut");
    assert!(
        ok && !text.contains("Warning"),
        "{text}\n{}",
        emitted.single_file()
    );
}

#[test]
fn toys_are_clean() {
    clean(Lanes::<4, 32>::default());
    clean(Controller::default());
    clean(Words::default());
    clean(BusPipe::default());
    clean(Optional::default());
    clean(Watched::default());
}

#[test]
fn cells_are_clean() {
    clean(Fifo::<9>::new(2));
    clean(Fifo::<1>::new(64));
    clean(SramBank::<8>::new(2));
    clean(SramBank::<8>::new(24));
    clean(SramBank::<8>::new(65536));
    clean(Multiplier::<8, 8, 32>::default());
}

#[test]
fn the_waivers_do_not_hide_a_wrong_width() {
    let emitted = emit(&connected(Words::default()), &EmitOptions::new("lpu_dut")).unwrap();
    let directory = write(&emitted);
    let rtl = directory.path().join("rtl");
    let file = rtl.join("lpu_dut.v");
    let text = std::fs::read_to_string(&file)
        .unwrap()
        .replace("in_a[3:0] - in_b[3:0]", "in_a - in_b");
    std::fs::write(&file, text).unwrap();
    let (ok, text) = lint(&rtl, "lpu_dut");
    assert!(!ok && text.contains("WIDTH"), "{text}");
}

#[test]
#[should_panic(expected = "`no-such-tool` is not on the path: install it, or set LPU_NO_SUCH_TOOL")]
fn a_missing_tool_fails_and_names_the_fix() {
    tools::find("LPU_NO_SUCH_TOOL", "no-such-tool", "install it");
}
