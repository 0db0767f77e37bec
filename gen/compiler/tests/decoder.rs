//! Compiled decoder layers on the golden machine, against the golden decoder, bit for bit.

#[path = "decoder/pair.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod pair;

use lpu_compiler::check_rack;
use lpu_compiler::decoder::{self, Placement, RackDecoder, Shape, compile_rack};
use lpu_isa::Config;
use lpu_isa::c2c;
use lpu_isa::config::VxmConfig;
use lpu_isa::rack::{Rack, Topology};
use lpu_verif::kernels::decoder as golden;
use pair::{Pair, SMALL, joined, machine, random, shape};
use proptest::prelude::*;

/// One chip.
const ALONE: (Rack, Placement) = (Rack::ALONE, Placement::Tensor);

fn run(
    config: &Config,
    shape: golden::Shape,
    layers: usize,
    sequences: usize,
    positions: &[usize],
) {
    let mut parameters = random::parameters(&shape, layers, 7);
    for (number, layer) in parameters.layers.iter_mut().enumerate() {
        let share = 1.0 + number as f32 / 8.0;
        layer.score = (f32::from_bits(layer.score) * share).to_bits();
    }
    let mut pair = Pair::new(config, ALONE, parameters, [sequences, 1]);
    for &position in positions {
        let rows = random::rows(&shape, sequences, 100 + position as u64);
        pair.step(0, &rows, position);
    }
    let last = positions.iter().max().unwrap() + 1;
    if positions.len() == last {
        pair.compare_caches(last);
    }
}

#[test]
fn every_position() {
    let all: Vec<usize> = (0..16).collect();
    run(&machine("nano", 2), SMALL, 3, 1, &all);
}

#[test]
fn several_sequences() {
    run(&machine("nano", 3), SMALL, 2, 3, &[0, 1, 7, 8, 15]);
}

/// Five layers, d = 200, five heads over one, nothing a multiple of the lanes.
#[test]
fn awkward_sizes() {
    let mut config = machine("proto", 2);
    let shape = golden::Shape {
        width: 200,
        heads: 5,
        kv_heads: 1,
        head_dim: 26,
        hidden: 333,
        vocabulary: 101,
        positions: 96,
        lanes: 32,
    };
    run(&config, shape, 5, 1, &[0, 1, 31, 32, 95]);
    config.mem.slices = 13;
    config.mxm.weight_streams = 4;
    run(&config, shape, 1, 2, &[0, 95]);
}

/// Heads that do not share, halves of several tiles, one tile of everything else.
#[test]
fn wide_heads() {
    let shape = golden::Shape {
        width: 7,
        heads: 2,
        kv_heads: 2,
        head_dim: 38,
        hidden: 3,
        vocabulary: 1,
        positions: 8,
        lanes: 8,
    };
    run(&machine("nano", 4), shape, 1, 1, &[0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn layers_without_a_head_give_x() {
    let mut parameters = random::parameters(&SMALL, 2, 3);
    parameters.head = None;
    let mut pair = Pair::new(&machine("nano", 2), ALONE, parameters, [2, 1]);
    pair.step(0, &random::rows(&SMALL, 2, 1), 0);
    pair.step(0, &random::rows(&SMALL, 2, 2), 1);
}

prop_compose! {
    fn sizes()(
        kv_heads in 1usize..4, group in 1usize..4, half in 1usize..13, width in 1usize..70, hidden in 1usize..70,
        vocabulary in 1usize..40, tiles in 1usize..5, wide in any::<bool>(),
    ) -> golden::Shape {
        let lanes = if wide { 16 } else { 8 };
        golden::Shape {
            width, heads: kv_heads * group, kv_heads, head_dim: 2 * half, hidden, vocabulary, positions: tiles * lanes, lanes,
        }
    }
}

/// Cases of the property, unless `LPU_CASES` says otherwise.
const CASES: u32 = 24;

fn cases() -> u32 {
    let given = std::env::var("LPU_CASES").ok();
    given.map_or(CASES, |text| text.parse().expect("LPU_CASES is a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn any_shape(
        shape in sizes(), layers in 1usize..3, sequences in 1usize..4, alus in 2usize..5, weights in 0u32..4, slices in 4usize..12,
        positions in prop::collection::vec(any::<prop::sample::Index>(), 1..4), head in any::<bool>(), seed in any::<u64>(),
    ) {
        let mut config = machine(if shape.lanes == 8 { "nano" } else { "edge" }, alus);
        config.mxm.weight_streams = 1 << weights;
        config.mem.slices = slices;
        config.vxm = Some(VxmConfig { alus, registers: 1024 });
        let mut parameters = random::parameters(&shape, layers, seed);
        if !head {
            parameters.head = None;
        }
        // Several sequences share less, so that small lanes with large heads may need too many descriptors.
        let refused = decoder::compile(&config, &pair::shape(&parameters, sequences)).err();
        prop_assume!(sequences == 1 || !refused.is_some_and(|e| e.to_string().contains("descriptors")));
        let mut pair = Pair::new(&config, ALONE, parameters, [sequences, 1]);
        for position in positions {
            let position = position.index(shape.positions);
            pair.step(0, &random::rows(&shape, sequences, seed ^ position as u64), position);
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    type Change<'a> = &'a dyn Fn(&mut Shape, &mut Config);
    let right = large(1);
    let proto = {
        let mut config = Config::preset("proto").unwrap();
        config.mem.depth = 16384;
        config
    };
    let message = |change: Change<'_>| {
        let (mut shape, mut config) = (right.clone(), proto.clone());
        change(&mut shape, &mut config);
        decoder::compile(&config, &shape).unwrap_err().to_string()
    };
    let cases: [(&str, Change<'_>); 12] = [
        ("kv_heads must divide heads", &|s, _| s.kv_heads = 2),
        ("head_dim is 63 and must be even", &|s, _| s.head_dim = 63),
        ("raise it to 128", &|s, _| s.positions = 100),
        ("layers is 0", &|s, _| s.layers = 0),
        ("scores one for each of the 2 layers", &|s, _| s.layers = 2),
        ("mem.depth is 8192", &|_, c| c.mem.depth = 8192),
        ("add [vxm]", &|_, c| c.vxm = None),
        ("add [sxm]", &|_, c| c.sxm = None),
        ("raise it to 2", &|_, c| c.vxm.as_mut().unwrap().alus = 1),
        ("vxm.registers is 64", &|_, c| {
            c.vxm.as_mut().unwrap().registers = 64
        }),
        ("mxm.operand_depth is 64", &|_, c| c.mxm.operand_depth = 64),
        ("icu.queue_depth is 512", &|_, c| c.icu.queue_depth = 512),
    ];
    for (expected, change) in cases {
        let message = message(change);
        assert!(message.contains(expected), "{message}");
    }
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
    println!(
        "{cycles} cycles, {share:.4}, {:?}",
        one.prediction.instructions
    );
    assert!(share >= 0.9, "{cycles} cycles, {share:.4}");
    let four = compile(4);
    let gain = 4.0 * cycles as f64 / four.prediction.cycles() as f64;
    println!("{} cycles, {gain:.3} times", four.prediction.cycles());
    assert!(gain >= 3.5, "{gain:.3}");
}

/// The layer of 576 numbers of `examples/layer.toml`, on so many chips.
fn layer_of_576(chips: usize, hop: u64, sequences: usize) -> RackDecoder {
    let mut config = machine("proto", 2);
    config.mxm.accumulator_depth = 512;
    let (config, rack) = joined(config, chips, Topology::AllToAll, hop);
    let link = c2c::Shape::within(config.lanes / 8, hop).unwrap();
    let rack = rack.with_shape(link).unwrap();
    let shape = Shape {
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
        scores: vec![0.1],
    };
    compile_rack(&config, &shape, &rack, Placement::Tensor)
        .unwrap_or_else(|error| panic!("{chips} chips: {error}"))
}

/// `-- --nocapture` prints the table of `docs/decoder.md`.
#[test]
fn a_layer_on_several_chips() {
    for (hop, sequences) in [(240, 1), (57, 1), (33, 1), (57, 4)] {
        let alone = layer_of_576(1, hop, sequences).prediction.busy_cycles;
        for chips in [1, 2, 4, 8] {
            let cycles = layer_of_576(chips, hop, sequences).prediction.busy_cycles;
            let efficiency = alone as f64 / (chips as u64 * cycles) as f64;
            println!(
                "hop {hop}, {sequences} sequences, {chips} LPUs: {cycles} cycles, {efficiency:.3}"
            );
        }
    }
}

#[test]
fn racks_compute_what_one_chip_does() {
    for (chips, hop, sequences) in [(2, 20, 1), (3, 45, 2), (4, 1, 1), (8, 33, 1)] {
        let (config, rack) = joined(machine("nano", 2), chips, Topology::AllToAll, hop);
        let parameters = random::parameters(&SMALL, 2, 7);
        let mut pair = Pair::new(
            &config,
            (rack, Placement::Tensor),
            parameters,
            [sequences, 1],
        );
        for position in 0..4 {
            let rows = random::rows(&SMALL, sequences, 100 + position as u64);
            pair.step(0, &rows, position);
        }
        pair.compare_caches(4);
    }
}

/// Layers on two small machines whose links have eight slots: SENDs wait for slots, and flits that no frame carries are refused.
#[test]
fn sends_keep_the_pace_of_the_frames() {
    let link = c2c::Shape::new(1, 8).unwrap();
    let (config, rack) = joined(machine("nano", 2), 2, Topology::AllToAll, link.least_hop());
    let parameters = random::parameters(&SMALL, 2, 7);
    let compile = |rack, sequences| {
        compile_rack(
            &config,
            &shape(&parameters, sequences),
            rack,
            Placement::Tensor,
        )
    };
    let unframed = compile(&rack, 2).unwrap();
    let rack = rack.with_shape(link).unwrap();
    let error = check_rack(&config, &rack, &unframed.programs).unwrap_err();
    assert!(error.contains("8 slots in a frame of 15 cycles"), "{error}");
    let error = compile(&rack, 4).unwrap_err();
    assert_eq!(
        error.to_string(),
        "16 flits that belong together leave faster than a link of 8 slots carries: raise the slots, or choose fewer sequences"
    );
    let mut pair = Pair::new(&config, (rack, Placement::Tensor), parameters, [2, 1]);
    pair.step(0, &random::rows(&SMALL, 2, 100), 0);
}
