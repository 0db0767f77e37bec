//! Prints the statements of combinational processes.

use crate::error::EmitError;
use crate::expr::Printer;
use crate::ir::{Expr, Label, Stmt};
use crate::module::Module;
use std::fmt::Write;

impl Module<'_> {
    /// Prints a block of statements, `depth` levels in.
    pub(crate) fn block(
        &self,
        printer: &Printer,
        block: &[Stmt],
        depth: usize,
        out: &mut String,
    ) -> Result<(), EmitError> {
        let indent = "  ".repeat(depth);
        for statement in block {
            match statement {
                Stmt::Assign {
                    target,
                    part,
                    value,
                } => {
                    let mut name = self.names[*target].clone();
                    let mut width = self.signals[*target].width;
                    if let Some((offset, bits)) = part {
                        name = match offset.index() {
                            _ if *bits == width => name,
                            Some(at) if *bits == 1 => format!("{name}[{at}]"),
                            Some(at) => format!("{name}[{}:{at}]", at + bits - 1),
                            None => format!("{name}[{} +: {bits}]", printer.offset(offset, width)?),
                        };
                        width = *bits;
                    }
                    let value = printer.value(value, width, &format!("`{name}`"))?;
                    let _ = writeln!(out, "{indent}{name} = {value};");
                }
                Stmt::If {
                    test,
                    then,
                    otherwise,
                } => {
                    let _ = write!(out, "{indent}");
                    self.conditional(printer, test, then, otherwise, depth, out)?;
                }
                Stmt::Case { test, arms } => {
                    let (text, width) = printer.alone(test)?;
                    let _ = writeln!(out, "{indent}case ({})", text.text);
                    for (label, block) in arms {
                        let label = match label {
                            Label::Value(value) => {
                                printer.value(value, width, "the case of a `match`")?
                            }
                            Label::Default => "default".into(),
                        };
                        let _ = writeln!(out, "{indent}  {label}: begin");
                        self.block(printer, block, depth + 2, out)?;
                        let _ = writeln!(out, "{indent}  end");
                    }
                    let _ = writeln!(out, "{indent}endcase");
                }
            }
        }
        Ok(())
    }

    fn conditional(
        &self,
        printer: &Printer,
        test: &Expr,
        then: &[Stmt],
        otherwise: &[Stmt],
        depth: usize,
        out: &mut String,
    ) -> Result<(), EmitError> {
        let indent = "  ".repeat(depth);
        let _ = writeln!(out, "if ({}) begin", printer.test(test)?);
        self.block(printer, then, depth + 1, out)?;
        match otherwise {
            [] => {
                let _ = writeln!(out, "{indent}end");
            }
            [
                Stmt::If {
                    test,
                    then,
                    otherwise,
                },
            ] => {
                let _ = write!(out, "{indent}end else ");
                self.conditional(printer, test, then, otherwise, depth, out)?;
            }
            _ => {
                let _ = writeln!(out, "{indent}end else begin");
                self.block(printer, otherwise, depth + 1, out)?;
                let _ = writeln!(out, "{indent}end");
            }
        }
        Ok(())
    }
}
