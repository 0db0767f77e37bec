//! Compiled steps on golden machines beside golden decoders.

#[path = "../../../../verif/tests/decoder/random.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
pub mod random;

use lpu_compiler::decoder::{
    Entry, Inputs, LayerWeights, Matrix, Placement, RackDecoder, Shape, Token, Weights,
    compile_rack,
};
use lpu_isa::Config;
use lpu_isa::config::{C2cConfig, SxmConfig, VxmConfig};
use lpu_isa::rack::{Rack, Topology};
use lpu_verif::kernels::decoder as golden;
use lpu_verif::rack::exchange;
use lpu_verif::{EventCount, Machine, Status, Vector};
use std::collections::VecDeque;

/// A preset with vector unit and switch unit, and room.
pub fn machine(preset: &str, alus: usize) -> Config {
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

pub fn shape(parameters: &golden::Parameters, sequences: usize) -> Shape {
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

/// A compiled step on golden machines, beside a golden decoder for each group of sequences that share its cache.
pub struct Pair {
    config: Config,
    rack: Rack,
    pub compiled: RackDecoder,
    machines: Vec<Machine>,
    golden: Vec<golden::Decoder>,
    /// What each stage is about to get.
    waiting: VecDeque<Option<Flight>>,
}

/// A token on its way.
struct Flight {
    group: usize,
    position: usize,
    rows: Vec<Vec<u32>>,
    expected: Vec<golden::Output>,
}

/// A machine with the links that a rack needs, and the rack.
pub fn joined(mut config: Config, chips: usize, topology: Topology, hop: u64) -> (Config, Rack) {
    let rack = Rack::new(chips, topology, hop).unwrap();
    config.c2c = (chips > 1).then(|| C2cConfig {
        links: rack.links(),
    });
    (config, rack)
}

impl Pair {
    /// Machines and decoders of so many groups of sequences; the positions of the parameters are those of each sequence.
    pub fn new(
        config: &Config,
        (rack, placement): (Rack, Placement),
        parameters: golden::Parameters,
        [sequences, groups]: [usize; 2],
    ) -> Self {
        let mut shape = shape(&parameters, sequences);
        shape.positions *= groups;
        let compiled = compile_rack(config, &shape, &rack, placement)
            .unwrap_or_else(|error| panic!("{:?}, {rack:?}: {error}", parameters.shape));
        let golden = golden::Decoder::new(parameters.clone(), sequences).unwrap();
        let mut pair = Self {
            config: config.clone(),
            rack,
            machines: vec![Machine::new(config); rack.chips()],
            golden: vec![golden; groups],
            waiting: (1..compiled.layout.stages()).map(|_| None).collect(),
            compiled,
        };
        for (machine, program) in pair.machines.iter_mut().zip(&pair.compiled.programs) {
            machine.load(program).unwrap();
        }
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
            let slices = self.config.mem.slices;
            let machine = &mut self.machines[vector.slice / slices];
            machine.write_sram(vector.slice % slices, vector.address, &encoded);
        }
    }

    fn read(&self, places: &[(usize, usize)]) -> Vec<u8> {
        let slices = self.config.mem.slices;
        let lanes = |&(slice, address): &(usize, usize)| {
            self.machines[slice / slices]
                .sram(slice % slices, address)
                .lanes(self.config.lanes)
                .to_vec()
        };
        places.iter().flat_map(lanes).collect()
    }

    /// The sizes of the decoders.
    pub fn sizes(&self) -> golden::Shape {
        self.golden[0].parameters().shape
    }

    /// Positions of the cache before those of a group.
    fn first(&self, group: usize) -> usize {
        group * self.sizes().positions
    }

    /// A token of each sequence of a group goes in, and one that has been through all stages comes out: its results have to be those
    /// of the golden decoder.
    pub fn step(&mut self, group: usize, rows: &[Vec<u32>], position: usize) {
        let expected = self.golden[group].step(rows, position);
        self.launch(Some(Flight {
            group,
            position,
            rows: rows.to_vec(),
            expected,
        }));
    }

    /// Lets come out what is under way.
    pub fn drain(&mut self) {
        while self.waiting.iter().any(Option::is_some) {
            self.launch(None);
        }
    }

    fn launch(&mut self, entering: Option<Flight>) {
        self.waiting.push_front(entering);
        for stage in 0..self.waiting.len() {
            let inputs = self.inputs(stage);
            self.write(inputs.vectors);
            let queues = self.config.num_queues();
            for (queue, base) in inputs.bases {
                self.machines[queue / queues].set_base(queue % queues, base);
            }
        }
        self.run();
        if let Some(flight) = self.waiting.pop_back().flatten() {
            self.compare(&flight);
        }
    }

    fn inputs(&self, stage: usize) -> Inputs {
        let layout = &self.compiled.layout;
        let Some(flight) = &self.waiting[stage] else {
            return layout.inputs(stage, None);
        };
        let frequencies = &self.golden[0].parameters().frequencies;
        let rotation = golden::Rotation::new(frequencies, flight.position);
        let rows: Vec<&[u32]> = flight.rows.iter().map(Vec::as_slice).collect();
        let first = self.first(flight.group);
        let token = Token {
            rows: &rows,
            tables: (&rotation.cosines, &rotation.sines),
            seen: first..first + flight.position + 1,
        };
        layout.inputs(stage, Some(&token))
    }

    fn run(&mut self) {
        self.machines.iter_mut().for_each(Machine::launch);
        let mut running = true;
        while running {
            running = false;
            for machine in &mut self.machines {
                let status = machine.run(self.rack.hop(), &mut EventCount::default());
                running |= status == Status::Running;
            }
            assert_eq!(exchange(&self.rack, &mut self.machines), 0);
        }
        let what = format!("{:?}, {:?}", self.sizes(), self.rack);
        for (chip, machine) in self.machines.iter().enumerate() {
            let report = machine.report();
            assert!(
                report.faults.iter().all(Option::is_none),
                "{what}, chip {chip}: {:?}",
                report.faults
            );
            let prediction = &self.compiled.predictions[chip];
            assert_eq!(report.cycles, prediction.busy_cycles, "{what}, chip {chip}");
            assert_eq!(machine.waiting_flits(), 0, "{what}, chip {chip}");
        }
    }

    fn compare(&self, flight: &Flight) {
        let (layout, position) = (&self.compiled.layout, flight.position);
        let what = format!("{:?}, position {position}", self.sizes());
        let places = layout.result_places(self.first(flight.group) + position);
        let found = layout.results(&self.read(&places));
        for (sequence, (found, expected)) in found.iter().zip(&flight.expected).enumerate() {
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

    /// Keys and values of the first positions of every sequence.
    pub fn compare_caches(&self, positions: usize) {
        let (layout, sizes) = (&self.compiled.layout, self.sizes());
        let last = self.first(self.golden.len() - 1) + positions;
        for sequence in 0..layout.shape().sequences {
            let bytes = self.read(&layout.cache_places(sequence, last));
            let found = layout.cache(&bytes, last);
            assert_eq!(found.len(), layout.shape().layers);
            for (group, golden) in self.golden.iter().enumerate() {
                let cache = golden.cache(sequence);
                for (layer, entries) in found.iter().enumerate() {
                    let entries = &entries[self.first(group)..][..positions];
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
}

pub const SMALL: golden::Shape = golden::Shape {
    width: 20,
    heads: 2,
    kv_heads: 1,
    head_dim: 6,
    hidden: 19,
    vocabulary: 11,
    positions: 16,
    lanes: 8,
};
