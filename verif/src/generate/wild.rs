//! Programs that do anything.
//!
//! Streams and addresses are few, so that operations meet: operands are often there, values collide,
//! ports conflict. Every queue ends: SYNCs are freed by one queue that notifies at the end, as often and
//! as far apart as it takes.

use super::spoil::spoiled;
use super::vector::{DRAWN_DESCRIPTORS, Tables, tables};
use super::{Image, Scenario, config};
use lpu_isa::config::MxmFormat;
use lpu_isa::instruction::encoding::register;
use lpu_isa::instruction::{ARGUMENT_BITS, vector_address};
use lpu_isa::{AccMode, Config, Instruction, Operation, Program, Queue, QueueKind, Repeat, Stream};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Instructions that are drawn for a queue, before END.
const DRAWN: usize = 8;
/// Cycles of an epoch.
const EPOCH: u32 = 4096;
/// More than all trims of a launch.
const TRIMS: u32 = 16;
/// SYNCs of a queue, at most.
const SYNCS: usize = 2;

fn stream(config: &Config) -> impl Strategy<Value = Stream> + Clone + use<> {
    let all = config.streams as u8;
    let index = prop_oneof![12 => Just(0), 4 => 1u8..4, 2 => 0..all, 1 => 0u8..32];
    (any::<bool>(), index).prop_map(|(westward, index)| Stream { westward, index })
}

/// Scales of an activation: rare where they are ignored.
fn scales(config: &Config) -> impl Strategy<Value = Option<u8>> + use<> {
    let often = if config.mxm.has(MxmFormat::Nvfp4) {
        0.5
    } else {
        0.05
    };
    proptest::option::weighted(often, stream(config).prop_map(|stream| stream.index))
}

fn mode() -> impl Strategy<Value = AccMode> {
    use AccMode::*;
    select(vec![Never, Inner, Outer, Always])
}

fn operation(config: &Config, kind: QueueKind) -> BoxedStrategy<Operation> {
    let one = stream(config);
    let two = (stream(config), stream(config));
    let east = stream(config).prop_map(|stream| stream.index);
    match kind {
        QueueKind::MemRead => prop_oneof![
            3 => one.prop_map(|stream| Operation::Read { stream }),
            1 => two.prop_map(|(stream, offset)| Operation::Gather { stream, offset }),
        ]
        .boxed(),
        QueueKind::MemWrite => prop_oneof![
            3 => one.prop_map(|stream| Operation::Write { stream }),
            1 => two.prop_map(|(stream, offset)| Operation::Scatter { stream, offset }),
        ]
        .boxed(),
        QueueKind::MxmWeights => prop_oneof![
            3 => (east, any::<bool>(), any::<bool>()).prop_map(|(stream, column, install)| {
                Operation::LoadWeights { stream, column, install }
            }),
            1 => Just(Operation::InstallWeights),
        ]
        .boxed(),
        QueueKind::MxmCompute => prop_oneof![
            (east.clone(), scales(config))
                .prop_map(|(stream, scales)| Operation::LoadOperand { stream, scales }),
            (east, scales(config))
                .prop_map(|(stream, scales)| Operation::MultiplyStream { stream, scales }),
            scales(config).prop_map(|scales| Operation::MultiplyBuffer {
                scaled: scales.is_some()
            }),
        ]
        .boxed(),
        QueueKind::MxmAccumulate => (east, mode(), mode())
            .prop_map(|(stream, init, emit)| Operation::Accumulate { stream, init, emit })
            .boxed(),
        QueueKind::Vxm => two.prop_map(|(a, b)| Operation::Vector { a, b }).boxed(),
        QueueKind::Sxm => prop_oneof![
            3 => (two.clone(), any::<bool>())
                .prop_map(|((from, to), word)| Operation::Lanes { from, to, word }),
            2 => one.clone().prop_map(|from| Operation::TransposeLoad { from }),
            2 => one.prop_map(|to| Operation::TransposeStore { to }),
            2 => two.prop_map(|(from, to)| Operation::Reduce { from, to }),
        ]
        .boxed(),
        QueueKind::C2cSend => east.prop_map(|stream| Operation::Send { stream }).boxed(),
        QueueKind::C2cReceive => (east, any::<bool>())
            .prop_map(|(stream, word)| Operation::Receive { stream, word })
            .boxed(),
    }
}

fn repeat() -> impl Strategy<Value = Repeat> {
    let count = prop_oneof![2 => 1u32..12, 1 => 12u32..48];
    let inner = (count, prop_oneof![3 => Just(1u16), 1 => 2u16..4], -2i16..3);
    let outer = (1u32..3, 0u32..4, any::<u16>());
    let levels = prop_oneof![3 => (inner.clone(), Just((1u32, 0u32, 0u16))), 1 => (inner, outer)];
    levels.prop_map(|((count0, interval0, stride0), (count1, gap, stride1))| {
        let inner = Repeat::inner(count0, interval0, stride0);
        let shortest = inner.duration() as u32;
        inner.outer(count1, shortest + gap, stride1 % 8).canonical()
    })
}

fn instruction(config: &Config, kind: QueueKind) -> impl Strategy<Value = Instruction> + use<> {
    let rows = match kind {
        QueueKind::MemRead | QueueKind::MemWrite => config.mem.depth,
        QueueKind::MxmWeights => config.weight_rows(),
        QueueKind::MxmCompute => config.mxm.operand_depth,
        QueueKind::MxmAccumulate => config.mxm.accumulator_depth,
        QueueKind::Vxm => config.vxm.as_ref().map_or(1, |vxm| vxm.registers),
        QueueKind::Sxm => 2 * config.lanes,
        QueueKind::C2cSend | QueueKind::C2cReceive => 2,
    } as u16;
    let address = match kind {
        QueueKind::Vxm => (0..rows.min(12), 0..DRAWN_DESCRIPTORS)
            .prop_map(|(row, descriptor)| vector_address(row, descriptor))
            .boxed(),
        // Rows, reductions, and modes with arguments.
        QueueKind::Sxm => prop_oneof![
            3 => 0..rows,
            2 => 0u16..3,
            3 => (0u16..6, 0..rows).prop_map(|(mode, n)| mode << ARGUMENT_BITS | n),
        ]
        .boxed(),
        _ => (0..rows).boxed(),
    };
    let address = prop_oneof![12 => address, 1 => any::<u16>()];
    let kinds = [
        QueueKind::MemRead,
        QueueKind::MemWrite,
        QueueKind::MxmWeights,
        QueueKind::MxmCompute,
        QueueKind::MxmAccumulate,
        QueueKind::Vxm,
        QueueKind::Sxm,
        QueueKind::C2cSend,
        QueueKind::C2cReceive,
    ];
    let foreign = kinds.map(|kind| operation(config, kind));
    let foreign = (0..foreign.len()).prop_flat_map(move |i| foreign[i].clone());
    let op = prop_oneof![40 => operation(config, kind), 1 => foreign];
    let op = (op, address, repeat())
        .prop_map(|(op, address, repeat)| Instruction::repeated(op, address, repeat));
    let streams = prop_oneof![6 => (0u32..4).prop_map(|i| 1 << i), 1 => 0u16..10]
        .prop_map(|value| (register::WEIGHT_STREAMS, value));
    let format =
        prop_oneof![12 => 0u16..3, 1 => any::<u16>()].prop_map(|value| (register::FORMAT, value));
    let often = if config.mxm.formats.is_empty() { 1 } else { 20 };
    let setting = prop_oneof![
        18 => streams,
        often => format,
        1 => (0u8..64, 0u16..4),
    ];
    let config_weight = match kind {
        QueueKind::MxmWeights if config.mxm.formats.is_empty() => 6,
        QueueKind::MxmWeights => 12,
        _ => 1,
    };
    // Rare where they are illegal.
    let deskews = if kind == QueueKind::C2cSend { 6 } else { 1 };
    let deskew = prop_oneof![
        1 => Just(Instruction::Deskew),
        2 => (0u16..40).prop_map(|wait| Instruction::RuntimeDeskew { wait }),
    ];
    prop_oneof![
        40 => op,
        10 => (1u32..12).prop_map(|cycles| Instruction::Nop { cycles }),
        config_weight => setting.prop_map(|(register, value)| Instruction::Config { register, value }),
        deskews => deskew,
        1 => Just(Instruction::Notify),
        1 => Just(Instruction::Sync),
    ]
}

/// Most cycles that an instruction occupies its queue, SYNC aside.
fn duration(instruction: &Instruction) -> u32 {
    let waits = match instruction {
        Instruction::Deskew => EPOCH + TRIMS,
        Instruction::RuntimeDeskew { .. } => TRIMS,
        _ => 0,
    };
    instruction.cycles() as u32 + waits
}

/// Puts drawn instructions into a program that ends.
fn assemble(
    config: &Config,
    mut drawn: Vec<Vec<Instruction>>,
    notifier: usize,
    no_end: Option<usize>,
    tables: Tables,
) -> Program {
    let mut longest = 0;
    for (id, queue) in drawn.iter_mut().enumerate() {
        let mut syncs = if id == notifier { 0 } else { SYNCS };
        queue.retain(|instruction| {
            let sync = *instruction == Instruction::Sync;
            let keep = !sync || syncs > 0;
            syncs -= usize::from(sync && keep);
            keep
        });
        longest = longest.max(queue.iter().map(duration).sum());
    }
    let syncs =
        |queue: &Vec<Instruction>| queue.iter().filter(|&&i| i == Instruction::Sync).count();
    let needed = drawn.iter().map(syncs).max().unwrap_or(0);
    for _ in 0..needed {
        let cycles = longest + 4;
        drawn[notifier].extend([Instruction::Nop { cycles }, Instruction::Notify]);
    }
    let mut program = Program::new(config);
    tables.bring(&mut program);
    for (id, queue) in drawn.into_iter().enumerate() {
        let rest = config.icu.queue_depth - queue.len();
        queue.into_iter().for_each(|i| program.push(id, i));
        if no_end == Some(id) {
            (0..rest).for_each(|_| program.push(id, Instruction::Nop { cycles: 1 }));
        } else {
            program.push(id, Instruction::End);
        }
    }
    program
}

/// A scenario with any program, any base and any errors in memory: drawn from nothing or made from a
/// legal one by a few changes.
pub fn wild() -> impl Strategy<Value = Scenario> {
    config().prop_flat_map(|config| wild_on(&config))
}

/// [`wild`] for one machine.
pub fn wild_on(config: &Config) -> BoxedStrategy<Scenario> {
    prop_oneof![drawn(config), spoiled(config)].boxed()
}

fn drawn(config: &Config) -> impl Strategy<Value = Scenario> + use<> {
    let config = config.clone();
    let queues = config.num_queues();
    let queue = |unit: Queue| vec(instruction(&config, unit.kind), 0..DRAWN).boxed();
    let drawn: Vec<_> = Queue::all(&config).map(queue).collect();
    let base = prop_oneof![8 => Just(0u16), 3 => 0u16..8, 1 => any::<u16>()];
    let bases = vec(base, queues);
    let no_end = prop_oneof![15 => Just(None), 1 => (0..queues).prop_map(Some)];
    let image = (any::<u64>(), 0u8..40, prop_oneof![Just(0u8), 0u8..60]);
    let tables = tables(&config, stream(&config));
    (drawn, 0..queues, no_end, bases, image, tables).prop_map(
        move |(drawn, notifier, no_end, bases, image, tables)| {
            let (seed, single_flips, double_flips) = image;
            Scenario {
                program: assemble(&config, drawn, notifier, no_end, tables),
                config: config.clone(),
                bases,
                image: Image {
                    seed,
                    single_flips,
                    double_flips,
                },
            }
        },
    )
}
