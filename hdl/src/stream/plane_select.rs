//! Which streams the four byte planes of an operand come from.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Byte planes of a word vector.
pub(crate) const PLANES: usize = 4;
/// The codes of streams that hold plane 0.
const FIRST: u64 = 0x1111_1111_1111_1111;

/// From the stream of an operand, one-hot, to the streams of the four byte planes of a word vector that it is part of, each
/// one-hot: plane b is on the stream with the number b modulo 4.
///
/// Latency: none; one 4-input function for four bits.
#[derive(Clone, Debug, LogicBlock)]
pub struct PlaneSelect {
    /// The stream, one-hot by code.
    pub in_select: Signal<In, Bits<64>>,
    /// The stream of each plane, one-hot by code.
    pub out_select: Vec<Signal<Out, Bits<64>>>,
    info: Info,
}

impl Default for PlaneSelect {
    fn default() -> Self {
        Self {
            in_select: Signal::default(),
            out_select: (0..PLANES).map(|_| Signal::default()).collect(),
            info: Info::new("plane_select", file!())
                .summary("Streams of the four byte planes of an operand")
                .port("in_select", "one-hot by code")
                .port("out_select", "one-hot by code"),
        }
    }
}

impl Logic for PlaneSelect {
    fn update(&mut self) {
        let select = self.in_select.val().to_u64();
        let any = (0..PLANES).fold(0, |any, b| any | select >> b) & FIRST;
        for (b, plane) in self.out_select.iter_mut().enumerate() {
            plane.next = Bits::from(any << b);
        }
    }

    fn connect(&mut self) {
        self.out_select.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let mut text = format!(
            "wire [63:0] any = (in_select | in_select >> 1 | in_select >> 2 | in_select >> 3) & 64'h{FIRST:x};\n\n\
             always @(*) begin\n"
        );
        for b in 0..PLANES {
            text += &format!("  out_select${b} = any << {b};\n");
        }
        Verilog::Custom(text + "end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_hdl::core::simulate::simulate;

    proptest! {
        #[test]
        fn planes_come_from_their_streams(code in 0usize..64) {
            let mut block = PlaneSelect::default();
            block.connect_all();
            block.in_select.next = Bits::from(1u64 << code);
            simulate(&mut block, 10);
            for b in 0..PLANES {
                let expected = 1u64 << (code / PLANES * PLANES + b);
                prop_assert_eq!(block.out_select[b].val().to_u64(), expected);
            }
        }
    }
}
