//! Random configurations and programs for golden-against-RTL tests, as proptest strategies.
//!
//! A [`Scenario`] is everything a launch depends on. [`wild`] programs do anything, faults included;
//! [`legal`] programs move and multiply vectors on a schedule without faults. Both always end.
//!
//! ```
//! use lpu_verif::generate;
//! use proptest::strategy::{Strategy, ValueTree};
//! use proptest::test_runner::TestRunner;
//!
//! let mut runner = TestRunner::deterministic();
//! let scenario = generate::legal().new_tree(&mut runner).unwrap().current();
//! let (report, _) = scenario.machine().launch_and_run(1 << 20).unwrap();
//! assert!(report.faults.iter().all(Option::is_none));
//! ```

use crate::c2c::ProgramClock;
use crate::{Flit, Machine, Vector};
use lpu_isa::{Config, Program, asm};
use std::fmt;

mod config;
mod legal;
mod plan;
mod spoil;
mod timetable;
mod unroll;
mod vector;
mod wild;

pub use config::config;
pub use legal::{legal, legal_on};
pub use unroll::unroll;
pub use wild::{wild, wild_on};

/// A configuration, a program, and what memory and base registers hold at the launch.
#[derive(Clone)]
pub struct Scenario {
    /// The machine.
    pub config: Config,
    /// The program.
    pub program: Program,
    /// Base registers by queue id (zero for queues that have none).
    pub bases: Vec<u16>,
    /// What the SRAM holds.
    pub image: Image,
}

/// SRAM contents from a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// Every seed gives other contents.
    pub seed: u64,
    /// How many of 256 vectors have a wrong bit, at most one in a codeword.
    pub single_flips: u8,
    /// How many of 256 vectors have two wrong bits in a codeword.
    pub double_flips: u8,
}

/// Flits that wait in each link.
const FLITS: usize = 6;

/// Offsets (for GATHER and SCATTER) lie in the last vector of each slice and are below this.
pub const OFFSETS: u16 = 4;

/// Sebastiano Vigna's SplitMix64 finaliser: a well-mixed function of its argument.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

impl Image {
    /// The vector at `address` of slice `slice`.
    pub fn vector(&self, config: &Config, slice: usize, address: usize) -> Vector {
        let key = mix(self.seed ^ mix((slice as u64) << 32 | address as u64));
        let mut lanes: Vec<u8> = (0..config.lanes as u64)
            .map(|n| mix(key + n) as u8)
            .collect();
        if address + 1 == config.mem.depth {
            (lanes[0], lanes[1]) = (lanes[0] % OFFSETS as u8, 0);
        }
        let vector = Vector::encode(&lanes);
        let dice = mix(key ^ 0xecc).to_le_bytes();
        let codeword = usize::from(dice[1]) % (config.lanes / 8);
        let bit = usize::from(dice[2]) % 72;
        if dice[0] < self.single_flips {
            vector.with_flip(codeword, bit)
        } else if 255 - dice[0] < self.double_flips {
            let second = (bit + 1 + usize::from(dice[3]) % 71) % 72;
            vector.with_flip(codeword, bit).with_flip(codeword, second)
        } else {
            vector
        }
    }
}

impl Scenario {
    /// What waits in the links when the launch begins.
    pub fn flits(&self) -> impl Iterator<Item = Flit> {
        let links = (0..self.config.links()).flat_map(|link| (0..FLITS).map(move |n| (link, n)));
        links.map(|(link, n)| {
            let mut vector = self.image.vector(&self.config, 64 + link, n);
            vector.check = Default::default();
            Flit {
                link,
                cycle: 0,
                vector,
            }
        })
    }

    /// The clocks of the links: epochs that begin soon, and a trim.
    pub fn clocks(&self) -> impl Iterator<Item = ProgramClock> {
        (0..self.config.links()).map(|link| {
            let dice = mix(self.image.seed ^ mix(link as u64 ^ 0xdec)).to_le_bytes();
            let [hac, from, by] = [dice[0], dice[1], dice[2]];
            ProgramClock::new(4095 - u16::from(hac)).trim(from.into(), i64::from(by % 9) - 4)
        })
    }

    /// A golden machine with everything loaded, not launched.
    ///
    /// # Panics
    /// If the program does not fit the configuration.
    pub fn machine(&self) -> Machine {
        let mut machine = Machine::new(&self.config);
        machine.load(&self.program).expect("the program fits");
        for slice in 0..self.config.mem.slices {
            for address in 0..self.config.mem.depth {
                let vector = self.image.vector(&self.config, slice, address);
                machine.write_sram(slice, address, &vector);
            }
        }
        for (queue, &base) in self.bases.iter().enumerate() {
            if queue < 2 * self.config.mem.slices {
                machine.set_base(queue, base);
            }
        }
        self.flits().for_each(|flit| machine.arrive(flit));
        for (link, clock) in self.clocks().enumerate() {
            machine.set_clock(link, clock);
        }
        machine
    }
}

impl fmt::Debug for Scenario {
    /// The configuration file and the assembler text, to replay it by hand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# configuration {}", self.config.hash())?;
        writeln!(f, "{}", self.config.to_toml())?;
        writeln!(f, "bases {:?}\n{:?}", self.bases, self.image)?;
        f.write_str(&asm::disassemble(&self.config, &self.program))
    }
}
