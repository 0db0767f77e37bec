//! VCD to FST: the same scopes, signals and changes in a file many times smaller.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType,
    FstVarDirection, FstVarType, open_fst,
};
use vcd::{Command, IdCode, Parser, ReferenceIndex, ScopeItem, TimescaleUnit, Value, VarType};

/// Changes kept in memory before they are compressed into a section of the file.
const SECTION_BYTES: usize = 64 << 20;

/// Converts the VCD file `from` into the FST file `to`, in one pass. The error says what went wrong.
pub(crate) fn convert(from: &Path, to: &Path) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut parser = Parser::new(BufReader::new(File::open(from).map_err(|e| text(&e))?));
    let header = parser.parse_header().map_err(|e| text(&e))?;
    let info = FstInfo {
        start_time: 0,
        timescale_exponent: header
            .timescale
            .map_or(-9, |(count, unit)| exponent(count, unit)),
        version: "lpu-sim".into(),
        date: String::new(),
        file_type: FstFileType::Verilog,
    };
    let mut writer = open_fst(to, &info).map_err(|e| text(&e))?;
    let mut signals = HashMap::new();
    for item in &header.items {
        declare(item, &mut writer, &mut signals).map_err(|e| text(&e))?;
    }
    let body = writer.finish().map_err(|e| text(&e))?;
    copy_changes(&mut parser, body, &signals)
}

/// The FST signal of each VCD code, and its width.
type Signals = HashMap<IdCode, (FstSignalId, usize)>;

fn declare<W: std::io::Write + std::io::Seek>(
    item: &ScopeItem,
    writer: &mut FstHeaderWriter<W>,
    signals: &mut Signals,
) -> fst_writer::Result<()> {
    match item {
        ScopeItem::Scope(scope) => {
            writer.scope(&scope.identifier, "", FstScopeType::Module)?;
            for item in &scope.items {
                declare(item, writer, signals)?;
            }
            writer.up_scope()
        }
        ScopeItem::Var(var) => {
            let name = match var.index {
                None => var.reference.clone(),
                Some(ReferenceIndex::BitSelect(bit)) => format!("{} [{bit}]", var.reference),
                Some(ReferenceIndex::Range(msb, lsb)) => format!("{} [{msb}:{lsb}]", var.reference),
            };
            let (kind, signal) = match var.var_type {
                VarType::Real => (FstVarType::Real, FstSignalType::real()),
                VarType::Reg => (FstVarType::Reg, FstSignalType::bit_vec(var.size)),
                VarType::Parameter => (FstVarType::Parameter, FstSignalType::bit_vec(var.size)),
                _ => (FstVarType::Wire, FstSignalType::bit_vec(var.size)),
            };
            let alias = signals.get(&var.code).map(|(id, _)| *id);
            let id = writer.var(name, signal, kind, FstVarDirection::Implicit, alias)?;
            signals.entry(var.code).or_insert((id, var.size as usize));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn copy_changes<R: BufRead, W: std::io::Write + std::io::Seek>(
    parser: &mut Parser<R>,
    mut body: FstBodyWriter<W>,
    signals: &Signals,
) -> Result<(), String> {
    let mut bits = Vec::new();
    for command in parser {
        let written = match command.map_err(|error| error.to_string())? {
            Command::Timestamp(time) => {
                if body.size() > SECTION_BYTES {
                    body.flush().map_err(|error| error.to_string())?;
                }
                body.time_change(time)
            }
            Command::ChangeScalar(code, value) => change(&mut body, signals, code, &[digit(value)]),
            Command::ChangeVector(code, vector) => {
                bits.clear();
                let width = signals.get(&code).map_or(0, |(_, width)| *width);
                // VCD drops leading zeros.
                bits.resize(width.saturating_sub(vector.len()), b'0');
                bits.extend(vector.iter().map(digit));
                change(&mut body, signals, code, &bits)
            }
            Command::ChangeReal(code, value) => {
                change(&mut body, signals, code, &value.to_le_bytes())
            }
            _ => Ok(()),
        };
        written.map_err(|error| error.to_string())?;
    }
    body.finish().map(drop).map_err(|error| error.to_string())
}

fn change<W: std::io::Write + std::io::Seek>(
    body: &mut FstBodyWriter<W>,
    signals: &Signals,
    code: IdCode,
    value: &[u8],
) -> fst_writer::Result<()> {
    signals
        .get(&code)
        .map_or(Ok(()), |(id, _)| body.signal_change(*id, value))
}

fn digit(value: Value) -> u8 {
    match value {
        Value::V0 => b'0',
        Value::V1 => b'1',
        Value::X => b'x',
        Value::Z => b'z',
    }
}

/// The power of ten of a time unit in seconds.
fn exponent(count: u32, unit: TimescaleUnit) -> i8 {
    let unit = match unit {
        TimescaleUnit::S => 0,
        TimescaleUnit::MS => -3,
        TimescaleUnit::US => -6,
        TimescaleUnit::NS => -9,
        TimescaleUnit::PS => -12,
        TimescaleUnit::FS => -15,
    };
    unit + i8::try_from(count.max(1).ilog10()).unwrap_or(0)
}
