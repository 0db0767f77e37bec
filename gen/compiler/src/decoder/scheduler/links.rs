//! What goes to other chips and comes from them.

use super::super::attend::Half;
use super::{Passes, Scheduler, Work};
use crate::alu::PLANES;
use crate::nest::{Form, Level, Nest};
use lpu_isa::c2c::Shape;
use lpu_isa::latency::RECEIVE_LATENCY;
use lpu_isa::rack::Rack;
use lpu_isa::{Operation, Queue, QueueKind};

/// What flits bring to other chips: of each sequence one after the other, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A tile of keys or values of a head for the cache.
    Cache {
        half: Half,
        head: usize,
        element: usize,
    },
    /// Codes for `count` rows of the operand buffer, `stride` apart.
    Row {
        row: usize,
        stride: usize,
        count: usize,
    },
    /// A tile of x: four byte planes.
    X { tile: usize },
}

/// Flits under way: what they bring, and when the first SEND issues.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub what: Arrival,
    pub issue: i64,
}

/// The links of a chip that a program uses.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// All of these take what is sent.
    pub out: Vec<usize>,
    /// Whether anything comes by a link.
    pub receives: bool,
    /// Cycles without a SEND behind each word, or row of codes.
    pub rest: usize,
    /// Their frames, if they have some.
    pub shape: Option<Shape>,
}

impl Links {
    /// All links of a chip of a rack.
    pub fn all(rack: &Rack) -> Self {
        Self {
            out: (0..rack.links()).collect(),
            receives: rack.links() > 0,
            rest: 0,
            shape: rack.shape(),
        }
    }
}

/// The diagonal on which words come to the vector unit, and what other chips send; see [`Burst::claim`](crate::burst::Burst::claim).
const WORDS: usize = 0;

impl Scheduler<'_> {
    /// From a pass to the SEND of what it gives.
    pub fn way_of_sent(&self) -> i64 {
        self.vector_latency() + self.config.vxm_position() as i64
    }

    /// From the first RECEIVE of a word to the pass that takes it.
    pub fn way_of_words(&self) -> i64 {
        (RECEIVE_LATENCY as usize + self.config.vxm_position() + PLANES - 1) as i64
    }

    /// The cycle behind the last RECEIVE of a link.
    pub fn received(&self, link: usize) -> i64 {
        self.receive_from[link]
    }

    /// Cycles from a word that is sent to the next.
    pub const fn word_interval(&self) -> usize {
        PLANES + self.links.rest
    }

    /// What was sent since the last call.
    pub fn take_sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    /// Words that reach the vector unit from cycle `start` on: nothing from other chips may be beside them.
    pub fn claim_words(&self, work: &mut Work, start: i64, level: Level) {
        if !self.links.receives {
            return;
        }
        for i in 0..level.count as i64 {
            let at = start + i * level.interval as i64;
            work.burst.claim(WORDS, at, at);
        }
    }

    /// SEND, by all links, of a stream that the vector unit drives westward in consequence of passes.
    pub fn send(&self, work: &mut Work, passes: Passes, stream: u8) {
        let start = passes.start + self.way_of_sent();
        let nest = Nest::free(start, 0, &[Level::new(passes.count, passes.interval, 0)]);
        let issues = (0..passes.count).map(|i| start + (i * passes.interval) as i64);
        work.sending.extend(issues);
        for &link in &self.links.out {
            let queue = Queue::new(QueueKind::C2cSend, link);
            let operation = Operation::Send { stream };
            work.burst.push(queue, operation, nest.clone());
        }
    }

    /// RECEIVE of a flit of each of `count` sequences, or of four as words, from cycle 0 on; they pass the vector unit's position
    /// from the cycle that is returned on.
    pub fn receive(
        &self,
        work: &mut Work,
        link: usize,
        stream: u8,
        count: usize,
        word: bool,
    ) -> i64 {
        let operation = Operation::Receive { stream, word };
        let last_plane = PLANES as i64 - 1;
        let (nest, first, interval) = match word {
            true => {
                let interval = self.word_interval();
                let levels = [Level::new(PLANES, 1, 0), Level::new(count, interval, 0)];
                let nest = Nest::new(0, 0, Form::Inner, &levels);
                (nest, self.way_of_words(), interval)
            }
            false => {
                let nest = Nest::free(0, 0, &[Level::new(count, 1, 0)]);
                (nest, self.way_of_words() - last_plane, 1)
            }
        };
        work.receiving = Some((link, 0, nest.last()));
        self.claim_words(work, first, Level::new(count, interval, 0));
        let queue = Queue::new(QueueKind::C2cReceive, link);
        work.burst.push(queue, operation, nest);
        first
    }

    /// LX of what comes from another chip, from cycle `start` on.
    pub fn load_arrival(
        &self,
        work: &mut Work,
        start: i64,
        stream: u8,
        count: usize,
        [row, stride]: [usize; 2],
    ) {
        let load = Operation::LoadOperand {
            stream,
            scales: None,
        };
        let nest = Nest::free(start, row, &[Level::new(count, 1, stride)]);
        let queue = Queue::new(QueueKind::MxmCompute, 0);
        work.burst.push(queue, load, nest);
        for i in 0..count {
            work.rows.writes.push((row + i * stride, start + i as i64));
        }
    }
}
