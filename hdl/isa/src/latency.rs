//! The latencies of the machine in clock cycles, as `docs/machine.md` defines them.
//!
//! All are counted from the cycle in which an operation issues to the cycle in which its effect is
//! visible in a register, unless said otherwise.

use crate::Config;
use crate::config::MxmFormat;

/// Operand select: from the sampled stream cell to the selected vector.
pub const SELECT_LATENCY: u64 = 2;
/// SECDED decode: from the selected vector to the corrected one.
pub const SECDED_LATENCY: u64 = 2;
/// SRAM: from the address register to the output register.
pub const SRAM_LATENCY: u64 = 2;
/// READ: to the stream cell of the slice.
pub const READ_LATENCY: u64 = SRAM_LATENCY + 1;
/// WRITE: to the first READ issue that sees the new word.
pub const WRITE_LATENCY: u64 = SELECT_LATENCY + 1;
/// Cycle, after issue, in which a GATHER or SCATTER uses its SRAM port.
pub const INDIRECT_LATENCY: u64 = SELECT_LATENCY + SECDED_LATENCY + 1;
/// GATHER: to the stream cell of the slice.
pub const GATHER_LATENCY: u64 = INDIRECT_LATENCY + READ_LATENCY;
/// SCATTER: to the first READ issue that sees the new word.
pub const SCATTER_LATENCY: u64 = INDIRECT_LATENCY + 1;
/// LW: to the shadow weights.
pub const LW_LATENCY: u64 = SELECT_LATENCY + SECDED_LATENCY + 1;
/// IW: to the active weights.
pub const IW_LATENCY: u64 = LW_LATENCY + 1;
/// MM issue to the cycle in which the multipliers see activation and weights.
pub const MM_OPERAND_LATENCY: u64 = SELECT_LATENCY + SECDED_LATENCY;
/// Least distance from an IW to an MM that uses the new weights.
pub const IW_TO_MM: u64 = IW_LATENCY - MM_OPERAND_LATENCY;
/// Least distance from an LX to an MM that reads the row from the operand buffer.
pub const LX_TO_MM: u64 = 2;
/// MM of a machine with E4M3, whatever format runs: products are aligned.
pub const ALIGN_LATENCY: u64 = 1;
/// MM of a machine with NVFP4, whatever format runs: sums of blocks are scaled.
pub const SCALE_LATENCY: u64 = 2;
/// ACC with emit of a machine without formats; see [`acc_latency`].
pub const EMIT_LATENCY: u64 = 4;
/// NOTIFY issue to the issue of the instruction after a waiting SYNC.
pub const NOTIFY_LATENCY: u64 = 3;
/// Host request on the inputs to its answer on the outputs.
pub const HOST_LATENCY: u64 = 8;
/// Launch request on the inputs to cycle 0 of the launch.
pub const LAUNCH_LATENCY: u64 = 4;
/// VEC: to P of the first ALU, with its other operands.
pub const VXM_OPERAND_LATENCY: u64 = SELECT_LATENCY + SECDED_LATENCY + CONVERT_LATENCY;
/// LANES: to the stream cell of the switch unit.
pub const LANES_LATENCY: u64 = 8;
/// TSTORE: to the stream cell of the switch unit.
pub const TSTORE_LATENCY: u64 = 5;
/// Least distance from a TLOAD to a TSTORE that sees it.
pub const TLOAD_TO_TSTORE: u64 = 5;
/// One ALU of the vector unit: operands to result.
pub const ALU_LATENCY: u64 = 8;
/// The special-function unit (exp2, reciprocal, reciprocal square root): operand to result.
pub const SFU_LATENCY: u64 = 8;
/// A conversion into FP32 or out of it.
pub const CONVERT_LATENCY: u64 = 3;
/// SEND: to the link, and from there `hop` cycles to the first RECEIVE that finds the flit.
pub const SEND_LATENCY: u64 = SELECT_LATENCY + SECDED_LATENCY;
/// RECEIVE: to the stream cell of the C2C unit.
pub const RECEIVE_LATENCY: u64 = 3;
/// The link says go after DESKEW or RUNTIME_DESKEW: to the next instruction of its queue.
pub const GO_LATENCY: u64 = 2;
/// Shortest time of a DESKEW, and of a RUNTIME_DESKEW: its link says go in the next cycle.
pub const SHORTEST_DESKEW: u64 = 1 + GO_LATENCY;
/// One level of a tree of FP32 sums or maxima.
pub const FP_ADD_LATENCY: u64 = 5;
/// The least of [`drain_cycles`].
pub const DRAIN_CYCLES: u64 = 16;
/// One stream register.
pub const HOP_LATENCY: u64 = 1;

/// MM issue to the cycle in which its dot products are visible (the issue cycle of the matching ACC).
///
/// ```
/// use lpu_isa::{Config, latency::mm_latency};
/// let latency = |name| mm_latency(&Config::preset(name).unwrap());
/// assert_eq!(["proto", "proto+e4m3", "proto+nvfp4", "proto+e4m3+nvfp4"].map(latency), [10, 11, 12, 13]);
/// ```
pub fn mm_latency(config: &Config) -> u64 {
    let align = u64::from(config.mxm.has(MxmFormat::E4m3)) * ALIGN_LATENCY;
    let scale = u64::from(config.mxm.has(MxmFormat::Nvfp4)) * SCALE_LATENCY;
    MM_OPERAND_LATENCY + 1 + u64::from(config.lanes.ilog2()) + align + scale
}

/// ACC with emit: to the westward cell at the MXM. Sums of floating-point formats are rounded on the way.
///
/// ```
/// use lpu_isa::{Config, latency::acc_latency};
/// let latency = |name| acc_latency(&Config::preset(name).unwrap());
/// assert_eq!(["proto", "proto+e4m3", "proto+e4m3+nvfp4"].map(latency), [4, 7, 7]);
/// ```
pub fn acc_latency(config: &Config) -> u64 {
    let rounds = !config.mxm.formats.is_empty();
    EMIT_LATENCY + u64::from(rounds) * CONVERT_LATENCY
}

/// VEC issue to the cycle in which its result leaves the chain.
pub const fn vxm_result(alus: usize) -> u64 {
    VXM_OPERAND_LATENCY + SFU_LATENCY + ALU_LATENCY * alus as u64
}

/// VEC: to the stream cell of the vector unit.
///
/// ```
/// assert_eq!(lpu_isa::latency::vxm_latency(2), 36);
/// ```
pub const fn vxm_latency(alus: usize) -> u64 {
    vxm_result(alus) + CONVERT_LATENCY + 2
}

/// Least distance from a VEC that writes a register to one that takes it as A or in ALU 0.
///
/// ```
/// assert_eq!(lpu_isa::latency::vxm_chain(2), 27);
/// ```
pub const fn vxm_chain(alus: usize) -> u64 {
    vxm_result(alus) + 1 - REGISTER_READ
}

/// VEC issue to the cycle in which it reads its registers for A and ALU 0.
pub const REGISTER_READ: u64 = VXM_OPERAND_LATENCY - 2;

/// REDUCE: to the stream cell of the switch unit.
///
/// ```
/// assert_eq!(lpu_isa::latency::reduce_latency(32), 31);
/// ```
pub const fn reduce_latency(lanes: usize) -> u64 {
    SELECT_LATENCY + SECDED_LATENCY + 2 + FP_ADD_LATENCY * lanes.ilog2() as u64
}

/// End of the last queue to the fall of `out_busy`: everything that was issued has happened.
///
/// ```
/// use lpu_isa::{Config, latency::drain_cycles};
/// assert_eq!(drain_cycles(&Config::preset("nano").unwrap()), 16);
/// ```
pub fn drain_cycles(config: &Config) -> u64 {
    let vxm = config.vxm.as_ref().map_or(0, |vxm| vxm_latency(vxm.alus));
    let sxm = config
        .sxm
        .as_ref()
        .map_or(0, |_| reduce_latency(config.lanes));
    DRAIN_CYCLES.max(vxm).max(sxm)
}

/// Issue of an operation to the cycle in which nothing of it is under way, neither in a unit nor on a stream.
///
/// ```
/// use lpu_isa::{Config, latency::settle_cycles};
/// assert_eq!(settle_cycles(&Config::preset("nano").unwrap()), 22);
/// ```
pub fn settle_cycles(config: &Config) -> u64 {
    drain_cycles(config) + HOP_LATENCY * (config.mxm_position() as u64 + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_the_mxm_does_has_happened_when_busy_falls() {
        for name in ["nano", "wide", "nano+e4m3+nvfp4", "wide+e4m3+nvfp4"] {
            let config = Config::preset(name).unwrap();
            // An MM and an ACC that issue beside the last END: RESULT_LOST and a collision, each in a register a cycle later.
            let lost = mm_latency(&config) + 1;
            let collision = acc_latency(&config);
            assert!(lost.max(collision) < drain_cycles(&config), "{name}");
        }
    }
}
