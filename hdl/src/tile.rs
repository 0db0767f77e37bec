//! The whole machine: slices, planes, host port and control.
//!
//! | block | what it is |
//! |---|---|
//! | [`LaunchControl`] | launch, cycle count, end, NOTIFY |
//! | [`StreamUnit`] | queue, faults, counters and streams of VXM or SXM |
//! | [`Tile`] | everything; `lpu_tile` |
//! | [`AxiTile`] | the tile behind AXI; `lpu_axi` |

mod axi_tile;
mod launch_control;
mod links;
mod stream_unit;
mod streams;
#[expect(
    clippy::module_inception,
    reason = "the block that gives the folder its name"
)]
mod tile;
mod units;

pub use axi_tile::AxiTile;
pub use launch_control::LaunchControl;
pub use stream_unit::StreamUnit;
pub use tile::Tile;

use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The tile of a machine, connected and ready to be emitted or simulated.
///
/// # Panics
/// If the configuration is not valid.
pub fn build_tile(config: &Config) -> Box<dyn Block> {
    fn connected<const L: usize, const V: usize>(config: &Config) -> Box<dyn Block> {
        boxed(Tile::<L, V>::new(config))
    }
    valid(config);
    match config.lanes {
        8 => connected::<8, 64>(config),
        16 => connected::<16, 128>(config),
        32 => connected::<32, 256>(config),
        64 => connected::<64, 512>(config),
        lanes => unreachable!("{lanes} lanes pass no validation"),
    }
}

/// The tile of a machine behind AXI, connected and ready to be emitted or simulated.
///
/// # Panics
/// If the configuration is not valid.
pub fn build_axi(config: &Config) -> Box<dyn Block> {
    fn connected<const L: usize, const V: usize>(config: &Config) -> Box<dyn Block> {
        boxed(AxiTile::<L, V>::new(config))
    }
    valid(config);
    match config.lanes {
        8 => connected::<8, 64>(config),
        16 => connected::<16, 128>(config),
        32 => connected::<32, 256>(config),
        64 => connected::<64, 512>(config),
        lanes => unreachable!("{lanes} lanes pass no validation"),
    }
}

fn boxed(mut block: impl Block + 'static) -> Box<dyn Block> {
    block.connect_all();
    Box::new(block)
}

fn valid(config: &Config) {
    if let Err(error) = config.validate() {
        panic!("{error}");
    }
}
