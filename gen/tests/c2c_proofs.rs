//! Formal proofs on the emitted blocks of the chip-to-chip link, each with mutants that must fail.
//!
//! A proof is a file of `tests/proofs`: Verilog with assertions, and lines that begin with `//!`:
//!
//! ```text
//! //! inside MODULE              what follows, up to the end or the next `module`, goes into MODULE
//! //! edit MODULE: A => B        changes MODULE before anything is proved
//! //! replace MODULE             the file has a MODULE of its own
//! //! mutant NAME: A => B ; ...  a defect that must be found; A may be in the file itself
//! ```
//!
//! yosys reads it; ABC or yosys itself proves it for all time. `LPU_PROOF_DIR` keeps the files of the last one.

mod tools;

use lpu_gen::{EmitOptions, emit};
use lpu_hdl::c2c::{
    AsyncFifo, Deframer, Descrambler, FecDecoder, FecEncoder, LaneAligner, Scrambler, TxFramer,
};
use lpu_isa::c2c::Shape;
use rust_hdl::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// How a proof is made.
#[derive(Clone, Copy)]
enum Method {
    /// ABC, property-directed reachability: for all time, and a counterexample otherwise.
    Reachability,
    /// yosys, induction over at most four cycles: for all time. The assertions are lemmas that carry each other, and a
    /// mutant is found when they do so no longer.
    Induction,
}

/// A proof: its text, the emitted modules, and what was asked for in `//!` lines.
struct Proof {
    modules: BTreeMap<String, String>,
    text: String,
    top: String,
    method: Method,
    mutants: Vec<(String, Vec<(String, String)>)>,
}

fn pair(text: &str) -> (String, String) {
    let (from, to) = text.split_once(" => ").expect("`from => to`");
    (from.trim().to_owned(), to.trim().to_owned())
}

fn replaced(text: &str, from: &str, to: &str, what: &str) -> String {
    assert!(text.contains(from), "`{from}` is not in {what}");
    text.replace(from, to)
}

impl Proof {
    /// Reads a proof and emits its blocks, each under its own name.
    fn new(name: &str, method: Method, blocks: Vec<(&str, Box<dyn Block>)>) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/proofs")
            .join(name);
        let file = std::fs::read_to_string(&path).expect("the proof is there");
        let mut modules = BTreeMap::new();
        for (top, mut block) in blocks {
            block.connect_all();
            let emitted = emit(&*block, &EmitOptions::new(top)).expect("the block is emitted");
            for module in emitted.modules {
                if let Some(other) = modules.insert(module.name.clone(), module.text.clone()) {
                    assert_eq!(other, module.text, "two modules called {}", module.name);
                }
            }
        }
        let mut proof = Self {
            modules,
            text: String::new(),
            top: "proof".into(),
            method,
            mutants: vec![],
        };
        proof.read(&file);
        proof
    }

    fn read(&mut self, file: &str) {
        let mut inside: Option<(String, String)> = None;
        for line in file.lines() {
            let Some(rule) = line.strip_prefix("//! ") else {
                match &mut inside {
                    Some((_, body)) => *body += &format!("{line}\n"),
                    None => self.text += &format!("{line}\n"),
                }
                continue;
            };
            if let Some(module) = rule.strip_prefix("inside ") {
                inside = Some((module.to_owned(), String::new()));
            } else if let Some(rest) = rule.strip_prefix("edit ") {
                let (module, change) = rest.split_once(": ").expect("`module: from => to`");
                let (from, to) = pair(change);
                let text = self.modules.get_mut(module).expect("the module is there");
                *text = replaced(text, &from, &to, module);
            } else if let Some(module) = rule.strip_prefix("replace ") {
                self.modules.retain(|name, _| !name.starts_with(module));
            } else if let Some(rest) = rule.strip_prefix("mutant ") {
                let (name, changes) = rest.split_once(": ").expect("`name: from => to`");
                let changes = changes.split(" ; ").map(pair).collect();
                self.mutants.push((name.to_owned(), changes));
            } else {
                panic!("what is `//! {rule}`?");
            }
        }
        if let Some((module, body)) = inside {
            let text = self.modules.get_mut(&module).expect("the module is there");
            let end = text.rfind("endmodule").expect("a module ends");
            text.insert_str(end, &body);
            self.top = module;
        }
    }

    /// The text with a mutant's changes, each of which must apply somewhere; `module: from` limits it to one.
    fn mutated(&self, changes: &[(String, String)]) -> String {
        let mut modules = self.modules.clone();
        let mut text = self.text.clone();
        for (from, to) in changes {
            let (only, from) = match from.split_once(": ") {
                Some((module, from)) if self.modules.contains_key(module) => (Some(module), from),
                _ => (None, from.as_str()),
            };
            let mut hits = 0;
            let places = modules
                .iter_mut()
                .filter(|(name, _)| only.is_none_or(|only| only == *name));
            for place in places.map(|(_, text)| text).chain([&mut text]) {
                hits += place.matches(from).count();
                *place = place.replace(from, to);
            }
            assert!(hits > 0, "`{from}` is nowhere in the proof");
        }
        let modules: String = modules.into_values().collect();
        modules + &text
    }

    /// Whether the assertions hold.
    fn holds(&self, text: &str, defines: &str) -> bool {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let folder = match std::env::var_os("LPU_PROOF_DIR") {
            Some(folder) => folder.into(),
            None => directory.path().to_path_buf(),
        };
        std::fs::write(folder.join("proof.v"), text).expect("the proof is written");
        let read = format!(
            "read_verilog -sv -formal {defines} proof.v; prep -top {}",
            self.top
        );
        let script = match self.method {
            Method::Induction => format!(
                "{read}; flatten; async2sync; chformal -lower; opt -full; \
                 sat -tempinduct -prove-asserts -set-assumes -maxsteps 4"
            ),
            Method::Reachability => {
                // Clocks that are inputs move in steps of a clock of their own.
                let steps = if text.contains("gclk") {
                    "clk2fflogic; "
                } else {
                    ""
                };
                format!(
                    "{read}; memory_map; flatten; async2sync; {steps}chformal -lower; opt -fast -full; \
                     setundef -undriven -anyseq; setundef -zero -init; techmap; opt -fast; dffunmap; simplemap; opt_expr; \
                     aigmap; opt_clean; delete -port o:*; opt_clean; write_aiger -B -zinit proof.aig"
                )
            }
        };
        let said = tools::run(Command::new(tools::yosys()).args(["-p", &script]), &folder);
        match self.method {
            Method::Induction if said.contains("Induction step proven: SUCCESS!") => true,
            Method::Induction if said.contains("proof failed") || said.contains("FAIL!") => false,
            Method::Induction => panic!("{}: no answer:\n{said}", self.top),
            Method::Reachability => {
                let fold = if text.contains("assume") {
                    "fold; "
                } else {
                    ""
                };
                let command = format!("read_aiger proof.aig; {fold}pdr -T 600");
                let said = tools::run(Command::new(tools::abc()).args(["-c", &command]), &folder);
                let proved = said.contains("Property proved");
                assert!(
                    proved || said.contains("was asserted in frame"),
                    "{}: no answer:\n{said}",
                    self.top
                );
                proved
            }
        }
    }

    /// Proves it, and finds every mutant.
    fn check(&self, defines: &[&str]) {
        self.check_places(defines, defines[0]);
    }

    /// Proves it with each of the defines, and finds every mutant with one.
    fn check_places(&self, defines: &[&str], for_mutants: &str) {
        let text = self.mutated(&[]);
        for define in defines {
            assert!(self.holds(&text, define), "not proved {define}");
        }
        for (name, changes) in &self.mutants {
            let text = self.mutated(changes);
            assert!(
                !self.holds(&text, for_mutants),
                "the mutant is not found: {name}"
            );
        }
    }
}

/// 8 slots, one lane: 15 words.
fn shape() -> Shape {
    Shape::new(1, 8).expect("a shape")
}

fn blocks<const N: usize>(blocks: [(&str, Box<dyn Block>); N]) -> Vec<(&str, Box<dyn Block>)> {
    blocks.into()
}

#[test]
fn words_cross_the_clocks_in_order() {
    let fifo = Box::new(AsyncFifo::<2>::new(4));
    let blocks = blocks([("lpu_c2c_async_fifo", fifo)]);
    Proof::new("async_fifo.v", Method::Reachability, blocks).check(&[""]);
}

#[test]
fn the_descrambler_is_the_inverse() {
    let to = Box::new(Scrambler::<64>::default());
    let from = Box::new(Descrambler::<64>::default());
    let blocks = blocks([("lpu_c2c_scrambler", to), ("lpu_c2c_descrambler", from)]);
    Proof::new("scrambler.v", Method::Reachability, blocks).check(&[""]);
}

#[test]
fn lanes_know_markers_by_place() {
    let aligner = Box::new(LaneAligner::new(shape(), 0));
    let blocks = blocks([("lpu_c2c_lane_aligner", aligner)]);
    Proof::new("lane_aligner.v", Method::Reachability, blocks).check(&[""]);
}

#[test]
fn the_map_names_the_slots_that_took_a_flit() {
    let framer = Box::new(TxFramer::<64>::new(shape()));
    let blocks = blocks([("lpu_c2c_tx_framer", framer)]);
    Proof::new("tx_framer.v", Method::Reachability, blocks).check(&[""]);
}

#[test]
fn flits_are_what_the_map_names() {
    let deframer = Box::new(Deframer::<64>::new(shape()));
    let blocks = blocks([("lpu_c2c_deframer", deframer)]);
    Proof::new("deframer.v", Method::Reachability, blocks).check(&[""]);
}

#[test]
fn every_column_is_a_codeword() {
    let encoder = Box::new(FecEncoder::<64>::new(shape()));
    let blocks = blocks([("lpu_c2c_fec_encoder", encoder)]);
    Proof::new("fec_encoder.v", Method::Induction, blocks).check(&[""]);
}

#[test]
fn one_wrong_byte_is_repaired() {
    let decoder = Box::new(FecDecoder::<8, 64>::new(shape()));
    let blocks = blocks([("lpu_c2c_fec_decoder", decoder)]);
    let places: Vec<String> = (1..15).map(|word| format!("-DPLACE={word}")).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    // The mutants are looked for with the byte in the first trailer word.
    Proof::new("fec_decoder.v", Method::Induction, blocks).check_places(&places, places[8]);
}
