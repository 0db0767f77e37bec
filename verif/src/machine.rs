//! The cycle-accurate golden machine.
//!
//! Executes programs as `docs/machine.md` says and yields every [`Event`] that hardware must show, in
//! canonical order (cycle, kind, unit, stream).
//!
//! ```
//! use lpu_isa::{Config, Instruction, Operation, Program, Stream};
//! use lpu_verif::{Machine, Status, Vector};
//!
//! let config = Config::preset("nano").unwrap();
//! let mut program = Program::new(&config);
//! let read = Operation::Read { stream: Stream::east(0) };
//! program.push(0, Instruction::once(read, 7));
//! for queue in 0..config.num_queues() {
//!     program.push(queue, Instruction::End);
//! }
//! let mut machine = Machine::new(&config);
//! machine.write_sram(0, 7, &Vector::encode(&[1; 8]));
//! machine.load(&program).unwrap();
//! machine.launch();
//! let mut events = Vec::new();
//! assert_eq!(machine.run(1000, &mut events), Status::Finished);
//! assert_eq!(events.len(), 2); // the read starts in cycle 0 and drives in cycle 2
//! assert_eq!(events[1].cycle, 2);
//! ```
//!
//! In a cycle, all that reads state goes before all that writes it: issues (which sample streams and
//! read SRAM), ports, drives, multiplications, then the writes of the edge that ends the cycle.

#[cfg(doc)]
use crate::Event;
use crate::vector::DecodeCount;
use crate::{FaultCode, Origin, Vector};
use lpu_isa::latency::{SELECT_LATENCY, drain_cycles};
use lpu_isa::secded::LANES_PER_CODEWORD;
use lpu_isa::{Config, Queue, Stream};

mod agenda;
mod c2c;
mod calendar;
mod dot;
mod faults;
mod host;
mod mem;
mod mxm;
mod queue;
mod run;
mod sram;
mod streams;
mod sxm;
mod vxm;
mod words;

pub use c2c::{Command, Flit};
pub use faults::{EccCount, Fault};
pub use host::{HostReadError, LoadError};
pub use run::{LaunchReport, Status};

/// What all units share.
#[derive(Clone, Debug)]
struct Shared {
    streams: streams::Streams,
    faults: faults::Faults,
    /// A codeword with a wrong bit has come in. Before that there is none to be found, since all that the machine makes is encoded.
    spoiled: bool,
}

impl Shared {
    /// Corrects the first `codewords` codewords of a vector in place and counts what it found.
    fn correct(&self, vector: &mut Vector, codewords: usize) -> DecodeCount {
        match self.spoiled {
            true => vector.correct(codewords),
            false => DecodeCount::default(),
        }
    }

    /// The corrected lanes of a vector, which are as many as there is room for, and what was found.
    fn correct_lanes(&self, vector: &Vector, lanes: &mut [u8]) -> DecodeCount {
        let mut corrected;
        let mut data = &vector.data;
        let mut count = DecodeCount::default();
        if self.spoiled {
            corrected = *vector;
            count = corrected.correct(lanes.len() / LANES_PER_CODEWORD);
            data = &corrected.data;
        }
        for (lanes, word) in lanes.as_chunks_mut().0.iter_mut().zip(data) {
            *lanes = word.to_le_bytes();
        }
        count
    }

    /// Operand select of an operation that issues in `cycle` at `position`.
    fn operand(
        &mut self,
        cycle: u64,
        position: usize,
        stream: Stream,
        origin: Origin,
    ) -> Option<Vector> {
        let operand = self.streams.sample(cycle, position, stream).copied();
        if operand.is_none() {
            self.missing(cycle, origin);
        }
        operand
    }

    /// An operation that issued in `cycle` lacks an operand.
    fn missing(&mut self, cycle: u64, origin: Origin) {
        let code = FaultCode::OperandMissing;
        self.faults.record(cycle + SELECT_LATENCY, code, origin);
    }
}

/// A machine with its memories, registers and everything in flight.
#[derive(Clone, Debug)]
pub struct Machine {
    config: Config,
    units: Vec<Queue>,
    queues: Vec<queue::Queue>,
    agenda: agenda::Agenda,
    /// Queues in SYNC.
    waiting: Vec<bool>,
    bases: Vec<u16>,
    shared: Shared,
    mem: mem::Mem,
    mxm: mxm::Mxm,
    vxm: Option<vxm::Vxm>,
    sxm: Option<sxm::Sxm>,
    c2c: Option<c2c::C2c>,
    /// Cycles from the last END to the fall of busy.
    drain: u64,
    host_ecc: EccCount,
    /// Cycle of the launch that runs next.
    cycle: u64,
    /// Nothing is in flight from this cycle on.
    quiet: u64,
    /// Cycles (modulo 4) in which queues see a NOTIFY.
    pulses: [bool; 4],
    /// Queues that have not ended.
    alive: usize,
    /// Cycle of the last END so far.
    ended: u64,
    /// What links have added to the program's own cycles.
    waited: i64,
}

impl Machine {
    /// A machine after reset, with all memories zero.
    ///
    /// # Panics
    /// If the configuration is not valid.
    pub fn new(config: &Config) -> Self {
        if let Err(error) = config.validate() {
            panic!("{error}");
        }
        let units: Vec<Queue> = Queue::all(config).collect();
        let queues = units.iter().enumerate();
        Self {
            config: config.clone(),
            queues: queues
                .map(|(id, unit)| queue::Queue::new(id as u8, unit.kind, config.mem.indirect))
                .collect(),
            agenda: agenda::Agenda::new(units.len()),
            waiting: vec![false; units.len()],
            bases: vec![0; units.len()],
            shared: Shared {
                streams: streams::Streams::new(config),
                faults: faults::Faults::new(units.len()),
                spoiled: false,
            },
            mem: mem::Mem::new(config),
            mxm: mxm::Mxm::new(config),
            vxm: vxm::Vxm::new(config),
            sxm: sxm::Sxm::new(config),
            c2c: c2c::C2c::new(config),
            drain: drain_cycles(config),
            host_ecc: EccCount::default(),
            // As after a launch: nothing to run.
            cycle: drain_cycles(config),
            quiet: 0,
            pulses: [false; 4],
            alive: 0,
            ended: 0,
            waited: 0,
            units,
        }
    }

    /// The configuration.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Clears faults and ECC counters (CONTROL bit 1).
    pub fn clear(&mut self) {
        self.shared.faults.clear();
        self.host_ecc = EccCount::default();
    }

    fn count_host(&mut self, count: DecodeCount) {
        self.host_ecc.add(count);
    }
}
