//! What is to be simulated.

use std::path::{Component, Path};

use crate::error::SimError;

/// One file of the design.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative path; Verilator's messages show it. Files that do not end in `.v` or `.sv` can only be included.
    pub name: String,
    /// Contents.
    pub text: String,
}

/// A signal inside the design that must stay readable at run time.
///
/// `lpu_tile.mem_0.write_valid` of module `lpu_mem` is `Observed::new("lpu_tile.mem_0.write_valid", "lpu_mem")`. Verilator is told
/// the module and the variable, so the signal stays readable in every instance of the module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Observed {
    /// Hierarchical name that starts with the top module.
    pub path: String,
    /// The Verilog module that declares the last component of `path`.
    pub module: String,
}

impl Observed {
    /// The signal at `path`, declared in `module`.
    pub fn new(path: impl Into<String>, module: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            module: module.into(),
        }
    }

    /// The last component of the path: the name of the variable in its module.
    pub fn variable(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

/// A set of Verilog files with one clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Design {
    /// Name of the top module.
    pub top: String,
    /// The files.
    pub files: Vec<SourceFile>,
    /// Name of the clock, a one-bit input of the top module.
    pub clock: String,
    /// Signals to keep readable besides the ports.
    pub observed: Vec<Observed>,
    /// Text of a Verilator configuration file (`.vlt`) with the lint warnings that are accepted.
    pub waivers: Option<String>,
}

impl Design {
    /// A design without files, whose clock is called `clock`.
    pub fn new(top: impl Into<String>) -> Self {
        Self {
            top: top.into(),
            files: Vec::new(),
            clock: "clock".into(),
            observed: Vec::new(),
            waivers: None,
        }
    }

    /// Adds a file.
    #[must_use]
    pub fn source(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push(SourceFile {
            name: name.into(),
            text: text.into(),
        });
        self
    }

    /// Keeps a signal readable.
    #[must_use]
    pub fn observe(mut self, path: impl Into<String>, module: impl Into<String>) -> Self {
        self.observed.push(Observed::new(path, module));
        self
    }

    /// Sets the accepted lint warnings.
    #[must_use]
    pub fn waive(mut self, waivers: impl Into<String>) -> Self {
        self.waivers = Some(waivers.into());
        self
    }

    /// Checks what can be checked without Verilator.
    pub(crate) fn check(&self) -> Result<(), SimError> {
        for file in &self.files {
            let plain = Path::new(&file.name)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            let safe = file
                .name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-./+".contains(c));
            if file.name.is_empty()
                || !plain
                || !safe
                || self.files.iter().filter(|f| f.name == file.name).count() > 1
            {
                return Err(SimError::SourceName {
                    name: file.name.clone(),
                });
            }
        }
        for name in self
            .observed
            .iter()
            .flat_map(|o| [o.variable(), &o.module])
            .chain([self.top.as_str(), &self.clock])
        {
            let mut chars = name.chars();
            let starts = chars
                .next()
                .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
            if !starts || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(SimError::Identifier {
                    name: name.to_string(),
                });
            }
        }
        Ok(())
    }

    /// The configuration file that keeps the observed signals readable, and the waivers after it.
    pub(crate) fn configuration(&self) -> String {
        let mut lines: Vec<String> = self
            .observed
            .iter()
            .map(|o| {
                format!(
                    "public_flat_rd -module \"{}\" -var \"{}\"\n",
                    o.module,
                    o.variable()
                )
            })
            .collect();
        lines.sort();
        lines.dedup();
        format!("`verilator_config\n{}", lines.concat())
    }
}
