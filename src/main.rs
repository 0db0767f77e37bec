//! The command line of the LPU toolkit.
fn main() {}
