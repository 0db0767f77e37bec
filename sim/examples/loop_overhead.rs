//! Times a loop driven from Rust against a C++ loop over the same model, in one process and the same shared object.
//!
//! The design multiplies and accumulates in 64 lanes, the least work that is of interest, and in 512, about as much as a
//! 32 x 32 array. Prints, for each way of driving it, nanoseconds per cycle and the ratio to the bare C++ loop.

use std::time::Instant;

use lpu_sim::{Builder, Design, Model, PortId, SimError, Verilator, Watch, default_cache_dir};

const CYCLES: u64 = 200_000;
const ROUNDS: usize = 7;

const LANES: &str = "
module lanes(input clock, input [LANES*8-1:0] a, input enable, output reg [LANES*32-1:0] sum, output reg tick);
    integer i;
    reg [9:0] beat;
    always @(posedge clock) begin
        for (i = 0; i < LANES; i = i + 1)
            if (enable) sum[i*32 +: 32] <= sum[i*32 +: 32] + {16'd0, {8'd0, a[i*8 +: 8]} * {8'd0, sum[i*32 +: 8] ^ 8'h5a}};
        beat <= beat + 10'd1;
        tick <= beat[5:0] == 6'd0;
    end
endmodule
";

/// Nanoseconds per cycle of the fastest of several rounds.
fn measure(model: &mut Model, way: &dyn Fn(&mut Model)) -> f64 {
    let start = Instant::now();
    way(model);
    start.elapsed().as_secs_f64() * 1e9 / CYCLES as f64
}

fn steps(model: &mut Model, each: u64) {
    for _ in 0..CYCLES / each {
        model.step(each);
    }
}

fn main() -> Result<(), SimError> {
    compare(64)?;
    compare(512)
}

fn compare(lanes: usize) -> Result<(), SimError> {
    let cache = default_cache_dir();
    let design = Design::new("lanes")
        .source("lanes.v", LANES.replace("LANES", &lanes.to_string()))
        .observe("lanes.beat", "lanes");
    let verilator = Verilator::find(&cache)?;
    println!(
        "{lanes} lanes, {} ({})",
        verilator.program().display(),
        verilator.version()
    );
    let compiled = Builder::new(verilator, &cache).build(&design)?;
    let mut model = compiled.instantiate()?;
    let [a, enable, tick] = ["a", "enable", "tick"].map(|name| model.port(name));
    let (a, enable, tick) = (a?, enable?, tick?);
    let beat = model.signal("lanes.beat")?;
    model.set_wide(a, &vec![0x0123_4567_89ab_cdef; lanes / 8]);
    model.set(enable, 1);
    for id in 0..32 {
        model.add_watch(&Watch {
            id,
            group: 1,
            valid: tick.into(),
            payload: vec![beat],
        });
    }
    model.enable_groups(0);

    let ones = vec![1; 1000];
    let play = |model: &mut Model| {
        let mut record = Vec::new();
        for _ in 0..CYCLES / 1000 {
            record.clear();
            model.play(&[enable], &ones, &[tick] as &[PortId], &mut record);
        }
    };
    let watched = |model: &mut Model| {
        model.enable_groups(2);
        for _ in 0..CYCLES / 1000 {
            model.step(1000);
            model.drain_events();
        }
        model.enable_groups(0);
    };
    type Way<'a> = (&'a str, &'a dyn Fn(&mut Model));
    let ways: [Way; 6] = [
        ("C++ loop, one call", &|model| model.step_bare(CYCLES)),
        ("step(1) from Rust", &|model| steps(model, 1)),
        ("step(1) and get from Rust", &|model| {
            (0..CYCLES).for_each(|_| {
                model.step(1);
                std::hint::black_box(model.get(tick));
            })
        }),
        ("step(64) from Rust", &|model| steps(model, 64)),
        ("play of 1000 rows, one output", &play),
        ("step(1000) with 32 watches", &watched),
    ];
    // Interleaved, so that a change of the machine's clock touches all alike; the best round counts.
    let mut best = [f64::INFINITY; 6];
    for _ in 0..ROUNDS {
        for (best, (_, way)) in best.iter_mut().zip(&ways) {
            *best = best.min(measure(&mut model, way));
        }
    }
    for (time, (name, _)) in best.iter().zip(&ways) {
        println!("{name:32} {time:8.2} ns/cycle  ratio {:.3}", time / best[0]);
    }
    Ok(())
}
