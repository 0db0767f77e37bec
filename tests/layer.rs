//! Decoder layers on RTL: equal to the golden decoder in every bit, every event that of the golden machine, in the predicted cycles.

mod pair;

use lpu::run::Job;
use lpu::workload::Layers;
use lpu::workload::layer::Options;
use lpu_compiler::decoder::Placement;
use lpu_isa::rack::Rack;

#[test]
fn edge() {
    let config = pair::preset("edge");
    let model = pair::model(&config);
    let small = Options {
        dim: 40,
        ffn: 50,
        heads: 4,
        kv_heads: 2,
        head_dim: 10,
        layers: 1,
        cache: 32,
        position: 31,
        batch: 1,
        placement: Placement::Tensor,
        groups: 1,
        tokens: 1,
    };
    for options in [
        small,
        Options {
            position: 0,
            ..small
        },
        Options {
            batch: 2,
            cache: 16,
            position: 7,
            ..small
        },
    ] {
        let layers = Layers::new(&config, &Rack::ALONE, options, 1).expect("it fits");
        let finished = Job::new(&config, layers).run_rtl(&model, None, |_| ());
        let report = finished.expect("the tile runs").report;
        assert_eq!(report.mismatches, 0, "{options:?}: {report:?}");
        assert_eq!(
            report.cycles_measured, report.cycles_predicted,
            "{options:?}"
        );
    }
}
