//! The logic of one block with loops unrolled, names resolved and constants folded.

use num_bigint::BigInt;
use rust_hdl::core::ast::{VerilogOp, VerilogOpUnary};

/// Index of a signal in [`Body::signals`].
pub(crate) type SignalId = usize;

/// What a signal is to the block whose logic names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Input port.
    Input,
    /// Output port.
    Output,
    /// Local signal.
    Local,
    /// Constant.
    Constant,
    /// Input port of a child, by its index.
    ChildInput(usize),
    /// Output port of a child, by its index.
    ChildOutput(usize),
}

/// A signal that the logic of a block can name.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    /// rust-hdl's name, joined by `$`.
    pub path: String,
    pub role: Role,
    pub width: usize,
    pub signed: bool,
    pub clock: bool,
    /// The value, if this is a constant.
    pub constant: Option<BigInt>,
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Signal(SignalId),
    /// A number; without a width it takes that of its surroundings.
    Number(BigInt, Option<usize>),
    /// A state of an enumeration.
    Variant {
        name: String,
        value: usize,
        width: usize,
    },
    Cast(Box<Expr>, usize),
    Signed(Box<Expr>),
    Unsigned(Box<Expr>),
    Binary(Box<Expr>, VerilogOp, Box<Expr>),
    Unary(VerilogOpUnary, Box<Expr>),
    /// Bits from an offset on.
    Slice {
        base: Box<Expr>,
        width: usize,
        offset: Box<Expr>,
    },
    /// The base with one bit replaced.
    Replace {
        base: Box<Expr>,
        index: Box<Expr>,
        bit: Box<Expr>,
    },
}

impl Expr {
    /// The number, if this is one.
    pub fn number(&self) -> Option<&BigInt> {
        match self {
            Expr::Number(value, _) => Some(value),
            _ => None,
        }
    }

    /// The number as an index, if it is one.
    pub fn index(&self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// Calls `see` for each signal read.
    pub fn reads(&self, see: &mut impl FnMut(SignalId)) {
        match self {
            Expr::Signal(id) => see(*id),
            Expr::Number(..) | Expr::Variant { .. } => {}
            Expr::Cast(e, _) | Expr::Signed(e) | Expr::Unsigned(e) | Expr::Unary(_, e) => {
                e.reads(see)
            }
            Expr::Binary(l, _, r) => {
                l.reads(see);
                r.reads(see);
            }
            Expr::Slice { base, offset, .. } => {
                base.reads(see);
                offset.reads(see);
            }
            Expr::Replace { base, index, bit } => {
                base.reads(see);
                index.reads(see);
                bit.reads(see);
            }
        }
    }
}

/// What a case of a `match` stands for.
#[derive(Clone, Debug)]
pub(crate) enum Label {
    Value(Expr),
    Default,
}

/// A statement.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Assign {
        target: SignalId,
        /// Offset and width of the bits assigned; all of them if `None`.
        part: Option<(Expr, usize)>,
        value: Expr,
    },
    If {
        test: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    Case {
        test: Expr,
        arms: Vec<(Label, Vec<Stmt>)>,
    },
}

impl Stmt {
    /// Calls `see` for each signal assigned, in order.
    pub fn writes(&self, see: &mut impl FnMut(SignalId)) {
        match self {
            Stmt::Assign { target, .. } => see(*target),
            Stmt::If {
                then, otherwise, ..
            } => then.iter().chain(otherwise).for_each(|s| s.writes(see)),
            Stmt::Case { arms, .. } => arms
                .iter()
                .flat_map(|(_, block)| block)
                .for_each(|s| s.writes(see)),
        }
    }

    /// Calls `see` for each signal read, in order.
    pub fn reads(&self, see: &mut impl FnMut(SignalId)) {
        match self {
            Stmt::Assign { part, value, .. } => {
                if let Some((offset, _)) = part {
                    offset.reads(see);
                }
                value.reads(see);
            }
            Stmt::If {
                test,
                then,
                otherwise,
            } => {
                test.reads(see);
                then.iter().chain(otherwise).for_each(|s| s.reads(see));
            }
            Stmt::Case { test, arms } => {
                test.reads(see);
                arms.iter()
                    .flat_map(|(_, block)| block)
                    .for_each(|s| s.reads(see));
            }
        }
    }
}

/// The logic of a block and the signals it can name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub signals: Vec<Signal>,
    pub statements: Vec<Stmt>,
}
