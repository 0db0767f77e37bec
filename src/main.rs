//! `lpu`: generate, simulate and verify the RTL of a Language Processing Unit.

mod cli;
mod commands;
mod progress;

use clap::Parser;
use miette::{GraphicalTheme, MietteHandlerOpts};
use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

/// Exit code when RTL and golden model differ, or when `lpu doctor` finds that they cannot be compared here.
const EXIT_FAILURE: u8 = 1;
/// Exit code when the input was refused or a tool failed; clap uses the same for usage errors.
const EXIT_ERROR: u8 = 2;

fn main() -> ExitCode {
    lpu::files::clean_up_on_interrupt();
    show_errors();
    match commands::execute(cli::Cli::parse()) {
        Ok(commands::Outcome::Success) => ExitCode::SUCCESS,
        Ok(commands::Outcome::Failure) => ExitCode::from(EXIT_FAILURE),
        Err(report) => {
            eprintln!("{report:?}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}

/// Errors have colours, links and the terminal's width on a terminal, and are plain text of a fixed width elsewhere.
fn show_errors() {
    if stderr().is_terminal() {
        return;
    }
    let plain = |_: &_| {
        let options = MietteHandlerOpts::new()
            .graphical_theme(GraphicalTheme::none())
            .terminal_links(false)
            .width(PLAIN_WIDTH);
        Box::new(options.build()) as Box<dyn miette::ReportHandler>
    };
    // It fails only if there is a hook already.
    let _ = miette::set_hook(Box::new(plain));
}

/// Columns of an error that does not go to a terminal.
const PLAIN_WIDTH: usize = 100;
