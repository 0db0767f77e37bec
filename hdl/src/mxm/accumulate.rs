//! The accumulate part of a plane: accumulator rows, their adders and the way out.

use super::formats::{FormatAdder, Formats, Rounder, WIDE_BITS, WIDE_PARTS};
use super::{AccumulatorAdder, PARTS, ResultEncoder};
use crate::info::Info;
use crate::prim::{Flop, MuxRegister, Optional, Pipe, PipeEnable, SramBank};
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The accumulate part of a plane: accumulator rows, their adders and the way out.
///
/// ```text
/// cycle    a            a+1           a+2          a+3
/// row      RAM read     operand       add          RAM write, drive
/// dot      visible      held          held
/// fault    missing,                                collision
///          lost, range
/// ```
///
/// An ACC adds to the row as all before it left it: the sum of the one a cycle earlier is added to itself, that of two or
/// three cycles earlier replaces what the RAM gave. So the RAM never needs the word that is being written.
///
/// Results drive in a+3; the check bits are made from the sums in that cycle, because a register of the RAM's output comes
/// before the adder instead.
///
/// In a machine with formats, rows are of 64 bits and a NaN flag for each lane, a [`FormatAdder`] holds the dot products and adds them,
/// and a [`Rounder`] makes words of the sums, so that results drive in a+6.
///
/// Parameters: L lanes, A rows (a power of two, 2 to 4096), formats. Latency: `acc_latency` to the cell that the result drives.
/// Reset clears what is under way; accumulators keep their values.
#[derive(Clone, Debug, LogicBlock)]
pub struct Accumulate<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// An ACC issues.
    pub in_valid: Signal<In, Bit>,
    /// Its flags: init mode, emit mode.
    pub in_flags: Signal<In, Bits<4>>,
    /// The first stream of the result.
    pub in_stream: Signal<In, Bits<6>>,
    /// The row.
    pub in_address: Signal<In, Bits<16>>,
    /// First iteration of the inner repeat.
    pub in_first0: Signal<In, Bit>,
    /// Last iteration of the inner repeat.
    pub in_last0: Signal<In, Bit>,
    /// First iteration of the outer repeat.
    pub in_first1: Signal<In, Bit>,
    /// Last iteration of the outer repeat.
    pub in_last1: Signal<In, Bit>,
    /// Dot products are visible.
    pub in_dot_valid: Signal<In, Bit>,
    /// The dot products, two's complement.
    pub in_dot: Vec<Signal<In, Bits<32>>>,
    /// The dot products of a machine with formats, two's complement.
    pub in_wide_dot: Vec<Signal<In, Bits<WIDE_BITS>>>,
    /// Their NaN flags.
    pub in_nan: Vec<Signal<In, Bits<L>>>,
    /// Their format.
    pub in_format: Vec<Signal<In, Bits<2>>>,
    /// A driven cell was not free.
    pub in_collision: Signal<In, Bit>,
    /// A result drives its streams.
    pub out_result_enable: Signal<Out, Bit>,
    /// The first of its four streams.
    pub out_result_stream: Signal<Out, Bits<5>>,
    /// Bit s: it drives stream s.
    pub out_result_drive: Signal<Out, Bits<32>>,
    /// Its byte planes, the least first.
    pub out_result_data: Vec<Signal<Out, Bits<V>>>,
    /// Their check bits.
    pub out_result_check: Vec<Signal<Out, Bits<L>>>,
    /// Faults of this cycle, bit c for code c.
    pub out_fault: Signal<Out, Bits<8>>,
    memory: Vec<SramBank<V>>,
    operand: Vec<MuxRegister<Bits<V>>>,
    written: Vec<PipeEnable<Bits<V>>>,
    adder: Optional<AccumulatorAdder<L, V>>,
    format_adder: Optional<FormatAdder<L, V>>,
    nan_memory: Optional<SramBank<L>>,
    nan_operand: Optional<MuxRegister<Bits<L>>>,
    nan_written: Optional<PipeEnable<Bits<L>>>,
    rounder: Optional<Rounder<L>>,
    encoder: ResultEncoder<L, V>,
    dot_1: Vec<PipeEnable<Bits<32>>>,
    dot_2: Vec<PipeEnable<Bits<32>>>,
    valid_1: Flop<Bit>,
    valid_2: Flop<Bit>,
    valid_3: Flop<Bit>,
    row_1: Pipe<Bits<16>>,
    row_2: Pipe<Bits<16>>,
    row_3: Pipe<Bits<16>>,
    init_1: Pipe<Bit>,
    use_operand: Pipe<Bit>,
    use_sum: Pipe<Bit>,
    emit_1: Flop<Bit>,
    emit_2: Flop<Bit>,
    emit_3: Flop<Bit>,
    stream_1: Pipe<Bits<5>>,
    stream_2: Pipe<Bits<5>>,
    stream_3: Pipe<Bits<5>>,
    drive_3: Flop<Bits<32>>,
    start: Signal<Local, Bit>,
    row: Signal<Local, Bits<16>>,
    init: Signal<Local, Bit>,
    emit: Signal<Local, Bit>,
    same_1: Pipe<Bit>,
    source_1: Pipe<Bits<6>>,
    fault: Signal<Local, Bits<8>>,
    rows: Constant<Bits<16>>,
    row_mask: Constant<Bits<16>>,
    info: Info,
    _parts: usize,
    _int8s: usize,
    _int8_parts: usize,
    _int8_lanes: usize,
    _formats: usize,
    _format_parts: usize,
    _format_lanes: usize,
}

impl<const L: usize, const V: usize> Accumulate<L, V> {
    /// The accumulate part of a plane of this machine.
    pub fn new(config: &Config) -> Self {
        let rows = config.mxm.accumulator_depth;
        let formats = Formats::of(config);
        let (any, parts) = (
            formats.any(),
            if formats.any() { WIDE_PARTS } else { PARTS },
        );
        let (format, int8) = (usize::from(any), usize::from(!any));
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_flags: Signal::default(),
            in_stream: Signal::default(),
            in_address: Signal::default(),
            in_first0: Signal::default(),
            in_last0: Signal::default(),
            in_first1: Signal::default(),
            in_last1: Signal::default(),
            in_dot_valid: Signal::default(),
            in_dot: many(int8 * L),
            in_wide_dot: many(format * L),
            in_nan: many(format),
            in_format: many(format),
            in_collision: Signal::default(),
            out_result_enable: Signal::default(),
            out_result_stream: Signal::default(),
            out_result_drive: Signal::default(),
            out_result_data: many(PARTS),
            out_result_check: many(PARTS),
            out_fault: Signal::default(),
            memory: (0..parts)
                .map(|_| SramBank::new(rows).without_collisions())
                .collect(),
            operand: (0..parts).map(|_| MuxRegister::new(3)).collect(),
            written: many(parts),
            adder: Optional::new(!any, AccumulatorAdder::default),
            format_adder: Optional::new(any, FormatAdder::default),
            nan_memory: Optional::new(any, || SramBank::new(rows).without_collisions()),
            nan_operand: Optional::new(any, || MuxRegister::new(3)),
            nan_written: Optional::new(any, PipeEnable::default),
            rounder: Optional::new(any, Rounder::default),
            encoder: ResultEncoder::default(),
            dot_1: many(int8 * L),
            dot_2: many(int8 * L),
            valid_1: Flop::default(),
            valid_2: Flop::default(),
            valid_3: Flop::default(),
            row_1: Pipe::default(),
            row_2: Pipe::default(),
            row_3: Pipe::default(),
            init_1: Pipe::default(),
            use_operand: Pipe::default(),
            use_sum: Pipe::default(),
            emit_1: Flop::default(),
            emit_2: Flop::default(),
            emit_3: Flop::default(),
            stream_1: Pipe::default(),
            stream_2: Pipe::default(),
            stream_3: Pipe::default(),
            drive_3: Flop::default(),
            start: Signal::default(),
            row: Signal::default(),
            init: Signal::default(),
            emit: Signal::default(),
            same_1: Pipe::default(),
            source_1: Pipe::default(),
            fault: Signal::default(),
            rows: Constant::new(Bits::from(rows as u64)),
            row_mask: Constant::new(Bits::from(rows as u64 - 1)),
            info: formats
                .param(Info::new("mxm_accumulate", file!()))
                .summary("Accumulator rows, their adders and the way out")
                .param("LANES", L)
                .param("ROWS", rows)
                .port("in_valid", "an operation issues: cycle a")
                .port("in_dot", "dot product, two's complement")
                .port("in_collision", "a+3: a driven cell was not free")
                .port("out_result_enable", "a+3: a result drives its streams")
                .port("out_result_stream", "the first of its four streams")
                .port("out_result_drive", "bit s: it drives stream s")
                .port("out_result_data", "its byte planes, the least first")
                .port("out_fault", "faults of this cycle, bit c for code c")
                .port("in_wide_dot", "dot product, two's complement")
                .port("in_nan", "bit n: dot product n is a NaN")
                .port("in_format", "0 int8, 1 E4M3, 2 NVFP4")
                .unused("in_stream"),
            _parts: parts,
            _int8s: int8,
            _int8_parts: int8 * PARTS,
            _int8_lanes: int8 * L,
            _formats: format,
            _format_parts: format * WIDE_PARTS,
            _format_lanes: format * L,
        }
    }
}

impl<const L: usize, const V: usize> Logic for Accumulate<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            valid_1,
            valid_2,
            valid_3,
            row_1,
            row_2,
            row_3,
            init_1,
            same_1,
            source_1,
            use_operand,
            use_sum,
            emit_1,
            emit_2,
            emit_3,
            stream_1,
            stream_2,
            stream_3,
            drive_3
        );
        self.valid_1.reset.next = self.reset.val();
        self.valid_2.reset.next = self.reset.val();
        self.valid_3.reset.next = self.reset.val();
        self.emit_1.reset.next = self.reset.val();
        self.emit_2.reset.next = self.reset.val();
        self.emit_3.reset.next = self.reset.val();
        self.drive_3.reset.next = self.reset.val();
        self.valid_1.enable.next = true;
        self.valid_2.enable.next = true;
        self.valid_3.enable.next = true;
        self.emit_1.enable.next = true;
        self.emit_2.enable.next = true;
        self.emit_3.enable.next = true;
        self.drive_3.enable.next = true;

        // a: read the row.
        self.start.next = self.in_valid.val() & self.in_dot_valid.val();
        self.row.next = self.in_address.val() & self.row_mask.val();
        self.init.next = (self.in_flags.val().get_bit(0)
            & self.in_first0.val()
            & !self.in_flags.val().get_bit(1))
            | (self.in_flags.val().get_bit(1) & self.in_first1.val())
            | (self.in_flags.val().get_bit(0) & self.in_flags.val().get_bit(1));
        self.emit.next = (self.in_flags.val().get_bit(2)
            & self.in_last0.val()
            & !self.in_flags.val().get_bit(3))
            | (self.in_flags.val().get_bit(3) & self.in_last1.val())
            | (self.in_flags.val().get_bit(2) & self.in_flags.val().get_bit(3));
        self.valid_1.d.next = self.start.val();
        self.row_1.d.next = self.row.val();
        self.init_1.d.next = self.init.val();
        self.emit_1.d.next = self.start.val() & self.emit.val();
        self.stream_1.d.next = self.in_stream.val().get_bits::<5>(0) & 0x1c;

        // Which of the three before it in the pipeline holds the row, one cycle ahead.
        self.same_1.d.next = self.valid_1.q.val() & (self.row_1.q.val() == self.row.val());
        self.source_1.d.next = 0.into();
        if self.valid_2.q.val() & (self.row_2.q.val() == self.row.val()) {
            self.source_1.d.next = 1.into();
        } else if self.valid_3.q.val() & (self.row_3.q.val() == self.row.val()) {
            self.source_1.d.next = 2.into();
        }

        // a+1: the row, unless one of those holds it.
        self.use_sum.d.next = self.same_1.q.val() & !self.init_1.q.val();
        self.use_operand.d.next = !self.same_1.q.val() & !self.init_1.q.val();
        self.valid_2.d.next = self.valid_1.q.val();
        self.row_2.d.next = self.row_1.q.val();
        self.emit_2.d.next = self.emit_1.q.val();
        self.stream_2.d.next = self.stream_1.q.val();

        // a+2: add.
        for _i in 0..self._int8s {
            self.adder.clock.next = self.clock.val();
            self.adder.in_enable.next = self.valid_2.q.val();
            self.adder.in_use_operand.next = self.use_operand.q.val();
            self.adder.in_use_sum.next = self.use_sum.q.val();
        }
        for _i in 0..self._formats {
            self.format_adder.clock.next = self.clock.val();
            self.format_adder.in_hold[0].next = self.in_dot_valid.val();
            self.format_adder.in_hold[1].next = self.valid_1.q.val();
            self.format_adder.in_enable.next = self.valid_2.q.val();
            self.format_adder.in_use_operand.next = self.use_operand.q.val();
            self.format_adder.in_use_sum.next = self.use_sum.q.val();
        }
        self.valid_3.d.next = self.valid_2.q.val();
        self.row_3.d.next = self.row_2.q.val();
        self.emit_3.d.next = self.emit_2.q.val();
        self.stream_3.d.next = self.stream_2.q.val();
        self.drive_3.d.next = 0.into();
        if self.emit_2.q.val() {
            self.drive_3.d.next = bits::<32>(15) << self.stream_2.q.val();
        }

        // a+3: write, drive.
        for i in 0..self._parts {
            self.memory[i].clock.next = self.clock.val();
            self.memory[i].read_enable.next = self.in_valid.val();
            self.memory[i].read_address.next = self.row.val();
            self.memory[i].write_enable.next = self.valid_3.q.val();
            self.memory[i].write_address.next = self.row_3.q.val();
            self.operand[i].clock.next = self.clock.val();
            self.operand[i].enable.next = self.valid_1.q.val();
            self.operand[i].select.next = self.source_1.q.val();
            self.operand[i].d[0].next = self.memory[i].read_data.val();
            self.operand[i].d[2].next = self.written[i].q.val();
            self.written[i].clock.next = self.clock.val();
            self.written[i].enable.next = self.valid_3.q.val();
        }
        for i in 0..self._int8_parts {
            self.memory[i].write_data.next = self.adder.out_part[i].val();
            self.operand[i].d[1].next = self.adder.out_part[i].val();
            self.written[i].d.next = self.adder.out_part[i].val();
            self.adder.in_operand[i].next = self.operand[i].q.val();
        }
        for i in 0..self._format_parts {
            self.memory[i].write_data.next = self.format_adder.out_part[i].val();
            self.operand[i].d[1].next = self.format_adder.out_part[i].val();
            self.written[i].d.next = self.format_adder.out_part[i].val();
            self.format_adder.in_operand[i].next = self.operand[i].q.val();
        }
        for i in 0..self._formats {
            self.nan_memory.clock.next = self.clock.val();
            self.nan_memory.read_enable.next = self.in_valid.val();
            self.nan_memory.read_address.next = self.row.val();
            self.nan_memory.write_enable.next = self.valid_3.q.val();
            self.nan_memory.write_address.next = self.row_3.q.val();
            self.nan_memory.write_data.next = self.format_adder.out_nan.val();
            self.nan_operand.clock.next = self.clock.val();
            self.nan_operand.enable.next = self.valid_1.q.val();
            self.nan_operand.select.next = self.source_1.q.val();
            self.nan_operand.d[0].next = self.nan_memory.read_data.val();
            self.nan_operand.d[1].next = self.format_adder.out_nan.val();
            self.nan_operand.d[2].next = self.nan_written.q.val();
            self.nan_written.clock.next = self.clock.val();
            self.nan_written.enable.next = self.valid_3.q.val();
            self.nan_written.d.next = self.format_adder.out_nan.val();
            self.format_adder.in_operand_nan.next = self.nan_operand.q.val();
            self.format_adder.in_nan.next = self.in_nan[i].val();
        }
        for i in 0..4 {
            self.out_result_data[i].next = self.encoder.out_data[i].val();
            self.out_result_check[i].next = self.encoder.out_check[i].val();
        }
        for n in 0..self._int8_lanes {
            self.dot_1[n].clock.next = self.clock.val();
            self.dot_1[n].enable.next = self.in_dot_valid.val();
            self.dot_1[n].d.next = self.in_dot[n].val();
            self.dot_2[n].clock.next = self.clock.val();
            self.dot_2[n].enable.next = self.valid_1.q.val();
            self.dot_2[n].d.next = self.dot_1[n].q.val();
            self.adder.in_dot[n].next = self.dot_2[n].q.val();
            self.encoder.in_sum[n].next = self.adder.out_sum[n].val();
        }
        for n in 0..self._format_lanes {
            self.format_adder.in_dot[n].next = self.in_wide_dot[n].val();
            self.rounder.in_sum[n].next = self.format_adder.out_sum[n].val();
            self.encoder.in_sum[n].next = self.rounder.out_word[n].val();
        }
        for _i in 0..self._int8s {
            self.encoder.in_enable.next = self.emit_3.q.val();
            self.out_result_enable.next = self.emit_3.q.val();
            self.out_result_stream.next = self.stream_3.q.val();
            self.out_result_drive.next = self.drive_3.q.val();
        }

        // With formats, a+3: round; a+6: drive.
        for i in 0..self._formats {
            self.rounder.clock.next = self.clock.val();
            self.rounder.reset.next = self.reset.val();
            self.rounder.in_enable.next = self.emit_3.q.val();
            self.rounder.in_stream.next = self.stream_3.q.val();
            self.rounder.in_drive.next = self.drive_3.q.val();
            self.rounder.in_format.next = self.in_format[i].val();
            self.rounder.in_nan.next = self.format_adder.out_nan.val();
            self.encoder.in_enable.next = self.rounder.out_enable.val();
            self.out_result_enable.next = self.rounder.out_enable.val();
            self.out_result_stream.next = self.rounder.out_stream.val();
            self.out_result_drive.next = self.rounder.out_drive.val();
        }

        self.fault.next = 0.into();
        if self.in_collision.val() {
            self.fault.next = self.fault.val() | 0x02;
        }
        if self.in_valid.val() & !self.in_dot_valid.val() {
            self.fault.next = self.fault.val() | 0x04;
        }
        if self.in_valid.val() & (self.in_address.val() >= self.rows.val()) {
            self.fault.next = self.fault.val() | 0x10;
        }
        if self.in_dot_valid.val() & !self.in_valid.val() {
            self.fault.next = self.fault.val() | 0x40;
        }
        self.out_fault.next = self.fault.val();
    }
}
