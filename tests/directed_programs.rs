//! What random programs hardly reach, on RTL in lock-step with the golden machine: the limits of every field, queues that
//! meet in one cycle, launches that follow each other at once.

mod pair;

use lpu::rtl::Request;
use lpu_isa::QueueKind::{MemRead, MemWrite, MxmAccumulate, MxmCompute, MxmWeights};
use lpu_isa::latency::*;
use lpu_isa::{
    AccMode, Config, Instruction, Operation, Program, Queue, Repeat, Stream, memory_map as map,
};
use lpu_verif::FaultCode::{self, *};
use lpu_verif::machine::Fault;
use lpu_verif::{Effect, Source, Vector};
use pair::{Pair, Schedule, all, drives, preset, reads, writes};

const EAST: Stream = Stream::east(0);
const READ: Operation = Operation::Read { stream: EAST };

fn nano() -> Pair {
    Pair::new(&preset("nano"))
}

fn ends(config: &Config) -> Program {
    Schedule::default().program(config)
}

fn fault(code: FaultCode, cycle: u64) -> Option<Fault> {
    Some(Fault {
        code,
        cycle: cycle as u32,
    })
}

#[test]
fn nothing_but_end() {
    let mut pair = nano();
    let program = ends(&pair.config);
    for _ in 0..3 {
        let seen = pair.run(&program);
        assert_eq!((seen.report.cycles, seen.events.len()), (DRAIN_CYCLES, 0));
    }
}

/// A SYNC in every position around a NOTIFY, then around two of them.
#[test]
fn sync_around_notify() {
    let mut pair = nano();
    for gap in 1..=5 {
        for sync in 6..=16 {
            let mut schedule = Schedule::default();
            for notify in [10, 10 + gap, 40, 50] {
                schedule.at(notify, MxmAccumulate, 0, Instruction::Notify);
            }
            // Two SYNCs in a row, a READ after each, and one in another queue that waits from the start.
            schedule.at(sync, MemRead, 0, Instruction::Sync);
            schedule.op(sync + 1, MemRead, 0, READ, 1);
            schedule.at(sync + 2, MemRead, 0, Instruction::Sync);
            schedule.op(sync + 3, MemRead, 0, READ, 2);
            schedule.at(0, MemRead, 1, Instruction::Sync);
            schedule.op(1, MemRead, 1, READ, 3);
            let program = schedule.program(&pair.config);
            let seen = pair.run(&program);
            // A pulse is seen 2 cycles after its NOTIFY and frees a SYNC that issues in that cycle or before.
            let pulses = [10, 10 + gap, 40, 50].map(|notify| notify + NOTIFY_LATENCY - 1);
            let free = |from: u64| {
                1 + *pulses
                    .iter()
                    .find(|&&pulse| pulse >= from)
                    .expect("a pulse")
            };
            let first = free(sync);
            let second = free(first + 1);
            let mut expected = vec![(first, 0), (second, 0), (13, 1)];
            expected.sort();
            assert_eq!(
                reads(&seen.events),
                expected,
                "NOTIFYs {gap} apart, SYNC in {sync}"
            );
        }
    }
}

/// The notifier itself waits for another queue's NOTIFY of the same cycle.
#[test]
fn notifies_of_one_cycle_are_one_pulse() {
    let mut pair = nano();
    let mut schedule = Schedule::default();
    for (kind, index) in [(MemWrite, 0), (MxmCompute, 0), (MxmWeights, 0)] {
        schedule.at(7, kind, index, Instruction::Notify);
    }
    schedule.at(8, MxmWeights, 0, Instruction::Sync);
    schedule.at(0, MemRead, 2, Instruction::Sync);
    schedule.op(1, MemRead, 2, READ, 0);
    let seen = pair.run(&schedule.program(&pair.config.clone()));
    assert_eq!(reads(&seen.events), [(10, 2)]);
    assert_eq!(seen.report.cycles, 10 + 1 + DRAIN_CYCLES);
}

#[test]
fn operations_of_units_that_the_machine_lacks() {
    let mut pair = nano();
    let config = pair.config.clone();
    let from = Stream::east(0);
    for operation in [
        Operation::Vector { a: from, b: from },
        Operation::TransposeLoad { from },
    ] {
        for queue in 0..config.num_queues() {
            let mut program = Program::new(&config);
            // In cycle 9, and the next instruction in 10; the READ is another foreign opcode but in MEM read queues.
            program.push(queue, Instruction::Nop { cycles: 9 });
            program.push(queue, Instruction::once(operation, 0));
            program.push(queue, Instruction::once(READ, 4));
            (0..config.num_queues()).for_each(|id| program.push(id, Instruction::End));
            pair.load(&program);
            pair.clear();
            let seen = pair.launch();
            assert_eq!(seen.report.faults[queue], fault(IllegalInstruction, 9));
            assert_eq!(seen.report.cycles, 11 + DRAIN_CYCLES);
            let unit = Queue::from_id(queue, &config).unwrap();
            let issued = unit.kind == MemRead;
            assert_eq!(reads(&seen.events).len(), usize::from(issued));
        }
    }
}

#[test]
fn foreign_operations() {
    let mut pair = nano();
    let config = pair.config.clone();
    let operations = [
        READ,
        Operation::Gather {
            stream: EAST,
            offset: EAST,
        },
        Operation::Write { stream: EAST },
        Operation::Scatter {
            stream: EAST,
            offset: EAST,
        },
        Operation::LoadWeights {
            stream: 0,
            column: false,
            install: true,
        },
        Operation::InstallWeights,
        Operation::LoadOperand {
            stream: 0,
            scales: None,
        },
        Operation::MultiplyStream {
            stream: 0,
            scales: None,
        },
        Operation::MultiplyBuffer { scaled: false },
        Operation::Accumulate {
            stream: 0,
            init: AccMode::Always,
            emit: AccMode::Always,
        },
    ];
    let configure = Instruction::Config {
        register: 0,
        value: 2,
    };
    let instructions = operations.map(|op| Instruction::repeated(op, 1, Repeat::inner(5, 2, 1)));
    let mut illegal = 0;
    for (queue, unit) in Queue::all(&config).enumerate() {
        for &instruction in instructions.iter().chain([&configure]) {
            let mut schedule = Schedule::default();
            schedule.at(3, unit.kind, unit.index, instruction);
            pair.clear();
            let seen = pair.run(&schedule.program(&config));
            if seen.report.faults[queue] == fault(IllegalInstruction, 3) {
                // It acts as NOP 1 whatever its repeats: the program's END issues in cycle 4.
                assert_eq!(
                    seen.report.cycles,
                    4 + DRAIN_CYCLES,
                    "{instruction:?} in {unit}"
                );
                illegal += 1;
            }
        }
    }
    // 4 slices take 2 operations in either queue; the plane's queues take LW, IW and CONFIG, LX and two MM, ACC.
    assert_eq!(illegal, 8 * 9 + (11 - 3) + (11 - 3) + (11 - 1));
}

#[test]
fn a_full_queue_without_end() {
    let mut pair = nano();
    let config = pair.config.clone();
    for (queue, unit) in Queue::all(&config).enumerate() {
        let mut program = Program::new(&config);
        for id in 0..config.num_queues() {
            if id != queue {
                program.push(id, Instruction::End);
            }
        }
        for _ in 1..config.icu.queue_depth {
            program.push(queue, Instruction::Nop { cycles: 1 });
        }
        program.push(queue, Instruction::Nop { cycles: 3 });
        pair.clear();
        let seen = pair.run(&program);
        let end = config.icu.queue_depth as u64 - 1 + 3;
        assert_eq!(
            seen.report.faults[queue],
            fault(IllegalInstruction, end),
            "{unit}"
        );
        assert_eq!(seen.report.cycles, end + DRAIN_CYCLES);
    }
}

#[test]
fn limits_of_the_fields_of_a_repeat() {
    let mut pair = nano();
    let config = pair.config.clone();
    let mut schedule = Schedule::default();
    schedule.at(
        0,
        MemRead,
        0,
        Instruction::Nop {
            cycles: (1 << 20) - 1,
        },
    );
    schedule.op((1 << 20) - 1, MemRead, 0, READ, 7);
    // 65536 issues with the steepest strides, which wrap the address.
    schedule.repeat(0, MemRead, 1, READ, 0xfff0, Repeat::inner(65536, 1, 2047));
    schedule.repeat(
        0,
        MemRead,
        2,
        READ,
        3,
        Repeat::inner(9, 4095, -2048).outer(2, (1 << 20) - 1, 0xffff),
    );
    schedule.repeat(
        0,
        MemRead,
        3,
        READ,
        0,
        Repeat::inner(1, 1, 0).outer(65536, 2, 0x8001),
    );
    pair.set_base(4, 0xfff8);
    let seen = pair.run(&schedule.program(&config));
    let count = |slice| {
        reads(&seen.events)
            .iter()
            .filter(|read| read.1 == slice)
            .count()
    };
    assert_eq!([0, 1, 2, 3].map(count), [1, 65536, 18, 65536]);
    // The last READ of slice 2 issues in 2^20 - 1 + 8 * 4095, the END of its queue a cycle later.
    assert_eq!(seen.report.cycles, (1 << 20) + 8 * 4095 + DRAIN_CYCLES);
}

/// An accumulator passes 2^31 and 2^32.
#[test]
fn sums_wrap() {
    let mut pair = nano();
    let config = pair.config.clone();
    let least = all(&config, 0x80);
    pair.store(&[(0, 0, least), (1, 0, least), (2, 0, least), (3, 0, least)]);
    let mut schedule = Schedule::default();
    let way = |slice: usize| READ_LATENCY + 3 - slice as u64;
    for slice in 0..4 {
        let read = Operation::Read {
            stream: Stream::east(slice as u8),
        };
        schedule.repeat(
            10 - way(slice),
            MemRead,
            slice,
            read,
            0,
            Repeat::inner(if slice == 0 { 40000 } else { 2 }, 1, 0),
        );
    }
    let load = Operation::LoadWeights {
        stream: 0,
        column: false,
        install: true,
    };
    schedule.repeat(10, MxmWeights, 0, load, 0, Repeat::inner(2, 1, 4));
    let count = 39000;
    let once = |interval| Repeat::inner(count, interval, 0);
    schedule.repeat(
        13,
        MxmCompute,
        0,
        Operation::MultiplyStream {
            stream: 0,
            scales: None,
        },
        0,
        once(1),
    );
    let sum = Operation::Accumulate {
        stream: 0,
        init: AccMode::Inner,
        emit: AccMode::Always,
    };
    schedule.repeat(13 + mm_latency(&config), MxmAccumulate, 0, sum, 5, once(1));
    let seen = pair.run(&schedule.program(&config));
    let bytes = [0, 1, 2, 3].map(|b| drives(&seen.events, Stream::west(b)));
    for (i, at) in (0..count as usize)
        .step_by(977)
        .map(|i| (i, (i as u64 + 1) * 8 * 128 * 128))
    {
        let lane =
            |n: usize| u32::from_le_bytes([0, 1, 2, 3].map(|b: usize| bytes[b][i].1.lane(n)));
        assert!(
            (0..8).all(|n| lane(n) == at as u32),
            "after {} products",
            i + 1
        );
    }
    assert_eq!(bytes[0].len(), count as usize);
}

#[test]
fn of_two_faults_in_one_cycle_the_lower_code_stays() {
    let mut pair = nano();
    let mut schedule = Schedule::default();
    // Recorded in cycle 12: a missing operand (LX of cycle 10) and a row past the end (MM of cycle 12).
    schedule.op(
        10,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 0,
            scales: None,
        },
        0,
    );
    schedule.op(
        12,
        MxmCompute,
        0,
        Operation::MultiplyBuffer { scaled: false },
        0xffff,
    );
    // The same the other way round in time: the address first.
    schedule.op(10, MemWrite, 0, Operation::Write { stream: EAST }, 0x8000);
    let config = pair.config.clone();
    let seen = pair.run(&schedule.program(&config));
    let unit = |kind| Queue::new(kind, 0).id(&config);
    assert_eq!(
        seen.report.faults[unit(MxmCompute)],
        fault(OperandMissing, 12)
    );
    assert_eq!(seen.report.faults[unit(MemWrite)], fault(AddressRange, 10));
    assert_eq!(
        seen.report.faults[unit(MxmAccumulate)],
        fault(ResultLost, 12 + mm_latency(&config))
    );
}

/// Two planes drive the same streams in one cycle.
#[test]
fn planes_collide() {
    let mut config = preset("nano");
    config.name = "planes".to_owned();
    (config.streams, config.mem.slices, config.mem.depth) = (8, 3, 32);
    (config.mxm.planes, config.mxm.weight_streams) = (2, 2);
    (
        config.mxm.accumulator_depth,
        config.mxm.operand_depth,
        config.icu.queue_depth,
    ) = (4, 2, 64);
    let mut pair = Pair::new(&config);
    let (one, two) = (all(&config, 1), all(&config, 2));
    pair.store(&[(0, 0, one), (1, 0, two), (2, 0, one)]);
    let mut schedule = Schedule::default();
    // Both planes get weights of one in row 0, plane 1 also in row 1.
    let way = |slice: usize| READ_LATENCY + 2 - slice as u64;
    for (slice, index) in [(0, 0), (2, 1)] {
        let read = Operation::Read {
            stream: Stream::east(index),
        };
        schedule.op(20 - way(slice), MemRead, slice, read, 0);
    }
    let load = Operation::LoadWeights {
        stream: 0,
        column: false,
        install: true,
    };
    schedule.op(20, MxmWeights, 0, load, 0);
    schedule.op(20, MxmWeights, 1, load, 0);
    let read = Operation::Read {
        stream: Stream::east(2),
    };
    schedule.repeat(30 - way(1), MemRead, 1, read, 0, Repeat::inner(2, 1, 0));
    let accumulate = |stream, init| Operation::Accumulate {
        stream,
        init,
        emit: AccMode::Always,
    };
    for plane in 0..2 {
        // The second product of plane 1 adds to the first: the planes' results differ.
        schedule.repeat(
            30,
            MxmCompute,
            plane,
            Operation::MultiplyStream {
                stream: 2,
                scales: None,
            },
            0,
            Repeat::inner(2, 1, 0),
        );
        let init = if plane == 0 {
            AccMode::Always
        } else {
            AccMode::Inner
        };
        let both = Repeat::inner(2, 1, 0);
        schedule.repeat(
            30 + mm_latency(&config),
            MxmAccumulate,
            plane,
            accumulate(4, init),
            0,
            both,
        );
    }
    let drive = 31 + mm_latency(&config) + acc_latency(&config) - 1;
    let store = Operation::Write {
        stream: Stream::west(4),
    };
    schedule.op(drive + 1, MemWrite, 2, store, 9);
    let program = schedule.program(&config);
    let seen = pair.run(&program);
    for plane in 0..2 {
        let unit = Queue::new(MxmAccumulate, plane).id(&config);
        assert_eq!(seen.report.faults[unit], fault(StreamCollision, drive - 1));
    }
    let driven = |plane| {
        let drives = seen.events.iter().filter_map(|event| match event.effect {
            Effect::Drive {
                source,
                stream,
                vector,
            } if source == Source::Mxm(plane) && stream == Stream::west(4) => Some(vector),
            _ => None,
        });
        drives.collect::<Vec<Vector>>()
    };
    let (first, second) = (driven(0), driven(1));
    assert_eq!((first[0], first.len(), second.len()), (second[0], 2, 2));
    assert_ne!(first[1], second[1]);
    let stored = writes(&seen.events);
    assert_eq!(
        stored,
        [(drive + 1 + SELECT_LATENCY, 2, 9, first[1])],
        "the lowest plane wins"
    );
}

/// A vector still flows when busy has fallen; the next launch, as early as can be, does not see it.
#[test]
fn a_launch_finds_no_stream_valid() {
    let mut config = preset("nano");
    config.name = "long".to_owned();
    (config.streams, config.mem.slices, config.mem.depth) = (4, 30, 16);
    (
        config.mxm.accumulator_depth,
        config.mxm.operand_depth,
        config.icu.queue_depth,
    ) = (2, 2, 64);
    let mut pair = Pair::new(&config);
    pair.store(&[(0, 1, all(&config, 1)), (29, 1, all(&config, 2))]);
    // Issued in cycle 0, seen by slice 29 in cycle 31; a first launch with a WRITE there shows that.
    let reads = |schedule: &mut Schedule| {
        schedule.op(0, MemRead, 0, READ, 1);
        schedule.op(
            0,
            MemRead,
            29,
            Operation::Read {
                stream: Stream::west(3),
            },
            1,
        );
    };
    let seen_in = READ_LATENCY + 28;
    let mut schedule = Schedule::default();
    reads(&mut schedule);
    schedule.op(seen_in, MemWrite, 29, Operation::Write { stream: EAST }, 4);
    schedule.op(
        seen_in,
        MemWrite,
        0,
        Operation::Write {
            stream: Stream::west(3),
        },
        4,
    );
    let seen = pair.run(&schedule.program(&config));
    assert_eq!(writes(&seen.events).len(), 2);
    // The launch of only the READs ends in cycle 17; what flows would be seen 31 - 17 - 4 cycles or so after the next launch.
    let mut schedule = Schedule::default();
    reads(&mut schedule);
    let short = schedule.program(&config);
    let mut schedule = Schedule::default();
    let sample = Repeat::inner(15, 1, 0);
    schedule.repeat(
        0,
        MemWrite,
        29,
        Operation::Write { stream: EAST },
        5,
        sample,
    );
    schedule.repeat(
        0,
        MemWrite,
        0,
        Operation::Write {
            stream: Stream::west(3),
        },
        5,
        sample,
    );
    let sampling = schedule.program(&config);
    // Both programs in one: the host has no time to load. Slice 29 and 0 write from the start, which finds nothing in either launch.
    let mut both = Program::new(&config);
    for queue in 0..config.num_queues() {
        let source = if queue % 2 == 0 { &short } else { &sampling };
        source
            .queue(queue)
            .iter()
            .for_each(|&instruction| both.push(queue, instruction));
    }
    pair.load(&both);
    pair.clear();
    let launch = Request::Write(map::CONTROL, map::CONTROL_LAUNCH);
    // A request every cycle: refused while the tile is busy, and taken as soon as it is not.
    let answers = pair.rtl.request(&[launch; 60]);
    let taken: Vec<_> = answers
        .iter()
        .enumerate()
        .filter(|(_, answer)| answer.is_ok())
        .map(|(at, _)| at as u64)
        .collect();
    let busy = 15 + DRAIN_CYCLES;
    // Busy is low in cycle 31 of the first launch; it is judged a cycle after the request.
    assert_eq!(taken, [0, LAUNCH_LATENCY + busy - 1]);
    pair.rtl.model().step(200);
    let at = |address| Request::Read(map::sram(&config, address, 5, 0));
    assert_eq!(
        pair.rtl.request(&[at(0), at(29)]),
        [Ok(0), Ok(0)],
        "a value of the launch before"
    );
}

/// The comparison of these tests fails when values, cycles or registers differ.
#[test]
fn differences_are_found() {
    let mut pair = nano();
    let config = pair.config.clone();
    let mut schedule = Schedule::default();
    schedule.op(9, MemRead, 0, READ, 3);
    schedule.op(12, MemWrite, 1, Operation::Write { stream: EAST }, 4);
    let program = schedule.program(&config);
    pair.store(&[(0, 3, all(&config, 1))]);
    pair.load(&program);
    let right = pair.golden.clone();
    let mut wrong = |what: &str, change: &dyn Fn(&mut lpu_verif::Machine)| {
        pair.golden = right.clone();
        change(&mut pair.golden);
        let difference = pair.try_launch().expect_err("they differ");
        assert!(difference.contains(what), "{difference}");
    };
    wrong("cycle 11", &|golden| {
        golden.write_sram(0, 3, &all(&config, 2))
    });
    wrong("cycle 11", &|golden| {
        golden.write_sram(0, 3, &all(&config, 1).with_flip(0, 70))
    });
    wrong("cycle 14", &|golden| golden.set_base(3, 1));
    let mut later = Schedule::default();
    later.op(10, MemRead, 0, READ, 3);
    let later = later.program(&config);
    wrong("cycle 9", &|golden| golden.load(&later).expect("it fits"));
    // Nothing to see but the END of a queue a cycle later, or a fault.
    let mut longer = program.clone();
    let mut extra = Program::new(&config);
    for queue in 0..config.num_queues() {
        let list = longer.queue(queue).to_vec();
        let (last, body) = list.split_last().expect("END");
        body.iter()
            .for_each(|&instruction| extra.push(queue, instruction));
        extra.push(
            queue,
            if queue == 3 {
                Instruction::Nop { cycles: 1 }
            } else {
                *last
            },
        );
        if queue == 3 {
            extra.push(queue, *last);
        }
    }
    longer = extra;
    wrong("CYCLE", &|golden| golden.load(&longer).expect("it fits"));
    let mut faulty = Schedule::default();
    faulty.op(9, MemRead, 0, READ, 3);
    faulty.op(12, MemWrite, 1, Operation::Write { stream: EAST }, 4);
    faulty.op(
        12,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 3,
            scales: None,
        },
        0,
    );
    let faulty = faulty.program(&config);
    wrong("FAULT of mxm0.compute", &|golden| {
        golden.load(&faulty).expect("it fits")
    });
    pair.golden = right.clone();
    pair.launch();
    pair.compare_sram().expect("the same memory");
    pair.golden
        .write_sram(2, 6, &all(&config, 0).with_flip(0, 70));
    let difference = pair.compare_sram().expect_err("one error more to correct");
    assert!(difference.contains("ECC of the host"), "{difference}");
    pair.golden.write_sram(2, 6, &all(&config, 1));
    let difference = pair.compare_sram().expect_err("another word");
    assert!(
        difference.contains("SRAM of slice 2, vector 6"),
        "{difference}"
    );
}
