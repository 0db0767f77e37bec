//! Golden kernels: what a whole operation of `docs/kernels.md` gives, bit for bit, from golden arithmetic alone.

pub mod attention;

pub use attention::{Attention, Sum, Weights};
