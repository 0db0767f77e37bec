//! The blocks of FP32 arithmetic: clean under lint, and their Verilog, under Verilator, against the floating-point unit of
//! the host.
//!
//! `LPU_CASES=100000000 cargo test --release --test float` plays that many cases in each test.

mod cosim;
mod numbers;
mod tools;

use cosim::{Random, clean};
use lpu_hdl::float::FpAlu;
use numbers::{cases, differences, neighbour, number, verilated};

const SEED: u64 = 1;
const NAN: u32 = 0x7fc0_0000;
const CASES: usize = 1_000_000;

/// The bits of a result; every NaN is the same.
fn bits(x: f32) -> u32 {
    if x.is_nan() { NAN } else { x.to_bits() }
}

/// IEEE 754-2019 maximum.
fn maximum(a: u32, b: u32) -> u32 {
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    match x.partial_cmp(&y) {
        None => NAN,
        Some(std::cmp::Ordering::Less) => b,
        Some(std::cmp::Ordering::Greater) => a,
        Some(std::cmp::Ordering::Equal) => a & b,
    }
}

/// P, Y, Z, operation, and the three modifiers.
const ALU_INPUTS: [&str; 7] = [
    "in_p",
    "in_y",
    "in_z",
    "in_operation",
    "in_absolute",
    "in_negate",
    "in_negate_z",
];

fn alu(inputs: [u64; 7]) -> [u64; 1] {
    let [p, y, z, operation, absolute, negate, negate_z] = inputs.map(|input| input as u32);
    let p = (p & !(absolute << 31)) ^ negate << 31;
    let z = z ^ negate_z << 31;
    let [fp, fy, fz] = [p, y, z].map(f32::from_bits);
    let truth = |holds: bool| f32::from(u8::from(holds)).to_bits();
    let opposite = 1 << 31;
    let result = match operation {
        0 => p,
        1 => bits(fp.mul_add(fy, fz)),
        2 => maximum(p, y),
        3 => match maximum(p ^ opposite, y ^ opposite) {
            NAN => NAN,
            other => other ^ opposite,
        },
        4 => truth(fp < fy),
        5 => truth(fp <= fy),
        6 => truth(fp == fy),
        _ if fp == 0.0 || fp.is_nan() => z,
        _ => y,
    };
    [result.into()]
}

/// Operands for a fused multiply-add or any other operation.
fn operands(random: &mut Random) -> [u64; 3] {
    let (p, mut y) = (number(random), number(random));
    if random.once_in(16) {
        y = p ^ (random.below(2) as u32) << 31;
    }
    let product = f32::from_bits(p) * f32::from_bits(y);
    let z = match random.below(4) {
        0 => number(random),
        1 if product.is_finite() => {
            // The exact rest of the product, or its neighbourhood.
            let rest = f32::from_bits(p).mul_add(f32::from_bits(y), -product);
            let near = if random.once_in(4) { rest } else { product };
            neighbour(random, near)
        }
        _ => neighbour(random, product),
    };
    [p, y, z].map(u64::from)
}

fn alus(cases: usize, fma_only: bool, change: impl Fn(String) -> String) -> Vec<String> {
    let mut random = Random(SEED);
    let mut model = verilated(FpAlu::default(), change);
    let case = || {
        let [p, y, z] = operands(&mut random);
        let operation = if fma_only { 1 } else { random.below(8) };
        let m = random.word();
        [p, y, z, operation, m & 1, m >> 1 & 1, m >> 2 & 1]
    };
    let ports = (ALU_INPUTS, ["out_result"]);
    differences(&mut model, FpAlu::LATENCY, ports, cases, case, alu)
}

#[test]
fn fused_multiply_adds_are_exact() {
    let found = alus(cases(CASES), true, |text| text);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn all_operations_are_exact() {
    let found = alus(cases(CASES), false, |text| text);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn all_are_clean() {
    clean(FpAlu::default());
}
