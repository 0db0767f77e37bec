//! Content keys.

use sha2::{Digest, Sha256};

/// The hash of a sequence of texts.
#[derive(Default)]
pub(crate) struct Key(Sha256);

impl Key {
    /// Adds a text; the same texts divided otherwise give another key.
    pub(crate) fn add(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    /// The first 128 bits in hexadecimal.
    pub(crate) fn text(self) -> String {
        let hash = self.0.finalize();
        hash.iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
