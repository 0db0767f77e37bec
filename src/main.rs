//! `lpu`: generate, simulate and verify the RTL of a Language Processing Unit.

mod cli;
mod commands;
mod files;

use clap::Parser;
use std::process::ExitCode;

/// Exit code when a run completed and found a difference between RTL and golden model.
const EXIT_MISMATCH: u8 = 1;
/// Exit code when the input was refused or a tool failed; clap uses the same for usage errors.
const EXIT_ERROR: u8 = 2;

fn main() -> ExitCode {
    match commands::execute(cli::Cli::parse()) {
        Ok(commands::Outcome::Success) => ExitCode::SUCCESS,
        Ok(commands::Outcome::Mismatch) => ExitCode::from(EXIT_MISMATCH),
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}
