//! Descriptors: what a pass of the vector unit does.
//!
//! `docs/vector.md` defines the fields. A [`Descriptor`] is typed and canonical; its words are what the host writes.

use crate::Stream;
use std::fmt;

/// Descriptors of a vector unit.
pub const DESCRIPTORS: usize = 64;
/// Words of a descriptor at its host address; words past the last ALU do not exist.
pub const DESCRIPTOR_STRIDE: usize = 8;
/// The most ALUs of a chain.
pub const MAX_ALUS: usize = 4;

/// Where P of ALU 0 comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The register in the pass's row plus this offset.
    Register(u16),
    /// Operand A in this format.
    Stream(Format),
}

/// The format of an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Format {
    /// FP32, four planes.
    Fp32 = 1,
    /// int32, four planes.
    Int32 = 2,
    /// int8, one plane.
    Int8 = 3,
    /// E4M3, one plane.
    E4m3 = 4,
}

/// The format of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ResultFormat {
    /// FP32, four planes.
    Fp32 = 1,
    /// int32, four planes.
    Int32 = 2,
    /// int8, one plane.
    Int8 = 3,
    /// E4M3, one plane.
    E4m3 = 4,
    /// int16 in two int8 planes: v = 256 h + l.
    Int16 = 5,
    /// E2M1 in the low half of each byte, one plane.
    E2m1 = 6,
}

impl Format {
    /// Byte planes, which is streams.
    pub const fn planes(self) -> usize {
        match self {
            Self::Fp32 | Self::Int32 => 4,
            Self::Int8 | Self::E4m3 => 1,
        }
    }
}

impl ResultFormat {
    /// Byte planes, which is streams.
    pub const fn planes(self) -> usize {
        match self {
            Self::Fp32 | Self::Int32 => 4,
            Self::Int16 => 2,
            Self::Int8 | Self::E4m3 | Self::E2m1 => 1,
        }
    }
}

/// What the special-function unit does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Function {
    /// Nothing.
    #[default]
    Pass = 0,
    /// 2^x.
    Exp2 = 1,
    /// 1 / x.
    Rcp = 2,
    /// 1 / sqrt(x).
    Rsqrt = 3,
}

/// What an ALU does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AluOperation {
    /// P.
    #[default]
    Pass = 0,
    /// P * Y + Z.
    Fma = 1,
    /// Maximum of P and Y.
    Max = 2,
    /// Minimum of P and Y.
    Min = 3,
    /// 1.0 if P < Y, else 0.
    Lt = 4,
    /// 1.0 if P ≤ Y, else 0.
    Le = 5,
    /// 1.0 if P = Y, else 0.
    Eq = 6,
    /// Y if P is neither zero nor a NaN, else Z.
    Select = 7,
}

/// Where Y or Z of an ALU comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Operand {
    /// The ALU's constant.
    #[default]
    Constant = 0,
    /// Operand B, in the ALU that takes it.
    B = 1,
    /// The register in the pass's row plus the ALU's offset.
    Register = 2,
    /// P, before absolute value and negation.
    P = 3,
    /// 1.0.
    One = 4,
    /// -0.0.
    NegativeZero = 5,
}

/// One ALU of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Alu {
    /// What it does.
    pub operation: AluOperation,
    /// Y.
    pub y: Operand,
    /// Z.
    pub z: Operand,
    /// Absolute value of P first.
    pub absolute: bool,
    /// Negate P, after the absolute value.
    pub negate: bool,
    /// Negate Z.
    pub negate_z: bool,
    /// Row of its register, from the pass's row unless `fixed` (0 to 1023).
    pub offset: u16,
    /// Its register does not move with the pass's row.
    pub fixed: bool,
    /// Its constant, FP32 as a pattern.
    pub constant: u32,
}

/// What becomes of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    /// Its format.
    pub format: ResultFormat,
    /// The first stream it drives.
    pub stream: Stream,
}

/// A pass of the vector unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// P of ALU 0.
    pub source: Source,
    /// Operand B: its format and the ALU that takes it (0 or 1).
    pub b: Option<(Format, u8)>,
    /// The special function behind ALU 0.
    pub function: Function,
    /// The ALUs; those that a machine does not have are [`Alu::default`].
    pub alus: [Alu; MAX_ALUS],
    /// Row of the register to write, from the pass's row (0 to 1023).
    pub write: Option<u16>,
    /// What to drive.
    pub output: Option<Output>,
}

impl Default for Descriptor {
    /// The register passes through and nothing comes of it; all words are zero.
    fn default() -> Self {
        Self {
            source: Source::Register(0),
            b: None,
            function: Function::Pass,
            alus: [Alu::default(); MAX_ALUS],
            write: None,
            output: None,
        }
    }
}

/// Why words are not a descriptor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// A code without a meaning.
    #[error("word {word}: {field} {code} is not assigned")]
    Code {
        /// Index of the word.
        word: usize,
        /// Name of the field.
        field: &'static str,
        /// What it holds.
        code: u64,
    },
    /// Bits that no field uses, or fields without effect that are not zero.
    #[error("word {0} is not canonical: {1:#018x} would be {2:#018x}")]
    NotCanonical(usize, u64, u64),
}

/// Names of codes, for text and for decoding.
trait Code: Sized + Copy + 'static {
    const NAMES: &'static [(&'static str, Self)];
    fn code(self) -> u64;

    fn name(self) -> &'static str {
        let named = Self::NAMES
            .iter()
            .find(|(_, value)| value.code() == self.code());
        named.map_or("", |(name, _)| name)
    }

    fn from_code(word: usize, field: &'static str, code: u64) -> Result<Self, DescriptorError> {
        let found = Self::NAMES.iter().find(|(_, value)| value.code() == code);
        found
            .map(|(_, value)| *value)
            .ok_or(DescriptorError::Code { word, field, code })
    }

    fn from_name(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }
}

macro_rules! codes {
    ($type:ty { $($name:literal = $variant:ident),+ $(,)? }) => {
        impl Code for $type {
            const NAMES: &'static [(&'static str, Self)] = &[$(($name, Self::$variant)),+];
            fn code(self) -> u64 {
                self as u64
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
        impl $type {
            /// The value that the assembler calls `name`.
            pub fn named(name: &str) -> Option<Self> {
                Code::from_name(name)
            }
        }
    };
}

codes!(Format { "fp32" = Fp32, "int32" = Int32, "int8" = Int8, "e4m3" = E4m3 });
codes!(ResultFormat {
    "fp32" = Fp32, "int32" = Int32, "int8" = Int8, "e4m3" = E4m3, "int16" = Int16, "e2m1" = E2m1,
});
codes!(Function { "pass" = Pass, "exp2" = Exp2, "rcp" = Rcp, "rsqrt" = Rsqrt });
codes!(AluOperation {
    "pass" = Pass, "fma" = Fma, "max" = Max, "min" = Min, "lt" = Lt, "le" = Le, "eq" = Eq, "select" = Select,
});
codes!(Operand { "k" = Constant, "b" = B, "r" = Register, "p" = P, "1.0" = One, "-0.0" = NegativeZero });

const OFFSET: u64 = 0x3ff;

impl Alu {
    /// Its word.
    pub fn encode(self) -> u64 {
        self.operation.code()
            | self.y.code() << 4
            | self.z.code() << 7
            | u64::from(self.absolute) << 10
            | u64::from(self.negate) << 11
            | u64::from(self.negate_z) << 12
            | (u64::from(self.offset) & OFFSET) << 13
            | u64::from(self.fixed) << 23
            | u64::from(self.constant) << 32
    }

    fn decode(index: usize, word: u64) -> Result<Self, DescriptorError> {
        let alu = Self {
            operation: Code::from_code(index, "operation", word & 15)?,
            y: Code::from_code(index, "operand Y", word >> 4 & 7)?,
            z: Code::from_code(index, "operand Z", word >> 7 & 7)?,
            absolute: word >> 10 & 1 == 1,
            negate: word >> 11 & 1 == 1,
            negate_z: word >> 12 & 1 == 1,
            offset: (word >> 13 & OFFSET) as u16,
            fixed: word >> 23 & 1 == 1,
            constant: (word >> 32) as u32,
        };
        canonical(index, word, alu.encode())?;
        Ok(alu)
    }
}

fn canonical(index: usize, word: u64, canonical: u64) -> Result<(), DescriptorError> {
    if word == canonical {
        Ok(())
    } else {
        Err(DescriptorError::NotCanonical(index, word, canonical))
    }
}

impl Descriptor {
    /// Its words: one for the pass, one for each of `alus` ALUs.
    pub fn encode(&self, alus: usize) -> Vec<u64> {
        let (source, offset) = match self.source {
            Source::Register(offset) => (0, u64::from(offset) & OFFSET),
            Source::Stream(format) => (format.code(), 0),
        };
        let (b, taker) = self
            .b
            .map_or((0, 0), |(format, alu)| (format.code(), u64::from(alu) & 1));
        let (format, stream) = self.output.map_or((0, 0), |output| {
            let Stream { westward, index } = output.stream;
            (
                output.format.code(),
                u64::from(westward) << 5 | u64::from(index & 31),
            )
        });
        let first = source
            | b << 3
            | taker << 6
            | self.function.code() << 7
            | u64::from(self.write.is_some()) << 10
            | format << 11
            | stream << 14
            | offset << 20
            | (u64::from(self.write.unwrap_or(0)) & OFFSET) << 30;
        let rest = self.alus[..alus].iter().map(|alu| alu.encode());
        std::iter::once(first).chain(rest).collect()
    }

    /// Reads the words of a descriptor.
    ///
    /// # Panics
    /// Without a first word, or with more than five.
    pub fn decode(words: &[u64]) -> Result<Self, DescriptorError> {
        let first = words[0];
        let format = |field, code| match code {
            0 => Ok(None),
            code => Code::from_code(0, field, code).map(Some),
        };
        let offset = (first >> 20 & OFFSET) as u16;
        let result = match first >> 11 & 7 {
            0 => None,
            code => Some(Output {
                format: Code::from_code(0, "format of the result", code)?,
                stream: Stream {
                    westward: first >> 19 & 1 == 1,
                    index: (first >> 14 & 31) as u8,
                },
            }),
        };
        let mut descriptor = Self {
            source: format("format of A", first & 7)?
                .map_or(Source::Register(offset), Source::Stream),
            b: format("format of B", first >> 3 & 7)?
                .map(|format| (format, (first >> 6 & 1) as u8)),
            function: Code::from_code(0, "special function", first >> 7 & 7)?,
            alus: [Alu::default(); MAX_ALUS],
            write: (first >> 10 & 1 == 1).then_some((first >> 30 & OFFSET) as u16),
            output: result,
        };
        canonical(0, first, descriptor.encode(0)[0])?;
        for (j, &word) in words[1..].iter().enumerate() {
            descriptor.alus[j] = Alu::decode(j + 1, word)?;
        }
        Ok(descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Descriptor {
        let mut descriptor = Descriptor {
            source: Source::Stream(Format::Int32),
            b: Some((Format::Fp32, 1)),
            function: Function::Rsqrt,
            write: Some(0x155),
            output: Some(Output {
                format: ResultFormat::Int16,
                stream: Stream::west(6),
            }),
            ..Descriptor::default()
        };
        descriptor.alus[0] = Alu {
            operation: AluOperation::Fma,
            y: Operand::Constant,
            z: Operand::NegativeZero,
            negate: true,
            constant: 0x3f80_0000,
            ..Alu::default()
        };
        descriptor.alus[1] = Alu {
            operation: AluOperation::Select,
            y: Operand::B,
            z: Operand::Register,
            absolute: true,
            negate_z: true,
            offset: 0x201,
            fixed: true,
            ..Alu::default()
        };
        descriptor
    }

    /// Words written down from the tables of the contract.
    #[test]
    fn words_are_those_of_the_contract() {
        let first = 2 | 1 << 3 | 1 << 6 | 3 << 7 | 1 << 10 | 5 << 11 | (32 + 6) << 14 | 0x155 << 30;
        let alu0 = 1 | 5 << 7 | 1 << 11 | 0x3f80_0000 << 32;
        let alu1 = 7 | 1 << 4 | 2 << 7 | 1 << 10 | 1 << 12 | 0x201 << 13 | 1 << 23;
        assert_eq!(sample().encode(2), [first, alu0, alu1]);
        assert_eq!(Descriptor::decode(&[first, alu0, alu1]), Ok(sample()));
        assert_eq!(Descriptor::default().encode(4), [0; 5]);
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        for (words, text) in [
            ([7, 0], "word 0: format of A 7 is not assigned"),
            ([4 << 7, 0], "word 0: special function 4 is not assigned"),
            (
                [7 << 11, 0],
                "word 0: format of the result 7 is not assigned",
            ),
            ([0, 8], "word 1: operation 8 is not assigned"),
            ([0, 6 << 4], "word 1: operand Y 6 is not assigned"),
        ] {
            assert_eq!(Descriptor::decode(&words).unwrap_err().to_string(), text);
        }
        for words in [
            [1 << 40, 0],
            [1 << 6, 0],
            [1 << 14, 0],
            [1 | 1 << 20, 0],
            [0, 1 << 24],
        ] {
            let error = Descriptor::decode(&words).unwrap_err();
            assert!(
                matches!(error, DescriptorError::NotCanonical(..)),
                "{words:x?}"
            );
        }
    }
}
