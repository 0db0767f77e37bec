//! Prints expressions with every operand at exactly its width, so that Verilog's own widening never takes part.
//!
//! The meaning is that of rust-hdl's simulator: `Bits<N>` arithmetic wraps at N bits, comparisons of `Signed` are signed.
//! rust-hdl's own generator differs where it leaves widths to Verilog, as in a sum under `bit_cast`, or precedence.

use crate::error::EmitError;
use crate::ir::{Expr, Signal};
use crate::width::{Width, computes};
use num_bigint::BigInt;
use rust_hdl::core::ast::{VerilogOp, VerilogOpUnary};
use std::collections::BTreeMap;

/// Printed text, and whether it needs parentheses as an operand.
pub(crate) struct Text {
    pub text: String,
    compound: bool,
}

impl Text {
    pub(crate) fn simple(text: String) -> Self {
        Text {
            text,
            compound: false,
        }
    }

    pub(crate) fn compound(text: String) -> Self {
        Text {
            text,
            compound: true,
        }
    }

    pub(crate) fn operand(&self) -> String {
        if self.compound {
            format!("({})", self.text)
        } else {
            self.text.clone()
        }
    }
}

/// A state of an enumeration as the module names it.
pub(crate) struct Variant {
    pub constant: String,
    pub value: usize,
    pub width: usize,
}

/// Prints the expressions of one module.
pub(crate) struct Printer<'a> {
    pub signals: &'a [Signal],
    pub names: &'a [String],
    pub variants: &'a BTreeMap<String, Variant>,
    pub path: &'a str,
}

pub(crate) type Printed = Result<Text, EmitError>;

impl Printer<'_> {
    /// Prints `e` as the value of something `want` bits wide, which `what` names.
    pub fn value(&self, e: &Expr, want: usize, what: &str) -> Result<String, EmitError> {
        match self.width(e) {
            Width::Fixed(n) if n != want => Err(self.width_error(format!(
                "{what} is {want} bits wide and is given {n} bits; cast with `bit_cast`"
            ))),
            _ => self
                .print(e, want)
                .map(|text| text.text)
                .map_err(|error| match error {
                    EmitError::Width { block, what: why } => EmitError::Width {
                        block,
                        what: format!("{what}: {why}"),
                    },
                    other => other,
                }),
        }
    }

    /// Prints `e` at its own width, and tells that width.
    pub fn alone(&self, e: &Expr) -> Result<(Text, usize), EmitError> {
        let width = self.width(e);
        if matches!(width, Width::Elastic(_)) && computes(e) {
            return Err(self.ambiguous());
        }
        let Some(bits) = width.bits() else {
            return Err(self.width_error(
                "a number stands where its width cannot be told; use `bits::<N>(number)`".into(),
            ));
        };
        Ok((self.print(e, bits)?, bits))
    }

    /// Prints a condition.
    pub fn test(&self, e: &Expr) -> Result<String, EmitError> {
        self.value(e, 1, "a condition")
    }

    pub(crate) fn width_error(&self, what: String) -> EmitError {
        EmitError::Width {
            block: self.path.into(),
            what,
        }
    }

    fn ambiguous(&self) -> EmitError {
        self.width_error("the width of a signed cast inside a larger expression cannot be told; assign it to a local signal first".into())
    }

    pub(crate) fn hoist(&self, what: &str) -> EmitError {
        self.width_error(format!(
            "Verilog cannot take {what}; assign it to a local signal first"
        ))
    }

    /// Prints `e` at `want` bits: fewer than its own width drop the upper ones, more are only asked of elastic ones.
    pub(crate) fn print(&self, e: &Expr, want: usize) -> Printed {
        match e {
            Expr::Signal(id) => self.bits_of(*id, 0, want),
            Expr::Number(value, Some(width)) if *width > want => {
                self.number(&low_bits(value, want), want)
            }
            Expr::Number(value, _) => self.number(value, want),
            Expr::Variant { name, width, .. }
                if *width == want && self.variants.contains_key(name) =>
            {
                Ok(Text::simple(self.variants[name].constant.clone()))
            }
            Expr::Variant { value, .. } => self.number(&(*value).into(), want),
            Expr::Cast(e, bits) => self.cast(e, *bits, want),
            Expr::Signed(e) => self.extend_signed(e, want),
            Expr::Unsigned(e) => self.print(e, want),
            Expr::Unary(op, e) => self.unary(op, e, want),
            Expr::Binary(l, op, r) => self.binary(l, op, r, want),
            Expr::Slice {
                base,
                width,
                offset,
            } => self.slice(base, *width, offset, want),
            Expr::Replace { base, index, bit } => self.replace(base, index, bit, want),
        }
    }

    pub(crate) fn number(&self, value: &BigInt, bits: usize) -> Printed {
        let modulus: BigInt = BigInt::from(1) << bits;
        let least: BigInt = -(&modulus >> 1usize);
        if *value >= modulus || *value < least {
            let most: BigInt = modulus - 1;
            let what = format!(
                "the number {value} does not fit {bits} bits, which hold {least} to {most}"
            );
            return Err(self.width_error(what));
        }
        let value = low_bits(value, bits);
        let small = bits <= 4 || value < BigInt::from(10);
        Ok(Text::simple(if small {
            format!("{bits}'d{value}")
        } else {
            format!("{bits}'h{value:x}")
        }))
    }

    pub(crate) fn zero_extended(&self, text: Text, from: usize, to: usize) -> Text {
        if from == to {
            text
        } else {
            Text::simple(format!("{{{}'d0, {}}}", to - from, text.text))
        }
    }

    fn cast(&self, e: &Expr, bits: usize, want: usize) -> Printed {
        let width = self.width(e);
        let Some(own) = width.bits() else {
            return self.print(e, want);
        };
        let bits = bits.min(want);
        if own >= bits {
            return self.print(e, bits);
        }
        if matches!(width, Width::Elastic(_)) && computes(e) {
            return Err(self.ambiguous());
        }
        Ok(self.zero_extended(self.print(e, own)?, own, bits))
    }

    fn extend_signed(&self, e: &Expr, want: usize) -> Printed {
        let width = self.width(e);
        let own = width.bits().unwrap_or(want);
        if want <= own || matches!(width, Width::Elastic(_) | Width::Free) {
            return self.print(e, want);
        }
        let sign = match e {
            Expr::Signal(id) => self.bits_of(*id, own - 1, 1)?,
            Expr::Slice {
                base,
                width,
                offset,
            } => match (&**base, offset.index()) {
                (Expr::Signal(id), Some(at)) => self.bits_of(*id, at + width - 1, 1)?,
                _ => return Err(self.hoist("the sign of an expression")),
            },
            _ => return Err(self.hoist("the sign of an expression")),
        };
        let sign = sign.text;
        let value = self.print(e, own)?.text;
        Ok(Text::simple(format!(
            "{{{{{}{{{sign}}}}}, {value}}}",
            want - own
        )))
    }

    fn unary(&self, op: &VerilogOpUnary, e: &Expr, want: usize) -> Printed {
        let reduce = |symbol: &str| {
            let (text, bits) = self.alone(e)?;
            Ok(if bits == 1 {
                text
            } else {
                Text::compound(format!("{symbol}{}", text.operand()))
            })
        };
        match op {
            VerilogOpUnary::Not => Ok(Text::simple(format!("~{}", self.print(e, want)?.operand()))),
            VerilogOpUnary::Neg => Ok(Text::compound(format!(
                "-{}",
                self.print(e, want)?.operand()
            ))),
            VerilogOpUnary::All => reduce("&"),
            VerilogOpUnary::Any => reduce("|"),
            VerilogOpUnary::Xor => reduce("^"),
        }
    }

    fn binary(&self, l: &Expr, op: &VerilogOp, r: &Expr, want: usize) -> Printed {
        let symbol = symbol(op);
        match op {
            VerilogOp::Add
            | VerilogOp::Sub
            | VerilogOp::BitXor
            | VerilogOp::BitAnd
            | VerilogOp::BitOr => {
                let left = self.side(l, r, want)?;
                let right = self.side(r, l, want)?;
                Ok(Text::compound(format!(
                    "{} {symbol} {}",
                    left.operand(),
                    right.operand()
                )))
            }
            VerilogOp::Mul => {
                Err(self.hoist("a product inside an expression; use the `Multiplier` cell"))
            }
            VerilogOp::Shl | VerilogOp::Shr => self.shift(l, op, r, want),
            VerilogOp::LogicalAnd | VerilogOp::LogicalOr => {
                let left = self.print(l, 1)?.operand();
                let right = self.print(r, 1)?.operand();
                Ok(Text::compound(format!("{left} {symbol} {right}")))
            }
            VerilogOp::Eq
            | VerilogOp::Ne
            | VerilogOp::Lt
            | VerilogOp::Le
            | VerilogOp::Gt
            | VerilogOp::Ge => {
                let width = self.width(l).with(self.width(r));
                if matches!(width, Width::Elastic(_)) && (computes(l) || computes(r)) {
                    return Err(self.ambiguous());
                }
                let Some(bits) = width.bits() else {
                    return Err(self.hoist("a comparison of two numbers"));
                };
                let left = self.side(l, r, bits)?;
                let right = self.side(r, l, bits)?;
                let ordered = !matches!(op, VerilogOp::Eq | VerilogOp::Ne);
                Ok(Text::compound(
                    if ordered && (self.signed(l) || self.signed(r)) {
                        format!("$signed({}) {symbol} $signed({})", left.text, right.text)
                    } else {
                        format!("{} {symbol} {}", left.operand(), right.operand())
                    },
                ))
            }
        }
    }

    /// One side of an operation that is done at `want` bits. A lone bit may be added to a wider word.
    fn side(&self, e: &Expr, other: &Expr, want: usize) -> Printed {
        match (self.width(e), self.width(other)) {
            (Width::Free, Width::Fixed(n)) if n > want => match e.number() {
                Some(value) => self.print(&Expr::Number(value.clone(), Some(n)), want),
                None => self.print(e, want),
            },
            (Width::Fixed(1), Width::Fixed(n) | Width::Elastic(n)) if n > 1 => {
                Ok(self.zero_extended(self.print(e, 1)?, 1, want))
            }
            (Width::Fixed(a), Width::Fixed(b)) if a != b && b != 1 => Err(self.width_error(
                format!("an operation has {a} bits on one side and {b} on the other"),
            )),
            (Width::Fixed(n), _) if n < want => Err(self.width_error(format!(
                "{n} bits stand where {want} are wanted; cast with `bit_cast`"
            ))),
            _ => self.print(e, want),
        }
    }

    fn shift(&self, l: &Expr, op: &VerilogOp, r: &Expr, want: usize) -> Printed {
        let amount = match r.index() {
            Some(by) => by.to_string(),
            None => self.alone(r)?.0.operand(),
        };
        if matches!(op, VerilogOp::Shl) {
            return Ok(Text::compound(format!(
                "{} << {amount}",
                self.print(l, want)?.operand()
            )));
        }
        let own = self.width(l).bits().unwrap_or(want);
        if own == want {
            return Ok(Text::compound(format!(
                "{} >> {amount}",
                self.print(l, want)?.operand()
            )));
        }
        match (l, r.index()) {
            (Expr::Signal(id), Some(by)) if by < own => {
                let left = want.min(own - by);
                Ok(self.zero_extended(self.bits_of(*id, by, left)?, left, want))
            }
            _ => Err(self.hoist("some of the bits of a shift; use `get_bits`, or")),
        }
    }
}

/// The number modulo two to the power of `bits`, as two's complement has it.
pub(crate) fn low_bits(value: &BigInt, bits: usize) -> BigInt {
    let modulus: BigInt = BigInt::from(1) << bits;
    ((value % &modulus) + &modulus) % &modulus
}

pub(crate) fn symbol(op: &VerilogOp) -> &'static str {
    match op {
        VerilogOp::Add => "+",
        VerilogOp::Sub => "-",
        VerilogOp::Mul => "*",
        VerilogOp::LogicalAnd => "&&",
        VerilogOp::LogicalOr => "||",
        VerilogOp::BitXor => "^",
        VerilogOp::BitAnd => "&",
        VerilogOp::BitOr => "|",
        VerilogOp::Shl => "<<",
        VerilogOp::Shr => ">>",
        VerilogOp::Eq => "==",
        VerilogOp::Lt => "<",
        VerilogOp::Le => "<=",
        VerilogOp::Ne => "!=",
        VerilogOp::Ge => ">=",
        VerilogOp::Gt => ">",
    }
}
