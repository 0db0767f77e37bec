//! From sums to the four byte planes of a result and their check bits.

use super::PARTS;
use crate::ecc::matrix;
use crate::info::Info;
use rust_hdl::prelude::*;

/// From sums to the four byte planes of a result and their check bits.
///
/// Byte `b` of lane `n` becomes lane `n` of plane `b`. All outputs are zero while `in_enable` is low, so that nothing is
/// computed then.
///
/// Parameters: L lanes, 8 to 64, a multiple of 8; V = 8 L. Latency: none; 26-input XORs.
#[derive(Clone, Debug, LogicBlock)]
pub struct ResultEncoder<const L: usize, const V: usize> {
    /// There is a result.
    pub in_enable: Signal<In, Bit>,
    /// The sums, one a lane.
    pub in_sum: Vec<Signal<In, Bits<32>>>,
    /// The byte planes, the least byte first.
    pub out_data: Vec<Signal<Out, Bits<V>>>,
    /// Their check bits.
    pub out_check: Vec<Signal<Out, Bits<L>>>,
    info: Info,
}

impl<const L: usize, const V: usize> Default for ResultEncoder<L, V> {
    fn default() -> Self {
        matrix::codewords(L, V);
        Self {
            in_enable: Signal::default(),
            in_sum: (0..L).map(|_| Signal::default()).collect(),
            out_data: (0..PARTS).map(|_| Signal::default()).collect(),
            out_check: (0..PARTS).map(|_| Signal::default()).collect(),
            info: Info::new("result_encoder", file!())
                .summary("Byte planes of a result and their check bits")
                .param("LANES", L)
                .port("in_enable", "there is a result")
                .port("in_sum", "one a lane")
                .port(
                    "out_data",
                    "byte planes, the least first; 0 without a result",
                )
                .port("out_check", "their check bits"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for ResultEncoder<L, V> {
    fn update(&mut self) {
        for b in 0..PARTS {
            let mut plane = Bits::<V>::default();
            if self.in_enable.val() {
                for (n, sum) in self.in_sum.iter().enumerate() {
                    plane.set_bits::<8>(8 * n, sum.val().get_bits::<8>(8 * b));
                }
            }
            self.out_check[b].next = matrix::vector_checks(plane);
            self.out_data[b].next = plane;
        }
    }

    fn connect(&mut self) {
        self.out_data.iter_mut().for_each(Logic::connect);
        self.out_check.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let codewords = matrix::codewords(L, V);
        let mut text = format!("{}\nalways @(*) begin\n", matrix::checks_function());
        for b in 0..PARTS {
            text += &format!("  out_data${b} = {V}'d0;\n  out_check${b} = {L}'d0;\n");
        }
        text += "  if (in_enable) begin\n";
        for b in 0..PARTS {
            for word in 0..L / 4 {
                let lanes: Vec<String> = (4 * word..4 * word + 4)
                    .rev()
                    .map(|n| format!("in_sum${n}[{}:{}]", 8 * b + 7, 8 * b))
                    .collect();
                text += &format!(
                    "    out_data${b}[{}:{}] = {{{}}};\n",
                    32 * word + 31,
                    32 * word,
                    lanes.join(", ")
                );
            }
        }
        for b in 0..PARTS {
            let check = matrix::vector_checks_text(&format!("out_data${b}"), codewords);
            text += &format!("    out_check${b} = {check};\n");
        }
        text += "  end\nend";
        Verilog::Custom(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::simulate::simulate;

    #[test]
    fn bytes_go_to_their_planes() {
        let mut encoder = ResultEncoder::<8, 64>::default();
        encoder.connect_all();
        for (n, sum) in encoder.in_sum.iter_mut().enumerate() {
            sum.next = Bits::from(0x3020_1000 + 0x0101_0101 * n as u64);
        }
        encoder.in_enable.next = true;
        assert!(simulate(&mut encoder, 10));
        for b in 0..PARTS {
            let plane = 0x0706_0504_0302_0100 + 0x1010_1010_1010_1010 * b as u64;
            assert_eq!(encoder.out_data[b].val().to_u64(), plane);
            assert_eq!(encoder.out_check[b].val().to_u8(), matrix::checks(plane));
        }
        encoder.in_enable.next = false;
        assert!(simulate(&mut encoder, 10));
        assert_eq!(encoder.out_data[3].val().to_u64(), 0);
    }
}
