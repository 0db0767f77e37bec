//! DESKEW and RUNTIME_DESKEW.

use crate::info::Info;
use crate::prim::Flop;
use rust_hdl::prelude::*;

/// The software-aligned counter (SAC), and when a program goes on after a DESKEW or RUNTIME_DESKEW.
///
/// ```text
/// in_deskew          /~\____________________      DESKEW: go where the HAC comes round
/// in_hac             X        ... 4095  0  1
/// out_go             __________________/~\__
/// in_runtime_deskew  /~\____________________      RUNTIME_DESKEW t: go t + (SAC - HAC) cycles later
/// out_go             _____________/~\_______
/// ```
///
/// DESKEW goes on in the first cycle in which the top bit of the HAC is low and was high one cycle before: where the HAC is 0, or a
/// trim has taken it over 0. SAC is 0 then. RUNTIME_DESKEW sets SAC to HAC at once, so that a trim during its wait is made good by the
/// next. A wait of less than one cycle is one cycle, and `out_late` says so. A command while another is under way takes its place.
///
/// Parameters: none. Latency: one cycle at least. Reset: no command, SAC 0.
///
/// Source: D. Abts et al., ISCA 2022.
#[derive(LogicBlock)]
pub struct ProgramClock {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The hardware-aligned counter.
    pub in_hac: Signal<In, Bits<12>>,
    /// DESKEW.
    pub in_deskew: Signal<In, Bit>,
    /// RUNTIME_DESKEW.
    pub in_runtime_deskew: Signal<In, Bit>,
    /// Its t.
    pub in_wait: Signal<In, Bits<16>>,
    /// The program goes on.
    pub out_go: Signal<Out, Bit>,
    /// The clocks were further apart than t.
    pub out_late: Signal<Out, Bit>,
    /// The software-aligned counter.
    pub out_sac: Signal<Out, Bits<12>>,
    sac: Flop<Bits<12>>,
    waits: Flop<Bit>,
    runs: Flop<Bit>,
    left: Flop<Bits<18>>,
    upper: Flop<Bit>,
    ahead: Signal<Local, Bits<12>>,
    time: Signal<Local, Bits<18>>,
    is_late: Signal<Local, Bit>,
    round: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
    sign: Constant<Bits<18>>,
    info: Info,
}

impl Default for ProgramClock {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_hac: Signal::default(),
            in_deskew: Signal::default(),
            in_runtime_deskew: Signal::default(),
            in_wait: Signal::default(),
            out_go: Signal::default(),
            out_late: Signal::default(),
            out_sac: Signal::default(),
            sac: Flop::default(),
            waits: Flop::default(),
            runs: Flop::default(),
            left: Flop::default(),
            upper: Flop::default(),
            ahead: Signal::default(),
            time: Signal::default(),
            is_late: Signal::default(),
            round: Signal::default(),
            go: Signal::default(),
            sign: Constant::new(Bits::from(0x3f000)),
            info: Info::new("c2c_program_clock", file!())
                .summary("DESKEW and RUNTIME_DESKEW")
                .port("in_wait", "cycles, of RUNTIME_DESKEW")
                .port("out_go", "the program goes on"),
        }
    }
}

impl Logic for ProgramClock {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, sac, waits, runs, left, upper);
        self.sac.reset.next = self.reset.val();
        self.waits.reset.next = self.reset.val();
        self.runs.reset.next = self.reset.val();
        self.left.reset.next = self.reset.val();
        self.upper.reset.next = self.reset.val();
        self.upper.enable.next = true;
        self.upper.d.next = self.in_hac.val().get_bit(11);
        self.round.next = self.upper.q.val() & !self.in_hac.val().get_bit(11);

        // t + (SAC - HAC), the difference extended by its sign.
        self.ahead.next = self.sac.q.val() - self.in_hac.val();
        self.time.next =
            bit_cast::<18, 16>(self.in_wait.val()) + bit_cast::<18, 12>(self.ahead.val());
        if self.ahead.val().get_bit(11) {
            self.time.next = bit_cast::<18, 16>(self.in_wait.val())
                + (bit_cast::<18, 12>(self.ahead.val()) | self.sign.val());
        }
        self.is_late.next = self.time.val().get_bit(17) | (self.time.val() == 0);

        self.go.next = (self.waits.q.val() & self.round.val())
            | (self.runs.q.val() & (self.left.q.val() == 1));
        self.waits.enable.next =
            self.go.val() | self.in_deskew.val() | self.in_runtime_deskew.val();
        self.waits.d.next = self.in_deskew.val();
        self.runs.enable.next = self.go.val() | self.in_deskew.val() | self.in_runtime_deskew.val();
        self.runs.d.next = self.in_runtime_deskew.val() & !self.in_deskew.val();
        self.left.enable.next = true;
        self.left.d.next = self.left.q.val() - 1;
        if self.in_runtime_deskew.val() {
            self.left.d.next = self.time.val();
            if self.is_late.val() {
                self.left.d.next = 1.into();
            }
        }
        self.sac.enable.next = true;
        self.sac.d.next = self.sac.q.val() + 1;
        if self.waits.q.val() & self.round.val() {
            self.sac.d.next = 1.into();
        }
        if self.in_runtime_deskew.val() {
            self.sac.d.next = self.in_hac.val() + 1;
        }
        self.out_go.next = self.go.val();
        self.out_late.next =
            self.in_runtime_deskew.val() & !self.in_deskew.val() & self.is_late.val();
        self.out_sac.next = self.sac.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    /// Cycles from a command to go, and whether it was late; `ahead`: SAC - HAC at the command.
    fn wait(t: u64, ahead: i64) -> (u64, bool) {
        let mut program = ProgramClock::default();
        program.connect_all();
        let mut now = 0i64;
        let mut step = |program: &mut ProgramClock, command: bool| {
            program.in_hac.next = Bits::from((now - ahead).rem_euclid(4096) as u64);
            program.in_runtime_deskew.next = command;
            program.in_wait.next = Bits::from(t);
            program.clock.next = Clock::from(false);
            rust_hdl::core::simulate::simulate(program, 10);
            let seen = (program.out_go.val(), program.out_late.val());
            cycle(program, |program, level| {
                program.clock.next = Clock::from(level)
            });
            now += 1;
            seen
        };
        for _ in 0..10 {
            step(&mut program, false);
        }
        let (_, late) = step(&mut program, true);
        let after = (1..70_000).find(|_| step(&mut program, false).0);
        (after.expect("goes on"), late)
    }

    #[test]
    fn drift_is_absorbed() {
        for (t, ahead, cycles, late) in [
            (10, 0, 10, false),
            (10, 3, 13, false),
            (10, -3, 7, false),
            (1, 0, 1, false),
            (0, 0, 1, true),
            (5, -9, 1, true),
            (65_535, 2, 65_537, false),
        ] {
            assert_eq!(wait(t, ahead), (cycles, late), "t {t}, {ahead} ahead");
        }
    }

    #[test]
    fn deskew_goes_at_the_epoch() {
        let mut program = ProgramClock::default();
        program.connect_all();
        for now in 0..9000u64 {
            program.in_hac.next = Bits::from((now + 4000) % 4096);
            program.in_deskew.next = now == 50;
            program.clock.next = Clock::from(false);
            rust_hdl::core::simulate::simulate(&mut program, 10);
            // HAC 0 at 96 and 4192; only the first after the command.
            assert_eq!(program.out_go.val(), now == 96, "cycle {now}");
            if now > 96 {
                assert_eq!(program.out_sac.val().to_u64(), (now + 4000) % 4096);
            }
            cycle(&mut program, |program, level| {
                program.clock.next = Clock::from(level)
            });
        }
    }

    /// The cycles of go for a DESKEW in cycle 50 and RUNTIME_DESKEWs with a wait of 60 in others, under this HAC.
    fn goes(hac: impl Fn(i64) -> i64, runtime: &[i64]) -> Vec<i64> {
        let mut program = ProgramClock::default();
        program.connect_all();
        let mut found = vec![];
        for now in 0..1000 {
            program.in_hac.next = Bits::from(hac(now).rem_euclid(4096) as u64);
            program.in_deskew.next = now == 50;
            program.in_runtime_deskew.next = runtime.contains(&now);
            program.in_wait.next = Bits::from(60u64);
            program.clock.next = Clock::from(false);
            rust_hdl::core::simulate::simulate(&mut program, 10);
            if program.out_go.val() {
                found.push(now);
            }
            cycle(&mut program, |program, level| {
                program.clock.next = Clock::from(level)
            });
        }
        found
    }

    #[test]
    fn a_trim_over_the_epoch_is_no_epoch_more() {
        let with = |from: i64, by: i64| move |now| 4000 + now + if now < from { 0 } else { by };
        // HAC 0 in cycle 96: skipped, met early, met twice.
        for (from, by, go) in [(96, 2, 96), (95, 3, 95), (97, -3, 96)] {
            // The program is 300 - go cycles old, and by the HAC that is 204 + by.
            let expected = 360 + (300 - go) - (204 + by);
            assert_eq!(goes(with(from, by), &[300]), [go, expected], "{by}");
        }
    }

    #[test]
    fn a_trim_in_a_wait_is_made_good_by_the_next() {
        let trimmed = |now| 4000 + now - if now < 330 { 0 } else { 2 };
        assert_eq!(goes(trimmed, &[300, 500, 700]), [96, 360, 562, 760]);
    }
}
