//! An LPU as part of another program: load a model, stream its tokens, hand its keys and values over, and swap the model.
//!
//!     cargo run --release --example serve               the golden machine
//!     cargo run --release --example serve -- --rtl      RTL simulation

use lpu::rtl;
use lpu::session::{Lpu, LpuError};
use lpu_isa::Config;
use lpu_model::Model;
use lpu_model::sample::{Sampler, Settings};
use lpu_sim::{Builder, Verilator, default_cache_dir};
use std::io::Write;
use std::sync::Arc;

/// Positions that the models are compiled for.
const POSITIONS: usize = 128;

/// Streams an answer to standard output; gives its number of tokens and cycles.
fn answer(lpu: &mut Lpu, prompt: &str) -> Result<(usize, u64), LpuError> {
    let mut sampler = Sampler::new(Settings::default())?;
    let (mut tokens, mut cycles) = (0, 0);
    print!("{prompt} ");
    for piece in lpu.stream(prompt, &mut sampler, POSITIONS)? {
        let piece = piece?;
        print!("{}", piece.text);
        std::io::stdout().flush().ok();
        (tokens, cycles) = (tokens + 1, cycles + piece.cycles);
    }
    println!();
    Ok((tokens, cycles))
}

fn main() -> miette::Result<()> {
    let config = Config::preset("proto").expect("there is such a preset");
    let mut lpu = match std::env::args().nth(1).as_deref() {
        Some("--rtl") => {
            let cache = default_cache_dir();
            let builder = Builder::new(Verilator::find(&cache)?, &cache);
            let compiled = rtl::build(&config, &builder)?;
            Lpu::rtl(config, compiled)
        }
        _ => Lpu::golden(config),
    };
    let model = Arc::new(Model::embedded()?);
    lpu.load(model.clone(), POSITIONS)?;
    let (tokens, cycles) = answer(&mut lpu, "27182818+31415926=")?;
    println!("{tokens} tokens in {cycles} cycles");

    // Keys and values leave the machine, and a fresh copy of the model goes on with them.
    let cache = lpu.engine()?.export_cache().map_err(LpuError::from)?;
    lpu.load(model, POSITIONS)?;
    let engine = lpu.engine()?;
    engine.import_cache(cache).map_err(LpuError::from)?;
    println!("{} positions handed over", engine.position());

    let (tokens, cycles) = answer(&mut lpu, "12345678+87654321=")?;
    println!("{tokens} tokens in {cycles} cycles");
    let log = lpu.log();
    println!("{} steps, {} mismatches", log.steps.len(), log.mismatches());
    Ok(())
}
