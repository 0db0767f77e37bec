//! Pass 2: what rust-hdl's `check_all` checks, and latches, with every finding named and in a fixed order.

use crate::design::{Design, Structure};
use crate::elaborate::dotted;
use crate::error::{EmitError, SignalPath};
use crate::ir::{Body, Expr, Role, SignalId, Stmt};
use std::collections::{BTreeMap, BTreeSet};

/// Refuses a design with signals that nothing drives.
pub(crate) fn connected(design: &Design) -> Result<(), EmitError> {
    if design.open.is_empty() {
        return Ok(());
    }
    let mut open = design.open.clone();
    open.sort();
    Err(EmitError::Unconnected(open))
}

/// Refuses logic that drives what it may not, reads what is not yet assigned, or infers latches.
pub(crate) fn logic(structure: &Structure, body: &Body) -> Result<(), EmitError> {
    let named = |ids: &BTreeSet<SignalId>| -> Vec<SignalPath> {
        let path = |&id: &SignalId| SignalPath {
            block: structure.path.clone(),
            signal: dotted(&body.signals[id].path),
        };
        ids.iter().map(path).collect()
    };
    let mut written = BTreeSet::new();
    body.statements
        .iter()
        .for_each(|s| s.writes(&mut |id| _ = written.insert(id)));
    let drivable = |role| matches!(role, Role::Output | Role::Local | Role::ChildInput(_));
    let wrong: BTreeSet<_> = written
        .iter()
        .copied()
        .filter(|&id| !drivable(body.signals[id].role))
        .collect();
    if !wrong.is_empty() {
        return Err(EmitError::NotDrivable(named(&wrong)));
    }
    let mut walk = Walk {
        body,
        early: BTreeSet::new(),
    };
    let mut cover = Cover::new();
    walk.block(&body.statements, &mut cover);
    if !walk.early.is_empty() {
        return Err(EmitError::Loop(named(&walk.early)));
    }
    let full = |id: &SignalId| {
        cover
            .get(id)
            .is_some_and(|bits| bits.iter().all(|bit| *bit))
    };
    let latched: BTreeSet<_> = written.iter().copied().filter(|id| !full(id)).collect();
    if !latched.is_empty() {
        return Err(EmitError::Latch(named(&latched)));
    }
    Ok(())
}

/// For each signal, which of its bits are assigned on every way to here.
type Cover = BTreeMap<SignalId, Vec<bool>>;

struct Walk<'a> {
    body: &'a Body,
    early: BTreeSet<SignalId>,
}

impl Walk<'_> {
    fn read(&mut self, e: &Expr, cover: &Cover) {
        e.reads(&mut |id| {
            let driven_here = matches!(self.body.signals[id].role, Role::Output | Role::Local);
            if driven_here && !cover.contains_key(&id) {
                self.early.insert(id);
            }
        });
    }

    fn block(&mut self, block: &[Stmt], cover: &mut Cover) {
        for statement in block {
            match statement {
                Stmt::Assign {
                    target,
                    part,
                    value,
                } => {
                    self.read(value, cover);
                    let width = self.body.signals[*target].width;
                    let bits = cover.entry(*target).or_insert_with(|| vec![false; width]);
                    match part {
                        None => bits.fill(true),
                        Some((offset, width)) => {
                            // An offset known only at run time assigns some bits, no particular ones.
                            let at = offset.index().unwrap_or(bits.len());
                            bits.iter_mut()
                                .skip(at)
                                .take(*width)
                                .for_each(|bit| *bit = true);
                        }
                    }
                }
                Stmt::If {
                    test,
                    then,
                    otherwise,
                } => {
                    self.read(test, cover);
                    self.branches([then, otherwise].into_iter(), cover);
                }
                Stmt::Case { test, arms } => {
                    self.read(test, cover);
                    self.branches(arms.iter().map(|(_, block)| block), cover);
                }
            }
        }
    }

    /// After branches only what each of them assigns is assigned.
    fn branches<'b>(&mut self, blocks: impl Iterator<Item = &'b Vec<Stmt>>, cover: &mut Cover) {
        let mut after: Option<Cover> = None;
        for block in blocks {
            let mut own = cover.clone();
            self.block(block, &mut own);
            after = Some(match after {
                None => own,
                Some(mut all) => {
                    all.retain(|id, bits| {
                        let Some(own) = own.get(id) else { return false };
                        bits.iter_mut().zip(own).for_each(|(bit, own)| *bit &= own);
                        true
                    });
                    all
                }
            });
        }
        if let Some(after) = after {
            *cover = after;
        }
    }
}
