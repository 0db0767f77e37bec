//! The folder of finished things: each entry appears whole, by one rename, or not at all.

use crate::error::SimError;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Where models and the private Verilator are kept.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Default for Cache {
    /// `LPU_CACHE_DIR`, else `XDG_CACHE_HOME/lpu`, else `~/.cache/lpu`.
    fn default() -> Self {
        let variable = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let folder = variable("LPU_CACHE_DIR")
            .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("lpu")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/lpu")))
            .unwrap_or_else(|| std::env::temp_dir().join("lpu-cache"));
        Self { folder }
    }
}

impl Cache {
    /// A cache in this folder, which is made when needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The finished entry `name`, made by `make` in a fresh folder if it is not there yet.
    ///
    /// A lock file makes a second process wait for the first. An interrupted `make` leaves only a temporary folder, which the
    /// next one removes.
    pub(crate) fn entry(
        &self,
        name: &str,
        make: impl FnOnce(&Path) -> Result<(), SimError>,
    ) -> Result<PathBuf, SimError> {
        let entry = self.folder.join(name);
        if entry.is_dir() {
            return Ok(entry);
        }
        let parent = entry.parent().unwrap_or(&self.folder).to_owned();
        fs::create_dir_all(&parent)
            .map_err(SimError::file("cannot make the cache folder", &parent))?;
        let lock_path = entry.with_extension("lock");
        let lock =
            File::create(&lock_path).map_err(SimError::file("cannot make the lock", &lock_path))?;
        lock.lock()
            .map_err(SimError::file("cannot take the lock", &lock_path))?;
        if entry.is_dir() {
            return Ok(entry);
        }
        let work = entry.with_extension("unfinished");
        if work.exists() {
            fs::remove_dir_all(&work).map_err(SimError::file("cannot remove", &work))?;
        }
        fs::create_dir(&work).map_err(SimError::file("cannot make", &work))?;
        make(&work)?;
        fs::rename(&work, &entry).map_err(SimError::file("cannot finish", &entry))?;
        Ok(entry)
    }
}

/// A short name for content: the first 128 bits of its SHA-256.
pub(crate) fn content_key<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
