//! Elaborates, checks, deduplicates and emits the LPU as Verilog.
//!
//! [`emit`] takes any rust-hdl block on which `connect_all` has been called and gives Verilog-2005: one module for each
//! distinct structure, flip-flops as clocked processes, clocks wired straight, plain names, the same text every time.
//!
//! One pass per file: `elaborate` walks the blocks and keeps each distinct structure once, `lower` resolves names and
//! unrolls loops, `check` refuses what is not hardware, `plan` chooses between connection, `assign` and `always`, `name`
//! names modules, `module` prints them with the help of `process`, `cells`, `expr`, `select`, `width` and `states`.

mod cells;
mod check;
mod design;
mod elaborate;
mod emitted;
mod error;
mod expr;
mod index;
mod ir;
mod lower;
mod module;
mod name;
mod plan;
mod process;
mod select;
mod states;
mod width;

pub use emitted::{Emitted, FILE_LIST, LINT_WAIVERS, Module, Statistics};
pub use error::{EmitError, SignalPath};
use rust_hdl::prelude::Block;

/// What is said about the whole design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmitOptions {
    /// Name of the top module.
    pub top_name: String,
    /// Hash of the configuration the design was made from; in the header of every file.
    pub configuration_hash: String,
    /// Version of the generator; in the header of every file.
    pub generator_version: String,
}

impl EmitOptions {
    /// Options for a top module of this name, without a configuration.
    #[must_use]
    pub fn new(top_name: &str) -> Self {
        Self {
            top_name: top_name.into(),
            configuration_hash: "none".into(),
            generator_version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// The line that marks a file as ours.
    pub(crate) fn marker(&self) -> String {
        format!(
            "{}{}, configuration {}; do not edit.",
            emitted::MARK,
            self.generator_version,
            self.configuration_hash
        )
    }
}

/// Emits `top` and everything below it. The text depends on nothing but the design and the options.
///
/// # Errors
/// An [`EmitError`] that names the signals and blocks at fault.
pub fn emit(top: &dyn Block, options: &EmitOptions) -> Result<Emitted, EmitError> {
    let design = elaborate::elaborate(top, &options.top_name);
    check::connected(&design)?;
    let module_names = name::modules(&design, &options.top_name);
    let ports: Vec<_> = (0..design.structures.len())
        .map(|id| name::ports(&design, id, &mut name::Names::default()))
        .collect();
    let mut modules = vec![];
    for (id, structure) in design.structures.iter().enumerate() {
        let name = &module_names[id];
        if name.is_empty() {
            continue;
        }
        let body = lower::lower(&design, structure)?;
        check::logic(structure, &body)?;
        let (plan, body) = plan::plan(&design, structure, body);
        let text = module::Module::new(&design, id, &module_names, &ports, plan, body)
            .text(name, options)?;
        modules.push(Module {
            name: name.clone(),
            file_name: format!("{name}.v"),
            text,
        });
    }
    let hierarchy = design
        .instances
        .iter()
        .map(|(path, id)| (path.clone(), module_names[*id].clone()));
    let hierarchy: Vec<_> = hierarchy.collect();
    let statistics = Statistics {
        modules: modules.len(),
        instances: hierarchy.len(),
        cells: design.cells,
        bytes: modules.iter().map(|module| module.text.len()).sum(),
    };
    Ok(Emitted {
        top: options.top_name.clone(),
        modules,
        hierarchy,
        statistics,
        marker: options.marker(),
    })
}
