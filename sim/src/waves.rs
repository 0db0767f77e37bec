//! Wave files with a window of cycles.

use crate::error::SimError;
use crate::model::Model;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// An open wave file.
pub(crate) struct Waves {
    path: PathBuf,
}

impl Model {
    /// Writes waves of all signals in the cycles of `window` to a VCD file.
    ///
    /// Ten time units are one cycle; the rising edge into cycle k is at time 10 k.
    pub fn open_waves(&mut self, path: &Path, window: Range<u64>) -> Result<(), SimError> {
        if !self.has_trace() {
            return Err(SimError::NoTrace);
        }
        let name = path.to_string_lossy().into_owned();
        if !self.simulator().open_trace(&name, window.start, window.end) {
            return Err(SimError::file("cannot write", path)(
                std::io::ErrorKind::Other.into(),
            ));
        }
        self.waves = Some(Waves {
            path: path.to_owned(),
        });
        Ok(())
    }

    /// Ends the wave file and returns its path.
    pub fn close_waves(&mut self) -> Option<PathBuf> {
        self.simulator().close_trace();
        self.waves.take().map(|waves| waves.path)
    }
}
