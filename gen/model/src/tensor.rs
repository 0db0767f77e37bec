//! Tensors as they lie in their files, and matrices in them.

use crate::error::ModelError;
use crate::files::Bytes;
use half::f16;
use multiversion::multiversion;
use serde::Serialize;
use std::path::Path;

/// The format of the elements, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of a binary32.
    Bf16,
}

impl Dtype {
    /// Bytes of an element.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// A row-major tensor in a file.
#[derive(Clone, Debug)]
pub struct Tensor {
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Bytes,
    start: usize,
}

impl Tensor {
    /// The tensor at byte `start` of a file; none if it does not lie in the file as a whole.
    pub fn new(bytes: &Bytes, start: usize, dtype: Dtype, shape: &[usize]) -> Option<Self> {
        let elements = shape
            .iter()
            .try_fold(1usize, |n, &size| n.checked_mul(size))?;
        let end = elements.checked_mul(dtype.bytes())?.checked_add(start)?;
        (end <= bytes.len()).then(|| Self {
            shape: shape.to_vec(),
            dtype,
            bytes: bytes.clone(),
            start,
        })
    }

    /// Size of each dimension, the outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Format of the elements.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Converts the elements from `first` on, exactly.
    ///
    /// # Panics
    /// If there are not that many.
    pub fn read(&self, first: usize, into: &mut [f32]) {
        let size = self.dtype.bytes();
        assert!(
            first + into.len() <= self.elements(),
            "elements of the tensor"
        );
        let at = self.start + first * size;
        let bytes = &self.bytes[at..at + into.len() * size];
        match self.dtype {
            Dtype::F32 => {
                for (value, bytes) in into.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f32::from_le_bytes(*bytes);
                }
            }
            Dtype::F16 => {
                for (value, bytes) in into.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f16::from_le_bytes(*bytes).to_f32();
                }
            }
            Dtype::Bf16 => from_bf16(bytes, into),
        }
    }

    /// All elements.
    pub fn to_vec(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.elements()];
        self.read(0, &mut values);
        values
    }

    /// Refuses infinities and NaNs, which no later check would explain.
    pub(crate) fn check_finite(&self, path: &Path, name: &str) -> Result<(), ModelError> {
        let mut buffer = [0.0; 1024];
        let total = self.elements();
        for first in (0..total).step_by(buffer.len()) {
            let part = &mut buffer[..(total - first).min(1024)];
            self.read(first, part);
            if let Some(at) = part.iter().position(|value| !value.is_finite()) {
                let value = format!("has {} as element {}", part[at], first + at);
                let rule = "weights are finite numbers";
                return Err(ModelError::tensor(
                    path,
                    name,
                    value,
                    rule,
                    "the file is damaged, or training failed",
                ));
            }
        }
        Ok(())
    }
}

/// Each is the upper half of an f32.
#[multiversion(targets("x86_64+avx2"))]
fn from_bf16(bytes: &[u8], values: &mut [f32]) {
    for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
        *value = f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
    }
}

/// A weight matrix: y\[output\] = Σ over inputs of weight\[output\]\[input\] · x\[input\]. It may be a part of a tensor, or lie in it transposed.
#[derive(Clone, Debug)]
pub struct Matrix {
    tensor: Tensor,
    outputs: usize,
    inputs: usize,
    first: usize,
    output_stride: usize,
    input_stride: usize,
}

/// Outputs of a transposed matrix that are computed together.
const BLOCK: usize = 64;

impl Matrix {
    /// A tensor (outputs, inputs), as Hugging Face has it in linear layers.
    pub(crate) fn rows(tensor: Tensor) -> Self {
        let &[outputs, inputs] = tensor.shape() else {
            unreachable!("the shape is checked");
        };
        Self {
            tensor,
            outputs,
            inputs,
            first: 0,
            output_stride: inputs,
            input_stride: 1,
        }
    }

    /// Columns `first` to `first + outputs` of a tensor (inputs, outputs), as GPT-2 has it.
    pub(crate) fn columns(tensor: Tensor, first: usize, outputs: usize) -> Self {
        let &[inputs, all] = tensor.shape() else {
            unreachable!("the shape is checked");
        };
        Self {
            tensor,
            outputs,
            inputs,
            first,
            output_stride: 1,
            input_stride: all,
        }
    }

    /// Length of y.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Length of x.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Format of the elements in the file.
    pub fn dtype(&self) -> Dtype {
        self.tensor.dtype()
    }

    /// The weights of one output, as many as there are inputs.
    pub fn row(&self, output: usize, into: &mut [f32]) {
        let first = self.first + output * self.output_stride;
        if self.input_stride == 1 {
            self.tensor.read(first, into);
        } else {
            for (input, value) in into.iter_mut().enumerate() {
                let at = first + input * self.input_stride;
                self.tensor.read(at, std::slice::from_mut(value));
            }
        }
    }

    /// y = weight · x in f32, each sum in the order of [`dot`](crate::reference::math::dot), whichever way the matrix lies.
    pub fn multiply(&self, x: &[f32], y: &mut [f32]) {
        use crate::reference::math::{LANES, dot, tree};
        if self.input_stride == 1 {
            let mut row = vec![0.0; self.inputs];
            for (output, y) in y.iter_mut().enumerate() {
                self.row(output, &mut row);
                *y = dot(&row, x);
            }
            return;
        }
        for (block, y) in y.chunks_mut(BLOCK).enumerate() {
            let mut sums = [[0.0; LANES]; BLOCK];
            let mut weights = [0.0; BLOCK];
            let weights = &mut weights[..y.len()];
            for (input, &x) in x.iter().enumerate() {
                let at = self.first + block * BLOCK + input * self.input_stride;
                self.tensor.read(at, weights);
                for (sums, &weight) in sums.iter_mut().zip(&*weights) {
                    sums[input % LANES] += weight * x;
                }
            }
            for (y, sums) in y.iter_mut().zip(sums) {
                *y = tree(sums);
            }
        }
    }
}
