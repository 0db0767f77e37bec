//! Takes an activation apart for the multipliers.

use super::{Formats, code, names};
use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// Takes an activation apart for the multipliers, in the format of the active weights.
///
/// Lane k becomes a low and a high part; `out_nan` says whether a lane is a NaN (E4M3) or a scale is (NVFP4). The scales
/// are lanes 0 to L/8 - 1 of `in_scale` if `in_scaled`, else 1.0; `out_scale` are those.
///
/// Parameters: L lanes (8 to 64), formats. Latency: none; a decoder of 8 bits for each lane, once for all columns.
#[derive(Clone, Debug, LogicBlock)]
pub struct FormatOperand<const L: usize> {
    /// The activation.
    pub in_x: Vec<Signal<In, Bits<8>>>,
    /// Its format.
    pub in_format: Signal<In, Bits<2>>,
    /// The codeword with its scales.
    pub in_scale: Vec<Signal<In, Bits<64>>>,
    /// It has scales.
    pub in_scaled: Vec<Signal<In, Bit>>,
    /// Low parts.
    pub out_low: Vec<Signal<Out, Bits<8>>>,
    /// High parts.
    pub out_high: Vec<Signal<Out, Bits<5>>>,
    /// The scales.
    pub out_scale: Vec<Signal<Out, Bits<8>>>,
    /// A lane or a scale is a NaN.
    pub out_nan: Signal<Out, Bit>,
    info: Info,
    _formats: Formats,
}

impl<const L: usize> FormatOperand<L> {
    /// For these formats.
    pub fn new(formats: Formats) -> Self {
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let scales = usize::from(formats.nvfp4);
        Self {
            in_x: many(L),
            in_format: Signal::default(),
            in_scale: many(scales),
            in_scaled: many(scales),
            out_low: many(L),
            out_high: many(L),
            out_scale: many(formats.blocks(L)),
            out_nan: Signal::default(),
            info: Info::new("mxm_format_operand", file!())
                .summary("Takes an activation apart for the multipliers")
                .param("LANES", L)
                .param("FORMATS", formats)
                .port("in_format", "0 int8, 1 E4M3, 2 NVFP4")
                .port("in_scale", "lane g: scale of block g")
                .port("in_scaled", "else the scales are 1.0")
                .port("out_low", "number, significand or first element")
                .port("out_high", "exponent or second element")
                .port("out_scale", "E4M3")
                .port("out_nan", "a lane or a scale is a NaN")
                .unused("in_scale"),
            _formats: formats,
        }
    }

    /// Text of one format.
    fn arm(&self, format: u8) -> String {
        let mut text = String::new();
        for k in 0..L {
            let _ = match format {
                code::E4M3 => write!(
                    text,
                    "    out_low${k} = significand(in_x${k});\n    out_high${k} = exponent(in_x${k}[6:3]);\n"
                ),
                code::NVFP4 => write!(
                    text,
                    "    out_low${k} = first(in_x${k}[3:0]);\n    out_high${k} = element(in_x${k}[7:4]);\n"
                ),
                _ => write!(
                    text,
                    "    out_low${k} = in_x${k};\n    out_high${k} = 5'd0;\n"
                ),
            };
        }
        let nans = |names: Vec<String>| {
            let each: Vec<String> = names.iter().map(|name| format!("&{name}[6:0]")).collect();
            format!("|{{{}}}", each.join(", "))
        };
        let nan = match format {
            code::E4M3 => nans(names("in_x", L)),
            code::NVFP4 => nans(names("out_scale", self.out_scale.len())),
            _ => "1'd0".into(),
        };
        text + &format!("    out_nan = {nan};\n")
    }
}

impl<const L: usize> Logic for FormatOperand<L> {
    fn update(&mut self) {
        let format = self.in_format.val().to_u8();
        let mut nan = false;
        for k in 0..L {
            let x = self.in_x[k].val().to_u8();
            let (low, high) = code::parts(format, x);
            self.out_low[k].next = Bits::from(u64::from(low));
            self.out_high[k].next = Bits::from(u64::from(high));
            nan |= format == code::E4M3 && code::is_nan(x);
        }
        for g in 0..self.out_scale.len() {
            let scale = match self.in_scaled[0].val() {
                true => self.in_scale[0].val().get_bits::<8>(8 * g).to_u8(),
                false => code::SCALE_ONE,
            };
            self.out_scale[g].next = Bits::from(u64::from(scale));
            nan |= format == code::NVFP4 && code::is_nan(scale);
        }
        self.out_nan.next = nan;
    }

    fn connect(&mut self) {
        self.out_low.iter_mut().for_each(Logic::connect);
        self.out_high.iter_mut().for_each(Logic::connect);
        self.out_scale.iter_mut().for_each(Logic::connect);
        self.out_nan.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut text = String::new();
        if self._formats.e4m3 {
            text += code::e4m3_functions();
        }
        if self._formats.nvfp4 {
            text += code::e2m1_functions();
        }
        text += "\n";
        for g in 0..self.out_scale.len() {
            let _ = writeln!(
                text,
                "always @(*) out_scale${g} = in_scaled$0 ? in_scale$0[{}:{}] : 8'h{:02x};",
                8 * g + 7,
                8 * g,
                code::SCALE_ONE
            );
        }
        text += "\nalways @(*)\n";
        let mut arm = "  ";
        for (built, format) in [
            (self._formats.e4m3, code::E4M3),
            (self._formats.nvfp4, code::NVFP4),
        ] {
            if built {
                let _ = write!(
                    text,
                    "{arm}if (in_format == 2'd{format}) begin\n{}",
                    self.arm(format)
                );
                arm = "  end else ";
            }
        }
        let _ = write!(text, "{arm}begin\n{}  end", self.arm(code::INT8));
        Verilog::Custom(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::simulate::simulate;

    #[test]
    fn lanes_and_scales_are_read_as_the_format_says() {
        let mut operand = FormatOperand::<16>::new(Formats {
            e4m3: true,
            nvfp4: true,
        });
        operand.connect_all();
        operand.in_x[3].next = Bits::from(0xfe);
        operand.in_x[4].next = Bits::from(0x7f);
        operand.in_scale[0].next = Bits::from(0x7f44);
        // format, scaled -> lane 3, NaN, scale 0
        for (format, scaled, lane, nan, scale) in [
            (0, false, (0xfe, 0), false, 0x38),
            (1, true, (0xf2, 14), true, 0x44),
            (2, false, (0xf8, 20), false, 0x38),
            (2, true, (0xf8, 20), true, 0x44),
        ] {
            operand.in_format.next = Bits::from(format);
            operand.in_scaled[0].next = scaled;
            assert!(simulate(&mut operand, 10));
            let low = operand.out_low[3].val().to_u64();
            let high = operand.out_high[3].val().to_u64();
            assert_eq!((low, high), lane, "format {format}");
            assert_eq!(operand.out_nan.val(), nan, "format {format}");
            assert_eq!(operand.out_scale[0].val().to_u64(), scale);
        }
    }
}
