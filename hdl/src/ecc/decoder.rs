//! Corrects a vector and says what was found.

use super::matrix;
use crate::info::Info;
use rust_hdl::prelude::*;

/// Corrects a vector and says how many codewords were corrected and how many cannot be.
///
/// ```text
/// clock              _/~\_/~\_/~\_/~\_
/// in_valid           /~~~\____________
/// in_data, in_check  X d X
/// syndrome               X s              (and the data beside it)
/// out_valid          ________/~~~\____
/// out_data                   X d'         <- holds until the next valid vector
/// out_corrected      0       X n X 0
/// ```
///
/// Stage one registers the syndromes, 27-input XORs; stage two registers the corrected data and, for each codeword, what
/// was found. The two numbers are sums of at most eight of those registers. A codeword with two errors passes as it is.
/// With or without an error the timing is the same.
///
/// Parameters: L lanes, 8 to 64, a multiple of 8; V = 8 L. Latency: [`LATENCY`](Self::LATENCY). Reset clears the valid
/// bits and the numbers.
///
/// Source of the code: M. Y. Hsiao, IBM Journal of Research and Development 14(4), 1970.
#[derive(LogicBlock)]
pub struct SecdedDecoder<const L: usize, const V: usize> {
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
    /// The corrected vector.
    pub out_data: Signal<Out, Bits<V>>,
    /// Number of codewords of it that were corrected.
    pub out_corrected: Signal<Out, Bits<4>>,
    /// Number of codewords of it that are uncorrectable.
    pub out_uncorrectable: Signal<Out, Bits<4>>,
    info: Info,
    _valid: bool,
    _data: Bits<V>,
    _syndrome: Vec<u8>,
}

impl<const L: usize, const V: usize> SecdedDecoder<L, V> {
    /// Cycles from `in_data` to `out_data`.
    pub const LATENCY: u64 = lpu_isa::latency::SECDED_LATENCY;
}

impl<const L: usize, const V: usize> Default for SecdedDecoder<L, V> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_data: Signal::default(),
            in_check: Signal::default(),
            out_valid: Signal::default(),
            out_data: Signal::default(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            info: Info::new("secded_decoder", file!())
                .summary("Corrects a vector and says what was found")
                .param("LANES", L)
                .port("in_data", "one vector, 8 bits a lane")
                .port("in_check", "8 bits for every 8 lanes")
                .port("out_data", "two cycles later; holds while not valid")
                .port("out_corrected", "codewords of this vector, else 0")
                .port("out_uncorrectable", "codewords of this vector, else 0"),
            _valid: false,
            _data: Bits::default(),
            _syndrome: vec![0; matrix::codewords(L, V)],
        }
    }
}

impl<const L: usize, const V: usize> Logic for SecdedDecoder<L, V> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let valid = self._valid && !self.reset.val();
        let mut numbers = [0u64; 2];
        if self._valid {
            let mut data = self._data;
            for (index, &syndrome) in self._syndrome.iter().enumerate() {
                if syndrome != 0 {
                    let word = data.get_bits::<64>(64 * index) ^ matrix::flips(syndrome);
                    data.set_bits::<64>(64 * index, word);
                    numbers[usize::from(!matrix::correctable(syndrome))] += 1;
                }
            }
            self.out_data.next = data;
        }
        self.out_valid.next = valid;
        self.out_corrected.next = Bits::from(if valid { numbers[0] } else { 0 });
        self.out_uncorrectable.next = Bits::from(if valid { numbers[1] } else { 0 });
        self._valid = self.in_valid.val() && !self.reset.val();
        if self.in_valid.val() {
            self._data = self.in_data.val();
            for (index, syndrome) in self._syndrome.iter_mut().enumerate() {
                let (data, check) =
                    matrix::codeword(self.in_data.val(), self.in_check.val(), index);
                *syndrome = matrix::checks(data) ^ check;
            }
        }
    }

    fn connect(&mut self) {
        self.out_valid.connect();
        self.out_data.connect();
        self.out_corrected.connect();
        self.out_uncorrectable.connect();
    }

    fn hdl(&self) -> Verilog {
        let codewords = self._syndrome.len();
        let correct: String = (0..codewords)
            .map(|g| {
                let (high, low, top, bottom) = (64 * g + 63, 64 * g, 8 * g + 7, 8 * g);
                format!(
                    "    if (syndrome[{top}:{bottom}] != 8'd0) begin
      out_data[{high}:{low}] <= data[{high}:{low}] ^ flips(syndrome[{top}:{bottom}]);
      corrected[{g}] <= CORRECTABLE[syndrome[{top}:{bottom}]];
      uncorrectable[{g}] <= !CORRECTABLE[syndrome[{top}:{bottom}]];
    end
"
                )
            })
            .collect();
        let sum = |name: &str| {
            let bits: Vec<String> = (0..codewords)
                .map(|g| format!("{{3'd0, {name}[{g}]}}"))
                .collect();
            bits.join(" + ")
        };
        Verilog::Custom(format!(
            "\
localparam [255:0] CORRECTABLE = {mask};

reg valid;
reg [{v}:0] data;
reg [{l}:0] syndrome;
reg [{g}:0] corrected;
reg [{g}:0] uncorrectable;

{checks}
{flips}
always @(posedge clock) begin
  valid <= in_valid && !reset;
  if (in_valid) begin
    data <= in_data;
    syndrome <= in_check ^ {computed};
  end
end

always @(posedge clock) begin
  out_valid <= valid && !reset;
  corrected <= {codewords}'d0;
  uncorrectable <= {codewords}'d0;
  if (valid) begin
    out_data <= data;
{correct}  end
  if (reset) begin
    corrected <= {codewords}'d0;
    uncorrectable <= {codewords}'d0;
  end
end

always @(*) begin
  out_corrected = {corrected};
  out_uncorrectable = {uncorrectable};
end",
            mask = matrix::correctable_mask(),
            v = V - 1,
            l = L - 1,
            g = codewords - 1,
            checks = matrix::checks_function(),
            flips = matrix::flips_function(),
            computed = matrix::vector_checks_text("in_data", codewords),
            corrected = sum("corrected"),
            uncorrectable = sum("uncorrectable"),
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "secded_decoder".into(),
            clock: "clock".into(),
            inputs: ["reset", "in_valid", "in_data", "in_check"]
                .map(String::from)
                .to_vec(),
            outputs: [
                "out_valid",
                "out_data",
                "out_corrected",
                "out_uncorrectable",
            ]
            .map(String::from)
            .to_vec(),
        }]
    }
}

#[cfg(test)]
mod tests;
