//! What the user sees while something takes time: bars on a terminal, single lines elsewhere, always on standard error.

use indicatif::{ProgressBar, ProgressStyle};
use lpu::rtl;
use lpu_isa::Config;
use lpu_sim::{Builder, CompiledModel, Progress, Verilator, default_cache_dir};
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A bar over clock cycles; invisible unless standard error is a terminal.
pub fn cycles(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len} cycles {elapsed}");
    let bar = ProgressBar::new(total).with_prefix(what);
    bar.with_style(style.expect("the template is right"))
}

/// The RTL model of a configuration, and how it was come by.
pub struct Build {
    /// The model.
    pub compiled: CompiledModel,
    /// Whether it was in the cache.
    pub cached: bool,
    /// Host time that took.
    pub seconds: f64,
}

impl Build {
    /// Takes the model from the cache, else builds it and says so.
    pub fn new(config: &Config, trace: bool) -> miette::Result<Self> {
        let start = Instant::now();
        let cache = default_cache_dir();
        let verilator = Verilator::find(&cache)?;
        let what = match trace {
            true => format!("the RTL model of `{}` with waves", config.name),
            false => format!("the RTL model of `{}`", config.name),
        };
        let built = Arc::new(AtomicBool::new(false));
        let spinner = ProgressBar::new_spinner();
        let listener = {
            let (what, built, spinner) = (what.clone(), built.clone(), spinner.clone());
            let kept = format!("once; kept in {}", cache.display());
            move |progress| {
                let step = match progress {
                    Progress::Cached => return,
                    Progress::Waiting => "waiting for another process that builds it".to_owned(),
                    Progress::Runtime => "compiling Verilator's library".to_owned(),
                    Progress::Verilating => "Verilator".to_owned(),
                    Progress::Compiling { done, total } => {
                        format!("C++ {done} of {total} files")
                    }
                    Progress::Linking => "linking".to_owned(),
                    _ => return,
                };
                if !built.swap(true, Ordering::Relaxed) {
                    spinner.enable_steady_tick(Duration::from_millis(100));
                    if !stderr().is_terminal() {
                        eprintln!("lpu: building {what} ({kept})");
                    }
                }
                spinner.set_message(format!("building {what} ({kept}): {step}"));
            }
        };
        let builder = Builder::new(verilator, &cache)
            .trace(trace)
            .on_progress(listener);
        let compiled = rtl::build(config, &builder)?;
        spinner.finish_and_clear();
        let (cached, seconds) = (
            !built.load(Ordering::Relaxed),
            start.elapsed().as_secs_f64(),
        );
        if !cached {
            eprintln!("lpu: built {what} in {seconds:.1} s; the next run takes it from the cache");
        }
        Ok(Self {
            compiled,
            cached,
            seconds,
        })
    }
}
