//! The schedule checker.
//!
//! From a program and a configuration alone, it computes the cycle of every issue of every queue and
//! proves that the launch records no fault, whatever the data:
//!
//! - queue rules: fields in range, operations the queue takes, END, no SYNC that waits for ever;
//! - streams: no cell is driven by two units, every sampled cell is valid;
//! - SRAM ports: one user in a cycle; addresses in range (base registers at zero);
//! - matrix planes: every product is accumulated in its cycle, weights are whole when installed and there
//!   before they are used, buffer and accumulator rows are written before they are read;
//! - vector unit and switch unit: descriptors and permutation tables are there, rows, modes and reductions exist, the switch
//!   unit has one result in a cycle;
//! - links: nothing meets across a DESKEW or RUNTIME_DESKEW, whatever its wait.
//!
//! Whether a flit is there for a RECEIVE is a matter of several chips: [`check_rack`].
//!
//! A value driven at position i in cycle t sits at position i + k in cycle t + k, so (stream, t - i)
//! names an eastward flow and (stream, t + i) a westward one: all checks are exact look-ups in sorted lists, no
//! cycle is simulated. Offsets of GATHER and SCATTER are data and remain unchecked; their timing is checked.

mod deskew;
mod expand;
mod flow;
mod memory;
mod mxm;
mod prediction;
mod rack;
mod rules;
mod vector;
mod violation;

pub use prediction::Prediction;
pub use rack::check_rack;
pub use violation::{Site, Violation, Violations};

use lpu_isa::{Config, Program};

/// Proves that `program` keeps every rule of the machine and predicts its cycles.
///
/// `config` is the (valid) machine that the program was made for. Base registers count as zero.
pub fn check(config: &Config, program: &Program) -> Result<Prediction, Violations> {
    let mut found = Violations::default();
    rules::check(config, program, &mut found);
    found.take()?;
    let launch = expand::expand(config, program, &mut found);
    found.take()?;
    deskew::check(config, &launch, &mut found);
    let unused_values = flow::check(config, program, &launch, &mut found);
    memory::check(config, &launch, &mut found);
    mxm::check(config, &launch, &mut found);
    vector::check(config, program, &launch, &mut found);
    found.take()?;
    Ok(Prediction::new(config, program, &launch, unused_values))
}
