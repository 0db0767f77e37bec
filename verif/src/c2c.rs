//! The golden chip-to-chip link, written from `docs/c2c.md`.
//!
//! - [`field`]: GF(256), and the two sums of a column.
//! - [`code`]: CRC, scrambler and PRBS, bit by bit.
//! - [`frame`]: a frame from its content, and back.
//! - [`receiver`]: lanes of any bit position and skew to frames.
//! - [`channel`]: what the line does to words: delay, skew, errors, bursts, a cut.
//! - [`clock`]: edges of clocks that differ and jitter.
//! - [`program_clock`]: DESKEW and RUNTIME_DESKEW.

pub mod channel;
pub mod clock;
pub mod code;
pub mod field;
pub mod frame;
pub mod program_clock;
pub mod receiver;

pub use channel::{Channel, Errors};
pub use clock::Clock;
pub use frame::{Content, Control, Decoded, Decoder, Encoder, Flit, State, Value};
pub use program_clock::ProgramClock;
pub use receiver::Receiver;

/// Numbers without a pattern, the same in every run.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Numbers of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not zero.
    pub fn below(&mut self, n: u64) -> u64 {
        self.word() % n
    }

    /// A number from 0 to 1, neither of them.
    pub fn unit(&mut self) -> f64 {
        ((self.word() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }
}
