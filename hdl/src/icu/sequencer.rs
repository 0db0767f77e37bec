//! Issues instructions: repeats, waits, barriers and the end.

use crate::info::Info;
use crate::prim::{Flop, Pipe, PipeEnable};
use lpu_isa::QueueKind;
use lpu_isa::instruction::encoding::opcode;
use rust_hdl::prelude::*;

/// Issues instructions: two nested repeats with affine addresses, waits, the barrier and the end.
///
/// ```text
/// clock        _/~\_/~\_/~\_/~\_/~\_/~\_/~\_/~\_
/// instruction  X READ, 2 times, every 3 X NOP 2
/// cycle         -1   0   1   2   3   4   5   6        in_launch was high in cycle -2
/// out_valid    ____/~~~\_______/~~~\____________
/// out_address      X a         X a+s
/// out_advance  ~~~~\___________/~~~\___/~~~\____        takes the instruction, which issues in the next cycle
/// ```
///
/// Everything that concerns an issue is a register visible in the issue cycle. `out_advance` depends on registers
/// only. The flags that say what the next cycle brings (a step of a repeat, the end of an
/// instruction) are computed one cycle ahead.
///
/// A queue that stands still (after reset or END) has `out_ended` high and takes the first instruction in the cycle
/// after `in_launch`. A SYNC sees `in_notify` one cycle later.
/// An interval of 0 counts as 1, and an outer interval shorter than its inner repeat as the shortest possible.
///
/// Latency: one cycle from the instruction to its issue. Reset ends the queue.
#[derive(LogicBlock)]
pub struct Sequencer {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The cycle after the next is cycle 0.
    pub in_launch: Signal<In, Bit>,
    /// Releases SYNC in the next cycle.
    pub in_notify: Signal<In, Bit>,
    /// Added to every address.
    pub in_base: Signal<In, Bits<16>>,
    /// Bits 63:0 of the next instruction.
    pub in_low: Signal<In, Bits<64>>,
    /// Bits 127:64 of the next instruction.
    pub in_high: Signal<In, Bits<64>>,
    /// There is no next instruction.
    pub in_past: Signal<In, Bit>,
    /// Takes the next instruction.
    pub out_advance: Signal<Out, Bit>,
    /// END issues: fetch from the start.
    pub out_restart: Signal<Out, Bit>,
    /// An operation issues.
    pub out_valid: Signal<Out, Bit>,
    /// One bit for each operation that the queue takes, in the order of their opcodes: it issues.
    pub out_operation: Signal<Out, Bits<2>>,
    /// Its opcode.
    pub out_opcode: Signal<Out, Bits<4>>,
    /// Its flags.
    pub out_flags: Signal<Out, Bits<4>>,
    /// Its stream; the register of CONFIG.
    pub out_stream: Signal<Out, Bits<6>>,
    /// Its second stream.
    pub out_stream2: Signal<Out, Bits<6>>,
    /// Its stream, one-hot by code.
    pub out_select: Signal<Out, Bits<64>>,
    /// Its second stream, one-hot by code.
    pub out_select2: Signal<Out, Bits<64>>,
    /// Its address; the value of CONFIG.
    pub out_address: Signal<Out, Bits<16>>,
    /// First iteration of the inner repeat.
    pub out_first0: Signal<Out, Bit>,
    /// Last iteration of the inner repeat.
    pub out_last0: Signal<Out, Bit>,
    /// First iteration of the outer repeat.
    pub out_first1: Signal<Out, Bit>,
    /// Last iteration of the outer repeat.
    pub out_last1: Signal<Out, Bit>,
    /// CONFIG issues.
    pub out_config: Signal<Out, Bit>,
    /// NOTIFY issues.
    pub out_notify: Signal<Out, Bit>,
    /// The queue has ended.
    pub out_ended: Signal<Out, Bit>,
    /// An illegal instruction issues.
    pub out_illegal: Signal<Out, Bit>,
    valid: Flop<Bit>,
    configure: Flop<Bit>,
    notify: Flop<Bit>,
    illegal: Flop<Bit>,
    restart: Flop<Bit>,
    ended: Flop<Bit>,
    waits: Flop<Bit>,
    pauses: Flop<Bit>,
    done: Flop<Bit>,
    opcode: PipeEnable<Bits<4>>,
    flags: PipeEnable<Bits<4>>,
    stream: PipeEnable<Bits<6>>,
    stream2: PipeEnable<Bits<6>>,
    select: PipeEnable<Bits<64>>,
    select2: PipeEnable<Bits<64>>,
    second: PipeEnable<Bit>,
    operation: Flop<Bits<2>>,
    stride0: PipeEnable<Bits<12>>,
    stride1: PipeEnable<Bits<16>>,
    count0: PipeEnable<Bits<16>>,
    interval0: PipeEnable<Bits<12>>,
    interval1: PipeEnable<Bits<20>>,
    single0: PipeEnable<Bit>,
    short0: PipeEnable<Bit>,
    short1: PipeEnable<Bit>,
    address: PipeEnable<Bits<16>>,
    start: PipeEnable<Bits<16>>,
    left0: PipeEnable<Bits<16>>,
    left1: PipeEnable<Bits<16>>,
    timer0: Pipe<Bits<12>>,
    timer1: PipeEnable<Bits<20>>,
    due0: Flop<Bit>,
    due1: Flop<Bit>,
    first0: Flop<Bit>,
    first1: Flop<Bit>,
    last0: Flop<Bit>,
    last1: Flop<Bit>,
    operations_set: Signal<Local, Bits<64>>,
    accepted_set: Signal<Local, Bits<64>>,
    config_code_set: Signal<Local, Bits<16>>,
    code: Signal<Local, Bits<4>>,
    wide_code: Signal<Local, Bits<6>>,
    is_operation: Signal<Local, Bit>,
    is_second: Signal<Local, Bit>,
    is_config: Signal<Local, Bit>,
    is_end: Signal<Local, Bit>,
    single_inner: Signal<Local, Bit>,
    single_outer: Signal<Local, Bit>,
    short_inner: Signal<Local, Bit>,
    short_outer: Signal<Local, Bit>,
    advance: Signal<Local, Bit>,
    waiting: Signal<Local, Bit>,
    step0: Signal<Local, Bit>,
    step1: Signal<Local, Bit>,
    augend: Signal<Local, Bits<16>>,
    addend: Signal<Local, Bits<16>>,
    operations: Constant<Bits<64>>,
    second_code: Constant<Bits<4>>,
    accepted: Constant<Bits<64>>,
    config_code: Constant<Bits<16>>,
    info: Info,
}

/// The kind of a queue in names of modules: queues that differ in what they take have different ones.
pub(super) fn kind_name(kind: QueueKind, indirect: bool) -> String {
    let direct = !indirect && matches!(kind, QueueKind::MemRead | QueueKind::MemWrite);
    format!("{kind:?}{}", if direct { "direct" } else { "" }).to_lowercase()
}

/// The opcodes of `codes` as a mask.
fn mask(codes: &[u8]) -> Bits<16> {
    Bits::from(codes.iter().fold(0u64, |mask, code| mask | 1 << code))
}

/// The same by opcode and, above it, bits 0 and 3 of the flags, which tell the operations of links from each other and from those of
/// the switch unit.
fn wide_mask(codes: &[u8], kind: QueueKind) -> Bits<64> {
    let wanted = |flags: u64| match kind {
        QueueKind::C2cSend => flags == 2,
        QueueKind::C2cReceive => flags == 3,
        _ => flags < 2,
    };
    let entries = codes
        .iter()
        .flat_map(|&code| (0..4).map(move |flags| (code, flags)));
    let entries = entries.filter(|&(code, flags)| code != opcode::EDGE || wanted(flags));
    Bits::from(entries.fold(0u64, |mask, (code, flags)| {
        mask | 1 << (code as u64 | flags << 4)
    }))
}

/// The operations a queue takes.
fn operations(kind: QueueKind, indirect: bool) -> &'static [u8] {
    use opcode::*;
    match kind {
        QueueKind::MemRead if !indirect => &[READ],
        QueueKind::MemWrite if !indirect => &[WRITE],
        QueueKind::MemRead => &[READ, GATHER],
        QueueKind::MemWrite => &[WRITE, SCATTER],
        QueueKind::MxmWeights => &[LW, IW],
        QueueKind::MxmCompute => &[LX, MM],
        QueueKind::MxmAccumulate => &[ACC],
        QueueKind::Vxm => &[VEC],
        QueueKind::Sxm | QueueKind::C2cSend | QueueKind::C2cReceive => &[EDGE],
    }
}

impl Sequencer {
    /// A sequencer that takes the instructions of a queue of this kind in a machine with GATHER and SCATTER, or without
    /// (`indirect`).
    pub fn new(kind: QueueKind, indirect: bool) -> Self {
        let operations = operations(kind, indirect);
        let configures: &[u8] = match kind {
            QueueKind::MxmWeights => &[opcode::CONFIG],
            _ => &[],
        };
        let common = [opcode::NOP, opcode::NOTIFY, opcode::SYNC, opcode::END];
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_notify: Signal::default(),
            in_base: Signal::default(),
            in_low: Signal::default(),
            in_high: Signal::default(),
            in_past: Signal::default(),
            out_advance: Signal::default(),
            out_restart: Signal::default(),
            out_valid: Signal::default(),
            out_operation: Signal::default(),
            out_opcode: Signal::default(),
            out_flags: Signal::default(),
            out_stream: Signal::default(),
            out_stream2: Signal::default(),
            out_select: Signal::default(),
            out_select2: Signal::default(),
            out_address: Signal::default(),
            out_first0: Signal::default(),
            out_last0: Signal::default(),
            out_first1: Signal::default(),
            out_last1: Signal::default(),
            out_config: Signal::default(),
            out_notify: Signal::default(),
            out_ended: Signal::default(),
            out_illegal: Signal::default(),
            valid: Flop::default(),
            configure: Flop::default(),
            notify: Flop::default(),
            illegal: Flop::default(),
            restart: Flop::default(),
            ended: Flop::new(true),
            waits: Flop::default(),
            pauses: Flop::default(),
            done: Flop::default(),
            opcode: PipeEnable::default(),
            flags: PipeEnable::default(),
            stream: PipeEnable::default(),
            stream2: PipeEnable::default(),
            select: PipeEnable::default(),
            select2: PipeEnable::default(),
            second: PipeEnable::default(),
            operation: Flop::default(),
            stride0: PipeEnable::default(),
            stride1: PipeEnable::default(),
            count0: PipeEnable::default(),
            interval0: PipeEnable::default(),
            interval1: PipeEnable::default(),
            single0: PipeEnable::default(),
            short0: PipeEnable::default(),
            short1: PipeEnable::default(),
            address: PipeEnable::default(),
            start: PipeEnable::default(),
            left0: PipeEnable::default(),
            left1: PipeEnable::default(),
            timer0: Pipe::default(),
            timer1: PipeEnable::default(),
            due0: Flop::default(),
            due1: Flop::default(),
            first0: Flop::default(),
            first1: Flop::default(),
            last0: Flop::new(true),
            last1: Flop::new(true),
            operations_set: Signal::default(),
            accepted_set: Signal::default(),
            config_code_set: Signal::default(),
            code: Signal::default(),
            wide_code: Signal::default(),
            is_operation: Signal::default(),
            is_second: Signal::default(),
            is_config: Signal::default(),
            is_end: Signal::default(),
            single_inner: Signal::default(),
            single_outer: Signal::default(),
            short_inner: Signal::default(),
            short_outer: Signal::default(),
            advance: Signal::default(),
            waiting: Signal::default(),
            step0: Signal::default(),
            step1: Signal::default(),
            augend: Signal::default(),
            addend: Signal::default(),
            operations: Constant::new(wide_mask(operations, kind)),
            second_code: Constant::new(Bits::from(u64::from(
                operations.get(1).copied().unwrap_or(opcode::NOP),
            ))),
            accepted: Constant::new(
                wide_mask(operations, kind)
                    | wide_mask(configures, kind)
                    | wide_mask(&common, kind),
            ),
            config_code: Constant::new(mask(configures)),
            info: Info::new("sequencer", file!())
                .summary("Issues instructions: repeats, waits, barriers and the end")
                .param("KIND", kind_name(kind, indirect))
                .port("in_launch", "the cycle after the next is cycle 0")
                .port("in_notify", "releases SYNC in the next cycle")
                .port("in_past", "there is no next instruction")
                .port(
                    "out_advance",
                    "takes the next instruction, which issues in the next cycle",
                )
                .port("out_valid", "an operation issues")
                .port("out_operation", "bit i: operation i of the queue")
                .port("out_stream", "bit 5 westward; the register of CONFIG")
                .port("out_select", "out_stream, one-hot")
                .port("out_select2", "out_stream2, one-hot")
                .port("out_address", "base + affine; the value of CONFIG")
                .port("out_ended", "level"),
        }
    }
}

impl Logic for Sequencer {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, valid, configure, notify, illegal, restart, ended, waits, pauses, done,
            operation, second, select, select2, opcode, flags, stream, stream2, stride0, stride1,
            count0, interval0, interval1, single0, short0, short1, address, start, left0, left1,
            timer0, timer1, due0, due1, first0, first1, last0, last1
        );
        self.valid.reset.next = self.reset.val();
        self.operation.reset.next = self.reset.val();
        self.configure.reset.next = self.reset.val();
        self.notify.reset.next = self.reset.val();
        self.illegal.reset.next = self.reset.val();
        self.restart.reset.next = self.reset.val();
        self.ended.reset.next = self.reset.val();
        self.waits.reset.next = self.reset.val();
        self.pauses.reset.next = self.reset.val();
        self.done.reset.next = self.reset.val();
        self.due0.reset.next = self.reset.val();
        self.due1.reset.next = self.reset.val();
        self.first0.reset.next = self.reset.val();
        self.first1.reset.next = self.reset.val();
        self.last0.reset.next = self.reset.val();
        self.last1.reset.next = self.reset.val();

        // The next instruction. Bits can be taken of signals only, not of constants.
        self.operations_set.next = self.operations.val();
        self.accepted_set.next = self.accepted.val();
        self.config_code_set.next = self.config_code.val();
        self.code.next = self.in_low.val().get_bits::<4>(0);
        self.wide_code.next = bit_cast::<6, 5>(self.in_low.val().get_bits::<5>(0));
        if self.in_low.val().get_bit(7) {
            self.wide_code.next = bit_cast::<6, 5>(self.in_low.val().get_bits::<5>(0)) | 0x20;
        }
        self.is_operation.next = self
            .operations_set
            .val()
            .get_bit(self.wide_code.val().index())
            & !self.in_past.val();
        self.is_second.next = self.code.val() == self.second_code.val();
        self.is_config.next =
            self.config_code_set.val().get_bit(self.code.val().index()) & !self.in_past.val();
        self.is_end.next = (self.code.val() == 15) | self.in_past.val();
        self.single_inner.next = !self.in_low.val().get_bits::<16>(48).any();
        self.single_outer.next = !self.in_high.val().get_bits::<16>(0).any();
        self.short_inner.next = !self.in_high.val().get_bits::<11>(17).any();
        self.short_outer.next = !self.in_high.val().get_bits::<19>(29).any();

        // This instruction.
        self.advance.next = self.done.q.val();
        self.step0.next = self.due0.q.val() & !self.last0.q.val();
        self.step1.next = self.due1.q.val() & self.last0.q.val() & !self.last1.q.val();
        self.out_advance.next = self.advance.val();

        // One adder for the three ways to an address.
        self.augend.next = self.address.q.val();
        self.addend.next = bit_cast::<16, 12>(self.stride0.q.val());
        if self.stride0.q.val().get_bit(11) {
            self.addend.next = bit_cast::<16, 12>(self.stride0.q.val()) | 0xf000;
        }
        if self.step1.val() {
            self.augend.next = self.start.q.val();
            self.addend.next = self.stride1.q.val();
        }
        if self.advance.val() {
            self.augend.next = self.in_base.val();
            self.addend.next = self.in_low.val().get_bits::<16>(32);
        }
        self.address.enable.next = self.advance.val() | self.step0.val() | self.step1.val();
        self.address.d.next = self.augend.val() + self.addend.val();
        self.start.enable.next = self.advance.val() | self.step1.val();
        self.start.d.next = self.augend.val() + self.addend.val();

        // Fields that stay.
        self.opcode.enable.next = self.advance.val();
        self.opcode.d.next = self.code.val();
        self.flags.enable.next = self.advance.val();
        self.flags.d.next = self.in_low.val().get_bits::<4>(4);
        self.stream.enable.next = self.advance.val();
        self.stream.d.next = self.in_low.val().get_bits::<6>(8);
        self.stream2.enable.next = self.advance.val();
        self.stream2.d.next = self.in_low.val().get_bits::<6>(14);
        self.select.enable.next = self.advance.val();
        self.select.d.next = bits::<64>(1) << self.in_low.val().get_bits::<6>(8);
        self.select2.enable.next = self.advance.val();
        self.select2.d.next = bits::<64>(1) << self.in_low.val().get_bits::<6>(14);
        self.second.enable.next = self.advance.val();
        self.second.d.next = self.is_second.val();
        self.stride0.enable.next = self.advance.val();
        self.stride0.d.next = self.in_low.val().get_bits::<12>(20);
        self.stride1.enable.next = self.advance.val();
        self.stride1.d.next = self.in_high.val().get_bits::<16>(48);
        self.count0.enable.next = self.advance.val();
        self.count0.d.next = self.in_low.val().get_bits::<16>(48);
        self.interval0.enable.next = self.advance.val();
        self.interval0.d.next = self.in_high.val().get_bits::<12>(16);
        self.interval1.enable.next = self.advance.val();
        self.interval1.d.next = self.in_high.val().get_bits::<20>(28);
        self.single0.enable.next = self.advance.val();
        self.single0.d.next = self.single_inner.val();
        self.short0.enable.next = self.advance.val();
        self.short0.d.next = self.short_inner.val();
        self.short1.enable.next = self.advance.val();
        self.short1.d.next = self.short_outer.val();

        // Inner repeat: cycles to its next step, steps left.
        self.timer0.d.next = self.timer0.q.val() - 1;
        self.due0.enable.next = true;
        self.due0.d.next = self.timer0.q.val() == 2;
        if self.step0.val() | self.step1.val() {
            self.timer0.d.next = self.interval0.q.val();
            self.due0.d.next = self.short0.q.val();
        }
        self.left0.enable.next = self.advance.val() | self.step0.val() | self.step1.val();
        self.left0.d.next = self.left0.q.val() - 1;
        self.first0.enable.next = self.advance.val() | self.step0.val() | self.step1.val();
        self.first0.d.next = false;
        self.last0.enable.next = self.advance.val() | self.step0.val() | self.step1.val();
        self.last0.d.next = self.left0.q.val() == 1;
        if self.step1.val() {
            self.left0.d.next = self.count0.q.val();
            self.first0.d.next = true;
            self.last0.d.next = self.single0.q.val();
        }

        // Outer repeat; its timer also counts the cycles of a NOP, and waits for the inner repeat.
        self.timer1.enable.next = self.advance.val() | self.step1.val() | !self.due1.q.val();
        self.timer1.d.next = self.timer1.q.val() - 1;
        self.due1.enable.next = self.advance.val() | self.step1.val() | !self.due1.q.val();
        self.due1.d.next = self.timer1.q.val() == 2;
        if self.step1.val() {
            self.timer1.d.next = self.interval1.q.val();
            self.due1.d.next = self.short1.q.val();
        }
        self.left1.enable.next = self.advance.val() | self.step1.val();
        self.left1.d.next = self.left1.q.val() - 1;
        self.first1.enable.next = self.advance.val() | self.step1.val();
        self.first1.d.next = false;
        self.last1.enable.next = self.advance.val() | self.step1.val();
        self.last1.d.next = self.left1.q.val() == 1;

        // What the next cycle is.
        self.valid.enable.next = true;
        self.valid.d.next = self.step0.val() | self.step1.val();
        self.operation.enable.next = true;
        self.operation.d.next = 0.into();
        if (self.step0.val() | self.step1.val()) & !self.second.q.val() {
            self.operation.d.next = 1.into();
        }
        if (self.step0.val() | self.step1.val()) & self.second.q.val() {
            self.operation.d.next = 2.into();
        }
        self.done.enable.next = true;
        self.done.d.next = (self.step0.val() & self.last1.q.val() & (self.left0.q.val() == 1))
            | (self.step1.val() & self.single0.q.val() & (self.left1.q.val() == 1))
            | (self.pauses.q.val() & (self.timer1.q.val() == 2))
            | self.in_launch.val();
        self.configure.enable.next = true;
        self.configure.d.next = false;
        self.notify.enable.next = true;
        self.notify.d.next = false;
        self.illegal.enable.next = true;
        self.illegal.d.next = false;
        self.restart.enable.next = true;
        self.restart.d.next = false;
        self.ended.enable.next = self.advance.val();
        self.ended.d.next = self.is_end.val();
        self.waiting.next = self.waits.q.val();
        if self.advance.val() {
            self.waiting.next = (self.code.val() == 14) & !self.in_past.val();
        }
        self.waits.enable.next = true;
        self.waits.d.next = self.waiting.val();
        self.pauses.enable.next = self.advance.val();
        self.pauses.d.next = (self.code.val() == 0) & !self.in_past.val();

        // The first cycle of the next instruction.
        if self.advance.val() {
            self.timer0.d.next = self.in_high.val().get_bits::<12>(16);
            self.due0.d.next = self.short_inner.val();
            self.left0.d.next = self.in_low.val().get_bits::<16>(48);
            self.first0.d.next = true;
            self.last0.d.next = self.single_inner.val() | !self.is_operation.val();
            self.timer1.d.next = self.in_high.val().get_bits::<20>(28);
            self.due1.d.next = self.short_outer.val();
            self.left1.d.next = self.in_high.val().get_bits::<16>(0);
            self.first1.d.next = true;
            self.last1.d.next = self.single_outer.val() | !self.is_operation.val();
            self.valid.d.next = self.is_operation.val();
            self.operation.d.next = 0.into();
            if self.is_operation.val() & !self.is_second.val() {
                self.operation.d.next = 1.into();
            }
            if self.is_operation.val() & self.is_second.val() {
                self.operation.d.next = 2.into();
            }
            self.configure.d.next = self.is_config.val();
            self.notify.d.next = (self.code.val() == 13) & !self.in_past.val();
            self.illegal.d.next = !self
                .accepted_set
                .val()
                .get_bit(self.wide_code.val().index())
                | self.in_past.val();
            self.restart.d.next = self.is_end.val();
            self.done.d.next = !self.is_end.val() & (self.code.val() != 14);
            if self.is_operation.val() {
                self.done.d.next = self.single_inner.val() & self.single_outer.val();
            }
            if self.code.val() == 0 {
                self.done.d.next = self.short_outer.val() & !self.in_past.val();
            }
        }
        if self.in_notify.val() & self.waiting.val() {
            self.done.d.next = true;
        }

        self.out_restart.next = self.restart.q.val();
        self.out_valid.next = self.valid.q.val();
        self.out_operation.next = self.operation.q.val();
        self.out_opcode.next = self.opcode.q.val();
        self.out_flags.next = self.flags.q.val();
        self.out_stream.next = self.stream.q.val();
        self.out_stream2.next = self.stream2.q.val();
        self.out_select.next = self.select.q.val();
        self.out_select2.next = self.select2.q.val();
        self.out_address.next = self.address.q.val();
        self.out_first0.next = self.first0.q.val();
        self.out_last0.next = self.last0.q.val();
        self.out_first1.next = self.first1.q.val();
        self.out_last1.next = self.last1.q.val();
        self.out_config.next = self.configure.q.val();
        self.out_notify.next = self.notify.q.val();
        self.out_ended.next = self.ended.q.val();
        self.out_illegal.next = self.illegal.q.val();
    }
}
