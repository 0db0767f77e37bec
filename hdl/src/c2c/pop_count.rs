//! Ones in a word.

use crate::info::Info;
use rust_hdl::prelude::*;

/// The number of ones in a word. Combinational.
///
/// Parameters: bits of the word and of the number, which must hold it. Latency: 0.
#[derive(LogicBlock)]
pub struct PopCount<const I: usize, const O: usize> {
    /// The word.
    pub in_word: Signal<In, Bits<I>>,
    /// Its ones.
    pub out: Signal<Out, Bits<O>>,
    info: Info,
}

impl<const I: usize, const O: usize> PopCount<I, O> {
    /// Cycles from `in_word` to `out`.
    pub const LATENCY: u64 = 0;
}

impl<const I: usize, const O: usize> Default for PopCount<I, O> {
    fn default() -> Self {
        assert!(O < 32 && I < 1 << O, "{I} ones in {O} bits");
        Self {
            in_word: Signal::default(),
            out: Signal::default(),
            info: Info::new("c2c_pop_count", file!())
                .summary("Ones in a word")
                .param("IN_BITS", I)
                .param("OUT_BITS", O),
        }
    }
}

impl<const I: usize, const O: usize> Logic for PopCount<I, O> {
    fn update(&mut self) {
        let word = self.in_word.val();
        let ones = (0..I).filter(|&at| word.get_bit(at)).count();
        self.out.next = Bits::from(ones as u64);
    }

    fn connect(&mut self) {
        self.out.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "\
integer at;

always @(*) begin
  out = {O}'d0;
  for (at = 0; at < {I}; at = at + 1) begin
    out = out + {{{zeros}'d0, in_word[at]}};
  end
end",
            zeros = O - 1
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::simulate::simulate;

    #[test]
    fn ones_are_counted() {
        let mut count = PopCount::<64, 7>::default();
        count.connect_all();
        for word in [1, 0, u64::MAX, 0x8001_0000_0000_0100] {
            count.in_word.next = Bits::from(word);
            simulate(&mut count, 10);
            assert_eq!(count.out.val().to_u64(), u64::from(word.count_ones()));
        }
    }
}
