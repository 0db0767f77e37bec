//! Operands of workloads, from files or from a seed.

use crate::cli::{AttentionArgs, FormatArg, LayerArgs, MatmulArgs, PlacementArg, WeightsArg};
use lpu::data::{ArrayError, Matrix, Numbers};
use lpu::quantise::{Quantised, Side};
use lpu::workload::attention::{Options, Scales};
use lpu::workload::{Layers, OperandError, layer};
use lpu_compiler::attention::Weights;
use lpu_compiler::matmul::Format;
use lpu_isa::Config;
use lpu_isa::rack::Rack;
use miette::miette;
use std::path::Path;

/// Bytes of SRAM that no machine exceeds: 32 slices of 65536 vectors of 64 lanes.
const LARGEST_SRAM: u128 = 32 * 65536 * 64;

/// Refuses seeded operands that no machine holds, before they are made; of others the compiler knows better. `per_byte` elements
/// share a byte.
pub fn check_seeded(
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
pub fn product(
    config: &Config,
    args: &MatmulArgs,
) -> miette::Result<(Format, Quantised, Quantised)> {
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
pub fn attention(
    config: &Config,
    args: &AttentionArgs,
) -> miette::Result<(Options, [Matrix<i8>; 3])> {
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

/// Decoder layers with random weights.
pub fn layers(config: &Config, rack: &Rack, args: &LayerArgs) -> miette::Result<Layers> {
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
