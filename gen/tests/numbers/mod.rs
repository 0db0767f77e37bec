//! Numbers that are hard for floating-point hardware, and blocks of it under Verilator.

#![allow(dead_code, reason = "each test binary uses some of it")]

use crate::cosim::Random;
use lpu_gen::{EmitOptions, emit};
use lpu_sim::{Builder, Design, Model, Verilator, default_cache_dir};
use rust_hdl::prelude::*;
use std::path::PathBuf;

/// Numbers at the ends of ranges.
const LANDMARKS: [u32; 24] = [
    0x0000_0000, // 0
    0x0000_0001, // smallest subnormal
    0x0000_0002,
    0x0040_0000,
    0x007f_ffff, // largest subnormal
    0x0080_0000, // smallest normal
    0x0080_0001,
    0x00ff_ffff,
    0x0100_0000,
    0x3380_0000, // 2^-24
    0x3f00_0000, // 0.5
    0x3f7f_ffff,
    0x3f80_0000, // 1.0
    0x3f80_0001,
    0x3fff_ffff,
    0x4000_0000,
    0x4b80_0000, // 2^24
    0x7eff_ffff,
    0x7f00_0000,
    0x7f7f_ffff, // largest
    0x7f80_0000, // infinity
    0x7f80_0001, // signalling NaN
    0x7fc0_0000, // the NaN of operations
    0x7fff_ffff,
];

/// A fraction with few changes between zeros and ones, which is where ties are.
fn sparse(random: &mut Random) -> u32 {
    let mut bits = 0;
    for _ in 0..random.below(4) {
        bits ^= 0xffff_ffff_u32 >> random.below(32);
    }
    (bits & 0x7f_ffff) ^ (random.below(2) as u32)
}

/// A number of any kind, with a preference for the difficult ones.
pub fn number(random: &mut Random) -> u32 {
    let sign = (random.below(2) as u32) << 31;
    let fraction = if random.once_in(2) {
        random.word() as u32 & 0x7f_ffff
    } else {
        sparse(random)
    };
    let exponent = match random.below(8) {
        0 => return random.word() as u32,
        1 => return sign | LANDMARKS[random.below(24) as usize],
        2 => 0,
        3 => random.below(30) as u32,
        4 => 254 - random.below(30) as u32,
        5 => random.below(255) as u32,
        _ => 112 + random.below(30) as u32,
    };
    sign | exponent << 23 | fraction
}

/// A number not far from `near`, of either sign: for cancellation, ties and overlaps of every distance.
pub fn neighbour(random: &mut Random, near: f32) -> u32 {
    let bits = near.to_bits() ^ (random.below(2) as u32) << 31;
    match random.below(3) {
        0 => bits.wrapping_add(random.below(9) as u32).wrapping_sub(4),
        1 => bits & 0xff80_0000 ^ sparse(random),
        _ => {
            let exponent = (bits >> 23 & 0xff) + random.below(110) as u32;
            let exponent = exponent.saturating_sub(55).min(254);
            bits & 0x8000_0000 | exponent << 23 | sparse(random)
        }
    }
}

/// The block under Verilator, with all stages enabled.
pub fn verilated(mut block: impl Block, change: impl Fn(String) -> String) -> Model {
    block.connect_all();
    let text = emit(&block, &EmitOptions::new("lpu_dut"))
        .unwrap()
        .single_file();
    let design = Design::new("lpu_dut").source("lpu_dut.v", change(text));
    let design = design.waive(lpu_gen_waivers(&block));
    let models = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("float-models");
    let builder = Builder::new(Verilator::find(&default_cache_dir()).unwrap(), models);
    let mut model = builder.build(&design).unwrap().instantiate().unwrap();
    let enables: Vec<_> = model.ports().iter().map(|port| port.name.clone()).collect();
    for name in enables.iter().filter(|name| name.starts_with("in_enable")) {
        let port = model.port(name).unwrap();
        model.set(port, 1);
    }
    model
}

fn lpu_gen_waivers(block: &impl Block) -> String {
    emit(block, &EmitOptions::new("lpu_dut"))
        .unwrap()
        .lint_waivers()
}

/// How many cases a test plays: `LPU_CASES`, else `default`.
pub fn cases(default: usize) -> usize {
    let given = std::env::var("LPU_CASES").ok();
    given.map_or(default, |text| text.parse().expect("LPU_CASES is a number"))
}

/// Plays cases of `N` inputs, one a cycle, and returns the first differences between the outputs `latency` cycles later
/// and what `expected` says of the inputs; `None` where any output is right.
pub fn differences<const N: usize, const M: usize>(
    model: &mut Model,
    latency: usize,
    (inputs, outputs): ([&str; N], [&str; M]),
    cases: usize,
    mut case: impl FnMut() -> [u64; N],
    expected: impl Fn([u64; N]) -> [u64; M],
) -> Vec<String> {
    const BLOCK: usize = 1 << 14;
    let input_ports = inputs.map(|name| model.port(name).unwrap());
    let output_ports = outputs.map(|name| model.port(name).unwrap());
    let mut found = vec![];
    let (mut rows, mut record) = (vec![], vec![]);
    for start in (0..cases).step_by(BLOCK) {
        let count = BLOCK.min(cases - start);
        rows.clear();
        record.clear();
        rows.extend((0..count).flat_map(|_| case()));
        let played = rows.len();
        rows.extend_from_within(..N * (latency - 1).min(count));
        rows.resize(played + N * (latency - 1), 0);
        model.play(&input_ports, &rows, &output_ports, &mut record);
        let answers = record[M * (latency - 1)..].chunks_exact(M);
        for (row, answer) in rows[..played].chunks_exact(N).zip(answers) {
            let right = expected(row.try_into().unwrap());
            if answer != right {
                found.push(format!("{row:08x?} gives {answer:08x?}, not {right:08x?}"));
            }
        }
        if found.len() > 20 {
            break;
        }
    }
    found
}
