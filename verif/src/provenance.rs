//! From an ECC fault back to the SRAM word that caused it.

use crate::machine::Fault;
use crate::{Effect, Event, FaultCode, Source};
use lpu_isa::latency::MM_OPERAND_LATENCY;
use lpu_isa::{Config, Instruction, Program, Queue, QueueKind};

/// The SRAM words (slice, address) that the unit of an `ECC_UNCORRECTABLE` fault sampled for it and that cannot be corrected.
///
/// `unit` is the queue id of the fault, `events` are those of the golden machine in that launch. Base registers count as zero. A fault
/// of a vector that waited in the operand buffer has no answer here.
pub fn faulty_words(
    config: &Config,
    program: &Program,
    events: &[Event],
    unit: usize,
    fault: Fault,
) -> Vec<(usize, usize)> {
    let Some(position) = position(config, unit) else {
        return Vec::new();
    };
    if fault.code != FaultCode::EccUncorrectable {
        return Vec::new();
    }
    // A value that slice i drives in d is in its cell in d + 1, and one position further in each cycle; the unit sees its neighbour's cell.
    let sampled = u64::from(fault.cycle).checked_sub(MM_OPERAND_LATENCY);
    let read = |event: &Event| {
        let Effect::Drive {
            source: Source::Mem(slice),
            stream,
            mut vector,
        } = event.effect
        else {
            return None;
        };
        let slice = usize::from(slice);
        let hops = match stream.westward {
            false => position - (slice as isize + 1),
            true => slice as isize - (position + 1),
        };
        let seen = event.cycle + 1 + u64::try_from(hops).ok()?;
        let wrong = vector.correct(config.lanes / 8).uncorrectable > 0;
        (wrong && sampled == Some(seen)).then_some(())?;
        let origin = event.origin?;
        let instruction = program
            .queue(origin.queue.into())
            .get(usize::from(origin.index))?;
        let Instruction::Op {
            address, repeat, ..
        } = instruction
        else {
            return None;
        };
        let inner = origin.inner.wrapping_mul(repeat.stride0 as u16);
        let outer = origin.outer.wrapping_mul(repeat.stride1);
        let address = address.wrapping_add(inner).wrapping_add(outer);
        Some((slice, usize::from(address) % config.mem.depth))
    };
    let mut words: Vec<_> = events.iter().filter_map(read).collect();
    words.dedup();
    words
}

/// Position of a unit that takes operands.
fn position(config: &Config, unit: usize) -> Option<isize> {
    let queue: Queue = Queue::all(config).nth(unit)?;
    let position = match queue.kind {
        QueueKind::MemRead | QueueKind::MemWrite => queue.index,
        QueueKind::Vxm => config.vxm_position(),
        QueueKind::Sxm => config.sxm_position(),
        QueueKind::MxmWeights | QueueKind::MxmCompute | QueueKind::MxmAccumulate => {
            config.mxm_position()
        }
        QueueKind::C2cSend => return Some(-1),
        QueueKind::C2cReceive => return None,
    };
    Some(position as isize)
}
