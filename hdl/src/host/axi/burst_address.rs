//! The beats of AXI bursts.

use super::{ID_BITS, WINDOW_BITS};
use crate::info::Info;
use crate::prim::{Flop, PipeEnable};
use rust_hdl::prelude::*;

/// Turns each address of an AXI4 address channel into the beats of its burst, one beat a cycle, without a gap between bursts.
///
/// ```text
/// in_valid     /~~~~~~~\________________      burst of two beats, then one of one beat
/// out_taken    ~~~~\___/~~~\___/~~~~~~~~      out_taken: the address is taken in this cycle
/// out_valid    ____/~~~~~~~~~~~\________
/// out_address      X a0 X a1 X b0 X
/// out_last     ________/~~~~~~~\________
/// in_ready     ~~~~~~~~~~~~~~~~~~~~~~~~~      a beat is used
/// ```
///
/// | burst | address of the next beat, n = 2^size |
/// |---|---|
/// | FIXED (0) | the same |
/// | INCR (1) | aligned to n, plus n |
/// | WRAP (2) | plus n, modulo n * beats within its container |
///
/// `out_illegal` marks every beat of a burst that the standard does not know: size above 8 bytes, burst type 3, WRAP of other
/// than 2, 4, 8, 16 beats or from an address that is not aligned to n. Its beats are counted like all others.
///
/// Latency: one cycle from address to first beat. Reset drops the burst. A burst across 4 KiB, which the standard forbids, simply
/// goes on. Source: AMBA AXI protocol specification (ARM IHI 0022), burst address.
#[derive(LogicBlock, Default)]
pub struct BurstAddress {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// There is an address.
    pub in_valid: Signal<In, Bit>,
    /// First byte of the burst.
    pub in_address: Signal<In, Bits<WINDOW_BITS>>,
    /// Identifier.
    pub in_id: Signal<In, Bits<ID_BITS>>,
    /// Beats - 1.
    pub in_length: Signal<In, Bits<8>>,
    /// Bytes of a beat, as a power of two.
    pub in_size: Signal<In, Bits<3>>,
    /// Burst type.
    pub in_burst: Signal<In, Bits<2>>,
    /// The beat is used.
    pub in_ready: Signal<In, Bit>,
    /// The address is taken.
    pub out_taken: Signal<Out, Bit>,
    /// There is a beat.
    pub out_valid: Signal<Out, Bit>,
    /// Its first byte.
    pub out_address: Signal<Out, Bits<WINDOW_BITS>>,
    /// Identifier of its burst.
    pub out_id: Signal<Out, Bits<ID_BITS>>,
    /// It is the last of its burst.
    pub out_last: Signal<Out, Bit>,
    /// Its burst is none that the standard knows.
    pub out_illegal: Signal<Out, Bit>,
    valid: Flop<Bit>,
    address: PipeEnable<Bits<WINDOW_BITS>>,
    id: PipeEnable<Bits<ID_BITS>>,
    left: PipeEnable<Bits<8>>,
    size: PipeEnable<Bits<2>>,
    kind: PipeEnable<Bits<2>>,
    container: PipeEnable<Bits<7>>,
    illegal: PipeEnable<Bit>,
    /// A new address is loaded.
    load: Signal<Local, Bit>,
    /// The present beat is used.
    step: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    /// Bits of an address inside one beat, now and of the address that comes.
    inside: Signal<Local, Bits<WINDOW_BITS>>,
    in_inside: Signal<Local, Bits<3>>,
    /// Bits of an address that change from beat to beat.
    moving: Signal<Local, Bits<WINDOW_BITS>>,
    advanced: Signal<Local, Bits<WINDOW_BITS>>,
    wrap_length: Signal<Local, Bit>,
    in_container: Signal<Local, Bits<7>>,
    info: Info,
}

impl BurstAddress {
    /// Cycles from an address to its first beat.
    pub const LATENCY: u64 = 1;

    /// Between bursts.
    pub fn new() -> Self {
        Self {
            info: Info::new("axi_burst_address", file!())
                .summary("The beats of AXI bursts")
                .param("ADDRESS_BITS", WINDOW_BITS)
                .param("ID_BITS", ID_BITS)
                .port("in_length", "beats - 1")
                .port("in_size", "bytes of a beat, as a power of two")
                .port("in_burst", "0 FIXED, 1 INCR, 2 WRAP")
                .port("in_ready", "the beat is used")
                .port("out_taken", "the address is taken")
                .port("out_illegal", "no burst of the standard"),
            ..Self::default()
        }
    }
}

impl Logic for BurstAddress {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, valid, address, id, left, size, kind, container, illegal
        );
        self.last.next = self.left.q.val() == 0;
        self.step.next = self.valid.q.val() & self.in_ready.val();
        self.load.next =
            self.in_valid.val() & (!self.valid.q.val() | (self.step.val() & self.last.val()));
        self.out_taken.next = self.load.val();
        self.valid.reset.next = self.reset.val();
        self.valid.enable.next = self.load.val() | (self.step.val() & self.last.val());
        self.valid.d.next = self.load.val();

        // The address that comes.
        self.in_inside.next = 0.into();
        self.in_container.next = bit_cast::<7, 4>(self.in_length.val().get_bits::<4>(0));
        if self.in_size.val().get_bits::<2>(0) == 1 {
            self.in_inside.next = 1.into();
            self.in_container.next =
                bit_cast::<7, 4>(self.in_length.val().get_bits::<4>(0)) << 1 | 1;
        } else if self.in_size.val().get_bits::<2>(0) == 2 {
            self.in_inside.next = 3.into();
            self.in_container.next =
                bit_cast::<7, 4>(self.in_length.val().get_bits::<4>(0)) << 2 | 3;
        } else if self.in_size.val().get_bits::<2>(0) == 3 {
            self.in_inside.next = 7.into();
            self.in_container.next =
                bit_cast::<7, 4>(self.in_length.val().get_bits::<4>(0)) << 3 | 7;
        }
        self.wrap_length.next = (self.in_length.val() == 1)
            | (self.in_length.val() == 3)
            | (self.in_length.val() == 7)
            | (self.in_length.val() == 15);
        self.id.enable.next = self.load.val();
        self.id.d.next = self.in_id.val();
        self.size.enable.next = self.load.val();
        self.size.d.next = self.in_size.val().get_bits::<2>(0);
        self.kind.enable.next = self.load.val();
        self.kind.d.next = self.in_burst.val();
        self.container.enable.next = self.load.val();
        self.container.d.next = self.in_container.val();
        self.illegal.enable.next = self.load.val();
        self.illegal.d.next = self.in_size.val().get_bit(2)
            | (self.in_burst.val() == 3)
            | ((self.in_burst.val() == 2)
                & (!self.wrap_length.val()
                    | (self.in_address.val().get_bits::<3>(0) & self.in_inside.val()).any()));

        // From beat to beat.
        self.inside.next = 0.into();
        if self.size.q.val() == 1 {
            self.inside.next = 1.into();
        } else if self.size.q.val() == 2 {
            self.inside.next = 3.into();
        } else if self.size.q.val() == 3 {
            self.inside.next = 7.into();
        }
        self.moving.next = 0.into();
        if self.kind.q.val() == 1 {
            self.moving.next = 0x0fff_ffff.into();
        } else if self.kind.q.val() == 2 {
            self.moving.next = bit_cast::<WINDOW_BITS, 7>(self.container.q.val());
        }
        self.advanced.next = (self.address.q.val() | self.inside.val()) + 1;
        self.address.enable.next = self.load.val() | self.step.val();
        self.address.d.next =
            (self.address.q.val() & !self.moving.val()) | (self.advanced.val() & self.moving.val());
        self.left.enable.next = self.load.val() | self.step.val();
        self.left.d.next = self.left.q.val() - 1;
        if self.load.val() {
            self.address.d.next = self.in_address.val();
            self.left.d.next = self.in_length.val();
        }

        self.out_valid.next = self.valid.q.val();
        self.out_address.next = self.address.q.val();
        self.out_id.next = self.id.q.val();
        self.out_last.next = self.last.val();
        self.out_illegal.next = self.illegal.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    fn step(burst: &mut BurstAddress) {
        cycle(burst, |burst, level| burst.clock.next = Clock::from(level));
    }

    /// Length, size, burst type, first address -> addresses of the beats, illegal.
    fn beats(length: u64, size: u64, kind: u64, address: u64) -> (Vec<u64>, bool) {
        let mut burst = BurstAddress::new();
        burst.connect_all();
        burst.in_valid.next = true;
        burst.in_address.next = Bits::from(address);
        burst.in_length.next = Bits::from(length);
        burst.in_size.next = Bits::from(size);
        burst.in_burst.next = Bits::from(kind);
        step(&mut burst);
        burst.in_valid.next = false;
        burst.in_ready.next = true;
        let mut addresses = vec![];
        loop {
            assert!(burst.out_valid.val());
            addresses.push(burst.out_address.val().to_u64());
            let (last, illegal) = (burst.out_last.val(), burst.out_illegal.val());
            step(&mut burst);
            if last {
                assert!(!burst.out_valid.val());
                return (addresses, illegal);
            }
        }
    }

    #[test]
    fn the_three_kinds_of_bursts() {
        assert_eq!(beats(2, 3, 0, 0x105), (vec![0x105; 3], false));
        assert_eq!(beats(2, 3, 1, 0x105), (vec![0x105, 0x108, 0x110], false));
        assert_eq!(beats(2, 0, 1, 0x107), (vec![0x107, 0x108, 0x109], false));
        assert_eq!(
            beats(3, 3, 2, 0x110),
            (vec![0x110, 0x118, 0x100, 0x108], false)
        );
        assert_eq!(beats(1, 1, 2, 0x102), (vec![0x102, 0x100], false));
    }

    #[test]
    fn what_the_standard_does_not_know_is_marked() {
        assert!(beats(0, 4, 1, 0).1, "16 bytes");
        assert!(beats(0, 0, 3, 0).1, "type 3");
        assert!(beats(2, 3, 2, 0).1, "WRAP of three beats");
        assert!(beats(1, 2, 2, 2).1, "WRAP that is not aligned");
    }

    #[test]
    fn bursts_follow_without_a_gap() {
        let mut burst = BurstAddress::new();
        burst.connect_all();
        burst.in_valid.next = true;
        burst.in_ready.next = true;
        burst.in_burst.next = Bits::from(1);
        burst.in_size.next = Bits::from(3);
        burst.in_length.next = Bits::from(1);
        for now in 0..9 {
            step(&mut burst);
            assert!(burst.out_valid.val());
            assert_eq!(burst.out_last.val(), now % 2 == 1, "cycle {now}");
        }
    }
}
