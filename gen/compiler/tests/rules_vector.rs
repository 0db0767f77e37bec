//! The rules of the schedule checker for vector unit and switch unit: good programs pass, and what breaks them is named.

use lpu_compiler::check::check;
use lpu_isa::asm::assemble;
use lpu_isa::config::{SxmConfig, VxmConfig};
use lpu_isa::{Config, Instruction};

fn complete() -> Config {
    let mut config = Config::preset("nano").unwrap();
    let (alus, registers) = (2, 64);
    config.vxm = Some(VxmConfig { alus, registers });
    config.sxm = Some(SxmConfig { maps: 4 });
    config
}

/// What the checker says of a program text; the END of each queue is added.
fn verdict(text: &str) -> String {
    let config = complete();
    let mut program = assemble(&config, "test", text).unwrap();
    (0..config.num_queues()).for_each(|id| program.push(id, Instruction::End));
    match check(&config, &program) {
        Ok(prediction) => format!(
            "{} cycles, {} unused",
            prediction.busy_cycles, prediction.unused_values
        ),
        Err(violations) => violations.to_string(),
    }
}

/// A READ of mem3 whose value the vector unit sees in cycle 20 on e0, and a pass over it.
const PASS: &str = "
.descriptor 2
    a int8
    out int8 w1
.queue mem3.read
    nop 17
    read e0, 0
.queue vxm
    nop 20
    vec e0, e0, d2, r0
";

#[test]
fn a_pass_is_proved() {
    // Its result is visible in 56 and END issues in 21; mem3 sees w1 from the vector unit's cell in 56.
    assert_eq!(verdict(PASS), "57 cycles, 1 unused");
    let write = format!("{PASS}.queue mem3.write\n nop 56\n write w1, 5\n");
    assert_eq!(verdict(&write), "93 cycles, 0 unused");
}

#[test]
fn operands_of_a_pass_are_looked_up_plane_by_plane() {
    let words = PASS.replace("a int8", "a fp32");
    assert!(
        verdict(&words).contains("cycle 20, vxm, stream e1: vxm[1]"),
        "{}",
        verdict(&words)
    );
    let late = PASS.replace("    out", "    b int8 1\n    out");
    assert!(
        verdict(&late).contains("cycle 36, vxm, stream e0: vxm[1]"),
        "{}",
        verdict(&late)
    );
    let there = format!("{}.queue mem2.read\n nop 32\n read e0, 0\n", late);
    // END of mem2.read issues in 33.
    assert_eq!(verdict(&there), "69 cycles, 1 unused");
}

#[test]
fn names_of_a_pass_exist() {
    let found = verdict(&PASS.replace("d2, r0", "d3, r64"));
    assert!(
        found.contains("register row 64, and there are 64"),
        "{found}"
    );
    assert!(found.contains("the program has no descriptor 3"), "{found}");
}

#[test]
fn results_of_a_pass_collide_like_all_others() {
    let text = format!("{}.queue sxm\n nop 50\n tstore w1, 0\n", PASS);
    // The switch unit shows w1 in 55, which flows into the cell that the pass shows in 56.
    let found = verdict(&text);
    assert!(
        found.starts_with("cycle 55, vxm, stream w1: vxm[1]"),
        "{found}"
    );
}

/// A value on e0 that the switch unit sees in cycle 20.
const VALUE: &str = ".queue mem3.read\n nop 16\n read e0, 0\n.queue sxm\n nop 20\n";

#[test]
fn the_switch_unit_has_one_result_in_a_cycle() {
    let found = verdict(&format!(
        "{VALUE} lanes.rotate e0, w0, 1\n nop 2\n tstore w1, 0\n"
    ));
    assert!(
        found.starts_with("cycle 27, sxm: the results of sxm[1] lanes.rotate"),
        "{found}"
    );
    let apart = verdict(&format!(
        "{VALUE} lanes.rotate e0, w0, 1\n nop 3\n tstore w1, 0\n"
    ));
    assert!(apart.ends_with("cycles, 2 unused"), "{apart}");
}

#[test]
fn names_of_the_switch_unit_exist() {
    for (instruction, complaint) in [
        ("lanes.6 e0, w0, 1", "LANES has no mode 6"),
        (
            "lanes.permute e0, w0, 1",
            "the program has no permutation table 1",
        ),
        (
            "lanes.permute e0, w0, 4",
            "permutation table 4, and there are 4",
        ),
        ("tload e0, 16", "transposer row 16, and there are 16"),
        ("reduce.3 e0, w0", "REDUCE has no reduction 3"),
        ("lanes.up.word e0, w0, 1", "cycle 20, sxm, stream e1"),
        ("reduce.max e0, w0", "cycle 20, sxm, stream e1"),
        ("tload e8, 0", "there are 8 streams in each direction"),
    ] {
        let found = verdict(&format!("{VALUE} {instruction}\n"));
        assert!(found.contains(complaint), "{instruction}: {found}");
    }
    let table = ".map 1 0, 1, 2, 3, 4, 5, 6, 7\n";
    let good = verdict(&format!("{table}{VALUE} lanes.permute e0, w0, 1\n"));
    assert!(good.ends_with("1 unused"), "{good}");
}
