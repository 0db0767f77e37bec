//! The chip-to-chip link and its end in the tile; their contract is `docs/c2c.md`.
//!
//! | block | what it is |
//! |---|---|
//! | [`TxFramer`] | flits to frames: queue, map, CRC, trailer |
//! | [`Scrambler`], [`Descrambler`] | x^58 + x^39 + 1 on each lane |
//! | [`FecEncoder`] | markers and the parities of each byte column |
//! | [`LaneAligner`] | bit position and frames of a lane |
//! | [`Deskew`] | lanes side by side |
//! | [`FecDecoder`] | repairs a byte of each column, in place |
//! | [`Deframer`] | frames to flits: descrambler, map, CRC |
//! | [`AsyncFifo`] | the elastic buffer between the clocks |
//! | [`TwoFlop`], [`ReportCrossing`] | levels and reports between the clocks |
//! | [`Hac`] | hardware-aligned counter: exchange and trim |
//! | [`ProgramClock`] | DESKEW and RUNTIME_DESKEW |
//! | [`LinkControl`] | bring-up |
//! | [`Status`] | faults, counters, registers |
//! | [`PrbsSource`], [`PrbsChecker`] | PRBS-31 |
//! | [`XorMap`], [`ColumnMatch`], [`PopCount`] | sums of bits, columns, ones |
//! | [`C2cLink`] | all of them; `lpu_c2c_link` |
//! | [`LinkPort`] | SEND, RECEIVE and the two DESKEWs in the tile |

mod async_fifo;
mod column_match;
mod deframer;
mod deskew;
mod fec_decoder;
mod fec_encoder;
mod hac;
mod lane_aligner;
mod link;
mod link_control;
mod maps;
mod pop_count;
mod port;
mod prbs;
mod program_clock;
mod scrambler;
mod status;
mod sync;
mod tx_framer;
mod xor_map;

pub use async_fifo::AsyncFifo;
pub use column_match::ColumnMatch;
pub use deframer::Deframer;
pub use deskew::Deskew;
pub use fec_decoder::FecDecoder;
pub use fec_encoder::FecEncoder;
pub use hac::Hac;
pub use lane_aligner::{AlignerState, LaneAligner};
pub use link::{C2cLink, ELASTIC_DEPTH};
pub use link_control::{LinkControl, LinkState};
pub use pop_count::PopCount;
pub use port::LinkPort;
pub use prbs::{PrbsChecker, PrbsSource};
pub use program_clock::ProgramClock;
pub use scrambler::{Descrambler, Scrambler};
pub use status::{EventCounter, Status};
pub use sync::{ReportCrossing, TwoFlop};
pub use tx_framer::TxFramer;
pub use xor_map::{Row, XorMap};

use lpu_isa::c2c::Shape;
use rust_hdl::prelude::*;

/// The link of this shape, connected and ready to be emitted or simulated.
pub fn build_link(shape: Shape) -> Box<dyn Block> {
    fn connected(mut block: impl Block + 'static) -> Box<dyn Block> {
        block.connect_all();
        Box::new(block)
    }
    match shape.lanes() {
        1 => connected(C2cLink::<8, 64>::new(shape)),
        2 => connected(C2cLink::<16, 128>::new(shape)),
        4 => connected(C2cLink::<32, 256>::new(shape)),
        8 => connected(C2cLink::<64, 512>::new(shape)),
        lanes => unreachable!("{lanes} lanes pass no check"),
    }
}
