//! A design as the passes see it: distinct structures, and which instance has which.

use lpu_hdl::info::{Primitive, Record};
use rust_hdl::core::ast::Verilog;
use rust_hdl::core::atom::AtomKind;

/// Index of a [`Structure`] in [`Design::structures`].
pub(crate) type StructureId = usize;

/// The type of a signal, as far as the Verilog depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SignalType {
    /// Plain bits.
    Bits,
    /// Two's complement.
    Signed,
    /// A clock.
    Clock,
    /// An enumeration: its variants as rust-hdl spells them, `State::Idle`.
    Enum(Vec<String>),
}

/// A port, local signal or constant of a block.
#[derive(Clone, Debug)]
pub(crate) struct Atom {
    /// rust-hdl's name: parts joined by `$`, as in `lane$0$in_data`.
    pub name: String,
    pub kind: AtomKind,
    pub width: usize,
    pub signal_type: SignalType,
    /// Variants of every enumeration inside the type, with their values.
    pub variants: Vec<(String, usize)>,
    /// Width of those enumerations, one for each of `variants`.
    pub variant_bits: Vec<usize>,
    /// The value of a constant, as rust-hdl prints it.
    pub constant: Option<String>,
}

/// An instance inside a structure.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub name: String,
    pub structure: StructureId,
}

/// What instances have in common that become one module.
#[derive(Clone, Debug)]
pub(crate) struct Structure {
    pub atoms: Vec<Atom>,
    pub children: Vec<Child>,
    pub body: Verilog,
    pub record: Option<Record>,
    /// Base name of the module: from the record, else from the field that holds the first instance.
    pub base: String,
    /// Instance path of the first instance, for messages.
    pub path: String,
}

impl Structure {
    /// The cell the parent writes out itself, if this is one.
    pub fn primitive(&self) -> Option<&Primitive> {
        self.record.as_ref()?.primitive.as_ref()
    }
}

/// A whole design.
#[derive(Debug, Default)]
pub(crate) struct Design {
    /// Distinct structures; children come before their parents.
    pub structures: Vec<Structure>,
    /// Every instance that is not written into its parent: path and structure, parents first.
    pub instances: Vec<(String, StructureId)>,
    /// Signals that nothing drives.
    pub open: Vec<crate::error::SignalPath>,
    /// Number of cells written into their parents.
    pub cells: usize,
}

impl Design {
    /// The structure of the top, which is the last to be finished.
    pub fn top(&self) -> StructureId {
        self.structures.len() - 1
    }
}
