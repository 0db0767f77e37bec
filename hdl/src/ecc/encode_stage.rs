//! A vector and its check bits in a register.

use super::matrix;
use crate::info::Info;
use rust_hdl::prelude::*;

/// A vector and its check bits in a register.
///
/// ```text
/// clock      _/~\_/~\_/~\_
/// in_valid   /~~~\________
/// in_data    X d X
/// out_valid  ____/~~~\____
/// out_data       X d          <- holds until the next valid vector
/// out_check      X c
/// ```
///
/// Does the same as a [`SecdedEncoder`](super::SecdedEncoder) before registers that are enabled by the valid bit, and
/// computes nothing while it is low.
///
/// Parameters: L lanes, 8 to 64, a multiple of 8; V = 8 L. Latency: one cycle. Reset clears `out_valid`.
#[derive(LogicBlock)]
pub struct SecdedEncodeStage<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// There is a vector.
    pub in_valid: Signal<In, Bit>,
    /// The vector.
    pub in_data: Signal<In, Bits<V>>,
    /// There is a vector.
    pub out_valid: Signal<Out, Bit>,
    /// The vector.
    pub out_data: Signal<Out, Bits<V>>,
    /// Its check bits.
    pub out_check: Signal<Out, Bits<L>>,
    info: Info,
}

impl<const L: usize, const V: usize> SecdedEncodeStage<L, V> {
    /// Cycles from `in_data` to `out_data` and `out_check`.
    pub const LATENCY: u64 = 1;
}

impl<const L: usize, const V: usize> Default for SecdedEncodeStage<L, V> {
    fn default() -> Self {
        matrix::codewords(L, V);
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_data: Signal::default(),
            out_valid: Signal::default(),
            out_data: Signal::default(),
            out_check: Signal::default(),
            info: Info::new("secded_encode_stage", file!())
                .summary("A vector and its check bits in a register")
                .param("LANES", L)
                .port("in_data", "one vector, 8 bits a lane")
                .port("out_data", "one cycle later; holds while not valid")
                .port("out_check", "8 bits for every 8 lanes"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for SecdedEncodeStage<L, V> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.out_valid.next = self.in_valid.val() && !self.reset.val();
            if self.in_valid.val() {
                self.out_data.next = self.in_data.val();
                self.out_check.next = matrix::vector_checks(self.in_data.val());
            }
        }
    }

    fn connect(&mut self) {
        self.out_valid.connect();
        self.out_data.connect();
        self.out_check.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "\
{}
always @(posedge clock) begin
  out_valid <= in_valid && !reset;
  if (in_valid) begin
    out_data <= in_data;
    out_check <= {};
  end
end",
            matrix::checks_function(),
            matrix::vector_checks_text("in_data", matrix::codewords(L, V))
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "secded_encode_stage".into(),
            clock: "clock".into(),
            inputs: ["reset", "in_valid", "in_data"].map(String::from).to_vec(),
            outputs: ["out_valid", "out_data", "out_check"]
                .map(String::from)
                .to_vec(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn a_vector_appears_one_cycle_later_and_holds() {
        let mut stage = SecdedEncodeStage::<8, 64>::default();
        stage.connect_all();
        // (valid, data) in one cycle -> (valid, data, check) in the next
        let rows = [
            (true, 1, true, 1, 0x07),
            (false, 2, false, 1, 0x07),
            (true, 3, true, 3, 0x07 ^ 0x0b),
        ];
        for (in_valid, data, out_valid, out_data, check) in rows {
            stage.in_valid.next = in_valid;
            stage.in_data.next = Bits::from(data);
            cycle(&mut stage, |stage, level| {
                stage.clock.next = Clock::from(level)
            });
            assert_eq!(stage.out_valid.val(), out_valid);
            assert_eq!(stage.out_data.val().to_u64(), out_data);
            assert_eq!(stage.out_check.val().to_u64(), check);
        }
        stage.reset.next = true;
        cycle(&mut stage, |stage, level| {
            stage.clock.next = Clock::from(level)
        });
        assert!(!stage.out_valid.val());
    }
}
