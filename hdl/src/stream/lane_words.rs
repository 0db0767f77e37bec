//! From byte planes to words.

use super::plane_select::PLANES;
use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// From the byte planes of an operand to the word of each lane.
///
/// Byte b of a word is the lane's byte of plane b. With `in_one` the lowest byte is the lane's byte of `in_byte` and the others
/// are unspecified. Without `in_enable` words are unspecified, so that a simulator has nothing to do.
///
/// Parameters: L lanes, V = 8 L. Latency: none.
#[derive(Clone, Debug, LogicBlock)]
pub struct LaneWords<const L: usize, const V: usize> {
    /// There is an operand.
    pub in_enable: Signal<In, Bit>,
    /// It is one vector.
    pub in_one: Signal<In, Bit>,
    /// The only plane of such an operand.
    pub in_byte: Signal<In, Bits<V>>,
    /// The planes of any other, the least byte first.
    pub in_plane: Vec<Signal<In, Bits<V>>>,
    /// The word of each lane.
    pub out_word: Vec<Signal<Out, Bits<32>>>,
    info: Info,
}

impl<const L: usize, const V: usize> Default for LaneWords<L, V> {
    fn default() -> Self {
        Self {
            in_enable: Signal::default(),
            in_one: Signal::default(),
            in_byte: Signal::default(),
            in_plane: (0..PLANES).map(|_| Signal::default()).collect(),
            out_word: (0..L).map(|_| Signal::default()).collect(),
            info: Info::new("lane_words", file!())
                .summary("From byte planes to words")
                .param("LANES", L)
                .port("in_one", "the operand is in_byte")
                .port("in_plane", "the least byte first")
                .port("out_word", "unspecified while in_enable is low"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for LaneWords<L, V> {
    fn update(&mut self) {
        for i in 0..L {
            let byte = |plane: &Signal<In, Bits<V>>| plane.val().get_bits::<8>(8 * i).to_u64();
            let word = if !self.in_enable.val() {
                0
            } else if self.in_one.val() {
                byte(&self.in_byte)
            } else {
                let bytes = self.in_plane.iter().enumerate();
                bytes.fold(0, |word, (b, plane)| word | byte(plane) << (8 * b))
            };
            self.out_word[i].next = Bits::from(word);
        }
    }

    fn connect(&mut self) {
        self.out_word.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let mut branches = [const { String::new() }; 3];
        for i in 0..L {
            let (low, high) = (8 * i, 8 * i + 7);
            let [one, four, none] = &mut branches;
            let _ = writeln!(one, "    out_word${i} = {{24'bx, in_byte[{high}:{low}]}};");
            let bytes: Vec<_> = (0..PLANES)
                .rev()
                .map(|b| format!("in_plane${b}[{high}:{low}]"))
                .collect();
            let _ = writeln!(four, "    out_word${i} = {{{}}};", bytes.join(", "));
            let _ = writeln!(none, "    out_word${i} = 32'bx;");
        }
        let [one, four, none] = branches;
        Verilog::Custom(format!(
            "always @(*)\n\
             \x20 if (!in_enable) begin\n{none}  end\n\
             \x20 else if (in_one) begin\n{one}  end\n\
             \x20 else begin\n{four}  end"
        ))
    }
}
