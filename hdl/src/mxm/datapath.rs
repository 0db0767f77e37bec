//! The datapath of a plane: everything but queues, fault registers and counters of cycles.

use super::formats::{FormatArray, Formats};
use super::{Accumulate, Array, Compute, PARTS, Weights};
use crate::info::Info;
use crate::prim::Optional;
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The datapath of a plane: weights, compute and accumulate part around the array.
///
/// ```text
/// eastward --+--> Weights ---(slots)----> Array ---(dots)--> Accumulate --> westward
///            +--> Compute ---(lanes)-------^
/// ```
///
/// Takes what the three queues issue, in the cycle in which it issues; gives the faults of the three units in the cycle that
/// they are recorded with. Wiring only.
///
/// A machine with formats has a [`FormatArray`] in place of the [`Array`].
///
/// Parameters: those of [`Config`]. Latencies are those of the parts; `docs/machine.md` lists them.
#[derive(LogicBlock)]
pub struct Datapath<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Start of a launch.
    pub in_launch: Signal<In, Bit>,
    /// Clears the counters.
    pub in_clear: Signal<In, Bit>,
    /// Bit 0: LW issues; bit 1: IW.
    pub in_weights_operation: Signal<In, Bits<2>>,
    /// Its flags.
    pub in_weights_flags: Signal<In, Bits<4>>,
    /// Its first stream, or the register of a CONFIG.
    pub in_weights_stream: Signal<In, Bits<6>>,
    /// Its row, or the value of a CONFIG.
    pub in_weights_address: Signal<In, Bits<16>>,
    /// Last iteration of the inner repeat.
    pub in_weights_last0: Signal<In, Bit>,
    /// A CONFIG issues.
    pub in_weights_config: Signal<In, Bit>,
    /// Bit 0: LX issues; bit 1: MM.
    pub in_compute_operation: Signal<In, Bits<2>>,
    /// Its flags.
    pub in_compute_flags: Signal<In, Bits<4>>,
    /// Its stream.
    pub in_compute_select: Signal<In, Bits<64>>,
    /// The stream of its scales.
    pub in_compute_select2: Vec<Signal<In, Bits<64>>>,
    /// Its row of the operand buffer.
    pub in_compute_address: Signal<In, Bits<16>>,
    /// An operation issues to the accumulate part.
    pub in_accumulate_valid: Signal<In, Bit>,
    /// Its flags: init mode, emit mode.
    pub in_accumulate_flags: Signal<In, Bits<4>>,
    /// First stream of its result.
    pub in_accumulate_stream: Signal<In, Bits<6>>,
    /// Its row.
    pub in_accumulate_address: Signal<In, Bits<16>>,
    /// First iteration of the inner repeat.
    pub in_accumulate_first0: Signal<In, Bit>,
    /// Last iteration of the inner repeat.
    pub in_accumulate_last0: Signal<In, Bit>,
    /// First iteration of the outer repeat.
    pub in_accumulate_first1: Signal<In, Bit>,
    /// Last iteration of the outer repeat.
    pub in_accumulate_last1: Signal<In, Bit>,
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
    /// Faults of the weights unit in this cycle, bit c for code c.
    pub out_weights_fault: Signal<Out, Bits<8>>,
    /// Faults of the compute unit in this cycle.
    pub out_compute_fault: Signal<Out, Bits<8>>,
    /// Faults of the accumulate unit in this cycle.
    pub out_accumulate_fault: Signal<Out, Bits<8>>,
    /// Codewords that the weights unit corrected.
    pub out_weights_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords that it found.
    pub out_weights_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// Codewords that the compute unit corrected.
    pub out_compute_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords that it found.
    pub out_compute_ecc_uncorrectable: Signal<Out, Bits<32>>,
    weights: Weights<L, V>,
    compute: Compute<L, V>,
    array: Optional<Array<L, V>>,
    format_array: Optional<FormatArray<L, V>>,
    accumulate: Accumulate<L, V>,
    info: Info,
    _streams: usize,
    _lanes: usize,
    _slots: usize,
    _groups: usize,
    _stages: usize,
    _int8s: usize,
    _formats: usize,
    _format_stages: usize,
    _scales: usize,
    _blocks: usize,
    _block_stages: usize,
    _format_lanes: usize,
    _format_slots: usize,
    _format_groups: usize,
}

impl<const L: usize, const V: usize> Datapath<L, V> {
    /// The datapath of a plane of this machine.
    pub fn new(config: &Config) -> Self {
        let (streams, slots) = (config.streams, config.mxm.weight_streams);
        let formats = Formats::of(config);
        let (format, int8) = (usize::from(formats.any()), usize::from(!formats.any()));
        let scales = usize::from(formats.nvfp4);
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_clear: Signal::default(),
            in_weights_operation: Signal::default(),
            in_weights_flags: Signal::default(),
            in_weights_stream: Signal::default(),
            in_weights_address: Signal::default(),
            in_weights_last0: Signal::default(),
            in_weights_config: Signal::default(),
            in_compute_operation: Signal::default(),
            in_compute_flags: Signal::default(),
            in_compute_select: Signal::default(),
            in_compute_select2: many(scales),
            in_compute_address: Signal::default(),
            in_accumulate_valid: Signal::default(),
            in_accumulate_flags: Signal::default(),
            in_accumulate_stream: Signal::default(),
            in_accumulate_address: Signal::default(),
            in_accumulate_first0: Signal::default(),
            in_accumulate_last0: Signal::default(),
            in_accumulate_first1: Signal::default(),
            in_accumulate_last1: Signal::default(),
            in_east_data: many(streams),
            in_east_check: many(streams),
            in_east_valid: many(streams),
            in_collision: Signal::default(),
            out_result_enable: Signal::default(),
            out_result_stream: Signal::default(),
            out_result_drive: Signal::default(),
            out_result_data: many(PARTS),
            out_result_check: many(PARTS),
            out_weights_fault: Signal::default(),
            out_compute_fault: Signal::default(),
            out_accumulate_fault: Signal::default(),
            out_weights_ecc_corrected: Signal::default(),
            out_weights_ecc_uncorrectable: Signal::default(),
            out_compute_ecc_corrected: Signal::default(),
            out_compute_ecc_uncorrectable: Signal::default(),
            weights: Weights::new(config),
            compute: Compute::new(config),
            array: Optional::new(!formats.any(), || Array::new(config)),
            format_array: Optional::new(formats.any(), || FormatArray::new(slots, formats)),
            accumulate: Accumulate::new(config),
            info: formats
                .param(Info::new("mxm_datapath", file!()))
                .summary("Weights, compute and accumulate part around the array")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("WEIGHT_STREAMS", slots)
                .param("ACCUMULATOR_ROWS", config.mxm.accumulator_depth)
                .param("OPERAND_ROWS", config.mxm.operand_depth)
                .port("in_collision", "a cell that a result drives was not free")
                .port("out_result_enable", "a result drives its streams")
                .port("out_result_stream", "the first of its four streams")
                .port("out_result_drive", "bit s: it drives stream s")
                .port("out_result_data", "its byte planes, the least first"),
            _streams: streams,
            _lanes: int8 * L,
            _slots: int8 * slots,
            _groups: int8 * (L / slots),
            _stages: int8 * Array::<L, V>::LATENCY,
            _int8s: int8,
            _formats: format,
            _format_stages: format * formats.stages(L),
            _scales: scales,
            _blocks: formats.blocks(L),
            _block_stages: formats.block_stages(),
            _format_lanes: format * L,
            _format_slots: format * slots,
            _format_groups: format * (L / slots),
        }
    }
}

impl<const L: usize, const V: usize> Logic for Datapath<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, weights, compute, accumulate);
        self.weights.reset.next = self.reset.val();
        self.compute.reset.next = self.reset.val();
        self.accumulate.reset.next = self.reset.val();
        self.weights.in_launch.next = self.in_launch.val();
        self.weights.in_clear.next = self.in_clear.val();
        self.compute.in_clear.next = self.in_clear.val();
        self.weights.in_operation.next = self.in_weights_operation.val();
        self.weights.in_flags.next = self.in_weights_flags.val();
        self.weights.in_stream.next = self.in_weights_stream.val();
        self.weights.in_address.next = self.in_weights_address.val();
        self.weights.in_last0.next = self.in_weights_last0.val();
        self.weights.in_config.next = self.in_weights_config.val();
        self.compute.in_operation.next = self.in_compute_operation.val();
        self.compute.in_flags.next = self.in_compute_flags.val();
        self.compute.in_select.next = self.in_compute_select.val();
        self.compute.in_address.next = self.in_compute_address.val();
        self.accumulate.in_valid.next = self.in_accumulate_valid.val();
        self.accumulate.in_flags.next = self.in_accumulate_flags.val();
        self.accumulate.in_stream.next = self.in_accumulate_stream.val();
        self.accumulate.in_address.next = self.in_accumulate_address.val();
        self.accumulate.in_first0.next = self.in_accumulate_first0.val();
        self.accumulate.in_last0.next = self.in_accumulate_last0.val();
        self.accumulate.in_first1.next = self.in_accumulate_first1.val();
        self.accumulate.in_last1.next = self.in_accumulate_last1.val();
        for s in 0..self._streams {
            self.weights.in_east_data[s].next = self.in_east_data[s].val();
            self.weights.in_east_check[s].next = self.in_east_check[s].val();
            self.weights.in_east_valid[s].next = self.in_east_valid[s].val();
            self.compute.in_east_data[s].next = self.in_east_data[s].val();
            self.compute.in_east_check[s].next = self.in_east_check[s].val();
            self.compute.in_east_valid[s].next = self.in_east_valid[s].val();
        }
        for g in 0..self._groups {
            self.array.in_group[g].next = self.weights.out_group[g].val();
        }
        for i in 0..self._slots {
            self.array.in_slot[i].next = self.weights.out_slot[i].val();
            self.array.in_vector[i].next = self.weights.out_vector[i].val();
        }
        for j in 0..self._stages {
            self.array.in_enable[j].next = self.compute.out_enable[j].val();
        }
        for _i in 0..self._int8s {
            self.array.clock.next = self.clock.val();
            self.array.in_install.next = self.weights.out_install.val();
        }
        for n in 0..self._lanes {
            self.array.in_column[n].next = self.weights.out_column[n].val();
            self.array.in_x[n].next = self.compute.out_x[n].val();
            self.accumulate.in_dot[n].next = self.array.out_dot[n].val();
        }
        for i in 0..self._formats {
            self.format_array.clock.next = self.clock.val();
            self.format_array.in_install.next = self.weights.out_install.val();
            self.format_array.in_install_format.next = self.weights.out_install_format[i].val();
            self.format_array.in_format.next = self.weights.out_format[i].val();
            self.compute.in_format[i].next = self.weights.out_format[i].val();
            self.accumulate.in_nan[i].next = self.format_array.out_nan.val();
            self.accumulate.in_format[i].next = self.compute.out_dot_format[i].val();
        }
        for g in 0..self._format_groups {
            self.format_array.in_group[g].next = self.weights.out_group[g].val();
        }
        for i in 0..self._format_slots {
            self.format_array.in_slot[i].next = self.weights.out_slot[i].val();
            self.format_array.in_vector[i].next = self.weights.out_vector[i].val();
        }
        for j in 0..self._format_stages {
            self.format_array.in_enable[j].next = self.compute.out_enable[j].val();
        }
        for j in 0..self._block_stages {
            self.format_array.in_block[j].next = self.compute.out_block[j].val();
        }
        for g in 0..self._blocks {
            self.format_array.in_scale_row[g].next = self.weights.out_scale[g].val();
        }
        for i in 0..self._scales {
            self.compute.in_select2[i].next = self.in_compute_select2[i].val();
            self.format_array.in_scale[i].next = self.compute.out_scale[i].val();
            self.format_array.in_scaled[i].next = self.compute.out_scaled[i].val();
        }
        for n in 0..self._format_lanes {
            self.format_array.in_column[n].next = self.weights.out_column[n].val();
            self.format_array.in_x[n].next = self.compute.out_x[n].val();
            self.accumulate.in_wide_dot[n].next = self.format_array.out_dot[n].val();
        }
        self.accumulate.in_dot_valid.next = self.compute.out_dot_valid.val();
        self.accumulate.in_collision.next = self.in_collision.val();
        self.out_result_enable.next = self.accumulate.out_result_enable.val();
        self.out_result_stream.next = self.accumulate.out_result_stream.val();
        self.out_result_drive.next = self.accumulate.out_result_drive.val();
        for b in 0..4 {
            self.out_result_data[b].next = self.accumulate.out_result_data[b].val();
            self.out_result_check[b].next = self.accumulate.out_result_check[b].val();
        }
        self.out_weights_fault.next = self.weights.out_fault.val();
        self.out_compute_fault.next = self.compute.out_fault.val();
        self.out_accumulate_fault.next = self.accumulate.out_fault.val();
        self.out_weights_ecc_corrected.next = self.weights.out_ecc_corrected.val();
        self.out_weights_ecc_uncorrectable.next = self.weights.out_ecc_uncorrectable.val();
        self.out_compute_ecc_corrected.next = self.compute.out_ecc_corrected.val();
        self.out_compute_ecc_uncorrectable.next = self.compute.out_ecc_uncorrectable.val();
    }
}
