//! What the checker finds.

use lpu_isa::{Instruction, Queue, Stream};
use std::fmt;

/// An issue of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// The queue.
    pub queue: Queue,
    /// Number of the instruction in the queue.
    pub index: usize,
    /// The instruction.
    pub instruction: Instruction,
    /// Launch cycle of the issue.
    pub issue: u64,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            queue,
            index,
            instruction,
            issue,
        } = self;
        write!(
            f,
            "{queue}[{index}] {instruction} (issued in cycle {issue})"
        )
    }
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The program was made for another machine.
    #[error("the program has {found} queues and the machine {expected}")]
    Queues {
        /// Queues of the machine.
        expected: usize,
        /// Queues of the program.
        found: usize,
    },
    /// A queue has more instructions than its memory holds.
    #[error("{queue}: {needed} instructions, and icu.queue_depth is {available}")]
    ProgramMemory {
        /// The queue.
        queue: Queue,
        /// Its instructions.
        needed: usize,
        /// Instructions it holds.
        available: usize,
    },
    /// A queue does not end with END.
    #[error("{queue}: the last instruction is not END")]
    NoEnd {
        /// The queue.
        queue: Queue,
    },
    /// An instruction breaks a rule by itself.
    #[error("{queue}[{index}] {instruction}: {rule}")]
    Instruction {
        /// The queue.
        queue: Queue,
        /// Number of the instruction.
        index: usize,
        /// The instruction.
        instruction: Instruction,
        /// The rule and the fix.
        rule: String,
    },
    /// No NOTIFY releases a SYNC.
    #[error("{site}: no NOTIFY ever releases this SYNC")]
    Deadlock {
        /// The SYNC.
        site: Site,
    },
    /// What issues behind a DESKEW or RUNTIME_DESKEW depends on its wait.
    #[error("{site}: {why}")]
    Deskew {
        /// The DESKEW.
        site: Box<Site>,
        /// What would meet, and the fix.
        why: String,
    },
    /// The launch has more issues or cycles than the checker expands.
    #[error("the launch has more than {limit} {what}: split it")]
    TooLong {
        /// What there are too many of.
        what: &'static str,
        /// The most that the checker takes.
        limit: u64,
    },
    /// Two operations of the switch unit have their results in one cycle.
    #[error("cycle {cycle}, sxm: the results of {first} and of {second} come in one cycle")]
    ResultConflict {
        /// Cycle of the drives.
        cycle: u64,
        /// The operation issued first, which loses.
        first: Box<Site>,
        /// The other.
        second: Box<Site>,
    },
    /// Two units drive one stream cell.
    #[error(
        "cycle {cycle}, {place}, stream {stream}: {second} drives a cell into which the value of {first} flows"
    )]
    Collision {
        /// Cycle of the drive that collides.
        cycle: u64,
        /// Slice or plane that drives.
        place: String,
        /// The stream.
        stream: Stream,
        /// The upstream issue.
        first: Box<Site>,
        /// The issue that collides with it.
        second: Box<Site>,
    },
    /// A sampled stream cell is not valid.
    #[error("cycle {cycle}, {place}, stream {stream}: {site} finds no value{near}")]
    OperandMissing {
        /// Cycle of the sample.
        cycle: u64,
        /// Slice or plane that samples.
        place: String,
        /// The stream.
        stream: Stream,
        /// The issue that samples.
        site: Box<Site>,
        /// The value nearest in time, in words.
        near: String,
    },
    /// Two issues use one SRAM port.
    #[error("cycle {cycle}, mem{slice}: {first} and {second} both use the {port} port")]
    BankConflict {
        /// Cycle of the port.
        cycle: u64,
        /// The slice.
        slice: usize,
        /// `read` or `write`.
        port: &'static str,
        /// First issue.
        first: Box<Site>,
        /// Second issue.
        second: Box<Site>,
    },
    /// An address is out of range.
    #[error("cycle {}: {site} uses {what} {address}, and there are {limit}", site.issue)]
    AddressRange {
        /// The issue.
        site: Box<Site>,
        /// What is addressed.
        what: &'static str,
        /// The address of that issue.
        address: u64,
        /// Addresses that exist.
        limit: u64,
    },
    /// An ACC finds no product.
    #[error("cycle {}: {site} finds no product{near}", site.issue)]
    ProductMissing {
        /// The ACC.
        site: Box<Site>,
        /// The product nearest in time, in words.
        near: String,
    },
    /// No ACC takes a product.
    #[error("cycle {cycle}: no ACC takes the product of {site}")]
    ResultLost {
        /// Cycle in which the product is visible.
        cycle: u64,
        /// The MM.
        site: Box<Site>,
    },
    /// Weights are incomplete when installed, or used before any are installed.
    #[error("cycle {}: {site}: {hazard}", site.issue)]
    Weights {
        /// The issue.
        site: Box<Site>,
        /// What is not there, and why.
        hazard: String,
    },
    /// A row of the operand buffer is used before it is loaded.
    #[error("cycle {}: {site}: {hazard}", site.issue)]
    Operand {
        /// The issue.
        site: Box<Site>,
        /// What is not there, and why.
        hazard: String,
    },
    /// A sum has no beginning.
    #[error("cycle {}: {site}: {hazard}", site.issue)]
    Sum {
        /// The issue.
        site: Box<Site>,
        /// What is not there, and why.
        hazard: String,
    },
}

/// Broken rules: the first of each instruction and kind in full, the others counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// The violations listed.
    pub list: Vec<Violation>,
    /// Violations that are not listed.
    pub omitted: u64,
}

/// Violations listed in full.
const LISTED: usize = 16;

impl Violation {
    /// The issue at which the rule is broken.
    pub fn site(&self) -> Option<&Site> {
        match self {
            Self::Deadlock { site } => Some(site),
            Self::Deskew { site, .. } => Some(site),
            Self::Collision { second, .. }
            | Self::BankConflict { second, .. }
            | Self::ResultConflict { second, .. } => Some(second),
            Self::OperandMissing { site, .. }
            | Self::AddressRange { site, .. }
            | Self::ProductMissing { site, .. }
            | Self::ResultLost { site, .. }
            | Self::Weights { site, .. }
            | Self::Operand { site, .. }
            | Self::Sum { site, .. } => Some(site),
            _ => None,
        }
    }

    /// Whether both are of one kind and instruction.
    fn repeats(&self, other: &Self) -> bool {
        let instruction = |site: &Site| (site.queue, site.index);
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.site().is_some()
            && self.site().map(instruction) == other.site().map(instruction)
    }
}

impl Violations {
    pub(super) fn push(&mut self, violation: Violation) {
        let listed = || self.list.iter().any(|other| other.repeats(&violation));
        if self.list.len() < LISTED && !listed() {
            self.list.push(violation);
        } else {
            self.omitted += 1;
        }
    }

    pub(super) fn take(&mut self) -> Result<(), Self> {
        match self.list.is_empty() {
            true => Ok(()),
            false => Err(std::mem::take(self)),
        }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, violation) in self.list.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{violation}")?;
        }
        match self.omitted {
            0 => Ok(()),
            omitted => write!(f, "\nand {omitted} more"),
        }
    }
}

impl std::error::Error for Violations {}
