//! Program memory that gives a new instruction every cycle.

use crate::info::Info;
use crate::prim::{Flop, PipeEnable, SramBank};
use rust_hdl::prelude::*;

/// The program memory of a queue and its fetch, which can give a new instruction in every cycle.
///
/// ```text
/// clock              _/~\_/~\_/~\_/~\_/~\_/~\_/~\_/~\_
/// in_program_enable  ____/~~~\_______________________     writes i0
/// refill             ________/~~~\___________________     reads i1
/// memory output                  X i1    X i2 X i3
/// out_low, out_high          X i0        X i1 X i2
/// in_advance         ____________/~~~~~~~~~~~~~~~~~~~
/// ```
///
/// While the queue stands still, instruction 0 is on the outputs and 1 behind it in the output register of the memory.
/// `in_advance` moves on by one instruction in each cycle in which it is high; `out_past` says that the memory has no such
/// instruction. `in_restart` goes back, which takes [`RESTART_CYCLES`](Self::RESTART_CYCLES).
///
/// The host reads and writes 64-bit halves while the queue stands still. What it writes to instruction 0 goes to the
/// outputs as well, and instruction 1 is read anew after each access, so that `in_advance` may follow
/// [`ACCESS_TO_ADVANCE`](Self::ACCESS_TO_ADVANCE) cycles after it and finds what was written.
///
/// Depth: a power of two, 16 to 4096. Latency: [`ACCESS_LATENCY`](Self::ACCESS_LATENCY) cycles from `in_program_enable`
/// to `out_program_data`. Reset restarts the fetch; the memory keeps what it holds. The host's index is not checked here.
#[derive(LogicBlock)]
pub struct ProgramFetch {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Moves on to the next instruction.
    pub in_advance: Signal<In, Bit>,
    /// Goes back to instruction 0.
    pub in_restart: Signal<In, Bit>,
    /// The host reads or writes.
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
    /// Bits 63:0 of the instruction.
    pub out_low: Signal<Out, Bits<64>>,
    /// Bits 127:64 of the instruction.
    pub out_high: Signal<Out, Bits<64>>,
    /// The memory ended before this instruction.
    pub out_past: Signal<Out, Bit>,
    low: SramBank<64>,
    high: SramBank<64>,
    raw_low: PipeEnable<Bits<64>>,
    raw_high: PipeEnable<Bits<64>>,
    memory_past: Flop<Bit>,
    raw_past: Flop<Bit>,
    word: PipeEnable<Bits<64>>,
    index: Flop<Bits<16>>,
    fill0: Flop<Bit>,
    fill1: Flop<Bit>,
    refill: Flop<Bit>,
    access: Flop<Bit>,
    half: PipeEnable<Bit>,
    word_access: Flop<Bit>,
    program_data: PipeEnable<Bits<64>>,
    filling: Signal<Local, Bit>,
    moves: Signal<Local, Bit>,
    shift: Signal<Local, Bit>,
    forward: Signal<Local, Bit>,
    depth: Constant<Bits<16>>,
    info: Info,
}

impl ProgramFetch {
    /// Cycles from `in_program_enable` to `out_program_data`.
    pub const ACCESS_LATENCY: usize = 3;
    /// Least distance from an access to `in_advance`.
    pub const ACCESS_TO_ADVANCE: usize = 2;
    /// Cycles from `in_restart` to instruction 0 on the outputs.
    pub const RESTART_CYCLES: usize = 3;

    /// A memory of `depth` instructions.
    pub fn new(depth: usize) -> Self {
        assert!(
            depth.is_power_of_two() && (16..=4096).contains(&depth),
            "a queue of {depth} instructions; a power of two from 16 to 4096"
        );
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_advance: Signal::default(),
            in_restart: Signal::default(),
            in_program_enable: Signal::default(),
            in_program_write: Signal::default(),
            in_program_half: Signal::default(),
            in_program_index: Signal::default(),
            in_program_data: Signal::default(),
            out_program_data: Signal::default(),
            out_low: Signal::default(),
            out_high: Signal::default(),
            out_past: Signal::default(),
            low: SramBank::new(depth).without_collisions(),
            high: SramBank::new(depth).without_collisions(),
            raw_low: PipeEnable::default(),
            raw_high: PipeEnable::default(),
            memory_past: Flop::default(),
            raw_past: Flop::default(),
            word: PipeEnable::default(),
            index: Flop::default(),
            fill0: Flop::new(true),
            fill1: Flop::default(),
            refill: Flop::default(),
            access: Flop::default(),
            half: PipeEnable::default(),
            word_access: Flop::default(),
            program_data: PipeEnable::default(),
            filling: Signal::default(),
            moves: Signal::default(),
            shift: Signal::default(),
            forward: Signal::default(),
            depth: Constant::new(Bits::from(depth as u64)),
            info: Info::new("program_fetch", file!())
                .summary("Program memory that gives a new instruction every cycle")
                .param("DEPTH", depth)
                .port("in_advance", "moves on to the next instruction")
                .port("in_restart", "goes back to instruction 0")
                .port("in_program_half", "0 low, 1 high 64 bits")
                .port("out_program_data", "3 cycles after in_program_enable")
                .port("out_past", "the memory ended before this instruction"),
        }
    }
}

impl Logic for ProgramFetch {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            low,
            high,
            raw_low,
            raw_high,
            memory_past,
            raw_past,
            word,
            index,
            fill0,
            fill1,
            refill,
            access,
            half,
            word_access,
            program_data
        );
        self.memory_past.reset.next = self.reset.val();
        self.raw_past.reset.next = self.reset.val();
        self.index.reset.next = self.reset.val();
        self.fill0.reset.next = self.reset.val();
        self.fill1.reset.next = self.reset.val();
        self.refill.reset.next = self.reset.val();
        self.access.reset.next = self.reset.val();
        self.word_access.reset.next = self.reset.val();

        self.filling.next = self.fill0.q.val() | self.fill1.q.val();
        self.moves.next = (self.in_advance.val() | self.filling.val() | self.refill.q.val())
            & !self.in_program_enable.val();
        self.shift.next =
            self.in_advance.val() | (self.fill1.q.val() & !self.in_program_enable.val());
        self.forward.next = self.in_program_enable.val()
            & self.in_program_write.val()
            & !self.in_program_index.val().any();

        // A restart reads two words, an access the second of them; an access during a restart starts it anew.
        self.fill0.enable.next = true;
        self.fill0.d.next =
            self.in_restart.val() | (self.in_program_enable.val() & self.filling.val());
        self.fill1.enable.next = true;
        self.fill1.d.next = self.fill0.q.val() & !self.in_program_enable.val();
        self.refill.enable.next = true;
        self.refill.d.next = self.in_program_enable.val() & !self.filling.val();

        self.index.enable.next =
            self.moves.val() | self.in_restart.val() | self.in_program_enable.val();
        self.index.d.next = self.index.q.val() + 1;
        if self.in_restart.val() | (self.in_program_enable.val() & self.filling.val()) {
            self.index.d.next = 0.into();
        } else if self.in_program_enable.val() {
            self.index.d.next = 1.into();
        }

        // No word is read in the cycle in which it is written.
        self.low.read_enable.next =
            self.moves.val() | (self.in_program_enable.val() & !self.in_program_write.val());
        self.high.read_enable.next =
            self.moves.val() | (self.in_program_enable.val() & !self.in_program_write.val());
        self.low.read_address.next = self.index.q.val();
        self.high.read_address.next = self.index.q.val();
        if self.in_program_enable.val() {
            self.low.read_address.next = self.in_program_index.val();
            self.high.read_address.next = self.in_program_index.val();
        }
        self.low.write_enable.next = self.in_program_enable.val()
            & self.in_program_write.val()
            & !self.in_program_half.val();
        self.high.write_enable.next =
            self.in_program_enable.val() & self.in_program_write.val() & self.in_program_half.val();
        self.low.write_address.next = self.in_program_index.val();
        self.high.write_address.next = self.in_program_index.val();
        self.low.write_data.next = self.in_program_data.val();
        self.high.write_data.next = self.in_program_data.val();

        self.memory_past.enable.next = self.moves.val();
        self.memory_past.d.next = (self.index.q.val() & self.depth.val()).any();
        self.raw_past.enable.next = self.shift.val();
        self.raw_past.d.next = self.memory_past.q.val();
        self.raw_low.enable.next =
            self.shift.val() | (self.forward.val() & !self.in_program_half.val());
        self.raw_high.enable.next =
            self.shift.val() | (self.forward.val() & self.in_program_half.val());
        self.raw_low.d.next = self.low.read_data.val();
        self.raw_high.d.next = self.high.read_data.val();
        if self.in_program_enable.val() {
            self.raw_low.d.next = self.in_program_data.val();
            self.raw_high.d.next = self.in_program_data.val();
        }

        // What the host reads.
        self.access.enable.next = true;
        self.access.d.next = self.in_program_enable.val() & !self.in_program_write.val();
        self.half.enable.next = self.in_program_enable.val();
        self.half.d.next = self.in_program_half.val();
        self.word.enable.next = self.access.q.val();
        self.word.d.next = self.low.read_data.val();
        if self.half.q.val() {
            self.word.d.next = self.high.read_data.val();
        }
        self.word_access.enable.next = true;
        self.word_access.d.next = self.access.q.val();
        self.program_data.enable.next = self.word_access.q.val();
        self.program_data.d.next = self.word.q.val();

        self.out_program_data.next = self.program_data.q.val();
        self.out_low.next = self.raw_low.q.val();
        self.out_high.next = self.raw_high.q.val();
        self.out_past.next = self.raw_past.q.val();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    fn step(fetch: &mut ProgramFetch) {
        cycle(fetch, |fetch, level| fetch.clock.next = Clock::from(level));
    }

    fn access(fetch: &mut ProgramFetch, write: bool, index: u64, half: bool, data: u64) {
        fetch.in_program_enable.next = true;
        fetch.in_program_write.next = write;
        fetch.in_program_index.next = Bits::from(index);
        fetch.in_program_half.next = half;
        fetch.in_program_data.next = Bits::from(data);
        step(fetch);
        fetch.in_program_enable.next = false;
    }

    fn filled() -> ProgramFetch {
        let mut fetch = ProgramFetch::new(16);
        fetch.connect_all();
        for _ in 0..ProgramFetch::RESTART_CYCLES {
            step(&mut fetch);
        }
        for index in (0..16).rev() {
            access(&mut fetch, true, index, true, 0x200 + index);
            access(&mut fetch, true, index, false, 0x100 + index);
        }
        for _ in 1..ProgramFetch::ACCESS_TO_ADVANCE {
            step(&mut fetch);
        }
        fetch
    }

    /// Moves through the whole memory, one instruction a cycle, and past its end.
    fn expect_all(fetch: &mut ProgramFetch, words: impl Fn(u64) -> (u64, u64)) {
        for index in 0..16 {
            let word = (fetch.out_low.val().to_u64(), fetch.out_high.val().to_u64());
            assert_eq!(word, words(index), "instruction {index}");
            assert!(!fetch.out_past.val());
            fetch.in_advance.next = true;
            step(fetch);
        }
        assert!(fetch.out_past.val());
        fetch.in_advance.next = false;
    }

    fn restart(fetch: &mut ProgramFetch) {
        fetch.in_restart.next = true;
        step(fetch);
        fetch.in_restart.next = false;
        for _ in 1..ProgramFetch::RESTART_CYCLES {
            step(fetch);
        }
    }

    #[test]
    fn after_the_last_access_and_after_a_restart_every_cycle_gives_an_instruction() {
        // The last access: a write to any half, or a read, of the first instructions.
        for (write, last, half) in (0..12).map(|i| (i % 2 == 0, i / 4, i & 2 != 0)) {
            let mut fetch = filled();
            access(&mut fetch, write, last, half, 0x555);
            for _ in 1..ProgramFetch::ACCESS_TO_ADVANCE {
                step(&mut fetch);
            }
            let words = |index| {
                let new = |this: bool, old| {
                    if write && index == last && this {
                        0x555
                    } else {
                        old
                    }
                };
                (new(!half, 0x100 + index), new(half, 0x200 + index))
            };
            expect_all(&mut fetch, words);
            restart(&mut fetch);
            expect_all(&mut fetch, words);
        }
    }

    #[test]
    fn an_access_during_a_restart_starts_it_anew() {
        for wait in 0..ProgramFetch::RESTART_CYCLES {
            let mut fetch = filled();
            expect_all(&mut fetch, |index| (0x100 + index, 0x200 + index));
            fetch.in_restart.next = true;
            step(&mut fetch);
            fetch.in_restart.next = false;
            for _ in 0..wait {
                step(&mut fetch);
            }
            access(&mut fetch, true, 0, false, 0x555);
            access(&mut fetch, false, 9, false, 0);
            for _ in 1..ProgramFetch::RESTART_CYCLES {
                step(&mut fetch);
            }
            expect_all(&mut fetch, |index| match index {
                0 => (0x555, 0x200),
                _ => (0x100 + index, 0x200 + index),
            });
        }
    }

    #[test]
    fn the_host_reads_a_half_in_every_cycle() {
        let mut fetch = filled();
        let reads = [(3, false, 0x103), (3, true, 0x203), (7, true, 0x207)];
        let mut seen = vec![];
        for now in 0..reads.len() + ProgramFetch::ACCESS_LATENCY {
            seen.push(fetch.out_program_data.val().to_u64());
            match reads.get(now) {
                Some(&(index, half, _)) => access(&mut fetch, false, index, half, 0),
                None => step(&mut fetch),
            }
        }
        let expected: Vec<u64> = reads.iter().map(|read| read.2).collect();
        assert_eq!(seen[ProgramFetch::ACCESS_LATENCY..], expected);
    }

    #[test]
    #[should_panic(expected = "a queue of 24 instructions; a power of two from 16 to 4096")]
    fn the_depth_is_a_power_of_two() {
        let _ = ProgramFetch::new(24);
    }
}
