//! SEND, RECEIVE and the two DESKEWs in RTL, against the golden machine and the cycles of `docs/c2c.md`.

mod pair;

use lpu_compiler::check;
use lpu_isa::QueueKind::{C2cReceive, C2cSend, MemRead, MemWrite};
use lpu_isa::config::C2cConfig;
use lpu_isa::latency::{GO_LATENCY, RECEIVE_LATENCY, SEND_LATENCY, drain_cycles};
use lpu_isa::{Config, Instruction, Operation, Program, Repeat, Stream, asm};
use lpu_verif::c2c::ProgramClock;
use lpu_verif::{Effect, Event, FaultCode, Flit, Source, Status, Vector};
use pair::{Pair, Schedule, all, preset, writes};

fn linked(links: usize) -> Config {
    let mut config = preset("nano");
    config.name = format!("nano_{links}_links");
    config.c2c = Some(C2cConfig { links });
    config
}

fn bare(mut vector: Vector) -> Vector {
    vector.check = Default::default();
    vector
}

fn sends(events: &[Event]) -> Vec<(u64, u8, Vector)> {
    let send = |event: &Event| match event.effect {
        Effect::Send { link, vector } => Some((event.cycle, link, vector)),
        _ => None,
    };
    events.iter().filter_map(send).collect()
}

fn comes(pair: &mut Pair, link: usize, value: u8) {
    let vector = bare(all(&pair.config, value));
    pair.arrive(Flit {
        link,
        cycle: 0,
        vector,
    });
}

const RECEIVE: Operation = Operation::Receive {
    stream: 3,
    word: false,
};
const SEND: Operation = Operation::Send { stream: 5 };

#[test]
fn latencies_are_those_of_the_contract() {
    let mut pair = Pair::new(&linked(2));
    let config = pair.config.clone();
    let word = |value| all(&config, value);
    pair.store(&[(2, 7, word(9)), (2, 8, word(8).with_flip(0, 3))]);
    comes(&mut pair, 1, 1);
    comes(&mut pair, 1, 2);
    let mut schedule = Schedule::default();
    let read = Operation::Read {
        stream: Stream::west(5),
    };
    schedule.repeat(10, MemRead, 2, read, 7, Repeat::inner(2, 1, 1));
    schedule.repeat(15, C2cSend, 0, SEND, 0, Repeat::inner(2, 1, 0));
    schedule.repeat(20, C2cReceive, 1, RECEIVE, 0, Repeat::inner(2, 3, 0));
    let write = Operation::Write {
        stream: Stream::east(3),
    };
    let arrival = 20 + RECEIVE_LATENCY + 1;
    schedule.repeat(arrival, MemWrite, 1, write, 30, Repeat::inner(2, 3, 1));
    let seen = pair.run(&schedule.program(&config));
    let left = 15 + SEND_LATENCY;
    let expected = [(left, 0, bare(word(9))), (left + 1, 0, bare(word(8)))];
    assert_eq!(sends(&seen.events), expected);
    let written: Vec<_> = writes(&seen.events);
    let expected = [(arrival + 2, 1, 30, word(1)), (arrival + 5, 1, 31, word(2))];
    assert_eq!(written, expected);
    assert!(seen.report.faults.iter().all(Option::is_none));
    let corrected = seen.report.ecc.iter().map(|ecc| ecc.corrected);
    assert_eq!(corrected.sum::<u32>(), 1);
}

#[test]
fn faults_are_those_of_the_contract() {
    let mut pair = Pair::new(&linked(2));
    let config = pair.config.clone();
    let twice = all(&config, 8).with_flip(0, 3).with_flip(0, 9);
    pair.store(&[(0, 7, twice)]);
    let id = |kind, link| lpu_isa::Queue::new(kind, link).id(&config);
    type Case<'c> = (&'c str, usize, &'c [(FaultCode, usize, u32)]);
    let cases: [Case<'_>; 4] = [
        (
            "no flit",
            0,
            &[(FaultCode::OperandMissing, id(C2cReceive, 0), 42)],
        ),
        (
            "no cell",
            1,
            &[(FaultCode::OperandMissing, id(C2cSend, 1), 42)],
        ),
        (
            "two wrong bits",
            2,
            &[(FaultCode::EccUncorrectable, id(C2cSend, 1), 44)],
        ),
        (
            "two drive one stream",
            3,
            &[
                (FaultCode::StreamCollision, id(C2cReceive, 0), 42),
                (FaultCode::StreamCollision, id(C2cReceive, 1), 42),
            ],
        ),
    ];
    for (name, case, expected) in cases {
        pair.clear();
        let mut schedule = Schedule::default();
        match case {
            0 => schedule.op(40, C2cReceive, 0, RECEIVE, 0),
            1 => schedule.op(40, C2cSend, 1, SEND, 0),
            2 => {
                let stream = Stream::west(5);
                schedule.op(37, MemRead, 0, Operation::Read { stream }, 7);
                schedule.op(40, C2cSend, 1, SEND, 0);
            }
            _ => {
                comes(&mut pair, 0, 1);
                comes(&mut pair, 1, 2);
                schedule.op(40, C2cReceive, 0, RECEIVE, 0);
                schedule.op(40, C2cReceive, 1, RECEIVE, 0);
                let stream = Stream::east(3);
                schedule.op(43, MemWrite, 0, Operation::Write { stream }, 9);
            }
        }
        let seen = pair.run(&schedule.program(&config));
        let faults = seen.report.faults.iter().enumerate();
        let found: Vec<_> = faults
            .filter_map(|(unit, fault)| fault.map(|fault| (fault.code, unit, fault.cycle)))
            .collect();
        assert_eq!(found, expected, "{name}");
        if case == 3 {
            let drives = seen.events.iter().filter(|event| {
                matches!(
                    event.effect,
                    Effect::Drive {
                        source: Source::C2c(_),
                        ..
                    }
                )
            });
            assert_eq!(drives.count(), 2);
            assert_eq!(writes(&seen.events)[0].3, all(&config, 1));
        }
    }
}

#[test]
fn four_flits_make_a_vector_of_words() {
    let mut pair = Pair::new(&linked(2));
    let config = pair.config.clone();
    for value in 0..8 {
        comes(&mut pair, 1, value);
    }
    let word = Operation::Receive {
        stream: 4,
        word: true,
    };
    let mut schedule = Schedule::default();
    let repeat = Repeat::inner(4, 1, 0).outer(2, 7, 0);
    schedule.repeat(20, C2cReceive, 1, word, 0, repeat);
    for plane in 0..4 {
        let stream = Stream::east(4 + plane);
        let last = 23 + RECEIVE_LATENCY + u64::from(plane);
        let write = Operation::Write { stream };
        let both = Repeat::inner(2, 7, 1);
        schedule.repeat(last, MemWrite, usize::from(plane), write, 50, both);
    }
    let seen = pair.run(&schedule.program(&config));
    assert!(seen.report.faults.iter().all(Option::is_none));
    let written: Vec<_> = writes(&seen.events)
        .iter()
        .map(|&(_, slice, at, vector)| (slice, at, vector))
        .collect();
    for plane in 0..4u8 {
        for turn in 0..2 {
            let expected = (plane, 50 + turn, all(&config, 4 * turn as u8 + plane));
            assert!(written.contains(&expected), "{expected:?}");
        }
    }
}

#[test]
fn operations_of_the_other_side_are_illegal() {
    let mut pair = Pair::new(&linked(2));
    comes(&mut pair, 0, 1);
    let mut schedule = Schedule::default();
    schedule.op(40, C2cReceive, 0, SEND, 0);
    schedule.op(41, C2cSend, 0, RECEIVE, 0);
    let config = pair.config.clone();
    let seen = pair.run(&schedule.program(&config));
    let faults: Vec<_> = seen.report.faults.iter().flatten().collect();
    let codes: Vec<_> = faults
        .iter()
        .map(|fault| (fault.code, fault.cycle))
        .collect();
    let illegal = FaultCode::IllegalInstruction;
    assert_eq!(codes, [(illegal, 41), (illegal, 40)]);
}

/// A flit in every cycle, both ways and on all links, for as long as the SRAM reaches.
#[test]
fn all_links_take_and_give_a_flit_in_every_cycle() {
    let mut pair = Pair::new(&linked(2));
    let config = pair.config.clone();
    let count = 200;
    let vectors: Vec<_> = (0..count).map(|n| (0, n, all(&config, n as u8))).collect();
    pair.store(&vectors);
    for n in 0..count {
        comes(&mut pair, 0, n as u8);
        comes(&mut pair, 1, 255 - n as u8);
    }
    let mut schedule = Schedule::default();
    let each = |stride| Repeat::inner(count as u32, 1, stride);
    let read = Operation::Read {
        stream: Stream::west(5),
    };
    schedule.repeat(10, MemRead, 0, read, 0, each(1));
    for link in 0..2 {
        schedule.repeat(13, C2cSend, link, SEND, 0, each(0));
        let stream = 2 + link as u8;
        let receive = Operation::Receive {
            stream,
            word: false,
        };
        schedule.repeat(20, C2cReceive, link, receive, 0, each(0));
        let stream = Stream::east(stream);
        let write = Operation::Write { stream };
        let slice = 1 + link;
        let at = 20 + RECEIVE_LATENCY + slice as u64;
        schedule.repeat(at, MemWrite, slice, write, 300, each(1));
    }
    let seen = pair.run(&schedule.program(&config));
    assert!(seen.report.faults.iter().all(Option::is_none));
    assert_eq!(sends(&seen.events).len(), 2 * count);
    assert_eq!(writes(&seen.events).len(), 2 * count);
    pair.compare_sram().unwrap();
}

/// A program from text, with END in every queue.
fn assembled(config: &Config, text: &str) -> Program {
    let mut program = asm::assemble(config, "test", text).expect("it assembles");
    (0..config.num_queues()).for_each(|id| program.push(id, Instruction::End));
    program
}

/// A barrier behind a DESKEW, and one behind a RUNTIME_DESKEW: a vector is sent 16 cycles after each NOTIFY.
const BARRIERS: &str = "
.queue mem0.read
    sync
    nop 10
    read w5, 7
    sync
    nop 10
    read w5, 8
.queue c2c1.send
    nop 20
    deskew
    notify
    nop 15
    send w5
    nop 40
    runtime_deskew 50
    notify
    nop 15
    send w5
";

#[test]
fn a_deskew_waits_for_the_epoch_and_a_runtime_deskew_takes_the_drift() {
    let mut pair = Pair::new(&linked(2));
    let config = pair.config.clone();
    let program = assembled(&config, BARRIERS);
    let predicted = check(&config, &program).expect("it keeps the rules");
    pair.store(&[(0, 7, all(&config, 9)), (0, 8, all(&config, 8))]);
    // HAC in cycle 0, a trim before the RUNTIME_DESKEW; go of the DESKEW, and what the drift adds.
    for (hac, trim, go, drift) in [
        (4000, 0, 96, 0),
        (4000, -3, 96, 3),
        (4000, 2, 96, -2),
        (4075, 1, 21, -1),
        (4076, 0, 4116, 0),
        (0, -1, 4096, 1),
    ] {
        // The link hears of the trim when the first barrier is over.
        let clock = ProgramClock::new(hac).trim(go + 20, trim);
        pair.set_clock(1, clock);
        let seen = pair.run(&program);
        let first = go + GO_LATENCY;
        let second = first + 57 + 50 + GO_LATENCY;
        let second = second.wrapping_add_signed(drift);
        let left = |notify: u64| notify + 16 + SEND_LATENCY;
        let expected = [
            (left(first), 1, bare(all(&config, 9))),
            (left(second), 1, bare(all(&config, 8))),
        ];
        assert_eq!(sends(&seen.events), expected, "HAC {hac}, trim {trim}");
        assert!(seen.report.faults.iter().all(Option::is_none));
        // Cycles are those of the checker and the waits: a DESKEW counts with the shortest, in which the link says go in the next cycle.
        let waited = (go - 20 - 1) as i64 + drift;
        assert_eq!(pair.golden.waited(), waited);
        let cycles = predicted.busy_cycles as i64 + waited;
        assert_eq!(seen.report.cycles as i64, cycles);
        assert!(!pair.rtl.clock(1).late() && !pair.golden.clock(1).late());
    }
}

#[test]
fn a_drift_of_more_than_the_wait_is_late_and_the_program_goes_on() {
    let mut pair = Pair::new(&linked(2));
    let config = pair.config.clone();
    let text =
        ".queue c2c0.send\n nop 9\n runtime_deskew 3\n send w5\n runtime_deskew 30\n send w5";
    let program = assembled(&config, text);
    // The HAC has run away: go in the cycle after the command, and the next wait is itself again.
    pair.set_clock(0, ProgramClock::new(100).trim(5, 40));
    let seen = pair.run(&program);
    let send = lpu_isa::Queue::new(C2cSend, 0).id(&config);
    let fault = seen.report.faults[send].expect("no cell is sent");
    assert_eq!(
        (fault.code, fault.cycle),
        (FaultCode::OperandMissing, 12 + 2)
    );
    assert!(pair.rtl.clock(0).late() && pair.golden.clock(0).late());
    let drain = drain_cycles(&config);
    assert_eq!(seen.report.cycles, 13 + 30 + 2 + 1 + drain);
}

#[test]
fn both_are_illegal_elsewhere() {
    let mut pair = Pair::new(&linked(2));
    let config = pair.config.clone();
    let text = "
.queue mem0.read
    nop 4
    deskew
.queue c2c0.receive
    nop 4
    runtime_deskew 3
.queue mxm0.weights
    nop 4
    runtime_deskew 3
";
    let seen = pair.run(&assembled(&config, text));
    let faults: Vec<_> = seen.report.faults.iter().flatten().collect();
    assert_eq!(faults.len(), 3);
    for fault in faults {
        let illegal = FaultCode::IllegalInstruction;
        assert_eq!((fault.code, fault.cycle), (illegal, 4));
    }
}

/// A link that never says go holds the program; the simulation ends at its limit and says so.
#[test]
fn a_silent_link_does_not_hang_the_simulation() {
    let mut pair = Pair::new(&linked(2));
    let config = pair.config.clone();
    pair.set_clock(1, ProgramClock::silent());
    pair.load(&assembled(&config, BARRIERS));
    let error = pair.try_launch().expect_err("it waits for ever");
    assert!(error.contains("does not end"), "{error}");
    pair.golden.launch();
    let status = pair.golden.run(1 << 40, &mut Vec::new());
    assert_eq!(status, Status::Deadlocked);
    pair.rtl.launch();
    assert!(pair.rtl.run(20_000, &mut Vec::new()), "still busy");
}
