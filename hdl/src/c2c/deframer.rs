//! Frames to flits.

use super::maps;
use super::scrambler::Descrambler;
use super::xor_map::XorMap;
use crate::info::Info;
use crate::prim::{Flop, Pipe};
use lpu_isa::c2c::{CRC_START, MAX_SLOTS, Shape};
use rust_hdl::prelude::*;

/// Frames to flits: descrambles the slots, takes those that the map names, checks the CRC and reports on the frame.
///
/// ```text
/// in_number   0   1   2  ...  S  ... F-2 F-1  0
/// out_valid   ________/~~~ by the map ~~~\__________    one cycle after the slot
/// out_report  ________________________________/~\__     one cycle after the next number 0
/// ```
///
/// The first frame after reset only sets the descrambler: it is not delivered and not reported. Flits of a frame whose
/// state is not *up*, or that come while `in_accept` is low, are dropped.
///
/// Parameters: the shape. Latency: one cycle. Reset: waits for a frame.
#[derive(LogicBlock)]
pub struct Deframer<const V: usize> {
    /// The recovered clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Flits are wanted.
    pub in_accept: Signal<In, Bit>,
    /// A repaired word.
    pub in_word: Signal<In, Bits<V>>,
    /// Its number.
    pub in_number: Signal<In, Bits<8>>,
    /// It belongs to a whole frame.
    pub in_valid: Signal<In, Bit>,
    /// The trailer of its frame, while its number is below F - 1.
    pub in_trailer: Signal<In, Bits<256>>,
    /// The counts belong to the frame that has just left; with number 0.
    pub in_done: Signal<In, Bit>,
    /// Bytes repaired.
    pub in_corrected: Signal<In, Bits<8>>,
    /// Columns that could not be repaired.
    pub in_uncorrectable: Signal<In, Bits<8>>,
    /// There is a flit.
    pub out_valid: Signal<Out, Bit>,
    /// The flit.
    pub out_data: Signal<Out, Bits<V>>,
    /// A frame is over.
    pub out_report: Signal<Out, Bit>,
    /// Control in 15:0, bytes repaired in 23:16, columns not repaired in 31:24, CRC wrong in 32.
    pub out_content: Signal<Out, Bits<33>>,
    descrambler: Descrambler<V>,
    map: Flop<Bits<MAX_SLOTS>>,
    warm: Flop<Bit>,
    sum: Flop<Bits<32>>,
    wrong: Flop<Bit>,
    control: Flop<Bits<16>>,
    data: Pipe<Bits<V>>,
    valid: Flop<Bit>,
    report: Flop<Bit>,
    content: Flop<Bits<33>>,
    map_down: XorMap<256, 1, MAX_SLOTS>,
    whiten: XorMap<V, 1, V>,
    last: XorMap<V, 1, V>,
    crc: XorMap<V, 32, 32>,
    is_first: Signal<Local, Bit>,
    is_slot: Signal<Local, Bit>,
    is_trailer: Signal<Local, Bit>,
    is_up: Signal<Local, Bit>,
    covered: Signal<Local, Bits<V>>,
    last_slot: Constant<Bits<8>>,
    last_trailer: Constant<Bits<8>>,
    first_parity: Constant<Bits<8>>,
    sum_start: Constant<Bits<32>>,
    wrong_crc: Constant<Bits<33>>,
    info: Info,
}

impl<const V: usize> Deframer<V> {
    /// Cycles from a slot to its flit.
    pub const LATENCY: u64 = 1;

    /// The deframer of a link of this shape.
    pub fn new(shape: Shape) -> Self {
        assert_eq!(V, shape.bits(), "bits of a flit");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_accept: Signal::default(),
            in_word: Signal::default(),
            in_number: Signal::default(),
            in_valid: Signal::default(),
            in_trailer: Signal::default(),
            in_done: Signal::default(),
            in_corrected: Signal::default(),
            in_uncorrectable: Signal::default(),
            out_valid: Signal::default(),
            out_data: Signal::default(),
            out_report: Signal::default(),
            out_content: Signal::default(),
            descrambler: Descrambler::default(),
            map: Flop::default(),
            warm: Flop::default(),
            sum: Flop::default(),
            wrong: Flop::default(),
            control: Flop::default(),
            data: Pipe::default(),
            valid: Flop::default(),
            report: Flop::default(),
            content: Flop::default(),
            map_down: XorMap::new(
                "c2c_map_down",
                "The map with slot 0 in bit 0",
                maps::map_down(shape.slots()),
            ),
            whiten: XorMap::new("c2c_whiten", "Whitens a trailer word", maps::whiten(V)),
            last: XorMap::new(
                "c2c_without_crc",
                "The last trailer word with zero for the CRC",
                maps::without_crc(V),
            ),
            crc: XorMap::new("c2c_crc", "A step of CRC-32C by one word", maps::crc(V)),
            is_first: Signal::default(),
            is_slot: Signal::default(),
            is_trailer: Signal::default(),
            is_up: Signal::default(),
            covered: Signal::default(),
            last_slot: Constant::new(Bits::from(shape.slots() as u64)),
            last_trailer: Constant::new(Bits::from((shape.slots() + shape.trailers()) as u64)),
            first_parity: Constant::new(Bits::from(shape.frame() as u64 - 2)),
            sum_start: Constant::new(Bits::from(u64::from(CRC_START))),
            wrong_crc: Constant::new(Bits::from(1u64 << 32)),
            info: Info::new("c2c_deframer", file!())
                .summary("Frames to flits")
                .param("FLIT_BITS", V)
                .param("SLOTS", shape.slots())
                .port("in_number", "of the word in its frame")
                .port(
                    "out_content",
                    "control, bytes repaired, columns not, CRC wrong",
                ),
        }
    }
}

impl<const V: usize> Logic for Deframer<V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            descrambler,
            map,
            warm,
            sum,
            wrong,
            control,
            data,
            valid,
            report,
            content
        );
        self.descrambler.reset.next = self.reset.val();
        self.map.reset.next = self.reset.val();
        self.warm.reset.next = self.reset.val();
        self.sum.reset.next = self.reset.val();
        self.wrong.reset.next = self.reset.val();
        self.control.reset.next = self.reset.val();
        self.valid.reset.next = self.reset.val();
        self.report.reset.next = self.reset.val();
        self.content.reset.next = self.reset.val();

        self.is_first.next = self.in_number.val() == 0;
        self.is_slot.next = self.in_valid.val()
            & (self.in_number.val() != 0)
            & (self.in_number.val() <= self.last_slot.val());
        self.is_trailer.next = (self.in_number.val() > self.last_slot.val())
            & (self.in_number.val() <= self.last_trailer.val());
        self.is_up.next = self.in_trailer.val().get_bits::<2>(220) == 2;

        // Slots.
        self.descrambler.in_word.next = self.in_word.val();
        self.descrambler.in_flit.next = self.is_slot.val();
        self.map_down.in_a.next = self.in_trailer.val();
        self.map_down.in_b.next = 0.into();
        self.map.enable.next = self.is_first.val() | self.is_slot.val();
        self.map.d.next = self.map.q.val() >> 1;
        if self.is_first.val() {
            self.map.d.next = self.map_down.out.val();
        }
        self.data.d.next = self.descrambler.out_word.val();
        self.valid.enable.next = true;
        self.valid.d.next = self.is_slot.val()
            & self.map.q.val().get_bit(0)
            & self.is_up.val()
            & self.warm.q.val()
            & self.in_accept.val();

        // CRC.
        self.whiten.in_a.next = self.in_word.val();
        self.whiten.in_b.next = 0.into();
        self.last.in_a.next = self.in_word.val();
        self.last.in_b.next = 0.into();
        self.covered.next = self.descrambler.out_word.val();
        if self.is_trailer.val() {
            self.covered.next = self.whiten.out.val();
        }
        if self.in_number.val() == self.last_trailer.val() {
            self.covered.next = self.last.out.val();
        }
        self.crc.in_a.next = self.covered.val();
        self.crc.in_b.next = self.sum.q.val();
        self.sum.enable.next = true;
        self.sum.d.next = self.sum.q.val();
        if self.is_slot.val() | self.is_trailer.val() {
            self.sum.d.next = self.crc.out.val();
        }
        if self.is_first.val() {
            self.sum.d.next = self.sum_start.val();
        }
        self.wrong.enable.next = self.in_number.val() == self.first_parity.val();
        self.wrong.d.next = self.sum.q.val() != self.in_trailer.val().get_bits::<32>(224);
        self.control.enable.next = self.in_number.val() == self.first_parity.val();
        self.control.d.next = self.in_trailer.val().get_bits::<16>(208);

        // The report, when the frame has left.
        self.warm.enable.next = self.in_done.val();
        self.warm.d.next = true;
        self.report.enable.next = true;
        self.report.d.next = self.in_done.val() & self.warm.q.val();
        self.content.enable.next = self.in_done.val();
        self.content.d.next = bit_cast::<33, 16>(self.control.q.val())
            | (bit_cast::<33, 8>(self.in_corrected.val()) << 16)
            | (bit_cast::<33, 8>(self.in_uncorrectable.val()) << 24);
        if self.wrong.q.val() {
            self.content.d.next = bit_cast::<33, 16>(self.control.q.val())
                | (bit_cast::<33, 8>(self.in_corrected.val()) << 16)
                | (bit_cast::<33, 8>(self.in_uncorrectable.val()) << 24)
                | self.wrong_crc.val();
        }

        self.out_data.next = self.data.q.val();
        self.out_valid.next = self.valid.q.val();
        self.out_report.next = self.report.q.val();
        self.out_content.next = self.content.q.val();
    }
}
