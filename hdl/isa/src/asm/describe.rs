//! The parts of a descriptor as text.

use super::parse::{ranged, stream};
use crate::descriptor::{
    Alu, AluOperation, Descriptor, Format, Function, Operand, Output, ResultFormat, Source,
};

/// Adds the part that a line describes; `alus` is how many ALUs the machine has.
pub(super) fn describe(line: &str, alus: usize, descriptor: &mut Descriptor) -> Result<(), String> {
    let words: Vec<&str> = line
        .split([' ', '\t', ','])
        .filter(|word| !word.is_empty())
        .collect();
    match words.as_slice() {
        ["a", "register", offset] => descriptor.source = Source::Register(row(offset)?),
        ["a", format] => {
            descriptor.source = Source::Stream(named("format", format, Format::named)?)
        }
        ["b", format, alu] => {
            let alu = ranged(alu, 0, alus.min(2) as i64 - 1)? as u8;
            descriptor.b = Some((named("format", format, Format::named)?, alu));
        }
        ["alu", index, operation, y, z, rest @ ..] => {
            let index = ranged(index, 0, alus as i64 - 1)? as usize;
            descriptor.alus[index] = alu(operation, y, z, rest)?;
        }
        ["sfu", function] => {
            descriptor.function = named("special function", function, Function::named)?;
        }
        ["store", offset] => descriptor.write = Some(row(offset)?),
        ["out", format, to] => {
            let format = named("format of a result", format, ResultFormat::named)?;
            let stream = stream(to)?;
            descriptor.output = Some(Output { format, stream });
        }
        _ => return Err(format!("`{line}` is not a part of a descriptor")),
    }
    Ok(())
}

fn alu(operation: &str, y: &str, z: &str, rest: &[&str]) -> Result<Alu, String> {
    let mut modifiers = operation.split('.');
    let name = modifiers.next().unwrap_or("");
    let mut alu = Alu {
        operation: named("operation", name, AluOperation::named)?,
        y: named("operand", y, Operand::named)?,
        z: named("operand", z, Operand::named)?,
        ..Alu::default()
    };
    for modifier in modifiers {
        match modifier {
            "abs" => alu.absolute = true,
            "neg" => alu.negate = true,
            "negz" => alu.negate_z = true,
            _ => return Err(format!("`.{modifier}` is not .abs, .neg or .negz")),
        }
    }
    for pair in rest.chunks(2) {
        match pair {
            ["r", offset] => alu.offset = row(offset)?,
            ["fixed", offset] => (alu.offset, alu.fixed) = (row(offset)?, true),
            ["k", pattern] => alu.constant = ranged(pattern, 0, u32::MAX.into())? as u32,
            _ => {
                return Err(format!(
                    "`{}` is not `r OFFSET`, `fixed ROW` or `k PATTERN`",
                    pair.join(" ")
                ));
            }
        }
    }
    Ok(alu)
}

fn row(text: &str) -> Result<u16, String> {
    ranged(text, 0, 1023).map(|row| row as u16)
}

fn named<T>(what: &str, name: &str, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    find(name).ok_or_else(|| format!("`{name}` is not a {what}"))
}
