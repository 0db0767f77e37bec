//! Instructions in words.

use lpu_isa::{AccMode, Instruction, Operation};
use std::fmt::Write;

fn mode(mode: AccMode) -> &'static str {
    match mode {
        AccMode::Never => "never",
        AccMode::Inner => "inner",
        AccMode::Outer => "outer",
        AccMode::Always => "always",
    }
}

fn operation(operation: Operation, address: u16) -> String {
    match operation {
        Operation::Read { stream } => format!("READ {stream}, {address}"),
        Operation::Gather { stream, offset } => format!("GATHER {stream}, {offset}, {address}"),
        Operation::Write { stream } => format!("WRITE {stream}, {address}"),
        Operation::Scatter { stream, offset } => format!("SCATTER {stream}, {offset}, {address}"),
        Operation::LoadWeights {
            stream,
            column,
            install,
        } => {
            let form = if column { " column" } else { "" };
            let install = if install { " iw" } else { "" };
            format!("LW e{stream}, {address}{form}{install}")
        }
        Operation::InstallWeights => "IW".to_owned(),
        Operation::LoadOperand { stream } => format!("LX e{stream}, {address}"),
        Operation::MultiplyStream { stream } => format!("MM e{stream}"),
        Operation::MultiplyBuffer => format!("MM buffer {address}"),
        Operation::Accumulate { stream, init, emit } => {
            format!(
                "ACC {address}, w{stream} init {} emit {}",
                mode(init),
                mode(emit)
            )
        }
    }
}

/// An instruction in one line, for reports.
pub fn describe(instruction: &Instruction) -> String {
    match *instruction {
        Instruction::Nop { cycles } => format!("NOP {cycles}"),
        Instruction::Config { register, value } => format!("CONFIG {register}, {value}"),
        Instruction::Notify => "NOTIFY".to_owned(),
        Instruction::Sync => "SYNC".to_owned(),
        Instruction::End => "END".to_owned(),
        Instruction::Op {
            operation: op,
            address,
            repeat,
        } => {
            let mut text = operation(op, address);
            let levels = [
                (
                    repeat.count0,
                    u32::from(repeat.interval0),
                    i32::from(repeat.stride0),
                ),
                (
                    repeat.count1,
                    repeat.interval1,
                    i32::from(repeat.stride1 as i16),
                ),
            ];
            if repeat.count0 > 1 || repeat.count1 > 1 {
                for (count, interval, stride) in levels {
                    let _ = write!(text, " x{count} every {interval} by {stride}");
                }
            }
            text
        }
    }
}
