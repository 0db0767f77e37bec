//! A hand-written matmul on eight slices: activations from slice 0, weights from 1 and 2, byte planes of
//! the results to 4..7.

use lpu_isa::QueueKind::*;
use lpu_isa::latency::{IW_TO_MM, READ_LATENCY, acc_latency, mm_latency};
use lpu_isa::{AccMode, Config, Instruction, Operation, Program, Queue, Repeat, Stream};
use lpu_verif::numeric::Matrix;
use lpu_verif::{Machine, Vector};

/// Weight streams used.
const C: usize = 2;
const ACTIVATIONS: u8 = 8;

/// `rows` x `k_tiles * L` times `k_tiles * L` x `n_tiles * L`; at least 32 rows.
pub struct Matmul {
    pub rows: usize,
    pub k_tiles: usize,
    pub n_tiles: usize,
}

impl Matmul {
    /// Puts operands in SRAM.
    pub fn fill(&self, machine: &mut Machine, a: &Matrix<i8>, b: &Matrix<i8>) {
        let lanes = machine.config().lanes;
        let tile = |row: &[i8], index: usize| Vector::encode_i8(&row[index * lanes..][..lanes]);
        for k in 0..self.k_tiles {
            for r in 0..self.rows {
                machine.write_sram(0, k * self.rows + r, &tile(a.row(r), k));
            }
        }
        for n in 0..self.n_tiles {
            for row in 0..b.rows() {
                let address = (n * b.rows() + row) / C;
                machine.write_sram(1 + row % C, address, &tile(b.row(row), n));
            }
        }
    }

    /// Result of row `r`, column `c`.
    pub fn result(&self, machine: &Machine, r: usize, c: usize) -> i32 {
        let lanes = machine.config().lanes;
        let address = c / lanes * self.rows + r;
        let byte = |b: usize| machine.sram(4 + b, address).lane(c % lanes);
        i32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
    }

    pub fn program(&self, config: &Config) -> Program {
        let lanes = config.lanes as u64;
        let (rows, loads) = (self.rows as u64, lanes / C as u64);
        let tiles = (self.k_tiles * self.n_tiles) as u64;
        let mut program = Program::new(config);
        let mut put = |kind, index, cycle: u64, instructions: &[Instruction]| {
            let id = Queue::new(kind, index).id(config);
            let cycles = cycle as u32;
            program.push(id, Instruction::Nop { cycles });
            instructions.iter().for_each(|&i| program.push(id, i));
            program.push(id, Instruction::End);
        };
        // A read of slice i in t is seen by the MXM in t + 3 + (7 - i).
        let to_mxm = |slice: u64| READ_LATENCY + 7 - slice;
        let mm = 64;
        let lw = mm - IW_TO_MM - (loads - 1);
        let acc = mm + mm_latency(config);

        let read = Operation::Read {
            stream: Stream::east(ACTIVATIONS),
        };
        let inner = Repeat::inner((rows * self.k_tiles as u64) as u32, 1, 1);
        let reads = inner.outer(self.n_tiles as u32, (rows * self.k_tiles as u64) as u32, 0);
        put(
            MemRead,
            0,
            mm - to_mxm(0),
            &[Instruction::repeated(read, 0, reads)],
        );

        let burst =
            Repeat::inner(loads as u32, 1, 1).outer(tiles as u32, rows as u32, loads as u16);
        for slice in 1..=C as u64 {
            let read = Operation::Read {
                stream: Stream::east(slice as u8 - 1),
            };
            put(
                MemRead,
                slice as usize,
                lw - to_mxm(slice),
                &[Instruction::repeated(read, 0, burst)],
            );
        }
        let load = Operation::LoadWeights {
            stream: 0,
            column: false,
            install: true,
        };
        let rows_of_tile =
            Repeat::inner(loads as u32, 1, C as i16).outer(tiles as u32, rows as u32, 0);
        let config_c = Instruction::Config {
            register: 0,
            value: C as u16,
        };
        put(
            MxmWeights,
            0,
            lw - 1,
            &[config_c, Instruction::repeated(load, 0, rows_of_tile)],
        );

        let multiply = Operation::MultiplyStream {
            stream: ACTIVATIONS,
            scales: None,
        };
        let all = Repeat::inner(rows as u32, 1, 0).outer(tiles as u32, rows as u32, 0);
        put(
            MxmCompute,
            0,
            mm,
            &[Instruction::repeated(multiply, 0, all)],
        );

        let (init, emit) = (AccMode::Outer, AccMode::Outer);
        let accumulate = Operation::Accumulate {
            stream: 0,
            init,
            emit,
        };
        let tile = Repeat::inner(rows as u32, 1, 1).outer(self.k_tiles as u32, rows as u32, 0);
        put(
            MxmAccumulate,
            0,
            acc,
            &vec![Instruction::repeated(accumulate, 0, tile); self.n_tiles],
        );

        // Slice 4 + b takes byte plane b when it passes.
        let emitted = acc + (self.k_tiles as u64 - 1) * rows + acc_latency(config);
        let per_n = (self.k_tiles as u64 * rows) as u32;
        let tile = Repeat::inner(rows as u32, 1, 1).outer(self.n_tiles as u32, per_n, rows as u16);
        for b in 0..4 {
            let write = Operation::Write {
                stream: Stream::west(b),
            };
            let hops = 3 - u64::from(b);
            put(
                MemWrite,
                4 + b as usize,
                emitted + hops,
                &[Instruction::repeated(write, 0, tile)],
            );
        }
        for id in 0..config.num_queues() {
            if program.queue(id).is_empty() {
                program.push(id, Instruction::End);
            }
        }
        program
    }
}
