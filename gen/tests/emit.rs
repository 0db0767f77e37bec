//! What small blocks look like in Verilog.

mod toys;

use lpu_gen::{EmitOptions, emit};
use toys::*;

#[test]
fn lanes() {
    let emitted = emit(
        &connected(Lanes::<4, 32>::default()),
        &EmitOptions::new("lpu_lanes"),
    )
    .unwrap();
    insta::assert_snapshot!(emitted.single_file());
}

#[test]
fn controller() {
    let emitted = emit(
        &connected(Controller::default()),
        &EmitOptions::new("lpu_controller"),
    )
    .unwrap();
    insta::assert_snapshot!(emitted.single_file());
}

#[test]
fn words() {
    let emitted = emit(&connected(Words::default()), &EmitOptions::new("lpu_words")).unwrap();
    insta::assert_snapshot!(emitted.single_file());
}

#[test]
fn bus_pipe() {
    let emitted = emit(
        &connected(BusPipe::default()),
        &EmitOptions::new("lpu_bus_pipe"),
    )
    .unwrap();
    insta::assert_snapshot!(emitted.single_file());
}

#[test]
fn optional() {
    let emitted = emit(
        &connected(Optional::default()),
        &EmitOptions::new("lpu_optional"),
    )
    .unwrap();
    insta::assert_snapshot!(emitted.single_file());
}

#[test]
fn watched() {
    let emitted = emit(
        &connected(Watched::default()),
        &EmitOptions::new("lpu_watched"),
    )
    .unwrap();
    insta::assert_snapshot!(emitted.modules.last().unwrap().text);
}
