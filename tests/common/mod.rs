//! What the tests of the command line share: how it is run, and a compiler that is quick rather than good.

#![allow(dead_code)] // each test file uses a part

use lpu_sim::{Compiler, Verilator, default_cache_dir};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// The one object on standard output.
    pub fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What a person sees who reads both streams.
    pub fn shown(&self) -> String {
        let code = self.code.map_or("signal".into(), |code| code.to_string());
        format!("exit code {code}\n{}{}", self.out, self.err)
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// The folder of test models: they are built once, as those of a user.
pub fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lpu-cache")
}

/// The Verilator of this machine, installed if there is none.
pub fn verilator() -> PathBuf {
    let found = Verilator::find(&default_cache_dir()).unwrap();
    found.program().to_owned()
}

/// A script in a folder that is made with the tests.
pub fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    if fs::read_to_string(&path).is_ok_and(|found| found == text) {
        return path;
    }
    // Another test may be running the old one.
    let file = tempfile::NamedTempFile::new_in(folder).unwrap();
    fs::write(file.path(), text).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o755)).unwrap();
    file.into_temp_path().persist(&path).unwrap();
    path
}

/// The C++ compiler of this machine without optimisation.
pub fn quick_compiler() -> PathBuf {
    let compiler = Compiler::find().unwrap();
    let text = format!(
        "#!/bin/sh\nexec {} \"$@\" -O0\n",
        compiler.program().display()
    );
    script(
        &PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
        "quick-c++",
        &text,
    )
}

/// `lpu` in a folder, without tools: the PATH is empty.
pub fn bare(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lpu"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "")
        .env("LPU_CACHE_DIR", folder.join("cache"))
        .stdin(Stdio::null());
    command
}

/// `lpu` in a folder, with the tools of this machine and the models of the tests.
pub fn lpu(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = bare(folder, arguments);
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("LPU_CACHE_DIR", cache())
        .env("LPU_VERILATOR", verilator())
        .env("CXX", quick_compiler())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub fn run(command: &mut Command) -> Ended {
    command.output().unwrap().into()
}

/// What is in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A NumPy file of version 1.0.
pub fn npy(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let header = format!("{header:117}\n");
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The smallest run on RTL that uses every unit.
pub const SMALL: [&str; 8] = ["run", "matmul", "--m", "8", "--k", "8", "--n", "8"];

/// [`SMALL`] with further arguments.
pub fn small<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SMALL.into_iter().chain(more.iter().copied()).collect()
}

/// Of every signal by its full name, the changes (time, bits).
pub type Changes = BTreeMap<String, Vec<(u64, String)>>;

/// Reads a wave file.
pub fn waves(path: &Path) -> Changes {
    let mut wave = wellen::simple::read(path).unwrap();
    let hierarchy = wave.hierarchy();
    let vars: Vec<_> = hierarchy
        .all_vars()
        .map(|var| {
            (
                hierarchy[var].full_name(hierarchy),
                hierarchy[var].signal_ref(),
            )
        })
        .collect();
    wave.load_signals(&vars.iter().map(|(_, signal)| *signal).collect::<Vec<_>>());
    let times = wave.time_table().to_vec();
    let changes = |signal| {
        let signal = wave.get_signal(signal).unwrap();
        let changes = signal.iter_changes();
        changes
            .map(|(at, value)| (times[at as usize], value.to_string()))
            .collect()
    };
    vars.iter()
        .map(|(name, signal)| (name.clone(), changes(*signal)))
        .collect()
}

/// The bits of a signal at a time.
pub fn value_at<'a>(changes: &'a Changes, name: &str, time: u64) -> &'a str {
    let changes = changes
        .get(name)
        .unwrap_or_else(|| panic!("no signal `{name}`"));
    let before = changes.iter().rev().find(|(at, _)| *at <= time);
    &before.expect("the time is in the waves").1
}
