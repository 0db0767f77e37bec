//! Levels and reports from one clock to another.

use crate::info::Info;
use crate::prim::{Flop, Pipe};
use rust_hdl::prelude::*;

/// A level from another clock: two flip-flops, of which the first, `meta`, may become metastable.
///
/// Parameters: none. Latency: two cycles of `clock`, three when the level changes too close to an edge. No reset: the
/// level is right two cycles after the clock runs.
#[derive(LogicBlock)]
pub struct TwoFlop {
    /// The clock that the level is wanted in.
    pub clock: Signal<In, Clock>,
    /// The level; from a register.
    pub in_level: Signal<In, Bit>,
    /// The level in this clock.
    pub out_level: Signal<Out, Bit>,
    meta: Pipe<Bit>,
    settled: Pipe<Bit>,
    info: Info,
}

impl TwoFlop {
    /// Cycles from a level to the same in `clock`.
    pub const LATENCY: u64 = 2;
}

impl Default for TwoFlop {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            in_level: Signal::default(),
            out_level: Signal::default(),
            meta: Pipe::default(),
            settled: Pipe::default(),
            info: Info::new("c2c_two_flop", file!())
                .summary("A level from another clock")
                .port("in_level", "from a register of another clock"),
        }
    }
}

impl Logic for TwoFlop {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, meta, settled);
        self.meta.d.next = self.in_level.val();
        self.settled.d.next = self.meta.q.val();
        self.out_level.next = self.settled.q.val();
    }
}

/// Reports from one clock to another: the data is held, and a toggle says that there is new data.
///
/// ```text
/// in_clock   in_valid /~\__________    reports at least 8 cycles of the slower clock apart
/// toggle              ___/~~~~~~~~~
/// clock      meta        ___/~~~~~~    two flip-flops, then one for the edge
///            out_valid   _________/~\  one cycle, with out_data
/// ```
///
/// Parameters: D bits. Latency: three to four cycles of `clock`. `in_reset` sets the toggle back: `reset` must hold
/// meanwhile and for 4 cycles more.
#[derive(LogicBlock)]
pub struct ReportCrossing<const D: usize> {
    /// The clock of the reports.
    pub in_clock: Signal<In, Clock>,
    /// Synchronous reset of that side.
    pub in_reset: Signal<In, Bit>,
    /// There is a report.
    pub in_valid: Signal<In, Bit>,
    /// The report.
    pub in_data: Signal<In, Bits<D>>,
    /// The clock that they are wanted in.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset of this side: no report.
    pub reset: Signal<In, Bit>,
    /// There is a report.
    pub out_valid: Signal<Out, Bit>,
    /// The report.
    pub out_data: Signal<Out, Bits<D>>,
    toggle: Flop<Bit>,
    held: Flop<Bits<D>>,
    sync: TwoFlop,
    before: Pipe<Bit>,
    valid: Flop<Bit>,
    meta_data: Flop<Bits<D>>,
    is_new: Signal<Local, Bit>,
    info: Info,
}

impl<const D: usize> Default for ReportCrossing<D> {
    fn default() -> Self {
        Self {
            in_clock: Signal::default(),
            in_reset: Signal::default(),
            in_valid: Signal::default(),
            in_data: Signal::default(),
            clock: Signal::default(),
            reset: Signal::default(),
            out_valid: Signal::default(),
            out_data: Signal::default(),
            toggle: Flop::default(),
            held: Flop::default(),
            sync: TwoFlop::default(),
            before: Pipe::default(),
            valid: Flop::default(),
            meta_data: Flop::default(),
            is_new: Signal::default(),
            info: Info::new("c2c_report_crossing", file!())
                .summary("Reports from one clock to another")
                .param("DATA_BITS", D)
                .port("in_clock", "of in_reset, in_valid, in_data"),
        }
    }
}

impl<const D: usize> Logic for ReportCrossing<D> {
    #[hdl_gen]
    fn update(&mut self) {
        self.toggle.clock.next = self.in_clock.val();
        self.held.clock.next = self.in_clock.val();
        clock!(self, clock, sync, before, valid, meta_data);
        self.toggle.reset.next = self.in_reset.val();
        self.toggle.enable.next = self.in_valid.val();
        self.toggle.d.next = !self.toggle.q.val();
        self.held.reset.next = self.in_reset.val();
        self.held.enable.next = self.in_valid.val();
        self.held.d.next = self.in_data.val();

        self.sync.in_level.next = self.toggle.q.val();
        self.before.d.next = self.sync.out_level.val();
        self.is_new.next = self.sync.out_level.val() ^ self.before.q.val();
        self.valid.reset.next = self.reset.val();
        self.valid.enable.next = true;
        self.valid.d.next = self.is_new.val();
        self.meta_data.reset.next = self.reset.val();
        self.meta_data.enable.next = self.is_new.val();
        self.meta_data.d.next = self.held.q.val();
        self.out_valid.next = self.valid.q.val();
        self.out_data.next = self.meta_data.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::simulate::simulate;

    #[test]
    fn every_report_crosses_once() {
        // The clock of the reports is 3/5 as fast, and slides past the other one.
        let mut crossing = ReportCrossing::<8>::default();
        crossing.connect_all();
        let (mut sent, mut got) = (vec![], vec![]);
        let mut was = [false; 2];
        for time in 0..6000u64 {
            let levels = [time / 5 % 2 == 1, time / 3 % 2 == 1];
            if levels[0] && !was[0] {
                let number = time / 10;
                if number % 12 == 5 && number < 580 {
                    sent.push(number % 256);
                }
                let now = number % 12 == 5 && number < 580;
                crossing.in_valid.next = now;
                if now {
                    crossing.in_data.next = Bits::from(number % 256);
                }
            }
            let rising = levels[1] && !was[1];
            if rising && crossing.out_valid.val() {
                got.push(crossing.out_data.val().to_u64());
            }
            crossing.in_clock.next = Clock::from(levels[0]);
            crossing.clock.next = Clock::from(levels[1]);
            assert!(simulate(&mut crossing, 20));
            was = levels;
        }
        assert!(sent.len() > 40);
        assert_eq!(got, sent);
    }
}
