//! The options of `lpu generate` and `lpu model`.

use clap::{Args, Subcommand, ValueEnum};
use lpu_model::quant::{Format, Scheme};
use std::path::PathBuf;

/// What computes the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The forward pass in f32 on the host
    Reference,
}

/// Format of weights and activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
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
pub struct FormatArgs {
    /// Format of weights and activations in linear layers
    #[arg(long, value_enum, default_value_t = FormatArg::F32)]
    pub format: FormatArg,
    /// Round queries, keys and values to int8
    #[arg(long)]
    pub int8_attention: bool,
}

impl FormatArgs {
    /// The scheme they mean.
    pub fn scheme(&self) -> Scheme {
        let scheme = Scheme::of(match self.format {
            FormatArg::F32 => Format::F32,
            FormatArg::Int8 => Format::Int8,
            FormatArg::E4m3 => Format::E4m3,
            FormatArg::Nvfp4 => Format::Nvfp4,
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
    /// What computes
    #[arg(long, value_enum, default_value_t = EngineName::Reference)]
    pub engine: EngineName,
    #[command(flatten)]
    pub format: FormatArgs,
    /// Print one JSON object on standard output; the text goes to standard error as it comes
    #[arg(long)]
    pub json: bool,
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
        format: FormatArgs,
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
}
