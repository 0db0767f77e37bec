//! The program of the compiler as a step of the engine.

use super::step::{Inputs, Row, StepProgram};
use lpu_compiler::decoder::{
    self, LayerWeights, Matrix, Placement, RackDecoder, Shape, Token, Weights,
};
use lpu_compiler::matmul::Vector;
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::rack::Rack;
use lpu_isa::{Config, Program};
use lpu_model::int8::{Entry, Int8Matrix, Int8Model};
use std::sync::Arc;

/// A model's layers and head, compiled for one sequence.
#[derive(Clone, Debug)]
pub struct CompiledStep {
    int8: Arc<Int8Model>,
    decoder: RackDecoder,
}

impl CompiledStep {
    /// Compiles a model with a cache of `positions` positions, a multiple of the lanes of the machine.
    pub fn new(
        config: &Config,
        int8: Arc<Int8Model>,
        positions: usize,
    ) -> Result<Self, CompileError> {
        Self::on_rack(config, &Rack::ALONE, Placement::Tensor, int8, positions)
    }

    /// The same for the chips of a rack, seen as a [`RackTile`](crate::rack::RackTile).
    pub fn on_rack(
        config: &Config,
        rack: &Rack,
        placement: Placement,
        int8: Arc<Int8Model>,
        positions: usize,
    ) -> Result<Self, CompileError> {
        let layers = int8.layers.iter();
        let shape = Shape {
            width: int8.width,
            heads: int8.heads,
            kv_heads: int8.kv_heads,
            head_dim: int8.head_dim,
            hidden: int8.hidden,
            vocabulary: Some(int8.vocabulary),
            layers: int8.layers.len(),
            positions,
            sequences: 1,
            epsilon: int8.epsilon,
            scores: layers.map(|layer| layer.score(int8.head_dim)).collect(),
        };
        let decoder = decoder::compile_rack(config, &shape, rack, placement)?;
        Ok(Self { int8, decoder })
    }

    /// The program of each chip, and what it takes there.
    pub fn chips(&self) -> impl Iterator<Item = (&Program, &Prediction)> {
        let RackDecoder {
            programs,
            predictions,
            ..
        } = &self.decoder;
        programs.iter().zip(predictions)
    }

    /// cos and sin of a position, FP32 patterns, as `docs/decoder.md` defines them.
    fn angles(&self, position: usize) -> (Vec<u32>, Vec<u32>) {
        let angle = |turn: &f64| {
            let (sine, cosine) = libm::sincos(position as f64 * turn);
            ((cosine as f32).to_bits(), (sine as f32).to_bits())
        };
        self.int8.frequencies.iter().map(angle).unzip()
    }
}

fn matrix(matrix: &Int8Matrix, factors: Vec<u32>) -> Matrix<'_> {
    let rows = 0..matrix.codes.rows();
    Matrix {
        rows: rows.map(|row| matrix.codes.row(row)).collect(),
        factors,
    }
}

/// The matrices of a model with their vectors B.
fn weights(int8: &Int8Model) -> Weights<'_> {
    let layers = int8.layers.iter().map(|layer| {
        let steps = &layer.steps;
        let [q, k, v, h] = [steps.query, steps.key, steps.value, steps.hidden].map(f64::from);
        LayerWeights {
            query: matrix(&layer.query, layer.query.quotients(q)),
            key: matrix(&layer.key, layer.key.quotients(k)),
            value: matrix(&layer.value, layer.value.quotients(v)),
            output: matrix(&layer.output, layer.output.factors(v)),
            gate: matrix(&layer.gate, layer.gate.factors(1.0)),
            up: matrix(&layer.up, layer.up.quotients(h)),
            down: matrix(&layer.down, layer.down.factors(h)),
        }
    });
    Weights {
        layers: layers.collect(),
        head: Some(matrix(&int8.head, int8.head.factors(1.0))),
    }
}

impl StepProgram for CompiledStep {
    fn program(&self) -> &Program {
        &self.decoder.programs[0]
    }

    fn prediction(&self) -> &Prediction {
        &self.decoder.prediction
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        let mut vectors = self.decoder.layout.pack(&weights(&self.int8))?;
        vectors.extend(self.decoder.layout.cache_image(0, &[]));
        Ok(vectors)
    }

    fn stages(&self) -> usize {
        self.decoder.layout.stages()
    }

    fn inputs(&self, stage: usize, token: Option<Row<'_>>) -> Result<Inputs, CompileError> {
        let layout = &self.decoder.layout;
        let decoder::Inputs { vectors, bases } = match token {
            None => layout.inputs(stage, None),
            Some((row, position)) => {
                let (cosines, sines) = self.angles(position);
                let token = Token {
                    rows: &[row],
                    tables: (&cosines, &sines),
                    seen: 0..position + 1,
                };
                layout.inputs(stage, Some(&token))
            }
        };
        Ok(Inputs { vectors, bases })
    }

    fn logit_places(&self, position: usize) -> Vec<(usize, usize)> {
        self.decoder.layout.result_places(position)
    }

    fn logits(&self, bytes: &[u8]) -> Vec<u32> {
        self.decoder.layout.results(bytes).swap_remove(0)
    }

    fn cache_places(&self, positions: usize) -> Vec<(usize, usize)> {
        self.decoder.layout.cache_places(0, positions)
    }

    fn cache(&self, bytes: &[u8], positions: usize) -> Vec<Vec<Entry>> {
        let layers = self.decoder.layout.cache(bytes, positions).into_iter();
        let entry = |decoder::Entry { keys, values }| Entry { keys, values };
        layers
            .map(|entries| entries.into_iter().map(entry).collect())
            .collect()
    }

    fn cache_image(&self, entries: &[Vec<Entry>]) -> Result<Vec<Vector>, CompileError> {
        let entry = |entry: &Entry| decoder::Entry {
            keys: entry.keys.clone(),
            values: entry.values.clone(),
        };
        let layers: Vec<Vec<_>> = entries
            .iter()
            .map(|entries| entries.iter().map(entry).collect())
            .collect();
        Ok(self.decoder.layout.cache_image(0, &layers))
    }

    fn read_bytes(&self) -> u64 {
        self.decoder.read_bytes
    }
}
