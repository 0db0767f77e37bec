//! One instruction queue.

use super::sequencer::kind_name;
use super::{ProgramFetch, Sequencer};
use crate::info::Info;
use lpu_isa::{Config, QueueKind};
use rust_hdl::prelude::*;

/// One instruction queue: program memory and sequencer.
///
/// ```text
/// clock        _/~\_/~\_/~\_/~\_/~\_/~\_/~\_
/// in_launch    /~~~\________________________
/// cycle         -2  -1   0   1   2   3   4
/// issue                 i0  i1  i2  i3  i4        single-cycle instructions, without a bubble
/// ```
///
/// The first instruction issues two cycles after `in_launch`, and an instruction that occupies n cycles is followed by
/// the next one n cycles later. All outputs that describe an issue are registers, visible in the issue cycle.
///
/// The program may be written until [`WRITE_TO_LAUNCH`](Self::WRITE_TO_LAUNCH) cycles before `in_launch`, and only while
/// `out_ended` is high; nothing here checks that, nor the host's index.
///
/// Parameters: depth a power of two, 16 to 4096; the kind of queue, which says what opcodes it takes. Latency: two cycles
/// from `in_launch` to the first issue, 3 cycles from `in_program_enable` to `out_program_data`. Reset ends the queue;
/// the program memory keeps what it holds.
#[derive(LogicBlock)]
pub struct InstructionQueue {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The cycle after the next is cycle 0.
    pub in_launch: Signal<In, Bit>,
    /// The NOTIFY pulse.
    pub in_notify: Signal<In, Bit>,
    /// Base register.
    pub in_base: Signal<In, Bits<16>>,
    /// The host reads or writes the program.
    pub in_program_enable: Signal<In, Bit>,
    /// The host writes.
    pub in_program_write: Signal<In, Bit>,
    /// Half of the instruction: 0 low, 1 high.
    pub in_program_half: Signal<In, Bit>,
    /// Number of the instruction.
    pub in_program_index: Signal<In, Bits<16>>,
    /// Half to write.
    pub in_program_data: Signal<In, Bits<64>>,
    /// Half read.
    pub out_program_data: Signal<Out, Bits<64>>,
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
    fetch: ProgramFetch,
    sequencer: Sequencer,
    info: Info,
}

impl InstructionQueue {
    /// Cycles from `in_launch` to the first issue.
    pub const LATENCY: usize = 2;
    /// Least distance from the last program access to `in_launch`.
    pub const WRITE_TO_LAUNCH: usize = ProgramFetch::ACCESS_TO_ADVANCE - 1;

    /// A queue of this kind.
    pub fn new(config: &Config, kind: QueueKind) -> Self {
        let depth = config.icu.queue_depth;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_notify: Signal::default(),
            in_base: Signal::default(),
            in_program_enable: Signal::default(),
            in_program_write: Signal::default(),
            in_program_half: Signal::default(),
            in_program_index: Signal::default(),
            in_program_data: Signal::default(),
            out_program_data: Signal::default(),
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
            fetch: ProgramFetch::new(depth),
            sequencer: Sequencer::new(kind, config.mem.indirect),
            info: Info::new("instruction_queue", file!())
                .summary("One instruction queue: program memory and sequencer")
                .param("DEPTH", depth)
                .param("KIND", kind_name(kind, config.mem.indirect))
                .port("in_launch", "the cycle after the next is cycle 0")
                .port("in_notify", "one cycle before a SYNC sees the pulse")
                .port("out_program_data", "3 cycles after in_program_enable")
                .port("out_valid", "an operation issues in this cycle")
                .port("out_operation", "bit i: operation i of the queue")
                .port("out_stream", "bit 5 westward; the register of CONFIG")
                .port("out_select", "out_stream, one-hot")
                .port("out_select2", "out_stream2, one-hot")
                .port("out_address", "base + affine; the value of CONFIG")
                .port("out_ended", "level"),
        }
    }
}

impl Logic for InstructionQueue {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, fetch, sequencer);
        self.fetch.reset.next = self.reset.val();
        self.fetch.in_advance.next = self.sequencer.out_advance.val();
        self.fetch.in_restart.next = self.sequencer.out_restart.val();
        self.fetch.in_program_enable.next = self.in_program_enable.val();
        self.fetch.in_program_write.next = self.in_program_write.val();
        self.fetch.in_program_half.next = self.in_program_half.val();
        self.fetch.in_program_index.next = self.in_program_index.val();
        self.fetch.in_program_data.next = self.in_program_data.val();
        self.out_program_data.next = self.fetch.out_program_data.val();

        self.sequencer.reset.next = self.reset.val();
        self.sequencer.in_launch.next = self.in_launch.val();
        self.sequencer.in_notify.next = self.in_notify.val();
        self.sequencer.in_base.next = self.in_base.val();
        self.sequencer.in_low.next = self.fetch.out_low.val();
        self.sequencer.in_high.next = self.fetch.out_high.val();
        self.sequencer.in_past.next = self.fetch.out_past.val();
        self.out_valid.next = self.sequencer.out_valid.val();
        self.out_operation.next = self.sequencer.out_operation.val();
        self.out_opcode.next = self.sequencer.out_opcode.val();
        self.out_flags.next = self.sequencer.out_flags.val();
        self.out_stream.next = self.sequencer.out_stream.val();
        self.out_stream2.next = self.sequencer.out_stream2.val();
        self.out_select.next = self.sequencer.out_select.val();
        self.out_select2.next = self.sequencer.out_select2.val();
        self.out_address.next = self.sequencer.out_address.val();
        self.out_first0.next = self.sequencer.out_first0.val();
        self.out_last0.next = self.sequencer.out_last0.val();
        self.out_first1.next = self.sequencer.out_first1.val();
        self.out_last1.next = self.sequencer.out_last1.val();
        self.out_config.next = self.sequencer.out_config.val();
        self.out_notify.next = self.sequencer.out_notify.val();
        self.out_ended.next = self.sequencer.out_ended.val();
        self.out_illegal.next = self.sequencer.out_illegal.val();
    }
}

#[cfg(test)]
mod tests;
