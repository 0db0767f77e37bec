//! What people read when a tool is missing.

use std::path::Path;

use lpu_sim::{SimError, Verilator};

fn shown(error: &SimError) -> String {
    let handler =
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none()).with_width(100);
    let mut text = String::new();
    handler.render_report(&mut text, error).unwrap();
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_missing_compiler() {
    let tried = ["c++", "g++", "clang++"].map(String::from).to_vec();
    insta::assert_snapshot!(shown(&SimError::CompilerMissing { tried }));
}

#[test]
fn a_verilator_that_is_not_there() {
    let path = Path::new("/nowhere/verilator");
    let reason = Verilator::at(path).unwrap_err();
    insta::assert_snapshot!(shown(&SimError::VerilatorPath {
        path: path.into(),
        reason
    }));
}

#[test]
fn a_verilator_that_cannot_be_installed() {
    let reason = "python3: No such file or directory (os error 2)".to_string();
    insta::assert_snapshot!(shown(&SimError::VerilatorInstall { reason }));
}
