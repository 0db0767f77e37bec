//! The 128-bit instruction word.

use super::{AccMode, Instruction, Operation, Repeat, Stream};

/// Opcode numbers.
pub mod opcode {
    #![allow(missing_docs)]
    pub const NOP: u8 = 0;
    pub const READ: u8 = 1;
    pub const GATHER: u8 = 2;
    pub const WRITE: u8 = 3;
    pub const SCATTER: u8 = 4;
    pub const LW: u8 = 5;
    pub const IW: u8 = 6;
    pub const LX: u8 = 7;
    pub const MM: u8 = 8;
    pub const ACC: u8 = 9;
    pub const VEC: u8 = 10;
    /// Operations of the switch unit and, with bit 3 of the flags, of the links.
    pub const EDGE: u8 = 11;
    pub const CONFIG: u8 = 12;
    pub const NOTIFY: u8 = 13;
    pub const SYNC: u8 = 14;
    pub const END: u8 = 15;
}

/// Flags of the instructions of links with opcode [`opcode::EDGE`] that are no operations.
mod link_flags {
    pub const DESKEW: u32 = 12;
    pub const RUNTIME_DESKEW: u32 = 14;
}

/// Registers of CONFIG in the weights queue of a plane.
pub mod register {
    /// Weight streams that LW takes.
    pub const WEIGHT_STREAMS: u8 = 0;
    /// Format of the weights that IW installs: 0 int8, else [`crate::config::MxmFormat::code`].
    pub const FORMAT: u8 = 1;
}

/// Why a word is not an instruction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The word has bits set that the instruction does not use, or a field out of range.
    #[error("word {0:#034x} is not canonical: it would assemble to {1:#034x}")]
    NotCanonical(u128, u128),
}

/// First bit of each field.
mod shift {
    pub const FLAGS: u32 = 4;
    pub const STREAM: u32 = 8;
    pub const STREAM2: u32 = 14;
    pub const STRIDE0: u32 = 20;
    pub const ADDRESS: u32 = 32;
    pub const COUNT0: u32 = 48;
    pub const COUNT1: u32 = 64;
    pub const INTERVAL0: u32 = 80;
    pub const INTERVAL1: u32 = 92;
    pub const STRIDE1: u32 = 112;
}

fn field(word: u128, shift: u32, bits: u32) -> u32 {
    (word >> shift) as u32 & ((1u64 << bits) - 1) as u32
}

fn stream_bits(stream: Stream) -> u128 {
    (stream.westward as u128) << 5 | (stream.index & 31) as u128
}

fn stream_of(bits: u32) -> Stream {
    Stream {
        westward: bits & 32 != 0,
        index: (bits & 31) as u8,
    }
}

fn mode_of(bits: u32) -> AccMode {
    use AccMode::*;
    [Never, Inner, Outer, Always][(bits & 3) as usize]
}

impl Operation {
    /// Opcode, flags, stream and second stream.
    fn encode(self) -> (u8, u128, Stream, Stream) {
        let none = Stream::east(0);
        match self {
            Self::Read { stream } => (opcode::READ, 0, stream, none),
            Self::Gather { stream, offset } => (opcode::GATHER, 0, stream, offset),
            Self::Write { stream } => (opcode::WRITE, 0, stream, none),
            Self::Scatter { stream, offset } => (opcode::SCATTER, 0, stream, offset),
            Self::LoadWeights {
                stream,
                column,
                install,
            } => {
                let flags = column as u128 | (install as u128) << 1;
                (opcode::LW, flags, Stream::east(stream), none)
            }
            Self::InstallWeights => (opcode::IW, 0, none, none),
            Self::LoadOperand { stream, scales } => {
                let second = scales.map_or(none, Stream::east);
                let flags = u128::from(scales.is_some());
                (opcode::LX, flags, Stream::east(stream), second)
            }
            Self::MultiplyStream { stream, scales } => {
                let second = scales.map_or(none, Stream::east);
                let flags = u128::from(scales.is_some()) << 1;
                (opcode::MM, flags, Stream::east(stream), second)
            }
            Self::MultiplyBuffer { scaled } => (opcode::MM, 1 | (scaled as u128) << 1, none, none),
            Self::Accumulate { stream, init, emit } => {
                let flags = init as u128 | (emit as u128) << 2;
                (opcode::ACC, flags, Stream::west(stream), none)
            }
            Self::Vector { a, b } => (opcode::VEC, 0, a, b),
            Self::Lanes { from, to, word } => (opcode::EDGE, (word as u128) << 2, from, to),
            Self::TransposeLoad { from } => (opcode::EDGE, 1, from, none),
            Self::TransposeStore { to } => (opcode::EDGE, 2, none, to),
            Self::Reduce { from, to } => (opcode::EDGE, 3, from, to),
            Self::Send { stream } => (opcode::EDGE, 8, Stream::west(stream), none),
            Self::Receive { stream, word } => {
                let flags = 9 | (word as u128) << 1;
                (opcode::EDGE, flags, Stream::east(stream), none)
            }
        }
    }

    /// The operation of a word whose opcode is none of the other instructions'.
    fn decode(word: u128) -> Self {
        let flags = field(word, shift::FLAGS, 4);
        let stream = stream_of(field(word, shift::STREAM, 6));
        let offset = stream_of(field(word, shift::STREAM2, 6));
        match word as u8 & 15 {
            opcode::READ => Self::Read { stream },
            opcode::GATHER => Self::Gather { stream, offset },
            opcode::WRITE => Self::Write { stream },
            opcode::SCATTER => Self::Scatter { stream, offset },
            opcode::LW => Self::LoadWeights {
                stream: stream.index,
                column: flags & 1 != 0,
                install: flags & 2 != 0,
            },
            opcode::IW => Self::InstallWeights,
            opcode::LX => Self::LoadOperand {
                stream: stream.index,
                scales: (flags & 1 != 0).then_some(offset.index),
            },
            opcode::MM if flags & 1 != 0 => Self::MultiplyBuffer {
                scaled: flags & 2 != 0,
            },
            opcode::MM => Self::MultiplyStream {
                stream: stream.index,
                scales: (flags & 2 != 0).then_some(offset.index),
            },
            opcode::ACC => Self::Accumulate {
                stream: stream.index,
                init: mode_of(flags),
                emit: mode_of(flags >> 2),
            },
            opcode::VEC => Self::Vector {
                a: stream,
                b: offset,
            },
            _ => match flags & 11 {
                8 | 10 => Self::Send {
                    stream: stream.index,
                },
                9 | 11 => Self::Receive {
                    stream: stream.index,
                    word: flags & 2 != 0,
                },
                0 => Self::Lanes {
                    from: stream,
                    to: offset,
                    word: flags & 4 != 0,
                },
                1 => Self::TransposeLoad { from: stream },
                2 => Self::TransposeStore { to: offset },
                _ => Self::Reduce {
                    from: stream,
                    to: offset,
                },
            },
        }
    }
}

impl Instruction {
    /// The instruction word.
    ///
    /// Fields are cut to their width; the assembler and the compiler check ranges before.
    pub fn encode(self) -> u128 {
        let simple = |code: u8| code as u128;
        match self {
            Self::Nop { cycles } => {
                simple(opcode::NOP) | (cycles as u128 & 0xf_ffff) << shift::INTERVAL1
            }
            Self::Config { register, value } => {
                simple(opcode::CONFIG)
                    | (register as u128 & 63) << shift::STREAM
                    | (value as u128) << shift::ADDRESS
            }
            Self::Notify => simple(opcode::NOTIFY),
            Self::Sync => simple(opcode::SYNC),
            Self::End => simple(opcode::END),
            Self::Deskew => simple(opcode::EDGE) | u128::from(link_flags::DESKEW) << shift::FLAGS,
            Self::RuntimeDeskew { wait } => {
                simple(opcode::EDGE)
                    | u128::from(link_flags::RUNTIME_DESKEW) << shift::FLAGS
                    | u128::from(wait) << shift::ADDRESS
            }
            Self::Op {
                operation,
                address,
                repeat,
            } => {
                let (code, flags, stream, stream2) = operation.encode();
                simple(code)
                    | flags << shift::FLAGS
                    | stream_bits(stream) << shift::STREAM
                    | stream_bits(stream2) << shift::STREAM2
                    | (repeat.stride0 as u128 & 0xfff) << shift::STRIDE0
                    | (address as u128) << shift::ADDRESS
                    | (repeat.count0.wrapping_sub(1) as u128 & 0xffff) << shift::COUNT0
                    | (repeat.count1.wrapping_sub(1) as u128 & 0xffff) << shift::COUNT1
                    | (repeat.interval0 as u128 & 0xfff) << shift::INTERVAL0
                    | (repeat.interval1 as u128 & 0xf_ffff) << shift::INTERVAL1
                    | (repeat.stride1 as u128) << shift::STRIDE1
            }
        }
    }

    /// Reads an instruction word; a word that no instruction encodes to is an error.
    pub fn decode(word: u128) -> Result<Self, DecodeError> {
        let code = word as u8 & 15;
        let flags = field(word, shift::FLAGS, 4);
        let instruction = match code {
            opcode::NOP => Self::Nop {
                cycles: field(word, shift::INTERVAL1, 20),
            },
            opcode::CONFIG => Self::Config {
                register: field(word, shift::STREAM, 6) as u8,
                value: field(word, shift::ADDRESS, 16) as u16,
            },
            opcode::NOTIFY => Self::Notify,
            opcode::SYNC => Self::Sync,
            opcode::END => Self::End,
            opcode::EDGE if flags == link_flags::DESKEW => Self::Deskew,
            opcode::EDGE if flags == link_flags::RUNTIME_DESKEW => Self::RuntimeDeskew {
                wait: field(word, shift::ADDRESS, 16) as u16,
            },
            _ => Self::Op {
                operation: Operation::decode(word),
                address: field(word, shift::ADDRESS, 16) as u16,
                repeat: Repeat {
                    count0: field(word, shift::COUNT0, 16) + 1,
                    interval0: field(word, shift::INTERVAL0, 12) as u16,
                    stride0: ((field(word, shift::STRIDE0, 12) as i16) << 4) >> 4,
                    count1: field(word, shift::COUNT1, 16) + 1,
                    interval1: field(word, shift::INTERVAL1, 20),
                    stride1: field(word, shift::STRIDE1, 16) as u16,
                }
                .canonical(),
            },
        };
        match instruction.encode() {
            canonical if canonical == word => Ok(instruction),
            canonical => Err(DecodeError::NotCanonical(word, canonical)),
        }
    }
}
