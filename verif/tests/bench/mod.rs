//! A machine with a program that is written queue by queue, for directed tests.
#![allow(dead_code)]

use lpu_isa::{AccMode, Config, Instruction, Operation, Program, Queue, QueueKind, Repeat, Stream};
use lpu_verif::machine::Fault;
use lpu_verif::{Effect, Event, FaultCode, LaunchReport, Machine, Vector};

pub mod words;

pub const fn e(index: u8) -> Stream {
    Stream::east(index)
}

pub const fn w(index: u8) -> Stream {
    Stream::west(index)
}

/// nano: 8 lanes, 16 streams, 4 slices, one plane with 4 weight streams.
pub fn nano() -> Config {
    Config::preset("nano").unwrap()
}

/// A vector whose lanes are `first`, `first + 1`, ...
pub fn ramp(first: u8) -> Vector {
    let lanes: Vec<u8> = (0..8).map(|n| first.wrapping_add(n)).collect();
    Vector::encode(&lanes)
}

pub const fn read(stream: Stream) -> Operation {
    Operation::Read { stream }
}

pub const fn write(stream: Stream) -> Operation {
    Operation::Write { stream }
}

pub const fn lw(stream: u8) -> Operation {
    Operation::LoadWeights {
        stream,
        column: false,
        install: false,
    }
}

pub const fn mm(stream: u8) -> Operation {
    Operation::MultiplyStream {
        stream,
        scales: None,
    }
}

pub const fn acc(stream: u8) -> Operation {
    Operation::Accumulate {
        stream,
        init: AccMode::Always,
        emit: AccMode::Always,
    }
}

pub struct Bench {
    pub machine: Machine,
    pub config: Config,
    pub program: Program,
    clock: Vec<u64>,
    pub events: Vec<Event>,
}

impl Bench {
    pub fn new(config: Config) -> Self {
        Self {
            machine: Machine::new(&config),
            program: Program::new(&config),
            clock: vec![0; config.num_queues()],
            events: vec![],
            config,
        }
    }

    pub fn id(&self, kind: QueueKind, index: usize) -> usize {
        Queue::new(kind, index).id(&self.config)
    }

    /// Fills the queue with NOP up to `cycle` and issues `instruction` then.
    pub fn at(&mut self, cycle: u64, kind: QueueKind, index: usize, instruction: Instruction) {
        let id = self.id(kind, index);
        let gap = cycle.checked_sub(self.clock[id]).expect("in order");
        if gap > 0 {
            let cycles = gap as u32;
            self.program.push(id, Instruction::Nop { cycles });
        }
        self.program.push(id, instruction);
        self.clock[id] = cycle + instruction.cycles();
    }

    pub fn op(
        &mut self,
        cycle: u64,
        kind: QueueKind,
        index: usize,
        operation: Operation,
        address: u16,
    ) {
        self.repeat(cycle, kind, index, operation, address, Repeat::ONCE);
    }

    pub fn repeat(
        &mut self,
        cycle: u64,
        kind: QueueKind,
        index: usize,
        operation: Operation,
        address: u16,
        repeat: Repeat,
    ) {
        self.at(
            cycle,
            kind,
            index,
            Instruction::repeated(operation, address, repeat),
        );
    }

    /// Appends END to all queues and runs a launch.
    pub fn run(&mut self) -> LaunchReport {
        for id in 0..self.config.num_queues() {
            self.program.push(id, Instruction::End);
        }
        self.run_as_it_is()
    }

    pub fn run_as_it_is(&mut self) -> LaunchReport {
        self.machine.load(&self.program).unwrap();
        let (report, events) = self.machine.launch_and_run(1 << 40).expect("ends");
        assert!(events.is_sorted_by_key(Event::key), "canonical order");
        self.events = events;
        report
    }

    /// Drives as (cycle, position, stream, vector).
    pub fn drives(&self) -> Vec<(u64, isize, Stream, Vector)> {
        let drive = |event: &Event| match event.effect {
            Effect::Drive {
                source,
                stream,
                vector,
            } => Some((event.cycle, source.position(&self.config), stream, vector)),
            _ => None,
        };
        self.events.iter().filter_map(drive).collect()
    }

    /// Writes as (cycle, slice, address, vector).
    pub fn writes(&self) -> Vec<(u64, u8, u16, Vector)> {
        let write = |event: &Event| match event.effect {
            Effect::Write {
                slice,
                address,
                vector,
            } => Some((event.cycle, slice, address, vector)),
            _ => None,
        };
        self.events.iter().filter_map(write).collect()
    }

    /// Read starts as (cycle, slice).
    pub fn reads(&self) -> Vec<(u64, u8)> {
        let read = |event: &Event| match event.effect {
            Effect::ReadStart { slice } => Some((event.cycle, slice)),
            _ => None,
        };
        self.events.iter().filter_map(read).collect()
    }

    /// Asserts that exactly these units have faults.
    pub fn expect_faults(
        &self,
        report: &LaunchReport,
        expected: &[(QueueKind, usize, FaultCode, u32)],
    ) {
        let mut faults = vec![None; self.config.num_queues()];
        for &(kind, index, code, cycle) in expected {
            faults[self.id(kind, index)] = Some(Fault { code, cycle });
        }
        assert_eq!(report.faults, faults);
    }
}
