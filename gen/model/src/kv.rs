//! Keys and values of the positions seen, and their file.

use crate::files;
use crate::json;
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
            "it is a safetensors file with layers.N.keys and layers.N.values, (kv_heads, positions, head_dim), of F32, or of I8 with layers.N.key_step and layers.N.value_step, F32 of one element"
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

    /// Reads such a file, or one of I8 with steps, whose numbers are step times code.
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
        let first = tensors.get("layers.0.keys");
        let Some((dtype, &[kv_heads, positions, head_dim])) =
            first.map(|info| (info.dtype, info.shape.as_slice()))
        else {
            return Err(refuse(
                "layers.0.keys with three dimensions is missing".into(),
            ));
        };
        let parts = match dtype {
            FileDtype::F32 => 2,
            FileDtype::I8 => 4,
            _ => return Err(refuse("layers.0.keys is neither F32 nor I8".into())),
        };
        if kv_heads == 0 || head_dim == 0 || tensors.len() % parts != 0 {
            return Err(refuse(
                "it has no heads, or layers with parts missing".into(),
            ));
        }
        let layers = tensors.len() / parts;
        let numbers = |name: &str, dtype, shape: &[usize]| {
            let info = tensors
                .get(name)
                .ok_or_else(|| refuse(format!("{name} is missing")))?;
            if info.dtype != dtype || info.shape != shape {
                return Err(refuse(format!("{name} is not {dtype:?} {shape:?}")));
            }
            let (start, end) = info.data_offsets;
            let data = bytes.get(8 + header + start..8 + header + end);
            let data = data.ok_or_else(|| refuse(format!("{name} is cut short")))?;
            let all: Vec<f32> = match dtype {
                FileDtype::I8 => data.iter().map(|&code| f32::from(code as i8)).collect(),
                _ => (data.as_chunks().0.iter())
                    .map(|word| f32::from_le_bytes(*word))
                    .collect(),
            };
            match all.iter().all(|value| value.is_finite()) {
                true => Ok(all),
                false => Err(refuse(format!("{name} has an element that is not finite"))),
            }
        };
        let mut cache = Self::new(0, kv_heads, head_dim);
        for layer in 0..layers {
            for (name, part) in [("keys", &mut cache.keys), ("values", &mut cache.values)] {
                let of = format!("layers.{layer}.{name}");
                let mut all = numbers(&of, dtype, &[kv_heads, positions, head_dim])?;
                if dtype == FileDtype::I8 {
                    let name = format!("layers.{layer}.{}_step", name.trim_end_matches('s'));
                    let step = numbers(&name, FileDtype::F32, &[1])?[0];
                    all.iter_mut().for_each(|value| *value *= step);
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
