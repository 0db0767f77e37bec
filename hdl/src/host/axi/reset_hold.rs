//! A reset that lasts long enough.

use crate::info::Info;
use crate::prim::Flop;
use rust_hdl::prelude::*;

/// Holds a reset until the tile has had enough of it.
///
/// ```text
/// reset      __/~~~~~\_______ ... ________________
/// out_reset  __/~~~~~~~~~~~~~ ... ~~~~~~~~~\______      CYCLES cycles more
/// ```
///
/// A reset of one cycle from the interconnect is enough. Before the first one `out_reset` is undefined.
#[derive(LogicBlock, Default)]
pub struct ResetHold {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The same, longer.
    pub out_reset: Signal<Out, Bit>,
    count: Flop<Bits<6>>,
    info: Info,
}

impl ResetHold {
    /// Cycles that are added.
    pub const CYCLES: u64 = 32;

    /// A reset that lasts 32 cycles more.
    pub fn new() -> Self {
        Self {
            info: Info::new("axi_reset_hold", file!())
                .summary("Holds a reset for 32 cycles more")
                .port("out_reset", "at least 33 cycles"),
            ..Self::default()
        }
    }
}

impl Logic for ResetHold {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, count);
        self.count.reset.next = self.reset.val();
        self.count.enable.next = !self.count.q.val().get_bit(5);
        self.count.d.next = self.count.q.val() + 1;
        self.out_reset.next = self.reset.val() | !self.count.q.val().get_bit(5);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn one_cycle_becomes_many() {
        let mut hold = ResetHold::new();
        hold.connect_all();
        for round in 0..2 {
            hold.reset.next = true;
            cycle(&mut hold, |hold, level| {
                hold.clock.next = Clock::from(level)
            });
            hold.reset.next = false;
            for now in 0..100 {
                cycle(&mut hold, |hold, level| {
                    hold.clock.next = Clock::from(level)
                });
                let expected = now + 1 < ResetHold::CYCLES;
                assert_eq!(hold.out_reset.val(), expected, "round {round}, cycle {now}");
            }
        }
    }
}
