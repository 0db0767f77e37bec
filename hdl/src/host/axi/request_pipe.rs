//! Three sources of requests into one host port.

use super::{ID_BITS, KIND_MERGE, KIND_READ, KIND_REGISTER, KIND_WRITE, WINDOW_BITS};
use crate::info::Info;
use crate::prim::{DelayLine, Flop, Pipe};
use lpu_isa::latency::HOST_LATENCY;
use rust_hdl::prelude::*;

/// Registers, reads and writes of the window share the host port; its answers go back to the one that asked.
///
/// ```text
/// cycle      g         g+1               g+9
/// request    granted   at the host port  answer
/// ```
///
/// The host port takes a request in every cycle and answers in order after a fixed time, so what an answer needs (whom it is for,
/// identifier, last, a response known beforehand) travels beside it in a delay line. A request that must not reach the tile takes
/// the same way and is answered in its turn.
///
/// Register accesses go first (one in 13 cycles at most); reads and writes of the window take turns when both have a request.
///
/// Latency: 1 cycle to the host port, [`LATENCY`](Self::LATENCY) to the answer. Reset drops everything under way.
#[derive(LogicBlock)]
pub struct RequestPipe {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Registers: there is a request.
    pub in_register: Signal<In, Bit>,
    /// It writes.
    pub in_register_write: Signal<In, Bit>,
    /// Word at the host port.
    pub in_register_address: Signal<In, Bits<32>>,
    /// Word to write.
    pub in_register_data: Signal<In, Bits<64>>,
    /// The request is taken.
    pub out_register_grant: Signal<Out, Bit>,
    /// Reads: there is a request.
    pub in_read: Signal<In, Bit>,
    /// It goes to the tile.
    pub in_read_access: Signal<In, Bit>,
    /// Word at the host port.
    pub in_read_address: Signal<In, Bits<32>>,
    /// Response, if it does not go to the tile.
    pub in_read_response: Signal<In, Bits<2>>,
    /// Byte address.
    pub in_read_byte: Signal<In, Bits<WINDOW_BITS>>,
    /// Identifier.
    pub in_read_id: Signal<In, Bits<ID_BITS>>,
    /// Last of its burst.
    pub in_read_last: Signal<In, Bit>,
    /// The request is taken.
    pub out_read_grant: Signal<Out, Bit>,
    /// Writes: there is a request.
    pub in_write: Signal<In, Bit>,
    /// A write, or the read of a word that a part goes into.
    pub in_write_kind: Signal<In, Bits<2>>,
    /// It goes to the tile.
    pub in_write_access: Signal<In, Bit>,
    /// Word at the host port.
    pub in_write_address: Signal<In, Bits<32>>,
    /// Word to write.
    pub in_write_data: Signal<In, Bits<64>>,
    /// Response, if it does not go to the tile.
    pub in_write_response: Signal<In, Bits<2>>,
    /// Byte address.
    pub in_write_byte: Signal<In, Bits<WINDOW_BITS>>,
    /// Identifier.
    pub in_write_id: Signal<In, Bits<ID_BITS>>,
    /// Last of its burst.
    pub in_write_last: Signal<In, Bit>,
    /// The request is taken.
    pub out_write_grant: Signal<Out, Bit>,
    /// Host port: there is a request.
    pub out_host_valid: Signal<Out, Bit>,
    /// Host port: it writes.
    pub out_host_write: Signal<Out, Bit>,
    /// Host port: its address.
    pub out_host_address: Signal<Out, Bits<32>>,
    /// Host port: what it writes.
    pub out_host_data: Signal<Out, Bits<64>>,
    /// Host port: the answer is an error.
    pub in_host_error: Signal<In, Bit>,
    /// Host port: what was read.
    pub in_host_data: Signal<In, Bits<64>>,
    /// An answer to the registers.
    pub out_register: Signal<Out, Bit>,
    /// An answer to a read.
    pub out_read: Signal<Out, Bit>,
    /// An answer to a write.
    pub out_write: Signal<Out, Bit>,
    /// An answer to the read of a word that a part goes into.
    pub out_merge: Signal<Out, Bit>,
    /// Its response.
    pub out_response: Signal<Out, Bits<2>>,
    /// Its data.
    pub out_data: Signal<Out, Bits<64>>,
    /// Its byte address.
    pub out_byte: Signal<Out, Bits<WINDOW_BITS>>,
    /// Its identifier.
    pub out_id: Signal<Out, Bits<ID_BITS>>,
    /// It is the last of its burst.
    pub out_last: Signal<Out, Bit>,
    turn: Flop<Bit>,
    register: Signal<Local, Bit>,
    read: Signal<Local, Bit>,
    write: Signal<Local, Bit>,
    access_1: Flop<Bit>,
    write_1: Pipe<Bit>,
    address_1: Pipe<Bits<32>>,
    data_1: Pipe<Bits<64>>,
    /// Requests under way, the youngest in bit 0.
    under_way: Flop<Bits<9>>,
    kind: DelayLine<Bits<2>>,
    response: DelayLine<Bits<2>>,
    place: DelayLine<Bits<WINDOW_BITS>>,
    id: DelayLine<Bits<ID_BITS>>,
    last: DelayLine<Bit>,
    answer: Signal<Local, Bit>,
    kind_register: Constant<Bits<2>>,
    kind_read: Constant<Bits<2>>,
    kind_write: Constant<Bits<2>>,
    kind_merge: Constant<Bits<2>>,
    info: Info,
}

impl RequestPipe {
    /// Cycles from a request that is granted to its answer.
    pub const LATENCY: u64 = 1 + HOST_LATENCY;

    /// An empty pipe.
    pub fn new() -> Self {
        const { assert!(HOST_LATENCY == 8, "`under_way` has a bit for each cycle") };
        let stages = Self::LATENCY as usize;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_register: Signal::default(),
            in_register_write: Signal::default(),
            in_register_address: Signal::default(),
            in_register_data: Signal::default(),
            out_register_grant: Signal::default(),
            in_read: Signal::default(),
            in_read_access: Signal::default(),
            in_read_address: Signal::default(),
            in_read_response: Signal::default(),
            in_read_byte: Signal::default(),
            in_read_id: Signal::default(),
            in_read_last: Signal::default(),
            out_read_grant: Signal::default(),
            in_write: Signal::default(),
            in_write_kind: Signal::default(),
            in_write_access: Signal::default(),
            in_write_address: Signal::default(),
            in_write_data: Signal::default(),
            in_write_response: Signal::default(),
            in_write_byte: Signal::default(),
            in_write_id: Signal::default(),
            in_write_last: Signal::default(),
            out_write_grant: Signal::default(),
            out_host_valid: Signal::default(),
            out_host_write: Signal::default(),
            out_host_address: Signal::default(),
            out_host_data: Signal::default(),
            in_host_error: Signal::default(),
            in_host_data: Signal::default(),
            out_register: Signal::default(),
            out_read: Signal::default(),
            out_write: Signal::default(),
            out_merge: Signal::default(),
            out_response: Signal::default(),
            out_data: Signal::default(),
            out_byte: Signal::default(),
            out_id: Signal::default(),
            out_last: Signal::default(),
            turn: Flop::default(),
            register: Signal::default(),
            read: Signal::default(),
            write: Signal::default(),
            access_1: Flop::default(),
            write_1: Pipe::default(),
            address_1: Pipe::default(),
            data_1: Pipe::default(),
            under_way: Flop::default(),
            kind: DelayLine::new(stages),
            response: DelayLine::new(stages),
            place: DelayLine::new(stages),
            id: DelayLine::new(stages),
            last: DelayLine::new(stages),
            answer: Signal::default(),
            kind_register: Constant::new(KIND_REGISTER.into()),
            kind_read: Constant::new(KIND_READ.into()),
            kind_write: Constant::new(KIND_WRITE.into()),
            kind_merge: Constant::new(KIND_MERGE.into()),
            info: Info::new("axi_request_pipe", file!())
                .summary("Three sources of requests into one host port")
                .port("out_register", "an answer to the registers")
                .port("out_read", "an answer to a read of the window")
                .port("out_write", "an answer to a write of the window")
                .port("out_merge", "a word that a part goes into"),
        }
    }
}

impl Default for RequestPipe {
    fn default() -> Self {
        Self::new()
    }
}

impl Logic for RequestPipe {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, turn, access_1, write_1, address_1, data_1, under_way
        );
        clock!(self, clock, kind, response, place, id, last);

        // Who.
        self.register.next = self.in_register.val();
        self.read.next = self.in_read.val()
            & !self.in_register.val()
            & (!self.in_write.val() | self.turn.q.val());
        self.write.next = self.in_write.val()
            & !self.in_register.val()
            & (!self.in_read.val() | !self.turn.q.val());
        self.turn.reset.next = self.reset.val();
        self.turn.enable.next = self.read.val() | self.write.val();
        self.turn.d.next = self.write.val();
        self.out_register_grant.next = self.register.val();
        self.out_read_grant.next = self.read.val();
        self.out_write_grant.next = self.write.val();

        // What.
        self.access_1.reset.next = self.reset.val();
        self.access_1.enable.next = true;
        self.access_1.d.next = self.register.val()
            | (self.read.val() & self.in_read_access.val())
            | (self.write.val() & self.in_write_access.val());
        self.write_1.d.next = false;
        self.address_1.d.next = self.in_read_address.val();
        self.data_1.d.next = self.in_write_data.val();
        self.kind.d.next = self.kind_read.val();
        self.response.d.next = self.in_read_response.val();
        self.place.d.next = self.in_read_byte.val();
        self.id.d.next = self.in_read_id.val();
        self.last.d.next = self.in_read_last.val();
        if self.write.val() {
            self.write_1.d.next = self.in_write_kind.val() == self.kind_write.val();
            self.address_1.d.next = self.in_write_address.val();
            self.kind.d.next = self.in_write_kind.val();
            self.response.d.next = self.in_write_response.val();
            self.place.d.next = self.in_write_byte.val();
            self.id.d.next = self.in_write_id.val();
            self.last.d.next = self.in_write_last.val();
        }
        if self.register.val() {
            self.write_1.d.next = self.in_register_write.val();
            self.address_1.d.next = self.in_register_address.val();
            self.data_1.d.next = self.in_register_data.val();
            self.kind.d.next = self.kind_register.val();
            self.response.d.next = 0.into();
        }
        self.out_host_valid.next = self.access_1.q.val();
        self.out_host_write.next = self.write_1.q.val();
        self.out_host_address.next = self.address_1.q.val();
        self.out_host_data.next = self.data_1.q.val();
        self.under_way.reset.next = self.reset.val();
        self.under_way.enable.next = true;
        self.under_way.d.next = self.under_way.q.val() << 1;
        if self.register.val() | self.read.val() | self.write.val() {
            self.under_way.d.next = self.under_way.q.val() << 1 | 1;
        }

        // The answer.
        self.answer.next = self.under_way.q.val().get_bit(8);
        self.out_register.next =
            self.answer.val() & (self.kind.q.val() == self.kind_register.val());
        self.out_read.next = self.answer.val() & (self.kind.q.val() == self.kind_read.val());
        self.out_write.next = self.answer.val() & (self.kind.q.val() == self.kind_write.val());
        self.out_merge.next = self.answer.val() & (self.kind.q.val() == self.kind_merge.val());
        self.out_response.next = self.response.q.val();
        self.out_data.next = self.in_host_data.val();
        if self.response.q.val().any() {
            self.out_data.next = 0.into();
        } else if self.in_host_error.val() {
            self.out_response.next = 2.into();
        }
        self.out_byte.next = self.place.q.val();
        self.out_id.next = self.id.q.val();
        self.out_last.next = self.last.q.val();
    }
}
