//! Two tiles in RTL, joined by two links in RTL: DESKEW, SEND, RECEIVE and RUNTIME_DESKEW over clocks that drift, against `docs/c2c.md`.
//!
//! `LPU_LINKED_LAUNCHES=N cargo test --test linked_tiles -- --nocapture` launches the programs N times on the same clocks (once by default).

#[path = "c2c/pair.rs"]
mod links;
mod pair;

use links::{Act, Line, Pair, Program as Chips, Seen, register};
use lpu::rtl::Rtl;
use lpu_compiler::check;
use lpu_isa::c2c::Shape;
use lpu_isa::config::C2cConfig;
use lpu_isa::latency::{
    GO_LATENCY, NOTIFY_LATENCY, READ_LATENCY, RECEIVE_LATENCY, SEND_LATENCY, WRITE_LATENCY,
};
use lpu_isa::{Config, Instruction, Program, Queue, QueueKind, asm};
use lpu_sim::{CompiledModel, PortId};
use lpu_verif::c2c::{Errors, ProgramClock};
use lpu_verif::{FaultCode, Machine};
use pair::Random;

/// Cycles of a round, from one RUNTIME_DESKEW to the next.
const PERIOD: u64 = 2500;
/// Rounds of a launch: as many as fit the queues of `nano`.
const ROUNDS: usize = 48;
/// Flits of a round, each way.
const FLITS: usize = 12;
/// The wait of RUNTIME_DESKEW.
const ALIGN: u64 = 40;

/// nano with links, of which the first is joined; the machine of `tests/links.rs`.
fn config() -> Config {
    let mut config = pair::preset("nano");
    config.name = "nano_2_links".to_owned();
    config.c2c = Some(C2cConfig { links: 2 });
    config
}

/// What both tiles run: after a DESKEW, rounds in which they send each other vectors of slice 0, which go into slice 1 as they come.
/// A round ends with a RUNTIME_DESKEW, or else with a NOP as long.
fn rounds(config: &Config, hop: u64, realign: bool) -> Program {
    let interval = (PERIOD - 2 * hop - 200) / FLITS as u64;
    let after = |queue: &str, op: &str, wait: u64, stride: u64, first_address: bool| {
        let mut text = format!(".queue {queue}\n");
        for round in 0..ROUNDS {
            let address = match first_address {
                true => format!(", {}", round * FLITS),
                false => String::new(),
            };
            let repeat = format!("repeat {FLITS}, {interval}, {stride}");
            text += &format!("sync\nnop {wait}\n{op}{address} {repeat}\n");
        }
        text
    };
    // Cycles behind the barrier: READ, SEND when it is at the C2C unit, RECEIVE hop after it is at the link, WRITE one slice further.
    let read = 2;
    let send = read + READ_LATENCY;
    let receive = send + SEND_LATENCY + hop;
    let write = receive + RECEIVE_LATENCY + 1;
    let mut text = String::new();
    text += &after("mem0.read", "read w5", read, 1, true);
    text += &after("c2c0.receive", "receive e3", receive, 0, false);
    text += &after("mem1.write", "write e3", write, 1, true);
    text += ".queue c2c0.send\nnop 8\ndeskew\n";
    for _ in 0..ROUNDS {
        // The others go on NOTIFY_LATENCY cycles after the NOTIFY, this queue one.
        let sent = (FLITS as u64 - 1) * interval + 1;
        let begin = send + NOTIFY_LATENCY - 1;
        let rest = PERIOD - 1 - begin - sent - ALIGN - GO_LATENCY;
        text +=
            &format!("notify\nnop {begin}\nsend w5 repeat {FLITS}, {interval}, 0\nnop {rest}\n");
        text += &match realign {
            true => format!("runtime_deskew {ALIGN}\n"),
            false => format!("nop {}\n", ALIGN + GO_LATENCY),
        };
    }
    let mut program = asm::assemble(config, "rounds", &text).expect("it assembles");
    (0..config.num_queues()).for_each(|id| program.push(id, Instruction::End));
    program
}

#[derive(Clone, Copy)]
struct Ports {
    send: PortId,
    data: PortId,
    receive: PortId,
    deskew: PortId,
    runtime_deskew: PortId,
    wait: PortId,
    go: PortId,
    valid: PortId,
    flit: PortId,
    busy: PortId,
}

/// Two tiles at their links; before `running` they stand still.
struct Tiles {
    tiles: [Rtl; 2],
    ports: Ports,
    running: bool,
}

impl Tiles {
    fn new(config: &Config, model: &CompiledModel) -> Self {
        let mut tiles = [(); 2].map(|()| Rtl::new(config, model).expect("the model loads"));
        let model = tiles[0].model();
        let port = |name: &str| model.port(name).expect("a port of a tile with links");
        Self {
            ports: Ports {
                send: port("out_c2c_send_0"),
                data: port("out_c2c_data_0"),
                receive: port("out_c2c_receive_0"),
                deskew: port("out_c2c_deskew_0"),
                runtime_deskew: port("out_c2c_runtime_deskew_0"),
                wait: port("out_c2c_wait_0"),
                go: port("in_c2c_go_0"),
                valid: port("in_c2c_valid_0"),
                flit: port("in_c2c_data_0"),
                busy: port("out_busy"),
            },
            tiles,
            running: false,
        }
    }

    fn busy(&mut self) -> bool {
        let busy = self.ports.busy;
        let mut tiles = self.tiles.iter_mut();
        tiles.any(|tile| tile.model().get(busy) == 1)
    }
}

impl Chips for Tiles {
    fn act(&mut self, side: usize, _cycle: u64) -> Act {
        if !self.running {
            return Act::default();
        }
        let (model, ports) = (self.tiles[side].model(), self.ports);
        let on = |port| model.get(port) == 1;
        Act {
            send: on(ports.send).then(|| model.get_wide(ports.data)),
            receive: on(ports.receive),
            deskew: on(ports.deskew),
            runtime_deskew: on(ports.runtime_deskew).then(|| model.get(ports.wait)),
        }
    }

    fn seen(&mut self, side: usize, seen: Seen) {
        if !self.running {
            return;
        }
        let (model, ports) = (self.tiles[side].model(), self.ports);
        model.set(ports.go, seen.go.into());
        model.step(1);
        model.set(ports.valid, seen.flit.is_some().into());
        if let Some(flit) = seen.flit {
            model.set_wide(ports.flit, &flit);
        }
    }
}

/// What a pair of launches left.
struct Outcome {
    /// Cycles of both tiles, and HAC of the first link in cycle 0.
    cycles: [u64; 2],
    hac: u16,
    /// Units with a fault, by tile.
    faults: [Vec<(usize, FaultCode)>; 2],
    /// FAULTS of the links.
    links: [u64; 2],
    /// Vectors that are not where they belong, or others.
    wrong: [usize; 2],
}

impl Outcome {
    fn expect_clean(&self) {
        assert_eq!(self.wrong, [0; 2], "vectors");
        assert_eq!(self.faults, [vec![], vec![]]);
        assert_eq!(self.links, [0; 2], "FAULTS of the links");
    }
}

/// Two chips and what is between them.
struct Board {
    config: Config,
    shape: Shape,
    lines: [Line; 2],
    /// The side that trims its HAC.
    child: usize,
}

/// Brings up two links, and launches the program on both tiles `launches` times; stops at the first launch that is not clean.
fn run(board: Board, program: &Program, launches: u64) -> Outcome {
    let config = board.config;
    let mut tiles = Tiles::new(&config, &pair::model(&config));
    let mut chips = Pair::new(board.shape, board.lines, 17);
    chips.sides[board.child].set_child(true);
    chips.bring_up();
    // The HACs find each other.
    while chips.sides[0].cycle < 30_000 {
        chips.rest(10);
    }
    chips.clear();
    for tile in &mut tiles.tiles {
        tile.load(program).expect("an idle tile");
    }
    let count = ROUNDS * FLITS;
    let mut launch = 0;
    loop {
        let bytes = |side: u64| -> Vec<u8> {
            let mut random = Random(launch << 1 | side);
            let words = (0..count * config.lanes / 8).map(|_| random.word().to_le_bytes());
            words.flatten().collect()
        };
        let sent = [bytes(0), bytes(1)];
        for (tile, bytes) in tiles.tiles.iter_mut().zip(&sent) {
            let vectors = bytes.chunks(config.lanes).enumerate();
            tile.write_sram(vectors.map(|(at, lanes)| (0, at, lanes)))
                .expect("an idle tile");
        }
        // Both DESKEW in one epoch.
        let hac = |chips: &mut Pair| chips.sides[0].status(register::HAC) & 0xfff;
        while !(1000..1500).contains(&hac(&mut chips)) {
            chips.run(50, &mut tiles);
        }
        tiles.running = true;
        let hac = hac(&mut chips) as u16 + 1;
        for tile in &mut tiles.tiles {
            tile.launch_watching(false);
        }
        let limit = chips.sides[0].cycle + 10_000 + 2 * PERIOD * ROUNDS as u64;
        chips.run(100, &mut tiles);
        while tiles.busy() {
            chips.run(100, &mut tiles);
            assert!(chips.sides[0].cycle < limit, "the tiles do not end");
        }
        tiles.running = false;
        let reports = tiles.tiles.each_mut().map(|tile| tile.report().unwrap());
        let arrived = tiles.tiles.each_mut().map(|tile| {
            tile.read_sram((0..count).map(|at| (1, at)))
                .expect("an idle tile")
        });
        let wrong = [0, 1].map(|side: usize| {
            let pairs = arrived[side].chunks(config.lanes);
            let pairs = pairs.zip(sent[1 - side].chunks(config.lanes));
            pairs.filter(|(found, expected)| found != expected).count()
        });
        launch += 1;
        let outcome = Outcome {
            cycles: reports.each_ref().map(|report| report.cycles),
            hac,
            faults: reports.each_ref().map(|report| {
                let faults = report.faults.iter().enumerate();
                let faults = faults.filter_map(|(unit, fault)| Some((unit, fault.as_ref()?.code)));
                faults.collect()
            }),
            links: chips
                .sides
                .each_mut()
                .map(|side| side.status(register::FAULTS)),
            wrong,
        };
        if launch == launches || outcome.wrong != [0; 2] {
            println!(
                "{launch} launches of {:?} cycles, {} vectors each way in each, link cycles {:?}",
                outcome.cycles,
                count,
                chips.sides.each_ref().map(|side| side.cycle)
            );
            return outcome;
        }
    }
}

/// nano and a link of one lane over a line of 5 words, the clocks 200 ppm apart, the recovered ones with jitter, some bits wrong.
fn drifting(child: usize) -> Board {
    let line = |ppm| Line {
        lanes: vec![300],
        errors: Errors {
            random: 1e-6,
            ..Errors::default()
        },
        jitter: 60_000,
        ppm,
        delay: Line::DELAY,
    };
    Board {
        config: config(),
        shape: Shape::new(1, 8).expect("a shape"),
        lines: [line(100), line(-100)],
        child,
    }
}

/// The hop of [`drifting`]: 300 bits, the word's own cycle and what the board adds.
fn hop() -> u64 {
    Shape::new(1, 8).expect("a shape").hop(7, 0) as u64
}

/// Every vector arrives in its cycle, over 200 ppm and more than 10^5 cycles; whichever side is the child.
#[test]
fn vectors_arrive_in_their_cycles_while_clocks_drift() {
    let (config, hop) = (config(), hop());
    let program = rounds(&config, hop, true);
    let predicted = check(&config, &program).expect("it keeps the rules");
    assert!(predicted.busy_cycles > 100_000);
    let launches = std::env::var("LPU_LINKED_LAUNCHES").map_or(1, |text| {
        text.parse().expect("LPU_LINKED_LAUNCHES is a number")
    });
    for child in [1, 0] {
        let outcome = run(drifting(child), &program, launches);
        outcome.expect_clean();
        if child == 1 {
            // The golden machine says how long the parent's DESKEW takes; its clock is never trimmed.
            let mut golden = Machine::new(&config);
            golden.set_clock(0, ProgramClock::new(outcome.hac));
            golden.load(&program).expect("it fits");
            golden.launch();
            golden.run(1 << 30, &mut Vec::new());
            assert_eq!(outcome.cycles[0], golden.report().cycles);
            let cycles = predicted.busy_cycles as i64 + golden.waited();
            assert_eq!(outcome.cycles[0] as i64, cycles);
        }
        // The child waits for what its clock is off, but for what was not yet trimmed.
        let apart = outcome.cycles[0].abs_diff(outcome.cycles[1]);
        println!("child {child}: {apart} cycles of drift made good");
        assert!(apart + 4 >= predicted.busy_cycles * 2 / 10_000, "{apart}");
    }
    say(hop);
}

/// The ways of a vector that `docs/c2c.md` gives.
fn say(hop: u64) {
    let vector = READ_LATENCY + SEND_LATENCY + hop + RECEIVE_LATENCY;
    let next = vector + WRITE_LATENCY;
    println!(
        "hop {hop}: READ to WRITE in the first slices {vector} cycles, to a READ there {next}"
    );
}

/// The same program without RUNTIME_DESKEW is out of step in the end: the fast side looks for flits that are not there yet.
#[test]
fn without_runtime_deskew_a_receive_finds_nothing() {
    let config = config();
    let program = rounds(&config, hop(), false);
    check(&config, &program).expect("the drift is not its question");
    let outcome = run(drifting(1), &program, 1);
    let receive = Queue::new(QueueKind::C2cReceive, 0).id(&config);
    let missing = (receive, FaultCode::OperandMissing);
    assert!(outcome.faults[0].contains(&missing), "{:?}", outcome.faults);
    assert!(outcome.wrong[0] > 0);
    assert_eq!(outcome.links[0] & links::fault::EMPTY, links::fault::EMPTY);
    assert_eq!((&*outcome.faults[1], outcome.wrong[1]), (&[][..], 0));
}

/// Stacked dies: one clock, four lanes and no serialiser. One DESKEW is enough, and the hop is that of the rack of `docs/c2c.md`.
#[test]
fn stacked_tiles_stay_in_step() {
    let mut config = config();
    config.name = "stacked".to_owned();
    (config.lanes, config.mem.slices, config.mem.depth) = (32, 2, 1024);
    config.c2c = Some(C2cConfig { links: 1 });
    let shape = Shape::new(4, 32).expect("a shape");
    let hop = shape.hop(1, 0) as u64;
    let program = rounds(&config, hop, false);
    check(&config, &program).expect("it keeps the rules");
    let wires = Line {
        lanes: vec![0; 4],
        errors: Errors::default(),
        jitter: 0,
        ppm: 0,
        delay: 0,
    };
    let board = Board {
        config,
        shape,
        lines: [wires.clone(), wires],
        child: 1,
    };
    let outcome = run(board, &program, 1);
    outcome.expect_clean();
    assert!(outcome.cycles[0].abs_diff(outcome.cycles[1]) <= 1);
    say(hop);
}
