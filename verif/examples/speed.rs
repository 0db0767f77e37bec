//! Speed of the golden machine: a 512 x 512 x 512 product on 1024 multipliers, with its event stream.
//!
//! `cargo run --release -p lpu-verif --example speed`

#[path = "../tests/bench/matmul.rs"]
mod bench;

use bench::Matmul;
use lpu_isa::Config;
use lpu_verif::numeric::{Matrix, matmul};
use lpu_verif::{Machine, Status};
use std::time::Instant;

fn main() {
    let mut config = Config::preset("proto").expect("a preset");
    // The product is written for a MXM beside the slices.
    (config.vxm, config.sxm) = (None, None);
    let task = Matmul {
        rows: 512,
        k_tiles: 16,
        n_tiles: 16,
    };
    let a = Matrix::from_fn(512, 512, |r, c| (r * 31 + c * 17) as i8);
    let mut machine = Machine::new(&config);
    task.fill(&mut machine, &a, &a);
    machine.load(&task.program(&config)).expect("fits");
    let mut events = Vec::new();
    for _ in 0..3 {
        let (start, mut count) = (Instant::now(), 0);
        machine.launch();
        while machine.run(1024, &mut events) == Status::Running {
            count += events.len();
            events.clear();
        }
        count += events.len();
        events.clear();
        let (cycles, seconds) = (machine.report().cycles, start.elapsed().as_secs_f64());
        println!(
            "{cycles} cycles, {count} events in {seconds:.3} s: {:.2} Mcycle/s",
            cycles as f64 / seconds / 1e6
        );
    }
    let product = matmul(&a, &a);
    assert!((0..512).all(|i| task.result(&machine, i, 511 - i) == product.at(i, 511 - i)));
    assert!(machine.report().faults.iter().all(Option::is_none));
}
