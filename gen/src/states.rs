//! Finds the states of enumerations that a module mentions, and names them.

use crate::expr::Variant;
use crate::ir::{Expr, Label, Stmt};
use crate::name::{self, Names};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// Names the states the logic mentions, by rust-hdl's name.
pub(crate) fn name_variants(plan: &Plan, names: &mut Names) -> BTreeMap<String, Variant> {
    let mut found = BTreeMap::new();
    let bound = plan.bound.iter().flatten();
    bound
        .chain(plan.assigns.iter().map(|(_, e)| e))
        .for_each(|e| variants(e, &mut found));
    plan.processes
        .iter()
        .flatten()
        .for_each(|s| statement_variants(s, &mut found));
    let named = found.into_iter().map(|(name, (value, width))| {
        let constant = names.take(&name::constant(&name));
        (
            name,
            Variant {
                constant,
                value,
                width,
            },
        )
    });
    named.collect()
}

type Variants = BTreeMap<String, (usize, usize)>;

fn variants(e: &Expr, found: &mut Variants) {
    match e {
        Expr::Variant { name, value, width } => _ = found.insert(name.clone(), (*value, *width)),
        Expr::Signal(_) | Expr::Number(..) => {}
        Expr::Cast(e, _) | Expr::Signed(e) | Expr::Unsigned(e) | Expr::Unary(_, e) => {
            variants(e, found)
        }
        Expr::Binary(l, _, r) => [l, r].into_iter().for_each(|e| variants(e, found)),
        Expr::Slice { base, offset, .. } => {
            [base, offset].into_iter().for_each(|e| variants(e, found))
        }
        Expr::Replace { base, index, bit } => [base, index, bit]
            .into_iter()
            .for_each(|e| variants(e, found)),
    }
}

fn statement_variants(statement: &Stmt, found: &mut Variants) {
    match statement {
        Stmt::Assign { value, .. } => variants(value, found),
        Stmt::If {
            test,
            then,
            otherwise,
        } => {
            variants(test, found);
            then.iter()
                .chain(otherwise)
                .for_each(|s| statement_variants(s, found));
        }
        Stmt::Case { test, arms } => {
            variants(test, found);
            for (label, block) in arms {
                if let Label::Value(e) = label {
                    variants(e, found);
                }
                block.iter().for_each(|s| statement_variants(s, found));
            }
        }
    }
}
