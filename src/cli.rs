//! The commands, their options and their help.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Generate, simulate and verify the RTL of a Language Processing Unit.
#[derive(Parser)]
#[command(version, max_term_width = 100, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 success, 1 RTL and golden model differ, 2 bad input or a failed tool."
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
    /// Assemble a program text into instruction words
    Asm(AsmArgs),
    /// Disassemble instruction words into a program text
    Disasm(AsmArgs),
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
    /// Folder for the Verilog files, the file list and the configuration
    #[arg(short, long, default_value = "build/verilog", value_name = "DIR")]
    pub out: PathBuf,
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
