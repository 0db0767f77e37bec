//! Bring-up.

use crate::info::Info;
use crate::prim::Flop;
use lpu_isa::c2c::{DOWN_FRAMES, SILENT_FRAMES, Shape};
use rust_hdl::prelude::*;

/// States of a link.
#[derive(Copy, Clone, PartialEq, Eq, Debug, LogicState)]
pub enum LinkState {
    /// The receiver is in reset.
    Down,
    /// Looks for frames, and for a peer that is not in a session.
    Align,
    /// Hears the peer.
    Train,
    /// In a session.
    Up,
}

/// Brings a link up, and down when something breaks; the table of states is in `docs/c2c.md`.
///
/// Parameters: the shape, for the length of a frame. Latency: one cycle from a cause to the state. Reset: Down.
#[derive(LogicBlock)]
pub struct LinkControl {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The link is wanted.
    pub in_enable: Signal<In, Bit>,
    /// The PHY is up.
    pub in_phy_up: Signal<In, Bit>,
    /// The receiver is in reset.
    pub in_receiver_reset: Signal<In, Bit>,
    /// The receiver has aligned its lanes.
    pub in_aligned: Signal<In, Bit>,
    /// A frame has come, good or bad.
    pub in_report: Signal<In, Bit>,
    /// It is good.
    pub in_good: Signal<In, Bit>,
    /// State of its sender.
    pub in_peer: Signal<In, Bits<2>>,
    /// 0 Down, 1 Align, 2 Train, 3 Up.
    pub out_state: Signal<Out, Bits<2>>,
    /// State for the trailer: 0 restart, 1 train, 2 up.
    pub out_sent: Signal<Out, Bits<2>>,
    /// The receiver is to be in reset.
    pub out_receiver_reset: Signal<Out, Bit>,
    /// Flits are wanted.
    pub out_accept: Signal<Out, Bit>,
    /// In a session.
    pub out_up: Signal<Out, Bit>,
    /// Train or Up has ended.
    pub out_drop: Signal<Out, Bit>,
    /// Why: 1 disabled, 2 PHY, 3 alignment, 4 peer, 5 silent.
    pub out_reason: Signal<Out, Bits<3>>,
    state: Flop<LinkState>,
    timer: Flop<Bits<10>>,
    drop: Flop<Bit>,
    reason: Flop<Bits<3>>,
    cause: Signal<Local, Bits<3>>,
    is_session: Signal<Local, Bit>,
    pause: Constant<Bits<10>>,
    silence: Constant<Bits<10>>,
    info: Info,
}

impl LinkControl {
    /// The control of a link of this shape.
    pub fn new(shape: Shape) -> Self {
        let frames = |count: usize| Bits::from((count * shape.frame()) as u64);
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_enable: Signal::default(),
            in_phy_up: Signal::default(),
            in_receiver_reset: Signal::default(),
            in_aligned: Signal::default(),
            in_report: Signal::default(),
            in_good: Signal::default(),
            in_peer: Signal::default(),
            out_state: Signal::default(),
            out_sent: Signal::default(),
            out_receiver_reset: Signal::default(),
            out_accept: Signal::default(),
            out_up: Signal::default(),
            out_drop: Signal::default(),
            out_reason: Signal::default(),
            state: Flop::new(LinkState::Down),
            timer: Flop::default(),
            drop: Flop::default(),
            reason: Flop::default(),
            cause: Signal::default(),
            is_session: Signal::default(),
            pause: Constant::new(frames(DOWN_FRAMES)),
            silence: Constant::new(frames(SILENT_FRAMES)),
            info: Info::new("c2c_link_control", file!())
                .summary("Brings a link up, and down when something breaks")
                .param("FRAME", shape.frame())
                .port("in_peer", "0 restart, 1 train, 2 up")
                .port("out_state", "0 down, 1 align, 2 train, 3 up")
                .port("out_sent", "0 restart, 1 train, 2 up")
                .port(
                    "out_reason",
                    "1 disabled, 2 PHY, 3 alignment, 4 peer, 5 silent",
                ),
        }
    }
}

impl Logic for LinkControl {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, state, timer, drop, reason);
        self.state.reset.next = self.reset.val();
        self.timer.reset.next = self.reset.val();
        self.drop.reset.next = self.reset.val();
        self.reason.reset.next = self.reset.val();
        self.state.enable.next = true;
        self.timer.enable.next = true;
        self.drop.enable.next = true;

        self.is_session.next =
            (self.state.q.val() == LinkState::Train) | (self.state.q.val() == LinkState::Up);
        self.cause.next = 0.into();
        if self.is_session.val() & (self.timer.q.val() == self.silence.val()) {
            self.cause.next = 5.into();
        }
        if (self.state.q.val() == LinkState::Up)
            & self.in_report.val()
            & self.in_good.val()
            & (self.in_peer.val() == 0)
        {
            self.cause.next = 4.into();
        }
        if self.is_session.val() & !self.in_aligned.val() {
            self.cause.next = 3.into();
        }
        if !self.in_phy_up.val() {
            self.cause.next = 2.into();
        }
        if !self.in_enable.val() {
            self.cause.next = 1.into();
        }

        self.state.d.next = self.state.q.val();
        self.timer.d.next = self.timer.q.val() + 1;
        match self.state.q.val() {
            LinkState::Down => {
                if self.timer.q.val() == self.pause.val() {
                    self.timer.d.next = self.timer.q.val();
                    if (self.cause.val() == 0) & self.in_receiver_reset.val() {
                        self.state.d.next = LinkState::Align;
                    }
                }
            }
            LinkState::Align => {
                self.timer.d.next = 0.into();
                if self.in_aligned.val()
                    & self.in_report.val()
                    & self.in_good.val()
                    & !self.in_peer.val().get_bit(1)
                {
                    self.state.d.next = LinkState::Train;
                }
            }
            LinkState::Train => {
                if self.in_report.val() {
                    self.timer.d.next = 0.into();
                    if self.in_good.val() & (self.in_peer.val() != 0) {
                        self.state.d.next = LinkState::Up;
                    }
                }
            }
            LinkState::Up => {
                if self.in_report.val() {
                    self.timer.d.next = 0.into();
                }
            }
            _ => {
                self.state.d.next = LinkState::Down;
            }
        }
        if (self.cause.val() != 0) & (self.state.q.val() != LinkState::Down) {
            self.state.d.next = LinkState::Down;
            self.timer.d.next = 0.into();
        }

        self.drop.d.next = self.is_session.val() & (self.cause.val() != 0);
        self.reason.enable.next = self.is_session.val() & (self.cause.val() != 0);
        self.reason.d.next = self.cause.val();

        self.out_state.next = 0.into();
        self.out_sent.next = 0.into();
        if self.state.q.val() == LinkState::Align {
            self.out_state.next = 1.into();
        }
        if self.state.q.val() == LinkState::Train {
            self.out_state.next = 2.into();
            self.out_sent.next = 1.into();
        }
        if self.state.q.val() == LinkState::Up {
            self.out_state.next = 3.into();
            self.out_sent.next = 2.into();
        }
        self.out_receiver_reset.next = self.state.q.val() == LinkState::Down;
        self.out_accept.next = self.is_session.val();
        self.out_up.next = self.state.q.val() == LinkState::Up;
        self.out_drop.next = self.drop.q.val();
        self.out_reason.next = self.reason.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    /// A control whose PHY is up, whose receiver answers and is aligned.
    fn control() -> (LinkControl, usize) {
        let shape = Shape::new(1, 8).unwrap();
        let mut control = LinkControl::new(shape);
        control.connect_all();
        control.in_enable.next = true;
        control.in_phy_up.next = true;
        control.in_receiver_reset.next = true;
        control.in_aligned.next = true;
        (control, shape.frame())
    }

    /// One cycle, with a good frame of a peer in this state.
    fn step(control: &mut LinkControl, peer: Option<u64>) -> u64 {
        control.in_report.next = peer.is_some();
        control.in_good.next = peer.is_some();
        control.in_peer.next = Bits::from(peer.unwrap_or(0));
        cycle(control, |control, level| {
            control.clock.next = Clock::from(level)
        });
        control.out_state.val().to_u64()
    }

    fn up() -> LinkControl {
        let (mut control, frame) = control();
        let states: Vec<u64> = (0..=2 * frame).map(|_| step(&mut control, None)).collect();
        assert!(states[..2 * frame].iter().all(|&s| s == 0) && states[2 * frame] == 1);
        // A peer that is up has not noticed yet.
        assert_eq!(step(&mut control, Some(2)), 1);
        assert_eq!(step(&mut control, Some(0)), 2);
        assert_eq!(step(&mut control, Some(0)), 2);
        assert_eq!(step(&mut control, Some(1)), 3);
        control
    }

    #[test]
    fn every_reason_ends_a_session() {
        type Cause = fn(&mut LinkControl);
        let causes: [(u64, Cause); 3] = [
            (1, |c| c.in_enable.next = false),
            (2, |c| c.in_phy_up.next = false),
            (3, |c| c.in_aligned.next = false),
        ];
        for (reason, cause) in causes {
            let mut control = up();
            cause(&mut control);
            assert_eq!(step(&mut control, None), 0);
            assert!(control.out_drop.val() && control.out_receiver_reset.val());
            assert_eq!(control.out_reason.val().to_u64(), reason);
            step(&mut control, None);
            assert!(!control.out_drop.val(), "one drop");
        }
        let mut control = up();
        assert_eq!(
            step(&mut control, Some(1)),
            3,
            "the peer has not seen it yet"
        );
        assert_eq!(step(&mut control, Some(0)), 0);
        assert_eq!(control.out_reason.val().to_u64(), 4);
    }

    #[test]
    fn silence_ends_a_session() {
        let mut control = up();
        let frame = Shape::new(1, 8).unwrap().frame();
        let quiet = (0..100)
            .take_while(|_| step(&mut control, None) == 3)
            .count();
        assert_eq!(quiet, 4 * frame);
        assert_eq!(control.out_reason.val().to_u64(), 5);
    }
}
