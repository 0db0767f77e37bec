//! Takes an operand of one or four byte planes from the streams and corrects it.

use super::OperandSelect;
use super::plane_select::{PLANES, PlaneSelect};
use crate::ecc::SecdedDecoder;
use crate::info::Info;
use crate::prim::{Flop, Pipe};
use rust_hdl::prelude::*;

/// Takes an operand of one or four byte planes from the streams of both directions and corrects it.
///
/// ```text
/// cycle          t         t+1       t+2               t+3       t+4
/// select         enable              in_one, in_four   decode    out_valid, out_data, out_byte
/// out_missing                        m
/// out_corrected                                                  n
/// ```
///
/// How many planes the operand has need be known two cycles after its stream only; with neither `in_one` nor `in_four` it is
/// none. A word vector is on four neighbouring streams; if one of them is missing, the operand is, and nothing of it is
/// decoded. An operand of one plane may be on any stream; `out_byte` holds it. `in_drop` with `in_one` or `in_four` drops the
/// operand before it is decoded and counted: another operand of the same operation is missing.
///
/// Parameters: L lanes, S streams (a multiple of 4). Latency: [`LATENCY`](Self::LATENCY). Reset clears the valid bits and
/// the numbers.
#[derive(LogicBlock)]
pub struct WordOperand<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Takes an operand.
    pub in_enable: Signal<In, Bit>,
    /// Its stream, one-hot by code.
    pub in_select: Signal<In, Bits<64>>,
    /// The number of its stream.
    pub in_stream: Signal<In, Bits<6>>,
    /// Two cycles later: it is one vector.
    pub in_one: Signal<In, Bit>,
    /// Two cycles later: it is a word vector.
    pub in_four: Signal<In, Bit>,
    /// Two cycles later: it is not decoded.
    pub in_drop: Signal<In, Bit>,
    /// Data of the eastward streams.
    pub in_east_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<L>>>,
    /// Their valid bits.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// Data of the westward streams.
    pub in_west_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_west_check: Vec<Signal<In, Bits<L>>>,
    /// Their valid bits.
    pub in_west_valid: Vec<Signal<In, Bit>>,
    /// The operand is there.
    pub out_valid: Signal<Out, Bit>,
    /// Its planes, the least byte first.
    pub out_data: Vec<Signal<Out, Bits<V>>>,
    /// The only plane of an operand that is no word vector.
    pub out_byte: Signal<Out, Bits<V>>,
    /// The operand was asked for and was not there: two cycles after `in_enable`.
    pub out_missing: Signal<Out, Bit>,
    /// Codewords corrected.
    pub out_corrected: Signal<Out, Bits<8>>,
    /// Uncorrectable codewords.
    pub out_uncorrectable: Signal<Out, Bits<8>>,
    planes: PlaneSelect,
    select_0: OperandSelect<L, V>,
    select_1: OperandSelect<L, V>,
    select_2: OperandSelect<L, V>,
    select_3: OperandSelect<L, V>,
    decoder: Vec<SecdedDecoder<L, V>>,
    plane_1: Pipe<Bits<2>>,
    plane_2: Pipe<Bits<2>>,
    plane_3: Pipe<Bits<2>>,
    plane_4: Pipe<Bits<2>>,
    valid_3: Flop<Bit>,
    valid_4: Flop<Bit>,
    missing: Signal<Local, Bits<4>>,
    valid: Signal<Local, Bits<4>>,
    wanted: Signal<Local, Bits<4>>,
    lost: Signal<Local, Bit>,
    taken: Signal<Local, Bits<4>>,
    info: Info,
    _groups: usize,
}

impl<const L: usize, const V: usize> WordOperand<L, V> {
    /// Cycles from the streams to `out_data`.
    pub const LATENCY: u64 = OperandSelect::<L, V>::LATENCY + SecdedDecoder::<L, V>::LATENCY;

    /// An operand from `streams` streams in each direction.
    pub fn new(streams: usize) -> Self {
        assert!(
            streams.is_multiple_of(PLANES),
            "{streams} streams; a multiple of {PLANES} is possible"
        );
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let select = |b: usize| {
            let codes = (b..streams).step_by(PLANES).flat_map(|s| [s, 32 + s]);
            OperandSelect::with_codes(codes.collect())
        };
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_enable: Signal::default(),
            in_select: Signal::default(),
            in_stream: Signal::default(),
            in_one: Signal::default(),
            in_four: Signal::default(),
            in_drop: Signal::default(),
            in_east_data: many(streams),
            in_east_check: many(streams),
            in_east_valid: many(streams),
            in_west_data: many(streams),
            in_west_check: many(streams),
            in_west_valid: many(streams),
            out_valid: Signal::default(),
            out_data: many(PLANES),
            out_byte: Signal::default(),
            out_missing: Signal::default(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            planes: PlaneSelect::default(),
            select_0: select(0),
            select_1: select(1),
            select_2: select(2),
            select_3: select(3),
            decoder: many(PLANES),
            plane_1: Pipe::default(),
            plane_2: Pipe::default(),
            plane_3: Pipe::default(),
            plane_4: Pipe::default(),
            valid_3: Flop::default(),
            valid_4: Flop::default(),
            missing: Signal::default(),
            valid: Signal::default(),
            wanted: Signal::default(),
            lost: Signal::default(),
            taken: Signal::default(),
            info: Info::new("word_operand", file!())
                .summary("An operand of one or four byte planes, corrected")
                .param("LANES", L)
                .param("STREAMS", streams)
                .port("in_select", "one-hot by code")
                .port("in_stream", "its two low bits name the plane")
                .unused("in_stream")
                .port("in_one", "two cycles later: one vector")
                .port("in_four", "two cycles later: a word vector")
                .port("in_drop", "two cycles later: is not decoded")
                .port("out_data", "4 cycles later, the least byte first")
                .port("out_byte", "the only plane of other operands")
                .port("out_missing", "2 cycles after in_enable")
                .port("out_corrected", "codewords, else 0")
                .port("out_uncorrectable", "codewords, else 0"),
            _groups: streams / PLANES,
        }
    }
}

impl<const L: usize, const V: usize> Logic for WordOperand<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, select_0, select_1, select_2, select_3, plane_1, plane_2, plane_3,
            plane_4, valid_3, valid_4
        );
        self.select_0.reset.next = self.reset.val();
        self.select_1.reset.next = self.reset.val();
        self.select_2.reset.next = self.reset.val();
        self.select_3.reset.next = self.reset.val();
        self.valid_3.reset.next = self.reset.val();
        self.valid_4.reset.next = self.reset.val();
        self.valid_3.enable.next = true;
        self.valid_4.enable.next = true;

        // t: every plane takes its stream.
        for g in 0..self._groups {
            self.select_0.in_data[g * 2].next = self.in_east_data[g * 4].val();
            self.select_0.in_check[g * 2].next = self.in_east_check[g * 4].val();
            self.select_0.in_valid[g * 2].next = self.in_east_valid[g * 4].val();
            self.select_0.in_data[g * 2 + 1].next = self.in_west_data[g * 4].val();
            self.select_0.in_check[g * 2 + 1].next = self.in_west_check[g * 4].val();
            self.select_0.in_valid[g * 2 + 1].next = self.in_west_valid[g * 4].val();
            self.select_1.in_data[g * 2].next = self.in_east_data[g * 4 + 1].val();
            self.select_1.in_check[g * 2].next = self.in_east_check[g * 4 + 1].val();
            self.select_1.in_valid[g * 2].next = self.in_east_valid[g * 4 + 1].val();
            self.select_1.in_data[g * 2 + 1].next = self.in_west_data[g * 4 + 1].val();
            self.select_1.in_check[g * 2 + 1].next = self.in_west_check[g * 4 + 1].val();
            self.select_1.in_valid[g * 2 + 1].next = self.in_west_valid[g * 4 + 1].val();
            self.select_2.in_data[g * 2].next = self.in_east_data[g * 4 + 2].val();
            self.select_2.in_check[g * 2].next = self.in_east_check[g * 4 + 2].val();
            self.select_2.in_valid[g * 2].next = self.in_east_valid[g * 4 + 2].val();
            self.select_2.in_data[g * 2 + 1].next = self.in_west_data[g * 4 + 2].val();
            self.select_2.in_check[g * 2 + 1].next = self.in_west_check[g * 4 + 2].val();
            self.select_2.in_valid[g * 2 + 1].next = self.in_west_valid[g * 4 + 2].val();
            self.select_3.in_data[g * 2].next = self.in_east_data[g * 4 + 3].val();
            self.select_3.in_check[g * 2].next = self.in_east_check[g * 4 + 3].val();
            self.select_3.in_valid[g * 2].next = self.in_east_valid[g * 4 + 3].val();
            self.select_3.in_data[g * 2 + 1].next = self.in_west_data[g * 4 + 3].val();
            self.select_3.in_check[g * 2 + 1].next = self.in_west_check[g * 4 + 3].val();
            self.select_3.in_valid[g * 2 + 1].next = self.in_west_valid[g * 4 + 3].val();
        }
        self.planes.in_select.next = self.in_select.val();
        self.select_0.in_select.next = self.planes.out_select[0].val();
        self.select_1.in_select.next = self.planes.out_select[1].val();
        self.select_2.in_select.next = self.planes.out_select[2].val();
        self.select_3.in_select.next = self.planes.out_select[3].val();
        self.plane_1.d.next = self.in_stream.val().get_bits::<2>(0);
        self.select_0.in_enable.next = self.in_enable.val();
        self.select_1.in_enable.next = self.in_enable.val();
        self.select_2.in_enable.next = self.in_enable.val();
        self.select_3.in_enable.next = self.in_enable.val();
        self.plane_2.d.next = self.plane_1.q.val();
        self.plane_3.d.next = self.plane_2.q.val();
        self.plane_4.d.next = self.plane_3.q.val();

        // t+2: all planes, or the one.
        self.missing.next = 0.into();
        if self.select_0.out_missing.val() {
            self.missing.next = self.missing.val() | 1;
        }
        if self.select_1.out_missing.val() {
            self.missing.next = self.missing.val() | 2;
        }
        if self.select_2.out_missing.val() {
            self.missing.next = self.missing.val() | 4;
        }
        if self.select_3.out_missing.val() {
            self.missing.next = self.missing.val() | 8;
        }
        self.valid.next = 0.into();
        if self.select_0.out_valid.val() {
            self.valid.next = self.valid.val() | 1;
        }
        if self.select_1.out_valid.val() {
            self.valid.next = self.valid.val() | 2;
        }
        if self.select_2.out_valid.val() {
            self.valid.next = self.valid.val() | 4;
        }
        if self.select_3.out_valid.val() {
            self.valid.next = self.valid.val() | 8;
        }
        self.wanted.next = 0.into();
        if self.in_one.val() {
            self.wanted.next = bits::<4>(1) << self.plane_2.q.val();
        }
        if self.in_four.val() {
            self.wanted.next = 15.into();
        }
        self.lost.next = (self.missing.val() & self.wanted.val()).any();
        self.out_missing.next = self.lost.val();
        self.taken.next = 0.into();
        if !self.lost.val() & !self.in_drop.val() {
            self.taken.next = self.valid.val() & self.wanted.val();
        }
        for b in 0..4 {
            self.decoder[b].clock.next = self.clock.val();
            self.decoder[b].reset.next = self.reset.val();
        }
        self.decoder[0].in_valid.next = self.taken.val().get_bit(0);
        self.decoder[0].in_data.next = self.select_0.out_data.val();
        self.decoder[0].in_check.next = self.select_0.out_check.val();
        self.decoder[1].in_valid.next = self.taken.val().get_bit(1);
        self.decoder[1].in_data.next = self.select_1.out_data.val();
        self.decoder[1].in_check.next = self.select_1.out_check.val();
        self.decoder[2].in_valid.next = self.taken.val().get_bit(2);
        self.decoder[2].in_data.next = self.select_2.out_data.val();
        self.decoder[2].in_check.next = self.select_2.out_check.val();
        self.decoder[3].in_valid.next = self.taken.val().get_bit(3);
        self.decoder[3].in_data.next = self.select_3.out_data.val();
        self.decoder[3].in_check.next = self.select_3.out_check.val();
        self.valid_3.d.next = self.taken.val().any();

        // t+4: the corrected planes.
        self.valid_4.d.next = self.valid_3.q.val();
        self.out_valid.next = self.valid_4.q.val();
        for b in 0..4 {
            self.out_data[b].next = self.decoder[b].out_data.val();
        }
        self.out_byte.next = self.decoder[0].out_data.val();
        if self.plane_4.q.val() == 1 {
            self.out_byte.next = self.decoder[1].out_data.val();
        } else if self.plane_4.q.val() == 2 {
            self.out_byte.next = self.decoder[2].out_data.val();
        } else if self.plane_4.q.val() == 3 {
            self.out_byte.next = self.decoder[3].out_data.val();
        }
        self.out_corrected.next = bit_cast::<8, 4>(self.decoder[0].out_corrected.val())
            + bit_cast::<8, 4>(self.decoder[1].out_corrected.val())
            + bit_cast::<8, 4>(self.decoder[2].out_corrected.val())
            + bit_cast::<8, 4>(self.decoder[3].out_corrected.val());
        self.out_uncorrectable.next = bit_cast::<8, 4>(self.decoder[0].out_uncorrectable.val())
            + bit_cast::<8, 4>(self.decoder[1].out_uncorrectable.val())
            + bit_cast::<8, 4>(self.decoder[2].out_uncorrectable.val())
            + bit_cast::<8, 4>(self.decoder[3].out_uncorrectable.val());
    }
}
