//! What a run drove on the inputs of a tile, cycle by cycle, for playing it on another simulator or on a netlist.

use crate::host_port::Request;
use std::fmt::{self, Display};

/// The inputs of a tile from its first clock cycle on.
///
/// As text: one line for each run of equal cycles, `cycles reset valid write address data`, the first decimal, the others
/// hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRecord {
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    cycles: u64,
    inputs: Inputs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inputs {
    Reset,
    Idle,
    Request(Request),
}

impl HostRecord {
    /// Cycles with reset high.
    pub(crate) fn reset(&mut self, cycles: u64) {
        self.push(cycles, Inputs::Reset);
    }

    /// Cycles without a request.
    pub(crate) fn idle(&mut self, cycles: u64) {
        self.push(cycles, Inputs::Idle);
    }

    /// A cycle with a request.
    pub(crate) fn request(&mut self, request: Request) {
        self.push(1, Inputs::Request(request));
    }

    /// Clock cycles in all.
    pub fn cycles(&self) -> u64 {
        self.rows.iter().map(|row| row.cycles).sum()
    }

    fn push(&mut self, cycles: u64, inputs: Inputs) {
        match self.rows.last_mut() {
            Some(last) if last.inputs == inputs => last.cycles += cycles,
            _ if cycles == 0 => {}
            _ => self.rows.push(Row { cycles, inputs }),
        }
    }
}

impl Display for HostRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { cycles, inputs } in &self.rows {
            match *inputs {
                Inputs::Reset => writeln!(f, "{cycles} 1 0 0 0 0")?,
                Inputs::Idle => writeln!(f, "{cycles} 0 0 0 0 0")?,
                Inputs::Request(Request::Read(address)) => {
                    writeln!(f, "{cycles} 0 1 0 {address:x} 0")?;
                }
                Inputs::Request(Request::Write(address, data)) => {
                    writeln!(f, "{cycles} 0 1 1 {address:x} {data:x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_cycles_share_a_line() {
        let mut record = HostRecord::default();
        record.reset(64);
        record.request(Request::Write(0x1000_0000, 0xfeed));
        record.request(Request::Write(0x1000_0000, 0xfeed));
        record.request(Request::Read(2));
        record.idle(7);
        record.idle(0);
        record.idle(3);
        assert_eq!(
            record.to_string(),
            "64 1 0 0 0 0\n2 0 1 1 10000000 feed\n1 0 1 0 2 0\n10 0 0 0 0 0\n"
        );
        assert_eq!(record.cycles(), 77);
    }
}
