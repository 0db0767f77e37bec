//! A machine with a program in its queues, launched again and again, its SRAM kept between launches.

mod model;
mod rtl;

pub use model::ModelTile;
pub use rtl::RtlTile;

use crate::run::RunError;
use lpu_compiler::Prediction;
use lpu_compiler::matmul::Vector;
use lpu_isa::{Config, Program};
use lpu_verif::{Divergence, Flit, LaunchReport};

/// What runs on a tile.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The machine.
    pub config: &'a Config,
    /// The program of every queue.
    pub program: &'a Program,
    /// What a launch takes.
    pub prediction: &'a Prediction,
}

/// Cycles of a launch between two looks at it; bounds the memory that events take.
const CHUNK: u64 = 4096;

/// What a launch did.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Whether busy fell, in the predicted time or up to one chunk of cycles later.
    pub ended: bool,
    /// The CYCLE register: cycles from the launch until busy fell.
    pub cycles: u64,
    /// First cycle in which an SRAM read used its address.
    pub first_read: Option<u64>,
    /// Last cycle in which an SRAM write used its port.
    pub last_write: Option<u64>,
    /// Units with a recorded fault or an ECC count.
    pub unsound_units: usize,
    /// Flits that have come by links and that no RECEIVE has taken.
    pub waiting_flits: usize,
    /// Stream writes, SRAM reads, SRAM writes and flits compared with the golden machine.
    pub events_compared: u64,
    /// The first difference from the golden machine, if it runs beside.
    pub divergence: Option<Box<Divergence>>,
}

impl Launch {
    /// Things that are not as they have to be, each counted once: no end, other cycles than predicted, faults, flits left over, events.
    pub fn mismatches(&self, prediction: &Prediction) -> u64 {
        let wrong = [
            !self.ended,
            self.cycles != prediction.busy_cycles,
            self.unsound_units > 0,
            self.waiting_flits > 0,
            self.divergence.is_some(),
        ];
        wrong.into_iter().filter(|&wrong| wrong).count() as u64
    }
}

/// A single machine, whose program can be replaced.
pub trait Reload: Tile {
    /// Puts another program into the queues; SRAM keeps what it holds.
    ///
    /// # Panics
    /// If the program does not fit the machine: it is made by a compiler.
    fn load(&mut self, program: &Program, prediction: &Prediction) -> Result<(), RunError>;
}

/// A machine between launches. While it is idle the host may write and read its SRAM.
pub trait Tile {
    /// Writes vectors into SRAM.
    fn write(&mut self, vectors: &[Vector]) -> Result<(), RunError>;

    /// Sets the base register of a MEM queue; it keeps it until it is set again.
    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError>;

    /// Starts a launch.
    fn begin(&mut self);

    /// Runs so many cycles of it, at most to the end that is predicted. True while there are more.
    fn advance(&mut self, cycles: u64) -> bool;

    /// What the launch did.
    fn finish(&mut self) -> Result<Launch, RunError>;

    /// Runs the program to its end.
    fn launch(&mut self) -> Result<Launch, RunError> {
        self.begin();
        while self.advance(CHUNK) {}
        self.finish()
    }

    /// A flit comes by a link; see [`Machine::arrive`](lpu_verif::Machine::arrive).
    fn arrive(&mut self, flit: Flit);

    /// The flits that have left since the last call.
    fn take_sent(&mut self) -> Vec<Flit>;

    /// Reads vectors from SRAM, (slice, address) each: the bytes of all lanes, one vector after another.
    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError>;
}

impl<T: Tile + ?Sized> Tile for Box<T> {
    fn write(&mut self, vectors: &[Vector]) -> Result<(), RunError> {
        (**self).write(vectors)
    }

    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError> {
        (**self).set_base(queue, base)
    }

    fn begin(&mut self) {
        (**self).begin();
    }

    fn advance(&mut self, cycles: u64) -> bool {
        (**self).advance(cycles)
    }

    fn finish(&mut self) -> Result<Launch, RunError> {
        (**self).finish()
    }

    fn launch(&mut self) -> Result<Launch, RunError> {
        (**self).launch()
    }

    fn arrive(&mut self, flit: Flit) {
        (**self).arrive(flit);
    }

    fn take_sent(&mut self) -> Vec<Flit> {
        (**self).take_sent()
    }

    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError> {
        (**self).read(places)
    }
}

impl<T: Reload + ?Sized> Reload for Box<T> {
    fn load(&mut self, program: &Program, prediction: &Prediction) -> Result<(), RunError> {
        (**self).load(program, prediction)
    }
}

/// Units that recorded a fault or met a wrong codeword.
fn unsound_units(report: &LaunchReport) -> usize {
    let units = report.faults.iter().zip(&report.ecc);
    let host = report.host_ecc.corrected + report.host_ecc.uncorrectable > 0;
    let unsound =
        units.filter(|(fault, ecc)| fault.is_some() || ecc.corrected + ecc.uncorrectable > 0);
    unsound.count() + usize::from(host)
}
