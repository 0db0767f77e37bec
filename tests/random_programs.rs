//! Random programs, legal and faulty, on RTL against the golden machine: every stream write, SRAM access and register, and
//! all of the memory.
//!
//! `LPU_CASES` is the number of programs for each machine, `LPU_SEED` the seed they are drawn from, `LPU_MACHINES` the
//! number of machines drawn besides the fixed ones. A failure shrinks to
//! the least program that still fails and prints it.

use lpu::rtl::{self, Rtl};
use lpu::scenario::{Agreed, compare};
use lpu_isa::Config;
use lpu_sim::{Builder, Verilator, default_cache_dir};
use lpu_verif::generate::{self, Scenario, legal_on, wild_on};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Programs for each machine if `LPU_CASES` does not say.
const CASES: u32 = 400;

/// A number from the environment.
fn setting(name: &str, default: u32) -> u32 {
    let number = |text: String| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number"))
    };
    std::env::var(name).map_or(default, number)
}

/// A small machine: lanes, streams, slices, depth, planes, weight streams, accumulator rows, operand rows, instructions.
fn machine(name: &str, fields: [usize; 9]) -> Config {
    let mut config = Config::preset("nano").expect("a preset");
    name.clone_into(&mut config.name);
    (config.lanes, config.streams) = (fields[0], fields[1]);
    (config.mem.slices, config.mem.depth) = (fields[2], fields[3]);
    (config.mxm.planes, config.mxm.weight_streams) = (fields[4], fields[5]);
    (config.mxm.accumulator_depth, config.mxm.operand_depth) = (fields[6], fields[7]);
    config.icu.queue_depth = fields[8];
    config.validate().expect("a legal configuration");
    config
}

/// A tile of this configuration and its state after reset.
fn tile(config: &Config) -> (Rtl, Vec<u8>) {
    let cache = default_cache_dir();
    let verilator = Verilator::find(&cache).expect("Verilator");
    let model = rtl::build(config, &Builder::new(verilator, &cache)).expect("the model builds");
    let mut rtl = Rtl::new(config, &model).expect("the model loads");
    let fresh = rtl.model().save();
    (rtl, fresh)
}

/// Random numbers from `LPU_SEED`.
fn seeded() -> TestRng {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&setting("LPU_SEED", 1).to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// Compares many scenarios; what they did in common goes to `seen`.
fn check(
    config: &Config,
    test: &str,
    scenarios: impl Strategy<Value = Scenario>,
    seen: impl Fn(&Scenario, Agreed),
) {
    let (rtl, fresh) = tile(config);
    let rtl = Mutex::new(rtl);
    let (cases, seed) = (setting("LPU_CASES", CASES), setting("LPU_SEED", 1));
    let settings = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Default::default()
    };
    let mut runner = TestRunner::new_with_rng(settings, seeded());
    let result = runner.run(&scenarios, |scenario| {
        let mut rtl = rtl.lock().expect("no test has panicked");
        match compare(&mut rtl, &fresh, &scenario).expect("the tile takes what the host writes") {
            Ok(agreed) => seen(&scenario, agreed),
            Err(difference) => return Err(TestCaseError::fail(difference.to_string())),
        }
        Ok(())
    });
    if let Err(TestError::Fail(why, scenario)) = result {
        panic!(
            "{why}\n\nthe least program that fails:\n{scenario:?}\n\nreplay: LPU_SEED={seed} LPU_CASES={cases} cargo test --test random_programs {test}"
        );
    }
    result.expect("the scenarios can be drawn");
}

/// Legal programs do not fault; faulty ones show every fault.
fn programs(config: &Config) {
    let only = || Just(config.clone());
    let moved = Mutex::new(0);
    check(
        config,
        &config.name,
        legal_on(only()),
        |scenario, agreed| {
            assert!(
                agreed.report.faults.iter().all(Option::is_none),
                "{scenario:?}"
            );
            *moved.lock().expect("no test has panicked") += agreed.events;
        },
    );
    let faults = Mutex::new(BTreeMap::<u8, u32>::new());
    check(config, &config.name, wild_on(only), |_, agreed| {
        let mut faults = faults.lock().expect("no test has panicked");
        for fault in agreed.report.faults.iter().flatten() {
            *faults.entry(fault.code as u8).or_default() += 1;
        }
    });
    let (moved, faults) = (
        moved.into_inner().expect("unlocked"),
        faults.into_inner().expect("unlocked"),
    );
    println!(
        "{}: {moved} events of legal programs, faults by code {faults:?}",
        config.name
    );
    assert!(
        moved > u64::from(setting("LPU_CASES", CASES)),
        "legal programs do something"
    );
    // A single slice is no neighbour of another that could send it addresses, so it hardly ever gathers.
    let rare = if config.mem.slices == 1 { 3 } else { 0 };
    let happens = |code: u8| code == rare || faults.contains_key(&code);
    assert!((1..=7).all(happens), "some fault never happens: {faults:?}");
}

/// Other machines, drawn at random: `LPU_MACHINES` of them.
#[test]
fn random_machines() {
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), seeded());
    for number in 0..setting("LPU_MACHINES", 1) {
        let tree = generate::config().new_tree(&mut runner);
        let config = tree.expect("a configuration can be drawn").current();
        println!("machine {number}\n{}", config.to_toml());
        check(
            &config,
            "random_machines",
            wild_on(|| Just(config.clone())),
            |_, _| {},
        );
    }
}

#[test]
fn one_slice() {
    programs(&machine("one_slice", [8, 4, 1, 32, 1, 1, 2, 2, 64]));
}

#[test]
fn two_planes() {
    programs(&machine("two_planes", [8, 16, 3, 32, 2, 8, 8, 4, 128]));
}

#[test]
fn sixteen_lanes() {
    programs(&machine("sixteen_lanes", [16, 12, 2, 16, 1, 4, 4, 8, 64]));
}

#[test]
fn five_slices() {
    programs(&machine("five_slices", [8, 8, 5, 64, 1, 2, 8, 8, 64]));
}
