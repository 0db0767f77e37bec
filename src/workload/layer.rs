//! Layers of a transformer decoder with random weights: a step of one or several sequences.

use super::{Judgement, OperandError, Shape, Work, Workload};
use crate::data::{Array, Elements, Matrix};
use lpu_compiler::decoder::{self, Entry, LayerWeights, RackDecoder, Weights};
use lpu_compiler::matmul::Vector;
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::rack::Rack;
use lpu_isa::{Config, Program};
use lpu_verif::kernels::decoder as golden;
use lpu_verif::numeric;

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
    /// Positions of the cache, a multiple of the lanes.
    pub cache: usize,
    /// Position of the token; keys and values of those before are random.
    pub position: usize,
    /// Sequences.
    pub batch: usize,
}

/// A matrix: codes (outputs, inputs), and a factor for each output.
struct Linear {
    codes: Matrix<i8>,
    factors: Vec<u32>,
}

/// Matrices of a layer in the order of [`LayerWeights`], and keys and values of each sequence by position.
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
    rows: Vec<Vec<u32>>,
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
        let codes =
            Matrix::seeded_normal(options.batch * options.position, 2 * keys, seed, first + 8);
        let entry = |row: &[i8]| Entry {
            keys: row[..keys].to_vec(),
            values: row[keys..].to_vec(),
        };
        let entries: Vec<Entry> = codes.elements.chunks(2 * keys).map(entry).collect();
        let caches = (0..options.batch)
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
        let shape = decoder::Shape {
            width: options.dim,
            heads: options.heads,
            kv_heads: options.kv_heads,
            head_dim: options.head_dim,
            hidden: options.ffn,
            vocabulary: None,
            layers: options.layers,
            positions: options.cache,
            sequences: options.batch,
            epsilon: EPSILON,
            scores: vec![score(&options); options.layers],
        };
        if options.position >= options.cache {
            return Err(OperandError::Compile(CompileError::Decoder(format!(
                "position {} is not in a cache of {} positions: choose one below, or raise --cache",
                options.position, options.cache
            ))));
        }
        let compiled = decoder::compile_rack(config, &shape, rack)?;
        let layers = (0..options.layers).map(|number| Layer::new(&options, seed, number));
        let rows = Matrix::seeded_reals(options.batch, options.dim, seed, 0);
        Ok(Self {
            compiled,
            options,
            lanes: config.lanes,
            layers: layers.collect(),
            rows: (rows.elements.chunks(options.dim))
                .map(|row| row.iter().map(|x| x.to_bits()).collect())
                .collect(),
        })
    }

    /// The rows of x behind the last layer, by the golden decoder.
    fn golden(&self) -> Vec<Vec<u32>> {
        let Options {
            dim,
            ffn,
            heads,
            kv_heads,
            head_dim,
            cache,
            position,
            batch,
            ..
        } = self.options;
        let parameters = golden::Parameters {
            shape: golden::Shape {
                width: dim,
                heads,
                kv_heads,
                head_dim,
                hidden: ffn,
                vocabulary: 0,
                positions: cache,
                lanes: self.lanes,
            },
            layers: self
                .layers
                .iter()
                .map(|layer| {
                    let [query, key, value, output, gate, up, down] =
                        layer.linears.each_ref().map(|linear| golden::Linear {
                            codes: numeric::Matrix::from_fn(
                                linear.codes.rows,
                                linear.codes.columns,
                                |r, c| linear.codes.elements[r * linear.codes.columns + c],
                            ),
                            factors: linear.factors.clone(),
                        });
                    golden::Layer {
                        query,
                        key,
                        value,
                        output,
                        gate,
                        up,
                        down,
                        score: score(&self.options).to_bits(),
                    }
                })
                .collect(),
            head: None,
            epsilon: EPSILON.to_bits(),
            frequencies: golden::frequencies(THETA, head_dim),
        };
        let mut decoder =
            golden::Decoder::new(parameters, batch).expect("the compiler has accepted the shape");
        for (number, layer) in self.layers.iter().enumerate() {
            for (sequence, entries) in layer.caches.iter().enumerate() {
                for (at, entry) in entries.iter().enumerate() {
                    let cache = decoder.cache_mut(sequence);
                    cache.set(number, at, &entry.keys, &entry.values);
                }
            }
        }
        let outputs = decoder.step(&self.rows, position);
        outputs.into_iter().map(|output| output.x).collect()
    }

    /// cos and sin of the position, FP32 patterns.
    fn angles(&self) -> (Vec<u32>, Vec<u32>) {
        let dim = self.options.head_dim;
        let angle = |i: usize| {
            let turn = libm::pow(THETA, -(2.0 * i as f64) / dim as f64);
            let (sine, cosine) = libm::sincos(self.options.position as f64 * turn);
            ((cosine as f32).to_bits(), (sine as f32).to_bits())
        };
        (0..dim / 2).map(angle).unzip()
    }

    fn inputs(&self) -> decoder::Inputs {
        let rows: Vec<&[u32]> = self.rows.iter().map(Vec::as_slice).collect();
        let (cosines, sines) = self.angles();
        let tables = (&cosines[..], &sines[..]);
        self.compiled
            .layout
            .inputs(&rows, tables, self.options.position)
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
            let layers = self
                .layers
                .iter()
                .map(|layer| layer.caches[sequence].clone());
            vectors.extend(layout.cache_image(sequence, &layers.collect::<Vec<_>>()));
        }
        vectors.extend(self.inputs().vectors);
        Ok(vectors)
    }

    fn bases(&self) -> Vec<(usize, u16)> {
        self.inputs().bases
    }

    fn results(&self) -> Vec<(usize, usize)> {
        self.compiled.layout.result_places(self.options.position)
    }

    fn work(&self) -> Work {
        Work {
            elements: (self.options.batch * self.options.dim) as u64,
            macs: self.compiled.macs,
            macs_per_multiplier: 1,
            read_bytes: self.compiled.read_bytes,
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        let places = self.results().into_iter();
        let bytes: Vec<u8> = places
            .flat_map(|(slice, address)| read(slice, address).to_vec())
            .collect();
        let found = self.compiled.layout.results(&bytes).concat();
        let golden = self.golden().concat();
        let wrong = found.iter().zip(&golden).filter(|(a, b)| a != b).count();
        Judgement {
            wrong: wrong as u64,
            errors: None,
            scales: None,
            result: Array {
                shape: vec![self.options.batch, self.options.dim],
                elements: Elements::Fp32(found.into_iter().map(f32::from_bits).collect()),
            },
        }
    }
}
