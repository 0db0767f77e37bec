//! Several machines joined by links.
//!
//! A flit that leaves in cycle t is there in t + `hop`, so chips that have run to the same cycle may run `hop` cycles more without
//! knowing of each other: windows of that length, in any order or at once, give what lock-step gives.

use crate::machine::{Flit, Machine};
use lpu_isa::rack::Rack;

/// A chip with links.
pub trait Chip {
    /// A flit comes.
    fn arrive(&mut self, flit: Flit);
    /// The flits that have left since the last call.
    fn take_sent(&mut self) -> Vec<Flit>;
}

impl Chip for Machine {
    fn arrive(&mut self, flit: Flit) {
        Self::arrive(self, flit);
    }

    fn take_sent(&mut self) -> Vec<Flit> {
        Self::take_sent(self)
    }
}

/// Brings what the chips have sent to where it goes, and returns the flits whose link leads nowhere.
///
/// # Panics
/// If there are more or fewer chips than the rack has.
pub fn exchange<C: Chip>(rack: &Rack, chips: &mut [C]) -> usize {
    assert_eq!(chips.len(), rack.chips(), "chips of the rack");
    let mut lost = 0;
    for chip in 0..chips.len() {
        for flit in chips[chip].take_sent() {
            let Some((other, link)) = rack.peer(chip, flit.link) else {
                lost += 1;
                continue;
            };
            chips[other].arrive(Flit {
                link,
                cycle: flit.cycle + rack.hop(),
                vector: flit.vector,
            });
        }
    }
    lost
}
