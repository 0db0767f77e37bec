//! READ and GATHER.

use super::IndirectAddress;
use crate::info::Info;
use crate::prim::{DelayLine, Flop, Optional, Pipe};
use lpu_isa::Config;
use lpu_isa::latency::INDIRECT_LATENCY;
use rust_hdl::prelude::*;

/// The read port of a slice: when the SRAM is read, at which address, and which stream the word drives.
///
/// ```text
/// clock             _/~\_/~\_/~\_/~\_
/// in_operation[0]   /~~~\____________     READ s, a
/// in_address        X a X
/// out_read          /~~~\____________     five cycles after the issue for a GATHER
/// out_address       X a X
/// out_load          ____/~~~\________     the output register of the SRAM takes the word
/// out_drive_valid   ________/~~~\____
/// out_drive_stream          X s X
/// ```
///
/// A READ that issues in the cycle in which a GATHER uses its address wins. Bit c of `out_fault` says that fault c happens in
/// this cycle.
///
/// Parameters: S streams in each direction; depth; whether there is a GATHER. Latency: none from `in_operation` to `out_read` for READ,
/// [`INDIRECT_LATENCY`] for GATHER; [`DRIVE_LATENCY`](Self::DRIVE_LATENCY) from there to the drive. Reset drops what is under
/// way.
#[derive(LogicBlock)]
pub struct ReadPort {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Bit 0: READ issues; bit 1: GATHER.
    pub in_operation: Signal<In, Bits<2>>,
    /// The stream it drives.
    pub in_stream: Signal<In, Bits<6>>,
    /// The stream of its offset, one-hot by code.
    pub in_select2: Signal<In, Bits<64>>,
    /// Its address.
    pub in_address: Signal<In, Bits<16>>,
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
    /// The cell driven in this cycle collides.
    pub in_collision: Signal<In, Bit>,
    /// The SRAM is read.
    pub out_read: Signal<Out, Bit>,
    /// At this address.
    pub out_address: Signal<Out, Bits<16>>,
    /// The output register takes the word.
    pub out_load: Signal<Out, Bit>,
    /// The word drives a stream.
    pub out_drive_valid: Signal<Out, Bit>,
    /// This one.
    pub out_drive_stream: Signal<Out, Bits<6>>,
    /// Bit s: it drives eastward stream s.
    pub out_drive_east: Signal<Out, Bits<32>>,
    /// Bit s: it drives westward stream s.
    pub out_drive_west: Signal<Out, Bits<32>>,
    /// Faults of this cycle, by code.
    pub out_fault: Signal<Out, Bits<8>>,
    /// Codewords corrected in this cycle.
    pub out_corrected: Signal<Out, Bits<4>>,
    /// Uncorrectable codewords found in this cycle.
    pub out_uncorrectable: Signal<Out, Bits<4>>,
    indirect: Optional<IndirectAddress>,
    gather_stream: Optional<DelayLine<Bits<6>>>,
    load: Flop<Bit>,
    load_stream: Pipe<Bits<6>>,
    drive: Flop<Bit>,
    drive_stream: Pipe<Bits<6>>,
    drive_east: Flop<Bits<32>>,
    drive_west: Flop<Bits<32>>,
    read: Signal<Local, Bit>,
    gather: Signal<Local, Bit>,
    missing: Signal<Local, Bit>,
    corrected: Signal<Local, Bits<4>>,
    uncorrectable: Signal<Local, Bits<4>>,
    uses: Signal<Local, Bit>,
    address: Signal<Local, Bits<16>>,
    fault: Signal<Local, Bits<8>>,
    inside: Constant<Bits<16>>,
    beyond: Constant<Bits<16>>,
    info: Info,
    _streams: usize,
    _indirect: usize,
}

impl ReadPort {
    /// Cycles from the use of an address to the drive.
    pub const DRIVE_LATENCY: u64 = lpu_isa::latency::SRAM_LATENCY;

    /// The read port of a slice of `config`.
    pub fn new(config: &Config) -> Self {
        let (streams, inside) = (config.streams, config.mem.depth as u64 - 1);
        let indirect = config.mem.indirect;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_operation: Signal::default(),
            in_stream: Signal::default(),
            in_select2: Signal::default(),
            in_address: Signal::default(),
            in_east_data: (0..streams).map(|_| Signal::default()).collect(),
            in_east_check: (0..streams).map(|_| Signal::default()).collect(),
            in_east_valid: (0..streams).map(|_| Signal::default()).collect(),
            in_west_data: (0..streams).map(|_| Signal::default()).collect(),
            in_west_check: (0..streams).map(|_| Signal::default()).collect(),
            in_west_valid: (0..streams).map(|_| Signal::default()).collect(),
            in_collision: Signal::default(),
            out_read: Signal::default(),
            out_address: Signal::default(),
            out_load: Signal::default(),
            out_drive_valid: Signal::default(),
            out_drive_stream: Signal::default(),
            out_drive_east: Signal::default(),
            out_drive_west: Signal::default(),
            out_fault: Signal::default(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            indirect: Optional::new(indirect, || IndirectAddress::new(config)),
            gather_stream: Optional::new(indirect, || DelayLine::new(INDIRECT_LATENCY as usize)),
            load: Flop::default(),
            load_stream: Pipe::default(),
            drive: Flop::default(),
            drive_stream: Pipe::default(),
            drive_east: Flop::default(),
            drive_west: Flop::default(),
            read: Signal::default(),
            gather: Signal::default(),
            missing: Signal::default(),
            corrected: Signal::default(),
            uncorrectable: Signal::default(),
            uses: Signal::default(),
            address: Signal::default(),
            fault: Signal::default(),
            inside: Constant::new(Bits::from(inside)),
            beyond: Constant::new(Bits::from(0xffff & !inside)),
            info: Info::new("read_port", file!())
                .summary("READ and GATHER")
                .param("STREAMS", streams)
                .param("DEPTH", config.mem.depth)
                .port("in_operation", "bit 0 READ, bit 1 GATHER")
                .port("in_select2", "one-hot by code")
                .unused("in_operation")
                .unused("in_select2")
                .unused("in_east_data")
                .unused("in_east_check")
                .unused("in_east_valid")
                .unused("in_west_data")
                .unused("in_west_check")
                .unused("in_west_valid")
                .port("in_east_data", "codeword 0")
                .port("in_west_data", "codeword 0")
                .port("in_collision", "in the drive cycle")
                .port("out_address", "modulo the depth")
                .port("out_load", "the output register takes the word")
                .port("out_fault", "bit c: fault c in this cycle"),
            _streams: streams,
            _indirect: usize::from(indirect),
        }
    }
}

impl Logic for ReadPort {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            load,
            load_stream,
            drive,
            drive_stream,
            drive_east,
            drive_west
        );
        self.load.reset.next = self.reset.val();
        self.drive.reset.next = self.reset.val();
        self.drive_east.reset.next = self.reset.val();
        self.drive_west.reset.next = self.reset.val();

        // READ uses its address at once and wins over a GATHER that issued five cycles ago.
        self.read.next = self.in_operation.val().get_bit(0);
        self.gather.next = false;
        self.missing.next = false;
        self.corrected.next = 0.into();
        self.uncorrectable.next = 0.into();
        self.address.next = self.in_address.val();
        self.load_stream.d.next = self.in_stream.val();
        for _k in 0..self._indirect {
            self.indirect.clock.next = self.clock.val();
            self.indirect.reset.next = self.reset.val();
            for i in 0..self._streams {
                self.indirect.in_east_data[i].next = self.in_east_data[i].val();
                self.indirect.in_east_check[i].next = self.in_east_check[i].val();
                self.indirect.in_east_valid[i].next = self.in_east_valid[i].val();
                self.indirect.in_west_data[i].next = self.in_west_data[i].val();
                self.indirect.in_west_check[i].next = self.in_west_check[i].val();
                self.indirect.in_west_valid[i].next = self.in_west_valid[i].val();
            }
            self.indirect.in_enable.next = self.in_operation.val().get_bit(1);
            self.indirect.in_select.next = self.in_select2.val();
            self.indirect.in_address.next = self.in_address.val();
            self.indirect.in_allow.next = true;
            self.gather_stream.clock.next = self.clock.val();
            self.gather_stream.d.next = self.in_stream.val();
            self.gather.next = self.indirect.out_use.val();
            self.missing.next = self.indirect.out_missing.val();
            self.corrected.next = self.indirect.out_corrected.val();
            self.uncorrectable.next = self.indirect.out_uncorrectable.val();
            if !self.read.val() {
                self.address.next = self.indirect.out_address.val();
                self.load_stream.d.next = self.gather_stream.q.val();
            }
        }
        self.uses.next = self.read.val() | self.gather.val();
        self.out_read.next = self.uses.val();
        self.out_address.next = self.address.val() & self.inside.val();

        self.load.enable.next = true;
        self.load.d.next = self.uses.val();
        self.out_load.next = self.load.q.val();
        self.drive.enable.next = true;
        self.drive.d.next = self.load.q.val();
        self.drive_stream.d.next = self.load_stream.q.val();
        self.drive_east.enable.next = true;
        self.drive_east.d.next = 0.into();
        self.drive_west.enable.next = true;
        self.drive_west.d.next = 0.into();
        if self.load.q.val() & !self.load_stream.q.val().get_bit(5) {
            self.drive_east.d.next = bits::<32>(1) << self.load_stream.q.val().get_bits::<5>(0);
        }
        if self.load.q.val() & self.load_stream.q.val().get_bit(5) {
            self.drive_west.d.next = bits::<32>(1) << self.load_stream.q.val().get_bits::<5>(0);
        }
        self.out_drive_valid.next = self.drive.q.val();
        self.out_drive_stream.next = self.drive_stream.q.val();
        self.out_drive_east.next = self.drive_east.q.val();
        self.out_drive_west.next = self.drive_west.q.val();

        self.out_corrected.next = self.corrected.val();
        self.out_uncorrectable.next = self.uncorrectable.val();
        self.fault.next = 0.into();
        if self.in_collision.val() {
            self.fault.next = self.fault.val() | 0x02;
        }
        if self.missing.val() {
            self.fault.next = self.fault.val() | 0x04;
        }
        if self.read.val() & self.gather.val() {
            self.fault.next = self.fault.val() | 0x08;
        }
        if self.uses.val() & (self.address.val() & self.beyond.val()).any() {
            self.fault.next = self.fault.val() | 0x10;
        }
        if self.uncorrectable.val().any() {
            self.fault.next = self.fault.val() | 0x20;
        }
        self.out_fault.next = self.fault.val();
    }
}
