//! `lpu run` of the kernels of the vector unit.

use super::{Outcome, prepare, run};
use crate::cli::{CodesArg, LayoutArg, QuantisedArg, RowsArgs, RunCommand};
use lpu::data::{Item, Matrix};
use lpu::files::{self, Output};
use lpu::workload::Rows;
use lpu::workload::rows::{Rotation, patterns};
use lpu_compiler::vector::{Element, Kernel, Spread};
use miette::miette;
use std::path::{Path, PathBuf};

/// What a seeded operand looks like.
#[derive(Clone, Copy)]
enum Kind {
    /// Around one.
    Factor,
    /// Around zero, with a standard deviation of a quarter.
    Offset,
    /// Positive and small.
    Scale,
    /// Like x.
    Normal,
}

/// An operand besides x: its option and file, its shape, and what it looks like without a file.
struct Extra<'a> {
    option: &'static str,
    file: &'a Option<PathBuf>,
    rows: usize,
    columns: usize,
    kind: Kind,
}

/// A kernel, its operands besides x, and the angles of a rotation.
type Described<'a> = (Kernel, Vec<Extra<'a>>, Option<Rotation>);

fn read<T: Item>(path: &Path, word: impl Fn(T) -> u32) -> miette::Result<Matrix<u32>> {
    let matrix = Matrix::<T>::read(path)?;
    Ok(Matrix {
        rows: matrix.rows,
        columns: matrix.columns,
        elements: matrix.elements.into_iter().map(word).collect(),
    })
}

fn seeded(rows: usize, columns: usize, seed: u64, stream: u64, kind: Kind) -> Matrix<u32> {
    let mut matrix = Matrix::seeded_reals(rows, columns, seed, stream);
    for value in &mut matrix.elements {
        *value = match kind {
            Kind::Factor => 1.0 + *value / 4.0,
            Kind::Offset => *value / 4.0,
            Kind::Scale => (1.0 + value.abs()) / 128.0,
            Kind::Normal => *value,
        };
    }
    patterns(&matrix)
}

/// Runs a kernel of the vector unit.
pub fn execute(command: &RunCommand) -> miette::Result<Outcome> {
    match command {
        RunCommand::Softmax(args) => {
            let kernel = Kernel::Softmax { scale: args.scale };
            reals(&args.rows, |_, _| Ok((kernel, vec![], None)))
        }
        RunCommand::Rmsnorm(args) => reals(&args.rows, |_, columns| {
            let kernel = Kernel::RmsNorm { epsilon: args.eps };
            let gamma = of_columns("--gamma", &args.gamma, columns, Kind::Factor);
            Ok((kernel, vec![gamma], None))
        }),
        RunCommand::Layernorm(args) => reals(&args.rows, |_, columns| {
            let kernel = Kernel::LayerNorm { epsilon: args.eps };
            let gamma = of_columns("--gamma", &args.gamma, columns, Kind::Factor);
            let beta = of_columns("--beta", &args.beta, columns, Kind::Offset);
            Ok((kernel, vec![gamma, beta], None))
        }),
        RunCommand::Silu(args) => reals(&args.rows, |rows, columns| {
            let kernel = Kernel::Silu { gated: args.gated };
            let gate = args.gated.then_some(Extra {
                option: "--b",
                file: &args.b,
                rows,
                columns,
                kind: Kind::Normal,
            });
            Ok((kernel, gate.into_iter().collect(), None))
        }),
        RunCommand::Gelu(args) => reals(&args.rows, |_, _| Ok((Kernel::Gelu, vec![], None))),
        RunCommand::Rope(args) => reals(&args.rows, |_, columns| {
            let dim = args.dim.unwrap_or(columns);
            if !columns.is_multiple_of(dim) {
                return Err(miette!(
                    code = "lpu::shape",
                    help = "choose --dim among the divisors of the columns",
                    "{columns} columns are no whole number of heads of {dim} elements"
                ));
            }
            let heads = columns / dim;
            let rotation = Rotation {
                offset: args.offset as usize,
                base: args.base,
            };
            Ok((Kernel::Rope { heads }, vec![], Some(rotation)))
        }),
        RunCommand::Quantise(args) => {
            let format = match args.format {
                QuantisedArg::Int8 => Element::Int8,
                QuantisedArg::E4m3 => Element::E4m3,
                QuantisedArg::Nvfp4 => Element::E2m1,
            };
            if let Some(path) = &args.out_scales {
                Output::check(path)?;
            }
            let x = x_of(&args.rows)?;
            finish(
                &args.rows,
                Kernel::Quantise { format },
                x,
                vec![],
                None,
                args.out_scales.as_ref(),
            )
        }
        RunCommand::Dequantise(args) => {
            check_size(&args.rows)?;
            let x = match (&args.rows.x, args.format) {
                (Some(path), CodesArg::Int32) => read(path, |code: i32| code as u32)?,
                (Some(path), CodesArg::Int8) => read(path, |code: i8| u32::from(code as u8))?,
                (Some(path), CodesArg::E4m3) => read(path, |code: u8| u32::from(code))?,
                (None, format) => codes(&args.rows, format),
            };
            let format = match args.format {
                CodesArg::Int32 => Element::Int32,
                CodesArg::Int8 => Element::Int8,
                CodesArg::E4m3 => Element::E4m3,
            };
            let extras = vec![
                of_columns("--row-scales", &args.row_scales, x.rows, Kind::Scale),
                of_columns(
                    "--column-scales",
                    &args.column_scales,
                    x.columns,
                    Kind::Scale,
                ),
            ];
            finish(
                &args.rows,
                Kernel::Dequantise { format },
                x,
                extras,
                None,
                None,
            )
        }
        RunCommand::Matmul(_)
        | RunCommand::Attention(_)
        | RunCommand::Layer(_)
        | RunCommand::AllReduce(_)
        | RunCommand::ReduceScatter(_)
        | RunCommand::AllGather(_) => {
            unreachable!("they are no kernels of rows")
        }
    }
}

/// A vector, as a matrix of one row.
fn of_columns<'a>(
    option: &'static str,
    file: &'a Option<PathBuf>,
    columns: usize,
    kind: Kind,
) -> Extra<'a> {
    Extra {
        option,
        file,
        rows: 1,
        columns,
        kind,
    }
}

/// Seeded matrices are made before the compiler sees them; one that no SRAM holds is not.
fn check_size(args: &RowsArgs) -> miette::Result<()> {
    let config = files::config(&args.run.config.config)?;
    if args.x.is_none() {
        super::operands::check_seeded(&config, &[(args.rows, args.cols)], 1, "--rows or --cols")?;
    }
    Ok(())
}

fn x_of(args: &RowsArgs) -> miette::Result<Matrix<u32>> {
    check_size(args)?;
    match &args.x {
        Some(path) => read(path, f32::to_bits),
        None => Ok(seeded(args.rows, args.cols, args.run.seed, 0, Kind::Normal)),
    }
}

/// Seeded codes: of int32 as large as products of a few thousand terms, of E4M3 without NaN.
fn codes(args: &RowsArgs, format: CodesArg) -> Matrix<u32> {
    let count = if format == CodesArg::Int32 { 4 } else { 1 };
    let bytes = Matrix::seeded(args.rows, count * args.cols, args.run.seed, 0);
    let word = |bytes: &[i8]| match format {
        CodesArg::Int32 => {
            let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]].map(|byte| byte as u8);
            (i32::from_le_bytes(bytes) >> 8) as u32
        }
        CodesArg::Int8 => u32::from(bytes[0] as u8),
        CodesArg::E4m3 => match bytes[0] as u8 {
            code if code & 0x7f == 0x7f => u32::from(code - 1),
            code => u32::from(code),
        },
    };
    Matrix {
        rows: args.rows,
        columns: args.cols,
        elements: bytes.elements.chunks(count).map(word).collect(),
    }
}

/// Runs a kernel of an FP32 matrix; `describe` is given its rows and columns.
fn reals<'a>(
    args: &RowsArgs,
    describe: impl FnOnce(usize, usize) -> miette::Result<Described<'a>>,
) -> miette::Result<Outcome> {
    let x = x_of(args)?;
    let (kernel, extras, rotation) = describe(x.rows, x.columns)?;
    finish(args, kernel, x, extras, rotation, None)
}

fn finish(
    args: &RowsArgs,
    kernel: Kernel,
    x: Matrix<u32>,
    extras: Vec<Extra>,
    rotation: Option<Rotation>,
    scales: Option<&PathBuf>,
) -> miette::Result<Outcome> {
    let config = prepare(&args.run)?;
    let spread = args.layout.map(|layout| match layout {
        LayoutArg::OverLanes => Spread::OverLanes,
        LayoutArg::PerLane => Spread::PerLane,
    });
    let mut operands = vec![x];
    for (stream, extra) in (1..).zip(extras) {
        operands.push(match (extra.file, &args.x) {
            (Some(path), _) => read(path, f32::to_bits)?,
            (None, None) => seeded(extra.rows, extra.columns, args.run.seed, stream, extra.kind),
            (None, Some(_)) => {
                let help = format!("give a file with {}", extra.option);
                return Err(miette!(
                    code = "lpu::operands",
                    help = help,
                    "x comes from a file, so {} has to, too",
                    extra.option
                ));
            }
        });
    }
    let rows = Rows::new(&config, spread, kernel, operands, rotation)?;
    run(
        &args.run,
        &config,
        rows,
        args.x.is_none(),
        scales.map(PathBuf::as_path),
    )
}
