//! What small blocks look like in Verilog.

mod toys;

use lpu_gen::{EmitOptions, emit};
use lpu_hdl::prim::{Fifo, SramBank};
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

#[test]
fn fifo() {
    let emitted = emit(
        &connected(Fifo::<8>::new(16)),
        &EmitOptions::new("lpu_fifo"),
    )
    .unwrap();
    insta::assert_snapshot!(emitted.single_file());
}

#[test]
fn sram_bank() {
    let emitted = emit(
        &connected(SramBank::<32>::new(1024)),
        &EmitOptions::new("lpu_sram_bank"),
    )
    .unwrap();
    insta::assert_snapshot!(emitted.single_file());
}

#[test]
fn sram_bank_without_collisions() {
    let bank = SramBank::<32>::new(1024).without_collisions();
    let text = emit(&connected(bank), &EmitOptions::new("lpu_sram_bank"))
        .unwrap()
        .single_file();
    assert!(
        text.contains("(* ram_style = \"block\", no_rw_check *)"),
        "{text}"
    );
}
