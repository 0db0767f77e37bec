//! From phases to the operations of every queue.

use super::Format;
use super::balance::overlap;
use super::phases::Phase;
use super::place::{Activations, Placement};
use super::plan::{Mode, Plan};
use crate::nest::{Form, Level, Nest};
use crate::timeline::Timeline;
use lpu_isa::instruction::encoding::register;
use lpu_isa::latency::{HOP_LATENCY, READ_LATENCY, acc_latency, mm_latency};
use lpu_isa::{AccMode, Config, Operation, Queue, QueueKind, Stream};

/// A plan with its placement and phases, ready to be written down.
pub struct Emitter<'a> {
    pub config: &'a Config,
    pub format: Format,
    pub plan: &'a Plan,
    pub placement: &'a Placement,
}

impl Emitter<'_> {
    /// Everything that every queue does.
    pub fn timeline(&self, phases: &[Phase]) -> Timeline {
        let mut timeline = Timeline::default();
        self.configure(phases, &mut timeline);
        for phase in phases {
            self.weights(phase, &mut timeline);
            self.activations(phase, &mut timeline);
            self.multiply(phase, &mut timeline);
            self.accumulate(phase, &mut timeline);
            self.results(phase, &mut timeline);
        }
        timeline
    }

    fn hops(&self, slice: usize) -> i64 {
        (self.config.mxm_position() - 1 - slice) as i64 * HOP_LATENCY as i64
    }

    /// A READ whose first vector the MXM samples in `cycle`.
    fn read(&self, slice: usize, stream: usize, mut nest: Nest, timeline: &mut Timeline) {
        nest.start -= READ_LATENCY as i64 + self.hops(slice);
        let stream = Stream::east(stream as u8);
        let queue = Queue::new(QueueKind::MemRead, slice);
        timeline.push(queue, Operation::Read { stream }, nest);
    }

    fn planes(&self, kind: QueueKind) -> impl Iterator<Item = (usize, Queue)> + use<> {
        (0..self.plan.planes).map(move |plane| (plane, Queue::new(kind, plane)))
    }

    /// CONFIG of the weight streams and the format, just before the first LW.
    fn configure(&self, phases: &[Phase], timeline: &mut Timeline) {
        let Some(first) = phases.first() else { return };
        let cycle = first.weights_start(self.plan) - 1;
        let streams = self.plan.streams;
        for (_, queue) in self.planes(QueueKind::MxmWeights) {
            if streams != self.config.mxm.weight_streams {
                let setting = (queue, cycle, register::WEIGHT_STREAMS, streams as u16);
                timeline.configs.push(setting);
            }
            if let Some(format) = self.format.mxm() {
                let setting = (queue, cycle - 1, register::FORMAT, format.code());
                timeline.configs.push(setting);
            }
        }
    }

    fn weights(&self, phase: &Phase, timeline: &mut Timeline) {
        let plan = self.plan;
        let start = phase.weights_start(plan);
        for segment in &self.placement.weights {
            let Some(tiles) = overlap(&segment.tiles, &phase.tile_range()) else {
                continue;
            };
            let skipped = (tiles.start - phase.first_tile) * phase.period;
            let address = segment.address + (tiles.start - segment.tiles.start) * plan.burst;
            let levels = [
                Level::new(plan.burst, 1, 1),
                Level::new(tiles.len(), phase.period, plan.burst),
            ];
            let (plane, i) = (segment.class / plan.streams, segment.class % plan.streams);
            let nest = Nest::free(start + skipped as i64, address, &levels);
            self.read(segment.slice, plane * plan.group + i, nest, timeline);
        }
        for (plane, queue) in self.planes(QueueKind::MxmWeights) {
            let load = Operation::LoadWeights {
                stream: (plane * plan.group) as u8,
                column: false,
                install: true,
            };
            let levels = [
                Level::new(plan.burst, 1, plan.streams),
                Level::new(phase.tiles(), phase.period, 0),
            ];
            timeline.push(queue, load, Nest::new(start, 0, Form::Inner, &levels));
        }
    }

    /// READs of the activations and their scales, and LX in decode mode.
    fn activations(&self, phase: &Phase, timeline: &mut Timeline) {
        let activations = self.placement.activations_of(phase.pass);
        self.beside(phase, activations, self.plan.activation_stream, timeline);
        if let Some(stream) = self.plan.scale_stream {
            let scales = self.placement.scales_of(phase.pass);
            self.beside(phase, scales, stream, timeline);
        }
        let Some(load) = phase.load else { return };
        let stream = self.plan.activation_stream as u8;
        let scales = self.plan.scale_stream.map(|stream| stream as u8);
        for (_, queue) in self.planes(QueueKind::MxmCompute) {
            let nest = Nest::free(load, 0, &[Level::new(phase.k.len() * phase.rows, 1, 1)]);
            timeline.push(queue, Operation::LoadOperand { stream, scales }, nest);
        }
    }

    /// READs of a vector for each row and k tile.
    fn beside(
        &self,
        phase: &Phase,
        segments: &[Activations],
        stream: usize,
        timeline: &mut Timeline,
    ) {
        let rows = phase.rows;
        let turn = phase.k.len() * phase.period;
        for segment in segments {
            let Some(k) = overlap(&segment.k, &phase.k) else {
                continue;
            };
            let skipped = k.start - phase.k.start;
            let address = segment.address + (k.start - segment.k.start) * rows;
            let nest = match phase.load {
                Some(load) => {
                    let start = load + (skipped * rows) as i64;
                    Nest::free(start, address, &[Level::new(k.len() * rows, 1, 1)])
                }
                None => {
                    let start = phase.start + (skipped * phase.period) as i64;
                    let levels = [
                        Level::new(rows, phase.spacing, 1),
                        Level::new(k.len(), phase.period, rows),
                        Level::new(phase.n.len(), turn, 0),
                    ];
                    Nest::free(start, address, &levels)
                }
            };
            self.read(segment.slice, stream, nest, timeline);
        }
    }

    fn multiply(&self, phase: &Phase, timeline: &mut Timeline) {
        let (operation, step) = match self.plan.mode {
            Mode::Decode => {
                let scaled = self.plan.scale_stream.is_some();
                (Operation::MultiplyBuffer { scaled }, 1)
            }
            Mode::Streamed => {
                let stream = self.plan.activation_stream as u8;
                let scales = self.plan.scale_stream.map(|stream| stream as u8);
                (Operation::MultiplyStream { stream, scales }, 0)
            }
        };
        let levels = [
            Level::new(phase.rows, phase.spacing, step),
            Level::new(phase.k.len(), phase.period, phase.rows * step),
            Level::new(phase.n.len(), phase.k.len() * phase.period, 0),
        ];
        for (_, queue) in self.planes(QueueKind::MxmCompute) {
            timeline.push(queue, operation, Nest::free(phase.start, 0, &levels));
        }
    }

    fn accumulate(&self, phase: &Phase, timeline: &mut Timeline) {
        let init = phase.k.start == 0;
        let emit = phase.k.end == self.plan.k_tiles();
        let k_tiles = phase.k.len();
        // Sums that are continued in a later phase need rows of their own.
        let step = if self.plan.k.len() > 1 { phase.rows } else { 0 };
        let rows = Level::new(phase.rows, phase.spacing, 1);
        let k = Level::new(k_tiles, phase.period, 0);
        let n = Level::new(phase.n.len(), k_tiles * phase.period, step);
        let (form, levels, turn) = match (k_tiles, phase.rows) {
            (1, _) => (Form::Free, vec![rows, n], AccMode::Always),
            _ if !init && !emit => (Form::Free, vec![rows, k, n], AccMode::Never),
            (_, 1) => (Form::Inner, vec![k, n], AccMode::Inner),
            _ => (Form::Both, vec![rows, k, n], AccMode::Outer),
        };
        let mode = |on: bool| if on { turn } else { AccMode::Never };
        let start = phase.start + mm_latency(self.config) as i64;
        for (plane, queue) in self.planes(QueueKind::MxmAccumulate) {
            let operation = Operation::Accumulate {
                stream: 4 * plane as u8,
                init: mode(init),
                emit: mode(emit),
            };
            timeline.push(queue, operation, Nest::new(start, 0, form, &levels));
        }
    }

    fn results(&self, phase: &Phase, timeline: &mut Timeline) {
        if phase.k.end != self.plan.k_tiles() {
            return;
        }
        let turn = phase.k.len() * phase.period;
        for segment in self.placement.results_of(phase.pass) {
            let Some(n) = overlap(&segment.n, &phase.n) else {
                continue;
            };
            let tiles = (n.start - phase.n.start + 1) * turn - phase.period;
            let issue = phase.start + (tiles as u64 + mm_latency(self.config)) as i64;
            let levels = [
                Level::new(phase.rows, phase.spacing, 1),
                Level::new(n.len(), turn, phase.rows),
            ];
            for (stream, &(slice, address)) in segment.planes.iter().enumerate() {
                let start = issue + acc_latency(self.config) as i64 + self.hops(slice);
                let address = address + (n.start - segment.n.start) * phase.rows;
                let stream = Stream::west(stream as u8);
                let queue = Queue::new(QueueKind::MemWrite, slice);
                let nest = Nest::free(start, address, &levels);
                timeline.push(queue, Operation::Write { stream }, nest);
            }
        }
    }
}
