//! Compiled products on the golden machine: values and cycles as predicted, and no fault.

mod common;

use common::{bytes, config, naive};
use lpu_compiler::CompileError;
use lpu_compiler::matmul::{Matmul, Mode, alternatives, compile};
use lpu_isa::Config;
use lpu_verif::{Machine, Vector};
use proptest::prelude::*;
use std::collections::HashMap;

/// Runs the product and compares values and cycles.
fn verify(config: &Config, (m, k, n): (usize, usize, usize), product: &Matmul) {
    let (a, b) = (bytes(m * k, 3), bytes(k * n, 4));
    let mut machine = Machine::new(config);
    for vector in product.pack(&a, &b).unwrap() {
        machine.write_sram(vector.slice, vector.address, &Vector::encode(&vector.bytes));
    }
    for (slice, address) in product.layout.result_vectors() {
        machine.write_sram(slice, address, &Vector::encode(&vec![0x5a; config.lanes]));
    }
    machine.load(&product.program).unwrap();
    let schedule = &product.schedule;
    let (report, _) = machine.launch_and_run(schedule.busy_cycles + 1).unwrap();
    assert!(
        report.faults.iter().all(Option::is_none),
        "{:?}",
        report.faults
    );
    assert_eq!(report.cycles, schedule.busy_cycles);
    assert_eq!(report.first_read, schedule.prediction.first_read);
    assert_eq!(report.last_write, schedule.prediction.last_write);
    let lanes = |slice, address| machine.sram(slice, address).lanes(config.lanes);
    let vectors: HashMap<_, _> = product
        .layout
        .result_vectors()
        .map(|place| (place, lanes(place.0, place.1)))
        .collect();
    let c = product.unpack(|slice, address| &vectors[&(slice, address)]);
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
