//! The AXI4 window: byte addresses of memories.

use crate::memory_map as host;

/// Bits of a byte address in the window.
pub const WINDOW_BITS: u32 = 28;

/// A part of the window.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Name, capitals.
    pub name: &'static str,
    /// First byte.
    pub base: u32,
    /// Bytes reserved for it in every configuration.
    pub size: u32,
    /// Distance of two units (slice, queue, descriptor, table) in bytes; 0: depends on the lanes.
    pub stride: u32,
    /// First word at the host port of the tile.
    pub host: u32,
    /// Whether it can be read.
    pub readable: bool,
    /// What is where.
    pub text: &'static str,
}

/// The parts, in the order of their addresses.
pub const WINDOWS: &[Window] = &[
    Window {
        name: "SRAM",
        base: 0,
        size: 1 << 27,
        stride: 1 << 22,
        host: host::SRAM,
        readable: true,
        text: "slice i from i * stride; byte v * LANES + n is lane n of vector v",
    },
    Window {
        name: "PROGRAM",
        base: 0x0800_0000,
        size: 1 << 23,
        stride: 1 << 16,
        host: host::PROGRAM,
        readable: true,
        text: "queue q from q * stride; 16 bytes for each instruction, the low half first",
    },
    Window {
        name: "DESCRIPTOR",
        base: 0x0900_0000,
        size: 1 << 12,
        stride: 64,
        host: host::DESCRIPTORS,
        readable: false,
        text: "descriptor d from d * stride; 8 bytes for each word",
    },
    Window {
        name: "MAP",
        base: 0x0900_1000,
        size: 1 << 12,
        stride: 0,
        host: host::MAPS,
        readable: false,
        text: "permutation table n from n * LANES; byte i is the entry of lane i",
    },
];

/// The byte address in the window of a word at the host port of the tile; none for its registers.
///
/// ```
/// use lpu_isa::registers::window_address;
/// assert_eq!(window_address(0x1040_0003), Some(0x40_0018));
/// assert_eq!(window_address(0x2010_0001), Some(0x0801_0008));
/// assert_eq!(window_address(2), None);
/// ```
pub fn window_address(word: u32) -> Option<u32> {
    let part = |at: usize, unit: u32, rest: u32| {
        let window = &WINDOWS[at];
        Some(window.base + unit * window.stride + 8 * rest)
    };
    let rest = |bits: u32| word & ((1 << bits) - 1);
    match word >> 28 {
        1 => part(
            0,
            word >> host::SRAM_SLICE_SHIFT & 0x3f,
            rest(host::SRAM_SLICE_SHIFT),
        ),
        2 => part(
            1,
            word >> host::PROGRAM_QUEUE_SHIFT & 0xff,
            rest(host::PROGRAM_QUEUE_SHIFT),
        ),
        3 if word >> 24 & 0xf == 0 => part(2, 0, rest(24)),
        3 => part(3, 0, rest(24)),
        _ => None,
    }
}
