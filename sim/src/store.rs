//! A folder of finished things, each made once.
//!
//! A thing is a folder named by its content key. It is made in a temporary folder under a lock file of its own and renamed
//! when finished, so a folder with the plain name is always complete, whatever was killed and however many processes ask at
//! once. The system drops a dead process's lock, and the next maker sweeps away what it left.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};

use crate::error::SimError;

/// `$LPU_CACHE_DIR`, else `$XDG_CACHE_HOME/lpu`, else `~/.cache/lpu`, else a folder of the system's for temporary files.
pub fn default_cache_dir() -> PathBuf {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("LPU_CACHE_DIR")
        .or_else(|| variable("XDG_CACHE_HOME").map(|base| base.join("lpu")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/lpu")))
        .unwrap_or_else(|| std::env::temp_dir().join("lpu-cache"))
}

/// The folder `name` in `root`, made by `make` in an empty folder if it does not exist. `wait` is called if another process is
/// making it.
pub(crate) fn get_or_make(
    root: &Path,
    name: &str,
    wait: impl FnOnce(),
    make: impl FnOnce(&Path) -> Result<(), SimError>,
) -> Result<PathBuf, SimError> {
    let finished = root.join(name);
    if finished.is_dir() {
        return Ok(finished);
    }
    fs::create_dir_all(root).map_err(SimError::io("create", root))?;
    let lock_path = root.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).map_err(SimError::io("create", &lock_path))?;
    match FileExt::try_lock(&lock) {
        Ok(()) => (),
        Err(TryLockError::WouldBlock) => {
            wait();
            FileExt::lock(&lock).map_err(SimError::io("lock", &lock_path))?;
        }
        Err(TryLockError::Error(error)) => return Err(SimError::io("lock", &lock_path)(error)),
    }
    // Made by another process while this one waited?
    if finished.is_dir() {
        return Ok(finished);
    }
    sweep(root, name)?;
    let mut unfinished = tempfile::Builder::new()
        .prefix(&format!("{name}.tmp-"))
        .tempdir_in(root)
        .map_err(SimError::io("create a folder in", root))?;
    make(unfinished.path())?;
    fs::rename(unfinished.path(), &finished).map_err(SimError::io("create", &finished))?;
    unfinished.disable_cleanup(true);
    Ok(finished)
}

/// Removes what makers of `name` that were killed have left. The caller holds the lock, so no living one is at work; a file
/// that an orphaned compiler still writes may resist and waits for the next sweep.
fn sweep(root: &Path, name: &str) -> Result<(), SimError> {
    let prefix = format!("{name}.tmp-");
    for entry in fs::read_dir(root)
        .map_err(SimError::io("list", root))?
        .flatten()
    {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}
