//! What a machine does that a test bench can see.

use crate::Vector;
use lpu_isa::{Config, Queue, QueueKind, Stream};
use std::fmt;

/// Who is told what a machine does.
pub trait Observe {
    /// Something happened; an observer that does not care need not have it made.
    fn see(&mut self, event: impl FnOnce() -> Event);
}

/// Keeps all events.
impl Observe for Vec<Event> {
    fn see(&mut self, event: impl FnOnce() -> Event) {
        self.push(event());
    }
}

/// Counts the events and keeps none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCount(pub u64);

impl Observe for EventCount {
    fn see(&mut self, _: impl FnOnce() -> Event) {
        self.0 += 1;
    }
}

/// Fault codes, as in the FAULT registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum FaultCode {
    /// A unit drove a cell into which a value flowed.
    StreamCollision = 1,
    /// An operation found valid low.
    OperandMissing = 2,
    /// Two uses of one SRAM port in one cycle.
    BankConflict = 3,
    /// An address or a row past the end.
    AddressRange = 4,
    /// A consumed codeword had more errors than the code corrects.
    EccUncorrectable = 5,
    /// A dot product that no ACC took.
    ResultLost = 6,
    /// An opcode that the queue does not take, or no END.
    IllegalInstruction = 7,
}

impl FaultCode {
    /// The fault with the given number, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        use FaultCode::*;
        Some(match code {
            1 => StreamCollision,
            2 => OperandMissing,
            3 => BankConflict,
            4 => AddressRange,
            5 => EccUncorrectable,
            6 => ResultLost,
            7 => IllegalInstruction,
            _ => return None,
        })
    }
}

impl fmt::Display for FaultCode {
    /// The contract's name, for example `STREAM_COLLISION`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StreamCollision => "STREAM_COLLISION",
            Self::OperandMissing => "OPERAND_MISSING",
            Self::BankConflict => "BANK_CONFLICT",
            Self::AddressRange => "ADDRESS_RANGE",
            Self::EccUncorrectable => "ECC_UNCORRECTABLE",
            Self::ResultLost => "RESULT_LOST",
            Self::IllegalInstruction => "ILLEGAL_INSTRUCTION",
        })
    }
}

/// Who drives a stream cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// MEM slice.
    Mem(u8),
    /// MXM plane.
    Mxm(u8),
    /// The vector unit.
    Vxm,
    /// The switch unit.
    Sxm,
    /// The receiving side of a link.
    C2c(u8),
}

impl Source {
    /// Position of the cell it drives: -1 for a link, which is west of MEM 0.
    pub fn position(self, config: &Config) -> isize {
        let position = match self {
            Self::C2c(_) => return -1,
            Self::Mem(slice) => slice as usize,
            Self::Mxm(_) => config.mxm_position(),
            Self::Vxm => config.vxm_position(),
            Self::Sxm => config.sxm_position(),
        };
        position as isize
    }

    /// The queue that makes it drive.
    pub fn queue(self) -> Queue {
        match self {
            Self::Mem(slice) => Queue::new(QueueKind::MemRead, slice as usize),
            Self::Mxm(plane) => Queue::new(QueueKind::MxmAccumulate, plane as usize),
            Self::Vxm => Queue::new(QueueKind::Vxm, 0),
            Self::Sxm => Queue::new(QueueKind::Sxm, 0),
            Self::C2c(link) => Queue::new(QueueKind::C2cReceive, link as usize),
        }
    }
}

/// What happens, without its cycle. The order of the variants is the canonical order in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// An SRAM read uses its address (READ: issue cycle; GATHER: port cycle).
    ReadStart {
        /// MEM slice.
        slice: u8,
    },
    /// A unit drives a stream; the cell shows it in the next cycle.
    Drive {
        /// Who drives.
        source: Source,
        /// Driven stream.
        stream: Stream,
        /// Data and check bits.
        vector: Vector,
    },
    /// An SRAM write uses its port; the edge that ends the cycle writes.
    Write {
        /// MEM slice.
        slice: u8,
        /// Vector address.
        address: u16,
        /// Data and check bits.
        vector: Vector,
    },
    /// A vector leaves by a link; its check bits stay behind.
    Send {
        /// Link.
        link: u8,
        /// Data.
        vector: Vector,
    },
    /// A unit records its first fault.
    Fault {
        /// Unit (queue id).
        unit: u8,
        /// What happened.
        code: FaultCode,
    },
}

/// Orders events in a cycle: kind, unit, stream.
pub type Place = (u8, u16, u8);

impl Effect {
    /// What two events must share to be about the same thing: kind, unit and, for drives, stream.
    pub const fn place(&self) -> Place {
        match *self {
            Self::ReadStart { slice } => (0, slice as u16, 0),
            Self::Drive { source, stream, .. } => {
                let unit = match source {
                    Source::Mem(slice) => slice as u16,
                    Source::Mxm(plane) => 0x100 + plane as u16,
                    Source::Vxm => 0x200,
                    Source::Sxm => 0x300,
                    Source::C2c(link) => 0x400 + link as u16,
                };
                (1, unit, (stream.westward as u8) << 5 | stream.index)
            }
            Self::Write { slice, .. } => (2, slice as u16, 0),
            Self::Send { link, .. } => (3, link as u16, 0),
            Self::Fault { unit, .. } => (4, unit as u16, 0),
        }
    }

    /// The kind as a word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ReadStart { .. } => "read start",
            Self::Drive { .. } => "stream drive",
            Self::Write { .. } => "SRAM write",
            Self::Send { .. } => "flit",
            Self::Fault { .. } => "fault",
        }
    }

    /// The vector it carries, if any.
    pub const fn vector(&self) -> Option<&Vector> {
        match self {
            Self::Drive { vector, .. } | Self::Write { vector, .. } | Self::Send { vector, .. } => {
                Some(vector)
            }
            _ => None,
        }
    }
}

/// The instruction that caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Queue id.
    pub queue: u8,
    /// Index of the instruction in its queue.
    pub index: u16,
    /// Iteration of the inner repeat.
    pub inner: u16,
    /// Iteration of the outer repeat.
    pub outer: u16,
}

/// Something that happens in a cycle of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Cycle of the launch.
    pub cycle: u64,
    /// What happens.
    pub effect: Effect,
    /// Who caused it; `None` in what was observed. Not compared.
    pub origin: Option<Origin>,
}

impl Event {
    /// An observed event.
    pub const fn observed(cycle: u64, effect: Effect) -> Self {
        Self {
            cycle,
            effect,
            origin: None,
        }
    }

    /// The canonical order.
    pub const fn key(&self) -> (u64, Place) {
        (self.cycle, self.effect.place())
    }
}
