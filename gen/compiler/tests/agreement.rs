//! The checker finds a fault exactly when the golden machine records one.

use lpu_compiler::check;
use lpu_compiler::check::Violation;
use lpu_compiler::matmul::{Format as Operands, compile_in};
use lpu_isa::config::{C2cConfig, MxmFormat};
use lpu_isa::descriptor::{DESCRIPTORS, Format, Output, ResultFormat, Source};
use lpu_isa::{
    AccMode, Config, Descriptor, Instruction, Operation, Program, Queue, QueueKind, Repeat, Stream,
};
use lpu_verif::generate::legal_on;
use lpu_verif::{Flit, Machine, Status, Vector};
use proptest::prelude::*;

/// Whether golden machine and checker find a fault; `None` if the program never ends.
fn verdicts(config: &Config, program: &Program) -> Option<(bool, bool)> {
    let mut machine = Machine::new(config);
    machine.load(program).unwrap();
    machine.launch();
    // Whether a flit is there is not the checker's question.
    for flit in (0..64 * config.links()).map(|n| Flit {
        link: n % config.links(),
        cycle: 0,
        vector: Vector::default(),
    }) {
        machine.arrive(flit);
    }
    let status = machine.run(1 << 20, &mut Vec::new());
    let found = check(config, program);
    let has = |what: fn(&Violation) -> bool| {
        let found = found.as_ref();
        found.is_err_and(|found| found.list.iter().any(what))
    };
    let deadlocked = status == Status::Deadlocked;
    // With an instruction that the machine does not take, the checker does not ask how the others go.
    if !has(|violation| matches!(violation, Violation::Instruction { .. })) {
        let found = has(|violation| matches!(violation, Violation::Deadlock { .. }));
        assert_eq!(deadlocked, found);
    }
    let report = machine.report();
    if let Ok(prediction) = &found {
        assert_eq!(prediction.busy_cycles, report.cycles);
        assert_eq!(prediction.first_read, report.first_read);
        assert_eq!(prediction.last_write, report.last_write);
    }
    // Use of what is not defined is no fault of the machine, nor what would be one with another wait.
    let hazard = |violation: &Violation| {
        use Violation::*;
        matches!(
            violation,
            Weights { .. } | Operand { .. } | Sum { .. } | Deskew { .. }
        )
    };
    let fault = found.is_err_and(|found| !found.list.iter().all(hazard));
    (!deadlocked).then(|| (report.faults.iter().any(Option::is_some), fault))
}

fn stream(config: &Config) -> impl Strategy<Value = Stream> + use<> {
    (any::<bool>(), 0..config.streams.min(2) as u8)
        .prop_map(|(westward, index)| Stream { westward, index })
}

fn operation(config: &Config, kind: QueueKind) -> BoxedStrategy<Operation> {
    use Operation::*;
    let mode = prop_oneof![
        Just(AccMode::Never),
        Just(AccMode::Inner),
        Just(AccMode::Outer),
        Just(AccMode::Always)
    ];
    let streams = (stream(config), stream(config));
    let index = 0u8..2;
    let scales = prop_oneof![
        3 => Just(None),
        2 => index.clone().prop_map(Some),
        1 => Just(Some(31)),
    ];
    let weights = any::<(bool, bool)>();
    match kind {
        QueueKind::MemRead => (any::<bool>(), streams)
            .prop_map(|(indirect, (stream, offset))| match indirect {
                true => Gather { stream, offset },
                false => Read { stream },
            })
            .boxed(),
        QueueKind::MemWrite => (any::<bool>(), streams)
            .prop_map(|(indirect, (stream, offset))| match indirect {
                true => Scatter { stream, offset },
                false => Write { stream },
            })
            .boxed(),
        QueueKind::MxmWeights => (any::<bool>(), weights)
            .prop_map(|(load, (column, install))| match load {
                true => LoadWeights {
                    stream: 0,
                    column,
                    install,
                },
                false => InstallWeights,
            })
            .boxed(),
        QueueKind::MxmCompute => (0..3, index, scales)
            .prop_map(|(choice, stream, scales)| match choice {
                0 => LoadOperand { stream, scales },
                1 => MultiplyStream { stream, scales },
                _ => MultiplyBuffer {
                    scaled: scales.is_some(),
                },
            })
            .boxed(),
        QueueKind::MxmAccumulate => (mode.clone(), mode)
            .prop_map(|(init, emit)| Accumulate {
                stream: 0,
                init,
                emit,
            })
            .boxed(),
        QueueKind::Vxm => streams.prop_map(|(a, b)| Vector { a, b }).boxed(),
        QueueKind::Sxm => (0..6, streams)
            .prop_map(|(choice, (from, to))| match choice {
                0 => TransposeLoad { from },
                1 => TransposeStore { to },
                2 => Reduce { from, to },
                choice => Lanes {
                    from,
                    to,
                    word: choice == 3,
                },
            })
            .boxed(),
        QueueKind::C2cSend => index.prop_map(|stream| Send { stream }).boxed(),
        QueueKind::C2cReceive => any::<bool>()
            .prop_flat_map(move |word| {
                let stream = if word {
                    Just(0).boxed()
                } else {
                    index.clone().boxed()
                };
                stream.prop_map(move |stream| Receive { stream, word })
            })
            .boxed(),
    }
}

fn instruction(config: &Config, kind: QueueKind) -> BoxedStrategy<Instruction> {
    let last = Just(config.mem.depth as u16 - 2);
    let address = match kind {
        QueueKind::Vxm => {
            prop_oneof![9 => (0u16..8, 0u16..64).prop_map(|(row, d)| row | d << 10), 1 => last]
                .boxed()
        }
        // Rows of scales are 8 and, with 16 lanes, 16 and 17.
        QueueKind::MxmWeights => prop_oneof![5 => 0u16..9, 1 => 16u16..19, 1 => last].boxed(),
        _ => prop_oneof![5 => 0u16..8, 1 => last].boxed(),
    };
    let repeat = (1u32..4, 1u16..3, -1i16..3, 1u32..3, 0u32..4).prop_map(
        |(count0, interval0, stride0, count1, gap)| {
            let inner = (count0 - 1) * u32::from(interval0) + 1;
            Repeat::inner(count0, interval0, stride0).outer(count1, inner + gap, 1)
        },
    );
    let nop = (1u32..12).prop_map(|cycles| Instruction::Nop { cycles });
    let op = (operation(config, kind), address, repeat)
        .prop_map(|(operation, address, repeat)| Instruction::repeated(operation, address, repeat));
    let setting =
        (0u8..3, 0u16..4).prop_map(|(register, value)| Instruction::Config { register, value });
    let settings = u32::from(kind == QueueKind::MxmWeights);
    // Without drift it takes the time that it names.
    let wait = (1u16..60).prop_map(|wait| Instruction::RuntimeDeskew { wait });
    let waits = u32::from(kind == QueueKind::C2cSend);
    prop_oneof![
        settings => setting,
        waits => wait,
        8 => op,
        6 => nop,
        1 => Just(Instruction::Notify),
        1 => Just(Instruction::Sync),
    ]
    .boxed()
}

/// Descriptors of which all addresses of VEC meet one: a byte or words in, B early or late, a byte or two planes out.
fn descriptor(index: usize) -> Descriptor {
    let format = if index % 8 == 7 {
        Format::Int32
    } else {
        Format::Int8
    };
    let b = [None, Some((Format::Int8, 0)), Some((Format::E4m3, 1))][index % 3];
    let formats = [ResultFormat::Int8, ResultFormat::Int16, ResultFormat::Fp32];
    Descriptor {
        source: Source::Stream(format),
        b,
        output: Some(Output {
            format: formats[index / 3 % 3],
            stream: Stream::west(index as u8 % 2),
        }),
        ..Descriptor::default()
    }
}

/// A few instructions in a few queues.
fn program(config: Config) -> impl Strategy<Value = Program> {
    let queues: Vec<_> = Queue::all(&config)
        .map(|queue| {
            let some = prop::collection::vec(instruction(&config, queue.kind), 1..4);
            prop_oneof![2 => Just(Vec::new()), 1 => some]
        })
        .collect();
    queues.prop_map(move |queues| {
        let mut program = Program::new(&config);
        if config.vxm.is_some() {
            (0..DESCRIPTORS).for_each(|index| program.describe(index, descriptor(index)));
        }
        for index in 0..config.sxm.as_ref().map_or(0, |sxm| sxm.maps) {
            program.map(index, vec![0; config.lanes]);
        }
        for (id, list) in queues.into_iter().enumerate() {
            list.into_iter()
                .for_each(|instruction| program.push(id, instruction));
            program.push(id, Instruction::End);
        }
        program
    })
}

fn small() -> Config {
    let mut config = Config::preset("nano").unwrap();
    config.mem.slices = 3;
    config.mem.depth = 16;
    config.mxm.weight_streams = 1;
    config.mxm.operand_depth = 4;
    config.mxm.accumulator_depth = 4;
    config
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_programs(program in program(small())) {
        if let Some((golden, checker)) = verdicts(&small(), &program) {
            prop_assert_eq!(golden, checker, "{:?}", check(&small(), &program));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_programs_with_links(program in program(linked())) {
        if let Some((golden, checker)) = verdicts(&linked(), &program) {
            prop_assert_eq!(golden, checker, "{:?}", check(&linked(), &program));
        }
    }
}

fn linked() -> Config {
    let mut config = small();
    config.c2c = Some(C2cConfig { links: 2 });
    config
}

/// The same machine with formats, and one with 16 lanes and two weight streams.
fn formats() -> Vec<Config> {
    let with = |formats: &[MxmFormat]| {
        let mut config = small();
        config.mxm.formats = formats.to_vec();
        config
    };
    let mut wide = with(&[MxmFormat::Nvfp4]);
    (wide.lanes, wide.mxm.weight_streams) = (16, 2);
    vec![with(&[MxmFormat::E4m3]), with(&MxmFormat::ALL), wide]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_programs_on_machines_with_formats(
        (config, program) in prop::sample::select(formats())
            .prop_flat_map(|config| (Just(config.clone()), program(config))),
    ) {
        if let Some((golden, checker)) = verdicts(&config, &program) {
            prop_assert_eq!(golden, checker, "{:?}", check(&config, &program));
        }
    }

    /// Legal ones have no faults, wild ones have some: with operands, scales and rows of them in place.
    #[test]
    fn generated_programs_on_machines_with_formats(
        legal in prop::sample::select(formats()).prop_flat_map(|config| legal_on(&config)),
    ) {
        let found = check(&legal.config, &legal.program);
        let wrong = |violation: &Violation| {
            use Violation::*;
            // Base registers are not the checker's, nor what is used without being defined.
            !matches!(violation, Weights { .. } | Operand { .. } | Sum { .. } | AddressRange { .. })
        };
        if let Err(found) = found {
            prop_assert!(!found.list.iter().any(wrong), "{found:?}\n{legal:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Products in which one queue is late from some instruction on.
    #[test]
    fn products_with_a_slip(
        format in prop::sample::select(Operands::ALL.to_vec()),
        (m, k, n) in (1usize..10, 1usize..20, 1usize..20),
        (queue, index) in (0usize..11, 0usize..8),
        (early, late) in (0u32..3, 0u32..4),
    ) {
        let config = Config::preset("nano+e4m3+nvfp4").unwrap();
        let good = compile_in(&config, format, m, k, n).unwrap().program;
        let mut program = Program::new(&config);
        for (id, (_, list)) in good.queues(&config).enumerate() {
            if early > 0 {
                program.push(id, Instruction::Nop { cycles: early });
            }
            for (i, &instruction) in list.iter().enumerate() {
                if late > 0 && id == queue && i == index.min(list.len() - 1) {
                    program.push(id, Instruction::Nop { cycles: late });
                }
                program.push(id, instruction);
            }
        }
        let (golden, checker) = verdicts(&config, &program).unwrap();
        prop_assert_eq!(golden, checker);
        prop_assert!(late > 0 || !golden);
    }
}
