//! Prints expressions with every operand at exactly its width, so that Verilog's own widening never takes part.
//!
//! The meaning is that of rust-hdl's simulator: `Bits<N>` arithmetic wraps at N bits, comparisons of `Signed` are signed.
//! rust-hdl's own generator differs where it leaves widths to Verilog, as in a sum under `bit_cast`, or precedence.

use crate::error::EmitError;
use crate::ir::{Expr, Signal, SignalId};
use num_bigint::BigInt;
use rust_hdl::core::ast::{VerilogOp, VerilogOpUnary};
use std::collections::BTreeMap;

/// How wide an expression is by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    /// Exactly so many bits.
    Fixed(usize),
    /// So many bits, and sign-extended where more are wanted: rust-hdl does not say how wide a `signed_bit_cast` is.
    Elastic(usize),
    /// A plain number, as wide as wanted.
    Free,
}

impl Width {
    fn with(self, other: Width) -> Width {
        match (self, other) {
            (Width::Fixed(n), _) | (_, Width::Fixed(n)) => Width::Fixed(n),
            (Width::Elastic(a), Width::Elastic(b)) => Width::Elastic(a.max(b)),
            (Width::Elastic(n), Width::Free) | (Width::Free, Width::Elastic(n)) => {
                Width::Elastic(n)
            }
            (Width::Free, Width::Free) => Width::Free,
        }
    }

    fn bits(self) -> Option<usize> {
        match self {
            Width::Fixed(n) | Width::Elastic(n) => Some(n),
            Width::Free => None,
        }
    }
}

/// Printed text, and whether it needs parentheses as an operand.
pub(crate) struct Text {
    pub text: String,
    compound: bool,
}

impl Text {
    fn simple(text: String) -> Self {
        Text {
            text,
            compound: false,
        }
    }

    fn compound(text: String) -> Self {
        Text {
            text,
            compound: true,
        }
    }

    fn operand(&self) -> String {
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

type Printed = Result<Text, EmitError>;

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

    fn width_error(&self, what: String) -> EmitError {
        EmitError::Width {
            block: self.path.into(),
            what,
        }
    }

    fn ambiguous(&self) -> EmitError {
        self.width_error("the width of a signed cast inside a larger expression cannot be told; assign it to a local signal first".into())
    }

    fn hoist(&self, what: &str) -> EmitError {
        self.width_error(format!(
            "Verilog cannot take {what}; assign it to a local signal first"
        ))
    }

    fn width(&self, e: &Expr) -> Width {
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
    fn sum_width(&self, l: &Expr, r: &Expr) -> Width {
        match (self.width(l), self.width(r)) {
            (Width::Elastic(n), Width::Fixed(1)) if n != 1 => Width::Elastic(n),
            (l, r) => l.with(r),
        }
    }

    fn signed(&self, e: &Expr) -> bool {
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

    /// Prints `e` at `want` bits: fewer than its own width drop the upper ones, more are only asked of elastic ones.
    fn print(&self, e: &Expr, want: usize) -> Printed {
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

    fn number(&self, value: &BigInt, bits: usize) -> Printed {
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

    /// `width` bits of a signal from a constant offset on.
    fn bits_of(&self, id: SignalId, offset: usize, width: usize) -> Printed {
        let signal = &self.signals[id];
        let name = &self.names[id];
        if offset + width > signal.width {
            let (top, own) = (offset + width - 1, signal.width);
            return Err(self.width_error(format!(
                "bits {offset} to {top} of `{name}` are wanted, which has {own} bits"
            )));
        }
        Ok(Text::simple(if width == signal.width {
            name.to_owned()
        } else if width == 1 {
            format!("{name}[{offset}]")
        } else {
            format!("{name}[{}:{offset}]", offset + width - 1)
        }))
    }

    fn zero_extended(&self, text: &str, from: usize, to: usize) -> Text {
        if from == to {
            Text::simple(text.into())
        } else {
            Text::simple(format!("{{{}'d0, {text}}}", to - from))
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
        Ok(self.zero_extended(&self.print(e, own)?.text, own, bits))
    }

    fn extend_signed(&self, e: &Expr, want: usize) -> Printed {
        let width = self.width(e);
        let own = width.bits().unwrap_or(want);
        if want <= own || matches!(width, Width::Elastic(_) | Width::Free) {
            return self.print(e, want);
        }
        let Expr::Signal(id) = e else {
            return Err(self.hoist("the sign of an expression"));
        };
        let sign = self.bits_of(*id, own - 1, 1)?.text;
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
                Ok(self.zero_extended(&self.print(e, 1)?.text, 1, want))
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
                Ok(self.zero_extended(&self.bits_of(*id, by, left)?.text, left, want))
            }
            _ => Err(self.hoist("some of the bits of a shift; use `get_bits`, or")),
        }
    }

    /// An index into `bits` bits, at the width Verilog expects.
    pub fn offset(&self, e: &Expr, bits: usize) -> Result<String, EmitError> {
        let want = (bits.next_power_of_two().trailing_zeros() as usize).max(1);
        let (text, own) = self.alone(e)?;
        Ok(if own > want {
            self.print(e, want)?.text
        } else {
            self.zero_extended(&text.text, own, want).text
        })
    }

    fn slice(&self, base: &Expr, width: usize, offset: &Expr, want: usize) -> Printed {
        let kept = width.min(want);
        match (base, offset.index()) {
            (Expr::Signal(id), Some(at)) => {
                self.bits_of(*id, at, width)?;
                self.bits_of(*id, at, kept)
            }
            (Expr::Signal(id), None) => {
                let signal = &self.signals[*id];
                let name = &self.names[*id];
                if signal.width == 1 {
                    return Ok(Text::simple(name.clone()));
                }
                let at = self.offset(offset, signal.width)?;
                Ok(Text::simple(if kept == 1 {
                    format!("{name}[{at}]")
                } else {
                    format!("{name}[{at} +: {kept}]")
                }))
            }
            (
                Expr::Slice {
                    base,
                    width: inner,
                    offset: first,
                },
                Some(at),
            ) if first.index().is_some() => {
                if at + width > *inner {
                    let top = at + width - 1;
                    return Err(
                        self.width_error(format!("bits {at} to {top} of {inner} bits are wanted"))
                    );
                }
                let offset = Expr::Number((first.index().unwrap_or_default() + at).into(), None);
                self.slice(base, kept, &offset, kept)
            }
            (Expr::Number(value, _), Some(at)) => {
                self.number(&low_bits(&(value >> at), kept), kept)
            }
            (_, Some(0)) => self.print(base, kept),
            _ => Err(self.hoist("bits of an expression")),
        }
    }

    fn replace(&self, base: &Expr, index: &Expr, bit: &Expr, want: usize) -> Printed {
        let Expr::Signal(id) = base else {
            return Err(self.hoist("a bit of an expression"));
        };
        let width = self.signals[*id].width;
        if want != width {
            return Err(self.hoist("some of the bits of a replaced word"));
        }
        let bit = self.print(bit, 1)?;
        if width == 1 {
            return Ok(bit);
        }
        let Some(at) = index.index() else {
            let amount = self.alone(index)?.0.operand();
            let name = &self.names[*id];
            let one = self.zero_extended("1'd1", 1, width).text;
            let set = self.zero_extended(&bit.text, 1, width).text;
            return Ok(Text::compound(format!(
                "({name} & ~({one} << {amount})) | ({set} << {amount})"
            )));
        };
        if at >= width {
            return Err(self.width_error(format!(
                "bit {at} of `{}` is replaced, which has {width}",
                &self.names[*id]
            )));
        }
        let mut parts = vec![];
        if at + 1 < width {
            parts.push(self.bits_of(*id, at + 1, width - at - 1)?.text);
        }
        parts.push(bit.text);
        if at > 0 {
            parts.push(self.bits_of(*id, 0, at)?.text);
        }
        Ok(Text::simple(format!("{{{}}}", parts.join(", "))))
    }
}

/// The number modulo two to the power of `bits`, as two's complement has it.
fn low_bits(value: &BigInt, bits: usize) -> BigInt {
    let modulus: BigInt = BigInt::from(1) << bits;
    ((value % &modulus) + &modulus) % &modulus
}

/// Whether the value depends on the width it is computed at.
fn computes(e: &Expr) -> bool {
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

fn symbol(op: &VerilogOp) -> &'static str {
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
