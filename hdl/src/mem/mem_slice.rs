//! A memory slice.

use super::SliceDatapath;
use crate::ecc::EccCounter;
use crate::icu::{FaultUnit, InstructionQueue};
use crate::info::Info;
use lpu_isa::{Config, QueueKind};
use rust_hdl::prelude::*;

/// A memory slice: a [`SliceDatapath`], its read and write queue, their fault registers and ECC counters.
///
/// Parameters: those of [`Config`]. Latencies: those of the parts. Reset ends the queues, clears faults and counters and makes the cells
/// invalid; the SRAM and the programs keep their words.
#[derive(LogicBlock)]
pub struct MemSlice<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The cycle after the next is cycle 0.
    pub in_launch: Signal<In, Bit>,
    /// The NOTIFY pulse.
    pub in_notify: Signal<In, Bit>,
    /// Clears faults and counters.
    pub in_clear: Signal<In, Bit>,
    /// Cycle of the launch.
    pub in_cycle: Signal<In, Bits<32>>,
    /// Base register of the read queue.
    pub in_base_read: Signal<In, Bits<16>>,
    /// Base register of the write queue.
    pub in_base_write: Signal<In, Bits<16>>,
    /// The host accesses the program of the read queue.
    pub in_program_enable_read: Signal<In, Bit>,
    /// The host accesses the program of the write queue.
    pub in_program_enable_write: Signal<In, Bit>,
    /// The host writes.
    pub in_program_write: Signal<In, Bit>,
    /// Half of the instruction.
    pub in_program_half: Signal<In, Bit>,
    /// Number of the instruction.
    pub in_program_index: Signal<In, Bits<16>>,
    /// Half to write.
    pub in_program_data: Signal<In, Bits<64>>,
    /// The host accesses the SRAM.
    pub in_host_enable: Signal<In, Bit>,
    /// It writes.
    pub in_host_write: Signal<In, Bit>,
    /// Vector.
    pub in_host_vector: Signal<In, Bits<16>>,
    /// Codeword of it.
    pub in_host_codeword: Signal<In, Bits<3>>,
    /// Data to write.
    pub in_host_data: Signal<In, Bits<64>>,
    /// Check bits to write.
    pub in_host_check: Signal<In, Bits<8>>,
    /// Data of the neighbour's cells that flow eastward.
    pub in_east_data: Vec<Signal<In, Bits<V>>>,
    /// Check bits of the neighbour's cells that flow eastward.
    pub in_east_check: Vec<Signal<In, Bits<L>>>,
    /// Valid bits of the neighbour's cells that flow eastward.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// Data of the neighbour's cells that flow westward.
    pub in_west_data: Vec<Signal<In, Bits<V>>>,
    /// Check bits of the neighbour's cells that flow westward.
    pub in_west_check: Vec<Signal<In, Bits<L>>>,
    /// Valid bits of the neighbour's cells that flow westward.
    pub in_west_valid: Vec<Signal<In, Bit>>,
    /// Data of the own cells that flow eastward.
    pub out_east_data: Vec<Signal<Out, Bits<V>>>,
    /// Check bits of the own cells that flow eastward.
    pub out_east_check: Vec<Signal<Out, Bits<L>>>,
    /// Valid bits of the own cells that flow eastward.
    pub out_east_valid: Vec<Signal<Out, Bit>>,
    /// Data of the own cells that flow westward.
    pub out_west_data: Vec<Signal<Out, Bits<V>>>,
    /// Check bits of the own cells that flow westward.
    pub out_west_check: Vec<Signal<Out, Bits<L>>>,
    /// Valid bits of the own cells that flow westward.
    pub out_west_valid: Vec<Signal<Out, Bit>>,
    /// Half read, of the read queue.
    pub out_program_data_read: Signal<Out, Bits<64>>,
    /// Half read, of the write queue.
    pub out_program_data_write: Signal<Out, Bits<64>>,
    /// Codeword read.
    pub out_host_data: Signal<Out, Bits<64>>,
    /// Its check bits.
    pub out_host_check: Signal<Out, Bits<8>>,
    /// The read unit has a fault.
    pub out_read_fault_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_read_fault_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_read_fault_cycle: Signal<Out, Bits<32>>,
    /// Codewords the read unit corrected.
    pub out_read_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords it met.
    pub out_read_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// The read queue has ended.
    pub out_read_ended: Signal<Out, Bit>,
    /// The write unit has a fault.
    pub out_write_fault_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_write_fault_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_write_fault_cycle: Signal<Out, Bits<32>>,
    /// Codewords the write unit corrected.
    pub out_write_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords it met.
    pub out_write_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// The write queue has ended.
    pub out_write_ended: Signal<Out, Bit>,
    /// A queue notifies.
    pub out_notify: Signal<Out, Bit>,
    read_queue: InstructionQueue,
    write_queue: InstructionQueue,
    datapath: SliceDatapath<L, V>,
    read_fault: FaultUnit,
    write_fault: FaultUnit,
    read_ecc: EccCounter,
    write_ecc: EccCounter,
    info: Info,
    _streams: usize,
}

fn signals<D: Direction, T: Synth>(count: usize) -> Vec<Signal<D, T>> {
    (0..count).map(|_| Signal::default()).collect()
}

impl<const L: usize, const V: usize> MemSlice<L, V> {
    /// A slice of this machine.
    pub fn new(config: &Config) -> Self {
        let streams = config.streams;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_notify: Signal::default(),
            in_clear: Signal::default(),
            in_cycle: Signal::default(),
            in_base_read: Signal::default(),
            in_base_write: Signal::default(),
            in_program_enable_read: Signal::default(),
            in_program_enable_write: Signal::default(),
            in_program_write: Signal::default(),
            in_program_half: Signal::default(),
            in_program_index: Signal::default(),
            in_program_data: Signal::default(),
            in_host_enable: Signal::default(),
            in_host_write: Signal::default(),
            in_host_vector: Signal::default(),
            in_host_codeword: Signal::default(),
            in_host_data: Signal::default(),
            in_host_check: Signal::default(),
            out_program_data_read: Signal::default(),
            out_program_data_write: Signal::default(),
            out_host_data: Signal::default(),
            out_host_check: Signal::default(),
            out_read_fault_valid: Signal::default(),
            out_read_fault_code: Signal::default(),
            out_read_fault_cycle: Signal::default(),
            out_read_ecc_corrected: Signal::default(),
            out_read_ecc_uncorrectable: Signal::default(),
            out_read_ended: Signal::default(),
            out_write_fault_valid: Signal::default(),
            out_write_fault_code: Signal::default(),
            out_write_fault_cycle: Signal::default(),
            out_write_ecc_corrected: Signal::default(),
            out_write_ecc_uncorrectable: Signal::default(),
            out_write_ended: Signal::default(),
            out_notify: Signal::default(),
            in_east_data: signals(streams),
            in_east_check: signals(streams),
            in_east_valid: signals(streams),
            in_west_data: signals(streams),
            in_west_check: signals(streams),
            in_west_valid: signals(streams),
            out_east_data: signals(streams),
            out_east_check: signals(streams),
            out_east_valid: signals(streams),
            out_west_data: signals(streams),
            out_west_check: signals(streams),
            out_west_valid: signals(streams),
            read_queue: InstructionQueue::new(config, QueueKind::MemRead),
            write_queue: InstructionQueue::new(config, QueueKind::MemWrite),
            datapath: SliceDatapath::new(config),
            read_fault: Default::default(),
            write_fault: Default::default(),
            read_ecc: Default::default(),
            write_ecc: Default::default(),
            info: Info::new("mem_slice", file!())
                .summary("A memory slice with its queues")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("DEPTH", config.mem.depth)
                .param("QUEUE_DEPTH", config.icu.queue_depth)
                .port("in_launch", "the cycle after the next is cycle 0")
                .port("in_cycle", "cycle of the launch")
                .port("out_program_data_read", "3 cycles after the enable")
                .port("out_host_data", "3 cycles after in_host_enable"),
            _streams: streams,
        }
    }
}

impl<const L: usize, const V: usize> Logic for MemSlice<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, read_queue, write_queue, datapath);
        clock!(self, clock, read_fault, write_fault, read_ecc, write_ecc);
        self.datapath.reset.next = self.reset.val();
        self.datapath.in_launch.next = self.in_launch.val();
        for s in 0..self._streams {
            self.datapath.in_east_data[s].next = self.in_east_data[s].val();
            self.out_east_data[s].next = self.datapath.out_east_data[s].val();
            self.datapath.in_east_check[s].next = self.in_east_check[s].val();
            self.out_east_check[s].next = self.datapath.out_east_check[s].val();
            self.datapath.in_east_valid[s].next = self.in_east_valid[s].val();
            self.out_east_valid[s].next = self.datapath.out_east_valid[s].val();
            self.datapath.in_west_data[s].next = self.in_west_data[s].val();
            self.out_west_data[s].next = self.datapath.out_west_data[s].val();
            self.datapath.in_west_check[s].next = self.in_west_check[s].val();
            self.out_west_check[s].next = self.datapath.out_west_check[s].val();
            self.datapath.in_west_valid[s].next = self.in_west_valid[s].val();
            self.out_west_valid[s].next = self.datapath.out_west_valid[s].val();
        }
        self.datapath.in_host_enable.next = self.in_host_enable.val();
        self.datapath.in_host_write.next = self.in_host_write.val();
        self.datapath.in_host_vector.next = self.in_host_vector.val();
        self.datapath.in_host_codeword.next = self.in_host_codeword.val();
        self.datapath.in_host_data.next = self.in_host_data.val();
        self.datapath.in_host_check.next = self.in_host_check.val();
        self.out_host_data.next = self.datapath.out_host_data.val();
        self.out_host_check.next = self.datapath.out_host_check.val();
        self.out_notify.next = self.read_queue.out_notify.val() | self.write_queue.out_notify.val();

        self.read_queue.reset.next = self.reset.val();
        self.read_queue.in_launch.next = self.in_launch.val();
        self.read_queue.in_notify.next = self.in_notify.val();
        self.read_queue.in_base.next = self.in_base_read.val();
        self.read_queue.in_program_enable.next = self.in_program_enable_read.val();
        self.read_queue.in_program_write.next = self.in_program_write.val();
        self.read_queue.in_program_half.next = self.in_program_half.val();
        self.read_queue.in_program_index.next = self.in_program_index.val();
        self.read_queue.in_program_data.next = self.in_program_data.val();
        self.out_program_data_read.next = self.read_queue.out_program_data.val();
        self.out_read_ended.next = self.read_queue.out_ended.val();
        self.datapath.in_read_operation.next = self.read_queue.out_operation.val();
        self.datapath.in_read_stream.next = self.read_queue.out_stream.val();
        self.datapath.in_read_select2.next = self.read_queue.out_select2.val();
        self.datapath.in_read_address.next = self.read_queue.out_address.val();
        self.read_fault.reset.next = self.reset.val();
        self.read_fault.in_clear.next = self.in_clear.val();
        self.read_fault.in_cycle.next = self.in_cycle.val();
        self.read_fault.in_fault.next = self.datapath.out_read_fault.val();
        if self.read_queue.out_illegal.val() {
            self.read_fault.in_fault.next = self.datapath.out_read_fault.val() | 0x80;
        }
        self.out_read_fault_valid.next = self.read_fault.out_valid.val();
        self.out_read_fault_code.next = self.read_fault.out_code.val();
        self.out_read_fault_cycle.next = self.read_fault.out_cycle.val();
        self.read_ecc.reset.next = self.reset.val();
        self.read_ecc.in_clear.next = self.in_clear.val();
        self.read_ecc.in_corrected.next = bit_cast::<8, 4>(self.datapath.out_read_corrected.val());
        self.read_ecc.in_uncorrectable.next =
            bit_cast::<8, 4>(self.datapath.out_read_uncorrectable.val());
        self.out_read_ecc_corrected.next = self.read_ecc.out_corrected.val();
        self.out_read_ecc_uncorrectable.next = self.read_ecc.out_uncorrectable.val();

        self.write_queue.reset.next = self.reset.val();
        self.write_queue.in_launch.next = self.in_launch.val();
        self.write_queue.in_notify.next = self.in_notify.val();
        self.write_queue.in_base.next = self.in_base_write.val();
        self.write_queue.in_program_enable.next = self.in_program_enable_write.val();
        self.write_queue.in_program_write.next = self.in_program_write.val();
        self.write_queue.in_program_half.next = self.in_program_half.val();
        self.write_queue.in_program_index.next = self.in_program_index.val();
        self.write_queue.in_program_data.next = self.in_program_data.val();
        self.out_program_data_write.next = self.write_queue.out_program_data.val();
        self.out_write_ended.next = self.write_queue.out_ended.val();
        self.datapath.in_write_valid.next = self.write_queue.out_valid.val();
        self.datapath.in_write_operation.next = self.write_queue.out_operation.val();
        self.datapath.in_write_select.next = self.write_queue.out_select.val();
        self.datapath.in_write_select2.next = self.write_queue.out_select2.val();
        self.datapath.in_write_address.next = self.write_queue.out_address.val();
        self.write_fault.reset.next = self.reset.val();
        self.write_fault.in_clear.next = self.in_clear.val();
        self.write_fault.in_cycle.next = self.in_cycle.val();
        self.write_fault.in_fault.next = self.datapath.out_write_fault.val();
        if self.write_queue.out_illegal.val() {
            self.write_fault.in_fault.next = self.datapath.out_write_fault.val() | 0x80;
        }
        self.out_write_fault_valid.next = self.write_fault.out_valid.val();
        self.out_write_fault_code.next = self.write_fault.out_code.val();
        self.out_write_fault_cycle.next = self.write_fault.out_cycle.val();
        self.write_ecc.reset.next = self.reset.val();
        self.write_ecc.in_clear.next = self.in_clear.val();
        self.write_ecc.in_corrected.next =
            bit_cast::<8, 4>(self.datapath.out_write_corrected.val());
        self.write_ecc.in_uncorrectable.next =
            bit_cast::<8, 4>(self.datapath.out_write_uncorrectable.val());
        self.out_write_ecc_corrected.next = self.write_ecc.out_corrected.val();
        self.out_write_ecc_uncorrectable.next = self.write_ecc.out_uncorrectable.val();
    }
}

#[cfg(test)]
mod tests;
