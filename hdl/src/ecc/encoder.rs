//! Check bits of a vector.

use super::matrix;
use crate::info::Info;
use rust_hdl::prelude::*;

/// Check bits of a vector: 8 for every 8 lanes. Combinational.
///
/// A check bit is the XOR of 26 data bits, three levels of four-input tables. Where the data comes with a valid bit and
/// goes into a register, [`SecdedEncodeStage`](super::SecdedEncodeStage) costs less to simulate.
///
/// Parameters: L lanes, 8 to 64, a multiple of 8; V = 8 L. Latency: 0.
///
/// Source of the code: M. Y. Hsiao, IBM Journal of Research and Development 14(4), 1970.
#[derive(LogicBlock)]
pub struct SecdedEncoder<const L: usize, const V: usize> {
    /// A vector.
    pub in_data: Signal<In, Bits<V>>,
    /// Its check bits.
    pub out_check: Signal<Out, Bits<L>>,
    info: Info,
}

impl<const L: usize, const V: usize> SecdedEncoder<L, V> {
    /// Cycles from `in_data` to `out_check`.
    pub const LATENCY: u64 = 0;
}

impl<const L: usize, const V: usize> Default for SecdedEncoder<L, V> {
    fn default() -> Self {
        matrix::codewords(L, V);
        Self {
            in_data: Signal::default(),
            out_check: Signal::default(),
            info: Info::new("secded_encoder", file!())
                .summary("Check bits of a vector")
                .param("LANES", L)
                .port("in_data", "one vector, 8 bits a lane")
                .port("out_check", "8 bits for every 8 lanes"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for SecdedEncoder<L, V> {
    fn update(&mut self) {
        self.out_check.next = matrix::vector_checks(self.in_data.val());
    }

    fn connect(&mut self) {
        self.out_check.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "{}\nalways @(*) out_check = {};",
            matrix::checks_function(),
            matrix::vector_checks_text("in_data", matrix::codewords(L, V))
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lpu_isa::secded::COLUMNS;
    use rust_hdl::core::simulate::simulate;

    fn check(data: u64) -> u64 {
        let mut encoder = SecdedEncoder::<8, 64>::default();
        encoder.connect_all();
        encoder.in_data.next = Bits::from(!data);
        simulate(&mut encoder, 10);
        encoder.in_data.next = Bits::from(data);
        simulate(&mut encoder, 10);
        encoder.out_check.val().to_u64()
    }

    #[test]
    fn a_single_bit_gives_its_column() {
        for (bit, column) in COLUMNS.iter().enumerate() {
            assert_eq!(check(1 << bit), u64::from(*column), "data bit {bit}");
        }
        assert_eq!(check(0), 0);
        assert_eq!(check(0b11), 0x07 ^ 0x0b);
    }

    #[test]
    fn codewords_are_independent() {
        let mut encoder = SecdedEncoder::<16, 128>::default();
        encoder.connect_all();
        encoder.in_data.next = Bits::from(1) | (Bits::<128>::from(1) << 127);
        simulate(&mut encoder, 10);
        assert_eq!(encoder.out_check.val().to_u64(), 0x5707);
    }
}
