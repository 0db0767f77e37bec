//! What the checker says of DESKEW and RUNTIME_DESKEW, and that the golden machine agrees for every wait.

use lpu_compiler::check::{Prediction, Violation, check, check_rack};
use lpu_isa::config::C2cConfig;
use lpu_isa::latency::settle_cycles;
use lpu_isa::rack::{Rack, Topology};
use lpu_isa::{Config, Instruction, Program, Queue, QueueKind, asm};
use lpu_verif::c2c::ProgramClock;
use lpu_verif::{Machine, Vector};

fn linked() -> Config {
    let mut config = Config::preset("nano").unwrap();
    config.c2c = Some(C2cConfig { links: 2 });
    config
}

fn program(text: &str) -> Program {
    let config = linked();
    let mut program = asm::assemble(&config, "test", text).unwrap();
    (0..config.num_queues()).for_each(|id| program.push(id, Instruction::End));
    program
}

/// Copies vectors 0 and 1 of slice 0 into slice 2, one before a wait and one behind it; the READ of the first issues in cycle `early`, the
/// wait in `wait`, and the WRITE of the first stays as late as it is.
fn copies(early: u32, wait: u32, what: &str) -> String {
    format!(
        "
.queue mem0.read
    nop {early}
    read e4, 0
    sync
    read e4, 1
.queue mem2.write
    nop {}
    write e4, 0
    sync
    nop 4
    write e4, 1
.queue c2c1.send
    nop {wait}
    {what}
    notify
",
        early + 4
    )
}

fn checked(text: &str) -> Result<Prediction, Violation> {
    check(&linked(), &program(text)).map_err(|found| found.list[0].clone())
}

fn refused(text: &str) -> String {
    match checked(text) {
        Err(violation @ Violation::Deskew { .. }) => violation.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_checked_is_right_for_every_wait() {
    let text = copies(1, 30, "deskew") + "nop 40\nruntime_deskew 50\n";
    let (config, program) = (linked(), program(&text));
    let predicted = check(&config, &program).unwrap();
    for hac in (0..4096).step_by(37) {
        for trim in [-3, 0, 2] {
            let mut machine = Machine::new(&config);
            let vectors = [1, 2].map(|value| Vector::encode(&[value; 8]));
            machine.write_sram(0, 0, &vectors[0]);
            machine.write_sram(0, 1, &vectors[1]);
            machine.set_clock(1, ProgramClock::new(hac).trim(35, trim));
            machine.load(&program).unwrap();
            let (report, _) = machine.launch_and_run(1 << 20).unwrap();
            assert!(report.faults.iter().all(Option::is_none), "HAC {hac}");
            assert_eq!([0, 1].map(|at| machine.sram(2, at)), vectors);
            let cycles = predicted.busy_cycles as i64 + machine.waited();
            assert_eq!(report.cycles as i64, cycles, "HAC {hac}, trim {trim}");
        }
    }
}

#[test]
fn cycles_are_those_of_the_shortest_wait_and_of_the_one_named() {
    let cycles = |what| checked(&copies(1, 40, what)).unwrap().busy_cycles;
    assert_eq!(cycles("runtime_deskew 100"), cycles("deskew") + 99);
    assert_eq!(cycles("runtime_deskew 1"), cycles("deskew"));
    assert_eq!(cycles("nop 3"), cycles("deskew"));
}

/// A vector under way could meet what comes behind the wait. One cycle less is not enough.
#[test]
fn what_was_issued_before_must_be_over() {
    // The WRITE is the last to issue, in cycle 5.
    let least = 5 + settle_cycles(&linked()) as u32 - 3;
    checked(&copies(1, least, "deskew")).unwrap();
    for what in ["deskew", "runtime_deskew 500"] {
        let text = refused(&copies(1, least - 1, what));
        assert_eq!(
            text,
            format!(
                "c2c1.send[1] {what} (issued in cycle 23): mem2.write[1] write e4, 0x0000 (issued in cycle 5) is over in cycle 27 only, and the wait may \
                 be in cycle 26: put a NOP 1 before it"
            )
        );
    }
}

#[test]
fn all_others_rest_until_it_is_over() {
    // Not there yet; released by a NOTIFY from before; a queue without a SYNC; two waits at once.
    let before = copies(1, 40, "notify\ndeskew");
    let late = copies(1, 40, "deskew") + ".queue mem3.read\nnop 41\nsync\n";
    let busy = copies(1, 40, "deskew") + ".queue mem3.read\nnop 1000\n";
    let two = copies(1, 40, "deskew") + ".queue c2c0.send\nnop 40\nruntime_deskew 9\n";
    for (text, queue, cycle) in [
        (before, "mem0.read", 41),
        (late, "mem3.read", 40),
        (busy, "mem3.read", 40),
        (two, "c2c1.send", 40),
    ] {
        let said = refused(&text);
        let expected = format!(
            "{queue} neither has ended nor rests in SYNC from cycle {cycle} to {}",
            cycle + 3
        );
        assert!(said.contains(&expected), "{said}");
    }
    // A queue that has ended is none of these.
    checked(&(copies(1, 40, "deskew") + ".queue mem3.read\nnop 40\n")).unwrap();
}

#[test]
fn only_a_link_waits() {
    for text in [
        ".queue mem0.read\ndeskew\n",
        ".queue c2c0.receive\nruntime_deskew 8\n",
    ] {
        let Err(Violation::Instruction { rule, .. }) = checked(text) else {
            panic!("{text}");
        };
        assert!(rule.contains("only the send queue of a link"), "{rule}");
    }
    let config = linked();
    let mut none = Program::new(&config);
    let send = Queue::new(QueueKind::C2cSend, 0).id(&config);
    none.push(send, Instruction::RuntimeDeskew { wait: 0 });
    (0..config.num_queues()).for_each(|id| none.push(id, Instruction::End));
    let found = check(&config, &none).unwrap_err().to_string();
    assert!(found.contains("waits from 1 to 65535 cycles"), "{found}");
}

/// Cycles of chips can be compared behind a wait when all of them wait in the same.
#[test]
fn chips_of_a_rack_wait_in_the_same_cycles() {
    let rack = Rack::new(2, Topology::Ring, 45).unwrap();
    let sender = |wait: u32| {
        let read = ".queue mem0.read\nsync\nread w2, 0\n";
        program(&format!(
            "{read}.queue c2c0.send\nnop {wait}\ndeskew\nnotify\nnop 5\nsend w2\n"
        ))
    };
    // The SEND issues 6 cycles behind the NOTIFY, the RECEIVE 55.
    let receiver = |receive: u32| {
        program(&format!(
            ".queue c2c0.send\nnop 9\ndeskew\nnotify\n.queue c2c1.receive\nsync\nnop {}\nreceive e0\n",
            receive - 3
        ))
    };
    let check = |programs: [Program; 2]| check_rack(&linked(), &rack, &programs);
    check([sender(9), receiver(55)]).unwrap();
    let early = check([sender(9), receiver(54)]).unwrap_err();
    assert!(early.contains("is there in cycle"), "{early}");
    assert_eq!(
        check([sender(8), receiver(55)]).unwrap_err(),
        "LPU 0 DESKEWs in cycles [8] and LPU 1 in [9]: let all chips do it in the same"
    );
}
