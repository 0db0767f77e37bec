//! Language models from files, the reference decode engine and quantisation: `docs/models.md`.
//!
//! [`Model::open`] reads a Hugging Face folder or a llama2.c checkpoint and checks all of it. [`reference::Reference`] computes its forward pass in
//! f32, or with weights and activations rounded by a [`quant::Scheme`]; it is an [`engine::Engine`], and [`generate::generate`] decodes with any of them.
//! Files are untrusted: every length and shape is checked before memory is taken for it.

pub mod architecture;
mod config;
pub mod disaggregated;
pub mod engine;
pub mod error;
mod files;
pub mod generate;
mod huggingface;
pub mod int8;
mod json;
pub mod kv;
mod llama2c;
pub mod model;
pub mod quant;
pub mod reference;
pub mod sample;
mod store;
pub mod tensor;
pub mod tokenizer;

pub use architecture::Architecture;
pub use engine::Engine;
pub use error::ModelError;
pub use model::Model;
