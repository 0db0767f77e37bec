//! Compiling many C++ files on all cores.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::cxx_compiler::Compiler;
use crate::error::SimError;

/// One C++ file of a build, without its folder.
pub(crate) struct Unit {
    pub(crate) source: String,
    pub(crate) optimise: &'static str,
}

/// Where and how a set of units is compiled.
pub(crate) struct Job<'a> {
    pub(crate) compiler: &'a Compiler,
    pub(crate) dir: &'a Path,
    pub(crate) include: &'a [PathBuf],
    pub(crate) trace: bool,
}

impl Job<'_> {
    /// Compiles every unit and returns the objects in the order of the units; stops early at the first failure, of which
    /// the one that comes first in that order is reported. `done` hears how many are finished.
    pub(crate) fn run(
        &self,
        units: &[Unit],
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<PathBuf>, SimError> {
        let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let failure: Mutex<Option<(usize, SimError)>> = Mutex::new(None);
        let failed = || {
            failure
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
        };
        let worker = || {
            while failed().is_none() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(unit) = units.get(index) else { return };
                let object = object_of(&unit.source);
                match self.compiler.compile(
                    self.dir,
                    &unit.source,
                    &object,
                    unit.optimise,
                    self.trace,
                    self.include,
                ) {
                    Ok(()) => done(finished.fetch_add(1, Ordering::Relaxed) + 1),
                    Err(error) => {
                        let mut first = failed();
                        if first.as_ref().is_none_or(|(earlier, _)| index < *earlier) {
                            *first = Some((index, error));
                        }
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism()
                .map_or(1, usize::from)
                .min(units.len())
            {
                scope.spawn(worker);
            }
        });
        if let Some((_, error)) = failed().take() {
            return Err(error);
        }
        Ok(units
            .iter()
            .map(|unit| self.dir.join(object_of(&unit.source)))
            .collect())
    }
}

fn object_of(source: &str) -> String {
    let name = Path::new(source)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    format!("{name}.o")
}
