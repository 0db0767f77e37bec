//! The formats of the MXM: every line of the contract's section, values and cycles computed by hand.
//!
//! On nano a READ of slice i in t is seen by the MXM in t + 6 - i. `mm_latency` is 8, 9 with E4M3, 10 with NVFP4, 11 with
//! both; `acc_latency` is 7. Numbers: E4M3 0x38 is 1, 0x40 2, 0x30 0.5, 0x44 3, 0x7e 448, 0x01 2^-9, 0x7f NaN; E2M1 1 is
//! 0.5, 2 is 1, 5 is 3, 9 is -0.5.

mod bench;

use bench::*;
use lpu_isa::QueueKind::*;
use lpu_isa::{AccMode, Config, Instruction, Operation, Repeat};
use lpu_verif::{FaultCode::*, Vector};

const NAN: u32 = 0x7fc0_0000;

fn bench(name: &str) -> Bench {
    Bench::new(Config::preset(name).unwrap())
}

const fn format(value: u16) -> Instruction {
    Instruction::Config { register: 1, value }
}

const fn load(row_form: bool, install: bool) -> Operation {
    Operation::LoadWeights {
        stream: 0,
        column: !row_form,
        install,
    }
}

const fn accumulate(init: AccMode, emit: AccMode) -> Operation {
    Operation::Accumulate {
        stream: 0,
        init,
        emit,
    }
}

const fn scaled(stream: u8, scales: u8) -> Operation {
    Operation::MultiplyStream {
        stream,
        scales: Some(scales),
    }
}

const fn buffer(scaled: bool) -> Operation {
    Operation::MultiplyBuffer { scaled }
}

/// The MXM sees rows 0..3 of the weights on e0..e3 in 10 and rows 4..7 in 11.
fn weights(b: &mut Bench, row: impl Fn(usize) -> [u8; 8]) {
    for slice in 0..4 {
        for half in 0..2 {
            let vector = Vector::encode(&row(4 * half + slice));
            b.machine.write_sram(slice, 10 + half, &vector);
        }
        let both = Repeat::inner(2, 1, 1);
        b.repeat(
            4 + slice as u64,
            MemRead,
            slice,
            read(e(slice as u8)),
            10,
            both,
        );
    }
}

/// Loads the weights and installs them with an IW of cycle 11 in the format of CONFIG 1.
fn install(b: &mut Bench, value: u16, row: impl Fn(usize) -> [u8; 8]) {
    weights(b, row);
    b.at(8, MxmWeights, 0, format(value));
    b.repeat(
        10,
        MxmWeights,
        0,
        load(true, true),
        0,
        Repeat::inner(2, 1, 4),
    );
}

/// The MXM sees `bytes` on eastward stream `stream` in `cycle`, from slice 0 or 1.
fn operand(b: &mut Bench, slice: usize, address: usize, stream: u8, cycle: u64, bytes: [u8; 8]) {
    b.machine
        .write_sram(slice, address, &Vector::encode(&bytes));
    let issue = cycle - 6 + slice as u64;
    b.op(issue, MemRead, slice, read(e(stream)), address as u16);
}

/// Words that plane 0 emits, with the cycle in which it drives them.
fn emissions(b: &Bench) -> Vec<(u64, Vec<u32>)> {
    let planes: Vec<_> = b.drives().into_iter().filter(|d| d.1 == 4).collect();
    let words = |group: &[(u64, isize, lpu_isa::Stream, Vector)]| {
        assert!(
            group
                .iter()
                .zip(0..)
                .all(|(d, s)| d.0 == group[0].0 && d.2 == w(s))
        );
        let word = |n: usize| u32::from_le_bytes(std::array::from_fn(|b| group[b].3.lane(n)));
        (group[0].0, (0..8).map(word).collect())
    };
    planes.chunks(4).map(words).collect()
}

#[test]
fn e4m3_multiplies_and_rounds_once() {
    for (name, latency) in [("nano+e4m3", 9), ("nano+e4m3+nvfp4", 11)] {
        let mut b = bench(name);
        install(&mut b, 1, |_| [0x38, 0x40, 0xb8, 0, 0x80, 0x01, 0x30, 0x7e]);
        // 1 + 2 + 2^-9 + 448 - 1 + 0 + 0 - 0 = 450 + 2^-9.
        operand(
            &mut b,
            0,
            5,
            7,
            13,
            [0x38, 0x40, 0x01, 0x7e, 0xb8, 0, 0, 0x80],
        );
        b.op(13, MxmCompute, 0, mm(7), 0);
        b.op(13 + latency, MxmAccumulate, 0, acc(0), 3);
        let report = b.run();
        b.expect_faults(&report, &[]);
        let units = 450 * (1i64 << 18) + (1 << 9);
        let expected = [1.0, 2.0, -1.0, 0.0, 0.0, 1.0 / 512.0, 0.5, 448.0]
            .map(|w: f64| (w * units as f64) as i64);
        assert_eq!(b.machine.sums(0, 3), (&expected[..], 0));
        // An ACC of cycle a drives in a + 6. 450 + 2^-9 is 0x43e10040; times 448 it needs rounding; zero is +0.
        let words = [
            0x43e1_0040,
            0x4461_0040,
            0xc3e1_0040,
            0,
            0,
            0x3f61_0040,
            0x4361_0040,
            0x4844_e038,
        ];
        assert_eq!(emissions(&b), [(19 + latency, words.to_vec())]);
    }
}

#[test]
fn a_product_a_cycle_off_the_accs_is_lost() {
    for (acc_cycle, faults) in [
        (21, vec![(MxmAccumulate, 0, OperandMissing, 21)]),
        (22, vec![]),
        (23, vec![(MxmAccumulate, 0, ResultLost, 22)]),
    ] {
        let mut b = bench("nano+e4m3");
        operand(&mut b, 0, 5, 7, 13, [1; 8]);
        b.op(13, MxmCompute, 0, mm(7), 0);
        b.op(acc_cycle, MxmAccumulate, 0, acc(0), 0);
        let report = b.run();
        b.expect_faults(&report, &faults);
    }
}

#[test]
fn a_format_is_that_of_the_iws_after_it() {
    let mut b = bench("nano+e4m3");
    weights(&mut b, |k| std::array::from_fn(|n| (8 * k + n) as u8));
    b.repeat(
        10,
        MxmWeights,
        0,
        load(true, false),
        0,
        Repeat::inner(2, 1, 4),
    );
    b.op(12, MxmWeights, 0, Operation::InstallWeights, 0);
    b.at(13, MxmWeights, 0, format(1));
    b.op(14, MxmWeights, 0, Operation::InstallWeights, 0);
    operand(&mut b, 0, 5, 7, 12, [0x38, 0, 0, 0, 0, 0, 0, 0]);
    b.op(
        12,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 7,
            scales: None,
        },
        0,
    );
    b.repeat(14, MxmCompute, 0, buffer(false), 0, Repeat::inner(3, 1, 0));
    let each = Repeat::inner(3, 1, 1);
    b.repeat(23, MxmAccumulate, 0, acc(0), 0, each);
    let report = b.run();
    b.expect_faults(&report, &[]);
    // 56 n as int8; 1.0 times the number of pattern n, n units of 2^-9 (a subnormal), as E4M3.
    let int8: Vec<i64> = (0..8).map(|n| 56 * n).collect();
    let e4m3: Vec<i64> = (0..8).map(|n| n << 9).collect();
    assert_eq!(b.machine.sums(0, 0).0, int8);
    assert_eq!(b.machine.sums(0, 1).0, int8);
    assert_eq!(b.machine.sums(0, 2).0, e4m3);
    let words = |row: usize| emissions(&b)[row].1[3];
    assert_eq!([0, 1, 2].map(words), [168, 168, (3f32 / 512.0).to_bits()]);
    assert_eq!(emissions(&b)[2].0, 25 + 6);
}

#[test]
fn a_format_that_is_not_built_in_is_illegal_and_changes_nothing() {
    let illegal = Some((MxmWeights, 0, IllegalInstruction, 9));
    for (name, register, value, fault) in [
        ("nano", 1, 0, illegal),
        ("nano", 1, 1, illegal),
        ("nano+e4m3", 1, 0, None),
        ("nano+e4m3", 1, 2, illegal),
        ("nano+nvfp4", 1, 1, illegal),
        ("nano+e4m3+nvfp4", 1, 3, illegal),
        ("nano+e4m3+nvfp4", 1, 0x101, illegal),
        ("nano+e4m3+nvfp4", 2, 0, illegal),
    ] {
        let mut b = bench(name);
        b.at(9, MxmWeights, 0, Instruction::Config { register, value });
        let report = b.run();
        b.expect_faults(&report, &Vec::from_iter(fault));
    }
    let mut b = bench("nano+e4m3");
    weights(&mut b, |_| [1; 8]);
    b.at(7, MxmWeights, 0, format(1));
    b.at(8, MxmWeights, 0, format(2));
    b.repeat(
        10,
        MxmWeights,
        0,
        load(true, true),
        0,
        Repeat::inner(2, 1, 4),
    );
    operand(&mut b, 0, 5, 7, 13, [0x38; 8]);
    b.op(13, MxmCompute, 0, mm(7), 0);
    b.op(22, MxmAccumulate, 0, acc(0), 0);
    let report = b.run();
    b.expect_faults(&report, &[(MxmWeights, 0, IllegalInstruction, 8)]);
    assert_eq!(b.machine.sums(0, 0).0, [8 << 9; 8]);
}

#[test]
fn a_launch_begins_with_int8_and_the_active_weights_it_finds() {
    let mut b = bench("nano+e4m3");
    install(&mut b, 1, |_| [0x38; 8]);
    let report = b.run();
    b.expect_faults(&report, &[]);
    // The next launch multiplies with them as they are, installs the same again, and multiplies.
    let mut next = bench("nano+e4m3");
    next.machine = b.machine.clone();
    operand(&mut next, 0, 5, 7, 12, [0x38; 8]);
    next.op(12, MxmWeights, 0, Operation::InstallWeights, 0);
    next.op(
        12,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 7,
            scales: None,
        },
        0,
    );
    next.repeat(14, MxmCompute, 0, buffer(false), 0, Repeat::inner(2, 1, 0));
    next.op(23, MxmAccumulate, 0, acc(0), 1);
    next.op(24, MxmAccumulate, 0, acc(0), 2);
    let mut early = bench("nano+e4m3");
    early.machine = b.machine.clone();
    operand(&mut early, 0, 5, 7, 12, [0x38; 8]);
    early.op(12, MxmCompute, 0, mm(7), 0);
    early.op(21, MxmAccumulate, 0, acc(0), 0);
    for b in [&mut next, &mut early] {
        let report = b.run();
        b.expect_faults(&report, &[]);
    }
    assert_eq!(early.machine.sums(0, 0).0, [8 << 18; 8]);
    assert_eq!(next.machine.sums(0, 2).0, [8 * 56 * 56; 8]);
}

#[test]
fn a_nan_counts_even_when_it_meets_a_zero() {
    let mut b = bench("nano+e4m3");
    // A NaN of either sign in columns 3 and 4.
    install(&mut b, 1, |k| {
        if k == 6 {
            [0, 0, 0, 0x7f, 0xff, 0, 0, 0]
        } else {
            [0; 8]
        }
    });
    b.machine.write_sram(0, 5, &Vector::encode(&[0; 8]));
    b.machine
        .write_sram(0, 6, &Vector::encode(&[0, 0xff, 0, 0, 0, 0, 0, 0]));
    b.machine.write_sram(0, 7, &Vector::encode(&[0; 8]));
    b.repeat(7, MemRead, 0, read(e(7)), 5, Repeat::inner(3, 1, 1));
    b.repeat(13, MxmCompute, 0, mm(7), 0, Repeat::inner(3, 1, 0));
    // Initialise with the first, add the others.
    b.repeat(
        22,
        MxmAccumulate,
        0,
        accumulate(AccMode::Inner, AccMode::Always),
        0,
        Repeat::inner(3, 1, 0),
    );
    let report = b.run();
    b.expect_faults(&report, &[]);
    let columns = vec![0, 0, 0, NAN, NAN, 0, 0, 0];
    let words: Vec<_> = emissions(&b).into_iter().map(|(_, words)| words).collect();
    assert_eq!(words, [columns, vec![NAN; 8], vec![NAN; 8]]);
    assert_eq!(b.machine.sums(0, 0), (&[0; 8][..], 0xff));
}

#[test]
fn an_initialised_row_forgets_its_nan_and_int8_never_shows_one() {
    let mut b = bench("nano+e4m3");
    weights(&mut b, |_| [0x7f; 8]);
    b.at(8, MxmWeights, 0, format(1));
    b.repeat(
        10,
        MxmWeights,
        0,
        load(true, true),
        0,
        Repeat::inner(2, 1, 4),
    );
    b.at(12, MxmWeights, 0, format(0));
    b.op(13, MxmWeights, 0, Operation::InstallWeights, 0);
    operand(&mut b, 0, 5, 7, 12, [1, 0, 0, 0, 0, 0, 0, 0xff]);
    b.op(
        12,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 7,
            scales: None,
        },
        0,
    );
    b.repeat(14, MxmCompute, 0, buffer(false), 0, Repeat::inner(3, 1, 0));
    // MM of 14: E4M3, NaN; of 15 and 16: int8, 127 - 127 = 0.
    b.op(
        23,
        MxmAccumulate,
        0,
        accumulate(AccMode::Always, AccMode::Always),
        0,
    );
    b.op(
        24,
        MxmAccumulate,
        0,
        accumulate(AccMode::Never, AccMode::Always),
        0,
    );
    b.op(
        25,
        MxmAccumulate,
        0,
        accumulate(AccMode::Always, AccMode::Always),
        0,
    );
    let report = b.run();
    b.expect_faults(&report, &[]);
    let words: Vec<_> = emissions(&b)
        .into_iter()
        .map(|(_, words)| words[0])
        .collect();
    // The sum of the second is still a NaN, but an int8 dot emits low bits.
    assert_eq!(words, [NAN, 0, 0]);
    assert_eq!(b.machine.sums(0, 0), (&[0; 8][..], 0));
}

#[test]
fn sums_have_64_bits() {
    let mut b = bench("nano+e4m3");
    install(&mut b, 1, |_| {
        [0x7e, 0xfe, 0x7e, 0xfe, 0x7e, 0xfe, 0x7e, 0xfe]
    });
    operand(&mut b, 0, 5, 7, 12, [0x7e; 8]);
    b.op(
        12,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 7,
            scales: None,
        },
        0,
    );
    b.repeat(
        14,
        MxmCompute,
        0,
        buffer(false),
        0,
        Repeat::inner(3000, 1, 0),
    );
    b.repeat(
        23,
        MxmAccumulate,
        0,
        accumulate(AccMode::Inner, AccMode::Inner),
        0,
        Repeat::inner(3000, 1, 0),
    );
    let report = b.run();
    b.expect_faults(&report, &[]);
    // 24000 times 448² = 49 * 2^12: 1176000 * 2^12.
    let sum = 24_000 * (49i64 << 30);
    assert_eq!(b.machine.sums(0, 0).0[..2], [sum, -sum]);
    let float = 24_000f32 * 448.0 * 448.0;
    assert_eq!(
        emissions(&b)[0].1[..2],
        [float.to_bits(), (-float).to_bits()]
    );
}

/// Weights of ones with scales 1, 2, 0.5, NaN, -1, 0, 3, 448 of the columns, installed by an LW of cycle 12.
fn nvfp4(name: &str) -> Bench {
    let mut b = bench(name);
    weights(&mut b, |_| [0x22; 8]);
    b.at(8, MxmWeights, 0, format(2));
    b.repeat(
        10,
        MxmWeights,
        0,
        load(true, false),
        0,
        Repeat::inner(2, 1, 4),
    );
    // One operand of four: L / 8 = 1.
    operand(
        &mut b,
        0,
        20,
        0,
        12,
        [0x38, 0x40, 0x30, 0x7f, 0xb8, 0, 0x44, 0x7e],
    );
    b.op(12, MxmWeights, 0, load(true, true), 8);
    b
}

#[test]
fn nvfp4_multiplies_blocks_with_both_scales() {
    for (name, latency) in [("nano+nvfp4", 10), ("nano+e4m3+nvfp4", 11)] {
        let mut b = nvfp4(name);
        // 0.5 + 3 - 0.5 (the high half of lane 7) = 3, times 3.
        operand(&mut b, 0, 5, 7, 14, [0x51, 0, 0, 0, 0, 0, 0, 0x90]);
        operand(
            &mut b,
            1,
            5,
            6,
            14,
            [0x44, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f],
        );
        b.op(14, MxmCompute, 0, scaled(7, 6), 0);
        b.op(14 + latency, MxmAccumulate, 0, acc(0), 1);
        let report = b.run();
        b.expect_faults(&report, &[]);
        assert_eq!(b.machine.active_scale(0, 0, 7), 0x7e);
        let (sums, nan) = b.machine.sums(0, 1);
        assert_eq!((sums[0], sums[2], nan), (9 << 20, 9 << 19, 8));
        let words = [9.0f32, 18.0, 4.5, f32::NAN, -9.0, 0.0, 27.0, 4032.0].map(f32::to_bits);
        assert_eq!(emissions(&b), [(14 + latency + 6, words.to_vec())]);
    }
}

#[test]
fn without_the_flag_scales_are_one_and_a_nan_scale_reaches_all() {
    let mut b = nvfp4("nano+nvfp4");
    operand(&mut b, 0, 5, 7, 14, [0x51, 0, 0, 0, 0, 0, 0, 0]);
    b.op(9, MemRead, 0, read(e(7)), 5);
    operand(&mut b, 1, 5, 6, 15, [0xff, 0, 0, 0, 0, 0, 0, 0]);
    b.op(14, MxmCompute, 0, mm(7), 0);
    b.op(15, MxmCompute, 0, scaled(7, 6), 0);
    b.repeat(24, MxmAccumulate, 0, acc(0), 0, Repeat::inner(2, 1, 1));
    let report = b.run();
    b.expect_faults(&report, &[]);
    let words = [3.5f32, 7.0, 1.75, f32::NAN, -3.5, 0.0, 10.5, 1568.0].map(f32::to_bits);
    assert_eq!(emissions(&b)[0].1, words);
    assert_eq!(emissions(&b)[1].1, [NAN; 8]);
}

#[test]
fn either_operand_missing_is_one_fault_and_no_effect() {
    for (x, scale) in [(true, false), (false, true), (false, false)] {
        let mut b = nvfp4("nano+nvfp4");
        if x {
            operand(&mut b, 0, 5, 7, 14, [0x51; 8]);
        }
        if scale {
            operand(&mut b, 1, 5, 6, 14, [0x38; 8]);
        }
        b.op(14, MxmCompute, 0, scaled(7, 6), 0);
        b.op(24, MxmAccumulate, 0, acc(0), 0);
        let report = b.run();
        let missing = [
            (MxmCompute, 0, OperandMissing, 16),
            (MxmAccumulate, 0, OperandMissing, 24),
        ];
        b.expect_faults(&report, &missing);
    }
    // A machine without NVFP4 ignores the flag.
    let mut b = bench("nano+e4m3");
    operand(&mut b, 0, 5, 7, 14, [0x51; 8]);
    b.op(14, MxmCompute, 0, scaled(7, 6), 0);
    b.op(23, MxmAccumulate, 0, acc(0), 0);
    let report = b.run();
    b.expect_faults(&report, &[]);
}

#[test]
fn the_operand_buffer_keeps_scales() {
    let mut b = nvfp4("nano+nvfp4");
    let lx = |scales| Operation::LoadOperand { stream: 7, scales };
    operand(&mut b, 0, 5, 7, 13, [0x02; 8]);
    operand(&mut b, 1, 5, 6, 13, [0x40; 8]);
    // The same row again, of 2 in the low halves, without scales: those of before stay.
    operand(&mut b, 0, 6, 7, 16, [0x04; 8]);
    b.op(13, MxmCompute, 0, lx(Some(6)), 2);
    b.op(15, MxmCompute, 0, buffer(true), 2);
    b.op(16, MxmCompute, 0, lx(None), 2);
    b.op(18, MxmCompute, 0, buffer(true), 2);
    b.op(19, MxmCompute, 0, buffer(false), 2);
    b.op(25, MxmAccumulate, 0, acc(0), 0);
    b.repeat(28, MxmAccumulate, 0, acc(0), 1, Repeat::inner(2, 1, 1));
    let report = b.run();
    b.expect_faults(&report, &[]);
    let column0: Vec<_> = emissions(&b)
        .into_iter()
        .map(|(_, words)| f32::from_bits(words[0]))
        .collect();
    assert_eq!(column0, [16.0, 32.0, 16.0]);
}

#[test]
fn codeword_0_of_the_scales_is_decoded_and_counted_whatever_the_format() {
    for value in [0, 2] {
        for (flips, corrected, uncorrectable) in [(&[3][..], 1, 0), (&[3, 40], 0, 1)] {
            let mut b = bench("edge+nvfp4");
            // 16 lanes: two codewords, and only the first of the scales counts.
            b.at(0, MxmWeights, 0, format(value));
            b.op(1, MxmWeights, 0, Operation::InstallWeights, 0);
            let flip = |v: Vector, &bit: &usize| v.with_flip(0, bit);
            let bad = flips
                .iter()
                .fold(Vector::encode(&[0x38; 16]), flip)
                .with_flip(1, 7)
                .with_flip(1, 9);
            b.machine.write_sram(7, 0, &bad);
            b.machine.write_sram(6, 0, &Vector::encode(&[1; 16]));
            // READ_LATENCY 3; vector and switch unit are two hops more.
            b.op(10, MemRead, 7, read(e(9)), 0);
            b.op(9, MemRead, 6, read(e(8)), 0);
            b.op(15, MxmCompute, 0, scaled(8, 9), 0);
            b.op(
                15 + 4 + 1 + 4 + 2,
                MxmAccumulate,
                0,
                accumulate(AccMode::Always, AccMode::Never),
                0,
            );
            let report = b.run();
            let fault = (MxmCompute, 0, EccUncorrectable, 19);
            b.expect_faults(
                &report,
                &Vec::from_iter((uncorrectable > 0).then_some(fault)),
            );
            let ecc = report.ecc[b.id(MxmCompute, 0)];
            assert_eq!(
                (ecc.corrected, ecc.uncorrectable),
                (corrected, uncorrectable)
            );
        }
    }
}

#[test]
fn rows_beyond_the_scales_wrap_with_a_fault() {
    // Row form: the limit is 9. Row 9 is row 1, whose low bits are ignored; column form has no scales.
    for (row_form, row, fault) in [
        (true, 8, false),
        (true, 9, true),
        (false, 8, true),
        (true, 0x108, true),
    ] {
        let mut b = bench("nano+nvfp4");
        weights(&mut b, |k| [k as u8 + 1; 8]);
        b.op(10, MxmWeights, 0, load(row_form, true), row);
        let report = b.run();
        let range = (MxmWeights, 0, AddressRange, 10);
        b.expect_faults(&report, &Vec::from_iter(fault.then_some(range)));
        let (weight, scale) = (
            b.machine.active_weight(0, 0, 0),
            b.machine.active_scale(0, 0, 0),
        );
        assert_eq!((weight, scale), if fault { (1, 0) } else { (0, 1) });
    }
    // Without NVFP4 there are no rows of scales.
    let mut b = bench("nano+e4m3");
    weights(&mut b, |k| [k as u8 + 1; 8]);
    b.op(10, MxmWeights, 0, load(true, true), 8);
    let report = b.run();
    b.expect_faults(&report, &[(MxmWeights, 0, AddressRange, 10)]);
    assert_eq!(b.machine.active_weight(0, 0, 0), 1);
}

#[test]
fn a_scale_row_needs_its_operands_only() {
    // 64 lanes have 8 rows of scales: with 16 weight streams an LW takes 8, with 2 it takes 2.
    for (streams, present, loaded) in [(16u16, 8, true), (16, 7, false), (2, 2, true)] {
        let mut b = bench("wide+nvfp4");
        b.at(
            0,
            MxmWeights,
            0,
            Instruction::Config {
                register: 0,
                value: streams,
            },
        );
        for slice in 0..present {
            b.machine
                .write_sram(slice, 0, &Vector::encode(&[slice as u8 + 1; 64]));
            // 16 slices: seen 3 + 15 - slice later.
            b.op(2 + slice as u64, MemRead, slice, read(e(slice as u8)), 0);
        }
        b.op(20, MxmWeights, 0, load(true, true), 64);
        let report = b.run();
        let missing = (MxmWeights, 0, OperandMissing, 22);
        b.expect_faults(&report, &Vec::from_iter((!loaded).then_some(missing)));
        let scales: Vec<u8> = (0..8).map(|g| b.machine.active_scale(0, g, 63)).collect();
        let expected = |g: u8| {
            if loaded && usize::from(g) < present {
                g + 1
            } else {
                0
            }
        };
        assert_eq!(scales, (0..8).map(expected).collect::<Vec<_>>());
    }
}
