//! The host port of the tile, and every latency of `lpu_isa::latency` measured on RTL through it.

mod pair;

use lpu::rtl::Rtl;
use lpu::rtl::{Answer, Request};
use lpu_isa::QueueKind::{self, MemRead, MemWrite, MxmAccumulate, MxmCompute, MxmWeights};
use lpu_isa::latency::*;
use lpu_isa::{
    AccMode, Config, Instruction, Operation, Program, Queue, Repeat, Stream, memory_map as map,
};
use lpu_verif::{Event, FaultCode, LaunchReport};
use pair::{Pair, Random, Schedule, all, drives, model, one_hot, preset, reads, writes};

const REFUSED: Answer = Err(0);

fn tile(config: &Config) -> Rtl {
    Rtl::new(config, &model(config)).expect("the model loads")
}

fn read(rtl: &mut Rtl, address: u32) -> Answer {
    rtl.request(&[Request::Read(address)])[0]
}

fn write(rtl: &mut Rtl, address: u32, data: u64) -> Answer {
    rtl.request(&[Request::Write(address, data)])[0]
}

/// All queues wait `cycles` cycles and end.
fn wait(config: &Config, cycles: u32) -> Program {
    let mut program = Program::new(config);
    for queue in 0..config.num_queues() {
        program.push(queue, Instruction::Nop { cycles });
        program.push(queue, Instruction::End);
    }
    program
}

#[test]
fn sram_programs_and_registers_read_back() {
    let config = preset("edge");
    let mut rtl = tile(&config);
    let mut random = Random(1);
    let mut places = vec![];
    for slice in 0..config.mem.slices {
        let last = config.mem.depth - 1;
        for address in [0, 1, last, random.below(config.mem.depth - 3) + 2] {
            places.extend((0..config.lanes / 8).map(|g| map::sram(&config, slice, address, g)));
        }
    }
    for queue in 0..config.num_queues() {
        let last = config.icu.queue_depth - 1;
        for index in [0, 1, last, random.below(config.icu.queue_depth - 3) + 2] {
            places.extend([0, 1].map(|half| map::program(queue, index, half)));
        }
    }
    let count = 2 * config.mem.slices as u32;
    let bases = map::BASE..map::BASE + count;
    let values: Vec<_> = places.iter().map(|&place| (place, random.word())).collect();
    let values: Vec<_> = values
        .into_iter()
        .chain(bases.map(|base| (base, random.word() >> 48)))
        .collect();
    let writes: Vec<_> = values
        .iter()
        .map(|&(place, data)| Request::Write(place, data))
        .collect();
    assert!(rtl.request(&writes).iter().all(|answer| *answer == Ok(0)));
    let reads: Vec<_> = values
        .iter()
        .map(|&(place, _)| Request::Read(place))
        .collect();
    let expected: Vec<_> = values.iter().map(|&(_, data)| Ok(data)).collect();
    assert_eq!(rtl.request(&reads), expected);
    // Writes and reads in turn: each read sees the write just before it.
    let turns: Vec<_> = values
        .iter()
        .flat_map(|&(place, data)| {
            [
                Request::Write(place, data & 0xffff ^ 1),
                Request::Read(place),
            ]
        })
        .collect();
    for (pair, &(place, data)) in rtl.request(&turns).chunks(2).zip(&values) {
        assert_eq!(pair, [Ok(0), Ok(data & 0xffff ^ 1)], "{place:#010x}");
    }
    assert_eq!(read(&mut rtl, map::CONFIG_HASH), Ok(config.hash_word()));
    assert_eq!(read(&mut rtl, map::STATUS), Ok(0));
    assert_eq!(read(&mut rtl, map::CONTROL), Ok(0));
    for (register, mask) in [(map::INJECT_DATA, u64::MAX), (map::INJECT_CHECK, 0xff)] {
        let value = random.word() & mask;
        assert_eq!(write(&mut rtl, register, value), Ok(0));
        assert_eq!(read(&mut rtl, register), Ok(value));
        assert_eq!(write(&mut rtl, register, 0), Ok(0));
    }
}

/// Addresses at which there is nothing, around everything there is.
fn holes(config: &Config) -> Vec<u32> {
    let mem = 2 * config.mem.slices as u32;
    let units = config.num_queues() as u32;
    let words = (config.mem.depth * config.lanes / 8) as u32;
    let slices = config.mem.slices as u32;
    let depth = config.icu.queue_depth as u32;
    let mut holes = vec![
        0x6,
        0xff,
        map::BASE + mem,
        map::BASE + units - 1,
        map::BASE + 0xff,
        map::FAULT + units,
        map::FAULT + map::ECC_HOST_UNIT,
        map::ECC + units,
        map::ECC + map::ECC_HOST_UNIT - 1,
        0x400,
        map::SRAM - 1,
        map::SRAM + words,
        map::SRAM + (1 << 22) - 1,
        map::SRAM + (slices << 22),
        map::SRAM + (63 << 22),
        map::SRAM + ((slices - 1) << 22) + words,
        map::PROGRAM + 2 * depth,
        map::PROGRAM + (1 << 20) - 1,
        map::PROGRAM + (units << 20),
        map::PROGRAM + (0xff << 20),
        map::PROGRAM + ((units - 1) << 20) + 2 * depth,
        0x3000_0000,
        0xffff_ffff,
    ];
    // One unused bit of the address of a register, one after another.
    holes.extend(
        (10..32)
            .map(|bit| 1u32 << bit | map::STATUS)
            .filter(|address| address >> 28 == 0),
    );
    holes.extend([0x8000_0000, 0x4000_0001, 0xa000_0000, 0x9000_0000]);
    holes
}

#[test]
fn what_is_not_there_is_refused_without_an_effect() {
    let config = preset("nano");
    let mut rtl = tile(&config);
    let holes = holes(&config);
    // Marks where a decoder that ignores bits of the address would hit.
    let mut marks = vec![];
    for slice in 0..config.mem.slices {
        marks
            .extend([0, config.mem.depth - 1].map(|address| map::sram(&config, slice, address, 0)));
    }
    for queue in 0..config.num_queues() {
        marks.extend([0, config.icu.queue_depth - 1].map(|index| map::program(queue, index, 0)));
    }
    marks.extend((0..2 * config.mem.slices as u32).map(|queue| map::BASE + queue));
    let mark = |place: &u32| Request::Write(*place, u64::from(*place) & 0x7fff);
    assert!(
        rtl.request(&marks.iter().map(mark).collect::<Vec<_>>())
            .iter()
            .all(Answer::is_ok)
    );
    for &hole in &holes {
        assert_eq!(read(&mut rtl, hole), REFUSED, "read {hole:#010x}");
        assert_eq!(
            write(&mut rtl, hole, u64::MAX),
            REFUSED,
            "write {hole:#010x}"
        );
    }
    let units = config.num_queues() as u32;
    let read_only = [
        map::STATUS,
        map::CYCLE,
        map::CONFIG_HASH,
        map::ECC + map::ECC_HOST_UNIT,
    ];
    let per_unit = (0..units).flat_map(|unit| [map::FAULT + unit, map::ECC + unit]);
    for register in read_only.into_iter().chain(per_unit) {
        assert_eq!(
            write(&mut rtl, register, u64::MAX),
            REFUSED,
            "write {register:#010x}"
        );
        assert!(read(&mut rtl, register).is_ok(), "read {register:#010x}");
    }
    let still: Vec<_> = marks.iter().map(|place| Request::Read(*place)).collect();
    let expected: Vec<_> = marks
        .iter()
        .map(|place| Ok(u64::from(*place) & 0x7fff))
        .collect();
    assert_eq!(rtl.request(&still), expected);
    assert_eq!(read(&mut rtl, map::STATUS), Ok(0));
    assert_eq!(
        [map::INJECT_DATA, map::INJECT_CHECK].map(|at| read(&mut rtl, at)),
        [Ok(0), Ok(0)]
    );
    assert_eq!(read(&mut rtl, map::ECC + map::ECC_HOST_UNIT), Ok(0));
}

#[test]
fn a_running_tile_refuses_what_would_disturb_it() {
    let config = preset("nano");
    let mut rtl = tile(&config);
    rtl.load(&wait(&config, 3000)).unwrap();
    let (word, instruction) = (map::sram(&config, 2, 5, 0), map::program(3, 9, 1));
    let kept = [
        word,
        instruction,
        map::BASE + 1,
        map::INJECT_DATA,
        map::INJECT_CHECK,
    ];
    for place in kept {
        assert_eq!(write(&mut rtl, place, 0), Ok(0));
    }
    let launch = Request::Write(map::CONTROL, map::CONTROL_LAUNCH);
    let disturb = |value| kept.map(|place| Request::Write(place, value));
    // In the very next cycles after the launch request, and in the middle of the run.
    let mut requests = vec![launch, launch];
    requests.extend(disturb(1));
    requests.extend([Request::Read(word), Request::Read(instruction)]);
    requests.push(Request::Write(
        map::CONTROL,
        map::CONTROL_LAUNCH | map::CONTROL_CLEAR,
    ));
    let answers = rtl.request(&requests);
    assert_eq!(answers[0], Ok(0));
    assert_eq!(answers[1..], vec![REFUSED; requests.len() - 1]);
    assert_eq!(read(&mut rtl, map::STATUS), Ok(map::STATUS_BUSY));
    rtl.model().step(500);
    let later = rtl.request(&requests[1..]);
    assert_eq!(later, vec![REFUSED; requests.len() - 1]);
    // What may be read and written while the tile runs.
    for place in [
        map::CONTROL,
        map::BASE + 1,
        map::INJECT_DATA,
        map::INJECT_CHECK,
        map::FAULT,
        map::ECC,
    ] {
        assert_eq!(read(&mut rtl, place), Ok(0), "{place:#x}");
    }
    assert_eq!(write(&mut rtl, map::CONTROL, map::CONTROL_CLEAR), Ok(0));
    assert_eq!(write(&mut rtl, map::CONTROL, 0), Ok(0));
    let cycles = rtl.request(&[Request::Read(map::CYCLE); 3]).map_cycles();
    assert_eq!([cycles[1] - cycles[0], cycles[2] - cycles[1]], [1, 1]);
    rtl.model().step(4000);
    // Nothing was lost and nothing got through.
    assert_eq!(read(&mut rtl, map::STATUS), Ok(0));
    assert_eq!(read(&mut rtl, map::CYCLE), Ok(3000 + DRAIN_CYCLES));
    for place in kept {
        assert_eq!(read(&mut rtl, place), Ok(0), "{place:#x}");
    }
}

/// The data of answers that are no refusals.
trait Cycles {
    fn map_cycles(self) -> Vec<u64>;
}

impl Cycles for Vec<Answer> {
    fn map_cycles(self) -> Vec<u64> {
        self.into_iter()
            .map(|answer| answer.expect("answered"))
            .collect()
    }
}

#[test]
fn faults_survive_a_launch_and_a_clear_in_the_launch_request_forgets_them() {
    let mut pair = Pair::new(&preset("nano"));
    let config = pair.config.clone();
    let mut schedule = Schedule::default();
    schedule.op(
        5,
        MemWrite,
        0,
        Operation::Write {
            stream: Stream::east(0),
        },
        0,
    );
    let faulty = schedule.program(&config);
    let seen = pair.run(&faulty);
    assert_eq!(
        seen.report.faults[1].map(|fault| (fault.code, fault.cycle)),
        Some((FaultCode::OperandMissing, 7))
    );
    let again = pair.run(&wait(&config, 3));
    assert_eq!(again.report.faults, seen.report.faults);
    pair.clear();
    assert_eq!(pair.launch().report.faults, vec![None; config.num_queues()]);
    pair.run(&faulty);
    let both = Request::Write(map::CONTROL, map::CONTROL_LAUNCH | map::CONTROL_CLEAR);
    pair.load(&wait(&config, 3));
    assert_eq!(pair.rtl.request(&[both]), [Ok(0)]);
    pair.rtl.model().step(100);
    assert_eq!(read(&mut pair.rtl, map::STATUS), Ok(0));
    assert_eq!(read(&mut pair.rtl, map::CYCLE), Ok(3 + DRAIN_CYCLES));
}

#[test]
fn host_and_launch_latencies() {
    let config = preset("nano");
    let mut rtl = tile(&config);
    rtl.load(&wait(&config, 5)).unwrap();
    let port = |rtl: &mut Rtl, name: &str| rtl.model().port(name).unwrap();
    let inputs = [
        "in_host_valid",
        "in_host_write",
        "in_host_address",
        "in_host_data",
    ]
    .map(|name| port(&mut rtl, name));
    let outputs = ["out_host_valid", "out_host_error", "out_busy"].map(|name| port(&mut rtl, name));
    // The row of a request and those in which its answer and busy show; outputs are those of the end of a row's cycle, so a
    // register shows in the row before the cycle in which it is visible.
    let mut play = |request: [u64; 4]| {
        let mut rows = request.to_vec();
        rows.resize(4 * 60, 0);
        let mut record = vec![];
        rtl.model().play(&inputs, &rows, &outputs, &mut record);
        let record: Vec<[u64; 3]> = record
            .chunks(3)
            .map(|row| row.try_into().unwrap())
            .collect();
        let high = |column: usize| {
            let rows = record
                .iter()
                .enumerate()
                .filter(|(_, row)| row[column] == 1);
            rows.map(|(at, _)| at as u64 + 1).collect::<Vec<_>>()
        };
        [high(0), high(1), high(2)]
    };
    let requests = [
        [1, 0, map::CYCLE.into(), 0],
        [1, 0, map::sram(&config, 0, 0, 0).into(), 0],
        [1, 0, map::program(0, 0, 0).into(), 0],
        [1, 1, map::BASE.into(), 0],
        [1, 1, map::sram(&config, 1, 2, 0).into(), 0],
    ];
    for request in requests {
        assert_eq!(
            play(request),
            [vec![HOST_LATENCY], vec![], vec![]],
            "{request:x?}"
        );
    }
    let refused = [1, 0, 0xffff_ffff, 0];
    assert_eq!(
        play(refused),
        [vec![HOST_LATENCY], vec![HOST_LATENCY], vec![]]
    );
    let [answers, errors, busy] = play([1, 1, map::CONTROL.into(), map::CONTROL_LAUNCH]);
    assert_eq!((answers, errors), (vec![HOST_LATENCY], vec![]));
    // Busy rises with cycle 0 at the latest; END issues in cycle 5.
    assert!(busy[0] <= LAUNCH_LATENCY, "{busy:?}");
    assert_eq!(busy.last(), Some(&(LAUNCH_LATENCY + 5 + DRAIN_CYCLES - 1)));
    assert!(busy.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

/// RTL alone, so that what is measured does not depend on the golden machine.
struct Lab {
    config: Config,
    rtl: Rtl,
}

impl Lab {
    fn new(config: Config) -> Self {
        Self {
            rtl: tile(&config),
            config,
        }
    }

    fn run(&mut self, schedule: Schedule) -> (Vec<Event>, LaunchReport) {
        self.rtl.load(&schedule.program(&self.config)).unwrap();
        write(&mut self.rtl, map::CONTROL, map::CONTROL_CLEAR).unwrap();
        self.rtl.launch();
        let mut events = vec![];
        assert!(!self.rtl.run(300, &mut events), "ends");
        (events, self.rtl.report().unwrap())
    }

    fn store(&mut self, slice: usize, address: usize, value: u8) {
        let vector = all(&self.config, value);
        self.rtl.store([(slice, address, &vector)]).unwrap();
    }

    fn fault(&self, report: &LaunchReport, kind: QueueKind, code: FaultCode) -> u64 {
        let fault = report.faults[Queue::new(kind, 0).id(&self.config)].expect("a fault");
        assert_eq!(fault.code, code);
        fault.cycle.into()
    }
}

const EAST: Stream = Stream::east(0);

fn every_cycle(count: u32, stride: i16) -> Repeat {
    Repeat::inner(count, 1, stride)
}

#[test]
fn memory_latencies() {
    let mut lab = Lab::new(preset("nano"));
    lab.store(0, 0, 0);
    lab.store(0, 1, 7);
    let write_west = Operation::Write {
        stream: Stream::west(1),
    };
    let (read_0, write_0) = (
        Operation::Read { stream: EAST },
        Operation::Write { stream: EAST },
    );
    // A neighbour's WRITEs sample in every cycle: the address of the one that is done tells in which.
    let sampled = |events: &[Event], slice: u8| {
        let done: Vec<_> = writes(events)
            .into_iter()
            .filter(|write| write.1 == slice)
            .collect();
        assert_eq!(done.len(), 1);
        (u64::from(done[0].2) - 100, done[0].0)
    };
    let mut schedule = Schedule::default();
    schedule.op(4, MemRead, 0, read_0, 1);
    for slice in 1..3 {
        schedule.repeat(0, MemWrite, slice, write_0, 100, every_cycle(20, 1));
    }
    let (events, report) = lab.run(schedule);
    let (first, second) = (sampled(&events, 1).0, sampled(&events, 2).0);
    assert_eq!(first - 4, READ_LATENCY);
    assert_eq!(second - first, HOP_LATENCY);
    assert_eq!(drives(&events, EAST)[0].0 - 4, SRAM_LATENCY);
    assert_eq!(
        sampled(&events, 1).1 - first,
        SELECT_LATENCY,
        "the write port follows the selection"
    );
    // The first of those WRITEs, in cycle 0, found nothing.
    assert_eq!(
        report.faults[3].map(|fault| u64::from(fault.cycle)),
        Some(SELECT_LATENCY)
    );

    // GATHER in slice 1 at cycle 10, its offset being zero, seen by slice 2.
    lab.store(1, 0, 5);
    let mut schedule = Schedule::default();
    schedule.op(10 - READ_LATENCY, MemRead, 0, read_0, 0);
    let gather = Operation::Gather {
        stream: Stream::east(2),
        offset: EAST,
    };
    schedule.op(10, MemRead, 1, gather, 0);
    let write_2 = Operation::Write {
        stream: Stream::east(2),
    };
    schedule.repeat(0, MemWrite, 2, write_2, 100, every_cycle(30, 1));
    let (events, _) = lab.run(schedule);
    assert_eq!(sampled(&events, 2).0 - 10, GATHER_LATENCY);
    assert_eq!(
        reads(&events),
        [(10 - READ_LATENCY, 0), (10 + INDIRECT_LATENCY, 1)]
    );

    // WRITE, then SCATTER, in slice 1 at cycle 10: its READs in every cycle show when the word changes.
    for (scatter, latency) in [(false, WRITE_LATENCY), (true, SCATTER_LATENCY)] {
        lab.store(1, 40, 1);
        lab.store(2, 0, 9);
        let mut schedule = Schedule::default();
        let data = Operation::Read {
            stream: Stream::west(1),
        };
        schedule.op(10 - READ_LATENCY, MemRead, 2, data, 0);
        schedule.op(10 - READ_LATENCY, MemRead, 0, read_0, 0);
        let scattered = Operation::Scatter {
            stream: Stream::west(1),
            offset: EAST,
        };
        schedule.op(
            10,
            MemWrite,
            1,
            if scatter { scattered } else { write_west },
            40,
        );
        let show = Operation::Read {
            stream: Stream::east(5),
        };
        schedule.repeat(0, MemRead, 1, show, 40, every_cycle(40, 0));
        let (events, report) = lab.run(schedule);
        let shown = drives(&events, Stream::east(5));
        let new = shown
            .iter()
            .position(|drive| drive.1 == all(&lab.config, 9))
            .expect("written");
        assert_eq!(new as u64 - 10, latency, "first READ that sees the word");
        assert!(
            shown[new..]
                .iter()
                .all(|drive| drive.1 == all(&lab.config, 9))
        );
        assert_eq!(report.faults, vec![None; lab.config.num_queues()]);
    }
}

/// Operations at the matrix unit of nano, whose slices 0 to 3 drive streams 0 to 3.
fn at_mxm(schedule: &mut Schedule, cycle: u64, slice: usize, address: u16, count: u32) {
    let read = Operation::Read {
        stream: Stream::east(slice as u8),
    };
    let way = READ_LATENCY + 3 - slice as u64;
    schedule.repeat(
        cycle - way,
        MemRead,
        slice,
        read,
        address,
        every_cycle(count, 0),
    );
}

const EMIT: Operation = Operation::Accumulate {
    stream: 0,
    init: AccMode::Always,
    emit: AccMode::Always,
};

/// The lowest byte of the first lane of every result, by cycle of the drive.
fn sums(events: &[Event]) -> Vec<(u64, u8)> {
    drives(events, Stream::west(0))
        .iter()
        .map(|drive| (drive.0, drive.1.lane(0)))
        .collect()
}

#[test]
fn matrix_unit_latencies() {
    for name in ["nano", "edge", "nano+e4m3", "edge+e4m3+nvfp4"] {
        let mut config = preset(name);
        config.mem.slices = 4;
        (config.vxm, config.sxm) = (None, None);
        config.mxm.weight_streams = 1;
        config.name = format!("{name}-lab");
        let mut lab = Lab::new(config.clone());
        let ones = all(&lab.config, 1);
        lab.rtl
            .store([(0, 0, &ones), (1, 0, &one_hot(&lab.config, 0))])
            .unwrap();
        let load = Operation::LoadWeights {
            stream: 0,
            column: false,
            install: false,
        };
        let multiply = Operation::MultiplyStream {
            stream: 1,
            scales: None,
        };
        let dot = mm_latency(&config);

        // A product without ACC is lost in the cycle in which it is visible.
        let mut schedule = Schedule::default();
        at_mxm(&mut schedule, 20, 1, 0, 1);
        schedule.op(20, MxmCompute, 0, multiply, 0);
        let (_, report) = lab.run(schedule);
        assert_eq!(
            lab.fault(&report, MxmAccumulate, FaultCode::ResultLost) - 20,
            dot
        );

        // ACC drives in the cycle before its result is visible.
        let mut schedule = Schedule::default();
        at_mxm(&mut schedule, 20, 1, 0, 1);
        schedule.op(20, MxmCompute, 0, multiply, 0);
        schedule.op(20 + dot, MxmAccumulate, 0, EMIT, 0);
        let (events, _) = lab.run(schedule);
        assert_eq!(sums(&events)[0].0 + 1 - (20 + dot), acc_latency(&config));

        // Uncorrectable and missing operands.
        lab.rtl
            .store([(1, 1, &ones.with_flip(0, 0).with_flip(0, 1))])
            .unwrap();
        let mut schedule = Schedule::default();
        at_mxm(&mut schedule, 20, 1, 1, 1);
        schedule.op(20, MxmCompute, 0, multiply, 0);
        let (_, report) = lab.run(schedule);
        let cycle = lab.fault(&report, MxmCompute, FaultCode::EccUncorrectable);
        assert_eq!(cycle - 20, SELECT_LATENCY + SECDED_LATENCY);
        assert_eq!(cycle - 20, MM_OPERAND_LATENCY);
        let mut schedule = Schedule::default();
        schedule.op(20, MxmCompute, 0, multiply, 0);
        let (_, report) = lab.run(schedule);
        assert_eq!(
            lab.fault(&report, MxmCompute, FaultCode::OperandMissing) - 20,
            SELECT_LATENCY
        );

        // Row 0 of the weights becomes 1 by an LW at 30 and an IW some cycles around it; MMs in every cycle.
        let mut earliest = None;
        for install in 28..=32 {
            lab.rtl.store([(0, 0, &all(&lab.config, 0))]).unwrap();
            let mut schedule = Schedule::default();
            at_mxm(&mut schedule, 10, 0, 0, 1);
            schedule.op(10, MxmWeights, 0, load, 0);
            schedule.op(11, MxmWeights, 0, Operation::InstallWeights, 0);
            lab.run(schedule);
            lab.rtl.store([(0, 0, &ones)]).unwrap();
            let mut schedule = Schedule::default();
            at_mxm(&mut schedule, 30, 0, 0, 1);
            let both = Operation::LoadWeights {
                stream: 0,
                column: false,
                install: install == 30,
            };
            schedule.op(30, MxmWeights, 0, both, 0);
            if install != 30 {
                schedule.op(install, MxmWeights, 0, Operation::InstallWeights, 0);
            }
            at_mxm(&mut schedule, 20, 1, 0, 30);
            schedule.repeat(20, MxmCompute, 0, multiply, 0, every_cycle(30, 0));
            schedule.repeat(20 + dot, MxmAccumulate, 0, EMIT, 0, every_cycle(30, 0));
            let (events, report) = lab.run(schedule);
            assert_eq!(report.faults, vec![None; lab.config.num_queues()]);
            let sums = sums(&events);
            assert_eq!(sums.len(), 30);
            if let Some(first) = sums.iter().position(|sum| sum.1 == 1) {
                let issue = 20 + first as u64;
                assert_eq!(issue - install, IW_TO_MM);
                // The multipliers use weights and activation that are visible in the same cycle.
                assert_eq!(issue + MM_OPERAND_LATENCY - install, IW_LATENCY);
                earliest.get_or_insert(install);
                assert!(sums[first..].iter().all(|sum| sum.1 == 1));
            }
        }
        // Shadow weights are visible a cycle before the active ones that copy them.
        let earliest = earliest.expect("some IW installs");
        assert_eq!(earliest, 30);
        assert_eq!(earliest + IW_LATENCY - 1 - 30, LW_LATENCY);

        // An LX at 30 and MMs of its row in every cycle: row 1 is zero until then.
        let mut schedule = Schedule::default();
        at_mxm(&mut schedule, 30, 1, 0, 1);
        schedule.op(
            30,
            MxmCompute,
            0,
            Operation::LoadOperand {
                stream: 1,
                scales: None,
            },
            1,
        );
        let count = 12;
        schedule.repeat(
            31,
            MxmCompute,
            0,
            Operation::MultiplyBuffer { scaled: false },
            1,
            every_cycle(count, 0),
        );
        schedule.repeat(31 + dot, MxmAccumulate, 0, EMIT, 0, every_cycle(count, 0));
        let (events, _) = lab.run(schedule);
        let first = sums(&events)
            .iter()
            .position(|sum| sum.1 == 1)
            .expect("loaded");
        assert_eq!(31 + first as u64 - 30, LX_TO_MM);
    }
}

#[test]
fn queue_latencies() {
    let mut lab = Lab::new(preset("nano"));
    let read = Operation::Read { stream: EAST };
    // SYNC waits; the READ after it issues NOTIFY_LATENCY after the NOTIFY, from whichever queue it comes.
    for (notifier, kind) in [(MemWrite, 1), (MxmWeights, 0), (MxmAccumulate, 0)]
        .into_iter()
        .zip(0..)
    {
        let mut schedule = Schedule::default();
        schedule.at(10 + kind, notifier.0, notifier.1, Instruction::Notify);
        schedule.at(0, MemRead, 0, Instruction::Sync);
        schedule.op(1, MemRead, 0, read, 0);
        let (events, _) = lab.run(schedule);
        assert_eq!(reads(&events), [(10 + kind + NOTIFY_LATENCY, 0)]);
    }
    // END of the last queue, whichever it is, to the fall of busy.
    for queue in 0..lab.config.num_queues() {
        let Queue { kind, index } = Queue::from_id(queue, &lab.config).unwrap();
        let mut schedule = Schedule::default();
        schedule.at(0, kind, index, Instruction::Nop { cycles: 33 });
        let (_, report) = lab.run(schedule);
        assert_eq!(report.cycles - 33, DRAIN_CYCLES);
    }
}
