//! A small synchronous queue.

use crate::info::Info;
use rust_hdl::prelude::*;
use std::collections::VecDeque;

/// A small synchronous queue.
///
/// `write` with `full` low takes `in_data`; `read` with `empty` low gives the oldest word on `out_data` one cycle later,
/// where it stays until the next read. A write while full and a read while empty do nothing, whatever the other side does.
/// `level` counts the words inside. Reset empties the queue and leaves `out_data` alone, which is undefined before the
/// first read.
///
/// Depth: a power of two, 2 to 32768. Latency: one cycle from `read` to `out_data`, two from `write` to the earliest
/// `out_data`.
#[derive(Clone, Debug, LogicBlock)]
pub struct Fifo<const D: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset, active high: empties the queue.
    pub reset: Signal<In, Bit>,
    /// Takes `in_data` when high, unless `full`.
    pub write: Signal<In, Bit>,
    /// Word to put in.
    pub in_data: Signal<In, Bits<D>>,
    /// Takes a word out when high, unless `empty`.
    pub read: Signal<In, Bit>,
    /// The word taken out last.
    pub out_data: Signal<Out, Bits<D>>,
    /// No word inside.
    pub empty: Signal<Out, Bit>,
    /// No room inside.
    pub full: Signal<Out, Bit>,
    /// Number of words inside.
    pub level: Signal<Out, Bits<16>>,
    info: Info,
    _depth: usize,
    _words: VecDeque<Bits<D>>,
}

impl<const D: usize> Fifo<D> {
    /// Cycles from `read` to `out_data`.
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
            write: Signal::default(),
            in_data: Signal::default(),
            read: Signal::default(),
            out_data: Signal::default(),
            empty: Signal::default(),
            full: Signal::default(),
            level: Signal::default(),
            info: Info::new("fifo", file!())
                .summary("Synchronous queue")
                .param("DEPTH", depth)
                .param("DATA_BITS", D)
                .port("write", "ignored while full")
                .port("read", "ignored while empty")
                .port("out_data", "one cycle after read")
                .port("level", "words inside"),
            _depth: depth,
            _words: VecDeque::new(),
        }
    }
}

impl<const D: usize> Logic for Fifo<D> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let write = self.write.val() && self._words.len() < self._depth;
            let read = self.read.val() && !self._words.is_empty();
            if self.reset.val() {
                self._words.clear();
            } else {
                if read && let Some(word) = self._words.pop_front() {
                    self.out_data.next = word;
                }
                if write {
                    self._words.push_back(self.in_data.val());
                }
            }
        }
        self.empty.next = self._words.is_empty();
        self.full.next = self._words.len() == self._depth;
        self.level.next = Bits::from(self._words.len() as u64);
    }

    fn connect(&mut self) {
        self.out_data.connect();
        self.empty.connect();
        self.full.connect();
        self.level.connect();
    }

    fn hdl(&self) -> Verilog {
        let depth = self._depth;
        let bits = depth.trailing_zeros();
        let range = if bits == 1 {
            String::new()
        } else {
            format!("[{}:0] ", bits - 1)
        };
        Verilog::Custom(format!(
            "\
reg [{top}:0] memory [0:{last}];
reg {range}head;
reg {range}tail;
wire do_write;
wire do_read;

assign do_write = write && !full;
assign do_read = read && !empty;

always @(*) begin
  empty = level == 16'd0;
  full = level == 16'd{depth};
end

always @(posedge clock) begin
  if (reset) begin
    head <= {bits}'d0;
    tail <= {bits}'d0;
    level <= 16'd0;
  end else begin
    if (do_write) begin
      memory[tail] <= in_data;
      tail <= tail + {bits}'d1;
    end
    if (do_read) begin
      out_data <= memory[head];
      head <= head + {bits}'d1;
    end
    if (do_write && !do_read) level <= level + 16'd1;
    if (do_read && !do_write) level <= level - 16'd1;
  end
end",
            top = D - 1,
            last = depth - 1,
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "fifo".into(),
            clock: "clock".into(),
            inputs: ["reset", "write", "in_data", "read"]
                .map(String::from)
                .to_vec(),
            outputs: ["out_data", "empty", "full", "level"]
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

    fn step(fifo: &mut Fifo<8>, write: Option<u64>, read: bool) {
        fifo.write.next = write.is_some();
        fifo.in_data.next = Bits::from(write.unwrap_or(0));
        fifo.read.next = read;
        cycle(fifo, |fifo, level| fifo.clock.next = Clock::from(level));
    }

    #[test]
    fn a_full_queue_refuses_and_an_empty_one_stays() {
        let mut fifo = Fifo::<8>::new(2);
        fifo.connect_all();
        // write, read -> level, full, empty, out_data
        let rows = [
            (None, true, 0, false, true, 0),
            (Some(1), false, 1, false, false, 0),
            (Some(2), false, 2, true, false, 0),
            (Some(3), false, 2, true, false, 0),
            (Some(4), true, 1, false, false, 1),
            (None, true, 0, false, true, 2),
            (None, true, 0, false, true, 2),
        ];
        for (write, read, level, full, empty, data) in rows {
            step(&mut fifo, write, read);
            let now = (
                fifo.level.val().to_u64(),
                fifo.full.val(),
                fifo.empty.val(),
                fifo.out_data.val().to_u64(),
            );
            assert_eq!(
                now,
                (level, full, empty, data),
                "write {write:?}, read {read}"
            );
        }
    }

    proptest! {
        #[test]
        fn words_come_out_in_order(steps in prop::collection::vec((any::<Option<u8>>(), any::<bool>()), 1..100)) {
            let mut fifo = Fifo::<8>::new(4);
            fifo.connect_all();
            let mut model = VecDeque::new();
            for (write, read) in steps {
                let room = model.len() < 4;
                let expected = if read { model.pop_front() } else { None };
                if let (true, Some(word)) = (room, write) {
                    model.push_back(word);
                }
                step(&mut fifo, write.map(u64::from), read);
                if let Some(word) = expected {
                    prop_assert_eq!(fifo.out_data.val().to_u64(), u64::from(word));
                }
                prop_assert_eq!(fifo.level.val().to_u64(), model.len() as u64);
            }
        }
    }
}
