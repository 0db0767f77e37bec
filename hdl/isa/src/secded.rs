//! The (72,64) Hsiao code that protects every 8 lanes.
//!
//! Source: M. Y. Hsiao, "A Class of Optimal Minimum Odd-weight-column SEC-DED Codes", IBM Journal of
//! Research and Development 14(4), 1970. The choice and order of columns is ours. Only the matrix is
//! here: hardware and golden model each have an encoder and a decoder of their own.

/// Data bits of a codeword.
pub const DATA_BITS: usize = 64;
/// Check bits of a codeword.
pub const CHECK_BITS: usize = 8;
/// Lanes that one codeword protects.
pub const LANES_PER_CODEWORD: usize = DATA_BITS / 8;

/// Column of each data bit: bit i says that check bit i covers it.
pub const COLUMNS: [u8; DATA_BITS] = columns();

const fn columns() -> [u8; DATA_BITS] {
    let mut columns = [0; DATA_BITS];
    let mut filled = 0;
    let mut weight = 3;
    while weight <= 5 {
        let mut column: u32 = 0;
        while column < 256 && filled < DATA_BITS {
            if column.count_ones() == weight {
                columns[filled] = column as u8;
                filled += 1;
            }
            column += 1;
        }
        weight += 2;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::COLUMNS;

    #[test]
    fn columns_are_distinct_and_of_odd_weight() {
        for (j, column) in COLUMNS.iter().enumerate() {
            assert!(matches!(column.count_ones(), 3 | 5));
            assert!(!COLUMNS[..j].contains(column));
        }
        assert_eq!((COLUMNS[0], COLUMNS[1], COLUMNS[55]), (0x07, 0x0b, 0xe0));
        assert_eq!((COLUMNS[56], COLUMNS[63]), (0x1f, 0x57));
    }
}
