//! Puts the lanes side by side.

use crate::info::Info;
use crate::prim::{Concat, Flop, Pack, SramBank};
use lpu_isa::c2c::Shape;
use rust_hdl::prelude::*;

/// Words of a lane's buffer.
const DEPTH: usize = 32;

/// Puts the lanes side by side: each writes into a buffer from its marker on, and reading starts when all have one.
///
/// ```text
/// lane 0   M 1 2 3 4 5             all_begun in the cycle of the latest marker
/// lane 1       M 1 2 3
/// out_word         M 1 2 3         both lanes, two cycles after the latest marker
/// out_start        ^
/// ```
///
/// A lane that loses its lock, or a marker later after the first one than the largest skew, starts again. Parameters: the shape.
/// Latency: two cycles for the latest lane. Reset starts again.
#[derive(LogicBlock)]
pub struct Deskew<const V: usize> {
    /// The recovered clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A word of each lane.
    pub in_word: Vec<Signal<In, Bits<64>>>,
    /// It is word 0 of the lane.
    pub in_start: Vec<Signal<In, Bit>>,
    /// The lane is locked.
    pub in_locked: Vec<Signal<In, Bit>>,
    /// A line word.
    pub out_word: Signal<Out, Bits<V>>,
    /// It is word 0.
    pub out_start: Signal<Out, Bit>,
    /// Words are coming.
    pub out_aligned: Signal<Out, Bit>,
    bank: Vec<SramBank<64>>,
    begun: Vec<Flop<Bit>>,
    write: Vec<Flop<Bits<5>>>,
    read: Flop<Bits<5>>,
    reading: Flop<Bit>,
    valid: Flop<Bit>,
    number: Flop<Bits<8>>,
    pack: Pack<64, V>,
    begins: Vec<Signal<Local, Bit>>,
    address: Vec<Concat<11, 5, 16>>,
    all_locked: Signal<Local, Bit>,
    all_begun: Signal<Local, Bit>,
    too_late: Signal<Local, Bit>,
    restart: Signal<Local, Bit>,
    limit: Constant<Bits<5>>,
    last_word: Constant<Bits<8>>,
    info: Info,
    _lanes: usize,
}

impl<const V: usize> Deskew<V> {
    /// Cycles from a word of the latest lane to the same on `out_word`.
    pub const LATENCY: u64 = 2;

    /// The buffers of a link of this shape.
    pub fn new(shape: Shape) -> Self {
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let lanes = shape.lanes();
        assert_eq!(V, shape.bits(), "bits of a word");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_word: many(lanes),
            in_start: many(lanes),
            in_locked: many(lanes),
            out_word: Signal::default(),
            out_start: Signal::default(),
            out_aligned: Signal::default(),
            bank: (0..lanes)
                .map(|_| SramBank::new(DEPTH).without_collisions())
                .collect(),
            begun: many(lanes),
            write: many(lanes),
            read: Flop::default(),
            reading: Flop::default(),
            valid: Flop::default(),
            number: Flop::default(),
            pack: Pack::default(),
            begins: many(lanes),
            address: many(lanes),
            all_locked: Signal::default(),
            all_begun: Signal::default(),
            too_late: Signal::default(),
            restart: Signal::default(),
            limit: Constant::new(Bits::from(shape.max_skew() as u64 + 1)),
            last_word: Constant::new(Bits::from(shape.frame() as u64 - 1)),
            info: Info::new("c2c_deskew", file!())
                .summary("Puts the lanes side by side")
                .param("LANES", lanes)
                .param("FRAME", shape.frame())
                .port("in_start", "word 0 of the lane")
                .port("out_start", "word 0"),
            _lanes: lanes,
        }
    }
}

impl<const V: usize> Logic for Deskew<V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, read, reading, valid, number);
        self.all_locked.next = true;
        self.all_begun.next = true;
        self.too_late.next = false;
        for i in 0..self._lanes {
            self.all_locked.next = self.all_locked.val() & self.in_locked[i].val();
            self.begins[i].next = self.begun[i].q.val() | self.in_start[i].val();
            self.all_begun.next = self.all_begun.val() & self.begins[i].val();
            self.too_late.next = self.too_late.val() | (self.write[i].q.val() == self.limit.val());
        }
        self.restart.next = self.reset.val()
            | !self.all_locked.val()
            | (self.too_late.val() & !self.reading.q.val() & !self.all_begun.val());

        for i in 0..self._lanes {
            self.bank[i].clock.next = self.clock.val();
            self.begun[i].clock.next = self.clock.val();
            self.write[i].clock.next = self.clock.val();
            self.begun[i].reset.next = self.restart.val();
            self.begun[i].enable.next = self.in_start[i].val();
            self.begun[i].d.next = true;
            // Before its marker a lane stays at address 0.
            self.write[i].reset.next = self.restart.val();
            self.write[i].enable.next = self.begins[i].val();
            self.write[i].d.next = self.write[i].q.val() + 1;
            self.address[i].low.next = self.write[i].q.val();
            self.address[i].high.next = 0.into();
            self.bank[i].write_enable.next = self.begins[i].val();
            self.bank[i].write_address.next = self.address[i].word.val();
            self.bank[i].write_data.next = self.in_word[i].val();
            self.bank[i].read_enable.next = self.reading.q.val();
            self.bank[i].read_address.next = bit_cast::<16, 5>(self.read.q.val());
            self.pack.part[i].next = self.bank[i].read_data.val();
        }

        self.reading.reset.next = self.restart.val();
        self.reading.enable.next = self.all_begun.val();
        self.reading.d.next = true;
        self.read.reset.next = self.restart.val();
        self.read.enable.next = self.reading.q.val();
        self.read.d.next = self.read.q.val() + 1;
        self.valid.reset.next = self.restart.val();
        self.valid.enable.next = true;
        self.valid.d.next = self.reading.q.val();
        self.number.reset.next = self.restart.val();
        self.number.enable.next = self.valid.q.val();
        self.number.d.next = self.number.q.val() + 1;
        if self.number.q.val() == self.last_word.val() {
            self.number.d.next = 0.into();
        }
        self.out_word.next = self.pack.word.val();
        self.out_start.next = self.valid.q.val() & (self.number.q.val() == 0);
        self.out_aligned.next = self.valid.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    /// Frames of 23 words on two lanes, the second `skew` words late; what comes out in each cycle.
    fn run(skew: usize, words: usize) -> Vec<Option<(bool, u64, u64)>> {
        let shape = Shape::new(2, 18).unwrap();
        let frame = shape.frame();
        let mut deskew = Deskew::<128>::new(shape);
        deskew.connect_all();
        let mut seen = vec![];
        for now in 0..words {
            for (lane, late) in [0, skew].into_iter().enumerate() {
                let at = now.checked_sub(3 + late);
                deskew.in_locked[lane].next = at.is_some();
                deskew.in_start[lane].next = at.is_some_and(|at| at % frame == 0);
                deskew.in_word[lane].next = Bits::from(at.map_or(0, |at| 1000 + at as u64));
            }
            cycle(&mut deskew, |deskew, level| {
                deskew.clock.next = Clock::from(level)
            });
            let word = deskew.out_word.val();
            seen.push(deskew.out_aligned.val().then(|| {
                let lane = |at| word.get_bits::<64>(at).to_u64();
                (deskew.out_start.val(), lane(0), lane(64))
            }));
        }
        seen
    }

    #[test]
    fn lanes_come_out_together() {
        // A frame has 23 words: up to 9 words of skew.
        for skew in [0, 1, 5, 9] {
            let seen = run(skew, 150);
            let first = seen.iter().position(Option::is_some).expect("aligned");
            for (at, row) in seen[first..].iter().enumerate() {
                let (start, a, b) = row.expect("goes on");
                assert_eq!(a, b, "skew {skew}");
                assert_eq!(start, at % 23 == 0);
            }
        }
    }

    #[test]
    fn a_lost_lock_stops_at_once() {
        let shape = Shape::new(1, 8).unwrap();
        let mut deskew = Deskew::<64>::new(shape);
        deskew.connect_all();
        let mut aligned = vec![];
        for now in 0..60 {
            deskew.in_locked[0].next = now != 30;
            deskew.in_start[0].next = now % 15 == 0;
            cycle(&mut deskew, |deskew, level| {
                deskew.clock.next = Clock::from(level)
            });
            aligned.push(deskew.out_aligned.val());
        }
        assert!(aligned[2..30].iter().all(|&a| a));
        // The marker of cycle 30 is lost with the lock; the next is that of cycle 45.
        assert!(aligned[30..46].iter().all(|&a| !a));
        assert!(aligned[47..].iter().all(|&a| a));
    }
}
