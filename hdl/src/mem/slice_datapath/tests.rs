use super::*;
use crate::prim::testing::cycle;
use lpu_isa::instruction::encoding::opcode;
use lpu_isa::latency::*;
use lpu_isa::secded::COLUMNS;
use proptest::prelude::*;
use rust_hdl::core::simulate::simulate;

mod model;

use model::{Cell, Model, Op, Seen};

type Slice = SliceDatapath<8, 64>;

const STREAMS: usize = 4;
const DEPTH: usize = 16;

/// Check bits of a codeword.
fn check(data: u64) -> u8 {
    let set = (0..64).filter(|bit| data >> bit & 1 == 1);
    set.fold(0, |check, bit| check ^ COLUMNS[bit])
}

/// A vector with good check bits.
fn good(data: u64) -> Cell {
    (data, check(data))
}

/// What is on the inputs in a cycle.
#[derive(Clone, Debug, Default)]
struct Inputs {
    east: [Option<Cell>; STREAMS],
    west: [Option<Cell>; STREAMS],
    read: Option<Op>,
    write: Option<Op>,
}

fn slice() -> Slice {
    let mut config = Config::preset("nano").expect("a preset");
    config.streams = STREAMS;
    config.mem.depth = DEPTH;
    let mut slice = Slice::new(&config);
    slice.connect_all();
    slice
}

fn set(slice: &mut Slice, inputs: &Inputs) {
    for s in 0..STREAMS {
        let (data, check) = inputs.east[s].unwrap_or((0x5555, 0x55));
        slice.in_east_valid[s].next = inputs.east[s].is_some();
        slice.in_east_data[s].next = Bits::from(data);
        slice.in_east_check[s].next = Bits::from(u64::from(check));
        let (data, check) = inputs.west[s].unwrap_or((0xaaaa, 0xaa));
        slice.in_west_valid[s].next = inputs.west[s].is_some();
        slice.in_west_data[s].next = Bits::from(data);
        slice.in_west_check[s].next = Bits::from(u64::from(check));
    }
    let op = inputs.read.unwrap_or_default();
    let operation =
        |code: u8, other: u8| u64::from(op.opcode == code) | u64::from(op.opcode == other) << 1;
    slice.in_read_operation.next = Bits::from(operation(opcode::READ, opcode::GATHER));
    slice.in_read_stream.next = Bits::from(op.stream);
    slice.in_read_select2.next = Bits::from(1u64 << op.stream2);
    slice.in_read_address.next = Bits::from(op.address);
    let op = inputs.write.unwrap_or_default();
    slice.in_write_valid.next = inputs.write.is_some();
    let operation =
        |code: u8, other: u8| u64::from(op.opcode == code) | u64::from(op.opcode == other) << 1;
    slice.in_write_operation.next = Bits::from(operation(opcode::WRITE, opcode::SCATTER));
    slice.in_write_select.next = Bits::from(1u64 << op.stream);
    slice.in_write_select2.next = Bits::from(1u64 << op.stream2);
    slice.in_write_address.next = Bits::from(op.address);
    slice.clock.next = Clock::from(false);
    assert!(simulate(slice, 50));
}

/// What is to be seen in a cycle.
fn seen(slice: &Slice) -> Seen {
    let cell = |valid: bool, data: Bits<64>, check: Bits<8>| {
        valid.then(|| (data.to_u64(), check.to_u64() as u8))
    };
    let east = |s: usize| {
        cell(
            slice.out_east_valid[s].val(),
            slice.out_east_data[s].val(),
            slice.out_east_check[s].val(),
        )
    };
    let west = |s: usize| {
        cell(
            slice.out_west_valid[s].val(),
            slice.out_west_data[s].val(),
            slice.out_west_check[s].val(),
        )
    };
    let drive = cell(
        slice.out_drive_valid.val(),
        slice.out_drive_data.val(),
        slice.out_drive_check.val(),
    );
    let write = cell(
        slice.out_write_valid.val(),
        slice.out_write_data.val(),
        slice.out_write_check.val(),
    );
    Seen {
        east: (0..STREAMS).map(east).collect(),
        west: (0..STREAMS).map(west).collect(),
        read_start: slice.out_read_start.val(),
        drive: drive.map(|cell| (slice.out_drive_stream.val().to_u64(), cell)),
        write: write.map(|cell| (slice.out_write_address.val().to_u64(), cell)),
        read_fault: slice.out_read_fault.val().to_u64(),
        write_fault: slice.out_write_fault.val().to_u64(),
        read_ecc: (
            slice.out_read_corrected.val().to_u64(),
            slice.out_read_uncorrectable.val().to_u64(),
        ),
        write_ecc: (
            slice.out_write_corrected.val().to_u64(),
            slice.out_write_uncorrectable.val().to_u64(),
        ),
    }
}

fn step(slice: &mut Slice) {
    cycle(slice, |slice, level| {
        slice.clock.next = Clock::from(level);
    });
}

/// Runs one set of inputs per cycle, then idle cycles, and gives what was seen.
fn run(slice: &mut Slice, inputs: &[Inputs]) -> Vec<Seen> {
    let idle = vec![Inputs::default(); 12];
    let mut all = vec![];
    for inputs in inputs.iter().chain(&idle) {
        set(slice, inputs);
        all.push(seen(slice));
        step(slice);
    }
    all
}

/// The host writes a codeword.
fn host_write(slice: &mut Slice, address: u64, (data, check): Cell) {
    slice.in_host_enable.next = true;
    slice.in_host_write.next = true;
    slice.in_host_vector.next = Bits::from(address);
    slice.in_host_data.next = Bits::from(data);
    slice.in_host_check.next = Bits::from(u64::from(check));
    step(slice);
    slice.in_host_enable.next = false;
}

fn op(opcode: u8, stream: u64, stream2: u64, address: u64) -> Option<Op> {
    Some(Op {
        opcode,
        stream,
        stream2,
        address,
    })
}

/// The first cycle in which `what` is seen.
fn first(all: &[Seen], what: impl Fn(&Seen) -> bool) -> Option<u64> {
    all.iter().position(what).map(|at| at as u64)
}

#[test]
fn a_read_reaches_the_cell_three_cycles_later() {
    let mut slice = slice();
    host_write(&mut slice, 5, good(77));
    let inputs = [Inputs {
        read: op(opcode::READ, 32 + 3, 0, 5),
        ..Inputs::default()
    }];
    let all = run(&mut slice, &inputs);
    assert_eq!(first(&all, |seen| seen.read_start), Some(0));
    assert_eq!(first(&all, |seen| seen.drive.is_some()), Some(SRAM_LATENCY));
    assert_eq!(all[2].drive, Some((35, good(77))));
    assert_eq!(
        first(&all, |seen| seen.west[3].is_some()),
        Some(READ_LATENCY)
    );
    assert_eq!(all[3].west[3], Some(good(77)));
    assert_eq!(all[4].west[3], None);
    assert!(all.iter().all(|seen| seen.east.iter().all(Option::is_none)));
    assert!(all.iter().all(|seen| seen.read_fault == 0));
}

#[test]
fn a_word_is_read_from_the_write_latency_on() {
    // WRITE issues in cycle 0; READs issue in every cycle.
    let mut inputs = vec![Inputs::default(); 6];
    inputs[0].east[1] = Some((9, 0xff));
    inputs[0].write = op(opcode::WRITE, 1, 0, 4);
    for inputs in &mut inputs {
        inputs.read = op(opcode::READ, 0, 0, 4);
    }
    let all = run(&mut slice(), &inputs);
    assert_eq!(
        first(&all, |seen| seen.write.is_some()),
        Some(SELECT_LATENCY)
    );
    let new = first(&all, |seen| seen.drive == Some((0, (9, 0xff))));
    assert_eq!(new, Some(WRITE_LATENCY + SRAM_LATENCY));
}

#[test]
fn a_gather_reaches_the_cell_eight_cycles_later() {
    let mut slice = slice();
    host_write(&mut slice, 3 + 4, good(99));
    let (offset, check) = good(0xffff_0000 + 4);
    // One flipped bit of the offset is corrected and counted.
    let mut inputs = vec![Inputs::default()];
    inputs[0].west[2] = Some((offset ^ 1, check));
    inputs[0].read = op(opcode::GATHER, 1, 32 + 2, 3);
    let all = run(&mut slice, &inputs);
    assert_eq!(first(&all, |seen| seen.read_start), Some(INDIRECT_LATENCY));
    assert_eq!(
        first(&all, |seen| seen.read_ecc == (1, 0)),
        Some(SELECT_LATENCY + SECDED_LATENCY)
    );
    assert_eq!(
        first(&all, |seen| seen.east[1] == Some(good(99))),
        Some(GATHER_LATENCY)
    );
}

#[test]
fn a_scatter_is_read_from_the_scatter_latency_on() {
    let mut inputs = vec![Inputs::default(); 9];
    inputs[0].east[0] = Some(good(5));
    inputs[0].east[1] = Some((42, 0));
    inputs[0].write = op(opcode::SCATTER, 1, 0, 6);
    for inputs in &mut inputs {
        inputs.read = op(opcode::READ, 0, 0, 11);
    }
    let all = run(&mut slice(), &inputs);
    assert_eq!(
        first(&all, |seen| seen.write.is_some()),
        Some(INDIRECT_LATENCY)
    );
    let new = first(&all, |seen| seen.drive == Some((0, (42, 0))));
    assert_eq!(new, Some(SCATTER_LATENCY + SRAM_LATENCY));
}

/// A name, what makes the fault, its cycle, the faults of the read unit, those of the write unit.
type Case = (&'static str, fn(&mut [Inputs]), u64, u64, u64);

#[test]
fn every_fault_is_raised_in_its_cycle() {
    let cases: [Case; 9] = [
        (
            "collision",
            |i| {
                i[0].read = op(opcode::READ, 2, 0, 0);
                i[2].east[2] = Some(good(1));
            },
            2,
            1 << 1,
            0,
        ),
        (
            "offset missing",
            |i| i[0].read = op(opcode::GATHER, 2, 3, 0),
            2,
            1 << 2,
            0,
        ),
        (
            "vector missing",
            |i| i[0].write = op(opcode::WRITE, 2, 3, 0),
            2,
            0,
            1 << 2,
        ),
        (
            "read conflict",
            |i| {
                i[0].east[0] = Some(good(0));
                i[0].read = op(opcode::GATHER, 1, 0, 0x7fff);
                i[5].read = op(opcode::READ, 1, 0, 0);
            },
            5,
            1 << 3,
            0,
        ),
        (
            "write conflict",
            |i| {
                i[0].east[0] = Some(good(0));
                i[0].write = op(opcode::SCATTER, 0, 0, 0x7fff);
                i[3].east[0] = Some(good(0));
                i[3].write = op(opcode::WRITE, 0, 0, 0);
            },
            5,
            0,
            1 << 3,
        ),
        (
            "read range",
            |i| i[0].read = op(opcode::READ, 0, 0, 16),
            0,
            1 << 4,
            0,
        ),
        (
            "gather range",
            |i| {
                i[0].east[0] = Some(good(9));
                i[0].read = op(opcode::GATHER, 0, 0, 7);
            },
            5,
            1 << 4,
            0,
        ),
        (
            "scatter range",
            |i| {
                i[0].east[0] = Some(good(1));
                i[0].write = op(opcode::SCATTER, 0, 0, 15);
            },
            5,
            0,
            1 << 4,
        ),
        (
            "offset broken",
            |i| {
                i[0].east[0] = Some((3, check(0)));
                i[0].read = op(opcode::GATHER, 0, 0, 0);
            },
            4,
            1 << 5,
            0,
        ),
    ];
    for (name, make, cycle, read, write) in cases {
        let mut inputs = vec![Inputs::default(); 6];
        make(&mut inputs);
        for (now, seen) in run(&mut slice(), &inputs).iter().enumerate() {
            let here = now as u64 == cycle;
            let expected = if here { (read, write) } else { (0, 0) };
            assert_eq!(
                (seen.read_fault, seen.write_fault),
                expected,
                "{name}, cycle {now}"
            );
        }
    }
}

#[test]
fn a_write_out_of_range_is_recorded_before_its_operand_is_known() {
    let mut inputs = vec![Inputs::default()];
    inputs[0].write = op(opcode::WRITE, 0, 0, 0x8000);
    let all = run(&mut slice(), &inputs);
    assert_eq!(all[0].write_fault, 1 << 4);
    assert_eq!(all[2].write_fault, 1 << 2);
}

#[test]
fn the_host_reads_what_it_wrote_three_cycles_later() {
    let mut slice = slice();
    for address in 0..4 {
        host_write(&mut slice, address, (100 + address, address as u8));
    }
    slice.in_host_write.next = false;
    let latency = Sram::<8, 64>::HOST_LATENCY as usize;
    let mut answers = vec![];
    for now in 0..4 + latency {
        if now >= latency {
            let data = slice.out_host_data.val().to_u64();
            answers.push((data, slice.out_host_check.val().to_u64()));
        }
        slice.in_host_enable.next = now < 4;
        slice.in_host_vector.next = Bits::from(now as u64 & 3);
        step(&mut slice);
    }
    assert_eq!(answers, [(100, 0), (101, 1), (102, 2), (103, 3)]);
}

#[test]
fn a_launch_empties_the_cells() {
    let mut slice = slice();
    let mut inputs = Inputs::default();
    inputs.east[0] = Some(good(1));
    set(&mut slice, &inputs);
    slice.in_launch.next = true;
    step(&mut slice);
    assert_eq!(seen(&slice).east[0], None);
}

/// A vector whose lanes 1:0 are a small offset, with up to two wrong bits.
fn cells() -> impl Strategy<Value = Option<Cell>> {
    let offset = prop_oneof![4 => 0u64..8, 1 => 0u64..0x1_0000];
    let hits = prop::collection::vec(0usize..72, 0..3);
    let cell = (offset, any::<u64>(), hits).prop_map(|(offset, high, hits)| {
        let start = good(offset | high << 16);
        hits.iter().fold(start, |(data, check), &bit| match bit {
            0..64 => (data ^ 1 << bit, check),
            _ => (data, check ^ 1 << (bit - 64)),
        })
    });
    prop::option::weighted(0.7, cell)
}

fn ops(codes: [u8; 2]) -> impl Strategy<Value = Option<Op>> {
    let stream = || (0u64..2, prop_oneof![9 => 0u64..4, 1 => 4u64..32]);
    let address = prop_oneof![6 => 0u64..10, 1 => 0u64..20, 1 => 0u64..0x1_0000];
    let op = (
        prop::sample::select(codes.to_vec()),
        stream(),
        stream(),
        address,
    );
    let op = op.prop_map(|(opcode, stream, stream2, address)| Op {
        opcode,
        stream: stream.0 * 32 + stream.1,
        stream2: stream2.0 * 32 + stream2.1,
        address,
    });
    prop::option::weighted(0.6, op)
}

fn inputs() -> impl Strategy<Value = Inputs> {
    let side = || [cells(), cells(), cells(), cells()];
    let reads = ops([opcode::READ, opcode::GATHER]);
    let writes = ops([opcode::WRITE, opcode::SCATTER]);
    (side(), side(), reads, writes).prop_map(|(east, west, read, write)| Inputs {
        east,
        west,
        read,
        write,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn behaves_like_the_contract(inputs in prop::collection::vec(inputs(), 1..60)) {
        let mut slice = slice();
        let mut model = Model::new(DEPTH, STREAMS);
        let idle = vec![Inputs::default(); 12];
        for (now, inputs) in inputs.iter().chain(&idle).enumerate() {
            set(&mut slice, inputs);
            let expected = model.cycle(&inputs.east, &inputs.west, inputs.read, inputs.write);
            prop_assert_eq!(seen(&slice), expected, "cycle {}", now);
            step(&mut slice);
        }
    }
}
