//! What a pass does, at the time of each stage.

use crate::info::Info;
use crate::prim::{DelayLine, Flop, Pipe, PipeEnable, SramBank};
use lpu_isa::Config;
use lpu_isa::descriptor::DESCRIPTORS;
use lpu_isa::latency::{ALU_LATENCY, REGISTER_READ, SFU_LATENCY, VXM_OPERAND_LATENCY, vxm_result};
use rust_hdl::prelude::*;

/// Issue to P of ALU 1.
const BEHIND_SFU: usize = (VXM_OPERAND_LATENCY + ALU_LATENCY + SFU_LATENCY) as usize;
/// Issue to the sample of B for ALU 1.
const LATE: usize = (ALU_LATENCY + SFU_LATENCY) as usize;
/// Issue to the read of a register for ALU 0.
const FIRST_READ: usize = REGISTER_READ as usize;

/// What a pass does: descriptors, read when a stage needs them, and the passes under way.
///
/// ```text
/// t     in_valid, in_address; descriptor's operands read
/// t+2   how many planes A and B have; in_missing
/// t+16  B for ALU 1 sampled; t+18 its planes, in_late_missing
/// c-4   descriptor's row offset of an ALU read (its P is visible in c); c-2 its row, its operation read; c its operation
/// u-2   descriptor's result read; u register write, format; u+3 streams
/// ```
///
/// Bit k of `out_active`: a pass issued k cycles ago and has all its operands.
///
/// Parameters: F ALUs, R registers. Reset drops the passes under way; descriptors keep their values.
#[derive(LogicBlock)]
pub struct Control {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A pass issues.
    pub in_valid: Signal<In, Bit>,
    /// Its row and descriptor.
    pub in_address: Signal<In, Bits<16>>,
    /// Its stream of B.
    pub in_stream2: Signal<In, Bits<6>>,
    /// An operand is missing, t+2.
    pub in_missing: Signal<In, Bit>,
    /// B for ALU 1 is missing, t+18.
    pub in_late_missing: Signal<In, Bit>,
    /// The host writes a word of a descriptor.
    pub in_host_write: Signal<In, Bit>,
    /// Which one: 8 times the descriptor plus the word.
    pub in_host_entry: Signal<In, Bits<9>>,
    /// The word.
    pub in_host_data: Signal<In, Bits<64>>,
    /// Bit k: a pass issued k cycles ago.
    pub out_active: Signal<Out, Bits<64>>,
    /// A is one vector, t+2.
    pub out_a_one: Signal<Out, Bit>,
    /// A is a word vector, t+2.
    pub out_a_four: Signal<Out, Bit>,
    /// B for ALU 0 is one vector, t+2.
    pub out_b_one: Signal<Out, Bit>,
    /// B for ALU 0 is a word vector, t+2.
    pub out_b_four: Signal<Out, Bit>,
    /// B for ALU 1 is sampled, t+16.
    pub out_late: Signal<Out, Bit>,
    /// Its stream.
    pub out_late_stream: Signal<Out, Bits<6>>,
    /// The same, one-hot.
    pub out_late_select: Signal<Out, Bits<64>>,
    /// It is one vector, t+18.
    pub out_late_one: Signal<Out, Bit>,
    /// It is a word vector, t+18.
    pub out_late_four: Signal<Out, Bit>,
    /// Format of A, t+4.
    pub out_a_format: Signal<Out, Bits<3>>,
    /// Format of B for ALU 0, t+4.
    pub out_b_format: Signal<Out, Bits<3>>,
    /// Format of B for ALU 1, t+20.
    pub out_late_format: Signal<Out, Bits<3>>,
    /// Register for A, t+5.
    pub out_a_row: Signal<Out, Bits<10>>,
    /// Each ALU: bit k, a pass k - 2 cycles after P.
    pub out_alu_enable: Vec<Signal<Out, Bits<10>>>,
    /// Each ALU: row of its register, two cycles before P.
    pub out_row: Vec<Signal<Out, Bits<10>>>,
    /// Each ALU: Y if it is a constant, with P.
    pub out_y: Vec<Signal<Out, Bits<32>>>,
    /// Each ALU: Z if it is a constant.
    pub out_z: Vec<Signal<Out, Bits<32>>>,
    /// Each ALU: what to do.
    pub out_function: Vec<Signal<Out, Bits<10>>>,
    /// Special function, t+15.
    pub out_sfu: Signal<Out, Bits<2>>,
    /// Writes a register, u.
    pub out_write: Signal<Out, Bit>,
    /// Which one.
    pub out_write_row: Signal<Out, Bits<10>>,
    /// Stages of the conversion of the result: bit k, u+k.
    pub out_out_enable: Signal<Out, Bits<3>>,
    /// Format of the result, u.
    pub out_out_format: Signal<Out, Bits<3>>,
    /// There is a result for the streams, u+3.
    pub out_result: Signal<Out, Bit>,
    /// It has two planes.
    pub out_two: Signal<Out, Bit>,
    /// It has four planes.
    pub out_four: Signal<Out, Bit>,
    /// Its first stream.
    pub out_stream: Signal<Out, Bits<6>>,
    operands: SramBank<20>,
    results: SramBank<20>,
    offsets: Vec<SramBank<11>>,
    functions: Vec<SramBank<46>>,
    active: Flop<Bits<64>>,
    row_1: Pipe<Bits<10>>,
    a_2: Pipe<Bits<3>>,
    b_2: Pipe<Bits<4>>,
    sfu_2: Pipe<Bits<2>>,
    a_row_2: Pipe<Bits<10>>,
    a_4: DelayLine<Bits<3>>,
    b_4: DelayLine<Bits<4>>,
    b_16: DelayLine<Bits<4>>,
    b_18: DelayLine<Bits<4>>,
    b_20: DelayLine<Bits<4>>,
    a_row_5: DelayLine<Bits<10>>,
    sfu_15: DelayLine<Bits<2>>,
    stream_15: DelayLine<Bits<6>>,
    stream_16: Pipe<Bits<6>>,
    select_16: Pipe<Bits<64>>,
    before_offset: Vec<DelayLine<Bits<16>>>,
    after_offset: Vec<DelayLine<Bits<16>>>,
    before_function: Vec<DelayLine<Bits<16>>>,
    row: Vec<PipeEnable<Bits<10>>>,
    y: Vec<PipeEnable<Bits<32>>>,
    z: Vec<PipeEnable<Bits<32>>>,
    function: Vec<PipeEnable<Bits<10>>>,
    before_result: DelayLine<Bits<16>>,
    result_row: Pipe<Bits<10>>,
    result_u: Pipe<Bits<10>>,
    write_row: Pipe<Bits<10>>,
    emits: Flop<Bits<4>>,
    result_out: DelayLine<Bits<9>>,
    words: Signal<Local, Bits<8>>,
    descriptor: Signal<Local, Bits<16>>,
    y_code: Signal<Local, Bits<3>>,
    z_code: Signal<Local, Bits<3>>,
    fields: Signal<Local, Bits<46>>,
    next: Signal<Local, Bits<64>>,
    first: Signal<Local, Bits<64>>,
    operand_word: Signal<Local, Bits<20>>,
    result_word: Signal<Local, Bits<20>>,
    at: Vec<Signal<Local, Bits<14>>>,
    last: Signal<Local, Bits<8>>,
    row_mask: Constant<Bits<10>>,
    info: Info,
    _alus: usize,
}

impl Control {
    /// The control of this machine's vector unit.
    pub fn new(config: &Config) -> Self {
        let vxm = config.vxm.as_ref().expect("a machine with a vector unit");
        let (alus, rows) = (vxm.alus, vxm.registers);
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        // Issue to the visible P of each ALU, and to the read of its operation.
        let p = |j: usize| match j {
            0 => VXM_OPERAND_LATENCY as usize,
            _ => BEHIND_SFU + (j - 1) * ALU_LATENCY as usize,
        };
        let before_offset = (0..alus).map(|j| {
            let before = if j == 0 { 0 } else { p(j - 1) - 2 };
            DelayLine::new(p(j) - 4 - before)
        });
        let u = vxm_result(alus) as usize;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_address: Signal::default(),
            in_stream2: Signal::default(),
            in_missing: Signal::default(),
            in_late_missing: Signal::default(),
            in_host_write: Signal::default(),
            in_host_entry: Signal::default(),
            in_host_data: Signal::default(),
            out_active: Signal::default(),
            out_a_one: Signal::default(),
            out_a_four: Signal::default(),
            out_b_one: Signal::default(),
            out_b_four: Signal::default(),
            out_late: Signal::default(),
            out_late_stream: Signal::default(),
            out_late_select: Signal::default(),
            out_late_one: Signal::default(),
            out_late_four: Signal::default(),
            out_a_format: Signal::default(),
            out_b_format: Signal::default(),
            out_late_format: Signal::default(),
            out_a_row: Signal::default(),
            out_alu_enable: many(alus),
            out_row: many(alus),
            out_y: many(alus),
            out_z: many(alus),
            out_function: many(alus),
            out_sfu: Signal::default(),
            out_write: Signal::default(),
            out_write_row: Signal::default(),
            out_out_enable: Signal::default(),
            out_out_format: Signal::default(),
            out_result: Signal::default(),
            out_two: Signal::default(),
            out_four: Signal::default(),
            out_stream: Signal::default(),
            operands: SramBank::new(DESCRIPTORS).without_collisions(),
            results: SramBank::new(DESCRIPTORS).without_collisions(),
            offsets: (0..alus)
                .map(|_| SramBank::new(DESCRIPTORS).without_collisions())
                .collect(),
            functions: (0..alus)
                .map(|_| SramBank::new(DESCRIPTORS).without_collisions())
                .collect(),
            active: Flop::default(),
            row_1: Pipe::default(),
            a_2: Pipe::default(),
            b_2: Pipe::default(),
            sfu_2: Pipe::default(),
            a_row_2: Pipe::default(),
            a_4: DelayLine::new(2),
            b_4: DelayLine::new(2),
            b_16: DelayLine::new(LATE - 4),
            b_18: DelayLine::new(2),
            b_20: DelayLine::new(2),
            a_row_5: DelayLine::new(FIRST_READ - 2),
            sfu_15: DelayLine::new((VXM_OPERAND_LATENCY + ALU_LATENCY) as usize - 2),
            stream_15: DelayLine::new(LATE - 1),
            stream_16: Pipe::default(),
            select_16: Pipe::default(),
            before_offset: before_offset.collect(),
            after_offset: (0..alus).map(|_| DelayLine::new(1)).collect(),
            before_function: (0..alus).map(|_| DelayLine::new(1)).collect(),
            row: many(alus),
            y: many(alus),
            z: many(alus),
            function: many(alus),
            before_result: DelayLine::new(u - 2 - (p(alus - 1) - 2)),
            result_row: Pipe::default(),
            result_u: Pipe::default(),
            write_row: Pipe::default(),
            emits: Flop::default(),
            result_out: DelayLine::new(3),
            words: Signal::default(),
            descriptor: Signal::default(),
            y_code: Signal::default(),
            z_code: Signal::default(),
            fields: Signal::default(),
            next: Signal::default(),
            first: Signal::default(),
            operand_word: Signal::default(),
            result_word: Signal::default(),
            at: many(alus),
            last: Signal::default(),
            row_mask: Constant::new(Bits::from(rows as u64 - 1)),
            info: Info::new("vxm_control", file!())
                .summary("What a pass does, at the time of each stage")
                .param("ALUS", alus)
                .param("ROWS", rows)
                .port("in_valid", "a pass issues: t")
                .port("in_address", "bits 9:0 row, 15:10 descriptor")
                .port("in_missing", "t+2")
                .port("in_late_missing", "t+18")
                .port("in_host_entry", "8 x descriptor + word")
                .port("out_active", "bit k: a pass issued k cycles ago")
                .port("out_a_one", "t+2")
                .port("out_late", "t+16")
                .port("out_late_one", "t+18")
                .port("out_a_format", "t+4")
                .port("out_late_format", "t+20")
                .port("out_a_row", "t+5")
                .port("out_alu_enable", "bit k: k - 2 cycles after P")
                .port("out_row", "two cycles before P")
                .port("out_y", "with P")
                .port("out_sfu", "t+15")
                .port("out_write", "u = t + 15 + 8 ALUS")
                .port("out_out_enable", "bit k: u+k")
                .port("out_result", "u+3"),
            _alus: alus,
        }
    }
}

impl Logic for Control {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            operands,
            results,
            active,
            row_1,
            a_2,
            b_2,
            sfu_2,
            a_row_2,
            a_4,
            b_4,
            b_16,
            b_18,
            b_20,
            a_row_5,
            sfu_15,
            stream_15,
            stream_16,
            select_16,
            before_result,
            result_row,
            result_u,
            write_row,
            emits,
            result_out
        );
        self.active.reset.next = self.reset.val();
        self.emits.reset.next = self.reset.val();

        // The host's words.
        self.words.next = 0.into();
        if self.in_host_write.val() {
            self.words.next = bits::<8>(1) << self.in_host_entry.val().get_bits::<3>(0);
        }
        self.descriptor.next = bit_cast::<16, 6>(self.in_host_entry.val().get_bits::<6>(3));
        self.operands.write_enable.next = self.words.val().get_bit(0);
        self.operands.write_address.next = self.descriptor.val();
        self.operands.write_data.next =
            bit_cast::<20, 10>(self.in_host_data.val().get_bits::<10>(0))
                | (bit_cast::<20, 10>(self.in_host_data.val().get_bits::<10>(20)) << 10);
        self.results.write_enable.next = self.words.val().get_bit(0);
        self.results.write_address.next = self.descriptor.val();
        self.results.write_data.next =
            bit_cast::<20, 10>(self.in_host_data.val().get_bits::<10>(10))
                | (bit_cast::<20, 10>(self.in_host_data.val().get_bits::<10>(30)) << 10);

        // Bits 9:0 as `ChainAlu` takes them; then for Y and Z whether it is 1.0 or -0.0, and which; then K.
        self.y_code.next = self.in_host_data.val().get_bits::<3>(4);
        self.z_code.next = self.in_host_data.val().get_bits::<3>(7);
        self.fields.next = (bit_cast::<46, 32>(self.in_host_data.val().get_bits::<32>(32)) << 14)
            | bit_cast::<46, 3>(self.in_host_data.val().get_bits::<3>(0))
            | (bit_cast::<46, 3>(self.in_host_data.val().get_bits::<3>(10)) << 3);
        if self.y_code.val().get_bit(2) {
            self.fields.next = self.fields.val()
                | (bit_cast::<46, 1>(self.y_code.val().get_bits::<1>(0)) << 11)
                | 0x400;
        } else {
            self.fields.next =
                self.fields.val() | (bit_cast::<46, 2>(self.y_code.val().get_bits::<2>(0)) << 6);
        }
        if self.z_code.val().get_bit(2) {
            self.fields.next = self.fields.val()
                | (bit_cast::<46, 1>(self.z_code.val().get_bits::<1>(0)) << 13)
                | 0x1000;
        } else {
            self.fields.next =
                self.fields.val() | (bit_cast::<46, 2>(self.z_code.val().get_bits::<2>(0)) << 8);
        }

        // Passes under way.
        self.first.next = 0.into();
        if self.in_valid.val() {
            self.first.next = 2.into();
        }
        self.next.next = (self.active.q.val() << 1) | self.first.val();
        self.active.enable.next = true;
        self.active.d.next = self.next.val();
        if self.in_missing.val() & self.in_late_missing.val() {
            self.active.d.next = self.next.val() & 0xffff_ffff_fff7_fff7u64;
        } else if self.in_missing.val() {
            self.active.d.next = self.next.val() & 0xffff_ffff_ffff_fff7u64;
        } else if self.in_late_missing.val() {
            self.active.d.next = self.next.val() & 0xffff_ffff_fff7_ffffu64;
        }
        self.out_active.next = self.active.q.val();

        // Operands.
        self.operands.read_enable.next = self.in_valid.val();
        self.operands.read_address.next =
            bit_cast::<16, 6>(self.in_address.val().get_bits::<6>(10));
        self.operand_word.next = self.operands.read_data.val();
        self.row_1.d.next = self.in_address.val().get_bits::<10>(0);
        self.a_2.d.next = self.operand_word.val().get_bits::<3>(0);
        self.b_2.d.next = self.operand_word.val().get_bits::<4>(3);
        self.sfu_2.d.next = self.operand_word.val().get_bits::<2>(7);
        self.a_row_2.d.next =
            (self.row_1.q.val() + self.operand_word.val().get_bits::<10>(10)) & self.row_mask.val();
        self.out_a_one.next = (self.a_2.q.val() == 3) | (self.a_2.q.val() == 4);
        self.out_a_four.next = (self.a_2.q.val() == 1) | (self.a_2.q.val() == 2);
        self.out_b_one.next = (self.b_2.q.val() == 3) | (self.b_2.q.val() == 4);
        self.out_b_four.next = (self.b_2.q.val() == 1) | (self.b_2.q.val() == 2);
        self.a_4.d.next = self.a_2.q.val();
        self.b_4.d.next = self.b_2.q.val();
        self.out_a_format.next = self.a_4.q.val();
        self.out_b_format.next = self.b_4.q.val().get_bits::<3>(0);
        self.a_row_5.d.next = self.a_row_2.q.val();
        self.out_a_row.next = self.a_row_5.q.val();
        self.sfu_15.d.next = self.sfu_2.q.val();
        self.out_sfu.next = self.sfu_15.q.val();

        // B for ALU 1.
        self.stream_15.d.next = self.in_stream2.val();
        self.stream_16.d.next = self.stream_15.q.val();
        self.select_16.d.next = bits::<64>(1) << self.stream_15.q.val();
        self.out_late_stream.next = self.stream_16.q.val();
        self.out_late_select.next = self.select_16.q.val();
        self.b_16.d.next = self.b_4.q.val();
        self.out_late.next = self.active.q.val().get_bit(16)
            & self.b_16.q.val().get_bit(3)
            & self.b_16.q.val().get_bits::<3>(0).any();
        self.b_18.d.next = self.b_16.q.val();
        self.out_late_one.next = (self.b_18.q.val() == 11) | (self.b_18.q.val() == 12);
        self.out_late_four.next = (self.b_18.q.val() == 9) | (self.b_18.q.val() == 10);
        self.b_20.d.next = self.b_18.q.val();
        self.out_late_format.next = self.b_20.q.val().get_bits::<3>(0);

        // Each ALU: bit k of `at` is cycle c-4+k.
        self.at[0].next = self.active.q.val().get_bits::<14>(3);
        self.last.next = 0.into();
        self.before_offset[0].d.next = self.in_address.val();
        for j in 1..self._alus {
            self.at[j].next = self.active.q.val().get_bits::<14>(j * 8 + 11);
            self.before_offset[j].d.next = self.before_function[j - 1].q.val();
        }
        self.before_result.d.next = 0.into();
        for j in 0..self._alus {
            self.last.next = self.active.q.val().get_bits::<8>(j * 8 + 21);
            self.before_result.d.next = self.before_function[j].q.val();
            self.before_offset[j].clock.next = self.clock.val();
            self.after_offset[j].clock.next = self.clock.val();
            self.before_function[j].clock.next = self.clock.val();
            self.offsets[j].clock.next = self.clock.val();
            self.offsets[j].write_enable.next = self.words.val().get_bit(j + 1);
            self.offsets[j].write_address.next = self.descriptor.val();
            self.offsets[j].write_data.next = self.in_host_data.val().get_bits::<11>(13);
            self.offsets[j].read_enable.next = self.at[j].val().get_bit(0);
            self.offsets[j].read_address.next = self.before_offset[j].q.val() >> 10;
            self.after_offset[j].d.next = self.before_offset[j].q.val();
            self.row[j].clock.next = self.clock.val();
            self.row[j].enable.next = self.at[j].val().get_bit(1);
            self.row[j].d.next = (self.after_offset[j].q.val().get_bits::<10>(0)
                + self.offsets[j].read_data.val().get_bits::<10>(0))
                & self.row_mask.val();
            if self.offsets[j].read_data.val().get_bit(10) {
                self.row[j].d.next =
                    self.offsets[j].read_data.val().get_bits::<10>(0) & self.row_mask.val();
            }
            self.out_row[j].next = self.row[j].q.val();
            self.before_function[j].d.next = self.after_offset[j].q.val();
            self.functions[j].clock.next = self.clock.val();
            self.functions[j].write_enable.next = self.words.val().get_bit(j + 1);
            self.functions[j].write_address.next = self.descriptor.val();
            self.functions[j].write_data.next = self.fields.val();
            self.functions[j].read_enable.next = self.at[j].val().get_bit(2);
            self.functions[j].read_address.next = self.before_function[j].q.val() >> 10;
            self.y[j].clock.next = self.clock.val();
            self.y[j].enable.next = self.at[j].val().get_bit(3);
            self.y[j].d.next = self.functions[j].read_data.val().get_bits::<32>(14);
            if self.functions[j].read_data.val().get_bits::<2>(10) == 1 {
                self.y[j].d.next = 0x3f80_0000.into();
            } else if self.functions[j].read_data.val().get_bits::<2>(10) == 3 {
                self.y[j].d.next = 0x8000_0000u64.into();
            }
            self.z[j].clock.next = self.clock.val();
            self.z[j].enable.next = self.at[j].val().get_bit(3);
            self.z[j].d.next = self.functions[j].read_data.val().get_bits::<32>(14);
            if self.functions[j].read_data.val().get_bits::<2>(12) == 1 {
                self.z[j].d.next = 0x3f80_0000.into();
            } else if self.functions[j].read_data.val().get_bits::<2>(12) == 3 {
                self.z[j].d.next = 0x8000_0000u64.into();
            }
            self.out_y[j].next = self.y[j].q.val();
            self.out_z[j].next = self.z[j].q.val();
            self.function[j].clock.next = self.clock.val();
            self.function[j].enable.next = self.at[j].val().get_bit(3);
            self.function[j].d.next = self.functions[j].read_data.val().get_bits::<10>(0);
            self.out_function[j].next = self.function[j].q.val();
            self.out_alu_enable[j].next = self.at[j].val().get_bits::<10>(2);
        }

        // The result: bit k of `last` is cycle u-2+k.
        self.results.read_enable.next = self.last.val().get_bit(0);
        self.results.read_address.next =
            bit_cast::<16, 6>(self.before_result.q.val().get_bits::<6>(10));
        self.result_row.d.next = self.before_result.q.val().get_bits::<10>(0);
        self.result_word.next = self.results.read_data.val();
        self.result_u.d.next = self.result_word.val().get_bits::<10>(0);
        self.write_row.d.next = (self.result_row.q.val()
            + self.result_word.val().get_bits::<10>(10))
            & self.row_mask.val();
        self.out_write.next = self.last.val().get_bit(2) & self.result_u.q.val().get_bit(0);
        self.out_write_row.next = self.write_row.q.val();
        self.out_out_format.next = self.result_u.q.val().get_bits::<3>(1);
        self.emits.enable.next = true;
        self.emits.d.next = self.emits.q.val() << 1;
        if self.last.val().get_bit(1) & self.result_word.val().get_bits::<3>(1).any() {
            self.emits.d.next = (self.emits.q.val() << 1) | 1;
        }
        self.out_out_enable.next = self.emits.q.val().get_bits::<3>(0);
        self.out_result.next = self.emits.q.val().get_bit(3);
        self.result_out.d.next = self.result_u.q.val().get_bits::<9>(1);
        self.out_two.next = self.result_out.q.val().get_bits::<3>(0) == 5;
        self.out_four.next = (self.result_out.q.val().get_bits::<3>(0) == 1)
            | (self.result_out.q.val().get_bits::<3>(0) == 2);
        self.out_stream.next = self.result_out.q.val().get_bits::<6>(3);
    }
}
