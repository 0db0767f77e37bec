//! The weights of one column in any format, and the scales of its blocks.

use super::{Formats, code, names, timing};
use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// The weights of one column in any format: shadow bytes, and active weights taken apart for the multipliers.
///
/// ```text
/// clock        _/~\_/~\_/~\_/~\_/~\_
/// in_group[g]  ~~~~~________________     rows of group g take the slots
/// shadow            < s0           >
/// in_install   ____~~~~~____________     in_format: of the weights from now on
/// out_*                  < s0      >
/// ```
///
/// Loads are those of [`WeightColumn`](crate::mxm::WeightColumn); `in_scale[g]` loads the scale of block g from
/// `in_row[g % W]`. `in_install` takes the shadow weights apart as `in_format` says (0 int8, 1 E4M3, 2 NVFP4) and
/// copies the scales; `out_nan` says whether one of what the format uses is a NaN.
///
/// Parameters: L rows (8, 16, 32, 64), W slots (a power of two, at most L), formats. Latency: one cycle from a load to the shadow
/// weights, one from `in_install` to the outputs. No reset. At most one of the loads may be high.
#[derive(Clone, Debug, LogicBlock)]
pub struct FormatWeights<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Row form: loads the rows of a group.
    pub in_group: Vec<Signal<In, Bit>>,
    /// Row form: which slots are in use.
    pub in_slot: Vec<Signal<In, Bit>>,
    /// Row form: this column's byte of each slot.
    pub in_row: Vec<Signal<In, Bits<8>>>,
    /// Loads the scale of a block.
    pub in_scale: Vec<Signal<In, Bit>>,
    /// Column form: loads all rows.
    pub in_column: Signal<In, Bit>,
    /// Column form: the vector, one byte a row.
    pub in_vector: Signal<In, Bits<V>>,
    /// Makes the shadow weights the active ones.
    pub in_install: Signal<In, Bit>,
    /// Their format.
    pub in_format: Signal<In, Bits<2>>,
    /// Low parts of the active weights.
    pub out_low: Vec<Signal<Out, Bits<8>>>,
    /// High parts of the active weights.
    pub out_high: Vec<Signal<Out, Bits<5>>>,
    /// Active scales, E4M3.
    pub out_scale: Vec<Signal<Out, Bits<8>>>,
    /// An active weight, or scale, is a NaN.
    pub out_nan: Signal<Out, Bit>,
    info: Info,
    _formats: Formats,
    _shadow: Vec<Bits<8>>,
    _scales: Vec<Bits<8>>,
}

impl<const L: usize, const V: usize> FormatWeights<L, V> {
    /// A column fed by `slots` weight streams.
    pub fn new(slots: usize, formats: Formats) -> Self {
        assert_eq!(V, 8 * L, "a vector of {V} bits for {L} lanes");
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let blocks = formats.blocks(L);
        Self {
            clock: Signal::default(),
            in_group: many(L / slots),
            in_slot: many(slots),
            in_row: many(slots),
            in_scale: many(blocks),
            in_column: Signal::default(),
            in_vector: Signal::default(),
            in_install: Signal::default(),
            in_format: Signal::default(),
            out_low: many(L),
            out_high: many(L),
            out_scale: many(blocks),
            out_nan: Signal::default(),
            info: Info::new("mxm_format_weights", file!())
                .summary("Shadow and active weights of one column in any format")
                .param("LANES", L)
                .param("WEIGHT_STREAMS", slots)
                .param("FORMATS", formats)
                .port("in_group", "row form: loads the rows of the group")
                .port("in_slot", "row form: the slot is in use")
                .port("in_row", "row form: one byte a slot")
                .port("in_scale", "loads the scale of the block")
                .port("in_column", "column form: loads all rows")
                .port("in_vector", "column form: one byte a row")
                .port("in_install", "shadow to active")
                .port("in_format", "0 int8, 1 E4M3, 2 NVFP4")
                .port("out_low", "number, significand or first element")
                .port("out_high", "exponent or second element")
                .port("out_scale", "E4M3")
                .port("out_nan", "a weight or a scale is a NaN"),
            _formats: formats,
            _shadow: many(L),
            _scales: many(blocks),
        }
    }

    /// Text that installs the weights in one format.
    fn install_text(&self, format: u8) -> String {
        let mut text = String::new();
        for k in 0..L {
            let _ = match format {
                code::E4M3 => write!(
                    text,
                    "      out_low${k} <= significand(shadow_{k});\n      out_high${k} <= exponent(shadow_{k}[6:3]);\n"
                ),
                code::NVFP4 => write!(
                    text,
                    "      out_low${k} <= first(shadow_{k}[3:0]);\n      out_high${k} <= element(shadow_{k}[7:4]);\n"
                ),
                _ => write!(
                    text,
                    "      out_low${k} <= shadow_{k};\n      out_high${k} <= 5'd0;\n"
                ),
            };
        }
        let nans = |name: &str, count: usize| {
            let each: Vec<String> = (0..count).map(|i| format!("&{name}_{i}[6:0]")).collect();
            format!("|{{{}}}", each.join(", "))
        };
        let nan = match format {
            code::E4M3 => nans("shadow", L),
            code::NVFP4 => nans("scale", self.in_scale.len()),
            _ => "1'd0".into(),
        };
        text + &format!("      out_nan <= {nan};\n")
    }
}

impl<const L: usize, const V: usize> Logic for FormatWeights<L, V> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let nan = |bytes: &[Bits<8>]| bytes.iter().any(|byte| code::is_nan(byte.to_u8()));
        if self.in_install.val() {
            let format = self.in_format.val().to_u8();
            for k in 0..L {
                let (low, high) = code::parts(format, self._shadow[k].to_u8());
                self.out_low[k].next = Bits::from(u64::from(low));
                self.out_high[k].next = Bits::from(u64::from(high));
            }
            for (scale, shadow) in self.out_scale.iter_mut().zip(&self._scales) {
                scale.next = *shadow;
            }
            self.out_nan.next = match format {
                code::E4M3 => nan(&self._shadow),
                code::NVFP4 => nan(&self._scales),
                _ => false,
            };
        }
        let slots = self.in_slot.len();
        for k in 0..L {
            if self.in_column.val() {
                self._shadow[k] = self.in_vector.val().get_bits::<8>(8 * k);
            } else if self.in_group[k / slots].val() && self.in_slot[k % slots].val() {
                self._shadow[k] = self.in_row[k % slots].val();
            }
        }
        for (g, scale) in self._scales.iter_mut().enumerate() {
            if self.in_scale[g].val() {
                *scale = self.in_row[g % slots].val();
            }
        }
    }

    fn connect(&mut self) {
        self.out_low.iter_mut().for_each(Logic::connect);
        self.out_high.iter_mut().for_each(Logic::connect);
        self.out_scale.iter_mut().for_each(Logic::connect);
        self.out_nan.connect();
    }

    fn hdl(&self) -> Verilog {
        let (slots, blocks) = (self.in_slot.len(), self.in_scale.len());
        let mut text = String::new();
        text.extend((0..L).map(|k| format!("reg [7:0] shadow_{k};\n")));
        text.extend((0..blocks).map(|g| format!("reg [7:0] scale_{g};\n")));
        text += "\n";
        if self._formats.e4m3 {
            text += code::e4m3_functions();
        }
        if self._formats.nvfp4 {
            text += code::e2m1_functions();
        }
        text += "\nalways @(posedge clock) begin\n  if (in_column) begin\n";
        for k in 0..L {
            let _ = writeln!(
                text,
                "    shadow_{k} <= in_vector[{}:{}];",
                8 * k + 7,
                8 * k
            );
        }
        text += "  end\n";
        for group in 0..L / slots {
            let _ = writeln!(text, "  if (in_group${group}) begin");
            for slot in 0..slots {
                let k = group * slots + slot;
                let _ = writeln!(text, "    if (in_slot${slot}) shadow_{k} <= in_row${slot};");
            }
            text += "  end\n";
        }
        for g in 0..blocks {
            let _ = writeln!(
                text,
                "  if (in_scale${g}) scale_{g} <= in_row${};",
                g % slots
            );
        }
        text += "end\n\nalways @(posedge clock)\n  if (in_install) begin\n";
        for g in 0..blocks {
            let _ = writeln!(text, "    out_scale${g} <= scale_{g};");
        }
        let mut arm = "";
        for (built, format) in [
            (self._formats.e4m3, code::E4M3),
            (self._formats.nvfp4, code::NVFP4),
        ] {
            if built {
                let _ = write!(
                    text,
                    "    {arm}if (in_format == 2'd{format}) begin\n{}",
                    self.install_text(format)
                );
                arm = "end else ";
            }
        }
        let _ = write!(
            text,
            "    {arm}begin\n{}    end\n  end",
            self.install_text(code::INT8)
        );
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let (slots, blocks) = (self.in_slot.len(), self.in_scale.len());
        let inputs = [
            ["in_column", "in_vector", "in_install", "in_format"]
                .map(String::from)
                .to_vec(),
            names("in_group", L / slots),
            names("in_slot", slots),
            names("in_row", slots),
            names("in_scale", blocks),
        ];
        let outputs = [
            names("out_low", L),
            names("out_high", L),
            names("out_scale", blocks),
            vec!["out_nan".into()],
        ];
        timing("format_weights", inputs.concat(), outputs.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    type Column = FormatWeights<8, 64>;
    const BOTH: Formats = Formats {
        e4m3: true,
        nvfp4: true,
    };

    fn step(column: &mut Column) {
        cycle(column, |column, level| {
            column.clock.next = Clock::from(level)
        });
        column.in_column.next = false;
        column.in_install.next = false;
        column.in_scale[0].next = false;
    }

    #[test]
    fn an_install_takes_weights_apart_as_the_format_says() {
        let mut column = Column::new(4, BOTH);
        column.connect_all();
        column.in_column.next = true;
        // 1.0, -448, 2^-9, 0, NaN, -0, and two more.
        column.in_vector.next = Bits::from(0x2138_80ff_0001_fe38);
        step(&mut column);
        column.in_scale[0].next = true;
        column.in_row[0].next = Bits::from(0x48);
        step(&mut column);
        let mut install = |format: u64| {
            column.in_install.next = true;
            column.in_format.next = Bits::from(format);
            step(&mut column);
            let low: Vec<i8> = column
                .out_low
                .iter()
                .map(|low| low.val().to_u8() as i8)
                .collect();
            let high: Vec<u8> = column
                .out_high
                .iter()
                .map(|high| high.val().to_u8())
                .collect();
            (
                low,
                high,
                column.out_nan.val(),
                column.out_scale[0].val().to_u64(),
            )
        };
        let (low, high, nan, _) = install(0);
        assert_eq!(low, [0x38, -2, 1, 0, -1, -128, 0x38, 0x21]);
        assert_eq!((high, nan), (vec![0; 8], false));
        let (low, high, nan, scale) = install(1);
        assert_eq!(low, [8, -14, 1, 0, 0, 0, 8, 9]);
        assert_eq!((&high[..4], nan, scale), (&[6, 14, 0, 0][..], true, 0x48));
        let (low, high, nan, _) = install(2);
        assert_eq!(low, [0, -8, 1, 0, -12, 0, 0, 1]);
        assert_eq!(high, [3, 20, 0, 0, 20, 0, 3, 2]);
        assert!(!nan);
    }
}
