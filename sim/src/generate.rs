//! From Verilog to C++: the files given to Verilator, and what becomes of those it writes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::compile::Unit;
use crate::design::Design;
use crate::error::SimError;
use crate::flags;
use crate::ports;
use crate::process::{command, run};
use crate::shim;
use crate::verilator::Verilator;

/// Verilates `design` in the folder `work`, adds the shim, and returns the folder of the C++ and what to compile in it.
pub(crate) fn generate(
    verilator: &Verilator,
    design: &Design,
    trace: bool,
    work: &Path,
) -> Result<(PathBuf, Vec<Unit>), SimError> {
    write_sources(design, work)?;
    verilate(verilator, design, trace, work)?;
    let generated = work.join("obj");
    let ports = ports::parse(&read(&generated.join(format!("{}.h", shim::PREFIX)))?);
    let clock = ports
        .iter()
        .find(|port| port.name == design.clock && port.width == 1 && port.direction == 0);
    let clock = clock.ok_or_else(|| SimError::Clock {
        clock: design.clock.clone(),
        top: design.top.clone(),
        known: ports.iter().map(|port| port.name.clone()).collect(),
    })?;
    for (name, text) in shim::HEADERS {
        write(&generated.join(name), text)?;
    }
    write(&generated.join("shim.cpp"), &shim::generate(&ports, clock))?;
    let units = units(&generated)?;
    Ok((generated, units))
}

fn verilate(
    verilator: &Verilator,
    design: &Design,
    trace: bool,
    work: &Path,
) -> Result<(), SimError> {
    let mut call = command(verilator.program());
    call.current_dir(work)
        .env("VERILATOR_ROOT", verilator.root())
        .args(flags::VERILATOR);
    if trace {
        call.args(flags::VERILATOR_TRACE);
    }
    call.args([
        "--top-module",
        &design.top,
        "--prefix",
        shim::PREFIX,
        "--Mdir",
        "obj",
        "-Isrc",
        "observed.vlt",
    ]);
    if design.waivers.is_some() {
        call.arg("waivers.vlt");
    }
    let verilog = |name: &&str| {
        matches!(
            Path::new(name).extension().and_then(OsStr::to_str),
            Some("v" | "sv")
        )
    };
    call.args(
        design
            .files
            .iter()
            .map(|file| file.name.as_str())
            .filter(verilog)
            .map(|name| format!("src/{name}")),
    );
    let outcome = run(&mut call).map_err(SimError::io("run", verilator.program()))?;
    if outcome.success {
        return Ok(());
    }
    Err(SimError::Verilate {
        top: design.top.clone(),
        log: outcome.log,
    })
}

fn write_sources(design: &Design, work: &Path) -> Result<(), SimError> {
    for file in &design.files {
        write(&work.join("src").join(&file.name), &file.text)?;
    }
    write(&work.join("observed.vlt"), &design.configuration())?;
    if let Some(waivers) = &design.waivers {
        write(&work.join("waivers.vlt"), waivers)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), SimError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(SimError::io("create", folder))?;
    }
    fs::write(path, text).map_err(SimError::io("write", path))
}

fn read(path: &Path) -> Result<String, SimError> {
    fs::read_to_string(path).map_err(SimError::io("read", path))
}

/// The names in `folder` that end in `suffix`, sorted.
pub(crate) fn files(folder: &Path, suffix: &str) -> Result<Vec<String>, SimError> {
    let entries = fs::read_dir(folder).map_err(SimError::io("list", folder))?;
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(suffix)).collect();
    names.sort();
    Ok(names)
}

/// Groups the C++ files in `folder` into units to compile: one file that includes several small ones takes much less time
/// than each alone, and lets the compiler inline across them. Hot code first, which takes longest.
fn units(folder: &Path) -> Result<Vec<Unit>, SimError> {
    let (cold, hot): (Vec<String>, Vec<String>) = files(folder, ".cpp")?
        .into_iter()
        .partition(|name| name.ends_with("__Slow.cpp"));
    let mut units = Vec::new();
    for (name, optimise, parts) in [("hot", flags::HOT, hot), ("cold", flags::COLD, cold)] {
        let mut groups: Vec<(u64, String)> = Vec::new();
        for part in parts {
            let size = fs::metadata(folder.join(&part)).map_or(0, |data| data.len());
            let line = format!("#include \"{part}\"\n");
            match groups.last_mut() {
                Some((total, text)) if *total + size <= flags::UNIT_BYTES => {
                    *total += size;
                    text.push_str(&line);
                }
                _ => groups.push((size, line)),
            }
        }
        for (index, (_, text)) in groups.iter().enumerate() {
            let source = format!("{name}_{index}.cc");
            write(&folder.join(&source), text)?;
            units.push(Unit { source, optimise });
        }
    }
    Ok(units)
}
