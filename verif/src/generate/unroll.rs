//! Repeats written out.

use lpu_isa::{AccMode, Config, Instruction, Operation, Program, Repeat};

/// The same program with every operation issued by an instruction of its own, RECEIVEs of words aside.
///
/// Queues grow by the number of iterations and the waits between them, so the machine may need deeper
/// queue memories.
pub fn unroll(config: &Config, program: &Program) -> Program {
    let mut unrolled = Program::new(config);
    for (&index, &descriptor) in program.descriptors() {
        unrolled.describe(index, descriptor);
    }
    for (&index, lanes) in program.maps() {
        unrolled.map(index, lanes.clone());
    }
    for id in 0..program.num_queues() {
        for &instruction in program.queue(id) {
            // What keeps a flit and drives nothing is no instruction by itself.
            let whole = |operation| matches!(operation, Operation::Receive { word: true, .. });
            if let Instruction::Op {
                operation,
                address,
                repeat,
            } = instruction
                && !whole(operation)
            {
                write_out(&mut unrolled, id, operation, address, repeat);
            } else {
                unrolled.push(id, instruction);
            }
        }
    }
    unrolled
}

fn write_out(program: &mut Program, id: usize, operation: Operation, address: u16, repeat: Repeat) {
    let mut clock = 0;
    for j1 in 0..repeat.count1 {
        for j0 in 0..repeat.count0 {
            let cycle = j1 * repeat.interval1 + j0 * u32::from(repeat.interval0);
            if cycle > clock {
                let cycles = cycle - clock;
                program.push(id, Instruction::Nop { cycles });
            }
            let steps = i64::from(repeat.stride0) * i64::from(j0)
                + i64::from(repeat.stride1) * i64::from(j1);
            let address = (i64::from(address) + steps).rem_euclid(1 << 16) as u16;
            let first = [j0 == 0, j1 == 0];
            let last = [j0 + 1 == repeat.count0, j1 + 1 == repeat.count1];
            let single = single(operation, first, last);
            program.push(id, Instruction::once(single, address));
            clock = cycle + 1;
        }
    }
}

/// The operation of one iteration, on its own.
fn single(operation: Operation, first: [bool; 2], last: [bool; 2]) -> Operation {
    let plain = |mode, edge: [bool; 2]| match mode {
        AccMode::Inner if edge[0] => AccMode::Always,
        AccMode::Outer if edge[1] => AccMode::Always,
        AccMode::Always => AccMode::Always,
        _ => AccMode::Never,
    };
    match operation {
        Operation::Accumulate { stream, init, emit } => Operation::Accumulate {
            stream,
            init: plain(init, first),
            emit: plain(emit, last),
        },
        Operation::LoadWeights {
            stream,
            column,
            install,
        } => Operation::LoadWeights {
            stream,
            column,
            install: install && last[0],
        },
        other => other,
    }
}
