//! What the tests share: one cache under the target folder, so that the second run is quick, and the designs.

#![allow(dead_code)] // each test file uses a part

use std::path::PathBuf;

use lpu_sim::{Builder, Design, Model, Verilator};

/// The cache of all tests of this crate.
pub fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lpu-sim-cache")
}

/// A builder that uses the shared cache.
pub fn builder() -> Builder {
    builder_in(cache())
}

/// A builder with its own cache of models; Verilator itself is still shared.
pub fn builder_in(models: PathBuf) -> Builder {
    Builder::new(Verilator::find(&cache()).unwrap(), models)
}

/// A new instance of `design`.
pub fn model(design: &Design) -> Model {
    builder().build(design).unwrap().instantiate().unwrap()
}

pub fn counter() -> Design {
    Design::new("counter").source("counter.v", include_str!("../data/counter.v"))
}

pub fn wide() -> Design {
    Design::new("wide")
        .source("wide.v", include_str!("../data/wide.v"))
        .observe("wide.straight.unread", "wide_register")
        .observe("wide.straight.any", "wide_register")
}

pub fn memory() -> Design {
    let design = Design::new("memory").source("memory.v", include_str!("../data/memory.v"));
    [
        "write_valid",
        "write_address",
        "write_data",
        "written",
        "recent",
    ]
    .into_iter()
    .fold(design, |design, name| {
        design.observe(format!("memory.low.{name}"), "memory_bank")
    })
}
