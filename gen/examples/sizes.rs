//! Prints, for every preset, how long the tile takes to emit and how large it is, against rust-hdl's own Verilog.

use lpu_gen::{EmitOptions, emit};
use lpu_hdl::build_tile;
use lpu_isa::Config;
use lpu_isa::config::PRESETS;
use rust_hdl::core::module_defines::ModuleDefines;
use std::error::Error;
use std::time::Instant;

/// Runs `work` and gives what it made and the seconds it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed().as_secs_f64())
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("config  lanes  modules      KiB  seconds   rust-hdl: modules      KiB  seconds");
    for name in PRESETS {
        let config = Config::preset(name).expect("a preset");
        let tile = build_tile(&config);
        let (ours, seconds) = timed(|| emit(&*tile, &EmitOptions::new("lpu_tile")));
        let ours = ours?;
        let bytes: usize = ours.modules.iter().map(|module| module.text.len()).sum();
        let (theirs, their_seconds) = timed(|| {
            let mut modules = ModuleDefines::default();
            tile.accept("top", &mut modules);
            modules.defines()
        });
        println!(
            "{name:<7} {:>5} {:>8} {:>8} {seconds:>8.2} {:>19} {:>8} {their_seconds:>8.2}",
            config.lanes,
            ours.modules.len(),
            bytes.div_ceil(1024),
            theirs.matches("endmodule").count(),
            theirs.len().div_ceil(1024),
        );
    }
    Ok(())
}
