//! Two links in RTL, each with a clock of its own, and a line in each direction.
#![allow(dead_code, reason = "each test binary uses some of it")]

use lpu::design;
use lpu_isa::Config;
use lpu_isa::c2c::Shape;
use lpu_sim::{Builder, Design, Model, PortId, Verilator, default_cache_dir};
use lpu_verif::c2c::{Channel, Clock, Errors, Flit};
use std::collections::VecDeque;

/// Status registers.
pub mod register {
    pub const FAULTS: u64 = 1;
    pub const FRAMES: u64 = 2;
    pub const CORRECTED: u64 = 3;
    pub const UNCORRECTABLE: u64 = 4;
    pub const DROPS: u64 = 6;
    pub const HAC: u64 = 7;
    pub const LATENCY: u64 = 8;
    pub const PRBS: u64 = 9;
    pub const SHAPE: u64 = 10;
}

/// Bits of FAULTS.
pub mod fault {
    pub const UNCORRECTABLE: u64 = 1;
    pub const CRC: u64 = 2;
    pub const EMPTY: u64 = 8;
    pub const DROPPED: u64 = 32;
    pub const LATE: u64 = 64;
}

/// Cycles of reset.
const RESET: u64 = 16;

#[derive(Clone, Copy)]
struct Ports {
    reset: PortId,
    enable: PortId,
    child: PortId,
    prbs: PortId,
    clear: PortId,
    send: PortId,
    send_data: PortId,
    receive: PortId,
    data: PortId,
    valid: PortId,
    deskew: PortId,
    runtime_deskew: PortId,
    wait: PortId,
    go: PortId,
    state: PortId,
    address: PortId,
    status: PortId,
    phy_data_out: PortId,
    phy_up: PortId,
    phy_clock: PortId,
    phy_data_in: PortId,
}

/// What a chip does in a cycle.
#[derive(Clone, Debug, Default)]
pub struct Act {
    pub send: Option<Flit>,
    pub receive: bool,
    pub deskew: bool,
    pub runtime_deskew: Option<u64>,
}

/// What it sees behind the edge.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The flit of a RECEIVE in this cycle.
    pub flit: Option<Flit>,
    pub go: bool,
}

/// What both chips do, side by side.
pub trait Program {
    /// Asked before each cycle of a side.
    fn act(&mut self, _side: usize, _cycle: u64) -> Act {
        Act::default()
    }

    /// Told what was seen in it.
    fn seen(&mut self, _side: usize, _seen: Seen) {}
}

/// Nothing.
pub struct Idle;

impl Program for Idle {}

/// A chip.
pub struct Side {
    model: Model,
    ports: Ports,
    clock: Clock,
    /// Cycles of the chip.
    pub cycle: u64,
    /// Words of the line to this chip: time and word.
    line: VecDeque<(u64, Flit)>,
    /// The line from this chip to the other.
    pub channel: Channel,
    /// Time from a word's edge to its edge at the other end.
    delay: u64,
    /// The recovered clock of the other end stands still.
    pub stopped: bool,
    /// What went out, for a golden receiver.
    pub sent: Option<Vec<Flit>>,
}

/// What a line is like.
#[derive(Clone, Debug)]
pub struct Line {
    /// Bits by which each lane is late.
    pub lanes: Vec<usize>,
    pub errors: Errors,
    /// How late edges of the recovered clock are at most, femtoseconds.
    pub jitter: u64,
    pub ppm: i64,
    /// Femtoseconds from the edge that ends a word's cycle to the edge that takes it at the other end.
    pub delay: u64,
}

impl Line {
    /// What a board adds to a word's cycle.
    pub const DELAY: u64 = 300_000;

    pub fn straight(lanes: usize) -> Self {
        Self {
            lanes: vec![64 * 5; lanes],
            errors: Errors::default(),
            jitter: 0,
            ppm: 0,
            delay: Self::DELAY,
        }
    }
}

impl Side {
    fn new(mut model: Model, line: &Line, seed: u64) -> Self {
        let ports = {
            let port = |name: &str| model.port(name).unwrap();
            Ports {
                reset: port("reset"),
                enable: port("in_enable"),
                child: port("in_child"),
                prbs: port("in_prbs"),
                clear: port("in_clear"),
                send: port("in_send"),
                send_data: port("in_send_data"),
                receive: port("in_receive"),
                data: port("out_data"),
                valid: port("out_valid"),
                deskew: port("in_deskew"),
                runtime_deskew: port("in_runtime_deskew"),
                wait: port("in_wait"),
                go: port("out_go"),
                state: port("out_state"),
                address: port("in_address"),
                status: port("out_status"),
                phy_data_out: port("out_phy_data"),
                phy_up: port("in_phy_up"),
                phy_clock: port("in_phy_clock"),
                phy_data_in: port("in_phy_data"),
            }
        };
        model.set(ports.phy_up, 1);
        model.set(ports.enable, 1);
        Self {
            model,
            ports,
            clock: Clock::new(line.ppm, 1 + seed * 137_731, 0, seed),
            cycle: 0,
            line: VecDeque::new(),
            channel: Channel::new(&line.lanes, line.errors, seed ^ 0x5a5a),
            delay: line.delay,
            stopped: false,
            sent: None,
        }
    }

    pub fn set_reset(&mut self, on: bool) {
        self.model.set(self.ports.reset, on.into());
    }

    pub fn set_enable(&mut self, on: bool) {
        self.model.set(self.ports.enable, on.into());
    }

    pub fn set_child(&mut self, on: bool) {
        self.model.set(self.ports.child, on.into());
    }

    pub fn set_prbs(&mut self, on: bool) {
        self.model.set(self.ports.prbs, on.into());
    }

    pub fn set_phy_up(&mut self, on: bool) {
        self.model.set(self.ports.phy_up, on.into());
    }

    /// A status register, as it is now.
    pub fn status(&mut self, address: u64) -> u64 {
        self.model.set(self.ports.address, address);
        self.model.settle();
        self.model.get(self.ports.status)
    }

    pub fn is_up(&self) -> bool {
        self.model.get(self.ports.state) == 3
    }

    /// Clears faults and counters with the next edge.
    pub fn set_clear(&mut self, on: bool) {
        self.model.set(self.ports.clear, on.into());
    }

    fn edge(&mut self, act: &Act) -> Seen {
        let (model, ports) = (&mut self.model, self.ports);
        model.set(ports.send, act.send.is_some().into());
        if let Some(flit) = &act.send {
            model.set_wide(ports.send_data, flit);
        }
        model.set(ports.receive, act.receive.into());
        model.set(ports.deskew, act.deskew.into());
        model.set(ports.runtime_deskew, act.runtime_deskew.is_some().into());
        model.set(ports.wait, act.runtime_deskew.unwrap_or(0));
        // Outputs that depend on inputs of this cycle.
        model.settle();
        let go = model.get(ports.go) == 1;
        model.step(1);
        self.cycle += 1;
        let valid = act.receive && model.get(ports.valid) == 1;
        Seen {
            flit: valid.then(|| model.get_wide(ports.data)),
            go,
        }
    }

    fn word(&mut self, word: &Flit) {
        let (model, ports) = (&mut self.model, self.ports);
        model.set_wide(ports.phy_data_in, word);
        model.set(ports.phy_clock, 1);
        model.settle();
        model.set(ports.phy_clock, 0);
        model.settle();
    }
}

/// Two chips.
pub struct Pair {
    pub shape: Shape,
    pub sides: [Side; 2],
    jitter: u64,
    random: lpu_verif::c2c::Random,
}

impl Pair {
    /// Both in reset, then enabled; `lines[0]` leads from side 0 to side 1, whose clock is that of the sender.
    pub fn new(shape: Shape, lines: [Line; 2], seed: u64) -> Self {
        let cache = default_cache_dir();
        let config = Config::preset("proto").unwrap();
        let emitted = design::emit_c2c(&config, shape).unwrap();
        let mut top = Design::new(design::C2C_TOP).waive(emitted.lint_waivers());
        for module in &emitted.modules {
            top = top.source(&module.file_name, &module.text);
        }
        let builder = Builder::new(Verilator::find(&cache).unwrap(), &cache);
        let compiled = builder.build(&top).unwrap();
        let jitter = lines[0].jitter;
        let mut number = 0;
        let sides = lines.map(|line| {
            number += 1;
            Side::new(compiled.instantiate().unwrap(), &line, seed + number)
        });
        let mut pair = Self {
            shape,
            sides,
            jitter,
            random: lpu_verif::c2c::Random::new(seed),
        };
        pair.reset([true; 2]);
        pair
    }

    /// Resets some sides for a few cycles.
    pub fn reset(&mut self, which: [bool; 2]) {
        for (side, on) in which.into_iter().enumerate() {
            self.sides[side].set_reset(on);
        }
        self.run(RESET, &mut Idle);
        for side in 0..2 {
            self.sides[side].set_reset(false);
        }
    }

    /// Lets time pass until side 0 has done so many cycles more.
    pub fn run(&mut self, cycles: u64, program: &mut impl Program) {
        let end = self.sides[0].cycle + cycles;
        while self.sides[0].cycle < end {
            self.event(program);
        }
    }

    /// Lets frames' time pass with nothing to do.
    pub fn rest(&mut self, frames: usize) {
        self.run((frames * self.shape.frame()) as u64, &mut Idle);
    }

    /// The next edge of any clock.
    fn event(&mut self, program: &mut impl Program) {
        let chip = |side: &Side| side.clock.next();
        let line = |side: &Side| side.line.front().map_or(u64::MAX, |&(time, _)| time);
        let times = [
            chip(&self.sides[0]),
            chip(&self.sides[1]),
            line(&self.sides[0]),
            line(&self.sides[1]),
        ];
        let which = (0..4).min_by_key(|&i| times[i]).unwrap();
        if which >= 2 {
            let side = &mut self.sides[which - 2];
            let (_, word) = side.line.pop_front().unwrap();
            side.word(&word);
            return;
        }
        let side = &mut self.sides[which];
        let time = side.clock.tick();
        let cycle = side.cycle;
        let word = side.model.get_wide(side.ports.phy_data_out);
        let arriving = side.channel.step(&word);
        if let Some(sent) = &mut side.sent {
            sent.push(word);
        }
        let late = match self.jitter {
            0 => 0,
            jitter => self.random.below(jitter),
        };
        let at = (!side.stopped).then_some(time + side.delay + late);
        let act = program.act(which, cycle);
        program.seen(which, side.edge(&act));
        if let Some(at) = at {
            self.sides[1 - which].line.push_back((at, arriving));
        }
    }

    /// Clears faults and counters of both.
    pub fn clear(&mut self) {
        for on in [true, false] {
            for side in &mut self.sides {
                side.set_clear(on);
            }
            self.run(2, &mut Idle);
        }
    }

    /// Runs until both sides are up; the cycles that took.
    pub fn bring_up(&mut self) -> u64 {
        let begin = self.sides[0].cycle;
        let most = 400 * self.shape.frame() as u64;
        while !(self.sides[0].is_up() && self.sides[1].is_up()) {
            self.run(1, &mut Idle);
            let cycles = self.sides[0].cycle - begin;
            assert!(cycles < most, "not up after {cycles} cycles");
        }
        self.sides[0].cycle - begin
    }
}
