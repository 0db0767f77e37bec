//! A llama2.c checkpoint with 2 layers, 2 heads over 1 KV head of 4 and 300 tokens.

#![allow(dead_code, reason = "each test binary uses some of it")]

use lpu_model::Model;
use std::path::Path;

/// Writes it.
pub fn write(path: &Path) {
    let (width, hidden, layers, vocabulary, context) = (8, 6, 2, 300, 16);
    let header = [8i32, 6, 2, 2, 1, 300, 16];
    let of_layer = 2 * width + 2 * width * width + 2 * 4 * width + 3 * hidden * width;
    let floats = vocabulary * width + width + layers * of_layer + context * 4;
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    let element = |i: usize| ((i * 29) % 103) as f32 / 103.0 - 0.5;
    bytes.extend((0..floats).flat_map(|i| element(i).to_le_bytes()));
    std::fs::write(path, bytes).unwrap();
}

/// Opens it.
pub fn open() -> Model {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.bin");
    write(&path);
    Model::open(&path).unwrap()
}
