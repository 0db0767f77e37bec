//! A compiled model: a loaded shared object.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libloading::Library;

use crate::error::SimError;
use crate::model::Model;

/// A model that can be instantiated any number of times.
#[derive(Clone)]
pub struct CompiledModel {
    pub(crate) library: Arc<Library>,
    pub(crate) path: PathBuf,
    pub(crate) key: String,
    pub(crate) top: String,
    pub(crate) trace: bool,
}

impl CompiledModel {
    pub(crate) fn load(path: &Path, key: String, top: &str, trace: bool) -> Result<Self, SimError> {
        // SAFETY: the file was made by this crate, and its initialisers are Verilator's own.
        let library = unsafe { Library::new(path) };
        let failed = |error: libloading::Error| SimError::Load {
            path: path.to_path_buf(),
            reason: error.to_string(),
        };
        let library = Arc::new(library.map_err(failed)?);
        Ok(Self {
            library,
            path: path.to_path_buf(),
            key,
            top: top.to_string(),
            trace,
        })
    }

    /// The hash of everything that went into the model.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The shared object.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A new instance in its initial state.
    pub fn instantiate(&self) -> Result<Model, SimError> {
        Model::new(self)
    }
}
