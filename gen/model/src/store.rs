//! Tensors of safetensors files by name, each taken once.

mod header;

use crate::architecture::limits;
use crate::error::{ModelError, shortened};
use crate::files::{Bytes, Place};
use crate::json;
use crate::tensor::{Dtype, Tensor};
use safetensors::SafeTensors;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Name of the file of a model in one piece, and of the index of one in several.
const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// A tensor as a file announces it; the elements may be of a type that no weight has.
#[derive(Debug)]
struct Found {
    dtype: safetensors::Dtype,
    shape: Vec<usize>,
    bytes: Bytes,
    start: usize,
    file: PathBuf,
}

/// All tensors that are not taken yet.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    tensors: BTreeMap<String, Found>,
}

impl Store {
    /// The tensors of a folder.
    pub fn open(place: &Place) -> Result<Self, ModelError> {
        let mut store = Self {
            path: place.path(WHOLE),
            tensors: BTreeMap::new(),
        };
        if place.has(WHOLE) || !place.has(INDEX) {
            store.add(place, WHOLE)?;
            return Ok(store);
        }
        let path = place.path(INDEX);
        let index = index(&path, &place.read(INDEX, limits::INDEX_BYTES)?)?;
        let shards: BTreeSet<&str> = index.values().map(String::as_str).collect();
        for shard in &shards {
            check_shard(&path, shard)?;
        }
        if shards.len() > limits::SHARDS {
            let rule = format!(
                "it names {} files, at most {} are accepted",
                shards.len(),
                limits::SHARDS
            );
            return Err(ModelError::format(&path, rule, "join the shards"));
        }
        for shard in shards {
            store.add(place, shard)?;
        }
        for (name, shard) in &index {
            let file = store.tensors.get(name).map(|found| &found.file);
            if file != Some(&place.path(shard)) {
                let value = format!("is not in `{shard}`");
                let rule = "the index says it is";
                return Err(ModelError::tensor(
                    &path,
                    name,
                    value,
                    rule,
                    "fetch index and shards again",
                ));
            }
        }
        store.path = path;
        Ok(store)
    }

    fn add(&mut self, place: &Place, name: &str) -> Result<(), ModelError> {
        let path = place.path(name);
        let bytes = place.read(name, limits::WEIGHT_BYTES)?;
        let fix = "the file may be cut short or damaged; fetch it again";
        let refuse = |rule: String| ModelError::format(&path, rule, fix);
        let header = bytes.first_chunk().map(|size| u64::from_le_bytes(*size));
        let header = header.ok_or_else(|| refuse("it has fewer than 8 bytes".into()))?;
        let rest = (bytes.len() - 8) as u64;
        if header > rest.min(limits::INDEX_BYTES) {
            let most = limits::INDEX_BYTES;
            let rule = format!(
                "its header would have {header} bytes, {rest} follow and at most {most} are accepted"
            );
            return Err(refuse(rule));
        }
        let data = 8 + header as usize;
        json::unambiguous(&path, &bytes[8..data])?;
        let metadata = SafeTensors::read_metadata(&bytes).map_err(|error| {
            // The library does not name the tensor.
            let culprit = header::culprit(&bytes[8..data], bytes.len() - data);
            match culprit {
                Some((name, value, rule)) => ModelError::tensor(&path, &name, value, rule, fix),
                None => refuse(shortened(&error.to_string())),
            }
        });
        let (_, metadata) = metadata?;
        // In the order of the names: the first of several errors is always the same.
        for (name, info) in BTreeMap::from_iter(metadata.tensors()) {
            let found = Found {
                dtype: info.dtype,
                shape: info.shape.clone(),
                bytes: bytes.clone(),
                start: data + info.data_offsets.0,
                file: path.clone(),
            };
            if let Some(other) = self.tensors.insert(name.clone(), found) {
                let value = format!("is in `{}` too", other.file.display());
                let rule = "each tensor is in one file";
                return Err(ModelError::tensor(
                    &path,
                    &name,
                    value,
                    rule,
                    "remove one of them",
                ));
            }
            if self.tensors.len() > limits::TENSORS {
                return Err(refuse(format!(
                    "there are more than {} tensors",
                    limits::TENSORS
                )));
            }
        }
        Ok(())
    }

    /// Whether there is a tensor of that name, and nobody has taken it.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Takes a tensor of this shape, with finite elements.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Tensor, ModelError> {
        let Some(found) = self.tensors.remove(name) else {
            let rule = "the architecture in config.json needs it";
            let fix = "check that config.json belongs to these weights";
            return Err(ModelError::tensor(
                &self.path,
                name,
                "is missing",
                rule,
                fix,
            ));
        };
        let refuse = |value: String, rule: String, fix: &str| {
            Err(ModelError::tensor(&found.file, name, value, rule, fix))
        };
        let dtype = match found.dtype {
            safetensors::Dtype::F32 => Dtype::F32,
            safetensors::Dtype::F16 => Dtype::F16,
            safetensors::Dtype::BF16 => Dtype::Bf16,
            other => {
                let rule = "weights are F32, F16 or BF16".into();
                return refuse(
                    format!("has elements of type {other:?}"),
                    rule,
                    "convert the model",
                );
            }
        };
        if found.shape != shape {
            let value = format!("has shape {}", shortened(&format!("{:?}", found.shape)));
            let fix = "check that config.json belongs to these weights";
            return refuse(value, format!("config.json makes it {shape:?}"), fix);
        }
        let Some(tensor) = Tensor::new(&found.bytes, found.start, dtype, shape) else {
            let rule = "its elements must lie in the file".into();
            return refuse(
                format!("starts at byte {}", found.start),
                rule,
                "fetch the file again",
            );
        };
        tensor.check_finite(&found.file, name)?;
        Ok(tensor)
    }

    /// Refuses a tensor that nobody took, unless `harmless` knows it: it would be ignored silently.
    pub fn finish(&self, harmless: impl Fn(&str) -> bool) -> Result<(), ModelError> {
        match self.tensors.iter().find(|(name, _)| !harmless(name)) {
            None => Ok(()),
            Some((name, found)) => Err(ModelError::tensor(
                &found.file,
                name,
                "is not part of this architecture",
                "every tensor has a place in the model",
                "check model_type and the number of layers in config.json",
            )),
        }
    }
}

/// The file of each tensor, as the index says.
fn index(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, String>, ModelError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    json::unambiguous(path, bytes)?;
    let index: Index = serde_json::from_slice(bytes).map_err(|error| {
        let rule = format!("it is not an index of shards: {error}");
        ModelError::format(path, shortened(&rule), "fetch it again")
    })?;
    if index.weight_map.is_empty() {
        return Err(ModelError::format(
            path,
            "its weight_map is empty",
            "fetch it again",
        ));
    }
    Ok(index.weight_map)
}

/// A shard lies beside the index: its name is no path.
fn check_shard(index: &Path, name: &str) -> Result<(), ModelError> {
    let plain = name.strip_suffix(".safetensors").is_some_and(|stem| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !stem.is_empty() && !stem.starts_with('.') && stem.chars().all(allowed)
    });
    if plain && name.len() <= 255 {
        return Ok(());
    }
    let rule =
        "a shard is a file beside the index, NAME.safetensors with letters, digits and -_. in NAME";
    Err(ModelError::field(
        index,
        "weight_map",
        name,
        rule,
        "correct the index; do not trust it if you did not write it",
    ))
}
