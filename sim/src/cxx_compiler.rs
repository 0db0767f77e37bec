//! The C++ compiler.

use std::path::{Path, PathBuf};

use crate::error::SimError;
use crate::flags;
use crate::process::{command, run};

/// A C++ compiler that answers.
pub(crate) struct Compiler {
    program: PathBuf,
    /// Its version and what `-march=native` means here: part of every cache key.
    pub(crate) identity: String,
    gcc: bool,
}

impl Compiler {
    /// `$CXX`, else the first of c++, g++ and clang++.
    pub(crate) fn find() -> Result<Self, SimError> {
        let tried: Vec<String> = match std::env::var("CXX") {
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
            identity: format!("{program}\n{version}\n{native}"),
            gcc,
        })
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
