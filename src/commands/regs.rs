//! `lpu regs`.

use crate::cli::{RegsArgs, RegsFormat};
use lpu::files;
use lpu_isa::registers;

/// Runs `lpu regs`.
pub fn execute(args: &RegsArgs) -> miette::Result<()> {
    let text = match args.format {
        RegsFormat::Markdown => registers::markdown(),
        RegsFormat::C => registers::c_header(),
        RegsFormat::Json => format!("{:#}\n", registers::json()),
    };
    Ok(files::write_or_print(
        args.output.as_deref(),
        text.as_bytes(),
    )?)
}
