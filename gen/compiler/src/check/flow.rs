//! Streams: who drives and who samples which cell.

use super::expand::{Issue, Launch, Run};
use super::vector::{descriptor, sxm_latency};
use super::{Violation, Violations};
use lpu_isa::config::MxmFormat;
use lpu_isa::descriptor::Source;
use lpu_isa::latency::{
    ALU_LATENCY, GATHER_LATENCY, HOP_LATENCY, READ_LATENCY, RECEIVE_LATENCY, SFU_LATENCY,
    acc_latency, vxm_latency,
};
use lpu_isa::{AccMode, Config, Operation, Program, Queue, QueueKind, Stream};

/// A value on a stream: its flow (cycle minus or plus position), where and by what it is driven. Positions count from the C2C unit,
/// which has 0 here, so that MEM 0 has 1.
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

/// Neighbouring streams that an issue samples or drives: the first, how many, and how long after the issue.
type Group = (Stream, usize, u64);

struct Streams<'a> {
    config: &'a Config,
    program: &'a Program,
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
pub fn check(config: &Config, program: &Program, launch: &Launch, found: &mut Violations) -> u64 {
    let mut streams = Streams {
        config,
        program,
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
        let Some(position) = (position as usize).checked_sub(1) else {
            return "c2c".to_owned();
        };
        if position < self.config.mem.slices {
            format!("mem{position}")
        } else if position == self.config.mxm_position() {
            "mxm".to_owned()
        } else if self.config.vxm.is_some() && position == self.config.vxm_position() {
            "vxm".to_owned()
        } else {
            "sxm".to_owned()
        }
    }

    fn position(&self, queue: Queue) -> u32 {
        let position = match queue.kind {
            QueueKind::MemRead | QueueKind::MemWrite => queue.index,
            QueueKind::Vxm => self.config.vxm_position(),
            QueueKind::Sxm => self.config.sxm_position(),
            QueueKind::C2cSend | QueueKind::C2cReceive => return 0,
            _ => self.config.mxm_position(),
        };
        position as u32 + 1
    }

    /// What an issue drives; the time is that in which the cells show it.
    fn result(&self, run: &Run, issue: Issue) -> Option<Group> {
        let words = |stream: Stream, planes: usize| {
            let index = stream.index & !(planes as u8 - 1);
            Stream { index, ..stream }
        };
        let sxm = || sxm_latency(self.config, run.operation);
        match run.operation {
            Operation::Read { stream } => Some((stream, 1, READ_LATENCY)),
            Operation::Gather { stream, .. } => Some((stream, 1, GATHER_LATENCY)),
            Operation::Accumulate { stream, emit, .. } => {
                let emits = emits(emit, run, issue.j0, issue.j1);
                emits.then_some((Stream::west(stream), 4, acc_latency(self.config)))
            }
            Operation::Vector { .. } => {
                let output = descriptor(self.program, issue.address).output?;
                let planes = output.format.planes();
                let alus = self.config.vxm.as_ref()?.alus;
                Some((words(output.stream, planes), planes, vxm_latency(alus)))
            }
            Operation::Lanes { to, word, .. } => {
                let planes = if word { 4 } else { 1 };
                Some((words(to, planes), planes, sxm()?))
            }
            Operation::TransposeStore { to } => Some((to, 1, sxm()?)),
            Operation::Reduce { to, .. } => Some((words(to, 4), 4, sxm()?)),
            Operation::Receive { stream, word } => {
                let drives = !word || issue.j0 + 1 == run.repeat.count0;
                let planes = if word { 4 } else { 1 };
                drives.then_some((words(Stream::east(stream), planes), planes, RECEIVE_LATENCY))
            }
            _ => None,
        }
    }

    /// What an issue samples.
    fn operands(&self, run: &Run, issue: Issue) -> [Option<Group>; 2] {
        let words = |stream: Stream, planes: usize, delay: u64| {
            let index = stream.index & !(planes as u8 - 1);
            Some((Stream { index, ..stream }, planes, delay))
        };
        let one = |stream: Stream| Some((stream, 1, 0));
        match run.operation {
            Operation::Gather { offset, .. } => [one(offset), None],
            Operation::Write { stream } => [one(stream), None],
            Operation::Scatter { stream, offset } => [one(stream), one(offset)],
            Operation::LoadOperand { stream, scales }
            | Operation::MultiplyStream { stream, scales } => {
                // A machine without NVFP4 ignores the scales.
                let scales = scales.filter(|_| self.config.mxm.has(MxmFormat::Nvfp4));
                [
                    one(Stream::east(stream)),
                    scales.map(Stream::east).and_then(one),
                ]
            }
            Operation::LoadWeights { stream, .. } => {
                let width = run.weight_streams(self.config, issue);
                [Some((Stream::east(stream), width, 0)), None]
            }
            Operation::Vector { a, b } => {
                let descriptor = descriptor(self.program, issue.address);
                let first = match descriptor.source {
                    Source::Stream(format) => words(a, format.planes(), 0),
                    Source::Register(_) => None,
                };
                let second = descriptor.b.and_then(|(format, alu)| {
                    let delay = (ALU_LATENCY + SFU_LATENCY) * u64::from(alu);
                    words(b, format.planes(), delay)
                });
                [first, second]
            }
            Operation::Lanes { from, word, .. } => [words(from, if word { 4 } else { 1 }, 0), None],
            Operation::TransposeLoad { from } => [one(from), None],
            Operation::Reduce { from, .. } => [words(from, 4, 0), None],
            Operation::Send { stream } => [one(Stream::west(stream)), None],
            _ => [None; 2],
        }
    }

    /// Adds the flows of a run.
    fn drive(&mut self, id: usize) {
        let run = self.runs[id];
        let position = self.position(run.queue);
        for issue in run.issues() {
            let Some((first, planes, latency)) = self.result(run, issue) else {
                continue;
            };
            for plane in 0..planes as u8 {
                let index = first.index + plane;
                let stream = Stream { index, ..first };
                self.flows[slot(stream)].push(Flow {
                    key: key(stream, issue.cycle + latency, position),
                    position,
                    issue: issue.cycle,
                    run: id as u32,
                    sampled: false,
                });
            }
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
        let from = self.position(run.queue);
        // Plane by plane, because look-ups in the order of cycles are cheap. Planes differ between the issues of a pass, and of an LW
        // that goes from weights to scales.
        let differ = matches!(
            run.operation,
            Operation::Vector { .. } | Operation::LoadWeights { .. }
        );
        for operand in 0..2 {
            for plane in 0.. {
                let mut hint = 0;
                let mut planes_left = false;
                for issue in run.issues() {
                    let group = self.operands(run, issue)[operand];
                    let Some((first, _, delay)) = group.filter(|group| plane < group.1) else {
                        if differ {
                            continue;
                        }
                        break;
                    };
                    planes_left = true;
                    let index = first.index + plane as u8;
                    let stream = Stream { index, ..first };
                    let cycle = issue.cycle + delay;
                    if !self.valid(stream, cycle, from, &mut hint) {
                        found.push(Violation::OperandMissing {
                            cycle,
                            place: self.place(from),
                            stream,
                            site: run.site(issue.cycle),
                            near: self.near(stream, cycle, from),
                        });
                    }
                }
                if !planes_left {
                    break;
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
