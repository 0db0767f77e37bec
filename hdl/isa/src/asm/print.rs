//! Instructions as text.

use crate::descriptor::{Alu, Descriptor, Output, Source};
use crate::instruction::{ARGUMENT_BITS, ROW_BITS};
use crate::{AccMode, Config, Instruction, LaneMode, Operation, Program, Reduction, Repeat};
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
            Self::LoadOperand { stream, scales } => scaled(f, "lx", stream, scales),
            Self::MultiplyStream { stream, scales } => scaled(f, "mm", stream, scales),
            Self::MultiplyBuffer { scaled: false } => f.write_str("mm.buffer"),
            Self::MultiplyBuffer { scaled: true } => f.write_str("mm.buffer.scaled"),
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
            Self::Vector { a, b } => write!(f, "vec {a}, {b}"),
            Self::Lanes { from, to, word } => {
                let word = if word { ".word" } else { "" };
                write!(f, "lanes{word} {from}, {to}")
            }
            Self::TransposeLoad { from } => write!(f, "tload {from}"),
            Self::TransposeStore { to } => write!(f, "tstore {to}"),
            Self::Reduce { from, to } => write!(f, "reduce {from}, {to}"),
            Self::Send { stream } => write!(f, "send w{stream}"),
            Self::Receive { stream, word } => {
                write!(f, "receive{} e{stream}", if word { ".word" } else { "" })
            }
        }
    }
}

/// An operand, and the stream of its scales if there is one.
fn scaled(f: &mut Formatter<'_>, name: &str, stream: u8, scales: Option<u8>) -> fmt::Result {
    match scales {
        None => write!(f, "{name} e{stream}"),
        Some(scales) => write!(f, "{name}.scaled e{stream}, e{scales}"),
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
            Self::Deskew => f.write_str("deskew"),
            Self::RuntimeDeskew { wait } => write!(f, "runtime_deskew {wait}"),
            Self::Op {
                operation,
                address,
                repeat,
            } => {
                match operation {
                    // Their address means nothing and is mostly zero.
                    Operation::InstallWeights
                    | Operation::MultiplyStream { .. }
                    | Operation::Send { .. }
                    | Operation::Receive { .. }
                        if address == 0 =>
                    {
                        write!(f, "{operation}{repeat}")
                    }
                    Operation::Vector { .. } => {
                        let (descriptor, row) =
                            (address >> ROW_BITS, address & ((1 << ROW_BITS) - 1));
                        write!(f, "{operation}, d{descriptor}, r{row}{repeat}")
                    }
                    Operation::Lanes { from, to, word } => {
                        let (mode, argument) = (
                            address >> ARGUMENT_BITS,
                            address & ((1 << ARGUMENT_BITS) - 1),
                        );
                        let word = if word { ".word" } else { "" };
                        f.write_str("lanes.")?;
                        match LaneMode::ALL.get(usize::from(mode)) {
                            Some((name, _)) => f.write_str(name)?,
                            None => write!(f, "{mode}")?,
                        }
                        write!(f, "{word} {from}, {to}, {argument}{repeat}")
                    }
                    Operation::Reduce { from, to } => {
                        f.write_str("reduce.")?;
                        match Reduction::ALL.get(usize::from(address)) {
                            Some((name, _)) => f.write_str(name)?,
                            None => write!(f, "{address}")?,
                        }
                        write!(f, " {from}, {to}{repeat}")
                    }
                    Operation::InstallWeights => write!(f, "{operation} {address:#06x}{repeat}"),
                    Operation::MultiplyBuffer { .. } => {
                        write!(f, "{operation} {address:#06x}{repeat}")
                    }
                    _ => write!(f, "{operation}, {address:#06x}{repeat}"),
                }
            }
        }
    }
}

impl Display for Alu {
    /// `fma.neg k, -0.0 r 3 k 0x3f800000`, offset and constant where they are not zero; `fixed 3` for a register that does not
    /// move with the row.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        for (name, set) in [
            ("abs", self.absolute),
            ("neg", self.negate),
            ("negz", self.negate_z),
        ] {
            if set {
                write!(f, ".{name}")?;
            }
        }
        write!(f, " {}, {}", self.y, self.z)?;
        if self.fixed {
            write!(f, " fixed {}", self.offset)?;
        } else if self.offset != 0 {
            write!(f, " r {}", self.offset)?;
        }
        if self.constant != 0 {
            write!(f, " k {:#010x}", self.constant)?;
        }
        Ok(())
    }
}

impl Display for Descriptor {
    /// The lines of the assembler below `.descriptor`; parts that do nothing are left out.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.source {
            Source::Register(offset) => writeln!(f, "    a register {offset}")?,
            Source::Stream(format) => writeln!(f, "    a {format}")?,
        }
        if let Some((format, alu)) = self.b {
            writeln!(f, "    b {format} {alu}")?;
        }
        for (j, alu) in self.alus.iter().enumerate() {
            if *alu != Alu::default() {
                writeln!(f, "    alu {j} {alu}")?;
            }
        }
        if self.function != Default::default() {
            writeln!(f, "    sfu {}", self.function)?;
        }
        if let Some(offset) = self.write {
            writeln!(f, "    store {offset}")?;
        }
        if let Some(Output { format, stream }) = self.output {
            writeln!(f, "    out {format} {stream}")?;
        }
        Ok(())
    }
}

/// A whole program as text.
pub fn disassemble(config: &Config, program: &Program) -> String {
    let mut text = String::new();
    for (index, descriptor) in program.descriptors() {
        let _ = writeln!(text, ".descriptor {index}");
        let _ = write!(text, "{descriptor}");
    }
    for (index, lanes) in program.maps() {
        let lanes: Vec<String> = lanes.iter().map(u8::to_string).collect();
        let _ = writeln!(text, ".map {index} {}", lanes.join(", "));
    }
    for (queue, instructions) in program.queues(config) {
        let _ = writeln!(text, ".queue {queue}");
        for instruction in instructions {
            let _ = writeln!(text, "    {instruction}");
        }
    }
    text
}
