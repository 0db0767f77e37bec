//! The L x L array: columns of weights, multipliers and adder trees.

use super::{DotProduct, WeightColumn};
use crate::info::Info;
use crate::wiring::{assign, signal, slice};
use lpu_isa::Config;
use rust_hdl::core::ast::VerilogStatement;
use rust_hdl::prelude::*;

/// The L x L array: L columns, each with its weights, multipliers and adder tree; wiring only.
///
/// Column `n` makes lane `n` of the result. In row form its weights come from lane `n` of every slot; in column form from
/// all lanes of slot `n % W`. All columns take the same activations. Latencies are those of [`WeightColumn`] and
/// [`DotProduct`].
///
/// Parameters: L lanes, W slots. No reset.
#[derive(Clone, Debug, LogicBlock)]
pub struct Array<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Row form: loads the rows of a group.
    pub in_group: Vec<Signal<In, Bit>>,
    /// Row form: which slots are in use.
    pub in_slot: Vec<Signal<In, Bit>>,
    /// Column form: which columns load.
    pub in_column: Vec<Signal<In, Bit>>,
    /// The vectors of the slots.
    pub in_vector: Vec<Signal<In, Bits<V>>>,
    /// Copies shadow weights to active ones.
    pub in_install: Signal<In, Bit>,
    /// Loads the products (0) or an adder level (1..).
    pub in_enable: Vec<Signal<In, Bit>>,
    /// Activations.
    pub in_x: Vec<Signal<In, Bits<8>>>,
    /// Dot product of each column, two's complement.
    pub out_dot: Vec<Signal<Out, Bits<32>>>,
    weights: Vec<WeightColumn<L, V>>,
    column: Vec<DotProduct<L>>,
    info: Info,
}

impl<const L: usize, const V: usize> Array<L, V> {
    /// Cycles from `in_x` to `out_dot`.
    pub const LATENCY: usize = DotProduct::<L>::LATENCY;

    /// The array of a plane of this machine.
    pub fn new(config: &Config) -> Self {
        let slots = config.mxm.weight_streams;
        Self {
            clock: Signal::default(),
            in_group: (0..L / slots).map(|_| Signal::default()).collect(),
            in_slot: (0..slots).map(|_| Signal::default()).collect(),
            in_column: (0..L).map(|_| Signal::default()).collect(),
            in_vector: (0..slots).map(|_| Signal::default()).collect(),
            in_install: Signal::default(),
            in_enable: (0..Self::LATENCY).map(|_| Signal::default()).collect(),
            in_x: (0..L).map(|_| Signal::default()).collect(),
            out_dot: (0..L).map(|_| Signal::default()).collect(),
            weights: (0..L).map(|_| WeightColumn::new(slots)).collect(),
            column: (0..L).map(|_| DotProduct::default()).collect(),
            info: Info::new("mxm_array", file!())
                .summary("Weights, multipliers and adder trees")
                .param("LANES", L)
                .param("WEIGHT_STREAMS", slots)
                .port("in_group", "row form: loads the rows of the group")
                .port("in_slot", "row form: the slot is in use")
                .port("in_column", "column form: loads the column")
                .port("in_vector", "one vector a slot")
                .port("in_install", "shadow to active")
                .port("in_enable", "0: products, j: adder level j")
                .port("in_x", "activation, int8")
                .port("out_dot", "dot product, two's complement"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for Array<L, V> {
    fn update(&mut self) {
        let slots = self.in_vector.len();
        for (n, weights) in self.weights.iter_mut().enumerate() {
            weights.clock.next = self.clock.val();
            weights.in_install.next = self.in_install.val();
            weights.in_column.next = self.in_column[n].val();
            weights.in_vector.next = self.in_vector[n % slots].val();
            for (to, from) in weights.in_group.iter_mut().zip(&self.in_group) {
                to.next = from.val();
            }
            for i in 0..slots {
                weights.in_slot[i].next = self.in_slot[i].val();
                weights.in_row[i].next = self.in_vector[i].val().get_bits::<8>(8 * n);
            }
        }
        for (n, column) in self.column.iter_mut().enumerate() {
            column.clock.next = self.clock.val();
            for (to, from) in column.in_enable.iter_mut().zip(&self.in_enable) {
                to.next = from.val();
            }
            for k in 0..L {
                column.in_x[k].next = self.in_x[k].val();
                column.in_weight[k].next = self.weights[n].out_weight[k].val();
            }
            self.out_dot[n].next = column.out_dot.val();
        }
    }

    fn connect(&mut self) {
        for weights in &mut self.weights {
            weights.clock.connect();
            weights.in_install.connect();
            weights.in_column.connect();
            weights.in_vector.connect();
            weights.in_group.iter_mut().for_each(Logic::connect);
            weights.in_slot.iter_mut().for_each(Logic::connect);
            weights.in_row.iter_mut().for_each(Logic::connect);
        }
        for column in &mut self.column {
            column.clock.connect();
            column.in_enable.iter_mut().for_each(Logic::connect);
            column.in_x.iter_mut().for_each(Logic::connect);
            column.in_weight.iter_mut().for_each(Logic::connect);
        }
        self.out_dot.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let slots = self.in_vector.len();
        let mut text: Vec<VerilogStatement> = vec![];
        for n in 0..L {
            let to = |port: &str| format!("weights${n}${port}");
            text.push(assign(to("clock"), signal("clock")));
            text.push(assign(to("in_install"), signal("in_install")));
            text.push(assign(to("in_column"), signal(format!("in_column${n}"))));
            let vector = format!("in_vector${}", n % slots);
            text.push(assign(to("in_vector"), signal(vector)));
            for g in 0..L / slots {
                text.push(assign(
                    to(&format!("in_group${g}")),
                    signal(format!("in_group${g}")),
                ));
            }
            for i in 0..slots {
                text.push(assign(
                    to(&format!("in_slot${i}")),
                    signal(format!("in_slot${i}")),
                ));
                text.push(assign(
                    to(&format!("in_row${i}")),
                    slice(format!("in_vector${i}"), 8, 8 * n),
                ));
            }
        }
        for n in 0..L {
            let to = |port: &str| format!("column${n}${port}");
            text.push(assign(to("clock"), signal("clock")));
            for level in 0..Self::LATENCY {
                text.push(assign(
                    to(&format!("in_enable${level}")),
                    signal(format!("in_enable${level}")),
                ));
            }
            for k in 0..L {
                text.push(assign(
                    to(&format!("in_x${k}")),
                    signal(format!("in_x${k}")),
                ));
                text.push(assign(
                    to(&format!("in_weight${k}")),
                    signal(format!("weights${n}$out_weight${k}")),
                ));
            }
            text.push(assign(
                format!("out_dot${n}"),
                signal(format!("column${n}$out_dot")),
            ));
        }
        Verilog::Combinatorial(text)
    }
}
