//! An address from a stream, for GATHER and SCATTER.

use crate::ecc::SecdedDecoder;
use crate::info::Info;
use crate::prim::{DelayLine, Flop, PipeEnable};
use crate::stream::OperandSelect;
use lpu_isa::Config;
use lpu_isa::latency::{SECDED_LATENCY, SELECT_LATENCY};
use rust_hdl::prelude::*;

/// An address from a stream: the operation's own address plus lanes 1:0 of a vector, modulo 2^16.
///
/// ```text
/// clock        _/~\_/~\_/~\_/~\_/~\_/~\_
/// in_enable    /~~~\____________________
/// in_address   X a X
/// cell         X o X
/// in_allow     ________/~~~\____________     the other operand is there; out_missing now, if o is not
/// decoded                      X o'         out_corrected, out_uncorrectable now
/// out_use      ____________________/~~~\
/// out_address                      Xa+o'
/// ```
///
/// Only codeword 0 of the vector is looked at. An operation that `in_allow` does not let pass counts nothing.
///
/// Parameters: S streams in each direction. Latency: [`LATENCY`](Self::LATENCY). Reset drops what is under way.
#[derive(LogicBlock)]
pub struct IndirectAddress {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// An operation issues.
    pub in_enable: Signal<In, Bit>,
    /// Its stream of addresses, one-hot by code.
    pub in_select: Signal<In, Bits<64>>,
    /// Its own address.
    pub in_address: Signal<In, Bits<16>>,
    /// Two cycles after `in_enable`: the operation has all else it needs.
    pub in_allow: Signal<In, Bit>,
    /// Lanes 7:0 of the eastward cells.
    pub in_east_data: Vec<Signal<In, Bits<64>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<8>>>,
    /// Whether the eastward cells hold a vector.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// Lanes 7:0 of the westward cells.
    pub in_west_data: Vec<Signal<In, Bits<64>>>,
    /// Their check bits.
    pub in_west_check: Vec<Signal<In, Bits<8>>>,
    /// Whether the westward cells hold a vector.
    pub in_west_valid: Vec<Signal<In, Bit>>,
    /// The stream held no vector.
    pub out_missing: Signal<Out, Bit>,
    /// Codewords corrected in this cycle.
    pub out_corrected: Signal<Out, Bits<4>>,
    /// Uncorrectable codewords found in this cycle.
    pub out_uncorrectable: Signal<Out, Bits<4>>,
    /// The operation uses its address.
    pub out_use: Signal<Out, Bit>,
    /// The address.
    pub out_address: Signal<Out, Bits<16>>,
    select: OperandSelect<8, 64>,
    decoder: SecdedDecoder<8, 64>,
    own: DelayLine<Bits<16>>,
    used: Flop<Bit>,
    sum: PipeEnable<Bits<16>>,
    info: Info,
    _streams: usize,
}

impl IndirectAddress {
    /// Cycles from the issue to the use of the address.
    pub const LATENCY: u64 = lpu_isa::latency::INDIRECT_LATENCY;

    /// For the streams of `config`.
    pub fn new(config: &Config) -> Self {
        let streams = config.streams;
        let delay = (SELECT_LATENCY + SECDED_LATENCY) as usize;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_enable: Signal::default(),
            in_select: Signal::default(),
            in_address: Signal::default(),
            in_allow: Signal::default(),
            in_east_data: (0..streams).map(|_| Signal::default()).collect(),
            in_east_check: (0..streams).map(|_| Signal::default()).collect(),
            in_east_valid: (0..streams).map(|_| Signal::default()).collect(),
            in_west_data: (0..streams).map(|_| Signal::default()).collect(),
            in_west_check: (0..streams).map(|_| Signal::default()).collect(),
            in_west_valid: (0..streams).map(|_| Signal::default()).collect(),
            out_missing: Signal::default(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            out_use: Signal::default(),
            out_address: Signal::default(),
            select: OperandSelect::alternating_directions(streams),
            decoder: SecdedDecoder::default(),
            own: DelayLine::new(delay),
            used: Flop::default(),
            sum: PipeEnable::default(),
            info: Info::new("indirect_address", file!())
                .summary("An address from a stream")
                .param("STREAMS", streams)
                .port("in_select", "one-hot by code")
                .unused("in_select")
                .port("in_allow", "two cycles after in_enable")
                .port("in_east_data", "codeword 0")
                .port("in_west_data", "codeword 0")
                .port("out_missing", "two cycles after in_enable")
                .port("out_corrected", "four cycles after in_enable")
                .port("out_uncorrectable", "four cycles after in_enable")
                .port("out_use", "five cycles after in_enable"),
            _streams: streams,
        }
    }
}

impl Logic for IndirectAddress {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, select, decoder, own, used, sum);
        self.select.reset.next = self.reset.val();
        self.decoder.reset.next = self.reset.val();
        self.used.reset.next = self.reset.val();

        // Visible two cycles later: the offset as it came.
        for i in 0..self._streams {
            self.select.in_data[2 * i].next = self.in_east_data[i].val();
            self.select.in_check[2 * i].next = self.in_east_check[i].val();
            self.select.in_valid[2 * i].next = self.in_east_valid[i].val();
            self.select.in_data[2 * i + 1].next = self.in_west_data[i].val();
            self.select.in_check[2 * i + 1].next = self.in_west_check[i].val();
            self.select.in_valid[2 * i + 1].next = self.in_west_valid[i].val();
        }
        self.select.in_select.next = self.in_select.val();
        self.select.in_enable.next = self.in_enable.val();
        self.out_missing.next = self.select.out_missing.val();

        // Four cycles later: corrected.
        self.decoder.in_valid.next = self.select.out_valid.val() & self.in_allow.val();
        self.decoder.in_data.next = self.select.out_data.val();
        self.decoder.in_check.next = self.select.out_check.val();
        self.out_corrected.next = self.decoder.out_corrected.val();
        self.out_uncorrectable.next = self.decoder.out_uncorrectable.val();

        // Five cycles later: the sum.
        self.own.d.next = self.in_address.val();
        self.used.enable.next = true;
        self.used.d.next = self.decoder.out_valid.val();
        self.sum.enable.next = self.decoder.out_valid.val();
        self.sum.d.next = self.own.q.val() + self.decoder.out_data.val().get_bits::<16>(0);
        self.out_use.next = self.used.q.val();
        self.out_address.next = self.sum.q.val();
    }
}
