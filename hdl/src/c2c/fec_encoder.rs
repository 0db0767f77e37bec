//! Markers and parities of a frame.

use super::maps;
use super::xor_map::XorMap;
use crate::info::Info;
use crate::prim::{Flop, Pipe};
use lpu_isa::c2c::Shape;
use rust_hdl::prelude::*;

/// Writes the markers into word 0 and the two parities of each byte column into words F-2 and F-1; other words pass.
///
/// Each column is a codeword of RS(n, n-2) over GF(256): sum and Horner sum of its bytes run along, and give the parities
/// P0 = (A0 + alpha^2 A1) / (1 + alpha) and P1 = A0 + P0.
///
/// Parameters: the shape. Latency: one cycle. Reset: none is needed, `in_start` starts a frame.
#[derive(LogicBlock)]
pub struct FecEncoder<const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A line word.
    pub in_word: Signal<In, Bits<V>>,
    /// It is word 0.
    pub in_start: Signal<In, Bit>,
    /// The word for the line.
    pub out_word: Signal<Out, Bits<V>>,
    number: Flop<Bits<8>>,
    sum: Flop<Bits<V>>,
    horner: Flop<Bits<V>>,
    word: Pipe<Bits<V>>,
    step: XorMap<V, V, V>,
    parity: XorMap<V, V, V>,
    at: Signal<Local, Bits<8>>,
    is_data: Signal<Local, Bit>,
    markers: Constant<Bits<V>>,
    first_parity: Constant<Bits<8>>,
    info: Info,
}

impl<const V: usize> FecEncoder<V> {
    /// Cycles from `in_word` to `out_word`.
    pub const LATENCY: u64 = 1;

    /// The encoder of a link of this shape.
    pub fn new(shape: Shape) -> Self {
        assert_eq!(V, shape.bits(), "bits of a word");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_word: Signal::default(),
            in_start: Signal::default(),
            out_word: Signal::default(),
            number: Flop::default(),
            sum: Flop::default(),
            horner: Flop::default(),
            word: Pipe::default(),
            step: XorMap::new(
                "c2c_horner",
                "alpha times the second input, plus the first, in each byte",
                maps::products(V, 1, 2),
            ),
            parity: XorMap::new("c2c_parity", "First parity of each column", maps::parity(V)),
            at: Signal::default(),
            is_data: Signal::default(),
            markers: Constant::new(maps::markers::<V>()),
            first_parity: Constant::new(Bits::from(shape.frame() as u64 - 2)),
            info: Info::new("c2c_fec_encoder", file!())
                .summary("Markers and parities of a frame")
                .param("WORD_BITS", V)
                .param("FRAME", shape.frame())
                .port("out_word", "the word for the line"),
        }
    }
}

impl<const V: usize> Logic for FecEncoder<V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, number, sum, horner, word);
        self.number.reset.next = self.reset.val();
        self.sum.reset.next = self.reset.val();
        self.horner.reset.next = self.reset.val();

        self.at.next = self.number.q.val();
        if self.in_start.val() {
            self.at.next = 0.into();
        }
        self.number.enable.next = true;
        self.number.d.next = self.at.val() + 1;
        self.is_data.next = (self.at.val() != 0) & (self.at.val() < self.first_parity.val());

        self.step.in_a.next = self.in_word.val();
        self.step.in_b.next = self.horner.q.val();
        self.sum.enable.next = self.in_start.val() | self.is_data.val();
        self.horner.enable.next = self.in_start.val() | self.is_data.val();
        self.sum.d.next = self.sum.q.val() ^ self.in_word.val();
        self.horner.d.next = self.step.out.val();
        if self.in_start.val() {
            self.sum.d.next = 0.into();
            self.horner.d.next = 0.into();
        }
        self.parity.in_a.next = self.sum.q.val();
        self.parity.in_b.next = self.horner.q.val();

        self.word.d.next = self.sum.q.val() ^ self.parity.out.val();
        if self.at.val() == self.first_parity.val() {
            self.word.d.next = self.parity.out.val();
        }
        if self.is_data.val() {
            self.word.d.next = self.in_word.val();
        }
        if self.in_start.val() {
            self.word.d.next = self.markers.val();
        }
        self.out_word.next = self.word.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn every_column_is_a_codeword() {
        let shape = Shape::new(1, 8).unwrap();
        let frame = shape.frame();
        let mut encoder = FecEncoder::<64>::new(shape);
        encoder.connect_all();
        let mut words = vec![];
        for now in 0..=3 * frame {
            encoder.in_start.next = now % frame == 0;
            encoder.in_word.next = Bits::from((now as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            cycle(&mut encoder, |encoder, level| {
                encoder.clock.next = Clock::from(level)
            });
            words.push(encoder.out_word.val().to_u64());
        }
        for round in 0..3 {
            let words = &words[round * frame..][..frame];
            assert_eq!(words[0], lpu_isa::c2c::marker(0));
            for column in 0..8 {
                let bytes: Vec<u8> = words[1..]
                    .iter()
                    .map(|w| (w >> (8 * column)) as u8)
                    .collect();
                let (mut s0, mut s1) = (0, 0);
                for &byte in &bytes {
                    s0 ^= byte;
                    s1 = maps::multiply(s1, 2) ^ byte;
                }
                assert_eq!((s0, s1), (0, 0), "column {column}");
            }
        }
    }
}
