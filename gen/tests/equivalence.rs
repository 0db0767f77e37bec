//! Our Verilog against rust-hdl's own: both simulated side by side, every output compared in every cycle.

mod tools;
mod toys;

use lpu_gen::{EmitOptions, emit};
use lpu_hdl::prim::{Fifo, SramBank};
use rust_hdl::prelude::*;
use std::fmt::Write;
use toys::*;

const CYCLES: usize = 400;

/// A port as the header of a module has it: whether it is an input, its width, its name.
fn ports(verilog: &str, module: &str) -> Vec<(bool, usize, String)> {
    let header = verilog
        .split(&format!("module {module} ("))
        .nth(1)
        .and_then(|rest| rest.split(");").next());
    let lines = header
        .expect("the module is there")
        .lines()
        .filter(|line| !line.trim().is_empty());
    let port = |line: &str| {
        let line = line
            .split("//")
            .next()
            .unwrap_or_default()
            .trim()
            .trim_end_matches(',');
        let width = match (line.find('['), line.find(':')) {
            (Some(open), Some(colon)) => {
                line[open + 1..colon].parse::<usize>().expect("a width") + 1
            }
            _ => 1,
        };
        let name = line.split_whitespace().last().expect("a name");
        (line.starts_with("input"), width, name.to_owned())
    };
    lines.map(port).collect()
}

/// A testbench that drives both modules with the same numbers and prints each difference after the reset.
fn testbench(ports: &[(bool, usize, String)], module: &str, seed: u32) -> String {
    let mut text = format!(
        "`timescale 1ns/1ps\nmodule testbench;\n  localparam RESET = 3;\n  integer seed = {seed}, cycle, wrong = 0, known = 0;\n"
    );
    let (mut ours, mut theirs) = (vec![], vec![]);
    let (mut stimulus, mut compare) = (String::new(), String::new());
    for (input, width, name) in ports {
        let range = format!("[{}:0]", width - 1);
        if *input {
            let _ = writeln!(text, "  reg {range} {name} = 0;");
            ours.push(format!(".{name}({name})"));
            theirs.push(name.clone());
            let words = vec!["$random(seed)"; width.div_ceil(32)].join(", ");
            let _ = match name.as_str() {
                "clock" => Ok(()),
                "reset" => writeln!(stimulus, "      reset = cycle < RESET || cycle == 200;"),
                _ => writeln!(stimulus, "      {name} = {{{words}}};"),
            };
        } else {
            let _ = writeln!(text, "  wire {range} our_{name}, their_{name};");
            ours.push(format!(".{name}(our_{name})"));
            theirs.push(format!("their_{name}"));
            let _ = writeln!(
                compare,
                "      if (cycle >= RESET && ^their_{name} !== 1'bx) begin\n        known = known + 1;\n        if (our_{name} !== their_{name}) begin\n          \
                 wrong = wrong + 1;\n          $display(\"cycle %0d: {name} is %h, rust-hdl has %h\", cycle, our_{name}, their_{name});\n        end\n      end",
            );
        }
    }
    let outputs = ports.iter().filter(|(input, ..)| !input).count();
    let _ = writeln!(
        text,
        "  {module} ours ({});\n  top theirs ({});",
        ours.join(", "),
        theirs.join(", ")
    );
    let edge = if ports.iter().any(|port| port.2 == "clock") {
        "      clock = 1; #5 clock = 0;"
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "  initial begin\n    for (cycle = 0; cycle < {CYCLES}; cycle = cycle + 1) begin\n{stimulus}      #5\n{compare}{edge}\n    end\n    \
         if (wrong == 0 && known * 10 >= {outputs} * {CYCLES} * 9) $display(\"EQUAL\");\n    else $display(\"%0d wrong, %0d of %0d known\", wrong, known, {outputs} * {CYCLES});\n    \
         $finish;\n  end\nendmodule"
    );
    text
}

/// What the comparison of a block's Verilog, ours changed by `change`, prints.
fn compare<B: Block>(block: B, change: impl Fn(String) -> String) -> String {
    let block = connected(block);
    assert!(
        check_all(&block).is_ok(),
        "rust-hdl finds nothing wrong either"
    );
    let ours = emit(&block, &EmitOptions::new("lpu_dut"))
        .unwrap()
        .single_file();
    let theirs = generate_verilog_unchecked(&block);
    let seed = 1;
    let bench = testbench(&ports(&ours, "lpu_dut"), "lpu_dut", seed);
    format!(
        "seed {seed}\n{}",
        tools::simulate(&[
            ("ours.v", &change(ours)),
            ("theirs.v", &theirs),
            ("bench.v", &bench)
        ])
    )
}

fn equal<B: Block>(block: B) {
    let output = compare(block, |text| text);
    assert!(output.contains("EQUAL"), "{output}");
}

#[test]
fn lanes() {
    equal(Lanes::<4, 32>::default());
}

#[test]
fn controller() {
    equal(Controller::default());
}

#[test]
fn bus_pipe() {
    equal(BusPipe::default());
}

#[test]
fn fifo() {
    equal(Fifo::<9>::new(4));
}

#[test]
fn sram_bank() {
    equal(SramBank::<40>::new(16));
}

#[test]
fn a_difference_is_found() {
    let output = compare(Controller::default(), |text| {
        text.replace("count + 4'd1", "count + 4'd2")
    });
    assert!(
        output.contains("wrong") && output.contains("rust-hdl has"),
        "{output}"
    );
}
