//! LANES, TLOAD, TSTORE, REDUCE: the lines of the contract, cycles computed by hand for eight lanes.

mod bench;

use bench::words::{complete, floats, plane};
use bench::*;
use lpu_isa::QueueKind::{MemRead, Sxm};
use lpu_isa::instruction::lanes_address;
use lpu_isa::{LaneMode, Operation, Repeat, Stream};
use lpu_verif::{FaultCode::*, Vector};

/// Position of the switch unit behind four slices and the vector unit.
const SXM: isize = 5;

fn lanes(from: Stream, to: Stream) -> Operation {
    let word = false;
    Operation::Lanes { from, to, word }
}

/// A bench in which the unit sees `vector` on e6 in cycle 20.
fn seeing(vector: Vector) -> Bench {
    let mut b = Bench::new(complete());
    b.machine.write_sram(3, 0, &vector);
    b.op(16, MemRead, 3, read(e(6)), 0);
    b
}

fn at_sxm(b: &Bench) -> Vec<(u64, Stream, Vec<u8>)> {
    let drives = b.drives().into_iter().filter(|drive| drive.1 == SXM);
    drives
        .map(|drive| (drive.0, drive.2, drive.3.lanes(8)))
        .collect()
}

#[test]
fn modes_of_lanes_drive_7_cycles_after_issue() {
    use LaneMode::*;
    for (mode, n, expected) in [
        (Up, 2, [0, 0, 1, 2, 3, 4, 5, 6]),
        (Up, 8, [0; 8]),
        (Up, 4095, [0; 8]),
        (Down, 3, [4, 5, 6, 7, 8, 0, 0, 0]),
        (Down, 9, [0; 8]),
        (Rotate, 3, [6, 7, 8, 1, 2, 3, 4, 5]),
        (Rotate, 8 * 37 + 1, [8, 1, 2, 3, 4, 5, 6, 7]),
        (Broadcast, 5, [6; 8]),
        (Broadcast, 8 + 2, [3; 8]),
        (Permute, 1, [8, 8, 1, 0, 0, 3, 2, 5]),
        (Distribute, 256 + 2, [3, 3, 4, 4, 5, 5, 6, 6]),
        (Distribute, 3, [4, 5, 6, 7, 8, 1, 2, 3]),
        (Distribute, 2 * 256 + 7, [8, 8, 8, 8, 1, 1, 1, 1]),
        (Distribute, 15 * 256 + 1, [2; 8]),
    ] {
        let mut b = seeing(ramp(1));
        b.program.map(1, vec![7, 7, 0, 8, 255, 2, 1, 4]);
        b.op(20, Sxm, 0, lanes(e(6), w(3)), lanes_address(mode, n));
        let report = b.run();
        assert_eq!(at_sxm(&b), [(27, w(3), expected.to_vec())], "{mode:?} {n}");
        b.expect_faults(&report, &[]);
    }
}

#[test]
fn a_table_past_the_end_is_recorded_and_wraps() {
    let mut b = seeing(ramp(1));
    b.program.map(1, vec![7; 8]);
    b.op(
        20,
        Sxm,
        0,
        lanes(e(6), w(3)),
        lanes_address(LaneMode::Permute, 5),
    );
    let report = b.run();
    assert_eq!(at_sxm(&b), [(27, w(3), vec![8; 8])]);
    b.expect_faults(&report, &[(Sxm, 0, AddressRange, 20)]);
}

#[test]
fn modes_and_reductions_that_do_not_exist_do_nothing() {
    for (operation, address) in [
        (lanes(e(6), w(3)), 6 << 12),
        (
            Operation::Reduce {
                from: e(0),
                to: e(4),
            },
            3,
        ),
    ] {
        let mut b = seeing(ramp(1));
        b.op(20, Sxm, 0, operation, address);
        let report = b.run();
        assert_eq!(at_sxm(&b), []);
        b.expect_faults(&report, &[(Sxm, 0, IllegalInstruction, 20)]);
    }
}

#[test]
fn a_vector_of_words_passes_in_one_operation() {
    let mut b = Bench::new(complete());
    let words = floats([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    b.feed(20, SXM, words);
    // The low bits of both streams are ignored.
    let (from, to, word) = (e(2), w(5), true);
    let operation = Operation::Lanes { from, to, word };
    b.op(20, Sxm, 0, operation, lanes_address(LaneMode::Rotate, 1));
    b.run();
    let expected = floats([8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    assert_eq!(b.words_driven(27, SXM, w(4)), Some(expected));
}

#[test]
fn the_transposer_gives_columns() {
    let mut b = Bench::new(complete());
    for row in 0..8 {
        b.machine.write_sram(3, row, &ramp(10 * row as u8));
    }
    b.repeat(0, MemRead, 3, read(e(6)), 0, Repeat::inner(8, 1, 1));
    let load = Operation::TransposeLoad { from: e(6) };
    b.repeat(4, Sxm, 0, load, 8, Repeat::inner(8, 1, 1));
    let store = Operation::TransposeStore { to: e(1) };
    b.repeat(16, Sxm, 0, store, 8, Repeat::inner(8, 1, 1));
    let report = b.run();
    let expected = (0..8u8).map(|column| {
        let lanes = (0..8).map(|row| 10 * row + column).collect();
        (20 + u64::from(column), e(1), lanes)
    });
    assert_eq!(at_sxm(&b), expected.collect::<Vec<_>>());
    b.expect_faults(&report, &[]);
}

#[test]
fn a_tload_is_seen_5_cycles_later() {
    for (distance, seen) in [(4, 0), (5, 9)] {
        let mut b = seeing(ramp(9));
        b.op(20, Sxm, 0, Operation::TransposeLoad { from: e(6) }, 2);
        b.op(
            20 + distance,
            Sxm,
            0,
            Operation::TransposeStore { to: e(1) },
            0,
        );
        b.run();
        let expected = [0, 0, seen, 0, 0, 0, 0, 0].to_vec();
        assert_eq!(at_sxm(&b), [(24 + distance, e(1), expected)]);
    }
}

#[test]
fn rows_of_the_transposer_wrap() {
    let mut b = seeing(ramp(1));
    b.op(20, Sxm, 0, Operation::TransposeLoad { from: e(6) }, 17);
    let report = b.run();
    b.expect_faults(&report, &[(Sxm, 0, AddressRange, 20)]);
    let mut b = Bench::new(complete());
    b.op(9, Sxm, 0, Operation::TransposeStore { to: e(6) }, 16);
    let report = b.run();
    b.expect_faults(&report, &[(Sxm, 0, AddressRange, 9)]);
}

fn reduced(address: u16, values: [f32; 8]) -> [u32; 8] {
    let mut b = Bench::new(complete());
    b.feed(20, SXM, floats(values));
    let (from, to) = (e(0), e(4));
    b.op(20, Sxm, 0, Operation::Reduce { from, to }, address);
    let report = b.run();
    b.expect_faults(&report, &[]);
    // Three levels of five cycles: drives in 20 + 5 + 15.
    b.words_driven(40, SXM, e(4)).expect("driven")
}

#[test]
fn sums_are_rounded_pair_by_pair() {
    // Numbers near 1e8 are 8 apart. Lanes i and i + 4: 1e8 + 1 = 1e8, -1e8 + 1 = -1e8, 0.5 + 4 = 4.5, 0; then
    // 1e8 + 4.5 = 1e8 + 8 and -1e8 + 0; together 8.
    let values = [1e8, -1e8, 0.5, 0.0, 1.0, 1.0, 4.0, 0.0];
    assert_eq!(reduced(0, values), floats([8.0; 8]));
    assert_eq!(
        reduced(0, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
        floats([36.0; 8])
    );
}

#[test]
fn maxima_put_nan_above_all_and_take_the_first_of_equals() {
    let values = [1.0, -2.0, 7.0, 7.0, -0.0, 0.0, f32::NEG_INFINITY, 3.0];
    assert_eq!(reduced(1, values), floats([7.0; 8]));
    assert_eq!(reduced(2, values), [2; 8]);
    let zeros = [-0.0, -0.0, -0.0, 0.0, -0.0, 0.0, -0.0, -0.0];
    assert_eq!((reduced(1, zeros), reduced(2, zeros)), ([0; 8], [3; 8]));
    let nan = [1.0, f32::INFINITY, -f32::NAN, 7.0, f32::NAN, 0.0, 0.0, 3.0];
    assert_eq!(
        (reduced(1, nan), reduced(2, nan)),
        ([0x7fc0_0000; 8], [2; 8])
    );
}

#[test]
fn of_two_results_the_one_issued_last_drives() {
    // LANES drives in 27, TSTORE issued in 23 too.
    let mut b = seeing(ramp(1));
    b.op(
        20,
        Sxm,
        0,
        lanes(e(6), w(3)),
        lanes_address(LaneMode::Rotate, 0),
    );
    b.op(23, Sxm, 0, Operation::TransposeStore { to: e(1) }, 0);
    let report = b.run();
    assert_eq!(at_sxm(&b), [(27, e(1), vec![0; 8])]);
    b.expect_faults(&report, &[(Sxm, 0, BankConflict, 27)]);
}

#[test]
fn operands_are_missing_corrected_and_counted_here() {
    let mut b = seeing(ramp(1).with_flip(0, 3));
    b.op(
        20,
        Sxm,
        0,
        lanes(e(6), w(3)),
        lanes_address(LaneMode::Rotate, 0),
    );
    b.op(
        21,
        Sxm,
        0,
        lanes(e(6), w(3)),
        lanes_address(LaneMode::Rotate, 0),
    );
    let report = b.run();
    assert_eq!(at_sxm(&b), [(27, w(3), ramp(1).lanes(8))]);
    assert_eq!(report.ecc[b.id(Sxm, 0)].corrected, 1);
    b.expect_faults(&report, &[(Sxm, 0, OperandMissing, 23)]);
    let mut b = Bench::new(complete());
    b.feed(20, SXM, [0; 8]);
    let wrong = plane([0; 8], 1).with_flip(0, 5).with_flip(0, 6);
    b.machine.write_sram(1, 0, &wrong);
    let (from, to) = (e(0), e(4));
    b.op(20, Sxm, 0, Operation::Reduce { from, to }, 0);
    let report = b.run();
    b.expect_faults(&report, &[(Sxm, 0, EccUncorrectable, 24)]);
}
