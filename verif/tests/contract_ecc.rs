//! SECDED where vectors are consumed, and where they are not.

mod bench;

use bench::*;
use lpu_isa::QueueKind::{self, *};
use lpu_isa::{AccMode, Config, Operation, Repeat};
use lpu_verif::machine::{EccCount, HostReadError};
use lpu_verif::{FaultCode::*, LaunchReport, Machine, Vector};

fn expect_ecc(b: &Bench, report: &LaunchReport, expected: &[(QueueKind, usize, u32, u32)]) {
    let mut counts = vec![EccCount::default(); b.config.num_queues()];
    for &(kind, index, corrected, uncorrectable) in expected {
        counts[b.id(kind, index)] = EccCount {
            corrected,
            uncorrectable,
        };
    }
    assert_eq!(report.ecc, counts);
}

#[test]
fn a_copy_counts_nothing_and_keeps_the_error() {
    let mut b = Bench::new(nano());
    let bad = ramp(1).with_flip(0, 9).with_flip(0, 70);
    b.machine.write_sram(0, 0, &bad);
    b.op(0, MemRead, 0, read(e(0)), 0);
    b.op(3, MemWrite, 1, write(e(0)), 8);
    let report = b.run();
    assert_eq!(b.machine.sram(1, 8), bad);
    expect_ecc(&b, &report, &[]);
    b.expect_faults(&report, &[]);
}

/// Identity weights seen by the MXM in 10 and 11, one activation in 13.
fn product(weight_flips: &[usize], activation_flips: &[usize]) -> (Bench, LaunchReport) {
    let flip =
        |vector: Vector, flips: &[usize]| flips.iter().fold(vector, |v, &bit| v.with_flip(0, bit));
    let row = |k: usize| {
        let mut lanes = [0; 8];
        lanes[k] = 1;
        Vector::encode(&lanes)
    };
    let mut b = Bench::new(nano());
    for slice in 0..4 {
        let flips = if slice == 0 { weight_flips } else { &[] };
        b.machine.write_sram(slice, 10, &flip(row(slice), flips));
        b.machine.write_sram(slice, 11, &row(4 + slice));
        b.repeat(
            4 + slice as u64,
            MemRead,
            slice,
            read(e(slice as u8)),
            10,
            Repeat::inner(2, 1, 1),
        );
    }
    let load = Operation::LoadWeights {
        stream: 0,
        column: false,
        install: true,
    };
    b.repeat(10, MxmWeights, 0, load, 0, Repeat::inner(2, 1, 4));
    b.machine.write_sram(0, 5, &flip(ramp(1), activation_flips));
    b.op(7, MemRead, 0, read(e(7)), 5);
    b.op(13, MxmCompute, 0, mm(7), 0);
    let keep = Operation::Accumulate {
        stream: 0,
        init: AccMode::Always,
        emit: AccMode::Never,
    };
    b.op(21, MxmAccumulate, 0, keep, 0);
    let report = b.run();
    (b, report)
}

#[test]
fn operands_of_the_mxm_are_corrected_and_counted() {
    for bit in [0, 33, 63, 64, 71] {
        let (b, report) = product(&[], &[bit]);
        assert_eq!(b.machine.accumulators(0, 0), [1, 2, 3, 4, 5, 6, 7, 8]);
        expect_ecc(&b, &report, &[(MxmCompute, 0, 1, 0)]);
        let (b, report) = product(&[bit], &[]);
        assert_eq!(b.machine.accumulators(0, 0), [1, 2, 3, 4, 5, 6, 7, 8]);
        expect_ecc(&b, &report, &[(MxmWeights, 0, 1, 0)]);
        b.expect_faults(&report, &[]);
    }
}

#[test]
fn uncorrectable_operands_pass_with_a_fault_four_cycles_after_issue() {
    let (b, report) = product(&[], &[0, 8]);
    assert_eq!(b.machine.accumulators(0, 0)[..2], [0, 3]);
    expect_ecc(&b, &report, &[(MxmCompute, 0, 0, 1)]);
    b.expect_faults(&report, &[(MxmCompute, 0, EccUncorrectable, 17)]);
    let (b, report) = product(&[0, 1], &[]);
    assert_eq!(b.machine.accumulators(0, 0)[0], 2);
    expect_ecc(&b, &report, &[(MxmWeights, 0, 0, 1)]);
    b.expect_faults(&report, &[(MxmWeights, 0, EccUncorrectable, 14)]);
}

#[test]
fn the_operand_buffer_is_decoded_at_each_use() {
    let mut b = Bench::new(nano());
    b.machine.write_sram(0, 5, &ramp(0).with_flip(0, 3));
    b.op(0, MemRead, 0, read(e(7)), 5);
    b.op(
        6,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 7,
            scales: None,
        },
        2,
    );
    b.repeat(
        20,
        MxmCompute,
        0,
        Operation::MultiplyBuffer { scaled: false },
        2,
        Repeat::inner(3, 1, 0),
    );
    let report = b.run();
    expect_ecc(&b, &report, &[(MxmCompute, 0, 3, 0)]);
}

#[test]
fn an_address_is_corrected_and_only_its_codeword_counts() {
    let config = Config::preset("edge").unwrap();
    let indirect: [fn(&mut Bench); 2] = [
        |b| {
            let (stream, offset) = (w(0), e(0));
            b.op(3, MemRead, 1, Operation::Gather { stream, offset }, 0);
        },
        |b| {
            let (stream, offset) = (e(0), e(0));
            b.op(3, MemWrite, 1, Operation::Scatter { stream, offset }, 0);
        },
    ];
    for (issue, kind) in indirect.into_iter().zip([MemRead, MemWrite]) {
        for (flips, corrected, uncorrectable) in [
            ([1, 1], 0, 0),
            ([4, 1], 1, 0),
            ([65, 1], 1, 0),
            ([0, 2], 0, 1),
        ] {
            let mut lanes = [0; 16];
            lanes[0] = 0x21;
            let mut offset = Vector::encode(&lanes).with_flip(1, 0);
            if flips[0] != 1 {
                offset = offset.with_flip(0, flips[0]);
            }
            if uncorrectable > 0 {
                offset = offset.with_flip(0, flips[1]);
            }
            let mut b = Bench::new(config.clone());
            b.machine.write_sram(0, 0, &offset);
            b.op(0, MemRead, 0, read(e(0)), 0);
            issue(&mut b);
            let report = b.run();
            expect_ecc(&b, &report, &[(kind, 1, corrected, uncorrectable)]);
            let fault = [(kind, 1, EccUncorrectable, 7)];
            b.expect_faults(&report, &fault[..uncorrectable as usize]);
            if kind == MemWrite {
                // An uncorrectable offset is used as it is: 0x21 with bits 0 and 2 flipped.
                let address = if uncorrectable > 0 { 0x24 } else { 0x21 };
                assert_eq!(b.writes(), [(8, 1, address, offset)]);
            }
        }
    }
}

#[test]
fn missing_operands_count_nothing() {
    let mut b = Bench::new(nano());
    b.machine.write_sram(0, 0, &ramp(0).with_flip(0, 3));
    b.op(0, MemRead, 0, read(e(0)), 0);
    // Offset there but bad, data missing; and one of four weight streams there.
    let (stream, offset) = (w(0), e(0));
    b.op(3, MemWrite, 1, Operation::Scatter { stream, offset }, 0);
    b.op(6, MxmWeights, 0, lw(0), 0);
    let report = b.run();
    expect_ecc(&b, &report, &[]);
}

#[test]
fn host_reads_decode_and_count_on_the_host() {
    let mut machine = Machine::new(&nano());
    machine.host_write(2, 9, 0, 0x55, (1 << 40, 0));
    assert_eq!(machine.host_read(2, 9, 0), Ok(0x55));
    machine.host_write(2, 9, 0, 0x55, (1 << 40, 1));
    assert_eq!(
        machine.host_read(2, 9, 0),
        Err(HostReadError(0x55 | 1 << 40))
    );
    let ecc = EccCount {
        corrected: 1,
        uncorrectable: 1,
    };
    assert_eq!(machine.report().host_ecc, ecc);
    machine.clear();
    assert_eq!(machine.report().host_ecc, EccCount::default());
}
