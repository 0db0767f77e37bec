//! Attention on RTL: equal to the golden kernel in every bit, in the predicted cycles, close to double precision.

mod pair;

use lpu::data::Matrix;
use lpu::run::{Job, Report};
use lpu::workload::Attention;
use lpu::workload::attention::{Options, Scales};
use lpu_compiler::attention::Weights;
use lpu_isa::Config;
use lpu_sim::CompiledModel;

const STEP: f64 = 1.0 / 32.0;

fn options(queries: usize, heads: usize, dim: usize) -> Options {
    Options {
        queries,
        keys: queries,
        heads,
        kv_heads: heads,
        dim,
        causal: false,
        weights: Weights::Int16,
        scales: Scales {
            q: STEP,
            k: STEP,
            v: STEP,
        },
    }
}

fn run(config: &Config, model: &CompiledModel, options: Options) -> Report {
    let of_keys = options.kv_heads * options.keys;
    let rows = [options.heads * options.queries, of_keys, of_keys];
    let operands = std::array::from_fn(|i| {
        Matrix::seeded_normal(rows[i], options.dim, options.queries as u64, i as u64)
    });
    let attention = Attention::new(config, options, operands).expect("it fits");
    let finished = Job::new(config, attention)
        .run_rtl(model, None, |_| ())
        .expect("the tile runs");
    let report = finished.report;
    assert_eq!(report.mismatches, 0, "{options:?}");
    assert_eq!(
        report.cycles_measured, report.cycles_predicted,
        "{options:?}"
    );
    let error = report.errors.expect("a rounded result").max_abs_error;
    let bound = match options.weights {
        Weights::Int16 => 1e-3,
        Weights::Int8 => 5e-2,
    };
    assert!(error <= bound, "{options:?}: {error}");
    report
}

#[test]
fn proto() {
    let config = Config::preset("proto").unwrap();
    let model = pair::model(&config);
    let report = run(&config, &model, options(128, 8, 64));
    assert!(report.mac_utilization >= 0.95, "{report:?}");
    for queries in [1, 3, 77, 129] {
        run(&config, &model, options(queries, 8, 64));
    }
    let grouped = Options {
        keys: 333,
        kv_heads: 2,
        ..options(1, 8, 40)
    };
    run(&config, &model, grouped);
    for keys in [1, 100, 1000] {
        let decode = Options {
            keys,
            ..options(1, 8, 64)
        };
        let report = run(&config, &model, decode);
        assert!(
            keys < 1000 || report.sram_read_utilization >= 0.9,
            "{report:?}"
        );
    }
    let int8 = Options {
        weights: Weights::Int8,
        ..options(128, 2, 64)
    };
    let report = run(&config, &model, int8);
    assert!(report.mac_utilization >= 0.85, "{report:?}");
    let grouped = Options {
        causal: true,
        keys: 100,
        kv_heads: 2,
        ..options(70, 4, 48)
    };
    run(&config, &model, grouped);
}

#[test]
fn off_the_presets() {
    for config in pair::off_default() {
        let model = pair::model(&config);
        for causal in [false, true] {
            for (queries, dim) in [(8, 8), (13, 5), (3, 11)] {
                let options = Options {
                    causal,
                    ..options(queries, 2, dim)
                };
                run(&config, &model, options);
            }
        }
        let decode = Options {
            keys: 21,
            kv_heads: 1,
            ..options(1, 2, 10)
        };
        run(&config, &model, decode);
    }
}
