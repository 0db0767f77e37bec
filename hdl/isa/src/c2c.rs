//! Shape, layout and codes of the chip-to-chip link: facts of `docs/c2c.md`.

/// Bits of a lane's word.
pub const LANE_BITS: usize = 64;
/// Most slots of a frame, and bits of the map.
pub const MAX_SLOTS: usize = 208;
/// Fewest slots of a frame.
pub const MIN_SLOTS: usize = 8;
/// Bits of a trailer.
pub const TRAILER_BITS: usize = 256;
/// First bit of the value in a trailer.
pub const VALUE_AT: usize = 208;
/// Bits of a HAC, a stamp, a difference.
pub const HAC_BITS: usize = 12;
/// First bit of the sender's state in a trailer.
pub const STATE_AT: usize = 220;
/// Bit of the kind of the value in a trailer: 0 stamp, 1 difference.
pub const KIND_AT: usize = 222;
/// Bit that says that the value means something.
pub const MEANT_AT: usize = 223;
/// First bit of the CRC in a trailer.
pub const CRC_AT: usize = 224;

/// Lower half of the marker of lane 0; the upper half is its complement.
pub const MARKER: u32 = 0xa4ba_3100;
/// XORed with each lane's part of a trailer word.
pub const WHITENING: u64 = 0x9a5c_1e37_66c3_b52d;
/// Polynomial of the CRC, without its highest term.
pub const CRC_POLYNOMIAL: u32 = 0x1edc_6f41;
/// Start value of the CRC.
pub const CRC_START: u32 = 0xffff_ffff;
/// Bits of the scrambler's state.
pub const SCRAMBLER_BITS: usize = 58;
/// The nearer tap of the scrambler.
pub const SCRAMBLER_TAP: usize = 39;
/// Start state of lane 0 of the scrambler.
pub const SCRAMBLER_START: u64 = 0x12_3456_789a_bcde;
/// Field polynomial of the forward error correction.
pub const FIELD_POLYNOMIAL: u16 = 0x11d;
/// Bits of the state of PRBS-31.
pub const PRBS_BITS: usize = 31;
/// The nearer tap of PRBS-31.
pub const PRBS_TAP: usize = 28;

/// Wrong bits that a marker may have once its lane has been found.
pub const MARKER_TOLERANCE: u32 = 3;
/// Markers after the first that lock a lane.
pub const MARKERS_TO_LOCK: u32 = 3;
/// Bad markers in sequence that unlock a lane.
pub const MARKERS_TO_UNLOCK: u32 = 4;
/// Most words from the first lane to the last, in long frames; see [`Shape::max_skew`].
pub const MAX_SKEW: usize = 28;
/// Frames of `frame` words that are ignored after a trim: what is under way or comes of it, over the longest line whose latency a HAC can tell.
#[must_use]
pub const fn trim_hold(frame: usize) -> usize {
    (1usize << HAC_BITS).div_ceil(frame) + 3
}
/// Frames' time in DOWN.
pub const DOWN_FRAMES: usize = 2;
/// Frames' time without a frame after which the peer is silent.
pub const SILENT_FRAMES: usize = 4;
/// Flits in the send queue: at the rate of the frames F - S + 1 wait at most (8, of one lane), and it takes one beside them.
pub const SEND_DEPTH: usize = 16;

/// Cycles from SEND to the pins, into a free slot.
pub const TX_LATENCY: usize = 4;
/// Cycles of the lane aligner.
pub const ALIGN_LATENCY: usize = 1;
/// Cycles of the deskew buffer of the latest lane.
pub const DESKEW_LATENCY: usize = 2;
/// Cycles of the FEC decoder beyond a frame.
pub const FEC_EXTRA: usize = 1;
/// Cycles from the repaired word to the elastic buffer.
pub const DEFRAME_LATENCY: usize = 1;
/// Most cycles of the receiver's clock through the elastic buffer.
pub const CROSS_LATENCY: usize = 4;

/// Lower half and complement: the marker of a lane.
#[must_use]
pub const fn marker(lane: usize) -> u64 {
    let x = MARKER + lane as u32;
    x as u64 | (!x as u64) << 32
}

/// The shape of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    lanes: usize,
    slots: usize,
}

impl Shape {
    /// A link of so many lanes and slots.
    ///
    /// # Errors
    /// A sentence that names the value, the rule and the fix.
    pub fn new(lanes: usize, slots: usize) -> Result<Self, String> {
        if !matches!(lanes, 1 | 2 | 4 | 8) {
            return Err(format!(
                "{lanes} lanes of a link; a link has 1, 2, 4 or 8 lanes: choose one of these"
            ));
        }
        if !(MIN_SLOTS..=MAX_SLOTS).contains(&slots) {
            return Err(format!(
                "{slots} slots of a frame; a frame has {MIN_SLOTS} to {MAX_SLOTS} slots: choose {MAX_SLOTS} for goodput, fewer for latency"
            ));
        }
        Ok(Self { lanes, slots })
    }

    /// Lanes, N.
    #[must_use]
    pub const fn lanes(self) -> usize {
        self.lanes
    }

    /// Slots of a frame, S.
    #[must_use]
    pub const fn slots(self) -> usize {
        self.slots
    }

    /// Bits of a flit, V.
    #[must_use]
    pub const fn bits(self) -> usize {
        LANE_BITS * self.lanes
    }

    /// Trailer words, T.
    #[must_use]
    pub const fn trailers(self) -> usize {
        if self.bits() < TRAILER_BITS {
            TRAILER_BITS / self.bits()
        } else {
            1
        }
    }

    /// Words of a frame, F.
    #[must_use]
    pub const fn frame(self) -> usize {
        3 + self.slots + self.trailers()
    }

    /// Words that the forward error correction covers, n.
    #[must_use]
    pub const fn codeword(self) -> usize {
        self.frame() - 1
    }

    /// Words of a frame that are no slots: the longest wait for one.
    #[must_use]
    pub const fn gap(self) -> usize {
        self.frame() - self.slots
    }

    /// Most words from the first lane to the last: lanes further apart could be taken for those of another frame.
    #[must_use]
    pub const fn max_skew(self) -> usize {
        let half = self.frame() / 2 - 2;
        if half < MAX_SKEW { half } else { MAX_SKEW }
    }

    /// Most cycles from SEND to a RECEIVE that finds the flit, over a PHY and line of `phy` cycles and lanes that are up to
    /// `skew` words apart.
    #[must_use]
    pub const fn hop(self, phy: usize, skew: usize) -> usize {
        let wait = self.gap();
        let receiver = ALIGN_LATENCY + 1 + DESKEW_LATENCY + self.frame() + FEC_EXTRA;
        wait + TX_LATENCY + phy + receiver + skew + DEFRAME_LATENCY + CROSS_LATENCY + TRIM_MARGIN
    }

    /// The hop of the shortest line: stacked, a PHY of one cycle and no skew.
    #[must_use]
    pub const fn least_hop(self) -> u64 {
        self.hop(1, 0) as u64
    }

    /// The shape with most slots whose hop over the shortest line is at most `hop`.
    ///
    /// # Errors
    /// As [`Shape::new`], and if a link of the fewest slots takes longer.
    ///
    /// ```
    /// use lpu_isa::c2c::Shape;
    /// let slots = |hop| Shape::within(4, hop).map(Shape::slots);
    /// assert_eq!([slots(33), slots(57), slots(240)], [Ok(8), Ok(32), Ok(208)]);
    /// assert!(slots(32).is_err());
    /// ```
    pub fn within(lanes: usize, hop: u64) -> Result<Self, String> {
        let least = Self::new(lanes, MIN_SLOTS)?;
        let more = hop.checked_sub(least.least_hop()).ok_or_else(|| {
            format!(
                "a hop of {hop} cycles: a link of {MIN_SLOTS} slots, the fewest, takes at least {}; choose a longer hop",
                least.least_hop()
            )
        })?;
        // Each slot makes the hop a cycle longer.
        let more = more.min((MAX_SLOTS - MIN_SLOTS) as u64);
        Self::new(lanes, MIN_SLOTS + more as usize)
    }
}

/// Cycles that two aligned HACs may be apart.
pub const TRIM_MARGIN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_as_documented() {
        let frames = [(1, 215), (2, 213), (4, 212), (8, 212)];
        for (lanes, frame) in frames {
            let shape = Shape::new(lanes, MAX_SLOTS).unwrap();
            assert_eq!(shape.frame(), frame);
            assert!(shape.codeword() <= 255);
            assert_eq!(lanes > 1, shape.slots() * 1000 >= 975 * frame);
        }
    }

    #[test]
    fn a_bad_shape_is_explained() {
        let error = Shape::new(3, 208).unwrap_err();
        assert!(
            error.starts_with("3 lanes of a link; a link has 1, 2, 4 or 8 lanes"),
            "{error}"
        );
        let error = Shape::new(4, 209).unwrap_err();
        assert!(
            error.starts_with("209 slots of a frame; a frame has 8 to 208 slots"),
            "{error}"
        );
    }

    #[test]
    fn markers_are_balanced_and_far_apart() {
        for lane in 0..8 {
            assert_eq!(marker(lane).count_ones(), 32);
            // Another lane's marker, even at the same place, is not the own one.
            assert!((0..lane).all(|other| marker(other) != marker(lane)));
        }
    }
}
