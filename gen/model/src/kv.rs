//! Keys and values of the positions seen, and their file.

use crate::files;
use crate::json;
use crate::tensor::{Dtype, Tensor};
use miette::Diagnostic;
use safetensors::tensor::{Dtype as FileDtype, TensorView};
use std::collections::HashMap;
use std::path::Path;
use thiserror::Error;

/// Keys and values that do not fit the model, or a file that does not hold any.
#[derive(Debug, Error, Diagnostic)]
pub enum KvError {
    /// The shapes differ.
    #[error("the cache has {found}, the model has {expected}")]
    #[diagnostic(
        code(lpu::kv::shape),
        help("use the cache with the model that wrote it")
    )]
    Shape {
        /// Of the cache.
        found: String,
        /// Of the model.
        expected: String,
    },
    /// More positions than the engine holds.
    #[error("the cache has {found} positions, the engine holds {capacity}")]
    #[diagnostic(code(lpu::kv::capacity), help("raise the capacity of the engine"))]
    Capacity {
        /// Of the cache.
        found: usize,
        /// Of the engine.
        capacity: usize,
    },
    /// The file holds no cache.
    #[error("`{file}` is no KV cache: {rule}")]
    #[diagnostic(
        code(lpu::kv::file),
        help(
            "it is a safetensors file with layers.N.keys and layers.N.values, F32 (kv_heads, positions, head_dim)"
        )
    )]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        rule: String,
    },
}

/// Bytes of a file of keys and values.
const FILE_BYTES: u64 = 1 << 36;

/// Keys (after rotation) and values of all positions, f32. The keys of one head are contiguous: (positions, head_dim).
#[derive(Clone, Debug, PartialEq)]
pub struct KvCache {
    layers: usize,
    kv_heads: usize,
    head_dim: usize,
    /// (layers · kv_heads) times (positions, head_dim).
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
}

impl KvCache {
    /// An empty cache.
    pub fn new(layers: usize, kv_heads: usize, head_dim: usize) -> Self {
        Self {
            layers,
            kv_heads,
            head_dim,
            keys: vec![Vec::new(); layers * kv_heads],
            values: vec![Vec::new(); layers * kv_heads],
        }
    }

    /// Layers, heads of keys and values, elements of a head.
    pub fn shape(&self) -> (usize, usize, usize) {
        (self.layers, self.kv_heads, self.head_dim)
    }

    /// Complete positions.
    pub fn positions(&self) -> usize {
        // The last one written.
        self.values
            .last()
            .map_or(0, |values| values.len() / self.head_dim)
    }

    /// Keys of a head, (positions, head_dim).
    pub fn keys(&self, layer: usize, head: usize) -> &[f32] {
        &self.keys[layer * self.kv_heads + head]
    }

    /// Values of a head, (positions, head_dim).
    pub fn values(&self, layer: usize, head: usize) -> &[f32] {
        &self.values[layer * self.kv_heads + head]
    }

    /// Appends keys and values, (kv_heads, head_dim), of one position to a layer.
    ///
    /// # Panics
    /// If the lengths are others.
    pub fn push(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        let heads = self.kv_heads * self.head_dim;
        assert_eq!(
            (keys.len(), values.len()),
            (heads, heads),
            "keys and values of all heads"
        );
        for head in 0..self.kv_heads {
            let range = head * self.head_dim..(head + 1) * self.head_dim;
            let at = layer * self.kv_heads + head;
            self.keys[at].extend_from_slice(&keys[range.clone()]);
            self.values[at].extend_from_slice(&values[range]);
        }
    }

    /// Forgets all positions from `positions` on.
    pub fn truncate(&mut self, positions: usize) {
        for part in self.keys.iter_mut().chain(&mut self.values) {
            part.truncate(positions * self.head_dim);
        }
    }

    /// Checks that it belongs to a model.
    pub(crate) fn check(
        &self,
        shape: (usize, usize, usize),
        capacity: usize,
    ) -> Result<(), KvError> {
        let text = |(layers, heads, dim)| format!("{layers} layers of {heads} KV heads of {dim}");
        if self.shape() != shape {
            return Err(KvError::Shape {
                found: text(self.shape()),
                expected: text(shape),
            });
        }
        match self.positions() {
            found if found > capacity => Err(KvError::Capacity { found, capacity }),
            _ => Ok(()),
        }
    }

    /// The content of a safetensors file: `layers.N.keys` and `layers.N.values`, F32 (kv_heads, positions, head_dim).
    pub fn to_safetensors(&self) -> Vec<u8> {
        let shape = vec![self.kv_heads, self.positions(), self.head_dim];
        let mut parts = Vec::new();
        for layer in 0..self.layers {
            for (name, part) in [("keys", &self.keys), ("values", &self.values)] {
                let heads = &part[layer * self.kv_heads..(layer + 1) * self.kv_heads];
                let bytes: Vec<u8> = heads
                    .iter()
                    .flatten()
                    .flat_map(|value| value.to_le_bytes())
                    .collect();
                parts.push((format!("layers.{layer}.{name}"), bytes));
            }
        }
        let views = parts.iter().map(|(name, bytes)| {
            let view = TensorView::new(FileDtype::F32, shape.clone(), bytes);
            (name, view.expect("the bytes fit the shape"))
        });
        let metadata = HashMap::from([("format".to_owned(), "lpu-kv-1".to_owned())]);
        safetensors::serialize(views, Some(metadata)).expect("names and shapes are valid")
    }

    /// Reads such a file.
    pub fn read(path: &Path) -> Result<Self, KvError> {
        let file = path.display().to_string();
        let refuse = |rule: String| KvError::File {
            file: file.clone(),
            rule,
        };
        let bytes = files::read(path, FILE_BYTES).map_err(|error| refuse(error.to_string()))?;
        let header = bytes
            .first_chunk()
            .map_or(u64::MAX, |size| u64::from_le_bytes(*size));
        let header = match usize::try_from(header) {
            Ok(size) if size <= bytes.len().saturating_sub(8) && size <= 1 << 24 => size,
            _ => return Err(refuse("its header is cut short".into())),
        };
        json::unambiguous(path, &bytes[8..8 + header])
            .map_err(|error| refuse(error.to_string()))?;
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes)
            .map_err(|error| refuse(crate::error::shortened(&error.to_string())))?;
        let tensors = metadata.tensors();
        let layers = tensors.len() / 2;
        let first = tensors.get("layers.0.keys").map(|info| info.shape.clone());
        let Some(&[kv_heads, positions, head_dim]) = first.as_deref() else {
            return Err(refuse(
                "layers.0.keys with three dimensions is missing".into(),
            ));
        };
        if kv_heads == 0 || head_dim == 0 || tensors.len() % 2 != 0 {
            return Err(refuse("it has no heads, or keys without values".into()));
        }
        let mut cache = Self::new(0, kv_heads, head_dim);
        for layer in 0..layers {
            for (name, part) in [("keys", &mut cache.keys), ("values", &mut cache.values)] {
                let name = format!("layers.{layer}.{name}");
                let info = tensors
                    .get(&name)
                    .ok_or_else(|| refuse(format!("{name} is missing")))?;
                let shape = [kv_heads, positions, head_dim];
                if info.dtype != FileDtype::F32 || info.shape != shape {
                    return Err(refuse(format!("{name} is not F32 {shape:?}")));
                }
                let start = 8 + header + info.data_offsets.0;
                let tensor = Tensor::new(&bytes, start, Dtype::F32, &shape);
                let all = tensor
                    .ok_or_else(|| refuse(format!("{name} is cut short")))?
                    .to_vec();
                if !all.iter().all(|value| value.is_finite()) {
                    return Err(refuse(format!("{name} has an element that is not finite")));
                }
                match positions {
                    0 => part.extend((0..kv_heads).map(|_| Vec::new())),
                    _ => part.extend(all.chunks(positions * head_dim).map(<[f32]>::to_vec)),
                }
            }
        }
        cache.layers = layers;
        Ok(cache)
    }
}
