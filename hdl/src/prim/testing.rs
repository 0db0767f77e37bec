//! Steps a block in rust-hdl's simulator, one clock cycle at a time.

use rust_hdl::core::simulate::simulate;
use rust_hdl::prelude::*;

/// How often a block may be updated before it counts as unstable.
const SETTLE_LIMIT: usize = 20;

/// One clock cycle: inputs settle with the clock low, then the rising edge, then the clock is low again.
pub(crate) fn cycle<B: Block>(block: &mut B, clock: impl Fn(&mut B, bool)) {
    for level in [false, true, false] {
        clock(block, level);
        assert!(simulate(block, SETTLE_LIMIT), "the block does not settle");
    }
}
