//! Compiled kernels of the vector unit on the golden machine, against the golden kernels, bit for bit.

use lpu_compiler::vector::{self, Compiled, Element, Kernel, Shape, Spread};
use lpu_isa::Config;
use lpu_isa::config::{SxmConfig, VxmConfig};
use lpu_verif::kernels::{Order, activation, norm, quantise, rope, softmax};
use lpu_verif::numeric::{e4m3, fp32};
use lpu_verif::{Machine, Status, Vector};
use proptest::prelude::*;

/// A preset with a vector unit.
fn machine(preset: &str, alus: usize, registers: usize) -> Config {
    let mut config = Config::preset(preset).unwrap();
    config.vxm = Some(VxmConfig { alus, registers });
    config.sxm = Some(SxmConfig { maps: 16 });
    config.icu.queue_depth = 4096;
    config
}

fn shape(rows: usize, columns: usize, kernel: Kernel) -> Shape {
    Shape {
        rows,
        columns,
        spread: None,
        kernel,
    }
}

/// Numbers that look like nothing, most of them within a few units of zero.
fn words(count: usize, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let value = (state >> 40) as f32 / 2f32.powi(21) - 4.0;
        let value = if state >> 32 & 63 == 0 {
            value * 30.0
        } else {
            value
        };
        value.to_bits()
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Operands of a kernel.
fn operands(shape: Shape, seed: u64) -> Vec<Vec<u32>> {
    let Shape { rows, columns, .. } = shape;
    let sizes = match shape.kernel {
        Kernel::Softmax { .. } | Kernel::Gelu | Kernel::Quantise { .. } => vec![rows * columns],
        Kernel::RmsNorm { .. } => vec![rows * columns, columns],
        Kernel::LayerNorm { .. } => vec![rows * columns, columns, columns],
        Kernel::Silu { gated } => vec![rows * columns; 1 + usize::from(gated)],
        Kernel::Rope { heads } => {
            let angles = rows * columns / heads / 2;
            vec![rows * columns, angles, angles]
        }
        Kernel::Dequantise { .. } => vec![rows * columns, rows, columns],
    };
    let mut operands: Vec<Vec<u32>> = (0..sizes.len())
        .map(|i| words(sizes[i], seed + i as u64))
        .collect();
    if let Kernel::Dequantise { format } = shape.kernel {
        for word in &mut operands[0] {
            let value = (f32::from_bits(*word) * 1000.0) as i32;
            *word = match format {
                Element::Int32 => value as u32,
                _ => u32::from(value as u8),
            };
        }
    }
    operands
}

/// What the golden kernels make of them.
fn golden(shape: Shape, operands: &[Vec<u32>], order: Order) -> Vec<Vec<u32>> {
    let x = &operands[0];
    let columns = shape.columns;
    let rows = || x.chunks(columns);
    match shape.kernel {
        Kernel::Softmax { scale } => {
            let factor = (f64::from(scale) * std::f64::consts::LOG2_E) as f32;
            let row = |row| softmax::softmax(row, factor.to_bits(), order);
            vec![rows().flat_map(row).collect()]
        }
        Kernel::RmsNorm { epsilon } => {
            let row = |row| norm::rms_norm(row, &operands[1], epsilon.to_bits(), order);
            vec![rows().flat_map(row).collect()]
        }
        Kernel::LayerNorm { epsilon } => {
            let [_, gamma, beta] = operands else {
                unreachable!()
            };
            let row = |row| norm::layer_norm(row, gamma, beta, epsilon.to_bits(), order);
            vec![rows().flat_map(row).collect()]
        }
        Kernel::Silu { gated: false } => vec![x.iter().copied().map(activation::silu).collect()],
        Kernel::Silu { gated: true } => {
            let pairs = x.iter().zip(&operands[1]);
            vec![
                pairs
                    .map(|(&x, &gate)| activation::swiglu(x, gate))
                    .collect(),
            ]
        }
        Kernel::Gelu => vec![x.iter().copied().map(activation::gelu).collect()],
        Kernel::Rope { heads } => {
            let half = columns / heads / 2;
            let angles = operands[1].chunks(half).zip(operands[2].chunks(half));
            let rows = rows().zip(angles);
            vec![
                rows.flat_map(|(row, (cos, sin))| rope::rope(row, heads, cos, sin))
                    .collect(),
            ]
        }
        Kernel::Quantise { format } => {
            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            for row in rows() {
                let format = match format {
                    Element::Int8 => quantise::Format::Int8,
                    Element::E4m3 => quantise::Format::E4m3,
                    _ => {
                        let (row_codes, row_scales) = quantise::quantise_nvfp4(row);
                        codes.extend(row_codes.into_iter().map(u32::from));
                        scales.extend(row_scales.into_iter().map(u32::from));
                        continue;
                    }
                };
                let (row_codes, scale) = quantise::quantise(row, format);
                codes.extend(row_codes.into_iter().map(u32::from));
                scales.push(scale);
            }
            vec![codes, scales]
        }
        Kernel::Dequantise { format } => {
            let value = |word: u32| match format {
                Element::Int32 => fp32::from_i32(word as i32),
                Element::Int8 => fp32::from_i32((word as i8).into()),
                _ => e4m3::to_fp32(word as u8),
            };
            let element = |(i, &word): (usize, &u32)| {
                let (row, column) = (operands[1][i / columns], operands[2][i % columns]);
                quantise::dequantise(value(word), row, column)
            };
            vec![x.iter().enumerate().map(element).collect()]
        }
    }
}

/// Compiles and runs on the golden machine; the results have to be those of the golden kernels.
fn run(config: &Config, shape: Shape, seed: u64) -> Compiled {
    let compiled =
        vector::compile(config, shape).unwrap_or_else(|error| panic!("{shape:?}: {error}"));
    let operands = operands(shape, seed);
    let words: Vec<&[u32]> = operands.iter().map(Vec::as_slice).collect();
    let mut machine = Machine::new(config);
    for vector in compiled.pack(&words).unwrap() {
        machine.write_sram(vector.slice, vector.address, &Vector::encode(&vector.bytes));
    }
    machine.load(&compiled.program).unwrap();
    machine.launch();
    let mut events = Vec::new();
    while machine.run(1 << 12, &mut events) == Status::Running {
        events.clear();
    }
    let report = machine.report();
    let replay = format!("{shape:?}, seed {seed}, configuration {}", config.hash());
    assert!(
        report.faults.iter().all(Option::is_none),
        "{replay}: {:?}",
        report.faults
    );
    assert_eq!(report.cycles, compiled.prediction.busy_cycles, "{replay}");
    assert_eq!(report.first_read, compiled.prediction.first_read);
    assert_eq!(report.last_write, compiled.prediction.last_write);
    let places: std::collections::HashMap<_, _> = compiled
        .result_vectors()
        .map(|(slice, address)| {
            let vector = machine.sram(slice, address).lanes(config.lanes);
            ((slice, address), vector)
        })
        .collect();
    let results = compiled.unpack(&|slice, address| &places[&(slice, address)]);
    let order = Order {
        lanes: (compiled.spread == Spread::OverLanes).then_some(config.lanes),
        partials: compiled.partials,
    };
    let golden = golden(shape, &operands, order);
    assert_eq!(results.len(), golden.len());
    for (result, golden) in results.iter().zip(&golden) {
        assert_eq!(result.len(), golden.len(), "{replay}");
        if let Some(i) = (0..golden.len()).find(|&i| golden[i] != result[i]) {
            panic!(
                "{replay}: element {i} is {:#x}, not {:#x}",
                result[i], golden[i]
            );
        }
    }
    compiled
}

const EPSILON: f32 = 1e-5;

/// Every kernel, for rows of `columns` elements (RoPE: rounded to pairs).
fn kernels() -> Vec<Kernel> {
    let mut kernels = vec![
        Kernel::Softmax { scale: 0.7 },
        Kernel::RmsNorm { epsilon: EPSILON },
        Kernel::LayerNorm { epsilon: EPSILON },
        Kernel::Silu { gated: false },
        Kernel::Silu { gated: true },
        Kernel::Gelu,
        Kernel::Rope { heads: 1 },
    ];
    for format in [Element::Int8, Element::E4m3, Element::E2m1] {
        kernels.push(Kernel::Quantise { format });
    }
    for format in [Element::Int32, Element::Int8, Element::E4m3] {
        kernels.push(Kernel::Dequantise { format });
    }
    kernels
}

/// All kernels in both layouts.
fn run_all(config: &Config, rows: usize, columns: usize) {
    for kernel in kernels() {
        for spread in [Spread::OverLanes, Spread::PerLane] {
            let kernel = match kernel {
                Kernel::Rope { .. } if columns.is_multiple_of(6) => Kernel::Rope { heads: 3 },
                other => other,
            };
            let columns = match kernel {
                Kernel::Rope { .. } => columns.next_multiple_of(2),
                _ => columns,
            };
            let blocks = Kernel::Quantise {
                format: Element::E2m1,
            };
            if kernel == blocks && spread == Spread::OverLanes {
                continue;
            }
            let shape = Shape {
                spread: Some(spread),
                ..shape(rows, columns, kernel)
            };
            run(config, shape, (rows * columns) as u64);
        }
    }
}

#[test]
fn small_and_ragged_on_edge() {
    let config = machine("edge", 2, 256);
    for (rows, columns) in [(1, 1), (1, 16), (3, 37), (17, 5), (40, 48)] {
        run_all(&config, rows, columns);
    }
}

#[test]
fn other_machines() {
    for alus in 1..=4 {
        for (preset, registers) in [
            ("nano", 16),
            ("nano", 32),
            ("nano", 1024),
            ("edge", 16),
            ("edge", 64),
        ] {
            run_all(&machine(preset, alus, registers), 5, 43);
        }
    }
    let mut config = machine("wide", 2, 128);
    run_all(&config, 2, 200);
    config.mem.slices = 5;
    run_all(&config, 70, 33);
}

#[test]
fn long_rows_pass_through_a_small_register_file() {
    for alus in [1, 2] {
        for preset in ["nano", "edge"] {
            let mut config = machine(preset, alus, 16);
            config.mem.depth = 4096;
            run_all(&config, 1, 700);
        }
    }
}

/// The schedule that `docs/kernels.md` draws.
#[test]
fn the_drawn_softmax() {
    let config = Config::preset("edge").unwrap();
    let compiled = run(&config, shape(3, 32, Kernel::Softmax { scale: 1.0 }), 1);
    assert_eq!(compiled.partials, 2);
    assert_eq!(compiled.passes, 3 * 6 + 2 * 3 + (6 + 6) + (3 + 3));
    assert_eq!(compiled.prediction.cycles(), 360);
}

#[test]
fn figures_of_proto() {
    let config = Config::preset("proto").unwrap();
    for (rows, columns) in [(1, 576), (1, 4096), (4, 4096), (128, 576)] {
        for kernel in kernels() {
            let kernel = match kernel {
                Kernel::Rope { .. } => Kernel::Rope {
                    heads: columns / 64,
                },
                other => other,
            };
            // A lane holds a row, and one row takes the room of 32.
            if kernel
                == (Kernel::Quantise {
                    format: Element::E2m1,
                })
                && columns > 1000
            {
                continue;
            }
            let compiled = run(&config, shape(rows, columns, kernel), 5);
            let (cycles, bound) = (compiled.prediction.cycles(), compiled.bound);
            println!(
                "{rows} x {columns} {kernel:?}: {cycles} cycles, bound {bound} ({:.3}), {} passes, {} partials",
                bound as f64 / cycles as f64,
                compiled.passes,
                compiled.partials
            );
            assert!(cycles >= bound);
            assert!(
                rows < 128 || 100 * bound >= 85 * cycles,
                "{kernel:?}: {cycles} cycles, bound {bound}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn any_shape_on_any_machine(
        kernel in 0usize..13,
        rows in 1usize..40,
        columns in 1usize..90,
        per_lane: bool,
        preset in prop::sample::select(vec!["nano", "edge", "proto", "wide"]),
        alus in 1usize..5,
        registers in 4u32..11,
        slices in 4usize..12,
        seed: u64,
    ) {
        let mut config = machine(preset, alus, 1 << registers);
        config.mem.slices = slices;
        let spread = match per_lane {
            true => Some(Spread::PerLane),
            false => None,
        };
        let kernel = kernels()[kernel];
        let columns = match kernel {
            Kernel::Rope { .. } => columns.next_multiple_of(2),
            _ => columns,
        };
        run(&config, Shape { spread, ..shape(rows, columns, kernel) }, seed >> 1);
    }
}

/// Random shapes to try; `LPU_CASES` asks for more.
fn cases() -> u32 {
    let asked = std::env::var("LPU_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    let config = machine("edge", 2, 256);
    let softmax = Kernel::Softmax { scale: 1.0 };
    let mut narrow = config.clone();
    narrow.mem.slices = 3;
    let mut switchless = config.clone();
    switchless.sxm = None;
    let mut plain = config.clone();
    plain.vxm = None;
    let over = |kernel| Shape {
        spread: Some(Spread::OverLanes),
        ..shape(4, 4, kernel)
    };
    let blocks = Kernel::Quantise {
        format: Element::E2m1,
    };
    for (config, shape, text) in [
        (&narrow, shape(1, 1, softmax), "raise mem.slices to 4"),
        (&plain, shape(1, 1, softmax), "add [vxm]"),
        (&switchless, over(softmax), "add [sxm]"),
        (&config, over(blocks), "rows must lie per lane"),
        (&config, shape(0, 3, softmax), "0 x 3 has no elements"),
        (
            &config,
            shape(1, 3, Kernel::Softmax { scale: 0.0 }),
            "scale of a softmax is 0",
        ),
        (
            &config,
            shape(1, 3, Kernel::RmsNorm { epsilon: -1.0 }),
            "epsilon is -1",
        ),
        (
            &config,
            shape(1, 9, Kernel::Rope { heads: 3 }),
            "9 columns are not 3 heads",
        ),
        (&config, shape(4000, 80, softmax), "raise it to 65536"),
    ] {
        let error = vector::compile(config, shape).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    // What needs no switch unit runs without.
    let compiled = run(&switchless, shape(20, 9, softmax), 1);
    assert_eq!(compiled.spread, Spread::PerLane);
}
