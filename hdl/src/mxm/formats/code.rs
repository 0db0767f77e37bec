//! What a byte means in each format: how it is taken apart for the multipliers.
//!
//! A byte becomes a *low* part, 8 bits with sign, and a *high* part of 5 bits:
//!
//! | format | low | high |
//! |---|---|---|
//! | int8 | the number | 0 |
//! | E4M3 | significand with sign, -15 to 15; 0 of a NaN | exponent, 0 to 14: the value is low · 2^(high - 9) |
//! | NVFP4 | first element in halves, -12 to 12 | second element likewise, two's complement |

/// `CONFIG 1` and the format of active weights: int8.
pub(crate) const INT8: u8 = 0;
/// E4M3.
pub(crate) const E4M3: u8 = 1;
/// NVFP4.
pub(crate) const NVFP4: u8 = 2;
/// The scale 1.0.
pub(super) const SCALE_ONE: u8 = 0x38;

/// Whether an E4M3 pattern is a NaN.
pub(super) fn is_nan(byte: u8) -> bool {
    byte & 0x7f == 0x7f
}

/// Significand with sign, and exponent, of an E4M3 number.
pub(super) fn e4m3(byte: u8) -> (i8, u8) {
    let field = byte >> 3 & 15;
    let magnitude = match byte & 0x7f {
        0x7f => 0,
        _ => (byte & 7 | u8::from(field != 0) << 3) as i8,
    };
    let sign = if byte & 0x80 == 0 { 1 } else { -1 };
    (sign * magnitude, field.saturating_sub(1))
}

/// An E2M1 number in halves.
pub(super) fn e2m1(nibble: u8) -> i8 {
    let magnitude = [0, 1, 2, 3, 4, 6, 8, 12][usize::from(nibble & 7)];
    if nibble & 8 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// The low part, as its pattern, and the high one, of 5 bits.
pub(super) fn parts(format: u8, byte: u8) -> (u8, u8) {
    match format {
        E4M3 => {
            let (significand, exponent) = e4m3(byte);
            (significand as u8, exponent)
        }
        NVFP4 => (e2m1(byte) as u8, e2m1(byte >> 4) as u8 & 31),
        _ => (byte, 0),
    }
}

/// Verilog: `significand(code)`, 8 bits with sign, and `exponent(field)`, 5 bits, of E4M3.
pub(super) fn e4m3_functions() -> &'static str {
    "\
function [7:0] significand;
  input [7:0] code;
  reg [7:0] magnitude;
  begin
    magnitude = (&code[6:0]) ? 8'd0 : {4'd0, |code[6:3], code[2:0]};
    significand = (magnitude ^ {8{code[7]}}) + {7'd0, code[7]};
  end
endfunction

function [4:0] exponent;
  input [3:0] field;
  exponent = {1'd0, field} - {4'd0, |field};
endfunction
"
}

/// Verilog: `low_significand(code)`, 5 bits with sign, and `exponent(field)`, 5 bits, of a scale.
pub(super) fn scale_functions() -> &'static str {
    "\
function [4:0] low_significand;
  input [7:0] code;
  reg [4:0] magnitude;
  begin
    magnitude = (&code[6:0]) ? 5'd0 : {1'd0, |code[6:3], code[2:0]};
    low_significand = (magnitude ^ {5{code[7]}}) + {4'd0, code[7]};
  end
endfunction

function [4:0] exponent;
  input [3:0] field;
  exponent = {1'd0, field} - {4'd0, |field};
endfunction
"
}

/// Verilog: `element(nibble)`, 5 bits with sign, of E2M1, and `first(nibble)`, the same in 8 bits.
pub(super) fn e2m1_functions() -> &'static str {
    "\
function [4:0] element;
  input [3:0] nibble;
  reg [4:0] magnitude;
  begin
    magnitude = (nibble[2:1] == 2'd0) ? {4'd0, nibble[0]}
      : (nibble[2:1] == 2'd1) ? {3'd0, 1'b1, nibble[0]}
      : (nibble[2:1] == 2'd2) ? {2'd0, 1'b1, nibble[0], 1'b0} : {1'd0, 1'b1, nibble[0], 2'd0};
    element = (magnitude ^ {5{nibble[3]}}) + {4'd0, nibble[3]};
  end
endfunction

function [7:0] first;
  input [3:0] nibble;
  reg [4:0] number;
  begin
    number = element(nibble);
    first = {{3{number[4]}}, number};
  end
endfunction
"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landmarks_are_taken_apart() {
        assert_eq!(e4m3(0x38), (8, 6)); // 1.0 = 8 · 2^(6-9)
        assert_eq!(e4m3(0x7e), (14, 14)); // 448
        assert_eq!(e4m3(0xfe), (-14, 14));
        assert_eq!(e4m3(0x01), (1, 0)); // 2^-9
        assert_eq!(e4m3(0x08), (8, 0)); // 2^-6
        assert_eq!(e4m3(0x7f).0, 0);
        assert_eq!(parts(NVFP4, 0xf2), (2, 20)); // 1.0 and -6.0
        assert_eq!(parts(INT8, 0x80), (0x80, 0));
    }
}
