//! The commands, their options and their help.

mod model;

use clap::{Args, Parser, Subcommand};
pub use model::{EngineName, GenerateArgs, ModelCommand};
use std::path::PathBuf;

/// Generate, simulate and verify the RTL of a Language Processing Unit.
#[derive(Parser)]
#[command(version, max_term_width = 100, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 success, 1 RTL and golden model differ (doctor: cannot be compared), \
                  2 bad input or a failed tool, 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show, check or describe configurations
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Generate the Verilog of a machine
    Gen(GenArgs),
    /// Run a workload and compare RTL with the golden model
    #[command(subcommand)]
    Run(Box<RunCommand>),
    /// Let a language model continue a text
    Generate(GenerateArgs),
    /// Describe a language model, or what rounding does to it
    #[command(subcommand)]
    Model(ModelCommand),
    /// Assemble a program text into instruction words
    Asm(AsmArgs),
    /// Disassemble instruction words into a program text
    Disasm(AsmArgs),
    /// Show which tools are found and what is missing
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    Completions {
        /// Shell to complete for
        shell: clap_complete::Shell,
    },
}

/// The machine a command works on.
#[derive(Args)]
pub struct ConfigArg {
    /// Preset (nano, edge, proto, wide) or TOML file
    #[arg(short, long, default_value = "nano", value_name = "PRESET|FILE")]
    pub config: String,
}

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print a configuration as TOML
    Show {
        /// Preset or TOML file
        #[arg(default_value = "nano", value_name = "PRESET|FILE")]
        config: String,
        /// Print one JSON object, with derived figures and the hash
        #[arg(long)]
        json: bool,
    },
    /// Check configuration files; silent when they are good
    Check {
        /// TOML files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the JSON schema of configuration files
    Schema,
    /// List the presets
    List,
}

#[derive(Args)]
pub struct GenArgs {
    #[command(flatten)]
    pub config: ConfigArg,
    /// Folder for the Verilog files, the file list and the lint waivers
    #[arg(short, long, default_value = "build/verilog", value_name = "DIR")]
    pub out: PathBuf,
    /// Write into a folder that holds other files; replaces those of the same names, keeps the rest
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct DoctorArgs {
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct AsmArgs {
    #[command(flatten)]
    pub config: ConfigArg,
    /// Input file, `-` for standard input
    #[arg(default_value = "-")]
    pub input: PathBuf,
    /// Output file instead of standard output
    #[arg(short, long)]
    pub output: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum RunCommand {
    /// C = A x B, int8 x int8 -> int32
    Matmul(MatmulArgs),
    /// softmax(Q K^T / sqrt(dim)) V, int8 -> FP32; the configuration needs a vector unit
    Attention(AttentionArgs),
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineArg {
    /// The emitted Verilog under Verilator, compared with the golden model in every cycle
    Rtl,
    /// The golden model alone
    Model,
}

/// What every workload takes.
#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub config: ConfigArg,
    /// Write the result as a .npy file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Seed of the operands
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What computes
    #[arg(long, value_enum, default_value_t = EngineArg::Rtl)]
    pub engine: EngineArg,
    /// Write waves of all signals, .fst or .vcd; uses a slower model
    #[arg(long, value_name = "FILE", value_parser = wave_file)]
    pub trace: Option<PathBuf>,
    /// First cycle of the launch in the waves (default: 0)
    #[arg(long, value_name = "CYCLE", requires = "trace")]
    pub trace_from: Option<u64>,
    /// Last cycle of the launch in the waves (default: the last)
    #[arg(long, value_name = "CYCLE", requires = "trace")]
    pub trace_to: Option<u64>,
    /// Write what the inputs of the tile do in every cycle, to play it on a netlist
    #[arg(long, value_name = "FILE")]
    pub record_host: Option<PathBuf>,
    /// Print one JSON object on standard output
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct MatmulArgs {
    /// Left matrix, int8, a .npy file (default: made from the seed)
    #[arg(long, value_name = "FILE", requires = "b", conflicts_with_all = ["m", "k", "n", "seed"])]
    pub a: Option<PathBuf>,
    /// Right matrix, int8, a .npy file
    #[arg(long, value_name = "FILE", requires = "a")]
    pub b: Option<PathBuf>,
    /// Rows of A
    #[arg(long, default_value_t = 64, value_parser = dimension)]
    pub m: usize,
    /// Columns of A, rows of B
    #[arg(long, default_value_t = 64, value_parser = dimension)]
    pub k: usize,
    /// Columns of B
    #[arg(long, default_value_t = 64, value_parser = dimension)]
    pub n: usize,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Precision of softmax weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum WeightsArg {
    /// One int8 plane: two thirds of the work, errors of some percent of the largest value
    Int8,
    /// Two int8 planes
    Int16,
}

#[derive(Args)]
pub struct AttentionArgs {
    /// Queries of each head
    #[arg(long, default_value_t = 128, value_parser = dimension)]
    pub seq: usize,
    /// Heads
    #[arg(long, default_value_t = 8, value_parser = dimension)]
    pub heads: usize,
    /// Elements of a head
    #[arg(long, default_value_t = 64, value_parser = dimension)]
    pub dim: usize,
    /// Heads of keys and values, each shared by heads / N neighbouring heads (default: heads)
    #[arg(long, value_name = "N", value_parser = dimension)]
    pub kv_heads: Option<usize>,
    /// Positions of the KV cache, the queries' own included (default: seq)
    #[arg(long, value_name = "N", value_parser = dimension)]
    pub cache: Option<usize>,
    /// The queries are the last positions, and each sees positions up to its own only
    #[arg(long)]
    pub causal: bool,
    /// Precision of the softmax weights when they meet the values
    #[arg(long, value_enum, default_value_t = WeightsArg::Int16)]
    pub weights: WeightsArg,
    /// Queries, int8, a .npy file of heads * seq rows and dim columns (default: made from the seed)
    #[arg(long, value_name = "FILE", requires_all = ["k", "v"], conflicts_with = "seed")]
    pub q: Option<PathBuf>,
    /// Keys, int8, kv_heads * cache rows and dim columns
    #[arg(long, value_name = "FILE", requires = "q")]
    pub k: Option<PathBuf>,
    /// Values, likewise
    #[arg(long, value_name = "FILE", requires = "q")]
    pub v: Option<PathBuf>,
    /// Real value of one step of Q
    #[arg(long, default_value_t = 1.0 / 32.0, value_name = "STEP", value_parser = step)]
    pub q_scale: f64,
    /// Real value of one step of K
    #[arg(long, default_value_t = 1.0 / 32.0, value_name = "STEP", value_parser = step)]
    pub k_scale: f64,
    /// Real value of one step of V
    #[arg(long, default_value_t = 1.0 / 32.0, value_name = "STEP", value_parser = step)]
    pub v_scale: f64,
    #[command(flatten)]
    pub run: RunArgs,
}

fn step(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(step) if step > 0.0 && f64::is_finite(step) => Ok(step),
        _ => Err("must be a positive number".into()),
    }
}

fn dimension(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("a matrix has at least one row and one column".into()),
        Ok(size) if size <= 1 << 24 => Ok(size),
        _ => Err("must be a number from 1 to 16777216".into()),
    }
}

fn wave_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("fst" | "vcd") => Ok(path),
        _ => Err("must end in .fst or .vcd".into()),
    }
}
