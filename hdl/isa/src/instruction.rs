//! Instructions and their 128-bit encoding.

use crate::latency::{GO_LATENCY, SHORTEST_DESKEW};
use std::fmt;

pub mod encoding;

pub use encoding::DecodeError;

/// A stream: direction and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stream {
    /// Flows west (results) rather than east (weights, operands).
    pub westward: bool,
    /// Number within its direction, 0 to 31.
    pub index: u8,
}

impl Stream {
    /// Eastward stream `index`.
    pub const fn east(index: u8) -> Self {
        Self {
            westward: false,
            index,
        }
    }

    /// Westward stream `index`.
    pub const fn west(index: u8) -> Self {
        Self {
            westward: true,
            index,
        }
    }
}

impl fmt::Display for Stream {
    /// `e3` or `w3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.westward { 'w' } else { 'e' }, self.index)
    }
}

/// Which iteration of a repeated ACC initialises or emits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AccMode {
    /// No iteration.
    #[default]
    Never,
    /// The first (initialise) or last (emit) iteration of the inner repeat.
    Inner,
    /// The first (initialise) or last (emit) iteration of the outer repeat.
    Outer,
    /// Every iteration.
    Always,
}

/// Two nested repeat levels with affine addresses.
///
/// Iteration (j1, j0) issues `j1 * interval1 + j0 * interval0` cycles after the first, with
/// `j0 * stride0 + j1 * stride1` added to the address modulo 2^16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Repeat {
    /// Inner iterations, 1 to 65536.
    pub count0: u32,
    /// Cycles between inner iterations, 1 to 4095.
    pub interval0: u16,
    /// Address step of the inner repeat, -2048 to 2047.
    pub stride0: i16,
    /// Outer iterations, 1 to 65536.
    pub count1: u32,
    /// Cycles between outer iterations, 1 to 2^20 - 1.
    pub interval1: u32,
    /// Address step of the outer repeat, modulo 2^16.
    pub stride1: u16,
}

impl Repeat {
    /// A single issue.
    pub const ONCE: Self = Self {
        count0: 1,
        interval0: 1,
        stride0: 0,
        count1: 1,
        interval1: 1,
        stride1: 0,
    };

    /// `count` issues, `interval` cycles apart, the address growing by `stride`.
    pub const fn inner(count: u32, interval: u16, stride: i16) -> Self {
        Self {
            count0: count,
            interval0: interval,
            stride0: stride,
            ..Self::ONCE
        }
    }

    /// The same with an outer level around it.
    pub const fn outer(self, count: u32, interval: u32, stride: u16) -> Self {
        Self {
            count1: count,
            interval1: interval,
            stride1: stride,
            ..self
        }
    }

    /// Cycles that the operation occupies its queue.
    pub const fn duration(&self) -> u64 {
        (self.count1 as u64 - 1) * self.interval1 as u64
            + (self.count0 as u64 - 1) * self.interval0 as u64
            + 1
    }

    /// The same repeat with the unused fields of levels that iterate once at their canonical value.
    pub const fn canonical(self) -> Self {
        let mut repeat = self;
        if repeat.count0 == 1 {
            repeat.interval0 = 1;
            repeat.stride0 = 0;
        }
        if repeat.count1 == 1 {
            repeat.interval1 = 1;
            repeat.stride1 = 0;
        }
        repeat
    }
}

/// What an operation does; `docs/machine.md` defines each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// SRAM word to a stream.
    Read {
        /// Driven stream.
        stream: Stream,
    },
    /// SRAM word, at an offset taken from a stream, to a stream.
    Gather {
        /// Driven stream.
        stream: Stream,
        /// Stream that carries the offset.
        offset: Stream,
    },
    /// Stream to an SRAM word.
    Write {
        /// Stored stream.
        stream: Stream,
    },
    /// Stream to an SRAM word at an offset taken from a stream.
    Scatter {
        /// Stored stream.
        stream: Stream,
        /// Stream that carries the offset.
        offset: Stream,
    },
    /// Load shadow weights.
    LoadWeights {
        /// First eastward stream, a multiple of W.
        stream: u8,
        /// Column form rather than row form.
        column: bool,
        /// Install with the last inner iteration.
        install: bool,
    },
    /// Shadow weights become the active ones.
    InstallWeights,
    /// Load an operand-buffer row from an eastward stream.
    LoadOperand {
        /// Eastward stream.
        stream: u8,
        /// Eastward stream of the scales of its blocks (flag `scaled`).
        scales: Option<u8>,
    },
    /// Multiply an activation vector with the active weights.
    MultiplyStream {
        /// Eastward stream of the activation.
        stream: u8,
        /// Eastward stream of the scales of its blocks (flag `scaled`); 1.0 without.
        scales: Option<u8>,
    },
    /// The same with the activation from the operand buffer.
    MultiplyBuffer {
        /// With the scales of the row; 1.0 without.
        scaled: bool,
    },
    /// Accumulate the dot products.
    Accumulate {
        /// First westward result stream, a multiple of 4.
        stream: u8,
        /// Iterations that start from zero.
        init: AccMode,
        /// Iterations that emit the sum.
        emit: AccMode,
    },
    /// A pass of the vector unit; [`vector_address`] makes its address from row and descriptor.
    Vector {
        /// Stream of operand A.
        a: Stream,
        /// Stream of operand B.
        b: Stream,
    },
    /// A vector passes the crossbar; [`lanes_address`] makes its address from mode and argument.
    Lanes {
        /// Operand.
        from: Stream,
        /// Result.
        to: Stream,
        /// A vector of words rather than of bytes.
        word: bool,
    },
    /// A vector becomes a row of the transposer.
    TransposeLoad {
        /// Operand.
        from: Stream,
    },
    /// A column of the transposer drives a stream.
    TransposeStore {
        /// Result.
        to: Stream,
    },
    /// A reduction of a vector of words over its lanes; the address is a [`Reduction`].
    Reduce {
        /// Operand.
        from: Stream,
        /// Result.
        to: Stream,
    },
    /// A vector leaves by a link.
    Send {
        /// Westward stream.
        stream: u8,
    },
    /// The oldest vector that has come by a link drives a stream.
    Receive {
        /// Eastward stream, or the first of four.
        stream: u8,
        /// All iterations of the inner repeat but the last keep their vector; the last drives four streams with the three kept last
        /// and its own.
        word: bool,
    },
}

/// How LANES moves lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum LaneMode {
    /// Lane i - n, zero if there is none.
    Up = 0,
    /// Lane i + n, zero if there is none.
    Down = 1,
    /// Lane (i - n) mod L.
    Rotate = 2,
    /// Lane n mod L.
    Broadcast = 3,
    /// By permutation table n.
    Permute = 4,
    /// Each lane from n mod 256 on 2^(n / 256) times.
    Distribute = 5,
}

impl LaneMode {
    /// All modes with the assembler's names, by number.
    pub const ALL: [(&'static str, Self); 6] = [
        ("up", Self::Up),
        ("down", Self::Down),
        ("rotate", Self::Rotate),
        ("broadcast", Self::Broadcast),
        ("permute", Self::Permute),
        ("distribute", Self::Distribute),
    ];
}

/// What REDUCE computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Reduction {
    /// FP32 sum, as a tree.
    Sum = 0,
    /// FP32 maximum.
    Max = 1,
    /// Lane of the maximum, as int32.
    Argmax = 2,
}

impl Reduction {
    /// All reductions with the assembler's names, by number.
    pub const ALL: [(&'static str, Self); 3] = [
        ("sum", Self::Sum),
        ("max", Self::Max),
        ("argmax", Self::Argmax),
    ];
}

/// Bits of a register row in the address of VEC; the descriptor is above.
pub const ROW_BITS: u32 = 10;
/// Bits of the argument in the address of LANES; the mode is above.
pub const ARGUMENT_BITS: u32 = 12;

/// Address of a pass with register row `row` (0 to 1023) and descriptor `descriptor` (0 to 63).
pub const fn vector_address(row: u16, descriptor: u16) -> u16 {
    row | descriptor << ROW_BITS
}

/// Address of LANES with an argument of 0 to 4095.
pub const fn lanes_address(mode: LaneMode, argument: u16) -> u16 {
    argument | (mode as u16) << ARGUMENT_BITS
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// Wait `cycles` cycles (1 to 2^20 - 1).
    Nop {
        /// Cycles.
        cycles: u32,
    },
    /// An operation with its address and repeats.
    Op {
        /// What it does.
        operation: Operation,
        /// Address, row or buffer row of the first iteration.
        address: u16,
        /// Repeats.
        repeat: Repeat,
    },
    /// Set a configuration register of the unit.
    Config {
        /// Register number, 0 to 63.
        register: u8,
        /// Value.
        value: u16,
    },
    /// Release all queues that wait in SYNC.
    Notify,
    /// Wait for a NOTIFY.
    Sync,
    /// Wait for the next epoch of the link's counter.
    Deskew,
    /// Wait so many cycles, and what the clocks have drifted apart since the last DESKEW or RUNTIME_DESKEW of the link.
    RuntimeDeskew {
        /// Cycles; of use are 1 and more.
        wait: u16,
    },
    /// End of the queue's program.
    End,
}

impl Instruction {
    /// Cycles that it occupies its queue: a SYNC without its wait, a DESKEW with the shortest, a RUNTIME_DESKEW with the one that it
    /// names.
    pub const fn cycles(&self) -> u64 {
        match *self {
            Self::Nop { cycles } => cycles as u64,
            Self::Op { repeat, .. } => repeat.duration(),
            Self::Deskew | Self::RuntimeDeskew { wait: 0 } => SHORTEST_DESKEW,
            Self::RuntimeDeskew { wait } => wait as u64 + GO_LATENCY,
            Self::Config { .. } | Self::Notify | Self::Sync | Self::End => 1,
        }
    }

    /// An operation that issues once.
    pub const fn once(operation: Operation, address: u16) -> Self {
        Self::repeated(operation, address, Repeat::ONCE)
    }

    /// An operation with repeats.
    pub const fn repeated(operation: Operation, address: u16, repeat: Repeat) -> Self {
        Self::Op {
            operation,
            address,
            repeat: repeat.canonical(),
        }
    }
}
