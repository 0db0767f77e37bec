//! Counts of corrected and uncorrectable codewords.

use crate::info::Info;
use crate::prim::Flop;
use rust_hdl::prelude::*;

/// Counts corrected and uncorrectable codewords, 32 bits each, and stops at the largest number.
///
/// The numbers are registered before they are added. Latency: two cycles from `in_corrected` to `out_corrected`. Reset
/// and `in_clear` set both counts to zero and drop what is under way.
#[derive(LogicBlock)]
pub struct EccCounter {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Codewords corrected in this cycle.
    pub in_corrected: Signal<In, Bits<8>>,
    /// Uncorrectable codewords found in this cycle.
    pub in_uncorrectable: Signal<In, Bits<8>>,
    /// Sets both counts to zero.
    pub in_clear: Signal<In, Bit>,
    /// Codewords corrected.
    pub out_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords found.
    pub out_uncorrectable: Signal<Out, Bits<32>>,
    more_corrected: Flop<Bits<8>>,
    more_uncorrectable: Flop<Bits<8>>,
    corrected: Flop<Bits<32>>,
    uncorrectable: Flop<Bits<32>>,
    corrected_sum: Signal<Local, Bits<33>>,
    uncorrectable_sum: Signal<Local, Bits<33>>,
    clear: Signal<Local, Bit>,
    info: Info,
}

impl EccCounter {
    /// Cycles from the numbers to the counts.
    pub const LATENCY: u64 = 2;
}

impl Default for EccCounter {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_corrected: Signal::default(),
            in_uncorrectable: Signal::default(),
            in_clear: Signal::default(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            more_corrected: Flop::default(),
            more_uncorrectable: Flop::default(),
            corrected: Flop::default(),
            uncorrectable: Flop::default(),
            corrected_sum: Signal::default(),
            uncorrectable_sum: Signal::default(),
            clear: Signal::default(),
            info: Info::new("ecc_counter", file!())
                .summary("Counts of corrected and uncorrectable codewords")
                .port("in_corrected", "codewords in this cycle")
                .port("in_uncorrectable", "codewords in this cycle")
                .port("in_clear", "sets both counts to zero")
                .port("out_corrected", "saturates")
                .port("out_uncorrectable", "saturates"),
        }
    }
}

impl Logic for EccCounter {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            more_corrected,
            more_uncorrectable,
            corrected,
            uncorrectable
        );
        self.clear.next = self.reset.val() | self.in_clear.val();
        self.more_corrected.reset.next = self.clear.val();
        self.more_uncorrectable.reset.next = self.clear.val();
        self.corrected.reset.next = self.clear.val();
        self.uncorrectable.reset.next = self.clear.val();

        self.more_corrected.enable.next = true;
        self.more_uncorrectable.enable.next = true;
        self.more_corrected.d.next = self.in_corrected.val();
        self.more_uncorrectable.d.next = self.in_uncorrectable.val();

        self.corrected_sum.next = bit_cast::<33, 32>(self.corrected.q.val())
            + bit_cast::<33, 8>(self.more_corrected.q.val());
        self.uncorrectable_sum.next = bit_cast::<33, 32>(self.uncorrectable.q.val())
            + bit_cast::<33, 8>(self.more_uncorrectable.q.val());

        self.corrected.enable.next = self.more_corrected.q.val().any();
        self.uncorrectable.enable.next = self.more_uncorrectable.q.val().any();
        self.corrected.d.next = self.corrected_sum.val().get_bits::<32>(0);
        self.uncorrectable.d.next = self.uncorrectable_sum.val().get_bits::<32>(0);
        if self.corrected_sum.val().get_bit(32) {
            self.corrected.d.next = 0xffff_ffffu64.into();
        }
        if self.uncorrectable_sum.val().get_bit(32) {
            self.uncorrectable.d.next = 0xffff_ffffu64.into();
        }
        self.out_corrected.next = self.corrected.q.val();
        self.out_uncorrectable.next = self.uncorrectable.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    fn step(counter: &mut EccCounter, corrected: u64, uncorrectable: u64) -> (u64, u64) {
        counter.in_corrected.next = Bits::from(corrected);
        counter.in_uncorrectable.next = Bits::from(uncorrectable);
        cycle(counter, |counter, level| {
            counter.clock.next = Clock::from(level);
        });
        (
            counter.out_corrected.val().to_u64(),
            counter.out_uncorrectable.val().to_u64(),
        )
    }

    #[test]
    fn numbers_are_added_two_cycles_later() {
        let mut counter = EccCounter::default();
        counter.connect_all();
        assert_eq!(step(&mut counter, 3, 0), (0, 0));
        assert_eq!(step(&mut counter, 200, 1), (3, 0));
        assert_eq!(step(&mut counter, 0, 0), (203, 1));
        assert_eq!(step(&mut counter, 5, 5), (203, 1));
        counter.in_clear.next = true;
        assert_eq!(step(&mut counter, 5, 5), (0, 0));
        counter.in_clear.next = false;
        assert_eq!(step(&mut counter, 0, 0), (0, 0));
    }

    #[test]
    fn the_counts_stop_at_the_largest_number() {
        let mut counter = EccCounter {
            corrected: Flop::new(Bits::from(0xffff_fff0)),
            ..EccCounter::default()
        };
        counter.connect_all();
        step(&mut counter, 15, 0);
        assert_eq!(step(&mut counter, 1, 0), (0xffff_ffff, 0));
        assert_eq!(step(&mut counter, 255, 0), (0xffff_ffff, 0));
        assert_eq!(step(&mut counter, 0, 0), (0xffff_ffff, 0));
    }
}
