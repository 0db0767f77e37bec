//! A queue between two sides that may each wait, the oldest word in sight.

use crate::info::Info;
use rust_hdl::prelude::*;

/// A queue between two sides that may each wait, the oldest word in sight.
///
/// ```text
/// in_valid   __/~~~~~~~~\______      a word moves in a cycle in which valid and ready are both high
/// in_data      X a  X b  X
/// in_ready   ~~~~~~~~~~~~~~~~~~      low only when DEPTH words are inside
/// out_valid  _______/~~~~~~~~~\_
/// out_data          X a  X b  X      shown until it is taken
/// ```
///
/// `in_ready` and `out_valid` come from registers, so two words are enough to cut every path of a handshake and still move one
/// word a cycle. Once high, `out_valid` and `out_data` stay until `out_ready`.
///
/// Depth: a power of two, 2 to 32768. Latency: one cycle. Reset empties the queue. What it does not do: count words
/// ([`Fifo`](super::Fifo) does).
#[derive(Clone, Debug, LogicBlock)]
pub struct StreamFifo<const D: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset, active high: empties the queue.
    pub reset: Signal<In, Bit>,
    /// There is a word.
    pub in_valid: Signal<In, Bit>,
    /// The word.
    pub in_data: Signal<In, Bits<D>>,
    /// There is room.
    pub in_ready: Signal<Out, Bit>,
    /// There is a word inside.
    pub out_valid: Signal<Out, Bit>,
    /// The oldest word; undefined without one.
    pub out_data: Signal<Out, Bits<D>>,
    /// The word is taken.
    pub out_ready: Signal<In, Bit>,
    info: Info,
    _depth: usize,
    _memory: Vec<Bits<D>>,
    _head: usize,
    _count: usize,
}

impl<const D: usize> StreamFifo<D> {
    /// Cycles from a word on `in_data` to the same on `out_data`.
    pub const LATENCY: usize = 1;

    /// An empty queue for `depth` words.
    pub fn new(depth: usize) -> Self {
        let fits = depth.is_power_of_two() && (2..=32768).contains(&depth);
        assert!(
            fits,
            "a queue of {depth} words; the depth is a power of two from 2 to 32768"
        );
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_data: Signal::default(),
            in_ready: Signal::default(),
            out_valid: Signal::default(),
            out_data: Signal::default(),
            out_ready: Signal::default(),
            info: Info::new("stream_fifo", file!())
                .summary("Queue between two sides that may wait")
                .param("DEPTH", depth)
                .param("DATA_BITS", D)
                .port("in_ready", "there is room")
                .port("out_data", "the oldest word, until out_ready"),
            _depth: depth,
            _memory: vec![Bits::default(); depth],
            _head: 0,
            _count: 0,
        }
    }
}

impl<const D: usize> Default for StreamFifo<D> {
    /// The smallest queue that moves a word in every cycle: two words.
    fn default() -> Self {
        Self::new(2)
    }
}

impl<const D: usize> Logic for StreamFifo<D> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let take = self.out_ready.val() && self._count > 0;
            let put = self.in_valid.val() && self._count < self._depth;
            if put {
                self._memory[(self._head + self._count) % self._depth] = self.in_data.val();
            }
            if self.reset.val() {
                (self._head, self._count) = (0, 0);
            } else {
                self._head = (self._head + usize::from(take)) % self._depth;
                self._count = self._count + usize::from(put) - usize::from(take);
            }
        }
        self.in_ready.next = self._count < self._depth;
        self.out_valid.next = self._count > 0;
        self.out_data.next = self._memory[self._head];
    }

    fn connect(&mut self) {
        self.in_ready.connect();
        self.out_valid.connect();
        self.out_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let depth = self._depth;
        let bits = depth.trailing_zeros();
        let range = |bits: u32| match bits {
            1 => String::new(),
            _ => format!("[{}:0] ", bits - 1),
        };
        Verilog::Custom(format!(
            "\
reg [{top}:0] memory [0:{last}];
reg {pointer}head;
reg {pointer}tail;
reg {count_range}count;
wire put;
wire take;
wire [{top}:0] oldest;

assign put = in_valid && in_ready;
assign take = out_valid && out_ready;
assign oldest = memory[head];

always @(*) begin
  in_ready = count != {count_bits}'d{depth};
  out_valid = count != {count_bits}'d0;
  out_data = oldest;
end

always @(posedge clock) begin
  if (put) memory[tail] <= in_data;
  if (reset) begin
    head <= {bits}'d0;
    tail <= {bits}'d0;
    count <= {count_bits}'d0;
  end else begin
    if (put) tail <= tail + {bits}'d1;
    if (take) head <= head + {bits}'d1;
    if (put && !take) count <= count + {count_bits}'d1;
    if (take && !put) count <= count - {count_bits}'d1;
  end
end",
            top = D - 1,
            last = depth - 1,
            pointer = range(bits),
            count_bits = bits + 1,
            count_range = range(bits + 1),
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "stream_fifo".into(),
            clock: "clock".into(),
            inputs: ["reset", "in_valid", "in_data", "out_ready"]
                .map(String::from)
                .to_vec(),
            outputs: ["in_ready", "out_valid", "out_data"]
                .map(String::from)
                .to_vec(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use proptest::prelude::*;

    fn step(fifo: &mut StreamFifo<8>, put: Option<u64>, take: bool) {
        fifo.in_valid.next = put.is_some();
        fifo.in_data.next = Bits::from(put.unwrap_or(0));
        fifo.out_ready.next = take;
        cycle(fifo, |fifo, level| fifo.clock.next = Clock::from(level));
    }

    #[test]
    fn a_word_a_cycle_passes_two_places() {
        let mut fifo = StreamFifo::<8>::new(2);
        fifo.connect_all();
        for now in 1..20u64 {
            step(&mut fifo, Some(now), true);
            assert!(fifo.in_ready.val() && fifo.out_valid.val(), "cycle {now}");
            assert_eq!(fifo.out_data.val().to_u64(), now);
        }
    }

    #[test]
    fn the_oldest_word_waits() {
        let mut fifo = StreamFifo::<8>::new(2);
        fifo.connect_all();
        // put, take -> in_ready, out_valid, out_data
        let rows = [
            (None, true, true, false, None),
            (Some(1), false, true, true, Some(1)),
            (Some(2), false, false, true, Some(1)),
            (Some(3), false, false, true, Some(1)),
            (Some(4), true, true, true, Some(2)),
            (Some(5), true, true, true, Some(5)),
            (None, true, true, false, None),
        ];
        for (put, take, ready, valid, data) in rows {
            step(&mut fifo, put, take);
            let now = (
                fifo.in_ready.val(),
                fifo.out_valid.val(),
                fifo.out_valid.val().then(|| fifo.out_data.val().to_u64()),
            );
            assert_eq!(now, (ready, valid, data), "put {put:?}, take {take}");
        }
    }

    proptest! {
        #[test]
        fn words_come_out_in_order(steps in prop::collection::vec((any::<Option<u8>>(), any::<bool>()), 1..100)) {
            let mut fifo = StreamFifo::<8>::new(4);
            fifo.connect_all();
            step(&mut fifo, None, false);
            let (mut put, mut taken) = (vec![], vec![]);
            for (word, take) in steps {
                if take && fifo.out_valid.val() {
                    taken.push(fifo.out_data.val().to_u64());
                }
                if let Some(word) = word && fifo.in_ready.val() {
                    put.push(u64::from(word));
                }
                step(&mut fifo, word.map(u64::from), take);
                prop_assert_eq!(fifo.out_valid.val(), put.len() > taken.len());
                prop_assert_eq!(fifo.in_ready.val(), put.len() - taken.len() < 4);
            }
            prop_assert_eq!(&put[..taken.len()], &taken[..]);
        }
    }
}
