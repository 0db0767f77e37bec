//! One module for each command.

mod asm;
mod config;
mod doctor;
mod gen_verilog;
mod generate;
mod lpus;
mod model;
mod regs;
mod run;

use crate::cli::{Cli, Command};
use clap::CommandFactory;

/// How a command that ran to its end ended.
pub enum Outcome {
    /// All is well.
    Success,
    /// RTL and golden model differ, or cannot be compared here.
    Failure,
}

/// Runs the command.
pub fn execute(cli: Cli) -> miette::Result<Outcome> {
    match cli.command {
        Command::Config(command) => config::execute(command)?,
        Command::Gen(args) => gen_verilog::execute(&args)?,
        Command::Regs(args) => regs::execute(&args)?,
        Command::Run(command) => return run::execute(&command),
        Command::Generate(args) => return generate::execute(&args),
        Command::Model(command) => model::execute(&command)?,
        Command::Asm(args) => asm::assemble(&args)?,
        Command::Disasm(args) => asm::disassemble(&args)?,
        Command::Doctor(args) => return doctor::execute(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "lpu", &mut script);
            lpu::files::print(&script)?;
        }
    }
    Ok(Outcome::Success)
}
