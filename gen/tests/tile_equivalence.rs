//! A whole tile, our Verilog against rust-hdl's own: both run the same matrix product side by side, every output compared in every cycle.

mod tools;

use lpu_compiler::matmul;
use lpu_gen::{EmitOptions, emit};
use lpu_hdl::build_tile;
use lpu_isa::memory_map as map;
use lpu_isa::{Config, Instruction};
use rust_hdl::core::module_defines::ModuleDefines;
use rust_hdl::prelude::*;
use std::fmt::Write;

const SHAPE: (usize, usize, usize) = (9, 8, 10);
const RESET: usize = 40;

/// The least tile that takes a matrix product.
fn small() -> Config {
    let mut config = Config::preset("nano").expect("a preset");
    (config.streams, config.mem.slices, config.mem.depth) = (8, 4, 64);
    (config.mxm.weight_streams, config.mxm.accumulator_depth) = (1, 16);
    (config.mxm.operand_depth, config.icu.queue_depth) = (2, 32);
    config.validate().expect("a legal configuration");
    config
}

/// rust-hdl's own Verilog. It writes an element of an array inside an element of an array as `outer$0$inner[1]` where it
/// declares `outer$0$inner$1`; that is put right here, and nothing else.
fn rust_hdl_verilog(tile: &dyn Block) -> String {
    let mut modules = ModuleDefines::default();
    tile.accept("top", &mut modules);
    let put_right = |line: &str| match line
        .split_once("$d[")
        .map(|(head, tail)| (head, tail.split_once("] = ")))
    {
        Some((head, Some((index, value)))) => format!("{head}$d${index} = {value}"),
        _ => line.to_owned(),
    };
    modules
        .defines()
        .lines()
        .map(put_right)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Host requests, one a cycle: write, address, data; `None` is an idle cycle.
fn requests(config: &Config) -> Vec<Option<(bool, u32, u64)>> {
    let (m, k, n) = SHAPE;
    let product = matmul::compile(config, m, k, n).expect("the product fits");
    let number = |i: usize| (i * 37 + i * i * 11) as i8;
    let a: Vec<i8> = (0..m * k).map(number).collect();
    let b: Vec<i8> = (0..k * n).map(|i| number(i + 5)).collect();
    let image = product.images(&a, &b).expect("the shapes agree");
    let mut program = product.program.clone();
    // A queue without a program still has to end.
    for queue in 0..program.num_queues() {
        if program.queue(queue).is_empty() {
            program.push(queue, Instruction::End);
        }
    }
    let mut words = vec![];
    for (slice, bytes) in image.iter().enumerate() {
        for (address, vector) in bytes.chunks(config.lanes).enumerate() {
            words.extend(map::vector_words(config, slice, address, vector));
        }
    }
    words.extend(map::program_words(config, &program));
    words.push((map::CONTROL, map::CONTROL_LAUNCH));
    let mut requests: Vec<_> = words
        .into_iter()
        .map(|(address, data)| Some((true, address, data)))
        .collect();
    requests.resize(
        requests.len() + product.schedule.busy_cycles as usize + 8,
        None,
    );
    let registers = [map::STATUS, map::CYCLE]
        .into_iter()
        .chain((0..config.num_queues() as u32).map(|q| map::FAULT + q));
    requests.extend(registers.map(|address| Some((false, address, 0))));
    for slice in 0..config.mem.slices {
        let vectors = (0..config.mem.depth).map(|address| map::sram(config, slice, address, 0));
        requests.extend(vectors.map(|address| Some((false, address, 0))));
    }
    requests.resize(requests.len() + 8, None);
    requests
}

/// Outputs of the tile and their widths.
const OUTPUTS: [(&str, usize); 5] = [
    ("out_host_valid", 1),
    ("out_host_error", 1),
    ("out_host_data", 64),
    ("out_busy", 1),
    ("out_fault", 1),
];

/// Plays the requests to both tiles and prints what differs and what the product's cycles were.
fn testbench(requests: &[Option<(bool, u32, u64)>]) -> (String, String) {
    let row = |request: &Option<(bool, u32, u64)>| match *request {
        Some((write, address, data)) => {
            format!("{}{address:08x}{data:016x}", if write { 3 } else { 1 })
        }
        None => format!("{:025x}", 0),
    };
    let stimulus: Vec<String> = requests.iter().map(row).collect();
    let rows = stimulus.len();
    let mut text = format!(
        "`timescale 1ns/1ps\nmodule testbench;\n  reg [99:0] rows [0:{}]; reg [99:0] row = 0;\n  reg clock = 0, reset = 1;\n  \
         integer cycle, wrong = 0, answers = 0, busy = 0, errors = 0;\n",
        rows - 1
    );
    for (name, width) in OUTPUTS {
        let _ = writeln!(text, "  wire [{}:0] our_{name}, their_{name};", width - 1);
    }
    let outputs = |side: &str| OUTPUTS.map(|(name, _)| format!("{side}_{name}")).join(", ");
    let inputs = "clock, reset, row[96], row[97], row[95:64], row[63:0]";
    let _ = writeln!(text, "  lpu_tile ours({inputs}, {});", outputs("our"));
    let _ = writeln!(text, "  top theirs({inputs}, {});", outputs("their"));
    let _ = write!(
        text,
        "  initial begin\n    $readmemh(\"stimulus.hex\", rows);\n    for (cycle = 0; cycle < {RESET} + {rows}; cycle = cycle + 1) begin\n      \
         reset = cycle < {RESET}; row = cycle < {RESET} ? 0 : rows[cycle - {RESET}];\n      #5\n"
    );
    for (name, _) in OUTPUTS {
        let _ = writeln!(
            text,
            "      if (cycle >= {RESET} && our_{name} !== their_{name}) begin wrong = wrong + 1; \
             $display(\"cycle %0d: {name} is %h, rust-hdl has %h\", cycle, our_{name}, their_{name}); end"
        );
    }
    text += "      if (our_out_host_valid === 1) begin answers = answers + 1; errors = errors + our_out_host_error; end\n      \
             if (our_out_busy === 1) busy = busy + 1;\n      if (^our_out_host_data === 1'bx && our_out_host_valid === 1) wrong = wrong + 1;\n      \
             clock = 1; #5 clock = 0;\n    end\n    \
             $display(\"%0d wrong, %0d answers, %0d errors, %0d busy\", wrong, answers, errors, busy);\n    $finish;\n  end\nendmodule\n";
    (text, stimulus.join("\n"))
}

/// What the comparison prints, our Verilog changed by `change`, and what its last line has to be.
fn compare(change: impl Fn(String) -> String) -> (String, String) {
    let config = small();
    let tile = build_tile(&config);
    let ours = emit(&*tile, &EmitOptions::new("lpu_tile"))
        .expect("the tile is emitted")
        .single_file();
    let requests = requests(&config);
    let (bench, stimulus) = testbench(&requests);
    let output = tools::simulate(&[
        ("ours.v", &change(ours)),
        ("theirs.v", &rust_hdl_verilog(&*tile)),
        ("bench.v", &bench),
        ("stimulus.hex", &stimulus),
    ]);
    let (m, k, n) = SHAPE;
    let busy = matmul::compile(&config, m, k, n)
        .expect("the product fits")
        .schedule
        .busy_cycles;
    let answers = requests.iter().flatten().count();
    (
        output,
        format!("0 wrong, {answers} answers, 0 errors, {busy} busy"),
    )
}

#[test]
fn a_matrix_product_is_the_same_in_every_cycle() {
    let (output, expected) = compare(|text| text);
    assert_eq!(output.trim(), expected);
}

#[test]
fn a_difference_is_found() {
    let (output, expected) = compare(|text| {
        let broken = text.replacen(
            "$signed(in_x_3) * $signed(in_weight_3)",
            "$signed(in_x_3) * $signed(in_x_3)",
            1,
        );
        assert_ne!(text, broken);
        broken
    });
    assert!(
        output.contains("out_host_data is") && !output.contains(&expected),
        "{output}"
    );
}
