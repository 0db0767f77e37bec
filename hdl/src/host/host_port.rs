//! Requests of the host and their answers.

use super::{RequestDecoder, UnitMux};
use crate::ecc::{EccCounter, SecdedDecoder, SecdedEncoder};
use crate::info::Info;
use crate::prim::{DelayLine, Flop, MuxRegister, Pipe};
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// Requests of the host and their answers: register file, SRAM and program access, launch.
///
/// ```text
/// cycle    h        h+1       h+2            h+3      h+4        h+5     h+6     h+7        h+8
/// request  inputs   register  enable_2 ...                       data    mux     syndrome   answer (SRAM)
///                                            unit muxes          register_5                 answer (registers)
/// launch                      launch_2       launch_3 cycle 0
/// ```
///
/// One request is taken every cycle and answered [`LATENCY`](Self::LATENCY) cycles later, in order, refused or not. The names of
/// registers end in the number of cycles since the request. Names and addresses of registers: `docs/machine.md`.
///
/// A host SRAM write is encoded here and the INJECT masks are applied after that, so that errors can be put
/// anywhere; a read is decoded here and counted in the host's own ECC register.
///
/// Reset clears INJECT, BASE and the counter, and drops requests under way.
#[derive(LogicBlock)]
pub struct HostPort {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// There is a request.
    pub in_host_valid: Signal<In, Bit>,
    /// It writes.
    pub in_host_write: Signal<In, Bit>,
    /// Its address.
    pub in_host_address: Signal<In, Bits<32>>,
    /// What it writes.
    pub in_host_data: Signal<In, Bits<64>>,
    /// The tile runs.
    pub in_busy: Signal<In, Bit>,
    /// Some unit has a fault.
    pub in_fault: Signal<In, Bit>,
    /// The CYCLE register.
    pub in_cycle: Signal<In, Bits<32>>,
    /// Word read from each slice, 3 cycles after its enable.
    pub in_sram_data: Vec<Signal<In, Bits<64>>>,
    /// Its check bits.
    pub in_sram_check: Vec<Signal<In, Bits<8>>>,
    /// Program word of each MEM queue, 3 cycles after its enable.
    pub in_program_data_mem: Vec<Signal<In, Bits<64>>>,
    /// Program word of each other queue.
    pub in_program_data_other: Vec<Signal<In, Bits<64>>>,
    /// There is a fault, of each MEM unit.
    pub in_fault_valid_mem: Vec<Signal<In, Bit>>,
    /// There is a fault, of each other unit.
    pub in_fault_valid_other: Vec<Signal<In, Bit>>,
    /// Its code, of each MEM unit.
    pub in_fault_code_mem: Vec<Signal<In, Bits<8>>>,
    /// Its code, of each other unit.
    pub in_fault_code_other: Vec<Signal<In, Bits<8>>>,
    /// Its cycle, of each MEM unit.
    pub in_fault_cycle_mem: Vec<Signal<In, Bits<32>>>,
    /// Its cycle, of each other unit.
    pub in_fault_cycle_other: Vec<Signal<In, Bits<32>>>,
    /// Corrected codewords, of each MEM unit.
    pub in_ecc_corrected_mem: Vec<Signal<In, Bits<32>>>,
    /// Corrected codewords, of each other unit.
    pub in_ecc_corrected_other: Vec<Signal<In, Bits<32>>>,
    /// Uncorrectable codewords, of each MEM unit.
    pub in_ecc_uncorrectable_mem: Vec<Signal<In, Bits<32>>>,
    /// Uncorrectable codewords, of each other unit.
    pub in_ecc_uncorrectable_other: Vec<Signal<In, Bits<32>>>,
    /// There is an answer.
    pub out_host_valid: Signal<Out, Bit>,
    /// The request was refused, or the word read is uncorrectable.
    pub out_host_error: Signal<Out, Bit>,
    /// What was read.
    pub out_host_data: Signal<Out, Bits<64>>,
    /// The cycle after the next is cycle 0.
    pub out_launch: Signal<Out, Bit>,
    /// Clears faults and counters.
    pub out_clear: Signal<Out, Bit>,
    /// SRAM access: it writes.
    pub out_sram_write: Signal<Out, Bit>,
    /// SRAM access: vector.
    pub out_sram_vector: Signal<Out, Bits<16>>,
    /// SRAM access: codeword.
    pub out_sram_codeword: Signal<Out, Bits<3>>,
    /// SRAM access: data to write.
    pub out_sram_data: Signal<Out, Bits<64>>,
    /// SRAM access: check bits to write.
    pub out_sram_check: Signal<Out, Bits<8>>,
    /// Program access: it writes.
    pub out_program_write: Signal<Out, Bit>,
    /// Program access: half.
    pub out_program_half: Signal<Out, Bit>,
    /// Program access: instruction.
    pub out_program_index: Signal<Out, Bits<16>>,
    /// Program access: half to write.
    pub out_program_data: Signal<Out, Bits<64>>,
    /// Writes a word of a descriptor.
    pub out_descriptor_write: Signal<Out, Bit>,
    /// Writes a word of a permutation table.
    pub out_map_write: Signal<Out, Bit>,
    /// Which word; it is that of a program access.
    pub out_entry: Signal<Out, Bits<9>>,
    /// Base register of each MEM queue.
    pub out_base: Vec<Signal<Out, Bits<16>>>,
    /// Accesses the SRAM of the slice.
    pub out_sram_enable: Vec<Signal<Out, Bit>>,
    /// Accesses the program of the MEM queue.
    pub out_program_enable_mem: Vec<Signal<Out, Bit>>,
    /// Accesses the program of the other queue.
    pub out_program_enable_other: Vec<Signal<Out, Bit>>,
    decoder: RequestDecoder,
    encoder: SecdedEncoder<8, 64>,
    sram_decoder: SecdedDecoder<8, 64>,
    counter: EccCounter,
    valid_1: Flop<Bit>,
    write_1: Pipe<Bit>,
    data_1: Pipe<Bits<64>>,
    inject_data: Flop<Bits<64>>,
    inject_check: Flop<Bits<8>>,
    base: Vec<Flop<Bits<16>>>,
    base_enable: Vec<Flop<Bit>>,
    launch_2: Flop<Bit>,
    launch_3: Flop<Bit>,
    clear_2: Flop<Bit>,
    sram_enable: Vec<Flop<Bit>>,
    program_enable_mem: Vec<Flop<Bit>>,
    program_enable_other: Vec<Flop<Bit>>,
    write_2: Pipe<Bit>,
    vector_2: Pipe<Bits<16>>,
    codeword_2: Pipe<Bits<3>>,
    sram_data_2: Pipe<Bits<64>>,
    sram_check_2: Pipe<Bits<8>>,
    index_2: Pipe<Bits<16>>,
    half_2: Pipe<Bit>,
    data_2: Pipe<Bits<64>>,
    descriptor_2: Flop<Bit>,
    map_2: Flop<Bit>,
    entry_2: Pipe<Bits<9>>,
    page_2: Pipe<Bits<2>>,
    number_2: Pipe<Bits<8>>,
    host_ecc_2: Pipe<Bit>,
    is_other_2: Pipe<Bit>,
    unit_2: Pipe<Bits<6>>,
    slice_2: Pipe<Bits<6>>,
    page_4: DelayLine<Bits<2>>,
    number_4: DelayLine<Bits<8>>,
    host_ecc_4: DelayLine<Bit>,
    is_other_5: DelayLine<Bit>,
    unit_5: DelayLine<Bits<6>>,
    slice_5: DelayLine<Bits<6>>,
    fault_valid: UnitMux<Bit>,
    fault_code: UnitMux<Bits<8>>,
    fault_cycle: UnitMux<Bits<32>>,
    corrected: UnitMux<Bits<32>>,
    uncorrectable: UnitMux<Bits<32>>,
    base_mux: MuxRegister<Bits<16>>,
    base_4: Pipe<Bits<16>>,
    register_5: Pipe<Bits<64>>,
    register_8: DelayLine<Bits<64>>,
    sram_data_6: MuxRegister<Bits<64>>,
    sram_check_6: MuxRegister<Bits<8>>,
    program_7: UnitMux<Bits<64>>,
    program_8: Pipe<Bits<64>>,
    is_sram_2: Flop<Bit>,
    is_sram_6: DelayLine<Bit>,
    is_sram_8: DelayLine<Bit>,
    is_program_2: Pipe<Bit>,
    is_program_8: DelayLine<Bit>,
    is_register_2: Pipe<Bit>,
    is_register_8: DelayLine<Bit>,
    valid_2: Flop<Bit>,
    valid_8: DelayLine<Bit>,
    error_2: Pipe<Bit>,
    error_8: DelayLine<Bit>,
    busy: Signal<Local, Bit>,
    control_1: Signal<Local, Bit>,
    writes_1: Signal<Local, Bit>,
    unit_hot: Signal<Local, Bits<64>>,
    slice_hot: Signal<Local, Bits<64>>,
    fault_word: Signal<Local, Bits<64>>,
    ecc_word: Signal<Local, Bits<64>>,
    status: Signal<Local, Bits<64>>,
    register_4: Signal<Local, Bits<64>>,
    hash: Constant<Bits<64>>,
    info: Info,
    _num_slices: usize,
    _num_mem: usize,
    _num_other: usize,
}

impl HostPort {
    /// Cycles from a request to its answer.
    pub const LATENCY: u64 = lpu_isa::latency::HOST_LATENCY;

    /// The host port of this machine.
    pub fn new(config: &Config) -> Self {
        let num_slices = config.mem.slices;
        let num_mem = 2 * num_slices;
        let num_other = config.num_queues() - num_mem;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_host_valid: Signal::default(),
            in_host_write: Signal::default(),
            in_host_address: Signal::default(),
            in_host_data: Signal::default(),
            in_busy: Signal::default(),
            in_fault: Signal::default(),
            in_cycle: Signal::default(),
            out_host_valid: Signal::default(),
            out_host_error: Signal::default(),
            out_host_data: Signal::default(),
            out_launch: Signal::default(),
            out_clear: Signal::default(),
            out_sram_write: Signal::default(),
            out_sram_vector: Signal::default(),
            out_sram_codeword: Signal::default(),
            out_sram_data: Signal::default(),
            out_sram_check: Signal::default(),
            out_program_write: Signal::default(),
            out_program_half: Signal::default(),
            out_program_index: Signal::default(),
            out_program_data: Signal::default(),
            out_descriptor_write: Signal::default(),
            out_map_write: Signal::default(),
            out_entry: Signal::default(),
            in_sram_data: (0..num_slices).map(|_| Signal::default()).collect(),
            in_sram_check: (0..num_slices).map(|_| Signal::default()).collect(),
            in_program_data_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            in_program_data_other: (0..num_other).map(|_| Signal::default()).collect(),
            in_fault_valid_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            in_fault_valid_other: (0..num_other).map(|_| Signal::default()).collect(),
            in_fault_code_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            in_fault_code_other: (0..num_other).map(|_| Signal::default()).collect(),
            in_fault_cycle_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            in_fault_cycle_other: (0..num_other).map(|_| Signal::default()).collect(),
            in_ecc_corrected_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            in_ecc_corrected_other: (0..num_other).map(|_| Signal::default()).collect(),
            in_ecc_uncorrectable_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            in_ecc_uncorrectable_other: (0..num_other).map(|_| Signal::default()).collect(),
            out_base: (0..num_mem).map(|_| Signal::default()).collect(),
            out_sram_enable: (0..num_slices).map(|_| Signal::default()).collect(),
            out_program_enable_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            out_program_enable_other: (0..num_other).map(|_| Signal::default()).collect(),
            decoder: RequestDecoder::new(config),
            encoder: Default::default(),
            sram_decoder: Default::default(),
            counter: Default::default(),
            valid_1: Default::default(),
            write_1: Default::default(),
            data_1: Default::default(),
            inject_data: Default::default(),
            inject_check: Default::default(),
            base: (0..num_mem).map(|_| Flop::default()).collect(),
            base_enable: (0..num_mem).map(|_| Flop::default()).collect(),
            launch_2: Default::default(),
            launch_3: Default::default(),
            clear_2: Default::default(),
            sram_enable: (0..num_slices).map(|_| Flop::default()).collect(),
            program_enable_mem: (0..num_mem).map(|_| Flop::default()).collect(),
            program_enable_other: (0..num_other).map(|_| Flop::default()).collect(),
            write_2: Default::default(),
            vector_2: Default::default(),
            codeword_2: Default::default(),
            sram_data_2: Default::default(),
            sram_check_2: Default::default(),
            index_2: Default::default(),
            half_2: Default::default(),
            data_2: Default::default(),
            descriptor_2: Default::default(),
            map_2: Default::default(),
            entry_2: Default::default(),
            page_2: Default::default(),
            number_2: Default::default(),
            host_ecc_2: Default::default(),
            is_other_2: Default::default(),
            unit_2: Default::default(),
            slice_2: Default::default(),
            page_4: DelayLine::new(2),
            number_4: DelayLine::new(2),
            host_ecc_4: DelayLine::new(2),
            is_other_5: DelayLine::new(3),
            unit_5: DelayLine::new(3),
            slice_5: DelayLine::new(3),
            fault_valid: UnitMux::new(config),
            fault_code: UnitMux::new(config),
            fault_cycle: UnitMux::new(config),
            corrected: UnitMux::new(config),
            uncorrectable: UnitMux::new(config),
            base_mux: MuxRegister::new(num_mem).low_bits(),
            base_4: Default::default(),
            register_5: Default::default(),
            register_8: DelayLine::new(3),
            sram_data_6: MuxRegister::new(num_slices).low_bits(),
            sram_check_6: MuxRegister::new(num_slices).low_bits(),
            program_7: UnitMux::new(config),
            program_8: Default::default(),
            is_sram_2: Default::default(),
            is_sram_6: DelayLine::new(4),
            is_sram_8: DelayLine::new(2),
            is_program_2: Default::default(),
            is_program_8: DelayLine::new(6),
            is_register_2: Default::default(),
            is_register_8: DelayLine::new(6),
            valid_2: Default::default(),
            valid_8: DelayLine::new(6),
            error_2: Default::default(),
            error_8: DelayLine::new(6),
            busy: Signal::default(),
            control_1: Signal::default(),
            writes_1: Signal::default(),
            unit_hot: Signal::default(),
            slice_hot: Signal::default(),
            fault_word: Signal::default(),
            ecc_word: Signal::default(),
            status: Signal::default(),
            register_4: Signal::default(),
            hash: Constant::new(config.hash_word().into()),
            info: Info::new("host_port", file!())
                .summary("Requests of the host and their answers")
                .param("SLICES", num_slices)
                .param("UNITS", config.num_queues())
                .port("in_host_valid", "a request, one every cycle")
                .port("in_host_address", "64-bit words, see the memory map")
                .port("in_busy", "the tile runs")
                .port("in_fault", "some unit has a fault")
                .port("in_cycle", "the CYCLE register")
                .port("out_host_valid", "8 cycles after the request")
                .port("out_host_error", "refused, or an uncorrectable word")
                .port("out_launch", "the cycle after the next is cycle 0")
                .port("out_clear", "clears faults and counters"),
            _num_slices: num_slices,
            _num_mem: num_mem,
            _num_other: num_other,
        }
    }
}

impl Logic for HostPort {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            decoder,
            sram_decoder,
            counter,
            valid_1,
            write_1,
            data_1
        );
        clock!(
            self,
            clock,
            inject_data,
            inject_check,
            launch_2,
            launch_3,
            clear_2,
            write_2
        );
        clock!(
            self,
            clock,
            vector_2,
            codeword_2,
            sram_data_2,
            sram_check_2,
            index_2,
            half_2
        );
        clock!(
            self, clock, data_2, page_2, number_2, host_ecc_2, is_other_2, unit_2
        );
        clock!(
            self, clock, slice_2, page_4, number_4, host_ecc_4, is_other_5, unit_5
        );
        clock!(
            self,
            clock,
            slice_5,
            fault_valid,
            fault_code,
            fault_cycle,
            corrected,
            uncorrectable
        );
        clock!(
            self,
            clock,
            base_mux,
            base_4,
            register_5,
            register_8,
            sram_data_6,
            sram_check_6
        );
        clock!(
            self,
            clock,
            program_7,
            program_8,
            is_sram_2,
            is_sram_6,
            is_sram_8,
            is_program_2
        );
        clock!(
            self,
            clock,
            is_program_8,
            is_register_2,
            is_register_8,
            valid_2,
            valid_8,
            error_2
        );
        clock!(self, clock, error_8, descriptor_2, map_2, entry_2);
        self.decoder.reset.next = self.reset.val();
        self.sram_decoder.reset.next = self.reset.val();
        self.counter.reset.next = self.reset.val();
        self.valid_1.reset.next = self.reset.val();
        self.inject_data.reset.next = self.reset.val();
        self.inject_check.reset.next = self.reset.val();
        self.launch_2.reset.next = self.reset.val();
        self.launch_3.reset.next = self.reset.val();
        self.clear_2.reset.next = self.reset.val();
        self.is_sram_2.reset.next = self.reset.val();
        self.valid_2.reset.next = self.reset.val();
        self.descriptor_2.reset.next = self.reset.val();
        self.map_2.reset.next = self.reset.val();

        // Cycle 1: the request, and what it asks for.
        self.valid_1.enable.next = true;
        self.valid_1.d.next = self.in_host_valid.val();
        self.write_1.d.next = self.in_host_write.val();
        self.data_1.d.next = self.in_host_data.val();
        self.busy.next = self.in_busy.val() | self.launch_2.q.val() | self.launch_3.q.val();
        self.decoder.in_valid.next = self.in_host_valid.val();
        self.decoder.in_write.next = self.in_host_write.val();
        self.decoder.in_address.next = self.in_host_address.val();
        self.decoder.in_busy.next = self.busy.val();
        self.decoder.in_launch.next = self.in_host_data.val().get_bit(0);
        self.writes_1.next = self.write_1.q.val() & self.decoder.out_register.val();
        self.control_1.next = self.writes_1.val() & (self.decoder.out_page.val() == 0);

        // One-hot unit and slice: a loop variable cannot be compared with.
        self.unit_hot.next = bits::<64>(1) << self.decoder.out_unit.val();
        self.slice_hot.next = bits::<64>(1) << self.decoder.out_slice.val();

        // Registers that can be written.
        self.launch_2.enable.next = true;
        self.launch_2.d.next = self.control_1.val()
            & (self.decoder.out_number.val() == 0)
            & self.data_1.q.val().get_bit(0);
        self.launch_3.enable.next = true;
        self.launch_3.d.next = self.launch_2.q.val();
        self.out_launch.next = self.launch_2.q.val();
        self.clear_2.enable.next = true;
        self.clear_2.d.next = self.control_1.val()
            & (self.decoder.out_number.val() == 0)
            & self.data_1.q.val().get_bit(1);
        self.out_clear.next = self.clear_2.q.val();
        self.inject_data.enable.next = self.control_1.val() & (self.decoder.out_number.val() == 3);
        self.inject_data.d.next = self.data_1.q.val();
        self.inject_check.enable.next = self.control_1.val() & (self.decoder.out_number.val() == 4);
        self.inject_check.d.next = self.data_1.q.val().get_bits::<8>(0);
        for q in 0..self._num_mem {
            self.base[q].clock.next = self.clock.val();
            self.base[q].reset.next = self.reset.val();
            self.base[q].enable.next = self.base_enable[q].q.val();
            self.base[q].d.next = self.data_2.q.val().get_bits::<16>(0);
            self.base_enable[q].clock.next = self.clock.val();
            self.base_enable[q].reset.next = self.reset.val();
            self.base_enable[q].enable.next = true;
            self.base_enable[q].d.next = self.writes_1.val()
                & (self.decoder.out_page.val() == 1)
                & self.unit_hot.val().get_bit(q);
            self.out_base[q].next = self.base[q].q.val();
        }

        // Cycle 2: SRAM and programs are accessed.
        self.write_2.d.next = self.write_1.q.val();
        self.vector_2.d.next = self.decoder.out_vector.val();
        self.codeword_2.d.next = self.decoder.out_codeword.val();
        self.encoder.in_data.next = self.data_1.q.val();
        self.sram_data_2.d.next = self.data_1.q.val() ^ self.inject_data.q.val();
        self.sram_check_2.d.next = self.encoder.out_check.val() ^ self.inject_check.q.val();
        self.index_2.d.next = self.decoder.out_index.val();
        self.half_2.d.next = self.decoder.out_half.val();
        self.data_2.d.next = self.data_1.q.val();
        self.out_sram_write.next = self.write_2.q.val();
        self.out_sram_vector.next = self.vector_2.q.val();
        self.out_sram_codeword.next = self.codeword_2.q.val();
        self.out_sram_data.next = self.sram_data_2.q.val();
        self.out_sram_check.next = self.sram_check_2.q.val();
        self.out_program_write.next = self.write_2.q.val();
        self.out_program_half.next = self.half_2.q.val();
        self.out_program_index.next = self.index_2.q.val();
        self.out_program_data.next = self.data_2.q.val();
        self.descriptor_2.enable.next = true;
        self.descriptor_2.d.next = self.decoder.out_descriptor.val();
        self.map_2.enable.next = true;
        self.map_2.d.next = self.decoder.out_map.val();
        self.entry_2.d.next = self.decoder.out_entry.val();
        self.out_descriptor_write.next = self.descriptor_2.q.val();
        self.out_map_write.next = self.map_2.q.val();
        self.out_entry.next = self.entry_2.q.val();
        for s in 0..self._num_slices {
            self.sram_enable[s].clock.next = self.clock.val();
            self.sram_enable[s].reset.next = self.reset.val();
            self.sram_enable[s].enable.next = true;
            self.sram_enable[s].d.next =
                self.decoder.out_sram.val() & self.slice_hot.val().get_bit(s);
            self.out_sram_enable[s].next = self.sram_enable[s].q.val();
        }
        for q in 0..self._num_mem {
            self.program_enable_mem[q].clock.next = self.clock.val();
            self.program_enable_mem[q].reset.next = self.reset.val();
            self.program_enable_mem[q].enable.next = true;
            self.program_enable_mem[q].d.next = self.decoder.out_program.val()
                & !self.decoder.out_is_other.val()
                & self.unit_hot.val().get_bit(q);
            self.out_program_enable_mem[q].next = self.program_enable_mem[q].q.val();
        }
        for q in 0..self._num_other {
            self.program_enable_other[q].clock.next = self.clock.val();
            self.program_enable_other[q].reset.next = self.reset.val();
            self.program_enable_other[q].enable.next = true;
            self.program_enable_other[q].d.next = self.decoder.out_program.val()
                & self.decoder.out_is_other.val()
                & self.unit_hot.val().get_bit(q);
            self.out_program_enable_other[q].next = self.program_enable_other[q].q.val();
        }

        // Cycles 2 to 5: registers are read.
        self.page_2.d.next = self.decoder.out_page.val();
        self.number_2.d.next = self.decoder.out_number.val();
        self.host_ecc_2.d.next = self.decoder.out_host_ecc.val();
        self.is_other_2.d.next = self.decoder.out_is_other.val();
        self.unit_2.d.next = self.decoder.out_unit.val();
        self.slice_2.d.next = self.decoder.out_slice.val();
        self.page_4.d.next = self.page_2.q.val();
        self.number_4.d.next = self.number_2.q.val();
        self.host_ecc_4.d.next = self.host_ecc_2.q.val();
        self.fault_valid.in_is_other.next = self.is_other_2.q.val();
        self.fault_valid.in_select.next = self.unit_2.q.val();
        for q in 0..self._num_mem {
            self.fault_valid.in_mem[q].next = self.in_fault_valid_mem[q].val();
        }
        for q in 0..self._num_other {
            self.fault_valid.in_other[q].next = self.in_fault_valid_other[q].val();
        }
        self.fault_code.in_is_other.next = self.is_other_2.q.val();
        self.fault_code.in_select.next = self.unit_2.q.val();
        for q in 0..self._num_mem {
            self.fault_code.in_mem[q].next = self.in_fault_code_mem[q].val();
        }
        for q in 0..self._num_other {
            self.fault_code.in_other[q].next = self.in_fault_code_other[q].val();
        }
        self.fault_cycle.in_is_other.next = self.is_other_2.q.val();
        self.fault_cycle.in_select.next = self.unit_2.q.val();
        for q in 0..self._num_mem {
            self.fault_cycle.in_mem[q].next = self.in_fault_cycle_mem[q].val();
        }
        for q in 0..self._num_other {
            self.fault_cycle.in_other[q].next = self.in_fault_cycle_other[q].val();
        }
        self.corrected.in_is_other.next = self.is_other_2.q.val();
        self.corrected.in_select.next = self.unit_2.q.val();
        for q in 0..self._num_mem {
            self.corrected.in_mem[q].next = self.in_ecc_corrected_mem[q].val();
        }
        for q in 0..self._num_other {
            self.corrected.in_other[q].next = self.in_ecc_corrected_other[q].val();
        }
        self.uncorrectable.in_is_other.next = self.is_other_2.q.val();
        self.uncorrectable.in_select.next = self.unit_2.q.val();
        for q in 0..self._num_mem {
            self.uncorrectable.in_mem[q].next = self.in_ecc_uncorrectable_mem[q].val();
        }
        for q in 0..self._num_other {
            self.uncorrectable.in_other[q].next = self.in_ecc_uncorrectable_other[q].val();
        }
        self.base_mux.enable.next = true;
        self.base_mux.select.next = self.unit_2.q.val();
        for q in 0..self._num_mem {
            self.base_mux.d[q].next = self.base[q].q.val();
        }
        self.base_4.d.next = self.base_mux.q.val();
        self.fault_word.next = bit_cast::<64, 32>(self.fault_cycle.out_value.val())
            | (bit_cast::<64, 8>(self.fault_code.out_value.val()) << 32);
        if self.fault_valid.out_value.val() {
            self.fault_word.next = bit_cast::<64, 32>(self.fault_cycle.out_value.val())
                | (bit_cast::<64, 8>(self.fault_code.out_value.val()) << 32)
                | 0x8000_0000_0000_0000u64;
        }
        self.ecc_word.next = bit_cast::<64, 32>(self.corrected.out_value.val())
            | (bit_cast::<64, 32>(self.uncorrectable.out_value.val()) << 32);
        if self.host_ecc_4.q.val() {
            self.ecc_word.next = bit_cast::<64, 32>(self.counter.out_corrected.val())
                | (bit_cast::<64, 32>(self.counter.out_uncorrectable.val()) << 32);
        }
        self.status.next = 0.into();
        if self.in_busy.val() & self.in_fault.val() {
            self.status.next = 3.into();
        } else if self.in_busy.val() {
            self.status.next = 1.into();
        } else if self.in_fault.val() {
            self.status.next = 2.into();
        }
        self.register_4.next = 0.into();
        if self.page_4.q.val() == 0 {
            if self.number_4.q.val() == 1 {
                self.register_4.next = self.status.val();
            } else if self.number_4.q.val() == 2 {
                self.register_4.next = bit_cast::<64, 32>(self.in_cycle.val());
            } else if self.number_4.q.val() == 3 {
                self.register_4.next = self.inject_data.q.val();
            } else if self.number_4.q.val() == 4 {
                self.register_4.next = bit_cast::<64, 8>(self.inject_check.q.val());
            } else if self.number_4.q.val() == 5 {
                self.register_4.next = self.hash.val();
            }
        } else if self.page_4.q.val() == 1 {
            self.register_4.next = bit_cast::<64, 16>(self.base_4.q.val());
        } else if self.page_4.q.val() == 2 {
            self.register_4.next = self.fault_word.val();
        } else {
            self.register_4.next = self.ecc_word.val();
        }
        self.register_5.d.next = self.register_4.val();
        self.register_8.d.next = self.register_5.q.val();

        // Cycles 5 to 8: SRAM and program words arrive.
        self.is_other_5.d.next = self.is_other_2.q.val();
        self.unit_5.d.next = self.unit_2.q.val();
        self.slice_5.d.next = self.slice_2.q.val();
        self.sram_data_6.enable.next = true;
        self.sram_data_6.select.next = self.slice_5.q.val();
        self.sram_check_6.enable.next = true;
        self.sram_check_6.select.next = self.slice_5.q.val();
        for s in 0..self._num_slices {
            self.sram_data_6.d[s].next = self.in_sram_data[s].val();
            self.sram_check_6.d[s].next = self.in_sram_check[s].val();
        }
        self.is_sram_2.enable.next = true;
        self.is_sram_2.d.next = self.decoder.out_sram.val() & !self.write_1.q.val();
        self.is_sram_6.d.next = self.is_sram_2.q.val();
        self.is_sram_8.d.next = self.is_sram_6.q.val();
        self.sram_decoder.in_valid.next = self.is_sram_6.q.val();
        self.sram_decoder.in_data.next = self.sram_data_6.q.val();
        self.sram_decoder.in_check.next = self.sram_check_6.q.val();
        self.counter.in_corrected.next = bit_cast::<8, 4>(self.sram_decoder.out_corrected.val());
        self.counter.in_uncorrectable.next =
            bit_cast::<8, 4>(self.sram_decoder.out_uncorrectable.val());
        self.counter.in_clear.next = self.clear_2.q.val();
        self.program_7.in_is_other.next = self.is_other_5.q.val();
        self.program_7.in_select.next = self.unit_5.q.val();
        for q in 0..self._num_mem {
            self.program_7.in_mem[q].next = self.in_program_data_mem[q].val();
        }
        for q in 0..self._num_other {
            self.program_7.in_other[q].next = self.in_program_data_other[q].val();
        }
        self.program_8.d.next = self.program_7.out_value.val();

        // Cycle 8: the answer.
        self.is_program_2.d.next = self.decoder.out_program.val() & !self.write_1.q.val();
        self.is_program_8.d.next = self.is_program_2.q.val();
        self.is_register_2.d.next = self.decoder.out_register.val() & !self.write_1.q.val();
        self.is_register_8.d.next = self.is_register_2.q.val();
        self.valid_2.enable.next = true;
        self.valid_2.d.next = self.valid_1.q.val();
        self.valid_8.d.next = self.valid_2.q.val();
        self.error_2.d.next = self.decoder.out_error.val();
        self.error_8.d.next = self.error_2.q.val();
        self.out_host_valid.next = self.valid_8.q.val();
        self.out_host_error.next = self.valid_8.q.val()
            & (self.error_8.q.val()
                | (self.is_sram_8.q.val() & self.sram_decoder.out_uncorrectable.val().any()));
        self.out_host_data.next = 0.into();
        if self.is_sram_8.q.val() {
            self.out_host_data.next = self.sram_decoder.out_data.val();
        } else if self.is_program_8.q.val() {
            self.out_host_data.next = self.program_8.q.val();
        } else if self.is_register_8.q.val() {
            self.out_host_data.next = self.register_8.q.val();
        }
    }
}
