//! The elastic buffer.

use crate::info::Info;
use rust_hdl::prelude::*;

/// A queue between two clocks, the oldest word in sight: the elastic buffer.
///
/// Each side has a pointer of one bit more than an address, and shows it to the other in Gray code through two flip-flops, of which the
/// first, `meta_*`, may become metastable: only one bit of it changes at a time, so what arrives is the pointer before or
/// after. A word is in the memory before the pointer that shows it leaves.
///
/// `out_level` is what the reading side knows of. A write while full is lost and sets `out_overflow` until `in_reset`.
/// The two resets must overlap: the writing side must not run while the reading side is in reset, nor the other way round.
///
/// Parameters: D bits; the depth, a power of two, 4 to 256. Latency: the next edge of `in_clock`, then two to three of
/// `clock`. Reset empties the queue.
///
/// Source: C. Cummings, "Simulation and synthesis techniques for asynchronous FIFO design", SNUG 2002.
#[derive(LogicBlock)]
pub struct AsyncFifo<const D: usize> {
    /// The clock of the writing side.
    pub in_clock: Signal<In, Clock>,
    /// Synchronous reset of the writing side.
    pub in_reset: Signal<In, Bit>,
    /// There is a word.
    pub in_valid: Signal<In, Bit>,
    /// The word.
    pub in_data: Signal<In, Bits<D>>,
    /// A word was lost; in `in_clock`.
    pub out_overflow: Signal<Out, Bit>,
    /// The clock of the reading side.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset of the reading side.
    pub reset: Signal<In, Bit>,
    /// The oldest word is taken.
    pub in_take: Signal<In, Bit>,
    /// There is a word.
    pub out_valid: Signal<Out, Bit>,
    /// The oldest word.
    pub out_data: Signal<Out, Bits<D>>,
    /// Words inside, as far as this side knows.
    pub out_level: Signal<Out, Bits<9>>,
    info: Info,
    _depth: usize,
    _memory: Vec<Bits<D>>,
    _head: usize,
    _tail: usize,
    /// Pointers in Gray code as registers of their own side, then the two flip-flops of the other.
    _tail_gray: [usize; 3],
    _head_gray: [usize; 3],
    _overflow: bool,
}

/// The Gray code of a number.
fn gray(number: usize) -> usize {
    number ^ number >> 1
}

/// The number of a Gray code.
fn number(gray: usize) -> usize {
    (1..16).fold(gray, |number, shift| number ^ gray >> shift)
}

impl<const D: usize> AsyncFifo<D> {
    /// Most cycles of `clock` from the writing edge to `out_valid`.
    pub const LATENCY: u64 = 3;

    /// An empty queue for `depth` words.
    pub fn new(depth: usize) -> Self {
        assert!(
            depth.is_power_of_two() && (4..=256).contains(&depth),
            "a queue of {depth} words; the depth is a power of two from 4 to 256"
        );
        Self {
            in_clock: Signal::default(),
            in_reset: Signal::default(),
            in_valid: Signal::default(),
            in_data: Signal::default(),
            out_overflow: Signal::default(),
            clock: Signal::default(),
            reset: Signal::default(),
            in_take: Signal::default(),
            out_valid: Signal::default(),
            out_data: Signal::default(),
            out_level: Signal::default(),
            info: Info::new("c2c_async_fifo", file!())
                .summary("Queue between two clocks")
                .param("DEPTH", depth)
                .param("DATA_BITS", D)
                .port("in_clock", "of in_reset, in_valid, in_data, out_overflow")
                .port("out_data", "the oldest word")
                .port("out_level", "words that the reading side knows of"),
            _depth: depth,
            _memory: vec![Bits::default(); depth],
            _head: 0,
            _tail: 0,
            _tail_gray: [0; 3],
            _head_gray: [0; 3],
            _overflow: false,
        }
    }

    fn write_edge(&mut self) {
        let turn = 2 * self._depth;
        let known = number(self._head_gray[2]);
        let full = (self._tail + turn - known) % turn == self._depth;
        self._head_gray[2] = self._head_gray[1];
        self._head_gray[1] = self._head_gray[0];
        if self.in_reset.val() {
            (self._tail, self._tail_gray[0], self._overflow) = (0, 0, false);
        } else if self.in_valid.val() && full {
            self._overflow = true;
        } else if self.in_valid.val() {
            self._memory[self._tail % self._depth] = self.in_data.val();
            self._tail = (self._tail + 1) % turn;
            self._tail_gray[0] = gray(self._tail);
        }
    }

    fn read_edge(&mut self) {
        let turn = 2 * self._depth;
        let any = self._head != number(self._tail_gray[2]);
        self._tail_gray[2] = self._tail_gray[1];
        self._tail_gray[1] = self._tail_gray[0];
        if self.reset.val() {
            (self._head, self._head_gray[0]) = (0, 0);
        } else if self.in_take.val() && any {
            self._head = (self._head + 1) % turn;
            self._head_gray[0] = gray(self._head);
        }
    }
}

impl<const D: usize> Logic for AsyncFifo<D> {
    fn update(&mut self) {
        let (write, read) = (self.in_clock.pos_edge(), self.clock.pos_edge());
        if write {
            self.write_edge();
        }
        if read {
            self.read_edge();
        }
        let turn = 2 * self._depth;
        let level = (number(self._tail_gray[2]) + turn - self._head) % turn;
        self.out_overflow.next = self._overflow;
        self.out_valid.next = level != 0;
        self.out_data.next = self._memory[self._head % self._depth];
        self.out_level.next = Bits::from(level as u64);
    }

    fn connect(&mut self) {
        self.out_overflow.connect();
        self.out_valid.connect();
        self.out_data.connect();
        self.out_level.connect();
    }

    fn hdl(&self) -> Verilog {
        let bits = self._depth.trailing_zeros() as usize;
        let binary: Vec<String> = (0..=bits)
            .rev()
            .map(|i| format!("^(tail_seen >> {i})"))
            .collect();
        let head: Vec<String> = (0..=bits)
            .rev()
            .map(|i| format!("^(head_seen >> {i})"))
            .collect();
        Verilog::Custom(format!(
            "\
reg [{data}:0] memory [0:{last}];

// Writing side.
reg [{bits}:0] tail;
reg [{bits}:0] tail_gray;
reg [{bits}:0] meta_head;
reg [{bits}:0] head_seen;
wire [{bits}:0] next_tail;
wire [{bits}:0] head_number;
wire [{bits}:0] used;
wire full;

// Reading side.
reg [{bits}:0] head;
reg [{bits}:0] head_gray;
reg [{bits}:0] meta_tail;
reg [{bits}:0] tail_seen;
wire [{bits}:0] next_head;
wire [{bits}:0] tail_number;
wire [{bits}:0] level;

assign next_tail = tail + {width}'d1;
assign head_number = {{{head}}};
assign used = tail - head_number;
assign full = used == {width}'d{depth};

always @(posedge in_clock) begin
  meta_head <= head_gray;
  head_seen <= meta_head;
  if (in_valid && !full) memory[tail[{top}:0]] <= in_data;
  if (in_reset) begin
    tail <= {width}'d0;
    tail_gray <= {width}'d0;
    out_overflow <= 1'd0;
  end else if (in_valid && full) begin
    out_overflow <= 1'd1;
  end else if (in_valid) begin
    tail <= next_tail;
    tail_gray <= next_tail ^ (next_tail >> 1);
  end
end

assign next_head = head + {width}'d1;
assign tail_number = {{{tail}}};
assign level = tail_number - head;

always @(posedge clock) begin
  meta_tail <= tail_gray;
  tail_seen <= meta_tail;
  if (reset) begin
    head <= {width}'d0;
    head_gray <= {width}'d0;
  end else if (in_take && out_valid) begin
    head <= next_head;
    head_gray <= next_head ^ (next_head >> 1);
  end
end

wire [{data}:0] oldest;
assign oldest = memory[head[{top}:0]];

always @(*) begin
  out_valid = level != {width}'d0;
  out_data = oldest;
  out_level = {level};
end",
            data = D - 1,
            last = self._depth - 1,
            width = bits + 1,
            depth = self._depth,
            top = bits - 1,
            head = head.join(", "),
            tail = binary.join(", "),
            level = if bits == 8 {
                "level".into()
            } else {
                format!("{{{}'d0, level}}", 8 - bits)
            },
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::simulate::simulate;
    use std::collections::VecDeque;

    #[test]
    fn gray_codes_of_neighbours_differ_in_one_bit() {
        for n in 0..512usize {
            assert_eq!((gray(n) ^ gray((n + 1) % 512)).count_ones(), 1);
            assert_eq!(number(gray(n)), n);
        }
    }

    #[test]
    fn words_come_out_in_order_whatever_the_clocks() {
        for (write, read) in [(5, 3), (3, 5), (7, 7), (4, 9)] {
            let mut fifo = AsyncFifo::<16>::new(8);
            fifo.connect_all();
            let (mut sent, mut count) = (VecDeque::new(), 0u64);
            let mut was = [false; 2];
            let mut overflowed = false;
            for time in 0..4000u64 {
                let levels = [time / write % 2 == 1, time / read % 2 == 1];
                if levels[0] && !was[0] {
                    let valid = time / write % 5 != 0 && !fifo.out_overflow.val();
                    fifo.in_valid.next = valid;
                    if valid {
                        count += 1;
                    }
                    fifo.in_data.next = Bits::from(count % 65536);
                    if valid {
                        sent.push_back(count);
                    }
                }
                if levels[1] && !was[1] {
                    let take = time / read % 9 != 0;
                    fifo.in_take.next = take;
                    if take && fifo.out_valid.val() {
                        let word = fifo.out_data.val().to_u64();
                        let oldest = sent.pop_front().expect("nothing was sent");
                        if !overflowed {
                            assert_eq!(word, oldest % 65536, "clocks {write} and {read}");
                        }
                    }
                }
                fifo.in_clock.next = Clock::from(levels[0]);
                fifo.clock.next = Clock::from(levels[1]);
                assert!(simulate(&mut fifo, 20));
                overflowed |= fifo.out_overflow.val();
                assert!(fifo.out_level.val().to_u64() <= 8);
                was = levels;
            }
            assert!(count > 8);
            // A writer that is faster for long enough loses a word, and says so.
            assert_eq!(overflowed, write < read, "clocks {write} and {read}");
        }
    }
}
