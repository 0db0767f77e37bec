//! Compiled decoder layers on the golden machine, against the golden decoder, bit for bit.

#[path = "../../../verif/tests/decoder/random.rs"]
mod random;

use lpu_compiler::CompileError;
use lpu_compiler::decoder::{self, Decoder, Entry, LayerWeights, Matrix, Shape, Weights};
use lpu_isa::Config;
use lpu_isa::config::{SxmConfig, VxmConfig};
use lpu_verif::kernels::decoder as golden;
use lpu_verif::{Machine, Status, Vector};
use proptest::prelude::*;

/// A preset with vector unit and switch unit, and room.
fn machine(preset: &str, alus: usize) -> Config {
    let mut config = Config::preset(preset).unwrap();
    config.streams = config.streams.max(16);
    config.vxm = Some(VxmConfig {
        alus,
        registers: 256,
    });
    config.sxm = Some(SxmConfig { maps: 4 });
    config.icu.queue_depth = 4096;
    config.mem.depth = 16384;
    config.mxm.operand_depth = 512;
    config.mxm.accumulator_depth = 128;
    config
}

fn shape(parameters: &golden::Parameters, sequences: usize) -> Shape {
    let sizes = parameters.shape;
    Shape {
        width: sizes.width,
        heads: sizes.heads,
        kv_heads: sizes.kv_heads,
        head_dim: sizes.head_dim,
        hidden: sizes.hidden,
        vocabulary: parameters.head.as_ref().map(|_| sizes.vocabulary),
        layers: parameters.layers.len(),
        positions: sizes.positions,
        sequences,
        epsilon: f32::from_bits(parameters.epsilon),
        scores: (parameters.layers.iter())
            .map(|layer| f32::from_bits(layer.score))
            .collect(),
    }
}

fn matrix(linear: &golden::Linear) -> Matrix<'_> {
    Matrix {
        rows: (0..linear.codes.rows())
            .map(|row| linear.codes.row(row))
            .collect(),
        factors: linear.factors.clone(),
    }
}

fn weights(parameters: &golden::Parameters) -> Weights<'_> {
    let layers = parameters.layers.iter().map(|layer| LayerWeights {
        query: matrix(&layer.query),
        key: matrix(&layer.key),
        value: matrix(&layer.value),
        output: matrix(&layer.output),
        gate: matrix(&layer.gate),
        up: matrix(&layer.up),
        down: matrix(&layer.down),
    });
    Weights {
        layers: layers.collect(),
        head: parameters.head.as_ref().map(matrix),
    }
}

/// A compiled step on a golden machine, beside the golden decoder.
struct Pair {
    config: Config,
    compiled: Decoder,
    machine: Machine,
    golden: golden::Decoder,
}

impl Pair {
    fn new(config: &Config, parameters: golden::Parameters, sequences: usize) -> Self {
        let compiled = decoder::compile(config, &shape(&parameters, sequences))
            .unwrap_or_else(|error| panic!("{:?}: {error}", parameters.shape));
        let mut pair = Self {
            config: config.clone(),
            machine: Machine::new(config),
            golden: golden::Decoder::new(parameters.clone(), sequences).unwrap(),
            compiled,
        };
        pair.machine.load(&pair.compiled.program).unwrap();
        let image = pair.compiled.layout.pack(&weights(&parameters)).unwrap();
        pair.write(image);
        for sequence in 0..sequences {
            pair.write(pair.compiled.layout.cache_image(sequence, &[]));
        }
        pair
    }

    fn write(&mut self, vectors: Vec<lpu_compiler::matmul::Vector>) {
        for vector in vectors {
            let encoded = Vector::encode(&vector.bytes);
            self.machine
                .write_sram(vector.slice, vector.address, &encoded);
        }
    }

    fn read(&self, places: &[(usize, usize)]) -> Vec<u8> {
        let lanes = |&(slice, address)| {
            self.machine
                .sram(slice, address)
                .lanes(self.config.lanes)
                .to_vec()
        };
        places.iter().flat_map(lanes).collect()
    }

    /// A token of each sequence at a position: results and caches have to be those of the golden decoder.
    fn step(&mut self, rows: &[Vec<u32>], position: usize) {
        let frequencies = &self.golden.parameters().frequencies;
        let rotation = golden::Rotation::new(frequencies, position);
        let references: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let tables = (&rotation.cosines[..], &rotation.sines[..]);
        let inputs = self.compiled.layout.inputs(&references, tables, position);
        self.write(inputs.vectors);
        for (queue, base) in inputs.bases {
            self.machine.set_base(queue, base);
        }
        self.machine.launch();
        let mut events = Vec::new();
        while self.machine.run(1 << 12, &mut events) == Status::Running {
            events.clear();
        }
        let report = self.machine.report();
        let what = format!("{:?}, position {position}", self.golden.parameters().shape);
        assert!(
            report.faults.iter().all(Option::is_none),
            "{what}: {:?}",
            report.faults
        );
        assert_eq!(
            report.cycles, self.compiled.prediction.busy_cycles,
            "{what}"
        );
        let expected = self.golden.step(rows, position);
        let layout = &self.compiled.layout;
        let found = layout.results(&self.read(&layout.result_places(position)));
        for (sequence, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let expected = expected.logits.as_ref().unwrap_or(&expected.x);
            assert_eq!(found.len(), expected.len(), "{what}");
            let wrong = (0..expected.len()).find(|&i| found[i] != expected[i]);
            if let Some(i) = wrong {
                let value = f32::from_bits;
                panic!(
                    "{what}, sequence {sequence}: result {i} is {}, not {}",
                    value(found[i]),
                    value(expected[i])
                );
            }
        }
    }

    /// Keys and values of the first positions.
    fn compare_caches(&self, positions: usize) {
        let (layout, sizes) = (&self.compiled.layout, self.golden.parameters().shape);
        for sequence in 0..layout.shape().sequences {
            let bytes = self.read(&layout.cache_places(sequence, positions));
            let found = layout.cache(&bytes, positions);
            let cache = self.golden.cache(sequence);
            for (layer, entries) in found.iter().enumerate() {
                for (position, entry) in entries.iter().enumerate() {
                    let of = |tensor: &dyn Fn(usize) -> Vec<i8>| -> Vec<i8> {
                        (0..sizes.kv_heads).flat_map(tensor).collect()
                    };
                    let at = position * sizes.head_dim;
                    let slice = |codes: &[i8]| codes[at..at + sizes.head_dim].to_vec();
                    let keys = of(&|head| slice(cache.keys(layer, head)));
                    let values = of(&|head| slice(cache.values(layer, head)));
                    assert_eq!(entry, &Entry { keys, values }, "position {position}");
                }
            }
        }
    }
}

const SMALL: golden::Shape = golden::Shape {
    width: 20,
    heads: 2,
    kv_heads: 1,
    head_dim: 6,
    hidden: 19,
    vocabulary: 11,
    positions: 16,
    lanes: 8,
};

fn run(config: &Config, shape: golden::Shape, layers: usize, sequences: usize, positions: &[usize]) {
    let mut parameters = random::parameters(&shape, layers, 7);
    for (number, layer) in parameters.layers.iter_mut().enumerate() {
        let share = 1.0 + number as f32 / 8.0;
        layer.score = (f32::from_bits(layer.score) * share).to_bits();
    }
    let mut pair = Pair::new(config, parameters, sequences);
    for &position in positions {
        let rows = random::rows(&shape, sequences, 100 + position as u64);
        pair.step(&rows, position);
    }
    let last = positions.iter().max().unwrap() + 1;
    if positions.len() == last {
        pair.compare_caches(last);
    }
}

#[test]
fn one_small_layer() {
    run(&machine("nano", 2), SMALL, 1, 1, &[0, 1, 2]);
}

#[test]
fn layers_and_sequences() {
    let all: Vec<usize> = (0..16).collect();
    run(&machine("nano", 2), SMALL, 3, 1, &all);
    run(&machine("nano", 2), SMALL, 1, 1, &[0, 7, 8, 15]);
    println!("a");
    run(&machine("nano", 2), SMALL, 1, 2, &[0, 1]);
    println!("b");
    run(&machine("nano", 3), SMALL, 1, 1, &[0, 1]);
    println!("c");
    run(&machine("nano", 3), SMALL, 2, 3, &[0, 1, 7, 8, 15]);
}

/// The layer of a model of 135 million parameters: 30 of these, 576 wide.
fn large(sequences: usize) -> Shape {
    Shape {
        width: 576,
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
        hidden: 1536,
        vocabulary: None,
        layers: 1,
        positions: 128,
        sequences,
        epsilon: 1e-5,
        scores: vec![1e-4],
    }
}

#[test]
fn a_large_layer_takes_the_bandwidth() {
    let mut config = Config::preset("proto").unwrap();
    config.mem.depth = 16384;
    config.icu.queue_depth = 4096;
    let compile = |sequences| decoder::compile(&config, &large(sequences)).unwrap();
    let one = compile(1);
    let cycles = one.prediction.cycles();
    let bandwidth = config.mem.slices * config.lanes;
    let share = one.read_bytes as f64 / (cycles * bandwidth as u64) as f64;
    println!("{cycles} cycles, {share:.4}, {:?}", one.prediction.instructions);
    let four = compile(4);
    let gain = 4.0 * cycles as f64 / four.prediction.cycles() as f64;
    println!("{} cycles, {gain:.3} times", four.prediction.cycles());
}

#[test]
fn sums_fit() {
    let shape = Shape { width: 64, heads: 4, kv_heads: 2, head_dim: 16, hidden: 128, vocabulary: Some(16), layers: 4, positions: 128, sequences: 1, epsilon: 1e-5, scores: vec![1e-4, 2e-4, 3e-4, 4e-4] };
    for name in ["edge", "proto"] {
        match decoder::compile(&Config::preset(name).unwrap(), &shape) {
            Ok(d) => println!("{name} {} {:?}", d.prediction.busy_cycles, d.prediction.instructions),
            Err(e) => println!("{name} {e}"),
        }
    }
}
