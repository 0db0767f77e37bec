//! The commands, their options and their help.

mod model;

use clap::{Args, Parser, Subcommand};
use lpu_compiler::decoder::Placement;
pub use model::{CheckArg, EngineName, GenerateArgs, ModelCommand};
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
    /// Print the register map of the AXI top module
    Regs(RegsArgs),
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
    /// Preset (nano, edge, proto, wide; with formats: proto+e4m3) or TOML file
    #[arg(short, long, default_value = "nano", value_name = "PRESET|FILE")]
    pub config: String,
}

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print a configuration as TOML
    Show {
        /// Preset (with formats: proto+e4m3) or TOML file
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
    /// Top module
    #[arg(long, value_enum, default_value_t = TopArg::Tile)]
    pub top: TopArg,
    /// Slots of a frame of the link: fewer for less latency and less goodput
    #[arg(long, default_value_t = lpu_isa::c2c::MAX_SLOTS, value_name = "N")]
    pub slots: usize,
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

/// What is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TopArg {
    /// `lpu_tile`, with the host port of the machine
    Tile,
    /// `lpu_axi`, the tile behind AXI4-Lite registers and an AXI4 window
    Axi,
    /// `lpu_c2c_link`, the link to another chip for vectors of as many lanes
    C2c,
}

/// How the register map is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RegsFormat {
    /// Tables for a document
    Markdown,
    /// A header for drivers in C
    C,
    /// One JSON object
    Json,
}

#[derive(Args)]
pub struct RegsArgs {
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = RegsFormat::Markdown)]
    pub format: RegsFormat,
    /// Output file instead of standard output
    #[arg(short, long)]
    pub output: Option<PathBuf>,
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
    /// C = A x B, int8 x int8 -> int32, or E4M3 or NVFP4 -> FP32
    Matmul(MatmulArgs),
    /// softmax(Q K^T / sqrt(dim)) V, int8 -> FP32; the configuration needs a vector unit
    Attention(AttentionArgs),
    /// Layers of a transformer decoder, a token of each sequence, int8 with FP32; needs both units
    Layer(LayerArgs),
    /// The sum of the FP32 vectors of several LPUs, on each of them; needs a vector unit and links
    AllReduce(CollectiveArgs),
    /// The same, on each LPU its share of the sum
    ReduceScatter(CollectiveArgs),
    /// Shares of an FP32 vector from each of several LPUs to all
    AllGather(CollectiveArgs),
    /// Softmax of each row of an FP32 matrix; this and what follows need a vector unit
    Softmax(SoftmaxArgs),
    /// x / sqrt(mean(x^2) + eps) * gamma of each row
    Rmsnorm(RmsNormArgs),
    /// (x - mean) / sqrt(variance + eps) * gamma + beta of each row
    Layernorm(LayerNormArgs),
    /// x * sigmoid(x), with --gated times b (SwiGLU)
    Silu(SiluArgs),
    /// GELU of each element, tanh form
    Gelu(GeluArgs),
    /// Rotary position embedding of pairs (i, i + dim / 2); each row is a position
    Rope(RopeArgs),
    /// FP32 to int8, E4M3 or NVFP4, with scales for each row
    Quantise(QuantiseArgs),
    /// int32, int8 or E4M3 times a scale for each row and one for each column, FP32
    Dequantise(DequantiseArgs),
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

/// How links are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TopologyArg {
    /// Each LPU has a link to every other
    AllToAll,
    /// Each LPU has a link to the next and one to the one before
    Ring,
    /// Each LPU has a link to its parent and to two children
    Tree,
}

/// Several LPUs.
#[derive(Args)]
pub struct RackArgs {
    /// LPUs that share the work, 1 to 8, launched in the same cycle
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub lpus: usize,
    /// How their links are joined
    #[arg(long, value_enum, default_value_t = TopologyArg::AllToAll)]
    pub topology: TopologyArg,
    /// Slots in a frame of their links, 8 to 208: fewer make a shorter hop and carry less (default: 208, or as many as --hop has
    /// time for)
    #[arg(long, value_name = "S")]
    pub slots: Option<usize>,
    /// Dies on each other instead of a line of 7 cycles and lanes a word apart
    #[arg(long, conflicts_with = "hop")]
    pub stacked: bool,
    /// Cycles from a link that takes a vector to the RECEIVE that finds it (default: what slots and line take)
    #[arg(long, value_name = "CYCLES")]
    pub hop: Option<u64>,
    /// Threads that simulate them (default: as many as the host has)
    #[arg(long, value_name = "N", value_parser = dimension)]
    pub threads: Option<usize>,
}

/// What several LPUs have of decoder layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PlacementArg {
    /// A share of every layer, of the same token
    Tensor,
    /// Whole layers, a token on each LPU
    Pipeline,
}

impl PlacementArg {
    /// What it means to the compiler.
    pub const fn placement(self) -> Placement {
        match self {
            Self::Tensor => Placement::Tensor,
            Self::Pipeline => Placement::Pipeline,
        }
    }
}

/// Format of the operands of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FormatArg {
    /// Integers of 8 bits, exact sums of 32 bits
    Int8,
    /// FP8 of 4 bits of exponent, 3 of fraction; exact sums, rounded once to FP32
    E4m3,
    /// FP4 in blocks of 16 with an E4M3 scale, likewise
    Nvfp4,
}

#[derive(Args)]
pub struct MatmulArgs {
    /// Format of the operands; the configuration must have it
    #[arg(long, value_enum, default_value_t = FormatArg::Int8)]
    pub format: FormatArg,
    /// Left matrix, a .npy file of int8, for E4M3 of uint8 (codes) or float32, for NVFP4 of float32 (default: made from the seed)
    #[arg(long, value_name = "FILE", requires = "b", conflicts_with_all = ["m", "k", "n", "seed"])]
    pub a: Option<PathBuf>,
    /// Right matrix, likewise
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
    pub rack: RackArgs,
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
    pub rack: RackArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct LayerArgs {
    /// Width of the model
    #[arg(long, default_value_t = 576, value_parser = dimension)]
    pub dim: usize,
    /// Width of the feed-forward
    #[arg(long, default_value_t = 1536, value_parser = dimension)]
    pub ffn: usize,
    /// Heads
    #[arg(long, default_value_t = 9, value_parser = dimension)]
    pub heads: usize,
    /// Heads of keys and values, each shared by heads / N neighbouring heads
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = dimension)]
    pub kv_heads: usize,
    /// Elements of a head, even
    #[arg(long, default_value_t = 64, value_parser = dimension)]
    pub head_dim: usize,
    /// Layers
    #[arg(long, default_value_t = 1, value_parser = dimension)]
    pub layers: usize,
    /// Positions of the KV cache, a multiple of the lanes
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = dimension)]
    pub cache: usize,
    /// Position of the token, in a pipeline of the first of each group (default: the last tokens are at the end of the cache)
    #[arg(long, value_name = "N")]
    pub position: Option<usize>,
    /// Sequences that take a token each
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = dimension)]
    pub batch: usize,
    #[command(flatten)]
    pub rack: RackArgs,
    /// What several LPUs have of the layers
    #[arg(long, value_enum, default_value_t = PlacementArg::Tensor)]
    pub placement: PlacementArg,
    /// Tokens that go into a pipeline, one in a launch (default: as many as LPUs)
    #[arg(long, value_name = "N", value_parser = dimension)]
    pub tokens: Option<usize>,
    /// Groups of --batch sequences that take turns in a pipeline, each with a cache of its own; a power of two
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = dimension)]
    pub groups: usize,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct CollectiveArgs {
    /// Elements of the vector of each LPU, made from the seed
    #[arg(long, default_value_t = 65536, value_name = "N", value_parser = elements)]
    pub elements: usize,
    #[command(flatten)]
    pub rack: RackArgs,
    #[command(flatten)]
    pub run: RunArgs,
}

/// How rows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LayoutArg {
    /// Each row fills vectors; rows are reduced over the lanes by the switch unit
    OverLanes,
    /// Each lane holds a row
    PerLane,
}

/// The matrix of a kernel of the vector unit.
#[derive(Args)]
pub struct RowsArgs {
    /// Rows
    #[arg(long, default_value_t = 1, value_parser = dimension)]
    pub rows: usize,
    /// Columns
    #[arg(long, default_value_t = 576, value_parser = dimension)]
    pub cols: usize,
    /// The matrix, a .npy file (default: made from the seed, as are the other operands)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rows", "cols", "seed"])]
    pub x: Option<PathBuf>,
    /// How rows lie in SRAM (default: over lanes, if kernel and machine can)
    #[arg(long, value_enum)]
    pub layout: Option<LayoutArg>,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct SoftmaxArgs {
    /// Factor of the elements
    #[arg(long, default_value_t = 1.0, value_parser = step32)]
    pub scale: f32,
    #[command(flatten)]
    pub rows: RowsArgs,
}

#[derive(Args)]
pub struct RmsNormArgs {
    /// What the mean square is raised by
    #[arg(long, default_value_t = 1e-5, value_parser = epsilon)]
    pub eps: f32,
    /// Factors of the columns, a .npy file of FP32, 1 x cols
    #[arg(long, value_name = "FILE", requires = "x")]
    pub gamma: Option<PathBuf>,
    #[command(flatten)]
    pub rows: RowsArgs,
}

#[derive(Args)]
pub struct LayerNormArgs {
    /// What the variance is raised by
    #[arg(long, default_value_t = 1e-5, value_parser = epsilon)]
    pub eps: f32,
    /// Factors of the columns, a .npy file of FP32, 1 x cols
    #[arg(long, value_name = "FILE", requires_all = ["x", "beta"])]
    pub gamma: Option<PathBuf>,
    /// What is added to the columns, likewise
    #[arg(long, value_name = "FILE", requires = "gamma")]
    pub beta: Option<PathBuf>,
    #[command(flatten)]
    pub rows: RowsArgs,
}

#[derive(Args)]
pub struct SiluArgs {
    /// Times a second matrix of the same shape
    #[arg(long)]
    pub gated: bool,
    /// The second matrix, a .npy file of FP32
    #[arg(long, value_name = "FILE", requires_all = ["x", "gated"])]
    pub b: Option<PathBuf>,
    #[command(flatten)]
    pub rows: RowsArgs,
}

#[derive(Args)]
pub struct GeluArgs {
    #[command(flatten)]
    pub rows: RowsArgs,
}

#[derive(Args)]
pub struct RopeArgs {
    /// Elements of a head, even; each row has cols / dim heads (default: cols)
    #[arg(long, value_parser = dimension)]
    pub dim: Option<usize>,
    /// Pair i turns by position * base^(-2 i / dim)
    #[arg(long, default_value_t = 10000.0, value_parser = step)]
    pub base: f64,
    /// Position of the first row
    #[arg(long, default_value_t = 0, value_name = "POSITION")]
    pub offset: u32,
    #[command(flatten)]
    pub rows: RowsArgs,
}

/// What a quantisation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum QuantisedArg {
    /// -127 to 127 (-128 is possible where a scale is subnormal), FP32 scale of a row
    Int8,
    /// E4M3, FP32 scale of a row
    E4m3,
    /// E2M1, one in each byte, with an E4M3 scale for 16 columns
    Nvfp4,
}

#[derive(Args)]
pub struct QuantiseArgs {
    /// Format of the codes
    #[arg(long, value_enum, default_value_t = QuantisedArg::Int8)]
    pub format: QuantisedArg,
    /// Write the scales as a .npy file
    #[arg(long, value_name = "FILE")]
    pub out_scales: Option<PathBuf>,
    #[command(flatten)]
    pub rows: RowsArgs,
}

/// What a dequantisation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CodesArg {
    /// int32, as the matrix unit makes them
    Int32,
    /// int8
    Int8,
    /// E4M3, uint8 in a .npy file
    E4m3,
}

#[derive(Args)]
pub struct DequantiseArgs {
    /// Format of the codes
    #[arg(long, value_enum, default_value_t = CodesArg::Int32)]
    pub format: CodesArg,
    /// Scales of the rows, a .npy file of FP32, 1 x rows
    #[arg(long, value_name = "FILE", requires_all = ["x", "column_scales"])]
    pub row_scales: Option<PathBuf>,
    /// Scales of the columns, likewise, 1 x cols
    #[arg(long, value_name = "FILE", requires = "row_scales")]
    pub column_scales: Option<PathBuf>,
    #[command(flatten)]
    pub rows: RowsArgs,
}

fn step32(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(step) if step > 0.0 && f32::is_finite(step) => Ok(step),
        _ => Err("must be a positive number".into()),
    }
}

fn epsilon(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(epsilon) if epsilon >= 0.0 && f32::is_finite(epsilon) => Ok(epsilon),
        _ => Err("must be a number of at least 0".into()),
    }
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

fn elements(text: &str) -> Result<usize, String> {
    dimension(text).map_err(|_| "must be a number from 1 to 16777216".into())
}

fn wave_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("fst" | "vcd") => Ok(path),
        _ => Err("must end in .fst or .vcd".into()),
    }
}
