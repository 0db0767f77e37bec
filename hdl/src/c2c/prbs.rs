//! PRBS-31 for tests of the line.

use super::maps;
use super::pop_count::PopCount;
use super::xor_map::XorMap;
use crate::info::Info;
use crate::prim::Flop;
use rust_hdl::prelude::*;

/// The pattern x^31 + x^28 + 1 on each lane, a word in each cycle.
///
/// Parameters: V bits, 64 for each lane. Latency: none. Reset starts the pattern of each lane.
///
/// Source: ITU-T O.150.
#[derive(LogicBlock)]
pub struct PrbsSource<const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A word of the pattern.
    pub out_word: Signal<Out, Bits<V>>,
    past: Flop<Bits<V>>,
    pattern: XorMap<1, V, V>,
    info: Info,
}

impl<const V: usize> Default for PrbsSource<V> {
    fn default() -> Self {
        // The rows stand for a word as first input; here there is none.
        let rows = maps::pattern(V);
        let rows = rows.into_iter().map(|row| row.moved(V, 1)).collect();
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            out_word: Signal::default(),
            past: Flop::new(maps::prbs_start::<V>()),
            pattern: XorMap::new("c2c_pattern", "The next word of PRBS-31", rows),
            info: Info::new("c2c_prbs_source", file!())
                .summary("PRBS-31 on each lane")
                .param("WORD_BITS", V),
        }
    }
}

impl<const V: usize> Logic for PrbsSource<V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, past);
        self.past.reset.next = self.reset.val();
        self.pattern.in_a.next = 0.into();
        self.pattern.in_b.next = self.past.q.val();
        self.past.enable.next = true;
        self.past.d.next = self.pattern.out.val();
        self.out_word.next = self.past.q.val();
    }
}

/// Counts the bits that PRBS-31 does not predict from the word before, at any bit position of a lane.
///
/// `out_count` are those since the last report, at most 65535; `out_report` is high every 128 words, after which the count
/// starts again. The first two words after reset are not counted. Parameters: V bits. Latency: one cycle.
#[derive(LogicBlock)]
pub struct PrbsChecker<const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset: no pattern.
    pub reset: Signal<In, Bit>,
    /// A word of the line.
    pub in_word: Signal<In, Bits<V>>,
    /// 128 words are over.
    pub out_report: Signal<Out, Bit>,
    /// Wrong bits in them.
    pub out_count: Signal<Out, Bits<16>>,
    past: Flop<Bits<V>>,
    words: Flop<Bits<7>>,
    warm: Flop<Bits<2>>,
    count: Flop<Bits<16>>,
    surprise: XorMap<V, V, V>,
    ones: PopCount<V, 10>,
    sum: Signal<Local, Bits<17>>,
    limited: Signal<Local, Bits<16>>,
    more: Signal<Local, Bits<10>>,
    info: Info,
}

impl<const V: usize> PrbsChecker<V> {
    /// Cycles from a word to its bits in the count.
    pub const LATENCY: u64 = 1;
}

impl<const V: usize> Default for PrbsChecker<V> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_word: Signal::default(),
            out_report: Signal::default(),
            out_count: Signal::default(),
            past: Flop::default(),
            words: Flop::default(),
            warm: Flop::default(),
            count: Flop::default(),
            surprise: XorMap::new(
                "c2c_surprise",
                "Bits that PRBS-31 does not predict",
                maps::surprise(V),
            ),
            ones: PopCount::default(),
            sum: Signal::default(),
            limited: Signal::default(),
            more: Signal::default(),
            info: Info::new("c2c_prbs_checker", file!())
                .summary("Counts the bits that PRBS-31 does not predict")
                .param("WORD_BITS", V)
                .port("out_report", "every 128 words")
                .port("out_count", "since the last report"),
        }
    }
}

impl<const V: usize> Logic for PrbsChecker<V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, past, words, warm, count);
        self.past.reset.next = self.reset.val();
        self.words.reset.next = self.reset.val();
        self.warm.reset.next = self.reset.val();
        self.count.reset.next = self.reset.val();
        self.past.enable.next = true;
        self.past.d.next = self.in_word.val();
        self.surprise.in_a.next = self.in_word.val();
        self.surprise.in_b.next = self.past.q.val();
        self.ones.in_word.next = self.surprise.out.val();
        self.warm.enable.next = self.warm.q.val() != 2;
        self.warm.d.next = self.warm.q.val() + 1;
        self.more.next = 0.into();
        if self.warm.q.val() == 2 {
            self.more.next = self.ones.out.val();
        }
        self.words.enable.next = true;
        self.words.d.next = self.words.q.val() + 1;
        self.out_report.next = self.words.q.val() == 127;
        self.sum.next =
            bit_cast::<17, 16>(self.count.q.val()) + bit_cast::<17, 10>(self.more.val());
        self.limited.next = self.sum.val().get_bits::<16>(0);
        if self.sum.val().get_bit(16) {
            self.limited.next = 0xffff.into();
        }
        self.count.enable.next = true;
        self.count.d.next = self.limited.val();
        if self.words.q.val() == 127 {
            self.count.d.next = bit_cast::<16, 10>(self.more.val());
        }
        self.out_count.next = self.count.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn a_wrong_bit_counts_three_times() {
        let mut source = PrbsSource::<64>::default();
        let mut checker = PrbsChecker::<64>::default();
        source.connect_all();
        checker.connect_all();
        let mut reports = vec![];
        for now in 0..400 {
            source.reset.next = now == 0;
            checker.reset.next = now == 0;
            let wrong = if now == 200 { 1 << 5 } else { 0 };
            checker.in_word.next = Bits::from(source.out_word.val().to_u64() ^ wrong);
            cycle(&mut source, |source, level| {
                source.clock.next = Clock::from(level)
            });
            cycle(&mut checker, |checker, level| {
                checker.clock.next = Clock::from(level)
            });
            if checker.out_report.val() {
                reports.push(checker.out_count.val().to_u64());
            }
        }
        assert_eq!(reports, [0, 3, 0]);
    }
}
