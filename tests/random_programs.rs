//! Random programs, legal and faulty, on RTL against the golden machine.
//!
//! A case is a few launches in a row from a known state, with or without new SRAM contents and cleared registers in between,
//! and then a launch that drives everything the units hold onto streams. Compared are every event, every
//! register and, through the host port, every word of SRAM.
//!
//! `LPU_CASES=N` runs N cases on each machine, `LPU_SEED=S` other ones, and `LPU_REPLAY=SEED` the one case that a
//! failure names. `LPU_MACHINES=N` draws N machines besides the fixed ones.

mod pair;

use lpu_isa::QueueKind::{MemRead, MxmAccumulate, MxmCompute, MxmWeights, Sxm, Vxm};
use lpu_isa::config::{C2cConfig, MxmFormat, SxmConfig, VxmConfig};
use lpu_isa::descriptor::{Output, ResultFormat};
use lpu_isa::latency::{IW_TO_MM, READ_LATENCY, drain_cycles, mm_latency};
use lpu_isa::{AccMode, Config, Descriptor, Instruction, Operation, Program, Repeat, Stream};
use lpu_verif::generate::{self, Scenario, legal_on, wild_on};
use lpu_verif::{Effect, FaultCode, Source};
use pair::{Pair, Schedule, Seen, all, one_hot};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

/// Cases on each machine, unless `LPU_CASES` says otherwise.
const CASES: u64 = 150;
/// Seed of the first case, unless `LPU_SEED` says otherwise.
const SEED: u64 = 1;

/// One launch of a case.
#[derive(Clone, Debug)]
struct Step {
    scenario: Scenario,
    /// SRAM is written anew; the first step always does.
    refill: bool,
    /// Faults and counters are cleared.
    clear: bool,
}

fn steps(config: &Config) -> impl Strategy<Value = Vec<Step>> + use<> {
    let scenario = prop_oneof![1 => legal_on(config), 2 => wild_on(config)];
    let step = (scenario, any::<bool>(), any::<bool>());
    let step = step.prop_map(|(scenario, refill, clear)| Step {
        scenario,
        refill,
        clear,
    });
    proptest::collection::vec(step, 1..4)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let digits = text.strip_prefix("0x");
    let parsed = digits.map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
    Some(
        parsed
            .unwrap_or_else(|_| panic!("{variable} = {text}: must be a number, decimal or 0x...")),
    )
}

/// Drives accumulators, active weights, shadow weights and operand buffers onto westward streams 0 to 3, plane after plane; then
/// the registers of the vector unit and the columns of the transposer.
///
/// Slice 0 has one-hot vectors in addresses 0 to L - 1 and zero in its last one.
fn dump(config: &Config) -> Program {
    let lanes = config.lanes as u64;
    let mxm = &config.mxm;
    let mut schedule = Schedule::default();
    let rows = |count: usize, stride| Repeat::inner(count as u32, 1, stride);
    let way = READ_LATENCY + config.mxm_position() as u64 - 1;
    let (operand, zero) = (Stream::east(0), config.mem.depth as u16 - 1);
    let read = Operation::Read { stream: operand };
    let multiply = Operation::MultiplyStream {
        stream: 0,
        scales: None,
    };
    let accumulate = |init| Operation::Accumulate {
        stream: 0,
        init,
        emit: AccMode::Always,
    };
    let mut now = way + 1;
    for plane in 0..mxm.planes {
        // What is multiplied comes from slice 0 (address, stride) or else from the operand buffer.
        let products =
            |schedule: &mut Schedule, now: u64, count: usize, from: Option<(u16, i16)>| {
                if let Some((address, stride)) = from {
                    schedule.repeat(now - way, MemRead, 0, read, address, rows(count, stride));
                    schedule.repeat(now, MxmCompute, plane, multiply, 0, rows(count, 0));
                } else {
                    let buffer = Operation::MultiplyBuffer { scaled: false };
                    schedule.repeat(now, MxmCompute, plane, buffer, 0, rows(count, 1));
                }
                now + mm_latency(config)
            };
        let emit = |schedule: &mut Schedule, now: u64, init, count: usize, stride| {
            let operation = accumulate(init);
            schedule.repeat(now, MxmAccumulate, plane, operation, 0, rows(count, stride));
        };
        let sums = products(&mut schedule, now, mxm.accumulator_depth, Some((zero, 0)));
        emit(
            &mut schedule,
            sums,
            AccMode::Never,
            mxm.accumulator_depth,
            1,
        );
        now += mxm.accumulator_depth as u64;
        for shadow in [false, true] {
            if shadow {
                let install = Operation::InstallWeights;
                schedule.op(now, MxmWeights, plane, install, 0);
                now += IW_TO_MM;
            }
            let sums = products(&mut schedule, now, config.lanes, Some((0, 1)));
            emit(&mut schedule, sums, AccMode::Always, config.lanes, 0);
            now += lanes;
        }
        if !mxm.formats.is_empty() {
            // Now that the weights are int8: the low halves of sums that a format has rounded above.
            let sums = products(&mut schedule, now, mxm.accumulator_depth, Some((zero, 0)));
            let depth = mxm.accumulator_depth;
            emit(&mut schedule, sums, AccMode::Never, depth, 1);
            now += depth as u64;
        }
        // Identity weights, one row a cycle, show the operand buffer.
        let one = Instruction::Config {
            register: 0,
            value: 1,
        };
        schedule.at(now, MxmWeights, plane, one);
        now += 1;
        schedule.repeat(now - way, MemRead, 0, read, 0, rows(config.lanes, 1));
        let load = Operation::LoadWeights {
            stream: 0,
            column: false,
            install: true,
        };
        schedule.repeat(now, MxmWeights, plane, load, 0, rows(config.lanes, 1));
        now += lanes - 1 + IW_TO_MM;
        let sums = products(&mut schedule, now, mxm.operand_depth, None);
        emit(&mut schedule, sums, AccMode::Always, mxm.operand_depth, 0);
        now += mxm.operand_depth as u64 + mm_latency(config) + way;
        if mxm.has(MxmFormat::Nvfp4) {
            // The same as NVFP4 show the scales of operand buffer and shadow weights.
            let nvfp4 = Instruction::Config {
                register: 1,
                value: 2,
            };
            schedule.at(now, MxmWeights, plane, nvfp4);
            now += 1;
            schedule.op(now, MxmWeights, plane, Operation::InstallWeights, 0);
            now += IW_TO_MM;
            let scaled = Operation::MultiplyBuffer { scaled: true };
            let all = rows(mxm.operand_depth, 1);
            schedule.repeat(now, MxmCompute, plane, scaled, 0, all);
            let sums = now + mm_latency(config);
            emit(&mut schedule, sums, AccMode::Always, mxm.operand_depth, 0);
            now = sums + mxm.operand_depth as u64 + way;
        }
    }
    let drain = drain_cycles(config);
    let stream = Stream::west(0);
    if let Some(vxm) = &config.vxm {
        let registers = Operation::Vector {
            a: stream,
            b: stream,
        };
        schedule.repeat(now, Vxm, 0, registers, 0, rows(vxm.registers, 1));
        now += vxm.registers as u64 + drain;
    }
    if config.sxm.is_some() {
        let columns = Operation::TransposeStore { to: stream };
        schedule.repeat(now, Sxm, 0, columns, 0, rows(2 * config.lanes, 1));
    }
    let mut program = schedule.program(config);
    if config.vxm.is_some() {
        let register = Descriptor {
            output: Some(Output {
                format: ResultFormat::Fp32,
                stream,
            }),
            ..Descriptor::default()
        };
        program.describe(0, register);
    }
    program
}

/// Runs a case from a known state.
fn run(pair: &mut Pair, steps: &[Step]) -> Verdict {
    pair.restart();
    let config = pair.config.clone();
    let mut launches = vec![];
    for (
        number,
        Step {
            scenario,
            refill,
            clear,
        },
    ) in steps.iter().enumerate()
    {
        let context = |difference: String| format!("launch {number}: {difference}");
        if number == 0 || *refill {
            let places =
                (0..config.mem.slices).flat_map(|s| (0..config.mem.depth).map(move |a| (s, a)));
            let image = |(s, a)| (s, a, scenario.image.vector(&config, s, a));
            pair.store(&places.map(image).collect::<Vec<_>>());
        }
        if *clear {
            pair.clear();
        }
        for (queue, &base) in scenario.bases[..2 * config.mem.slices].iter().enumerate() {
            pair.set_base(queue, base);
        }
        scenario.flits().for_each(|flit| pair.arrive(flit));
        for (link, clock) in scenario.clocks().enumerate() {
            pair.set_clock(link, clock);
        }
        pair.load(&scenario.program);
        launches.push(pair.try_launch().map_err(context)?);
        pair.compare_sram().map_err(context)?;
    }
    (0..2 * config.mem.slices).for_each(|queue| pair.set_base(queue, 0));
    let mut vectors: Vec<_> = (0..config.lanes)
        .map(|n| (0, n, one_hot(&config, n)))
        .collect();
    vectors.push((0, config.mem.depth - 1, all(&config, 0)));
    pair.store(&vectors);
    pair.load(&dump(&config));
    let context = |difference| format!("the units after the last launch: {difference}");
    pair.try_launch().map_err(context)?;
    Ok(launches)
}

/// What the launches of a case showed, or how RTL and golden machine differ.
type Verdict = Result<Vec<Seen>, String>;

fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

fn seed() -> u64 {
    number("LPU_SEED").unwrap_or(SEED)
}

/// Draws the case of a seed and runs it; if that fails, the message has the smallest case that fails and how to replay it.
fn case(
    config: &Config,
    seed: u64,
    strategy: &impl Strategy<Value = Vec<Step>>,
    run: impl Fn(&[Step]) -> Verdict,
) -> Verdict {
    let settings = ProptestConfig {
        max_shrink_iters: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new_with_rng(settings, rng(seed));
    let tree = strategy.new_tree(&mut runner).expect("a case");
    let launches = RefCell::new(vec![]);
    let verdict = runner.run_one(tree, |steps| {
        *launches.borrow_mut() = run(&steps).map_err(TestCaseError::fail)?;
        Ok(())
    });
    match verdict {
        Ok(_) => Ok(launches.into_inner()),
        Err(TestError::Fail(reason, steps)) => Err(format!(
            "RTL and golden machine differ on `{name}`, seed {seed:#x}\n{reason}\nthe smallest case found:\n{steps:#?}\n\
             replay it, shrinking included: LPU_SEED={first} LPU_REPLAY={seed:#x} cargo test --test random_programs -- --exact {name}",
            name = config.name,
            first = self::seed(),
        )),
        Err(TestError::Abort(reason)) => Err(format!("{}, seed {seed:#x}: {reason}", config.name)),
    }
}

/// Runs the cases of one machine; of one with a large SRAM, which is filled and read in each, one in `share`.
fn campaign(config: &Config, share: u64) {
    let (cases, seen) = programs(config, share);
    if number("LPU_REPLAY").is_some() || cases < CASES {
        return;
    }
    // With one slice no GATHER or SCATTER finds its offset, so no port is used twice and nothing flows into a drive.
    for code in (1..=7).filter_map(FaultCode::from_code) {
        let count = seen.get(&code.to_string()).copied().unwrap_or(0);
        let possible = config.mem.slices > 1
            || !matches!(code, FaultCode::BankConflict | FaultCode::StreamCollision);
        assert!(count > 0 || !possible, "no {code} in {seen:?}");
    }
}

/// The number of cases and what was seen of launches and faults.
fn programs(config: &Config, share: u64) -> (u64, BTreeMap<String, usize>) {
    let pair = RefCell::new(Pair::new(config));
    let strategy = steps(config);
    let replay = number("LPU_REPLAY");
    let first = seed();
    let cases = number("LPU_CASES").unwrap_or(CASES).div_ceil(share);
    let mut seen = BTreeMap::<String, usize>::new();
    let start = Instant::now();
    for index in 0..replay.map_or(cases, |_| 1) {
        let seed = replay.unwrap_or_else(|| pair::Random(first << 32 ^ index).word());
        let verdict = case(config, seed, &strategy, |steps| {
            run(&mut pair.borrow_mut(), steps)
        });
        for launch in verdict.unwrap_or_else(|message| panic!("{message}")) {
            *seen.entry("launches".into()).or_default() += 1;
            if config.links() > 0 {
                *seen.entry("DESKEWs".into()).or_default() += launch.commands.len();
            }
            for event in &launch.events {
                let unit = match event.effect {
                    Effect::Drive {
                        source: Source::Vxm,
                        ..
                    } => "drives of VXM",
                    Effect::Drive {
                        source: Source::Sxm,
                        ..
                    } => "drives of SXM",
                    _ => continue,
                };
                *seen.entry(unit.into()).or_default() += 1;
            }
            for fault in launch.report.faults.iter().flatten() {
                *seen.entry(fault.code.to_string()).or_default() += 1;
            }
        }
    }
    println!(
        "{}: {cases} cases in {:.1?}, {seen:?}",
        config.name,
        start.elapsed()
    );
    (cases, seen)
}

/// nano with another shape: lanes, streams, slices, depth, planes, weight streams, accumulator rows, operand rows, queue depth.
fn machine(name: &str, shape: [usize; 9]) -> Config {
    let mut config = pair::preset("nano");
    config.name = name.to_owned();
    [
        config.lanes,
        config.streams,
        config.mem.slices,
        config.mem.depth,
        config.mxm.planes,
        config.mxm.weight_streams,
        config.mxm.accumulator_depth,
        config.mxm.operand_depth,
        config.icu.queue_depth,
    ] = shape;
    config
}

#[test]
fn nano() {
    campaign(&pair::preset("nano"), 10);
}

#[test]
fn planes() {
    campaign(&machine("planes", [8, 8, 3, 32, 2, 2, 4, 2, 64]), 1);
}

#[test]
fn few_streams() {
    campaign(&machine("few_streams", [8, 4, 2, 16, 1, 4, 2, 2, 64]), 1);
}

#[test]
fn one_slice() {
    campaign(&machine("one_slice", [16, 12, 1, 32, 1, 1, 8, 8, 64]), 1);
}

#[test]
fn many_slices() {
    campaign(
        &machine("many_slices", [16, 16, 6, 64, 1, 16, 4, 8, 128]),
        1,
    );
}

/// A machine with a vector unit of so many ALUs and registers, and a switch unit with so many tables, where not zero.
fn with_units(mut config: Config, alus: usize, registers: usize, maps: usize) -> Config {
    config.vxm = (alus > 0).then_some(VxmConfig { alus, registers });
    config.sxm = (maps > 0).then_some(SxmConfig { maps });
    config
}

#[test]
fn vector_and_switch_unit() {
    let config = machine("vector_and_switch_unit", [8, 8, 3, 32, 1, 4, 4, 2, 64]);
    campaign(&with_units(config, 2, 16, 4), 1);
}

#[test]
fn vector_unit() {
    let config = machine("vector_unit", [16, 12, 2, 32, 1, 4, 2, 2, 64]);
    campaign(&with_units(config, 1, 32, 0), 1);
}

#[test]
fn switch_unit() {
    let config = machine("switch_unit", [16, 8, 2, 32, 1, 4, 2, 2, 64]);
    campaign(&with_units(config, 0, 0, 2), 1);
}

#[test]
fn links() {
    let mut config = machine("links", [8, 8, 3, 32, 1, 4, 4, 2, 64]);
    config.c2c = Some(C2cConfig { links: 2 });
    campaign(&with_units(config, 0, 0, 2), 1);
}

#[test]
fn long_chain() {
    let config = machine("long_chain", [8, 4, 2, 16, 2, 4, 2, 2, 64]);
    campaign(&with_units(config, 4, 16, 16), 1);
}

/// nano with another shape and formats of the MXM.
fn machine_with(formats: &[MxmFormat], name: &str, shape: [usize; 9]) -> Config {
    let mut config = machine(name, shape);
    config.mxm.formats = formats.to_vec();
    config
}

#[test]
fn e4m3_on_two_planes() {
    let shape = [8, 8, 2, 32, 2, 2, 4, 2, 64];
    let config = machine_with(&[MxmFormat::E4m3], "e4m3_on_two_planes", shape);
    campaign(&config, 2);
}

#[test]
fn e4m3_and_nvfp4() {
    let shape = [8, 8, 3, 32, 2, 2, 4, 2, 64];
    let config = machine_with(&MxmFormat::ALL, "e4m3_and_nvfp4", shape);
    campaign(&config, 1);
}

/// Two blocks in a vector, two rows of scales, four weight streams.
#[test]
fn nvfp4() {
    let shape = [16, 8, 4, 32, 1, 4, 4, 4, 64];
    campaign(&machine_with(&[MxmFormat::Nvfp4], "nvfp4", shape), 1);
}

#[test]
fn nvfp4_with_one_weight_stream() {
    let shape = [16, 12, 2, 32, 1, 1, 2, 2, 64];
    let config = machine_with(&[MxmFormat::Nvfp4], "nvfp4_with_one_weight_stream", shape);
    campaign(&config, 2);
}

/// Machines that nobody chose: `LPU_MACHINES` of them, drawn from `LPU_SEED`.
#[test]
fn random_machines() {
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng(seed()));
    for machine in 0..number("LPU_MACHINES").unwrap_or(1) {
        let tree = generate::config().new_tree(&mut runner);
        let mut config = tree.expect("a configuration").current();
        config.name = "random_machines".into();
        println!("machine {machine}\n{}", config.to_toml());
        programs(&config, 1);
    }
}

/// The checker fails when it should, and makes its case small.
#[test]
fn a_difference_is_found_and_made_small() {
    let config = machine("few_streams", [8, 4, 2, 16, 1, 4, 2, 2, 64]);
    let strategy = steps(&config);
    let pair = RefCell::new(Pair::new(&config));
    // A golden machine with another word in its memory.
    let wrong = |steps: &[Step]| {
        let mut pair = pair.borrow_mut();
        let launches = run(&mut pair, steps)?;
        pair.restart();
        pair.golden.write_sram(1, 3, &all(&config, 7));
        pair.compare_sram().map(|()| launches)
    };
    let message = case(&config, 5, &strategy, wrong).expect_err("memories differ");
    assert!(
        message.contains("SRAM of slice 1, vector 3, codeword 0"),
        "{message}"
    );
    assert!(
        message
            .contains(" LPU_REPLAY=0x5 cargo test --test random_programs -- --exact few_streams")
    );
    // No instruction is needed for that: one launch of queues that only end is left.
    assert_eq!(message.matches("scenario:").count(), 1, "{message}");
    assert!(
        message.contains(".queue mem0.read") && !message.contains("repeat"),
        "{message}"
    );
    // The same message, shrunk the same way, from the same seed.
    assert_eq!(
        case(&config, 5, &strategy, wrong).expect_err("memories differ"),
        message
    );
}
