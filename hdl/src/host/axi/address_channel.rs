//! An AXI4 address channel: a queue and the beats of its bursts.

use super::{BurstAddress, ID_BITS, WINDOW_BITS};
use crate::info::Info;
use crate::prim::{Concat, StreamFifo};
use rust_hdl::prelude::*;

/// Bits of identifier and address.
const HIGH: usize = ID_BITS + WINDOW_BITS;
/// Bits of length, size and burst type.
const LOW: usize = 8 + 3 + 2;
/// Bits of a word of the queue.
const ALL: usize = HIGH + LOW;

/// An AXI4 address channel: two addresses wait, a third is turned into beats ([`BurstAddress`]).
///
/// `out_ready` comes from a register. Latency: two cycles from address to first beat. Reset empties it.
#[derive(LogicBlock, Default)]
pub struct AddressChannel {
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
    /// There is room.
    pub out_ready: Signal<Out, Bit>,
    /// The beat is used.
    pub in_beat_ready: Signal<In, Bit>,
    /// There is a beat.
    pub out_beat_valid: Signal<Out, Bit>,
    /// Its first byte.
    pub out_beat_address: Signal<Out, Bits<WINDOW_BITS>>,
    /// Identifier of its burst.
    pub out_beat_id: Signal<Out, Bits<ID_BITS>>,
    /// It is the last of its burst.
    pub out_beat_last: Signal<Out, Bit>,
    /// Its burst is none that the standard knows.
    pub out_beat_illegal: Signal<Out, Bit>,
    high: Concat<ID_BITS, WINDOW_BITS, HIGH>,
    kind: Concat<3, 2, 5>,
    low: Concat<8, 5, LOW>,
    all: Concat<HIGH, LOW, ALL>,
    queue: StreamFifo<ALL>,
    beats: BurstAddress,
    info: Info,
}

impl AddressChannel {
    /// Cycles from an address to its first beat.
    pub const LATENCY: u64 = 2;

    /// An empty channel.
    pub fn new() -> Self {
        Self {
            beats: BurstAddress::new(),
            info: Info::new("axi_address_channel", file!())
                .summary("AXI4 address channel: a queue and the beats of its bursts")
                .port("in_length", "beats - 1")
                .port("in_size", "bytes of a beat, as a power of two")
                .port("in_burst", "0 FIXED, 1 INCR, 2 WRAP")
                .port("in_beat_ready", "the beat is used"),
            ..Self::default()
        }
    }
}

impl Logic for AddressChannel {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, queue, beats);
        self.queue.reset.next = self.reset.val();
        self.beats.reset.next = self.reset.val();
        self.high.high.next = self.in_id.val();
        self.high.low.next = self.in_address.val();
        self.kind.high.next = self.in_size.val();
        self.kind.low.next = self.in_burst.val();
        self.low.high.next = self.in_length.val();
        self.low.low.next = self.kind.word.val();
        self.all.high.next = self.high.word.val();
        self.all.low.next = self.low.word.val();
        self.queue.in_valid.next = self.in_valid.val();
        self.queue.in_data.next = self.all.word.val();
        self.out_ready.next = self.queue.in_ready.val();

        self.queue.out_ready.next = self.beats.out_taken.val();
        self.beats.in_valid.next = self.queue.out_valid.val();
        self.beats.in_burst.next = self.queue.out_data.val().get_bits::<2>(0);
        self.beats.in_size.next = self.queue.out_data.val().get_bits::<3>(2);
        self.beats.in_length.next = self.queue.out_data.val().get_bits::<8>(5);
        self.beats.in_address.next = self.queue.out_data.val().get_bits::<WINDOW_BITS>(13);
        self.beats.in_id.next = self.queue.out_data.val().get_bits::<ID_BITS>(41);

        self.beats.in_ready.next = self.in_beat_ready.val();
        self.out_beat_valid.next = self.beats.out_valid.val();
        self.out_beat_address.next = self.beats.out_address.val();
        self.out_beat_id.next = self.beats.out_id.val();
        self.out_beat_last.next = self.beats.out_last.val();
        self.out_beat_illegal.next = self.beats.out_illegal.val();
    }
}
