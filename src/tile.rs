//! A machine with a program in its queues, launched again and again, its SRAM kept between launches.

mod model;
mod rtl;

pub use model::ModelTile;
pub use rtl::RtlTile;

use crate::run::RunError;
use lpu_compiler::Prediction;
use lpu_compiler::matmul::Vector;
use lpu_isa::{Config, Program};
use lpu_verif::{Divergence, LaunchReport};

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

/// What a launch did.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Whether busy fell, in the predicted time or up to one chunk of cycles later.
    pub ended: bool,
    /// The CYCLE register: cycles from the launch until busy fell.
    pub cycles: u64,
    /// Units with a recorded fault or an ECC count.
    pub unsound_units: usize,
    /// Stream writes, SRAM reads and SRAM writes compared with the golden machine.
    pub events_compared: u64,
    /// The first difference from the golden machine, if it runs beside.
    pub divergence: Option<Box<Divergence>>,
}

impl Launch {
    /// Things that are not as they have to be, each counted once: no end, other cycles than predicted, faults, events.
    pub fn mismatches(&self, prediction: &Prediction) -> u64 {
        let wrong = [
            !self.ended,
            self.cycles != prediction.busy_cycles,
            self.unsound_units > 0,
            self.divergence.is_some(),
        ];
        wrong.into_iter().filter(|&wrong| wrong).count() as u64
    }
}

/// A machine between launches. While it is idle the host may write and read its SRAM.
pub trait Tile {
    /// Puts another program into the queues; SRAM keeps what it holds.
    ///
    /// # Panics
    /// If the program does not fit the machine: it is made by a compiler.
    fn load(&mut self, program: &Program, prediction: &Prediction) -> Result<(), RunError>;

    /// Writes vectors into SRAM.
    fn write(&mut self, vectors: &[Vector]) -> Result<(), RunError>;

    /// Sets the base register of a MEM queue; it keeps it until it is set again.
    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError>;

    /// Runs the program to its end.
    fn launch(&mut self) -> Result<Launch, RunError>;

    /// Reads vectors from SRAM, (slice, address) each: the bytes of all lanes, one vector after another.
    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError>;
}

impl<T: Tile + ?Sized> Tile for Box<T> {
    fn load(&mut self, program: &Program, prediction: &Prediction) -> Result<(), RunError> {
        (**self).load(program, prediction)
    }

    fn write(&mut self, vectors: &[Vector]) -> Result<(), RunError> {
        (**self).write(vectors)
    }

    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError> {
        (**self).set_base(queue, base)
    }

    fn launch(&mut self) -> Result<Launch, RunError> {
        (**self).launch()
    }

    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError> {
        (**self).read(places)
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
