//! Pass 4: decides for each piece of logic whether it becomes a port connection, an `assign` or part of an `always`.

use crate::design::{Design, Structure};
use crate::ir::{Body, Expr, Role, Signal, SignalId, Stmt};
use lpu_hdl::info::Primitive;
use num_bigint::BigInt;
use std::collections::BTreeMap;

/// How the logic of a body is written down.
pub(crate) struct Plan {
    /// For a child's input: what is connected to it directly.
    pub bound: Vec<Option<Expr>>,
    /// For a child's output: the signal of the block it is, instead of a wire of its own.
    pub alias: Vec<Option<SignalId>>,
    /// Continuous assignments.
    pub assigns: Vec<(SignalId, Expr)>,
    /// Combinational processes; each drives signals no other one drives.
    pub processes: Vec<Vec<Stmt>>,
    /// Signals that a process drives.
    pub procedural: Vec<bool>,
    /// Signals that something reads, including ports of children that are connected to them.
    pub read: Vec<bool>,
}

/// Plans the logic of `body`, which has passed the checks.
pub(crate) fn plan(design: &Design, structure: &Structure, body: Body) -> (Plan, Body) {
    let count = body.signals.len();
    let mut plan = Plan {
        bound: vec![None; count],
        alias: vec![None; count],
        assigns: vec![],
        processes: vec![],
        procedural: vec![false; count],
        read: vec![false; count],
    };
    let Body {
        signals,
        statements,
    } = body;
    let mut writes = vec![0usize; count];
    let mut last_write = vec![0usize; count];
    for (at, statement) in statements.iter().enumerate() {
        statement.writes(&mut |id| {
            writes[id] += 1;
            last_write[id] = at;
        });
        statement.reads(&mut |id| plan.read[id] = true);
    }
    // A read sees the final value if nothing assigns the signal later.
    let final_at = |id: SignalId, at: usize| writes[id] == 0 || last_write[id] < at;
    let mut rest = vec![];
    for (at, statement) in statements.into_iter().enumerate() {
        let mut final_reads = true;
        statement.reads(&mut |id| final_reads &= final_at(id, at));
        match statement {
            Stmt::Assign {
                target,
                part: None,
                value,
            } if writes[target] == 1 && final_reads => {
                let child = |index: usize| &design.structures[structure.children[index].structure];
                match (signals[target].role, &value) {
                    (Role::ChildInput(index), value)
                        if !plan.read[target]
                            && connects(child(index).primitive(), signals[target].clock, value) =>
                    {
                        plan.bound[target] = Some(value.clone());
                    }
                    (Role::Output | Role::Local, Expr::Signal(source))
                        if matches!(signals[*source].role, Role::ChildOutput(_))
                            && plan.alias[*source].is_none()
                            && signals[*source].width == signals[target].width =>
                    {
                        plan.alias[*source] = Some(target);
                    }
                    _ => plan.assigns.push((target, value)),
                }
            }
            statement => rest.push((at, statement)),
        }
    }
    for process in processes(rest, &final_at, count) {
        match constants(&signals, &process) {
            Some(values) => plan.assigns.extend(values),
            None => plan.processes.push(process),
        }
    }
    for process in &plan.processes {
        process
            .iter()
            .for_each(|s| s.writes(&mut |id| plan.procedural[id] = true));
    }
    (
        plan,
        Body {
            signals,
            statements: vec![],
        },
    )
}

/// The values a process leaves in its signals, if they do not depend on anything: such a process would never be started.
fn constants(signals: &[Signal], process: &[Stmt]) -> Option<Vec<(SignalId, Expr)>> {
    let mut values: BTreeMap<SignalId, BigInt> = BTreeMap::new();
    for statement in process {
        let Stmt::Assign {
            target,
            part,
            value,
        } = statement
        else {
            return None;
        };
        let value = constant(value, &values)?;
        let value = match part {
            None => value,
            Some((offset, width)) => {
                let offset = offset.index()?;
                let mask: BigInt = ((BigInt::from(1) << width) - 1) << offset;
                let old = values.get(target).cloned().unwrap_or_default();
                (&old - (&old & &mask)) | ((value << offset) & mask)
            }
        };
        values.insert(*target, value);
    }
    let number =
        |(id, value): (SignalId, BigInt)| (id, Expr::Number(value, Some(signals[id].width)));
    Some(values.into_iter().map(number).collect())
}

/// The value of an expression that is a constant, or a signal with a known value.
fn constant(e: &Expr, values: &BTreeMap<SignalId, BigInt>) -> Option<BigInt> {
    match e {
        Expr::Number(value, _) => Some(value.clone()),
        Expr::Variant { value, .. } => Some((*value).into()),
        Expr::Signal(id) => values.get(id).cloned(),
        _ => None,
    }
}

/// Whether an expression can stand in a child's port connection, or in the text of a cell.
fn connects(cell: Option<&Primitive>, clock: bool, value: &Expr) -> bool {
    let simple = match value {
        Expr::Signal(_) => true,
        Expr::Number(..) | Expr::Variant { .. } => !clock,
        Expr::Slice { base, offset, .. } => {
            matches!(**base, Expr::Signal(_)) && offset.index().is_some() && !clock
        }
        _ => false,
    };
    // A flip-flop has its own line of text for each of its inputs.
    simple
        || (!clock
            && matches!(
                cell,
                Some(Primitive::Flop { .. } | Primitive::Pipe | Primitive::PipeEnable)
            ))
}

/// Groups statements that must stay together: those with a common target, and readers of values that change later.
fn processes(
    statements: Vec<(usize, Stmt)>,
    final_at: &dyn Fn(SignalId, usize) -> bool,
    signals: usize,
) -> Vec<Vec<Stmt>> {
    let mut groups = Groups((0..statements.len()).collect());
    let mut writer: Vec<Option<usize>> = vec![None; signals];
    for (index, (_, statement)) in statements.iter().enumerate() {
        statement.writes(&mut |id| match writer[id] {
            Some(other) => groups.join(other, index),
            None => writer[id] = Some(index),
        });
    }
    for (index, (at, statement)) in statements.iter().enumerate() {
        statement.reads(&mut |id| {
            if !final_at(id, *at)
                && let Some(other) = writer[id]
            {
                groups.join(other, index);
            }
        });
    }
    let mut place = vec![None; statements.len()];
    let mut processes: Vec<Vec<Stmt>> = vec![];
    for (index, (_, statement)) in statements.into_iter().enumerate() {
        let root = groups.root(index);
        let at = *place[root].get_or_insert_with(|| {
            processes.push(vec![]);
            processes.len() - 1
        });
        processes[at].push(statement);
    }
    processes
}

/// Disjoint sets.
struct Groups(Vec<usize>);

impl Groups {
    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
