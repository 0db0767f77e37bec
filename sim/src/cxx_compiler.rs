//! The C++ compiler.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::error::SimError;
use crate::flags;
use crate::process::{command, run};

/// A C++ compiler that answers.
#[derive(Debug)]
pub struct Compiler {
    program: PathBuf,
    version: String,
    /// Its version and what `-march=native` means here: part of every cache key.
    pub(crate) identity: String,
    gcc: bool,
}

impl Compiler {
    /// `$CXX`, else the first of c++, g++ and clang++.
    pub fn find() -> Result<Self, SimError> {
        let tried: Vec<String> = match env::var("CXX") {
            Ok(given) if !given.trim().is_empty() => vec![given.trim().to_string()],
            _ => ["c++", "g++", "clang++"].map(String::from).to_vec(),
        };
        tried
            .iter()
            .find_map(|program| Self::probe(program))
            .ok_or(SimError::CompilerMissing { tried })
    }

    fn probe(program: &str) -> Option<Self> {
        let version = run(command(program).arg("--version"))
            .ok()
            .filter(|outcome| outcome.success)?
            .log;
        let native =
            run(command(program).args(["-march=native", "-###", "-E", "-x", "c++", "/dev/null"]))
                .ok()?
                .log;
        let gcc = !version.contains("clang");
        Some(Self {
            program: program.into(),
            version: version.lines().next().unwrap_or_default().to_string(),
            identity: format!("{program}\n{version}\n{native}"),
            gcc,
        })
    }

    /// The command that runs.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The first line of what it says its version is.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Compiles a file that needs the C++17 standard library, and throws the object away.
    pub fn try_out(&self) -> Result<(), SimError> {
        const SOURCE: &str =
            "#include <optional>\nint probe(std::optional<int> x) { return x.value_or(0); }\n";
        let folder = tempfile::tempdir().map_err(SimError::io("create", &env::temp_dir()))?;
        let source = folder.path().join("probe.cpp");
        fs::write(&source, SOURCE).map_err(SimError::io("write", &source))?;
        self.compile(
            folder.path(),
            "probe.cpp",
            "probe.o",
            flags::COLD,
            false,
            &[],
        )
    }

    /// Compiles `source` to `object`, both in `dir`.
    pub(crate) fn compile(
        &self,
        dir: &Path,
        source: &str,
        object: &str,
        optimise: &str,
        trace: bool,
        include: &[PathBuf],
    ) -> Result<(), SimError> {
        let mut call = command(&self.program);
        call.current_dir(dir)
            .args(flags::CXX)
            .args(flags::VECTORS)
            .args(flags::cxx_trace(trace))
            .arg(optimise);
        if self.gcc {
            call.args(flags::GCC);
        }
        for path in include {
            call.arg("-I").arg(path);
        }
        call.args(["-c", source, "-o", object]);
        self.finish(&mut call, source)
    }

    /// Links `objects` into the shared object `output` in `dir`.
    pub(crate) fn link(
        &self,
        dir: &Path,
        objects: &[PathBuf],
        output: &str,
    ) -> Result<(), SimError> {
        let mut call = command(&self.program);
        call.current_dir(dir)
            .args(flags::LINK)
            .arg("-o")
            .arg(output)
            .args(objects);
        self.finish(&mut call, output)
    }

    fn finish(&self, call: &mut std::process::Command, file: &str) -> Result<(), SimError> {
        let outcome = run(call).map_err(SimError::io("run", &self.program))?;
        if outcome.success {
            return Ok(());
        }
        Err(SimError::Compile {
            file: file.to_string(),
            log: outcome.log,
        })
    }
}
