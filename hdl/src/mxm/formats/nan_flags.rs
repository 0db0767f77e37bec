//! The NaN flags of the dot products.

use super::{names, timing};
use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// The NaN flags of all columns, beside the dot products: that of the activation or of the column's weights.
///
/// ```text
/// clock             _/~\_/~\_  .. _/~\_
/// in_enable         X   X   X  j in the j-th cycle after the operands
/// in_x, in_weight   X n X
/// out_nan                        X n      after as many cycles as there are stages; holds
/// ```
///
/// Parameters: L columns, stages (2 or more). No reset: values follow the enables.
#[derive(Clone, Debug, LogicBlock)]
pub struct NanFlags<const L: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage j.
    pub in_enable: Vec<Signal<In, Bit>>,
    /// The activation has a NaN.
    pub in_x: Signal<In, Bit>,
    /// The weights of each column have one.
    pub in_weight: Vec<Signal<In, Bit>>,
    /// Bit n: dot product n is a NaN.
    pub out_nan: Signal<Out, Bits<L>>,
    info: Info,
    _stages: Vec<Bits<L>>,
}

impl<const L: usize> NanFlags<L> {
    /// Flags that take `stages` cycles.
    pub fn new(stages: usize) -> Self {
        Self {
            clock: Signal::default(),
            in_enable: (0..stages).map(|_| Signal::default()).collect(),
            in_x: Signal::default(),
            in_weight: (0..L).map(|_| Signal::default()).collect(),
            out_nan: Signal::default(),
            info: Info::new("mxm_nan_flags", file!())
                .summary("NaN flags of the dot products")
                .param("LANES", L)
                .param("STAGES", stages)
                .port("in_enable", "j: loads stage j")
                .port("in_x", "the activation has a NaN")
                .port("in_weight", "the column has a NaN")
                .port("out_nan", "bit n: dot product n is a NaN"),
            _stages: vec![Bits::default(); stages],
        }
    }
}

impl<const L: usize> Logic for NanFlags<L> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        for stage in (0..self._stages.len()).rev() {
            if self.in_enable[stage].val() {
                self._stages[stage] = match stage {
                    0 => (0..L).fold(Bits::default(), |flags: Bits<L>, n| {
                        flags.replace_bit(n, self.in_x.val() || self.in_weight[n].val())
                    }),
                    _ => self._stages[stage - 1],
                };
            }
        }
        self.out_nan.next = self._stages[self._stages.len() - 1];
    }

    fn connect(&mut self) {
        self.out_nan.connect();
    }

    fn hdl(&self) -> Verilog {
        let last = self._stages.len() - 1;
        let mut text = String::new();
        text.extend((0..last).map(|stage| format!("reg [{}:0] stage_{stage};\n", L - 1)));
        let weights: Vec<String> = names("in_weight", L).into_iter().rev().collect();
        for stage in 0..=last {
            let to = match stage {
                _ if stage == last => "out_nan".into(),
                _ => format!("stage_{stage}"),
            };
            let from = match stage {
                0 => format!("{{{L}{{in_x}}}} | {{{}}}", weights.join(", ")),
                _ => format!("stage_{}", stage - 1),
            };
            let _ = write!(
                text,
                "\nalways @(posedge clock) if (in_enable${stage}) {to} <= {from};"
            );
        }
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let enables = names("in_enable", self.in_enable.len());
        let inputs = [enables, vec!["in_x".into()], names("in_weight", L)];
        timing("nan_flags", inputs.concat(), vec!["out_nan".into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn a_flag_arrives_with_its_dot_product() {
        let mut flags = NanFlags::<8>::new(3);
        flags.connect_all();
        flags
            .in_enable
            .iter_mut()
            .for_each(|enable| enable.next = true);
        flags.in_weight[5].next = true;
        let mut seen = vec![];
        for now in 0..6 {
            flags.in_x.next = now == 1;
            cycle(&mut flags, |flags, level| {
                flags.clock.next = Clock::from(level)
            });
            seen.push(flags.out_nan.val().to_u64());
        }
        assert_eq!(seen[2..], [0x20, 0xff, 0x20, 0x20]);
    }
}
