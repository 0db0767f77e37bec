//! A frame from its content, and back.

use super::code::{Crc, History};
use super::field::{Column, look, parity};
use lpu_isa::c2c::{
    CRC_AT, HAC_BITS, KIND_AT, LANE_BITS, MAX_SLOTS, MEANT_AT, STATE_AT, Shape, TRAILER_BITS,
    VALUE_AT, WHITENING, marker,
};

/// A flit, or any word of the line: one word for each lane.
pub type Flit = Vec<u64>;

/// State of a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not in a session.
    #[default]
    Restart,
    /// Hears the other side.
    Train,
    /// In a session.
    Up,
}

/// What a trailer says about the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// HAC of the sender.
    Stamp(u16),
    /// Difference that the sender found, if it has.
    Difference(Option<u16>),
}

/// The part of a trailer that is not about flits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// State of the sender.
    pub state: State,
    /// Counters.
    pub value: Value,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// For each slot, its flit if it has one.
    pub slots: Vec<Option<Flit>>,
    /// The rest.
    pub control: Control,
}

/// The words of a trailer with this CRC, before whitening.
fn trailer(shape: Shape, content: &Content, crc: u32) -> Vec<Flit> {
    let mut bits = [false; 512];
    if content.control.state == State::Up {
        for (slot, flit) in content.slots.iter().enumerate() {
            bits[MAX_SLOTS - shape.slots() + slot] = flit.is_some();
        }
    }
    let mut put = |at: usize, width: usize, value: u32| {
        (0..width).for_each(|i| bits[at + i] = value >> i & 1 == 1);
    };
    let (kind, meant, value) = match content.control.value {
        Value::Stamp(stamp) => (0, 1, stamp),
        Value::Difference(Some(difference)) => (1, 1, difference),
        Value::Difference(None) => (1, 0, 0),
    };
    put(VALUE_AT, HAC_BITS, value.into());
    put(STATE_AT, 2, content.control.state as u32);
    put(KIND_AT, 1, kind);
    put(MEANT_AT, 1, meant);
    put(CRC_AT, 32, crc);
    let lanes = bits.chunks(LANE_BITS).map(|bits| {
        let bits = bits.iter().enumerate();
        bits.fold(0, |word, (i, &bit)| word | u64::from(bit) << i)
    });
    let lanes: Vec<u64> = lanes.collect();
    lanes
        .chunks(shape.lanes())
        .take(shape.trailers())
        .map(<[u64]>::to_vec)
        .collect()
}

/// Byte `column` of a word.
fn byte(word: &[u64], column: usize) -> u8 {
    (word[column / 8] >> (8 * (column % 8))) as u8
}

/// Makes frames, one after the other.
#[derive(Clone, Debug)]
pub struct Encoder {
    shape: Shape,
    scramblers: Vec<History>,
}

impl Encoder {
    /// The encoder of a link after reset.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            scramblers: (0..shape.lanes()).map(History::scrambler).collect(),
        }
    }

    /// The words of the next frame.
    pub fn encode(&mut self, content: &Content) -> Vec<Flit> {
        let lanes = self.shape.lanes();
        assert_eq!(content.slots.len(), self.shape.slots(), "slots of a frame");
        let plain = content.slots.iter().map(|flit| match flit {
            Some(flit) => flit.clone(),
            None => vec![0; lanes],
        });
        let plain: Vec<Flit> = plain.collect();
        let mut crc = Crc::default();
        plain.iter().for_each(|flit| crc.take(flit));
        let unsigned = trailer(self.shape, content, 0);
        unsigned.iter().for_each(|word| crc.take(word));
        let mut words = vec![(0..lanes).map(marker).collect::<Flit>()];
        for flit in &plain {
            let scrambled = flit.iter().zip(&mut self.scramblers);
            words.push(scrambled.map(|(&word, lane)| lane.scramble(word)).collect());
        }
        for word in trailer(self.shape, content, crc.value()) {
            words.push(word.iter().map(|lane| lane ^ WHITENING).collect());
        }
        let mut parities = vec![vec![0; lanes]; 2];
        for column in 0..8 * lanes {
            let data: Vec<u8> = words[1..].iter().map(|word| byte(word, column)).collect();
            let (p0, p1) = parity(&data);
            for (word, p) in parities.iter_mut().zip([p0, p1]) {
                word[column / 8] |= u64::from(p) << (8 * (column % 8));
            }
        }
        words.extend(parities);
        words
    }
}

/// What a receiver makes of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What the frame says; `None` if the state is one that does not exist.
    pub content: Option<Content>,
    /// Flits of the slots that the map names, whatever the state.
    pub flits: Vec<Flit>,
    /// Bytes repaired.
    pub corrected: u32,
    /// Columns that could not be repaired.
    pub uncorrectable: u32,
    /// The CRC is right.
    pub crc: bool,
}

impl Decoded {
    /// Whether nothing is wrong with it.
    pub const fn good(&self) -> bool {
        self.uncorrectable == 0 && self.crc
    }
}

/// Reads frames, one after the other.
#[derive(Clone, Debug)]
pub struct Decoder {
    shape: Shape,
    scramblers: Vec<History>,
}

impl Decoder {
    /// The decoder of a link after alignment.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            scramblers: vec![History::default(); shape.lanes()],
        }
    }

    /// Reads the words of a frame.
    pub fn decode(&mut self, words: &[Flit]) -> Decoded {
        let (shape, lanes) = (self.shape, self.shape.lanes());
        assert_eq!(words.len(), shape.frame(), "words of a frame");
        let mut words = words.to_vec();
        let (mut corrected, mut uncorrectable) = (0, 0);
        for column in 0..8 * lanes {
            let bytes: Vec<u8> = words[1..].iter().map(|word| byte(word, column)).collect();
            match look(&bytes) {
                Column::Good => {}
                Column::Repaired(k, error) => {
                    corrected += 1;
                    words[k + 1][column / 8] ^= u64::from(error) << (8 * (column % 8));
                }
                Column::Uncorrectable => uncorrectable += 1,
            }
        }
        let mut crc = Crc::default();
        let plain = words[1..=shape.slots()].iter().map(|word| {
            let lanes = word.iter().zip(&mut self.scramblers);
            lanes
                .map(|(&word, lane)| lane.descramble(word))
                .collect::<Flit>()
        });
        let plain: Vec<Flit> = plain.collect();
        plain.iter().for_each(|flit| crc.take(flit));
        let trailer = words[shape.slots() + 1..][..shape.trailers()].iter();
        let mut trailer: Vec<Flit> = trailer
            .map(|word| word.iter().map(|lane| lane ^ WHITENING).collect())
            .collect();
        let bit = |trailer: &[Flit], at: usize| {
            let (word, at) = (at / (LANE_BITS * lanes), at % (LANE_BITS * lanes));
            trailer[word][at / LANE_BITS] >> (at % LANE_BITS) & 1
        };
        let field = |trailer: &[Flit], at: usize, width: usize| {
            (0..width).fold(0, |value, i| value | bit(trailer, at + i) << i)
        };
        let first = MAX_SLOTS - shape.slots();
        let map = |slot: usize| bit(&trailer, first + slot) == 1;
        let slots = (0..shape.slots()).map(|s| map(s).then(|| plain[s].clone()));
        let slots: Vec<Option<Flit>> = slots.collect();
        let number = field(&trailer, VALUE_AT, HAC_BITS) as u16;
        let meant = field(&trailer, MEANT_AT, 1) == 1;
        let value = match field(&trailer, KIND_AT, 1) {
            0 => Value::Stamp(number),
            _ => Value::Difference(meant.then_some(number)),
        };
        let state = match field(&trailer, STATE_AT, 2) {
            0 => Some(State::Restart),
            1 => Some(State::Train),
            2 => Some(State::Up),
            _ => None,
        };
        let said = field(&trailer, CRC_AT, TRAILER_BITS - CRC_AT) as u32;
        // The CRC counts its own field, in the last word, as zero.
        let at = CRC_AT % (LANE_BITS * lanes);
        if let Some(word) = trailer.last_mut() {
            word[at / LANE_BITS] &= !(0xffff_ffff << (at % LANE_BITS));
        }
        trailer.iter().for_each(|word| crc.take(word));
        Decoded {
            flits: slots.iter().flatten().cloned().collect(),
            content: state.map(|state| Content {
                slots,
                control: Control { state, value },
            }),
            corrected,
            uncorrectable,
            crc: crc.value() == said,
        }
    }
}
