//! The (72,64) code that protects every 8 lanes, and the counters of what it found.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`SecdedEncoder`] | check bits of a vector | 0 |
//! | [`SecdedEncodeStage`] | a vector and its check bits in a register | 1 |
//! | [`SecdedDecoder`] | corrected vector and what was found | 2 |
//! | [`EccCounter`] | counts of corrected and uncorrectable codewords | 2 |

mod counter;
mod decoder;
mod encode_stage;
mod encoder;
pub(crate) mod matrix;

pub use counter::EccCounter;
pub use decoder::SecdedDecoder;
pub use encode_stage::SecdedEncodeStage;
pub use encoder::SecdedEncoder;
