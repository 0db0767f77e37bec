//! Statements of rust-hdl's syntax tree, for blocks whose wiring `#[hdl_gen]` cannot say.
//!
//! `#[hdl_gen]` knows no index that depends on a field of the block and no arrays in arrays. A block that only joins
//! others writes its `hdl` with these instead; its `update` and `connect` are plain loops over the same pairs.

use rust_hdl::core::ast::{Verilog, VerilogExpression, VerilogStatement};

/// A signal by rust-hdl's name: `column$3$in_x$0`.
pub(crate) fn signal(name: impl Into<String>) -> VerilogExpression {
    VerilogExpression::Signal(name.into())
}

/// `width` bits of a signal from bit `offset` on.
pub(crate) fn slice(name: impl Into<String>, width: usize, offset: usize) -> VerilogExpression {
    VerilogExpression::Slice(
        Box::new(signal(name)),
        width,
        Box::new(VerilogExpression::Literal(offset.into())),
    )
}

/// `target.next = value`.
pub(crate) fn assign(target: impl Into<String>, value: VerilogExpression) -> VerilogStatement {
    VerilogStatement::Assignment(signal(target), value)
}

/// `target.next = false`.
pub(crate) fn assign_low(target: impl Into<String>) -> VerilogStatement {
    assign(target, VerilogExpression::Literal(false.into()))
}

/// The part of a block's logic that `#[hdl_gen]` can say, when the block adds statements of its own.
///
/// `#[hdl_gen]` on `wire` makes the other two. Do not import the trait: its names are those of rust-hdl's `Logic`.
pub(crate) trait Wiring {
    /// Values.
    fn wire(&mut self);
    /// Connections.
    fn connect(&mut self);
    /// Text.
    fn hdl(&self) -> Verilog;
}
