//! Pass 3: one structure's logic from rust-hdl's syntax tree to [`ir`](crate::ir).

use crate::design::{Design, SignalType, Structure};
use crate::elaborate::dotted;
use crate::error::EmitError;
use crate::index;
use crate::ir::{Body, Expr, Label, Role, Signal, SignalId, Stmt};
use num_bigint::BigInt;
use rust_hdl::core::ast::{
    Verilog, VerilogBlock, VerilogBlockOrConditional, VerilogCase, VerilogConditional,
    VerilogExpression, VerilogLink, VerilogLiteral, VerilogMatch, VerilogOp, VerilogOpUnary,
    VerilogStatement,
};
use rust_hdl::core::atom::AtomKind;
use std::collections::HashMap;

/// Lowers the logic of `structure`; custom text gives a body without statements.
pub(crate) fn lower(design: &Design, structure: &Structure) -> Result<Body, EmitError> {
    let mut lowering = Lowering {
        structure,
        names: HashMap::new(),
        variants: HashMap::new(),
        loops: vec![],
        signals: vec![],
    };
    lowering.declare(design)?;
    let mut statements = vec![];
    match &structure.body {
        Verilog::Combinatorial(block) => lowering.block(block, &mut statements)?,
        Verilog::Custom(_) | Verilog::Empty => {}
        Verilog::Blackbox(_) | Verilog::Wrapper(_) => {
            return Err(lowering.unsupported("black boxes and wrappers are not supported; write the Verilog as `Verilog::Custom`"));
        }
    }
    Ok(Body {
        signals: lowering.signals,
        statements,
    })
}

struct Lowering<'a> {
    structure: &'a Structure,
    names: HashMap<String, SignalId>,
    variants: HashMap<String, (usize, usize)>,
    loops: Vec<(String, i64)>,
    signals: Vec<Signal>,
}

impl Lowering<'_> {
    fn unsupported(&self, what: impl Into<String>) -> EmitError {
        EmitError::Unsupported {
            block: self.structure.path.clone(),
            what: what.into(),
        }
    }

    fn unknown(&self, name: &str) -> EmitError {
        EmitError::UnknownName {
            block: self.structure.path.clone(),
            name: dotted(name),
        }
    }

    fn declare(&mut self, design: &Design) -> Result<(), EmitError> {
        for atom in &self.structure.atoms {
            let role = match atom.kind {
                AtomKind::InputParameter => Role::Input,
                AtomKind::OutputParameter => Role::Output,
                AtomKind::LocalSignal => Role::Local,
                AtomKind::Constant => Role::Constant,
                _ => {
                    let name = dotted(&atom.name);
                    return Err(self.unsupported(format!(
                        "`{name}` is an inout port; use an input, an output and an output enable"
                    )));
                }
            };
            self.add(atom, atom.name.clone(), role);
        }
        for (index, child) in self.structure.children.iter().enumerate() {
            for atom in &design.structures[child.structure].atoms {
                let role = match atom.kind {
                    AtomKind::InputParameter => Role::ChildInput(index),
                    AtomKind::OutputParameter => Role::ChildOutput(index),
                    _ => continue,
                };
                self.add(atom, format!("{}${}", child.name, atom.name), role);
            }
        }
        Ok(())
    }

    fn add(&mut self, atom: &crate::design::Atom, path: String, role: Role) {
        for ((name, value), bits) in atom.variants.iter().zip(&atom.variant_bits) {
            self.variants.insert(name.clone(), (*value, *bits));
        }
        self.names.insert(path.clone(), self.signals.len());
        self.signals.push(Signal {
            path,
            role,
            width: atom.width,
            signed: atom.signal_type == SignalType::Signed,
            clock: atom.signal_type == SignalType::Clock,
            constant: atom.constant.as_deref().and_then(parse),
        });
    }

    fn variable(&self, name: &str) -> Option<i64> {
        self.loops
            .iter()
            .rev()
            .find(|(variable, _)| variable == name)
            .map(|(_, value)| *value)
    }

    /// The name without rust-hdl's decoration, indices evaluated.
    fn canonical(&self, name: &str) -> Result<String, EmitError> {
        let name = name
            .trim_start_matches('.')
            .replace('.', "$")
            .replace("::", "$");
        let name = name.strip_suffix("$next").unwrap_or(&name);
        if !name.contains('[') {
            return Ok(name.into());
        }
        index::resolve(name, &|variable| self.variable(variable)).ok_or_else(|| self.unknown(name))
    }

    fn signal(&self, name: &str) -> Result<SignalId, EmitError> {
        let name = self.canonical(name)?;
        self.names
            .get(&name)
            .copied()
            .ok_or_else(|| self.unknown(&name))
    }

    fn block(&mut self, block: &VerilogBlock, out: &mut Vec<Stmt>) -> Result<(), EmitError> {
        block
            .iter()
            .try_for_each(|statement| self.statement(statement, out))
    }

    fn statement(
        &mut self,
        statement: &VerilogStatement,
        out: &mut Vec<Stmt>,
    ) -> Result<(), EmitError> {
        match statement {
            VerilogStatement::Assignment(target, value) => {
                let VerilogExpression::Signal(target) = target else {
                    return Err(
                        self.unsupported("only a whole signal or a field of one can be assigned")
                    );
                };
                let target = self.signal(target)?;
                out.push(Stmt::Assign {
                    target,
                    part: None,
                    value: self.expression(value)?,
                });
            }
            VerilogStatement::SliceAssignment {
                base,
                width,
                offset,
                replacement,
            } => {
                let VerilogExpression::Signal(base) = base else {
                    return Err(self.unsupported("only a field of a whole signal can be assigned"));
                };
                let target = self.signal(base)?;
                let part = Some((self.expression(offset)?, *width));
                out.push(Stmt::Assign {
                    target,
                    part,
                    value: self.expression(replacement)?,
                });
            }
            VerilogStatement::If(conditional) => self.conditional(conditional, out)?,
            VerilogStatement::Match(m) => self.case(m, out)?,
            VerilogStatement::Loop(l) => {
                for i in l.from.as_usize()..l.to.as_usize() {
                    self.loops.push((l.index.clone(), i as i64));
                    let done = self.block(&l.block, out);
                    self.loops.pop();
                    done?;
                }
            }
            VerilogStatement::Macro(block) => self.block(block, out)?,
            VerilogStatement::Comment(_) => {}
            VerilogStatement::Link(links) => {
                for link in links {
                    out.push(self.link(link)?);
                }
            }
        }
        Ok(())
    }

    fn link(&self, link: &VerilogLink) -> Result<Stmt, EmitError> {
        let (details, forward) = match link {
            VerilogLink::Forward(details) => (details, true),
            VerilogLink::Backward(details) => (details, false),
            VerilogLink::Bidirectional(details) => {
                let name = dotted(&details.owner_name);
                return Err(self.unsupported(format!(
                    "`{name}` is joined through an inout port, which is not supported"
                )));
            }
        };
        let member = self.canonical(&details.my_name)?;
        let full = |name: &str| {
            if member.is_empty() {
                name.to_owned()
            } else {
                format!("{name}${member}")
            }
        };
        let owner = self.signal(&full(&details.owner_name))?;
        let other = self.signal(&full(&details.other_name))?;
        let (target, source) = if forward {
            (other, owner)
        } else {
            (owner, other)
        };
        Ok(Stmt::Assign {
            target,
            part: None,
            value: Expr::Signal(source),
        })
    }

    fn conditional(
        &mut self,
        conditional: &VerilogConditional,
        out: &mut Vec<Stmt>,
    ) -> Result<(), EmitError> {
        let test = self.expression(&conditional.test)?;
        // A test that unrolling has decided leaves one branch.
        let decided = test.number().map(|value| *value != BigInt::ZERO);
        let mut then = vec![];
        if decided != Some(false) {
            self.block(&conditional.then, &mut then)?;
        }
        let mut otherwise = vec![];
        if decided != Some(true) {
            match &conditional.otherwise {
                VerilogBlockOrConditional::Block(block) => self.block(block, &mut otherwise)?,
                VerilogBlockOrConditional::Conditional(statement) => {
                    self.statement(statement, &mut otherwise)?
                }
                VerilogBlockOrConditional::None => {}
            }
        }
        match decided {
            Some(true) => out.extend(then),
            Some(false) => out.extend(otherwise),
            None if then.is_empty() && otherwise.is_empty() => {}
            None => out.push(Stmt::If {
                test,
                then,
                otherwise,
            }),
        }
        Ok(())
    }

    fn case(&mut self, m: &VerilogMatch, out: &mut Vec<Stmt>) -> Result<(), EmitError> {
        let test = self.expression(&m.test)?;
        let mut arms = vec![];
        for VerilogCase { condition, block } in &m.cases {
            let label = self.label(condition)?;
            let mut statements = vec![];
            self.block(block, &mut statements)?;
            arms.push((label, statements));
        }
        // Rust has made sure that the arms cover every value; so the last may stand for all that is left.
        if let Some((label, _)) = arms.last_mut() {
            *label = Label::Default;
        }
        let Some(value) = test.number() else {
            out.push(Stmt::Case { test, arms });
            return Ok(());
        };
        // A constant has chosen already.
        let chosen = arms.iter().position(|(label, _)| match label {
            Label::Value(label) => label.number() == Some(value),
            Label::Default => true,
        });
        out.extend(chosen.map(|at| arms.swap_remove(at).1).unwrap_or_default());
        Ok(())
    }

    fn label(&self, condition: &str) -> Result<Label, EmitError> {
        let name = condition.trim();
        let value = match name {
            "default" => return Ok(Label::Default),
            "true" => Expr::Number(1.into(), Some(1)),
            "false" => Expr::Number(0.into(), Some(1)),
            _ => match index::integer(name) {
                Some(value) => Expr::Number(value.into(), None),
                None => self
                    .variant(&self.canonical(name)?)
                    .ok_or_else(|| self.unknown(name))?,
            },
        };
        Ok(Label::Value(value))
    }

    fn variant(&self, name: &str) -> Option<Expr> {
        let &(value, width) = self.variants.get(name)?;
        Some(Expr::Variant {
            name: name.into(),
            value,
            width,
        })
    }

    fn expression(&self, expression: &VerilogExpression) -> Result<Expr, EmitError> {
        let sub = |e: &VerilogExpression| self.expression(e).map(Box::new);
        Ok(match expression {
            VerilogExpression::Signal(name) => self.name(name)?,
            VerilogExpression::Literal(literal) => {
                number(literal).ok_or_else(|| self.unsupported("a literal cannot be read"))?
            }
            VerilogExpression::Cast(e, bits) => Expr::Cast(sub(e)?, *bits),
            VerilogExpression::Signed(e) => Expr::Signed(sub(e)?),
            VerilogExpression::Unsigned(e) => Expr::Unsigned(sub(e)?),
            VerilogExpression::Paren(e) => self.expression(e)?,
            VerilogExpression::Binary(l, op, r) => {
                fold(self.expression(l)?, op, self.expression(r)?)
            }
            VerilogExpression::Unary(op, e) => match (op, self.expression(e)?) {
                (VerilogOpUnary::Neg, Expr::Number(value, None)) => Expr::Number(-value, None),
                (VerilogOpUnary::Not, Expr::Number(value, Some(1))) => {
                    Expr::Number(1 - value, Some(1))
                }
                (_, e) => Expr::Unary(op.clone(), Box::new(e)),
            },
            VerilogExpression::Index(base, index) => Expr::Slice {
                base: sub(base)?,
                width: 1,
                offset: sub(index)?,
            },
            VerilogExpression::Slice(base, width, offset) => Expr::Slice {
                base: sub(base)?,
                width: *width,
                offset: sub(offset)?,
            },
            VerilogExpression::IndexReplace(base, index, bit) => Expr::Replace {
                base: sub(base)?,
                index: sub(index)?,
                bit: sub(bit)?,
            },
        })
    }

    fn name(&self, name: &str) -> Result<Expr, EmitError> {
        if let Some(value) = self.variable(name) {
            return Ok(Expr::Number(value.into(), None));
        }
        let name = self.canonical(name)?;
        if let Some(&id) = self.names.get(&name) {
            let signal = &self.signals[id];
            return Ok(match &signal.constant {
                Some(value) => Expr::Number(value.clone(), Some(signal.width)),
                None => Expr::Signal(id),
            });
        }
        self.variant(&name).ok_or_else(|| self.unknown(&name))
    }
}

/// A literal of the source. `true` and `false` are one bit wide; integers take the width of their surroundings.
fn number(literal: &VerilogLiteral) -> Option<Expr> {
    let text = format!("{literal:x}");
    Some(Expr::Number(
        parse(&text)?,
        text.starts_with("1'").then_some(1),
    ))
}

/// Reads a number as rust-hdl prints it: `8'h1f`.
fn parse(text: &str) -> Option<BigInt> {
    let (_, digits) = text.split_once("'h")?;
    BigInt::parse_bytes(digits.as_bytes(), 16)
}

/// A binary operation; done at once if unrolling has made both sides numbers.
fn fold(left: Expr, op: &VerilogOp, right: Expr) -> Expr {
    if let VerilogOp::LogicalAnd | VerilogOp::LogicalOr = op {
        let neutral = u8::from(matches!(op, VerilogOp::LogicalAnd)).into();
        match (left.number(), right.number()) {
            (Some(value), _) => return if *value == neutral { right } else { left },
            (_, Some(value)) => return if *value == neutral { left } else { right },
            _ => {}
        }
    }
    let (Expr::Number(l, lw), Expr::Number(r, rw)) = (&left, &right) else {
        return Expr::Binary(Box::new(left), op.clone(), Box::new(right));
    };
    let truth = |value: bool| Some(Expr::Number(u8::from(value).into(), Some(1)));
    let integer =
        |value: BigInt| (lw.is_none() && rw.is_none()).then_some(Expr::Number(value, None));
    let shift = || usize::try_from(r).ok();
    let folded = match op {
        VerilogOp::Add => integer(l + r),
        VerilogOp::Sub => integer(l - r),
        VerilogOp::Mul => integer(l * r),
        VerilogOp::BitAnd => integer(l & r),
        VerilogOp::BitOr => integer(l | r),
        VerilogOp::BitXor => integer(l ^ r),
        VerilogOp::Shl => shift().and_then(|by| integer(l << by)),
        VerilogOp::Shr => shift().and_then(|by| integer(l >> by)),
        VerilogOp::LogicalAnd | VerilogOp::LogicalOr => None,
        VerilogOp::Eq => truth(l == r),
        VerilogOp::Ne => truth(l != r),
        VerilogOp::Lt => truth(l < r),
        VerilogOp::Le => truth(l <= r),
        VerilogOp::Gt => truth(l > r),
        VerilogOp::Ge => truth(l >= r),
    };
    folded.unwrap_or(Expr::Binary(Box::new(left), op.clone(), Box::new(right)))
}
