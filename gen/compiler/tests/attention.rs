//! Compiled attention on the golden machine, against the golden kernel, bit for bit.

use lpu_compiler::CompileError;
use lpu_compiler::attention::{self, Attention, Mode, Shape, Weights};
use lpu_isa::Config;
use lpu_isa::config::{SxmConfig, VxmConfig};
use lpu_verif::{Machine, Status, Vector, kernels};
use proptest::prelude::*;

/// A preset with a vector unit of `alus` ALUs, and room for long programs.
fn machine(preset: &str, alus: usize, sxm: bool) -> Config {
    let mut config = Config::preset(preset).unwrap();
    config.vxm = Some(VxmConfig {
        alus,
        registers: 256,
    });
    config.sxm = sxm.then_some(SxmConfig { maps: 16 });
    config.icu.queue_depth = 4096;
    config.mem.depth = 8192;
    config
}

fn shape(queries: usize, keys: usize, heads: usize, dim: usize) -> Shape {
    Shape {
        queries,
        keys,
        heads,
        kv_heads: heads,
        dim,
        causal: false,
        scale: 0.0004,
        weights: Weights::Int16,
    }
}

/// Bytes that look like nothing.
fn bytes(count: usize, seed: u64) -> Vec<i8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as i8
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Compiles and runs on the golden machine; the result has to be that of the golden kernel.
fn run(config: &Config, shape: Shape, seed: u64) -> Attention {
    let compiled =
        attention::compile(config, shape).unwrap_or_else(|error| panic!("{shape:?}: {error}"));
    let of_keys = shape.kv_heads * shape.keys * shape.dim;
    let q = bytes(shape.heads * shape.queries * shape.dim, seed);
    let (k, v) = (bytes(of_keys, seed + 1), bytes(of_keys, seed + 2));
    let mut machine = Machine::new(config);
    for vector in compiled.layout.pack(&q, &k, &v).unwrap() {
        machine.write_sram(vector.slice, vector.address, &Vector::encode(&vector.bytes));
    }
    machine.load(&compiled.program).unwrap();
    machine.launch();
    let mut events = Vec::new();
    while machine.run(1 << 12, &mut events) == Status::Running {
        events.clear();
    }
    let report = machine.report();
    assert!(
        report.faults.iter().all(Option::is_none),
        "{shape:?}: {:?}",
        report.faults
    );
    assert_eq!(report.cycles, compiled.prediction.busy_cycles);
    assert_eq!(report.first_read, compiled.prediction.first_read);
    assert_eq!(report.last_write, compiled.prediction.last_write);
    let places: std::collections::HashMap<_, _> = compiled
        .layout
        .result_vectors()
        .map(|(slice, address)| {
            (
                (slice, address),
                machine.sram(slice, address).lanes(config.lanes),
            )
        })
        .collect();
    let result = compiled
        .layout
        .unpack(|slice, address| &places[&(slice, address)]);
    let golden = kernels::Attention {
        q: &q,
        k: &k,
        v: &v,
        queries: shape.queries,
        keys: shape.keys,
        heads: shape.heads,
        kv_heads: shape.kv_heads,
        dim: shape.dim,
        causal: shape.causal,
        scale: shape.scale.to_bits(),
        weights: match shape.weights {
            Weights::Int8 => kernels::Weights::Int8,
            Weights::Int16 => kernels::Weights::Int16,
        },
        sum: match compiled.mode {
            Mode::Prefill => kernels::Sum::Rounded,
            Mode::Decode => kernels::Sum::Tree {
                lanes: config.lanes,
            },
        },
    };
    let golden = golden.compute();
    let wrong = (0..golden.len()).find(|&i| golden[i] != result[i]);
    if let Some(i) = wrong {
        panic!(
            "{shape:?}: element {i} is {:#x}, not {:#x}",
            result[i], golden[i]
        );
    }
    compiled
}

#[test]
fn a_small_head() {
    run(&machine("nano", 2, true), shape(8, 8, 1, 8), 1);
}

#[test]
fn shapes_on_proto() {
    let config = machine("proto", 2, true);
    for queries in [1, 3, 77, 129] {
        run(&config, shape(queries, queries, 2, 64), 2);
    }
    let causal = Shape {
        causal: true,
        kv_heads: 1,
        ..shape(100, 140, 2, 64)
    };
    run(&config, causal, 3);
}

#[test]
fn softmax_hides_behind_the_products() {
    let compiled = run(&machine("proto", 2, true), shape(128, 128, 8, 64), 4);
    let cycles = compiled.prediction.cycles();
    let utilization = compiled.byte_macs as f64 / (1024 * cycles) as f64;
    println!(
        "{cycles} cycles, {utilization:.4}, {:?}",
        compiled.prediction.instructions
    );
    assert!(utilization >= 0.95, "{utilization}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_shape_is_exact(
        (queries, more, kv_heads, group) in (prop_oneof![Just(1), 1usize..40], prop_oneof![0usize..40, 0usize..200], 1usize..5, 1usize..3),
        dim in 1usize..20,
        causal: bool,
        int8: bool,
        (preset, alus, sxm) in (prop::sample::select(vec!["nano", "edge"]), 1usize..4, any::<bool>()),
        scale in prop::sample::select(vec![1e-6, 0.0004, 0.003, 0.1]),
        seed: u64,
    ) {
        let shape = Shape {
            keys: if causal { queries + more } else { more + 1 },
            heads: kv_heads * group,
            kv_heads,
            causal,
            scale,
            weights: if int8 { Weights::Int8 } else { Weights::Int16 },
            ..shape(queries, 1, 1, dim)
        };
        run(&machine(preset, alus, sxm), shape, seed);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let config = machine("proto", 2, true);
    let message = |config: &Config, shape: Shape| {
        attention::compile(config, shape)
            .expect_err("no such attention")
            .to_string()
    };
    let valid = shape(4, 4, 4, 64);
    let mut bare = config.clone();
    bare.vxm = None;
    assert_eq!(
        attention::compile(&bare, valid).unwrap_err(),
        CompileError::NoVectorUnit
    );
    for (wrong, text) in [
        (Shape { dim: 0, ..valid }, "must be at least 1"),
        (
            Shape {
                kv_heads: 3,
                ..valid
            },
            "kv_heads must divide heads",
        ),
        (
            Shape {
                causal: true,
                keys: 3,
                ..valid
            },
            "there are only 3 keys",
        ),
        (
            Shape {
                scale: f32::NAN,
                ..valid
            },
            "must be a positive number",
        ),
        (
            Shape {
                dim: 600,
                queries: 40,
                ..valid
            },
            "vxm.registers is 256: raise it to 1024",
        ),
        (
            Shape {
                keys: 4000,
                ..valid
            },
            "raise it to",
        ),
    ] {
        let message = message(&config, wrong);
        assert!(message.contains(text), "{message}");
    }
}

/// A machine whose register file and operand buffer hold a long cache.
fn decoder() -> Config {
    let mut config = machine("proto", 2, true);
    config.mxm.operand_depth = 512;
    config
}

#[test]
fn decode_reads_keys_and_values_at_full_bandwidth() {
    for keys in [1, 100, 1000] {
        let shape = Shape {
            keys,
            ..shape(1, 1, 8, 64)
        };
        let compiled = run(&decoder(), shape, 6);
        assert_eq!(compiled.mode, Mode::Decode);
        let cycles = compiled.prediction.cycles();
        let share = (2 * keys * 64 * 8) as f64 / (256 * cycles) as f64;
        println!(
            "{keys} keys: {cycles} cycles, {share:.4}, {:?}",
            compiled.prediction.instructions
        );
        assert!(keys < 1000 || share >= 0.9, "{share}");
    }
}
