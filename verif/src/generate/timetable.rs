//! Issues by queue and cycle, without conflicts, and the program that issues them.

use lpu_isa::{Config, Instruction, Operation, Program, Queue, QueueKind, Repeat};
use std::collections::{BTreeMap, BTreeSet};

/// Something of which there is one in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// A queue issues, in a cycle.
    Issue(usize, u64),
    /// SRAM read port of a slice, in a cycle.
    ReadPort(usize, u64),
    /// SRAM write port of a slice, in a cycle.
    WritePort(usize, u64),
    /// An eastward value of a stream: cycle in which the MXM would see it.
    East(u8, u64),
    /// A westward value of a stream: cycle in which slice 0 would see it.
    West(u8, u64),
}

/// One issue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub queue: Queue,
    pub cycle: u64,
    pub operation: Operation,
    pub address: u16,
}

/// All issues of a program.
#[derive(Clone, Debug, Default)]
pub struct Timetable {
    issues: BTreeMap<usize, BTreeMap<u64, (Operation, u16)>>,
    taken: BTreeSet<Resource>,
}

impl Timetable {
    /// Enters what belongs together, if all it takes is free and every queue has room.
    pub fn enter(&mut self, config: &Config, entries: &[Entry], resources: &[Resource]) -> bool {
        let mut all: BTreeSet<Resource> = resources.iter().copied().collect();
        let issues = entries
            .iter()
            .map(|e| Resource::Issue(e.queue.id(config), e.cycle));
        all.extend(issues);
        let distinct = all.len() == entries.len() + resources.len();
        // Every issue may need a NOP before it; END and a preamble need room too.
        let room = config.icu.queue_depth / 2 - 4;
        let fits = entries.iter().all(|e| {
            let queue = self.issues.get(&e.queue.id(config));
            queue.is_none_or(|queue| queue.len() + entries.len() < room)
        });
        if !distinct || !fits || !all.is_disjoint(&self.taken) {
            return false;
        }
        self.taken.extend(all);
        for entry in entries {
            let queue = self.issues.entry(entry.queue.id(config)).or_default();
            queue.insert(entry.cycle, (entry.operation, entry.address));
        }
        true
    }

    /// The program; `preamble` puts instructions before cycle 0 of the timetable into each queue. With
    /// `compress`, equally spaced issues become repeats.
    pub fn program(
        &self,
        config: &Config,
        preamble: impl Fn(usize, QueueKind) -> Vec<Instruction>,
        compress: bool,
    ) -> Program {
        let mut program = Program::new(config);
        let none = BTreeMap::new();
        for (id, unit) in Queue::all(config).enumerate() {
            preamble(id, unit.kind)
                .into_iter()
                .for_each(|i| program.push(id, i));
            let issues = self.issues.get(&id).unwrap_or(&none);
            let issues: Vec<_> = issues.iter().map(|(&cycle, &op)| (cycle, op)).collect();
            let (mut clock, mut rest) = (0, &issues[..]);
            while let Some(&(cycle, (operation, address))) = rest.first() {
                if cycle > clock {
                    let cycles = (cycle - clock) as u32;
                    program.push(id, Instruction::Nop { cycles });
                }
                let (count, repeat) = if compress {
                    run(rest)
                } else {
                    (1, Repeat::ONCE)
                };
                program.push(id, Instruction::repeated(operation, address, repeat));
                clock = cycle + repeat.duration();
                rest = &rest[count..];
            }
            program.push(id, Instruction::End);
        }
        program
    }
}

/// The longest run of one operation with equal cycle and address steps at the beginning.
fn run(issues: &[(u64, (Operation, u16))]) -> (usize, Repeat) {
    let once = (1, Repeat::ONCE);
    let [(first, (operation, address)), (second, (_, next)), ..] = issues else {
        return once;
    };
    let (interval, stride) = (second - first, next.wrapping_sub(*address) as i16);
    let installs = matches!(operation, Operation::LoadWeights { install: true, .. });
    if interval > 4095 || !(-2048..2048).contains(&stride) || installs {
        return once;
    }
    let fits = |(j, issue): &(usize, &(u64, (Operation, u16)))| {
        let step = (stride as u16).wrapping_mul(*j as u16);
        **issue
            == (
                first + *j as u64 * interval,
                (*operation, address.wrapping_add(step)),
            )
    };
    let count = issues.iter().enumerate().take_while(fits).count();
    (
        count,
        Repeat::inner(count as u32, interval as u16, stride).canonical(),
    )
}
