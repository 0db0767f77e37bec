//! Instructions as text.

use crate::{AccMode, Config, Instruction, Operation, Program, Repeat};
use std::fmt::{self, Display, Formatter, Write};

impl Display for Operation {
    /// Mnemonic and streams, for example `gather e3, w2`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Read { stream } => write!(f, "read {stream}"),
            Self::Gather { stream, offset } => write!(f, "gather {stream}, {offset}"),
            Self::Write { stream } => write!(f, "write {stream}"),
            Self::Scatter { stream, offset } => write!(f, "scatter {stream}, {offset}"),
            Self::LoadWeights {
                stream,
                column,
                install,
            } => {
                let form = if column { "column" } else { "row" };
                let install = if install { ".iw" } else { "" };
                write!(f, "lw.{form}{install} e{stream}")
            }
            Self::InstallWeights => f.write_str("iw"),
            Self::LoadOperand { stream } => write!(f, "lx e{stream}"),
            Self::MultiplyStream { stream } => write!(f, "mm e{stream}"),
            Self::MultiplyBuffer => f.write_str("mm.buffer"),
            Self::Accumulate { stream, init, emit } => {
                f.write_str("acc")?;
                for (name, mode) in [("init", init), ("emit", emit)] {
                    match mode {
                        AccMode::Never => {}
                        AccMode::Inner => write!(f, ".{name}_inner")?,
                        AccMode::Outer => write!(f, ".{name}_outer")?,
                        AccMode::Always => write!(f, ".{name}")?,
                    }
                }
                write!(f, " w{stream}")
            }
        }
    }
}

impl Display for Repeat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if *self == Self::ONCE {
            return Ok(());
        }
        let (interval, stride) = (self.interval0, self.stride0);
        write!(f, " repeat {}, {interval}, {stride}", self.count0)?;
        if self.count1 > 1 {
            let (interval, stride) = (self.interval1, self.stride1);
            write!(f, " repeat {}, {interval}, {stride}", self.count1)?;
        }
        Ok(())
    }
}

impl Display for Instruction {
    /// The canonical line of the assembler.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Nop { cycles } => write!(f, "nop {cycles}"),
            Self::Config { register, value } => write!(f, "config {register}, {value}"),
            Self::Notify => f.write_str("notify"),
            Self::Sync => f.write_str("sync"),
            Self::End => f.write_str("end"),
            Self::Op {
                operation,
                address,
                repeat,
            } => {
                match operation {
                    // Their address means nothing and is mostly zero.
                    Operation::InstallWeights | Operation::MultiplyStream { .. }
                        if address == 0 =>
                    {
                        write!(f, "{operation}{repeat}")
                    }
                    Operation::InstallWeights => write!(f, "{operation} {address:#06x}{repeat}"),
                    Operation::MultiplyBuffer => write!(f, "{operation} {address:#06x}{repeat}"),
                    _ => write!(f, "{operation}, {address:#06x}{repeat}"),
                }
            }
        }
    }
}

/// A whole program as text.
pub fn disassemble(config: &Config, program: &Program) -> String {
    let mut text = String::new();
    for (queue, instructions) in program.queues(config) {
        let _ = writeln!(text, ".queue {queue}");
        for instruction in instructions {
            let _ = writeln!(text, "    {instruction}");
        }
    }
    text
}
