//! From Verilog to a shared object.

use std::fs;
use std::path::{Path, PathBuf};

use crate::compile::{Job, Unit};
use crate::compiled::CompiledModel;
use crate::cxx_compiler::Compiler;
use crate::design::Design;
use crate::error::SimError;
use crate::flags;
use crate::generate;
use crate::key::Key;
use crate::shim;
use crate::store;
use crate::verilator::Verilator;

/// The shared object in the folder of a finished model.
const LIBRARY: &str = "model.so";

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The model is in the cache.
    Cached,
    /// Another process is building the same thing.
    Waiting,
    /// Verilator's run-time library is being compiled, once for all models.
    Runtime,
    /// Verilator is at work.
    Verilating,
    /// The compiler is at work.
    Compiling {
        /// Files finished.
        done: usize,
        /// Files in all.
        total: usize,
    },
    /// The shared object is being made.
    Linking,
}

type Listener = Box<dyn Fn(Progress) + Send + Sync>;

/// Builds models, each content once.
pub struct Builder {
    verilator: Verilator,
    cache: PathBuf,
    trace: bool,
    listener: Listener,
}

impl Builder {
    /// A builder of models without waves that keeps its results in `cache`.
    pub fn new(verilator: Verilator, cache: impl Into<PathBuf>) -> Self {
        Self {
            verilator,
            cache: cache.into(),
            trace: false,
            listener: Box::new(|_| ()),
        }
    }

    /// Whether models can write waves. Those that can are slower, and cached apart.
    #[must_use]
    pub fn trace(mut self, trace: bool) -> Self {
        self.trace = trace;
        self
    }

    /// Calls `listener` as the work goes on, from whichever thread does it.
    #[must_use]
    pub fn on_progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.listener = Box::new(listener);
        self
    }

    /// The Verilator in use.
    pub fn verilator(&self) -> &Verilator {
        &self.verilator
    }

    /// The compiled model of `design`, from the cache if there is one.
    pub fn build(&self, design: &Design) -> Result<CompiledModel, SimError> {
        design.check()?;
        let compiler = Compiler::find()?;
        let key = self.key(&compiler, design).text();
        let name = format!("model-{key}");
        if self.cache.join(&name).is_dir() {
            (self.listener)(Progress::Cached);
        }
        let wait = || (self.listener)(Progress::Waiting);
        let folder = store::get_or_make(&self.cache, &name, wait, |folder| {
            self.make(&compiler, design, folder)
        })?;
        let compiled = CompiledModel::load(&folder.join(LIBRARY), key, &design.top, self.trace)?;
        let mut probe = compiled.instantiate()?;
        for observed in &design.observed {
            probe.signal(&observed.path)?;
        }
        Ok(compiled)
    }

    /// What decides how the run-time library comes out: the tools and their flags.
    fn tools(&self, compiler: &Compiler) -> Key {
        let mut key = Key::default();
        key.add(self.verilator.version());
        key.add(&self.verilator.root().to_string_lossy());
        key.add(&compiler.identity);
        let flags = [
            flags::CXX,
            flags::VECTORS,
            flags::GCC,
            &flags::cxx_trace(self.trace),
            &[flags::COLD],
        ];
        flags.into_iter().flatten().for_each(|flag| key.add(flag));
        key
    }

    /// Everything that decides how a model comes out.
    fn key(&self, compiler: &Compiler, design: &Design) -> Key {
        let mut key = self.tools(compiler);
        let waves = if self.trace {
            flags::VERILATOR_TRACE
        } else {
            &[]
        };
        let flags = [flags::VERILATOR, waves, flags::LINK, &[flags::HOT]];
        flags.into_iter().flatten().for_each(|flag| key.add(flag));
        key.add(&flags::UNIT_BYTES.to_string());
        for (name, text) in shim::HEADERS {
            key.add(name);
            key.add(text);
        }
        key.add(shim::VERSION);
        for text in [&design.top, &design.clock, &design.configuration()] {
            key.add(text);
        }
        key.add(design.waivers.as_deref().unwrap_or_default());
        for file in &design.files {
            key.add(&file.name);
            key.add(&file.text);
        }
        key
    }

    fn make(&self, compiler: &Compiler, design: &Design, folder: &Path) -> Result<(), SimError> {
        let runtime = self.runtime(compiler)?;
        // What is in `work` goes when the build ends; only the shared object stays.
        let work = folder.join("work");
        (self.listener)(Progress::Verilating);
        let (generated, units) = generate::generate(&self.verilator, design, self.trace, &work)?;
        let include = self.include();
        let job = Job {
            compiler,
            dir: &generated,
            include: &include,
            trace: self.trace,
        };
        let report = |done| {
            (self.listener)(Progress::Compiling {
                done,
                total: units.len(),
            })
        };
        report(0);
        let mut objects = job.run(&units, &report)?;
        (self.listener)(Progress::Linking);
        objects.extend(objects_in(&runtime)?);
        compiler.link(folder, &objects, LIBRARY)?;
        fs::remove_dir_all(&work).map_err(SimError::io("remove", &work))
    }

    fn include(&self) -> [PathBuf; 2] {
        let include = self.verilator.root().join("include");
        [include.join("vltstd"), include]
    }

    /// The folder of the compiled run-time library.
    fn runtime(&self, compiler: &Compiler) -> Result<PathBuf, SimError> {
        let name = format!("runtime-{}", self.tools(compiler).text());
        store::get_or_make(
            &self.cache,
            &name,
            || (self.listener)(Progress::Waiting),
            |folder| {
                (self.listener)(Progress::Runtime);
                let include = self.include();
                let mut units = Vec::new();
                let waves = if self.trace {
                    flags::RUNTIME_TRACE
                } else {
                    &[]
                };
                for part in flags::RUNTIME.iter().chain(waves) {
                    let source = include[1].join(format!("{part}.cpp"));
                    if source.is_file() {
                        units.push(Unit {
                            source: source.to_string_lossy().into_owned(),
                            optimise: flags::COLD,
                        });
                    }
                }
                let job = Job {
                    compiler,
                    dir: folder,
                    include: &include,
                    trace: self.trace,
                };
                job.run(&units, &|_| ()).map(drop)
            },
        )
    }
}

fn objects_in(folder: &Path) -> Result<Vec<PathBuf>, SimError> {
    Ok(generate::files(folder, ".o")?
        .into_iter()
        .map(|name| folder.join(name))
        .collect())
}
