//! Text to instructions.

use super::describe::describe;
use crate::descriptor::DESCRIPTORS;
use crate::instruction::{lanes_address, vector_address};
use crate::{
    AccMode, Config, Descriptor, Instruction, LaneMode, Operation, Program, Queue, Reduction,
    Repeat, Stream,
};
use miette::{Diagnostic, NamedSource, SourceSpan};
use std::sync::Arc;
use thiserror::Error;

/// Why a program text does not assemble.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(lpu::asm))]
pub struct AsmError {
    message: String,
    #[help]
    help: &'static str,
    #[source_code]
    text: Arc<NamedSource<String>>,
    #[label("here")]
    span: SourceSpan,
}

/// An error inside one line: byte range in the line, message, help.
type LineError = (std::ops::Range<usize>, String, &'static str);

const MNEMONICS: &str = "instructions: nop N | read S, A | gather S, S, A | write S, A | scatter S, S, A | \
lw.row[.iw] eN, R | lw.column[.iw] eN, R | iw | lx eN, R | lx.scaled eN, eN, R | \
mm eN | mm.scaled eN, eN | mm.buffer[.scaled] R | \
acc[.init|.init_inner|.init_outer][.emit|.emit_inner|.emit_outer] wN, R | config R, V | \
vec S, S, dN, rN | lanes.MODE[.word] S, S, N | tload S, R | tstore S, C | reduce.sum|max|argmax S, S | send wN | receive[.word] eN | deskew | runtime_deskew N | notify | sync | end; \
operations take up to two `repeat count, interval, stride`";

/// Assembles a program; `file` names the text in errors.
pub fn assemble(config: &Config, file: &str, text: &str) -> Result<Program, AsmError> {
    let mut program = Program::new(config);
    let mut section = Section::None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let result = assemble_line(config, line, &mut program, &mut section);
        result.map_err(|(range, message, help)| AsmError {
            message,
            help,
            text: Arc::new(NamedSource::new(file, text.to_owned())),
            span: (offset + range.start..offset + range.end).into(),
        })?;
        offset += line.len();
    }
    Ok(program)
}

/// What the lines belong to.
enum Section {
    None,
    Queue(usize),
    Descriptor(usize, Descriptor),
}

fn assemble_line(
    config: &Config,
    line: &str,
    program: &mut Program,
    section: &mut Section,
) -> Result<(), LineError> {
    let code = line.split(';').next().unwrap_or("");
    let start = code.len() - code.trim_start().len();
    let code = code.trim();
    let range = start..start + code.len();
    if code.is_empty() {
        return Ok(());
    }
    if let Some(name) = code.strip_prefix(".queue") {
        let found = Queue::all(config).position(|q| q.to_string() == name.trim());
        *section = Section::Queue(found.ok_or((
            range,
            format!("no queue `{}` in this configuration", name.trim()),
            "queues: mem<i>.read, mem<i>.write, mxm<p>.weights, mxm<p>.compute, mxm<p>.accumulate, vxm, sxm, c2c<k>.send, c2c<k>.receive",
        ))?);
        return Ok(());
    }
    if let Some(rest) = code.strip_prefix(".descriptor") {
        let limit = if config.vxm.is_some() { DESCRIPTORS } else { 0 };
        let index = index_below(rest, limit).map_err(|message| {
            (
                range,
                message,
                "a machine with [vxm] has descriptors 0 to 63",
            )
        })?;
        program.describe(index, Descriptor::default());
        *section = Section::Descriptor(index, Descriptor::default());
        return Ok(());
    }
    if let Some(rest) = code.strip_prefix(".map") {
        const HELP: &str = "`.map N LANE, LANE, ..` with one number for each lane; [sxm] maps tells how many tables there are";
        let (index, lanes) = map(config, rest).map_err(|message| (range, message, HELP))?;
        program.map(index, lanes);
        *section = Section::None;
        return Ok(());
    }
    let queue = match section {
        Section::Queue(queue) => *queue,
        Section::Descriptor(index, descriptor) => {
            const HELP: &str = "parts: a FORMAT | a register N | b FORMAT ALU | alu J OPERATION Y, Z [r N] [k PATTERN] | \
                sfu FUNCTION | store N | out FORMAT S";
            let alus = config.vxm.as_ref().map_or(0, |vxm| vxm.alus);
            describe(code, alus, descriptor).map_err(|message| (range, message, HELP))?;
            program.describe(*index, *descriptor);
            return Ok(());
        }
        Section::None => {
            return Err((
                range,
                "an instruction before the first `.queue`".to_owned(),
                "name the queue first, for example `.queue mem0.read`",
            ));
        }
    };
    if program.queue(queue).len() == config.icu.queue_depth {
        let message = format!(
            "more than icu.queue_depth = {} instructions",
            config.icu.queue_depth
        );
        return Err((range, message, "use repeats, or a deeper queue"));
    }
    let instruction = parse_instruction(code).map_err(|message| (range, message, MNEMONICS))?;
    program.push(queue, instruction);
    Ok(())
}

fn index_below(text: &str, limit: usize) -> Result<usize, String> {
    let index = number(text.trim())?;
    if limit == 0 {
        return Err("this configuration has no such unit".into());
    }
    let found = usize::try_from(index).ok().filter(|&index| index < limit);
    found.ok_or_else(|| format!("number {index} is not below {limit}"))
}

/// A permutation table: its number and the source of each lane.
fn map(config: &Config, text: &str) -> Result<(usize, Vec<u8>), String> {
    let text = text.trim();
    let (index, lanes) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let index = index_below(index, config.sxm.as_ref().map_or(0, |sxm| sxm.maps))?;
    let lanes: Vec<u8> = lanes
        .split(',')
        .map(|lane| ranged(lane.trim(), 0, 255).map(|lane| lane as u8))
        .collect::<Result<_, _>>()?;
    if lanes.len() != config.lanes {
        return Err(format!("{} lanes, not {}", lanes.len(), config.lanes));
    }
    Ok((index, lanes))
}

/// Parses one instruction without comment.
pub fn parse_instruction(code: &str) -> Result<Instruction, String> {
    let mut parts = code.split(" repeat ");
    let head = parts.next().unwrap_or("").trim();
    let levels: Vec<Vec<i64>> = parts
        .map(|level| level.split(',').map(|n| number(n.trim())).collect())
        .collect::<Result<_, _>>()?;
    let (mnemonic, operands) = head.split_once(char::is_whitespace).unwrap_or((head, ""));
    let operands: Vec<&str> = operands
        .split(',')
        .map(str::trim)
        .filter(|operand| !operand.is_empty())
        .collect();
    let mut modifiers = mnemonic.split('.');
    let name = modifiers.next().unwrap_or("");
    let modifiers: Vec<&str> = modifiers.collect();
    let simple = match (name, operands.as_slice()) {
        ("nop", [n]) => Some(Instruction::Nop {
            cycles: ranged(n, 1, 0xf_ffff)? as u32,
        }),
        ("config", [register, value]) => Some(Instruction::Config {
            register: ranged(register, 0, 63)? as u8,
            value: ranged(value, 0, 0xffff)? as u16,
        }),
        ("notify", []) => Some(Instruction::Notify),
        ("sync", []) => Some(Instruction::Sync),
        ("end", []) => Some(Instruction::End),
        ("deskew", []) => Some(Instruction::Deskew),
        ("runtime_deskew", [wait]) => Some(Instruction::RuntimeDeskew {
            wait: ranged(wait, 1, 0xffff)? as u16,
        }),
        _ => None,
    };
    if let Some(instruction) = simple {
        return match (modifiers.is_empty(), levels.is_empty()) {
            (false, _) => Err(format!("`{name}` takes no `.` modifiers")),
            (_, false) => Err(format!("`{name}` takes no repeat")),
            _ => Ok(instruction),
        };
    }
    let (operation, address) = operation(name, &modifiers, &operands)?;
    let repeat = repeat(&levels)?;
    Ok(Instruction::repeated(operation, address, repeat))
}

fn operation(
    name: &str,
    modifiers: &[&str],
    operands: &[&str],
) -> Result<(Operation, u16), String> {
    let address = |text: &str| ranged(text, 0, 0xffff).map(|n| n as u16);
    let plain = modifiers.is_empty();
    Ok(match (name, operands) {
        ("read", [s, a]) if plain => (Operation::Read { stream: stream(s)? }, address(a)?),
        ("write", [s, a]) if plain => (Operation::Write { stream: stream(s)? }, address(a)?),
        ("gather", [s, o, a]) if plain => {
            let (stream, offset) = (stream(s)?, stream(o)?);
            (Operation::Gather { stream, offset }, address(a)?)
        }
        ("scatter", [s, o, a]) if plain => {
            let (stream, offset) = (stream(s)?, stream(o)?);
            (Operation::Scatter { stream, offset }, address(a)?)
        }
        ("lw", [s, a]) => {
            let (column, install) = match modifiers {
                ["row"] => (false, false),
                ["row", "iw"] => (false, true),
                ["column"] => (true, false),
                ["column", "iw"] => (true, true),
                _ => return Err("`lw` is lw.row, lw.row.iw, lw.column or lw.column.iw".into()),
            };
            let stream = eastward(s)?;
            let operation = Operation::LoadWeights {
                stream,
                column,
                install,
            };
            (operation, address(a)?)
        }
        ("iw", []) if plain => (Operation::InstallWeights, 0),
        ("iw", [a]) if plain => (Operation::InstallWeights, address(a)?),
        ("lx", [s, a]) if plain => {
            let (stream, scales) = (eastward(s)?, None);
            (Operation::LoadOperand { stream, scales }, address(a)?)
        }
        ("lx", [s, scales, a]) if modifiers == ["scaled"] => {
            let (stream, scales) = (eastward(s)?, Some(eastward(scales)?));
            (Operation::LoadOperand { stream, scales }, address(a)?)
        }
        ("mm", [s]) if plain => {
            let (stream, scales) = (eastward(s)?, None);
            (Operation::MultiplyStream { stream, scales }, 0)
        }
        ("mm", [s, a]) if plain => {
            let (stream, scales) = (eastward(s)?, None);
            (Operation::MultiplyStream { stream, scales }, address(a)?)
        }
        ("mm", [s, scales, rest @ ..]) if modifiers == ["scaled"] && rest.len() < 2 => {
            let (stream, scales) = (eastward(s)?, Some(eastward(scales)?));
            let row = rest.first().map_or(Ok(0), |a| address(a))?;
            (Operation::MultiplyStream { stream, scales }, row)
        }
        ("mm", [a]) if modifiers == ["buffer"] || modifiers == ["buffer", "scaled"] => {
            let scaled = modifiers.len() == 2;
            (Operation::MultiplyBuffer { scaled }, address(a)?)
        }
        ("acc", [s, a]) => {
            let (init, emit) = acc_modes(modifiers)?;
            let result = stream(s)?;
            if !result.westward {
                return Err(format!("results flow west: `{s}` must be a w stream"));
            }
            let stream = result.index;
            (Operation::Accumulate { stream, init, emit }, address(a)?)
        }
        ("vec", [a, b, descriptor, row]) if plain => {
            let (a, b) = (stream(a)?, stream(b)?);
            let descriptor = prefixed("d", descriptor, 63)?;
            let row = prefixed("r", row, 1023)?;
            (Operation::Vector { a, b }, vector_address(row, descriptor))
        }
        ("lanes", [from, to, argument]) => {
            let (mode, word) = match modifiers {
                [mode] => (mode, false),
                [mode, "word"] => (mode, true),
                _ => return Err("`lanes` is lanes.MODE or lanes.MODE.word".into()),
            };
            let (from, to) = (stream(from)?, stream(to)?);
            let argument = ranged(argument, 0, 0xfff)? as u16;
            let mode = code(mode, LaneMode::ALL.map(|(name, _)| name).as_slice(), 15)?;
            let address = lanes_address(LaneMode::Up, argument) | mode << 12;
            (Operation::Lanes { from, to, word }, address)
        }
        ("tload", [from, a]) if plain => {
            let from = stream(from)?;
            (Operation::TransposeLoad { from }, address(a)?)
        }
        ("tstore", [to, a]) if plain => {
            let to = stream(to)?;
            (Operation::TransposeStore { to }, address(a)?)
        }
        ("reduce", [from, to]) => {
            let [what] = modifiers else {
                return Err("`reduce` is reduce.sum, reduce.max or reduce.argmax".into());
            };
            let (from, to) = (stream(from)?, stream(to)?);
            let names = Reduction::ALL.map(|(name, _)| name);
            (Operation::Reduce { from, to }, code(what, &names, 0xffff)?)
        }
        ("send", [s, rest @ ..]) if plain && rest.len() < 2 => {
            let stream = at_links(s, true)?;
            let address = rest.first().map_or(Ok(0), |a| address(a))?;
            (Operation::Send { stream }, address)
        }
        ("receive", [s, rest @ ..]) if (plain || modifiers == ["word"]) && rest.len() < 2 => {
            let (stream, word) = (at_links(s, false)?, !plain);
            let address = rest.first().map_or(Ok(0), |a| address(a))?;
            (Operation::Receive { stream, word }, address)
        }
        _ => {
            return Err(format!(
                "`{name}` with these operands is not an instruction"
            ));
        }
    })
}

/// A name, or the number that it stands for.
fn code(text: &str, names: &[&str], limit: i64) -> Result<u16, String> {
    if let Some(code) = names.iter().position(|name| *name == text) {
        return Ok(code as u16);
    }
    let code = ranged(text, names.len() as i64, limit);
    code.map(|code| code as u16)
        .map_err(|_| format!("`{text}` is not one of {}", names.join(", ")))
}

/// A number behind a letter, such as the row of `r12`.
fn prefixed(letter: &str, text: &str, limit: i64) -> Result<u16, String> {
    let number = text
        .strip_prefix(letter)
        .ok_or_else(|| format!("`{text}` is not {letter}0 to {letter}{limit}"))?;
    Ok(ranged(number, 0, limit)? as u16)
}

fn acc_modes(modifiers: &[&str]) -> Result<(AccMode, AccMode), String> {
    let (mut init, mut emit) = (AccMode::Never, AccMode::Never);
    for modifier in modifiers {
        let (what, level) = modifier.split_once('_').unwrap_or((modifier, ""));
        let mode = match level {
            "" => AccMode::Always,
            "inner" => AccMode::Inner,
            "outer" => AccMode::Outer,
            _ => return Err(format!("`acc` has no modifier `.{modifier}`")),
        };
        match what {
            "init" if init == AccMode::Never => init = mode,
            "emit" if emit == AccMode::Never => emit = mode,
            _ => return Err(format!("`acc` cannot take `.{modifier}` here")),
        }
    }
    Ok((init, emit))
}

fn repeat(levels: &[Vec<i64>]) -> Result<Repeat, String> {
    let mut repeat = Repeat::ONCE;
    for (depth, level) in levels.iter().enumerate() {
        let &[count, interval, stride] = level.as_slice() else {
            return Err("a repeat has three numbers: count, interval, stride".into());
        };
        let count = within("repeat count", count, 1, 65536)? as u32;
        match depth {
            0 => {
                let interval = within("inner interval", interval, 1, 4095)? as u16;
                let stride = within("inner stride", stride, -2048, 2047)? as i16;
                repeat = Repeat::inner(count, interval, stride);
            }
            1 => {
                let least = (repeat.count0 as i64 - 1) * repeat.interval0 as i64 + 1;
                let least = if count > 1 { least } else { 1 };
                let interval = within("outer interval", interval, least, 0xf_ffff)? as u32;
                let stride = within("outer stride", stride, -32768, 65535)? as u16;
                repeat = repeat.outer(count, interval, stride);
            }
            _ => return Err("at most two repeat levels".into()),
        }
    }
    Ok(repeat)
}

pub(super) fn stream(text: &str) -> Result<Stream, String> {
    let parsed = text.split_at_checked(1).and_then(|(direction, index)| {
        let index = index.parse().ok().filter(|index| *index < 32)?;
        match direction {
            "e" => Some(Stream::east(index)),
            "w" => Some(Stream::west(index)),
            _ => None,
        }
    });
    parsed.ok_or_else(|| format!("`{text}` is not a stream (e0..e31, w0..w31)"))
}

fn eastward(text: &str) -> Result<u8, String> {
    match stream(text)? {
        stream if stream.westward => Err(format!("the MXM takes eastward streams: `{text}`")),
        stream => Ok(stream.index),
    }
}

/// The stream of a SEND (westward) or of a RECEIVE.
fn at_links(text: &str, westward: bool) -> Result<u8, String> {
    match stream(text)? {
        stream if stream.westward == westward => Ok(stream.index),
        _ => {
            let wanted = if westward { "a w" } else { "an e" };
            Err(format!(
                "links are in the west: `{text}` must be {wanted} stream"
            ))
        }
    }
}

fn number(text: &str) -> Result<i64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is not a number"))
}

pub(super) fn ranged(text: &str, low: i64, high: i64) -> Result<i64, String> {
    within("number", number(text)?, low, high)
}

fn within(what: &str, value: i64, low: i64, high: i64) -> Result<i64, String> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(format!("{what} {value} is not from {low} to {high}"))
}
