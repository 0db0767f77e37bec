//! `lpu asm` and `lpu disasm`.
//!
//! The word form has one 128-bit word in hexadecimal a line, below the `.queue` line of its queue.

use crate::cli::AsmArgs;
use lpu::files;
use lpu_isa::{Instruction, Program, Queue, asm};
use miette::{IntoDiagnostic, LabeledSpan, NamedSource, miette};
use std::fmt::Write;

/// Runs `lpu asm`.
pub fn assemble(args: &AsmArgs) -> miette::Result<()> {
    let config = files::config(&args.config.config)?;
    let text = files::read_text(&args.input)?;
    let program = asm::assemble(&config, &args.input.to_string_lossy(), &text)?;
    let mut words = String::new();
    for (queue, instructions) in program.queues(&config) {
        writeln!(words, ".queue {queue}").into_diagnostic()?;
        for instruction in instructions {
            writeln!(words, "{:032x}", instruction.encode()).into_diagnostic()?;
        }
    }
    Ok(files::write_or_print(
        args.output.as_deref(),
        words.as_bytes(),
    )?)
}

/// Runs `lpu disasm`.
pub fn disassemble(args: &AsmArgs) -> miette::Result<()> {
    let config = files::config(&args.config.config)?;
    let text = files::read_text(&args.input)?;
    let mut program = Program::new(&config);
    let mut queue = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let code = line.trim();
        let refuse = |message: String| {
            let label = LabeledSpan::at(offset..offset + line.trim_end().len(), "here");
            let help = "a queue is a line `.queue NAME`, and below it one word a line, as `lpu asm` writes them";
            let name = args.input.to_string_lossy();
            miette!(
                labels = vec![label],
                code = "lpu::disasm",
                help = help,
                "{message}"
            )
            .with_source_code(NamedSource::new(name, text.clone()))
        };
        if let Some(name) = code.strip_prefix(".queue ") {
            let found = Queue::all(&config).position(|q| q.to_string() == name.trim());
            queue = Some(
                found.ok_or_else(|| refuse(format!("no queue `{name}` in this configuration")))?,
            );
        } else if !code.is_empty() {
            let queue = queue.ok_or_else(|| refuse("a word before the first `.queue`".into()))?;
            let word = u128::from_str_radix(code, 16)
                .map_err(|_| refuse(format!("`{code}` is not a 128-bit hexadecimal word")))?;
            let instruction =
                Instruction::decode(word).map_err(|error| refuse(error.to_string()))?;
            program.push(queue, instruction);
        }
        offset += line.len();
    }
    let text = asm::disassemble(&config, &program);
    Ok(files::write_or_print(
        args.output.as_deref(),
        text.as_bytes(),
    )?)
}
