//! Drives a result of one, two or four byte planes onto its streams.

use super::plane_select::PLANES;
use crate::ecc::SecdedEncodeStage;
use crate::info::Info;
use crate::prim::Flop;
use rust_hdl::prelude::*;

/// Drives a result of one, two or four byte planes onto its streams, with new check bits.
///
/// ```text
/// clock            _/~\_/~\_/~\_
/// in_enable        /~~~\________
/// in_plane         X p X
/// out_drive_east   0   X 2^s X 0        s: its stream; 3 or 15 times that with two or four planes
/// out_data             X p              <- driver d drives only streams with the number d modulo 4
/// ```
///
/// A result of two planes begins at an even stream, one of four at a multiple of four; lower bits of the stream are ignored.
///
/// Parameter: L lanes. Latency: one cycle. Reset clears the drives.
#[derive(LogicBlock)]
pub struct WordResult<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// There is a result.
    pub in_enable: Signal<In, Bit>,
    /// It has two planes.
    pub in_two: Signal<In, Bit>,
    /// It has four planes.
    pub in_four: Signal<In, Bit>,
    /// Its first stream: bit 5 westward.
    pub in_stream: Signal<In, Bits<6>>,
    /// Its planes, the least byte first.
    pub in_plane: Vec<Signal<In, Bits<V>>>,
    /// It drives.
    pub out_drive: Signal<Out, Bit>,
    /// Bit s: it drives eastward stream s.
    pub out_drive_east: Signal<Out, Bits<32>>,
    /// Bit s: it drives westward stream s.
    pub out_drive_west: Signal<Out, Bits<32>>,
    /// Data for the streams with the number d modulo 4.
    pub out_data: Vec<Signal<Out, Bits<V>>>,
    /// Their check bits.
    pub out_check: Vec<Signal<Out, Bits<L>>>,
    encode: Vec<SecdedEncodeStage<L, V>>,
    driving: Flop<Bit>,
    east: Flop<Bits<32>>,
    west: Flop<Bits<32>>,
    first: Signal<Local, Bits<5>>,
    drive: Signal<Local, Bits<32>>,
    used: Signal<Local, Bits<4>>,
    info: Info,
}

impl<const L: usize, const V: usize> WordResult<L, V> {
    /// Cycles from the planes to the drives.
    pub const LATENCY: u64 = 1;
}

impl<const L: usize, const V: usize> Default for WordResult<L, V> {
    fn default() -> Self {
        fn planes<T: Default>() -> Vec<T> {
            (0..PLANES).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_enable: Signal::default(),
            in_two: Signal::default(),
            in_four: Signal::default(),
            in_stream: Signal::default(),
            in_plane: planes(),
            out_drive: Signal::default(),
            out_drive_east: Signal::default(),
            out_drive_west: Signal::default(),
            out_data: planes(),
            out_check: planes(),
            encode: planes(),
            driving: Flop::default(),
            east: Flop::default(),
            west: Flop::default(),
            first: Signal::default(),
            drive: Signal::default(),
            used: Signal::default(),
            info: Info::new("word_result", file!())
                .summary("A result of one, two or four byte planes, driven onto its streams")
                .param("LANES", L)
                .port("in_stream", "the first; bit 5 westward")
                .port("in_plane", "the least byte first")
                .port("out_drive_east", "bit s: eastward stream s")
                .port("out_drive_west", "bit s: westward stream s")
                .port("out_data", "for the streams d modulo 4"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for WordResult<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, driving, east, west);
        self.driving.reset.next = self.reset.val();
        self.driving.enable.next = true;
        self.driving.d.next = self.in_enable.val();
        self.out_drive.next = self.driving.q.val();
        self.east.reset.next = self.reset.val();
        self.west.reset.next = self.reset.val();
        self.east.enable.next = true;
        self.west.enable.next = true;

        // Which streams, and which of the four data outputs they take.
        self.first.next = self.in_stream.val().get_bits::<5>(0);
        self.drive.next = bits::<32>(1) << self.first.val();
        self.used.next = bits::<4>(1) << (self.first.val() & 3);
        if self.in_two.val() {
            self.drive.next = bits::<32>(3) << (self.first.val() & 0x1e);
            self.used.next = bits::<4>(3) << (self.first.val() & 2);
        }
        if self.in_four.val() {
            self.drive.next = bits::<32>(15) << (self.first.val() & 0x1c);
            self.used.next = bits::<4>(15);
        }
        self.east.d.next = 0.into();
        self.west.d.next = 0.into();
        if self.in_enable.val() {
            if self.in_stream.val().get_bit(5) {
                self.west.d.next = self.drive.val();
            } else {
                self.east.d.next = self.drive.val();
            }
        }
        self.out_drive_east.next = self.east.q.val();
        self.out_drive_west.next = self.west.q.val();

        for d in 0..4 {
            self.encode[d].clock.next = self.clock.val();
            self.encode[d].reset.next = self.reset.val();
            self.encode[d].in_valid.next = self.in_enable.val() & self.used.val().get_bit(d);
            self.encode[d].in_data.next = self.in_plane[0].val();
            self.out_data[d].next = self.encode[d].out_data.val();
            self.out_check[d].next = self.encode[d].out_check.val();
        }
        if self.in_two.val() | self.in_four.val() {
            self.encode[1].in_data.next = self.in_plane[1].val();
            self.encode[3].in_data.next = self.in_plane[1].val();
        }
        if self.in_four.val() {
            self.encode[2].in_data.next = self.in_plane[2].val();
            self.encode[3].in_data.next = self.in_plane[3].val();
        }
    }
}
