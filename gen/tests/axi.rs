//! The AXI side: clean under lint, the same in Verilog as in rust-hdl's simulator, and under Verilator against a naive model: random
//! bursts with waits on every channel onto a memory behind a host port that answers eight cycles later.

mod cosim;
mod tools;

use cosim::{Random, clean, equal};
use lpu_gen::{EmitOptions, emit};
use lpu_hdl::host::axi::{AxiPort, BurstAddress, RegisterMap};
use lpu_hdl::prim::StreamFifo;
use lpu_isa::Config;
use lpu_isa::latency::HOST_LATENCY;
use lpu_sim::{Builder, Design, Model, PortId, Verilator, default_cache_dir};
use rust_hdl::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

clocked!(BurstAddress, StreamFifo<16>);

impl cosim::Clocked for RegisterMap {
    fn control(&mut self, _: bool, _: bool) {}
}

const SEED: u64 = 1;

fn nano() -> Config {
    Config::preset("nano").unwrap()
}

fn text(mut block: impl Block, name: &str) -> String {
    block.connect_all();
    emit(&block, &EmitOptions::new(name)).unwrap().single_file()
}

#[test]
fn snapshots_of_small_blocks() {
    insta::assert_snapshot!(
        "stream_fifo",
        text(StreamFifo::<8>::new(2), "lpu_stream_fifo")
    );
    insta::assert_snapshot!(
        "burst_address",
        text(BurstAddress::new(), "lpu_axi_burst_address")
    );
}

#[test]
fn the_whole_is_clean() {
    for name in ["nano", "edge"] {
        clean(AxiPort::new(&Config::preset(name).unwrap()));
    }
}

#[test]
fn beats_are_the_same_in_verilog() {
    let mut random = Random(SEED);
    equal(BurstAddress::new(), 600, |now, burst| {
        burst.in_valid.next = now < cosim::RESET || !random.once_in(4);
        burst.in_ready.next = !random.once_in(4);
        burst.in_address.next = random.bits();
        burst.in_id.next = random.bits();
        burst.in_length.next = Bits::from([0, 1, 3, 7, 15, 5][random.below(6) as usize]);
        burst.in_size.next = random.bits();
        burst.in_burst.next = random.bits();
    });
}

#[test]
fn queues_are_the_same_in_verilog() {
    for depth in [2, 8] {
        let mut random = Random(SEED);
        equal(StreamFifo::<16>::new(depth), 400, |now, fifo| {
            let often = if now / 50 % 2 == 0 { 8 } else { 2 };
            fifo.in_valid.next = !random.once_in(often);
            fifo.out_ready.next = random.once_in(often);
            fifo.in_data.next = random.bits();
        });
    }
}

#[test]
fn registers_are_the_same_in_verilog() {
    for name in ["nano", "proto"] {
        let config = Config::preset(name).unwrap();
        equal(RegisterMap::new(&config), 1026, |now, map| {
            map.in_word.next = Bits::from(now as u64 % 1024);
        });
    }
}

/// A burst: identifier, first byte, beats, log2 of bytes in a beat, burst type.
#[derive(Clone, Copy, Debug)]
struct Burst {
    id: u64,
    address: u64,
    length: u64,
    size: u64,
    kind: u64,
}

impl Burst {
    fn random(random: &mut Random, first: u64) -> Self {
        let kind = random.below(3);
        let size = 3 - random.below(4) * random.below(2);
        let length = match kind {
            2 => [2, 4, 8, 16][random.below(4) as usize],
            _ => 1 + random.below(16),
        };
        let mut address = first + random.below(WORDS * 8 - 128);
        if kind == 2 {
            address &= !((1 << size) - 1);
        }
        let id = random.below(256);
        Self {
            id,
            address,
            length,
            size,
            kind,
        }
    }

    /// First byte of each beat, by the formulas of the standard.
    fn beats(&self) -> Vec<u64> {
        let n = 1 << self.size;
        let aligned = self.address / n * n;
        let container = self.address / (n * self.length) * (n * self.length);
        (0..self.length)
            .map(|i| match (self.kind, i) {
                (0, _) | (_, 0) => self.address,
                (1, _) => aligned + i * n,
                _ => container + (aligned - container + i * n) % (n * self.length),
            })
            .collect()
    }
}

/// Words of each half of the memory that the test uses.
const WORDS: u64 = 64;

/// The pins by name.
struct Pins {
    model: Model,
    ids: BTreeMap<String, PortId>,
}

impl Pins {
    fn new(change: impl Fn(String) -> String) -> Self {
        let mut block = AxiPort::new(&nano());
        block.connect_all();
        let emitted = emit(&block, &EmitOptions::new("lpu_axi_port")).unwrap();
        let design = Design::new("lpu_axi_port")
            .source("lpu_axi_port.v", change(emitted.single_file()))
            .waive(emitted.lint_waivers());
        let models = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("axi-models");
        let builder = Builder::new(Verilator::find(&default_cache_dir()).unwrap(), models);
        let model = builder.build(&design).unwrap().instantiate().unwrap();
        let ids = model.ports().iter().map(|port| port.name.clone());
        let ids: Vec<_> = ids.collect();
        let ids = ids.into_iter().map(|name| {
            let id = model.port(&name).unwrap();
            (name, id)
        });
        let ids = ids.collect();
        Self { model, ids }
    }

    fn set(&mut self, name: &str, value: u64) {
        self.model.set(self.ids[name], value);
    }

    fn get(&self, name: &str) -> u64 {
        self.model.get(self.ids[name])
    }

    fn address(&mut self, channel: &str, burst: Option<&Burst>) {
        self.set(&format!("s_axi_{channel}valid"), burst.is_some().into());
        if let Some(burst) = burst {
            self.set(&format!("s_axi_{channel}id"), burst.id);
            self.set(&format!("s_axi_{channel}addr"), burst.address);
            self.set(&format!("s_axi_{channel}len"), burst.length - 1);
            self.set(&format!("s_axi_{channel}size"), burst.size);
            self.set(&format!("s_axi_{channel}burst"), burst.kind);
        }
    }

    fn moved(&self, channel: &str) -> bool {
        self.get(&format!("s_axi_{channel}valid")) & self.get(&format!("s_axi_{channel}ready")) == 1
    }
}

/// Plays random bursts, reads of one half of the memory beside writes of the other; what is wrong, if something is.
fn play(seed: u64, rounds: usize, change: impl Fn(String) -> String) -> Result<u64, String> {
    let mut pins = Pins::new(change);
    let mut random = Random(seed);
    let mut memory: BTreeMap<u64, u64> = (0..2 * WORDS).map(|word| (word, random.word())).collect();
    // The host port: its own copy of the memory, and answers under way.
    let mut host = memory.clone();
    let mut under_way = VecDeque::from(vec![0; HOST_LATENCY as usize]);
    pins.set("reset", 1);
    pins.model.step(3);
    pins.set("reset", 0);
    let mut cycles = 0;
    for round in 0..rounds {
        let (read_half, write_half) = (
            round as u64 % 2 * 8 * WORDS,
            (round as u64 + 1) % 2 * 8 * WORDS,
        );
        let mut reads: VecDeque<_> = (0..6)
            .map(|_| Burst::random(&mut random, read_half))
            .collect();
        let mut writes: VecDeque<_> = (0..6)
            .map(|_| Burst::random(&mut random, write_half))
            .collect();
        let mut expected: VecDeque<(u64, u64, bool)> = reads
            .iter()
            .flat_map(|burst| {
                let beats = burst.beats();
                let memory = &memory;
                (0..beats.len())
                    .map(move |i| (burst.id, memory[&(beats[i] / 8)], i + 1 == beats.len()))
            })
            .collect();
        let mut responses: VecDeque<_> = writes.iter().map(|burst| burst.id).collect();
        let mut data = VecDeque::new();
        for burst in &writes {
            for (i, byte) in burst.beats().into_iter().enumerate() {
                let strobes = [0xff, 0xff, 0, random.below(256)][random.below(4) as usize];
                let word = random.word();
                let old = memory.get_mut(&(byte / 8)).unwrap();
                for lane in (0..8).filter(|lane| strobes >> lane & 1 == 1) {
                    *old = *old & !(0xff << (8 * lane)) | word & 0xff << (8 * lane);
                }
                data.push_back((word, strobes, i as u64 + 1 == burst.length));
            }
        }
        let patience = 1 + random.below(4);
        let (mut aw, mut w, mut ar) = (None, None, None);
        let start = cycles;
        while !(expected.is_empty() && responses.is_empty()) {
            // A channel that waits keeps what it shows; another may show something.
            if aw.is_none() && random.once_in(patience) {
                aw = writes.pop_front();
            }
            if ar.is_none() && random.once_in(patience) {
                ar = reads.pop_front();
            }
            if w.is_none() && random.once_in(patience) {
                w = data.pop_front();
            }
            pins.address("aw", aw.as_ref());
            pins.address("ar", ar.as_ref());
            pins.set("s_axi_wvalid", w.is_some().into());
            if let Some((word, strobes, last)) = w {
                pins.set("s_axi_wdata", word);
                pins.set("s_axi_wstrb", strobes);
                pins.set("s_axi_wlast", last.into());
            }
            pins.set("s_axi_bready", random.once_in(patience).into());
            pins.set("s_axi_rready", random.once_in(patience).into());
            pins.set("in_host_data", under_way.pop_front().unwrap());
            pins.model.settle();
            let (address, valid) = (
                pins.get("out_host_address") & 0xfff_ffff,
                pins.get("out_host_valid"),
            );
            let answer = host.get(&address).copied().unwrap_or(0);
            if valid == 1 && pins.get("out_host_write") == 1 {
                host.insert(address, pins.get("out_host_data"));
            }
            under_way.push_back(answer);
            if pins.moved("aw") {
                aw = None;
            }
            if pins.moved("ar") {
                ar = None;
            }
            if pins.moved("w") {
                w = None;
            }
            if pins.moved("r") {
                let found = (
                    pins.get("s_axi_rid"),
                    pins.get("s_axi_rdata"),
                    pins.get("s_axi_rlast") == 1,
                );
                let want = expected.pop_front();
                if want != Some(found) || pins.get("s_axi_rresp") != 0 {
                    return Err(format!(
                        "round {round}, cycle {cycles}: beat {found:x?}, not {want:x?}"
                    ));
                }
            }
            if pins.moved("b") {
                let (found, want) = (pins.get("s_axi_bid"), responses.pop_front());
                if want != Some(found) || pins.get("s_axi_bresp") != 0 {
                    return Err(format!(
                        "round {round}, cycle {cycles}: response {found}, not {want:?}"
                    ));
                }
            }
            pins.model.step(1);
            cycles += 1;
            if cycles > start + 50_000 {
                return Err(format!("round {round} hangs"));
            }
        }
        if host != memory {
            return Err(format!("round {round}: the memory differs"));
        }
    }
    Ok(cycles)
}

fn rounds() -> usize {
    let asked = std::env::var("LPU_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(60)
}

#[test]
fn bursts_do_what_the_naive_model_says() {
    println!(
        "seed {SEED}, configuration {}; replay: cargo test -p lpu-gen --test axi bursts_do",
        nano().hash()
    );
    let played = play(SEED, rounds(), |text| text);
    println!("{} cycles", played.unwrap());
}

#[test]
fn a_place_too_many_is_found() {
    let change = |text: String| {
        assert!(text.contains("~held_q[4]"), "the credits are elsewhere");
        text.replace("~held_q[4]", "1'd1")
    };
    assert!(play(SEED, 60, change).is_err());
}
