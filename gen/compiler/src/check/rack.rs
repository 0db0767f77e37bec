//! Several chips: whether every RECEIVE finds its flit.

use super::deskew;
use super::expand::{Launch, Run, expand};
use super::violation::Violations;
use lpu_isa::latency::SEND_LATENCY;
use lpu_isa::rack::Rack;
use lpu_isa::{Config, Program, QueueKind};

/// Flits that the elastic buffer of a link holds.
const BUFFER: usize = 64;

/// Proves that the programs of a rack, each of which keeps the rules of its machine, take every flit, not before it is there, and
/// leave no link with more than its buffer holds.
///
/// # Errors
/// A sentence that names chips, link and cycle.
pub fn check_rack(config: &Config, rack: &Rack, programs: &[Program]) -> Result<(), String> {
    let mut found = Violations::default();
    let launches: Vec<Launch> = programs
        .iter()
        .map(|program| expand(config, program, &mut found))
        .collect();
    found.take().map_err(|found| found.to_string())?;
    deskew::together(&launches)?;
    let cycles = |chip: usize, kind, link| -> Vec<u64> {
        let launch: &Launch = &launches[chip];
        let runs = launch.queue(config, kind, link).iter();
        runs.flat_map(Run::issues)
            .map(|issue| issue.cycle)
            .collect()
    };
    for chip in 0..rack.chips() {
        for link in 0..config.links() {
            let sends = cycles(chip, QueueKind::C2cSend, link);
            let Some((other, back)) = rack.peer(chip, link) else {
                if let Some(first) = sends.first() {
                    return Err(format!(
                        "LPU {chip} sends by c2c{link} in cycle {first}, and that link leads nowhere"
                    ));
                }
                continue;
            };
            let receives = cycles(other, QueueKind::C2cReceive, back);
            if sends.len() != receives.len() {
                return Err(format!(
                    "LPU {chip} sends {} flits by c2c{link}, and LPU {other} receives {} of them",
                    sends.len(),
                    receives.len()
                ));
            }
            let there: Vec<u64> = sends
                .iter()
                .map(|send| send + SEND_LATENCY + rack.hop())
                .collect();
            if let Some((there, taken)) = there.iter().zip(&receives).find(|(a, b)| a > b) {
                return Err(format!(
                    "LPU {other} receives by c2c{back} in cycle {taken} what is there in cycle {there}"
                ));
            }
            let mut oldest = 0;
            for (newest, there) in there.iter().enumerate() {
                while receives[oldest] < *there {
                    oldest += 1;
                }
                if newest - oldest >= BUFFER {
                    return Err(format!(
                        "in cycle {there} more than {BUFFER} flits wait in c2c{back} of LPU {other}"
                    ));
                }
            }
        }
    }
    Ok(())
}
