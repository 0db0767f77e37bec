//! Queues: issue cycles, SYNC and NOTIFY, END, illegal instructions, launches.

mod bench;

use bench::*;
use lpu_isa::QueueKind::*;
use lpu_isa::{Instruction, Operation, Repeat};
use lpu_verif::{FaultCode::*, Status};

#[test]
fn instructions_issue_back_to_back() {
    let mut b = Bench::new(nano());
    b.program.push(0, Instruction::once(read(e(0)), 0));
    b.program.push(0, Instruction::Nop { cycles: 3 });
    let repeat = Repeat::inner(2, 2, 1).outer(2, 5, 8);
    b.program
        .push(0, Instruction::repeated(read(e(0)), 0, repeat));
    b.program.push(0, Instruction::once(read(e(0)), 0));
    let report = b.run();
    // 0; 1..3 NOP; 4, 6, 9, 11; 12; END in 13.
    assert_eq!(b.reads(), [0, 4, 6, 9, 11, 12].map(|cycle| (cycle, 0)));
    assert_eq!(report.cycles, 13 + 16);
}

#[test]
fn a_sync_waits_for_a_notify() {
    for (sync, next) in [(0, 13), (11, 13), (12, 13)] {
        let mut b = Bench::new(nano());
        b.at(10, MxmCompute, 0, Instruction::Notify);
        b.at(sync, MemRead, 2, Instruction::Sync);
        b.op(sync + 1, MemRead, 2, read(e(0)), 0);
        b.run();
        // The pulse is seen in 12; the next instruction issues in 13.
        assert_eq!(b.reads(), [(next, 2)]);
    }
}

#[test]
fn the_notifier_can_wait_for_its_own_pulse() {
    let mut b = Bench::new(nano());
    b.at(4, MemRead, 0, Instruction::Notify);
    b.at(5, MemRead, 0, Instruction::Sync);
    b.op(6, MemRead, 0, read(e(0)), 0);
    b.run();
    assert_eq!(b.reads(), [(7, 0)]);
}

#[test]
fn a_pulse_before_the_sync_is_lost_and_one_pulse_frees_one_sync() {
    let mut b = Bench::new(nano());
    for cycle in [0, 20, 21] {
        b.at(cycle, MemRead, 0, Instruction::Notify);
    }
    b.at(3, MemRead, 1, Instruction::Sync); // the pulse was in 2
    b.at(4, MemRead, 1, Instruction::Sync); // issues in 23 and sees the pulse of that cycle
    b.op(5, MemRead, 1, read(e(0)), 0);
    b.run();
    assert_eq!(b.reads(), [(24, 1)]);
}

#[test]
fn a_sync_that_nobody_notifies_is_a_deadlock() {
    let mut b = Bench::new(nano());
    b.at(3, MemRead, 1, Instruction::Sync);
    for id in 0..b.config.num_queues() {
        b.program.push(id, Instruction::End);
    }
    b.machine.load(&b.program).unwrap();
    b.machine.launch();
    assert_eq!(b.machine.run(10, &mut vec![]), Status::Running);
    assert_eq!(b.machine.run(1000, &mut vec![]), Status::Deadlocked);
}

#[test]
fn an_operation_in_the_wrong_queue_is_a_nop_with_a_fault() {
    let mut b = Bench::new(nano());
    b.repeat(3, MemWrite, 1, read(e(0)), 0, Repeat::inner(9, 5, 1));
    b.program.push(3, Instruction::once(write(e(0)), 0)); // issues in 4
    b.at(
        2,
        MemRead,
        1,
        Instruction::Config {
            register: 0,
            value: 1,
        },
    );
    let report = b.run();
    let faults = [
        (MemWrite, 1, IllegalInstruction, 3),
        (MemRead, 1, IllegalInstruction, 2),
    ];
    b.expect_faults(&report, &faults);
    assert!(b.reads().is_empty());
    assert_eq!(report.cycles, 5 + 16);
}

#[test]
fn operations_of_other_units_are_nops_with_a_fault() {
    let mut b = Bench::new(nano());
    let (from, streams) = (e(0), Operation::Vector { a: e(0), b: e(0) });
    b.at(
        6,
        MemRead,
        1,
        Instruction::repeated(streams, 7, Repeat::inner(5, 2, 1)),
    );
    let id = b.id(MemRead, 1);
    b.program
        .push(id, Instruction::once(Operation::TransposeLoad { from }, 0));
    b.program.push(id, Instruction::once(read(e(0)), 0));
    let report = b.run();
    b.expect_faults(&report, &[(MemRead, 1, IllegalInstruction, 6)]);
    assert_eq!(b.reads(), [(8, 1)]);
}

#[test]
fn a_queue_without_end_stops_at_the_end_of_its_memory() {
    let mut config = nano();
    config.icu.queue_depth = 16;
    let mut b = Bench::new(config);
    for id in 0..b.config.num_queues() {
        if id != 4 {
            b.program.push(id, Instruction::End);
        }
    }
    (0..16).for_each(|_| b.program.push(4, Instruction::Nop { cycles: 2 }));
    let report = b.run_as_it_is();
    b.expect_faults(&report, &[(MemRead, 2, IllegalInstruction, 32)]);
    assert_eq!(report.cycles, 32 + 16);
    b.program.push(4, Instruction::End);
    let error = b.machine.load(&b.program).unwrap_err();
    assert_eq!(
        error.to_string(),
        "queue 4 has 17 instructions, its memory takes 16"
    );
}

#[test]
fn the_shortest_launch_drains_for_sixteen_cycles() {
    let mut b = Bench::new(nano());
    let report = b.run();
    assert_eq!((report.cycles, b.events.len()), (16, 0));
}

#[test]
fn idle_cycles_cost_nothing() {
    let mut b = Bench::new(nano());
    let cycles = (1 << 20) - 1;
    (0..200).for_each(|_| b.program.push(0, Instruction::Nop { cycles }));
    let report = b.run();
    assert_eq!(report.cycles, 200 * u64::from(cycles) + 16);
}

#[test]
fn the_first_fault_stays_until_it_is_cleared() {
    let mut b = Bench::new(nano());
    b.op(5, MemWrite, 1, write(e(0)), 0);
    b.op(9, MemWrite, 1, write(e(0)), 4096);
    let report = b.run();
    b.expect_faults(&report, &[(MemWrite, 1, OperandMissing, 7)]);
    let (again, events) = b.machine.launch_and_run(100).unwrap();
    assert_eq!((again.faults, events.len()), (report.faults, 0));
    b.machine.clear();
    let (_, events) = b.machine.launch_and_run(100).unwrap();
    assert_eq!(events.len(), 1);
}

#[test]
fn two_faults_in_a_cycle_keep_the_lower_code() {
    let mut b = Bench::new(nano());
    b.op(4, MemWrite, 1, write(e(0)), 0); // missing in 6
    b.op(6, MemWrite, 1, write(e(0)), 4096); // range in 6
    let report = b.run();
    b.expect_faults(&report, &[(MemWrite, 1, OperandMissing, 6)]);
}

#[test]
fn base_registers_stay_between_launches() {
    let mut b = Bench::new(nano());
    b.machine.write_sram(0, 7, &ramp(3));
    b.machine.set_base(0, 7);
    b.op(0, MemRead, 0, read(e(0)), 0);
    b.run();
    let (_, events) = b.machine.launch_and_run(100).unwrap();
    assert_eq!(events, b.events);
    assert_eq!(b.drives()[0].3, ramp(3));
}

#[test]
fn a_machine_before_its_first_launch_is_idle() {
    let mut b = Bench::new(nano());
    assert_eq!(b.machine.run(100, &mut vec![]), Status::Finished);
}
