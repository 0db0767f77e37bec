//! Running a tool to its end and keeping what it said.

use std::ffi::OsStr;
use std::io;
use std::process::{Command, Stdio};

/// How a tool ended.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    /// Standard output and standard error, one after the other; for a killed process, by which signal.
    pub(crate) log: String,
}

/// A command that reads nothing and speaks the plain locale.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env("LC_ALL", "C");
    command
}

/// Runs `command` to its end.
pub(crate) fn run(command: &mut Command) -> io::Result<Outcome> {
    let output = command.output()?;
    let mut log = String::from_utf8_lossy(&output.stdout).into_owned();
    log.push_str(&String::from_utf8_lossy(&output.stderr));
    if output.status.code().is_none() {
        log.push_str(&format!("killed ({})", output.status));
    }
    Ok(Outcome {
        success: output.status.success(),
        log: log.trim_end().to_string(),
    })
}
