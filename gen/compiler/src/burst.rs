//! Bursts: operations of several queues with fixed distances, placed where their queues are free.

use crate::CompileError;
use crate::nest::Nest;
use crate::timeline::{Event, Timeline};
use lpu_isa::{Config, Operation, Queue};
use std::collections::BTreeMap;

/// Operations with fixed distances; cycle 0 is wherever the burst is placed.
#[derive(Clone, Debug, Default)]
pub struct Burst {
    events: Vec<Event>,
    /// Cycles, first and last, of what queues share besides themselves; see [`Burst::claim`].
    claims: Vec<(usize, i64, i64)>,
}

impl Burst {
    pub fn push(&mut self, queue: Queue, operation: Operation, nest: Nest) {
        self.events.push(Event {
            queue,
            operation,
            nest,
        });
    }

    /// Takes something that no queue stands for, such as a diagonal of streams, from cycle `first` to `last`: two bursts never have it
    /// in one cycle.
    pub fn claim(&mut self, what: usize, first: i64, last: i64) {
        self.claims.push((what, first, last));
    }

    /// Last issue of the queues of one kind; `None` if there is none.
    pub fn last(&self, wanted: impl Fn(Queue) -> bool) -> Option<i64> {
        let events = self.events.iter().filter(|event| wanted(event.queue));
        events.map(|event| event.nest.last()).max()
    }
}

/// Things that can be claimed.
const CLAIMS: usize = 1;

/// What each queue does, so far.
#[derive(Debug)]
pub struct Calendar<'a> {
    config: &'a Config,
    /// For each queue id, and then for what can be claimed: the last cycle of what begins in a cycle.
    busy: Vec<BTreeMap<i64, i64>>,
    timeline: Timeline,
}

impl<'a> Calendar<'a> {
    pub fn new(config: &'a Config) -> Self {
        Self {
            config,
            busy: vec![BTreeMap::new(); config.num_queues() + CLAIMS],
            timeline: Timeline::default(),
        }
    }

    /// Places a burst in the first cycle from `from` on in which all its queues are free, and says which that is.
    pub fn place(&mut self, burst: Burst, from: i64) -> Result<i64, CompileError> {
        let spans = self.spans(&burst)?;
        let cycle = self.first_fit(&spans, from);
        for (queue, first, last) in spans {
            self.busy[queue].insert(first + cycle, last + cycle);
        }
        for mut event in burst.events {
            event.nest.start += cycle;
            self.timeline.events.push(event);
        }
        Ok(cycle)
    }

    /// Where [`Calendar::place`] would place a burst.
    pub fn fit(&self, burst: &Burst, from: i64) -> Result<i64, CompileError> {
        Ok(self.first_fit(&self.spans(burst)?, from))
    }

    /// Queue, first and last cycle of each instruction of a burst.
    fn spans(&self, burst: &Burst) -> Result<Vec<(usize, i64, i64)>, CompileError> {
        let queues = self.config.num_queues();
        let claims = burst.claims.iter();
        let mut spans: Vec<_> = claims
            .map(|&(what, first, last)| (queues + what, first, last))
            .collect();
        for event in &burst.events {
            let queue = event.queue;
            let pieces = event.nest.lower().ok_or(CompileError::Fields { queue })?;
            spans.extend(pieces.iter().map(|piece| {
                let last = piece.start + piece.repeat.duration() as i64 - 1;
                (queue.id(self.config), piece.start, last)
            }));
        }
        Ok(spans)
    }

    fn first_fit(&self, spans: &[(usize, i64, i64)], from: i64) -> i64 {
        let mut cycle = from;
        while let Some(later) = spans.iter().find_map(|&(queue, first, last)| {
            let free = self.free_from(queue, first + cycle, last + cycle)?;
            Some(free - first)
        }) {
            cycle = later;
        }
        cycle
    }

    /// If the queue is busy between `first` and `last`: the first cycle after the obstacle.
    fn free_from(&self, queue: usize, first: i64, last: i64) -> Option<i64> {
        let (_, &end) = self.busy[queue].range(..=last).next_back()?;
        (end >= first).then_some(end + 1)
    }

    /// CONFIG `register` of a queue in `cycle`, in which it must be free.
    pub fn configure(&mut self, queue: Queue, cycle: i64, register: u8, value: u16) {
        self.busy[queue.id(self.config)].insert(cycle, cycle);
        self.timeline.configs.push((queue, cycle, register, value));
    }

    /// First cycle in which a queue does anything.
    pub fn first(&self, queue: Queue) -> Option<i64> {
        let busy = &self.busy[queue.id(self.config)];
        busy.keys().next().copied()
    }

    pub fn finish(self) -> Timeline {
        self.timeline
    }
}

#[cfg(test)]
mod tests {
    use super::{Burst, Calendar};
    use crate::nest::{Level, Nest};
    use lpu_isa::{Config, Operation, Queue, QueueKind, Stream};

    fn reads(slice: usize, start: i64, count: usize) -> Burst {
        let mut burst = Burst::default();
        let read = Operation::Read {
            stream: Stream::east(0),
        };
        let nest = Nest::free(start, 0, &[Level::new(count, 1, 1)]);
        burst.push(Queue::new(QueueKind::MemRead, slice), read, nest);
        burst
    }

    #[test]
    fn a_burst_waits_until_all_its_queues_are_free() {
        let config = Config::preset("nano").unwrap();
        let mut calendar = Calendar::new(&config);
        assert_eq!(calendar.place(reads(0, 0, 10), 5).unwrap(), 5);
        assert_eq!(calendar.place(reads(1, 0, 4), 20).unwrap(), 20);
        // A gap before what is there is used, one that is too short is not.
        assert_eq!(calendar.place(reads(0, 2, 3), 0).unwrap(), 0);
        assert_eq!(calendar.place(reads(0, 0, 3), 0).unwrap(), 15);
        let mut both = reads(0, 0, 4);
        both.events.extend(reads(1, 3, 4).events);
        assert_eq!(both.last(|queue| queue.index == 1), Some(6));
        assert_eq!(calendar.fit(&both, 0).unwrap(), 21);
        assert_eq!(calendar.place(both, 0).unwrap(), 21);
    }
}
