//! A flip-flop with enable and synchronous reset, for state.

use crate::info::{Info, Primitive};
use rust_hdl::prelude::*;

/// A flip-flop with enable and synchronous reset, for state.
///
/// On a rising edge of `clock`: `reset` loads the reset value, otherwise `enable` loads `d`, otherwise `q` stays.
/// Before the first reset `q` is undefined in hardware and the reset value in rust-hdl's simulator.
///
/// Latency: one cycle from `d` to `q`.
#[derive(Clone, Debug, LogicBlock)]
pub struct Flop<T: Synth> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset, active high; wins over `enable`.
    pub reset: Signal<In, Bit>,
    /// Loads `d` when high.
    pub enable: Signal<In, Bit>,
    /// Next value.
    pub d: Signal<In, T>,
    /// Present value.
    pub q: Signal<Out, T>,
    info: Info,
    _reset_value: T,
}

impl<T: Synth> Flop<T> {
    /// A flip-flop that resets to `value`.
    pub fn new(value: T) -> Self {
        let reset = hex_digits(value);
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            enable: Signal::default(),
            d: Signal::default(),
            q: Signal::<Out, T>::new_with_default(value),
            info: Info::new("flop", file!())
                .summary("Flip-flop with enable and synchronous reset")
                .param("WIDTH", T::BITS)
                .param("RESET", &reset)
                .primitive(Primitive::Flop { reset }),
            _reset_value: value,
        }
    }
}

impl<T: Synth> Default for Flop<T> {
    /// A flip-flop that resets to the default of its type: zero, or the first state.
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// The value as hexadecimal digits, without width or prefix.
fn hex_digits<T: Synth>(value: T) -> String {
    let literal = format!("{:x}", value.verilog());
    literal
        .split_once("'h")
        .map_or(literal.clone(), |(_, digits)| digits.to_owned())
}

impl<T: Synth> Logic for Flop<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            if self.reset.val() {
                self.q.next = self._reset_value;
            } else if self.enable.val() {
                self.q.next = self.d.val();
            }
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "always @(posedge clock)\n  if (reset) q <= {}'h{};\n  else if (enable) q <= d;",
            T::BITS,
            hex_digits(self._reset_value)
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "flop".into(),
            clock: "clock".into(),
            inputs: vec!["reset".into(), "enable".into(), "d".into()],
            outputs: vec!["q".into()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn reset_wins_over_enable_and_enable_gates() {
        let mut flop = Flop::new(Bits::<8>::from(0x5a));
        flop.connect_all();
        // (reset, enable, d) in one cycle -> q after its edge
        let rows = [
            (true, true, 1, 0x5a),
            (false, false, 2, 0x5a),
            (false, true, 3, 3),
            (false, false, 4, 3),
            (true, false, 5, 0x5a),
        ];
        for (reset, enable, d, q) in rows {
            flop.reset.next = reset;
            flop.enable.next = enable;
            flop.d.next = Bits::from(d);
            cycle(&mut flop, |flop, level| {
                flop.clock.next = Clock::from(level)
            });
            assert_eq!(
                flop.q.val(),
                Bits::<8>::from(q),
                "reset {reset}, enable {enable}, d {d}"
            );
        }
    }
}
