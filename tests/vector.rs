//! Kernels of the vector unit on RTL: equal to the golden kernels in every bit, in the predicted cycles, close to double precision.

mod pair;

use lpu::data::Matrix;
use lpu::run::{Job, Report};
use lpu::workload::Rows;
use lpu::workload::rows::{Rotation, patterns};
use lpu_compiler::vector::{Element, Kernel, Spread};
use lpu_isa::Config;
use lpu_isa::config::{SxmConfig, VxmConfig};
use lpu_sim::CompiledModel;

const EPSILON: f32 = 1e-5;

/// Every kernel, with the largest error of a row that it may have, in units of the row's largest element.
fn kernels() -> Vec<(Kernel, f64)> {
    let quantise = |format| Kernel::Quantise { format };
    let dequantise = |format| Kernel::Dequantise { format };
    vec![
        (Kernel::Softmax { scale: 0.5 }, 1e-6),
        (Kernel::RmsNorm { epsilon: EPSILON }, 5e-7),
        (Kernel::LayerNorm { epsilon: EPSILON }, 5e-7),
        (Kernel::Silu { gated: false }, 5e-7),
        (Kernel::Silu { gated: true }, 5e-7),
        (Kernel::Gelu, 5e-7),
        (Kernel::Rope { heads: 2 }, 2e-7),
        // Half a step of the largest element.
        (quantise(Element::Int8), 0.5001 / 127.0),
        (quantise(Element::E4m3), 0.5001 / 14.0),
        (quantise(Element::E2m1), 0.18),
        (dequantise(Element::Int32), 2e-7),
        (dequantise(Element::Int8), 2e-7),
        (dequantise(Element::E4m3), 2e-7),
    ]
}

fn run(
    config: &Config,
    model: &CompiledModel,
    (rows, columns): (usize, usize),
    spread: Option<Spread>,
    (kernel, bound): (Kernel, f64),
) -> Report {
    let matrix = |rows, columns, stream| {
        patterns(&Matrix::seeded_reals(rows, columns, columns as u64, stream))
    };
    let mut x = matrix(rows, columns, 0);
    let (mut rest, mut rotation) = (vec![], None);
    match kernel {
        Kernel::RmsNorm { .. } => rest = vec![matrix(1, columns, 1)],
        Kernel::LayerNorm { .. } => rest = vec![matrix(1, columns, 1), matrix(1, columns, 2)],
        Kernel::Silu { gated: true } => rest = vec![matrix(rows, columns, 1)],
        Kernel::Rope { .. } => {
            rotation = Some(Rotation {
                offset: 1000,
                base: 10000.0,
            });
        }
        Kernel::Dequantise { format } => {
            rest = vec![matrix(1, rows, 1), matrix(1, columns, 2)];
            for word in &mut x.elements {
                *word = match format {
                    Element::Int32 => *word >> 4,
                    // No NaN of E4M3.
                    _ => *word & 0x77,
                };
            }
        }
        _ => {}
    }
    let operands = std::iter::once(x).chain(rest).collect();
    let workload = Rows::new(config, spread, kernel, operands, rotation).expect("it fits");
    let finished = Job::new(config, workload).run_rtl(model, None, |_| ());
    let report = finished.expect("the tile runs").report;
    let what = format!(
        "{kernel:?}, {rows} x {columns}, {spread:?}, {}",
        config.hash()
    );
    assert_eq!(report.mismatches, 0, "{what}");
    assert_eq!(report.cycles_measured, report.cycles_predicted, "{what}");
    let errors = report.errors.expect("a rounded result");
    assert!(errors.max_rel_error <= bound, "{what}: {errors:?}");
    report
}

#[test]
fn edge() {
    let config = pair::preset("edge");
    let model = pair::model(&config);
    for kernel in kernels() {
        for (shape, spread) in [((5, 36), None), ((19, 20), Some(Spread::PerLane))] {
            run(&config, &model, shape, spread, kernel);
        }
    }
}

/// Four slices, eight streams, sixteen registers: columns go through registers, chunk by chunk.
#[test]
fn a_narrow_machine_of_three_alus() {
    let mut config = pair::preset("nano");
    config.name = "three ALUs".to_owned();
    config.vxm = Some(VxmConfig {
        alus: 3,
        registers: 16,
    });
    config.sxm = Some(SxmConfig { maps: 2 });
    let model = pair::model(&config);
    for kernel in kernels() {
        run(&config, &model, (3, 44), None, kernel);
    }
}

#[test]
fn off_the_presets() {
    for config in pair::off_default() {
        let model = pair::model(&config);
        for kernel in kernels() {
            run(&config, &model, (3, 20), None, kernel);
        }
    }
}
