//! DESKEW and RUNTIME_DESKEW: what issues behind one is right whatever the wait was.
//!
//! While the queue of the link waits, all others have ended or stand in SYNC until it goes on and notifies them, and what
//! was issued before is over when the wait is, even the shortest. So nothing meets across the wait, and cycles behind it count from its end.

use super::expand::{Launch, Run};
use super::{Violation, Violations};
use lpu_isa::latency::{SHORTEST_DESKEW, settle_cycles};
use lpu_isa::{Config, Queue};

pub fn check(config: &Config, launch: &Launch, found: &mut Violations) {
    for deskew in &launch.deskews {
        let t = deskew.issue;
        let goes_on = t + SHORTEST_DESKEW;
        let mut broken = |why: String| {
            found.push(Violation::Deskew {
                site: Box::new(*deskew),
                why,
            });
        };
        for (id, queue) in Queue::all(config).enumerate() {
            let mut syncs = launch.syncs[id].iter();
            let rests = syncs.any(|sync| sync.0 <= t && sync.1 >= goes_on);
            if queue != deskew.queue && launch.ends[id] > t && !rests {
                broken(format!(
                    "{queue} neither has ended nor rests in SYNC from cycle {t} to {goes_on}: let all others SYNC before, and NOTIFY them behind it"
                ));
                break;
            }
        }
        let runs = launch.runs.iter().flatten();
        let last = |run: &Run| run.start + run.repeat.duration() - 1;
        let Some(run) = runs.filter(|run| run.start < t).max_by_key(|run| last(run)) else {
            continue;
        };
        let over = last(run) + settle_cycles(config);
        if over > goes_on {
            broken(format!(
                "{} is over in cycle {over} only, and the wait may be in cycle {goes_on}: put a NOP {} before it",
                run.site(last(run)),
                over - goes_on
            ));
        }
    }
}

/// Whether all chips of a rack wait in the same cycles, so that cycles behind the waits can be compared.
///
/// # Errors
/// A sentence that names two chips.
pub fn together(launches: &[Launch]) -> Result<(), String> {
    let waits = |launch: &Launch| -> Vec<u64> {
        let waits = launch.deskews.iter();
        waits.map(|deskew| deskew.issue).collect()
    };
    let first = launches.first().map(waits).unwrap_or_default();
    match launches.iter().position(|launch| waits(launch) != first) {
        Some(chip) => Err(format!(
            "LPU 0 DESKEWs in cycles {first:?} and LPU {chip} in {:?}: let all chips do it in the same",
            waits(&launches[chip])
        )),
        None => Ok(()),
    }
}
