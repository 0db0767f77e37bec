//! The hardware blocks of the LPU, described in rust-hdl.
