//! Rules that an instruction or a queue keeps or breaks by itself.

use super::{Violation, Violations};
use lpu_isa::config::MxmFormat;
use lpu_isa::instruction::encoding::register;
use lpu_isa::{Config, Instruction, Operation, Program, Queue, QueueKind, Stream};

pub fn check(config: &Config, program: &Program, found: &mut Violations) {
    if program.num_queues() != config.num_queues() {
        found.push(Violation::Queues {
            expected: config.num_queues(),
            found: program.num_queues(),
        });
        return;
    }
    for (queue, instructions) in program.queues(config) {
        let (needed, available) = (instructions.len(), config.icu.queue_depth);
        if needed > available {
            found.push(Violation::ProgramMemory {
                queue,
                needed,
                available,
            });
        }
        if instructions.last() != Some(&Instruction::End) {
            found.push(Violation::NoEnd { queue });
        }
        for (index, instruction) in instructions.iter().enumerate() {
            let last = index + 1 == needed;
            if let Err(rule) = instruction_rule(config, queue, instruction, last) {
                found.push(Violation::Instruction {
                    queue,
                    index,
                    instruction: *instruction,
                    rule,
                });
            }
        }
    }
}

fn ensure(holds: bool, rule: impl Into<String>) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.into()) }
}

fn instruction_rule(
    config: &Config,
    queue: Queue,
    instruction: &Instruction,
    last: bool,
) -> Result<(), String> {
    let width = config.mxm.weight_streams;
    match *instruction {
        Instruction::Nop { cycles } => ensure(
            (1..1 << 20).contains(&cycles),
            "a NOP takes from 1 to 2^20 - 1 cycles",
        ),
        Instruction::End => ensure(last, "the instructions after END are never reached"),
        Instruction::Notify | Instruction::Sync => Ok(()),
        Instruction::Deskew | Instruction::RuntimeDeskew { .. } => {
            ensure(
                queue.kind == QueueKind::C2cSend,
                "only the send queue of a link takes DESKEW and RUNTIME_DESKEW",
            )?;
            ensure(
                *instruction != Instruction::RuntimeDeskew { wait: 0 },
                "a RUNTIME_DESKEW waits from 1 to 65535 cycles",
            )
        }
        Instruction::Config { register, value } => {
            ensure(
                queue.kind == QueueKind::MxmWeights,
                "only a weights queue takes CONFIG",
            )?;
            let formats = &config.mxm.formats;
            match register {
                register::WEIGHT_STREAMS => {
                    let value = usize::from(value);
                    ensure(
                        value.is_power_of_two() && value <= width,
                        format!("weight streams must be a power of two up to {width}"),
                    )
                }
                register::FORMAT if !formats.is_empty() => ensure(
                    value == 0 || formats.iter().any(|format| format.code() == value),
                    format!("{value} is not the number of a format in mxm.formats"),
                ),
                _ if formats.is_empty() => {
                    ensure(false, "the only register is 0, the weight streams")
                }
                _ => ensure(
                    false,
                    "the registers are 0, the weight streams, and 1, the format",
                ),
            }
        }
        Instruction::Op {
            operation, repeat, ..
        } => {
            let r = repeat;
            ensure(
                config.mem.indirect || !indirect(operation),
                "the machine has no GATHER and no SCATTER: its mem.indirect is false",
            )?;
            ensure(
                takes(queue.kind, operation),
                "the queue does not take this operation",
            )?;
            ensure(
                (1..=1 << 16).contains(&r.count0) && (1..=1 << 16).contains(&r.count1),
                "a repeat iterates from 1 to 65536 times",
            )?;
            ensure(
                (1..1 << 12).contains(&r.interval0) && (1..1 << 20).contains(&r.interval1),
                "intervals are from 1 to 4095 (inner) and from 1 to 2^20 - 1 (outer)",
            )?;
            ensure(
                (-2048..=2047).contains(&r.stride0),
                "the inner stride is from -2048 to 2047",
            )?;
            let inner = u64::from(r.count0 - 1) * u64::from(r.interval0) + 1;
            ensure(
                r.count1 == 1 || u64::from(r.interval1) >= inner,
                format!("the inner repeat takes {inner} cycles, more than the outer interval"),
            )?;
            streams_rule(config, operation)
        }
    }
}

fn indirect(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Gather { .. } | Operation::Scatter { .. }
    )
}

fn takes(kind: QueueKind, operation: Operation) -> bool {
    use Operation::*;
    match kind {
        QueueKind::MemRead => matches!(operation, Read { .. } | Gather { .. }),
        QueueKind::MemWrite => matches!(operation, Write { .. } | Scatter { .. }),
        QueueKind::MxmWeights => matches!(operation, LoadWeights { .. } | InstallWeights),
        QueueKind::MxmCompute => matches!(
            operation,
            LoadOperand { .. } | MultiplyStream { .. } | MultiplyBuffer { .. }
        ),
        QueueKind::MxmAccumulate => matches!(operation, Accumulate { .. }),
        QueueKind::Vxm => matches!(operation, Vector { .. }),
        QueueKind::Sxm => matches!(
            operation,
            Lanes { .. } | TransposeLoad { .. } | TransposeStore { .. } | Reduce { .. }
        ),
        QueueKind::C2cSend => matches!(operation, Send { .. }),
        QueueKind::C2cReceive => matches!(operation, Receive { .. }),
    }
}

fn streams_rule(config: &Config, operation: Operation) -> Result<(), String> {
    use Operation::*;
    let exists = |stream: Stream| {
        ensure(
            usize::from(stream.index) < config.streams,
            format!("there are {} streams in each direction", config.streams),
        )
    };
    match operation {
        Read { stream } | Write { stream } => exists(stream),
        Gather { stream, offset } | Scatter { stream, offset } => {
            exists(stream)?;
            exists(offset)
        }
        LoadWeights { stream, .. } => {
            let width = config.mxm.weight_streams;
            ensure(
                usize::from(stream).is_multiple_of(width),
                format!("the first weight stream must be a multiple of {width}"),
            )?;
            exists(Stream::east(stream))
        }
        Accumulate { stream, .. } => {
            ensure(
                stream.is_multiple_of(4),
                "the first result stream must be a multiple of 4",
            )?;
            exists(Stream::west(stream))
        }
        LoadOperand { stream, scales } | MultiplyStream { stream, scales } => {
            exists(Stream::east(stream))?;
            // A machine without NVFP4 ignores the scales.
            let scales = scales.filter(|_| config.mxm.has(MxmFormat::Nvfp4));
            exists(Stream::east(scales.unwrap_or(stream)))
        }
        Lanes { from, to, .. } | Reduce { from, to } => {
            exists(from)?;
            exists(to)
        }
        TransposeLoad { from: stream } | TransposeStore { to: stream } => exists(stream),
        Send { stream } => exists(Stream::west(stream)),
        Receive { stream, word } => {
            ensure(
                !word || stream.is_multiple_of(4),
                "the first of four streams must be a multiple of 4",
            )?;
            exists(Stream::east(stream))
        }
        // Which of its streams a pass takes is the descriptor's; they are checked where they are sampled.
        InstallWeights | MultiplyBuffer { .. } | Vector { .. } => Ok(()),
    }
}
