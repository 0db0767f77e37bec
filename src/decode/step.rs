//! What a compiled decoder step has to offer.

use lpu_compiler::matmul::Vector;
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::Program;
use lpu_model::int8::Entry;

/// What the host writes before a launch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Rows of x, cos, sin, masks.
    pub vectors: Vec<Vector>,
    /// Base registers: MEM queue and value.
    pub bases: Vec<(usize, u16)>,
}

/// A row of x as FP32 patterns, and its position.
pub type Row<'a> = (&'a [u32], usize);

/// Programs that take a token of one sequence through all layers, and where its tensors lie: the machine's side of `docs/decoder.md`.
pub trait StepProgram {
    /// The program of every queue, of the first chip if there are several.
    fn program(&self) -> &Program;

    /// What a launch takes, whatever the position, on all chips together.
    fn prediction(&self) -> &Prediction;

    /// Weights and an empty cache, written once.
    fn image(&self) -> Result<Vec<Vector>, CompileError>;

    /// Launches that a token takes. In each of them a stage has a token of its own: what stage s has in one, stage s + 1 has in the next.
    fn stages(&self) -> usize {
        1
    }

    /// What changes with the token that a stage has in a launch; or it has none, and changes nothing that is read.
    fn inputs(&self, stage: usize, token: Option<Row<'_>>) -> Result<Inputs, CompileError>;

    /// The vectors (slice, address) that hold the logits after a launch in which the last stage has the token of a position.
    fn logit_places(&self, position: usize) -> Vec<(usize, usize)>;

    /// The logits, FP32 patterns, from the bytes of these vectors.
    fn logits(&self, bytes: &[u8]) -> Vec<u32>;

    /// The vectors (slice, address) that hold keys and values of the first positions.
    fn cache_places(&self, positions: usize) -> Vec<(usize, usize)>;

    /// Keys and values from the bytes of these vectors, by layer and position.
    fn cache(&self, bytes: &[u8], positions: usize) -> Vec<Vec<Entry>>;

    /// The vectors that put keys and values, by layer and position, into the cache.
    fn cache_image(&self, entries: &[Vec<Entry>]) -> Result<Vec<Vector>, CompileError>;

    /// Bytes of weights, keys and values that a step has to read, padding not counted.
    fn read_bytes(&self) -> u64;
}
