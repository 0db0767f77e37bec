//! Reading and writing files: errors name the file, and an output is whole or absent.

use lpu_isa::Config;
use miette::Diagnostic;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A file that cannot be read or written.
#[derive(Debug, Error, Diagnostic)]
pub enum FileError {
    /// Reading failed.
    #[error("cannot read {path}")]
    #[diagnostic(code(lpu::file::read))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot write {path}")]
    #[diagnostic(
        code(lpu::file::write),
        help("nothing was written; choose a folder that exists and is writable")
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Neither preset nor file.
    #[error("`{name}` is neither a preset nor a file")]
    #[diagnostic(
        code(lpu::config::unknown),
        help("presets: nano, edge, proto, wide; or give the path of a TOML file")
    )]
    UnknownConfig {
        /// What was asked for.
        name: String,
    },
}

/// The configuration that `name` means: a preset, else a TOML file.
pub fn config(name: &str) -> miette::Result<Config> {
    if let Some(config) = Config::preset(name) {
        return Ok(config);
    }
    let path = Path::new(name);
    if !path.exists() {
        let name = name.to_owned();
        return Err(FileError::UnknownConfig { name }.into());
    }
    Ok(Config::from_toml(name, &read_text(path)?)?)
}

/// The text of a file; `-` is standard input.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    let read = || match path.to_str() {
        Some("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map(|_| text)
        }
        _ => std::fs::read_to_string(path),
    };
    read().map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Writes a whole file through a temporary one beside it, so that a failure leaves no partial output.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| FileError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Prints to standard output; a reader that has gone away is no error.
pub fn print(bytes: &[u8]) -> Result<(), FileError> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(FileError::Write {
            path: "standard output".into(),
            source,
        }),
        _ => Ok(()),
    }
}

/// To the file if there is one, else to standard output.
pub fn write_or_print(path: Option<&Path>, bytes: &[u8]) -> Result<(), FileError> {
    match path {
        Some(path) => write(path, bytes),
        None => print(bytes),
    }
}
