//! The options of `lpu generate` and `lpu model`.

use super::{PlacementArg, RackArgs};
use clap::{Args, Subcommand, ValueEnum};
use lpu_model::quant::{Format, Scheme};
use std::path::PathBuf;

/// What computes the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// RTL simulation; every logit and every launch is checked
    Rtl,
    /// The golden machine, which needs no Verilator; checked likewise
    Model,
    /// int8 and FP32 as the machine computes, bit for bit, without the machine
    Golden,
    /// The forward pass in f32 on the host
    Reference,
}

/// What is compared with the golden models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckArg {
    /// Every logit of every token, and the cycles of every launch
    Logits,
    /// Every stream write, SRAM read and SRAM write as well; slower
    Events,
}

/// Format of weights and activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NumbersArg {
    /// Nothing is rounded
    F32,
    /// int8, a scale for each output and for each token
    Int8,
    /// FP8 E4M3, a scale for each output and for each token
    E4m3,
    /// E2M1 with an E4M3 scale for each 16 elements
    Nvfp4,
}

/// What is rounded.
#[derive(Args)]
pub struct NumbersArgs {
    /// Format of weights and activations in linear layers
    #[arg(long, value_enum, default_value_t = NumbersArg::F32)]
    pub format: NumbersArg,
    /// Round queries, keys and values to int8
    #[arg(long)]
    pub int8_attention: bool,
}

impl NumbersArgs {
    /// The option that rounds something, if one does.
    pub fn given(&self) -> Option<&'static str> {
        match self {
            Self {
                int8_attention: true,
                ..
            } => Some("--int8-attention"),
            Self {
                format: NumbersArg::F32,
                ..
            } => None,
            _ => Some("--format"),
        }
    }

    /// The scheme they mean.
    pub fn scheme(&self) -> Scheme {
        let scheme = Scheme::of(match self.format {
            NumbersArg::F32 => Format::F32,
            NumbersArg::Int8 => Format::Int8,
            NumbersArg::E4m3 => Format::E4m3,
            NumbersArg::Nvfp4 => Format::Nvfp4,
        });
        match self.int8_attention {
            true => scheme.with_int8_attention(),
            false => scheme,
        }
    }
}

#[derive(Args)]
pub struct GenerateArgs {
    /// Folder of a model, or a llama2.c checkpoint (default: the model in this program, which adds numbers)
    #[arg(long, value_name = "DIR|FILE", requires = "prompt")]
    pub model: Option<PathBuf>,
    /// Text to continue
    #[arg(long, default_value = "27182818+31415926=", value_name = "TEXT")]
    pub prompt: String,
    /// Most tokens to generate
    #[arg(long, default_value_t = 128, value_name = "N")]
    pub max_tokens: usize,
    /// 0 always takes the most likely token; 1 draws tokens as likely as the model finds them
    #[arg(long, default_value_t = 0.0, value_name = "T")]
    pub temperature: f64,
    /// Draw from the N most likely tokens only (0: all)
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub top_k: usize,
    /// Draw from the most likely tokens that make up this share
    #[arg(long, default_value_t = 1.0, value_name = "P")]
    pub top_p: f64,
    /// Seed of the draws
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What computes (default: rtl, with --format or --int8-attention reference)
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// Run only the feed-forward networks, experts too, on the machine; attention, routers and head run on the host in f32
    #[arg(long)]
    pub afd: bool,
    /// What is compared on RTL
    #[arg(long, value_enum, default_value_t = CheckArg::Logits)]
    pub check: CheckArg,
    /// Preset or TOML file of the machine (not of the reference)
    #[arg(short, long, default_value = "proto", value_name = "PRESET|FILE")]
    pub config: String,
    /// Text that sets the steps of int8 values (default: texts that the model writes)
    #[arg(long, value_name = "FILE")]
    pub calibrate: Option<PathBuf>,
    /// Go on after the keys and values in a .safetensors file; the prompt is what follows
    #[arg(long, value_name = "FILE", requires = "prompt")]
    pub kv_in: Option<PathBuf>,
    /// Write the keys and values of all positions into a .safetensors file
    #[arg(long, value_name = "FILE")]
    pub kv_out: Option<PathBuf>,
    #[command(flatten)]
    pub format: NumbersArgs,
    #[command(flatten)]
    pub rack: RackArgs,
    /// What several LPUs have of the model: in a pipeline the tokens of the prompt follow each other, generated ones wait for each other
    #[arg(long, value_enum, default_value_t = PlacementArg::Tensor)]
    pub placement: PlacementArg,
    /// Print a JSON object for each token, and one that sums up
    #[arg(long)]
    pub json: bool,
}

impl GenerateArgs {
    /// What computes.
    pub fn engine(&self) -> EngineName {
        let default = match self.format.given() {
            Some(_) => EngineName::Reference,
            None => EngineName::Rtl,
        };
        self.engine.unwrap_or(default)
    }
}

#[derive(Subcommand)]
pub enum ModelCommand {
    /// Check a model and print architecture, parameters and bytes in each format
    Info {
        /// Folder of a model, or a llama2.c checkpoint (default: the model in this program)
        #[arg(value_name = "DIR|FILE")]
        model: Option<PathBuf>,
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
    /// Measure what rounding does to a model on a text, layer by layer
    Compare {
        /// Folder of a model, or a llama2.c checkpoint (default: the model in this program)
        #[arg(value_name = "DIR|FILE")]
        model: Option<PathBuf>,
        /// File with the text, `-` for standard input
        #[arg(long, value_name = "FILE")]
        text: PathBuf,
        #[command(flatten)]
        format: NumbersArgs,
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
}
