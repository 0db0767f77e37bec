//! Sticky faults, counters and what can be read of them.

use crate::info::Info;
use crate::prim::Flop;
use lpu_isa::c2c::Shape;
use rust_hdl::prelude::*;

/// Counts events in 32 bits and stops at the largest number. Latency: one cycle. Reset and `in_clear` set zero.
#[derive(LogicBlock)]
pub struct EventCounter {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Sets zero.
    pub in_clear: Signal<In, Bit>,
    /// Events of this cycle.
    pub in_events: Signal<In, Bits<16>>,
    /// Events so far.
    pub out_count: Signal<Out, Bits<32>>,
    count: Flop<Bits<32>>,
    sum: Signal<Local, Bits<33>>,
    info: Info,
}

impl EventCounter {
    /// Cycles from the events to the count.
    pub const LATENCY: u64 = 1;
}

impl Default for EventCounter {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_clear: Signal::default(),
            in_events: Signal::default(),
            out_count: Signal::default(),
            count: Flop::default(),
            sum: Signal::default(),
            info: Info::new("c2c_event_counter", file!())
                .summary("Counts events")
                .port("out_count", "saturates"),
        }
    }
}

impl Logic for EventCounter {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, count);
        self.count.reset.next = self.reset.val() | self.in_clear.val();
        self.count.enable.next = self.in_events.val().any();
        self.sum.next =
            bit_cast::<33, 32>(self.count.q.val()) + bit_cast::<33, 16>(self.in_events.val());
        self.count.d.next = self.sum.val().get_bits::<32>(0);
        if self.sum.val().get_bit(32) {
            self.count.d.next = 0xffff_ffffu64.into();
        }
        self.out_count.next = self.count.q.val();
    }
}

/// Sticky faults, counters and the registers that show them; the table of registers is in `docs/c2c.md`.
///
/// Parameters: the shape. Latency: one cycle from an event to its register, two for those of a report; none from
/// `in_address` to `out_data`. Reset and `in_clear` clear faults and counters.
#[derive(LogicBlock)]
pub struct Status {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Clears faults and counters.
    pub in_clear: Signal<In, Bit>,
    /// A frame has come.
    pub in_report: Signal<In, Bit>,
    /// Control in 15:0, bytes repaired in 23:16, columns not repaired in 31:24, CRC wrong in 32.
    pub in_content: Signal<In, Bits<33>>,
    /// The elastic buffer has lost a flit.
    pub in_overflow: Signal<In, Bit>,
    /// RECEIVE without a flit.
    pub in_empty: Signal<In, Bit>,
    /// A flit was refused.
    pub in_refused: Signal<In, Bit>,
    /// A session has ended.
    pub in_drop: Signal<In, Bit>,
    /// Why.
    pub in_reason: Signal<In, Bits<3>>,
    /// RUNTIME_DESKEW was too short.
    pub in_late: Signal<In, Bit>,
    /// Wrong bits of PRBS.
    pub in_prbs: Signal<In, Bits<16>>,
    /// State, aligned, PHY up, lanes locked: register 0.
    pub in_state: Signal<In, Bits<16>>,
    /// The counter.
    pub in_hac: Signal<In, Bits<12>>,
    /// Its offset.
    pub in_offset: Signal<In, Bits<12>>,
    /// Latency of the link.
    pub in_latency: Signal<In, Bits<12>>,
    /// Which register.
    pub in_address: Signal<In, Bits<4>>,
    /// Its value.
    pub out_data: Signal<Out, Bits<32>>,
    /// There is a fault.
    pub out_fault: Signal<Out, Bit>,
    /// The frame of the report is good.
    pub out_good: Signal<Out, Bit>,
    faults: Flop<Bits<7>>,
    frames: EventCounter,
    corrected: EventCounter,
    uncorrectable: EventCounter,
    crc: EventCounter,
    drops: EventCounter,
    prbs: EventCounter,
    new_faults: Signal<Local, Bits<7>>,
    is_crc: Signal<Local, Bit>,
    is_uncorrectable: Signal<Local, Bit>,
    good: Signal<Local, Bit>,
    drop_count: Signal<Local, Bits<16>>,
    shape: Constant<Bits<32>>,
    info: Info,
}

impl Status {
    /// The registers of a link of this shape.
    pub fn new(shape: Shape) -> Self {
        let number = shape.lanes() as u64 | (shape.slots() as u64) << 8;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_clear: Signal::default(),
            in_report: Signal::default(),
            in_content: Signal::default(),
            in_overflow: Signal::default(),
            in_empty: Signal::default(),
            in_refused: Signal::default(),
            in_drop: Signal::default(),
            in_reason: Signal::default(),
            in_late: Signal::default(),
            in_prbs: Signal::default(),
            in_state: Signal::default(),
            in_hac: Signal::default(),
            in_offset: Signal::default(),
            in_latency: Signal::default(),
            in_address: Signal::default(),
            out_data: Signal::default(),
            out_fault: Signal::default(),
            out_good: Signal::default(),
            faults: Flop::default(),
            frames: EventCounter::default(),
            corrected: EventCounter::default(),
            uncorrectable: EventCounter::default(),
            crc: EventCounter::default(),
            drops: EventCounter::default(),
            prbs: EventCounter::default(),
            new_faults: Signal::default(),
            is_crc: Signal::default(),
            is_uncorrectable: Signal::default(),
            good: Signal::default(),
            drop_count: Signal::default(),
            shape: Constant::new(Bits::from(number)),
            info: Info::new("c2c_status", file!())
                .summary("Sticky faults, counters and registers")
                .param("LANES", shape.lanes())
                .param("SLOTS", shape.slots())
                .port("in_address", "register")
                .port("out_fault", "FAULTS is not zero"),
        }
    }
}

impl Logic for Status {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            faults,
            frames,
            corrected,
            uncorrectable,
            crc,
            drops,
            prbs
        );
        self.faults.reset.next = self.reset.val() | self.in_clear.val();
        self.frames.reset.next = self.reset.val();
        self.corrected.reset.next = self.reset.val();
        self.uncorrectable.reset.next = self.reset.val();
        self.crc.reset.next = self.reset.val();
        self.drops.reset.next = self.reset.val();
        self.prbs.reset.next = self.reset.val();
        self.frames.in_clear.next = self.in_clear.val();
        self.corrected.in_clear.next = self.in_clear.val();
        self.uncorrectable.in_clear.next = self.in_clear.val();
        self.crc.in_clear.next = self.in_clear.val();
        self.drops.in_clear.next = self.in_clear.val();
        self.prbs.in_clear.next = self.in_clear.val();

        self.is_crc.next = self.in_report.val() & self.in_content.val().get_bit(32);
        self.is_uncorrectable.next =
            self.in_report.val() & self.in_content.val().get_bits::<8>(24).any();
        self.good.next = self.in_report.val() & !self.is_crc.val() & !self.is_uncorrectable.val();
        self.out_good.next = self.good.val();

        self.frames.in_events.next = 0.into();
        if self.good.val() {
            self.frames.in_events.next = 1.into();
        }
        self.corrected.in_events.next = 0.into();
        self.uncorrectable.in_events.next = 0.into();
        if self.in_report.val() {
            self.corrected.in_events.next =
                bit_cast::<16, 8>(self.in_content.val().get_bits::<8>(16));
            self.uncorrectable.in_events.next =
                bit_cast::<16, 8>(self.in_content.val().get_bits::<8>(24));
        }
        self.crc.in_events.next = 0.into();
        if self.is_crc.val() {
            self.crc.in_events.next = 1.into();
        }
        self.drops.in_events.next = 0.into();
        if self.in_drop.val() {
            self.drops.in_events.next = 1.into();
        }
        self.prbs.in_events.next = self.in_prbs.val();

        self.new_faults.next = self.faults.q.val();
        if self.is_uncorrectable.val() {
            self.new_faults.next = self.new_faults.val() | 1;
        }
        if self.is_crc.val() {
            self.new_faults.next = self.new_faults.val() | 2;
        }
        if self.in_overflow.val() {
            self.new_faults.next = self.new_faults.val() | 4;
        }
        if self.in_empty.val() {
            self.new_faults.next = self.new_faults.val() | 8;
        }
        if self.in_refused.val() {
            self.new_faults.next = self.new_faults.val() | 16;
        }
        if self.in_drop.val() {
            self.new_faults.next = self.new_faults.val() | 32;
        }
        if self.in_late.val() {
            self.new_faults.next = self.new_faults.val() | 64;
        }
        self.faults.enable.next = true;
        self.faults.d.next = self.new_faults.val();
        self.out_fault.next = self.faults.q.val().any();

        self.drop_count.next = self.drops.out_count.val().get_bits::<16>(0);
        if self.drops.out_count.val().get_bits::<16>(16).any() {
            self.drop_count.next = 0xffff.into();
        }
        self.out_data.next = 0.into();
        if self.in_address.val() == 0 {
            self.out_data.next = bit_cast::<32, 16>(self.in_state.val());
        }
        if self.in_address.val() == 1 {
            self.out_data.next = bit_cast::<32, 7>(self.faults.q.val());
        }
        if self.in_address.val() == 2 {
            self.out_data.next = self.frames.out_count.val();
        }
        if self.in_address.val() == 3 {
            self.out_data.next = self.corrected.out_count.val();
        }
        if self.in_address.val() == 4 {
            self.out_data.next = self.uncorrectable.out_count.val();
        }
        if self.in_address.val() == 5 {
            self.out_data.next = self.crc.out_count.val();
        }
        if self.in_address.val() == 6 {
            self.out_data.next = bit_cast::<32, 16>(self.drop_count.val())
                | (bit_cast::<32, 3>(self.in_reason.val()) << 16);
        }
        if self.in_address.val() == 7 {
            self.out_data.next = bit_cast::<32, 12>(self.in_hac.val())
                | (bit_cast::<32, 12>(self.in_offset.val()) << 16);
        }
        if self.in_address.val() == 8 {
            self.out_data.next = bit_cast::<32, 12>(self.in_latency.val());
        }
        if self.in_address.val() == 9 {
            self.out_data.next = self.prbs.out_count.val();
        }
        if self.in_address.val() == 10 {
            self.out_data.next = self.shape.val();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use rust_hdl::core::simulate::simulate;

    fn read(status: &mut Status, address: u64) -> u64 {
        status.in_address.next = Bits::from(address);
        simulate(status, 10);
        status.out_data.val().to_u64()
    }

    #[test]
    fn reports_are_counted_and_faults_stay() {
        let mut status = Status::new(Shape::new(2, 20).unwrap());
        status.connect_all();
        // Good, 3 bytes repaired; 2 columns not; CRC wrong alone.
        for content in [3u64 << 16, 2 << 24, 1 << 32] {
            status.in_report.next = true;
            status.in_content.next = Bits::from(content);
            cycle(&mut status, |status, level| {
                status.clock.next = Clock::from(level)
            });
            status.in_report.next = false;
        }
        cycle(&mut status, |status, level| {
            status.clock.next = Clock::from(level)
        });
        let registers: Vec<u64> = (1..6).map(|at| read(&mut status, at)).collect();
        assert_eq!(registers, [3, 1, 3, 2, 1]);
        assert_eq!(read(&mut status, 10), 2 | 20 << 8);
        assert!(status.out_fault.val());
        status.in_clear.next = true;
        cycle(&mut status, |status, level| {
            status.clock.next = Clock::from(level)
        });
        assert!((1..6).all(|at| read(&mut status, at) == 0));
    }

    #[test]
    fn every_fault_has_its_bit() {
        type Cause = fn(&mut Status, bool);
        let causes: [(u64, Cause); 5] = [
            (4, |s, on| s.in_overflow.next = on),
            (8, |s, on| s.in_empty.next = on),
            (16, |s, on| s.in_refused.next = on),
            (32, |s, on| s.in_drop.next = on),
            (64, |s, on| s.in_late.next = on),
        ];
        let mut status = Status::new(Shape::new(1, 8).unwrap());
        status.connect_all();
        let mut expected = 0;
        for (bit, cause) in causes {
            cause(&mut status, true);
            cycle(&mut status, |status, level| {
                status.clock.next = Clock::from(level)
            });
            cause(&mut status, false);
            expected |= bit;
            assert_eq!(read(&mut status, 1), expected);
        }
        assert_eq!(read(&mut status, 6), 1);
    }
}
