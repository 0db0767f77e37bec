//! Launch cycles of every instruction of every queue.

use super::{Site, Violation, Violations};
use lpu_isa::config::MxmFormat;
use lpu_isa::instruction::encoding::register;
use lpu_isa::{Config, Instruction, Operation, Program, Queue, QueueKind, Repeat};

/// Most issues that a launch may have.
const MAX_ISSUES: u64 = 1 << 27;
/// Most cycles that a launch may take (cycle counters have 32 bits).
const MAX_CYCLES: u64 = 1 << 32;
/// NOTIFY to the cycle in which queues see the pulse.
const PULSE_LATENCY: u64 = lpu_isa::latency::NOTIFY_LATENCY - 1;

/// An operation with the cycle of its first issue.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub queue: Queue,
    pub index: usize,
    pub start: u64,
    pub operation: Operation,
    pub address: u16,
    pub repeat: Repeat,
    /// Weight streams that LW takes.
    pub width: usize,
    /// Format that IW gives to the weights; none is int8.
    pub format: Option<MxmFormat>,
}

/// One issue of a run.
#[derive(Clone, Copy, Debug)]
pub struct Issue {
    pub cycle: u64,
    pub address: u16,
    pub j0: u32,
    pub j1: u32,
}

impl Run {
    /// All issues in the order of their cycles.
    pub fn issues(&self) -> impl Iterator<Item = Issue> + use<> {
        let Self {
            start,
            address,
            repeat: r,
            ..
        } = *self;
        (0..r.count1).flat_map(move |j1| {
            let row = start + u64::from(j1) * u64::from(r.interval1);
            let base = address.wrapping_add((j1 as u16).wrapping_mul(r.stride1));
            (0..r.count0).map(move |j0| Issue {
                cycle: row + u64::from(j0) * u64::from(r.interval0),
                address: base.wrapping_add((j0 as u16).wrapping_mul(r.stride0 as u16)),
                j0,
                j1,
            })
        })
    }

    /// Streams that an LW takes in an issue: for rows of scales not more than there are such rows.
    pub fn weight_streams(&self, config: &Config, issue: Issue) -> usize {
        let scales = config.lanes..config.weight_rows();
        let column = matches!(self.operation, Operation::LoadWeights { column: true, .. });
        if !column && scales.contains(&usize::from(issue.address)) {
            self.width.min(scales.len())
        } else {
            self.width
        }
    }

    /// The issue in `cycle`, for a report.
    pub fn site(&self, cycle: u64) -> Box<Site> {
        Box::new(Site {
            queue: self.queue,
            index: self.index,
            instruction: Instruction::repeated(self.operation, self.address, self.repeat),
            issue: cycle,
        })
    }
}

/// Everything that a launch does.
pub struct Launch {
    /// Operations of each queue, by queue id.
    pub runs: Vec<Vec<Run>>,
    /// Cycle in which each queue issues END.
    pub ends: Vec<u64>,
    /// For each SYNC of each queue, by queue id, the cycle of its issue and that of the pulse that releases it.
    pub syncs: Vec<Vec<(u64, u64)>>,
    /// DESKEWs and RUNTIME_DESKEWs; behind them cycles are those of the shortest wait, or of the one that is named.
    pub deskews: Vec<Site>,
}

/// Where a queue stands.
struct Cursor<'a> {
    queue: Queue,
    program: &'a [Instruction],
    index: usize,
    now: u64,
    width: usize,
    format: Option<MxmFormat>,
    runs: Vec<Run>,
    syncs: Vec<(u64, u64)>,
    deskews: Vec<Site>,
}

impl Cursor<'_> {
    /// Runs to the next SYNC or to END; collects the pulses it sends. True at END.
    fn advance(&mut self, pulses: &mut Vec<u64>) -> bool {
        while let Some(&instruction) = self.program.get(self.index) {
            let cycles = instruction.cycles();
            match instruction {
                Instruction::End => return true,
                Instruction::Sync => return false,
                Instruction::Nop { .. } => {}
                Instruction::Deskew | Instruction::RuntimeDeskew { .. } => {
                    self.deskews.push(self.site());
                }
                Instruction::Notify => pulses.push(self.now + PULSE_LATENCY),
                Instruction::Config { register, value } => match register {
                    register::FORMAT => {
                        let mut all = MxmFormat::ALL.into_iter();
                        self.format = all.find(|format| format.code() == value);
                    }
                    _ => self.width = usize::from(value),
                },
                Instruction::Op {
                    operation,
                    address,
                    repeat,
                } => {
                    self.runs.push(Run {
                        queue: self.queue,
                        index: self.index,
                        start: self.now,
                        operation,
                        address,
                        repeat,
                        width: self.width,
                        format: self.format,
                    });
                }
            }
            self.index += 1;
            self.now += cycles;
        }
        true
    }

    fn site(&self) -> Site {
        Site {
            queue: self.queue,
            index: self.index,
            instruction: self.program[self.index],
            issue: self.now,
        }
    }
}

/// Computes the cycle of every instruction, with SYNC and NOTIFY.
pub fn expand(config: &Config, program: &Program, found: &mut Violations) -> Launch {
    let mut pulses = Vec::new();
    let mut cursors: Vec<_> = program
        .queues(config)
        .map(|(queue, program)| Cursor {
            queue,
            program,
            index: 0,
            now: 0,
            width: config.mxm.weight_streams,
            format: None,
            runs: Vec::new(),
            syncs: Vec::new(),
            deskews: Vec::new(),
        })
        .collect();
    let mut waiting: Vec<usize> = (0..cursors.len()).collect();
    loop {
        waiting.retain(|&i| !cursors[i].advance(&mut pulses));
        pulses.sort_unstable();
        let release = |cursor: &Cursor| {
            let next = pulses.partition_point(|&pulse| pulse < cursor.now);
            pulses.get(next).copied()
        };
        // Pulses still unknown come from waiting queues, so after the earliest release.
        let Some(earliest) = waiting.iter().filter_map(|&i| release(&cursors[i])).min() else {
            break;
        };
        let released: Vec<_> = waiting
            .iter()
            .copied()
            .filter(|&i| release(&cursors[i]) == Some(earliest))
            .collect();
        for i in released {
            let cursor = &mut cursors[i];
            cursor.syncs.push((cursor.now, earliest));
            cursor.index += 1;
            cursor.now = earliest + 1;
        }
    }
    for &i in &waiting {
        let site = cursors[i].site();
        found.push(Violation::Deadlock { site });
    }
    let count = |run: &Run| u64::from(run.repeat.count0) * u64::from(run.repeat.count1);
    let issues: u64 = cursors.iter().flat_map(|c| &c.runs).map(count).sum();
    let cycles = cursors.iter().map(|cursor| cursor.now).max().unwrap_or(0);
    for (what, value, limit) in [
        ("issues", issues, MAX_ISSUES),
        ("cycles", cycles, MAX_CYCLES),
    ] {
        if value > limit {
            found.push(Violation::TooLong { what, limit });
        }
    }
    Launch {
        ends: cursors.iter().map(|cursor| cursor.now).collect(),
        syncs: cursors.iter().map(|cursor| cursor.syncs.clone()).collect(),
        deskews: cursors.iter().flat_map(|c| c.deskews.clone()).collect(),
        runs: cursors.into_iter().map(|cursor| cursor.runs).collect(),
    }
}

impl Launch {
    /// Runs of one queue.
    pub fn queue(&self, config: &Config, kind: QueueKind, index: usize) -> &[Run] {
        &self.runs[Queue::new(kind, index).id(config)]
    }
}
