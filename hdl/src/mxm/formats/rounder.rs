//! The sums of a result on their way out.

use super::{RoundSum, WIDE_BITS};
use crate::info::Info;
use crate::prim::{DelayLine, Flop, Pipe};
use rust_hdl::prelude::*;

/// The sums of a result on their way out: a [`RoundSum`] for every lane, and beside them where the result goes.
///
/// ```text
/// cycle        a+1 .. a+3        a+4      a+5      a+6
/// in_format a                                              the format of the dot products
/// in_enable    a+3: sums, NaN flags, streams
/// out_enable                                       words, streams
/// ```
///
/// Parameter: L lanes. Latency: `CONVERT_LATENCY` from the sums; the format comes three cycles earlier. Reset clears
/// `out_enable` and `out_drive`.
#[derive(Clone, Debug, LogicBlock)]
pub struct Rounder<const L: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// There is a result.
    pub in_enable: Signal<In, Bit>,
    /// The first stream of it.
    pub in_stream: Signal<In, Bits<5>>,
    /// Bit s: it drives stream s.
    pub in_drive: Signal<In, Bits<32>>,
    /// Format of the dot products of three cycles later.
    pub in_format: Signal<In, Bits<2>>,
    /// The sums.
    pub in_sum: Vec<Signal<In, Bits<WIDE_BITS>>>,
    /// Their NaN flags.
    pub in_nan: Signal<In, Bits<L>>,
    /// There is a result, three cycles later.
    pub out_enable: Signal<Out, Bit>,
    /// The first stream of it.
    pub out_stream: Signal<Out, Bits<5>>,
    /// Bit s: it drives stream s.
    pub out_drive: Signal<Out, Bits<32>>,
    /// Its words.
    pub out_word: Vec<Signal<Out, Bits<32>>>,
    lane: Vec<RoundSum>,
    format: DelayLine<Bits<2>>,
    enable: Vec<Flop<Bit>>,
    stream: Vec<Pipe<Bits<5>>>,
    drive: Vec<Flop<Bits<32>>>,
    info: Info,
    _lanes: usize,
}

impl<const L: usize> Default for Rounder<L> {
    fn default() -> Self {
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_enable: Signal::default(),
            in_stream: Signal::default(),
            in_drive: Signal::default(),
            in_format: Signal::default(),
            in_sum: many(L),
            in_nan: Signal::default(),
            out_enable: Signal::default(),
            out_stream: Signal::default(),
            out_drive: Signal::default(),
            out_word: many(L),
            lane: many(L),
            format: DelayLine::new(3),
            enable: many(RoundSum::LATENCY),
            stream: many(RoundSum::LATENCY),
            drive: many(RoundSum::LATENCY),
            info: Info::new("mxm_rounder", file!())
                .summary("The sums of a result on their way out")
                .param("LANES", L)
                .port("in_enable", "there is a result: a+3")
                .port("in_stream", "the first of its four streams")
                .port("in_drive", "bit s: it drives stream s")
                .port("in_format", "a: of the dot products")
                .port("in_sum", "a+3: two's complement")
                .port("in_nan", "a+3: bit n: sum n is a NaN")
                .port("out_enable", "a+6: there is a result")
                .port("out_word", "a+6: low bits or FP32"),
            _lanes: L,
        }
    }
}

const _: () = assert!(
    RoundSum::LATENCY == 3,
    "the loops over stages count to three"
);

impl<const L: usize> Logic for Rounder<L> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, format);
        for j in 0..3 {
            self.enable[j].clock.next = self.clock.val();
            self.enable[j].reset.next = self.reset.val();
            self.enable[j].enable.next = true;
            self.stream[j].clock.next = self.clock.val();
            self.drive[j].clock.next = self.clock.val();
            self.drive[j].reset.next = self.reset.val();
            self.drive[j].enable.next = true;
        }
        self.format.d.next = self.in_format.val();
        self.enable[0].d.next = self.in_enable.val();
        self.stream[0].d.next = self.in_stream.val();
        self.drive[0].d.next = self.in_drive.val();
        for j in 1..3 {
            self.enable[j].d.next = self.enable[j - 1].q.val();
            self.stream[j].d.next = self.stream[j - 1].q.val();
            self.drive[j].d.next = self.drive[j - 1].q.val();
        }
        self.out_enable.next = self.enable[2].q.val();
        self.out_stream.next = self.stream[2].q.val();
        self.out_drive.next = self.drive[2].q.val();
        for n in 0..self._lanes {
            self.lane[n].clock.next = self.clock.val();
            self.lane[n].in_enable[0].next = self.in_enable.val();
            self.lane[n].in_enable[1].next = self.enable[0].q.val();
            self.lane[n].in_enable[2].next = self.enable[1].q.val();
            self.lane[n].in_sum.next = self.in_sum[n].val();
            self.lane[n].in_nan.next = self.in_nan.val().get_bit(n);
            self.lane[n].in_format.next = self.format.q.val();
            self.out_word[n].next = self.lane[n].out_word.val();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn a_result_leaves_three_cycles_after_its_sums() {
        let mut rounder = Rounder::<8>::default();
        rounder.connect_all();
        for n in 0..8 {
            rounder.in_sum[n].next = Bits::from((n as u64) << 18);
        }
        rounder.in_nan.next = Bits::from(0x80);
        for now in 0..9 {
            // The format in cycle 0, the sums in cycle 3.
            rounder.in_format.next = Bits::from(u64::from(now == 0));
            rounder.in_enable.next = now == 3;
            rounder.in_stream.next = Bits::from(if now == 3 { 4 } else { 0 });
            rounder.in_drive.next = Bits::from(if now == 3 { 0xf0 } else { 0 });
            assert_eq!(rounder.out_enable.val(), now == 6, "cycle {now}");
            if now == 6 {
                let words = rounder.out_word.iter().map(|word| word.val().to_u32());
                let mut expected = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| (n as f32).to_bits());
                expected[7] = 0x7fc0_0000;
                assert!(words.eq(expected));
                assert_eq!(rounder.out_stream.val().to_u64(), 4);
                assert_eq!(rounder.out_drive.val().to_u64(), 0xf0);
            }
            cycle(&mut rounder, |rounder, level| {
                rounder.clock.next = Clock::from(level);
            });
        }
    }
}
