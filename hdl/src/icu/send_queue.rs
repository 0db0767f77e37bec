//! The queue of the sending side of a link: an instruction queue with DESKEW and RUNTIME_DESKEW.

use super::{ProgramFetch, Sequencer};
use crate::info::Info;
use crate::prim::{Flop, PipeEnable};
use lpu_isa::{Config, QueueKind};
use rust_hdl::prelude::*;

/// The queue of the sending side of a link: program memory and sequencer, as in [`InstructionQueue`](super::InstructionQueue), and the
/// wait for the link.
///
/// ```text
/// clock              _/~\_/~\_/~\_/~\_/~\_/~\_/~\_
/// cycle               t  t+1 t+2      g  g+1 g+2
/// issue               DESKEW                  next
/// out_deskew         /~~~\___________________________
/// in_go              ____________..._/~~~\___________
/// ```
///
/// To the sequencer both are a SYNC that the link releases: they get its opcode on the way from the memory, and while one is under way
/// `in_go` takes the place of `in_notify`. RUNTIME_DESKEW is `out_runtime_deskew`, with its wait in `out_wait`.
///
/// Parameters: depth a power of two, 16 to 4096. Latency: two cycles from `in_launch` to the first issue, `GO_LATENCY` (2) from `in_go` to
/// the next. Reset ends the queue; the program memory keeps what it holds. A link answers in the cycle after the issue at the earliest.
#[derive(LogicBlock)]
pub struct SendQueue {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The cycle after the next is cycle 0.
    pub in_launch: Signal<In, Bit>,
    /// The NOTIFY pulse.
    pub in_notify: Signal<In, Bit>,
    /// The link lets the program go on.
    pub in_go: Signal<In, Bit>,
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
    /// SEND issues.
    pub out_valid: Signal<Out, Bit>,
    /// Its stream, one-hot by code.
    pub out_select: Signal<Out, Bits<64>>,
    /// DESKEW issues.
    pub out_deskew: Signal<Out, Bit>,
    /// RUNTIME_DESKEW issues.
    pub out_runtime_deskew: Signal<Out, Bit>,
    /// Its wait.
    pub out_wait: Signal<Out, Bits<16>>,
    /// NOTIFY issues.
    pub out_notify: Signal<Out, Bit>,
    /// The queue has ended.
    pub out_ended: Signal<Out, Bit>,
    /// An illegal instruction issues.
    pub out_illegal: Signal<Out, Bit>,
    fetch: ProgramFetch,
    sequencer: Sequencer,
    waits: Flop<Bit>,
    deskew: Flop<Bit>,
    runtime_deskew: Flop<Bit>,
    wait: PipeEnable<Bits<16>>,
    advance: Signal<Local, Bit>,
    is_deskew: Signal<Local, Bit>,
    is_runtime: Signal<Local, Bit>,
    info: Info,
}

impl SendQueue {
    /// The queue of a link in this machine.
    pub fn new(config: &Config) -> Self {
        let depth = config.icu.queue_depth;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_notify: Signal::default(),
            in_go: Signal::default(),
            in_program_enable: Signal::default(),
            in_program_write: Signal::default(),
            in_program_half: Signal::default(),
            in_program_index: Signal::default(),
            in_program_data: Signal::default(),
            out_program_data: Signal::default(),
            out_valid: Signal::default(),
            out_select: Signal::default(),
            out_deskew: Signal::default(),
            out_runtime_deskew: Signal::default(),
            out_wait: Signal::default(),
            out_notify: Signal::default(),
            out_ended: Signal::default(),
            out_illegal: Signal::default(),
            fetch: ProgramFetch::new(depth),
            sequencer: Sequencer::new(QueueKind::C2cSend, config.mem.indirect),
            waits: Flop::default(),
            deskew: Flop::default(),
            runtime_deskew: Flop::default(),
            wait: PipeEnable::default(),
            advance: Signal::default(),
            is_deskew: Signal::default(),
            is_runtime: Signal::default(),
            info: Info::new("send_queue", file!())
                .summary("The queue of the sending side of a link")
                .param("DEPTH", depth)
                .port("in_launch", "the cycle after the next is cycle 0")
                .port("in_notify", "one cycle before a SYNC sees the pulse")
                .port("in_go", "two cycles before the next instruction issues")
                .port("out_program_data", "3 cycles after in_program_enable")
                .port("out_valid", "SEND issues in this cycle")
                .port("out_select", "its stream, one-hot")
                .port("out_wait", "of RUNTIME_DESKEW")
                .port("out_ended", "level"),
        }
    }
}

impl Logic for SendQueue {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            fetch,
            sequencer,
            waits,
            deskew,
            runtime_deskew,
            wait
        );
        self.waits.reset.next = self.reset.val();
        self.deskew.reset.next = self.reset.val();
        self.runtime_deskew.reset.next = self.reset.val();
        self.fetch.reset.next = self.reset.val();
        self.fetch.in_advance.next = self.sequencer.out_advance.val();
        self.fetch.in_restart.next = self.sequencer.out_restart.val();
        self.fetch.in_program_enable.next = self.in_program_enable.val();
        self.fetch.in_program_write.next = self.in_program_write.val();
        self.fetch.in_program_half.next = self.in_program_half.val();
        self.fetch.in_program_index.next = self.in_program_index.val();
        self.fetch.in_program_data.next = self.in_program_data.val();
        self.out_program_data.next = self.fetch.out_program_data.val();

        // Opcode 11 with flags 12 or 14 becomes 14, SYNC.
        self.advance.next = self.sequencer.out_advance.val();
        self.is_deskew.next = (self.fetch.out_low.val().get_bits::<4>(0) == 11)
            & self.fetch.out_low.val().get_bit(7)
            & self.fetch.out_low.val().get_bit(6)
            & !self.fetch.out_low.val().get_bit(4)
            & !self.fetch.out_past.val();
        self.is_runtime.next = self.fetch.out_low.val().get_bit(5);
        self.sequencer.in_low.next = self.fetch.out_low.val();
        if self.is_deskew.val() {
            self.sequencer.in_low.next = self.fetch.out_low.val() ^ 0x5;
        }
        self.sequencer.in_high.next = self.fetch.out_high.val();
        self.sequencer.in_past.next = self.fetch.out_past.val();
        self.sequencer.reset.next = self.reset.val();
        self.sequencer.in_launch.next = self.in_launch.val();
        self.sequencer.in_base.next = 0.into();

        // What releases the wait.
        self.waits.enable.next = self.advance.val();
        self.waits.d.next = self.is_deskew.val();
        self.sequencer.in_notify.next = self.in_notify.val();
        if self.waits.q.val() {
            self.sequencer.in_notify.next = self.in_go.val();
        }
        if self.advance.val() {
            self.sequencer.in_notify.next = self.in_notify.val() & !self.is_deskew.val();
        }

        self.deskew.enable.next = true;
        self.deskew.d.next = self.advance.val() & self.is_deskew.val() & !self.is_runtime.val();
        self.runtime_deskew.enable.next = true;
        self.runtime_deskew.d.next =
            self.advance.val() & self.is_deskew.val() & self.is_runtime.val();
        self.out_deskew.next = self.deskew.q.val();
        self.out_runtime_deskew.next = self.runtime_deskew.q.val();
        // Not by way of the sequencer: all that makes its affine addresses would stay for that.
        self.wait.enable.next = self.advance.val();
        self.wait.d.next = self.fetch.out_low.val().get_bits::<16>(32);
        self.out_wait.next = self.wait.q.val();
        self.out_valid.next = self.sequencer.out_valid.val();
        self.out_select.next = self.sequencer.out_select.val();
        self.out_notify.next = self.sequencer.out_notify.val();
        self.out_ended.next = self.sequencer.out_ended.val();
        self.out_illegal.next = self.sequencer.out_illegal.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use lpu_isa::{Instruction, Operation};

    fn step(queue: &mut SendQueue) {
        cycle(queue, |queue, level| queue.clock.next = Clock::from(level));
    }

    /// A queue with this program, launched: the next cycle is cycle 0.
    fn launched(program: &[Instruction]) -> SendQueue {
        let mut config = Config::preset("nano").expect("a preset");
        config.icu.queue_depth = 16;
        let mut queue = SendQueue::new(&config);
        queue.connect_all();
        queue.reset.next = true;
        step(&mut queue);
        queue.reset.next = false;
        (0..ProgramFetch::RESTART_CYCLES).for_each(|_| step(&mut queue));
        for (index, instruction) in program.iter().enumerate().rev() {
            let word = instruction.encode();
            for half in [1, 0] {
                queue.in_program_enable.next = true;
                queue.in_program_write.next = true;
                queue.in_program_index.next = Bits::from(index as u64);
                queue.in_program_half.next = half == 1;
                queue.in_program_data.next = Bits::from((word >> (64 * half)) as u64);
                step(&mut queue);
            }
        }
        queue.in_program_enable.next = false;
        queue.in_launch.next = true;
        step(&mut queue);
        queue.in_launch.next = false;
        step(&mut queue);
        queue
    }

    /// What issues in each cycle, while `go` and `pulse` (one cycle before it is seen) come in the cycles given.
    fn issues(program: &[Instruction], go: &[u64], pulse: &[u64]) -> Vec<(u64, String)> {
        let mut queue = launched(program);
        let mut found = vec![];
        for now in 0..60 {
            queue.in_go.next = go.contains(&now);
            queue.in_notify.next = pulse.contains(&now);
            let wait = queue.out_wait.val().to_u64();
            for (name, on) in [
                ("deskew".to_owned(), queue.out_deskew.val()),
                (format!("runtime {wait}"), queue.out_runtime_deskew.val()),
                ("send".to_owned(), queue.out_valid.val()),
                ("notify".to_owned(), queue.out_notify.val()),
                ("illegal".to_owned(), queue.out_illegal.val()),
            ] {
                if on {
                    found.push((now, name));
                }
            }
            if queue.out_ended.val() {
                found.push((now, "end".to_owned()));
                break;
            }
            step(&mut queue);
        }
        found
    }

    fn expect(found: Vec<(u64, String)>, expected: &[(u64, &str)]) {
        let found: Vec<_> = found.iter().map(|(now, what)| (*now, &**what)).collect();
        assert_eq!(found, expected);
    }

    const SEND: Instruction = Instruction::once(Operation::Send { stream: 3 }, 0);
    const RUNTIME: Instruction = Instruction::RuntimeDeskew { wait: 300 };

    #[test]
    fn the_next_instruction_issues_two_cycles_after_go() {
        let program = [
            SEND,
            Instruction::Deskew,
            Instruction::Notify,
            RUNTIME,
            SEND,
            Instruction::End,
        ];
        let expected = [
            (0, "send"),
            (1, "deskew"),
            (12, "notify"),
            (13, "runtime 300"),
            (16, "send"),
            (17, "end"),
        ];
        // The second answer is as early as can be.
        expect(issues(&program, &[10, 14], &[]), &expected);
        // Pulses are nothing to a queue that waits for its link, nor is go to one that does not.
        expect(
            issues(&program, &[0, 10, 11, 12, 14], &[0, 1, 5]),
            &expected,
        );
    }

    #[test]
    fn a_sync_behind_waits_for_a_pulse() {
        let program = [Instruction::Deskew, Instruction::Sync, SEND, RUNTIME];
        let expected = [(0, "deskew"), (13, "send"), (14, "runtime 300")];
        expect(issues(&program, &[4, 8, 9], &[2, 11]), &expected);
    }

    #[test]
    fn a_link_that_is_silent_holds_the_queue() {
        let program = [Instruction::Deskew, SEND];
        expect(issues(&program, &[], &[3, 9]), &[(0, "deskew")]);
    }

    #[test]
    fn flags_of_the_other_side_are_illegal() {
        let receive = Operation::Receive {
            stream: 1,
            word: false,
        };
        let program = [Instruction::once(receive, 0), Instruction::End];
        expect(issues(&program, &[], &[]), &[(0, "illegal"), (1, "end")]);
    }
}
