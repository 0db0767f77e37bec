//! The self-synchronous scrambler of all lanes, and its inverse.

use super::maps;
use super::xor_map::XorMap;
use crate::info::Info;
use crate::prim::{Flop, Pipe};
use rust_hdl::prelude::*;

/// Scrambles the slots of a frame, each lane for itself, with x^58 + x^39 + 1; other words pass as they are.
///
/// The state is the last scrambled slot, so it takes a lane's word in a cycle. Parameters: V bits, 64 for each lane.
/// Latency: one cycle. Reset sets the start state.
///
/// Source: IEEE 802.3, clause 49.2.6.
#[derive(LogicBlock)]
pub struct Scrambler<const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A line word.
    pub in_word: Signal<In, Bits<V>>,
    /// It is word 0.
    pub in_start: Signal<In, Bit>,
    /// It is a slot.
    pub in_flit: Signal<In, Bit>,
    /// The word, scrambled if it is a slot.
    pub out_word: Signal<Out, Bits<V>>,
    /// It is word 0.
    pub out_start: Signal<Out, Bit>,
    past: Flop<Bits<V>>,
    word: Pipe<Bits<V>>,
    start: Flop<Bit>,
    scramble: XorMap<V, V, V>,
    info: Info,
}

impl<const V: usize> Scrambler<V> {
    /// Cycles from `in_word` to `out_word`.
    pub const LATENCY: u64 = 1;
}

impl<const V: usize> Default for Scrambler<V> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_word: Signal::default(),
            in_start: Signal::default(),
            in_flit: Signal::default(),
            out_word: Signal::default(),
            out_start: Signal::default(),
            past: Flop::new(maps::scrambler_start::<V>()),
            word: Pipe::default(),
            start: Flop::default(),
            scramble: XorMap::new("c2c_scramble", "Scrambles a word", maps::scramble(V)),
            info: Info::new("c2c_scrambler", file!())
                .summary("Self-synchronous scrambler of all lanes")
                .param("WORD_BITS", V)
                .port("in_flit", "only slots are scrambled"),
        }
    }
}

impl<const V: usize> Logic for Scrambler<V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, past, word, start);
        self.past.reset.next = self.reset.val();
        self.start.reset.next = self.reset.val();
        self.scramble.in_a.next = self.in_word.val();
        self.scramble.in_b.next = self.past.q.val();
        self.past.enable.next = self.in_flit.val();
        self.past.d.next = self.scramble.out.val();
        self.word.d.next = self.in_word.val();
        if self.in_flit.val() {
            self.word.d.next = self.scramble.out.val();
        }
        self.start.enable.next = true;
        self.start.d.next = self.in_start.val();
        self.out_word.next = self.word.q.val();
        self.out_start.next = self.start.q.val();
    }
}

/// Undoes the [`Scrambler`]: `out_word` is the plain slot while `in_flit` is high. Right from the second slot on, whatever
/// came before.
///
/// Parameters: V bits, 64 for each lane. Latency: 0. Reset clears the state.
#[derive(LogicBlock)]
pub struct Descrambler<const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A line word.
    pub in_word: Signal<In, Bits<V>>,
    /// It is a slot.
    pub in_flit: Signal<In, Bit>,
    /// The plain slot.
    pub out_word: Signal<Out, Bits<V>>,
    past: Flop<Bits<V>>,
    descramble: XorMap<V, V, V>,
    info: Info,
}

impl<const V: usize> Descrambler<V> {
    /// Cycles from `in_word` to `out_word`.
    pub const LATENCY: u64 = 0;
}

impl<const V: usize> Default for Descrambler<V> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_word: Signal::default(),
            in_flit: Signal::default(),
            out_word: Signal::default(),
            past: Flop::default(),
            descramble: XorMap::new("c2c_descramble", "Descrambles a word", maps::descramble(V)),
            info: Info::new("c2c_descrambler", file!())
                .summary("Self-synchronous descrambler of all lanes")
                .param("WORD_BITS", V)
                .port("in_flit", "only slots count"),
        }
    }
}

impl<const V: usize> Logic for Descrambler<V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, past);
        self.past.reset.next = self.reset.val();
        self.past.enable.next = self.in_flit.val();
        self.past.d.next = self.in_word.val();
        self.descramble.in_a.next = self.in_word.val();
        self.descramble.in_b.next = self.past.q.val();
        self.out_word.next = self.descramble.out.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use rust_hdl::core::simulate::simulate;

    /// By definition, bit by bit: s[i] = d[i] ^ s[i-39] ^ s[i-58].
    fn by_definition(state: &mut u64, word: u64) -> u64 {
        (0..64).fold(0, |out, at| {
            let s = (word >> at ^ *state >> 38 ^ *state >> 57) & 1;
            *state = *state << 1 | s;
            out | s << at
        })
    }

    #[test]
    fn a_slot_is_scrambled_as_defined_and_comes_back() {
        let mut to = Scrambler::<128>::default();
        let mut from = Descrambler::<128>::default();
        to.connect_all();
        from.connect_all();
        to.reset.next = true;
        cycle(&mut to, |to, level| to.clock.next = Clock::from(level));
        to.reset.next = false;
        let mut states = [0, 1].map(|lane| lpu_isa::c2c::SCRAMBLER_START + lane);
        for round in 0..40u64 {
            let plain = round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let word = maps::lanes::<128>(|lane| plain ^ lane as u64);
            to.in_word.next = word;
            // Every third word is no slot.
            let flit = round % 3 != 2;
            to.in_flit.next = flit;
            cycle(&mut to, |to, level| to.clock.next = Clock::from(level));
            let out = to.out_word.val();
            from.in_word.next = out;
            from.in_flit.next = flit;
            from.clock.next = Clock::from(false);
            simulate(&mut from, 10);
            if !flit {
                assert_eq!(out, word);
            } else {
                for (lane, state) in states.iter_mut().enumerate() {
                    let expected = by_definition(state, plain ^ lane as u64);
                    assert_eq!(out.get_bits::<64>(64 * lane).to_u64(), expected);
                }
                if round > 0 {
                    assert_eq!(from.out_word.val(), word, "round {round}");
                }
            }
            cycle(&mut from, |from, level| {
                from.clock.next = Clock::from(level)
            });
        }
    }
}
