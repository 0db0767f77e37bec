//! The L x L array for all formats.

use super::{
    ActivationScales, FormatDot, FormatOperand, FormatWeights, Formats, NanFlags, WIDE_BITS,
};
use crate::info::Info;
use crate::prim::Optional;
use crate::wiring::{assign, signal, slice};
use rust_hdl::prelude::*;

/// The L x L array for all formats: what [`Array`](crate::mxm::Array) is for int8; wiring only.
///
/// ```text
/// in_x, in_scale --> FormatOperand --+--> FormatDot, L columns --> out_dot
///                                    +--> ActivationScales --^
/// in_vector -------> FormatWeights --+-----------------------^
///                                    +--> NanFlags ----------------> out_nan
/// ```
///
/// Parameters: L lanes, W slots, formats. Latencies are those of the parts. No reset.
#[derive(Clone, Debug, LogicBlock)]
pub struct FormatArray<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Row form: loads the rows of a group.
    pub in_group: Vec<Signal<In, Bit>>,
    /// Row form: which slots are in use.
    pub in_slot: Vec<Signal<In, Bit>>,
    /// Loads the scales of a block.
    pub in_scale_row: Vec<Signal<In, Bit>>,
    /// Column form: which columns load.
    pub in_column: Vec<Signal<In, Bit>>,
    /// The vectors of the slots.
    pub in_vector: Vec<Signal<In, Bits<V>>>,
    /// Makes the shadow weights the active ones.
    pub in_install: Signal<In, Bit>,
    /// Their format.
    pub in_install_format: Signal<In, Bits<2>>,
    /// Loads stage j.
    pub in_enable: Vec<Signal<In, Bit>>,
    /// NVFP4 enters stage j.
    pub in_block: Vec<Signal<In, Bit>>,
    /// The activation.
    pub in_x: Vec<Signal<In, Bits<8>>>,
    /// The format of the active weights.
    pub in_format: Signal<In, Bits<2>>,
    /// The codeword with the scales of the activation.
    pub in_scale: Vec<Signal<In, Bits<64>>>,
    /// The activation has scales.
    pub in_scaled: Vec<Signal<In, Bit>>,
    /// Dot product of each column, two's complement.
    pub out_dot: Vec<Signal<Out, Bits<WIDE_BITS>>>,
    /// Bit n: dot product n is a NaN.
    pub out_nan: Signal<Out, Bits<L>>,
    operand: FormatOperand<L>,
    scales: Optional<ActivationScales<L>>,
    nan: NanFlags<L>,
    weights: Vec<FormatWeights<L, V>>,
    column: Vec<FormatDot<L>>,
    info: Info,
}

impl<const L: usize, const V: usize> FormatArray<L, V> {
    /// An array fed by `slots` weight streams.
    pub fn new(slots: usize, formats: Formats) -> Self {
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let (stages, scales) = (formats.stages(L), usize::from(formats.nvfp4));
        Self {
            clock: Signal::default(),
            in_group: many(L / slots),
            in_slot: many(slots),
            in_scale_row: many(formats.blocks(L)),
            in_column: many(L),
            in_vector: many(slots),
            in_install: Signal::default(),
            in_install_format: Signal::default(),
            in_enable: many(stages),
            in_block: many(formats.block_stages()),
            in_x: many(L),
            in_format: Signal::default(),
            in_scale: many(scales),
            in_scaled: many(scales),
            out_dot: many(L),
            out_nan: Signal::default(),
            operand: FormatOperand::new(formats),
            scales: Optional::new(formats.nvfp4, || ActivationScales::new(formats)),
            nan: NanFlags::new(stages),
            weights: (0..L).map(|_| FormatWeights::new(slots, formats)).collect(),
            column: (0..L).map(|_| FormatDot::new(formats)).collect(),
            info: Info::new("mxm_format_array", file!())
                .summary("Weights, multipliers and adder trees for all formats")
                .param("LANES", L)
                .param("WEIGHT_STREAMS", slots)
                .param("FORMATS", formats)
                .port("in_group", "row form: loads the rows of the group")
                .port("in_slot", "row form: the slot is in use")
                .port("in_scale_row", "loads the scales of the block")
                .port("in_column", "column form: loads the column")
                .port("in_vector", "one vector a slot")
                .port("in_install", "shadow to active")
                .port("in_install_format", "0 int8, 1 E4M3, 2 NVFP4")
                .port("in_enable", "j: loads stage j")
                .port("in_block", "j: NVFP4 enters stage j")
                .port("in_x", "activation, one byte a lane")
                .port("in_format", "of the active weights")
                .port("in_scale", "lane g: scale of block g")
                .port("in_scaled", "else the scales are 1.0")
                .port("out_dot", "dot product, two's complement")
                .port("out_nan", "bit n: dot product n is a NaN"),
        }
    }

    /// The connections: port, and the signal that drives it.
    fn pairs(&self) -> Vec<(String, String)> {
        let (slots, blocks) = (self.in_vector.len(), self.in_scale_row.len());
        let mut pairs = vec![];
        let mut join = |to: String, from: String| pairs.push((to, from));
        for k in 0..L {
            join(format!("operand$in_x${k}"), format!("in_x${k}"));
        }
        join("operand$in_format".into(), "in_format".into());
        for s in 0..self.in_scale.len() {
            join(format!("operand$in_scale${s}"), format!("in_scale${s}"));
            join(format!("operand$in_scaled${s}"), format!("in_scaled${s}"));
            join("scales$clock".into(), "clock".into());
            for j in 0..self.scales.in_block.len() {
                join(format!("scales$in_block${j}"), format!("in_block${j}"));
            }
            for g in 0..blocks {
                join(
                    format!("scales$in_scale${g}"),
                    format!("operand$out_scale${g}"),
                );
            }
        }
        join("nan$clock".into(), "clock".into());
        join("nan$in_x".into(), "operand$out_nan".into());
        for j in 0..self.in_enable.len() {
            join(format!("nan$in_enable${j}"), format!("in_enable${j}"));
        }
        for n in 0..L {
            let weights = |port: &str| format!("weights${n}${port}");
            join(format!("nan$in_weight${n}"), weights("out_nan"));
            join(weights("clock"), "clock".into());
            join(weights("in_install"), "in_install".into());
            join(weights("in_format"), "in_install_format".into());
            join(weights("in_column"), format!("in_column${n}"));
            join(weights("in_vector"), format!("in_vector${}", n % slots));
            for g in 0..L / slots {
                join(weights(&format!("in_group${g}")), format!("in_group${g}"));
            }
            for g in 0..blocks {
                join(
                    weights(&format!("in_scale${g}")),
                    format!("in_scale_row${g}"),
                );
            }
            for i in 0..slots {
                join(weights(&format!("in_slot${i}")), format!("in_slot${i}"));
            }
            let column = |port: &str| format!("column${n}${port}");
            join(column("clock"), "clock".into());
            for j in 0..self.in_enable.len() {
                join(column(&format!("in_enable${j}")), format!("in_enable${j}"));
            }
            for j in 0..self.in_block.len() {
                join(column(&format!("in_block${j}")), format!("in_block${j}"));
            }
            for k in 0..L {
                for part in ["low", "high"] {
                    join(
                        column(&format!("in_x_{part}${k}")),
                        format!("operand$out_{part}${k}"),
                    );
                    join(
                        column(&format!("in_weight_{part}${k}")),
                        weights(&format!("out_{part}${k}")),
                    );
                }
            }
            for g in 0..blocks {
                join(
                    column(&format!("in_weight_scale${g}")),
                    weights(&format!("out_scale${g}")),
                );
                for part in ["significand", "exponent"] {
                    join(
                        column(&format!("in_x_{part}${g}")),
                        format!("scales$out_{part}${g}"),
                    );
                }
            }
            join(format!("out_dot${n}"), column("out_dot"));
        }
        join("out_nan".into(), "nan$out_nan".into());
        pairs
    }
}

/// Copies the values of ports to ports.
macro_rules! copy {
    ($to:expr, $from:expr) => {
        for (to, from) in $to.iter_mut().zip(&$from) {
            to.next = from.val();
        }
    };
}

impl<const L: usize, const V: usize> Logic for FormatArray<L, V> {
    fn update(&mut self) {
        let slots = self.in_vector.len();
        copy!(self.operand.in_x, self.in_x);
        self.operand.in_format.next = self.in_format.val();
        copy!(self.operand.in_scale, self.in_scale);
        copy!(self.operand.in_scaled, self.in_scaled);
        for _ in &self.in_scale {
            self.scales.clock.next = self.clock.val();
            copy!(self.scales.in_block, self.in_block);
            copy!(self.scales.in_scale, self.operand.out_scale);
        }
        self.nan.clock.next = self.clock.val();
        self.nan.in_x.next = self.operand.out_nan.val();
        copy!(self.nan.in_enable, self.in_enable);
        for (n, (weights, column)) in self.weights.iter_mut().zip(&mut self.column).enumerate() {
            self.nan.in_weight[n].next = weights.out_nan.val();
            weights.clock.next = self.clock.val();
            weights.in_install.next = self.in_install.val();
            weights.in_format.next = self.in_install_format.val();
            weights.in_column.next = self.in_column[n].val();
            weights.in_vector.next = self.in_vector[n % slots].val();
            copy!(weights.in_group, self.in_group);
            copy!(weights.in_scale, self.in_scale_row);
            copy!(weights.in_slot, self.in_slot);
            for (row, vector) in weights.in_row.iter_mut().zip(&self.in_vector) {
                row.next = vector.val().get_bits::<8>(8 * n);
            }
            column.clock.next = self.clock.val();
            copy!(column.in_enable, self.in_enable);
            copy!(column.in_block, self.in_block);
            copy!(column.in_x_low, self.operand.out_low);
            copy!(column.in_x_high, self.operand.out_high);
            copy!(column.in_weight_low, weights.out_low);
            copy!(column.in_weight_high, weights.out_high);
            copy!(column.in_weight_scale, weights.out_scale);
            for _ in &self.in_scale {
                copy!(column.in_x_significand, self.scales.out_significand);
                copy!(column.in_x_exponent, self.scales.out_exponent);
            }
            self.out_dot[n].next = column.out_dot.val();
        }
        self.out_nan.next = self.nan.out_nan.val();
    }

    fn connect(&mut self) {
        fn all<T: Synth>(ports: &mut [Signal<In, T>]) {
            ports.iter_mut().for_each(Logic::connect);
        }
        all(&mut self.operand.in_x);
        self.operand.in_format.connect();
        all(&mut self.operand.in_scale);
        all(&mut self.operand.in_scaled);
        for _ in &self.in_scale {
            self.scales.clock.connect();
            all(&mut self.scales.in_block);
            all(&mut self.scales.in_scale);
        }
        self.nan.clock.connect();
        self.nan.in_x.connect();
        all(&mut self.nan.in_enable);
        all(&mut self.nan.in_weight);
        for weights in &mut self.weights {
            weights.clock.connect();
            weights.in_install.connect();
            weights.in_format.connect();
            weights.in_column.connect();
            weights.in_vector.connect();
            all(&mut weights.in_group);
            all(&mut weights.in_scale);
            all(&mut weights.in_slot);
            all(&mut weights.in_row);
        }
        for column in &mut self.column {
            column.clock.connect();
            all(&mut column.in_enable);
            all(&mut column.in_block);
            all(&mut column.in_x_low);
            all(&mut column.in_x_high);
            all(&mut column.in_weight_low);
            all(&mut column.in_weight_high);
            all(&mut column.in_weight_scale);
            all(&mut column.in_x_significand);
            all(&mut column.in_x_exponent);
        }
        self.out_dot.iter_mut().for_each(Logic::connect);
        self.out_nan.connect();
    }

    fn hdl(&self) -> Verilog {
        let pairs = self.pairs().into_iter();
        let mut text: Vec<_> = pairs.map(|(to, from)| assign(to, signal(from))).collect();
        for n in 0..L {
            for i in 0..self.in_vector.len() {
                let byte = slice(format!("in_vector${i}"), 8, 8 * n);
                text.push(assign(format!("weights${n}$in_row${i}"), byte));
            }
        }
        Verilog::Combinatorial(text)
    }
}
