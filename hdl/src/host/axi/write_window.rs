//! Writes of the AXI4 window.

use super::{AddressChannel, ID_BITS, KIND_MERGE, KIND_WRITE, WINDOW_BITS, WindowMap};
use crate::info::Info;
use crate::prim::{Concat, Flop, Pack, PipeEnable, StreamFifo};
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// Bursts whose response may be under way or wait for the master.
const PLACES: usize = 16;
/// Bits of a beat on the W channel: last and strobes, data.
const BEAT: usize = 9 + 64;

/// Writes of the AXI4 window: beats become requests, one a cycle, and the answers of a burst one response.
///
/// ```text
/// cycle    0            2         3                 11        12
/// aw, w    both taken   request   at the host port  answer    b
/// ```
///
/// AW and W may come in any order. The burst ends by its length; a WLAST elsewhere is an error of the burst.
///
/// | strobes | what happens |
/// |---|---|
/// | all eight | the word is written |
/// | none | nothing; the answer is OKAY |
/// | some | the word is read, its bytes replaced, and written with new check bits: about 12 cycles |
///
/// A word holds 8 lanes under one SECDED code, so that a part of one can be written in no other way. A word that is uncorrectable is
/// not written in part (its check bits would then claim that it is good), it answers SLVERR; a write of all eight bytes repairs it.
/// Descriptors and tables cannot be read: a part of a word of theirs is SLVERR.
///
/// The response of a burst is the worst of its beats: OKAY, SLVERR (as in [`ReadWindow`](super::ReadWindow)), DECERR. Other beats
/// of such a burst are written.
///
/// Reset drops everything under way.
#[derive(LogicBlock)]
pub struct WriteWindow {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// AW: there is an address.
    pub in_aw_valid: Signal<In, Bit>,
    /// AW: first byte.
    pub in_aw_address: Signal<In, Bits<WINDOW_BITS>>,
    /// AW: identifier.
    pub in_aw_id: Signal<In, Bits<ID_BITS>>,
    /// AW: beats - 1.
    pub in_aw_length: Signal<In, Bits<8>>,
    /// AW: bytes of a beat, as a power of two.
    pub in_aw_size: Signal<In, Bits<3>>,
    /// AW: burst type.
    pub in_aw_burst: Signal<In, Bits<2>>,
    /// AW: there is room.
    pub out_aw_ready: Signal<Out, Bit>,
    /// W: there is a beat.
    pub in_w_valid: Signal<In, Bit>,
    /// W: data.
    pub in_w_data: Signal<In, Bits<64>>,
    /// W: bytes to write.
    pub in_w_strobes: Signal<In, Bits<8>>,
    /// W: last of its burst.
    pub in_w_last: Signal<In, Bit>,
    /// W: there is room.
    pub out_w_ready: Signal<Out, Bit>,
    /// B: there is a response.
    pub out_b_valid: Signal<Out, Bit>,
    /// B: identifier.
    pub out_b_id: Signal<Out, Bits<ID_BITS>>,
    /// B: response.
    pub out_b_response: Signal<Out, Bits<2>>,
    /// B: the response is taken.
    pub in_b_ready: Signal<In, Bit>,
    /// There is a request.
    pub out_request: Signal<Out, Bit>,
    /// What for: a write, or the read of a word that a part goes into.
    pub out_kind: Signal<Out, Bits<2>>,
    /// It goes to the tile; otherwise it is only answered.
    pub out_access: Signal<Out, Bit>,
    /// Word at the host port.
    pub out_address: Signal<Out, Bits<32>>,
    /// Word to write.
    pub out_data: Signal<Out, Bits<64>>,
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
    /// The answer to a write.
    pub in_answer: Signal<In, Bit>,
    /// The answer to the read of a word that a part goes into.
    pub in_answer_merge: Signal<In, Bit>,
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
    marks: Signal<Local, Bits<9>>,
    beat: Concat<9, 64, BEAT>,
    beats: StreamFifo<BEAT>,
    strobes: Signal<Local, Bits<8>>,
    data: Signal<Local, Bits<64>>,
    /// The word that was read, with the bytes of the beat.
    merged: Pack<8, 64>,
    /// The word that was read.
    old: PipeEnable<Bits<64>>,
    old_failed: PipeEnable<Bit>,
    /// The read of a word is under way; it is there.
    reading: Flop<Bit>,
    read: Flop<Bit>,
    /// The beat needs the read of a word.
    partial: Signal<Local, Bit>,
    refused: Signal<Local, Bits<2>>,
    request: Signal<Local, Bit>,
    first_step: Signal<Local, Bit>,
    used: Signal<Local, Bit>,
    held: Flop<Bits<5>>,
    ends: Signal<Local, Bit>,
    taken: Signal<Local, Bit>,
    worst: Flop<Bits<2>>,
    worse: Signal<Local, Bits<2>>,
    response: Concat<ID_BITS, 2, { ID_BITS + 2 }>,
    responses: StreamFifo<{ ID_BITS + 2 }>,
    kind_write: Constant<Bits<2>>,
    kind_merge: Constant<Bits<2>>,
    info: Info,
}

impl WriteWindow {
    /// Cycles from address and beat of a burst of one to its response.
    pub const LATENCY: u64 = 12;

    /// The writes of this machine.
    pub fn new(config: &Config) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_aw_valid: Signal::default(),
            in_aw_address: Signal::default(),
            in_aw_id: Signal::default(),
            in_aw_length: Signal::default(),
            in_aw_size: Signal::default(),
            in_aw_burst: Signal::default(),
            out_aw_ready: Signal::default(),
            in_w_valid: Signal::default(),
            in_w_data: Signal::default(),
            in_w_strobes: Signal::default(),
            in_w_last: Signal::default(),
            out_w_ready: Signal::default(),
            out_b_valid: Signal::default(),
            out_b_id: Signal::default(),
            out_b_response: Signal::default(),
            in_b_ready: Signal::default(),
            out_request: Signal::default(),
            out_kind: Signal::default(),
            out_access: Signal::default(),
            out_address: Signal::default(),
            out_data: Signal::default(),
            out_response: Signal::default(),
            out_byte: Signal::default(),
            out_id: Signal::default(),
            out_last: Signal::default(),
            in_grant: Signal::default(),
            in_answer: Signal::default(),
            in_answer_merge: Signal::default(),
            in_answer_data: Signal::default(),
            in_answer_response: Signal::default(),
            in_answer_id: Signal::default(),
            in_answer_last: Signal::default(),
            addresses: AddressChannel::new(),
            map: WindowMap::new(config),
            marks: Signal::default(),
            beat: Concat::default(),
            beats: StreamFifo::default(),
            strobes: Signal::default(),
            data: Signal::default(),
            merged: Pack::default(),
            old: PipeEnable::default(),
            old_failed: PipeEnable::default(),
            reading: Flop::default(),
            read: Flop::default(),
            partial: Signal::default(),
            refused: Signal::default(),
            request: Signal::default(),
            first_step: Signal::default(),
            used: Signal::default(),
            held: Flop::default(),
            ends: Signal::default(),
            taken: Signal::default(),
            worst: Flop::default(),
            worse: Signal::default(),
            response: Concat::default(),
            responses: StreamFifo::new(PLACES),
            kind_write: Constant::new(KIND_WRITE.into()),
            kind_merge: Constant::new(KIND_MERGE.into()),
            info: Info::new("axi_write_window", file!())
                .summary("Writes of the AXI4 window")
                .param("PLACES", PLACES)
                .port(
                    "out_kind",
                    "2: write, 3: read of a word that a part goes into",
                )
                .port("out_access", "goes to the tile, otherwise is only answered")
                .port("out_byte", "byte address"),
        }
    }
}

impl Logic for WriteWindow {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, addresses, beats, old, old_failed, reading, read, held, worst, responses
        );
        self.addresses.reset.next = self.reset.val();
        self.beats.reset.next = self.reset.val();
        self.responses.reset.next = self.reset.val();

        // The two channels.
        self.addresses.in_valid.next = self.in_aw_valid.val();
        self.addresses.in_address.next = self.in_aw_address.val();
        self.addresses.in_id.next = self.in_aw_id.val();
        self.addresses.in_length.next = self.in_aw_length.val();
        self.addresses.in_size.next = self.in_aw_size.val();
        self.addresses.in_burst.next = self.in_aw_burst.val();
        self.out_aw_ready.next = self.addresses.out_ready.val();
        self.marks.next = bit_cast::<9, 8>(self.in_w_strobes.val());
        if self.in_w_last.val() {
            self.marks.next = bit_cast::<9, 8>(self.in_w_strobes.val()) | 0x100;
        }
        self.beat.high.next = self.marks.val();
        self.beat.low.next = self.in_w_data.val();
        self.beats.in_valid.next = self.in_w_valid.val();
        self.beats.in_data.next = self.beat.word.val();
        self.out_w_ready.next = self.beats.in_ready.val();
        self.data.next = self.beats.out_data.val().get_bits::<64>(0);
        self.strobes.next = self.beats.out_data.val().get_bits::<8>(64);

        // A beat and its address.
        self.map.in_address.next = self.addresses.out_beat_address.val();
        self.partial.next = self.strobes.val().any() & !self.strobes.val().all();
        self.refused.next = 0.into();
        if self.addresses.out_beat_illegal.val()
            | (self.addresses.out_beat_last.val() ^ self.beats.out_data.val().get_bit(72))
        {
            self.refused.next = 2.into();
        } else if !self.map.out_known.val() {
            self.refused.next = 3.into();
        } else if self.partial.val()
            & (!self.map.out_readable.val() | (self.read.q.val() & self.old_failed.q.val()))
        {
            self.refused.next = 2.into();
        }
        self.first_step.next = self.partial.val() & (self.refused.val() == 0) & !self.read.q.val();
        self.request.next = self.addresses.out_beat_valid.val()
            & self.beats.out_valid.val()
            & !self.reading.q.val()
            & !self.held.q.val().get_bit(4);
        self.out_request.next = self.request.val();
        self.out_kind.next = self.kind_write.val();
        if self.first_step.val() {
            self.out_kind.next = self.kind_merge.val();
        }
        self.out_access.next = (self.refused.val() == 0) & self.strobes.val().any();
        self.out_response.next = self.refused.val();
        self.out_address.next = self.map.out_address.val();
        self.out_byte.next = self.addresses.out_beat_address.val();
        self.out_id.next = self.addresses.out_beat_id.val();
        self.out_last.next = self.addresses.out_beat_last.val();
        for i in 0..8 {
            self.merged.part[i].next = self.old.q.val().get_bits::<8>(i * 8);
            if self.strobes.val().get_bit(i) {
                self.merged.part[i].next = self.data.val().get_bits::<8>(i * 8);
            }
        }
        self.out_data.next = self.data.val();
        if self.partial.val() {
            self.out_data.next = self.merged.word.val();
        }
        self.used.next = self.in_grant.val() & !self.first_step.val();
        self.addresses.in_beat_ready.next = self.used.val();
        self.beats.out_ready.next = self.used.val();

        // A part of a word: read, then write.
        self.reading.reset.next = self.reset.val();
        self.reading.enable.next =
            self.in_answer_merge.val() | (self.in_grant.val() & self.first_step.val());
        self.reading.d.next = !self.in_answer_merge.val();
        self.read.reset.next = self.reset.val();
        self.read.enable.next = self.in_answer_merge.val() | self.used.val();
        self.read.d.next = self.in_answer_merge.val();
        self.old.enable.next = self.in_answer_merge.val();
        self.old.d.next = self.in_answer_data.val();
        self.old_failed.enable.next = self.in_answer_merge.val();
        self.old_failed.d.next = self.in_answer_response.val().any();

        // Places.
        self.ends.next = self.used.val() & self.addresses.out_beat_last.val();
        self.taken.next = self.responses.out_valid.val() & self.in_b_ready.val();
        self.held.reset.next = self.reset.val();
        self.held.enable.next = self.ends.val() ^ self.taken.val();
        self.held.d.next = self.held.q.val() - 1;
        if self.ends.val() {
            self.held.d.next = self.held.q.val() + 1;
        }

        // Answers to responses.
        self.worse.next = self.worst.q.val();
        if self.in_answer_response.val() > self.worst.q.val() {
            self.worse.next = self.in_answer_response.val();
        }
        self.worst.reset.next = self.reset.val();
        self.worst.enable.next = self.in_answer.val();
        self.worst.d.next = self.worse.val();
        if self.in_answer_last.val() {
            self.worst.d.next = 0.into();
        }
        self.response.high.next = self.in_answer_id.val();
        self.response.low.next = self.worse.val();
        self.responses.in_valid.next = self.in_answer.val() & self.in_answer_last.val();
        self.responses.in_data.next = self.response.word.val();
        self.responses.out_ready.next = self.in_b_ready.val();
        self.out_b_valid.next = self.responses.out_valid.val();
        self.out_b_response.next = self.responses.out_data.val().get_bits::<2>(0);
        self.out_b_id.next = self.responses.out_data.val().get_bits::<ID_BITS>(2);
    }
}
