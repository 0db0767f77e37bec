//! Host addresses, in units of 64-bit words.

use crate::descriptor::DESCRIPTOR_STRIDE;
use crate::secded::LANES_PER_CODEWORD;
use crate::{Config, Program};

/// CONTROL register: bit 0 launches, bit 1 clears faults and counters.
pub const CONTROL: u32 = 0x0;
/// STATUS register: bit 0 busy, bit 1 any fault.
pub const STATUS: u32 = 0x1;
/// Cycles since launch.
pub const CYCLE: u32 = 0x2;
/// XOR mask on the data bits of each host SRAM write.
pub const INJECT_DATA: u32 = 0x3;
/// XOR mask on the check bits of each host SRAM write.
pub const INJECT_CHECK: u32 = 0x4;
/// First 64 bits of the configuration hash.
pub const CONFIG_HASH: u32 = 0x5;
/// BASE of queue 0.
pub const BASE: u32 = 0x100;
/// FAULT of unit 0.
pub const FAULT: u32 = 0x200;
/// ECC counters of unit 0.
pub const ECC: u32 = 0x300;
/// Unit number of the host port itself in the ECC counters.
pub const ECC_HOST_UNIT: u32 = 0xff;
/// Start of the SRAM window.
pub const SRAM: u32 = 0x1000_0000;
/// Start of the program window.
pub const PROGRAM: u32 = 0x2000_0000;
/// Start of the descriptors of the vector unit.
pub const DESCRIPTORS: u32 = 0x3000_0000;
/// Start of the permutation tables of the switch unit.
pub const MAPS: u32 = 0x3100_0000;
/// Bits of the slice number inside the SRAM window start here.
pub const SRAM_SLICE_SHIFT: u32 = 22;
/// Bits of the queue number inside the program window start here.
pub const PROGRAM_QUEUE_SHIFT: u32 = 20;

/// CONTROL bit that launches.
pub const CONTROL_LAUNCH: u64 = 1;
/// CONTROL bit that clears faults and counters.
pub const CONTROL_CLEAR: u64 = 2;
/// STATUS bit: busy.
pub const STATUS_BUSY: u64 = 1;
/// STATUS bit: any fault.
pub const STATUS_FAULT: u64 = 2;

/// Address of codeword `codeword` (8 lanes) of vector `address` in MEM slice `slice`.
pub fn sram(config: &Config, slice: usize, address: usize, codeword: usize) -> u32 {
    let words = config.lanes / LANES_PER_CODEWORD;
    debug_assert!(slice < config.mem.slices && address < config.mem.depth && codeword < words);
    SRAM | (slice as u32) << SRAM_SLICE_SHIFT | (address * words + codeword) as u32
}

/// Address of word `word` of descriptor `index`.
pub fn descriptor(index: usize, word: usize) -> u32 {
    DESCRIPTORS | (index * DESCRIPTOR_STRIDE + word) as u32
}

/// Address of lanes 8 `group` to 8 `group` + 7 of permutation table `index`, lane 8 `group` in the lowest byte.
pub fn map(config: &Config, index: usize, group: usize) -> u32 {
    MAPS | (index * config.lanes / LANES_PER_CODEWORD + group) as u32
}

/// Address of one half (0 = low, 1 = high) of instruction `index` of queue `queue`.
pub fn program(queue: usize, index: usize, half: usize) -> u32 {
    PROGRAM | (queue as u32) << PROGRAM_QUEUE_SHIFT | (index << 1 | half) as u32
}

/// The words, with their addresses, that hold one vector.
pub fn vector_words<'a>(
    config: &'a Config,
    slice: usize,
    address: usize,
    bytes: &'a [u8],
) -> impl Iterator<Item = (u32, u64)> + 'a {
    let word = move |(codeword, lanes): (usize, &[u8])| {
        let data = little_endian(lanes);
        (sram(config, slice, address, codeword), data)
    };
    bytes.chunks(LANES_PER_CODEWORD).enumerate().map(word)
}

fn little_endian(lanes: &[u8]) -> u64 {
    let lanes = lanes.iter().rev();
    lanes.fold(0, |word, &lane| word << 8 | u64::from(lane))
}

/// The words, with their addresses, that hold a program: instructions, descriptors, permutation tables.
pub fn program_words<'a>(
    config: &'a Config,
    program: &'a Program,
) -> impl Iterator<Item = (u32, u64)> + 'a {
    let alus = config.vxm.as_ref().map_or(0, |vxm| vxm.alus);
    let descriptors = program
        .descriptors()
        .iter()
        .flat_map(move |(&index, words)| {
            let words = words.encode(alus).into_iter().enumerate();
            words.map(move |(word, data)| (descriptor(index, word), data))
        });
    let maps = program.maps().iter().flat_map(move |(&index, lanes)| {
        let groups = lanes.chunks(LANES_PER_CODEWORD).enumerate();
        groups.map(move |(group, lanes)| (map(config, index, group), little_endian(lanes)))
    });
    let half = |queue, index, word: u128, half: usize| {
        (
            self::program(queue, index, half),
            (word >> (64 * half)) as u64,
        )
    };
    let instructions = (0..program.num_queues()).flat_map(|queue| {
        program
            .queue(queue)
            .iter()
            .enumerate()
            .map(move |i| (queue, i))
    });
    let instructions = instructions.flat_map(move |(queue, (index, instruction))| {
        let word = instruction.encode();
        [half(queue, index, word, 0), half(queue, index, word, 1)]
    });
    instructions.chain(descriptors).chain(maps)
}
