//! Properties of the golden machine on random scenarios.

use lpu_isa::{Config, Instruction, Operation, Queue, QueueKind};
use lpu_verif::generate::{self, Scenario};
use lpu_verif::{Effect, Event, FaultCode, LaunchReport, Machine, Scoreboard, Status};
use proptest::prelude::*;
use std::collections::BTreeMap;

const LIMIT: u64 = 1 << 20;

fn run(scenario: &Scenario) -> (Machine, LaunchReport, Vec<Event>) {
    let mut machine = scenario.machine();
    let (report, events) = machine
        .launch_and_run(LIMIT)
        .expect("generated programs end");
    (machine, report, events)
}

fn effects(events: &[Event]) -> Vec<(u64, Effect)> {
    events
        .iter()
        .map(|event| (event.cycle, event.effect))
        .collect()
}

fn accumulators(machine: &Machine) -> Vec<i32> {
    let mxm = &machine.config().mxm;
    let rows = (0..mxm.planes).flat_map(|p| (0..mxm.accumulator_depth).map(move |row| (p, row)));
    rows.flat_map(|(p, row)| machine.accumulators(p, row).to_vec())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_launch_is_deterministic_however_it_is_cut(scenario in generate::wild(), piece in 1u64..50) {
        let (_, report, events) = run(&scenario);
        let mut machine = scenario.machine();
        let mut pieces = vec![];
        machine.launch();
        while machine.run(piece, &mut pieces) == Status::Running {}
        prop_assert_eq!(machine.report(), report);
        prop_assert_eq!(&pieces, &events);
        prop_assert!(events.is_sorted_by_key(Event::key));
        let mut scoreboard = Scoreboard::new(&scenario.config, &scenario.program);
        scoreboard.expect(&events).unwrap();
        scoreboard.observe(&pieces).unwrap();
        scoreboard.finish().unwrap();
    }

    #[test]
    fn legal_programs_have_no_faults(scenario in generate::legal()) {
        let (_, report, _) = run(&scenario);
        prop_assert!(report.faults.iter().all(Option::is_none), "{:?}", report.faults);
        prop_assert!(report.ecc.iter().all(|ecc| ecc.uncorrectable == 0));
    }

    #[test]
    fn repeats_equal_single_instructions(scenario in prop_oneof![generate::wild(), generate::legal()]) {
        let (machine, report, events) = run(&scenario);
        let mut unrolled = scenario.clone();
        unrolled.config.icu.queue_depth = 4096;
        unrolled.program = generate::unroll(&scenario.config, &scenario.program);
        // Running off the end or a foreign operation takes other cycles when written out.
        prop_assume!(report.faults.iter().flatten().all(|f| f.code != FaultCode::IllegalInstruction));
        prop_assume!(!has_illegal(&scenario));
        let (other, other_report, other_events) = run(&unrolled);
        prop_assert_eq!(effects(&events), effects(&other_events));
        prop_assert_eq!(report, other_report);
        prop_assert_eq!(accumulators(&machine), accumulators(&other));
    }

    #[test]
    fn memory_is_what_the_write_events_say(scenario in generate::wild()) {
        let (machine, report, events) = run(&scenario);
        let mut memory = BTreeMap::new();
        for event in &events {
            if let Effect::Write { slice, address, vector } = event.effect {
                memory.insert((slice as usize, address as usize), vector);
            }
        }
        let config = &scenario.config;
        for slice in 0..config.mem.slices {
            for address in 0..config.mem.depth {
                let old = || scenario.image.vector(config, slice, address);
                let expected = memory.get(&(slice, address)).copied().unwrap_or_else(old);
                prop_assert_eq!(machine.sram(slice, address), expected);
            }
        }
        let cycle_of = |kind: &str| events.iter().filter(|e| e.effect.kind() == kind).map(|e| e.cycle).collect::<Vec<_>>();
        prop_assert_eq!(report.first_read, cycle_of("read start").first().copied());
        prop_assert_eq!(report.last_write, cycle_of("SRAM write").last().copied());
    }

    #[test]
    fn every_event_knows_the_instruction_that_issued_it(scenario in generate::wild()) {
        let (_, _, events) = run(&scenario);
        for event in events {
            let origin = event.origin.unwrap();
            let queue = Queue::from_id(origin.queue.into(), &scenario.config).unwrap();
            let expected = match event.effect {
                Effect::ReadStart { slice } => Queue::new(QueueKind::MemRead, slice.into()),
                Effect::Write { slice, .. } => Queue::new(QueueKind::MemWrite, slice.into()),
                Effect::Drive { source, .. } => source.queue(),
                Effect::Send { link, .. } => Queue::new(QueueKind::C2cSend, link.into()),
                Effect::Fault { .. } => queue,
            };
            prop_assert_eq!(queue, expected);
            let instructions = scenario.program.queue(origin.queue.into());
            prop_assert!(usize::from(origin.index) <= instructions.len());
        }
    }
}

fn operations(scenario: &Scenario) -> impl Iterator<Item = (Queue, Operation)> {
    scenario
        .program
        .queues(&scenario.config)
        .flat_map(|(queue, instructions)| {
            instructions.iter().filter_map(move |i| match i {
                Instruction::Op { operation, .. } => Some((queue, *operation)),
                _ => None,
            })
        })
}

fn has_illegal(scenario: &Scenario) -> bool {
    let kind = |operation| match operation {
        Operation::Read { .. } | Operation::Gather { .. } => QueueKind::MemRead,
        Operation::Write { .. } | Operation::Scatter { .. } => QueueKind::MemWrite,
        Operation::LoadWeights { .. } | Operation::InstallWeights => QueueKind::MxmWeights,
        Operation::Accumulate { .. } => QueueKind::MxmAccumulate,
        Operation::Vector { .. } => QueueKind::Vxm,
        Operation::Lanes { .. }
        | Operation::TransposeLoad { .. }
        | Operation::TransposeStore { .. }
        | Operation::Reduce { .. } => QueueKind::Sxm,
        Operation::Send { .. } => QueueKind::C2cSend,
        Operation::Receive { .. } => QueueKind::C2cReceive,
        _ => QueueKind::MxmCompute,
    };
    let indirect = |operation| {
        matches!(
            operation,
            Operation::Gather { .. } | Operation::Scatter { .. }
        )
    };
    operations(scenario).any(|(queue, operation)| {
        let absent = !scenario.config.mem.indirect && indirect(operation);
        absent || queue.kind != kind(operation)
    })
}

/// How much the generators reach: every fault, every operation, and enough of both.
#[test]
fn generators_reach_everything() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..600 {
        for (name, scenario) in [
            (
                "wild",
                generate::wild().new_tree(&mut runner).unwrap().current(),
            ),
            (
                "legal",
                generate::legal().new_tree(&mut runner).unwrap().current(),
            ),
        ] {
            let (_, report, events) = run(&scenario);
            for fault in report.faults.iter().flatten() {
                *seen.entry(format!("{name} {}", fault.code)).or_default() += 1;
            }
            for event in &events {
                let indirect = event.origin.and_then(|o| {
                    scenario
                        .program
                        .queue(o.queue.into())
                        .get(usize::from(o.index))
                        .copied()
                });
                let word = match indirect {
                    Some(Instruction::Op { operation, .. }) => {
                        operation.to_string().split(' ').next().unwrap().to_owned()
                    }
                    _ => "other".to_owned(),
                };
                *seen
                    .entry(format!("{name} {} by {word}", event.effect.kind()))
                    .or_default() += 1;
            }
            let ecc: u32 = report.ecc.iter().map(|ecc| ecc.corrected).sum();
            *seen.entry(format!("{name} corrected")).or_default() += ecc as usize;
        }
    }
    println!("{seen:#?}");
    for needed in [
        "wild STREAM_COLLISION",
        "wild OPERAND_MISSING",
        "wild BANK_CONFLICT",
        "wild ADDRESS_RANGE",
        "wild ECC_UNCORRECTABLE",
        "wild RESULT_LOST",
        "wild ILLEGAL_INSTRUCTION",
        "wild corrected",
        "wild stream drive by gather",
        "wild SRAM write by scatter",
        "legal corrected",
        "legal stream drive by gather",
        "legal SRAM write by scatter",
        "legal stream drive by acc.init.emit",
    ] {
        let count = seen.get(needed).copied().unwrap_or(0);
        assert!(count >= 20, "{needed}: {count}");
    }
}

#[test]
fn the_debug_text_of_a_scenario_replays_it() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let scenario = generate::wild().new_tree(&mut runner).unwrap().current();
    let text = format!("{scenario:?}");
    let program = &text[text.find(".queue").unwrap()..];
    let again = lpu_isa::asm::assemble(&scenario.config, "replay", program).unwrap();
    assert_eq!(again, scenario.program);
    let toml = &text[..text.find("bases").unwrap()];
    assert_eq!(Config::from_toml("replay", toml).unwrap(), scenario.config);
}
