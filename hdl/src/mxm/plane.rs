//! One plane of the matrix unit.

use super::formats::Formats;
use super::{Datapath, PARTS};
use crate::icu::{FaultUnit, InstructionQueue};
use crate::info::Info;
use lpu_isa::{Config, QueueKind};
use rust_hdl::prelude::*;

/// One plane of the matrix unit: a datapath, its three queues and their fault registers.
///
/// Units: weights (LW, IW, CONFIG), compute (LX, MM), accumulate (ACC). Their ports carry the unit's name. An accumulate unit
/// decodes nothing, so its ECC counters are zero.
///
/// Parameters: those of [`Config`]. Latencies: see the parts. Reset ends the queues and clears faults, counters and what is
/// under way; weights, buffer, accumulators and programs keep their values.
#[derive(LogicBlock)]
pub struct MxmPlane<const L: usize, const V: usize> {
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
    /// The launch cycle.
    pub in_cycle: Signal<In, Bits<32>>,
    /// Data of the eastward streams.
    pub in_east_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<L>>>,
    /// Their valid bits.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// A cell that a result drives was not free.
    pub in_collision: Signal<In, Bit>,
    /// A result drives its streams.
    pub out_result_enable: Signal<Out, Bit>,
    /// The first of its four streams.
    pub out_result_stream: Signal<Out, Bits<5>>,
    /// Bit s: it drives stream s.
    pub out_result_drive: Signal<Out, Bits<32>>,
    /// Its byte planes, the least first.
    pub out_result_data: Vec<Signal<Out, Bits<V>>>,
    /// Their check bits.
    pub out_result_check: Vec<Signal<Out, Bits<L>>>,
    /// The host writes a program.
    pub in_program_write: Signal<In, Bit>,
    /// Half of the instruction: 0 low, 1 high.
    pub in_program_half: Signal<In, Bit>,
    /// Number of the instruction.
    pub in_program_index: Signal<In, Bits<16>>,
    /// Half to write.
    pub in_program_data: Signal<In, Bits<64>>,
    /// The host accesses the program of the weights queue.
    pub in_program_enable_weights: Signal<In, Bit>,
    /// Half read from it.
    pub out_program_data_weights: Signal<Out, Bits<64>>,
    /// The weights unit has a fault.
    pub out_weights_fault_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_weights_fault_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_weights_fault_cycle: Signal<Out, Bits<32>>,
    /// Codewords that the weights unit corrected.
    pub out_weights_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords that it found.
    pub out_weights_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// The weights queue has ended.
    pub out_weights_ended: Signal<Out, Bit>,
    /// The host accesses the program of the compute queue.
    pub in_program_enable_compute: Signal<In, Bit>,
    /// Half read from it.
    pub out_program_data_compute: Signal<Out, Bits<64>>,
    /// The compute unit has a fault.
    pub out_compute_fault_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_compute_fault_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_compute_fault_cycle: Signal<Out, Bits<32>>,
    /// Codewords that the compute unit corrected.
    pub out_compute_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords that it found.
    pub out_compute_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// The compute queue has ended.
    pub out_compute_ended: Signal<Out, Bit>,
    /// The host accesses the program of the accumulate queue.
    pub in_program_enable_accumulate: Signal<In, Bit>,
    /// Half read from it.
    pub out_program_data_accumulate: Signal<Out, Bits<64>>,
    /// The accumulate unit has a fault.
    pub out_accumulate_fault_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_accumulate_fault_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_accumulate_fault_cycle: Signal<Out, Bits<32>>,
    /// Codewords that the accumulate unit corrected.
    pub out_accumulate_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords that it found.
    pub out_accumulate_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// The accumulate queue has ended.
    pub out_accumulate_ended: Signal<Out, Bit>,
    /// A NOTIFY issues.
    pub out_notify: Signal<Out, Bit>,
    weights_queue: InstructionQueue,
    weights_fault: FaultUnit,
    compute_queue: InstructionQueue,
    compute_fault: FaultUnit,
    accumulate_queue: InstructionQueue,
    accumulate_fault: FaultUnit,
    datapath: Datapath<L, V>,
    zero: Constant<Bits<32>>,
    info: Info,
    _streams: usize,
    _scales: usize,
}

impl<const L: usize, const V: usize> MxmPlane<L, V> {
    /// A plane of this machine.
    pub fn new(config: &Config) -> Self {
        let streams = config.streams;
        let formats = Formats::of(config);
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_notify: Signal::default(),
            in_clear: Signal::default(),
            in_cycle: Signal::default(),
            in_east_data: many(streams),
            in_east_check: many(streams),
            in_east_valid: many(streams),
            out_result_data: many(PARTS),
            out_result_check: many(PARTS),
            in_collision: Signal::default(),
            out_result_enable: Signal::default(),
            out_result_stream: Signal::default(),
            out_result_drive: Signal::default(),
            in_program_write: Signal::default(),
            in_program_half: Signal::default(),
            in_program_index: Signal::default(),
            in_program_data: Signal::default(),
            in_program_enable_weights: Signal::default(),
            out_program_data_weights: Signal::default(),
            out_weights_fault_valid: Signal::default(),
            out_weights_fault_code: Signal::default(),
            out_weights_fault_cycle: Signal::default(),
            out_weights_ecc_corrected: Signal::default(),
            out_weights_ecc_uncorrectable: Signal::default(),
            out_weights_ended: Signal::default(),
            in_program_enable_compute: Signal::default(),
            out_program_data_compute: Signal::default(),
            out_compute_fault_valid: Signal::default(),
            out_compute_fault_code: Signal::default(),
            out_compute_fault_cycle: Signal::default(),
            out_compute_ecc_corrected: Signal::default(),
            out_compute_ecc_uncorrectable: Signal::default(),
            out_compute_ended: Signal::default(),
            in_program_enable_accumulate: Signal::default(),
            out_program_data_accumulate: Signal::default(),
            out_accumulate_fault_valid: Signal::default(),
            out_accumulate_fault_code: Signal::default(),
            out_accumulate_fault_cycle: Signal::default(),
            out_accumulate_ecc_corrected: Signal::default(),
            out_accumulate_ecc_uncorrectable: Signal::default(),
            out_accumulate_ended: Signal::default(),
            out_notify: Signal::default(),
            weights_queue: InstructionQueue::new(config, QueueKind::MxmWeights),
            weights_fault: FaultUnit::default(),
            compute_queue: InstructionQueue::new(config, QueueKind::MxmCompute),
            compute_fault: FaultUnit::default(),
            accumulate_queue: InstructionQueue::new(config, QueueKind::MxmAccumulate),
            accumulate_fault: FaultUnit::default(),
            datapath: Datapath::new(config),
            zero: Constant::new(Bits::default()),
            info: formats
                .param(Info::new("mxm_plane", file!()))
                .summary("One plane of the matrix unit")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("WEIGHT_STREAMS", config.mxm.weight_streams)
                .param("ACCUMULATOR_ROWS", config.mxm.accumulator_depth)
                .param("OPERAND_ROWS", config.mxm.operand_depth)
                .param("QUEUE_DEPTH", config.icu.queue_depth)
                .port("in_launch", "the cycle after the next is cycle 0")
                .port("in_notify", "one cycle before a SYNC sees the pulse")
                .port("in_clear", "clears faults and counters")
                .port("in_collision", "a cell that a result drives was not free")
                .port("out_result_enable", "a result drives its streams")
                .port("out_result_stream", "the first of its four streams")
                .port("out_result_drive", "bit s: it drives stream s")
                .port("out_result_data", "its byte planes, the least first"),
            _streams: streams,
            _scales: usize::from(formats.nvfp4),
        }
    }
}

impl<const L: usize, const V: usize> Logic for MxmPlane<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            weights_queue,
            weights_fault,
            compute_queue,
            compute_fault,
            accumulate_queue,
            accumulate_fault,
            datapath
        );
        self.datapath.reset.next = self.reset.val();
        self.datapath.in_launch.next = self.in_launch.val();
        self.datapath.in_clear.next = self.in_clear.val();
        for s in 0..self._streams {
            self.datapath.in_east_data[s].next = self.in_east_data[s].val();
            self.datapath.in_east_check[s].next = self.in_east_check[s].val();
            self.datapath.in_east_valid[s].next = self.in_east_valid[s].val();
        }
        self.datapath.in_collision.next = self.in_collision.val();
        self.out_result_enable.next = self.datapath.out_result_enable.val();
        self.out_result_stream.next = self.datapath.out_result_stream.val();
        self.out_result_drive.next = self.datapath.out_result_drive.val();
        for b in 0..4 {
            self.out_result_data[b].next = self.datapath.out_result_data[b].val();
            self.out_result_check[b].next = self.datapath.out_result_check[b].val();
        }

        self.weights_queue.reset.next = self.reset.val();
        self.weights_queue.in_launch.next = self.in_launch.val();
        self.weights_queue.in_notify.next = self.in_notify.val();
        self.weights_queue.in_base.next = 0.into();
        self.weights_queue.in_program_enable.next = self.in_program_enable_weights.val();
        self.weights_queue.in_program_write.next = self.in_program_write.val();
        self.weights_queue.in_program_half.next = self.in_program_half.val();
        self.weights_queue.in_program_index.next = self.in_program_index.val();
        self.weights_queue.in_program_data.next = self.in_program_data.val();
        self.out_program_data_weights.next = self.weights_queue.out_program_data.val();
        self.out_weights_ended.next = self.weights_queue.out_ended.val();
        self.datapath.in_weights_operation.next = self.weights_queue.out_operation.val();
        self.datapath.in_weights_flags.next = self.weights_queue.out_flags.val();
        self.datapath.in_weights_stream.next = self.weights_queue.out_stream.val();
        self.datapath.in_weights_address.next = self.weights_queue.out_address.val();
        self.datapath.in_weights_last0.next = self.weights_queue.out_last0.val();
        self.datapath.in_weights_config.next = self.weights_queue.out_config.val();
        self.weights_fault.reset.next = self.reset.val();
        self.weights_fault.in_clear.next = self.in_clear.val();
        self.weights_fault.in_cycle.next = self.in_cycle.val();
        self.weights_fault.in_fault.next = self.datapath.out_weights_fault.val();
        if self.weights_queue.out_illegal.val() {
            self.weights_fault.in_fault.next = self.datapath.out_weights_fault.val() | 0x80;
        }
        self.out_weights_fault_valid.next = self.weights_fault.out_valid.val();
        self.out_weights_fault_code.next = self.weights_fault.out_code.val();
        self.out_weights_fault_cycle.next = self.weights_fault.out_cycle.val();
        self.out_weights_ecc_corrected.next = self.datapath.out_weights_ecc_corrected.val();
        self.out_weights_ecc_uncorrectable.next = self.datapath.out_weights_ecc_uncorrectable.val();

        self.compute_queue.reset.next = self.reset.val();
        self.compute_queue.in_launch.next = self.in_launch.val();
        self.compute_queue.in_notify.next = self.in_notify.val();
        self.compute_queue.in_base.next = 0.into();
        self.compute_queue.in_program_enable.next = self.in_program_enable_compute.val();
        self.compute_queue.in_program_write.next = self.in_program_write.val();
        self.compute_queue.in_program_half.next = self.in_program_half.val();
        self.compute_queue.in_program_index.next = self.in_program_index.val();
        self.compute_queue.in_program_data.next = self.in_program_data.val();
        self.out_program_data_compute.next = self.compute_queue.out_program_data.val();
        self.out_compute_ended.next = self.compute_queue.out_ended.val();
        self.datapath.in_compute_operation.next = self.compute_queue.out_operation.val();
        self.datapath.in_compute_flags.next = self.compute_queue.out_flags.val();
        self.datapath.in_compute_select.next = self.compute_queue.out_select.val();
        self.datapath.in_compute_address.next = self.compute_queue.out_address.val();
        for i in 0..self._scales {
            self.datapath.in_compute_select2[i].next = self.compute_queue.out_select2.val();
        }
        self.compute_fault.reset.next = self.reset.val();
        self.compute_fault.in_clear.next = self.in_clear.val();
        self.compute_fault.in_cycle.next = self.in_cycle.val();
        self.compute_fault.in_fault.next = self.datapath.out_compute_fault.val();
        if self.compute_queue.out_illegal.val() {
            self.compute_fault.in_fault.next = self.datapath.out_compute_fault.val() | 0x80;
        }
        self.out_compute_fault_valid.next = self.compute_fault.out_valid.val();
        self.out_compute_fault_code.next = self.compute_fault.out_code.val();
        self.out_compute_fault_cycle.next = self.compute_fault.out_cycle.val();
        self.out_compute_ecc_corrected.next = self.datapath.out_compute_ecc_corrected.val();
        self.out_compute_ecc_uncorrectable.next = self.datapath.out_compute_ecc_uncorrectable.val();

        self.accumulate_queue.reset.next = self.reset.val();
        self.accumulate_queue.in_launch.next = self.in_launch.val();
        self.accumulate_queue.in_notify.next = self.in_notify.val();
        self.accumulate_queue.in_base.next = 0.into();
        self.accumulate_queue.in_program_enable.next = self.in_program_enable_accumulate.val();
        self.accumulate_queue.in_program_write.next = self.in_program_write.val();
        self.accumulate_queue.in_program_half.next = self.in_program_half.val();
        self.accumulate_queue.in_program_index.next = self.in_program_index.val();
        self.accumulate_queue.in_program_data.next = self.in_program_data.val();
        self.out_program_data_accumulate.next = self.accumulate_queue.out_program_data.val();
        self.out_accumulate_ended.next = self.accumulate_queue.out_ended.val();
        self.datapath.in_accumulate_valid.next = self.accumulate_queue.out_valid.val();
        self.datapath.in_accumulate_flags.next = self.accumulate_queue.out_flags.val();
        self.datapath.in_accumulate_stream.next = self.accumulate_queue.out_stream.val();
        self.datapath.in_accumulate_address.next = self.accumulate_queue.out_address.val();
        self.datapath.in_accumulate_first0.next = self.accumulate_queue.out_first0.val();
        self.datapath.in_accumulate_last0.next = self.accumulate_queue.out_last0.val();
        self.datapath.in_accumulate_first1.next = self.accumulate_queue.out_first1.val();
        self.datapath.in_accumulate_last1.next = self.accumulate_queue.out_last1.val();
        self.accumulate_fault.reset.next = self.reset.val();
        self.accumulate_fault.in_clear.next = self.in_clear.val();
        self.accumulate_fault.in_cycle.next = self.in_cycle.val();
        self.accumulate_fault.in_fault.next = self.datapath.out_accumulate_fault.val();
        if self.accumulate_queue.out_illegal.val() {
            self.accumulate_fault.in_fault.next = self.datapath.out_accumulate_fault.val() | 0x80;
        }
        self.out_accumulate_fault_valid.next = self.accumulate_fault.out_valid.val();
        self.out_accumulate_fault_code.next = self.accumulate_fault.out_code.val();
        self.out_accumulate_fault_cycle.next = self.accumulate_fault.out_cycle.val();
        self.out_accumulate_ecc_corrected.next = self.zero.val();
        self.out_accumulate_ecc_uncorrectable.next = self.zero.val();

        self.out_notify.next = self.weights_queue.out_notify.val()
            | self.compute_queue.out_notify.val()
            | self.accumulate_queue.out_notify.val();
    }
}
