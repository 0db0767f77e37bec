//! Byte addresses of the AXI4 window to words of the host port.

use super::WINDOW_BITS;
use crate::info::Info;
use lpu_isa::Config;
use lpu_isa::secded::LANES_PER_CODEWORD;
use rust_hdl::prelude::*;

/// Byte addresses of the AXI4 window to words of the host port: which word, whether this machine has it, whether it can be read.
///
/// ```text
/// byte address                                                   word at the host port
/// 0 sssss vvvvvvvvvvvvvvvvvvv bbb        SRAM, slice s          0001 0sssss 000vvvvvvvvvvvvvvvvvvv
/// 1 0000 qqqqqqq iiiiiiiiiiiii bbb       program, queue q       0010 0qqqqqqq 0000000iiiiiiiiiiiii
/// 1 0010 0000000000 0 wwwwwwwww bbb      descriptor word        0011 0000 ... wwwwwwwww
/// 1 0010 0000000000 1 wwwwwwwww bbb      permutation table      0011 0001 ... wwwwwwwww
/// ```
///
/// The map is `lpu_isa::registers::WINDOWS`. Combinational, no reset. Bits 2:0 choose a byte and are left to the strobes.
#[derive(LogicBlock)]
pub struct WindowMap {
    /// Byte address.
    pub in_address: Signal<In, Bits<WINDOW_BITS>>,
    /// Word at the host port.
    pub out_address: Signal<Out, Bits<32>>,
    /// There is such a word.
    pub out_known: Signal<Out, Bit>,
    /// It can be read.
    pub out_readable: Signal<Out, Bit>,
    slices: Constant<Bits<6>>,
    words: Constant<Bits<20>>,
    queues: Constant<Bits<8>>,
    halves: Constant<Bits<14>>,
    has_vxm: Constant<Bit>,
    last_descriptor_word: Constant<Bits<3>>,
    has_sxm: Constant<Bit>,
    last_map_word: Constant<Bits<9>>,
    slice: Signal<Local, Bits<32>>,
    queue: Signal<Local, Bits<32>>,
    info: Info,
}

impl WindowMap {
    /// The map of this machine.
    pub fn new(config: &Config) -> Self {
        let codewords = config.lanes / LANES_PER_CODEWORD;
        let constant = |n: usize| n as u64;
        let maps = config.sxm.as_ref().map_or(1, |sxm| sxm.maps);
        Self {
            in_address: Signal::default(),
            out_address: Signal::default(),
            out_known: Signal::default(),
            out_readable: Signal::default(),
            slices: Constant::new(constant(config.mem.slices).into()),
            words: Constant::new(constant(config.mem.depth * codewords).into()),
            queues: Constant::new(constant(config.num_queues()).into()),
            halves: Constant::new(constant(2 * config.icu.queue_depth).into()),
            has_vxm: Constant::new(config.vxm.is_some()),
            last_descriptor_word: Constant::new(
                constant(config.vxm.as_ref().map_or(0, |vxm| vxm.alus)).into(),
            ),
            has_sxm: Constant::new(config.sxm.is_some()),
            last_map_word: Constant::new(constant(maps * codewords - 1).into()),
            slice: Signal::default(),
            queue: Signal::default(),
            info: Info::new("axi_window_map", file!())
                .summary("Byte addresses of the AXI4 window to words of the host port")
                .param("SLICES", config.mem.slices)
                .param("WORDS", config.mem.depth * codewords)
                .param("QUEUES", config.num_queues())
                .param("QUEUE_DEPTH", config.icu.queue_depth)
                .param("ALUS", config.vxm.as_ref().map_or(0, |vxm| vxm.alus))
                .param("MAPS", config.sxm.as_ref().map_or(0, |sxm| sxm.maps))
                .port("in_address", "byte")
                .port("out_address", "64-bit word at the host port")
                .port("out_known", "this machine has it"),
        }
    }
}

impl Logic for WindowMap {
    #[hdl_gen]
    fn update(&mut self) {
        self.slice.next = bit_cast::<32, 5>(self.in_address.val().get_bits::<5>(22));
        self.queue.next = bit_cast::<32, 7>(self.in_address.val().get_bits::<7>(16));
        self.out_readable.next = true;
        self.out_known.next = false;
        self.out_address.next = bit_cast::<32, 19>(self.in_address.val().get_bits::<19>(3))
            | self.slice.val() << 22
            | 0x1000_0000;
        if !self.in_address.val().get_bit(27) {
            self.out_known.next = (bit_cast::<6, 5>(self.in_address.val().get_bits::<5>(22))
                < self.slices.val())
                & (bit_cast::<20, 19>(self.in_address.val().get_bits::<19>(3)) < self.words.val());
        } else if self.in_address.val().get_bits::<4>(23) == 0 {
            self.out_address.next = bit_cast::<32, 13>(self.in_address.val().get_bits::<13>(3))
                | self.queue.val() << 20
                | 0x2000_0000;
            self.out_known.next = (bit_cast::<8, 7>(self.in_address.val().get_bits::<7>(16))
                < self.queues.val())
                & (bit_cast::<14, 13>(self.in_address.val().get_bits::<13>(3)) < self.halves.val());
        } else if self.in_address.val().get_bits::<14>(13) == 0x0800 {
            self.out_readable.next = false;
            self.out_address.next =
                bit_cast::<32, 9>(self.in_address.val().get_bits::<9>(3)) | 0x3000_0000;
            self.out_known.next = self.has_vxm.val()
                & (self.in_address.val().get_bits::<3>(3) <= self.last_descriptor_word.val());
            if self.in_address.val().get_bit(12) {
                self.out_address.next =
                    bit_cast::<32, 9>(self.in_address.val().get_bits::<9>(3)) | 0x3100_0000;
                self.out_known.next = self.has_sxm.val()
                    & (self.in_address.val().get_bits::<9>(3) <= self.last_map_word.val());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lpu_isa::registers::{WINDOWS, window_address};
    use lpu_isa::{Program, memory_map};
    use rust_hdl::core::simulate::simulate;

    fn look(map: &mut WindowMap, byte: u32) -> (bool, u32, bool) {
        map.in_address.next = Bits::from(u64::from(byte));
        assert!(simulate(map, 20), "the block does not settle");
        let word = map.out_address.val().to_u64() as u32;
        (map.out_known.val(), word, map.out_readable.val())
    }

    #[test]
    fn all_ends_of_a_machine_are_where_the_map_says() {
        for name in ["nano", "edge", "wide"] {
            let config = Config::preset(name).unwrap();
            let mut map = WindowMap::new(&config);
            map.connect_all();
            let (slices, depth) = (config.mem.slices, config.mem.depth);
            let mut words = vec![
                memory_map::sram(&config, 0, 0, 0),
                memory_map::sram(&config, slices - 1, depth - 1, config.lanes / 8 - 1),
                memory_map::program(0, 0, 1),
                memory_map::program(config.num_queues() - 1, config.icu.queue_depth - 1, 1),
            ];
            if let (Some(vxm), Some(sxm)) = (&config.vxm, &config.sxm) {
                words.push(memory_map::descriptor(63, vxm.alus));
                words.push(memory_map::map(&config, sxm.maps - 1, config.lanes / 8 - 1));
            }
            for word in words {
                let byte = window_address(word).unwrap();
                let readable = word >> 28 != 3;
                assert_eq!(
                    look(&mut map, byte),
                    (true, word, readable),
                    "{name}: {byte:x}"
                );
                assert_eq!(look(&mut map, byte + 7), (true, word, readable));
            }
            let queue = config.num_queues() as u32;
            for beyond in [
                (config.mem.slices as u32) << 22,
                (config.mem.depth * config.lanes) as u32,
                WINDOWS[1].base + (queue << 16),
                WINDOWS[1].base + 16 * config.icu.queue_depth as u32,
                WINDOWS[2].base + 8 * (1 + config.vxm.as_ref().map_or(0, |v| v.alus as u32)),
                WINDOWS[3].base + config.sxm.as_ref().map_or(0, |s| s.maps * config.lanes) as u32,
                WINDOWS[3].base + WINDOWS[3].size,
                0x0880_0000,
                0x0a00_0000,
                0x0fff_fff8,
            ] {
                assert!(!look(&mut map, beyond).0, "{name}: {beyond:x} is known");
            }
        }
    }

    #[test]
    fn every_word_of_a_program_has_an_address() {
        let config = Config::preset("edge").unwrap();
        let program = Program::new(&config);
        for (word, _) in memory_map::program_words(&config, &program) {
            assert!(window_address(word).is_some());
        }
    }
}
