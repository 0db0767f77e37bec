//! How wide expressions are, and whether they are signed, as rust-hdl's types have it.

use crate::expr::Printer;
use crate::ir::Expr;
use rust_hdl::core::ast::{VerilogOp, VerilogOpUnary};

/// How wide an expression is by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// Exactly so many bits.
    Fixed(usize),
    /// So many bits, and sign-extended where more are wanted: rust-hdl does not say how wide a `signed_bit_cast` is.
    Elastic(usize),
    /// A plain number, as wide as wanted.
    Free,
}

impl Width {
    pub(crate) fn with(self, other: Width) -> Width {
        match (self, other) {
            (Width::Fixed(n), _) | (_, Width::Fixed(n)) => Width::Fixed(n),
            (Width::Elastic(a), Width::Elastic(b)) => Width::Elastic(a.max(b)),
            (Width::Elastic(n), Width::Free) | (Width::Free, Width::Elastic(n)) => {
                Width::Elastic(n)
            }
            (Width::Free, Width::Free) => Width::Free,
        }
    }

    pub(crate) fn bits(self) -> Option<usize> {
        match self {
            Width::Fixed(n) | Width::Elastic(n) => Some(n),
            Width::Free => None,
        }
    }
}

impl Printer<'_> {
    /// The width of an expression.
    pub(crate) fn width(&self, e: &Expr) -> Width {
        match e {
            Expr::Signal(id) => Width::Fixed(self.signals[*id].width),
            Expr::Number(_, width) => width.map_or(Width::Free, Width::Fixed),
            Expr::Variant { width, .. } | Expr::Cast(_, width) | Expr::Slice { width, .. } => {
                Width::Fixed(*width)
            }
            Expr::Signed(e) => match self.width(e) {
                Width::Fixed(n) => Width::Elastic(n),
                other => other,
            },
            Expr::Unsigned(e) => self.width(e),
            Expr::Replace { base, .. } => self.width(base),
            Expr::Unary(VerilogOpUnary::Not | VerilogOpUnary::Neg, e) => self.width(e),
            Expr::Unary(..) => Width::Fixed(1),
            Expr::Binary(l, op, r) => match op {
                VerilogOp::Add | VerilogOp::Sub => self.sum_width(l, r),
                VerilogOp::BitXor | VerilogOp::BitAnd | VerilogOp::BitOr => {
                    self.width(l).with(self.width(r))
                }
                VerilogOp::Mul => match self.width(l).with(self.width(r)) {
                    Width::Fixed(n) => Width::Fixed(2 * n),
                    Width::Elastic(n) => Width::Fixed(2 * n),
                    Width::Free => Width::Free,
                },
                VerilogOp::Shl | VerilogOp::Shr => match self.width(l) {
                    Width::Free => self.width(r),
                    width => width,
                },
                _ => Width::Fixed(1),
            },
        }
    }

    /// `Bits<N> + bool` is N bits wide.
    pub(crate) fn sum_width(&self, l: &Expr, r: &Expr) -> Width {
        match (self.width(l), self.width(r)) {
            (Width::Elastic(n), Width::Fixed(1)) if n != 1 => Width::Elastic(n),
            (l, r) => l.with(r),
        }
    }

    /// Whether an expression is a signed number.
    pub(crate) fn signed(&self, e: &Expr) -> bool {
        match e {
            Expr::Signal(id) => self.signals[*id].signed,
            Expr::Signed(_) => true,
            Expr::Binary(l, VerilogOp::Add | VerilogOp::Sub | VerilogOp::Mul, r) => {
                self.signed(l) || self.signed(r)
            }
            Expr::Unary(VerilogOpUnary::Neg, e) => self.signed(e),
            _ => false,
        }
    }
}

/// Whether the value depends on the width it is computed at.
pub(crate) fn computes(e: &Expr) -> bool {
    match e {
        Expr::Binary(_, VerilogOp::Add | VerilogOp::Sub | VerilogOp::Mul | VerilogOp::Shl, _) => {
            true
        }
        Expr::Binary(l, VerilogOp::BitAnd | VerilogOp::BitOr | VerilogOp::BitXor, r) => {
            computes(l) || computes(r)
        }
        Expr::Unary(VerilogOpUnary::Neg | VerilogOpUnary::Not, _) => true,
        Expr::Signed(e) | Expr::Unsigned(e) => computes(e),
        _ => false,
    }
}
