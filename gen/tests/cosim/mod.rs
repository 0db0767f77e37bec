//! A block in rust-hdl's simulator against its emitted Verilog in Icarus Verilog: the same inputs, every output of every
//! cycle compared.
#![allow(dead_code, reason = "each test binary uses some of it")]

use crate::tools;
use lpu_gen::{EmitOptions, FILE_LIST, LINT_WAIVERS, emit};
use rust_hdl::core::atom::{Atom, AtomKind};
use rust_hdl::core::simulate::simulate;
use rust_hdl::prelude::*;
use std::fmt::Write;
use std::process::Command;

/// Cycles of reset at the start, in which outputs are not compared.
pub const RESET: usize = 2;

/// A block that can be stepped.
pub trait Clocked: Block {
    /// Sets the clock and the reset.
    fn control(&mut self, clock: bool, reset: bool);
}

/// Implements [`Clocked`] for blocks with ports `clock` and `reset`, or with `no_reset` for blocks without reset.
#[macro_export]
macro_rules! clocked {
    (no_reset $($block:ty),+ $(,)?) => {$(
        impl $crate::cosim::Clocked for $block {
            fn control(&mut self, clock: bool, _: bool) {
                self.clock.next = Clock::from(clock);
            }
        }
    )+};
    ($($block:ty),+ $(,)?) => {$(
        impl $crate::cosim::Clocked for $block {
            fn control(&mut self, clock: bool, reset: bool) {
                self.clock.next = Clock::from(clock);
                self.reset.next = reset;
            }
        }
    )+};
}

/// Numbers without a pattern, the same in every run.
pub struct Random(pub u64);

impl Random {
    /// 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.word().is_multiple_of(n)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.word() % n
    }

    /// Any number of `N` bits.
    pub fn bits<const N: usize>(&mut self) -> Bits<N> {
        let mut bits = Bits::default();
        for at in (0..N).step_by(16) {
            let part =
                Bits::<N>::from(self.word() & 0xffff & (u64::MAX >> 64usize.saturating_sub(N)));
            bits = bits | part << at as u64;
        }
        bits
    }
}

/// The ports of a block with their values.
#[derive(Default)]
struct Ports {
    depth: usize,
    /// There is a clock.
    clocked: bool,
    /// Input, width, name, value as a Verilog literal.
    ports: Vec<(bool, usize, String, String)>,
}

impl Probe for Ports {
    fn visit_start_scope(&mut self, _: &str, _: &dyn Block) {
        self.depth += 1;
    }

    fn visit_end_scope(&mut self, _: &str, _: &dyn Block) {
        self.depth -= 1;
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        let input = match signal.kind() {
            AtomKind::InputParameter => true,
            AtomKind::OutputParameter => false,
            _ => return,
        };
        if self.depth == 1 && name == "clock" {
            self.clocked = true;
        } else if self.depth == 1 {
            let value = format!("{:x}", signal.verilog());
            self.ports
                .push((input, signal.bits(), name.replace('$', "_"), value));
        }
    }
}

fn ports(block: &dyn Block) -> Vec<(bool, usize, String, String)> {
    all_ports(block).ports
}

fn all_ports(block: &dyn Block) -> Ports {
    let mut ports = Ports::default();
    block.accept("top", &mut ports);
    ports
}

/// Runs the block for `cycles` cycles, with the inputs that `stimulus` sets, and gives a testbench that does the same.
fn record<B: Clocked>(
    block: &mut B,
    cycles: usize,
    mut stimulus: impl FnMut(usize, &mut B),
) -> String {
    block.connect_all();
    let mut bench = String::from("module testbench;\n  reg clock = 0; integer wrong = 0;\n");
    let mut wires = vec![];
    if all_ports(block).clocked {
        wires.push(".clock(clock)".to_owned());
    }
    for (input, width, name, _) in ports(block) {
        let kind = if input { "reg" } else { "wire" };
        let _ = writeln!(bench, "  {kind} [{}:0] {name};", width - 1);
        wires.push(format!(".{name}({name})"));
    }
    let wires = wires.join(", ");
    let _ = writeln!(bench, "  lpu_dut dut ({wires});\n  initial begin");
    let mut last = vec![];
    for now in 0..cycles {
        let reset = now < RESET;
        stimulus(now, block);
        block.control(false, reset);
        assert!(simulate(block, 50), "the block does not settle");
        let values = ports(block);
        for (at, (input, width, name, value)) in values.iter().enumerate() {
            if *input && last.get(at) != Some(value) {
                let _ = writeln!(bench, "    {name} = {value};");
            }
            let _ = width;
        }
        bench += "    #5;\n";
        for (input, width, name, value) in &values {
            if !input && now >= RESET {
                // Data may be undefined where it is not valid; a single bit never is.
                let differs = match width {
                    1 => format!("{name} !== {value}"),
                    _ => format!("(|({name} ^ {value})) === 1'b1"),
                };
                let _ = writeln!(
                    bench,
                    "    if ({differs}) begin wrong = wrong + 1; $display(\"cycle {now}: {name} is %h, not {value}\", {name}); end"
                );
            }
        }
        bench += "    clock = 1; #5 clock = 0;\n";
        last = values.into_iter().map(|port| port.3).collect();
        block.control(true, reset);
        assert!(simulate(block, 50), "the block does not settle");
    }
    bench += "    $display(\"%0d wrong\", wrong);\n  end\nendmodule\n";
    bench
}

/// What the comparison prints: a line for each difference, then a count; `change` is made to the Verilog first.
pub fn compare<B: Clocked>(
    mut block: B,
    cycles: usize,
    stimulus: impl FnMut(usize, &mut B),
    change: impl Fn(String) -> String,
) -> String {
    let bench = record(&mut block, cycles, stimulus);
    let text = emit(&block, &EmitOptions::new("lpu_dut"))
        .unwrap()
        .single_file();
    tools::simulate(&[("ours.v", &change(text)), ("bench.v", &bench)])
}

/// Fails unless the block and its Verilog do the same.
pub fn equal<B: Clocked>(block: B, cycles: usize, stimulus: impl FnMut(usize, &mut B)) {
    let output = compare(block, cycles, stimulus, |text| text);
    let first: Vec<&str> = output.lines().take(20).collect();
    assert_eq!(output.trim(), "0 wrong", "{}", first.join("\n"));
}

/// Fails unless the emitted block is clean under `verilator -Wall` but for the documented waivers.
pub fn clean(mut block: impl Block) {
    block.connect_all();
    let emitted = emit(&block, &EmitOptions::new("lpu_dut")).unwrap();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let rtl = directory.path().join("rtl");
    emitted.write_to(&rtl).expect("the design is written");
    let mut command = Command::new(tools::verilator());
    command.args(["--lint-only", "-Wall", "--quiet", "--top-module", "lpu_dut"]);
    command.args([LINT_WAIVERS, "-f", FILE_LIST]);
    let (ok, text) = tools::try_run(&mut command, &rtl);
    assert!(ok && !text.contains("Warning"), "{text}");
}
