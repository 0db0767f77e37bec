//! Prints what takes or replaces bits of a word.

use crate::error::EmitError;
use crate::expr::{Printed, Printer, Text, low_bits, symbol};
use crate::ir::{Expr, SignalId};
use rust_hdl::core::ast::VerilogOp;

impl Printer<'_> {
    /// `width` bits of a signal from a constant offset on.
    pub(crate) fn bits_of(&self, id: SignalId, offset: usize, width: usize) -> Printed {
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

    /// An index into `bits` bits, at the width Verilog expects.
    pub(crate) fn offset(&self, e: &Expr, bits: usize) -> Result<String, EmitError> {
        let want = (bits.next_power_of_two().trailing_zeros() as usize).max(1);
        Ok(self.index(e, want)?.text)
    }

    /// An index, computed modulo two to the power of `want`: an index in range is the same as in Rust's `usize`.
    pub(crate) fn index(&self, e: &Expr, want: usize) -> Printed {
        match e {
            Expr::Binary(l, op @ (VerilogOp::Add | VerilogOp::Sub | VerilogOp::Mul), r) => {
                let (left, right) = (self.index(l, want)?, self.index(r, want)?);
                Ok(Text::compound(format!(
                    "{} {} {}",
                    left.operand(),
                    symbol(op),
                    right.operand()
                )))
            }
            Expr::Number(value, _) => self.number(&low_bits(value, want), want),
            _ => {
                let (text, own) = self.alone(e)?;
                if own > want {
                    self.print(e, want)
                } else {
                    Ok(self.zero_extended(text, own, want))
                }
            }
        }
    }

    pub(crate) fn slice(&self, base: &Expr, width: usize, offset: &Expr, want: usize) -> Printed {
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

    pub(crate) fn replace(&self, base: &Expr, index: &Expr, bit: &Expr, want: usize) -> Printed {
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
            let one = self.number(&1.into(), width)?.text;
            let set = self.zero_extended(bit, 1, width).text;
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
