//! The blocks of FP32 arithmetic: clean under lint; their Verilog, under Verilator, against the floating-point unit of the
//! host and against golden functions; and the same in Verilog as in rust-hdl's simulator.
//!
//! `LPU_CASES=100000000 cargo test --release -p lpu-gen --test float -- --test-threads 1` plays that many cases in each test.

mod cosim;
mod numbers;
mod tools;

use cosim::{Random, clean, equal};
use lpu_hdl::float::{ConvertIn, ConvertOut, FpAlu, FpNode, Sfu};
use lpu_verif::numeric::{e2m1, e4m3, fp32, functions};
use numbers::{cases, differences, neighbour, number, verilated};
use rust_hdl::prelude::*;

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

/// P, the other operands, where Y and Z come from, operation, and the three modifiers.
const ALU_INPUTS: [&str; 11] = [
    "in_p",
    "in_y",
    "in_z",
    "in_b",
    "in_r",
    "in_y_source",
    "in_z_source",
    "in_operation",
    "in_absolute",
    "in_negate",
    "in_negate_z",
];

fn alu(inputs: [u64; 11]) -> [u64; 1] {
    let [
        p,
        y,
        z,
        b,
        r,
        from_y,
        from_z,
        operation,
        absolute,
        negate,
        negate_z,
    ] = inputs.map(|input| input as u32);
    let y = [y, b, r, p][from_y as usize];
    let z = [z, b, r, p][from_z as usize];
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
        // Y and Z come in by any port; the ports not taken hold something else.
        let (from_y, from_z) = (m >> 3 & 3, m >> 5 & 3);
        let [mut own_y, mut own_z, mut b, mut r] = [0; 4].map(|_| u64::from(number(&mut random)));
        *[&mut own_y, &mut b, &mut r, &mut 0][from_y as usize] = y;
        *[&mut own_z, &mut b, &mut r, &mut 0][from_z as usize] = z;
        let [absolute, negate, negate_z] = [m & 1, m >> 1 & 1, m >> 2 & 1];
        [
            p, own_y, own_z, b, r, from_y, from_z, operation, absolute, negate, negate_z,
        ]
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

/// Every exponent with the ends of every segment of the tables and their neighbours, both signs; then anything.
fn argument(random: &mut Random, case: usize) -> u32 {
    const NEIGHBOURS: usize = 3;
    if case >= 512 * 256 * NEIGHBOURS {
        return number(random);
    }
    let (exponent, rest) = (case / (256 * NEIGHBOURS), case % (256 * NEIGHBOURS));
    let boundary = (exponent << 23 | (rest / NEIGHBOURS) << 15) as u32;
    boundary
        .wrapping_add((rest % NEIGHBOURS) as u32)
        .wrapping_sub(1)
}

fn golden_function([x, function]: [u64; 2]) -> [u64; 1] {
    let x = x as u32;
    let result = match function {
        0 => x,
        1 => functions::exp2(x),
        2 => functions::rcp(x),
        _ => functions::rsqrt(x),
    };
    [result.into()]
}

#[test]
fn functions_are_those_of_the_golden_model() {
    for function in 0..4 {
        let (mut random, mut count) = (Random(SEED), 0);
        let mut model = verilated(Sfu::default(), |text| text);
        let case = || {
            count += 1;
            [argument(&mut random, count - 1).into(), function]
        };
        let ports = (["in_x", "in_function"], ["out_result"]);
        let expected = golden_function;
        let found = differences(
            &mut model,
            Sfu::LATENCY,
            ports,
            cases(CASES),
            case,
            expected,
        );
        assert!(found.is_empty(), "function {function}: {found:#?}");
    }
}

/// What format 0 gives.
const REGISTER: u32 = 0x1234_5678;

fn golden_in([word, format]: [u64; 2]) -> [u64; 1] {
    let word = word as u32;
    let result = match format {
        0 => REGISTER,
        1 => word,
        2 => fp32::from_i32(word as i32),
        3 => fp32::from_i32((word as i8).into()),
        4 => e4m3::to_fp32(word as u8),
        _ => 0,
    };
    [result.into()]
}

#[test]
fn conversions_into_fp32_are_exact() {
    let (mut random, mut count) = (Random(SEED), 0);
    let mut model = verilated(ConvertIn::default(), |text| text);
    let register = model.port("in_register").unwrap();
    model.set(register, REGISTER.into());
    let case = || {
        // All bytes in each format, then integers of every length.
        count += 1;
        if count <= 8 * 256 {
            return [count & 255, count >> 8 & 7];
        }
        let word = random.word() as u32 >> random.below(32);
        let word =
            (word ^ 0u32.wrapping_sub(random.below(2) as u32)).wrapping_add(random.below(2) as u32);
        [word.into(), random.below(8)]
    };
    let ports = (["in_word", "in_format"], ["out_result"]);
    let found = differences(
        &mut model,
        ConvertIn::LATENCY,
        ports,
        cases(CASES),
        case,
        golden_in,
    );
    assert!(found.is_empty(), "{found:#?}");
}

fn golden_out([value, format]: [u64; 2]) -> [u64; 1] {
    let value = value as u32;
    let result = match format {
        1 => value,
        2 => fp32::to_i32(value) as u32,
        3 => u32::from(fp32::to_i8(value) as u8),
        4 => e4m3::from_fp32(value).into(),
        5 => {
            let whole = fp32::to_i32(value).clamp(-32640, 32639);
            let low = whole as i8;
            let high = (whole - i32::from(low)) / 256;
            assert_eq!(256 * high + i32::from(low), whole);
            u32::from(low as u8) | u32::from(high as u8) << 8
        }
        6 => e2m1::from_fp32(value).into(),
        _ => 0,
    };
    [result.into()]
}

/// Numbers near the steps of a format: its numbers, the middles between them and their neighbours.
fn near_a_step(random: &mut Random, format: u64) -> u32 {
    let limit = [300.0, 1.0, 4.4e9, 300.0, 600.0, 40000.0, 9.0, 1.0][format as usize];
    let unit: f32 = match format {
        4 => 2f32.powi(random.below(19) as i32 - 11),
        6 => 0.25,
        _ => 0.5,
    };
    let step = (random.below(1 << 24) as f32 / (1 << 24) as f32 * limit / unit).floor() * unit;
    let bits = step
        .to_bits()
        .wrapping_add(random.below(3) as u32)
        .wrapping_sub(1);
    bits ^ (random.below(2) as u32) << 31
}

#[test]
fn conversions_out_of_fp32_are_exact() {
    let mut random = Random(SEED);
    let mut model = verilated(ConvertOut::default(), |text| text);
    let case = || {
        let format = random.below(8);
        let value = match random.once_in(2) {
            true => near_a_step(&mut random, format),
            false => number(&mut random),
        };
        [value.into(), format]
    };
    let ports = (["in_value", "in_format"], ["out_word"]);
    let found = differences(
        &mut model,
        ConvertOut::LATENCY,
        ports,
        cases(CASES),
        case,
        golden_out,
    );
    assert!(found.is_empty(), "{found:#?}");
}

/// The sum by the host, or the larger of two with its lane.
fn node([a, b, a_lane, b_lane, maximum]: [u64; 5]) -> [u64; 2] {
    let (x, y) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
    let rank = |x: f32| match x.is_nan() {
        true => i64::MAX,
        false if x.is_sign_negative() => -1 - i64::from(x.abs().to_bits()),
        false => i64::from(x.to_bits()),
    };
    let larger = [
        (rank(x), u64::MAX - a_lane, x),
        (rank(y), u64::MAX - b_lane, y),
    ];
    let (_, lane, value) = if (larger[0].0, larger[0].1) > (larger[1].0, larger[1].1) {
        larger[0]
    } else {
        larger[1]
    };
    let value = if maximum == 1 { value } else { x + y };
    [bits(value).into(), u64::MAX - lane]
}

#[test]
fn nodes_of_trees_are_exact() {
    let mut random = Random(SEED);
    let mut model = verilated(FpNode::default(), |text| text);
    let case = || {
        let a = number(&mut random);
        let b = match random.once_in(3) {
            true => number(&mut random),
            false => neighbour(&mut random, f32::from_bits(a)),
        };
        [
            a.into(),
            b.into(),
            random.below(64),
            random.below(64),
            random.below(2),
        ]
    };
    let inputs = ["in_a", "in_b", "in_a_lane", "in_b_lane", "in_maximum"];
    let ports = (inputs, ["out_value", "out_lane"]);
    let found = differences(&mut model, FpNode::LATENCY, ports, cases(CASES), case, node);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_wrong_datapath_is_found() {
    let found = alus(20_000, true, |text| {
        assert!(text.contains("sticky_7 |"));
        text.replace("sticky_7 |", "")
    });
    assert!(!found.is_empty());
}

clocked!(no_reset FpAlu, Sfu, ConvertIn, ConvertOut, FpNode);

/// Sets the enables of a pipeline, now and then not all of them.
fn enable(random: &mut Random, enables: &mut [Signal<In, Bit>], now: usize) {
    for enable in enables {
        enable.next = now < 20 || !random.once_in(8);
    }
}

#[test]
fn verilog_and_rust_are_equal() {
    const CYCLES: usize = 600;
    let mut random = Random(SEED);
    let word = |random: &mut Random| Bits::from(u64::from(number(random)));
    equal(FpAlu::default(), CYCLES, |now, block| {
        enable(&mut random, &mut block.in_enable, now);
        let [p, y, z] = operands(&mut random);
        block.in_p.next = Bits::from(p);
        block.in_y.next = Bits::from(y);
        block.in_z.next = Bits::from(z);
        block.in_b.next = word(&mut random);
        block.in_r.next = word(&mut random);
        block.in_y_source.next = random.bits();
        block.in_z_source.next = random.bits();
        block.in_operation.next = random.bits();
        block.in_absolute.next = random.once_in(2);
        block.in_negate.next = random.once_in(2);
        block.in_negate_z.next = random.once_in(2);
    });
    equal(Sfu::default(), CYCLES, |now, block| {
        enable(&mut random, &mut block.in_enable, now);
        block.in_x.next = word(&mut random);
        block.in_function.next = random.bits();
    });
    equal(ConvertIn::default(), CYCLES, |now, block| {
        enable(&mut random, &mut block.in_enable, now);
        block.in_word.next = word(&mut random);
        block.in_register.next = word(&mut random);
        block.in_format.next = random.bits();
    });
    equal(ConvertOut::default(), CYCLES, |now, block| {
        enable(&mut random, &mut block.in_enable, now);
        block.in_value.next = word(&mut random);
        block.in_format.next = random.bits();
    });
    equal(FpNode::default(), CYCLES, |now, block| {
        enable(&mut random, &mut block.in_enable, now);
        block.in_a.next = word(&mut random);
        block.in_b.next = word(&mut random);
        block.in_a_lane.next = random.bits();
        block.in_b_lane.next = random.bits();
        block.in_maximum.next = random.once_in(2);
    });
}

#[test]
fn all_are_clean() {
    clean(FpAlu::default());
    clean(Sfu::default());
    clean(ConvertIn::default());
    clean(ConvertOut::default());
    clean(FpNode::default());
}
