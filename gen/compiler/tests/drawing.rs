//! The drawing in `docs/compiler.md` is the schedule that the compiler makes.

use lpu_compiler::matmul::{Matmul, compile};
use lpu_isa::latency::{IW_TO_MM, READ_LATENCY, SELECT_LATENCY, acc_latency, mm_latency};
use lpu_isa::{Config, Instruction, Operation};

const DOCS: &str = include_str!("../../../docs/compiler.md");

/// One line for each queue that does something, one column for each cycle.
fn draw(config: &Config, product: &Matmul) -> String {
    let end = product.schedule.prediction.last_write.unwrap() as usize;
    let ruler = (0..=end).step_by(10).map(|cycle| format!("{cycle:<10}"));
    let mut lines = vec![format!("{:17}{}", "cycle", ruler.collect::<String>())];
    for (queue, list) in product.program.queues(config) {
        let mut line = vec![' '; end + 1];
        let mut now = 0;
        for instruction in list {
            match *instruction {
                Instruction::Nop { cycles } => now += cycles as usize,
                Instruction::Op {
                    operation,
                    repeat: r,
                    ..
                } => {
                    for j1 in 0..r.count1 {
                        for j0 in 0..r.count0 {
                            let cycle = j1 * r.interval1 + j0 * u32::from(r.interval0);
                            line[now + cycle as usize] = letter(operation, j0 + 1 == r.count0, j1);
                        }
                    }
                    now += r.duration() as usize;
                }
                Instruction::Config { .. } => {
                    line[now] = 'c';
                    now += 1;
                }
                _ => {}
            }
        }
        let line: String = line.into_iter().collect();
        if !line.trim().is_empty() {
            lines.push(format!("{:17}{line}", queue.to_string()));
        }
    }
    let trimmed = lines
        .iter()
        .map(|line| format!("    {}\n", line.trim_end()));
    trimmed.collect()
}

fn letter(operation: Operation, last: bool, outer: u32) -> char {
    match operation {
        Operation::Read { .. } => 'r',
        Operation::Write { .. } => 'w',
        Operation::LoadWeights { .. } => {
            if last {
                'I'
            } else {
                'l'
            }
        }
        Operation::Accumulate { .. } => {
            if outer == 0 {
                'i'
            } else {
                'e'
            }
        }
        _ => 'm',
    }
}

#[test]
fn the_drawing_is_the_schedule() {
    let config = Config::preset("nano").unwrap();
    let drawn = draw(&config, &compile(&config, 8, 16, 8).unwrap());
    assert!(
        DOCS.contains(&drawn),
        "docs/compiler.md should show\n{drawn}"
    );
}

/// The cycles of the drawing, by hand from the latencies.
#[test]
fn the_cycles_follow_from_the_latencies() {
    let config = Config::preset("nano").unwrap();
    let product = compile(&config, 8, 16, 8).unwrap();
    let burst = 4;
    let load = READ_LATENCY + 1; // mem2 is one hop from mem3, whose cell the MXM samples
    let install = load + burst - 1;
    let first_mm = install + IW_TO_MM;
    let last_mm = first_mm + 2 * 8 - 1;
    let emit = last_mm + mm_latency(&config) + acc_latency(&config);
    let write = emit + 3 + SELECT_LATENCY; // mem0 is three hops from mem3, which samples W[4]
    assert_eq!(
        (load, install, first_mm, last_mm, emit, write),
        (4, 7, 9, 24, 36, 41)
    );
    assert_eq!(product.schedule.prediction.last_write, Some(write));
    assert_eq!(product.schedule.cycles, write + 1);
}
