//! Several LPUs: from options to a rack.

use crate::cli::{RackArgs, TopologyArg};
use lpu_isa::Config;
use lpu_isa::c2c::{MAX_SLOTS, Shape};
use lpu_isa::config::C2cConfig;
use lpu_isa::rack::{Rack, Topology};
use miette::miette;

/// Cycles of the line that is the default, and words that its lanes are apart; and of a stacked link.
const LINE: (usize, usize) = (7, 1);
const STACKED: (usize, usize) = (1, 0);

/// The rack, and the machine with the links that it needs, if the work needs any and the machine has none.
pub fn rack(args: &RackArgs, config: &mut Config, linked: bool) -> miette::Result<Rack> {
    let topology = match args.topology {
        TopologyArg::AllToAll => Topology::AllToAll,
        TopologyArg::Ring => Topology::Ring,
        TopologyArg::Tree => Topology::Tree,
    };
    let lanes = config.lanes / 8;
    let shape = match (args.slots, args.hop) {
        (None, Some(hop)) => Shape::within(lanes, hop),
        (slots, _) => Shape::new(lanes, slots.unwrap_or(MAX_SLOTS)),
    };
    let shape = shape.map_err(|error| miette!(code = "lpu::rack", "{error}"))?;
    let (phy, skew) = if args.stacked { STACKED } else { LINE };
    let hop = args.hop.unwrap_or(shape.hop(phy, skew) as u64);
    let rack = Rack::new(args.lpus, topology, hop)
        .and_then(|rack| rack.with_shape(shape))
        .map_err(|error| miette!(code = "lpu::rack", "{error}"))?;
    if linked && rack.links() > 0 && config.c2c.is_none() {
        config.c2c = Some(C2cConfig {
            links: rack.links(),
        });
    }
    Ok(rack)
}

/// Threads to simulate with.
pub fn threads(args: &RackArgs) -> usize {
    let host = std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.unwrap_or(host).min(args.lpus.max(1))
}
