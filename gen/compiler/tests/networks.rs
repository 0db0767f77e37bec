//! Compiled feed-forward networks on the golden machine, against the golden network, bit for bit.

#[path = "../../../verif/tests/decoder/random.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod random;

use lpu_compiler::decoder::{Matrix, NetworkShape, NetworkWeights, compile_network};
use lpu_isa::Config;
use lpu_isa::config::{SxmConfig, VxmConfig};
use lpu_verif::kernels::decoder as golden;
use lpu_verif::{EventCount, Machine, Status, Vector};
use proptest::prelude::*;

fn matrix(linear: &golden::Linear) -> Matrix<'_> {
    let rows = 0..linear.codes.rows();
    Matrix {
        rows: rows.map(|row| linear.codes.row(row)).collect(),
        factors: linear.factors.clone(),
    }
}

/// Networks of random layers.
fn networks(shape: &golden::Shape, count: usize, seed: u64) -> (Vec<golden::Network>, u32) {
    let parameters = random::parameters(shape, count, seed);
    let network = |layer: golden::Layer| golden::Network {
        gate: layer.gate,
        up: layer.up,
        down: layer.down,
    };
    let layers = parameters.layers.into_iter();
    (layers.map(network).collect(), parameters.epsilon)
}

fn write(machine: &mut Machine, vectors: Vec<lpu_compiler::matmul::Vector>) {
    for vector in vectors {
        let encoded = Vector::encode(&vector.bytes);
        machine.write_sram(vector.slice, vector.address, &encoded);
    }
}

/// Every network in turn, and the first once more, each with rows of its own.
fn run(config: &Config, shape: &golden::Shape, count: usize, sequences: usize, seed: u64) {
    let (networks, epsilon) = networks(shape, count, seed);
    let sizes = NetworkShape {
        width: shape.width,
        hidden: shape.hidden,
        networks: count,
        sequences,
        epsilon: f32::from_bits(epsilon),
    };
    let compiled = compile_network(config, &sizes).unwrap_or_else(|error| panic!("{error}"));
    let layout = &compiled.layout;
    let mut machine = Machine::new(config);
    machine.load(&compiled.program).unwrap();
    for (number, network) in networks.iter().enumerate() {
        let weights = NetworkWeights {
            gate: matrix(&network.gate),
            up: matrix(&network.up),
            down: matrix(&network.down),
        };
        write(&mut machine, layout.pack(number, &weights).unwrap());
    }
    for number in (0..count).chain([0]) {
        let rows = random::rows(shape, sequences, seed ^ number as u64);
        let references: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let inputs = layout.inputs(number, &references);
        write(&mut machine, inputs.vectors);
        for (queue, base) in inputs.bases {
            machine.set_base(queue, base);
        }
        machine.launch();
        let mut events = EventCount::default();
        assert_eq!(machine.run(1 << 20, &mut events), Status::Finished);
        let report = machine.report();
        assert!(report.faults.iter().all(Option::is_none), "{report:?}");
        assert_eq!(report.cycles, compiled.prediction.busy_cycles);
        let lanes = |&(slice, address): &(usize, usize)| {
            machine.sram(slice, address).lanes(config.lanes).to_vec()
        };
        let bytes: Vec<u8> = (layout.result_places(number).iter())
            .flat_map(lanes)
            .collect();
        for (found, row) in layout.results(&bytes).iter().zip(&rows) {
            let expected = networks[number].apply(row, epsilon, config.lanes);
            assert_eq!(found, &expected, "network {number} of {shape:?}");
        }
    }
}

/// A preset with room for several networks.
fn machine(preset: &str, slices: usize, weights: usize) -> Config {
    let mut config = Config::preset(preset).unwrap();
    config.streams = config.streams.max(16);
    config.vxm = Some(VxmConfig {
        alus: 2,
        registers: 256,
    });
    config.sxm = Some(SxmConfig { maps: 4 });
    config.icu.queue_depth = 4096;
    config.mem.depth = 16384;
    config.mem.slices = slices;
    config.mxm.weight_streams = weights;
    config.mxm.operand_depth = 512;
    config
}

fn shape(width: usize, hidden: usize, lanes: usize) -> golden::Shape {
    golden::Shape {
        width,
        heads: 1,
        kv_heads: 1,
        head_dim: 2,
        hidden,
        vocabulary: 1,
        positions: lanes,
        lanes,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_network(
        width in 1usize..90, hidden in 1usize..90, count in 1usize..5, sequences in 1usize..4, slices in 4usize..12, weights in 0u32..4,
        wide in any::<bool>(), seed in any::<u64>(),
    ) {
        let (preset, lanes) = if wide { ("edge", 16) } else { ("nano", 8) };
        run(&machine(preset, slices, 1 << weights), &shape(width, hidden, lanes), count, sequences, seed);
    }
}

/// The network of a model of 135 million parameters reads its weights at nearly the whole bandwidth.
#[test]
fn a_large_network_takes_the_bandwidth() {
    let mut config = Config::preset("proto").unwrap();
    config.mem.depth = 65536;
    config.icu.queue_depth = 4096;
    let large = NetworkShape {
        width: 576,
        hidden: 1536,
        networks: 5,
        sequences: 1,
        epsilon: 1e-5,
    };
    let compiled = compile_network(&config, &large).unwrap();
    let cycles = compiled.prediction.cycles();
    let bandwidth = (config.mem.slices * config.lanes) as u64;
    let share = compiled.read_bytes as f64 / (cycles * bandwidth) as f64;
    println!("{cycles} cycles, {share:.4}");
    assert!(share > 0.9, "{share}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut config = machine("nano", 4, 4);
    config.mxm.operand_depth = 4096;
    let right = NetworkShape {
        width: 40,
        hidden: 80,
        networks: 3,
        sequences: 1,
        epsilon: 1e-5,
    };
    type Change<'a> = &'a dyn Fn(&mut NetworkShape);
    let message = |change: Change<'_>| {
        let mut shape = right.clone();
        change(&mut shape);
        compile_network(&config, &shape).unwrap_err().to_string()
    };
    let cases: [(&str, Change<'_>); 4] = [
        ("networks is 0", &|s| s.networks = 0),
        ("hidden is 0", &|s| s.hidden = 0),
        ("over 3 machines", &|s| s.networks = 120),
        ("raise mem.depth", &|s| s.hidden = 8000),
    ];
    for (expected, change) in cases {
        let message = message(change);
        assert!(message.contains(expected), "{message}");
    }
}
