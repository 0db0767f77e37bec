//! One column of multipliers for all formats, and the pipelined adder tree below it.

use super::{Formats, code, names, timing};
use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// Bits of a dot product of any format, sign-extended.
pub const WIDE_BITS: usize = 64;
/// Lanes of a block that shares a scale.
pub(super) const BLOCK_LANES: usize = 8;
/// Bits of a product.
const PRODUCT_BITS: usize = 16;
/// Bits of a product of E4M3 after its shift by at most 28.
const ALIGNED_BITS: usize = 37;
/// Bits of a block's sum of products, 2304 at most in magnitude.
const BLOCK_BITS: usize = 13;
/// Bits of a block's sum times the significands of its scales.
const SCALED_BITS: usize = BLOCK_BITS + 9;
/// Bits of that after its shift by at most 28: 2304 · 14 · 14 · 2^28 < 2^47.
const SHIFTED_BITS: usize = 48;

/// The dot product of L operands and L weights of any format: multipliers, shifters and a pipelined adder tree.
///
/// ```text
/// stage    0         1        1..3 (2..4)   4 (5)      5 (6)     to the end
///          product   shift    sums of 8     x scales   shift     sums
///          all       E4M3     all           NVFP4      NVFP4     all
/// ```
///
/// The shift of E4M3 is there if E4M3 is, the two stages of scales if NVFP4 is. Other formats pass them in the same time.
/// `in_enable[j]` loads stage j; `in_block[j]` says that what stage j takes is NVFP4. Operands and weights come in parts, as
/// `code` takes them apart: a product of int8 and E4M3 is low x low, shifted left by the sum of the high parts; one of
/// NVFP4 is low x low + high x high. The scale of a weight block enters with the weights and is delayed here; the scale of
/// an activation block, a significand and an exponent, enters with stage [`Formats::scale_stage`] - 1, in which the two are multiplied.
///
/// Parameters: L lanes (8, 16, 32 or 64), formats. Latency: [`Formats::stages`] cycles. No reset: values follow the enables.
#[derive(Clone, Debug, LogicBlock)]
pub struct FormatDot<const L: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage j.
    pub in_enable: Vec<Signal<In, Bit>>,
    /// NVFP4 enters stage j.
    pub in_block: Vec<Signal<In, Bit>>,
    /// Low parts of the activations.
    pub in_x_low: Vec<Signal<In, Bits<8>>>,
    /// High parts of the activations.
    pub in_x_high: Vec<Signal<In, Bits<5>>>,
    /// Low parts of the weights.
    pub in_weight_low: Vec<Signal<In, Bits<8>>>,
    /// High parts of the weights.
    pub in_weight_high: Vec<Signal<In, Bits<5>>>,
    /// Scales of the weight blocks, E4M3.
    pub in_weight_scale: Vec<Signal<In, Bits<8>>>,
    /// Significands of the scales of the activation blocks.
    pub in_x_significand: Vec<Signal<In, Bits<5>>>,
    /// Their exponents.
    pub in_x_exponent: Vec<Signal<In, Bits<5>>>,
    /// The dot product, two's complement, in units of the format.
    pub out_dot: Signal<Out, Bits<WIDE_BITS>>,
    info: Info,
    _formats: Formats,
    /// Nodes of each stage.
    _nodes: Vec<Vec<i64>>,
    /// Shifts of the products, then of the blocks.
    _shifts: [Vec<u8>; 2],
    /// Scales of the weight blocks under way.
    _scales: Vec<Vec<u8>>,
    /// Significand and shift of each block.
    _factors: Vec<(i64, u8)>,
}

/// What a stage does.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Product,
    Align,
    /// Adds node i and the one `half` of a group further on.
    Add {
        group: usize,
    },
    Scale,
    Shift,
}

impl Formats {
    /// The stages of a dot product with `lanes` lanes: what each does, its nodes and their bits.
    fn plan(self, lanes: usize) -> Vec<(Stage, usize, usize)> {
        let mut plan = vec![(Stage::Product, lanes, PRODUCT_BITS)];
        let mut bits = PRODUCT_BITS;
        if self.e4m3 {
            bits = ALIGNED_BITS;
            plan.push((Stage::Align, lanes, bits));
        }
        let mut nodes = lanes;
        while nodes > 1 {
            if self.nvfp4 && nodes == lanes / BLOCK_LANES {
                plan.push((Stage::Scale, nodes, bits.max(SCALED_BITS)));
                plan.push((Stage::Shift, nodes, SHIFTED_BITS));
                bits = SHIFTED_BITS;
            }
            let in_block = self.nvfp4 && nodes > lanes / BLOCK_LANES;
            // Within a block of 8 first, then halves of what is left.
            let group = if in_block {
                nodes * BLOCK_LANES / lanes
            } else {
                nodes
            };
            (nodes, bits) = (nodes / 2, bits + 1);
            plan.push((Stage::Add { group }, nodes, bits));
        }
        if self.nvfp4 && lanes == BLOCK_LANES {
            plan.push((Stage::Scale, nodes, bits.max(SCALED_BITS)));
            plan.push((Stage::Shift, nodes, SHIFTED_BITS));
        }
        plan
    }

    /// Cycles from the operands to the dot product.
    pub fn stages(self, lanes: usize) -> usize {
        self.plan(lanes).len()
    }

    /// The stage that multiplies with the scales; NVFP4 only.
    pub fn scale_stage(self) -> usize {
        4 + usize::from(self.e4m3)
    }

    /// Stages that ask whether they take NVFP4.
    pub fn block_stages(self) -> usize {
        if self.nvfp4 {
            self.scale_stage() + 2
        } else {
            0
        }
    }

    /// Blocks of a dot product that have a scale.
    pub fn blocks(self, lanes: usize) -> usize {
        if self.nvfp4 { lanes / BLOCK_LANES } else { 0 }
    }
}

/// The two nodes that node `i` adds, in groups of `group`.
fn pair(i: usize, group: usize) -> (usize, usize) {
    let half = group / 2;
    let first = i / half * group + i % half;
    (first, first + half)
}

impl<const L: usize> FormatDot<L> {
    /// A column for these formats.
    pub fn new(formats: Formats) -> Self {
        assert!(
            L.is_power_of_two() && (8..=64).contains(&L),
            "{L} lanes; a power of two from 8 to 64 is possible"
        );
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let plan = formats.plan(L);
        let blocks = formats.blocks(L);
        Self {
            clock: Signal::default(),
            in_enable: many(plan.len()),
            in_block: many(formats.block_stages()),
            in_x_low: many(L),
            in_x_high: many(L),
            in_weight_low: many(L),
            in_weight_high: many(L),
            in_weight_scale: many(blocks),
            in_x_significand: many(blocks),
            in_x_exponent: many(blocks),
            out_dot: Signal::default(),
            info: Info::new("mxm_format_dot", file!())
                .summary("Multipliers, shifters and adder tree of one column")
                .param("LANES", L)
                .param("FORMATS", formats)
                .port("in_enable", "j: loads stage j")
                .port("in_block", "j: NVFP4 enters stage j")
                .port("in_x_low", "number, significand or first element")
                .port("in_x_high", "exponent or second element")
                .port("in_weight_low", "number, significand or first element")
                .port("in_weight_high", "exponent or second element")
                .port("in_weight_scale", "E4M3, beside the weights")
                .port("in_x_significand", "one stage before the scales")
                .port("in_x_exponent", "one stage before the scales")
                .port("out_dot", "dot product, two's complement"),
            _nodes: plan.iter().map(|&(_, nodes, _)| vec![0; nodes]).collect(),
            _shifts: [vec![0; L], vec![0; blocks]],
            _scales: vec![vec![0; blocks]; formats.scale_stage() - 1],
            _factors: vec![(0, 0); blocks],
            _formats: formats,
        }
    }

    /// Text of the scales on their way to their stage.
    fn scales_text(&self) -> String {
        let (blocks, last) = (self.in_weight_scale.len(), self._scales.len() - 1);
        let mut text = String::new();
        for stage in 0..=last {
            let _ = write!(
                text,
                "\nalways @(posedge clock)\n  if (in_block${stage}) begin\n"
            );
            for g in 0..blocks {
                let _ = match stage {
                    0 => writeln!(text, "    scale_0_{g} <= in_weight_scale${g};"),
                    _ => writeln!(text, "    scale_{stage}_{g} <= scale_{}_{g};", stage - 1),
                };
            }
            text += "  end\n";
        }
        let _ = write!(
            text,
            "\nalways @(posedge clock)\n  if (in_block${}) begin\n",
            last + 1
        );
        for g in 0..blocks {
            let _ = write!(
                text,
                "    factor_{g} <= $signed(in_x_significand${g}) * $signed(low_significand(scale_{last}_{g}));\n    \
                 distance_{g} <= in_x_exponent${g} + exponent(scale_{last}_{g}[6:3]);\n"
            );
        }
        text + "  end\n"
    }

    /// Text of one stage.
    fn stage_text(&self, stage: usize, (kind, nodes, bits): (Stage, usize, usize)) -> String {
        let (above, blocks) = (stage.wrapping_sub(1), self._formats.nvfp4);
        let mut text = format!("\nalways @(posedge clock)\n  if (in_enable${stage}) begin\n");
        let lines = |line: &dyn Fn(usize) -> String| (0..nodes).map(line).collect::<String>();
        let either = |yes: String, no: String| {
            format!("    if (in_block${stage}) begin\n{yes}    end else begin\n{no}    end\n")
        };
        let node = |i: usize| format!("node_{stage}_{i}");
        text += &match kind {
            Stage::Product => {
                let plain = lines(&|i| {
                    let shift = if self._formats.e4m3 {
                        format!("      shift_{i} <= in_x_high${i} + in_weight_high${i};\n")
                    } else {
                        String::new()
                    };
                    format!(
                        "      {} <= $signed(in_x_low${i}) * $signed(in_weight_low${i});\n{shift}",
                        node(i)
                    )
                });
                let pairs = lines(&|i| {
                    let shift = if self._formats.e4m3 {
                        format!("      shift_{i} <= 5'd0;\n")
                    } else {
                        String::new()
                    };
                    format!(
                        "      {} <= $signed(in_x_low${i}) * $signed(in_weight_low${i}) + $signed({{{{3{{in_x_high${i}[4]}}}}, in_x_high${i}}}) * $signed({{{{3{{in_weight_high${i}[4]}}}}, in_weight_high${i}}});\n{shift}",
                        node(i)
                    )
                });
                if blocks { either(pairs, plain) } else { plain }
            }
            Stage::Align => lines(&|i| {
                let sign = bits - PRODUCT_BITS;
                format!(
                    "    {} <= $signed({{{{{sign}{{node_{above}_{i}[{}]}}}}, node_{above}_{i}}}) <<< shift_{i};\n",
                    node(i),
                    PRODUCT_BITS - 1
                )
            }),
            Stage::Add { group } => lines(&|i| {
                let (a, b) = pair(i, group);
                format!("    {} <= node_{above}_{a} + node_{above}_{b};\n", node(i))
            }),
            Stage::Scale => {
                let width = self._formats.plan(L)[above].2;
                let product = lines(&|i| {
                    format!(
                        "      {} <= $signed({{{{{}{{node_{above}_{i}[{}]}}}}, node_{above}_{i}[{}:0]}}) * $signed({{{{{}{{factor_{i}[8]}}}}, factor_{i}}});\n      amount_{i} <= distance_{i};\n",
                        node(i),
                        bits - BLOCK_BITS,
                        BLOCK_BITS - 1,
                        BLOCK_BITS - 1,
                        bits - 9,
                    )
                });
                let pass = lines(&|i| {
                    format!(
                        "      {} <= {};\n",
                        node(i),
                        extended(&format!("node_{above}_{i}"), width, bits)
                    )
                });
                either(product, pass)
            }
            Stage::Shift => {
                let width = self._formats.plan(L)[above].2;
                let from = |i: usize| extended(&format!("node_{above}_{i}"), width, bits);
                let shifted =
                    lines(&|i| format!("      {} <= {} <<< amount_{i};\n", node(i), from(i)));
                let pass = lines(&|i| format!("      {} <= {};\n", node(i), from(i)));
                either(shifted, pass)
            }
        };
        text + "  end\n"
    }
}

/// A signed number of `from` bits as one of `to` bits.
fn extended(name: &str, from: usize, to: usize) -> String {
    match to - from {
        0 => name.to_owned(),
        more => format!("$signed({{{{{more}{{{name}[{}]}}}}, {name}}})", from - 1),
    }
}

impl<const L: usize> Logic for FormatDot<L> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let signed = |bits: Bits<5>| i64::from((bits.to_u8() << 3) as i8 >> 3);
        let low = |bits: Bits<8>| i64::from(bits.to_u8() as i8);
        let block: Vec<bool> = self.in_block.iter().map(|port| port.val()).collect();
        let is_block = |stage: usize| block.get(stage) == Some(&true);
        for (stage, (kind, nodes, _)) in self._formats.plan(L).into_iter().enumerate().rev() {
            if !self.in_enable[stage].val() {
                continue;
            }
            for i in 0..nodes {
                let above = stage.checked_sub(1).map(|above| &self._nodes[above]);
                let node = |i: usize| above.map_or(0, |nodes| nodes[i]);
                self._nodes[stage][i] = match kind {
                    Stage::Product => {
                        let (x, w) = (self.in_x_high[i].val(), self.in_weight_high[i].val());
                        self._shifts[0][i] = if is_block(0) { 0 } else { (x + w).to_u8() };
                        let second = if is_block(0) {
                            signed(x) * signed(w)
                        } else {
                            0
                        };
                        low(self.in_x_low[i].val()) * low(self.in_weight_low[i].val()) + second
                    }
                    Stage::Align => node(i) << self._shifts[0][i],
                    Stage::Add { group } => {
                        let (a, b) = pair(i, group);
                        node(a) + node(b)
                    }
                    Stage::Scale if is_block(stage) => {
                        self._shifts[1][i] = self._factors[i].1;
                        node(i) * self._factors[i].0
                    }
                    Stage::Shift if is_block(stage) => node(i) << self._shifts[1][i],
                    Stage::Scale | Stage::Shift => node(i),
                };
            }
        }
        for stage in (0..block.len()).rev().filter(|&stage| block[stage]) {
            for g in 0..self.in_weight_scale.len() {
                if stage == 0 {
                    self._scales[0][g] = self.in_weight_scale[g].val().to_u8();
                } else if stage < self._scales.len() {
                    self._scales[stage][g] = self._scales[stage - 1][g];
                } else if stage == self._scales.len() {
                    let (significand, exponent) = code::e4m3(self._scales[stage - 1][g]);
                    let x = self.in_x_exponent[g].val().to_u8();
                    let product = signed(self.in_x_significand[g].val()) * i64::from(significand);
                    self._factors[g] = (product, x + exponent);
                }
            }
        }
        let dot = self._nodes[self._nodes.len() - 1][0];
        self.out_dot.next = Bits::from(dot as u64);
    }

    fn connect(&mut self) {
        self.out_dot.connect();
    }

    fn hdl(&self) -> Verilog {
        let plan = self._formats.plan(L);
        let mut text = String::new();
        for (stage, &(_, nodes, bits)) in plan.iter().enumerate() {
            for i in 0..nodes {
                let _ = writeln!(text, "reg signed [{}:0] node_{stage}_{i};", bits - 1);
            }
        }
        if self._formats.e4m3 {
            text.extend((0..L).map(|i| format!("reg [4:0] shift_{i};\n")));
        }
        for g in 0..self.in_weight_scale.len() {
            for stage in 0..self._scales.len() {
                let _ = writeln!(text, "reg [7:0] scale_{stage}_{g};");
            }
            let _ = write!(
                text,
                "reg signed [8:0] factor_{g};\nreg [4:0] distance_{g};\nreg [4:0] amount_{g};\n"
            );
        }
        if self._formats.nvfp4 {
            text += "\n";
            text += code::scale_functions();
            text += &self.scales_text();
        }
        for (stage, &step) in plan.iter().enumerate() {
            text += &self.stage_text(stage, step);
        }
        let (last, bits) = (plan.len() - 1, plan[plan.len() - 1].2);
        let (sign, top) = (WIDE_BITS - bits, bits - 1);
        let _ = write!(
            text,
            "\nalways @(*) out_dot = {{{{{sign}{{node_{last}_0[{top}]}}}}, node_{last}_0}};"
        );
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let blocks = self.in_weight_scale.len();
        let inputs = [
            names("in_enable", self.in_enable.len()),
            names("in_block", self.in_block.len()),
            names("in_x_low", L),
            names("in_x_high", L),
            names("in_weight_low", L),
            names("in_weight_high", L),
            names("in_weight_scale", blocks),
            names("in_x_significand", blocks),
            names("in_x_exponent", blocks),
        ];
        timing("format_dot", inputs.concat(), vec!["out_dot".into()])
    }
}

#[cfg(test)]
mod tests;
