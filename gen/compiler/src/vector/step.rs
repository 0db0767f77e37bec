//! One pass of the vector unit and its ends.

use super::tensor::Tensor;
use lpu_isa::{Descriptor, Reduction};

/// Where A of a pass comes from.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// A register: the source of the descriptor.
    Register,
    /// A vector of a tensor.
    Tensor(Tensor, usize),
    /// A result of the switch unit.
    Switch,
}

/// Where the result of a pass goes, besides the register that its descriptor names.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Nowhere.
    None,
    /// A vector of a tensor.
    Tensor(Tensor, usize),
    /// A reduction over the lanes.
    Switch(Reduction),
}

/// One pass. Formats and streams of its operands and its result follow from `a`, `b` and `out`.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub pass: Descriptor,
    pub row: usize,
    pub a: Input,
    /// Tensor, vector, and the ALU that takes it.
    pub b: Option<(Tensor, usize, u8)>,
    pub out: Target,
}

impl Step {
    /// A pass that takes the register in row `row`.
    pub fn register(pass: Descriptor, row: usize) -> Self {
        Self {
            pass,
            row,
            a: Input::Register,
            b: None,
            out: Target::None,
        }
    }

    /// A pass that takes a vector of a tensor.
    pub fn read(pass: Descriptor, row: usize, tensor: Tensor, vector: usize) -> Self {
        Self {
            a: Input::Tensor(tensor, vector),
            ..Self::register(pass, row)
        }
    }

    pub fn with(self, tensor: Tensor, vector: usize, alu: u8) -> Self {
        Self {
            b: Some((tensor, vector, alu)),
            ..self
        }
    }

    pub fn to(self, tensor: Tensor, vector: usize) -> Self {
        Self {
            out: Target::Tensor(tensor, vector),
            ..self
        }
    }
}
