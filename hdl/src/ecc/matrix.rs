//! The code as numbers and as Verilog functions, made from the columns of [`lpu_isa::secded`].

use lpu_isa::secded::{CHECK_BITS, COLUMNS, DATA_BITS, LANES_PER_CODEWORD};
use rust_hdl::prelude::*;

/// Codewords of a vector of `lanes` lanes and `bits` bits.
pub(crate) fn codewords(lanes: usize, bits: usize) -> usize {
    assert!(
        bits == 8 * lanes && lanes > 0 && lanes.is_multiple_of(LANES_PER_CODEWORD) && lanes <= 64,
        "{lanes} lanes of 8 bits in {bits} bits; 8 to 64 lanes, a multiple of 8, make whole codewords"
    );
    lanes / LANES_PER_CODEWORD
}

/// The data bits that check bit `check` covers.
fn row(check: usize) -> u64 {
    let covered = (0..DATA_BITS).filter(|&bit| COLUMNS[bit] >> check & 1 == 1);
    covered.fold(0, |mask, bit| mask | 1 << bit)
}

/// Check bits of a codeword's data.
pub(crate) fn checks(data: u64) -> u8 {
    (0..CHECK_BITS).fold(0, |checks, check| {
        checks | ((data & row(check)).count_ones() as u8 & 1) << check
    })
}

/// The data bit to flip back.
pub(crate) fn flips(syndrome: u8) -> u64 {
    let bit = COLUMNS.iter().position(|&column| column == syndrome);
    bit.map_or(0, |bit| 1 << bit)
}

/// Whether a syndrome says that one bit, of data or check, was hit.
pub(crate) fn correctable(syndrome: u8) -> bool {
    syndrome.is_power_of_two() || COLUMNS.contains(&syndrome)
}

/// Codeword `index` of a vector: its data and check bits.
pub(crate) fn codeword<const L: usize, const V: usize>(
    data: Bits<V>,
    check: Bits<L>,
    index: usize,
) -> (u64, u8) {
    (
        data.get_bits::<64>(64 * index).to_u64(),
        check.get_bits::<8>(8 * index).to_u8(),
    )
}

/// Check bits of a vector.
pub(crate) fn vector_checks<const L: usize, const V: usize>(data: Bits<V>) -> Bits<L> {
    let mut check = Bits::<L>::default();
    for index in 0..codewords(L, V) {
        let data = data.get_bits::<64>(64 * index).to_u64();
        check.set_bits::<8>(8 * index, Bits::from(u64::from(checks(data))));
    }
    check
}

/// Verilog: `checks(word)`, the check bits of a codeword's data.
pub(crate) fn checks_function() -> String {
    let rows: Vec<String> = (0..CHECK_BITS)
        .rev()
        .map(|check| format!("^(word & 64'h{:016x})", row(check)))
        .collect();
    format!(
        "\
function [7:0] checks;
  input [63:0] word;
  checks = {{
    {}
  }};
endfunction
",
        rows.join(",\n    ")
    )
}

/// Verilog: `flips(pattern)`, the data bit to flip back.
pub(crate) fn flips_function() -> String {
    let bits: Vec<String> = COLUMNS
        .iter()
        .rev()
        .map(|column| format!("pattern == 8'h{column:02x}"))
        .collect();
    let lines: Vec<String> = bits.chunks(4).map(|bits| bits.join(", ")).collect();
    format!(
        "\
function [63:0] flips;
  input [7:0] pattern;
  flips = {{
    {}
  }};
endfunction
",
        lines.join(",\n    ")
    )
}

/// Verilog: the syndromes that say that one bit was hit, bit s for syndrome s.
pub(crate) fn correctable_mask() -> String {
    let digit = |nibble: u32| {
        let bits = (0..4).filter(|bit| correctable((4 * nibble + bit) as u8));
        format!("{:x}", bits.fold(0, |digit, bit| digit | 1 << bit))
    };
    format!("256'h{}", (0..64).rev().map(digit).collect::<String>())
}

/// Verilog: check bits of every codeword of `data`, the lowest last.
pub(crate) fn vector_checks_text(data: &str, codewords: usize) -> String {
    let parts: Vec<String> = (0..codewords)
        .rev()
        .map(|index| format!("checks({data}[{}:{}])", 64 * index + 63, 64 * index))
        .collect();
    format!("{{{}}}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_covers_its_share() {
        // 56 columns of weight 3 and 8 of weight 5: 208 ones in 8 rows.
        let ones: u32 = (0..CHECK_BITS).map(|check| row(check).count_ones()).sum();
        assert_eq!(ones, 56 * 3 + 8 * 5);
        assert_eq!(checks(1), COLUMNS[0]);
        assert_eq!(checks(1 << 63), COLUMNS[63]);
    }

    #[test]
    fn seventy_two_syndromes_are_correctable() {
        assert_eq!((0..=255).filter(|&s| correctable(s)).count(), 72);
        assert_eq!((0..=255).filter(|&s| flips(s) != 0).count(), 64);
        assert!(!correctable(0));
    }

    #[test]
    #[should_panic(expected = "8 lanes of 8 bits in 63 bits")]
    fn lanes_and_bits_must_agree() {
        let _ = codewords(8, 63);
    }
}
