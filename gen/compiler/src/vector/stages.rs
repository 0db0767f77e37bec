//! Element-wise operations of several passes: a chunk of vectors goes through stage after stage, in registers between them.

use super::builder::Builder;
use super::step::Step;
use crate::CompileError;
use std::ops::Range;

/// The most vectors of a chunk.
const CHUNK: usize = 256;

/// Makes `count` vectors in stages of one pass each, with `registers` registers for each vector of a chunk. Stage s takes what stage `after[s]` left in registers.
/// `make` is given the stage, the first register of the chunk, the chunk's size (register k of its vector i is in row `first + k * size + i`), the position in the
/// chunk and the vector. Returns the last pass.
pub fn run(
    builder: &mut Builder,
    count: usize,
    registers: usize,
    after: &[Option<usize>],
    from: i64,
    make: impl Fn(&Builder, usize, Chunk, usize) -> Step,
) -> Result<i64, CompileError> {
    let available = builder.available() / registers;
    if available == 0 {
        return Err(CompileError::Kernel(format!(
            "the operation needs {registers} registers at least and {} of vxm.registers are left: raise it",
            builder.available()
        )));
    }
    let size = available.min(CHUNK).min(count);
    let first = builder.take(size * registers);
    let mut next = from;
    for begin in (0..count).step_by(size) {
        let chunk = Chunk {
            first,
            size,
            begin,
            end: count.min(begin + size),
        };
        let mut lasts = Vec::new();
        for (stage, dependency) in after.iter().enumerate() {
            // The first vector of the stage before, if all followed each other without a gap up to the last.
            let made = dependency.map_or(from, |one: usize| {
                let last: i64 = lasts[one];
                last - chunk.vectors().len() as i64 + 1 + builder.chain()
            });
            let steps: Vec<Step> = chunk
                .vectors()
                .map(|vector| make(builder, stage, chunk, vector))
                .collect();
            let issued = builder.run(steps, next.max(made))?;
            lasts.push(issued.last);
            next = issued.last + 1;
        }
    }
    Ok(next - 1)
}

/// Vectors under way, and their registers.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    first: usize,
    size: usize,
    begin: usize,
    end: usize,
}

impl Chunk {
    pub const fn vectors(self) -> Range<usize> {
        self.begin..self.end
    }

    /// The first register of a vector.
    pub const fn row(self, vector: usize) -> usize {
        self.first + vector - self.begin
    }

    /// Offset from the first register of a vector to another.
    pub const fn offset(self, register: usize) -> u16 {
        (register * self.size) as u16
    }
}
