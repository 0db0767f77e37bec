//! Why an operation cannot be compiled.

use crate::check::Violations;
use crate::matmul::Format;
use lpu_isa::Queue;
use lpu_isa::config::RuleError;

/// Why an operation cannot be compiled, with the numbers and what to change.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CompileError {
    /// The configuration breaks a rule.
    #[error("the configuration cannot be built: {0}")]
    Config(#[from] RuleError),
    /// A dimension is zero.
    #[error(
        "a product of {m} x {k} by {k} x {n} has no elements: each dimension must be at least 1"
    )]
    Empty {
        /// Rows of the left matrix.
        m: usize,
        /// Columns of the left matrix.
        k: usize,
        /// Columns of the right matrix.
        n: usize,
    },
    /// The result has four byte planes, which are written in the same cycle.
    #[error(
        "a product needs {needed} MEM slices, one write port for each byte of a result, and the machine has \
         {available}: raise mem.slices to {needed}"
    )]
    Slices {
        /// Slices needed.
        needed: usize,
        /// Slices of the machine.
        available: usize,
    },
    /// The operands and the result are larger than the SRAM.
    #[error(
        "the matrices take {needed} vectors of SRAM (left {left}, right {right}, result {result}) and the machine \
         has {available}: raise mem.depth or mem.slices, or split the product"
    )]
    Sram {
        /// Vectors needed in all.
        needed: u128,
        /// Vectors of the left matrix.
        left: u128,
        /// Vectors of the right matrix.
        right: u128,
        /// Vectors of the result.
        result: u128,
        /// Vectors of the machine.
        available: u128,
    },
    /// The matrices fit in all, but no placement suits ports and slices.
    #[error(
        "the matrices take {needed} of {available} vectors of SRAM, but no placement tried keeps the ports of each \
         slice free (the four byte planes of a result need room in four slices at once, streamed activations a slice without \
         weights): raise mem.depth or mem.slices, or split the product"
    )]
    Placement {
        /// Vectors needed in all.
        needed: u128,
        /// Vectors of the machine.
        available: u128,
    },
    /// The machine does not have the format.
    #[error(
        "the MXM of this configuration does not multiply {0}: add it to mxm.formats, or take a preset with it, such as \
         `--config proto+{0}`", .format.name()
    )]
    Format {
        /// The format asked for.
        format: Format,
    },
    /// The machine has no vector unit.
    #[error(
        "the operation needs a vector unit and the machine has none: add [vxm] to the configuration"
    )]
    NoVectorUnit,
    /// Word vectors have four byte planes, which are read and written in the same cycle.
    #[error(
        "word vectors need {needed} MEM slices, one port for each byte plane, and the machine has {available}: raise mem.slices to {needed}"
    )]
    WordSlices {
        /// Slices needed.
        needed: usize,
        /// Slices of the machine.
        available: usize,
    },
    /// A kernel of the vector unit that cannot be, or not on this machine.
    #[error("{0}")]
    Kernel(String),
    /// An attention that cannot be, or not on this machine.
    #[error("{0}")]
    Attention(String),
    /// Decoder layers that cannot be, or not on this machine.
    #[error("{0}")]
    Decoder(String),
    /// A collective that cannot be, or not on this rack.
    #[error("{0}")]
    Collective(String),
    /// A slice is too small for what has to be in it.
    #[error(
        "MEM slice {slice} has to hold {needed} vectors and mem.depth is {available}: raise it to {} (65536 is the most), or split the operation",
        needed.next_power_of_two()
    )]
    Depth {
        /// The slice.
        slice: usize,
        /// Vectors needed.
        needed: usize,
        /// Vectors it holds.
        available: usize,
    },
    /// A queue's program memory is too small.
    #[error(
        "queue {queue} needs {needed} instructions and icu.queue_depth is {available}: raise it to {}, or split the product",
        needed.next_power_of_two()
    )]
    ProgramMemory {
        /// The queue that needs most.
        queue: Queue,
        /// Instructions needed.
        needed: usize,
        /// Instructions it holds.
        available: usize,
    },
    /// A schedule needs counts or intervals beyond the instruction fields.
    #[error("queue {queue} needs a repeat beyond the instruction fields: split the product")]
    Fields {
        /// The queue.
        queue: Queue,
    },
    /// A matrix given to `pack` has the wrong number of elements.
    #[error("the {matrix} matrix has {found} elements, a {rows} x {columns} matrix has {expected}")]
    Elements {
        /// Which matrix.
        matrix: &'static str,
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
        /// Elements expected.
        expected: usize,
        /// Elements found.
        found: usize,
    },
    /// The compiler's own schedule breaks a rule: an error in the compiler.
    #[error(
        "the compiled schedule breaks a rule of the machine, which is an error in the compiler: {0}"
    )]
    Schedule(Violations),
}
