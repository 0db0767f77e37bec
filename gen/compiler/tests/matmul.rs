//! Predicted figures of compiled products.

use lpu_compiler::matmul::{Matmul, compile};
use lpu_isa::Config;

fn product(preset: &str, m: usize, k: usize, n: usize) -> Matmul {
    let config = Config::preset(preset).unwrap();
    compile(&config, m, k, n).unwrap_or_else(|error| panic!("{preset} {m}x{k}x{n}: {error}"))
}

#[test]
fn every_shape_of_the_examples_compiles() {
    for (m, k, n) in [
        (512, 512, 512),
        (128, 576, 1536),
        (1, 576, 1536),
        (4, 576, 1536),
        (8, 576, 1536),
        (16, 576, 1536),
        (1, 2048, 1),
        (100, 3, 1000),
        (7, 33, 65),
        (1, 1, 1),
    ] {
        let s = product("proto", m, k, n).schedule;
        println!(
            "{m}x{k}x{n}: {:?} c={} rows={} T={} cycles={} busy={} mac={:.4} read={:.4} weights={:.4} instructions={:?}",
            s.mode,
            s.weight_streams,
            s.rows,
            s.tile_cycles,
            s.cycles,
            s.busy_cycles,
            s.mac_utilization,
            s.sram_read_utilization,
            s.weight_utilization,
            s.prediction.instructions
        );
    }
}
