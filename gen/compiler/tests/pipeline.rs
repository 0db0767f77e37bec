//! Pipelines of chips on golden machines, against golden decoders, bit for bit.

#[path = "decoder/pair.rs"]
mod pair;

use lpu_compiler::decoder::{Placement, Shape, compile, compile_rack};
use lpu_isa::config::VxmConfig;
use lpu_isa::rack::Topology;
use lpu_isa::{Config, Instruction, QueueKind};
use lpu_verif::kernels::decoder as golden;
use pair::{Pair, SMALL, joined, machine, random};
use proptest::prelude::*;

/// Tokens in order, each of the group whose turn it is, at the positions of its text one after the other; then all caches.
fn play(pair: &mut Pair, [sequences, groups]: [usize; 2], tokens: usize, seed: u64) {
    let shape = pair.sizes();
    for token in 0..tokens {
        let rows = random::rows(&shape, sequences, seed + token as u64);
        pair.step(token % groups, &rows, token / groups);
    }
    pair.drain();
    pair.compare_caches(tokens / groups);
}

#[test]
fn tokens_of_one_text_follow_each_other() {
    for (chips, topology, hop) in [
        (2, Topology::Ring, 20),
        (3, Topology::AllToAll, 1),
        (2, Topology::Tree, 57),
    ] {
        let (config, rack) = joined(machine("nano", 2), chips, topology, hop);
        let parameters = random::parameters(&SMALL, 5, 7);
        let mut pair = Pair::new(&config, (rack, Placement::Pipeline), parameters, [1, 1]);
        assert_eq!(pair.compiled.layout.stages(), chips);
        play(&mut pair, [1, 1], 9, 100);
    }
}

#[test]
fn groups_of_sequences_share_a_cache() {
    let (config, rack) = joined(machine("nano", 2), 4, Topology::Ring, 33);
    let mut parameters = random::parameters(&SMALL, 4, 7);
    parameters.head = None;
    let mut pair = Pair::new(&config, (rack, Placement::Pipeline), parameters, [2, 4]);
    play(&mut pair, [2, 4], 12, 100);
}

/// Launches without a token write nothing that is read: a gap between two tokens changes nothing.
#[test]
fn gaps_spoil_no_cache() {
    let (config, rack) = joined(machine("nano", 2), 3, Topology::Ring, 9);
    let parameters = random::parameters(&SMALL, 3, 7);
    let mut pair = Pair::new(&config, (rack, Placement::Pipeline), parameters, [1, 1]);
    for token in 0..4 {
        pair.step(0, &random::rows(&SMALL, 1, token), token as usize);
        if token % 2 == 1 {
            pair.drain();
        }
    }
    pair.compare_caches(4);
}

/// The layer of 576 numbers of `examples/rack.toml`, so many times.
fn layers_of_576(layers: usize, sequences: usize, positions: usize) -> Shape {
    Shape {
        width: 576,
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
        hidden: 1536,
        vocabulary: None,
        layers,
        positions,
        sequences,
        epsilon: 1e-5,
        scores: vec![0.1; layers],
    }
}

/// `-- --nocapture` prints the table of `docs/decoder.md`.
#[test]
fn large_layers_scale() {
    let mut config = machine("proto", 2);
    config.mxm.accumulator_depth = 512;
    let shape = layers_of_576(1, 1, 128);
    let alone = compile(&config, &shape).unwrap().prediction.busy_cycles;
    for (chips, hop) in [(2, 57), (4, 57), (8, 57), (8, 240)] {
        let (config, rack) = joined(config.clone(), chips, Topology::Ring, hop);
        let shape = layers_of_576(chips, 1, 128);
        let compiled = compile_rack(&config, &shape, &rack, Placement::Pipeline).unwrap();
        let cycles = compiled.prediction.busy_cycles;
        let efficiency = alone as f64 / cycles as f64;
        println!("hop {hop}, {chips} LPUs: {cycles} cycles, {efficiency:.3}");
        assert!(efficiency >= 0.97, "{chips} LPUs: {cycles} cycles");
    }
}

/// Cycles in which a queue issues, of a program whose operations there are not repeated.
fn issues(instructions: &[Instruction]) -> Vec<u64> {
    let (mut now, mut cycles) = (0, Vec::new());
    for instruction in instructions {
        match instruction {
            Instruction::Nop { cycles } => now += u64::from(*cycles),
            Instruction::Op { repeat, .. } => {
                assert_eq!(repeat.duration(), 1);
                cycles.push(now);
                now += 1;
            }
            _ => now += 1,
        }
    }
    cycles
}

/// Whatever the shape of the link: frames of 8 slots and 15 words leave the least room.
#[test]
fn links_are_never_full() {
    let mut config = machine("proto", 2);
    config.mxm.accumulator_depth = 512;
    for sequences in [1, 4] {
        let (config, rack) = joined(config.clone(), 4, Topology::Ring, 57);
        // The first chips have a layer less, and wait with all of x.
        let shape = Shape {
            hidden: 64,
            ..layers_of_576(5, sequences, 64)
        };
        let compiled = compile_rack(&config, &shape, &rack, Placement::Pipeline).unwrap();
        for (chip, program) in compiled.programs.iter().enumerate() {
            let queues = program.queues(&config);
            let sends = queues.filter(|(queue, _)| queue.kind == QueueKind::C2cSend);
            let sent: Vec<Vec<u64>> = sends.map(|(_, list)| issues(list)).collect();
            let flits = if chip < 3 { 4 * 18 * sequences } else { 0 };
            assert_eq!(sent.iter().map(Vec::len).sum::<usize>(), flits);
            for sent in sent {
                assert!(
                    sent.windows(9).all(|nine| nine[8] - nine[0] >= 15),
                    "{sent:?}"
                );
            }
        }
    }
}

/// Every chip has a layer at least, and as many as make the slowest one fast: the head counts as what it takes.
#[test]
fn layers_are_shared_out_evenly() {
    let layers = |vocabulary, layers: usize, chips| -> Vec<usize> {
        let (config, rack) = joined(machine("proto", 2), chips, Topology::Ring, 10);
        let shape = Shape {
            width: 64,
            heads: 2,
            kv_heads: 1,
            head_dim: 32,
            hidden: 128,
            vocabulary,
            positions: 32,
            scores: vec![0.1; layers],
            ..layers_of_576(layers, 1, 32)
        };
        let compiled = compile_rack(&config, &shape, &rack, Placement::Pipeline).unwrap();
        let shares = compiled.layout.layers();
        assert_eq!(shares[0].start, 0);
        assert_eq!(shares.last().unwrap().end, layers);
        assert!(shares.windows(2).all(|two| two[0].end == two[1].start));
        shares.iter().map(ExactSizeIterator::len).collect()
    };
    assert_eq!(layers(None, 4, 4), [1; 4]);
    assert_eq!(layers(None, 6, 3), [2; 3]);
    assert_eq!(layers(Some(64), 4, 2), [2; 2]);
    // A head as long as several layers.
    assert_eq!(layers(Some(8192), 9, 3), [4, 4, 1]);
}

#[test]
fn what_cannot_be_is_refused() {
    let message = |layers: usize, topology, chips, placement| {
        let (config, rack) = joined(machine("proto", 2), chips, topology, 10);
        let shape = layers_of_576(layers, 1, 128);
        compile_rack(&config, &shape, &rack, placement)
            .unwrap_err()
            .to_string()
    };
    let (tensor, pipeline) = (Placement::Tensor, Placement::Pipeline);
    for (found, expected) in [
        (
            message(3, Topology::Ring, 4, pipeline),
            "needs 4 layers, one for each, and layers is 3: choose no more LPUs than layers",
        ),
        (
            message(8, Topology::Tree, 4, pipeline),
            "in a tree none joins LPU 1 and LPU 2: choose all-to-all or ring",
        ),
        (
            message(1, Topology::Ring, 2, tensor),
            "the topology is ring: choose all-to-all, or a pipeline",
        ),
        (
            message(6, Topology::Ring, 2, pipeline),
            "mem.depth is 16384: raise mem.depth",
        ),
    ] {
        assert!(found.contains(expected), "{found}");
    }
}

/// Cases of the property, unless `LPU_CASES` says otherwise.
const CASES: u32 = 16;

prop_compose! {
    fn sizes()(
        kv_heads in 1usize..3, group in 1usize..4, half in 1usize..13, width in 1usize..50, hidden in 1usize..50,
        vocabulary in 1usize..40, tiles in 1usize..3, wide in any::<bool>(),
    ) -> golden::Shape {
        let lanes = if wide { 16 } else { 8 };
        golden::Shape {
            width, heads: kv_heads * group, kv_heads, head_dim: 2 * half, hidden, vocabulary, positions: tiles * lanes, lanes,
        }
    }
}

fn config(shape: &golden::Shape, weights: u32, slices: usize) -> Config {
    let mut config = machine(if shape.lanes == 8 { "nano" } else { "edge" }, 2);
    config.mxm.weight_streams = 1 << weights;
    config.mem.slices = slices;
    config.vxm = Some(VxmConfig {
        alus: 2,
        registers: 1024,
    });
    config
}

fn cases() -> u32 {
    let given = std::env::var("LPU_CASES").ok();
    given.map_or(CASES, |text| text.parse().expect("LPU_CASES is a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn any_shape(
        shape in sizes(), chips in 2usize..5, more in 0usize..4, sequences in 1usize..3, groups in 0u32..3, weights in 0u32..4,
        slices in 4usize..12, ring in any::<bool>(), hop in 1u64..80, head in any::<bool>(), seed in any::<u64>(),
    ) {
        let topology = if ring { Topology::Ring } else { Topology::AllToAll };
        let (config, rack) = joined(config(&shape, weights, slices), chips, topology, hop);
        let mut parameters = random::parameters(&shape, chips + more, seed);
        if !head {
            parameters.head = None;
        }
        let each = [sequences, 1 << groups];
        let whole = Shape { positions: shape.positions << groups, ..pair::shape(&parameters, sequences) };
        // Several sequences share less, so that small lanes with large heads may need too many descriptors.
        let refused = compile_rack(&config, &whole, &rack, Placement::Pipeline).err();
        prop_assume!(sequences == 1 || !refused.is_some_and(|e| e.to_string().contains("descriptors")));
        let mut pair = Pair::new(&config, (rack, Placement::Pipeline), parameters, each);
        let tokens = (chips + 2).min(shape.positions) * each[1];
        play(&mut pair, each, tokens, seed & 0xffff);
    }
}
