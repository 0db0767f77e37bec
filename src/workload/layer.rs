//! Layers of a transformer decoder with random weights: a step of one or several sequences, or the steps of a pipeline.

mod golden;
mod pipelined;
mod tokens;

pub use pipelined::Pipelined;

use super::{Judgement, OperandError, Shape, Work, Workload};
use crate::data::{Array, Elements, Matrix};
use lpu_compiler::decoder::{self, Entry, Inputs, LayerWeights, Placement, RackDecoder, Weights};
use lpu_compiler::matmul::Vector;
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::rack::Rack;
use lpu_isa::{Config, Program};
use pipelined::Baseline;
use tokens::Flight;

/// What a step is like.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Width of the model.
    pub dim: usize,
    /// Width of the feed-forward.
    pub ffn: usize,
    /// Heads.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Elements of a head.
    pub head_dim: usize,
    /// Layers.
    pub layers: usize,
    /// Positions of the cache of each sequence, a multiple of the lanes.
    pub cache: usize,
    /// Position of the first token of each sequence; keys and values of those before are random.
    pub position: usize,
    /// Sequences.
    pub batch: usize,
    /// What several chips have of it.
    pub placement: Placement,
    /// Groups of that many sequences that take turns; more than one in a pipeline only.
    pub groups: usize,
    /// Tokens, one after the other; more than one in a pipeline only.
    pub tokens: usize,
}

impl Options {
    /// Position of a token.
    const fn position_of(&self, token: usize) -> usize {
        self.position + token / self.groups
    }

    fn validate(&self, config: &Config, rack: &Rack) -> Result<(), String> {
        let last = self.position_of(self.tokens - 1);
        if last >= self.cache {
            let what = match self.tokens {
                1 => "",
                _ => " of the last token",
            };
            return Err(format!(
                "position {last}{what} is not in a cache of {} positions: choose one below, or raise --cache",
                self.cache
            ));
        }
        let several = self.tokens > 1 || self.groups > 1;
        if several && (self.placement != Placement::Pipeline || rack.chips() == 1) {
            return Err(format!(
                "--tokens {} and --groups {} are for a pipeline of several LPUs: add --placement pipeline and --lpus, or leave them out",
                self.tokens, self.groups
            ));
        }
        if !self.groups.is_power_of_two() {
            return Err(format!(
                "{} groups cannot share a cache with the bits of caches of their own, a power of two can: choose --groups {} or {}",
                self.groups,
                self.groups.next_power_of_two() / 2,
                self.groups.next_power_of_two()
            ));
        }
        let lanes = config.lanes;
        if !self.cache.is_multiple_of(lanes) {
            return Err(format!(
                "positions is {} and must be a multiple of the {lanes} lanes: raise it to {}",
                self.cache,
                self.cache.next_multiple_of(lanes)
            ));
        }
        Ok(())
    }
}

/// A matrix: codes (outputs, inputs), and a factor for each output.
struct Linear {
    codes: Matrix<i8>,
    factors: Vec<u32>,
}

/// Matrices of a layer in the order of [`LayerWeights`], and keys and values of each sequence, group by group, by position.
struct Layer {
    linears: [Linear; 7],
    caches: Vec<Vec<Entry>>,
}

/// Compiled layers with their operands.
pub struct Layers {
    compiled: RackDecoder,
    options: Options,
    lanes: usize,
    layers: Vec<Layer>,
    tokens: Vec<Flight>,
    baseline: Option<Baseline>,
}

/// Base of the rotation.
const THETA: f64 = 10_000.0;
const EPSILON: f32 = 1e-5;
/// Standard deviation of uniform bytes.
const DEVIATION: f64 = 74.0;

/// A factor that gives outputs a standard deviation of about `gain` for inputs of `input`; those of neighbours differ.
fn linear(seed: u64, stream: u64, outputs: usize, inputs: usize, input: f64, gain: f64) -> Linear {
    let factor = gain / (DEVIATION * input * (inputs as f64).sqrt());
    Linear {
        codes: Matrix::seeded(outputs, inputs, seed, stream),
        factors: (0..outputs)
            .map(|n| ((factor * (1.0 + (n % 8) as f64 / 16.0)) as f32).to_bits())
            .collect(),
    }
}

impl Layer {
    fn new(options: &Options, seed: u64, number: usize) -> Self {
        let Options {
            dim,
            ffn,
            heads,
            kv_heads,
            head_dim,
            ..
        } = *options;
        let (queries, keys) = (heads * head_dim, kv_heads * head_dim);
        let first = 16 * (1 + number as u64);
        let sizes = [
            (queries, dim, 1.0, 30.0),
            (keys, dim, 1.0, 30.0),
            (keys, dim, 1.0, 30.0),
            (dim, queries, 20.0, 0.7),
            (ffn, dim, 1.0, 1.5),
            (ffn, dim, 1.0, 40.0),
            (dim, ffn, 30.0, 0.7),
        ];
        let mut stream = first;
        let linears = sizes.map(|(outputs, inputs, input, gain)| {
            stream += 1;
            linear(seed, stream, outputs, inputs, input, gain)
        });
        let sequences = options.groups * options.batch;
        let codes = Matrix::seeded_normal(sequences * options.position, 2 * keys, seed, first + 8);
        let entry = |row: &[i8]| Entry {
            keys: row[..keys].to_vec(),
            values: row[keys..].to_vec(),
        };
        let entries: Vec<Entry> = codes.elements.chunks(2 * keys).map(entry).collect();
        let caches = (0..sequences)
            .map(|b| entries[b * options.position..][..options.position].to_vec())
            .collect();
        Self { linears, caches }
    }
}

impl Layers {
    /// Compiles layers of `options` for the chips of a rack and makes their weights, caches and rows.
    pub fn new(
        config: &Config,
        rack: &Rack,
        options: Options,
        seed: u64,
    ) -> Result<Self, OperandError> {
        let refuse = |rule| OperandError::Compile(CompileError::Decoder(rule));
        options.validate(config, rack).map_err(refuse)?;
        let shape = decoder::Shape {
            width: options.dim,
            heads: options.heads,
            kv_heads: options.kv_heads,
            head_dim: options.head_dim,
            hidden: options.ffn,
            vocabulary: None,
            layers: options.layers,
            positions: options.groups * options.cache,
            sequences: options.batch,
            epsilon: EPSILON,
            scores: vec![score(&options); options.layers],
        };
        let compiled = decoder::compile_rack(config, &shape, rack, options.placement)?;
        let baseline = match compiled.layout.stages() {
            1 => None,
            _ => Some(Baseline::new(config, &shape)?),
        };
        let layers = (0..options.layers).map(|number| Layer::new(&options, seed, number));
        Ok(Self {
            compiled,
            options,
            lanes: config.lanes,
            layers: layers.collect(),
            tokens: tokens::seeded(&options, seed),
            baseline,
        })
    }
}

/// The factor of a score before exp2: scores get a standard deviation of a few bits.
fn score(options: &Options) -> f32 {
    (3.0 / (900.0 * (options.head_dim as f64).sqrt())) as f32
}

fn matrix(linear: &Linear) -> decoder::Matrix<'_> {
    decoder::Matrix {
        rows: linear.codes.elements.chunks(linear.codes.columns).collect(),
        factors: linear.factors.clone(),
    }
}

impl Workload for Layers {
    fn name(&self) -> &'static str {
        "layer"
    }

    fn shape(&self) -> Shape {
        let options = &self.options;
        Shape::Layer {
            dim: options.dim,
            ffn: options.ffn,
            heads: options.heads,
            kv_heads: options.kv_heads,
            head_dim: options.head_dim,
            layers: options.layers,
            cache: options.cache,
            position: options.position,
            batch: options.batch,
        }
    }

    fn pipelined(&self, launch_cycles: u64) -> Option<Pipelined> {
        let baseline = self.baseline?;
        let layers = self.compiled.layout.layers().iter();
        Some(Pipelined::new(
            &self.options,
            layers.map(ExactSizeIterator::len).collect(),
            self.launches(),
            baseline,
            launch_cycles,
        ))
    }

    fn program(&self) -> &Program {
        &self.compiled.programs[0]
    }

    fn chips(&self) -> Vec<(&Program, &Prediction)> {
        let RackDecoder {
            programs,
            predictions,
            ..
        } = &self.compiled;
        programs.iter().zip(predictions).collect()
    }

    fn prediction(&self) -> &Prediction {
        &self.compiled.prediction
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        let layout = &self.compiled.layout;
        let weights = Weights {
            layers: (self.layers.iter())
                .map(|layer| {
                    let [query, key, value, output, gate, up, down] =
                        layer.linears.each_ref().map(matrix);
                    LayerWeights {
                        query,
                        key,
                        value,
                        output,
                        gate,
                        up,
                        down,
                    }
                })
                .collect(),
            head: None,
        };
        let mut vectors = layout.pack(&weights)?;
        for sequence in 0..self.options.batch {
            vectors.extend(layout.cache_image(sequence, &self.cached(sequence)));
        }
        Ok(vectors)
    }

    fn launches(&self) -> usize {
        self.tokens.len() + self.compiled.layout.stages() - 1
    }

    fn inputs(&self, launch: usize) -> Inputs {
        let mut all = Inputs::default();
        for stage in 0..self.compiled.layout.stages() {
            let Inputs { vectors, bases } = self.stage_inputs(stage, launch);
            all.vectors.extend(vectors);
            all.bases.extend(bases);
        }
        all
    }

    fn results(&self) -> Vec<(usize, usize)> {
        self.results_of(self.launches() - 1)
    }

    fn results_of(&self, launch: usize) -> Vec<(usize, usize)> {
        match self.leaving(launch) {
            Some(token) => self.compiled.layout.result_places(self.place(token)),
            None => Vec::new(),
        }
    }

    fn work(&self) -> Work {
        Work {
            elements: (self.tokens.len() * self.options.batch * self.options.dim) as u64,
            macs: self.compiled.macs,
            macs_per_multiplier: 1,
            read_bytes: self.compiled.read_bytes,
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        self.judge_all(&|_, slice, address| read(slice, address))
    }

    fn judge_all<'a>(&self, read: &dyn Fn(usize, usize, usize) -> &'a [u8]) -> Judgement {
        let mut found = Vec::new();
        for launch in 0..self.launches() {
            let places = self.results_of(launch).into_iter();
            let bytes: Vec<u8> = places
                .flat_map(|(slice, address)| read(launch, slice, address).to_vec())
                .collect();
            if self.leaving(launch).is_some() {
                found.extend(self.compiled.layout.results(&bytes));
            }
        }
        let (found, golden) = (found.concat(), self.golden().concat());
        let wrong = found.iter().zip(&golden).filter(|(a, b)| a != b).count();
        Judgement {
            wrong: wrong as u64,
            errors: None,
            scales: None,
            result: Array {
                shape: vec![self.tokens.len() * self.options.batch, self.options.dim],
                elements: Elements::Fp32(found.into_iter().map(f32::from_bits).collect()),
            },
        }
    }
}
