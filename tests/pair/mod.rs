//! What the tests of the whole tile share: a tile in RTL next to a golden machine.
#![allow(dead_code, reason = "each test binary uses some of it")]

use lpu::rtl::{self, Request, Rtl};
use lpu_isa::config::{MxmFormat, SxmConfig, VxmConfig};
use lpu_isa::{Config, Instruction, Operation, Program, Queue, QueueKind, Repeat, Stream};
use lpu_isa::{memory_map as map, secded::LANES_PER_CODEWORD};
use lpu_sim::{Builder, CompiledModel, Verilator, default_cache_dir};
use lpu_verif::c2c::ProgramClock;
use lpu_verif::{Command, Effect, Event, Flit, LaunchReport, Machine, Scoreboard, Vector};
use std::time::Instant;

/// Cycles that RTL runs on after busy has fallen: nothing may happen in them.
const AFTER: u64 = 40;
/// No program of these tests takes longer.
const LIMIT: u64 = 1 << 22;

/// The preset called `name`.
pub fn preset(name: &str) -> Config {
    Config::preset(name).expect("a preset")
}

/// The model of a tile, from the cache if it is there.
pub fn model(config: &Config) -> CompiledModel {
    config.validate().expect("a legal configuration");
    let cache = default_cache_dir();
    let verilator = Verilator::find(&cache).expect("Verilator; scripts/tools.py installs it");
    let start = Instant::now();
    let model = rtl::build(config, &Builder::new(verilator, &cache)).expect("the model builds");
    println!("{}: model after {:.1?}", config.name, start.elapsed());
    model
}

/// Machines with vector unit and switch unit, each away from the presets in another way: `LPU_MACHINES` of the ten, by default
/// two, since each takes a minute to build.
pub fn off_default() -> Vec<Config> {
    let count = std::env::var("LPU_MACHINES").ok().map(|text| {
        let count: usize = text.parse().expect("LPU_MACHINES is a number");
        count
    });
    let machine = |name: &str, change: &dyn Fn(&mut Config)| {
        let mut config = preset("nano");
        name.clone_into(&mut config.name);
        config.vxm = Some(VxmConfig {
            alus: 2,
            registers: 128,
        });
        config.sxm = Some(SxmConfig { maps: 4 });
        config.icu.queue_depth = 1024;
        change(&mut config);
        config
    };
    let vxm = |alus, registers| Some(VxmConfig { alus, registers });
    let mut machines = vec![
        machine("one_alu", &|c| c.vxm = vxm(1, 64)),
        machine("odd_slices_of_16_lanes", &|c| {
            (c.lanes, c.streams, c.mem.slices, c.mem.depth) = (16, 12, 7, 1024);
            c.sxm = Some(SxmConfig { maps: 64 });
        }),
        machine("three_alus", &|c| c.vxm = vxm(3, 128)),
        machine("four_alus", &|c| {
            (c.vxm, c.mem.slices) = (vxm(4, 1024), 9);
        }),
        machine("two_planes", &|c| {
            (c.mxm.planes, c.mem.slices, c.streams) = (2, 10, 16);
        }),
        machine("all_slices_are_weights", &|c| {
            (c.mxm.weight_streams, c.mem.slices, c.streams) = (8, 8, 16);
        }),
        machine("one_weight_stream", &|c| c.mxm.weight_streams = 1),
        machine("shallow_buffers", &|c| {
            (c.mxm.accumulator_depth, c.mxm.operand_depth) = (32, 8);
        }),
        machine("with_formats", &|c| c.mxm.formats = MxmFormat::ALL.to_vec()),
        machine("many_streams", &|c| {
            (c.lanes, c.streams, c.mem.slices, c.mem.depth) = (16, 32, 13, 512);
        }),
    ];
    machines.truncate(count.unwrap_or(2));
    machines
}

/// What a launch showed.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Registers afterwards.
    pub report: LaunchReport,
    /// What RTL did.
    pub events: Vec<Event>,
    /// Its DESKEWs and RUNTIME_DESKEWs.
    pub commands: Vec<Command>,
}

/// A tile in RTL and a golden machine in the same state.
pub struct Pair {
    pub config: Config,
    pub rtl: Rtl,
    pub golden: Machine,
    program: Program,
    fresh: Vec<u8>,
}

impl Pair {
    pub fn new(config: &Config) -> Self {
        let mut rtl = Rtl::new(config, &model(config)).expect("the model loads");
        Self {
            fresh: rtl.model().save(),
            rtl,
            golden: Machine::new(config),
            program: Program::new(config),
            config: config.clone(),
        }
    }

    /// Both as after power-up and reset, all memories zero.
    pub fn restart(&mut self) {
        self.rtl.restore(&self.fresh).expect("its own state");
        self.golden = Machine::new(&self.config);
    }

    pub fn load(&mut self, program: &Program) {
        self.rtl.load(program).expect("an idle tile");
        self.golden.load(program).expect("the program fits");
        self.program = program.clone();
    }

    /// Stores vectors with the check bits they have.
    pub fn store(&mut self, vectors: &[(usize, usize, Vector)]) {
        let refer = vectors
            .iter()
            .map(|(slice, at, vector)| (*slice, *at, vector));
        self.rtl.store(refer).expect("an idle tile");
        for (slice, address, vector) in vectors {
            self.golden.write_sram(*slice, *address, vector);
        }
    }

    pub fn set_base(&mut self, queue: usize, base: u16) {
        self.rtl.set_base(queue, base).expect("an idle tile");
        self.golden.set_base(queue, base);
    }

    /// A flit comes by a link.
    pub fn arrive(&mut self, flit: Flit) {
        self.rtl.arrive(flit);
        self.golden.arrive(flit);
    }

    /// Sets the clock of a link.
    pub fn set_clock(&mut self, link: usize, clock: ProgramClock) {
        self.rtl.set_clock(link, clock.clone());
        self.golden.set_clock(link, clock);
    }

    /// Clears faults and counters.
    pub fn clear(&mut self) {
        let clear = Request::Write(map::CONTROL, map::CONTROL_CLEAR);
        assert_eq!(self.rtl.request(&[clear]), [Ok(0)]);
        self.golden.clear();
    }

    /// Launches both and compares every event, CYCLE, STATUS, and every FAULT and ECC register.
    pub fn try_launch(&mut self) -> Result<Seen, String> {
        let Some((expected, golden_events)) = self.golden.launch_and_run(LIMIT) else {
            return Err(format!("the program does not end in {LIMIT} cycles"));
        };
        self.rtl.launch();
        let mut events = Vec::new();
        let busy = self.rtl.run(expected.cycles + AFTER, &mut events);
        if busy {
            return Err(format!("busy long after cycle {}", expected.cycles));
        }
        let report = self.rtl.report().map_err(|error| error.to_string())?;
        let mut scoreboard = Scoreboard::new(&self.config, &self.program).without_faults();
        scoreboard
            .expect(&golden_events)
            .and_then(|()| scoreboard.observe(&events))
            .and_then(|()| scoreboard.finish())
            .and_then(|()| scoreboard.compare_reports(&expected, &report))
            .map_err(|divergence| divergence.to_string())?;
        if self.rtl.take_sent() != self.golden.take_sent() {
            return Err("other flits left than those of the events".to_owned());
        }
        let commands = (self.golden.take_commands(), self.rtl.take_commands());
        if commands.0 != commands.1 {
            return Err(format!("expected and observed DESKEWs: {commands:?}"));
        }
        let waiting = (self.golden.waiting_flits(), self.rtl.waiting_flits());
        if waiting.0 != waiting.1 {
            return Err(format!(
                "expected and observed flits that wait: {waiting:?}"
            ));
        }
        let fault = expected.faults.iter().any(Option::is_some);
        let status = self.rtl.request(&[Request::Read(map::STATUS)])[0];
        if status != Ok(map::STATUS_FAULT * u64::from(fault)) {
            return Err(format!("STATUS is {status:?}, any fault: {fault}"));
        }
        Ok(Seen {
            report,
            events,
            commands: commands.1,
        })
    }

    /// [`try_launch`](Self::try_launch) that panics with the difference.
    pub fn launch(&mut self) -> Seen {
        self.try_launch()
            .unwrap_or_else(|difference| panic!("{difference}"))
    }

    /// Loads, launches and compares.
    pub fn run(&mut self, program: &Program) -> Seen {
        self.load(program);
        self.launch()
    }

    /// Reads all of the SRAM through the host port and compares words and refusals.
    pub fn compare_sram(&mut self) -> Result<(), String> {
        let (slices, depth) = (self.config.mem.slices, self.config.mem.depth);
        let codewords = self.config.lanes / LANES_PER_CODEWORD;
        let places = (0..slices).flat_map(|slice| (0..depth).map(move |address| (slice, address)));
        let places: Vec<_> = places
            .flat_map(|(slice, address)| (0..codewords).map(move |g| (slice, address, g)))
            .collect();
        let requests: Vec<_> = places
            .iter()
            .map(|&(slice, address, g)| Request::Read(map::sram(&self.config, slice, address, g)))
            .collect();
        for (&(slice, address, g), found) in places.iter().zip(self.rtl.request(&requests)) {
            let expected = self.golden.host_read(slice, address, g).map_err(|e| e.0);
            if found != expected {
                return Err(format!(
                    "SRAM of slice {slice}, vector {address}, codeword {g}: expected {expected:x?}, found {found:x?}"
                ));
            }
        }
        let count = self
            .rtl
            .request(&[Request::Read(map::ECC + map::ECC_HOST_UNIT)])[0];
        let host = self.golden.report().host_ecc;
        let expected = u64::from(host.uncorrectable) << 32 | u64::from(host.corrected);
        if count != Ok(expected) {
            return Err(format!(
                "ECC of the host: expected {expected:#x}, found {count:x?}"
            ));
        }
        Ok(())
    }
}

/// Instructions by queue and cycle.
#[derive(Default)]
pub struct Schedule(Vec<(QueueKind, usize, u64, Instruction)>);

impl Schedule {
    pub fn at(&mut self, cycle: u64, kind: QueueKind, index: usize, instruction: Instruction) {
        self.0.push((kind, index, cycle, instruction));
    }

    pub fn op(&mut self, cycle: u64, kind: QueueKind, index: usize, op: Operation, address: u16) {
        self.at(cycle, kind, index, Instruction::once(op, address));
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
        let instruction = Instruction::repeated(operation, address, repeat);
        self.at(cycle, kind, index, instruction);
    }

    /// The program: NOPs where nothing issues, END in every queue.
    pub fn program(mut self, config: &Config) -> Program {
        let mut program = Program::new(config);
        self.0.sort_by_key(|entry| entry.2);
        for (id, queue) in Queue::all(config).enumerate() {
            let mut clock = 0;
            for &(kind, index, cycle, instruction) in &self.0 {
                if (kind, index) != (queue.kind, queue.index) {
                    continue;
                }
                let gap = cycle.checked_sub(clock);
                let cycles = gap.expect("instructions of a queue do not overlap") as u32;
                if cycles > 0 {
                    program.push(id, Instruction::Nop { cycles });
                }
                program.push(id, instruction);
                clock = cycle + instruction.cycles();
            }
            program.push(id, Instruction::End);
        }
        program
    }
}

/// Writes among events, as (cycle, slice, address, vector).
pub fn writes(events: &[Event]) -> Vec<(u64, u8, u16, Vector)> {
    let write = |event: &Event| match event.effect {
        Effect::Write {
            slice,
            address,
            vector,
        } => Some((event.cycle, slice, address, vector)),
        _ => None,
    };
    events.iter().filter_map(write).collect()
}

/// Drives of a stream among events, as (cycle, vector).
pub fn drives(events: &[Event], wanted: Stream) -> Vec<(u64, Vector)> {
    let drive = |event: &Event| match event.effect {
        Effect::Drive { stream, vector, .. } if stream == wanted => Some((event.cycle, vector)),
        _ => None,
    };
    events.iter().filter_map(drive).collect()
}

/// Read starts among events, as (cycle, slice).
pub fn reads(events: &[Event]) -> Vec<(u64, u8)> {
    let read = |event: &Event| match event.effect {
        Effect::ReadStart { slice } => Some((event.cycle, slice)),
        _ => None,
    };
    events.iter().filter_map(read).collect()
}

/// A vector whose only lane that is not zero is `lane`.
pub fn one_hot(config: &Config, lane: usize) -> Vector {
    let mut lanes = vec![0; config.lanes];
    lanes[lane] = 1;
    Vector::encode(&lanes)
}

/// A vector with `value` in all lanes.
pub fn all(config: &Config, value: u8) -> Vector {
    Vector::encode(&vec![value; config.lanes])
}

/// Numbers without a pattern, the same in every run (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.word() % n as u64) as usize
    }
}
