//! Whole matrix products on the golden machine against exact arithmetic.

#[path = "bench/matmul.rs"]
mod bench;

use bench::Matmul;
use lpu_isa::Config;
use lpu_verif::Machine;
use lpu_verif::numeric::{Matrix, matmul};

fn check(preset: &str, task: &Matmul) {
    let mut config = Config::preset(preset).unwrap();
    config.mem.slices = 8;
    (config.vxm, config.sxm) = (None, None);
    config.streams = config.streams.max(16);
    config.mxm.accumulator_depth = config.mxm.accumulator_depth.max(task.rows);
    let lanes = config.lanes;
    let (k, n) = (task.k_tiles * lanes, task.n_tiles * lanes);
    let a = Matrix::from_fn(task.rows, k, |r, c| (r * 31 + c * 17 + r * c) as i8);
    let b = Matrix::from_fn(k, n, |r, c| (r * 13 + c * 7 + r * c / 3) as i8);
    let mut machine = Machine::new(&config);
    task.fill(&mut machine, &a, &b);
    machine.load(&task.program(&config)).unwrap();
    let (report, _) = machine.launch_and_run(1 << 24).unwrap();
    assert!(
        report.faults.iter().all(Option::is_none),
        "{:?}",
        report.faults
    );
    let expected = matmul(&a, &b);
    let product = Matrix::from_fn(task.rows, n, |r, c| task.result(&machine, r, c));
    assert!(product == expected);
    // The multipliers are busy from cycle 64 on; then mm_latency, 4 to W[8], 3 hops, 2 to the port.
    let multiplied = 64 + (task.rows * task.k_tiles * task.n_tiles) as u64;
    let tail = lpu_isa::latency::mm_latency(&config) + 4 + 3 + 2;
    assert_eq!(report.last_write, Some(multiplied - 1 + tail));
}

#[test]
fn every_width_multiplies() {
    for preset in ["nano", "edge", "proto", "wide"] {
        check(
            preset,
            &Matmul {
                rows: 40,
                k_tiles: 3,
                n_tiles: 2,
            },
        );
    }
}

#[test]
fn one_tile() {
    check(
        "nano",
        &Matmul {
            rows: 32,
            k_tiles: 1,
            n_tiles: 1,
        },
    );
}
