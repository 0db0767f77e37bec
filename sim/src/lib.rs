//! Verilated simulation of any Verilog design, without rebuilding Rust.
//!
//! [`Builder::build`] verilates a [`Design`], compiles it at full optimisation into a shared object and caches it by content.
//! [`CompiledModel::instantiate`] loads it behind an abstract C++ class that cxx exposes.
//!
//! # Time
//!
//! One clock, rising edge. *Cycle k* is what registers hold after the k-th rising edge since construction. Inputs set in
//! cycle k are taken by the edge that ends cycle k; outputs and watches are read after the edge, when all has settled.
//!
//! ```text
//! clock    __/--\__/--\__/--\__
//! cycle     0 |  1  |  2  |  3
//! input    set in 1 ^ taken by the edge into 2
//! ```
//!
//! # Determinism
//!
//! Registers start at zero (`--x-initial fast`, `--x-assign fast`), there are no threads in a model, and nothing reads the host's clock.

mod bridge;
mod builder;
mod cache;
mod error;
mod model;
mod runtime;
mod shim;
mod tool;
mod verilator;
mod waves;

pub use builder::{Builder, CompiledModel, Design, Observed, SourceFile};
pub use cache::Cache;
pub use error::SimError;
pub use model::{Event, Model, PortId, Watch};
pub use tool::compiler;
pub use verilator::Verilator;
