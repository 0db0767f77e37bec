//! Vector unit and switch unit: what their instructions name, and the result port of the switch unit.

use super::expand::{Issue, Launch, Run};
use super::{Violation, Violations};
use crate::alu::takes;
use lpu_isa::descriptor::Operand;
use lpu_isa::instruction::{ARGUMENT_BITS, ROW_BITS};
use lpu_isa::latency::{LANES_LATENCY, TSTORE_LATENCY, reduce_latency};
use lpu_isa::{Config, Descriptor, LaneMode, Operation, Program, QueueKind, Reduction};
use std::collections::BTreeMap;

/// The descriptor that an address of VEC names; one that the program does not bring does nothing.
pub fn descriptor(program: &Program, address: u16) -> Descriptor {
    let index = usize::from(address >> ROW_BITS);
    program
        .descriptors()
        .get(&index)
        .copied()
        .unwrap_or_default()
}

/// Cycles from the issue of an operation of the switch unit to the cells that show its result.
pub fn sxm_latency(config: &Config, operation: Operation) -> Option<u64> {
    match operation {
        Operation::Lanes { .. } => Some(LANES_LATENCY),
        Operation::TransposeStore { .. } => Some(TSTORE_LATENCY),
        Operation::Reduce { .. } => Some(reduce_latency(config.lanes)),
        _ => None,
    }
}

pub fn check(config: &Config, program: &Program, launch: &Launch, found: &mut Violations) {
    if let Some(vxm) = &config.vxm {
        let descriptors = program.descriptors().iter();
        let lacking: BTreeMap<usize, Option<usize>> = descriptors
            .map(|(&index, descriptor)| (index, lacks_b(descriptor, vxm.alus)))
            .collect();
        for run in launch.queue(config, QueueKind::Vxm, 0) {
            for issue in run.issues() {
                let row = u64::from(issue.address & ((1 << ROW_BITS) - 1));
                let index = usize::from(issue.address >> ROW_BITS);
                range(run, issue, "register row", row, vxm.registers as u64, found);
                match lacking.get(&index) {
                    None => broken(run, format!("the program has no descriptor {index}"), found),
                    Some(None) => {}
                    Some(Some(alu)) => {
                        let rule =
                            format!("ALU {alu} of descriptor {index} has operand B and takes none");
                        broken(run, rule, found);
                    }
                }
            }
        }
    }
    if let Some(sxm) = &config.sxm {
        let runs = launch.queue(config, QueueKind::Sxm, 0);
        for run in runs {
            for issue in run.issues() {
                switch(config, program, sxm.maps, run, issue, found);
            }
        }
        results(config, runs, found);
    }
}

/// The first ALU whose result depends on an operand B that it does not take.
fn lacks_b(descriptor: &Descriptor, alus: usize) -> Option<usize> {
    let taker = descriptor.b.map(|(_, alu)| usize::from(alu));
    (0..alus).find(|&j| takes(&descriptor.alus[j], Operand::B) && taker != Some(j))
}

fn switch(
    config: &Config,
    program: &Program,
    maps: usize,
    run: &Run,
    issue: Issue,
    found: &mut Violations,
) {
    let address = usize::from(issue.address);
    match run.operation {
        Operation::Lanes { .. } => {
            let (mode, n) = (
                address >> ARGUMENT_BITS,
                address & ((1 << ARGUMENT_BITS) - 1),
            );
            match LaneMode::ALL.get(mode) {
                None => broken(run, format!("LANES has no mode {mode}"), found),
                Some((_, LaneMode::Permute)) => {
                    range(
                        run,
                        issue,
                        "permutation table",
                        n as u64,
                        maps as u64,
                        found,
                    );
                    if !program.maps().contains_key(&n) {
                        broken(
                            run,
                            format!("the program has no permutation table {n}"),
                            found,
                        );
                    }
                }
                Some(_) => {}
            }
        }
        Operation::Reduce { .. } if address >= Reduction::ALL.len() => {
            broken(run, format!("REDUCE has no reduction {address}"), found);
        }
        Operation::TransposeLoad { .. } | Operation::TransposeStore { .. } => {
            let limit = 2 * config.lanes as u64;
            range(run, issue, "transposer row", address as u64, limit, found);
        }
        _ => {}
    }
}

fn range(
    run: &Run,
    issue: Issue,
    what: &'static str,
    address: u64,
    limit: u64,
    found: &mut Violations,
) {
    if address >= limit {
        found.push(Violation::AddressRange {
            site: run.site(issue.cycle),
            what,
            address,
            limit,
        });
    }
}

/// An instruction breaks a rule by itself; said once.
fn broken(run: &Run, rule: String, found: &mut Violations) {
    let site = run.site(run.start);
    let violation = Violation::Instruction {
        queue: site.queue,
        index: site.index,
        instruction: site.instruction,
        rule,
    };
    if !found.list.contains(&violation) {
        found.push(violation);
    }
}

/// Operations of different latencies must not finish in one cycle.
fn results(config: &Config, runs: &[Run], found: &mut Violations) {
    let mut uses: Vec<_> = runs
        .iter()
        .filter_map(|run| Some((run, sxm_latency(config, run.operation)?)))
        .flat_map(|(run, latency)| {
            let drives = run
                .issues()
                .map(move |issue| (issue.cycle + latency - 1, issue.cycle));
            drives.map(move |(drive, issue)| (drive, issue, run))
        })
        .collect();
    uses.sort_by_key(|&(drive, issue, _)| (drive, issue));
    for pair in uses.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        found.push(Violation::ResultConflict {
            cycle: pair[0].0,
            first: pair[0].2.site(pair[0].1),
            second: pair[1].2.site(pair[1].1),
        });
    }
}
