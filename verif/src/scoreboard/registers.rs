//! Registers that a launch leaves behind.

use super::{Difference, Divergence, Field};
use crate::machine::{EccCount, Fault, LaunchReport};
use lpu_isa::{Config, Queue};

/// Compares CYCLE, then FAULT and ECC of every unit, then the host's ECC.
pub(super) fn compare(
    config: &Config,
    expected: &LaunchReport,
    observed: &LaunchReport,
) -> Result<(), Box<Divergence>> {
    let differs = |cycle, kind, position, name: String, one: String, two: String| {
        let field = Field {
            name,
            expected: one,
            observed: two,
        };
        Err(Box::new(Divergence {
            cycle,
            kind,
            difference: Difference::Register,
            position,
            stream: None,
            lane: None,
            field: Some(field),
            expected: None,
            observed: None,
            shift: None,
            instruction: None,
            lanes: config.lanes,
        }))
    };
    let end = expected.cycles;
    if end != observed.cycles {
        let (one, two) = (end.to_string(), observed.cycles.to_string());
        return differs(end, "CYCLE register", None, "CYCLE".into(), one, two);
    }
    for (id, unit) in Queue::all(config).enumerate() {
        let (one, two) = (expected.faults.get(id), observed.faults.get(id));
        if one != two {
            let (one, two) = (fault(one), fault(two));
            let name = format!("FAULT of {unit}");
            return differs(end, "FAULT register", Some(id as isize), name, one, two);
        }
        let (one, two) = (expected.ecc.get(id), observed.ecc.get(id));
        if one != two {
            let (one, two) = (ecc(one), ecc(two));
            let name = format!("ECC of {unit}");
            return differs(end, "ECC register", Some(id as isize), name, one, two);
        }
    }
    if expected.host_ecc != observed.host_ecc {
        let one = ecc(Some(&expected.host_ecc));
        let two = ecc(Some(&observed.host_ecc));
        let name = "ECC of the host".to_owned();
        return differs(end, "ECC register", None, name, one, two);
    }
    Ok(())
}

fn fault(fault: Option<&Option<Fault>>) -> String {
    match fault {
        None => "no such unit".to_owned(),
        Some(None) => "none".to_owned(),
        Some(Some(Fault { code, cycle })) => format!("{code} in cycle {cycle}"),
    }
}

fn ecc(count: Option<&EccCount>) -> String {
    count.map_or_else(
        || "no such unit".to_owned(),
        |count| {
            let (corrected, uncorrectable) = (count.corrected, count.uncorrectable);
            format!("{corrected} corrected, {uncorrectable} uncorrectable")
        },
    )
}
