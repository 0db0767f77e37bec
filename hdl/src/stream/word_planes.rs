//! From words to byte planes.

use super::plane_select::PLANES;
use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// From the word of each lane to the byte planes of a result: byte b of the word is the lane's byte of plane b.
///
/// Without `in_enable` planes are unspecified, so that a simulator has nothing to do.
///
/// Parameters: L lanes, V = 8 L. Latency: none.
#[derive(Clone, Debug, LogicBlock)]
pub struct WordPlanes<const L: usize, const V: usize> {
    /// There is a result.
    pub in_enable: Signal<In, Bit>,
    /// The word of each lane.
    pub in_word: Vec<Signal<In, Bits<32>>>,
    /// The planes, the least byte first.
    pub out_plane: Vec<Signal<Out, Bits<V>>>,
    info: Info,
}

impl<const L: usize, const V: usize> Default for WordPlanes<L, V> {
    fn default() -> Self {
        Self {
            in_enable: Signal::default(),
            in_word: (0..L).map(|_| Signal::default()).collect(),
            out_plane: (0..PLANES).map(|_| Signal::default()).collect(),
            info: Info::new("word_planes", file!())
                .summary("From words to byte planes")
                .param("LANES", L)
                .port("out_plane", "unspecified while in_enable is low"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for WordPlanes<L, V> {
    fn update(&mut self) {
        for (b, plane) in self.out_plane.iter_mut().enumerate() {
            let mut bytes = Bits::<V>::default();
            if self.in_enable.val() {
                for (i, word) in self.in_word.iter().enumerate() {
                    bytes.set_bits::<8>(8 * i, word.val().get_bits::<8>(8 * b));
                }
            }
            plane.next = bytes;
        }
    }

    fn connect(&mut self) {
        self.out_plane.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let mut text = String::from("always @(*)\n  if (in_enable) begin\n");
        for b in 0..PLANES {
            let lanes: Vec<_> = (0..L)
                .rev()
                .map(|i| format!("in_word${i}[{}:{}]", 8 * b + 7, 8 * b))
                .collect();
            let _ = writeln!(text, "    out_plane${b} = {{{}}};", lanes.join(", "));
        }
        text += "  end\n  else begin\n";
        for b in 0..PLANES {
            let _ = writeln!(text, "    out_plane${b} = {V}'bx;");
        }
        Verilog::Custom(text + "  end")
    }
}
