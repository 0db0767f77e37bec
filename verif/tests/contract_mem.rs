//! READ, WRITE, GATHER, SCATTER and streams: every line of the contract, cycles computed by hand.

mod bench;

use bench::*;
use lpu_isa::Operation;
use lpu_isa::QueueKind::{MemRead, MemWrite};
use lpu_verif::{FaultCode::*, Vector};

#[test]
fn read_drives_two_cycles_after_issue() {
    let mut b = Bench::new(nano());
    b.machine.write_sram(1, 9, &ramp(5));
    b.op(10, MemRead, 1, read(w(3)), 9);
    let report = b.run();
    assert_eq!(b.reads(), [(10, 1)]);
    assert_eq!(b.drives(), [(12, 1, w(3), ramp(5))]);
    // END of mem1.read issues in 11; 16 cycles of drain.
    assert_eq!(
        (report.cycles, report.first_read, report.last_write),
        (27, Some(10), None)
    );
}

#[test]
fn a_value_moves_one_slice_per_cycle_in_both_directions() {
    let mut b = Bench::new(nano());
    b.machine.write_sram(0, 1, &ramp(1));
    b.machine.write_sram(3, 2, &ramp(2));
    // Drive of slice 0 in 2: E[0] in 3, which slice 1 sees; E[2] in 5, which slice 3 sees.
    b.op(0, MemRead, 0, read(e(0)), 1);
    b.op(3, MemWrite, 1, write(e(0)), 20);
    b.op(5, MemWrite, 3, write(e(0)), 21);
    // Drive of slice 3 in 2: W[3] in 3, which slice 2 sees; W[1] in 5, which slice 0 sees.
    b.op(0, MemRead, 3, read(w(0)), 2);
    b.op(3, MemWrite, 2, write(w(0)), 22);
    b.op(5, MemWrite, 0, write(w(0)), 23);
    let report = b.run();
    let writes = [
        (5, 1, 20, ramp(1)),
        (5, 2, 22, ramp(2)),
        (7, 0, 23, ramp(2)),
        (7, 3, 21, ramp(1)),
    ];
    assert_eq!(b.writes(), writes);
    assert_eq!(report.last_write, Some(7));
    b.expect_faults(&report, &[]);
    assert_eq!(b.machine.sram(3, 21), ramp(1));
}

#[test]
fn a_sample_one_cycle_off_misses() {
    for (cycle, fault) in [(2, Some(4)), (3, None), (4, Some(6))] {
        let mut b = Bench::new(nano());
        b.op(0, MemRead, 0, read(e(0)), 1);
        b.op(cycle, MemWrite, 1, write(e(0)), 20);
        let report = b.run();
        let faults: Vec<_> = fault
            .map(|t| (MemWrite, 1, OperandMissing, t))
            .into_iter()
            .collect();
        b.expect_faults(&report, &faults);
        assert_eq!(b.writes().len(), usize::from(fault.is_none()));
    }
}

#[test]
fn the_outermost_slices_see_nothing_from_outside() {
    let mut b = Bench::new(nano());
    b.op(4, MemWrite, 0, write(e(0)), 0);
    b.op(4, MemWrite, 3, write(w(0)), 0);
    let report = b.run();
    b.expect_faults(
        &report,
        &[
            (MemWrite, 0, OperandMissing, 6),
            (MemWrite, 3, OperandMissing, 6),
        ],
    );
}

#[test]
fn a_stream_the_machine_lacks_is_missing_and_drives_nothing() {
    let mut b = Bench::new(nano());
    b.op(0, MemRead, 0, read(e(16)), 1);
    b.op(3, MemWrite, 1, write(e(16)), 20);
    let report = b.run();
    b.expect_faults(&report, &[(MemWrite, 1, OperandMissing, 5)]);
}

#[test]
fn a_read_sees_a_write_after_write_latency_and_not_before() {
    for (distance, seen) in [(2, ramp(0x40)), (3, ramp(0x11))] {
        let mut b = Bench::new(nano());
        b.machine.write_sram(0, 0, &ramp(0x11));
        b.machine.write_sram(1, 7, &ramp(0x40));
        b.op(0, MemRead, 0, read(e(0)), 0);
        b.op(3, MemWrite, 1, write(e(0)), 7);
        b.op(3 + distance, MemRead, 1, read(e(1)), 7);
        b.run();
        assert_eq!(b.drives()[1], (5 + distance, 1, e(1), seen));
    }
}

#[test]
fn a_drive_over_a_flowing_value_collides_and_wins() {
    let mut b = Bench::new(nano());
    b.machine.write_sram(0, 0, &ramp(1));
    b.machine.write_sram(1, 0, &ramp(2));
    b.op(0, MemRead, 0, read(e(0)), 0);
    b.op(1, MemRead, 1, read(e(0)), 0); // drives in 3, when E[0] is valid
    b.op(3, MemWrite, 1, write(e(0)), 5); // still sees E[0]
    b.op(4, MemWrite, 2, write(e(0)), 6);
    let report = b.run();
    assert_eq!(b.writes(), [(5, 1, 5, ramp(1)), (6, 2, 6, ramp(2))]);
    b.expect_faults(&report, &[(MemRead, 1, StreamCollision, 3)]);
}

#[test]
fn neighbouring_cycles_and_streams_do_not_collide() {
    let mut b = Bench::new(nano());
    b.op(0, MemRead, 0, read(e(0)), 0);
    b.op(0, MemRead, 1, read(e(0)), 0);
    b.op(1, MemRead, 2, read(e(1)), 0);
    b.op(3, MemRead, 3, read(w(0)), 0);
    let report = b.run();
    b.expect_faults(&report, &[]);
}

#[test]
fn addresses_wrap_at_the_depth_with_a_fault_in_the_issue_cycle() {
    let mut b = Bench::new(nano());
    b.machine.write_sram(0, 1, &ramp(9));
    b.machine.set_base(0, 2000);
    b.machine.set_base(3, 2048);
    b.op(4, MemRead, 0, read(e(0)), 49); // 2049 = 1
    b.op(7, MemWrite, 1, write(e(0)), 3); // 2051 = 3
    let report = b.run();
    assert_eq!(b.writes(), [(9, 1, 3, ramp(9))]);
    b.expect_faults(
        &report,
        &[
            (MemRead, 0, AddressRange, 4),
            (MemWrite, 1, AddressRange, 7),
        ],
    );
}

#[test]
fn base_plus_address_is_modulo_two_to_the_sixteen() {
    let mut b = Bench::new(nano());
    b.machine.write_sram(0, 1, &ramp(9));
    b.machine.set_base(0, 0xfff0);
    b.op(0, MemRead, 0, read(e(0)), 0x11);
    let report = b.run();
    assert_eq!(b.drives()[0].3, ramp(9));
    b.expect_faults(&report, &[]);
}

#[test]
fn a_write_out_of_range_faults_before_its_missing_operand() {
    let mut b = Bench::new(nano());
    b.op(4, MemWrite, 0, write(e(0)), 2048);
    let report = b.run();
    b.expect_faults(&report, &[(MemWrite, 0, AddressRange, 4)]);
    assert!(b.writes().is_empty());
}

fn gather_bench(offset: Vector) -> Bench {
    let mut b = Bench::new(nano());
    b.machine.write_sram(0, 0, &offset);
    b.machine.write_sram(1, 300, &ramp(7));
    b.op(0, MemRead, 0, read(e(0)), 0);
    b
}

const GATHER: Operation = Operation::Gather {
    stream: w(2),
    offset: e(0),
};

#[test]
fn gather_reads_five_cycles_after_issue_and_drives_in_seven() {
    let mut b = gather_bench(Vector::encode(&[0x20, 1, 99, 0, 0, 0, 0, 0]));
    b.op(3, MemRead, 1, GATHER, 12); // 12 + 0x120 = 300
    let report = b.run();
    assert_eq!(b.reads(), [(0, 0), (8, 1)]);
    assert_eq!(b.drives()[1], (10, 1, w(2), ramp(7)));
    b.expect_faults(&report, &[]);
}

#[test]
fn gather_out_of_range_faults_when_it_uses_its_address() {
    let mut b = gather_bench(Vector::encode(&[0x20, 1, 0, 0, 0, 0, 0, 0]));
    b.op(3, MemRead, 1, GATHER, 12 + 2048);
    let report = b.run();
    assert_eq!(b.drives()[1], (10, 1, w(2), ramp(7)));
    b.expect_faults(&report, &[(MemRead, 1, AddressRange, 8)]);
}

#[test]
fn a_read_in_the_port_cycle_of_a_gather_wins() {
    for (cycle, conflict) in [(7, false), (8, true), (9, false)] {
        let mut b = gather_bench(Vector::encode(&[0x20, 1, 0, 0, 0, 0, 0, 0]));
        b.op(3, MemRead, 1, GATHER, 12 + 2048);
        b.op(cycle, MemRead, 1, read(w(4)), 1);
        let report = b.run();
        // A gather that loses has no effect: not even its address is out of range.
        let code = if conflict { BankConflict } else { AddressRange };
        b.expect_faults(&report, &[(MemRead, 1, code, 8)]);
        assert_eq!(b.drives().len(), if conflict { 2 } else { 3 });
        assert!(b.drives().iter().any(|d| d.0 == cycle + 2 && d.2 == w(4)));
    }
}

#[test]
fn gather_without_operand_has_no_effect() {
    let mut b = gather_bench(ramp(0));
    b.op(4, MemRead, 1, GATHER, 12);
    b.op(9, MemRead, 1, read(w(4)), 1); // its port cycle, but no conflict
    let report = b.run();
    assert_eq!(b.reads(), [(0, 0), (9, 1)]);
    b.expect_faults(&report, &[(MemRead, 1, OperandMissing, 6)]);
}

const SCATTER: Operation = Operation::Scatter {
    stream: w(1),
    offset: e(0),
};

/// Slice 1 sees its offset on e0 and data on w1 in cycle 3.
fn scatter_bench() -> Bench {
    let mut b = gather_bench(Vector::encode(&[0x20, 1, 0, 0, 0, 0, 0, 0]));
    b.machine.write_sram(2, 5, &ramp(0x33).with_flip(0, 3));
    b.op(0, MemRead, 2, read(w(1)), 5);
    b
}

#[test]
fn scatter_writes_in_the_fifth_cycle_as_it_came() {
    for (distance, seen) in [(5, ramp(7)), (6, ramp(0x33).with_flip(0, 3))] {
        let mut b = scatter_bench();
        b.op(3, MemWrite, 1, SCATTER, 12);
        b.op(3 + distance, MemRead, 1, read(e(5)), 300);
        let report = b.run();
        assert_eq!(b.writes(), [(8, 1, 300, ramp(0x33).with_flip(0, 3))]);
        assert_eq!(b.drives()[2].3, seen);
        b.expect_faults(&report, &[]);
        assert!(report.ecc.iter().all(|ecc| ecc.corrected == 0));
    }
}

#[test]
fn scatter_needs_both_operands() {
    for (data, offset) in [(w(2), e(0)), (w(1), e(1)), (w(2), e(1))] {
        let mut b = scatter_bench();
        let stream = data;
        b.op(3, MemWrite, 1, Operation::Scatter { stream, offset }, 12);
        let report = b.run();
        assert!(b.writes().is_empty());
        b.expect_faults(&report, &[(MemWrite, 1, OperandMissing, 5)]);
    }
}

#[test]
fn a_write_in_the_port_cycle_of_a_scatter_wins() {
    let mut b = scatter_bench();
    b.machine.write_sram(2, 6, &ramp(0x44));
    b.op(3, MemRead, 2, read(w(1)), 6); // slice 1 sees it in 6
    b.op(3, MemWrite, 1, SCATTER, 12); // port in 8
    b.op(6, MemWrite, 1, write(w(1)), 13); // port in 8
    let report = b.run();
    assert_eq!(b.writes(), [(8, 1, 13, ramp(0x44))]);
    b.expect_faults(&report, &[(MemWrite, 1, BankConflict, 8)]);
}

#[test]
fn scatter_out_of_range_faults_in_its_port_cycle() {
    let mut b = scatter_bench();
    b.op(3, MemWrite, 1, SCATTER, 12 + 2048);
    let report = b.run();
    assert_eq!(b.writes()[0].2, 300);
    b.expect_faults(&report, &[(MemWrite, 1, AddressRange, 8)]);
}

#[test]
fn streams_are_empty_at_a_launch() {
    let mut b = Bench::new(lpu_isa::Config::preset("wide").unwrap());
    b.op(0, MemRead, 15, read(w(0)), 0);
    b.op(17, MemWrite, 0, write(w(0)), 0); // W[1] in 3 + 14 = 17
    let report = b.run();
    b.expect_faults(&report, &[]);
    // The value is gone when the second launch starts, wherever it was.
    let mut b = Bench::new(nano());
    b.op(0, MemWrite, 1, write(e(0)), 0);
    b.op(30, MemRead, 0, read(e(0)), 0);
    b.run();
    let (report, _) = b.machine.launch_and_run(1000).unwrap();
    b.expect_faults(&report, &[(MemWrite, 1, OperandMissing, 2)]);
}
