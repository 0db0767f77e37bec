//! Corrects the activation and takes it apart into lanes.

use crate::ecc::matrix;
use crate::info::Info;
use rust_hdl::prelude::*;

/// Corrects an activation and takes it apart into lanes: a SECDED decoder with a register for every lane.
///
/// ```text
/// clock              _/~\_/~\_/~\_/~\_
/// in_valid           /~~~\____________
/// in_data, in_check  X d X
/// syndrome               X s
/// out_valid          ________/~~~\____
/// out_x                      X x          <- holds until the next valid vector
/// out_corrected      0       X n X 0
/// ```
///
/// Does the same as [`SecdedDecoder`](crate::ecc::SecdedDecoder) in the same time. The lanes are registers of their own
/// because every multiplier of the array reads one: sliced out of a vector in every column they make a Verilated model
/// spend most of its time on shifts and masks.
///
/// Parameters: L lanes, 8 to 64, a multiple of 8; V = 8 L. Latency: [`LATENCY`](Self::LATENCY). Reset clears the valid
/// bits and the numbers.
#[derive(Clone, Debug, LogicBlock)]
pub struct ActivationDecoder<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// There is a vector.
    pub in_valid: Signal<In, Bit>,
    /// The vector.
    pub in_data: Signal<In, Bits<V>>,
    /// Its check bits.
    pub in_check: Signal<In, Bits<L>>,
    /// There is a vector.
    pub out_valid: Signal<Out, Bit>,
    /// The lanes of the corrected vector.
    pub out_x: Vec<Signal<Out, Bits<8>>>,
    /// Number of codewords of it that were corrected.
    pub out_corrected: Signal<Out, Bits<4>>,
    /// Number of codewords of it that are uncorrectable.
    pub out_uncorrectable: Signal<Out, Bits<4>>,
    info: Info,
    _valid: bool,
    _data: Bits<V>,
    _syndrome: Vec<u8>,
}

impl<const L: usize, const V: usize> ActivationDecoder<L, V> {
    /// Cycles from `in_data` to `out_x`.
    pub const LATENCY: u64 = lpu_isa::latency::SECDED_LATENCY;
}

impl<const L: usize, const V: usize> Default for ActivationDecoder<L, V> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_data: Signal::default(),
            in_check: Signal::default(),
            out_valid: Signal::default(),
            out_x: (0..L).map(|_| Signal::default()).collect(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            info: Info::new("activation_decoder", file!())
                .summary("Corrects an activation and takes it apart into lanes")
                .param("LANES", L)
                .port("in_data", "one vector, 8 bits a lane")
                .port("in_check", "8 bits for every 8 lanes")
                .port("out_x", "two cycles later; holds while not valid")
                .port("out_corrected", "codewords of this vector, else 0")
                .port("out_uncorrectable", "codewords of this vector, else 0"),
            _valid: false,
            _data: Bits::default(),
            _syndrome: vec![0; matrix::codewords(L, V)],
        }
    }
}

impl<const L: usize, const V: usize> Logic for ActivationDecoder<L, V> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let reset = self.reset.val();
        let mut numbers = [0u64; 2];
        if self._valid {
            for (g, &syndrome) in self._syndrome.iter().enumerate() {
                let word = self._data.get_bits::<64>(64 * g) ^ matrix::flips(syndrome);
                for lane in 0..8 {
                    self.out_x[8 * g + lane].next = word.get_bits::<8>(8 * lane);
                }
                if syndrome != 0 && !reset {
                    numbers[usize::from(!matrix::correctable(syndrome))] += 1;
                }
            }
        }
        self.out_valid.next = self._valid && !reset;
        self.out_corrected.next = Bits::from(numbers[0]);
        self.out_uncorrectable.next = Bits::from(numbers[1]);
        self._valid = self.in_valid.val() && !reset;
        if self.in_valid.val() {
            self._data = self.in_data.val();
            for (g, syndrome) in self._syndrome.iter_mut().enumerate() {
                let (data, check) = matrix::codeword(self.in_data.val(), self.in_check.val(), g);
                *syndrome = matrix::checks(data) ^ check;
            }
        }
    }

    fn connect(&mut self) {
        self.out_valid.connect();
        self.out_x.iter_mut().for_each(Logic::connect);
        self.out_corrected.connect();
        self.out_uncorrectable.connect();
    }

    fn hdl(&self) -> Verilog {
        let codewords = self._syndrome.len();
        let syndrome = |g: usize| format!("syndromes[{}:{}]", 8 * g + 7, 8 * g);
        let mut text = format!(
            "\
localparam [255:0] CORRECTABLE = {mask};

reg valid;
reg [{v}:0] vector;
reg [{l}:0] syndromes;
reg [{g}:0] corrected;
reg [{g}:0] uncorrectable;

{checks}
{flips}
always @(posedge clock) begin
  valid <= in_valid && !reset;
  if (in_valid) begin
    vector <= in_data;
    syndromes <= in_check ^ {computed};
  end
end

always @(posedge clock) begin
  out_valid <= valid && !reset;
  if (valid) begin
",
            mask = matrix::correctable_mask(),
            v = V - 1,
            l = L - 1,
            g = codewords - 1,
            checks = matrix::checks_function(),
            flips = matrix::flips_function(),
            computed = matrix::vector_checks_text("in_data", codewords),
        );
        for k in 0..L {
            text += &format!("    out_x${k} <= vector[{}:{}];\n", 8 * k + 7, 8 * k);
        }
        for g in 0..codewords {
            let lanes: Vec<String> = (8 * g..8 * g + 8)
                .rev()
                .map(|k| format!("out_x${k}"))
                .collect();
            text += &format!(
                "    if ({s} != 8'd0)\n      {{{}}} <= vector[{}:{}] ^ flips({s});\n",
                lanes.join(", "),
                64 * g + 63,
                64 * g,
                s = syndrome(g),
            );
        }
        text += "  end\nend\n\nalways @(posedge clock) begin\n";
        for g in 0..codewords {
            let s = syndrome(g);
            text += &format!(
                "  corrected[{g}] <= valid && !reset && {s} != 8'd0 && CORRECTABLE[{s}];\n  \
                 uncorrectable[{g}] <= valid && !reset && {s} != 8'd0 && !CORRECTABLE[{s}];\n"
            );
        }
        let sum = |name: &str| {
            let bits: Vec<String> = (0..codewords)
                .map(|g| format!("{{3'd0, {name}[{g}]}}"))
                .collect();
            bits.join(" + ")
        };
        text += &format!(
            "end\n\nalways @(*) begin\n  out_corrected = {};\n  out_uncorrectable = {};\nend",
            sum("corrected"),
            sum("uncorrectable")
        );
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let mut outputs: Vec<String> = (0..L).map(|k| format!("out_x${k}")).collect();
        outputs.extend(["out_valid", "out_corrected", "out_uncorrectable"].map(String::from));
        vec![TimingInfo {
            name: "activation_decoder".into(),
            clock: "clock".into(),
            inputs: ["reset", "in_valid", "in_data", "in_check"]
                .map(String::from)
                .into(),
            outputs,
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    type Decoder = ActivationDecoder<8, 64>;
    const WORD: u64 = 0x8877_6655_4433_2211;

    fn step(decoder: &mut Decoder, vector: Option<(u64, u8)>) -> (bool, u64, u64, u64) {
        decoder.in_valid.next = vector.is_some();
        let (data, check) = vector.unwrap_or((!0, !0));
        decoder.in_data.next = Bits::from(data);
        decoder.in_check.next = Bits::from(u64::from(check));
        cycle(decoder, |decoder, level| {
            decoder.clock.next = Clock::from(level)
        });
        let lanes = decoder.out_x.iter().rev();
        (
            decoder.out_valid.val(),
            lanes.fold(0, |word, x| word << 8 | x.val().to_u64()),
            decoder.out_corrected.val().to_u64(),
            decoder.out_uncorrectable.val().to_u64(),
        )
    }

    #[test]
    fn lanes_appear_two_cycles_later_corrected() {
        let mut decoder = Decoder::default();
        decoder.connect_all();
        let check = matrix::checks(WORD);
        step(&mut decoder, Some((WORD, check)));
        assert_eq!(
            step(&mut decoder, Some((WORD ^ 1 << 40, check))),
            (true, WORD, 0, 0)
        );
        assert_eq!(
            step(&mut decoder, Some((WORD ^ 3, check))),
            (true, WORD, 1, 0)
        );
        assert_eq!(
            step(&mut decoder, Some((WORD, check ^ 4))),
            (true, WORD ^ 3, 0, 1)
        );
        assert_eq!(step(&mut decoder, None), (true, WORD, 1, 0));
        assert_eq!(step(&mut decoder, None), (false, WORD, 0, 0));
    }
}
