//! The blocks of instruction control are clean under `verilator -Wall` but for the documented waivers.

mod tools;

use lpu_gen::{EmitOptions, FILE_LIST, LINT_WAIVERS, emit};
use lpu_hdl::icu::InstructionQueue;
use lpu_isa::{Config, QueueKind};
use rust_hdl::prelude::*;
use std::process::Command;

/// Emits a block and lints it.
fn clean(mut block: impl Block) {
    block.connect_all();
    let emitted = emit(&block, &EmitOptions::new("lpu_dut")).unwrap();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let rtl = directory.path().join("rtl");
    emitted.write_to(&rtl).expect("the design is written");
    let mut command = Command::new(tools::verilator());
    command.args(["--lint-only", "-Wall", "--quiet", "--top-module", "lpu_dut"]);
    command.args([LINT_WAIVERS, "-f", FILE_LIST]);
    let (ok, text) = tools::try_run(&mut command, &rtl);
    assert!(ok && !text.contains("Warning"), "{text}");
}

#[test]
fn a_queue_of_every_kind_is_clean() {
    use QueueKind::*;
    for kind in [MemRead, MemWrite, MxmWeights, MxmCompute, MxmAccumulate] {
        let mut config = Config::preset("nano").unwrap();
        for depth in [16, 4096] {
            config.icu.queue_depth = depth;
            clean(InstructionQueue::new(&config, kind));
        }
    }
}
