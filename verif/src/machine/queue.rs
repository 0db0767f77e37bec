//! One instruction queue: decodes, counts repeats, says what issues in a cycle.

use crate::Origin;
use lpu_isa::{Instruction, Operation, QueueKind, Repeat};

/// An issue cycle that never comes.
pub const NEVER: u64 = u64::MAX;

/// An operation that issues, with what the repeat counters say about it.
#[derive(Clone, Copy, Debug)]
pub struct Issued {
    /// What to do.
    pub operation: Operation,
    /// Affine address, without the base register, modulo 2^16.
    pub address: u16,
    /// First iteration of the inner and of the outer repeat.
    pub first: [bool; 2],
    /// Last iteration of the inner and of the outer repeat.
    pub last: [bool; 2],
    /// Where it comes from.
    pub origin: Origin,
}

/// What happens in an issue cycle.
#[derive(Clone, Copy, Debug)]
pub enum Issue {
    /// Nothing that anybody else sees (NOP).
    Nothing,
    /// An operation.
    Operation(Issued),
    /// CONFIG.
    Config {
        /// Register.
        register: u8,
        /// Value.
        value: u16,
        /// Where it comes from.
        origin: Origin,
    },
    /// NOTIFY.
    Notify,
    /// SYNC: the queue waits.
    Sync,
    /// DESKEW, or RUNTIME_DESKEW with its wait: the queue waits.
    Deskew(Option<u16>),
    /// END.
    End,
    /// An instruction that the queue does not take.
    Illegal(Origin),
    /// The queue's memory ended without END.
    NoEnd(Origin),
}

/// The state of a queue.
#[derive(Clone, Debug)]
pub struct Queue {
    id: u8,
    kind: QueueKind,
    indirect: bool,
    instructions: Vec<Instruction>,
    /// Whether each is an operation that the queue takes.
    taken: Vec<bool>,
    index: usize,
    inner: u32,
    outer: u32,
}

impl Queue {
    /// A queue with an empty memory, in a machine with GATHER and SCATTER or without (`indirect`).
    pub const fn new(id: u8, kind: QueueKind, indirect: bool) -> Self {
        Self {
            id,
            kind,
            indirect,
            instructions: Vec::new(),
            taken: Vec::new(),
            index: 0,
            inner: 0,
            outer: 0,
        }
    }

    /// Fills the memory.
    pub fn load(&mut self, instructions: &[Instruction]) {
        self.instructions.clear();
        self.instructions.extend(instructions);
        let taken = instructions.iter().map(|instruction| match *instruction {
            Instruction::Op { operation, .. } => takes(self.kind, operation, self.indirect),
            _ => false,
        });
        self.taken.clear();
        self.taken.extend(taken);
    }

    /// Goes back to the first instruction.
    pub const fn restart(&mut self) {
        (self.index, self.inner, self.outer) = (0, 0, 0);
    }

    const fn origin(&self) -> Origin {
        Origin {
            queue: self.id,
            index: self.index as u16,
            inner: self.inner as u16,
            outer: self.outer as u16,
        }
    }

    /// Issues in `cycle`; also returns the next issue cycle ([`NEVER`] after END and while it waits).
    #[inline(always)]
    pub fn issue(&mut self, cycle: u64) -> (Issue, u64) {
        let origin = self.origin();
        let Some(&instruction) = self.instructions.get(self.index) else {
            return (Issue::NoEnd(origin), NEVER);
        };
        if let Instruction::Op {
            operation,
            address,
            repeat,
        } = instruction
            && self.taken[self.index]
        {
            return self.iterate(cycle, operation, address, repeat);
        }
        self.index += 1;
        match instruction {
            Instruction::Nop { cycles } => (Issue::Nothing, cycle + u64::from(cycles.max(1))),
            Instruction::Config { register, value } if self.kind == QueueKind::MxmWeights => {
                let issue = Issue::Config {
                    register,
                    value,
                    origin,
                };
                (issue, cycle + 1)
            }
            Instruction::Deskew if self.kind == QueueKind::C2cSend => (Issue::Deskew(None), NEVER),
            Instruction::RuntimeDeskew { wait } if self.kind == QueueKind::C2cSend => {
                (Issue::Deskew(Some(wait)), NEVER)
            }
            Instruction::Config { .. }
            | Instruction::Op { .. }
            | Instruction::Deskew
            | Instruction::RuntimeDeskew { .. } => (Issue::Illegal(origin), cycle + 1),
            Instruction::Notify => (Issue::Notify, cycle + 1),
            Instruction::Sync => (Issue::Sync, NEVER),
            Instruction::End => (Issue::End, NEVER),
        }
    }

    #[inline(always)]
    fn iterate(
        &mut self,
        cycle: u64,
        operation: Operation,
        address: u16,
        repeat: Repeat,
    ) -> (Issue, u64) {
        let last = [
            self.inner + 1 == repeat.count0,
            self.outer + 1 == repeat.count1,
        ];
        let inner_step = (repeat.stride0 as u16).wrapping_mul(self.inner as u16);
        let outer_step = repeat.stride1.wrapping_mul(self.outer as u16);
        let issued = Issued {
            operation,
            address: address.wrapping_add(inner_step).wrapping_add(outer_step),
            first: [self.inner == 0, self.outer == 0],
            last,
            origin: self.origin(),
        };
        let wait = match last {
            [false, _] => {
                self.inner += 1;
                u64::from(repeat.interval0)
            }
            [true, false] => {
                let passed = u64::from(self.inner) * u64::from(repeat.interval0);
                (self.inner, self.outer) = (0, self.outer + 1);
                u64::from(repeat.interval1).saturating_sub(passed)
            }
            [true, true] => {
                (self.index, self.inner, self.outer) = (self.index + 1, 0, 0);
                1
            }
        };
        (Issue::Operation(issued), cycle + wait.max(1))
    }
}

/// Whether a queue takes an operation, in a machine with GATHER and SCATTER or without (`indirect`).
pub const fn takes(kind: QueueKind, operation: Operation, indirect: bool) -> bool {
    use Operation::*;
    match kind {
        QueueKind::MemRead => {
            matches!(operation, Read { .. }) || indirect && matches!(operation, Gather { .. })
        }
        QueueKind::MemWrite => {
            matches!(operation, Write { .. }) || indirect && matches!(operation, Scatter { .. })
        }
        QueueKind::MxmWeights => matches!(operation, LoadWeights { .. } | InstallWeights),
        QueueKind::MxmCompute => {
            matches!(
                operation,
                LoadOperand { .. } | MultiplyStream { .. } | MultiplyBuffer { .. }
            )
        }
        QueueKind::MxmAccumulate => matches!(operation, Accumulate { .. }),
        QueueKind::Vxm => matches!(operation, Vector { .. }),
        QueueKind::Sxm => matches!(
            operation,
            Lanes { .. } | TransposeLoad { .. } | TransposeStore { .. } | Reduce { .. }
        ),
        QueueKind::C2cSend => matches!(operation, Send { .. }),
        QueueKind::C2cReceive => matches!(operation, Receive { .. }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lpu_isa::Stream;

    #[test]
    fn repeats_issue_at_the_contracts_cycles_and_addresses() {
        let read = Operation::Read {
            stream: Stream::east(0),
        };
        let repeat = Repeat::inner(3, 2, -1).outer(2, 10, 100);
        let op = Instruction::repeated(read, 5, repeat);
        let mut queue = Queue::new(0, QueueKind::MemRead, true);
        queue.load(&[op, Instruction::Nop { cycles: 4 }, Instruction::End]);
        let (mut seen, mut cycle) = (vec![], 7);
        while cycle != NEVER {
            let (issue, next) = queue.issue(cycle);
            seen.push(match issue {
                Issue::Operation(issued) => (cycle, Some(issued.address)),
                _ => (cycle, None),
            });
            cycle = next;
        }
        let op = [(7, 5), (9, 4), (11, 3), (17, 105), (19, 104), (21, 103)];
        let op = op.map(|(cycle, address)| (cycle, Some(address)));
        // Occupies 10 + 2*2 + 1 = 15 cycles: the NOP issues in 22, END in 26.
        assert_eq!(repeat.duration(), 15);
        assert_eq!(seen, [&op[..], &[(22, None), (26, None)]].concat());
    }
}
