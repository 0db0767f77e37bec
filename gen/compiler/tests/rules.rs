//! Every rule of the schedule checker fires: good programs are broken in one place each.

use lpu_compiler::check::{Violation, check};
use lpu_compiler::matmul::{Mode, alternatives, compile};
use lpu_isa::Instruction::{Config as Configure, End, Nop, Notify, Sync};
use lpu_isa::{AccMode, Config, Instruction, Operation, Program, Queue, Repeat, Stream};
use proptest::prelude::*;

const E0: Operation = Operation::Read {
    stream: Stream::east(0),
};
const W0: Operation = Operation::Write {
    stream: Stream::west(0),
};
const MM: Operation = Operation::MultiplyStream {
    stream: 0,
    scales: None,
};

fn nano() -> Config {
    Config::preset("nano").unwrap()
}

fn once(operation: Operation) -> Instruction {
    Instruction::once(operation, 0)
}

fn nop(cycles: u32) -> Instruction {
    Nop { cycles }
}

fn repeated(operation: Operation, repeat: Repeat) -> Instruction {
    Instruction::Op {
        operation,
        address: 0,
        repeat,
    }
}

/// The queue with an assembler name.
fn id(name: &str) -> usize {
    let config = nano();
    let mut queues = Queue::all(&config);
    queues.position(|queue| queue.to_string() == name).unwrap()
}

fn build(config: &Config, lists: &[Vec<Instruction>]) -> Program {
    let mut program = Program::new(config);
    for (queue, list) in lists.iter().enumerate() {
        list.iter()
            .for_each(|&instruction| program.push(queue, instruction));
    }
    program
}

/// A program of the given queues (END is added); the others end at once.
fn program(queues: &[(&str, &[Instruction])]) -> Program {
    let mut lists = vec![vec![End]; nano().num_queues()];
    for (name, list) in queues {
        lists[id(name)] = list.iter().copied().chain([End]).collect();
    }
    build(&nano(), &lists)
}

fn violations(queues: &[(&str, &[Instruction])]) -> Vec<Violation> {
    check(&nano(), &program(queues)).unwrap_err().list
}

/// The queues of a good product: 8 x 16 x 8 on nano, the example of `docs/compiler.md`.
fn good() -> Vec<Vec<Instruction>> {
    let program = compile(&nano(), 8, 16, 8).unwrap().program;
    program
        .queues(&nano())
        .map(|(_, list)| list.to_vec())
        .collect()
}

fn broken(change: impl FnOnce(&mut Vec<Vec<Instruction>>)) -> Vec<Violation> {
    let mut lists = good();
    change(&mut lists);
    check(&nano(), &build(&nano(), &lists)).unwrap_err().list
}

macro_rules! fires {
    ($found:expr, $rule:pat) => {{
        let found = $found;
        assert!(
            found.iter().any(|violation| matches!(violation, $rule)),
            "{found:?}"
        );
        found
            .iter()
            .find(|violation| matches!(violation, $rule))
            .unwrap()
            .to_string()
    }};
}

#[test]
fn program_of_another_machine() {
    let proto = Config::preset("proto").unwrap();
    let found = check(&proto, &program(&[])).unwrap_err().list;
    let text = fires!(found, Violation::Queues { .. });
    assert_eq!(text, "the program has 11 queues and the machine 21");
}

#[test]
fn too_many_instructions() {
    let text = fires!(
        violations(&[("mem0.read", &[nop(1); 256])]),
        Violation::ProgramMemory { .. }
    );
    assert_eq!(
        text,
        "mem0.read: 257 instructions, and icu.queue_depth is 256"
    );
}

#[test]
fn missing_end() {
    let found = broken(|lists| assert_eq!(lists[3].pop(), Some(End)));
    let text = fires!(found, Violation::NoEnd { .. });
    assert_eq!(text, "mem1.write: the last instruction is not END");
}

#[test]
fn instructions_that_break_a_rule_by_themselves() {
    let long = Repeat::inner(4, 3, 0);
    let accumulate = |stream| Operation::Accumulate {
        stream,
        init: AccMode::Always,
        emit: AccMode::Always,
    };
    let weights = |stream| Operation::LoadWeights {
        stream,
        column: false,
        install: false,
    };
    let cases = [
        ("mem0.read", nop(0), "a NOP takes"),
        ("mem0.read", nop(1 << 20), "a NOP takes"),
        ("mem0.read", End, "after END are never reached"),
        (
            "mem0.read",
            Configure {
                register: 0,
                value: 2,
            },
            "only a weights queue",
        ),
        (
            "mxm0.weights",
            Configure {
                register: 1,
                value: 2,
            },
            "only register",
        ),
        (
            "mxm0.weights",
            Configure {
                register: 0,
                value: 3,
            },
            "power of two up to 4",
        ),
        (
            "mxm0.weights",
            Configure {
                register: 0,
                value: 8,
            },
            "power of two up to 4",
        ),
        ("mem0.read", once(W0), "does not take"),
        ("mem0.write", once(E0), "does not take"),
        ("mxm0.weights", once(MM), "does not take"),
        ("mxm0.compute", once(accumulate(0)), "does not take"),
        ("mxm0.accumulate", once(MM), "does not take"),
        (
            "mem0.read",
            repeated(E0, Repeat { count0: 0, ..long }),
            "from 1 to 65536",
        ),
        (
            "mem0.read",
            repeated(
                E0,
                Repeat {
                    count1: 65537,
                    ..long
                },
            ),
            "from 1 to 65536",
        ),
        (
            "mem0.read",
            repeated(
                E0,
                Repeat {
                    interval0: 0,
                    ..long
                },
            ),
            "intervals",
        ),
        (
            "mem0.read",
            repeated(
                E0,
                Repeat {
                    interval1: 1 << 20,
                    ..long
                },
            ),
            "intervals",
        ),
        (
            "mem0.read",
            repeated(
                E0,
                Repeat {
                    stride0: 2048,
                    ..long
                },
            ),
            "inner stride",
        ),
        (
            "mem0.read",
            repeated(E0, long.outer(2, 9, 0)),
            "takes 10 cycles",
        ),
        (
            "mem0.read",
            once(Operation::Read {
                stream: Stream::east(8),
            }),
            "8 streams",
        ),
        (
            "mem0.write",
            once(Operation::Write {
                stream: Stream::west(31),
            }),
            "8 streams",
        ),
        (
            "mem0.read",
            once(Operation::Gather {
                stream: Stream::east(0),
                offset: Stream::east(8),
            }),
            "8 streams",
        ),
        (
            "mxm0.compute",
            once(Operation::LoadOperand {
                stream: 8,
                scales: None,
            }),
            "8 streams",
        ),
        ("mxm0.weights", once(weights(2)), "multiple of 4"),
        ("mxm0.weights", once(weights(8)), "8 streams"),
        ("mxm0.accumulate", once(accumulate(2)), "multiple of 4"),
        ("mxm0.accumulate", once(accumulate(8)), "8 streams"),
    ];
    for (queue, instruction, rule) in cases {
        let found = violations(&[(queue, &[instruction])]);
        let text = fires!(found, Violation::Instruction { .. });
        let only = rule.replace("only register", "the only register");
        assert!(
            text.starts_with(&format!("{queue}[0]")) && text.contains(&only),
            "{text}"
        );
    }
}

#[test]
fn machine_without_indirect_addresses() {
    let mut config = nano();
    config.mem.indirect = false;
    let (stream, offset) = (Stream::east(0), Stream::east(1));
    let cases = [
        ("mem0.read", Operation::Gather { stream, offset }),
        ("mem0.write", Operation::Scatter { stream, offset }),
    ];
    for (queue, operation) in cases {
        let mut lists = vec![vec![End]; config.num_queues()];
        lists[id(queue)].insert(0, once(operation));
        let found = check(&config, &build(&config, &lists)).unwrap_err().list;
        let text = fires!(found, Violation::Instruction { .. });
        assert!(text.contains("mem.indirect is false"), "{text}");
    }
}

#[test]
fn sync_without_notify() {
    let text = fires!(
        violations(&[("mem0.read", &[nop(5), Sync])]),
        Violation::Deadlock { .. }
    );
    assert_eq!(
        text,
        "mem0.read[1] sync (issued in cycle 5): no NOTIFY ever releases this SYNC"
    );
    // The pulse of cycle 0 is seen in cycle 2: too early for a SYNC in cycle 3, in time for one in cycle 2.
    let late = [
        ("mem0.read", &[nop(3), Sync][..]),
        ("mem1.read", &[Notify][..]),
    ];
    fires!(violations(&late), Violation::Deadlock { .. });
    let chain = [
        ("mem0.read", &[nop(2), Sync, nop(4), Notify][..]),
        ("mem1.read", &[Notify][..]),
        ("mem2.read", &[Sync, Sync][..]),
    ];
    let ends = check(&nano(), &program(&chain)).unwrap().queue_ends;
    // Released by the pulse of cycle 2; NOTIFY in cycle 7 is seen in cycle 9.
    assert_eq!((ends[id("mem0.read")], ends[id("mem2.read")]), (8, 10));
}

#[test]
fn launches_beyond_the_checker() {
    let most = Repeat::inner(1 << 16, 1, 0).outer(1 << 12, 1 << 16, 0);
    let found = violations(&[("mem0.read", &[repeated(E0, most)])]);
    assert_eq!(
        fires!(found, Violation::TooLong { .. }),
        "the launch has more than 134217728 issues: split it"
    );
    let slow = Repeat::ONCE.outer(1 << 13, (1 << 20) - 1, 0);
    let found = violations(&[("mem0.read", &[repeated(E0, slow)])]);
    assert_eq!(
        fires!(found, Violation::TooLong { .. }),
        "the launch has more than 4294967296 cycles: split it"
    );
}

#[test]
fn collision_of_two_slices() {
    // The value of mem0 is in the cell of mem0 in cycle 3 and flows into that of mem1 in cycle 4.
    let found = violations(&[
        ("mem0.read", &[once(E0)]),
        ("mem1.read", &[nop(1), once(E0)]),
    ]);
    assert_eq!(
        fires!(found, Violation::Collision { .. }),
        "cycle 3, mem1, stream e0: mem1.read[1] read e0, 0x0000 (issued in cycle 1) drives a cell into which the value of \
         mem0.read[0] read e0, 0x0000 (issued in cycle 0) flows"
    );
    let west = Operation::Read {
        stream: Stream::west(2),
    };
    let found = violations(&[
        ("mem0.read", &[nop(1), once(west)]),
        ("mem1.read", &[once(west)]),
    ]);
    let text = fires!(found, Violation::Collision { .. });
    assert!(
        text.starts_with("cycle 3, mem0, stream w2: mem0.read[1]"),
        "{text}"
    );
    // One cycle off, or on the other stream, they pass.
    let apart = program(&[("mem0.read", &[once(E0)]), ("mem1.read", &[once(E0)])]);
    assert!(check(&nano(), &apart).is_ok());
}

#[test]
fn collision_of_two_planes() {
    let mut config = nano();
    config.mem.slices = 8;
    config.mxm.planes = 2;
    let product = alternatives(&config, 2, 8, 16).unwrap();
    let product = product
        .into_iter()
        .find(|product| product.schedule.planes == 2)
        .unwrap();
    let mut lists: Vec<_> = product
        .program
        .queues(&config)
        .map(|(_, list)| list.to_vec())
        .collect();
    for instruction in lists.iter_mut().flatten() {
        if let Instruction::Op {
            operation: Operation::Accumulate { stream, .. },
            ..
        } = instruction
        {
            *stream = 0;
        }
    }
    let found = check(&config, &build(&config, &lists)).unwrap_err().list;
    let text = fires!(found, Violation::Collision { .. });
    assert!(text.contains("mxm, stream w0: mxm1.accumulate"), "{text}");
}

#[test]
fn operand_missing() {
    let found = broken(|lists| lists[id("mem2.read")].insert(0, nop(1)));
    assert_eq!(
        fires!(found, Violation::OperandMissing { .. }),
        "cycle 4, mxm, stream e1: mxm0.weights[2] lw.row.iw e0, 0x0000 repeat 4, 1, 2 repeat 2, 8, 0 (issued in cycle 4) finds \
         no value; the nearest value, of mem2.read[1] read e1, 0x0000 repeat 4, 1, 1 repeat 2, 8, 4 (issued in cycle 1), is 1 \
         cycle too late"
    );
    let found = broken(|lists| lists[id("mem2.read")] = vec![End]);
    let text = fires!(found, Violation::OperandMissing { .. });
    assert!(text.ends_with("nothing upstream ever drives it"), "{text}");
    // A slice sees what its upstream neighbour holds, not its own cell or what is driven downstream.
    let write = once(Operation::Write {
        stream: Stream::east(0),
    });
    let at = |cycles| {
        violations(&[
            ("mem1.read", &[once(E0)]),
            ("mem1.write", &[nop(cycles), write]),
        ])
    };
    for cycles in 1..6 {
        fires!(at(cycles), Violation::OperandMissing { .. });
    }
    let copy = program(&[("mem1.read", &[once(E0)]), ("mem2.write", &[nop(3), write])]);
    assert!(check(&nano(), &copy).is_ok());
}

#[test]
fn bank_conflict() {
    let gather = Operation::Gather {
        stream: Stream::east(1),
        offset: Stream::east(0),
    };
    let reads = [once(gather), nop(4), once(E0)];
    let found = violations(&[
        ("mem0.read", &[once(E0)]),
        ("mem1.read", &[&[nop(3)][..], &reads].concat()),
    ]);
    assert_eq!(
        fires!(found, Violation::BankConflict { .. }),
        "cycle 8, mem1: mem1.read[1] gather e1, e0, 0x0000 (issued in cycle 3) and mem1.read[3] read e0, 0x0000 (issued in cycle 8) both \
         use the read port"
    );
    let (east0, east1) = (Stream::east(0), Stream::east(1));
    let scatter = once(Operation::Scatter {
        stream: east0,
        offset: east1,
    });
    let write = once(Operation::Write { stream: east0 });
    let other = once(Operation::Read { stream: east1 });
    let at = |gap| {
        program(&[
            ("mem0.read", &[once(E0), nop(gap), once(E0)]),
            ("mem1.read", &[nop(1), other]),
            ("mem2.write", &[nop(4), scatter, nop(gap), write]),
        ])
    };
    assert!(check(&nano(), &at(1)).is_ok());
    let found = check(&nano(), &at(2)).unwrap_err().list;
    let text = fires!(found, Violation::BankConflict { .. });
    assert!(
        text.starts_with("cycle 9, mem2: ") && text.ends_with("the write port"),
        "{text}"
    );
}

#[test]
fn address_range() {
    let at = |operation, address| Instruction::once(operation, address);
    let weights = Operation::LoadWeights {
        stream: 0,
        column: false,
        install: false,
    };
    let cases = [
        (
            "mem0.read",
            at(E0, 2048),
            "SRAM address 2048, and there are 2048",
        ),
        (
            "mem0.write",
            at(W0, 4000),
            "SRAM address 4000, and there are 2048",
        ),
        (
            "mxm0.weights",
            at(weights, 8),
            "weight row 8, and there are 8",
        ),
        (
            "mxm0.weights",
            at(weights, 2),
            "no multiple of the weight streams, 2",
        ),
        (
            "mxm0.compute",
            at(
                Operation::LoadOperand {
                    stream: 0,
                    scales: None,
                },
                64,
            ),
            "operand-buffer row 64",
        ),
        (
            "mxm0.compute",
            at(Operation::MultiplyBuffer { scaled: false }, 65),
            "operand-buffer row 65",
        ),
        (
            "mxm0.accumulate",
            at(
                Operation::Accumulate {
                    stream: 0,
                    init: AccMode::Always,
                    emit: AccMode::Never,
                },
                64,
            ),
            "accumulator row 64",
        ),
    ];
    for (queue, instruction, rule) in cases {
        let text = fires!(
            violations(&[(queue, &[instruction])]),
            Violation::AddressRange { .. }
        );
        assert!(text.contains(rule), "{text}");
    }
    // The addresses of a repeat wrap at 2^16.
    let wraps = Instruction::repeated(E0, 4, Repeat::inner(6, 1, -1));
    let text = fires!(
        violations(&[("mem0.read", &[wraps])]),
        Violation::AddressRange { .. }
    );
    assert!(text.contains("cycle 5") && text.contains("65535"), "{text}");
}

#[test]
fn products_and_accumulators_out_of_step() {
    let late = broken(|lists| lists[id("mxm0.accumulate")].insert(0, nop(1)));
    let text = fires!(late.clone(), Violation::ResultLost { .. });
    assert!(
        text.starts_with("cycle 17: no ACC takes the product of mxm0.compute[1] mm e2"),
        "{text}"
    );
    let text = fires!(late, Violation::ProductMissing { .. });
    assert!(
        text.contains(
            "(issued in cycle 33) finds no product; the product before is visible in cycle 32"
        ),
        "{text}"
    );
    let dropped = broken(|lists| {
        lists[id("mxm0.accumulate")].remove(1);
    });
    fires!(dropped, Violation::ResultLost { .. });
}

#[test]
fn hazards() {
    let hazard = |found: Vec<Violation>| fires!(found, Violation::Weights { .. });
    // Half of the rows.
    let half = broken(|lists| {
        for instruction in lists.iter_mut().flatten() {
            if let Instruction::Op {
                operation: Operation::LoadWeights { .. },
                repeat,
                ..
            } = instruction
            {
                repeat.count0 = 2;
            }
        }
    });
    assert!(hazard(half).contains("only 4 of 8 rows"));
    // Weights without install.
    let never = broken(|lists| {
        for instruction in lists.iter_mut().flatten() {
            if let Instruction::Op {
                operation: Operation::LoadWeights { install, .. },
                ..
            } = instruction
            {
                *install = false;
            }
        }
    });
    assert!(hazard(never).contains("no weights are ever installed"));
    let early = broken(|lists| {
        let compute = &mut lists[id("mxm0.compute")];
        compute[0] = nop(8);
    });
    assert!(hazard(early).contains("can be used from cycle 9"));
    let init = broken(|lists| {
        for instruction in lists.iter_mut().flatten() {
            if let Instruction::Op {
                operation: Operation::Accumulate { init, .. },
                ..
            } = instruction
            {
                *init = AccMode::Never;
            }
        }
    });
    let text = fires!(init, Violation::Sum { .. });
    assert!(
        text.contains("adds to accumulator row 0, which nothing has initialised"),
        "{text}"
    );
}

#[test]
fn operand_buffer_hazards() {
    let mm = once(Operation::MultiplyBuffer { scaled: false });
    let load = once(Operation::LoadOperand {
        stream: 0,
        scales: None,
    });
    let found = |list: &[Instruction]| violations(&[("mxm0.compute", list)]);
    let text = fires!(found(&[mm]), Violation::Operand { .. });
    assert!(text.contains("operand-buffer row 0 is not there (no LX has loaded it)"));
    let text = fires!(found(&[load, mm]), Violation::Operand { .. });
    assert!(text.contains("its LX issues in cycle 0, too late to be seen"));
    let late = found(&[load, nop(1), mm]);
    assert!(
        !late
            .iter()
            .any(|violation| matches!(violation, Violation::Operand { .. }))
    );
}

#[test]
fn long_reports_are_cut() {
    let many = [repeated(W0, Repeat::inner(100, 1, 0)); 20];
    let all = check(&nano(), &program(&[("mem0.write", &many)])).unwrap_err();
    assert_eq!((all.list.len(), all.omitted), (16, 1984));
    assert!(all.to_string().ends_with("\nand 1984 more"));
}

fn shapes() -> impl Strategy<Value = (usize, usize, usize)> {
    (1usize..20, 1usize..40, 1usize..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One cycle more before any operation of any queue breaks a product, and so does an operation less.
    #[test]
    fn any_slip_is_found((m, k, n) in shapes()) {
        let config = nano();
        let all = alternatives(&config, m, k, n).unwrap();
        let decode = all.iter().find(|product| product.schedule.mode == Mode::Decode);
        for product in all.first().into_iter().chain(decode) {
            prop_assert_eq!(product.schedule.prediction.unused_values, 0);
            let lists: Vec<_> = product.program.queues(&config).map(|(_, list)| list.to_vec()).collect();
            let passes = |queue: usize, list: Vec<Instruction>| {
                let mut lists = lists.clone();
                lists[queue] = list;
                check(&config, &build(&config, &lists)).is_ok_and(|prediction| prediction.unused_values == 0)
            };
            for (queue, list) in lists.iter().enumerate() {
                for (index, instruction) in list.iter().enumerate() {
                    let Instruction::Op { repeat, .. } = instruction else { continue };
                    let mut late = list.clone();
                    late.insert(index, nop(1));
                    prop_assert!(!passes(queue, late), "{queue} {index} late");
                    let mut dropped = list.clone();
                    dropped[index] = nop(repeat.duration() as u32);
                    prop_assert!(!passes(queue, dropped), "{queue} {index} dropped");
                }
            }
        }
    }
}
