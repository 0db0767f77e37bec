//! Matrix products on RTL: exact, and in the predicted number of cycles, on every preset and on machines of other shapes.

mod pair;

use pair::{model, preset};
use lpu::data::Matrix;
use lpu::run::{Job, Report, RunError};
use lpu_compiler::CompileError;
use lpu_isa::Config;
use lpu_sim::CompiledModel;

/// Shapes that meet the edges of tiles: one element, ragged, more rows than lanes, a long row.
const RAGGED: [[usize; 3]; 4] = [[1, 1, 1], [7, 33, 65], [100, 3, 1000], [1, 2048, 1]];

fn job(config: &Config, [m, k, n]: [usize; 3]) -> Result<Job, RunError> {
    let seed = (m * 7 + k * 5 + n) as u64;
    Job::new(
        config,
        Matrix::seeded(m, k, seed, 0),
        Matrix::seeded(k, n, seed, 1),
    )
}

/// Every element and every cycle of the product as they must be.
fn exact(config: &Config, compiled: &CompiledModel, shape: [usize; 3]) -> Report {
    let job =
        job(config, shape).unwrap_or_else(|error| panic!("{}, {shape:?}: {error}", config.name));
    let finished = job.run_rtl(compiled, None, |_| ()).expect("the tile runs");
    let report = finished.report;
    let what = format!("{shape:?} on {}", config.name);
    if let Some(divergence) = finished.divergence {
        panic!("{what}: {divergence}");
    }
    assert_eq!(report.mismatches, 0, "{what}");
    assert_eq!(report.cycles_measured, report.cycles_predicted, "{what}");
    assert_eq!(
        report.launch_cycles,
        job.compiled().schedule.busy_cycles,
        "{what}"
    );
    let [m, k, n] = shape;
    // Each weight is read, each result is driven and written, at least.
    let (lanes, results) = (config.lanes, m * n.div_ceil(config.lanes) * 8);
    let least = k * n / lanes + results;
    assert!(
        report.events_compared >= least as u64,
        "{what}: {} events",
        report.events_compared
    );
    println!(
        "{what}: {} cycles, {:.4} of the multipliers, {:.4} of the read ports, {:.0} cycles/s",
        report.cycles_measured,
        report.mac_utilization,
        report.sram_read_utilization,
        report.sim_cycles_per_second
    );
    report
}

/// [`exact`], or refused with the numbers if the matrices alone take more vectors than the machine has.
fn fits_or_is_refused(config: &Config, compiled: &CompiledModel, shape: [usize; 3]) {
    let [m, k, n] = shape;
    let lanes = config.lanes;
    let needed = m * k.div_ceil(lanes) + k * n.div_ceil(lanes) + 4 * m * n.div_ceil(lanes);
    let available = config.mem.slices * config.mem.depth;
    if needed <= available {
        exact(config, compiled, shape);
        return;
    }
    let error = refused(config, shape);
    assert!(matches!(error, CompileError::Sram { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(&available.to_string()), "{text}");
    assert!(text.contains("raise mem.depth or mem.slices"), "{text}");
}

fn refused(config: &Config, shape: [usize; 3]) -> CompileError {
    match job(config, shape) {
        Err(RunError::Compile(error)) => error,
        Err(error) => panic!("{shape:?} on {}: {error}", config.name),
        Ok(_) => panic!("{shape:?} fits {}", config.name),
    }
}

fn derived(base: &str, name: &str, change: impl Fn(&mut Config)) -> Config {
    let mut config = preset(base);
    config.name = name.to_owned();
    change(&mut config);
    config.validate().expect("a legal configuration");
    config
}

#[test]
fn nano() {
    let config = preset("nano");
    let compiled = model(&config);
    for shape in RAGGED {
        fits_or_is_refused(&config, &compiled, shape);
    }
    for shape in [[3, 8, 8], [8, 16, 24], [64, 64, 64], [65, 40, 9]] {
        exact(&config, &compiled, shape);
    }
}

#[test]
fn edge() {
    let config = preset("edge");
    let compiled = model(&config);
    for shape in [[1, 1, 1], [7, 33, 65], [16, 256, 256], [1, 2048, 1]] {
        exact(&config, &compiled, shape);
    }
}

#[test]
fn proto() {
    let config = preset("proto");
    let compiled = model(&config);
    for shape in RAGGED {
        exact(&config, &compiled, shape);
    }
    let batch = exact(&config, &compiled, [128, 576, 1536]);
    assert!(batch.mac_utilization >= 0.98, "{batch:?}");
    let decode = exact(&config, &compiled, [1, 576, 1536]);
    assert!(decode.sram_read_utilization >= 0.95, "{decode:?}");
    let cube = exact(&config, &compiled, [512, 512, 512]);
    assert!(cube.mac_utilization >= 0.9994, "{cube:?}");
}

#[test]
fn wide() {
    let config = preset("wide");
    let compiled = model(&config);
    for shape in [[1, 1, 1], [7, 33, 65], [1, 576, 1536]] {
        exact(&config, &compiled, shape);
    }
}

#[test]
fn two_planes() {
    let config = derived("nano", "two-planes", |config| {
        config.mxm.planes = 2;
        config.mem.slices = 8;
    });
    let compiled = model(&config);
    for shape in RAGGED {
        fits_or_is_refused(&config, &compiled, shape);
    }
    for shape in [[64, 64, 64], [9, 16, 17]] {
        exact(&config, &compiled, shape);
    }
}

#[test]
fn one_weight_stream() {
    let config = derived("nano", "one-weight-stream", |config| {
        config.mxm.weight_streams = 1
    });
    let compiled = model(&config);
    for shape in [[1, 1, 1], [7, 33, 65], [32, 40, 48]] {
        exact(&config, &compiled, shape);
    }
}

#[test]
fn few_streams() {
    // Four streams each way: a result takes all that go west.
    let config = derived("nano", "few-streams", |config| {
        config.streams = 4;
        config.mxm.weight_streams = 2;
        config.mem.slices = 5;
    });
    let compiled = model(&config);
    for shape in [[1, 1, 1], [7, 33, 65], [32, 40, 48], [1, 300, 40]] {
        exact(&config, &compiled, shape);
    }
}

#[test]
fn shallow() {
    let config = derived("nano", "shallow", |config| {
        config.mem.depth = 64;
        config.mxm.accumulator_depth = 2;
        config.mxm.operand_depth = 2;
        config.icu.queue_depth = 128;
    });
    let compiled = model(&config);
    for shape in [[1, 1, 1], [5, 17, 9], [16, 16, 16], [2, 60, 8]] {
        exact(&config, &compiled, shape);
    }
}

#[test]
fn deep() {
    let config = derived("edge", "deep", |config| {
        config.mem.depth = 65536;
        config.mem.slices = 4;
        config.streams = 20;
        config.mxm.weight_streams = 4;
        config.mxm.accumulator_depth = 16;
        config.mxm.operand_depth = 512;
    });
    let compiled = model(&config);
    for shape in [[1, 1, 1], [7, 33, 65], [3, 2048, 700]] {
        exact(&config, &compiled, shape);
    }
}

#[test]
fn what_does_not_fit_is_refused_with_the_numbers() {
    let nano = preset("nano");
    let error = refused(&nano, [128, 576, 1536]);
    assert!(matches!(error, CompileError::Sram { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("8192") && text.contains("raise mem.depth or mem.slices"),
        "{text}"
    );
    for slices in 1..=3 {
        let config = derived("nano", "few-slices", |config| config.mem.slices = slices);
        let error = refused(&config, [1, 1, 1]);
        assert_eq!(
            error,
            CompileError::Slices {
                needed: 4,
                available: slices
            }
        );
        assert!(
            error.to_string().contains("raise mem.slices to 4"),
            "{error}"
        );
    }
    let planes = derived("nano", "planes", |config| config.mxm.planes = 2);
    let text = refused(&planes, [1, 1, 1]).to_string();
    assert!(text.contains("raise mem.slices to 8"), "{text}");
    let short = derived("nano", "short-queues", |config| config.icu.queue_depth = 16);
    let error = refused(&short, [65, 40, 9]);
    assert!(
        matches!(error, CompileError::ProgramMemory { available: 16, .. }),
        "{error}"
    );
    assert!(matches!(
        refused(&nano, [0, 1, 1]),
        CompileError::Empty { .. }
    ));
    let inner = Job::new(
        &nano,
        Matrix::seeded(2, 3, 0, 0),
        Matrix::seeded(4, 5, 0, 1),
    );
    let text = inner.err().expect("inner dimensions differ").to_string();
    assert!(text.contains("2 x 3") && text.contains("4 x 5"), "{text}");
}
