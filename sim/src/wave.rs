//! Waves: every signal of a window of cycles, written to a file.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::bridge::ffi;
use crate::error::SimError;
use crate::fst;
use crate::model::Model;

/// The file being written.
pub(crate) struct Wave {
    /// The file asked for.
    path: PathBuf,
    /// The VCD file that Verilator writes: `path`, or a file beside it that becomes the FST file in the end.
    vcd: PathBuf,
}

impl Model {
    /// Begins to write all signals of the cycles in `window` (by [`Model::cycle`]) to `path`, which ends in
    /// `.vcd` or `.fst`. The clock's period is 10 ns, and its rising edge of cycle k is at k · 10 ns. A file that
    /// is being written is closed first. Beside the top module, a scope `$rootio` repeats its ports.
    pub fn open_trace(
        &mut self,
        path: impl AsRef<Path>,
        window: Range<u64>,
    ) -> Result<(), SimError> {
        let path = path.as_ref();
        let failed = |reason: &str| SimError::Wave {
            path: path.to_path_buf(),
            reason: reason.to_string(),
        };
        if !self.compiled.trace {
            return Err(SimError::NoTrace {
                top: self.compiled.top.clone(),
            });
        }
        self.close_trace()?;
        let vcd = match path.extension().and_then(|extension| extension.to_str()) {
            Some("vcd") => path.to_path_buf(),
            Some("fst") => path.with_extension("fst.vcd"),
            _ => return Err(failed("its name ends neither in .vcd nor in .fst")),
        };
        let name = vcd
            .to_str()
            .ok_or_else(|| failed("its path is not UTF-8"))?;
        if !ffi::open_trace(self.inner.pin_mut(), name, window.start, window.end) {
            return Err(failed("it cannot be created"));
        }
        self.wave = Some(Wave {
            path: path.to_path_buf(),
            vcd,
        });
        Ok(())
    }

    /// Finishes the file begun with [`open_trace`](Self::open_trace), if any. A model that is dropped does so too, but cannot
    /// report an error.
    pub fn close_trace(&mut self) -> Result<(), SimError> {
        let Some(wave) = self.wave.take() else {
            return Ok(());
        };
        self.inner.pin_mut().close_trace();
        if wave.vcd == wave.path {
            return Ok(());
        }
        fst::convert(&wave.vcd, &wave.path).map_err(|reason| SimError::Wave {
            path: wave.path.clone(),
            reason,
        })?;
        fs::remove_file(&wave.vcd).map_err(SimError::io("remove", &wave.vcd))
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.close_trace();
    }
}
