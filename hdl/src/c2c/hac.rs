//! The hardware-aligned counter.

use crate::info::Info;
use crate::prim::Flop;
use lpu_isa::c2c::trim_hold;
use rust_hdl::prelude::*;

/// The hardware-aligned counter (HAC), its exchange with the peer, and the trim of the child.
///
/// A good frame with a stamp gives the own difference, HAC - stamp; one with the peer's difference gives
///
/// ```text
/// latency = (own + peer's) / 2        one way, in cycles
/// offset  = own - latency             how far this HAC is ahead, two's complement
/// ```
///
/// The child takes the offset off its HAC when it is 2 or more away from zero, forgets its difference and ignores the
/// next frames. Frames to be sent carry HAC and difference in turns.
///
/// Parameters: words of a frame. Latency: the trim comes two cycles after `in_report`. Reset starts from zero; `in_down` forgets what
/// is known of the peer and lets the counter go on.
///
/// Source: D. Abts et al., ISCA 2022.
#[derive(LogicBlock)]
pub struct Hac {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The peer is not known.
    pub in_down: Signal<In, Bit>,
    /// This side is the child.
    pub in_child: Signal<In, Bit>,
    /// A good frame has come.
    pub in_report: Signal<In, Bit>,
    /// Its value in 11:0, its kind in 14, meant in 15.
    pub in_control: Signal<In, Bits<16>>,
    /// The value for a frame has been taken.
    pub in_sampled: Signal<In, Bit>,
    /// The counter.
    pub out_hac: Signal<Out, Bits<12>>,
    /// The value for the next frame.
    pub out_value: Signal<Out, Bits<12>>,
    /// It is a difference.
    pub out_kind: Signal<Out, Bit>,
    /// It means something.
    pub out_meant: Signal<Out, Bit>,
    /// The last offset.
    pub out_offset: Signal<Out, Bits<12>>,
    /// The last latency.
    pub out_latency: Signal<Out, Bits<12>>,
    hac: Flop<Bits<12>>,
    kind: Flop<Bit>,
    own: Flop<Bits<12>>,
    known: Flop<Bit>,
    latency: Flop<Bits<12>>,
    offset: Flop<Bits<12>>,
    judge: Flop<Bit>,
    hold: Flop<Bits<9>>,
    forget: Signal<Local, Bit>,
    hears: Signal<Local, Bit>,
    sum: Signal<Local, Bits<12>>,
    half: Signal<Local, Bits<12>>,
    trim: Signal<Local, Bit>,
    minus_one: Constant<Bits<12>>,
    pause: Constant<Bits<9>>,
    info: Info,
}

impl Hac {
    /// A counter for frames of so many words.
    pub fn new(frame: usize) -> Self {
        let pause = trim_hold(frame) as u64;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_down: Signal::default(),
            in_child: Signal::default(),
            in_report: Signal::default(),
            in_control: Signal::default(),
            in_sampled: Signal::default(),
            out_hac: Signal::default(),
            out_value: Signal::default(),
            out_kind: Signal::default(),
            out_meant: Signal::default(),
            out_offset: Signal::default(),
            out_latency: Signal::default(),
            hac: Flop::default(),
            kind: Flop::default(),
            own: Flop::default(),
            known: Flop::default(),
            latency: Flop::default(),
            offset: Flop::default(),
            judge: Flop::default(),
            hold: Flop::default(),
            forget: Signal::default(),
            hears: Signal::default(),
            sum: Signal::default(),
            half: Signal::default(),
            trim: Signal::default(),
            minus_one: Constant::new(Bits::from(0xfff)),
            pause: Constant::new(Bits::from(pause)),
            info: Info::new("c2c_hac", file!())
                .param("PAUSE", pause)
                .summary("Hardware-aligned counter, its exchange and trim")
                .port("in_control", "value, state, kind, meant")
                .port("out_offset", "how far the counter is ahead of the peer's")
                .port("out_latency", "one way, in cycles"),
        }
    }
}

impl Logic for Hac {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, hac, kind, own, known, latency, offset, judge, hold
        );
        self.forget.next = self.reset.val() | self.in_down.val();
        self.hac.reset.next = self.reset.val();
        self.kind.reset.next = self.reset.val();
        self.own.reset.next = self.reset.val();
        self.trim.next = self.judge.q.val()
            & self.in_child.val()
            & (self.offset.q.val() != 0)
            & (self.offset.q.val() != 1)
            & (self.offset.q.val() != self.minus_one.val());
        self.known.reset.next = self.forget.val() | self.trim.val();
        self.latency.reset.next = self.reset.val();
        self.offset.reset.next = self.reset.val();
        self.judge.reset.next = self.forget.val();
        self.hold.reset.next = self.forget.val();

        self.hears.next = self.in_report.val() & (self.hold.q.val() == 0) & !self.trim.val();
        self.own.enable.next = self.hears.val()
            & !self.in_control.val().get_bit(14)
            & self.in_control.val().get_bit(15);
        self.known.enable.next = self.own.enable.val();
        self.known.d.next = true;
        self.own.d.next = self.hac.q.val() - self.in_control.val().get_bits::<12>(0);

        self.sum.next = self.own.q.val() + self.in_control.val().get_bits::<12>(0);
        self.half.next = self.sum.val() >> 1;
        self.judge.enable.next = true;
        self.judge.d.next = self.hears.val()
            & self.known.q.val()
            & self.in_control.val().get_bit(14)
            & self.in_control.val().get_bit(15);
        self.latency.enable.next = self.judge.d.val();
        self.latency.d.next = self.half.val();
        self.offset.enable.next = self.judge.d.val();
        self.offset.d.next = self.own.q.val() - self.half.val();

        self.hac.enable.next = true;
        self.hac.d.next = self.hac.q.val() + 1;
        self.hold.enable.next = self.in_report.val() & (self.hold.q.val() != 0);
        self.hold.d.next = self.hold.q.val() - 1;
        if self.trim.val() {
            self.hac.d.next = self.hac.q.val() + 1 - self.offset.q.val();
            self.hold.enable.next = true;
            self.hold.d.next = self.pause.val();
        }

        self.kind.enable.next = self.in_sampled.val();
        self.kind.d.next = !self.kind.q.val();
        self.out_hac.next = self.hac.q.val();
        self.out_value.next = self.hac.q.val();
        self.out_meant.next = true;
        if self.kind.q.val() {
            self.out_value.next = 0.into();
            if self.known.q.val() {
                self.out_value.next = self.own.q.val();
            }
            self.out_meant.next = self.known.q.val();
        }
        self.out_kind.next = self.kind.q.val();
        self.out_offset.next = self.offset.q.val();
        self.out_latency.next = self.latency.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use std::collections::VecDeque;

    fn step(hac: &mut Hac, control: Option<u64>) {
        hac.in_report.next = control.is_some();
        hac.in_control.next = Bits::from(control.unwrap_or(0));
        cycle(hac, |hac, level| hac.clock.next = Clock::from(level));
    }

    #[test]
    fn a_child_takes_the_offset_off() {
        for (ahead, latency) in [
            (0u64, 30u64),
            (1, 30),
            (2, 301),
            (100, 5),
            (4000, 700),
            (2048, 44),
        ] {
            let mut hac = Hac::new(36);
            hac.connect_all();
            hac.in_child.next = true;
            let mut parent = 0u64;
            // The child starts ahead.
            for _ in 0..ahead {
                step(&mut hac, None);
            }
            let report = |parent: &mut u64, hac: &mut Hac, control| {
                step(hac, control);
                *parent += 1;
            };
            // A stamp made `latency` cycles ago; its report is seen with the HAC of this cycle.
            for _ in 0..2000 {
                report(&mut parent, &mut hac, None);
            }
            let stamp = (parent - latency) % 4096;
            report(&mut parent, &mut hac, Some(stamp | 0x8000));
            // The peer finds latency - ahead.
            let peer = (4096 + latency - ahead) % 4096;
            report(&mut parent, &mut hac, Some(peer | 0xc000));
            assert_eq!(hac.out_latency.val().to_u64(), latency);
            assert_eq!(hac.out_offset.val().to_u64(), ahead % 4096);
            report(&mut parent, &mut hac, None);
            let left = (hac.out_hac.val().to_u64() + 8192 - parent) % 4096;
            let expected = if ahead < 2 { ahead } else { 0 };
            assert_eq!(left, expected, "{ahead} ahead");
        }
    }

    /// Two counters that exchange frames: how far the child is ahead of the parent after each cycle.
    fn exchange(frame: usize, latency: usize, ahead: u64, cycles: usize) -> Vec<i64> {
        let mut sides = [Hac::new(frame), Hac::new(frame)];
        sides.iter_mut().for_each(|hac| hac.connect_all());
        sides[1].in_child.next = true;
        for _ in 0..ahead {
            step(&mut sides[1], None);
        }
        let mut lines = [(); 2].map(|()| VecDeque::from(vec![None; latency]));
        let mut found = vec![];
        for now in 0..cycles {
            let mut heard = [None; 2];
            for side in 0..2 {
                let sampled = now % frame == 7 * side;
                let hac = &mut sides[side];
                hac.in_sampled.next = sampled;
                let control = hac.out_value.val().to_u64()
                    | u64::from(hac.out_kind.val()) << 14
                    | u64::from(hac.out_meant.val()) << 15;
                lines[side].push_back(sampled.then_some(control));
                heard[1 - side] = lines[side].pop_front().flatten();
            }
            for (hac, control) in sides.iter_mut().zip(heard) {
                step(hac, control);
            }
            let difference =
                sides[1].out_hac.val().to_u64() + 4096 - sides[0].out_hac.val().to_u64();
            let difference = (difference % 4096) as i64;
            found.push(if difference < 2048 {
                difference
            } else {
                difference - 4096
            });
        }
        found
    }

    #[test]
    fn a_trim_is_the_last_whatever_the_line() {
        for (frame, latency) in [
            (15, 30),
            (15, 900),
            (36, 57),
            (36, 156),
            (36, 700),
            (212, 240),
            (212, 1000),
        ] {
            for ahead in [2, 100, 1500, 4000] {
                let found = exchange(frame, latency, ahead, 40_000);
                let settled = found.iter().rposition(|d| !(-1..=1).contains(d));
                let trims = found.windows(2).filter(|pair| pair[0] != pair[1]).count();
                assert_eq!(
                    (trims, settled < Some(12_000)),
                    (1, true),
                    "frames of {frame}, {latency} cycles, {ahead} ahead"
                );
            }
        }
    }

    #[test]
    fn a_report_beside_a_trim_is_not_heard() {
        let mut hac = Hac::new(36);
        hac.connect_all();
        hac.in_child.next = true;
        step(&mut hac, Some(0x8000 | 4000));
        // In its first cycle the HAC is 0: 96 cycles after the stamp. The peer found 100 less: 50 ahead of 46.
        let peer = Some(0xc000 | (96 + 4096 - 100));
        step(&mut hac, peer);
        step(&mut hac, peer);
        step(&mut hac, None);
        step(&mut hac, None);
        // Five cycles, 50 taken off once.
        assert_eq!(hac.out_hac.val().to_u64(), 4096 + 5 - 50);
    }

    #[test]
    fn stamps_and_differences_take_turns() {
        let mut hac = Hac::new(36);
        hac.connect_all();
        step(&mut hac, Some(0x8000 | 4090));
        step(&mut hac, None);
        let mut seen = vec![];
        for _ in 0..4 {
            hac.in_sampled.next = true;
            seen.push((
                hac.out_kind.val(),
                hac.out_meant.val(),
                hac.out_value.val().to_u64(),
            ));
            step(&mut hac, None);
        }
        // In its first cycle the HAC is 0: 0 - 4090 = 6.
        assert_eq!(
            seen,
            [
                (false, true, 2),
                (true, true, 6),
                (false, true, 4),
                (true, true, 6)
            ]
        );
        hac.in_down.next = true;
        step(&mut hac, None);
        assert!(!hac.out_meant.val() || !hac.out_kind.val());
    }
}
