//! The memory slice: clean under lint, and the same in Verilog as in rust-hdl's simulator.

mod cosim;
mod tools;

use cosim::{Random, clean, compare};
use lpu_hdl::mem::SliceDatapath;
use lpu_isa::Config;
use rust_hdl::prelude::*;

clocked!(SliceDatapath<8, 64>, SliceDatapath<16, 128>);

const SEED: u64 = 1;
const DEPTH: u64 = 16;

fn config(lanes: usize, streams: usize, depth: usize) -> Config {
    let mut config = Config::preset("nano").unwrap();
    config.lanes = lanes;
    config.streams = streams;
    config.mem.depth = depth;
    config
}

/// A stream that exists, most of the time.
fn stream(random: &mut Random) -> Bits<6> {
    Bits::from(32 * random.below(2) + random.below(5))
}

/// The same, one-hot by code.
fn select(random: &mut Random) -> Bits<64> {
    Bits::from(1u64 << stream(random).to_u64())
}

fn address(random: &mut Random) -> Bits<16> {
    let limit = if random.once_in(8) { 1 << 16 } else { DEPTH };
    Bits::from(random.below(limit))
}

fn stimulus<const L: usize, const V: usize>(
    random: &mut Random,
    now: usize,
    slice: &mut SliceDatapath<L, V>,
) {
    // The host fills the memory, then the slice runs, then the host reads the memory.
    let (fill, drain) = (2 + 4 * DEPTH as usize, 260);
    let host = now < fill || now >= drain;
    for s in 0..4 {
        slice.in_east_valid[s].next = !random.once_in(4);
        slice.in_west_valid[s].next = !random.once_in(4);
        // Offsets are small; the check bits fit only those of zero, so that others are wrong in one bit or more.
        let small = Bits::from(random.below(3) * random.below(2));
        slice.in_east_data[s].next = small;
        slice.in_west_data[s].next = small << (V as u64 - 64);
        slice.in_east_check[s].next = Bits::default();
        slice.in_west_check[s].next = Bits::default();
    }
    let read = !host && !random.once_in(3);
    slice.in_read_operation.next = Bits::from(u64::from(read) << random.below(2));
    slice.in_read_stream.next = stream(random);
    slice.in_read_select2.next = select(random);
    slice.in_read_address.next = address(random);
    let write = !host && !random.once_in(3);
    slice.in_write_valid.next = write;
    slice.in_write_operation.next = Bits::from(u64::from(write) << random.below(2));
    slice.in_write_select.next = select(random);
    slice.in_write_select2.next = select(random);
    slice.in_write_address.next = address(random);
    slice.in_launch.next = random.once_in(40);
    slice.in_host_enable.next = now >= 2 && now < fill || now >= drain + 12;
    slice.in_host_write.next = now < fill;
    slice.in_host_vector.next = Bits::from(now as u64 / 4 % DEPTH);
    slice.in_host_codeword.next = Bits::from((now / 2 % (L / 8)) as u64);
    slice.in_host_data.next = random.bits();
    slice.in_host_check.next = random.bits();
}

fn run<const L: usize, const V: usize>(change: fn(String) -> String) -> String
where
    SliceDatapath<L, V>: cosim::Clocked,
{
    let mut random = Random(SEED);
    let slice = SliceDatapath::<L, V>::new(&config(L, 4, DEPTH as usize));
    let cycles = 340;
    compare(
        slice,
        cycles,
        |now, slice| stimulus(&mut random, now, slice),
        change,
    )
}

#[test]
fn slices_are_equal() {
    assert_eq!(run::<8, 64>(|text| text).trim(), "0 wrong");
    assert_eq!(run::<16, 128>(|text| text).trim(), "0 wrong");
}

#[test]
fn a_wrong_fault_is_found() {
    let output = run::<8, 64>(|text| text.replace("fault | 8'd8", "fault | 8'd0"));
    assert!(output.contains("_fault is"), "{output}");
}

#[test]
fn slices_are_clean() {
    clean(SliceDatapath::<8, 64>::new(&config(8, 4, 16)));
    clean(SliceDatapath::<32, 256>::new(&config(32, 32, 65536)));
    clean(SliceDatapath::<64, 512>::new(&config(64, 12, 2048)));
}
