//! Several tiles in RTL joined by links: the bits of one, in the predicted cycles, with any number of threads.

mod pair;

use lpu::data::{Array, Elements, Matrix};
use lpu::quantise::Quantised;
use lpu::rack::RackTile;
use lpu::run::{Finished, Job};
use lpu::tile::{ModelTile, Task, Tile};
use lpu::workload::attention::Scales;
use lpu::workload::layer::{Layers, Options};
use lpu::workload::{Collective, Split, Workload, attention};
use lpu_compiler::attention::Weights;
use lpu_compiler::collective::Kind;
use lpu_compiler::decoder::{Inputs, Placement};
use lpu_compiler::matmul::Format;
use lpu_isa::Config;
use lpu_isa::c2c::Shape;
use lpu_isa::config::{C2cConfig, MxmFormat, SxmConfig, VxmConfig};
use lpu_isa::rack::{Rack, Topology};
use lpu_sim::CompiledModel;

/// A small machine with three links.
fn machine() -> Config {
    let mut config = pair::preset("nano");
    config.name = "nano_rack".into();
    config.streams = 16;
    config.mem.depth = 1024;
    config.mxm.formats = vec![MxmFormat::E4m3];
    config.vxm = Some(VxmConfig {
        alus: 2,
        registers: 128,
    });
    config.sxm = Some(SxmConfig { maps: 2 });
    config.c2c = Some(C2cConfig { links: 3 });
    config.icu.queue_depth = 2048;
    config
}

const LAYER: Options = Options {
    dim: 40,
    ffn: 50,
    heads: 4,
    kv_heads: 2,
    head_dim: 10,
    layers: 1,
    cache: 16,
    position: 15,
    batch: 1,
    placement: Placement::Tensor,
    groups: 1,
    tokens: 1,
};

fn rack(chips: usize, hop: u64) -> Rack {
    Rack::new(chips, Topology::AllToAll, hop).unwrap()
}

fn layers(config: &Config, rack: &Rack, options: Options) -> Layers {
    Layers::new(config, rack, options, 1).expect("it fits")
}

/// In RTL, every event compared.
fn run(
    config: &Config,
    rack: &Rack,
    model: &CompiledModel,
    threads: usize,
    workload: impl Workload + 'static,
) -> Finished {
    let job = Job::new(config, workload);
    let finished = job.run_rack(rack, Some(model), threads, |_| ());
    let finished = finished.expect("the tiles run");
    let report = &finished.report;
    assert_eq!(report.mismatches, 0, "{rack:?}: {report:?}");
    assert_eq!(report.cycles_measured, report.cycles_predicted, "{rack:?}");
    assert!(report.events_compared > 0);
    finished
}

fn bits(array: &Option<Array>) -> Vec<u32> {
    match &array.as_ref().expect("a result").elements {
        Elements::Int32(words) => words.iter().map(|&word| word as u32).collect(),
        Elements::Fp32(words) => words.iter().map(|word| word.to_bits()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_layer_gives_the_same_bits_on_any_number_of_chips() {
    let config = machine();
    let model = pair::model(&config);
    for batch in [1, 2] {
        let options = Options { batch, ..LAYER };
        let alone = rack(1, 1);
        let one = run(&config, &alone, &model, 1, layers(&config, &alone, options));
        for (chips, hop) in [(2, 33), (3, 1), (4, 57)] {
            let rack = rack(chips, hop);
            let mut cycles = Vec::new();
            for threads in [1, chips] {
                let workload = layers(&config, &rack, options);
                let several = run(&config, &rack, &model, threads, workload);
                assert_eq!(bits(&several.result), bits(&one.result), "{chips} chips");
                cycles.push(several.report.launch_cycles);
            }
            assert_eq!(cycles[0], cycles[1]);
        }
    }
}

/// Every token of a pipeline, in every launch: while it fills, when it is full, and while it drains.
#[test]
fn pipelines_give_the_bits_of_one_chip() {
    let config = machine();
    let model = pair::model(&config);
    for (chips, topology, hop, batch, groups) in [
        (2, Topology::Tree, 33, 1, 2),
        (3, Topology::Ring, 1, 2, 1),
        (4, Topology::AllToAll, 57, 1, 4),
    ] {
        let options = Options {
            dim: 24,
            ffn: 30,
            layers: chips + 1,
            position: 10,
            batch,
            placement: Placement::Pipeline,
            groups,
            tokens: 2 * chips,
            ..LAYER
        };
        let rack = Rack::new(chips, topology, hop).unwrap();
        let mut results = Vec::new();
        for threads in [1, chips] {
            let workload = layers(&config, &rack, options);
            assert_eq!(workload.launches(), 3 * chips - 1);
            let finished = run(&config, &rack, &model, threads, workload);
            results.push(bits(&finished.result));
        }
        assert_eq!(results[0], results[1]);
        assert_eq!(results[0].len(), 2 * chips * batch * options.dim);
    }
}

#[test]
fn products_give_the_same_bits_on_any_number_of_chips() {
    let config = machine();
    let model = pair::model(&config);
    let (m, k, n) = (9, 37, 43);
    let int8 = |rows, columns, stream| Quantised::int8(Matrix::seeded(rows, columns, 1, stream));
    let e4m3 =
        |rows, columns, stream| Quantised::e4m3(&Matrix::seeded_reals(rows, columns, 1, stream));
    for (format, a, b) in [
        (Format::Int8, int8(m, k, 0), int8(k, n, 1)),
        (Format::E4m3, e4m3(m, k, 0), e4m3(k, n, 1)),
    ] {
        let results: Vec<Vec<u32>> = [1, 2, 4]
            .map(|chips| {
                let rack = rack(chips, 50);
                let product = Split::matmul(&config, chips, format, &a, &b).unwrap();
                bits(&run(&config, &rack, &model, 1, product).result)
            })
            .to_vec();
        assert!(results.iter().all(|result| result == &results[0]));
        assert_eq!(results[0].len(), m * n);
    }
}

#[test]
fn heads_give_the_same_bits_on_any_number_of_chips() {
    let config = machine();
    let model = pair::model(&config);
    for (heads, kv_heads, counts) in [(4, 2, vec![1, 2, 4]), (3, 3, vec![1, 2, 3])] {
        let options = attention::Options {
            queries: 3,
            keys: 11,
            heads,
            kv_heads,
            dim: 9,
            causal: true,
            weights: Weights::Int16,
            scales: Scales {
                q: 0.05,
                k: 0.05,
                v: 0.05,
            },
        };
        let rows = [heads * 3, kv_heads * 11, kv_heads * 11];
        let operands: [Matrix<i8>; 3] =
            std::array::from_fn(|i| Matrix::seeded_normal(rows[i], 9, 1, i as u64));
        let results = counts.into_iter().map(|chips| {
            let split = Split::attention(&config, chips, options, &operands).unwrap();
            bits(&run(&config, &rack(chips, 50), &model, 1, split).result)
        });
        let results: Vec<_> = results.collect();
        assert!(results.iter().all(|result| result == &results[0]));
        assert_eq!(results[0].len(), heads * 3 * 9);
    }
}

/// Every event of every chip is compared, and the result of each with the golden collective.
#[test]
fn collectives_give_the_golden_sum_on_every_chip() {
    let config = machine();
    let model = pair::model(&config);
    let link = Shape::new(1, 8).unwrap();
    for (topology, chips, kind, elements) in [
        (Topology::AllToAll, 2, Kind::AllReduce, 75),
        (Topology::AllToAll, 4, Kind::AllReduce, 500),
        (Topology::AllToAll, 3, Kind::ReduceScatter, 300),
        (Topology::AllToAll, 4, Kind::AllGather, 500),
        (Topology::Ring, 2, Kind::ReduceScatter, 75),
        (Topology::Ring, 3, Kind::AllGather, 300),
        (Topology::Ring, 4, Kind::AllReduce, 500),
        (Topology::Tree, 2, Kind::AllReduce, 75),
        (Topology::Tree, 4, Kind::AllReduce, 500),
    ] {
        let rack = Rack::new(chips, topology, link.least_hop()).unwrap();
        let rack = rack.with_shape(link).unwrap();
        let mut results = Vec::new();
        for threads in [1, chips] {
            let workload = Collective::new(&config, &rack, kind, elements, 1).expect("it fits");
            let finished = run(&config, &rack, &model, threads, workload);
            results.push((bits(&finished.result), finished.report.launch_cycles));
        }
        assert_eq!(results[0], results[1]);
        assert_eq!(results[0].0.len(), elements);
    }
}

/// On golden machines, in a rack whose links are longer than those that the programs were made for: flits are missed, and that is seen.
#[test]
fn a_flit_that_is_late_is_found() {
    let config = machine();
    let launch = |late: u64| {
        let made_for = rack(2, 40);
        let workload = layers(&config, &made_for, LAYER);
        let tiles = workload.chips().into_iter().map(|(program, prediction)| {
            ModelTile::new(Task {
                config: &config,
                program,
                prediction,
            })
        });
        let mut tile = RackTile::new(rack(2, 40 + late), &config, tiles.collect(), 1);
        tile.write(&workload.image().unwrap()).unwrap();
        let Inputs { vectors, bases } = workload.inputs(0);
        tile.write(&vectors).unwrap();
        for (queue, base) in bases {
            tile.set_base(queue, base).unwrap();
        }
        tile.launch().unwrap()
    };
    let good = launch(0);
    assert_eq!((good.unsound_units, good.waiting_flits), (0, 0));
    let late = launch(1);
    assert!(late.unsound_units > 0 && late.waiting_flits > 0, "{late:?}");
}
