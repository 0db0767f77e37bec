//! WRITE and SCATTER.

use super::IndirectAddress;
use crate::info::Info;
use crate::prim::{DelayLine, Flop, Optional, PipeEnable};
use crate::stream::OperandSelect;
use lpu_isa::Config;
use lpu_isa::latency::SELECT_LATENCY;
use rust_hdl::prelude::*;

/// The write port of a slice: what is written to the SRAM, when, and at which address.
///
/// ```text
/// clock         _/~\_/~\_/~\_/~\_
/// in_valid      /~~~\____________     WRITE s, a
/// in_address    X a X
/// cell s        X d X
/// out_write     ________/~~~\____     five cycles after the issue for a SCATTER
/// out_address           X a X
/// out_data              X d X
/// ```
///
/// Data and check bits are stored as they came. A WRITE that uses the port in the cycle in which a SCATTER does wins. Bit c of
/// `out_fault` says that fault c happens in this cycle.
///
/// Parameters: L lanes, V = 8 L; S streams in each direction; depth; whether there is a SCATTER. Latency:
/// [`WRITE_LATENCY`](Self::WRITE_LATENCY) and [`SCATTER_LATENCY`](Self::SCATTER_LATENCY) cycles from `in_valid` to `out_write`.
/// Reset drops what is under way.
#[derive(LogicBlock)]
pub struct WritePort<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// An operation issues.
    pub in_valid: Signal<In, Bit>,
    /// Bit 0: it is a WRITE; bit 1: a SCATTER.
    pub in_operation: Signal<In, Bits<2>>,
    /// The stream it stores.
    pub in_select: Signal<In, Bits<64>>,
    /// The stream of its offset.
    pub in_select2: Signal<In, Bits<64>>,
    /// Its address.
    pub in_address: Signal<In, Bits<16>>,
    /// Data of the eastward cells.
    pub in_east_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<L>>>,
    /// Whether the eastward cells hold a vector.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// Data of the westward cells.
    pub in_west_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_west_check: Vec<Signal<In, Bits<L>>>,
    /// Whether the westward cells hold a vector.
    pub in_west_valid: Vec<Signal<In, Bit>>,
    /// The SRAM is written.
    pub out_write: Signal<Out, Bit>,
    /// At this address.
    pub out_address: Signal<Out, Bits<16>>,
    /// With this vector.
    pub out_data: Signal<Out, Bits<V>>,
    /// And its check bits.
    pub out_check: Signal<Out, Bits<L>>,
    /// Faults of this cycle, by code.
    pub out_fault: Signal<Out, Bits<8>>,
    /// Codewords corrected in this cycle.
    pub out_corrected: Signal<Out, Bits<4>>,
    /// Uncorrectable codewords found in this cycle.
    pub out_uncorrectable: Signal<Out, Bits<4>>,
    select: OperandSelect<L, V>,
    indirect: Optional<IndirectAddress>,
    direct1: Flop<Bit>,
    direct2: Flop<Bit>,
    direct_address: DelayLine<Bits<16>>,
    held3: Optional<Flop<Bit>>,
    held4: Optional<Flop<Bit>>,
    data3: Optional<PipeEnable<Bits<V>>>,
    data4: Optional<PipeEnable<Bits<V>>>,
    data5: Optional<PipeEnable<Bits<V>>>,
    check3: Optional<PipeEnable<Bits<L>>>,
    check4: Optional<PipeEnable<Bits<L>>>,
    check5: Optional<PipeEnable<Bits<L>>>,
    write: Signal<Local, Bit>,
    direct: Signal<Local, Bit>,
    scatter: Signal<Local, Bit>,
    missing: Signal<Local, Bit>,
    corrected: Signal<Local, Bits<4>>,
    uncorrectable: Signal<Local, Bits<4>>,
    address: Signal<Local, Bits<16>>,
    fault: Signal<Local, Bits<8>>,
    inside: Constant<Bits<16>>,
    beyond: Constant<Bits<16>>,
    info: Info,
    _streams: usize,
    _indirect: usize,
}

impl<const L: usize, const V: usize> WritePort<L, V> {
    /// Cycles from the issue of a WRITE to the use of the port.
    pub const WRITE_LATENCY: u64 = SELECT_LATENCY;
    /// Cycles from the issue of a SCATTER to the use of the port.
    pub const SCATTER_LATENCY: u64 = IndirectAddress::LATENCY;

    /// The write port of a slice of `config`.
    pub fn new(config: &Config) -> Self {
        let (streams, inside) = (config.streams, config.mem.depth as u64 - 1);
        let indirect = config.mem.indirect;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_operation: Signal::default(),
            in_select: Signal::default(),
            in_select2: Signal::default(),
            in_address: Signal::default(),
            in_east_data: (0..streams).map(|_| Signal::default()).collect(),
            in_east_check: (0..streams).map(|_| Signal::default()).collect(),
            in_east_valid: (0..streams).map(|_| Signal::default()).collect(),
            in_west_data: (0..streams).map(|_| Signal::default()).collect(),
            in_west_check: (0..streams).map(|_| Signal::default()).collect(),
            in_west_valid: (0..streams).map(|_| Signal::default()).collect(),
            out_write: Signal::default(),
            out_address: Signal::default(),
            out_data: Signal::default(),
            out_check: Signal::default(),
            out_fault: Signal::default(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            select: OperandSelect::alternating_directions(streams),
            indirect: Optional::new(indirect, || IndirectAddress::new(config)),
            direct1: Flop::default(),
            direct2: Flop::default(),
            direct_address: DelayLine::new(SELECT_LATENCY as usize),
            held3: Optional::new(indirect, Flop::default),
            held4: Optional::new(indirect, Flop::default),
            data3: Optional::new(indirect, PipeEnable::default),
            data4: Optional::new(indirect, PipeEnable::default),
            data5: Optional::new(indirect, PipeEnable::default),
            check3: Optional::new(indirect, PipeEnable::default),
            check4: Optional::new(indirect, PipeEnable::default),
            check5: Optional::new(indirect, PipeEnable::default),
            write: Signal::default(),
            direct: Signal::default(),
            scatter: Signal::default(),
            missing: Signal::default(),
            corrected: Signal::default(),
            uncorrectable: Signal::default(),
            address: Signal::default(),
            fault: Signal::default(),
            inside: Constant::new(Bits::from(inside)),
            beyond: Constant::new(Bits::from(0xffff & !inside)),
            info: Info::new("write_port", file!())
                .summary("WRITE and SCATTER")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("DEPTH", config.mem.depth)
                .port("in_operation", "bit 0 WRITE, bit 1 SCATTER")
                .port("in_select", "one-hot by code")
                .port("in_select2", "one-hot by code")
                .unused("in_select")
                .unused("in_select2")
                .unused("in_operation")
                .port("out_address", "modulo the depth")
                .port("out_data", "as it came")
                .port("out_fault", "bit c: fault c in this cycle"),
            _streams: streams,
            _indirect: usize::from(indirect),
        }
    }
}

impl<const L: usize, const V: usize> Logic for WritePort<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, select, direct1, direct2, direct_address);
        self.select.reset.next = self.reset.val();
        self.direct1.reset.next = self.reset.val();
        self.direct2.reset.next = self.reset.val();

        for i in 0..self._streams {
            self.select.in_data[2 * i].next = self.in_east_data[i].val();
            self.select.in_check[2 * i].next = self.in_east_check[i].val();
            self.select.in_valid[2 * i].next = self.in_east_valid[i].val();
            self.select.in_data[2 * i + 1].next = self.in_west_data[i].val();
            self.select.in_check[2 * i + 1].next = self.in_west_check[i].val();
            self.select.in_valid[2 * i + 1].next = self.in_west_valid[i].val();
        }
        self.select.in_select.next = self.in_select.val();
        self.select.in_enable.next = self.in_valid.val();
        self.write.next = self.in_operation.val().get_bit(0);
        // Two cycles after the issue: a WRITE uses the port, the vector of a SCATTER waits for its address.
        self.direct1.enable.next = true;
        self.direct1.d.next = self.write.val();
        self.direct2.enable.next = true;
        self.direct2.d.next = self.direct1.q.val();
        self.direct_address.d.next = self.in_address.val();
        self.direct.next = self.select.out_valid.val() & self.direct2.q.val();
        self.address.next = self.direct_address.q.val();
        self.out_data.next = self.select.out_data.val();
        self.out_check.next = self.select.out_check.val();

        self.scatter.next = false;
        self.missing.next = false;
        self.corrected.next = 0.into();
        self.uncorrectable.next = 0.into();
        for _k in 0..self._indirect {
            self.indirect.clock.next = self.clock.val();
            self.indirect.reset.next = self.reset.val();
            for i in 0..self._streams {
                self.indirect.in_east_data[i].next = self.in_east_data[i].val().get_bits::<64>(0);
                self.indirect.in_east_check[i].next = self.in_east_check[i].val().get_bits::<8>(0);
                self.indirect.in_east_valid[i].next = self.in_east_valid[i].val();
                self.indirect.in_west_data[i].next = self.in_west_data[i].val().get_bits::<64>(0);
                self.indirect.in_west_check[i].next = self.in_west_check[i].val().get_bits::<8>(0);
                self.indirect.in_west_valid[i].next = self.in_west_valid[i].val();
            }
            self.indirect.in_enable.next = self.in_operation.val().get_bit(1);
            self.indirect.in_select.next = self.in_select2.val();
            self.indirect.in_address.next = self.in_address.val();
            self.indirect.in_allow.next = self.select.out_valid.val();
            self.scatter.next = self.indirect.out_use.val();
            self.missing.next = self.indirect.out_missing.val();
            self.corrected.next = self.indirect.out_corrected.val();
            self.uncorrectable.next = self.indirect.out_uncorrectable.val();

            self.held3.clock.next = self.clock.val();
            self.held3.reset.next = self.reset.val();
            self.held3.enable.next = true;
            self.held3.d.next = self.select.out_valid.val() & !self.direct2.q.val();
            self.held4.clock.next = self.clock.val();
            self.held4.reset.next = self.reset.val();
            self.held4.enable.next = true;
            self.held4.d.next = self.held3.q.val();
            self.data3.clock.next = self.clock.val();
            self.data3.enable.next = self.select.out_valid.val() & !self.direct2.q.val();
            self.data3.d.next = self.select.out_data.val();
            self.check3.clock.next = self.clock.val();
            self.check3.enable.next = self.select.out_valid.val() & !self.direct2.q.val();
            self.check3.d.next = self.select.out_check.val();
            self.data4.clock.next = self.clock.val();
            self.data4.enable.next = self.held3.q.val();
            self.data4.d.next = self.data3.q.val();
            self.check4.clock.next = self.clock.val();
            self.check4.enable.next = self.held3.q.val();
            self.check4.d.next = self.check3.q.val();
            self.data5.clock.next = self.clock.val();
            self.data5.enable.next = self.held4.q.val();
            self.data5.d.next = self.data4.q.val();
            self.check5.clock.next = self.clock.val();
            self.check5.enable.next = self.held4.q.val();
            self.check5.d.next = self.check4.q.val();
            if !self.direct.val() {
                self.address.next = self.indirect.out_address.val();
                self.out_data.next = self.data5.q.val();
                self.out_check.next = self.check5.q.val();
            }
        }
        self.out_write.next = self.direct.val() | self.scatter.val();
        self.out_address.next = self.address.val() & self.inside.val();

        self.out_corrected.next = self.corrected.val();
        self.out_uncorrectable.next = self.uncorrectable.val();
        self.fault.next = 0.into();
        if self.select.out_missing.val() | self.missing.val() {
            self.fault.next = self.fault.val() | 0x04;
        }
        if self.direct.val() & self.scatter.val() {
            self.fault.next = self.fault.val() | 0x08;
        }
        // A WRITE is checked when it issues, a SCATTER when it uses its address.
        if self.write.val() & (self.in_address.val() & self.beyond.val()).any() {
            self.fault.next = self.fault.val() | 0x10;
        }
        if self.scatter.val() & !self.direct.val() & (self.address.val() & self.beyond.val()).any()
        {
            self.fault.next = self.fault.val() | 0x10;
        }
        if self.uncorrectable.val().any() {
            self.fault.next = self.fault.val() | 0x20;
        }
        self.out_fault.next = self.fault.val();
    }
}
