//! The golden (72,64) SECDED code.
//!
//! [`encode_by_definition`] is the contract's sentence, bit by bit; [`encode`] is the same from byte
//! tables, for speed. The columns come from `lpu_isa::secded::COLUMNS`.

use bitvec::prelude::*;
use lpu_isa::secded::{CHECK_BITS, COLUMNS, DATA_BITS};

/// What the decoder found in a codeword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// No error.
    Good(u64),
    /// One bit was wrong; this is the data without the error.
    Corrected(u64),
    /// More than the code can correct; the data as stored.
    Uncorrectable(u64),
}

impl Decoded {
    /// The data that the consumer gets.
    pub const fn data(self) -> u64 {
        match self {
            Self::Good(data) | Self::Corrected(data) | Self::Uncorrectable(data) => data,
        }
    }
}

/// Contribution of each value of each data byte to the check bits.
static BYTE_CHECK: [[u8; 256]; DATA_BITS / 8] = byte_check();

const fn byte_check() -> [[u8; 256]; DATA_BITS / 8] {
    let mut table = [[0; 256]; DATA_BITS / 8];
    let mut byte = 0;
    while byte < DATA_BITS / 8 {
        let mut value = 0;
        while value < 256 {
            let mut bit = 0;
            while bit < 8 {
                if value >> bit & 1 == 1 {
                    table[byte][value] ^= COLUMNS[8 * byte + bit];
                }
                bit += 1;
            }
            value += 1;
        }
        byte += 1;
    }
    table
}

/// What each syndrome means: `FLIP[s]` is the data bit to flip, or one of the marks below.
static MEANING: [u8; 256] = meaning();
const UNCORRECTABLE: u8 = 0xff;
const CHECK_BIT: u8 = 0xfe;

const fn meaning() -> [u8; 256] {
    let mut table = [UNCORRECTABLE; 256];
    let mut j = 0;
    while j < DATA_BITS {
        table[COLUMNS[j] as usize] = j as u8;
        j += 1;
    }
    let mut i = 0;
    while i < CHECK_BITS {
        table[1 << i] = CHECK_BIT;
        i += 1;
    }
    table
}

/// The check bits of `data`.
#[inline]
pub fn encode(data: u64) -> u8 {
    let bytes = data.to_le_bytes();
    let pairs = BYTE_CHECK.iter().zip(bytes);
    pairs.fold(0, |check, (table, byte)| check ^ table[byte as usize])
}

/// The check bits of `data`: bit i is the XOR of the data bits whose column has bit i.
pub fn encode_by_definition(data: u64) -> u8 {
    let data = data.view_bits::<Lsb0>();
    let mut check = 0u8;
    for (i, mut bit) in check.view_bits_mut::<Lsb0>().iter_mut().enumerate() {
        let covered = (0..DATA_BITS).filter(|&j| COLUMNS[j].view_bits::<Lsb0>()[i]);
        *bit = covered.fold(false, |parity, j| parity ^ data[j]);
    }
    check
}

/// Decodes one codeword.
#[inline]
pub fn decode(data: u64, check: u8) -> Decoded {
    let syndrome = encode(data) ^ check;
    if syndrome == 0 {
        return Decoded::Good(data);
    }
    match MEANING[syndrome as usize] {
        UNCORRECTABLE => Decoded::Uncorrectable(data),
        CHECK_BIT => Decoded::Corrected(data),
        bit => Decoded::Corrected(data ^ 1 << bit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Data and check bits as one 72-bit string, with the given bits flipped.
    fn flip(data: u64, bits: &[usize]) -> (u64, u8) {
        let mut word = bitarr![u8, Lsb0; 0; DATA_BITS + CHECK_BITS];
        word[..DATA_BITS].store_le(data);
        word[DATA_BITS..].store_le(encode(data));
        for &bit in bits {
            let old = word[bit];
            word.set(bit, !old);
        }
        (word[..DATA_BITS].load_le(), word[DATA_BITS..].load_le())
    }

    const PATTERNS: [u64; 4] = [0, !0, 0x0123_4567_89ab_cdef, 0xa5a5_5a5a_00ff_1234];

    #[test]
    fn hand_computed_check_bits() {
        // Columns 0, 1 and 63 of the matrix.
        assert_eq!(encode(1), 0x07);
        assert_eq!(encode(2), 0x0b);
        assert_eq!(encode(3), 0x0c);
        assert_eq!(encode(1 << 63), 0x57);
    }

    #[test]
    fn every_single_flip_is_corrected() {
        for data in PATTERNS {
            assert_eq!(decode(data, encode(data)), Decoded::Good(data));
            for bit in 0..DATA_BITS + CHECK_BITS {
                let (flipped, check) = flip(data, &[bit]);
                assert_eq!(decode(flipped, check), Decoded::Corrected(data));
            }
        }
    }

    #[test]
    fn every_double_flip_is_detected_and_passes_as_it_is() {
        for data in PATTERNS {
            for one in 0..DATA_BITS + CHECK_BITS {
                for two in 0..one {
                    let (flipped, check) = flip(data, &[one, two]);
                    assert_eq!(decode(flipped, check), Decoded::Uncorrectable(flipped));
                }
            }
        }
    }

    #[test]
    fn a_wrong_column_would_be_noticed() {
        // The checker of this file fails when the code is not the contract's.
        let wrong = encode(1) ^ 0x80;
        assert_ne!(encode_by_definition(1), wrong);
        assert_ne!(decode(1, wrong), Decoded::Good(1));
    }

    proptest! {
        #[test]
        fn table_equals_definition(data: u64) {
            prop_assert_eq!(encode(data), encode_by_definition(data));
        }
    }
}
