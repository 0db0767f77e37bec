//! Operations at absolute cycles, turned into queue programs with the NOPs between them.

use crate::CompileError;
use crate::nest::Nest;
use lpu_isa::{Config, Instruction, Operation, Program, Queue};

/// Longest NOP.
const MAX_NOP: i64 = (1 << 20) - 1;

/// An operation with its loop nest, in a queue.
#[derive(Clone, Debug)]
pub struct Event {
    pub queue: Queue,
    pub operation: Operation,
    pub nest: Nest,
}

/// What every queue does, at cycles that may start anywhere.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    pub events: Vec<Event>,
    /// CONFIG writes: queue, cycle, register, value.
    pub configs: Vec<(Queue, i64, u8, u16)>,
}

impl Timeline {
    pub fn push(&mut self, queue: Queue, operation: Operation, nest: Nest) {
        self.events.push(Event {
            queue,
            operation,
            nest,
        });
    }

    /// The program; its first issue is in cycle 0.
    pub fn lower(&self, config: &Config) -> Result<Program, CompileError> {
        self.lower_from(config, self.first().unwrap_or(0))
    }

    /// Cycle of the first issue.
    pub fn first(&self) -> Option<i64> {
        let configs = self.configs.iter().map(|config| config.1);
        configs
            .chain(self.events.iter().map(|event| event.nest.start))
            .min()
    }

    /// The program in which cycle `origin` is cycle 0.
    pub fn lower_from(&self, config: &Config, origin: i64) -> Result<Program, CompileError> {
        let mut queues: Vec<Vec<(i64, Instruction)>> = vec![Vec::new(); config.num_queues()];
        for &(queue, cycle, register, value) in &self.configs {
            queues[queue.id(config)].push((cycle, Instruction::Config { register, value }));
        }
        for event in &self.events {
            let queue = event.queue;
            let pieces = event.nest.lower().ok_or(CompileError::Fields { queue })?;
            queues[queue.id(config)].extend(pieces.into_iter().map(|piece| {
                let instruction =
                    Instruction::repeated(event.operation, piece.address, piece.repeat);
                (piece.start, instruction)
            }));
        }
        let mut program = Program::new(config);
        for (queue, mut timed) in Queue::all(config).zip(queues) {
            timed.sort_by_key(|&(cycle, _)| cycle);
            let instructions = sequence(&timed, origin);
            let (needed, available) = (instructions.len(), config.icu.queue_depth);
            if needed > available {
                return Err(CompileError::ProgramMemory {
                    queue,
                    needed,
                    available,
                });
            }
            for instruction in instructions {
                program.push(queue.id(config), instruction);
            }
        }
        Ok(program)
    }
}

/// Fills the gaps between timed instructions with NOPs; the first cycle is `origin`.
///
/// Instructions that overlap come out late, which the schedule checker reports.
fn sequence(timed: &[(i64, Instruction)], origin: i64) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    let mut now = origin;
    for &(cycle, instruction) in timed {
        while now < cycle {
            let cycles = (cycle - now).min(MAX_NOP);
            instructions.push(Instruction::Nop {
                cycles: cycles as u32,
            });
            now += cycles;
        }
        instructions.push(instruction);
        now += match instruction {
            Instruction::Op { repeat, .. } => repeat.duration() as i64,
            _ => 1,
        };
    }
    instructions.push(Instruction::End);
    instructions
}

#[cfg(test)]
mod tests {
    use super::{MAX_NOP, sequence};
    use lpu_isa::Instruction::{End, Nop, Notify};

    #[test]
    fn gaps_become_nops() {
        let nop = |cycles| Nop { cycles };
        assert_eq!(
            sequence(&[(-2, Notify), (-1, Notify), (3, Notify)], -4),
            [nop(2), Notify, Notify, nop(3), Notify, End]
        );
        let far = sequence(&[(MAX_NOP + 1, Notify)], 0);
        assert_eq!(far, [nop(MAX_NOP as u32), nop(1), Notify, End]);
        assert_eq!(sequence(&[], 0), [End]);
    }
}
