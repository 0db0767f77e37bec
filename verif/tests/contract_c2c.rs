//! SEND, RECEIVE and the two DESKEWs on the golden machine, at the cycles that `docs/c2c.md` gives.

mod bench;

use bench::{Bench, e, nano, ramp, read, w, write};
use lpu_isa::QueueKind::{C2cReceive, C2cSend, MemRead, MemWrite, Sxm};
use lpu_isa::config::{C2cConfig, SxmConfig};
use lpu_isa::rack::{Rack, Topology};
use lpu_isa::{Config, Instruction, Operation, Repeat};
use lpu_verif::FaultCode::{EccUncorrectable, IllegalInstruction, OperandMissing, StreamCollision};
use lpu_verif::c2c::ProgramClock;
use lpu_verif::rack::exchange;
use lpu_verif::{Command, Effect, Flit, Machine, Status, Vector};

fn linked(links: usize) -> Config {
    let mut config = nano();
    config.c2c = Some(C2cConfig { links });
    config
}

const fn send(stream: u8) -> Operation {
    Operation::Send { stream }
}

const fn receive(stream: u8) -> Operation {
    Operation::Receive {
        stream,
        word: false,
    }
}

/// What travels on the line: a vector without check bits.
fn bare(mut vector: Vector) -> Vector {
    vector.check = Default::default();
    vector
}

fn sends(b: &Bench) -> Vec<(u64, u8, Vector)> {
    let send = |event: &lpu_verif::Event| match event.effect {
        Effect::Send { link, vector } => Some((event.cycle, link, vector)),
        _ => None,
    };
    b.events.iter().filter_map(send).collect()
}

#[test]
fn a_vector_leaves_four_cycles_after_the_issue() {
    for slice in 0..4 {
        let mut b = Bench::new(linked(2));
        b.machine.write_sram(slice, 9, &ramp(3));
        b.op(10, MemRead, slice, read(w(5)), 9);
        // READ_LATENCY, and a hop for each slice on the way.
        let seen = 13 + slice as u64;
        b.op(seen, C2cSend, 1, send(5), 0);
        let report = b.run();
        assert_eq!(sends(&b), [(seen + 4, 1, bare(ramp(3)))]);
        let flit = Flit {
            link: 1,
            cycle: seen + 4,
            vector: bare(ramp(3)),
        };
        assert_eq!(b.machine.take_sent(), [flit]);
        b.expect_faults(&report, &[]);
    }
}

#[test]
fn a_cell_that_is_not_valid_is_not_sent() {
    for late in [-1, 1] {
        let mut b = Bench::new(linked(1));
        b.op(10, MemRead, 2, read(w(5)), 9);
        b.op(15u64.wrapping_add_signed(late), C2cSend, 0, send(5), 0);
        let report = b.run();
        assert_eq!(sends(&b), []);
        let recorded = (17 + late) as u32;
        b.expect_faults(&report, &[(C2cSend, 0, OperandMissing, recorded)]);
    }
}

#[test]
fn wrong_bits_are_found_where_a_vector_leaves() {
    let mut b = Bench::new(linked(1));
    b.machine.write_sram(0, 1, &ramp(3).with_flip(0, 17));
    let twice = ramp(5).with_flip(0, 17).with_flip(0, 64);
    b.machine.write_sram(0, 2, &twice);
    b.repeat(10, MemRead, 0, read(w(0)), 1, Repeat::inner(2, 1, 1));
    b.repeat(13, C2cSend, 0, send(0), 7, Repeat::inner(2, 1, 0));
    let report = b.run();
    let left = [(17, 0, bare(ramp(3))), (18, 0, bare(twice))];
    assert_eq!(sends(&b), left);
    let ecc = report.ecc[b.id(C2cSend, 0)];
    assert_eq!((ecc.corrected, ecc.uncorrectable), (1, 1));
    b.expect_faults(&report, &[(C2cSend, 0, EccUncorrectable, 18)]);
}

#[test]
fn flits_drive_in_the_order_in_which_they_came() {
    let mut b = Bench::new(linked(2));
    for (cycle, first) in [(18, 1), (20, 2)] {
        b.machine.arrive(Flit {
            link: 1,
            cycle,
            vector: bare(ramp(first)),
        });
    }
    b.repeat(20, C2cReceive, 1, receive(6), 0, Repeat::inner(2, 1, 0));
    // Visible in E[-1] three cycles after the issue, which MEM 0 sees; two hops further, MEM 2.
    b.repeat(25, MemWrite, 2, write(e(6)), 40, Repeat::inner(2, 1, 1));
    let report = b.run();
    assert_eq!(
        b.drives(),
        [(22, -1, e(6), ramp(1)), (23, -1, e(6), ramp(2))]
    );
    assert_eq!(b.machine.sram(2, 40), ramp(1));
    assert_eq!(b.machine.sram(2, 41), ramp(2));
    assert_eq!(b.machine.waiting_flits(), 0);
    b.expect_faults(&report, &[]);
}

#[test]
fn four_flits_make_a_vector_of_words() {
    let mut b = Bench::new(linked(1));
    for first in 1..=5 {
        b.machine.arrive(Flit {
            link: 0,
            cycle: 0,
            vector: bare(ramp(first)),
        });
    }
    let word = Operation::Receive {
        stream: 6,
        word: true,
    };
    b.repeat(20, C2cReceive, 0, word, 0, Repeat::inner(4, 2, 0));
    // Once more: the three before and the fifth.
    b.op(30, C2cReceive, 0, word, 0);
    let report = b.run();
    let planes =
        |cycle, first: u8| (0..4).map(move |plane| (cycle, -1, e(4 + plane), ramp(first + plane)));
    // The last of the four issues in 26.
    let expected: Vec<_> = planes(28, 1).chain(planes(32, 2)).collect();
    assert_eq!(b.drives(), expected);
    b.expect_faults(&report, &[]);
}

#[test]
fn a_receive_that_comes_before_its_flit_takes_nothing() {
    let mut b = Bench::new(linked(1));
    b.repeat(20, C2cReceive, 0, receive(6), 0, Repeat::inner(2, 1, 0));
    for id in 0..b.config.num_queues() {
        b.program.push(id, lpu_isa::Instruction::End);
    }
    b.machine.load(&b.program).unwrap();
    b.machine.launch();
    b.machine.arrive(Flit {
        link: 0,
        cycle: 21,
        vector: bare(ramp(1)),
    });
    assert_eq!(b.machine.run(1000, &mut b.events), Status::Finished);
    assert_eq!(b.drives(), [(23, -1, e(6), ramp(1))]);
    b.expect_faults(&b.machine.report(), &[(C2cReceive, 0, OperandMissing, 22)]);
}

/// What waits when a launch begins is there from its first cycle on, whatever cycle of the last launch it came in.
#[test]
fn flits_outlast_a_launch() {
    let mut b = Bench::new(linked(1));
    b.machine.arrive(Flit {
        link: 0,
        cycle: 900,
        vector: bare(ramp(1)),
    });
    b.op(0, C2cReceive, 0, receive(6), 0);
    let report = b.run();
    assert_eq!(b.drives(), [(2, -1, e(6), ramp(1))]);
    b.expect_faults(&report, &[]);
}

#[test]
fn links_that_drive_one_stream_collide_and_the_lowest_wins() {
    for (stream, collides) in [(3, true), (30, false)] {
        let mut b = Bench::new(linked(3));
        for link in 0..3 {
            b.machine.arrive(Flit {
                link,
                cycle: 0,
                vector: bare(ramp(link as u8)),
            });
        }
        b.op(20, C2cReceive, 0, receive(5), 0);
        b.op(20, C2cReceive, 1, receive(stream), 0);
        b.op(20, C2cReceive, 2, receive(stream), 0);
        b.op(23, MemWrite, 0, write(e(stream)), 40);
        let report = b.run();
        if collides {
            assert_eq!(b.machine.sram(0, 40), ramp(1));
            let both = [
                (C2cReceive, 1, StreamCollision, 22),
                (C2cReceive, 2, StreamCollision, 22),
            ];
            b.expect_faults(&report, &both);
        } else {
            // Stream 30 does not exist: nothing to collide with, nothing to see.
            b.expect_faults(&report, &[(MemWrite, 0, OperandMissing, 25)]);
        }
    }
}

#[test]
fn opcode_11_belongs_to_two_units() {
    let mut config = linked(1);
    config.sxm = Some(SxmConfig { maps: 4 });
    let mut b = Bench::new(config);
    b.op(10, Sxm, 0, send(0), 0);
    b.op(11, C2cSend, 0, receive(0), 0);
    b.op(12, C2cReceive, 0, Operation::TransposeStore { to: e(0) }, 0);
    let report = b.run();
    b.expect_faults(
        &report,
        &[
            (Sxm, 0, IllegalInstruction, 10),
            (C2cSend, 0, IllegalInstruction, 11),
            (C2cReceive, 0, IllegalInstruction, 12),
        ],
    );
}

/// A vector goes once round a ring of four chips: read, sent, received and sent on, until it is written where it came from.
#[test]
fn a_vector_goes_round_a_ring_in_windows_of_any_length() {
    let hop = 37;
    let rack = Rack::new(4, Topology::Ring, hop).unwrap();
    // Issue of the first SEND; a flit is there SEND_LATENCY + hop later, and crosses MEM 0 to slice 1 and back through SRAM.
    let lap = 4 + hop + (3 + 1) + 3 + (3 + 1);
    let run = |window: u64| {
        let mut chips: Vec<Machine> = Vec::new();
        for chip in 0..4 {
            let mut b = Bench::new(linked(2));
            let turn = |n: u64| 14 + n * lap;
            if chip == 0 {
                b.machine.write_sram(1, 5, &ramp(77));
                b.op(10, MemRead, 1, read(w(2)), 5);
                b.op(turn(0), C2cSend, 0, send(2), 0);
            }
            let n = if chip == 0 { 4 } else { chip };
            let arrives = turn(n - 1) + 4 + hop;
            b.op(arrives, C2cReceive, 1, receive(4), 0);
            b.op(arrives + 4, MemWrite, 1, write(e(4)), 6);
            if chip > 0 {
                b.op(arrives + 7, MemRead, 1, read(w(2)), 6);
                b.op(turn(n), C2cSend, 0, send(2), 0);
            }
            for id in 0..b.config.num_queues() {
                b.program.push(id, lpu_isa::Instruction::End);
            }
            b.machine.load(&b.program).unwrap();
            b.machine.launch();
            chips.push(b.machine);
        }
        let mut done = false;
        while !done {
            done = true;
            for chip in &mut chips {
                done &= chip.run(window, &mut Vec::new()) == Status::Finished;
            }
            assert_eq!(exchange(&rack, &mut chips), 0);
        }
        let cycles: Vec<u64> = chips.iter().map(|chip| chip.report().cycles).collect();
        for chip in &chips {
            assert_eq!(chip.sram(1, 6), ramp(77));
            assert_eq!(chip.report().faults, vec![None; 15]);
        }
        cycles
    };
    let expected = run(hop);
    for window in [1, 2, 17] {
        assert_eq!(run(window), expected);
    }
}

/// The next instruction behind a DESKEW issues two cycles after go, which is where the HAC is 0; behind a RUNTIME_DESKEW as many
/// cycles later as it says, and as the HAC has lost.
#[test]
fn programs_wait_for_their_link() {
    let wait = Instruction::RuntimeDeskew { wait: 30 };
    for (hac, trim, go, runtime) in [(4090, 0, 6, 30), (3000, -2, 1096, 32), (4091, 0, 4101, 30)] {
        let mut b = Bench::new(linked(2));
        let clock = ProgramClock::new(hac).trim(go + 10, trim);
        b.machine.set_clock(1, clock);
        b.at(5, C2cSend, 1, Instruction::Deskew);
        // Three cycles later at the earliest; the SENDs find nothing, and the first says when it issued.
        b.at(28, C2cSend, 1, wait);
        b.op(60, C2cSend, 1, send(0), 0);
        let report = b.run();
        let second = go + 2 + 20;
        let sent = second + runtime + 2;
        b.expect_faults(&report, &[(C2cSend, 1, OperandMissing, sent as u32 + 2)]);
        let command = |cycle, wait| Command {
            link: 1,
            cycle,
            wait,
        };
        let commands = [command(5, None), command(second, Some(30))];
        assert_eq!(b.machine.take_commands(), commands);
        assert_eq!(
            b.machine.waited(),
            (go - 6) as i64 + runtime as i64 - 30,
            "HAC {hac}"
        );
        assert_eq!(report.cycles, sent + 1 + 16);
    }
}

#[test]
fn a_silent_link_is_a_deadlock() {
    let mut b = Bench::new(linked(1));
    b.machine.set_clock(0, ProgramClock::silent());
    b.at(5, C2cSend, 0, Instruction::Deskew);
    for id in 0..b.config.num_queues() {
        b.program.push(id, Instruction::End);
    }
    b.machine.load(&b.program).unwrap();
    b.machine.launch();
    let status = b.machine.run(u64::MAX, &mut Vec::new());
    assert_eq!(status, Status::Deadlocked);
}
