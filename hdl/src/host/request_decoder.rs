//! What a host request asks for.

use crate::info::Info;
use crate::prim::{Flop, Pipe};
use lpu_isa::Config;
use lpu_isa::secded::LANES_PER_CODEWORD;
use rust_hdl::prelude::*;

/// What a host request asks for, and whether it may.
///
/// Splits the address by the memory map and refuses what is not there, what is read only, and what would disturb a
/// running tile. Of the select outputs at most one is high, and none for a refused request.
///
/// Whatever depends on the request alone is registered; `in_busy` is that of the next cycle and only chooses between two
/// registered verdicts.
///
/// Latency: [`LATENCY`](Self::LATENCY). Reset drops the request under way.
#[derive(LogicBlock)]
pub struct RequestDecoder {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// There is a request.
    pub in_valid: Signal<In, Bit>,
    /// It writes.
    pub in_write: Signal<In, Bit>,
    /// Its address.
    pub in_address: Signal<In, Bits<32>>,
    /// The tile runs or is about to, in the cycle after the request.
    pub in_busy: Signal<In, Bit>,
    /// Bit 0 of the data: CONTROL would launch.
    pub in_launch: Signal<In, Bit>,
    /// The request is refused.
    pub out_error: Signal<Out, Bit>,
    /// It is for a register: 0 control page, 1 BASE, 2 FAULT, 3 ECC in `out_page`.
    pub out_register: Signal<Out, Bit>,
    /// It is for SRAM.
    pub out_sram: Signal<Out, Bit>,
    /// It is for a program memory.
    pub out_program: Signal<Out, Bit>,
    /// It is for a descriptor.
    pub out_descriptor: Signal<Out, Bit>,
    /// It is for a permutation table.
    pub out_map: Signal<Out, Bit>,
    /// Word of the descriptors or tables.
    pub out_entry: Signal<Out, Bits<9>>,
    /// Page of the register.
    pub out_page: Signal<Out, Bits<2>>,
    /// Number of the register in its page.
    pub out_number: Signal<Out, Bits<8>>,
    /// The register is the host's own ECC counter.
    pub out_host_ecc: Signal<Out, Bit>,
    /// The number (register) or queue (program) is not that of a MEM unit.
    pub out_is_other: Signal<Out, Bit>,
    /// Unit, from the first of its kind on.
    pub out_unit: Signal<Out, Bits<6>>,
    /// MEM slice.
    pub out_slice: Signal<Out, Bits<6>>,
    /// Vector address.
    pub out_vector: Signal<Out, Bits<16>>,
    /// Codeword of the vector.
    pub out_codeword: Signal<Out, Bits<3>>,
    /// Instruction.
    pub out_index: Signal<Out, Bits<16>>,
    /// Half of the instruction.
    pub out_half: Signal<Out, Bit>,
    valid_1: Flop<Bit>,
    idle_1: Flop<Bit>,
    busy_1: Flop<Bit>,
    register_1: Pipe<Bit>,
    sram_1: Pipe<Bit>,
    program_1: Pipe<Bit>,
    descriptor_1: Pipe<Bit>,
    map_1: Pipe<Bit>,
    address_1: Pipe<Bits<32>>,
    is_other_1: Pipe<Bit>,
    unit_1: Pipe<Bits<6>>,
    host_ecc_1: Pipe<Bit>,
    unit: Signal<Local, Bits<8>>,
    known: Signal<Local, Bit>,
    idle: Signal<Local, Bit>,
    busy: Signal<Local, Bit>,
    register: Signal<Local, Bit>,
    sram: Signal<Local, Bit>,
    is_program: Signal<Local, Bit>,
    is_descriptor: Signal<Local, Bit>,
    is_map: Signal<Local, Bit>,
    above: Signal<Local, Bits<8>>,
    granted: Signal<Local, Bit>,
    num_slices: Constant<Bits<6>>,
    num_words: Constant<Bits<22>>,
    num_mem: Constant<Bits<8>>,
    num_units: Constant<Bits<8>>,
    depth: Constant<Bits<19>>,
    has_vxm: Constant<Bit>,
    last_descriptor_word: Constant<Bits<4>>,
    has_sxm: Constant<Bit>,
    last_map_word: Constant<Bits<10>>,
    codewords: Constant<Bits<4>>,
    info: Info,
}

impl RequestDecoder {
    /// Cycles from the request to the outputs.
    pub const LATENCY: u64 = 1;

    /// The decoder of this machine.
    pub fn new(config: &Config) -> Self {
        let codewords = config.lanes / LANES_PER_CODEWORD;
        let number = |n: usize| n as u64;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_write: Signal::default(),
            in_address: Signal::default(),
            in_busy: Signal::default(),
            in_launch: Signal::default(),
            out_error: Signal::default(),
            out_register: Signal::default(),
            out_sram: Signal::default(),
            out_program: Signal::default(),
            out_descriptor: Signal::default(),
            out_map: Signal::default(),
            out_entry: Signal::default(),
            out_page: Signal::default(),
            out_number: Signal::default(),
            out_host_ecc: Signal::default(),
            out_is_other: Signal::default(),
            out_unit: Signal::default(),
            out_slice: Signal::default(),
            out_vector: Signal::default(),
            out_codeword: Signal::default(),
            out_index: Signal::default(),
            out_half: Signal::default(),
            valid_1: Flop::default(),
            idle_1: Flop::default(),
            busy_1: Flop::default(),
            register_1: Pipe::default(),
            sram_1: Pipe::default(),
            program_1: Pipe::default(),
            descriptor_1: Pipe::default(),
            map_1: Pipe::default(),
            address_1: Pipe::default(),
            is_other_1: Pipe::default(),
            unit_1: Pipe::default(),
            host_ecc_1: Pipe::default(),
            unit: Signal::default(),
            known: Signal::default(),
            idle: Signal::default(),
            busy: Signal::default(),
            register: Signal::default(),
            sram: Signal::default(),
            is_program: Signal::default(),
            is_descriptor: Signal::default(),
            is_map: Signal::default(),
            above: Signal::default(),
            granted: Signal::default(),
            num_slices: Constant::new(number(config.mem.slices).into()),
            num_words: Constant::new(number(config.mem.depth * codewords).into()),
            num_mem: Constant::new(number(2 * config.mem.slices).into()),
            num_units: Constant::new(number(config.num_queues()).into()),
            depth: Constant::new(number(config.icu.queue_depth).into()),
            has_vxm: Constant::new(config.vxm.is_some()),
            last_descriptor_word: Constant::new(
                number(config.vxm.as_ref().map_or(0, |vxm| vxm.alus)).into(),
            ),
            has_sxm: Constant::new(config.sxm.is_some()),
            last_map_word: Constant::new(
                number(
                    config
                        .sxm
                        .as_ref()
                        .map_or(0, |sxm| sxm.maps * codewords - 1),
                )
                .into(),
            ),
            codewords: Constant::new(number(codewords).into()),
            info: Info::new("request_decoder", file!())
                .summary("What a host request asks for, and whether it may")
                .param("CODEWORDS", codewords)
                .param("SLICES", config.mem.slices)
                .param("DEPTH", config.mem.depth)
                .param("UNITS", config.num_queues())
                .param("QUEUE_DEPTH", config.icu.queue_depth)
                .port("in_address", "64-bit words, see the memory map")
                .port("in_busy", "one cycle after the request")
                .port("in_launch", "bit 0 of the data"),
        }
    }
}

impl Logic for RequestDecoder {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, valid_1, idle_1, busy_1, register_1, sram_1);
        clock!(
            self,
            clock,
            program_1,
            address_1,
            is_other_1,
            unit_1,
            host_ecc_1,
            descriptor_1,
            map_1
        );
        self.valid_1.reset.next = self.reset.val();
        self.idle_1.reset.next = self.reset.val();
        self.busy_1.reset.next = self.reset.val();
        self.valid_1.enable.next = true;
        self.idle_1.enable.next = true;
        self.busy_1.enable.next = true;

        // The cycle of the request: where it goes, and whether it may if the tile stands still and if it runs.
        self.unit.next = self.in_address.val().get_bits::<8>(0);
        if self.in_address.val().get_bits::<4>(28) == 2 {
            self.unit.next = self.in_address.val().get_bits::<8>(20);
        }
        self.is_other_1.d.next = self.unit.val() >= self.num_mem.val();
        self.above.next = self.unit.val() - self.num_mem.val();
        self.unit_1.d.next = self.unit.val().get_bits::<6>(0);
        if self.unit.val() >= self.num_mem.val() {
            self.unit_1.d.next = self.above.val().get_bits::<6>(0);
        }

        self.register.next = (self.in_address.val().get_bits::<4>(28) == 0)
            & (self.in_address.val().get_bits::<18>(10) == 0);
        self.sram.next = self.in_address.val().get_bits::<4>(28) == 1;
        self.is_program.next = self.in_address.val().get_bits::<4>(28) == 2;
        self.host_ecc_1.d.next = (self.in_address.val().get_bits::<2>(8) == 3)
            & (self.in_address.val().get_bits::<8>(0) == 0xff);
        self.known.next = false;
        self.idle.next = false;
        self.busy.next = false;
        if self.register.val() {
            self.idle.next = !self.in_write.val();
            self.busy.next = !self.in_write.val();
            if self.in_address.val().get_bits::<2>(8) == 0 {
                self.known.next = self.in_address.val().get_bits::<8>(0) < 6;
                self.idle.next = !self.in_write.val()
                    | (self.in_address.val().get_bits::<8>(0) == 0)
                    | (self.in_address.val().get_bits::<8>(0) == 3)
                    | (self.in_address.val().get_bits::<8>(0) == 4);
                self.busy.next = !self.in_write.val()
                    | ((self.in_address.val().get_bits::<8>(0) == 0) & !self.in_launch.val());
            } else if self.in_address.val().get_bits::<2>(8) == 1 {
                self.known.next = self.unit.val() < self.num_mem.val();
                self.idle.next = true;
            } else {
                self.known.next = (self.unit.val() < self.num_units.val())
                    | ((self.in_address.val().get_bits::<2>(8) == 3)
                        & (self.in_address.val().get_bits::<8>(0) == 0xff));
            }
        }
        if self.sram.val() {
            self.known.next = (self.in_address.val().get_bits::<6>(22) < self.num_slices.val())
                & (self.in_address.val().get_bits::<22>(0) < self.num_words.val());
            self.idle.next = true;
        }
        if self.is_program.val() {
            self.known.next = (self.unit.val() < self.num_units.val())
                & (self.in_address.val().get_bits::<19>(1) < self.depth.val());
            self.idle.next = true;
        }
        self.is_descriptor.next = (self.in_address.val().get_bits::<8>(24) == 0x30)
            & (self.in_address.val().get_bits::<15>(9) == 0);
        self.is_map.next = (self.in_address.val().get_bits::<8>(24) == 0x31)
            & (self.in_address.val().get_bits::<15>(9) == 0);
        if self.is_descriptor.val() {
            self.known.next = self.has_vxm.val()
                & (bit_cast::<4, 3>(self.in_address.val().get_bits::<3>(0))
                    <= self.last_descriptor_word.val());
            self.idle.next = self.in_write.val();
        }
        if self.is_map.val() {
            self.known.next = self.has_sxm.val()
                & (bit_cast::<10, 9>(self.in_address.val().get_bits::<9>(0))
                    <= self.last_map_word.val());
            self.idle.next = self.in_write.val();
        }
        self.valid_1.d.next = self.in_valid.val();
        self.idle_1.d.next = self.in_valid.val() & self.known.val() & self.idle.val();
        self.busy_1.d.next = self.in_valid.val() & self.known.val() & self.busy.val();
        self.register_1.d.next = self.register.val();
        self.sram_1.d.next = self.sram.val();
        self.program_1.d.next = self.is_program.val();
        self.descriptor_1.d.next = self.is_descriptor.val();
        self.map_1.d.next = self.is_map.val();
        self.address_1.d.next = self.in_address.val();

        // The next cycle.
        self.granted.next = self.idle_1.q.val();
        if self.in_busy.val() {
            self.granted.next = self.busy_1.q.val();
        }
        self.out_error.next = self.valid_1.q.val() & !self.granted.val();
        self.out_register.next = self.register_1.q.val() & self.granted.val();
        self.out_sram.next = self.sram_1.q.val() & self.granted.val();
        self.out_program.next = self.program_1.q.val() & self.granted.val();
        self.out_descriptor.next = self.descriptor_1.q.val() & self.granted.val();
        self.out_map.next = self.map_1.q.val() & self.granted.val();
        self.out_entry.next = self.address_1.q.val().get_bits::<9>(0);
        self.out_host_ecc.next = self.host_ecc_1.q.val();
        self.out_is_other.next = self.is_other_1.q.val();
        self.out_unit.next = self.unit_1.q.val();
        self.out_page.next = self.address_1.q.val().get_bits::<2>(8);
        self.out_number.next = self.address_1.q.val().get_bits::<8>(0);
        self.out_slice.next = self.address_1.q.val().get_bits::<6>(22);
        self.out_index.next = self.address_1.q.val().get_bits::<16>(1);
        self.out_half.next = self.address_1.q.val().get_bit(0);
        self.out_vector.next = self.address_1.q.val().get_bits::<16>(0);
        self.out_codeword.next = 0.into();
        if self.codewords.val() == 2 {
            self.out_vector.next = self.address_1.q.val().get_bits::<16>(1);
            self.out_codeword.next = bit_cast::<3, 1>(self.address_1.q.val().get_bits::<1>(0));
        }
        if self.codewords.val() == 4 {
            self.out_vector.next = self.address_1.q.val().get_bits::<16>(2);
            self.out_codeword.next = bit_cast::<3, 2>(self.address_1.q.val().get_bits::<2>(0));
        }
        if self.codewords.val() == 8 {
            self.out_vector.next = self.address_1.q.val().get_bits::<16>(3);
            self.out_codeword.next = self.address_1.q.val().get_bits::<3>(0);
        }
    }
}
