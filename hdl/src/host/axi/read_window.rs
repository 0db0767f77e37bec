//! Reads of the AXI4 window.

use super::{AddressChannel, ID_BITS, WINDOW_BITS, WindowMap};
use crate::info::Info;
use crate::prim::{Concat, Flop, StreamFifo};
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// Beats that may be under way or wait for the master.
const PLACES: usize = 16;
/// Bits of a beat on the R channel: identifier, response and last, data.
const BEAT: usize = ID_BITS + 3 + 64;

/// Reads of the AXI4 window: bursts become one request a cycle, answers become beats of the R channel.
///
/// ```text
/// cycle    0       2         3                 11        12
/// ar       taken   request   at the host port  answer    r
/// ```
///
/// A request is made only when there is a place for its answer (16 places, an answer holds one for 11 cycles if the master takes it
/// at once), so nothing is lost under back pressure and a beat moves in every cycle without it. A beat reads the whole word that
/// holds its address, whatever its size.
///
/// | beat | answer |
/// |---|---|
/// | of a burst that the standard does not know; in a window that cannot be read | SLVERR |
/// | no such address | DECERR |
/// | refused by the tile (busy), uncorrectable word (data as stored) | SLVERR |
///
/// Reset drops everything under way. The window of descriptors and tables is write-only.
#[derive(LogicBlock)]
pub struct ReadWindow {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// AR: there is an address.
    pub in_ar_valid: Signal<In, Bit>,
    /// AR: first byte.
    pub in_ar_address: Signal<In, Bits<WINDOW_BITS>>,
    /// AR: identifier.
    pub in_ar_id: Signal<In, Bits<ID_BITS>>,
    /// AR: beats - 1.
    pub in_ar_length: Signal<In, Bits<8>>,
    /// AR: bytes of a beat, as a power of two.
    pub in_ar_size: Signal<In, Bits<3>>,
    /// AR: burst type.
    pub in_ar_burst: Signal<In, Bits<2>>,
    /// AR: there is room.
    pub out_ar_ready: Signal<Out, Bit>,
    /// R: there is a beat.
    pub out_r_valid: Signal<Out, Bit>,
    /// R: identifier.
    pub out_r_id: Signal<Out, Bits<ID_BITS>>,
    /// R: data.
    pub out_r_data: Signal<Out, Bits<64>>,
    /// R: response.
    pub out_r_response: Signal<Out, Bits<2>>,
    /// R: last of its burst.
    pub out_r_last: Signal<Out, Bit>,
    /// R: the beat is taken.
    pub in_r_ready: Signal<In, Bit>,
    /// There is a request.
    pub out_request: Signal<Out, Bit>,
    /// It goes to the tile; otherwise it is only answered.
    pub out_access: Signal<Out, Bit>,
    /// Word at the host port.
    pub out_address: Signal<Out, Bits<32>>,
    /// Response, if it does not go to the tile.
    pub out_response: Signal<Out, Bits<2>>,
    /// Byte address.
    pub out_byte: Signal<Out, Bits<WINDOW_BITS>>,
    /// Identifier.
    pub out_id: Signal<Out, Bits<ID_BITS>>,
    /// Last of its burst.
    pub out_last: Signal<Out, Bit>,
    /// The request is taken.
    pub in_grant: Signal<In, Bit>,
    /// There is an answer.
    pub in_answer: Signal<In, Bit>,
    /// Its data.
    pub in_answer_data: Signal<In, Bits<64>>,
    /// Its response.
    pub in_answer_response: Signal<In, Bits<2>>,
    /// Its identifier.
    pub in_answer_id: Signal<In, Bits<ID_BITS>>,
    /// It is the last of its burst.
    pub in_answer_last: Signal<In, Bit>,
    addresses: AddressChannel,
    map: WindowMap,
    beats: StreamFifo<BEAT>,
    state: Signal<Local, Bits<3>>,
    head: Concat<ID_BITS, 3, { ID_BITS + 3 }>,
    beat: Concat<{ ID_BITS + 3 }, 64, BEAT>,
    held: Flop<Bits<5>>,
    request: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
    info: Info,
}

impl ReadWindow {
    /// Cycles from an address to the first beat on the R channel.
    pub const LATENCY: u64 = 12;

    /// The reads of this machine.
    pub fn new(config: &Config) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_ar_valid: Signal::default(),
            in_ar_address: Signal::default(),
            in_ar_id: Signal::default(),
            in_ar_length: Signal::default(),
            in_ar_size: Signal::default(),
            in_ar_burst: Signal::default(),
            out_ar_ready: Signal::default(),
            out_r_valid: Signal::default(),
            out_r_id: Signal::default(),
            out_r_data: Signal::default(),
            out_r_response: Signal::default(),
            out_r_last: Signal::default(),
            in_r_ready: Signal::default(),
            out_request: Signal::default(),
            out_access: Signal::default(),
            out_address: Signal::default(),
            out_response: Signal::default(),
            out_byte: Signal::default(),
            out_id: Signal::default(),
            out_last: Signal::default(),
            in_grant: Signal::default(),
            in_answer: Signal::default(),
            in_answer_data: Signal::default(),
            in_answer_response: Signal::default(),
            in_answer_id: Signal::default(),
            in_answer_last: Signal::default(),
            addresses: AddressChannel::new(),
            map: WindowMap::new(config),
            beats: StreamFifo::new(PLACES),
            state: Signal::default(),
            head: Concat::default(),
            beat: Concat::default(),
            held: Flop::default(),
            request: Signal::default(),
            taken: Signal::default(),
            info: Info::new("axi_read_window", file!())
                .summary("Reads of the AXI4 window")
                .param("PLACES", PLACES)
                .port("out_access", "goes to the tile, otherwise is only answered")
                .port("out_byte", "byte address"),
        }
    }
}

impl Logic for ReadWindow {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, addresses, beats, held);
        self.addresses.reset.next = self.reset.val();
        self.beats.reset.next = self.reset.val();

        // Addresses to requests.
        self.addresses.in_valid.next = self.in_ar_valid.val();
        self.addresses.in_address.next = self.in_ar_address.val();
        self.addresses.in_id.next = self.in_ar_id.val();
        self.addresses.in_length.next = self.in_ar_length.val();
        self.addresses.in_size.next = self.in_ar_size.val();
        self.addresses.in_burst.next = self.in_ar_burst.val();
        self.out_ar_ready.next = self.addresses.out_ready.val();
        self.map.in_address.next = self.addresses.out_beat_address.val();
        self.request.next = self.addresses.out_beat_valid.val() & !self.held.q.val().get_bit(4);
        self.out_request.next = self.request.val();
        self.addresses.in_beat_ready.next = self.in_grant.val();
        self.out_address.next = self.map.out_address.val();
        self.out_byte.next = self.addresses.out_beat_address.val();
        self.out_id.next = self.addresses.out_beat_id.val();
        self.out_last.next = self.addresses.out_beat_last.val();
        self.out_access.next = self.map.out_known.val()
            & self.map.out_readable.val()
            & !self.addresses.out_beat_illegal.val();
        self.out_response.next = 0.into();
        if !self.map.out_known.val() {
            self.out_response.next = 3.into();
        } else if !self.map.out_readable.val() {
            self.out_response.next = 2.into();
        }
        if self.addresses.out_beat_illegal.val() {
            self.out_response.next = 2.into();
        }

        // Places.
        self.taken.next = self.beats.out_valid.val() & self.in_r_ready.val();
        self.held.reset.next = self.reset.val();
        self.held.enable.next = self.in_grant.val() ^ self.taken.val();
        self.held.d.next = self.held.q.val() - 1;
        if self.in_grant.val() {
            self.held.d.next = self.held.q.val() + 1;
        }

        // Answers to beats.
        self.state.next = bit_cast::<3, 2>(self.in_answer_response.val()) << 1;
        if self.in_answer_last.val() {
            self.state.next = bit_cast::<3, 2>(self.in_answer_response.val()) << 1 | 1;
        }
        self.head.high.next = self.in_answer_id.val();
        self.head.low.next = self.state.val();
        self.beat.high.next = self.head.word.val();
        self.beat.low.next = self.in_answer_data.val();
        self.beats.in_valid.next = self.in_answer.val();
        self.beats.in_data.next = self.beat.word.val();
        self.beats.out_ready.next = self.in_r_ready.val();
        self.out_r_valid.next = self.beats.out_valid.val();
        self.out_r_data.next = self.beats.out_data.val().get_bits::<64>(0);
        self.out_r_last.next = self.beats.out_data.val().get_bit(64);
        self.out_r_response.next = self.beats.out_data.val().get_bits::<2>(65);
        self.out_r_id.next = self.beats.out_data.val().get_bits::<ID_BITS>(67);
    }
}
