//! Reading and writing files: errors name the file, and an output is whole or absent.

use lpu_isa::Config;
use lpu_isa::config::PRESETS;
use miette::Diagnostic;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use thiserror::Error;

/// A file that cannot be read or written.
#[derive(Debug, Error, Diagnostic)]
pub enum FileError {
    /// Reading failed.
    #[error("cannot read `{}`: {reason}", .path.display())]
    #[diagnostic(code(lpu::file::read), help("check the name; `-` is standard input"))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// Writing failed.
    #[error("cannot write `{}`: {reason}", .path.display())]
    #[diagnostic(
        code(lpu::file::write),
        help("nothing was written; choose a folder that exists and is writable")
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// Neither preset nor file.
    #[error("`{name}` is neither a preset nor a file")]
    #[diagnostic(
        code(lpu::config::unknown),
        help(
            "presets: nano, edge, proto, wide, and with more formats such as proto+e4m3; or give the path of a TOML file that exists"
        )
    )]
    UnknownConfig {
        /// What was asked for.
        name: String,
    },
    /// A preset with suffixes that name no formats.
    #[error("`{name}`: preset `{preset}` cannot have the formats `{formats}`")]
    #[diagnostic(
        code(lpu::config::formats),
        help(
            "`{preset}+e4m3`, `{preset}+nvfp4` and `{preset}+e4m3+nvfp4` have formats beside int8"
        )
    )]
    UnknownFormats {
        /// What was asked for.
        name: String,
        /// The preset.
        preset: String,
        /// What stands behind it.
        formats: String,
    },
}

/// The configuration that `name` means: a preset (with formats, such as `proto+e4m3`), else a TOML file.
pub fn config(name: &str) -> miette::Result<Config> {
    if let Some(config) = Config::preset(name) {
        return Ok(config);
    }
    let path = Path::new(name);
    if !path.exists() {
        return Err(unknown_config(name).into());
    }
    Ok(Config::from_toml(name, &read_text(path)?)?)
}

fn unknown_config(name: &str) -> FileError {
    let parts = name
        .split_once('+')
        .map(|(a, b)| (a.to_owned(), b.to_owned()));
    let name = name.to_owned();
    match parts {
        Some((preset, formats)) if PRESETS.contains(&preset.as_str()) => {
            FileError::UnknownFormats {
                name,
                preset,
                formats,
            }
        }
        _ => FileError::UnknownConfig { name },
    }
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
    read().map_err(|reason| FileError::Read {
        path: path.to_owned(),
        reason,
    })
}

/// A file that appears under its name whole or not at all.
///
/// It is made in a hidden folder beside the file asked for and renamed in the end. The folder goes when the output is dropped, and when
/// the process is interrupted (after [`clean_up_on_interrupt`]).
#[derive(Debug)]
pub struct Output {
    asked: PathBuf,
    /// Where it goes; symbolic links are followed.
    target: PathBuf,
    /// Where it is made; none for a device or a pipe, which is written in place.
    folder: Option<Staging>,
}

/// A temporary folder that an interrupt removes.
#[derive(Debug)]
struct Staging(TempDir);

/// The folders to remove on an interrupt.
static STAGING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

impl Staging {
    fn beside(target: &Path) -> io::Result<Self> {
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !parent.is_dir() {
            let missing = format!("there is no folder `{}`", parent.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, missing));
        }
        // No interrupt between making and listing.
        let mut staging = STAGING.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::Builder::new()
            .prefix(".lpu-")
            .tempdir_in(parent)
            // The name of a folder that is not there helps nobody.
            .map_err(|error| io::Error::from(error.kind()))?;
        staging.push(folder.path().to_owned());
        Ok(Self(folder))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let mut staging = STAGING.lock().unwrap_or_else(PoisonError::into_inner);
        staging.retain(|folder| folder != self.0.path());
    }
}

impl Output {
    /// Makes ready to write `path`; an error if that cannot work.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let create = || {
            let (target, folder) = match fs::metadata(path) {
                Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
                Ok(found) if found.is_file() => {
                    if found.permissions().readonly() {
                        return Err(io::ErrorKind::PermissionDenied.into());
                    }
                    let target = fs::canonicalize(path)?;
                    let folder = Staging::beside(&target)?;
                    (target, Some(folder))
                }
                Ok(_) => (path.to_owned(), None),
                Err(_) => (path.to_owned(), Some(Staging::beside(path)?)),
            };
            Ok(Self {
                asked: path.to_owned(),
                target,
                folder,
            })
        };
        create().map_err(|reason| FileError::Write {
            path: path.to_owned(),
            reason,
        })
    }

    /// An error if `path` cannot be written; asked before long work.
    pub fn check(path: &Path) -> Result<(), FileError> {
        Self::create(path).map(drop)
    }

    /// The file to write to until [`Output::commit`]; it has the name of the file asked for.
    pub fn path(&self) -> PathBuf {
        let name = self.target.file_name().unwrap_or_default();
        match &self.folder {
            Some(folder) => folder.0.path().join(name),
            None => self.target.clone(),
        }
    }

    /// Gives the finished file its name.
    pub fn commit(self) -> Result<(), FileError> {
        let moved = match &self.folder {
            Some(_) => fs::rename(self.path(), &self.target),
            None => Ok(()),
        };
        moved.map_err(|reason| FileError::Write {
            path: self.asked.clone(),
            reason,
        })
    }
}

/// Ends the process with the usual exit code when it is interrupted (Ctrl-C, or a request to terminate), and leaves no unfinished output.
pub fn clean_up_on_interrupt() {
    // Without a handler an interrupt still ends the process; only a hidden folder stays.
    let _ = ctrlc::set_handler(|| {
        let staging = STAGING.lock().unwrap_or_else(PoisonError::into_inner);
        for folder in staging.iter() {
            let _ = fs::remove_dir_all(folder);
        }
        std::process::exit(EXIT_INTERRUPTED);
    });
}

/// Exit code of an interrupted process: 128 and the number of the signal.
const EXIT_INTERRUPTED: i32 = 130;

/// Writes a whole file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let output = Output::create(path)?;
    fs::write(output.path(), bytes).map_err(|reason| FileError::Write {
        path: path.to_owned(),
        reason,
    })?;
    output.commit()
}

/// Prints to standard output; a reader that has gone away is no error.
pub fn print(bytes: &[u8]) -> Result<(), FileError> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(reason) if reason.kind() != io::ErrorKind::BrokenPipe => Err(FileError::Write {
            path: "standard output".into(),
            reason,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_output_appears_when_it_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.npy");
        let output = Output::create(&path).unwrap();
        fs::write(output.path(), "half").unwrap();
        assert!(!path.exists());
        drop(output);
        assert_eq!(
            names(folder.path()),
            [""; 0],
            "an output given up leaves nothing"
        );
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["c.npy"]);
    }

    #[test]
    fn links_are_followed_and_devices_stay_devices() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        write(Path::new("/dev/null"), b"gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing/c.npy");
        let read_only = folder.path().join("read-only");
        fs::write(&read_only, "kept").unwrap();
        let mut mode = fs::metadata(&read_only).unwrap().permissions();
        mode.set_readonly(true);
        fs::set_permissions(&read_only, mode).unwrap();
        for (path, reason) in [
            (folder.path(), "is a directory"),
            (&missing, "there is no folder"),
            (&read_only, "permission denied"),
        ] {
            let error = Output::check(path).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert_eq!(fs::read(&read_only).unwrap(), b"kept");
    }
}
