use super::*;
use crate::prim::testing::cycle;
use lpu_isa::latency::{READ_LATENCY, SRAM_LATENCY, WRITE_LATENCY};
use lpu_isa::secded::COLUMNS;
use lpu_isa::{Instruction, Operation, Repeat, Stream};

type Slice = MemSlice<8, 64>;

/// A slice in which cycles of a launch are counted; cycle 0 follows `launch`.
struct Bench {
    slice: Slice,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        let mut config = Config::preset("nano").expect("a preset");
        config.streams = 4;
        config.mem.depth = 16;
        config.icu.queue_depth = 16;
        let mut slice = Slice::new(&config);
        slice.connect_all();
        let mut bench = Self { slice, now: 0 };
        bench.slice.reset.next = true;
        bench.step();
        bench.slice.reset.next = false;
        bench
    }

    fn step(&mut self) {
        self.slice.in_cycle.next = Bits::from(self.now);
        cycle(&mut self.slice, |slice, level| {
            slice.clock.next = Clock::from(level);
        });
        self.now += 1;
    }

    fn program(&mut self, write_queue: bool, instructions: &[Instruction]) {
        for (index, instruction) in instructions.iter().enumerate() {
            self.word(write_queue, index, instruction.encode());
        }
    }

    fn word(&mut self, write_queue: bool, index: usize, word: u128) {
        for half in [false, true] {
            self.slice.in_program_enable_read.next = !write_queue;
            self.slice.in_program_enable_write.next = write_queue;
            self.slice.in_program_write.next = true;
            self.slice.in_program_half.next = half;
            self.slice.in_program_index.next = Bits::from(index as u64);
            let data = (word >> if half { 64 } else { 0 }) as u64;
            self.slice.in_program_data.next = Bits::from(data);
            self.step();
        }
        self.slice.in_program_enable_read.next = false;
        self.slice.in_program_enable_write.next = false;
    }

    fn store(&mut self, address: u64, data: u64) {
        self.slice.in_host_enable.next = true;
        self.slice.in_host_write.next = true;
        self.slice.in_host_vector.next = Bits::from(address);
        self.slice.in_host_data.next = Bits::from(data);
        self.step();
        self.slice.in_host_enable.next = false;
    }

    /// Goes to cycle 0 of a launch.
    fn launch(&mut self) {
        (0..4).for_each(|_| self.step());
        self.slice.in_launch.next = true;
        self.step();
        self.slice.in_launch.next = false;
        self.step();
        self.now = 0;
    }

    fn read_fault(&self) -> Option<(u64, u64)> {
        let code = self.slice.out_read_fault_code.val().to_u64();
        let cycle = self.slice.out_read_fault_cycle.val().to_u64();
        self.slice
            .out_read_fault_valid
            .val()
            .then_some((code, cycle))
    }

    fn write_fault(&self) -> Option<(u64, u64)> {
        let code = self.slice.out_write_fault_code.val().to_u64();
        let cycle = self.slice.out_write_fault_cycle.val().to_u64();
        self.slice
            .out_write_fault_valid
            .val()
            .then_some((code, cycle))
    }
}

fn read(index: u8, address: u16) -> Instruction {
    let stream = Stream::west(index);
    Instruction::once(Operation::Read { stream }, address)
}

#[test]
fn a_program_reads_relative_to_the_base() {
    let mut bench = Bench::new();
    for address in 0..8 {
        bench.store(address, 100 + address);
    }
    let stream = Stream::east(2);
    let burst = Repeat::inner(3, 2, 1);
    let reads = Instruction::repeated(Operation::Read { stream }, 1, burst);
    bench.program(
        false,
        &[Instruction::Nop { cycles: 4 }, reads, Instruction::End],
    );
    bench.program(true, &[Instruction::End]);
    bench.slice.in_base_read.next = Bits::from(4);
    bench.launch();
    let mut seen = vec![];
    for now in 0..16 {
        if bench.slice.out_east_valid[2].val() {
            seen.push((now, bench.slice.out_east_data[2].val().to_u64()));
        }
        bench.step();
    }
    let first = 4 + READ_LATENCY;
    assert_eq!(seen, [(first, 105), (first + 2, 106), (first + 4, 107)]);
    assert!(bench.slice.out_read_ended.val() && bench.slice.out_write_ended.val());
    assert_eq!((bench.read_fault(), bench.write_fault()), (None, None));
}

#[test]
fn a_program_copies_a_vector_from_one_stream_to_another() {
    let mut bench = Bench::new();
    let stream = Stream::west(3);
    bench.program(
        true,
        &[
            Instruction::once(Operation::Write { stream }, 9),
            Instruction::End,
        ],
    );
    let wait = Instruction::Nop {
        cycles: WRITE_LATENCY as u32,
    };
    bench.program(false, &[wait, read(0, 9), Instruction::End]);
    bench.launch();
    bench.slice.in_west_valid[3].next = true;
    bench.slice.in_west_data[3].next = Bits::from(0xabcd);
    bench.slice.in_west_check[3].next = Bits::from(0x12);
    bench.step();
    bench.slice.in_west_valid[3].next = false;
    while bench.now < WRITE_LATENCY + READ_LATENCY {
        assert!(!bench.slice.out_west_valid[0].val(), "cycle {}", bench.now);
        bench.step();
    }
    assert!(bench.slice.out_west_valid[0].val());
    assert_eq!(bench.slice.out_west_data[0].val().to_u64(), 0xabcd);
    assert_eq!(bench.slice.out_west_check[0].val().to_u64(), 0x12);
}

#[test]
fn the_first_fault_of_each_unit_stays_with_its_cycle() {
    let mut bench = Bench::new();
    let east = |index| Stream::east(index);
    // Cycle 0: the READ drives in cycle 2, where a vector flows in. Cycle 1: out of range, recorded first.
    bench.program(false, &[read(1, 0), read(2, 16), Instruction::End]);
    // Cycle 3: no vector, recorded in cycle 5.
    let write = Instruction::once(Operation::Write { stream: east(0) }, 0);
    bench.program(
        true,
        &[Instruction::Nop { cycles: 3 }, write, Instruction::End],
    );
    bench.launch();
    for now in 0..12 {
        bench.slice.in_west_valid[1].next = now == SRAM_LATENCY;
        bench.step();
    }
    assert_eq!(bench.read_fault(), Some((4, 1)));
    assert_eq!(bench.write_fault(), Some((2, 5)));
    bench.slice.in_clear.next = true;
    bench.step();
    assert_eq!((bench.read_fault(), bench.write_fault()), (None, None));
}

#[test]
fn an_instruction_of_another_queue_is_illegal() {
    let mut bench = Bench::new();
    bench.program(
        true,
        &[Instruction::Nop { cycles: 2 }, read(0, 0), Instruction::End],
    );
    bench.program(false, &[Instruction::Notify, Instruction::End]);
    bench.launch();
    let notified = bench.slice.out_notify.val();
    (0..6).for_each(|_| bench.step());
    assert!(notified);
    assert_eq!(
        (bench.read_fault(), bench.write_fault()),
        (None, Some((7, 2)))
    );
}

#[test]
fn offsets_are_counted_by_the_unit_that_takes_them() {
    let mut bench = Bench::new();
    let (stream, offset) = (Stream::east(0), Stream::east(1));
    let four = Repeat::inner(4, 1, 0);
    let gather = Instruction::repeated(Operation::Gather { stream, offset }, 0, four);
    bench.program(false, &[gather, Instruction::End]);
    let scatter = Instruction::once(Operation::Scatter { stream, offset }, 0);
    bench.program(true, &[scatter, Instruction::End]);
    bench.launch();
    // One wrong bit in each of four cycles, in the last one two; the vector that SCATTER stores is not looked at.
    bench.slice.in_east_valid[0].next = true;
    bench.slice.in_east_check[0].next = Bits::from(0xff);
    bench.slice.in_east_valid[1].next = true;
    for now in 0..4 {
        let wrong = COLUMNS[5] ^ if now == 3 { 1 } else { 0 };
        bench.slice.in_east_check[1].next = Bits::from(u64::from(wrong));
        bench.step();
    }
    (0..10).for_each(|_| bench.step());
    let read = &bench.slice.out_read_ecc_corrected;
    assert_eq!(read.val().to_u64(), 3);
    assert_eq!(bench.slice.out_read_ecc_uncorrectable.val().to_u64(), 1);
    assert_eq!(bench.slice.out_write_ecc_corrected.val().to_u64(), 1);
    assert_eq!(bench.slice.out_write_ecc_uncorrectable.val().to_u64(), 0);
}
