//! LW, IW, CONFIG, LX, MM and ACC: every line of the contract, cycles computed by hand.
//!
//! On nano a READ of slice i in t is seen by the MXM in t + 6 - i, and `mm_latency` is 8.

mod bench;

use bench::*;
use lpu_isa::QueueKind::*;
use lpu_isa::{AccMode, Instruction, Operation, Repeat};
use lpu_verif::{Effect, FaultCode::*, Source, Vector};

/// Row `k` of the test weights: element n is 8k + n.
fn row(k: usize) -> Vector {
    ramp(8 * k as u8)
}

/// The MXM sees rows 0..3 on e0..e3 in `cycle` and rows 4..7 in the next.
fn weights_at(b: &mut Bench, cycle: u64) {
    for slice in 0..4 {
        b.machine.write_sram(slice, 10, &row(slice));
        b.machine.write_sram(slice, 11, &row(4 + slice));
        let issue = cycle - 6 + slice as u64;
        b.repeat(
            issue,
            MemRead,
            slice,
            read(e(slice as u8)),
            10,
            Repeat::inner(2, 1, 1),
        );
    }
}

const fn load(column: bool, install: bool) -> Operation {
    Operation::LoadWeights {
        stream: 0,
        column,
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

const KEEP: Operation = accumulate(AccMode::Always, AccMode::Never);

fn active(b: &Bench) -> Vec<u8> {
    let at = |i: usize| b.machine.active_weight(0, i / 8, i % 8) as u8;
    (0..64).map(at).collect()
}

/// x = (1, 0, ...) scaled: the dot product is row 0 of the weights.
fn unit() -> Vector {
    Vector::encode(&[1, 0, 0, 0, 0, 0, 0, 0])
}

/// Weights installed by an IW that issues in 11; operand row 0 holds `x`, seen by the MXM in 12.
fn ready(x: Vector) -> Bench {
    let mut b = Bench::new(nano());
    weights_at(&mut b, 10);
    b.repeat(
        10,
        MxmWeights,
        0,
        load(false, true),
        0,
        Repeat::inner(2, 1, 4),
    );
    b.machine.write_sram(0, 5, &x);
    // The fifth stream of slice 0: read in 6 + ... the weights took 4 and 5.
    b.op(6, MemRead, 0, read(e(7)), 5);
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
    b
}

#[test]
fn row_form_and_column_form() {
    for column in [false, true] {
        let mut b = Bench::new(nano());
        weights_at(&mut b, 10);
        b.repeat(
            10,
            MxmWeights,
            0,
            load(column, true),
            0,
            Repeat::inner(2, 1, 4),
        );
        let report = b.run();
        b.expect_faults(&report, &[]);
        let rows: Vec<u8> = (0..64).collect();
        let columns: Vec<u8> = (0..64).map(|i| i % 8 * 8 + i / 8).collect();
        assert_eq!(active(&b), if column { columns } else { rows });
    }
}

#[test]
fn lw_ignores_low_bits_of_stream_and_row() {
    let mut b = Bench::new(nano());
    weights_at(&mut b, 10);
    let load = Operation::LoadWeights {
        stream: 3,
        column: false,
        install: true,
    };
    b.repeat(10, MxmWeights, 0, load, 2, Repeat::inner(2, 1, 5));
    let report = b.run();
    b.expect_faults(&report, &[]);
    assert_eq!(active(&b), (0..64).collect::<Vec<u8>>());
}

#[test]
fn lw_lacks_an_operand_a_cycle_too_early_or_late() {
    for (cycle, loaded) in [(9, false), (10, true), (12, false)] {
        let mut b = Bench::new(nano());
        weights_at(&mut b, 10);
        b.op(cycle, MxmWeights, 0, load(false, true), 0);
        let report = b.run();
        assert_eq!(active(&b)[1] == 1, loaded);
        if !loaded {
            b.expect_faults(
                &report,
                &[(MxmWeights, 0, OperandMissing, cycle as u32 + 2)],
            );
        }
    }
}

#[test]
fn lw_past_the_lanes_wraps_with_a_fault() {
    let mut b = Bench::new(nano());
    weights_at(&mut b, 10);
    b.op(10, MxmWeights, 0, load(false, true), 12);
    let report = b.run();
    b.expect_faults(&report, &[(MxmWeights, 0, AddressRange, 10)]);
    assert_eq!(active(&b)[32..40], [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn iw_takes_loads_that_issued_before_or_with_it_only() {
    for (iw, rows) in [(9, 0), (11, 1), (12, 1)] {
        let mut b = Bench::new(nano());
        weights_at(&mut b, 10);
        if iw < 10 {
            b.op(iw, MxmWeights, 0, Operation::InstallWeights, 0);
        }
        b.op(10, MxmWeights, 0, load(false, false), 0);
        if iw > 10 {
            b.op(iw, MxmWeights, 0, Operation::InstallWeights, 0);
        }
        b.run();
        assert_eq!(active(&b)[1], rows);
    }
    // The flag: only the last inner iteration installs, and it takes its own rows.
    let mut b = Bench::new(nano());
    weights_at(&mut b, 10);
    b.repeat(
        10,
        MxmWeights,
        0,
        load(false, true),
        0,
        Repeat::inner(2, 1, 4),
    );
    let x = Vector::encode(&[0, 0, 0, 0, 0, 0, 0, 1]);
    b.machine.write_sram(0, 5, &x);
    b.repeat(6, MemRead, 0, read(e(7)), 5, Repeat::inner(2, 1, 0));
    // The IW goes with the LW of cycle 11: MM in 12 uses the old weights, MM in 13 the new ones.
    b.repeat(12, MxmCompute, 0, mm(7), 0, Repeat::inner(2, 1, 0));
    b.repeat(20, MxmAccumulate, 0, KEEP, 0, Repeat::inner(2, 1, 1));
    let report = b.run();
    b.expect_faults(&report, &[]);
    assert_eq!(b.machine.accumulators(0, 0), [0; 8]);
    assert_eq!(
        b.machine.accumulators(0, 1),
        [56, 57, 58, 59, 60, 61, 62, 63]
    );
}

#[test]
fn an_iw_without_operands_still_installs() {
    let mut b = Bench::new(nano());
    weights_at(&mut b, 10);
    b.op(10, MxmWeights, 0, load(false, false), 0);
    b.op(20, MxmWeights, 0, load(false, true), 4);
    let report = b.run();
    b.expect_faults(&report, &[(MxmWeights, 0, OperandMissing, 22)]);
    assert_eq!(active(&b)[1], 1);
}

#[test]
fn config_sets_the_number_of_streams_for_one_launch() {
    let mut b = Bench::new(nano());
    weights_at(&mut b, 10);
    let config = |value| Instruction::Config { register: 0, value };
    b.at(0, MxmWeights, 0, config(2));
    // Two streams: rows 2 and 3 of the tile come from e0 and e1.
    b.op(10, MxmWeights, 0, load(false, true), 3);
    let report = b.run();
    b.expect_faults(&report, &[]);
    let weights = active(&b);
    assert_eq!((weights[17], weights[25], weights[33]), (1, 9, 0));

    let mut b = Bench::new(nano());
    for (cycle, bad) in [(3, config(3)), (5, config(0)), (7, config(8))] {
        b.at(cycle, MxmWeights, 0, bad);
    }
    b.at(
        9,
        MxmWeights,
        0,
        Instruction::Config {
            register: 1,
            value: 2,
        },
    );
    weights_at(&mut b, 11);
    b.op(11, MxmWeights, 0, load(false, true), 0);
    let report = b.run();
    b.expect_faults(&report, &[(MxmWeights, 0, IllegalInstruction, 3)]);
    assert_eq!(active(&b)[25], 25);
}

#[test]
fn mm_multiplies_and_acc_takes_the_result_eight_cycles_later() {
    for (acc, faults) in [
        (20, vec![(MxmAccumulate, 0, OperandMissing, 20)]),
        (21, vec![]),
        (22, vec![(MxmAccumulate, 0, ResultLost, 21)]),
    ] {
        let mut b = ready(unit());
        // The vector is seen in 12 only; read it again for 13.
        b.op(7, MemRead, 0, read(e(7)), 5);
        b.op(13, MxmCompute, 0, mm(7), 0);
        b.op(acc, MxmAccumulate, 0, KEEP, 9);
        let report = b.run();
        b.expect_faults(&report, &faults);
        let expected = if acc == 21 {
            [0, 1, 2, 3, 4, 5, 6, 7]
        } else {
            [0; 8]
        };
        assert_eq!(b.machine.accumulators(0, 9), expected);
    }
}

#[test]
fn signed_extremes_are_exact() {
    let mut b = Bench::new(nano());
    let extreme = Vector::encode(&[0x80; 8]);
    for slice in 0..4 {
        b.machine.write_sram(slice, 10, &extreme);
        let issue = 4 + slice as u64;
        b.repeat(
            issue,
            MemRead,
            slice,
            read(e(slice as u8)),
            10,
            Repeat::inner(2, 1, 0),
        );
    }
    b.repeat(
        10,
        MxmWeights,
        0,
        load(false, true),
        0,
        Repeat::inner(2, 1, 4),
    );
    b.machine.write_sram(0, 5, &extreme);
    b.op(6, MemRead, 0, read(e(7)), 5);
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
    // 8 * 2^14 = 2^17 each: 2^14 of them wrap to -2^31.
    let many = Repeat::inner(1 << 14, 1, 0);
    b.repeat(
        14,
        MxmCompute,
        0,
        Operation::MultiplyBuffer { scaled: false },
        0,
        many,
    );
    let sum = accumulate(AccMode::Outer, AccMode::Never);
    b.op(22, MxmAccumulate, 0, sum, 1);
    b.repeat(
        23,
        MxmAccumulate,
        0,
        accumulate(AccMode::Never, AccMode::Never),
        1,
        Repeat::inner((1 << 14) - 1, 1, 0),
    );
    let report = b.run();
    b.expect_faults(&report, &[]);
    assert_eq!(b.machine.accumulators(0, 1), [i32::MIN; 8]);
}

#[test]
fn mm_without_operand_gives_no_result() {
    let mut b = ready(unit());
    b.op(13, MxmCompute, 0, mm(7), 0);
    b.op(21, MxmAccumulate, 0, KEEP, 0);
    let report = b.run();
    let missing = [
        (MxmCompute, 0, OperandMissing, 15),
        (MxmAccumulate, 0, OperandMissing, 21),
    ];
    b.expect_faults(&report, &missing);
}

#[test]
fn the_operand_buffer_is_seen_two_cycles_after_lx() {
    for (distance, expected) in [(1, 0), (2, 7)] {
        let mut b = ready(unit());
        b.op(
            12 + distance,
            MxmCompute,
            0,
            Operation::MultiplyBuffer { scaled: false },
            0,
        );
        b.op(20 + distance, MxmAccumulate, 0, KEEP, 0);
        let report = b.run();
        b.expect_faults(&report, &[]);
        assert_eq!(b.machine.accumulators(0, 0)[7], expected);
    }
}

#[test]
fn lx_a_cycle_off_misses() {
    let mut b = Bench::new(nano());
    b.op(
        3,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 0,
            scales: None,
        },
        64,
    );
    b.op(
        9,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 0,
            scales: None,
        },
        0,
    );
    let report = b.run();
    // The row past the end is known before the operand.
    b.expect_faults(&report, &[(MxmCompute, 0, AddressRange, 3)]);
}

#[test]
fn rows_past_the_end_wrap_with_a_fault() {
    let mut b = ready(unit());
    b.op(
        14,
        MxmCompute,
        0,
        Operation::MultiplyBuffer { scaled: false },
        64,
    );
    b.op(22, MxmAccumulate, 0, KEEP, 65);
    let report = b.run();
    let range = [
        (MxmCompute, 0, AddressRange, 14),
        (MxmAccumulate, 0, AddressRange, 22),
    ];
    b.expect_faults(&report, &range);
    assert_eq!(b.machine.accumulators(0, 1)[7], 7);
}

#[test]
fn neighbouring_accs_see_each_other_and_emit_byte_planes() {
    // x = -1 on lane 7: the dot products are -(56..63).
    let mut b = ready(Vector::encode_i8(&[0, 0, 0, 0, 0, 0, 0, -1]));
    b.repeat(
        14,
        MxmCompute,
        0,
        Operation::MultiplyBuffer { scaled: false },
        0,
        Repeat::inner(3, 1, 0),
    );
    let operation = Operation::Accumulate {
        stream: 6, // low bits ignored: 4
        init: AccMode::Inner,
        emit: AccMode::Always,
    };
    b.repeat(22, MxmAccumulate, 0, operation, 3, Repeat::inner(3, 1, 0));
    // Slice 3 sees W[4] in 26, slice 0 sees W[1] in 29.
    b.op(26, MemWrite, 3, write(w(4)), 100);
    b.op(30, MemWrite, 0, write(w(7)), 101);
    let report = b.run();
    b.expect_faults(&report, &[]);
    let drives: Vec<_> = b.drives().into_iter().filter(|d| d.1 == 4).collect();
    assert_eq!(drives.len(), 12);
    for (i, (cycle, _, stream, vector)) in drives.into_iter().enumerate() {
        let (j, byte) = (i / 4, i % 4);
        assert_eq!((cycle, stream), (25 + j as u64, w(4 + byte as u8)));
        for n in 0..8 {
            let sum = -(56 + n as i32) * (j as i32 + 1);
            assert_eq!(vector.lane(n), sum.to_le_bytes()[byte]);
        }
        assert_eq!(vector, Vector::encode(&vector.lanes(8)));
    }
    assert_eq!(b.machine.sram(3, 100).lane(0), (-56i8) as u8);
    assert_eq!(b.machine.sram(0, 101).lane(0), 0xff);
}

#[test]
fn init_and_emit_modes_follow_the_repeats() {
    use AccMode::*;
    // Six dots of 7 in lane 7; iteration (j1, j0) is number 2 j1 + j0. All in one row.
    for (mode, sum, emitted) in [
        (Never, 42, vec![]),
        (Inner, 14, vec![1, 3, 5]),
        (Outer, 35, vec![4, 5]),
        (Always, 7, vec![0, 1, 2, 3, 4, 5]),
    ] {
        let mut b = ready(unit());
        b.repeat(
            14,
            MxmCompute,
            0,
            Operation::MultiplyBuffer { scaled: false },
            0,
            Repeat::inner(6, 1, 0),
        );
        let repeat = Repeat::inner(2, 1, 0).outer(3, 2, 0);
        b.repeat(22, MxmAccumulate, 0, accumulate(mode, mode), 0, repeat);
        let report = b.run();
        b.expect_faults(&report, &[]);
        assert_eq!(b.machine.accumulators(0, 0)[7], sum);
        let drives = b.drives();
        let cycles = drives
            .iter()
            .filter(|d| d.1 == 4 && d.2 == w(0))
            .map(|d| d.0 - 25);
        assert_eq!(cycles.collect::<Vec<_>>(), emitted);
    }
}

#[test]
fn planes_that_drive_the_same_streams_collide_and_the_lowest_wins() {
    let mut config = nano();
    config.mxm.planes = 2;
    let mut b = Bench::new(config);
    weights_at(&mut b, 10);
    for plane in 0..2 {
        b.repeat(
            10,
            MxmWeights,
            plane,
            load(plane == 1, true),
            0,
            Repeat::inner(2, 1, 4),
        );
        b.op(13, MxmCompute, plane, mm(7), 0);
        b.op(21, MxmAccumulate, plane, acc(0), 0);
    }
    b.machine.write_sram(0, 5, &unit());
    b.op(7, MemRead, 0, read(e(7)), 5);
    b.op(25, MemWrite, 3, write(w(0)), 100);
    let report = b.run();
    let collision = [0, 1].map(|p| (MxmAccumulate, p, StreamCollision, 24));
    b.expect_faults(&report, &collision);
    assert_eq!(b.machine.sram(3, 100), ramp(0));
    let of_plane = |p| move |event: &&lpu_verif::Event| matches!(event.effect, Effect::Drive { source: Source::Mxm(q), .. } if q == p);
    for p in 0..2 {
        assert_eq!(b.events.iter().filter(of_plane(p)).count(), 4);
    }
}
