//! Descriptors, each once.

use crate::CompileError;
use lpu_isa::descriptor::DESCRIPTORS;
use lpu_isa::{Descriptor, Program};

/// The descriptors of a program, in the order in which they were first asked for.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    descriptors: Vec<Descriptor>,
}

impl Pool {
    /// The number of a descriptor.
    pub fn index(&mut self, descriptor: Descriptor) -> Result<usize, CompileError> {
        if let Some(index) = self.descriptors.iter().position(|&d| d == descriptor) {
            return Ok(index);
        }
        if self.descriptors.len() == DESCRIPTORS {
            return Err(CompileError::Decoder(format!(
                "the layers need more than the {DESCRIPTORS} descriptors of a vector unit: fewer sequences, fewer positions or smaller heads need fewer"
            )));
        }
        self.descriptors.push(descriptor);
        Ok(self.descriptors.len() - 1)
    }

    /// Gives them to a program.
    pub fn describe(&self, program: &mut Program) {
        for (index, &descriptor) in self.descriptors.iter().enumerate() {
            program.describe(index, descriptor);
        }
    }
}
