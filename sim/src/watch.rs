//! Watches: events collected in C++ as the model runs, and drained in batches.

use crate::bridge::ffi;
use crate::model::{Model, SignalId};

/// What to look at after every rising edge.
///
/// In each cycle in which `valid` is not zero, one event is kept. If `valid` has one bit, the event's words are those of the
/// payload signals in turn; if it has more, it is a mask, and its own words come first.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Marks the events; several watches may share it.
    pub id: u32,
    /// Group, 0 to 63, by which watches are enabled and disabled.
    pub group: u32,
    /// The signal that says there is something.
    pub valid: SignalId,
    /// The signals to keep when there is.
    pub payload: Vec<SignalId>,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// [`Model::cycle`] after the rising edge at which it was seen.
    pub cycle: u64,
    /// From its [`Watch`].
    pub id: u32,
    /// One word per started 64 bits of each signal, the least significant first.
    pub words: &'a [u64],
}

/// Events in the order of their cycles and, within a cycle, of the calls to [`Model::add_watch`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventBatch {
    words: Vec<u64>,
}

impl EventBatch {
    /// The events.
    pub fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        let mut rest = self.words.as_slice();
        std::iter::from_fn(move || {
            let [cycle, header, tail @ ..] = rest else {
                return None;
            };
            let (words, tail) = tail.split_at((header >> 32) as usize);
            rest = tail;
            Some(Event {
                cycle: *cycle,
                id: *header as u32,
                words,
            })
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl Model {
    /// Begins to watch.
    pub fn add_watch(&mut self, watch: &Watch) {
        assert!(
            watch.group < 64,
            "watch group {} is not below 64",
            watch.group
        );
        for &signal in watch.payload.iter().chain([&watch.valid]) {
            assert!(self.width(signal) > 0, "a signal of another model");
        }
        let payload: Vec<u32> = watch.payload.iter().map(|signal| signal.0).collect();
        ffi::add_watch(
            self.inner.pin_mut(),
            watch.id,
            watch.group,
            watch.valid.0,
            &payload,
        );
    }

    /// Enables the watch groups whose bits are set in `groups` and disables all others; at first all are enabled. A disabled
    /// watch costs no time.
    pub fn enable_groups(&mut self, groups: u64) {
        self.inner.pin_mut().enable_groups(groups);
    }

    /// The events since the last call.
    pub fn drain_events(&mut self) -> EventBatch {
        let mut batch = EventBatch::default();
        self.drain_events_into(&mut batch);
        batch
    }

    /// The events since the last call, in place of what `batch` holds; reuses its memory.
    pub fn drain_events_into(&mut self, batch: &mut EventBatch) {
        batch.words.clear();
        batch.words.resize(self.inner.event_words(), 0);
        ffi::drain_events(self.inner.pin_mut(), &mut batch.words);
    }
}
