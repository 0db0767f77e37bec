//! Compiled products compute products, on any machine.

mod interpreter;

use interpreter::Machine;
use lpu_compiler::CompileError;
use lpu_compiler::matmul::{Matmul, Mode, alternatives, compile};
use lpu_isa::Config;
use lpu_isa::config::{IcuConfig, MemConfig, MxmConfig};
use proptest::prelude::*;

/// Reproducible bytes that show every sign.
fn bytes(count: usize, seed: u64) -> Vec<i8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as i8
    };
    (0..count).map(|_| next()).collect()
}

fn naive(m: usize, k: usize, n: usize, a: &[i8], b: &[i8]) -> Vec<i32> {
    let dot = |row: usize, column: usize| -> i32 {
        let term = |i: usize| i32::from(a[row * k + i]) * i32::from(b[i * n + column]);
        (0..k).map(term).sum()
    };
    (0..m)
        .flat_map(|row| (0..n).map(move |column| dot(row, column)))
        .collect()
}

/// Runs the product on the interpreter and compares it with the definition.
fn verify(config: &Config, (m, k, n): (usize, usize, usize), product: &Matmul) {
    let (a, b) = (bytes(m * k, 1), bytes(k * n, 2));
    let mut machine = Machine::new(config);
    for vector in product.pack(&a, &b).unwrap() {
        let old = machine
            .sram
            .insert((vector.slice, vector.address), vector.bytes);
        assert!(
            old.is_none(),
            "two vectors at {}:{}",
            vector.slice,
            vector.address
        );
    }
    for place in product.layout.result_vectors() {
        let old = machine.sram.insert(place, vec![0x5a; config.lanes]);
        assert!(old.is_none(), "the result overlaps at {place:?}");
    }
    machine.run(config, &product.program);
    let c = product.unpack(|slice, address| &machine.sram[&(slice, address)]);
    assert!(c == naive(m, k, n, &a, &b), "{m}x{k}x{n} on {config:?}");
}

fn run(config: &Config, shape: (usize, usize, usize)) -> Matmul {
    let (m, k, n) = shape;
    let product = compile(config, m, k, n).unwrap_or_else(|error| panic!("{m}x{k}x{n}: {error}"));
    verify(config, shape, &product);
    product
}

#[test]
fn presets_multiply() {
    for preset in ["nano", "edge", "proto", "wide"] {
        let config = Config::preset(preset).unwrap();
        for shape in [
            (1, 1, 1),
            (7, 33, 65),
            (1, 100, 70),
            (4, 130, 50),
            (9, 64, 64),
            (70, 20, 30),
            (3, 1, 100),
            (130, 9, 9),
        ] {
            run(&config, shape);
        }
    }
}

#[test]
fn the_shapes_of_the_figures_multiply() {
    let config = Config::preset("proto").unwrap();
    for shape in [
        (512, 512, 512),
        (128, 576, 1536),
        (16, 576, 1536),
        (4, 576, 1536),
        (1, 576, 1536),
        (1, 2048, 1),
        (100, 3, 1000),
    ] {
        run(&config, shape);
    }
}

#[test]
fn a_long_row_multiplies_in_chunks_of_the_operand_buffer() {
    let mut config = Config::preset("nano").unwrap();
    config.mxm.operand_depth = 4;
    config.mxm.accumulator_depth = 4;
    for shape in [(1, 100, 100), (2, 100, 100), (2, 77, 9)] {
        let product = run(&config, shape);
        assert_eq!(product.schedule.mode, Mode::Decode, "{shape:?}");
    }
}

fn config() -> impl Strategy<Value = Config> {
    let shape = (3u32..5, 1usize..5, 4usize..18, 4u32..9, 1usize..4);
    let mxm = (0u32..4, 1u32..6, 1u32..6, 4u32..8);
    (shape, mxm).prop_filter_map(
        "valid",
        |((lanes, streams, slices, depth, planes), (width, accumulators, operands, queue))| {
            let config = Config {
                name: "random".to_owned(),
                lanes: 1 << lanes,
                streams: 4 * streams,
                mem: MemConfig {
                    slices,
                    depth: 1 << depth,
                },
                mxm: MxmConfig {
                    planes,
                    weight_streams: 1 << width,
                    accumulator_depth: 1 << accumulators,
                    operand_depth: 1 << operands,
                },
                icu: IcuConfig {
                    queue_depth: 1 << queue,
                },
            };
            config.validate().is_ok().then_some(config)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_machines_multiply(config in config(), m in 1usize..40, k in 1usize..80, n in 1usize..80) {
        match alternatives(&config, m, k, n) {
            Ok(products) => products.iter().for_each(|product| verify(&config, (m, k, n), product)),
            Err(CompileError::Schedule(violations)) => panic!("{m}x{k}x{n} on {config:?}: {violations}"),
            Err(_) => {}
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_schedule_that_fits_multiplies(m in 1usize..12, k in 1usize..70, n in 1usize..70, planes in 1usize..4) {
        let mut config = Config::preset("nano").unwrap();
        config.mem.slices = 13;
        config.mxm.planes = planes;
        config.mxm.operand_depth = 16;
        config.mxm.accumulator_depth = 16;
        let products = alternatives(&config, m, k, n).unwrap();
        prop_assert!(products.len() > 20);
        prop_assert!(products.is_sorted_by_key(|product| product.schedule.cycles));
        for product in products {
            verify(&config, (m, k, n), &product);
        }
    }
}
