//! Two chip-to-chip links in RTL, their clocks apart and the line between them bad, against the contract of `docs/c2c.md` and the golden model.
//!
//! `LPU_C2C_BITS=1000000 cargo test --test c2c wrong_bits -- --nocapture` makes so many bits wrong; `LPU_C2C_FLITS` is the number of vectors of `the_hop_is_constant`.

#[path = "c2c/pair.rs"]
mod pair;
#[path = "c2c/waits.rs"]
mod waits;

use lpu_isa::c2c::Shape;
use lpu_verif::c2c::{Errors, Flit, Random, Receiver};
use pair::{Act, Idle, Line, Pair, Program, Seen, fault, register};
use std::collections::VecDeque;

fn shape(lanes: usize, slots: usize) -> Shape {
    Shape::new(lanes, slots).unwrap()
}

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().expect("a number"))
}

/// Every lane at a bit position of its own, up to two words apart; the recovered clock jitters.
fn bad(lanes: usize, ppm: i64, errors: Errors) -> Line {
    Line {
        lanes: (0..lanes).map(|lane| 300 + 17 * lane).collect(),
        errors,
        jitter: 60_000,
        ppm,
        delay: Line::DELAY,
    }
}

fn bad_pair(shape: Shape, errors: Errors, seed: u64) -> Pair {
    let lines = [100, -100].map(|ppm| bad(shape.lanes(), ppm, errors));
    Pair::new(shape, lines, seed)
}

/// Both sides send numbered flits, `share` of every 1000 cycles, and receive whatever comes.
struct Traffic {
    lanes: usize,
    share: u64,
    sending: bool,
    /// Of the session; flits of another one are stale.
    session: u64,
    /// By the side that sends.
    sent: [u64; 2],
    received: [u64; 2],
    /// Flits that are not those expected next: altered ones, and gaps.
    wrong: [u64; 2],
    stale: [u64; 2],
    cycles: [u64; 2],
}

impl Traffic {
    fn new(lanes: usize, share: u64) -> Self {
        Self {
            lanes,
            share,
            sending: true,
            session: 0,
            sent: [0; 2],
            received: [0; 2],
            wrong: [0; 2],
            stale: [0; 2],
            cycles: [0; 2],
        }
    }

    /// A new session: what was under way must never come.
    fn renew(&mut self) {
        self.session += 1;
        (self.sent, self.received) = ([0; 2], [0; 2]);
    }

    fn flit(&self, side: usize, session: u64, number: u64) -> Flit {
        let seed = (session << 1 | side as u64) << 40 | number;
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (0..self.lanes).map(|_| random.word()).collect()
    }
}

impl Program for Traffic {
    fn act(&mut self, side: usize, _cycle: u64) -> Act {
        let cycle = self.cycles[side];
        self.cycles[side] += 1;
        let due = (cycle + 1) * self.share / 1000 > cycle * self.share / 1000;
        let send = (self.sending && due).then(|| self.flit(side, self.session, self.sent[side]));
        self.sent[side] += u64::from(send.is_some());
        Act {
            send,
            receive: true,
            ..Act::default()
        }
    }

    fn seen(&mut self, side: usize, seen: Seen) {
        let Some(flit) = seen.flit else {
            return;
        };
        let from = 1 - side;
        let number = self.received[from];
        self.received[from] += 1;
        if flit == self.flit(from, self.session, number) {
            return;
        }
        self.wrong[from] += 1;
        let old = (0..self.session).flat_map(|session| (0..4000).map(move |n| (session, n)));
        if self.session > 0 && old.into_iter().any(|(s, n)| flit == self.flit(from, s, n)) {
            self.stale[from] += 1;
        }
    }
}

/// Shapes come up over skewed lanes and drifting clocks, and flits go both ways as they are.
#[test]
fn shapes_come_up_and_carry_flits() {
    for (lanes, slots) in [(1, 8), (2, 17), (4, 32), (8, 8)] {
        let shape = shape(lanes, slots);
        let mut pair = bad_pair(shape, Errors::default(), lanes as u64);
        let cycles = pair.bring_up();
        println!("{lanes} lanes, {slots} slots: up after {cycles} cycles");
        let shown = pair.sides[0].status(register::SHAPE);
        assert_eq!(shown, (lanes | slots << 8) as u64);
        // Less than the goodput of every shape.
        let mut traffic = Traffic::new(lanes, 500);
        pair.run(20 * shape.frame() as u64, &mut traffic);
        traffic.sending = false;
        pair.run(3 * shape.frame() as u64, &mut traffic);
        assert_eq!(traffic.received, traffic.sent, "{lanes} lanes");
        assert_eq!(traffic.wrong, [0; 2], "{lanes} lanes");
        for side in &mut pair.sides {
            // Every cycle without a flit is a RECEIVE in vain, and nothing else is wrong.
            assert_eq!(side.status(register::FAULTS), fault::EMPTY);
            assert_eq!(side.status(register::CORRECTED), 0);
            assert!(side.status(register::FRAMES) >= 20);
        }
    }
}

/// A full queue: as many flits in a frame as it has slots.
#[test]
fn goodput_is_that_of_the_frame() {
    let shape = shape(4, 208);
    let mut pair = bad_pair(shape, Errors::default(), 5);
    pair.bring_up();
    let mut traffic = Traffic::new(4, 981);
    let frames = 40;
    pair.run(5 * shape.frame() as u64, &mut traffic);
    let before = traffic.received[0];
    pair.run(frames * shape.frame() as u64, &mut traffic);
    let goodput = (traffic.received[0] - before) as f64 / (frames * shape.frame() as u64) as f64;
    println!("goodput {:.2} % of the line rate", 100.0 * goodput);
    assert!(goodput >= 0.975, "{goodput}");
    assert_eq!(traffic.wrong, [0; 2]);
    assert_eq!(pair.sides[0].status(register::FAULTS), fault::EMPTY);
}

/// What the RTL sends is what the golden receiver reads: flits, in order, and nothing wrong.
#[test]
fn the_golden_receiver_reads_the_line() {
    let shape = shape(4, 32);
    let mut pair = Pair::new(shape, [Line::straight(4), Line::straight(4)], 3);
    pair.sides[0].sent = Some(vec![]);
    pair.bring_up();
    let mut traffic = Traffic::new(4, 300);
    pair.run(30 * shape.frame() as u64, &mut traffic);
    let (mut receiver, mut read, mut frames) = (Receiver::new(shape), vec![], 0);
    for word in pair.sides[0].sent.take().unwrap() {
        if let Some(decoded) = receiver.take(&word) {
            frames += 1;
            // The first frame's scrambler has no past.
            assert!(frames == 1 || decoded.good(), "frame {frames}");
            read.extend(decoded.flits);
        }
    }
    assert!(frames > 30 && read.len() > 100);
    for (number, flit) in read.iter().enumerate() {
        assert_eq!(flit, &traffic.flit(0, 0, number as u64));
    }
}

/// The program of both chips in `the_hop_is_constant`: DESKEW, then rounds of SENDs that end with RUNTIME_DESKEW.
struct Rounds {
    hop: u64,
    /// Program cycle of each side; none before its DESKEW is over.
    at: [Option<u64>; 2],
    waiting: [bool; 2],
    /// Sent, by program cycle of the RECEIVE.
    under_way: VecDeque<(u64, u64)>,
    sent: u64,
    /// Number of the flit that the RECEIVE of this cycle has to find.
    due: Option<u64>,
    arrived: u64,
    missed: u64,
    flits: Traffic,
}

impl Rounds {
    const PERIOD: u64 = 2000;
    const ALIGN: u64 = 60;
}

impl Program for Rounds {
    fn act(&mut self, side: usize, _cycle: u64) -> Act {
        let mut act = Act::default();
        if self.waiting[side] {
            return act;
        }
        let Some(at) = self.at[side] else {
            act.deskew = true;
            self.waiting[side] = true;
            return act;
        };
        let place = at % Self::PERIOD;
        if place == Self::PERIOD - Self::ALIGN {
            act.runtime_deskew = Some(Self::ALIGN);
            self.waiting[side] = true;
            return act;
        }
        // 98 in a hundred cycles: slots are 98.1.
        let sends = place < Self::PERIOD - Self::ALIGN - self.hop && place % 50 != 49;
        if side == 0 && sends {
            act.send = Some(self.flits.flit(0, 0, self.sent));
            self.under_way.push_back((at + self.hop, self.sent));
            self.sent += 1;
        }
        if side == 1 && self.under_way.front().is_some_and(|&(due, _)| due == at) {
            act.receive = true;
            self.due = self.under_way.pop_front().map(|(_, number)| number);
        }
        self.at[side] = Some(at + 1);
        act
    }

    fn seen(&mut self, side: usize, seen: Seen) {
        if self.waiting[side] && seen.go {
            self.waiting[side] = false;
            let next = self.at[side].map_or(0, |at| at + Self::ALIGN);
            self.at[side] = Some(next);
        }
        if side == 1
            && let Some(number) = self.due.take()
        {
            self.arrived += 1;
            let expected = self.flits.flit(0, 0, number);
            self.missed += u64::from(seen.flit != Some(expected));
        }
    }
}

/// SEND to RECEIVE takes the same number of program cycles for every vector, with clocks 200 ppm apart, jitter, and errors that are corrected.
#[test]
fn the_hop_is_constant() {
    let shape = shape(4, 208);
    let flits = number("LPU_C2C_FLITS", 100_000);
    let errors = Errors {
        random: 1e-6,
        ..Errors::default()
    };
    let mut pair = bad_pair(shape, errors, 11);
    pair.sides[1].set_child(true);
    pair.bring_up();
    // The HACs find each other.
    pair.rest(60);
    pair.clear();
    // The line: 300 to 351 bits, and 0.3 cycles.
    let hop = shape.hop(7, 1) as u64;
    let mut rounds = Rounds {
        hop,
        at: [None; 2],
        waiting: [false; 2],
        under_way: VecDeque::new(),
        sent: 0,
        due: None,
        arrived: 0,
        missed: 0,
        flits: Traffic::new(4, 0),
    };
    while rounds.arrived < flits {
        pair.run(1000, &mut rounds);
    }
    let corrected = pair.sides[1].status(register::CORRECTED);
    let faults = pair
        .sides
        .each_mut()
        .map(|side| side.status(register::FAULTS));
    println!(
        "{} vectors, each {hop} program cycles after its SEND (sigma 0): {} missed, {corrected} bytes corrected, one-way latency by HAC {}",
        rounds.arrived,
        rounds.missed,
        pair.sides[1].status(register::LATENCY)
    );
    assert_eq!((rounds.missed, faults), (0, [0; 2]));
    assert!(corrected > 0);
}

/// SENDs in given cycles of side 0; side 1 notes when they come.
struct Burst {
    lanes: usize,
    sent: Vec<u64>,
    /// Cycle of side 1.
    now: u64,
    came: Vec<(u64, Flit)>,
}

impl Burst {
    /// The longest way of a flit of SENDs, which count from the beginning of the burst, begun at each phase of the frame in turn; none
    /// if one is lost.
    fn longest(pair: &mut Pair, sends: &[u64]) -> Option<u64> {
        let frame = pair.shape.frame() as u64;
        let mut longest = 0;
        for phase in 0..frame {
            let begin = (pair.sides[0].cycle + 1).next_multiple_of(frame) + phase;
            let mut burst = Self {
                lanes: pair.shape.lanes(),
                sent: sends.iter().map(|at| begin + at).collect(),
                now: 0,
                came: vec![],
            };
            let last = burst.sent[sends.len() - 1];
            pair.run(last + 4 * frame - pair.sides[0].cycle, &mut burst);
            let expected = burst.sent.iter().map(|&cycle| burst.flit(cycle));
            if !expected.eq(burst.came.iter().map(|(_, flit)| flit.clone())) {
                return None;
            }
            let ways = burst.came.iter().zip(&burst.sent);
            longest = longest.max(ways.map(|((to, _), from)| to - from).max()?);
        }
        Some(longest)
    }

    fn flit(&self, cycle: u64) -> Flit {
        vec![cycle; self.lanes]
    }
}

impl Program for Burst {
    fn act(&mut self, side: usize, cycle: u64) -> Act {
        if side == 1 {
            self.now = cycle;
        }
        let sends = side == 0 && self.sent.binary_search(&cycle).is_ok();
        Act {
            send: sends.then(|| self.flit(cycle)),
            receive: side == 1,
            ..Act::default()
        }
    }

    fn seen(&mut self, side: usize, seen: Seen) {
        if side == 1
            && let Some(flit) = seen.flit
        {
            self.came.push((self.now, flit));
        }
    }
}

/// SENDs as fast as the frames carry take no longer than a single one does at the worst phase, and a cycle faster is too fast: the rule of
/// `docs/c2c.md` is needed and enough.
#[test]
fn no_flit_is_late_at_the_rate_of_the_frames() {
    for (lanes, slots) in [(1, 17), (2, 17), (4, 32)] {
        let shape = shape(lanes, slots);
        let lines = [0; 2].map(|_| Line::straight(lanes));
        let mut pair = Pair::new(shape, lines, 3);
        pair.bring_up();
        let (slots, frame) = (slots as u64, shape.frame() as u64);
        let alone = Burst::longest(&mut pair, &[0]).expect("a flit comes");
        assert!(alone <= shape.hop(6, 0) as u64, "{alone}");
        // As early as the rule allows, and with the last flit of the third frame a cycle earlier.
        let allowed: Vec<u64> = (0..3 * slots + 1)
            .map(|i| i / slots * frame + i % slots)
            .collect();
        let mut early = allowed.clone();
        *early.last_mut().unwrap() -= 1;
        let longest = Burst::longest(&mut pair, &allowed);
        println!("{lanes} lanes, {slots} slots: {alone} cycles alone, {longest:?} in a burst");
        assert_eq!(longest, Some(alone));
        assert_eq!(Burst::longest(&mut pair, &early), Some(alone + 1));
        // A flit in every cycle falls behind until the queue is full.
        let every: Vec<u64> = (0..4 * slots).collect();
        let behind = Burst::longest(&mut pair, &every);
        assert!(behind.is_none_or(|longest| longest > alone + 1));
    }
}

/// Bits made wrong, one by one and in bursts: corrected or flagged, none silent. Frames with one wrong byte in a column are corrected, and counted.
#[test]
fn wrong_bits_are_corrected_or_flagged() {
    let shape = shape(4, 32);
    let bits = number("LPU_C2C_BITS", 4_000);
    // Wrong bits by themselves, bursts of bits, their longest; and the share of all wrong bits, in thousandths.
    let kinds = [
        (1e-5, 0.0, 0, 5),
        (0.0, 2e-6, 57, 45),
        (1e-4, 0.0, 0, 100),
        (1e-4, 2e-5, 64, 250),
        (1e-3, 1e-4, 64, 600),
    ];
    for (kind, (random, bursts, longest, share)) in kinds.into_iter().enumerate() {
        let errors = Errors {
            random,
            bursts,
            longest,
        };
        let mut pair = bad_pair(shape, Errors::default(), 20 + kind as u64);
        pair.bring_up();
        pair.clear();
        pair.sides[0].channel.set_errors(errors);
        let mut traffic = Traffic::new(4, 800);
        let (mut silent, mut flagged, mut restarts, mut wrong) = (0u64, 0u64, 0u64, 0u64);
        let before = pair.sides[0].channel.wrong();
        let injected = |pair: &Pair| pair.sides[0].channel.wrong() - before;
        while injected(&pair) < bits * share / 1000 {
            // What is wrong now has to be flagged within the frame after it.
            pair.run(4 * shape.frame() as u64, &mut traffic);
            pair.sides[0].channel.set_errors(Errors::default());
            traffic.sending = false;
            pair.run(4 * shape.frame() as u64, &mut traffic);
            let faults = pair.sides[1].status(register::FAULTS) & !fault::EMPTY;
            let lost = traffic.received[0] != traffic.sent[0];
            if traffic.wrong[0] > 0 || lost {
                wrong += traffic.wrong[0];
                match faults {
                    0 => silent += 1,
                    _ => flagged += 1,
                }
            }
            if !(pair.sides[0].is_up() && pair.sides[1].is_up()) {
                restarts += 1;
                pair.bring_up();
            }
            pair.clear();
            traffic = Traffic::new(4, 800);
            pair.sides[0].channel.set_errors(errors);
        }
        println!(
            "random {random:.0e}, bursts {bursts:.0e} of up to {longest}: {} wrong bits, {flagged} rounds flagged with {wrong} wrong flits, {restarts} restarts, {silent} silent",
            injected(&pair)
        );
        assert_eq!(silent, 0);
        // Of a thousand single bits at 1e-5 one or two meet in a column; bursts of up to 57 bits touch a column once, and two hardly meet.
        match kind {
            0 => assert!(1000 * flagged <= 6 * injected(&pair) + 1000, "corrected"),
            1 => assert!(1000 * flagged <= injected(&pair), "corrected"),
            _ => assert!(flagged > 0, "errors that nothing corrects"),
        }
    }
}

/// Counters agree with what was made wrong: one bit in a frame is a byte corrected, two bytes of a column are not.
#[test]
fn counters_count_what_was_injected() {
    let shape = shape(4, 32);
    let mut pair = Pair::new(shape, [Line::straight(4), Line::straight(4)], 9);
    pair.bring_up();
    pair.clear();
    let mut traffic = Traffic::new(4, 500);
    let single = 25;
    for number in 0..single {
        pair.sides[0]
            .channel
            .strike(number % 4, 1 << (7 * number % 64));
        pair.run(shape.frame() as u64, &mut traffic);
    }
    pair.run(3 * shape.frame() as u64, &mut traffic);
    assert_eq!(traffic.wrong, [0; 2]);
    let side = &mut pair.sides[1];
    // A strike at a marker meets what is no codeword.
    let corrected = side.status(register::CORRECTED);
    assert!(
        (single as u64 - 2..=single as u64).contains(&corrected),
        "{corrected}"
    );
    assert_eq!(side.status(register::FAULTS), fault::EMPTY);
    assert_eq!(side.status(register::UNCORRECTABLE), 0);
    // The same byte of two words of a frame.
    pair.clear();
    for mask in [1 << 3, 1 << 5] {
        pair.sides[0].channel.strike(2, mask);
        pair.run(2, &mut traffic);
    }
    pair.run(3 * shape.frame() as u64, &mut traffic);
    let side = &mut pair.sides[1];
    let faults = side.status(register::FAULTS);
    assert_ne!(
        faults & (fault::UNCORRECTABLE | fault::CRC),
        0,
        "{faults:#x}"
    );
}

/// A cut line, a dark PHY, a clock that stands still, a disabled or a reset peer in the middle of traffic: the link goes down with its reason, comes up again,
/// and no flit of the session before arrives.
#[test]
fn sessions_end_clearly_and_begin_anew() {
    type Harm = fn(&mut Pair, bool);
    let harms: [(&str, Harm, &[u64]); 5] = [
        ("cut", |pair, on| pair.sides[0].channel.cut(on), &[3]),
        ("dark", |pair, on| pair.sides[1].set_phy_up(!on), &[2]),
        ("stopped", |pair, on| pair.sides[0].stopped = on, &[5]),
        (
            "disabled",
            |pair, on| pair.sides[0].set_enable(!on),
            &[4, 5],
        ),
        ("reset", |pair, on| pair.sides[0].set_reset(on), &[3, 4, 5]),
    ];
    let shape = shape(4, 32);
    let frame = shape.frame() as u64;
    for (number, (name, harm, reasons)) in harms.into_iter().enumerate() {
        let mut pair = bad_pair(shape, Errors::default(), 40 + number as u64);
        pair.bring_up();
        let mut traffic = Traffic::new(4, 700);
        pair.run(10 * frame + 3 * number as u64, &mut traffic);
        assert_eq!(traffic.wrong, [0; 2], "{name}");
        harm(&mut pair, true);
        pair.run(12 * frame, &mut Idle);
        assert!(!pair.sides[1].is_up(), "{name}");
        let drops = pair.sides[1].status(register::DROPS);
        assert!(
            drops & 0xffff >= 1 && reasons.contains(&(drops >> 16)),
            "{name}: {drops:#x}"
        );
        let faults = pair.sides[1].status(register::FAULTS);
        assert_ne!(faults & fault::DROPPED, 0, "{name}");
        harm(&mut pair, false);
        pair.bring_up();
        pair.clear();
        traffic.renew();
        pair.run(10 * frame, &mut traffic);
        traffic.sending = false;
        pair.run(3 * frame, &mut traffic);
        assert_eq!((traffic.wrong, traffic.stale), ([0; 2], [0; 2]), "{name}");
        assert_eq!(traffic.received, traffic.sent, "{name}");
        assert!(traffic.received[0] > 100, "{name}");
    }
}

/// A reset of one chip at any moment of a frame.
#[test]
fn a_reset_at_any_moment() {
    let shape = shape(1, 8);
    let mut pair = bad_pair(shape, Errors::default(), 77);
    pair.bring_up();
    let mut traffic = Traffic::new(1, 400);
    for moment in 0..12 {
        pair.run(4 * shape.frame() as u64 + moment, &mut traffic);
        let side = moment as usize % 2;
        pair.reset([side == 0, side == 1]);
        pair.bring_up();
        traffic.renew();
        pair.run(8 * shape.frame() as u64, &mut traffic);
        assert_eq!((traffic.wrong, traffic.stale), ([0; 2], [0; 2]), "{moment}");
        assert!(traffic.received.iter().all(|&flits| flits > 10), "{moment}");
    }
}

/// PRBS-31 instead of frames: no wrong bit on a good line, three for each wrong one.
#[test]
fn test_patterns_count_bits() {
    let shape = shape(2, 17);
    let mut pair = Pair::new(shape, [Line::straight(2), Line::straight(2)], 5);
    pair.bring_up();
    for side in &mut pair.sides {
        side.set_prbs(true);
    }
    pair.rest(20);
    assert!(!pair.sides[0].is_up() && !pair.sides[1].is_up());
    pair.clear();
    pair.rest(20);
    assert_eq!(pair.sides[1].status(register::PRBS), 0);
    for lane in 0..2 {
        pair.sides[0].channel.strike(lane, 1 << 20);
        pair.rest(1);
    }
    // Counts come every 128 words.
    pair.rest(10);
    assert_eq!(pair.sides[1].status(register::PRBS), 6);
    for side in &mut pair.sides {
        side.set_prbs(false);
    }
    pair.bring_up();
}

/// The HAC of the child follows the parent's.
#[test]
fn counters_are_trimmed() {
    let shape = shape(1, 8);
    let mut pair = bad_pair(shape, Errors::default(), 31);
    pair.sides[1].set_child(true);
    pair.bring_up();
    pair.rest(40);
    let mut worst = 0;
    for _ in 0..400 {
        pair.rest(3);
        let hacs = pair
            .sides
            .each_mut()
            .map(|side| side.status(register::HAC) & 0xfff);
        let apart = (hacs[1] + 4096 - hacs[0]) % 4096;
        worst = worst.max(apart.min(4096 - apart));
    }
    println!("child and parent are at most {worst} cycles apart");
    assert!(worst <= 3, "{worst}");
}
