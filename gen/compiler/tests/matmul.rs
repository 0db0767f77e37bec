//! Predicted figures of compiled products, and the errors of those that do not fit.

use lpu_compiler::CompileError;
use lpu_compiler::matmul::{Mode, Schedule, compile};
use lpu_isa::Config;

fn proto() -> Config {
    Config::preset("proto").unwrap()
}

fn schedule(m: usize, k: usize, n: usize) -> Schedule {
    let product =
        compile(&proto(), m, k, n).unwrap_or_else(|error| panic!("{m} x {k} x {n}: {error}"));
    product.schedule
}

/// The figures of `docs/compiler.md`, as its table shows them.
#[test]
fn figures_of_the_documentation() {
    let docs = include_str!("../../../docs/compiler.md");
    let mut table =
        "| m x k x n | schedule | c | T | cycles | MAC | weight bytes | most instructions |\n"
            .to_owned();
    table += "|---|---|---|---|---|---|---|---|\n";
    for (m, k, n) in [
        (512, 512, 512),
        (128, 576, 1536),
        (16, 576, 1536),
        (8, 576, 1536),
        (4, 576, 1536),
        (1, 576, 1536),
        (1, 2048, 1),
        (100, 3, 1000),
        (7, 33, 65),
        (1, 1, 1),
    ] {
        let s = schedule(m, k, n);
        let most = s.prediction.instructions.iter().max().unwrap();
        table += &format!(
            "| {m} x {k} x {n} | {:?} | {} | {} | {} | {:.2} % | {:.2} % | {most} |\n",
            s.mode,
            s.weight_streams,
            s.tile_cycles,
            s.cycles,
            100.0 * s.mac_utilization,
            100.0 * s.weight_utilization,
        );
        assert_eq!(s.prediction.unused_values, 0);
        assert_eq!(s.macs, (m * k * n) as u64);
    }
    println!("{table}");
    assert!(
        docs.contains(&table),
        "docs/compiler.md should show\n{table}"
    );
}

#[test]
fn large_products_use_the_multipliers() {
    let s = schedule(512, 512, 512);
    assert_eq!(s.mode, Mode::Streamed);
    assert!(s.mac_utilization >= 0.9994, "{s:?}");
    let s = schedule(128, 576, 1536);
    assert!(s.mac_utilization >= 0.98, "{s:?}");
}

#[test]
fn small_products_use_the_bandwidth() {
    let s = schedule(1, 576, 1536);
    assert_eq!(s.mode, Mode::Decode);
    assert!(s.weight_utilization >= 0.95, "{s:?}");
    assert!(
        s.prediction.instructions.iter().all(|&count| count <= 5),
        "{s:?}"
    );
    for m in [4, 8, 16] {
        let s = schedule(m, 576, 1536);
        let tiles = (576 / 32) * (1536 / 32);
        assert!(s.tile_cycles <= m.max(4));
        assert!(s.cycles <= (tiles * s.tile_cycles + 120) as u64, "{s:?}");
    }
}

#[test]
fn a_decode_product_takes_as_many_instructions_whatever_its_size() {
    let count = |k, n| {
        schedule(1, k, n)
            .prediction
            .instructions
            .iter()
            .sum::<usize>()
    };
    assert_eq!(count(256, 512), count(1024, 1536));
}

#[test]
fn the_same_arguments_give_the_same_program() {
    let product = |_| compile(&proto(), 33, 100, 200).unwrap().program;
    assert_eq!(product(0), product(1));
}

fn error(config: &Config, m: usize, k: usize, n: usize) -> CompileError {
    match compile(config, m, k, n) {
        Ok(product) => panic!("{m} x {k} x {n} fits: {:?}", product.schedule),
        Err(error) => error,
    }
}

#[test]
fn products_that_do_not_fit_say_why() {
    let text = error(&proto(), 0, 1, 1).to_string();
    assert_eq!(
        text,
        "a product of 0 x 1 by 1 x 1 has no elements: each dimension must be at least 1"
    );

    let text = error(&proto(), 2048, 2048, 2048).to_string();
    assert_eq!(
        text,
        "the matrices take 786432 vectors of SRAM (left 131072, right 131072, result 524288) and the machine has 65536: \
         raise mem.depth or mem.slices, or split the product"
    );
    let most = usize::MAX;
    for (m, k, n) in [(most, most, most), (most, 1, 1), (1, most, 1), (1, 1, most)] {
        let preset = Config::preset("nano").unwrap();
        assert!(matches!(error(&preset, m, k, n), CompileError::Sram { .. }));
    }
    // A class of weights (32 rows) is larger than a slice.
    let mut config = proto();
    (config.mem.depth, config.mxm.weight_streams) = (16, 1);
    let text = error(&config, 1, 1, 1).to_string();
    assert!(
        text.starts_with("the matrices take 37 of 128 vectors of SRAM, but no placement"),
        "{text}"
    );

    let mut config = proto();
    config.mem.slices = 3;
    let text = error(&config, 1, 1, 1).to_string();
    assert!(
        text.contains("needs 4 MEM slices") && text.contains("raise mem.slices to 4"),
        "{text}"
    );

    let mut config = proto();
    config.icu.queue_depth = 16;
    let text = error(&config, 16, 576, 1536).to_string();
    assert!(
        text.contains("icu.queue_depth is 16: raise it to 32"),
        "{text}"
    );

    let mut config = proto();
    config.lanes = 7;
    assert!(matches!(error(&config, 1, 1, 1), CompileError::Config(_)));
}

#[test]
fn matrices_of_the_wrong_size_are_refused() {
    let product = compile(&proto(), 2, 3, 4).unwrap();
    let text = product.pack(&[0; 5], &[0; 12]).unwrap_err().to_string();
    assert_eq!(text, "the left matrix has 5 elements, a 2 x 3 matrix has 6");
    let text = product.pack(&[0; 6], &[0; 6]).unwrap_err().to_string();
    assert_eq!(
        text,
        "the right matrix has 6 elements, a 3 x 4 matrix has 12"
    );
}

#[test]
fn images_hold_the_packed_vectors() {
    let config = proto();
    let product = compile(&config, 2, 3, 4).unwrap();
    let (a, b) = ([1, 2, 3, 4, 5, 6], [7; 12]);
    let images = product.images(&a, &b).unwrap();
    assert!(
        images
            .iter()
            .all(|image| image.len() == config.mem.depth * config.lanes)
    );
    for vector in product.pack(&a, &b).unwrap() {
        let first = vector.address * config.lanes;
        assert_eq!(
            images[vector.slice][first..first + config.lanes],
            vector.bytes
        );
    }
}
