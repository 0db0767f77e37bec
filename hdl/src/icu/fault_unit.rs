//! The fault register of a unit.

use crate::info::Info;
use crate::prim::{Flop, Pipe};
use rust_hdl::prelude::*;

/// The fault register of a unit: keeps the first fault, with its cycle.
///
/// ```text
/// clock       _/~\_/~\_/~\_/~\_/~\_
/// in_cycle    X 7 X 8 X 9 X
/// in_fault    0   X c X d X             bit c: fault with code c in this cycle
/// out_valid   ____________/~~~~~~~~
/// out_code                X c
/// out_cycle               X 8
/// ```
///
/// Of several faults in one cycle the lowest code is kept. `in_clear` forgets the fault, and one that happens in the same cycle
/// or a cycle earlier. Latency: two cycles. Reset clears.
#[derive(LogicBlock)]
pub struct FaultUnit {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Cycle of the launch.
    pub in_cycle: Signal<In, Bits<32>>,
    /// Forgets the fault.
    pub in_clear: Signal<In, Bit>,
    /// Bit c: the fault with code c happens in this cycle.
    pub in_fault: Signal<In, Bits<8>>,
    /// There is a fault.
    pub out_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_cycle: Signal<Out, Bits<32>>,
    fault_1: Flop<Bits<8>>,
    cycle_1: Pipe<Bits<32>>,
    valid: Flop<Bit>,
    code: Flop<Bits<8>>,
    cycle: Flop<Bits<32>>,
    any: Signal<Local, Bit>,
    lowest: Signal<Local, Bits<8>>,
    info: Info,
}

impl FaultUnit {
    /// Cycles from `in_fault` to `out_valid`.
    pub const LATENCY: u64 = 2;
}

impl Default for FaultUnit {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_cycle: Signal::default(),
            in_clear: Signal::default(),
            in_fault: Signal::default(),
            out_valid: Signal::default(),
            out_code: Signal::default(),
            out_cycle: Signal::default(),
            fault_1: Flop::default(),
            cycle_1: Pipe::default(),
            valid: Flop::default(),
            code: Flop::default(),
            cycle: Flop::default(),
            any: Signal::default(),
            lowest: Signal::default(),
            info: Info::new("fault_unit", file!())
                .summary("The fault register of a unit")
                .port("in_fault", "bit c: fault with code c in this cycle")
                .port("out_cycle", "cycle of the first fault"),
        }
    }
}

impl Logic for FaultUnit {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, fault_1, cycle_1, valid, code, cycle);
        self.fault_1.reset.next = self.reset.val() | self.in_clear.val();
        self.fault_1.enable.next = true;
        self.fault_1.d.next = self.in_fault.val();
        self.cycle_1.d.next = self.in_cycle.val();
        self.valid.reset.next = self.reset.val() | self.in_clear.val();
        self.code.reset.next = self.reset.val() | self.in_clear.val();
        self.cycle.reset.next = self.reset.val() | self.in_clear.val();
        self.any.next = self.fault_1.q.val().any();
        self.lowest.next = 7.into();
        if self.fault_1.q.val().get_bit(1) {
            self.lowest.next = 1.into();
        } else if self.fault_1.q.val().get_bit(2) {
            self.lowest.next = 2.into();
        } else if self.fault_1.q.val().get_bit(3) {
            self.lowest.next = 3.into();
        } else if self.fault_1.q.val().get_bit(4) {
            self.lowest.next = 4.into();
        } else if self.fault_1.q.val().get_bit(5) {
            self.lowest.next = 5.into();
        } else if self.fault_1.q.val().get_bit(6) {
            self.lowest.next = 6.into();
        }
        self.valid.enable.next = self.any.val() & !self.valid.q.val();
        self.valid.d.next = true;
        self.code.enable.next = self.any.val() & !self.valid.q.val();
        self.code.d.next = self.lowest.val();
        self.cycle.enable.next = self.any.val() & !self.valid.q.val();
        self.cycle.d.next = self.cycle_1.q.val();
        self.out_valid.next = self.valid.q.val();
        self.out_code.next = self.code.q.val();
        self.out_cycle.next = self.cycle.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn keeps_the_first_fault_and_the_lowest_code() {
        let mut unit = FaultUnit::default();
        unit.connect_all();
        // (fault bits, clear) in cycle 0, 1, ... -> (valid, code, cycle) after it
        let rows = [
            (0x00u64, false, (false, 0, 0)),
            (0x14, false, (false, 0, 0)),
            (0x02, false, (true, 2, 1)),
            (0x00, false, (true, 2, 1)),
            (0x40, false, (true, 2, 1)),
            (0x80, true, (false, 0, 0)),
            (0x80, false, (false, 0, 0)),
            (0x00, false, (true, 7, 6)),
        ];
        for (now, (fault, clear, (valid, code, at))) in rows.into_iter().enumerate() {
            unit.in_cycle.next = Bits::from(now as u64);
            unit.in_fault.next = Bits::from(fault);
            unit.in_clear.next = clear;
            cycle(&mut unit, |unit, level| {
                unit.clock.next = Clock::from(level)
            });
            assert_eq!(unit.out_valid.val(), valid, "cycle {now}");
            assert_eq!(
                (unit.out_code.val().to_u64(), unit.out_cycle.val().to_u64()),
                (code, at),
                "cycle {now}"
            );
        }
    }
}
