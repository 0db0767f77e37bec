//! Legal programs with a few changes: most of what they do is right, so that what is wrong meets it.

use super::{Scenario, legal_on};
use lpu_isa::{Config, Instruction, Operation, Program, Repeat, Stream};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change: queue, instruction, what to do, and with what.
type Change = (Index, Index, u8, u16);

/// A legal scenario with one to eight changed instructions and, at times, errors that cannot be corrected.
pub fn spoiled(config: &Config) -> impl Strategy<Value = Scenario> + use<> {
    let change = (any::<Index>(), any::<Index>(), any::<u8>(), any::<u16>());
    let flips = prop_oneof![Just(0u8), 0u8..100];
    let rival = proptest::option::weighted(0.4, any::<Index>());
    (legal_on(config), vec(change, 1..8), flips, rival).prop_map(
        |(mut scenario, changes, flips, rival)| {
            scenario.image.double_flips = flips;
            let queues = scenario.program.num_queues();
            let mut lists: Vec<_> = (0..queues)
                .map(|id| scenario.program.queue(id).to_vec())
                .collect();
            if let Some(index) = rival {
                add_rival(&mut lists, index, scenario.config.icu.queue_depth);
            }
            for change in changes {
                apply(&mut lists, &scenario, change);
            }
            let mut program = Program::new(&scenario.config);
            program.bring_tables_of(&scenario.program);
            scenario.program = program;
            for (id, list) in lists.into_iter().enumerate() {
                list.into_iter().for_each(|i| scenario.program.push(id, i));
            }
            scenario
        },
    )
}

fn apply(lists: &mut [Vec<Instruction>], scenario: &Scenario, (queue, index, what, value): Change) {
    let list = &mut lists[queue.index(scenario.program.num_queues())];
    let room = list.len() < scenario.config.icu.queue_depth;
    let at = index.index(list.len());
    match &mut list[at] {
        Instruction::Nop { cycles } => {
            *cycles = if what.is_multiple_of(2) {
                *cycles + 1 + u32::from(value % 4)
            } else {
                (*cycles).max(2) - 1
            };
        }
        Instruction::Op {
            operation,
            address,
            repeat,
        } => match what % 4 {
            0 => *address = address.wrapping_add(value % 64),
            1 if *repeat == Repeat::ONCE => *repeat = Repeat::inner(2 + u32::from(value % 6), 1, 1),
            2 => restream(operation, (value % 34) as u8),
            _ if room => {
                let again = list[at];
                list.insert(at, again);
            }
            _ => {}
        },
        Instruction::Config { value: old, .. } => *old = value % 5,
        Instruction::RuntimeDeskew { wait } => *wait = value % 64,
        _ => {}
    }
}

/// Uses the port of a GATHER or SCATTER, and for a WRITE lets its operand be there, if there is one.
fn add_rival(lists: &mut [Vec<Instruction>], index: Index, depth: usize) {
    let indirect = |i: &Instruction| match i {
        Instruction::Op { operation, .. } => {
            matches!(
                operation,
                Operation::Gather { .. } | Operation::Scatter { .. }
            )
        }
        _ => false,
    };
    let places = lists.iter().enumerate().flat_map(|(id, list)| {
        let hits = list.iter().enumerate().filter(|(_, i)| indirect(i));
        hits.map(move |(at, _)| (id, at))
    });
    let places: Vec<_> = places
        .filter(|&(id, _)| lists[id].len() + 2 <= depth)
        .collect();
    if places.is_empty() {
        return;
    }
    let (id, at) = places[index.index(places.len())];
    let Instruction::Op {
        operation, address, ..
    } = lists[id][at]
    else {
        return;
    };
    // The port is used 5 cycles after issue: by a READ that issues then, by a WRITE 2 cycles earlier.
    let (wait, rival) = match operation {
        Operation::Gather { stream, .. } => (4, Operation::Read { stream }),
        Operation::Scatter { stream, .. } => (2, Operation::Write { stream }),
        _ => return,
    };
    if let Operation::Write { stream } = rival {
        flood(lists, stream);
    }
    let rival = [
        Instruction::Nop { cycles: wait },
        Instruction::once(rival, address ^ 1),
    ];
    lists[id].splice(at + 1..=at, rival);
}

/// All single READs to `stream` go on for a while.
fn flood(lists: &mut [Vec<Instruction>], stream: Stream) {
    for instruction in lists.iter_mut().flatten() {
        if let Instruction::Op {
            operation, repeat, ..
        } = instruction
            && *operation == (Operation::Read { stream })
            && *repeat == Repeat::ONCE
        {
            *repeat = Repeat::inner(6, 1, 1);
        }
    }
}

/// Puts the operation on another stream, one in 17 times one that may not exist.
fn restream(operation: &mut Operation, value: u8) {
    let index = if value < 32 { value % 4 } else { value - 2 };
    match operation {
        Operation::Read { stream }
        | Operation::Write { stream }
        | Operation::Gather { stream, .. }
        | Operation::Scatter { stream, .. }
        | Operation::Vector { a: stream, .. }
        | Operation::Lanes { from: stream, .. }
        | Operation::TransposeLoad { from: stream }
        | Operation::TransposeStore { to: stream }
        | Operation::Reduce { to: stream, .. } => {
            *stream = Stream {
                westward: value.is_multiple_of(2),
                index,
            }
        }
        Operation::LoadOperand {
            scales: Some(stream),
            ..
        }
        | Operation::MultiplyStream {
            scales: Some(stream),
            ..
        } if value.is_multiple_of(2) => *stream = index,
        Operation::LoadWeights { stream, .. }
        | Operation::LoadOperand { stream, .. }
        | Operation::MultiplyStream { stream, .. }
        | Operation::Accumulate { stream, .. }
        | Operation::Send { stream }
        | Operation::Receive { stream, .. } => *stream = index,
        Operation::InstallWeights | Operation::MultiplyBuffer { .. } => {}
    }
}
