//! What a kernel computes, and what cannot be.

use super::Element;
use crate::CompileError;
use crate::alu::PLANES;
use lpu_isa::Config;

/// What to compute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// How rows lie; `None`: over lanes where the kernel and the machine can, else per lane.
    pub spread: Option<Spread>,
    /// The operation.
    pub kernel: Kernel,
}

/// How rows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// A row fills ceil(columns / L) vectors.
    OverLanes,
    /// A lane holds a row.
    PerLane,
}

/// An operation on rows. Operands and results are listed in the order of [`super::Compiled::pack`] and [`super::Compiled::unpack`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// softmax(scale * x). Operand: x. Result: FP32.
    Softmax {
        /// Positive.
        scale: f32,
    },
    /// x / sqrt(mean(x^2) + epsilon) * gamma. Operands: x, gamma (columns).
    RmsNorm {
        /// Not negative.
        epsilon: f32,
    },
    /// (x - mean) / sqrt(variance + epsilon) * gamma + beta. Operands: x, gamma, beta (columns).
    LayerNorm {
        /// Not negative.
        epsilon: f32,
    },
    /// x * sigmoid(x). Operands: x, and b if it is gated.
    Silu {
        /// Times b.
        gated: bool,
    },
    /// GELU, tanh form. Operand: x.
    Gelu,
    /// Rotation of the pairs (i, i + d / 2) of each head. Operands: x, cos, sin (rows, columns / heads / 2).
    Rope {
        /// Heads in a row.
        heads: usize,
    },
    /// Narrow codes with a scale for each row. Operand: x. Results: codes, scales (rows; E2M1: rows, ceil(columns / 16), E4M3).
    Quantise {
        /// Int8, E4m3 or E2m1.
        format: Element,
    },
    /// codes * row scale * column scale. Operands: codes, scales of rows, scales of columns.
    Dequantise {
        /// Int32, Int8 or E4m3.
        format: Element,
    },
}

impl Shape {
    pub(super) fn validate(&self) -> Result<(), CompileError> {
        let refuse = |rule: String| Err(CompileError::Kernel(rule));
        if self.rows == 0 || self.columns == 0 {
            return refuse(format!(
                "a matrix of {} x {} has no elements: rows and columns must be at least 1",
                self.rows, self.columns
            ));
        }
        match self.kernel {
            Kernel::Softmax { scale } if !(scale.is_finite() && scale > 0.0) => refuse(format!(
                "the scale of a softmax is {scale}, and must be a positive number"
            )),
            Kernel::RmsNorm { epsilon } | Kernel::LayerNorm { epsilon }
                if !(epsilon.is_finite() && epsilon >= 0.0) =>
            {
                refuse(format!(
                    "epsilon is {epsilon}, and must be a number of at least 0"
                ))
            }
            Kernel::Rope { heads } if heads == 0 || !self.columns.is_multiple_of(2 * heads) => {
                refuse(format!(
                    "{} columns are not {heads} heads of an even number of elements: heads must be at least 1, and twice that divide the columns",
                    self.columns
                ))
            }
            Kernel::Quantise { format }
                if !matches!(format, Element::Int8 | Element::E4m3 | Element::E2m1) =>
            {
                refuse(format!(
                    "quantisation gives Int8, E4m3 or E2m1, not {format:?}"
                ))
            }
            Kernel::Dequantise { format }
                if !matches!(format, Element::Int32 | Element::Int8 | Element::E4m3) =>
            {
                refuse(format!(
                    "dequantisation takes Int32, Int8 or E4m3, not {format:?}"
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether rows that lie over lanes are reduced.
    const fn reduces(&self) -> bool {
        matches!(
            self.kernel,
            Kernel::Softmax { .. }
                | Kernel::RmsNorm { .. }
                | Kernel::LayerNorm { .. }
                | Kernel::Quantise { .. }
        )
    }

    pub(super) fn spread(&self, config: &Config) -> Result<Spread, CompileError> {
        let blocks = matches!(
            self.kernel,
            Kernel::Quantise {
                format: Element::E2m1
            }
        );
        let able = config.sxm.is_some() && config.streams >= 2 * PLANES && !blocks;
        match self.spread {
            None if self.reduces() && !able => Ok(Spread::PerLane),
            None => Ok(Spread::OverLanes),
            Some(Spread::OverLanes) if blocks => Err(CompileError::Kernel(
                "the scales of E2M1 are maxima of 16 neighbours, and the switch unit reduces all lanes: rows must lie per lane".to_owned(),
            )),
            Some(Spread::OverLanes) if self.reduces() && !able => Err(CompileError::Kernel(format!(
                "rows over lanes are reduced by the switch unit, with {} streams of its own: add [sxm] and raise streams to {}, or let rows lie per lane",
                PLANES,
                2 * PLANES
            ))),
            Some(spread) => Ok(spread),
        }
    }
}
