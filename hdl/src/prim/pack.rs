//! Parts to a word, which rust-hdl's expressions cannot say. The other way is `word.val().get_bits::<W>(i * W)`.

use crate::info::{Info, Primitive};
use rust_hdl::prelude::*;

/// Packs `N / W` parts of `W` bits into one word of `N` bits, part 0 lowest. Wires only.
#[derive(Clone, Debug, LogicBlock)]
pub struct Pack<const W: usize, const N: usize> {
    /// The parts, the lowest first.
    pub part: Vec<Signal<In, Bits<W>>>,
    /// The word.
    pub word: Signal<Out, Bits<N>>,
    info: Info,
}

impl<const W: usize, const N: usize> Default for Pack<W, N> {
    fn default() -> Self {
        assert!(
            W > 0 && N > 0 && N.is_multiple_of(W),
            "{N} bits are not a whole number of parts of {W} bits"
        );
        Self {
            part: (0..N / W).map(|_| Signal::default()).collect(),
            word: Signal::default(),
            info: Info::new("pack", file!())
                .summary("Packs equal parts into one word")
                .param("PART_BITS", W)
                .param("WORD_BITS", N)
                .primitive(Primitive::Concat),
        }
    }
}

impl<const W: usize, const N: usize> Logic for Pack<W, N> {
    fn update(&mut self) {
        let mut word = Bits::<N>::default();
        for (i, part) in self.part.iter().enumerate() {
            word.set_bits::<W>(i * W, part.val());
        }
        self.word.next = word;
    }

    fn connect(&mut self) {
        self.word.connect();
    }

    fn hdl(&self) -> Verilog {
        let parts: Vec<String> = (0..self.part.len())
            .rev()
            .map(|i| format!("part${i}"))
            .collect();
        Verilog::Custom(format!("always @(*) word = {{{}}};", parts.join(", ")))
    }
}

/// Puts `high` above `low`: `word = {high, low}`, `N = H + L` bits. Wires only.
#[derive(Clone, Debug, LogicBlock)]
pub struct Concat<const H: usize, const L: usize, const N: usize> {
    /// The lower part.
    pub low: Signal<In, Bits<L>>,
    /// The upper part.
    pub high: Signal<In, Bits<H>>,
    /// The word.
    pub word: Signal<Out, Bits<N>>,
    info: Info,
}

impl<const H: usize, const L: usize, const N: usize> Default for Concat<H, L, N> {
    fn default() -> Self {
        assert!(
            H > 0 && L > 0 && H + L == N,
            "{H} and {L} bits do not make {N}"
        );
        Self {
            low: Signal::default(),
            high: Signal::default(),
            word: Signal::default(),
            info: Info::new("concat", file!())
                .summary("Puts two parts side by side")
                .param("HIGH_BITS", H)
                .param("LOW_BITS", L)
                .primitive(Primitive::Concat),
        }
    }
}

impl<const H: usize, const L: usize, const N: usize> Logic for Concat<H, L, N> {
    fn update(&mut self) {
        let mut word = Bits::<N>::default();
        word.set_bits::<L>(0, self.low.val());
        word.set_bits::<H>(L, self.high.val());
        self.word.next = word;
    }

    fn connect(&mut self) {
        self.word.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom("always @(*) word = {high, low};".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::simulate::simulate;

    #[test]
    fn part_zero_is_lowest() {
        let mut pack = Pack::<4, 12>::default();
        for (part, value) in pack.part.iter_mut().zip([0x1, 0x2, 0x3]) {
            part.next = Bits::from(value);
        }
        simulate(&mut pack, 10);
        assert_eq!(pack.word.val(), Bits::<12>::from(0x321));
    }

    #[test]
    fn high_is_above_low() {
        let mut concat = Concat::<4, 8, 12>::default();
        concat.low.next = Bits::from(0x34);
        concat.high.next = Bits::from(0x2);
        simulate(&mut concat, 10);
        assert_eq!(concat.word.val(), Bits::<12>::from(0x234));
    }

    #[test]
    #[should_panic(expected = "13 bits are not a whole number of parts of 4 bits")]
    fn parts_must_fit() {
        let _ = Pack::<4, 13>::default();
    }
}
