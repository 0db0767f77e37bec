//! Any program, faults included, on RTL and on the golden machine.

use crate::rtl::{Request, Rtl, RtlError};
use lpu_isa::latency::DRAIN_CYCLES;
use lpu_isa::memory_map as map;
use lpu_isa::secded::LANES_PER_CODEWORD;
use lpu_verif::generate::Scenario;
use lpu_verif::{Divergence, LaunchReport, Scoreboard};
use std::fmt;

/// How RTL and golden machine differ.
#[derive(Debug)]
pub enum Difference {
    /// In a stream write, an SRAM access or a register.
    Divergence(Box<Divergence>),
    /// RTL stays busy beyond the cycle in which the launch should have ended.
    Endless(u64),
    /// In what the SRAM holds after the launch.
    Memory {
        /// Slice, vector and codeword.
        place: (usize, usize, usize),
        /// What the host should read; an error where the codeword is uncorrectable.
        expected: Result<u64, u64>,
        /// What it read.
        observed: Result<u64, u64>,
    },
    /// In the host's own error counters after the SRAM was read.
    HostEcc {
        /// Corrected and uncorrectable codewords of the golden machine.
        expected: u64,
        /// The register of the RTL.
        observed: u64,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Divergence(divergence) => divergence.fmt(f),
            Self::Endless(cycle) => {
                write!(f, "still busy in cycle {cycle}, the golden machine is not")
            }
            Self::Memory {
                place: (slice, address, codeword),
                expected,
                observed,
            } => write!(
                f,
                "after the launch, codeword {codeword} of vector {address} of MEM {slice}: expected {expected:x?}, RTL has {observed:x?}"
            ),
            Self::HostEcc { expected, observed } => {
                write!(
                    f,
                    "ECC register of the host: expected {expected:#x}, RTL has {observed:#x}"
                )
            }
        }
    }
}

/// What a launch did that RTL and golden machine agree on.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// Stream writes, SRAM reads and SRAM writes.
    pub events: u64,
    /// The registers.
    pub report: LaunchReport,
}

/// Runs a scenario on a tile in the saved state `fresh`, which is that after reset, and on the golden machine, and compares every event, every register and,
/// at the end, the whole memory.
pub fn compare(
    rtl: &mut Rtl,
    fresh: &[u8],
    scenario: &Scenario,
) -> Result<Result<Agreed, Difference>, RtlError> {
    let config = &scenario.config;
    let mut golden = scenario.machine();
    rtl.model().restore(fresh)?;
    for slice in 0..config.mem.slices {
        let image = (0..config.mem.depth)
            .map(|address| (address, scenario.image.vector(config, slice, address)));
        rtl.store_raw(slice, image)?;
    }
    rtl.load(&scenario.program)?;
    for queue in 0..2 * config.mem.slices {
        rtl.set_base(queue, scenario.bases[queue])?;
    }
    let Some((expected, events)) = golden.launch_and_run(1 << 24) else {
        unreachable!("scenarios end");
    };

    rtl.launch();
    let mut observed = Vec::new();
    if rtl.run(expected.cycles + DRAIN_CYCLES, &mut observed) {
        return Ok(Err(Difference::Endless(expected.cycles + DRAIN_CYCLES)));
    }
    let mut scoreboard = Scoreboard::new(config, &scenario.program).without_faults();
    let mut found = LaunchReport {
        first_read: expected.first_read,
        last_write: expected.last_write,
        ..rtl.report()?
    };
    let verdict = scoreboard
        .expect(&events)
        .and_then(|()| scoreboard.observe(&observed))
        .and_then(|()| scoreboard.finish());
    let verdict = verdict.and_then(|()| scoreboard.compare_reports(&expected, &found));
    if let Err(divergence) = verdict {
        return Ok(Err(Difference::Divergence(divergence)));
    }

    let codewords = config.lanes / LANES_PER_CODEWORD;
    let places = || {
        let vectors = (0..config.mem.slices)
            .flat_map(|slice| (0..config.mem.depth).map(move |address| (slice, address)));
        vectors.flat_map(move |(slice, address)| (0..codewords).map(move |g| (slice, address, g)))
    };
    let requests: Vec<_> = places()
        .map(|(slice, address, g)| Request::Read(map::sram(config, slice, address, g)))
        .collect();
    for (place, observed) in places().zip(rtl.request(&requests)) {
        let (slice, address, g) = place;
        let expected = golden.host_read(slice, address, g).map_err(|error| error.0);
        if expected != observed {
            return Ok(Err(Difference::Memory {
                place,
                expected,
                observed,
            }));
        }
    }
    let count = golden.report().host_ecc;
    let expected = u64::from(count.uncorrectable) << 32 | u64::from(count.corrected);
    let observed =
        rtl.request(&[Request::Read(map::ECC + map::ECC_HOST_UNIT)])[0].unwrap_or(u64::MAX);
    if expected != observed {
        return Ok(Err(Difference::HostEcc { expected, observed }));
    }
    found.host_ecc = count;
    Ok(Ok(Agreed {
        events: scoreboard.compared(),
        report: found,
    }))
}
