//! Matrix products on RTL: every bit and every cycle, on every preset, off the presets and for ragged shapes.

mod pair;

use lpu::data::Matrix;
use lpu::run::{Job, Report};
use lpu::workload::{Matmul, OperandError};
use lpu_compiler::CompileError;
use lpu_isa::Config;
use lpu_sim::CompiledModel;
use pair::preset;

/// A machine with its model.
struct Machine {
    config: Config,
    model: CompiledModel,
}

type Shape = (usize, usize, usize);

/// Shapes that leave lanes, tiles and waves partly empty.
const RAGGED: [Shape; 5] = [
    (1, 1, 1),
    (7, 33, 65),
    (100, 3, 1000),
    (1, 2048, 1),
    (13, 17, 19),
];

impl Machine {
    fn new(config: Config) -> Self {
        let model = pair::model(&config);
        Self { config, model }
    }

    fn preset(name: &str) -> Self {
        Self::new(preset(name))
    }

    /// Runs a product; its report if it fits the machine.
    fn run(&self, (m, k, n): Shape) -> Option<Report> {
        let seed = (m * 31 + k * 7 + n) as u64;
        let product = match Matmul::new(
            &self.config,
            Matrix::seeded(m, k, seed, 0),
            Matrix::seeded(k, n, seed, 1),
        ) {
            Ok(product) => product,
            Err(OperandError::Compile(error)) => {
                assert!(
                    matches!(error, CompileError::Sram { .. }),
                    "{m}x{k}x{n}: {error}"
                );
                return None;
            }
            Err(error) => panic!("{m}x{k}x{n}: {error}"),
        };
        let finished = Job::new(&self.config, product)
            .run_rtl(&self.model, None, |_| ())
            .expect("the tile runs");
        let report = finished.report;
        assert_eq!(report.mismatches, 0, "{} {m}x{k}x{n}", self.config.name);
        assert_eq!(
            report.cycles_measured, report.cycles_predicted,
            "{} {m}x{k}x{n}",
            self.config.name
        );
        Some(report)
    }

    /// Runs every shape; those that do not fit are told apart by `fits`.
    fn exact(&self, shapes: &[Shape], fits: impl Fn(Shape) -> bool) {
        for &shape in shapes {
            assert_eq!(
                self.run(shape).is_some(),
                fits(shape),
                "{} {shape:?}",
                self.config.name
            );
        }
    }
}

fn off_default(name: &str, change: impl Fn(&mut Config)) -> Machine {
    let mut config = preset("nano");
    name.clone_into(&mut config.name);
    change(&mut config);
    Machine::new(config)
}

#[test]
fn nano() {
    Machine::preset("nano").exact(&RAGGED, |shape| shape != (100, 3, 1000));
}

#[test]
fn edge() {
    Machine::preset("edge").exact(&RAGGED, |_| true);
}

#[test]
fn proto() {
    let proto = Machine::preset("proto");
    proto.exact(&RAGGED, |_| true);
    let square = proto.run((512, 512, 512)).expect("it fits");
    assert!(square.mac_utilization >= 0.9994, "{square:?}");
    let decode = proto.run((1, 576, 1536)).expect("it fits");
    assert!(decode.sram_read_utilization >= 0.95, "{decode:?}");
    let batch = proto.run((128, 576, 1536)).expect("it fits");
    assert!(batch.mac_utilization >= 0.98, "{batch:?}");
}

#[test]
fn wide() {
    Machine::preset("wide").exact(&RAGGED, |_| true);
}

const SMALL: [Shape; 4] = [(1, 1, 1), (7, 33, 65), (1, 300, 1), (9, 8, 24)];

#[test]
fn two_planes() {
    let machine = off_default("two_planes", |c| (c.mxm.planes, c.mem.slices) = (2, 8));
    machine.exact(&SMALL, |_| true);
}

#[test]
fn one_weight_stream() {
    off_default("one_weight_stream", |c| c.mxm.weight_streams = 1).exact(&SMALL, |_| true);
}

#[test]
fn few_streams() {
    off_default("few_streams", |c| {
        (c.streams, c.mxm.weight_streams) = (4, 2)
    })
    .exact(&SMALL, |_| true);
}

#[test]
fn shallow_buffers() {
    let machine = off_default("shallow_buffers", |c| {
        (c.mxm.accumulator_depth, c.mxm.operand_depth) = (2, 2);
    });
    machine.exact(&SMALL, |_| true);
}

#[test]
fn odd_slices() {
    let machine = off_default("odd_slices", |c| {
        (c.lanes, c.mem.slices, c.mem.depth) = (16, 7, 512)
    });
    machine.exact(&SMALL, |_| true);
}

#[test]
fn four_planes() {
    let machine = off_default("four_planes", |c| {
        (c.mxm.planes, c.mem.slices, c.mem.depth, c.streams) = (4, 16, 1024, 32);
    });
    machine.exact(&SMALL, |_| true);
}
