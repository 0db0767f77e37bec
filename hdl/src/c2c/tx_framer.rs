//! Flits to frames.

use super::maps;
use super::xor_map::XorMap;
use crate::info::Info;
use crate::prim::{Flop, Pipe, StreamFifo};
use lpu_isa::c2c::{CRC_START, MAX_SLOTS, SEND_DEPTH, Shape};
use rust_hdl::prelude::*;

/// Flits to frames: takes a waiting flit into each slot and writes the trailer with map and CRC.
///
/// ```text
/// number     F-1   0   1   2  ...  S   S+1    S+T+1 F-1   0         number of the word that is made
/// out_word   X  0  X  0  X f0 X ... X fS-1 X trailer X 0  X 0       one cycle later
/// out_start  ______/~~~\____________________________________
/// out_flit   __________/~~~~~ ... ~~~~~~~~\_________________
/// ```
///
/// The frames go on without a gap from reset. `in_control` is sampled with the last slot, when `out_sampled` is high. While
/// `in_up` is low the queue is empty, flits are refused and the map is zero. Words 0, F-2 and F-1 are zero: the
/// [`FecEncoder`](super::FecEncoder) fills them.
///
/// Parameters: the shape. Latency: two cycles from `in_valid` to `out_word`, into a free slot. Reset starts a frame.
#[derive(LogicBlock)]
pub struct TxFramer<const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The link is up.
    pub in_up: Signal<In, Bit>,
    /// There is a flit.
    pub in_valid: Signal<In, Bit>,
    /// The flit.
    pub in_data: Signal<In, Bits<V>>,
    /// Value, state, kind, meant: bits 223:208 of the trailer.
    pub in_control: Signal<In, Bits<16>>,
    /// Control is sampled in this cycle.
    pub out_sampled: Signal<Out, Bit>,
    /// The flit is refused: the queue is full, or the link is not up.
    pub out_refused: Signal<Out, Bit>,
    /// A line word, not scrambled.
    pub out_word: Signal<Out, Bits<V>>,
    /// It is word 0.
    pub out_start: Signal<Out, Bit>,
    /// It is a slot.
    pub out_flit: Signal<Out, Bit>,
    queue: StreamFifo<V>,
    number: Flop<Bits<8>>,
    map: Flop<Bits<MAX_SLOTS>>,
    rest: Flop<Bits<256>>,
    sum: Flop<Bits<32>>,
    word: Pipe<Bits<V>>,
    start: Flop<Bit>,
    flit: Flop<Bit>,
    crc: XorMap<V, 32, 32>,
    shift: XorMap<256, 1, 256>,
    place: XorMap<V, 32, V>,
    whiten: XorMap<V, 1, V>,
    is_first: Signal<Local, Bit>,
    is_slot: Signal<Local, Bit>,
    is_sample: Signal<Local, Bit>,
    is_trailer: Signal<Local, Bit>,
    is_last_trailer: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    payload: Signal<Local, Bits<V>>,
    trailer: Signal<Local, Bits<V>>,
    covered: Signal<Local, Bits<V>>,
    next_map: Signal<Local, Bits<MAX_SLOTS>>,
    last_slot: Constant<Bits<8>>,
    last_trailer: Constant<Bits<8>>,
    last_word: Constant<Bits<8>>,
    sum_start: Constant<Bits<32>>,
    newest: Constant<Bits<MAX_SLOTS>>,
    info: Info,
}

impl<const V: usize> TxFramer<V> {
    /// Cycles from `in_valid` to `out_word`, into a free slot.
    pub const LATENCY: u64 = 2;

    /// The framer of a link of this shape.
    pub fn new(shape: Shape) -> Self {
        assert_eq!(V, shape.bits(), "bits of a flit");
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_up: Signal::default(),
            in_valid: Signal::default(),
            in_data: Signal::default(),
            in_control: Signal::default(),
            out_sampled: Signal::default(),
            out_refused: Signal::default(),
            out_word: Signal::default(),
            out_start: Signal::default(),
            out_flit: Signal::default(),
            queue: StreamFifo::new(SEND_DEPTH),
            number: Flop::default(),
            map: Flop::default(),
            rest: Flop::default(),
            sum: Flop::default(),
            word: Pipe::default(),
            start: Flop::default(),
            flit: Flop::default(),
            crc: XorMap::new("c2c_crc", "A step of CRC-32C by one word", maps::crc(V)),
            shift: XorMap::new(
                "c2c_shift_out",
                "What is left of the trailer after a word",
                maps::shift_out(V),
            ),
            place: XorMap::new(
                "c2c_place_crc",
                "Puts the CRC into the last trailer word",
                maps::place_crc(V),
            ),
            whiten: XorMap::new("c2c_whiten", "Whitens a trailer word", maps::whiten(V)),
            is_first: Signal::default(),
            is_slot: Signal::default(),
            is_sample: Signal::default(),
            is_trailer: Signal::default(),
            is_last_trailer: Signal::default(),
            take: Signal::default(),
            payload: Signal::default(),
            trailer: Signal::default(),
            covered: Signal::default(),
            next_map: Signal::default(),
            last_slot: Constant::new(Bits::from(shape.slots() as u64)),
            last_trailer: Constant::new(Bits::from((shape.slots() + shape.trailers()) as u64)),
            last_word: Constant::new(Bits::from(shape.frame() as u64 - 1)),
            sum_start: Constant::new(Bits::from(u64::from(CRC_START))),
            newest: Constant::new(Bits::from(1) << (MAX_SLOTS as u64 - 1)),
            info: Info::new("c2c_tx_framer", file!())
                .summary("Flits to frames")
                .param("FLIT_BITS", V)
                .param("SLOTS", shape.slots())
                .port("in_control", "bits 223:208 of the trailer")
                .port("out_sampled", "in_control is sampled")
                .port("out_refused", "the flit is lost"),
        }
    }
}

impl<const V: usize> Logic for TxFramer<V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, queue, number, map, rest, sum, word, start, flit
        );
        self.number.reset.next = self.reset.val();
        self.map.reset.next = self.reset.val();
        self.rest.reset.next = self.reset.val();
        self.sum.reset.next = self.reset.val();
        self.start.reset.next = self.reset.val();
        self.flit.reset.next = self.reset.val();

        self.number.enable.next = true;
        self.number.d.next = self.number.q.val() + 1;
        if self.number.q.val() == self.last_word.val() {
            self.number.d.next = 0.into();
        }
        self.is_first.next = self.number.q.val() == 0;
        self.is_slot.next =
            (self.number.q.val() != 0) & (self.number.q.val() <= self.last_slot.val());
        self.is_sample.next = self.number.q.val() == self.last_slot.val();
        self.is_trailer.next = (self.number.q.val() > self.last_slot.val())
            & (self.number.q.val() <= self.last_trailer.val());
        self.is_last_trailer.next = self.number.q.val() == self.last_trailer.val();

        // The queue.
        self.queue.reset.next = self.reset.val() | !self.in_up.val();
        self.queue.in_valid.next = self.in_valid.val() & self.in_up.val();
        self.queue.in_data.next = self.in_data.val();
        self.queue.out_ready.next = self.is_slot.val();
        self.out_refused.next =
            self.in_valid.val() & (!self.in_up.val() | !self.queue.in_ready.val());
        self.take.next = self.is_slot.val() & self.queue.out_valid.val() & self.in_up.val();
        self.payload.next = 0.into();
        if self.take.val() {
            self.payload.next = self.queue.out_data.val();
        }

        // The map: shifted down by each slot.
        self.next_map.next = self.map.q.val() >> 1;
        if self.take.val() {
            self.next_map.next = (self.map.q.val() >> 1) | self.newest.val();
        }
        self.map.enable.next = self.is_first.val() | self.is_slot.val();
        self.map.d.next = self.next_map.val();
        if self.is_first.val() {
            self.map.d.next = 0.into();
        }

        // The trailer: sampled with the last slot, then sent by words.
        self.rest.enable.next = self.is_sample.val() | self.is_trailer.val();
        self.shift.in_a.next = self.rest.q.val();
        self.shift.in_b.next = 0.into();
        self.rest.d.next = self.shift.out.val();
        if self.is_sample.val() {
            self.rest.d.next = bit_cast::<256, 16>(self.in_control.val()) << 208;
            if self.in_up.val() {
                self.rest.d.next = (bit_cast::<256, 16>(self.in_control.val()) << 208)
                    | bit_cast::<256, 208>(self.next_map.val());
            }
        }
        self.out_sampled.next = self.is_sample.val();
        self.trailer.next = bit_cast::<V, 256>(self.rest.q.val());

        // The CRC, over slots and trailer.
        self.covered.next = self.payload.val();
        if self.is_trailer.val() {
            self.covered.next = self.trailer.val();
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
        self.place.in_a.next = self.trailer.val();
        self.place.in_b.next = 0.into();
        if self.is_last_trailer.val() {
            self.place.in_b.next = self.crc.out.val();
        }
        self.whiten.in_a.next = self.place.out.val();
        self.whiten.in_b.next = 0.into();

        self.word.d.next = self.payload.val();
        if self.is_trailer.val() {
            self.word.d.next = self.whiten.out.val();
        }
        self.start.enable.next = true;
        self.start.d.next = self.is_first.val();
        self.flit.enable.next = true;
        self.flit.d.next = self.is_slot.val();
        self.out_word.next = self.word.q.val();
        self.out_start.next = self.start.q.val();
        self.out_flit.next = self.flit.q.val();
    }
}
