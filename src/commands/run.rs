//! `lpu run`.

mod rows;

use super::{Outcome, lpus};
use crate::cli::{
    AttentionArgs, CollectiveArgs, EngineArg, FormatArg, LayerArgs, MatmulArgs, PlacementArg,
    RackArgs, RunArgs, RunCommand, WeightsArg,
};
use crate::progress::{self, Build};
use lpu::data::{ArrayError, Matrix, Numbers};
use lpu::files::{self, Output};
use lpu::quantise::{Quantised, Side};
use lpu::run::{Finished, Job, Report};
use lpu::workload::attention::{Options, Scales};
use lpu::workload::layer;
use lpu::workload::{Attention, Collective, Layers, Matmul, OperandError, Shape, Split, Workload};
use lpu_compiler::attention::Weights;
use lpu_compiler::collective::Kind;
use lpu_compiler::matmul::Format;
use lpu_isa::Config;
use lpu_isa::rack::Rack;
use miette::{IntoDiagnostic, miette};
use std::ops::Range;
use std::path::Path;

/// Waves of the first difference, in the current folder.
const DIVERGENCE_WAVES: &str = "lpu-divergence.fst";

/// Runs a workload.
pub fn execute(command: &RunCommand) -> miette::Result<Outcome> {
    match command {
        RunCommand::Matmul(args) => {
            let mut config = prepare(&args.run)?;
            // No part of a product needs what another computes.
            let rack = rack(&args.run, &args.rack, &mut config, false)?;
            let (format, a, b) = operands(&config, args)?;
            let seeded = args.a.is_none();
            if rack.chips() == 1 {
                let product = Matmul::new_in(&config, format, a, b)?;
                return run(&args.run, &config, product, seeded, None);
            }
            let product = Split::matmul(&config, rack.chips(), format, &a, &b)?;
            let threads = lpus::threads(&args.rack);
            run_on(&args.run, &config, product, seeded, (&rack, threads))
        }
        RunCommand::Attention(args) => {
            let mut config = prepare(&args.run)?;
            let rack = rack(&args.run, &args.rack, &mut config, false)?;
            let (options, operands) = attention(&config, args)?;
            let seeded = args.q.is_none();
            if rack.chips() == 1 {
                let attention = Attention::new(&config, options, operands)?;
                return run(&args.run, &config, attention, seeded, None);
            }
            let attention = Split::attention(&config, rack.chips(), options, &operands)?;
            let threads = lpus::threads(&args.rack);
            run_on(&args.run, &config, attention, seeded, (&rack, threads))
        }
        RunCommand::Layer(args) => {
            let mut config = prepare(&args.run)?;
            let rack = rack(&args.run, &args.rack, &mut config, true)?;
            let layers = layers(&config, &rack, args)?;
            if rack.chips() == 1 {
                return run(&args.run, &config, layers, true, None);
            }
            let threads = lpus::threads(&args.rack);
            run_on(&args.run, &config, layers, true, (&rack, threads))
        }
        RunCommand::AllReduce(args) => collective(args, Kind::AllReduce),
        RunCommand::ReduceScatter(args) => collective(args, Kind::ReduceScatter),
        RunCommand::AllGather(args) => collective(args, Kind::AllGather),
        command => rows::execute(command),
    }
}

fn collective(args: &CollectiveArgs, kind: Kind) -> miette::Result<Outcome> {
    let mut config = prepare(&args.run)?;
    let rack = rack(&args.run, &args.rack, &mut config, true)?;
    // Four bytes each.
    check_seeded(&config, &[(4, args.elements)], 1, "--elements")?;
    let collective = Collective::new(&config, &rack, kind, args.elements, args.run.seed)?;
    let threads = lpus::threads(&args.rack);
    run_on(&args.run, &config, collective, true, (&rack, threads))
}

/// Checks the options that can be checked before anything is computed.
fn prepare(args: &RunArgs) -> miette::Result<Config> {
    if args.engine == EngineArg::Model {
        let options = [
            ("--trace", &args.trace),
            ("--record-host", &args.record_host),
        ];
        if let Some((option, _)) = options.iter().find(|(_, path)| path.is_some()) {
            miette::bail!(
                code = "lpu::run::engine",
                help = "leave out --engine model",
                "{option} records signals of the RTL, and the golden model has none"
            );
        }
    }
    let config = files::config(&args.config.config)?;
    for path in [&args.out, &args.trace, &args.record_host]
        .into_iter()
        .flatten()
    {
        Output::check(path)?;
    }
    Ok(config)
}

/// The rack of a workload that several LPUs share.
fn rack(
    args: &RunArgs,
    rack: &RackArgs,
    config: &mut Config,
    linked: bool,
) -> miette::Result<Rack> {
    let options = [
        ("--trace", &args.trace),
        ("--record-host", &args.record_host),
    ];
    if rack.lpus > 1
        && let Some((option, _)) = options.iter().find(|(_, path)| path.is_some())
    {
        miette::bail!(
            code = "lpu::run::lpus",
            help = "leave out --lpus, or the option",
            "{option} records signals of one LPU, and --lpus asks for {}",
            rack.lpus
        );
    }
    lpus::rack(rack, config, linked)
}

/// Bytes of SRAM that no machine exceeds: 32 slices of 65536 vectors of 64 lanes.
const LARGEST_SRAM: u128 = 32 * 65536 * 64;

/// Refuses seeded operands that no machine holds, before they are made; of others the compiler knows better. `per_byte` elements
/// share a byte.
fn check_seeded(
    config: &Config,
    operands: &[(usize, usize)],
    per_byte: u128,
    options: &str,
) -> miette::Result<()> {
    let available = config.sram_bytes() as u128;
    for &(rows, columns) in operands {
        let bytes = (rows as u128 * columns as u128).div_ceil(per_byte);
        if bytes > LARGEST_SRAM {
            return Err(miette!(
                code = "lpu::compile",
                help = format!("choose fewer {options}"),
                "a matrix of {rows} x {columns} takes {bytes} bytes at least, and the SRAM of the machine has {available}"
            ));
        }
    }
    Ok(())
}

/// Format and operands of a product.
fn operands(config: &Config, args: &MatmulArgs) -> miette::Result<(Format, Quantised, Quantised)> {
    let (m, k, n, seed) = (args.m, args.k, args.n, args.run.seed);
    let files = args.a.as_ref().zip(args.b.as_ref());
    if files.is_none() {
        let per_byte = match args.format {
            FormatArg::Nvfp4 => 2,
            FormatArg::Int8 | FormatArg::E4m3 => 1,
        };
        check_seeded(config, &[(m, k), (k, n)], per_byte, "--m, --k or --n")?;
    }
    let format = match args.format {
        FormatArg::Int8 => {
            let (a, b) = match files {
                Some((a, b)) => (Matrix::read(a)?, Matrix::read(b)?),
                None => (Matrix::seeded(m, k, seed, 0), Matrix::seeded(k, n, seed, 1)),
            };
            return Ok((Format::Int8, Quantised::int8(a), Quantised::int8(b)));
        }
        FormatArg::E4m3 => Format::E4m3,
        FormatArg::Nvfp4 => Format::Nvfp4,
    };
    // Before large files are read.
    format.require(config).map_err(OperandError::from)?;
    let quantise = |values: &Matrix<f32>, side| match format {
        Format::Nvfp4 => Quantised::nvfp4(values, side),
        _ => Quantised::e4m3(values),
    };
    let read = |path: &Path, side| -> Result<Quantised, ArrayError> {
        Ok(match format {
            Format::Nvfp4 => quantise(&Matrix::read_finite(path, "float32")?, side),
            _ => match Numbers::read(path)? {
                Numbers::Codes(codes) => Quantised::codes(codes),
                Numbers::Reals(values) => quantise(&values, side),
            },
        })
    };
    let (a, b) = match files {
        Some((a, b)) => (read(a, Side::Left)?, read(b, Side::Right)?),
        None => (
            quantise(&Matrix::seeded_reals(m, k, seed, 0), Side::Left),
            quantise(&Matrix::seeded_reals(k, n, seed, 1), Side::Right),
        ),
    };
    Ok((format, a, b))
}

/// What attention is to be computed, of what.
fn attention(config: &Config, args: &AttentionArgs) -> miette::Result<(Options, [Matrix<i8>; 3])> {
    let options = Options {
        queries: args.seq,
        keys: args.cache.unwrap_or(args.seq),
        heads: args.heads,
        kv_heads: args.kv_heads.unwrap_or(args.heads),
        dim: args.dim,
        causal: args.causal,
        weights: match args.weights {
            WeightsArg::Int8 => Weights::Int8,
            WeightsArg::Int16 => Weights::Int16,
        },
        scales: Scales {
            q: args.q_scale,
            k: args.k_scale,
            v: args.v_scale,
        },
    };
    let operands = match (&args.q, &args.k, &args.v) {
        (Some(q), Some(k), Some(v)) => [Matrix::read(q)?, Matrix::read(k)?, Matrix::read(v)?],
        _ => {
            let of_keys = options.kv_heads.saturating_mul(options.keys);
            let rows = [
                options.heads.saturating_mul(options.queries),
                of_keys,
                of_keys,
            ];
            let operands = rows.map(|rows| (rows, args.dim));
            check_seeded(config, &operands, 1, "--heads, --seq, --cache or --dim")?;
            std::array::from_fn(|i| {
                Matrix::seeded_normal(rows[i], args.dim, args.run.seed, i as u64)
            })
        }
    };
    Ok((options, operands))
}

fn layers(config: &Config, rack: &Rack, args: &LayerArgs) -> miette::Result<Layers> {
    let queries = args.heads.saturating_mul(args.head_dim);
    let keys = args.kv_heads.saturating_mul(args.head_dim);
    let sequences = args.batch.saturating_mul(args.groups);
    let positions = sequences.saturating_mul(args.cache);
    let tokens = args.tokens.unwrap_or(match args.placement {
        PlacementArg::Tensor => 1,
        PlacementArg::Pipeline => rack.chips(),
    });
    let operands = [
        (queries.max(args.ffn), args.dim),
        (positions, keys.saturating_mul(2)),
        (args.layers, args.dim),
        (tokens.saturating_mul(args.batch), args.dim),
    ];
    check_seeded(
        config,
        &operands,
        1,
        "--dim, --ffn, --heads, --head-dim, --cache or --layers",
    )?;
    let options = layer::Options {
        dim: args.dim,
        ffn: args.ffn,
        heads: args.heads,
        kv_heads: args.kv_heads,
        head_dim: args.head_dim,
        layers: args.layers,
        cache: args.cache,
        position: args
            .position
            .unwrap_or(args.cache.saturating_sub(tokens.div_ceil(args.groups))),
        batch: args.batch,
        placement: args.placement.placement(),
        groups: args.groups,
        tokens,
    };
    Ok(Layers::new(config, rack, options, args.run.seed)?)
}

fn run(
    args: &RunArgs,
    config: &Config,
    workload: impl Workload + 'static,
    seeded: bool,
    scales: Option<&Path>,
) -> miette::Result<Outcome> {
    let mut job = Job::new(config, workload);
    if let Some(path) = &args.record_host {
        job.record_host(path.clone());
    }
    let finished = match args.engine {
        EngineArg::Model => {
            let bar = progress::cycles(job.busy_cycles(), "golden model");
            let finished = job.run_model(|cycle| bar.set_position(cycle.min(job.busy_cycles())))?;
            bar.finish_and_clear();
            finished
        }
        EngineArg::Rtl => run_rtl(args, config, &job)?,
    };
    conclude(args, finished, seeded, scales)
}

/// The same on several LPUs, with so many threads.
fn run_on(
    args: &RunArgs,
    config: &Config,
    workload: impl Workload + 'static,
    seeded: bool,
    (rack, threads): (&Rack, usize),
) -> miette::Result<Outcome> {
    let job = Job::new(config, workload);
    let build = match args.engine {
        EngineArg::Model => None,
        EngineArg::Rtl => Some(Build::new(config, false)?),
    };
    let bar = progress::cycles(job.busy_cycles(), "LPUs");
    let compiled = build.as_ref().map(|build| &build.compiled);
    let mut finished = job.run_rack(rack, compiled, threads, |cycle| {
        bar.set_position(cycle.min(job.busy_cycles()));
    })?;
    bar.finish_and_clear();
    finished.report.model_cached = build.as_ref().map(|build| build.cached);
    finished.report.model_build_seconds = build.as_ref().map(|build| build.seconds);
    conclude(args, finished, seeded, None)
}

/// Writes what was asked for and says how it went.
fn conclude(
    args: &RunArgs,
    mut finished: Finished,
    seeded: bool,
    scales: Option<&Path>,
) -> miette::Result<Outcome> {
    finished.report.seed = seeded.then_some(args.seed);
    if let (Some(path), Some(result)) = (&args.out, &finished.result) {
        files::write(path, &result.to_npy().into_diagnostic()?)?;
    }
    if let (Some(path), Some(scales)) = (scales, &finished.scales) {
        files::write(path, &scales.to_npy().into_diagnostic()?)?;
    }
    if let Some(divergence) = &finished.report.divergence {
        eprint!("{divergence}");
    }
    let text = match args.json {
        true => format!(
            "{}\n",
            serde_json::to_string(&finished.report).into_diagnostic()?
        ),
        false => table(&finished.report),
    };
    files::print(text.as_bytes())?;
    Ok(match finished.report.is_right() {
        true => Outcome::Success,
        false => Outcome::Failure,
    })
}

fn run_rtl(args: &RunArgs, config: &Config, job: &Job) -> miette::Result<Finished> {
    let waves = match &args.trace {
        Some(path) => Some((path.as_path(), window(args, job.busy_cycles())?)),
        None => None,
    };
    let build = Build::new(config, args.trace.is_some())?;
    let bar = progress::cycles(job.busy_cycles(), "RTL");
    let mut finished = job.run_rtl(&build.compiled, waves, |cycle| {
        bar.set_position(cycle.min(job.busy_cycles()))
    })?;
    bar.finish_and_clear();
    finished.report.model_cached = Some(build.cached);
    finished.report.model_build_seconds = Some(build.seconds);
    if let Some(report) = &mut finished.report.divergence {
        // The difference is worth more than its waves: without them the report still comes.
        let path = Path::new(DIVERGENCE_WAVES);
        let recorded = Output::check(path)
            .map_err(miette::Report::from)
            .and_then(|()| match args.trace {
                Some(_) => Ok(build),
                None => Build::new(config, true),
            })
            .and_then(|build| {
                let bar = progress::cycles(report.window().end, "waves of the first difference");
                let listen = |cycle| bar.set_position(cycle);
                let recorded = job.record_divergence(&build.compiled, report, path, listen);
                bar.finish_and_clear();
                Ok(recorded?)
            });
        if let Err(error) = recorded {
            eprintln!("lpu: no waves of the first difference:\n{error:?}");
        }
    }
    Ok(finished)
}

/// The cycles to trace of a launch of `cycles` cycles.
fn window(args: &RunArgs, cycles: u64) -> miette::Result<Range<u64>> {
    let first = args.trace_from.unwrap_or(0);
    let last = args.trace_to.unwrap_or(cycles - 1);
    if first > last || last >= cycles {
        let end = cycles - 1;
        let help = format!("choose 0 <= --trace-from <= --trace-to <= {end}");
        return Err(miette!(
            code = "lpu::trace::window",
            help = help,
            "the waves cannot show cycles {first} to {last}: the launch has cycles 0 to {end}"
        ));
    }
    Ok(first..last + 1)
}

fn table(report: &Report) -> String {
    let verdict = match (
        report.mismatches,
        report.cycles_measured == report.cycles_predicted,
    ) {
        (0, true) => "equal to the golden model in every bit and every cycle",
        (0, false) => "values equal, but not in the predicted number of cycles",
        _ => "DIFFERENT from the golden model",
    };
    let (what, read) = match &report.shape {
        Shape::Matmul { m, k, n, format } => (
            format!("{format} matmul {m} x {k} x {n}"),
            "weight bytes read",
        ),
        Shape::Attention {
            seq,
            keys,
            heads,
            kv_heads,
            dim,
            causal,
            weights,
            mode,
        } => {
            let causal = if *causal { "causal " } else { "" };
            let what = format!(
                "{causal}attention of {seq} queries and {keys} keys, {heads} heads ({kv_heads} of keys) of {dim}, \
                 {weights} weights, {mode}"
            );
            (what, "keys and values read")
        }
        Shape::Layer {
            dim,
            ffn,
            heads,
            kv_heads,
            head_dim,
            layers,
            cache,
            position,
            batch,
        } => {
            let what = format!(
                "{layers} decoder layer{} of {dim}, feed-forward {ffn}, {heads} heads ({kv_heads} of keys) of {head_dim}, \
                 position {position} of {cache}, batch {batch}",
                if *layers == 1 { "" } else { "s" }
            );
            (what, "weights, keys, values")
        }
        Shape::Rows {
            rows, cols, layout, ..
        } => (
            format!("{} of {rows} x {cols} {layout}", report.workload),
            "operands read",
        ),
        Shape::Collective { elements, .. } => (
            format!("{} of {elements} elements", report.workload),
            "vectors read",
        ),
    };
    let work = match &report.shape {
        Shape::Rows {
            passes,
            bound_cycles,
            ..
        } => format!(
            "passes                  {passes}, {bound_cycles} of them for elements ({:.2} % of the cycles)",
            100.0 * *bound_cycles as f64 / report.cycles_measured.max(1) as f64
        ),
        Shape::Collective { bound_cycles, .. } => format!(
            "bound of the links      {bound_cycles} ({:.2} % of the cycles)",
            100.0 * *bound_cycles as f64 / report.cycles_measured.max(1) as f64
        ),
        _ => format!(
            "multiply-accumulates    {} ({:.2} % of the MXM)",
            report.macs,
            100.0 * report.mac_utilization
        ),
    };
    let speed = match report.shape {
        Shape::Rows { .. } | Shape::Collective { .. } => String::new(),
        _ => format!(", {:.0} million MAC/s", report.sim_macs_per_second / 1e6),
    };
    let mut engine = format!("{:?}", report.engine).to_lowercase();
    if let Some(lpus) = &report.lpus {
        engine += &format!(", {} LPUs", lpus.lpus);
    }
    let pipelined = report
        .pipelined
        .as_ref()
        .map_or(String::new(), |pipelined| {
            format!(
                "launches                {}, a token in each: {:.2} % of linear\n",
                pipelined.launches,
                100.0 * pipelined.efficiency
            )
        });
    let errors = report.errors.map_or(String::new(), |errors| {
        format!(
            "largest error           {:.3e} ({:.3e} of the largest of its row)\n",
            errors.max_abs_error, errors.max_rel_error
        )
    });
    format!(
        "{what} on {} ({engine}): {verdict}\n\
         \n\
         cycles predicted        {}\n\
         cycles measured         {}\n\
         {work}\n\
         {read:<23} {:.2} % of the SRAM read bandwidth\n\
         {pipelined}\
         events compared         {}\n\
         mismatches              {}\n\
         {errors}\
         simulated               {:.0} cycles/s{speed}\n\
         configuration hash      {}\n",
        report.config,
        report.cycles_predicted,
        report.cycles_measured,
        100.0 * report.sram_read_utilization,
        report.events_compared,
        report.mismatches,
        report.sim_cycles_per_second,
        &report.config_hash[..16],
    )
}
