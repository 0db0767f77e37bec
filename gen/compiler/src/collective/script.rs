//! What the queues of a chip do, issue by issue.

use crate::alu::PLANES;
use crate::nest::{Form, Level};
use crate::timeline::Timeline;
use crate::vector::sequence::{Point, nests};
use lpu_isa::{Operation, Queue};
use std::collections::BTreeMap;

/// Issues of every queue, in any order.
#[derive(Clone, Debug, Default)]
pub struct Script {
    queues: BTreeMap<Queue, Vec<(i64, Operation, usize)>>,
}

/// Cycles that an issue takes: a RECEIVE of words takes four flits.
const fn duration(operation: Operation) -> i64 {
    match operation {
        Operation::Receive { word: true, .. } => PLANES as i64,
        _ => 1,
    }
}

impl Script {
    pub fn push(&mut self, queue: Queue, cycle: i64, operation: Operation, address: usize) {
        let issues = self.queues.entry(queue).or_default();
        issues.push((cycle, operation, address));
    }

    /// Adds the issues of another script.
    pub fn join(&mut self, other: Self) {
        for (queue, issues) in other.queues {
            self.queues.entry(queue).or_default().extend(issues);
        }
    }

    /// The last cycle of a queue's issues.
    pub fn last(&self, queue: Queue) -> Option<i64> {
        let issues = self.queues.get(&queue)?.iter();
        issues.map(|issue| issue.0 + duration(issue.1) - 1).max()
    }

    /// The cycles of a queue's issues.
    pub fn cycles(&self, queue: Queue) -> Vec<i64> {
        let issues = self.queues.get(&queue).into_iter().flatten();
        issues.map(|issue| issue.0).collect()
    }

    /// Puts the issues in the order of their cycles.
    pub fn sort(&mut self) {
        for issues in self.queues.values_mut() {
            issues.sort_by_key(|issue| issue.0);
        }
    }

    /// Whether a queue of a sorted script would do two things in one cycle.
    fn collides_itself(&self) -> bool {
        let mut queues = self.queues.values();
        queues.any(|issues| {
            let mut pairs = issues.windows(2);
            pairs.any(|pair| pair[0].0 + duration(pair[0].1) > pair[1].0)
        })
    }

    /// Whether a queue of two sorted scripts would do two things in one cycle.
    fn collides(&self, other: &Self) -> bool {
        self.queues.iter().any(|(queue, issues)| {
            let Some(others) = other.queues.get(queue) else {
                return false;
            };
            let (mut a, mut b) = (issues.iter().peekable(), others.iter().peekable());
            while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
                if x.0 + duration(x.1) <= y.0 {
                    a.next();
                } else if y.0 + duration(y.1) <= x.0 {
                    b.next();
                } else {
                    return true;
                }
            }
            false
        })
    }

    /// Whether every queue of two sorted scripts does one thing at a time.
    pub fn fits(&self, other: &Self) -> bool {
        !self.collides_itself() && !self.collides(other)
    }

    /// The issues as loop nests, a run of one operation after the other.
    pub fn timeline(mut self) -> Timeline {
        self.sort();
        let mut timeline = Timeline::default();
        for (queue, issues) in self.queues {
            for run in issues.chunk_by(|a, b| a.1 == b.1) {
                let operation = run[0].1;
                let points: Vec<Point> = run.iter().map(|issue| (issue.0, issue.2)).collect();
                for mut nest in nests(&points) {
                    if duration(operation) > 1 {
                        nest.levels.insert(0, Level::new(PLANES, 1, 0));
                        nest.form = Form::Inner;
                    }
                    timeline.push(queue, operation, nest);
                }
            }
        }
        timeline
    }
}
