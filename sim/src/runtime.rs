//! Verilator's own runtime, compiled once for each Verilator, compiler and variant.

use crate::cache::{Cache, content_key};
use crate::error::SimError;
use crate::tool;
use crate::verilator::Verilator;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// Optimisation of the code that runs every cycle.
pub(crate) const HOT: [&str; 2] = ["-O2", "-march=native"];
/// Optimisation of constructors and other code that runs once.
pub(crate) const COLD: [&str; 1] = ["-O0"];

/// A C++ compiler with everything that a translation unit of a model needs.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    pub(crate) compiler: PathBuf,
    pub(crate) version: String,
    pub(crate) verilator: Verilator,
    pub(crate) trace: bool,
}

impl Toolchain {
    pub(crate) fn new(verilator: Verilator, trace: bool) -> Result<Self, SimError> {
        let compiler = tool::compiler()?;
        let version = tool::run(Command::new(&compiler).arg("--version"))?;
        let version = version.lines().next().unwrap_or_default().to_owned();
        Ok(Self {
            compiler,
            version,
            verilator,
            trace,
        })
    }

    /// What distinguishes two toolchains, for cache keys.
    pub(crate) fn identity(&self) -> String {
        let Verilator {
            program, version, ..
        } = &self.verilator;
        format!(
            "{}\n{version}\n{}\n{HOT:?}{COLD:?}{}\n{}",
            program.display(),
            self.version,
            self.trace,
            host_cpu()
        )
    }

    /// Compiles one file into an object.
    pub(crate) fn compile(
        &self,
        source: &Path,
        object: &Path,
        flags: &[&str],
        includes: &[&Path],
    ) -> Result<(), SimError> {
        let root = self.verilator.root.join("include");
        let mut command = Command::new(&self.compiler);
        command
            .args(["-std=c++17", "-fPIC", "-w", "-c"])
            .args(flags);
        command.args(["-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE_FST=0"]);
        let trace = u8::from(self.trace);
        command
            .arg(format!("-DVM_TRACE={trace}"))
            .arg(format!("-DVM_TRACE_VCD={trace}"));
        for folder in includes
            .iter()
            .copied()
            .chain([root.as_path(), &root.join("vltstd")])
        {
            command.arg("-I").arg(folder);
        }
        tool::run(command.arg(source).arg("-o").arg(object)).map(drop)
    }

    /// The objects of Verilator's runtime.
    pub(crate) fn runtime(&self, cache: &Cache) -> Result<Vec<PathBuf>, SimError> {
        let mut files = vec!["verilated", "verilated_threads", "verilated_save"];
        if self.trace {
            files.push("verilated_vcd_c");
        }
        let key = content_key([self.identity().as_str()]);
        let folder = cache.entry(&format!("runtime/{key}"), |work| {
            let jobs = files.iter().map(|name| {
                let source = self.verilator.root.join(format!("include/{name}.cpp"));
                (source, work.join(format!("{name}.o")))
            });
            in_parallel(jobs.collect(), |(source, object)| {
                self.compile(source, object, &HOT, &[])
            })
        })?;
        Ok(files
            .iter()
            .map(|name| folder.join(format!("{name}.o")))
            .collect())
    }
}

/// Code for one host must not be loaded on another that shares the cache.
fn host_cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = |name: &str| {
        text.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or("")
            .to_owned()
    };
    line("model name") + &line("flags")
}

/// Runs the jobs on all cores; the first error wins.
pub(crate) fn in_parallel<J: Sync>(
    jobs: Vec<J>,
    work: impl Fn(&J) -> Result<(), SimError> + Sync,
) -> Result<(), SimError> {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores.min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = work(job) {
                        failure
                            .lock()
                            .expect("no worker panics with the lock")
                            .get_or_insert(error);
                        next.store(jobs.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    failure
        .into_inner()
        .expect("no worker panics with the lock")
        .map_or(Ok(()), Err)
}
