//! Finds the frames of a lane.

use super::pop_count::PopCount;
use crate::info::Info;
use crate::prim::{Concat, Flop, Pipe};
use lpu_isa::c2c::{MARKER_TOLERANCE, MARKERS_TO_LOCK, MARKERS_TO_UNLOCK, Shape, marker};
use rust_hdl::prelude::*;

/// What an aligner does.
#[derive(Copy, Clone, PartialEq, Eq, Debug, LogicState)]
pub enum AlignerState {
    /// Looks for the marker at one bit position after the other.
    Search,
    /// Has seen it and waits for more.
    Confirm,
    /// Knows where the frames are.
    Locked,
}

/// Finds the frames of a lane: the bit position in the words of the PHY, and the word that is the marker.
///
/// ```text
/// Search:  the marker, exactly, within F + 1 words at this bit position, else at the next
/// Confirm: three markers more in their places, up to three wrong bits each; a worse one: Search
/// Locked:  four worse ones in sequence: Search
/// ```
///
/// Parameters: the shape and the lane. Latency: one cycle, counted from the word with the first bit of an aligned word's end.
/// Reset: Search. At most 64 (F + 1) + 4 F words to lock.
#[derive(LogicBlock)]
pub struct LaneAligner {
    /// The recovered clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// 64 bits of the line.
    pub in_word: Signal<In, Bits<64>>,
    /// A word of the frame, while locked.
    pub out_word: Signal<Out, Bits<64>>,
    /// It is word 0.
    pub out_start: Signal<Out, Bit>,
    /// The frames are known.
    pub out_locked: Signal<Out, Bit>,
    past: Pipe<Bits<64>>,
    window: Concat<64, 64, 128>,
    slip: Flop<Bits<6>>,
    number: Flop<Bits<8>>,
    state: Flop<AlignerState>,
    good: Flop<Bits<2>>,
    bad: Flop<Bits<2>>,
    word: Pipe<Bits<64>>,
    start: Flop<Bit>,
    locked: Flop<Bit>,
    distance: PopCount<64, 7>,
    shifted: Signal<Local, Bits<128>>,
    aligned: Signal<Local, Bits<64>>,
    is_exact: Signal<Local, Bit>,
    is_near: Signal<Local, Bit>,
    is_due: Signal<Local, Bit>,
    is_last: Signal<Local, Bit>,
    marker: Constant<Bits<64>>,
    last_word: Constant<Bits<8>>,
    patience: Constant<Bits<8>>,
    tolerance: Constant<Bits<7>>,
    enough: Constant<Bits<2>>,
    too_many: Constant<Bits<2>>,
    info: Info,
}

impl LaneAligner {
    /// Cycles from a word to the same on `out_word`, at bit position 0 of the word before.
    pub const LATENCY: u64 = 1;

    /// The aligner of lane `lane` of a link of this shape.
    pub fn new(shape: Shape, lane: usize) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_word: Signal::default(),
            out_word: Signal::default(),
            out_start: Signal::default(),
            out_locked: Signal::default(),
            past: Pipe::default(),
            window: Concat::default(),
            slip: Flop::default(),
            number: Flop::default(),
            state: Flop::new(AlignerState::Search),
            good: Flop::default(),
            bad: Flop::default(),
            word: Pipe::default(),
            start: Flop::default(),
            locked: Flop::default(),
            distance: PopCount::default(),
            shifted: Signal::default(),
            aligned: Signal::default(),
            is_exact: Signal::default(),
            is_near: Signal::default(),
            is_due: Signal::default(),
            is_last: Signal::default(),
            marker: Constant::new(Bits::from(marker(lane))),
            last_word: Constant::new(Bits::from(shape.frame() as u64 - 1)),
            patience: Constant::new(Bits::from(shape.frame() as u64)),
            tolerance: Constant::new(Bits::from(u64::from(MARKER_TOLERANCE))),
            enough: Constant::new(Bits::from(u64::from(MARKERS_TO_LOCK) - 1)),
            too_many: Constant::new(Bits::from(u64::from(MARKERS_TO_UNLOCK) - 1)),
            info: Info::new("c2c_lane_aligner", file!())
                .summary("Finds the frames of a lane")
                .param("LANE", lane)
                .param("FRAME", shape.frame())
                .port("in_word", "64 bits of the line, bit 0 first")
                .port("out_start", "marker"),
        }
    }
}

impl Logic for LaneAligner {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, past, slip, number, state, good, bad, word, start, locked
        );
        self.slip.reset.next = self.reset.val();
        self.number.reset.next = self.reset.val();
        self.state.reset.next = self.reset.val();
        self.good.reset.next = self.reset.val();
        self.bad.reset.next = self.reset.val();
        self.start.reset.next = self.reset.val();
        self.locked.reset.next = self.reset.val();
        self.slip.enable.next = true;
        self.number.enable.next = true;
        self.state.enable.next = true;
        self.good.enable.next = true;
        self.bad.enable.next = true;
        self.start.enable.next = true;
        self.locked.enable.next = true;

        // The word at this bit position.
        self.past.d.next = self.in_word.val();
        self.window.high.next = self.in_word.val();
        self.window.low.next = self.past.q.val();
        self.shifted.next = self.window.word.val() >> self.slip.q.val();
        self.aligned.next = self.shifted.val().get_bits::<64>(0);
        self.distance.in_word.next = self.aligned.val() ^ self.marker.val();
        self.is_exact.next = self.distance.out.val() == 0;
        self.is_near.next = self.distance.out.val() <= self.tolerance.val();
        self.is_due.next = self.number.q.val() == 0;
        self.is_last.next = self.number.q.val() == self.last_word.val();

        self.number.d.next = self.number.q.val() + 1;
        self.slip.d.next = self.slip.q.val();
        self.state.d.next = self.state.q.val();
        self.good.d.next = self.good.q.val();
        self.bad.d.next = self.bad.q.val();
        match self.state.q.val() {
            AlignerState::Search => {
                self.good.d.next = 0.into();
                self.bad.d.next = 0.into();
                if self.is_exact.val() {
                    self.state.d.next = AlignerState::Confirm;
                    self.number.d.next = 1.into();
                } else if self.number.q.val() == self.patience.val() {
                    self.slip.d.next = self.slip.q.val() + 1;
                    self.number.d.next = 0.into();
                }
            }
            AlignerState::Confirm => {
                if self.is_last.val() {
                    self.number.d.next = 0.into();
                }
                if self.is_due.val() {
                    self.good.d.next = self.good.q.val() + 1;
                    if !self.is_near.val() {
                        self.state.d.next = AlignerState::Search;
                    } else if self.good.q.val() == self.enough.val() {
                        self.state.d.next = AlignerState::Locked;
                    }
                }
            }
            AlignerState::Locked => {
                if self.is_last.val() {
                    self.number.d.next = 0.into();
                }
                if self.is_due.val() {
                    self.bad.d.next = 0.into();
                    if !self.is_near.val() {
                        self.bad.d.next = self.bad.q.val() + 1;
                        if self.bad.q.val() == self.too_many.val() {
                            self.state.d.next = AlignerState::Search;
                        }
                    }
                }
            }
            _ => {
                self.state.d.next = AlignerState::Search;
            }
        }

        self.word.d.next = self.aligned.val();
        self.locked.d.next = self.state.q.val() == AlignerState::Locked;
        self.start.d.next = (self.state.q.val() == AlignerState::Locked) & self.is_due.val();
        self.out_word.next = self.word.q.val();
        self.out_start.next = self.start.q.val();
        self.out_locked.next = self.locked.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    const FRAME: usize = 15;

    /// The aligner, fed with frames of `FRAME` words that begin `late` bits late; `spoil` gets the frame and the word's number.
    fn run(
        late: usize,
        frames: usize,
        spoil: impl Fn(usize, usize) -> u64,
    ) -> Vec<(bool, bool, u64)> {
        // 8 slots and 4 trailer words: 15 words.
        let mut aligner = LaneAligner::new(Shape::new(1, 8).unwrap(), 0);
        aligner.connect_all();
        let mut bits = vec![false; late];
        for word in 0..frames * FRAME {
            let data = match word % FRAME {
                0 => marker(0),
                n => 0x0123_4567_89ab_cdef + n as u64,
            };
            let data = data ^ spoil(word / FRAME, word % FRAME);
            bits.extend((0..64).map(|i| data >> i & 1 == 1));
        }
        bits.chunks_exact(64)
            .map(|bits| {
                let word = (0..64).fold(0, |word, i| word | u64::from(bits[i]) << i);
                aligner.in_word.next = Bits::from(word);
                cycle(&mut aligner, |aligner, level| {
                    aligner.clock.next = Clock::from(level)
                });
                let (locked, start) = (aligner.out_locked.val(), aligner.out_start.val());
                (locked, start, aligner.out_word.val().to_u64())
            })
            .collect()
    }

    #[test]
    fn any_bit_position_is_found() {
        for late in [0, 1, 17, 63] {
            let frames = (64 * (FRAME + 1) + 5 * FRAME) / FRAME + 3;
            let seen = run(late, frames, |_, _| 0);
            let first = seen.iter().position(|s| s.0).expect("locks");
            assert!(first <= 64 * (FRAME + 1) + 5 * FRAME, "{late}: {first}");
            let starts = seen
                .iter()
                .enumerate()
                .filter(|(_, s)| s.1)
                .map(|(at, _)| at);
            let starts: Vec<usize> = starts.collect();
            assert!(starts.len() >= 2 && starts.windows(2).all(|w| w[1] - w[0] == FRAME));
            assert!(starts.iter().all(|&at| seen[at].2 == marker(0)));
        }
    }

    #[test]
    fn three_wrong_bits_are_near_and_four_bad_markers_unlock() {
        // Bit position 0 is found in the word after: a frame later at most.
        let near = run(0, 12, |_, word| if word == 0 { 0b10101 } else { 0 });
        assert!(near.iter().all(|s| !s.0), "the search is exact");
        let near = run(
            0,
            12,
            |frame, word| if word == 0 && frame > 0 { 0b10101 } else { 0 },
        );
        assert!(near.last().is_some_and(|s| s.0));
        let three = run(0, 20, |frame, word| {
            if word == 0 && (8..11).contains(&frame) {
                0xff
            } else {
                0
            }
        });
        assert!(three.last().is_some_and(|s| s.0));
        let unlocked = |spoiled: std::ops::Range<usize>| {
            let seen = run(0, 20, |frame, word| {
                if word == 0 && spoiled.contains(&frame) {
                    0xff
                } else {
                    0
                }
            });
            let locked = seen.iter().position(|s| s.0).expect("locks");
            seen[locked..].iter().any(|s| !s.0)
        };
        assert!(unlocked(8..12) && !unlocked(8..11));
    }
}
