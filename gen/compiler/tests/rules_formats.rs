//! The schedule checker's rules about formats fire: good products are broken in one place each.

use lpu_compiler::check::{Violation, check};
use lpu_compiler::matmul::{Format, Mode, alternatives_in};
use lpu_isa::{Config, Instruction, Operation, Program, Queue, QueueKind};

type Lists = Vec<Vec<Instruction>>;

/// An NVFP4 product of 16 lanes (two rows of scales) in the given mode.
fn good(mode: Mode) -> (Config, Lists) {
    let config = Config::preset("edge+nvfp4").unwrap();
    let products = alternatives_in(&config, Format::Nvfp4, 20, 70, 40).unwrap();
    let product = products
        .iter()
        .find(|product| product.schedule.mode == mode);
    let program = &product.unwrap().program;
    let lists = program.queues(&config).map(|(_, list)| list.to_vec());
    let lists = lists.collect();
    (config, lists)
}

fn verdict(config: &Config, lists: &Lists) -> Vec<Violation> {
    let mut program = Program::new(config);
    for (queue, list) in lists.iter().enumerate() {
        list.iter().for_each(|&i| program.push(queue, i));
    }
    check(config, &program).map_or_else(|found| found.list, |_| Vec::new())
}

/// The first violation after a change of the operations or settings of one kind of queue.
fn broken(mode: Mode, kind: QueueKind, change: impl Fn(&mut Instruction)) -> (Violation, String) {
    let (config, mut lists) = good(mode);
    assert_eq!(verdict(&config, &lists), []);
    for (id, list) in lists.iter_mut().enumerate() {
        if Queue::from_id(id, &config).unwrap().kind == kind {
            list.iter_mut().for_each(&change);
        }
    }
    let found = verdict(&config, &lists);
    let first = found.into_iter().next().expect("a violation");
    let text = first.to_string();
    (first, text)
}

fn setting(to: (u8, u16)) -> impl Fn(&mut Instruction) {
    move |instruction| {
        if let Instruction::Config {
            register: register @ 1,
            value,
        } = instruction
        {
            (*register, *value) = to;
        }
    }
}

#[test]
fn settings_that_the_machine_does_not_take() {
    for (to, rule) in [
        ((1, 1), "1 is not the number of a format in mxm.formats"),
        ((1, 3), "3 is not the number of a format in mxm.formats"),
        (
            (2, 0),
            "the registers are 0, the weight streams, and 1, the format",
        ),
    ] {
        let (violation, text) = broken(Mode::Streamed, QueueKind::MxmWeights, setting(to));
        assert!(matches!(violation, Violation::Instruction { .. }), "{text}");
        assert!(text.contains(rule), "{text}");
    }
}

#[test]
fn an_install_without_scales() {
    for mode in [Mode::Streamed, Mode::Decode] {
        let shorter = |instruction: &mut Instruction| {
            if let Instruction::Op {
                operation: Operation::LoadWeights { .. },
                repeat,
                ..
            } = instruction
            {
                repeat.count0 -= 1;
            }
        };
        let (violation, text) = broken(mode, QueueKind::MxmWeights, shorter);
        assert!(matches!(violation, Violation::Weights { .. }), "{text}");
        assert!(text.contains("of 2 rows of scales were loaded"), "{text}");
    }
    // In int8 nothing asks for them.
    let (config, mut lists) = good(Mode::Streamed);
    lists.iter_mut().flatten().for_each(setting((1, 0)));
    assert_eq!(verdict(&config, &lists), []);
}

#[test]
fn a_row_beyond_the_scales() {
    let higher = |instruction: &mut Instruction| {
        if let Instruction::Op {
            operation: Operation::LoadWeights { .. },
            address,
            ..
        } = instruction
        {
            *address += 16;
        }
    };
    let (violation, text) = broken(Mode::Streamed, QueueKind::MxmWeights, higher);
    let range = matches!(violation, Violation::AddressRange { limit: 18, .. });
    assert!(
        range || matches!(violation, Violation::OperandMissing { .. }),
        "{text}"
    );
    let (config, mut lists) = good(Mode::Streamed);
    lists.iter_mut().flatten().for_each(higher);
    let found = verdict(&config, &lists);
    assert!(
        found
            .iter()
            .any(|v| matches!(v, Violation::AddressRange { limit: 18, .. })),
        "{found:?}"
    );
}

#[test]
fn scales_on_a_stream_that_is_not_there_or_empty() {
    for (stream, instruction) in [(31, true), (15, false)] {
        let moved = |instruction: &mut Instruction| {
            if let Instruction::Op {
                operation:
                    Operation::MultiplyStream {
                        scales: Some(scales),
                        ..
                    },
                ..
            } = instruction
            {
                *scales = stream;
            }
        };
        let (violation, text) = broken(Mode::Streamed, QueueKind::MxmCompute, moved);
        let expected = match instruction {
            true => matches!(violation, Violation::Instruction { .. }),
            false => matches!(violation, Violation::OperandMissing { .. }),
        };
        assert!(expected, "{text}");
    }
}

#[test]
fn scales_of_the_buffer_that_were_never_loaded() {
    let unscaled = |instruction: &mut Instruction| {
        if let Instruction::Op {
            operation: Operation::LoadOperand { scales, .. },
            ..
        } = instruction
        {
            *scales = None;
        }
    };
    let (violation, text) = broken(Mode::Decode, QueueKind::MxmCompute, unscaled);
    assert!(matches!(violation, Violation::Operand { .. }), "{text}");
    assert!(
        text.contains("the scale part of operand-buffer row 0 is not there (no LX has loaded it)"),
        "{text}"
    );
}
