//! Several chips: whether every RECEIVE finds its flit.

use super::deskew;
use super::expand::{Launch, Run, expand};
use super::violation::Violations;
use lpu_isa::c2c::Shape;
use lpu_isa::latency::SEND_LATENCY;
use lpu_isa::rack::Rack;
use lpu_isa::{Config, Program, QueueKind};

/// Flits that the elastic buffer of a link holds.
const BUFFER: usize = 64;

/// Proves that the programs of a rack, each of which keeps the rules of its machine, take every flit, not before it is there, send no
/// faster than the frames of a link carry, and leave no link with more than its buffer holds.
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
            if let Some(shape) = rack.shape()
                && let Some((first, last)) = too_fast(&sends, shape)
            {
                let (slots, frame) = (shape.slots(), shape.frame());
                return Err(format!(
                    "LPU {chip} sends {} flits by c2c{link} in cycles {first} to {last}, and that link has {slots} slots in a frame of {frame} cycles: \
                     the last of any {} SENDs has to be {frame} cycles or more behind the first, so send it in cycle {} or later",
                    slots + 1,
                    slots + 1,
                    first + frame as u64
                ));
            }
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

/// The first S + 1 SENDs, in the order of their cycles, that come in less than the F cycles of a frame: their first and last.
///
/// Such a run, begun as the last slot of a frame has passed, waits for F - S cycles and then meets the end of another frame, so
/// its last flit is later than a hop; without one every flit is in time, whatever the phase.
pub fn too_fast(sends: &[u64], shape: Shape) -> Option<(u64, u64)> {
    let runs = sends.windows(shape.slots() + 1);
    let mut ends = runs.map(|run| (run[0], run[shape.slots()]));
    ends.find(|(first, last)| last - first < shape.frame() as u64)
}

#[cfg(test)]
mod tests {
    use super::too_fast;
    use lpu_isa::c2c::Shape;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    /// The longest wait of a flit for its slot, word by word, if the first word of the frame is sent in cycle `phase`.
    fn longest_wait(sends: &[u64], shape: Shape, phase: u64) -> u64 {
        let frame = shape.frame() as u64;
        let (mut queue, mut longest) = (VecDeque::<u64>::new(), 0);
        let mut left = sends.iter().peekable();
        let mut cycle = 0;
        while left.peek().is_some() || !queue.is_empty() {
            queue.extend(left.next_if(|&&send| send == cycle));
            let word = (cycle + frame - phase) % frame;
            if (1..=shape.slots() as u64).contains(&word)
                && let Some(send) = queue.pop_front()
            {
                longest = longest.max(cycle - send);
            }
            cycle += 1;
        }
        longest
    }

    proptest! {
        #[test]
        fn the_rule_is_that_no_flit_waits_longer_than_one_can(
            lanes in prop::sample::select(vec![1, 2, 4]),
            slots in 8usize..20,
            steps in prop::collection::vec(prop::sample::select(vec![1, 1, 1, 1, 1, 2, 6]), 1..80),
        ) {
            let shape = Shape::new(lanes, slots).unwrap();
            let mut cycle = 0;
            let sends: Vec<u64> = steps.iter().map(|step| { cycle += step; cycle }).collect();
            let waits = (0..shape.frame() as u64).map(|phase| longest_wait(&sends, shape, phase));
            let late = waits.max() > Some(shape.gap() as u64);
            prop_assert_eq!(too_fast(&sends, shape).is_some(), late);
        }
    }
}
