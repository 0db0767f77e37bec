//! From Verilog to a compiled model in the cache.

use crate::cache::{Cache, content_key};
use crate::error::SimError;
use crate::model::Model;
use crate::runtime::{COLD, HOT, Toolchain, in_parallel};
use crate::verilator::Verilator;
use crate::{shim, tool};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Flags of Verilator for every model.
const VERILATOR_FLAGS: [&str; 9] = [
    "--cc",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--noassert",
    "--savable",
    "--output-split",
];
/// C++ statements after which Verilator begins a new file, so that cores can share the work.
const OUTPUT_SPLIT: &str = "20000";

/// A Verilog file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// File name, for messages.
    pub name: String,
    /// Text.
    pub text: String,
}

/// A signal that can be watched at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Module that declares it.
    pub module: String,
    /// Its name there; every instance of the module becomes observable.
    pub signal: String,
}

/// A design to simulate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Design {
    /// Name of the top module.
    pub top: String,
    /// Its files.
    pub files: Vec<SourceFile>,
    /// The clock input.
    pub clock: String,
    /// Signals that watches may name.
    pub observed: Vec<Observed>,
    /// Lint waivers in Verilator's configuration format.
    pub waivers: Option<String>,
}

/// Builds models.
#[derive(Clone, Debug)]
pub struct Builder {
    verilator: Verilator,
    cache: Cache,
    trace: bool,
}

impl Builder {
    /// A builder with the user's Verilator, or a private copy that it installs.
    pub fn new(cache: Cache) -> Result<Self, SimError> {
        let verilator = Verilator::find(&cache)?;
        Ok(Self {
            verilator,
            cache,
            trace: false,
        })
    }

    /// Whether models can write waves (they are slower and cached apart).
    pub fn trace(mut self, trace: bool) -> Self {
        self.trace = trace;
        self
    }

    /// The Verilator in use.
    pub fn verilator(&self) -> &Verilator {
        &self.verilator
    }

    /// Whether `design` is built already, so that [`Builder::build`] returns at once.
    pub fn is_cached(&self, design: &Design) -> Result<bool, SimError> {
        let toolchain = Toolchain::new(self.verilator.clone(), self.trace)?;
        Ok(self
            .cache
            .folder()
            .join(self.entry_name(design, &toolchain))
            .is_dir())
    }

    fn entry_name(&self, design: &Design, toolchain: &Toolchain) -> String {
        let flags = format!("{VERILATOR_FLAGS:?}{OUTPUT_SPLIT}{}", shim::VERSION);
        let identity = toolchain.identity();
        let configuration = configuration(design);
        let mut parts = vec![
            identity.as_str(),
            &flags,
            &design.top,
            &design.clock,
            &configuration,
        ];
        for file in &design.files {
            parts.extend([file.name.as_str(), file.text.as_str()]);
        }
        format!("models/{}", content_key(parts))
    }

    /// Verilates and compiles `design`, unless the cache has it.
    pub fn build(&self, design: &Design) -> Result<CompiledModel, SimError> {
        let toolchain = Toolchain::new(self.verilator.clone(), self.trace)?;
        let name = self.entry_name(design, &toolchain);
        if self.cache.folder().join(&name).is_dir() {
            return Ok(CompiledModel::new(
                self.cache.folder().join(&name),
                self.trace,
            ));
        }
        let runtime = toolchain.runtime(&self.cache)?;
        let folder = self.cache.entry(&name, |work| {
            let objects = self.compile(design, &toolchain, work)?;
            let mut link = Command::new(&toolchain.compiler);
            link.args(["-shared", "-Wl,-Bsymbolic", "-pthread", "-o"])
                .arg(work.join(LIBRARY));
            tool::run(link.args(objects).args(runtime))?;
            let build = work.join("build");
            fs::remove_dir_all(&build).map_err(SimError::file("cannot remove", &build))
        })?;
        Ok(CompiledModel::new(folder, self.trace))
    }

    /// Verilates into `work/build` and compiles every file there; returns the objects.
    fn compile(
        &self,
        design: &Design,
        toolchain: &Toolchain,
        work: &Path,
    ) -> Result<Vec<PathBuf>, SimError> {
        let build = work.join("build");
        let write = |path: PathBuf, text: &str| {
            fs::write(&path, text)
                .map_err(SimError::file("cannot write", &path))
                .map(|()| path)
        };
        fs::create_dir(&build).map_err(SimError::file("cannot make", &build))?;
        let mut command = Command::new(&self.verilator.program);
        command
            .env("VERILATOR_ROOT", &self.verilator.root)
            .args(VERILATOR_FLAGS)
            .arg(OUTPUT_SPLIT);
        if self.trace {
            command.args([
                "--trace",
                "--trace-max-width",
                "4096",
                "--trace-max-array",
                "0",
            ]);
        }
        let class = format!("V{}", design.top);
        command
            .args(["--top-module", &design.top, "--prefix", &class, "--Mdir"])
            .arg(&build);
        command.arg(write(work.join("observed.vlt"), &configuration(design))?);
        for file in &design.files {
            command.arg(write(work.join(&file.name), &file.text)?);
        }
        tool::run(&mut command)?;

        let header_path = build.join(format!("{class}.h"));
        let header = fs::read_to_string(&header_path)
            .map_err(SimError::file("cannot read", &header_path))?;
        let shim = shim::text(&class, &header, &design.clock, self.trace)?;
        write(build.join("shim.cpp"), &shim)?;
        let bridge = write(
            build.join("model.h"),
            include_str!("../include/lpu_sim/model.h"),
        )?;
        let includes = build.join("include");
        fs::create_dir_all(includes.join("lpu_sim"))
            .map_err(SimError::file("cannot make", &includes))?;
        let target = includes.join("lpu_sim/model.h");
        fs::rename(bridge, &target).map_err(SimError::file("cannot write", &target))?;

        let listing = fs::read_dir(&build).map_err(SimError::file("cannot list", &build))?;
        let mut sources: Vec<PathBuf> = listing
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
            .collect();
        // Long jobs first, and always in the same order.
        sources.sort_by_key(|path| {
            (
                std::cmp::Reverse(path.metadata().map_or(0, |data| data.len())),
                path.clone(),
            )
        });
        in_parallel(sources.clone(), |source| {
            let name = source.file_name().unwrap_or_default().to_string_lossy();
            let cold = name.contains("__Slow") || name.contains("__Syms") || name == "shim.cpp";
            let flags: &[&str] = if cold && name != "shim.cpp" {
                &COLD
            } else {
                &HOT
            };
            self.compile_one(toolchain, source, flags, &build, &includes)
        })?;
        Ok(sources
            .iter()
            .map(|source| source.with_extension("o"))
            .collect())
    }

    fn compile_one(
        &self,
        toolchain: &Toolchain,
        source: &Path,
        flags: &[&str],
        build: &Path,
        includes: &Path,
    ) -> Result<(), SimError> {
        toolchain.compile(
            source,
            &source.with_extension("o"),
            flags,
            &[build, includes],
        )
    }
}

/// The Verilator configuration: waivers, then the signals to keep.
fn configuration(design: &Design) -> String {
    let mut text = String::from("`verilator_config\n");
    text.push_str(design.waivers.as_deref().unwrap_or_default());
    for Observed { module, signal } in &design.observed {
        let _ = writeln!(
            text,
            "public_flat_rd -module \"{module}\" -var \"{signal}\""
        );
    }
    text
}

/// File name of the shared object in a cache entry.
const LIBRARY: &str = "model.so";

/// A finished model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledModel {
    folder: PathBuf,
    trace: bool,
}

impl CompiledModel {
    fn new(folder: PathBuf, trace: bool) -> Self {
        Self { folder, trace }
    }

    /// The shared object.
    pub fn library(&self) -> PathBuf {
        self.folder.join(LIBRARY)
    }

    /// Whether it can write waves.
    pub fn has_trace(&self) -> bool {
        self.trace
    }

    /// A fresh instance, at cycle 0. Any number can live side by side.
    pub fn instantiate(&self) -> Result<Model, SimError> {
        Model::load(&self.library(), self.trace)
    }
}
