//! The queue against a timing diagram and against a naive model.

use super::*;
use crate::prim::testing::cycle;
use lpu_isa::instruction::encoding::opcode;
use lpu_isa::{AccMode, Instruction, Operation, Repeat, Stream};
use proptest::prelude::*;

/// What happens in an issue cycle that others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// Opcode, flags, streams, address, first0, last0, first1, last1.
    Operation(u8, u8, [u8; 2], u16, [bool; 4]),
    Config(u8, u16),
    Notify,
    Illegal,
    End,
}

/// The naive model: the events of a program, each with its cycle. `notify(cycle)` is the pulse.
fn model(
    program: &[u128],
    accepted: &[u8],
    base: u16,
    notify: impl Fn(u64) -> bool,
) -> Vec<(u64, Event)> {
    let field = |word: u128, low: u32, bits: u32| (word >> low) as u64 & ((1 << bits) - 1);
    let mut events = vec![];
    let mut now = 0;
    let past_the_end = program.iter().map(Some).chain([None]);
    for word in past_the_end {
        let Some(&word) = word else {
            events.extend([(now, Event::Illegal), (now, Event::End)]);
            break;
        };
        let code = field(word, 0, 4) as u8;
        let address = field(word, 32, 16) as u16;
        let stream = [field(word, 8, 6) as u8, field(word, 14, 6) as u8];
        let (count0, count1) = (field(word, 48, 16) + 1, field(word, 64, 16) + 1);
        let (interval0, interval1) = (field(word, 80, 12), field(word, 92, 20));
        let stride0 = (field(word, 20, 12) as i16) << 4 >> 4;
        let stride1 = field(word, 112, 16) as u16;
        match code {
            opcode::END => {
                events.push((now, Event::End));
                break;
            }
            opcode::NOP => now += interval1,
            opcode::NOTIFY => {
                events.push((now, Event::Notify));
                now += 1;
            }
            opcode::SYNC => {
                while !notify(now) {
                    now += 1;
                }
                now += 1;
            }
            _ if !accepted.contains(&code) => {
                events.push((now, Event::Illegal));
                now += 1;
            }
            opcode::CONFIG => {
                events.push((now, Event::Config(stream[0], address.wrapping_add(base))));
                now += 1;
            }
            _ => {
                for j1 in 0..count1 {
                    for j0 in 0..count0 {
                        let step = (j0 as i64 * stride0 as i64) as u16;
                        let step = step.wrapping_add((j1 as u16).wrapping_mul(stride1));
                        let address = base.wrapping_add(address).wrapping_add(step);
                        let flags = [j0 == 0, j0 + 1 == count0, j1 == 0, j1 + 1 == count1];
                        let flag_bits = field(word, 4, 4) as u8;
                        events.push((
                            now + j1 * interval1 + j0 * interval0,
                            Event::Operation(code, flag_bits, stream, address, flags),
                        ));
                    }
                }
                now += (count1 - 1) * interval1 + (count0 - 1) * interval0 + 1;
            }
        }
    }
    events
}

struct Bench {
    queue: InstructionQueue,
    base: u16,
}

impl Bench {
    fn new(kind: QueueKind, base: u16) -> Self {
        Self::with_indirect(kind, base, true)
    }

    fn with_indirect(kind: QueueKind, base: u16, indirect: bool) -> Self {
        let mut config = Config::preset("nano").unwrap();
        config.mem.indirect = indirect;
        config.icu.queue_depth = 16;
        let mut queue = InstructionQueue::new(&config, kind);
        queue.connect_all();
        queue.reset.next = true;
        queue.in_base.next = Bits::from(base as u64);
        let mut bench = Self { queue, base };
        bench.step();
        bench.queue.reset.next = false;
        bench.settle();
        bench
    }

    fn step(&mut self) {
        cycle(&mut self.queue, |queue, level| {
            queue.clock.next = Clock::from(level);
        });
    }

    /// The time a queue has between its end, or reset, and the next access or launch.
    fn settle(&mut self) {
        for _ in 0..ProgramFetch::RESTART_CYCLES {
            self.step();
        }
    }

    /// Writes a program backwards, so that the first instruction is the last one written.
    fn write(&mut self, program: &[u128]) {
        for (index, word) in program.iter().enumerate().rev() {
            for half in [1, 0] {
                self.queue.in_program_enable.next = true;
                self.queue.in_program_write.next = true;
                self.queue.in_program_index.next = Bits::from(index as u64);
                self.queue.in_program_half.next = half == 1;
                self.queue.in_program_data.next = Bits::from((word >> (64 * half)) as u64);
                self.step();
            }
        }
        self.queue.in_program_enable.next = false;
    }

    /// Launches as early after the last write as allowed, and runs until the queue has ended.
    fn run(&mut self, notify: impl Fn(u64) -> bool) -> Vec<(u64, Event)> {
        assert_eq!(InstructionQueue::WRITE_TO_LAUNCH, 1, "the next cycle");
        assert!(self.queue.out_ended.val());
        self.queue.in_launch.next = true;
        self.step();
        self.queue.in_launch.next = false;
        self.queue.in_notify.next = notify(0);
        self.step();
        let mut events = vec![];
        for now in 0..100_000 {
            // One cycle before a SYNC sees it.
            self.queue.in_notify.next = notify(now + 1);
            let queue = &self.queue;
            if queue.out_illegal.val() {
                events.push((now, Event::Illegal));
            }
            if queue.out_notify.val() {
                events.push((now, Event::Notify));
            }
            let streams = [&queue.out_stream, &queue.out_stream2];
            let streams = streams.map(|stream| stream.val().to_u64() as u8);
            let address = queue.out_address.val().to_u64() as u16;
            if queue.out_config.val() {
                events.push((now, Event::Config(streams[0], address)));
            }
            if queue.out_valid.val() {
                let flags = [
                    &queue.out_first0,
                    &queue.out_last0,
                    &queue.out_first1,
                    &queue.out_last1,
                ];
                events.push((
                    now,
                    Event::Operation(
                        queue.out_opcode.val().to_u64() as u8,
                        queue.out_flags.val().to_u64() as u8,
                        streams,
                        address,
                        flags.map(|flag| flag.val()),
                    ),
                ));
            }
            if queue.out_ended.val() {
                events.push((now, Event::End));
                self.settle();
                return events;
            }
            self.step();
        }
        panic!("the queue does not end: {events:?}");
    }

    fn check(&mut self, program: &[Instruction], accepted: &[u8], notify: impl Fn(u64) -> bool) {
        let words: Vec<u128> = program.iter().map(|i| i.encode()).collect();
        let mut memory = words.clone();
        memory.resize(16, Instruction::End.encode());
        let expected = model(&memory, accepted, self.base, &notify);
        self.write(&words);
        assert_eq!(self.run(notify), expected);
    }
}

fn read(address: u16, repeat: Repeat) -> Instruction {
    let stream = Stream::east(1);
    Instruction::repeated(Operation::Read { stream }, address, repeat)
}

fn cycles(events: &[(u64, Event)]) -> Vec<(u64, Option<u16>)> {
    let address = |event| match event {
        Event::Operation(_, _, _, address, _) => Some(address),
        _ => None,
    };
    events
        .iter()
        .map(|&(now, event)| (now, address(event)))
        .collect()
}

#[test]
fn repeats_issue_at_the_contracts_cycles_and_addresses() {
    let mut bench = Bench::new(QueueKind::MemRead, 100);
    let program = [
        read(5, Repeat::ONCE),
        read(6, Repeat::inner(2, 1, -1)),
        read(0, Repeat::inner(2, 3, 1).outer(2, 5, 16)),
        Instruction::Nop { cycles: 2 },
        read(9, Repeat::ONCE),
        Instruction::End,
    ];
    bench.write(&program.map(Instruction::encode));
    // Operation 2 occupies 5 + 3 + 1 cycles from cycle 3 on.
    let issues = [
        (0, 105),
        (1, 106),
        (2, 105),
        (3, 100),
        (6, 101),
        (8, 116),
        (11, 117),
        (14, 109),
    ];
    let mut expected: Vec<_> = issues.map(|(now, address)| (now, Some(address))).into();
    expected.push((15, None));
    assert_eq!(cycles(&bench.run(|_| false)), expected);
    // A second launch does the same.
    assert_eq!(cycles(&bench.run(|_| false)), expected);
}

#[test]
fn sync_takes_a_pulse_from_its_issue_cycle_on() {
    let mut bench = Bench::new(QueueKind::MemRead, 0);
    let program = [
        Instruction::Notify,
        Instruction::Sync,
        read(3, Repeat::ONCE),
        Instruction::End,
    ];
    bench.write(&program.map(Instruction::encode));
    // Seen in the issue cycle, later, and too early.
    assert_eq!(
        cycles(&bench.run(|now| now == 1)),
        [(0, None), (2, Some(3)), (3, None)]
    );
    assert_eq!(
        cycles(&bench.run(|now| now == 7)),
        [(0, None), (8, Some(3)), (9, None)]
    );
    assert_eq!(
        cycles(&bench.run(|now| now % 5 == 0)),
        [(0, None), (6, Some(3)), (7, None)]
    );
}

#[test]
fn a_memory_without_end_and_a_foreign_opcode_are_illegal() {
    let mut bench = Bench::new(QueueKind::MemRead, 0);
    let mut program = [read(3, Repeat::ONCE); 16];
    program[2] = Instruction::Config {
        register: 0,
        value: 1,
    };
    program[4] = Instruction::once(Operation::InstallWeights, 0);
    bench.write(&program.map(Instruction::encode));
    let events = bench.run(|_| false);
    let illegal: Vec<_> = events
        .iter()
        .filter(|e| e.1 == Event::Illegal)
        .map(|e| e.0)
        .collect();
    assert_eq!(illegal, [2, 4, 16]);
    assert_eq!(events.last(), Some(&(16, Event::End)));
    assert_eq!(bench.run(|_| false), events);
}

#[test]
fn reset_ends_a_running_queue() {
    let mut bench = Bench::new(QueueKind::MemRead, 0);
    let program = [Instruction::Nop { cycles: 1000 }, Instruction::End];
    bench.write(&program.map(Instruction::encode));
    bench.step();
    bench.step();
    bench.queue.in_launch.next = true;
    bench.step();
    bench.queue.in_launch.next = false;
    bench.step();
    bench.step();
    assert!(!bench.queue.out_ended.val());
    bench.queue.reset.next = true;
    bench.step();
    bench.queue.reset.next = false;
    assert!(bench.queue.out_ended.val());
    bench.step();
    assert_eq!(cycles(&bench.run(|_| false)), [(1000, None)]);
}

/// A queue kind with the opcodes it takes, and whether the machine has GATHER and SCATTER.
fn kind() -> impl Strategy<Value = (QueueKind, Vec<u8>, bool)> {
    use QueueKind::*;
    use opcode::*;
    prop_oneof![
        Just((MemRead, vec![READ, GATHER], true)),
        Just((MemRead, vec![READ], false)),
        Just((MemWrite, vec![WRITE, SCATTER], true)),
        Just((MemWrite, vec![WRITE], false)),
        Just((MxmWeights, vec![LW, IW, CONFIG], true)),
        Just((MxmCompute, vec![LX, MM], true)),
        Just((MxmAccumulate, vec![ACC], true)),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let stream = (any::<bool>(), 0u8..32).prop_map(|(westward, index)| Stream { westward, index });
    let mode = prop_oneof![
        Just(AccMode::Inner),
        Just(AccMode::Outer),
        Just(AccMode::Always)
    ];
    prop_oneof![
        stream.clone().prop_map(|stream| Operation::Read { stream }),
        (stream.clone(), stream.clone())
            .prop_map(|(stream, offset)| Operation::Gather { stream, offset }),
        stream
            .clone()
            .prop_map(|stream| Operation::Write { stream }),
        (stream.clone(), stream).prop_map(|(stream, offset)| Operation::Scatter { stream, offset }),
        (0u8..32, any::<bool>(), any::<bool>()).prop_map(|(stream, column, install)| {
            Operation::LoadWeights {
                stream,
                column,
                install,
            }
        }),
        Just(Operation::InstallWeights),
        Just(Operation::MultiplyBuffer { scaled: false }),
        (0u8..32, mode.clone(), mode).prop_map(|(stream, init, emit)| Operation::Accumulate {
            stream,
            init,
            emit
        }),
    ]
}

fn repeat() -> impl Strategy<Value = Repeat> {
    let inner = (1u32..6, 1u16..6, -2048i16..2048);
    (inner, 1u32..5, 0u32..4, any::<u16>()).prop_map(
        |((count0, interval0, stride0), count1, gap, stride1)| {
            let shortest = (count0 - 1) * interval0 as u32 + 1;
            Repeat::inner(count0, interval0, stride0).outer(count1, shortest + gap, stride1)
        },
    )
}

fn instruction() -> impl Strategy<Value = Instruction> {
    prop_oneof![
        8 => (operation(), any::<u16>(), repeat())
            .prop_map(|(operation, address, repeat)| Instruction::repeated(operation, address, repeat)),
        4 => (operation(), any::<u16>()).prop_map(|(operation, address)| Instruction::once(operation, address)),
        2 => (1u32..6).prop_map(|cycles| Instruction::Nop { cycles }),
        1 => (0u8..64, any::<u16>()).prop_map(|(register, value)| Instruction::Config { register, value }),
        1 => Just(Instruction::Notify),
        1 => Just(Instruction::Sync),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn issues_what_the_model_issues(
        (kind, accepted, indirect) in kind(),
        base in any::<u16>(),
        mut programs in prop::collection::vec(prop::collection::vec(instruction(), 0..16), 1..3),
        period in 1u64..9,
    ) {
        let base = if accepted.contains(&opcode::CONFIG) { 0 } else { base };
        let mut bench = Bench::with_indirect(kind, base, indirect);
        for program in &mut programs {
            program.push(Instruction::End);
            bench.check(program, &accepted, |now| now % period == 0);
        }
    }
}

#[test]
fn timers_and_counts_have_their_full_width() {
    let mut bench = Bench::new(QueueKind::MemRead, 0);
    let program = [
        Instruction::Nop { cycles: 0x1_0101 },
        read(0, Repeat::inner(0x201, 1, 1)),
        read(0, Repeat::inner(2, 0xfff, -2048).outer(2, 0x1fff, 0x8000)),
        Instruction::End,
    ];
    bench.check(&program, &[opcode::READ], |_| false);
}
