//! Formats of a product and what they change in its layout.

use crate::CompileError;
use lpu_isa::Config;
use lpu_isa::config::MxmFormat;

/// Elements of an NVFP4 block, which share a scale.
pub const BLOCK: usize = 16;

/// Format of the operands of a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// int8 operands, int32 results.
    #[default]
    Int8,
    /// E4M3 operands, FP32 results.
    E4m3,
    /// E2M1 operands in blocks of 16 along k with an E4M3 scale, FP32 results.
    Nvfp4,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Int8, Self::E4m3, Self::Nvfp4];

    /// The name, as in options and reports.
    pub const fn name(self) -> &'static str {
        match self.mxm() {
            None => "int8",
            Some(format) => format.name(),
        }
    }

    /// The format of the MXM; none for int8, which every machine has.
    pub const fn mxm(self) -> Option<MxmFormat> {
        match self {
            Self::Int8 => None,
            Self::E4m3 => Some(MxmFormat::E4m3),
            Self::Nvfp4 => Some(MxmFormat::Nvfp4),
        }
    }

    /// Whether the machine has it.
    pub fn require(self, config: &Config) -> Result<(), CompileError> {
        match self.mxm() {
            Some(format) if !config.mxm.has(format) => Err(CompileError::Format { format: self }),
            _ => Ok(()),
        }
    }

    /// Elements in a byte.
    pub const fn packed(self) -> usize {
        match self {
            Self::Nvfp4 => 2,
            _ => 1,
        }
    }

    /// Whether blocks have scales.
    pub const fn scaled(self) -> bool {
        matches!(self, Self::Nvfp4)
    }

    /// Elements along k of a tile.
    pub const fn tile(self, lanes: usize) -> usize {
        lanes * self.packed()
    }

    /// LWs of a tile: its rows over `streams` streams, then its rows of scales over as many of them as there are such rows.
    pub const fn burst(self, lanes: usize, streams: usize) -> usize {
        let scales = match self.scaled() {
            true => (lanes / 8).div_ceil(streams),
            false => 0,
        };
        lanes / streams + scales
    }

    /// Bytes of a k x n right operand, scales included.
    pub const fn bytes(self, k: u64, n: u64) -> u64 {
        match self {
            Self::Nvfp4 => k.div_ceil(2) * n + k.div_ceil(BLOCK as u64) * n,
            _ => k * n,
        }
    }
}

/// A matrix as it is multiplied, row-major: a byte for each element, and scales where the format has them.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// Elements: int8, E4M3, or E2M1 in the low four bits.
    pub elements: &'a [u8],
    /// NVFP4: E4M3 scales, m x ceil(k / 16) of the left matrix, ceil(k / 16) x n of the right one. Else empty.
    pub scales: &'a [u8],
}

impl<'a> Operand<'a> {
    /// A matrix without scales.
    pub const fn plain(elements: &'a [u8]) -> Self {
        Self {
            elements,
            scales: &[],
        }
    }
}
