//! The compute part of a plane: activations from a stream or the operand buffer to the array.

use super::formats::{FormatPipeline, Formats, ScaleOperand};
use super::{ActivationDecoder, Array};
use crate::ecc::EccCounter;
use crate::info::Info;
use crate::prim::{Flop, MuxRegister, Optional, Pipe, PipeEnable, SramBank};
use crate::stream::OperandSelect;
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The compute part of a plane: activations from a stream or the operand buffer to the array.
///
/// ```text
/// cycle          t        t+1       t+2       t+3      t+4       t+5 ..        t+5+log2 L
/// MM, stream     select             decode             x         products      dot
/// MM, buffer     RAM read operand   decode             x         products      dot
/// LX             select             RAM write
/// fault          range              missing            ECC
/// ```
///
/// The buffer holds vectors as they came, with their check bits. It is read in the issue cycle of the MM; the row that an
/// LX of two cycles earlier writes in that cycle is taken from the write port. So it is read as of cycle t+1, and no word is
/// ever needed from the RAM while it is written.
///
/// In a machine with formats, [`FormatPipeline`] says which format is where; with NVFP4, [`ScaleOperand`] brings the scales of an
/// activation, without which an operation that asks for them has no effect.
///
/// Parameters: L lanes, S streams, X rows (a power of two, 2 to 4096), formats. Latency: `mm_latency` to `out_dot_valid`. Reset clears
/// what is under way; the buffer keeps its rows.
#[derive(LogicBlock)]
pub struct Compute<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Clears the counters.
    pub in_clear: Signal<In, Bit>,
    /// Bit 0: LX issues; bit 1: MM.
    pub in_operation: Signal<In, Bits<2>>,
    /// Its flags.
    pub in_flags: Signal<In, Bits<4>>,
    /// Its stream.
    pub in_select: Signal<In, Bits<64>>,
    /// Its row of the operand buffer.
    pub in_address: Signal<In, Bits<16>>,
    /// The stream of its scales.
    pub in_select2: Vec<Signal<In, Bits<64>>>,
    /// The format of the active weights.
    pub in_format: Vec<Signal<In, Bits<2>>>,
    /// Data of the eastward streams.
    pub in_east_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<L>>>,
    /// Their valid bits.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// The activation.
    pub out_x: Vec<Signal<Out, Bits<8>>>,
    /// Enables of the array: products (0), adder levels.
    pub out_enable: Vec<Signal<Out, Bit>>,
    /// Dot products are visible.
    pub out_dot_valid: Signal<Out, Bit>,
    /// NVFP4 enters stage j of the array.
    pub out_block: Vec<Signal<Out, Bit>>,
    /// The format of the dot products.
    pub out_dot_format: Vec<Signal<Out, Bits<2>>>,
    /// The codeword with the scales of the activation.
    pub out_scale: Vec<Signal<Out, Bits<64>>>,
    /// It has scales.
    pub out_scaled: Vec<Signal<Out, Bit>>,
    /// Faults of this cycle, bit c for code c.
    pub out_fault: Signal<Out, Bits<8>>,
    /// Codewords corrected.
    pub out_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords.
    pub out_ecc_uncorrectable: Signal<Out, Bits<32>>,
    select: OperandSelect<L, V>,
    buffer_data: SramBank<V>,
    buffer_check: SramBank<L>,
    written_data: PipeEnable<Bits<V>>,
    written_check: PipeEnable<Bits<L>>,
    buffered_data: MuxRegister<Bits<V>>,
    buffered_check: MuxRegister<Bits<L>>,
    decoder: ActivationDecoder<L, V>,
    formats: Optional<FormatPipeline>,
    scales: Optional<ScaleOperand>,
    counter: EccCounter,
    load_1: Flop<Bit>,
    load_2: Flop<Bit>,
    row_1: Pipe<Bits<16>>,
    row_2: Pipe<Bits<16>>,
    multiply_1: Flop<Bit>,
    multiply_2: Flop<Bit>,
    buffer_1: Flop<Bit>,
    buffer_2: Flop<Bit>,
    forward: Pipe<Bits<6>>,
    stage: Vec<Flop<Bit>>,
    load: Signal<Local, Bit>,
    multiply: Signal<Local, Bit>,
    from_buffer: Signal<Local, Bit>,
    row: Signal<Local, Bits<16>>,
    write: Signal<Local, Bit>,
    hit: Signal<Local, Bit>,
    operand: Signal<Local, Bits<V>>,
    operand_check: Signal<Local, Bits<L>>,
    fault: Signal<Local, Bits<8>>,
    rows: Constant<Bits<16>>,
    row_mask: Constant<Bits<16>>,
    info: Info,
    _streams: usize,
    _lanes: usize,
    _stages: usize,
    _formats: usize,
    _blocks: usize,
    _scales: usize,
}

impl<const L: usize, const V: usize> Compute<L, V> {
    /// The compute part of a plane of this machine.
    pub fn new(config: &Config) -> Self {
        let (streams, rows) = (config.streams, config.mxm.operand_depth);
        let formats = Formats::of(config);
        let (format, scales) = (usize::from(formats.any()), usize::from(formats.nvfp4));
        let blocks = formats.block_stages();
        let stages = match formats.any() {
            true => formats.stages(L),
            false => Array::<L, V>::LATENCY,
        };
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_clear: Signal::default(),
            in_operation: Signal::default(),
            in_flags: Signal::default(),
            in_select: Signal::default(),
            in_address: Signal::default(),
            in_select2: many(scales),
            in_format: many(format),
            in_east_data: many(streams),
            in_east_check: many(streams),
            in_east_valid: many(streams),
            out_x: many(L),
            out_enable: many(stages),
            out_dot_valid: Signal::default(),
            out_block: many(blocks),
            out_dot_format: many(format),
            out_scale: many(scales),
            out_scaled: many(scales),
            out_fault: Signal::default(),
            out_ecc_corrected: Signal::default(),
            out_ecc_uncorrectable: Signal::default(),
            select: OperandSelect::new(streams),
            buffer_data: SramBank::new(rows).without_collisions(),
            buffer_check: SramBank::new(rows).without_collisions(),
            written_data: PipeEnable::default(),
            written_check: PipeEnable::default(),
            buffered_data: MuxRegister::new(2),
            buffered_check: MuxRegister::new(2),
            decoder: ActivationDecoder::default(),
            formats: Optional::new(formats.any(), || FormatPipeline::new(L, formats)),
            scales: Optional::new(formats.nvfp4, || ScaleOperand::new(config)),
            counter: EccCounter::default(),
            load_1: Flop::default(),
            load_2: Flop::default(),
            row_1: Pipe::default(),
            row_2: Pipe::default(),
            multiply_1: Flop::default(),
            multiply_2: Flop::default(),
            buffer_1: Flop::default(),
            buffer_2: Flop::default(),
            forward: Pipe::default(),
            stage: many(stages),
            load: Signal::default(),
            multiply: Signal::default(),
            from_buffer: Signal::default(),
            row: Signal::default(),
            write: Signal::default(),
            hit: Signal::default(),
            operand: Signal::default(),
            operand_check: Signal::default(),
            fault: Signal::default(),
            rows: Constant::new(Bits::from(rows as u64)),
            row_mask: Constant::new(Bits::from(rows as u64 - 1)),
            info: formats
                .param(Info::new("mxm_compute", file!()))
                .summary("Activations from a stream or the operand buffer to the array")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("ROWS", rows)
                .port("in_operation", "bit 0 LX, bit 1 MM: cycle t")
                .port("in_select", "one-hot by code")
                .unused("in_select")
                .port("out_x", "t+4: activation, int8")
                .port("out_enable", "t+4: products, then adder levels")
                .port("out_dot_valid", "dot products are visible")
                .port("out_fault", "faults of this cycle, bit c for code c")
                .port("in_select2", "one-hot by code")
                .unused("in_select2")
                .port("in_format", "0 int8, 1 E4M3, 2 NVFP4")
                .port("out_block", "j: NVFP4 enters stage j")
                .port("out_dot_format", "with the dot products")
                .port("out_scale", "t+4: lane g: scale of block g")
                .port("out_scaled", "t+4: the activation has scales")
                .unused("in_flags"),
            _streams: streams,
            _lanes: L,
            _stages: stages,
            _formats: format,
            _blocks: blocks,
            _scales: scales,
        }
    }
}

impl<const L: usize, const V: usize> Logic for Compute<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            select,
            buffer_data,
            buffer_check,
            written_data,
            written_check,
            buffered_data,
            buffered_check,
            decoder,
            counter,
            load_1,
            load_2,
            row_1,
            row_2,
            multiply_1,
            multiply_2,
            buffer_1,
            buffer_2,
            forward
        );
        self.select.reset.next = self.reset.val();
        self.decoder.reset.next = self.reset.val();
        self.counter.reset.next = self.reset.val();
        self.load_1.reset.next = self.reset.val();
        self.load_2.reset.next = self.reset.val();
        self.multiply_1.reset.next = self.reset.val();
        self.multiply_2.reset.next = self.reset.val();
        self.buffer_1.reset.next = self.reset.val();
        self.buffer_2.reset.next = self.reset.val();
        self.load_1.enable.next = true;
        self.load_2.enable.next = true;
        self.multiply_1.enable.next = true;
        self.multiply_2.enable.next = true;
        self.buffer_1.enable.next = true;
        self.buffer_2.enable.next = true;

        // t: select a stream, or read the buffer.
        self.load.next = self.in_operation.val().get_bit(0);
        self.from_buffer.next = self.in_operation.val().get_bit(1) & self.in_flags.val().get_bit(0);
        self.multiply.next = self.in_operation.val().get_bit(1) & !self.in_flags.val().get_bit(0);
        self.row.next = self.in_address.val() & self.row_mask.val();
        for s in 0..self._streams {
            self.select.in_data[s].next = self.in_east_data[s].val();
            self.select.in_check[s].next = self.in_east_check[s].val();
            self.select.in_valid[s].next = self.in_east_valid[s].val();
        }
        self.select.in_select.next = self.in_select.val();
        self.select.in_enable.next = self.load.val() | self.multiply.val();
        self.load_1.d.next = self.load.val();
        self.row_1.d.next = self.row.val();
        self.multiply_1.d.next = self.multiply.val();
        self.buffer_1.d.next = self.from_buffer.val();

        // t+1
        self.load_2.d.next = self.load_1.q.val();
        self.row_2.d.next = self.row_1.q.val();
        self.multiply_2.d.next = self.multiply_1.q.val();
        self.buffer_2.d.next = self.buffer_1.q.val();

        // LX, t+2: write the buffer.
        self.write.next = self.load_2.q.val() & self.select.out_valid.val();
        for f in 0..self._scales {
            if !self.scales.out_present.val() {
                self.write.next = false;
            }
            self.out_scaled[f].next = self.scales.out_valid.val();
        }
        self.buffer_data.write_enable.next = self.write.val();
        self.buffer_data.write_address.next = self.row_2.q.val();
        self.buffer_data.write_data.next = self.select.out_data.val();
        self.buffer_check.write_enable.next = self.write.val();
        self.buffer_check.write_address.next = self.row_2.q.val();
        self.buffer_check.write_data.next = self.select.out_check.val();

        // MM, t: read the buffer, or what is being written to that row; t+1: either into the operand.
        self.buffer_data.read_enable.next = self.from_buffer.val();
        self.buffer_data.read_address.next = self.row.val();
        self.buffer_check.read_enable.next = self.from_buffer.val();
        self.buffer_check.read_address.next = self.row.val();
        self.hit.next = self.write.val() & (self.row_2.q.val() == self.row.val());
        self.written_data.enable.next = self.from_buffer.val() & self.hit.val();
        self.written_data.d.next = self.select.out_data.val();
        self.written_check.enable.next = self.from_buffer.val() & self.hit.val();
        self.written_check.d.next = self.select.out_check.val();
        self.forward.d.next = 0.into();
        if self.hit.val() {
            self.forward.d.next = 1.into();
        }
        self.buffered_data.enable.next = self.buffer_1.q.val();
        self.buffered_data.select.next = self.forward.q.val();
        self.buffered_data.d[0].next = self.buffer_data.read_data.val();
        self.buffered_data.d[1].next = self.written_data.q.val();
        self.buffered_check.enable.next = self.buffer_1.q.val();
        self.buffered_check.select.next = self.forward.q.val();
        self.buffered_check.d[0].next = self.buffer_check.read_data.val();
        self.buffered_check.d[1].next = self.written_check.q.val();

        // MM, t+2: decode.
        self.operand.next = self.select.out_data.val();
        self.operand_check.next = self.select.out_check.val();
        if self.buffer_2.q.val() {
            self.operand.next = self.buffered_data.q.val();
            self.operand_check.next = self.buffered_check.q.val();
        }
        self.decoder.in_valid.next =
            self.buffer_2.q.val() | (self.multiply_2.q.val() & self.select.out_valid.val());
        for f in 0..self._scales {
            if !self.scales.out_present.val() {
                self.decoder.in_valid.next = false;
            }
            self.out_scale[f].next = self.scales.out_data.val();
        }
        self.decoder.in_data.next = self.operand.val();
        self.decoder.in_check.next = self.operand_check.val();

        // Scales: flag 0 of LX, flag 1 of MM.
        for f in 0..self._scales {
            self.scales.clock.next = self.clock.val();
            self.scales.reset.next = self.reset.val();
            self.scales.in_issue.next = (self.load.val() & self.in_flags.val().get_bit(0))
                | (self.multiply.val() & self.in_flags.val().get_bit(1));
            self.scales.in_select.next = self.in_select2[f].val();
            self.scales.in_buffer.next = self.from_buffer.val() & self.in_flags.val().get_bit(1);
            self.scales.in_row.next = self.row.val();
            self.scales.in_hit.next = self.row_2.q.val() == self.row.val();
            self.scales.in_write.next = self.load_2.q.val() & self.select.out_valid.val();
            self.scales.in_write_row.next = self.row_2.q.val();
            self.scales.in_multiply.next = self.multiply_2.q.val() & self.select.out_valid.val();
            for s in 0..self._streams {
                self.scales.in_east_data[s].next = self.in_east_data[s].val().get_bits::<64>(0);
                self.scales.in_east_check[s].next = self.in_east_check[s].val().get_bits::<8>(0);
                self.scales.in_east_valid[s].next = self.in_east_valid[s].val();
            }
        }

        // MM, t+4 on: through the array.
        for k in 0..self._lanes {
            self.out_x[k].next = self.decoder.out_x[k].val();
        }
        for j in 0..self._stages {
            self.stage[j].clock.next = self.clock.val();
            self.stage[j].reset.next = self.reset.val();
            self.stage[j].enable.next = true;
        }
        self.stage[0].d.next = self.decoder.out_valid.val();
        self.out_enable[0].next = self.decoder.out_valid.val();
        for j in 1..self._stages {
            self.stage[j].d.next = self.stage[j - 1].q.val();
            self.out_enable[j].next = self.stage[j - 1].q.val();
        }
        self.out_dot_valid.next = false;
        for j in 0..self._stages {
            self.out_dot_valid.next = self.stage[j].q.val();
        }

        for f in 0..self._formats {
            self.formats.clock.next = self.clock.val();
            self.formats.reset.next = self.reset.val();
            self.formats.in_valid.next = self.decoder.out_valid.val();
            self.formats.in_format.next = self.in_format[f].val();
            self.out_dot_format[f].next = self.formats.out_format.val();
        }
        for j in 0..self._blocks {
            self.out_block[j].next = self.formats.out_block[j].val();
        }

        self.counter.in_clear.next = self.in_clear.val();
        self.counter.in_corrected.next = bit_cast::<8, 4>(self.decoder.out_corrected.val());
        self.counter.in_uncorrectable.next = bit_cast::<8, 4>(self.decoder.out_uncorrectable.val());
        for _f in 0..self._scales {
            self.counter.in_corrected.next = bit_cast::<8, 4>(self.decoder.out_corrected.val())
                + self.scales.out_corrected.val();
            self.counter.in_uncorrectable.next =
                bit_cast::<8, 4>(self.decoder.out_uncorrectable.val())
                    + self.scales.out_uncorrectable.val();
        }
        self.out_ecc_corrected.next = self.counter.out_corrected.val();
        self.out_ecc_uncorrectable.next = self.counter.out_uncorrectable.val();

        self.fault.next = 0.into();
        if self.select.out_missing.val() {
            self.fault.next = self.fault.val() | 0x04;
        }
        if (self.load.val() | self.from_buffer.val()) & (self.in_address.val() >= self.rows.val()) {
            self.fault.next = self.fault.val() | 0x10;
        }
        if self.decoder.out_uncorrectable.val().any() {
            self.fault.next = self.fault.val() | 0x20;
        }
        for _f in 0..self._scales {
            if self.scales.out_missing.val() {
                self.fault.next = self.fault.val() | 0x04;
            }
            if self.scales.out_uncorrectable.val().any() {
                self.fault.next = self.fault.val() | 0x20;
            }
        }
        self.out_fault.next = self.fault.val();
    }
}
