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
