//! Golden kernels: what a whole operation of `docs/kernels.md` or `docs/decoder.md` gives, bit for bit, from golden arithmetic alone.

pub mod activation;
pub mod attention;
pub mod collective;
pub mod decoder;
pub mod norm;
pub mod order;
pub mod quantise;
pub mod rope;
pub mod softmax;

pub use attention::{Attention, Sum, Weights};
pub use decoder::Decoder;
pub use order::Order;
