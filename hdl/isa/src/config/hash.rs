//! The configuration hash: the identity of a generated machine.

use super::Config;
use sha2::{Digest, Sha256};

impl Config {
    /// SHA-256 over everything that shapes the hardware (so not the name), as 64 hexadecimal digits.
    pub fn hash(&self) -> String {
        let digest = self.digest();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first 64 bits of the hash, as the CONFIG_HASH register shows them.
    pub fn hash_word(&self) -> u64 {
        let digest = self.digest();
        u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
    }

    fn digest(&self) -> [u8; 32] {
        let mut nameless = self.clone();
        nameless.name.clear();
        Sha256::digest(nameless.to_toml()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn formats_are_part_of_the_hash_only_where_there_are_some() {
        let hashes = ["nano", "nano+e4m3", "nano+nvfp4", "nano+e4m3+nvfp4"]
            .map(|name| Config::preset(name).unwrap().hash());
        let distinct = std::collections::BTreeSet::from(hashes.clone());
        assert_eq!(distinct.len(), 4);
        assert_eq!(hashes[0][..16], *"77efeb075cbb1588");
    }

    #[test]
    fn hash_ignores_the_name_and_nothing_else() {
        let nano = Config::preset("nano").unwrap();
        let mut renamed = nano.clone();
        renamed.name = "other".into();
        assert_eq!(nano.hash(), renamed.hash());
        assert!(
            nano.hash()
                .starts_with(&format!("{:016x}", nano.hash_word()))
        );
        renamed.mxm.operand_depth *= 2;
        assert_ne!(nano.hash(), renamed.hash());
    }
}
