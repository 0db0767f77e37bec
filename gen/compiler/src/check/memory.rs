//! SRAM ports and addresses.

use super::expand::{Launch, Run};
use super::{Violation, Violations};
use lpu_isa::latency::{INDIRECT_LATENCY, SELECT_LATENCY};
use lpu_isa::{Config, Operation, QueueKind};

/// Cycles from issue to the use of the SRAM port.
pub fn port_latency(operation: Operation) -> u64 {
    match operation {
        Operation::Write { .. } => SELECT_LATENCY,
        Operation::Gather { .. } | Operation::Scatter { .. } => INDIRECT_LATENCY,
        _ => 0,
    }
}

pub fn check(config: &Config, launch: &Launch, found: &mut Violations) {
    for slice in 0..config.mem.slices {
        for (kind, port) in [(QueueKind::MemRead, "read"), (QueueKind::MemWrite, "write")] {
            let runs = launch.queue(config, kind, slice);
            addresses(config, runs, found);
            conflicts(slice, port, runs, found);
        }
    }
}

fn addresses(config: &Config, runs: &[Run], found: &mut Violations) {
    let limit = config.mem.depth as u64;
    let direct = |run: &&Run| {
        matches!(
            run.operation,
            Operation::Read { .. } | Operation::Write { .. }
        )
    };
    for run in runs.iter().filter(direct) {
        for issue in run.issues() {
            let address = u64::from(issue.address);
            if address >= limit {
                found.push(Violation::AddressRange {
                    site: run.site(issue.cycle),
                    what: "SRAM address",
                    address,
                    limit,
                });
            }
        }
    }
}

/// Direct and indirect operations of a queue use the port at different distances from their issue.
fn conflicts(slice: usize, port: &'static str, runs: &[Run], found: &mut Violations) {
    let latency = runs.first().map(|run| port_latency(run.operation));
    if runs
        .iter()
        .all(|run| Some(port_latency(run.operation)) == latency)
    {
        return;
    }
    let mut uses: Vec<_> = runs
        .iter()
        .flat_map(|run| {
            let latency = port_latency(run.operation);
            run.issues().map(move |i| (i.cycle + latency, i.cycle, run))
        })
        .collect();
    uses.sort_by_key(|&(cycle, issue, _)| (cycle, issue));
    for pair in uses.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        found.push(Violation::BankConflict {
            cycle: pair[0].0,
            slice,
            port,
            first: pair[0].2.site(pair[0].1),
            second: pair[1].2.site(pair[1].1),
        });
    }
}
