//! Interrupts and the first access that was refused.

use super::{REGISTER_BITS, WINDOW_BITS};
use crate::info::Info;
use crate::prim::{Flop, PipeEnable};
use rust_hdl::prelude::*;

/// Interrupts of the tile and the record of the first access that was answered with an error.
///
/// ```text
/// in_busy        ~~~~~\______________
/// raw DONE       _________/~~~~~~~\__      until a one is written to it
/// out_interrupt  _____________/~~~~~~~\_      while an enabled one is raw
/// ```
///
/// | bit | raised by |
/// |---|---|
/// | 0 DONE | `in_busy` falls |
/// | 1 FAULT | `in_fault` rises |
/// | 2 ACCESS | a refused access; the first one since the bit was clear is recorded, one on the window before one on a register of the same cycle |
///
/// An event in the cycle in which its bit is cleared sets the bit again. Latency: one cycle to the raw bit, two to the line.
/// Reset clears raw and enable.
#[derive(LogicBlock, Default)]
pub struct Interrupts {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A launch is going on.
    pub in_busy: Signal<In, Bit>,
    /// Some unit has a fault.
    pub in_fault: Signal<In, Bit>,
    /// An access to the window was refused.
    pub in_window: Signal<In, Bit>,
    /// It was a write.
    pub in_window_write: Signal<In, Bit>,
    /// There is no such address.
    pub in_window_decode: Signal<In, Bit>,
    /// Its byte address.
    pub in_window_byte: Signal<In, Bits<WINDOW_BITS>>,
    /// An access to a register was refused.
    pub in_register: Signal<In, Bit>,
    /// It was a write.
    pub in_register_write: Signal<In, Bit>,
    /// There is no such address.
    pub in_register_decode: Signal<In, Bit>,
    /// Its byte address.
    pub in_register_byte: Signal<In, Bits<REGISTER_BITS>>,
    /// Register that is read or written, by `lpu_isa::registers::Local`.
    pub in_local: Signal<In, Bits<3>>,
    /// It is written.
    pub in_local_write: Signal<In, Bit>,
    /// With this.
    pub in_local_data: Signal<In, Bits<3>>,
    /// Its content.
    pub out_local_data: Signal<Out, Bits<32>>,
    /// The interrupt line.
    pub out_interrupt: Signal<Out, Bit>,
    busy: Flop<Bit>,
    fault: Flop<Bit>,
    raw: Flop<Bits<3>>,
    allowed: Flop<Bits<3>>,
    line: Flop<Bit>,
    write: PipeEnable<Bit>,
    window: PipeEnable<Bit>,
    decode: PipeEnable<Bit>,
    place: PipeEnable<Bits<WINDOW_BITS>>,
    /// What happens in this cycle, a bit each.
    done: Signal<Local, Bits<3>>,
    faulted: Signal<Local, Bits<3>>,
    refused: Signal<Local, Bits<3>>,
    cleared: Signal<Local, Bits<3>>,
    record: Signal<Local, Bit>,
    what: Signal<Local, Bits<32>>,
    where_bits: Signal<Local, Bits<32>>,
    info: Info,
}

impl Interrupts {
    /// No interrupt is raw or enabled.
    pub fn new() -> Self {
        Self {
            info: Info::new("axi_interrupts", file!())
                .summary("Interrupts and the first access that was refused")
                .port("in_window", "an access to the window was refused")
                .port("in_register", "an access to a register was refused")
                .port("in_local", "1 raw, 2 enable, 3 status, 4 what, 5 where"),
            ..Self::default()
        }
    }
}

impl Logic for Interrupts {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, busy, fault, raw, allowed, line, write, window, decode, place
        );
        self.busy.reset.next = self.reset.val();
        self.busy.enable.next = true;
        self.busy.d.next = self.in_busy.val();
        self.fault.reset.next = self.reset.val();
        self.fault.enable.next = true;
        self.fault.d.next = self.in_fault.val();

        self.done.next = 0.into();
        if self.busy.q.val() & !self.in_busy.val() {
            self.done.next = 1.into();
        }
        self.faulted.next = 0.into();
        if self.in_fault.val() & !self.fault.q.val() {
            self.faulted.next = 2.into();
        }
        self.refused.next = 0.into();
        if self.in_window.val() | self.in_register.val() {
            self.refused.next = 4.into();
        }
        self.cleared.next = 0.into();
        if self.in_local_write.val() & (self.in_local.val() == 1) {
            self.cleared.next = self.in_local_data.val();
        }
        self.raw.reset.next = self.reset.val();
        self.raw.enable.next = true;
        self.raw.d.next = (self.raw.q.val() & !self.cleared.val())
            | self.done.val()
            | self.faulted.val()
            | self.refused.val();
        self.allowed.reset.next = self.reset.val();
        self.allowed.enable.next = self.in_local_write.val() & (self.in_local.val() == 2);
        self.allowed.d.next = self.in_local_data.val();
        self.line.reset.next = self.reset.val();
        self.line.enable.next = true;
        self.line.d.next = (self.raw.q.val() & self.allowed.q.val()).any();
        self.out_interrupt.next = self.line.q.val();

        // The first one.
        self.record.next = self.refused.val().any()
            & (!self.raw.q.val().get_bit(2) | self.cleared.val().get_bit(2));
        self.write.enable.next = self.record.val();
        self.window.enable.next = self.record.val();
        self.decode.enable.next = self.record.val();
        self.place.enable.next = self.record.val();
        self.window.d.next = self.in_window.val();
        self.write.d.next = self.in_register_write.val();
        self.decode.d.next = self.in_register_decode.val();
        self.place.d.next = bit_cast::<WINDOW_BITS, REGISTER_BITS>(self.in_register_byte.val());
        if self.in_window.val() {
            self.write.d.next = self.in_window_write.val();
            self.decode.d.next = self.in_window_decode.val();
            self.place.d.next = self.in_window_byte.val();
        }
        self.what.next = 0.into();
        self.where_bits.next = 0.into();
        if self.raw.q.val().get_bit(2) {
            self.what.next = 1.into();
            if self.write.q.val() {
                self.what.next = 3.into();
            }
            self.where_bits.next = bit_cast::<32, WINDOW_BITS>(self.place.q.val());
        }

        self.out_local_data.next = 0.into();
        if self.in_local.val() == 1 {
            self.out_local_data.next = bit_cast::<32, 3>(self.raw.q.val());
        } else if self.in_local.val() == 2 {
            self.out_local_data.next = bit_cast::<32, 3>(self.allowed.q.val());
        } else if self.in_local.val() == 3 {
            self.out_local_data.next = bit_cast::<32, 3>(self.raw.q.val() & self.allowed.q.val());
        } else if self.in_local.val() == 4 {
            self.out_local_data.next = self.what.val();
            if self.raw.q.val().get_bit(2) & self.window.q.val() {
                self.out_local_data.next = self.what.val() | 4;
                if self.decode.q.val() {
                    self.out_local_data.next = self.what.val() | 12;
                }
            } else if self.raw.q.val().get_bit(2) & self.decode.q.val() {
                self.out_local_data.next = self.what.val() | 8;
            }
        } else if self.in_local.val() == 5 {
            self.out_local_data.next = self.where_bits.val();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use rust_hdl::core::simulate::simulate;

    fn step(block: &mut Interrupts) {
        cycle(block, |block, level| block.clock.next = Clock::from(level));
    }

    fn write(block: &mut Interrupts, local: u64, data: u64) {
        block.in_local.next = Bits::from(local);
        block.in_local_data.next = Bits::from(data);
        block.in_local_write.next = true;
        step(block);
        block.in_local_write.next = false;
    }

    fn read(block: &mut Interrupts, local: u64) -> u64 {
        block.in_local.next = Bits::from(local);
        assert!(simulate(block, 20));
        block.out_local_data.val().to_u64()
    }

    #[test]
    fn busy_falls_and_the_line_rises() {
        let mut block = Interrupts::new();
        block.connect_all();
        write(&mut block, 2, 1);
        // busy, write one to DONE -> raw, line after the cycle
        let rows = [
            (true, false, 0, false),
            (true, false, 0, false),
            (false, false, 1, false),
            (false, false, 1, true),
            (false, true, 0, true),
            (false, false, 0, false),
            (true, false, 0, false),
            (false, true, 1, false), // cleared and done at once: done wins
            (false, false, 1, true),
        ];
        for (at, (busy, clear, raw, line)) in rows.into_iter().enumerate() {
            block.in_busy.next = busy;
            match clear {
                true => write(&mut block, 1, 1),
                false => step(&mut block),
            }
            assert_eq!(
                (read(&mut block, 1), block.out_interrupt.val()),
                (raw, line),
                "row {at}"
            );
        }
    }

    #[test]
    fn the_first_refused_access_is_kept() {
        let mut block = Interrupts::new();
        block.connect_all();
        block.in_window.next = true;
        block.in_window_write.next = true;
        block.in_window_byte.next = Bits::from(0x123_4560);
        block.in_register.next = true;
        step(&mut block);
        block.in_window_byte.next = Bits::from(0x8);
        block.in_window.next = false;
        step(&mut block);
        assert_eq!(read(&mut block, 4), 0b0111, "valid, write, window");
        assert_eq!(read(&mut block, 5), 0x123_4560);
        block.in_register_decode.next = true;
        block.in_register_byte.next = Bits::from(0x14);
        write(&mut block, 1, 4);
        assert_eq!(
            read(&mut block, 1),
            4,
            "the next one came in the same cycle"
        );
        assert_eq!((read(&mut block, 4), read(&mut block, 5)), (0b1001, 0x14));
        block.in_register.next = false;
        write(&mut block, 1, 4);
        assert_eq!((read(&mut block, 4), read(&mut block, 5)), (0, 0));
    }
}
