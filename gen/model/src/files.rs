//! Where the files of a model come from: a folder, or the program itself.
//!
//! Weights are read into memory once and stay there as they are in the file; a memory map would save that copy, but a file that is cut short
//! while it is mapped ends the process.

use crate::error::{ModelError, shortened};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The bytes of a file, shared by all who look at them.
#[derive(Clone, Debug)]
pub enum Bytes {
    /// Read from a file.
    Read(Arc<Vec<u8>>),
    /// Part of the program.
    Embedded(&'static [u8]),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Read(bytes) => bytes,
            Self::Embedded(bytes) => bytes,
        }
    }
}

/// A place with files.
#[derive(Clone, Debug)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// Files of the program: the name of the whole, and name and content of each.
    Embedded(&'static str, &'static [(&'static str, &'static [u8])]),
}

impl Place {
    /// The path of a file, as errors show it.
    pub fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(name),
            Self::Embedded(whole, _) => Path::new(whole).join(name),
        }
    }

    /// Whether there is such a file.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Embedded(_, files) => files.iter().any(|(known, _)| *known == name),
        }
    }

    /// The content of a file of at most `limit` bytes.
    pub fn read(&self, name: &str, limit: u64) -> Result<Bytes, ModelError> {
        match self {
            Self::Folder(folder) => read(&folder.join(name), limit),
            Self::Embedded(_, files) => match files.iter().find(|(known, _)| *known == name) {
                Some((_, bytes)) => Ok(Bytes::Embedded(bytes)),
                None => Err(ModelError::Read {
                    path: self.path(name),
                    reason: "there is no such file in the program".into(),
                    fix: "give a folder with --model".into(),
                }),
            },
        }
    }
}

/// The content of a regular file of at most `limit` bytes. Memory is taken for what the file holds, not for what it promises.
pub fn read(path: &Path, limit: u64) -> Result<Bytes, ModelError> {
    let failed = |reason: String, fix: &str| ModelError::Read {
        path: PathBuf::from(shortened(&path.to_string_lossy())),
        reason,
        fix: fix.into(),
    };
    // Asked before it is opened, since opening a pipe would wait for its writer.
    let found = std::fs::metadata(path).map_err(|e| failed(e.to_string(), "check the name"))?;
    if !found.is_file() {
        return Err(failed("it is not a regular file".into(), "give a file"));
    }
    let length = found.len();
    if length > limit {
        let reason = format!("it has {length} bytes; at most {limit} are accepted here");
        return Err(failed(reason, "check that it is the right file"));
    }
    let mut bytes = Vec::new();
    if usize::try_from(length).map_or(true, |size| bytes.try_reserve_exact(size).is_err()) {
        let reason = format!("there is no memory for its {length} bytes");
        return Err(failed(reason, "use a smaller model or a larger machine"));
    }
    let read = File::open(path).and_then(|file| file.take(length).read_to_end(&mut bytes));
    read.map_err(|e| failed(e.to_string(), "check the medium"))?;
    if bytes.len() as u64 != length {
        return Err(failed("it became shorter meanwhile".into(), "try again"));
    }
    Ok(Bytes::Read(Arc::new(bytes)))
}
