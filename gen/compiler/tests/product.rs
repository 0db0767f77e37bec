//! Compiled products on the golden machine: values and cycles as predicted, and no fault.

mod common;

use common::{bytes, config, naive};
use lpu_compiler::CompileError;
use lpu_compiler::matmul::{
    BLOCK, Format, Matmul, Mode, Operand, alternatives, alternatives_in, compile, compile_in,
};
use lpu_isa::Config;
use lpu_verif::numeric::{Matrix, Nvfp4Matrix, e4m3_matmul, nvfp4_matmul};
use lpu_verif::{Machine, Vector};
use proptest::prelude::*;
use std::collections::HashMap;

/// Runs the product and compares values and cycles.
fn verify(config: &Config, (m, k, n): (usize, usize, usize), product: &Matmul) {
    let (a, b) = (bytes(m * k, 3), bytes(k * n, 4));
    let vectors = product.pack(&a, &b).unwrap();
    let c = measure(config, product, vectors);
    assert!(c == naive(m, k, n, &a, &b), "{m}x{k}x{n} on {config:?}");
}

/// The same in E4M3 and NVFP4: any patterns, NaN included.
fn verify_in(config: &Config, format: Format, (m, k, n): (usize, usize, usize), product: &Matmul) {
    let blocks = k.div_ceil(BLOCK);
    let matrix = |rows, columns, seed| {
        let bytes = bytes(rows * columns, seed);
        // NaN is rare, so that most results are numbers.
        let rare = |byte: i8, i: usize| match byte & 0x7f {
            0x7f if !i.is_multiple_of(7) => byte & 0x77,
            _ => byte,
        };
        Matrix::from_fn(rows, columns, |r, c| {
            rare(bytes[r * columns + c], r * columns + c) as u8
        })
    };
    let flat = |x: &Matrix<u8>| {
        (0..x.rows())
            .flat_map(|r| x.row(r).to_vec())
            .collect::<Vec<_>>()
    };
    let (a, b) = (matrix(m, k, 3), matrix(k, n, 4));
    let (expected, scales) = match format {
        Format::E4m3 => (e4m3_matmul(&a, &b), [vec![], vec![]]),
        _ => {
            let (x_scales, w_scales) = (matrix(m, blocks, 5), matrix(blocks, n, 6));
            let scales = [flat(&x_scales), flat(&w_scales)];
            let a = Nvfp4Matrix {
                elements: a.clone(),
                scales: x_scales,
            };
            let b = Nvfp4Matrix {
                elements: b.clone(),
                scales: w_scales,
            };
            (nvfp4_matmul(&a, &b), scales)
        }
    };
    let (a, b) = (flat(&a), flat(&b));
    let operand = |elements, scales| Operand { elements, scales };
    let packed = product
        .pack_operands(operand(&a, &scales[0]), operand(&b, &scales[1]))
        .unwrap();
    let c = measure(config, product, packed);
    let c = Matrix::from_fn(m, n, |r, column| c[r * n + column] as u32);
    assert!(
        c == expected,
        "{m}x{k}x{n} in {} on {config:?}",
        format.name()
    );
}

/// Runs the product, compares cycles with the prediction and gives the result.
fn measure(
    config: &Config,
    product: &Matmul,
    vectors: Vec<lpu_compiler::matmul::Vector>,
) -> Vec<i32> {
    let mut machine = Machine::new(config);
    for vector in vectors {
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
    product.unpack(|slice, address| &vectors[&(slice, address)])
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
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn random_machines_multiply_in_their_formats(
        config in config(), nvfp4 in any::<bool>(), m in 1usize..20, k in 1usize..100, n in 1usize..50,
    ) {
        let format = if nvfp4 { Format::Nvfp4 } else { Format::E4m3 };
        match alternatives_in(&config, format, m, k, n) {
            Ok(products) => products.iter().for_each(|product| verify_in(&config, format, (m, k, n), product)),
            Err(CompileError::Schedule(violations)) => panic!("{m}x{k}x{n} on {config:?}: {violations}"),
            Err(_) => {}
        }
    }
}

#[test]
fn presets_multiply_in_formats() {
    let mut modes = Vec::new();
    for preset in ["nano", "edge", "proto", "wide"] {
        let config = Config::preset(&format!("{preset}+e4m3+nvfp4")).unwrap();
        for format in [Format::E4m3, Format::Nvfp4] {
            for shape in [
                (1, 1, 1),
                (7, 33, 65),
                (1, 100, 70),
                (4, 130, 50),
                (9, 64, 64),
                (70, 200, 30),
            ] {
                let (m, k, n) = shape;
                let product = compile_in(&config, format, m, k, n).unwrap();
                verify_in(&config, format, shape, &product);
                modes.push((format, product.schedule.mode));
            }
        }
    }
    for format in [Format::E4m3, Format::Nvfp4] {
        for mode in [Mode::Decode, Mode::Streamed] {
            assert!(modes.contains(&(format, mode)), "{format:?} {mode:?}");
        }
    }
}

#[test]
fn a_format_that_the_machine_lacks_is_refused() {
    let config = Config::preset("proto+e4m3").unwrap();
    let error = compile_in(&config, Format::Nvfp4, 1, 1, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the MXM of this configuration does not multiply nvfp4: add it to mxm.formats, or take a preset with it, such as \
         `--config proto+nvfp4`"
    );
}

#[test]
fn scales_of_the_wrong_size_are_refused() {
    let config = Config::preset("proto+nvfp4").unwrap();
    let product = compile_in(&config, Format::Nvfp4, 2, 20, 1).unwrap();
    let (a, b) = (
        Operand {
            elements: &[0; 40],
            scales: &[0; 3],
        },
        Operand {
            elements: &[0; 20],
            scales: &[0; 2],
        },
    );
    let text = product.pack_operands(a, b).unwrap_err().to_string();
    assert_eq!(
        text,
        "the left scale matrix has 3 elements, a 2 x 2 matrix has 4"
    );
}

/// Formats cost the longer way of a product and its sums, and nothing else.
#[test]
fn e4m3_takes_the_cycles_of_int8_and_the_longer_way() {
    let cycles = |preset, format| {
        let config = Config::preset(preset).unwrap();
        compile_in(&config, format, 512, 512, 512).unwrap().schedule
    };
    let int8 = cycles("proto", Format::Int8);
    let e4m3 = cycles("proto+e4m3", Format::E4m3);
    assert_eq!(e4m3.cycles, int8.cycles + 1 + 3);
    assert!(e4m3.mac_utilization > 0.9996, "{}", e4m3.mac_utilization);
    // Twice as many elements a tile.
    let nvfp4 = cycles("proto+nvfp4", Format::Nvfp4);
    assert!(
        nvfp4.mac_utilization > 0.999 && nvfp4.cycles < int8.cycles / 2 + 100,
        "{nvfp4:?}"
    );
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
