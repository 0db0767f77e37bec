//! One lane of an ALU of the vector unit.

use super::{Stages, number, signals, timing};
use crate::info::Info;
use rust_hdl::prelude::*;

/// One lane of an ALU: fused multiply-add, extremes, comparisons and selection of FP32 numbers.
///
/// ```text
/// clock         _/~\_/~\_   _/~\_/~\_
/// operands      X v X
/// in_enable     X   X        0 in the cycle of the operands, j in the j-th after it
/// out_result                X   X r     8 cycles after the operands; holds while in_enable[7] is low
/// ```
///
/// Y and Z each come from where `in_y_source` and `in_z_source` say: 0 `in_y` or `in_z` themselves, 1 `in_b`, 2 `in_r`, 3 `in_p`.
/// P is taken after `in_absolute` and then `in_negate` (but not as Y or Z), Z after `in_negate_z`; all three act on the sign
/// bit alone.
///
/// | `in_operation` | result |
/// |---|---|
/// | 0 pass | P as it is, a NaN with its payload |
/// | 1 fma | P * Y + Z rounded once |
/// | 2 max, 3 min | IEEE 754-2019 maximum and minimum of P and Y |
/// | 4 lt, 5 le, 6 eq | 1.0 if P < Y, P ≤ Y, P = Y, else +0.0 |
/// | 7 select | Y as it is if P is neither zero nor NaN, else Z as it is |
///
/// The operation and the modifiers come with the operands. Only the first two stages know them: whatever is not a sum of a
/// product that is not zero is decided in stage 2 and goes on as the addend beside a product of zero, which no later stage
/// changes.
///
/// | stage | what |
/// |---|---|
/// | 1 | classes, comparison, distance of the exponents |
/// | 2 | four 12 x 12 products; Z moves by 0 to 15 bits |
/// | 3 | product; Z moves by groups of 16 bits |
/// | 4 | product ± Z and Z - product over 51 bits, Z above ± 1 |
/// | 5 | magnitude of the sum, 77 bits; nibbles that are not zero |
/// | 6, 7 | normalised by groups of 16 bits, by nibbles and bits |
/// | 8 | rounded and packed |
///
/// A subnormal result ends its normalisation at the smallest exponent: there a bit is set that the count of leading zeros
/// sees and the number does not.
///
/// Latency: [`LATENCY`](Self::LATENCY). No reset.
///
/// Source: Z against a fixed product, as in R. K. Montoye, E. Hokenek, S. L. Runyon, Design of the IBM RISC System/6000
/// floating-point execution unit, IBM Journal of Research and Development 34(1), 1990.
#[derive(LogicBlock)]
pub struct FpAlu {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads stage 1 (0) to 8 (7).
    pub in_enable: Vec<Signal<In, Bit>>,
    /// P.
    pub in_p: Signal<In, Bits<32>>,
    /// Y of source 0.
    pub in_y: Signal<In, Bits<32>>,
    /// Z of source 0.
    pub in_z: Signal<In, Bits<32>>,
    /// Source 1.
    pub in_b: Signal<In, Bits<32>>,
    /// Source 2.
    pub in_r: Signal<In, Bits<32>>,
    /// Where Y comes from.
    pub in_y_source: Signal<In, Bits<2>>,
    /// Where Z comes from.
    pub in_z_source: Signal<In, Bits<2>>,
    /// What to do.
    pub in_operation: Signal<In, Bits<3>>,
    /// Takes the absolute value of P first.
    pub in_absolute: Signal<In, Bit>,
    /// Negates P, after the absolute value.
    pub in_negate: Signal<In, Bit>,
    /// Negates Z.
    pub in_negate_z: Signal<In, Bit>,
    /// The result.
    pub out_result: Signal<Out, Bits<32>>,
    info: Info,
    _stages: Stages<u32>,
}

impl FpAlu {
    /// Cycles from the operands to the result.
    pub const LATENCY: usize = lpu_isa::latency::ALU_LATENCY as usize;

    fn result(&self) -> u32 {
        let operand = |source: &Signal<In, Bits<2>>, own: &Signal<In, Bits<32>>| {
            let ports = [own, &self.in_b, &self.in_r, &self.in_p];
            ports[source.val().index()].val().to_u32()
        };
        let p = self.in_p.val().to_u32();
        let y = operand(&self.in_y_source, &self.in_y);
        let z = operand(&self.in_z_source, &self.in_z);
        let negate = |x: u32, negate: bool| x ^ u32::from(negate) << 31;
        let p = if self.in_absolute.val() {
            p & !number::SIGN
        } else {
            p
        };
        let p = negate(p, self.in_negate.val());
        let z = negate(z, self.in_negate_z.val());
        let unordered = number::is_nan(p) || number::is_nan(y);
        let zeros = number::is_zero(p) && number::is_zero(y);
        let less = !unordered && !zeros && number::is_below(p, y);
        let equal = !unordered && (zeros || p == y);
        let truth = |holds: bool| if holds { number::ONE } else { 0 };
        let extreme = |take_p: bool| match unordered {
            true => number::NAN,
            false if take_p => p,
            false => y,
        };
        match self.in_operation.val().to_u8() {
            0 => p,
            1 => number::fma(p, y, z),
            2 => extreme(!number::is_below(p, y)),
            3 => extreme(number::is_below(p, y)),
            4 => truth(less),
            5 => truth(less || equal),
            6 => truth(equal),
            _ if number::is_zero(p) || number::is_nan(p) => z,
            _ => y,
        }
    }
}

impl Default for FpAlu {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            in_enable: signals(Self::LATENCY),
            in_p: Signal::default(),
            in_y: Signal::default(),
            in_z: Signal::default(),
            in_b: Signal::default(),
            in_r: Signal::default(),
            in_y_source: Signal::default(),
            in_z_source: Signal::default(),
            in_operation: Signal::default(),
            in_absolute: Signal::default(),
            in_negate: Signal::default(),
            in_negate_z: Signal::default(),
            out_result: Signal::default(),
            info: Info::new("fp_alu", file!())
                .summary("One lane of an ALU of the vector unit")
                .port("in_enable", "j: loads stage j + 1")
                .port("in_p", "P")
                .port("in_y", "Y of source 0")
                .port("in_z", "Z of source 0")
                .port("in_b", "source 1")
                .port("in_r", "source 2")
                .port("in_y_source", "0 in_y, 1 in_b, 2 in_r, 3 in_p")
                .port("in_z_source", "likewise")
                .port("in_operation", "pass fma max min lt le eq select")
                .port("in_absolute", "absolute value of P first")
                .port("in_negate", "negate P")
                .port("in_negate_z", "negate Z")
                .port("out_result", "FP32, eight cycles later"),
            _stages: Stages::new(Self::LATENCY),
        }
    }
}

impl Logic for FpAlu {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let entering = self.result();
            let result = self._stages.step(&self.in_enable, entering);
            self.out_result.next = Bits::from(u64::from(result));
        }
    }

    fn connect(&mut self) {
        self.out_result.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(include_str!("fp_alu/datapath.v").into())
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let operands = ["in_p", "in_y", "in_z", "in_b", "in_r"];
        let sources = ["in_y_source", "in_z_source"];
        let operation = ["in_operation", "in_absolute", "in_negate", "in_negate_z"];
        timing(
            "fp_alu",
            Self::LATENCY,
            &[&operands[..], &sources, &operation].concat(),
            &["out_result"],
        )
    }
}
