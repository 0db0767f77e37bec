//! Verilated simulation of the emitted Verilog.
//!
//! A set of Verilog files becomes a running model in four steps, each of which is done once and then found in a cache:
//! Verilator turns the files into C++, a small generated shim gives that C++ one abstract class ([`Builder`]), the C++
//! compiler makes a shared object of it ([`CompiledModel`]), and any number of instances are loaded from it ([`Model`]). The
//! crate knows nothing of what the design does.
//!
//! # The clock
//!
//! Designs have one clock and act on its rising edge. Inputs set before a [`Model::step`] are in place before the rising
//! edge of that cycle; outputs, observed signals and watches are sampled after it, when everything has settled:
//!
//! ```text
//!                 cycle k          cycle k+1
//!              ____      ____      ____
//!   clock  ___|    |____|    |____|    |____
//!   inputs  A |         | B       |             set(A) step(1) set(B) step(1)
//!   flops     | f(A)    | f(B)    |
//!   sample      ^         ^                     outputs and watches of cycles k and k+1
//! ```
//!
//! An output that depends on an input without a flop between shows, when sampled, the input of the same cycle and the
//! flops after the edge. [`Model::cycle`] counts rising edges since the instance was made and is 0 before the first.
//! Every bit that nothing has assigned is zero or whatever constant the compiler chose, the same in each run.
//!
//! # A model in a few lines
//!
//! ```no_run
//! use lpu_sim::{Builder, Design, Verilator, default_cache_dir};
//!
//! # fn main() -> Result<(), lpu_sim::SimError> {
//! let cache = default_cache_dir();
//! let builder = Builder::new(Verilator::find(&cache)?, &cache);
//! let compiled = builder.build(&Design::new("counter").source("counter.v", include_str!("../tests/data/counter.v")))?;
//! let mut model = compiled.instantiate()?;
//! let (reset, count) = (model.port("reset")?, model.port("count")?);
//! model.set(reset, 1);
//! model.step(1);
//! model.set(reset, 0);
//! model.step(10);
//! assert_eq!(model.get(count), 10);
//! # Ok(())
//! # }
//! ```

// The one crate with `unsafe` and C++: the cxx bridge and dlopen. Every block says why it is sound.
#![allow(unsafe_code)]

mod bridge;
mod builder;
mod compile;
mod compiled;
mod cxx_compiler;
mod design;
mod error;
mod flags;
mod fst;
mod generate;
mod key;
mod model;
mod ports;
mod process;
mod shim;
mod state;
mod store;
mod verilator;
mod watch;
mod wave;

pub use builder::{Builder, Progress};
pub use compiled::CompiledModel;
pub use cxx_compiler::Compiler;
pub use design::{Design, Observed, SourceFile};
pub use error::SimError;
pub use model::{Direction, Model, PortId, PortInfo, SignalId};
pub use store::default_cache_dir;
pub use verilator::{Origin, Verilator};
pub use watch::{Event, EventBatch, Watch};
