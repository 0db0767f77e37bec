//! Streams: who drives and who samples which cell.

use super::expand::{Launch, Run};
use super::{Violation, Violations};
use lpu_isa::latency::{ACC_LATENCY, GATHER_LATENCY, HOP_LATENCY, READ_LATENCY};
use lpu_isa::{AccMode, Config, Operation, QueueKind, Stream};

/// A value on a stream: its flow (cycle minus or plus position), where and by what it is driven.
#[derive(Clone, Copy)]
struct Flow {
    key: i64,
    position: u32,
    issue: u64,
    run: u32,
    sampled: bool,
}

/// Flows of one stream, by key.
type Flows = Vec<Flow>;

struct Streams<'a> {
    config: &'a Config,
    runs: Vec<&'a Run>,
    flows: Vec<Flows>,
}

/// Whether the ACC emits in iteration (j0, j1).
pub fn emits(mode: AccMode, run: &Run, j0: u32, j1: u32) -> bool {
    match mode {
        AccMode::Never => false,
        AccMode::Inner => j0 + 1 == run.repeat.count0,
        AccMode::Outer => j1 + 1 == run.repeat.count1,
        AccMode::Always => true,
    }
}

fn slot(stream: Stream) -> usize {
    usize::from(stream.westward) << 5 | usize::from(stream.index & 31)
}

/// Names the flow that is at `position` in `cycle`.
fn key(stream: Stream, cycle: u64, position: u32) -> i64 {
    let way = i64::from(position) * HOP_LATENCY as i64;
    cycle as i64 + if stream.westward { way } else { -way }
}

/// Checks all streams; returns the number of values that nothing samples.
pub fn check(config: &Config, launch: &Launch, found: &mut Violations) -> u64 {
    let mut streams = Streams {
        config,
        runs: launch.runs.iter().flatten().collect(),
        flows: vec![Vec::new(); 64],
    };
    for id in 0..streams.runs.len() {
        streams.drive(id);
    }
    streams.collisions(found);
    for id in 0..streams.runs.len() {
        streams.sample(id, found);
    }
    let flows = streams.flows.iter().flatten();
    flows.filter(|flow| !flow.sampled).count() as u64
}

impl Streams<'_> {
    fn place(&self, position: u32) -> String {
        match position as usize {
            slice if slice < self.config.mem.slices => format!("mem{slice}"),
            _ => "mxm".to_owned(),
        }
    }

    /// Adds the flows of a run.
    fn drive(&mut self, id: usize) {
        let run = self.runs[id];
        let mut push = |stream: Stream, issue: u64, visible: u64, position: u32| {
            self.flows[slot(stream)].push(Flow {
                key: key(stream, visible, position),
                position,
                issue,
                run: id as u32,
                sampled: false,
            });
        };
        let slice = run.queue.index as u32;
        match run.operation {
            Operation::Read { stream } => {
                for issue in run.issues() {
                    push(stream, issue.cycle, issue.cycle + READ_LATENCY, slice);
                }
            }
            Operation::Gather { stream, .. } => {
                for issue in run.issues() {
                    push(stream, issue.cycle, issue.cycle + GATHER_LATENCY, slice);
                }
            }
            Operation::Accumulate { stream, emit, .. } => {
                let mxm = self.config.mem.slices as u32;
                for issue in run.issues().filter(|i| emits(emit, run, i.j0, i.j1)) {
                    for byte in 0..4 {
                        let stream = Stream::west(stream + byte);
                        push(stream, issue.cycle, issue.cycle + ACC_LATENCY, mxm);
                    }
                }
            }
            _ => {}
        }
    }

    /// Sorts the flows downstream and reports those that meet.
    fn collisions(&mut self, found: &mut Violations) {
        for slot in 0..self.flows.len() {
            let westward = slot >= 32;
            let order = |flow: &Flow| {
                let way = i64::from(flow.position);
                (flow.key, if westward { -way } else { way }, flow.run)
            };
            let mut flows = std::mem::take(&mut self.flows[slot]);
            if !flows.is_sorted_by_key(order) {
                flows.sort_unstable_by_key(order);
            }
            for pair in flows.windows(2).filter(|pair| pair[0].key == pair[1].key) {
                let [first, second] = [pair[0], pair[1]];
                let way = i64::from(second.position);
                let visible = second.key + if westward { -way } else { way };
                found.push(Violation::Collision {
                    cycle: (visible - 1) as u64,
                    place: self.place(second.position),
                    stream: Stream {
                        westward,
                        index: (slot & 31) as u8,
                    },
                    first: self.runs[first.run as usize].site(first.issue),
                    second: self.runs[second.run as usize].site(second.issue),
                });
            }
            self.flows[slot] = flows;
        }
    }

    /// Checks that every cell a run samples is valid.
    fn sample(&mut self, id: usize, found: &mut Violations) {
        let run = self.runs[id];
        let mem = run.queue.index as u32;
        let mxm = self.config.mem.slices as u32;
        let from = match run.queue.kind {
            QueueKind::MemRead | QueueKind::MemWrite => mem,
            _ => mxm,
        };
        let mut operands = Vec::new();
        match run.operation {
            Operation::Gather { offset, .. } => operands.push(offset),
            Operation::Write { stream } => operands.push(stream),
            Operation::Scatter { stream, offset } => operands.extend([stream, offset]),
            Operation::LoadOperand { stream } | Operation::MultiplyStream { stream } => {
                operands.push(Stream::east(stream));
            }
            Operation::LoadWeights { stream, .. } => {
                let streams = stream..stream.saturating_add(run.width as u8);
                operands.extend(streams.map(Stream::east));
            }
            _ => {}
        }
        for stream in operands {
            let mut hint = 0;
            for issue in run.issues() {
                if !self.valid(stream, issue.cycle, from, &mut hint) {
                    found.push(Violation::OperandMissing {
                        cycle: issue.cycle,
                        place: self.place(from),
                        stream,
                        site: run.site(issue.cycle),
                        near: self.near(stream, issue.cycle, from),
                    });
                }
            }
        }
    }

    /// Flow that the unit at `position` sees in `cycle`: the cell of its upstream neighbour.
    fn seen(stream: Stream, cycle: u64, position: u32) -> i64 {
        key(stream, cycle + HOP_LATENCY, position)
    }

    /// Whether a flow driven upstream of `position` passes it.
    fn upstream(stream: Stream, flow: &Flow, position: u32) -> bool {
        match stream.westward {
            true => flow.position > position,
            false => flow.position < position,
        }
    }

    /// Whether the unit at `position` sees a valid cell; `hint` makes successive look-ups cheap.
    fn valid(&mut self, stream: Stream, cycle: u64, position: u32, hint: &mut usize) -> bool {
        let flows = &mut self.flows[slot(stream)];
        let end = flows.len();
        let wanted = Self::seen(stream, cycle, position);
        let near = flows.get(*hint..(*hint + 2).min(end)).unwrap_or_default();
        *hint = match near.iter().position(|flow| flow.key == wanted) {
            Some(offset) => *hint + offset,
            None => flows.partition_point(|flow| flow.key < wanted),
        };
        let same = &mut flows[(*hint).min(end)..];
        let mut same = same.iter_mut().take_while(|flow| flow.key == wanted);
        let flow = same.find(|flow| Self::upstream(stream, flow, position));
        flow.map(|flow| flow.sampled = true).is_some()
    }

    /// The upstream value nearest in time, in words.
    fn near(&self, stream: Stream, cycle: u64, position: u32) -> String {
        let wanted = Self::seen(stream, cycle, position);
        let nearest = self.flows[slot(stream)]
            .iter()
            .filter(|flow| Self::upstream(stream, flow, position))
            .min_by_key(|flow| flow.key.abs_diff(wanted));
        match nearest {
            None => "; nothing upstream ever drives it".to_owned(),
            Some(flow) => {
                let distance = flow.key.abs_diff(wanted);
                let (unit, when) = (
                    if distance == 1 { "cycle" } else { "cycles" },
                    if flow.key > wanted { "late" } else { "early" },
                );
                let site = self.runs[flow.run as usize].site(flow.issue);
                format!("; the nearest value, of {site}, is {distance} {unit} too {when}")
            }
        }
    }
}
