//! A sum of 64 bits to a word of 32.

use super::{WIDE_BITS, code, names, timing};
use crate::info::Info;
use lpu_isa::latency::CONVERT_LATENCY;
use rust_hdl::prelude::*;

/// A sum of 64 bits to a word of 32: the low bits of an int8 sum, the nearest FP32 number of another one.
///
/// ```text
/// clock         _/~\_/~\_   _/~\_/~\_
/// in_sum        X s X
/// in_enable     X   X        0 in the cycle of the sum, j in the j-th after it
/// out_word                  X   X w     3 cycles after the sum; holds while in_enable[2] is low
/// ```
///
/// | `in_format` | the word |
/// |---|---|
/// | 0, int8 | bits 31:0 |
/// | 1, E4M3 | sum · 2^-18, to nearest, ties to even; a NaN 0x7fc00000; zero +0 |
/// | 2, NVFP4 | sum · 2^-20 likewise |
///
/// No sum is so small, or so large, that its number were subnormal or infinite. Latency: [`LATENCY`](Self::LATENCY). No reset.
#[derive(Clone, Debug, LogicBlock)]
pub struct RoundSum {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage 1 (0) to 3 (2).
    pub in_enable: Vec<Signal<In, Bit>>,
    /// The sum, two's complement.
    pub in_sum: Signal<In, Bits<WIDE_BITS>>,
    /// It is a NaN.
    pub in_nan: Signal<In, Bit>,
    /// Its format.
    pub in_format: Signal<In, Bits<2>>,
    /// The word.
    pub out_word: Signal<Out, Bits<32>>,
    info: Info,
    _stages: [u32; Self::LATENCY],
}

impl RoundSum {
    /// Cycles from the sum to the word.
    pub const LATENCY: usize = CONVERT_LATENCY as usize;
}

impl Default for RoundSum {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            in_enable: (0..Self::LATENCY).map(|_| Signal::default()).collect(),
            in_sum: Signal::default(),
            in_nan: Signal::default(),
            in_format: Signal::default(),
            out_word: Signal::default(),
            info: Info::new("mxm_round_sum", file!())
                .summary("A sum of 64 bits to a word of 32")
                .port("in_enable", "j: loads stage j + 1")
                .port("in_sum", "two's complement")
                .port("in_nan", "it is a NaN")
                .port("in_format", "0 int8, 1 E4M3, 2 NVFP4")
                .port("out_word", "low bits or FP32, three cycles later"),
            _stages: [0; Self::LATENCY],
        }
    }
}

/// The word of a sum.
fn word(sum: i64, nan: bool, format: u8) -> u32 {
    match (format, nan) {
        (code::INT8, _) => sum as u32,
        (_, true) => 0x7fc0_0000,
        _ if sum == 0 => 0,
        _ => {
            let magnitude = sum.unsigned_abs();
            let top = 63 - magnitude.leading_zeros() as i32;
            // 24 bits and the rest as a fraction of the last of them.
            let normal = u128::from(magnitude) << (87 - top);
            let (whole, rest) = ((normal >> 64) as u32, normal as u64);
            let half = 1 << 63;
            let up = u32::from(rest > half || rest == half && whole & 1 == 1);
            let unit = if format == code::NVFP4 { -20 } else { -18 };
            let exponent = (127 + top + unit) as u32;
            (u32::from(sum < 0) << 31) | ((exponent << 23) + (whole & 0x7f_ffff) + up)
        }
    }
}

impl Logic for RoundSum {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        for stage in (0..Self::LATENCY).rev() {
            if self.in_enable[stage].val() {
                self._stages[stage] = match stage {
                    0 => word(
                        self.in_sum.val().to_u64() as i64,
                        self.in_nan.val(),
                        self.in_format.val().to_u8(),
                    ),
                    _ => self._stages[stage - 1],
                };
            }
        }
        self.out_word.next = Bits::from(u64::from(self._stages[Self::LATENCY - 1]));
    }

    fn connect(&mut self) {
        self.out_word.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(include_str!("round_sum/datapath.v").into())
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let mut inputs = names("in_enable", Self::LATENCY);
        inputs.extend(["in_sum", "in_nan", "in_format"].map(String::from));
        timing("round_sum", inputs, vec!["out_word".into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn a_word_appears_three_cycles_later() {
        let mut round = RoundSum::default();
        round.connect_all();
        round
            .in_enable
            .iter_mut()
            .for_each(|enable| enable.next = true);
        // Sum, NaN, format -> word; one a cycle.
        let rows = [
            (1 << 18, false, 1, 1f32.to_bits()),
            (-3 << 20, false, 2, (-3f32).to_bits()),
            (-2, false, 0, 0xffff_fffe),
            (5, true, 1, 0x7fc0_0000),
            (0, false, 2, 0),
            ((1 << 25) + 6, false, 1, 0x4300_0002), // 24 bits and a tie: to even
            (i64::MIN, false, 1, (-(2f32.powi(45))).to_bits()),
        ];
        for now in 0..rows.len() + RoundSum::LATENCY {
            let (sum, nan, format, _) = rows[now.min(rows.len() - 1)];
            round.in_sum.next = Bits::from(sum as u64);
            round.in_nan.next = nan;
            round.in_format.next = Bits::from(format);
            cycle(&mut round, |round, level| {
                round.clock.next = Clock::from(level)
            });
            let row = (now + 1)
                .checked_sub(RoundSum::LATENCY)
                .and_then(|row| rows.get(row));
            if let Some((sum, .., word)) = row {
                assert_eq!(round.out_word.val().to_u32(), *word, "sum {sum}");
            }
        }
    }
}
