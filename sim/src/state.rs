//! Saving a model's state and continuing from it.

use crate::bridge::ffi;
use crate::error::SimError;
use crate::model::Model;

const MAGIC: &[u8] = b"lpu-sim state 1\n";

impl Model {
    /// The whole state: every flop, memory, input and the cycle number. Watches and events not yet drained are not part of it.
    pub fn save(&mut self) -> Vec<u8> {
        let header = [MAGIC, self.compiled.key.as_bytes()].concat();
        let size = self.inner.pin_mut().save();
        let mut image = header.clone();
        image.resize(header.len() + size, 0);
        ffi::take_image(self.inner.pin_mut(), &mut image[header.len()..]);
        image
    }

    /// Continues from a state that [`save`](Self::save) of an instance of the same compiled model returned. After an error the
    /// state is undefined unless the image was refused for its header.
    pub fn restore(&mut self, image: &[u8]) -> Result<(), SimError> {
        let wrong = |reason: &str| SimError::Image {
            reason: reason.to_string(),
        };
        let rest = image
            .strip_prefix(MAGIC)
            .ok_or_else(|| wrong("it does not begin like one"))?;
        let key = self.compiled.key.as_bytes();
        let body = rest
            .strip_prefix(key)
            .ok_or_else(|| wrong("another model saved it"))?;
        if ffi::restore(self.inner.pin_mut(), body) {
            return Ok(());
        }
        Err(wrong(&ffi::stop_reason_of(&self.inner)))
    }
}
