//! A small interpreter of programs without faults, for functional tests of the compiler.
//!
//! It follows values instead of cycles: issues are taken in the order of their cycles, and a value on a
//! stream is kept under its flow, cycle minus or plus position.

use lpu_isa::latency::{ACC_LATENCY, IW_TO_MM, LX_TO_MM, READ_LATENCY, WRITE_LATENCY, mm_latency};
use lpu_isa::{AccMode, Config, Instruction, Operation, Program, Queue, Repeat, Stream};
use std::collections::HashMap;

type Bytes = Vec<u8>;

#[derive(Clone, Copy)]
struct Issue {
    cycle: u64,
    queue: Queue,
    operation: Operation,
    address: u16,
    first: (bool, bool),
    last: (bool, bool),
    width: usize,
}

#[derive(Default)]
struct Plane {
    shadow: HashMap<usize, Bytes>,
    installs: Vec<(u64, HashMap<usize, Bytes>)>,
    operands: Vec<(u64, u16, Bytes)>,
    products: HashMap<u64, Vec<i32>>,
    sums: HashMap<u16, Vec<i32>>,
}

/// The machine: memory by (slice, address), flows, planes.
pub struct Machine {
    pub sram: HashMap<(usize, usize), Bytes>,
    flows: HashMap<(Stream, i64), Bytes>,
    planes: Vec<Plane>,
    mxm: i64,
    lanes: usize,
}

fn issues(config: &Config, program: &Program) -> Vec<Issue> {
    let mut issues = Vec::new();
    for (queue, instructions) in program.queues(config) {
        let (mut now, mut width) = (0, config.mxm.weight_streams);
        for instruction in instructions {
            match *instruction {
                Instruction::Nop { cycles } => now += u64::from(cycles),
                Instruction::Config { value, .. } => {
                    width = usize::from(value);
                    now += 1;
                }
                Instruction::Op {
                    operation,
                    address,
                    repeat: r,
                } => {
                    push(&mut issues, now, queue, operation, address, r, width);
                    now += r.duration();
                }
                Instruction::End => break,
                Instruction::Notify | Instruction::Sync => unimplemented!(),
            }
        }
    }
    issues.sort_by_key(|issue| issue.cycle);
    issues
}

fn push(
    issues: &mut Vec<Issue>,
    now: u64,
    queue: Queue,
    operation: Operation,
    address: u16,
    r: Repeat,
    width: usize,
) {
    for j1 in 0..r.count1 {
        for j0 in 0..r.count0 {
            let step = i64::from(j0) * i64::from(r.stride0) + i64::from(j1) * i64::from(r.stride1);
            issues.push(Issue {
                cycle: now
                    + u64::from(j1) * u64::from(r.interval1)
                    + u64::from(j0) * u64::from(r.interval0),
                queue,
                operation,
                address: (i64::from(address) + step) as u16,
                first: (j0 == 0, j1 == 0),
                last: (j0 + 1 == r.count0, j1 + 1 == r.count1),
                width,
            });
        }
    }
}

fn applies(mode: AccMode, (inner, outer): (bool, bool)) -> bool {
    match mode {
        AccMode::Never => false,
        AccMode::Inner => inner,
        AccMode::Outer => outer,
        AccMode::Always => true,
    }
}

impl Machine {
    pub fn new(config: &Config) -> Self {
        Self {
            sram: HashMap::new(),
            flows: HashMap::new(),
            planes: (0..config.mxm.planes).map(|_| Plane::default()).collect(),
            mxm: config.mem.slices as i64,
            lanes: config.lanes,
        }
    }

    pub fn run(&mut self, config: &Config, program: &Program) {
        let mut writes: Vec<(u64, usize, usize, Bytes)> = Vec::new();
        for issue in issues(config, program) {
            let (due, later) = writes.into_iter().partition(|write| write.0 <= issue.cycle);
            writes = later;
            let due: Vec<_> = due;
            for (_, slice, address, bytes) in due {
                self.sram.insert((slice, address), bytes);
            }
            let slice = issue.queue.index;
            let address = usize::from(issue.address);
            match issue.operation {
                Operation::Read { stream } => {
                    let bytes = self.sram.get(&(slice, address)).cloned();
                    let bytes = bytes.unwrap_or_else(|| vec![0xa5; self.lanes]);
                    self.drive(stream, issue.cycle + READ_LATENCY, slice as i64, bytes);
                }
                Operation::Write { stream } => {
                    let bytes = self.sample(stream, issue.cycle, slice as i64);
                    writes.push((issue.cycle + WRITE_LATENCY, slice, address, bytes));
                }
                _ => self.matrix(issue),
            }
        }
        for (_, slice, address, bytes) in writes {
            self.sram.insert((slice, address), bytes);
        }
    }

    fn drive(&mut self, stream: Stream, visible: u64, position: i64, bytes: Bytes) {
        let way = if stream.westward { position } else { -position };
        let old = self.flows.insert((stream, visible as i64 + way), bytes);
        assert!(old.is_none(), "collision on {stream}");
    }

    fn sample(&self, stream: Stream, cycle: u64, position: i64) -> Bytes {
        let way = if stream.westward {
            position + 1
        } else {
            1 - position
        };
        self.flows[&(stream, cycle as i64 + way)].clone()
    }

    fn matrix(&mut self, issue: Issue) {
        let (plane, cycle, mxm) = (issue.queue.index, issue.cycle, self.mxm);
        match issue.operation {
            Operation::LoadWeights {
                stream, install, ..
            } => {
                for i in 0..issue.width {
                    let row = self.sample(Stream::east(stream + i as u8), cycle, mxm);
                    self.planes[plane]
                        .shadow
                        .insert(usize::from(issue.address) + i, row);
                }
                if install && issue.last.0 {
                    let weights = self.planes[plane].shadow.clone();
                    self.planes[plane]
                        .installs
                        .push((cycle + IW_TO_MM, weights));
                }
            }
            Operation::LoadOperand { stream } => {
                let bytes = self.sample(Stream::east(stream), cycle, mxm);
                self.planes[plane]
                    .operands
                    .push((cycle + LX_TO_MM, issue.address, bytes));
            }
            Operation::MultiplyStream { stream } => {
                let bytes = self.sample(Stream::east(stream), cycle, mxm);
                self.multiply(plane, cycle, &bytes);
            }
            Operation::MultiplyBuffer => {
                let rows = self.planes[plane].operands.iter().rev();
                let mut rows = rows.filter(|row| row.0 <= cycle && row.1 == issue.address);
                let bytes = rows.next().unwrap().2.clone();
                self.multiply(plane, cycle, &bytes);
            }
            Operation::Accumulate { stream, init, emit } => {
                let plane = &mut self.planes[plane];
                let product = plane.products.remove(&cycle).unwrap();
                let zero = vec![0; self.lanes];
                let sum = plane
                    .sums
                    .entry(issue.address)
                    .or_insert_with(|| zero.clone());
                if applies(init, issue.first) {
                    *sum = zero;
                }
                for (sum, product) in sum.iter_mut().zip(product) {
                    *sum = sum.wrapping_add(product);
                }
                let sum = sum.clone();
                if applies(emit, issue.last) {
                    for byte in 0..4 {
                        let bytes = sum.iter().map(|sum| sum.to_le_bytes()[byte]).collect();
                        self.drive(
                            Stream::west(stream + byte as u8),
                            cycle + ACC_LATENCY,
                            mxm,
                            bytes,
                        );
                    }
                }
            }
            _ => unimplemented!(),
        }
    }

    fn multiply(&mut self, plane: usize, cycle: u64, x: &[u8]) {
        let plane = &mut self.planes[plane];
        let weights = &plane
            .installs
            .iter()
            .rev()
            .find(|install| install.0 <= cycle)
            .unwrap()
            .1;
        let mut product = vec![0; self.lanes];
        for (k, &x) in x.iter().enumerate() {
            for (sum, &weight) in product.iter_mut().zip(&weights[&k]) {
                *sum += i32::from(x as i8) * i32::from(weight as i8);
            }
        }
        plane
            .products
            .insert(cycle + mm_latency(self.lanes), product);
    }
}
