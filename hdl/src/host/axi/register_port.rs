//! The AXI4-Lite register file.

use super::{REGISTER_BITS, RegisterMap};
use crate::info::Info;
use crate::prim::{Concat, Flop, PipeEnable};
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The AXI4-Lite register file: one access at a time, to a register of the tile, of the AXI side, or a number of the configuration.
///
/// ```text
/// cycle    0       1      2                3        ...  12
/// own      taken   start  look up          response
/// tile's   taken   start  look up, asks    at the host   response
/// ```
///
/// AW and W may come in any order. A read and a write that wait together take turns. A write needs all four strobes; others,
/// writes to registers that are read-only, and what the tile refuses answer SLVERR; an address without a register DECERR.
///
/// A register of 64 bits is a pair. The low half of a writable one is kept here until its high half is written; that writes both.
///
/// Reset drops an access under way.
#[derive(LogicBlock)]
pub struct RegisterPort {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// AW: there is an address.
    pub in_aw_valid: Signal<In, Bit>,
    /// AW: byte address.
    pub in_aw_address: Signal<In, Bits<REGISTER_BITS>>,
    /// AW: it is taken.
    pub out_aw_ready: Signal<Out, Bit>,
    /// W: there is a word.
    pub in_w_valid: Signal<In, Bit>,
    /// W: the word.
    pub in_w_data: Signal<In, Bits<32>>,
    /// W: bytes to write.
    pub in_w_strobes: Signal<In, Bits<4>>,
    /// W: it is taken.
    pub out_w_ready: Signal<Out, Bit>,
    /// B: there is a response.
    pub out_b_valid: Signal<Out, Bit>,
    /// B: the response.
    pub out_b_response: Signal<Out, Bits<2>>,
    /// B: it is taken.
    pub in_b_ready: Signal<In, Bit>,
    /// AR: there is an address.
    pub in_ar_valid: Signal<In, Bit>,
    /// AR: byte address.
    pub in_ar_address: Signal<In, Bits<REGISTER_BITS>>,
    /// AR: it is taken.
    pub out_ar_ready: Signal<Out, Bit>,
    /// R: there is a word.
    pub out_r_valid: Signal<Out, Bit>,
    /// R: the word.
    pub out_r_data: Signal<Out, Bits<32>>,
    /// R: the response.
    pub out_r_response: Signal<Out, Bits<2>>,
    /// R: it is taken.
    pub in_r_ready: Signal<In, Bit>,
    /// Tile: there is a request.
    pub out_request: Signal<Out, Bit>,
    /// Tile: it writes.
    pub out_write: Signal<Out, Bit>,
    /// Tile: word at the host port.
    pub out_address: Signal<Out, Bits<32>>,
    /// Tile: word to write.
    pub out_data: Signal<Out, Bits<64>>,
    /// Tile: the request is taken.
    pub in_grant: Signal<In, Bit>,
    /// Tile: there is an answer.
    pub in_answer: Signal<In, Bit>,
    /// Tile: its data.
    pub in_answer_data: Signal<In, Bits<64>>,
    /// Tile: its response.
    pub in_answer_response: Signal<In, Bits<2>>,
    /// AXI side: register, by `lpu_isa::registers::Local`.
    pub out_local: Signal<Out, Bits<3>>,
    /// AXI side: it is written.
    pub out_local_write: Signal<Out, Bit>,
    /// AXI side: with this.
    pub out_local_data: Signal<Out, Bits<3>>,
    /// AXI side: its content.
    pub in_local_data: Signal<In, Bits<32>>,
    /// An access is answered with an error.
    pub out_refused: Signal<Out, Bit>,
    /// It writes.
    pub out_refused_write: Signal<Out, Bit>,
    /// There is no such register.
    pub out_refused_decode: Signal<Out, Bit>,
    /// Its byte address.
    pub out_refused_byte: Signal<Out, Bits<REGISTER_BITS>>,
    map: RegisterMap,
    aw_full: Flop<Bit>,
    w_full: Flop<Bit>,
    ar_full: Flop<Bit>,
    aw: PipeEnable<Bits<REGISTER_BITS>>,
    ar: PipeEnable<Bits<REGISTER_BITS>>,
    w: PipeEnable<Bits<32>>,
    strobes: PipeEnable<Bits<4>>,
    /// Steps of an access; none: idle.
    start: Flop<Bit>,
    ask: Flop<Bit>,
    waiting: Flop<Bit>,
    respond: Flop<Bit>,
    write: Flop<Bit>,
    address: PipeEnable<Bits<REGISTER_BITS>>,
    response: PipeEnable<Bits<2>>,
    data: PipeEnable<Bits<32>>,
    /// The low half of a register of 64 bits.
    low: Flop<Bits<32>>,
    pair: Concat<32, 32, 64>,
    idle: Signal<Local, Bit>,
    can_write: Signal<Local, Bit>,
    starts: Signal<Local, Bit>,
    pick_write: Signal<Local, Bit>,
    refusal: Signal<Local, Bits<2>>,
    through: Signal<Local, Bit>,
    finish: Signal<Local, Bit>,
    outcome: Signal<Local, Bits<2>>,
    half: Signal<Local, Bits<32>>,
    keep_low: Signal<Local, Bit>,
    gone: Signal<Local, Bit>,
    info: Info,
}

impl RegisterPort {
    /// Cycles from an address to the response: a register of the AXI side.
    pub const LATENCY: u64 = 3;
    /// The same: a register of the tile, if nothing of the window is in the way.
    pub const HOST_LATENCY: u64 = 13;

    /// The registers of this machine.
    pub fn new(config: &Config) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_aw_valid: Signal::default(),
            in_aw_address: Signal::default(),
            out_aw_ready: Signal::default(),
            in_w_valid: Signal::default(),
            in_w_data: Signal::default(),
            in_w_strobes: Signal::default(),
            out_w_ready: Signal::default(),
            out_b_valid: Signal::default(),
            out_b_response: Signal::default(),
            in_b_ready: Signal::default(),
            in_ar_valid: Signal::default(),
            in_ar_address: Signal::default(),
            out_ar_ready: Signal::default(),
            out_r_valid: Signal::default(),
            out_r_data: Signal::default(),
            out_r_response: Signal::default(),
            in_r_ready: Signal::default(),
            out_request: Signal::default(),
            out_write: Signal::default(),
            out_address: Signal::default(),
            out_data: Signal::default(),
            in_grant: Signal::default(),
            in_answer: Signal::default(),
            in_answer_data: Signal::default(),
            in_answer_response: Signal::default(),
            out_local: Signal::default(),
            out_local_write: Signal::default(),
            out_local_data: Signal::default(),
            in_local_data: Signal::default(),
            out_refused: Signal::default(),
            out_refused_write: Signal::default(),
            out_refused_decode: Signal::default(),
            out_refused_byte: Signal::default(),
            map: RegisterMap::new(config),
            aw_full: Flop::default(),
            w_full: Flop::default(),
            ar_full: Flop::default(),
            aw: PipeEnable::default(),
            ar: PipeEnable::default(),
            w: PipeEnable::default(),
            strobes: PipeEnable::default(),
            start: Flop::default(),
            ask: Flop::default(),
            waiting: Flop::default(),
            respond: Flop::default(),
            write: Flop::default(),
            address: PipeEnable::default(),
            response: PipeEnable::default(),
            data: PipeEnable::default(),
            low: Flop::default(),
            pair: Concat::default(),
            idle: Signal::default(),
            can_write: Signal::default(),
            starts: Signal::default(),
            pick_write: Signal::default(),
            refusal: Signal::default(),
            through: Signal::default(),
            finish: Signal::default(),
            outcome: Signal::default(),
            half: Signal::default(),
            keep_low: Signal::default(),
            gone: Signal::default(),
            info: Info::new("axi_register_port", file!())
                .summary("The AXI4-Lite register file")
                .port("out_local", "register of the AXI side")
                .port("out_refused", "an access is answered with an error"),
        }
    }
}

impl Logic for RegisterPort {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, aw_full, w_full, ar_full, aw, ar, w, strobes, start, ask, waiting
        );
        clock!(self, clock, respond, write, address, response, data, low);

        // The channels in: one place each, free again with the response.
        self.gone.next = self.respond.q.val()
            & ((self.write.q.val() & self.in_b_ready.val())
                | (!self.write.q.val() & self.in_r_ready.val()));
        self.aw_full.reset.next = self.reset.val();
        self.aw_full.enable.next = (self.in_aw_valid.val() & !self.aw_full.q.val())
            | (self.gone.val() & self.write.q.val());
        self.aw_full.d.next = !self.aw_full.q.val();
        self.aw.enable.next = !self.aw_full.q.val();
        self.aw.d.next = self.in_aw_address.val();
        self.out_aw_ready.next = !self.aw_full.q.val();
        self.w_full.reset.next = self.reset.val();
        self.w_full.enable.next =
            (self.in_w_valid.val() & !self.w_full.q.val()) | (self.gone.val() & self.write.q.val());
        self.w_full.d.next = !self.w_full.q.val();
        self.w.enable.next = !self.w_full.q.val();
        self.w.d.next = self.in_w_data.val();
        self.strobes.enable.next = !self.w_full.q.val();
        self.strobes.d.next = self.in_w_strobes.val();
        self.out_w_ready.next = !self.w_full.q.val();
        self.ar_full.reset.next = self.reset.val();
        self.ar_full.enable.next = (self.in_ar_valid.val() & !self.ar_full.q.val())
            | (self.gone.val() & !self.write.q.val());
        self.ar_full.d.next = !self.ar_full.q.val();
        self.ar.enable.next = !self.ar_full.q.val();
        self.ar.d.next = self.in_ar_address.val();
        self.out_ar_ready.next = !self.ar_full.q.val();

        // Whose turn it is.
        self.idle.next =
            !self.start.q.val() & !self.ask.q.val() & !self.waiting.q.val() & !self.respond.q.val();
        self.can_write.next = self.aw_full.q.val() & self.w_full.q.val();
        self.starts.next = self.idle.val() & (self.can_write.val() | self.ar_full.q.val());
        self.pick_write.next = self.can_write.val() & (!self.ar_full.q.val() | !self.write.q.val());
        self.write.reset.next = self.reset.val();
        self.write.enable.next = self.starts.val();
        self.write.d.next = self.pick_write.val();
        self.address.enable.next = self.starts.val();
        self.address.d.next = self.ar.q.val();
        if self.pick_write.val() {
            self.address.d.next = self.aw.q.val();
        }
        self.start.reset.next = self.reset.val();
        self.start.enable.next = true;
        self.start.d.next = self.starts.val();

        // What it is.
        self.map.in_word.next = self.address.q.val().get_bits::<10>(2);
        self.refusal.next = 0.into();
        if !self.map.out_known.val() {
            self.refusal.next = 3.into();
        } else if self.write.q.val() & (!self.map.out_writable.val() | !self.strobes.q.val().all())
        {
            self.refusal.next = 2.into();
        }
        self.keep_low.next =
            self.write.q.val() & self.map.out_wide.val() & !self.address.q.val().get_bit(2);
        self.through.next = (self.refusal.val() == 0)
            & self.map.out_host.val()
            & !self.keep_low.val()
            & (self.write.q.val() | self.map.out_readable.val());
        self.low.reset.next = self.reset.val();
        self.low.enable.next = self.start.q.val() & self.keep_low.val() & (self.refusal.val() == 0);
        self.low.d.next = self.w.q.val();
        self.out_local.next = self.map.out_local.val();
        self.out_local_write.next =
            self.start.q.val() & self.write.q.val() & (self.refusal.val() == 0);
        self.out_local_data.next = self.w.q.val().get_bits::<3>(0);

        // Through the tile.
        self.ask.reset.next = self.reset.val();
        self.ask.enable.next = true;
        self.ask.d.next =
            (self.start.q.val() & self.through.val()) | (self.ask.q.val() & !self.in_grant.val());
        self.waiting.reset.next = self.reset.val();
        self.waiting.enable.next = true;
        self.waiting.d.next = (self.ask.q.val() & self.in_grant.val())
            | (self.waiting.q.val() & !self.in_answer.val());
        self.out_request.next = self.ask.q.val();
        self.out_write.next = self.write.q.val();
        self.out_address.next = bit_cast::<32, 10>(self.map.out_host_word.val());
        self.pair.high.next = self.w.q.val();
        self.pair.low.next = self.low.q.val();
        self.out_data.next = bit_cast::<64, 32>(self.w.q.val());
        if self.map.out_wide.val() {
            self.out_data.next = self.pair.word.val();
        }

        // The response.
        self.finish.next = (self.start.q.val() & !self.through.val())
            | (self.waiting.q.val() & self.in_answer.val());
        self.outcome.next = self.refusal.val();
        self.half.next = self.map.out_constant.val();
        if self.map.out_local.val().any() {
            self.half.next = self.in_local_data.val();
        }
        if self.waiting.q.val() {
            self.outcome.next = self.in_answer_response.val();
            self.half.next = self.in_answer_data.val().get_bits::<32>(0);
            if self.map.out_wide.val() & self.address.q.val().get_bit(2) {
                self.half.next = self.in_answer_data.val().get_bits::<32>(32);
            }
        }
        self.response.enable.next = self.finish.val();
        self.response.d.next = self.outcome.val();
        self.data.enable.next = self.finish.val();
        self.data.d.next = self.half.val();
        self.respond.reset.next = self.reset.val();
        self.respond.enable.next = true;
        self.respond.d.next = self.finish.val() | (self.respond.q.val() & !self.gone.val());
        self.out_b_valid.next = self.respond.q.val() & self.write.q.val();
        self.out_b_response.next = self.response.q.val();
        self.out_r_valid.next = self.respond.q.val() & !self.write.q.val();
        self.out_r_response.next = self.response.q.val();
        self.out_r_data.next = self.data.q.val();
        self.out_refused.next = self.finish.val() & self.outcome.val().any();
        self.out_refused_write.next = self.write.q.val();
        self.out_refused_decode.next = self.outcome.val() == 3;
        self.out_refused_byte.next = self.address.q.val();
    }
}
