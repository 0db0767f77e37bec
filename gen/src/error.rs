//! What can be wrong with a design, said so that its author can mend it.

use std::fmt;

/// A signal, by the path of its block and its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignalPath {
    /// Instance path of the block, from the top, with dots.
    pub block: String,
    /// Name of the signal in the block.
    pub signal: String,
}

impl fmt::Display for SignalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.block, self.signal)
    }
}

/// Why a design was not emitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// Signals that nothing drives.
    #[error(
        "nothing drives {}\n  assign each one in every `update`, drive a child's inputs from its parent, and call \
         `connect_all()` on the top before emitting",
        list(.0)
    )]
    Unconnected(Vec<SignalPath>),
    /// Inputs of a block, or outputs of its children, that the block assigns.
    #[error("{} may not be assigned here\n  a block drives its own outputs and locals and the inputs of its children", list(.0))]
    NotDrivable(Vec<SignalPath>),
    /// Signals that are read before they are assigned.
    #[error(
        "{} is read before it is assigned, which makes a combinational loop\n  assign it further up in `update`, or put \
         a flip-flop in between",
        list(.0)
    )]
    Loop(Vec<SignalPath>),
    /// Signals that keep their value on some way through the logic.
    #[error(
        "{} is not assigned in full on every way through `update`, which makes a latch\n  give it a default at the top of `update`",
        list(.0)
    )]
    Latch(Vec<SignalPath>),
    /// A name in the logic that is no signal of the block.
    #[error(
        "{block}: `{name}` is no signal of this block\n  `update` may name ports, locals, constants and children's ports; \
         a number that is known when the block is made belongs in a `Constant`, a loop bound in a field whose name starts with `_`"
    )]
    UnknownName {
        /// Instance path of the block.
        block: String,
        /// The name.
        name: String,
    },
    /// Logic whose widths do not fit.
    #[error("{block}: {what}")]
    Width {
        /// Instance path of the block.
        block: String,
        /// Which widths, where, and what to do.
        what: String,
    },
    /// Something rust-hdl accepts and this emitter does not.
    #[error("{block}: {what}")]
    Unsupported {
        /// Instance path of the block.
        block: String,
        /// What is not supported, and what to do instead.
        what: String,
    },
    /// Two files that may not be mixed, or a directory that is not ours.
    #[error("{path} was not written by lpu\n  remove it or choose another directory")]
    Foreign {
        /// The file in the way.
        path: String,
    },
    /// The file system refused.
    #[error("cannot write {path}: {source}")]
    Io {
        /// The file or directory.
        path: String,
        /// The reason the system gave.
        source: std::io::Error,
    },
}

/// How many signals a message names before it counts the rest.
const NAMED: usize = 8;

fn list(signals: &[SignalPath]) -> String {
    let mut text = signals
        .iter()
        .take(NAMED)
        .map(|s| format!("`{s}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if signals.len() > NAMED {
        text += &format!(" and {} more", signals.len() - NAMED);
    }
    text
}
