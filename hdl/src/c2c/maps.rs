//! The linear maps of the link, made from the constants of [`lpu_isa::c2c`].

use super::xor_map::Row;
use lpu_isa::c2c::{
    CRC_AT, CRC_POLYNOMIAL, FIELD_POLYNOMIAL, LANE_BITS, MAX_SLOTS, PRBS_BITS, PRBS_TAP,
    SCRAMBLER_BITS, SCRAMBLER_START, SCRAMBLER_TAP, TRAILER_BITS, WHITENING, marker,
};
use rust_hdl::prelude::*;

/// A word with `of(lane)` in each lane.
pub(crate) fn lanes<const V: usize>(of: impl Fn(usize) -> u64) -> Bits<V> {
    (0..V / LANE_BITS).fold(Bits::default(), |word, lane| {
        let mut word: Bits<V> = word;
        word.set_bits::<64>(LANE_BITS * lane, Bits::from(of(lane)));
        word
    })
}

/// The markers of all lanes.
pub(crate) fn markers<const V: usize>() -> Bits<V> {
    lanes(marker)
}

/// A history of bits, the newest lowest, as the word that ends with it.
fn as_word(history: u64, bits: usize) -> u64 {
    (0..bits).fold(0, |word, ago| word | (history >> ago & 1) << (63 - ago))
}

/// The word before the first one that a scrambler of each lane takes.
pub(crate) fn scrambler_start<const V: usize>() -> Bits<V> {
    lanes(|lane| as_word(SCRAMBLER_START + lane as u64, SCRAMBLER_BITS))
}

/// The word before the first one of the pattern of each lane.
pub(crate) fn prbs_start<const V: usize>() -> Bits<V> {
    lanes(|lane| as_word(((1 << PRBS_BITS) - 1) - lane as u64, PRBS_BITS))
}

/// Rows of a recursion over the bits of each lane: `taps` bits ago, of what is made (or, without feedback, of what comes in).
///
/// Inputs: the word, above it the word before.
fn recursion(bits: usize, taps: [usize; 2], with_input: bool, feedback: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = vec![];
    for at in 0..bits {
        let (lane, place) = (at / LANE_BITS * LANE_BITS, at % LANE_BITS);
        let mut row = if with_input {
            Row::bit(at)
        } else {
            Row::default()
        };
        for tap in taps {
            match place.checked_sub(tap) {
                Some(place) if feedback => row.add(&rows[lane + place].clone()),
                Some(place) => row.flip(lane + place),
                None => row.flip(bits + lane + LANE_BITS + place - tap),
            }
        }
        rows.push(row);
    }
    rows
}

/// Scrambles: the word, above it the scrambled word before.
pub(crate) fn scramble(bits: usize) -> Vec<Row> {
    recursion(bits, [SCRAMBLER_TAP, SCRAMBLER_BITS], true, true)
}

/// Descrambles: the scrambled word, above it the scrambled word before.
pub(crate) fn descramble(bits: usize) -> Vec<Row> {
    recursion(bits, [SCRAMBLER_TAP, SCRAMBLER_BITS], true, false)
}

/// The next word of the pattern: nothing, above it the word before.
pub(crate) fn pattern(bits: usize) -> Vec<Row> {
    recursion(bits, [PRBS_TAP, PRBS_BITS], false, true)
}

/// What the pattern does not predict: the word, above it the word before.
pub(crate) fn surprise(bits: usize) -> Vec<Row> {
    recursion(bits, [PRBS_TAP, PRBS_BITS], true, false)
}

/// A step of the CRC: the word, above it the state.
pub(crate) fn crc(bits: usize) -> Vec<Row> {
    let mut state: Vec<Row> = (0..32).map(|at| Row::bit(bits + at)).collect();
    for at in 0..bits {
        let Some(mut out) = state.pop() else { break };
        out.flip(at);
        state.insert(0, Row::default());
        for (place, row) in state.iter_mut().enumerate() {
            if CRC_POLYNOMIAL >> place & 1 == 1 {
                row.add(&out);
            }
        }
    }
    state
}

/// A product in GF(256).
pub(crate) fn multiply(a: u8, b: u8) -> u8 {
    let product = (0..8).fold(0u16, |sum, bit| {
        sum ^ if b >> bit & 1 == 1 {
            u16::from(a) << bit
        } else {
            0
        }
    });
    (8..15).rev().fold(product, |product, bit| {
        product
            ^ if product >> bit & 1 == 1 {
                FIELD_POLYNOMIAL << (bit - 8)
            } else {
                0
            }
    }) as u8
}

/// A power of alpha; 255 - e is that of the inverse.
pub(crate) fn power(exponent: usize) -> u8 {
    (0..exponent % 255).fold(1, |x, _| multiply(x, 2))
}

/// Adds `factor` times each byte, `from` bits up in the inputs, to the rows of each byte.
fn add_product(rows: &mut [Row], factor: u8, from: usize) {
    for at in 0..rows.len() {
        let image = multiply(factor, 1 << (at % 8));
        for bit in (0..8).filter(|bit| image >> bit & 1 == 1) {
            rows[at / 8 * 8 + bit].flip(from + at);
        }
    }
}

/// Multiplies each byte: `a` times those of the first input plus `b` times those of the second.
pub(crate) fn products(bits: usize, a: u8, b: u8) -> Vec<Row> {
    let mut rows = vec![Row::default(); bits];
    add_product(&mut rows, a, 0);
    add_product(&mut rows, b, bits);
    rows
}

/// The first parity of each column, from the sum of its data, above it the Horner sum.
pub(crate) fn parity(bits: usize) -> Vec<Row> {
    let inverse = (1..=255).find(|&x| multiply(x, 1 ^ 2) == 1).unwrap_or(0);
    products(bits, inverse, multiply(inverse, power(2)))
}

/// Where the CRC lies in the last trailer word.
pub(crate) fn crc_place(bits: usize) -> usize {
    if bits < TRAILER_BITS {
        bits - 32
    } else {
        CRC_AT
    }
}

/// Puts the CRC, the second input, into the last trailer word, where there is zero.
pub(crate) fn place_crc(bits: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = (0..bits).map(Row::bit).collect();
    for at in 0..32 {
        rows[crc_place(bits) + at].flip(bits + at);
    }
    rows
}

/// Whitens a trailer word, or undoes it.
pub(crate) fn whiten(bits: usize) -> Vec<Row> {
    let row = |at: usize| Row::bit(at).inverted(WHITENING >> (at % LANE_BITS) & 1 == 1);
    (0..bits).map(row).collect()
}

/// Undoes the whitening of the last trailer word and puts zero where the CRC is.
pub(crate) fn without_crc(bits: usize) -> Vec<Row> {
    let mut rows = whiten(bits);
    let at = crc_place(bits);
    rows[at..at + 32].fill(Row::default());
    rows
}

/// The trailer's bits that are still to be sent, one word less. Behind the only word nothing is left, and anything may stand.
pub(crate) fn shift_out(bits: usize) -> Vec<Row> {
    let row = |at: usize| match at + bits < TRAILER_BITS {
        true => Row::bit(at + bits),
        false if bits >= TRAILER_BITS => Row::bit(at),
        false => Row::default(),
    };
    (0..TRAILER_BITS).map(row).collect()
}

/// A trailer word into the trailer, the second input, from above.
pub(crate) fn shift_in(bits: usize) -> Vec<Row> {
    let row = |at: usize| match (at + bits).checked_sub(TRAILER_BITS) {
        None => Row::bit(bits + at + bits),
        Some(_) if bits >= TRAILER_BITS => Row::bit(at),
        Some(place) => Row::bit(place),
    };
    (0..TRAILER_BITS).map(row).collect()
}

/// Trailer word `index` at its place in the trailer.
pub(crate) fn place_word(bits: usize, index: usize) -> Vec<Row> {
    let row = |at: usize| match at.checked_sub(index * bits) {
        Some(place) if place < bits => Row::bit(place),
        _ => Row::default(),
    };
    (0..TRAILER_BITS).map(row).collect()
}

/// The map of a trailer with slot 0 in bit 0.
pub(crate) fn map_down(slots: usize) -> Vec<Row> {
    let row = |slot: usize| match slot < slots {
        true => Row::bit(MAX_SLOTS - slots + slot),
        false => Row::default(),
    };
    (0..MAX_SLOTS).map(row).collect()
}
