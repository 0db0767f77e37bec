//! Golden kernels: what a whole operation of `docs/kernels.md` or `docs/decoder.md` gives, bit for bit, from golden arithmetic alone.

pub mod attention;
pub mod decoder;

pub use attention::{Attention, Sum, Weights};
pub use decoder::Decoder;
