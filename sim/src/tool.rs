//! Running external tools.

use crate::error::SimError;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Lines of a failing tool's output that an error shows.
const ERROR_LINES: usize = 30;

/// Runs a command to its end; its output appears only in an error.
pub(crate) fn run(command: &mut Command) -> Result<String, SimError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let failed = |status: String, output: String| SimError::Tool {
        tool,
        status,
        output,
    };
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => return Err(failed("did not start".into(), error.to_string())),
    };
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(text.into_owned());
    }
    let shown: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(ERROR_LINES)
        .collect();
    Err(failed(output.status.to_string(), shown.join("\n")))
}

/// The program `name` on PATH, or `name` itself when it is a path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return is_program(Path::new(name)).then(|| PathBuf::from(name));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The C++ compiler: `CXX`, else the first that is there.
pub fn compiler() -> Result<PathBuf, SimError> {
    let names = match std::env::var("CXX") {
        Ok(name) if !name.is_empty() => vec![name],
        _ => ["c++", "g++", "clang++"].map(String::from).to_vec(),
    };
    names
        .iter()
        .find_map(|name| find(name))
        .ok_or(SimError::NoCompiler {
            tried: names.join(", "),
        })
}
