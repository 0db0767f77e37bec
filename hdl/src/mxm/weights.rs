//! The weights part of a plane: from the streams to the loads of the array.

use super::formats::Formats;
use super::{CountSum, WeightControl, WeightSelect};
use crate::ecc::{EccCounter, SecdedDecoder};
use crate::info::Info;
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The weights part of a plane: from the streams to the loads of the array.
///
/// ```text
/// cycle    t          t+1        t+2        t+3        t+4          t+5
/// LW       group      slots      decode                load         (shadow visible)
/// IW                                                                install
/// fault    range,                missing               ECC
///          illegal
/// ```
///
/// [`WeightControl`] says what happens when, [`WeightSelect`] brings the vectors to the slots, a decoder for each slot
/// corrects them. Only slots that hold a vector of their own count in the ECC counters.
///
/// Parameters: L lanes, S streams, W slots, formats. Latency: `LW_LATENCY` and `IW_LATENCY`, with the registers of the array. Reset
/// clears what is under way.
#[derive(LogicBlock)]
pub struct Weights<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Start of a launch.
    pub in_launch: Signal<In, Bit>,
    /// Clears the counters.
    pub in_clear: Signal<In, Bit>,
    /// Bit 0: LW issues, in cycle t; bit 1: IW.
    pub in_operation: Signal<In, Bits<2>>,
    /// Its flags.
    pub in_flags: Signal<In, Bits<4>>,
    /// Its first stream, or the register of a CONFIG.
    pub in_stream: Signal<In, Bits<6>>,
    /// Its row, or the value of a CONFIG.
    pub in_address: Signal<In, Bits<16>>,
    /// It is the last iteration of the inner repeat.
    pub in_last0: Signal<In, Bit>,
    /// A CONFIG issues.
    pub in_config: Signal<In, Bit>,
    /// Data of the eastward streams.
    pub in_east_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<L>>>,
    /// Their valid bits.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// Row form: loads the rows of a group.
    pub out_group: Vec<Signal<Out, Bit>>,
    /// Row form: which slots are in use.
    pub out_slot: Vec<Signal<Out, Bit>>,
    /// Column form: which columns load.
    pub out_column: Vec<Signal<Out, Bit>>,
    /// Loads the scales of a block.
    pub out_scale: Vec<Signal<Out, Bit>>,
    /// The vectors of the slots.
    pub out_vector: Vec<Signal<Out, Bits<V>>>,
    /// Copies shadow to active.
    pub out_install: Signal<Out, Bit>,
    /// The format of the weights that it copies.
    pub out_install_format: Vec<Signal<Out, Bits<2>>>,
    /// The format of the active weights.
    pub out_format: Vec<Signal<Out, Bits<2>>>,
    /// Faults of this cycle, bit c for code c.
    pub out_fault: Signal<Out, Bits<8>>,
    /// Codewords corrected.
    pub out_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords.
    pub out_ecc_uncorrectable: Signal<Out, Bits<32>>,
    control: WeightControl,
    select: WeightSelect<L, V>,
    decoder: Vec<SecdedDecoder<L, V>>,
    corrected: CountSum,
    uncorrectable: CountSum,
    counter: EccCounter,
    bad: Signal<Local, Bit>,
    fault: Signal<Local, Bits<8>>,
    info: Info,
    _streams: usize,
    _slots: usize,
    _groups: usize,
    _lanes: usize,
    _formats: usize,
    _blocks: usize,
}

impl<const L: usize, const V: usize> Weights<L, V> {
    /// The weights part of a plane of this machine.
    pub fn new(config: &Config) -> Self {
        let (streams, slots) = (config.streams, config.mxm.weight_streams);
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let formats = Formats::of(config);
        let format = usize::from(formats.any());
        let blocks = formats.blocks(L);
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_clear: Signal::default(),
            in_operation: Signal::default(),
            in_flags: Signal::default(),
            in_stream: Signal::default(),
            in_address: Signal::default(),
            in_last0: Signal::default(),
            in_config: Signal::default(),
            in_east_data: many(streams),
            in_east_check: many(streams),
            in_east_valid: many(streams),
            out_group: many(L / slots),
            out_slot: many(slots),
            out_column: many(L),
            out_scale: many(blocks),
            out_vector: many(slots),
            out_install: Signal::default(),
            out_install_format: many(format),
            out_format: many(format),
            out_fault: Signal::default(),
            out_ecc_corrected: Signal::default(),
            out_ecc_uncorrectable: Signal::default(),
            control: WeightControl::new(config),
            select: WeightSelect::new(config),
            decoder: many(slots),
            corrected: CountSum::new(slots),
            uncorrectable: CountSum::new(slots),
            counter: EccCounter::default(),
            bad: Signal::default(),
            fault: Signal::default(),
            info: formats
                .param(Info::new("mxm_weights", file!()))
                .summary("From the streams to the weights of the array")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("WEIGHT_STREAMS", slots)
                .port("in_launch", "start of a launch")
                .port("in_operation", "bit 0 LW, bit 1 IW: cycle t")
                .port("out_group", "t+4: row form, loads the rows of the group")
                .port("out_slot", "t+4: row form, the slot is in use")
                .port("out_column", "t+4: column form, loads the column")
                .port("out_vector", "t+4: the vectors of the slots")
                .port("out_install", "t+5: shadow to active")
                .port("out_fault", "faults of this cycle, bit c for code c")
                .port("out_scale", "t+4: loads the scales of the block")
                .port("out_install_format", "t+5: 0 int8, 1 E4M3, 2 NVFP4")
                .port("out_format", "of the active weights"),
            _streams: streams,
            _slots: slots,
            _groups: L / slots,
            _lanes: L,
            _formats: format,
            _blocks: blocks,
        }
    }
}

impl<const L: usize, const V: usize> Logic for Weights<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            control,
            select,
            corrected,
            uncorrectable,
            counter
        );
        self.control.reset.next = self.reset.val();
        self.corrected.reset.next = self.reset.val();
        self.uncorrectable.reset.next = self.reset.val();
        self.counter.reset.next = self.reset.val();
        self.control.in_launch.next = self.in_launch.val();
        self.control.in_operation.next = self.in_operation.val();
        self.control.in_flags.next = self.in_flags.val();
        self.control.in_stream.next = self.in_stream.val();
        self.control.in_address.next = self.in_address.val();
        self.control.in_last.next = self.in_last0.val();
        self.control.in_config.next = self.in_config.val();

        for s in 0..self._streams {
            self.select.in_data[s].next = self.in_east_data[s].val();
            self.select.in_check[s].next = self.in_east_check[s].val();
            self.select.in_valid[s].next = self.in_east_valid[s].val();
        }
        self.select.in_group_enable.next = self.control.out_group_enable.val();
        self.select.in_group.next = self.control.out_group.val();
        self.select.in_slot_enable.next = self.control.out_slot_enable.val();
        self.select.in_level.next = self.control.out_level.val();

        self.bad.next = false;
        for i in 0..self._slots {
            self.control.in_present[i].next = self.select.out_present[i].val();
            self.decoder[i].clock.next = self.clock.val();
            self.decoder[i].reset.next = self.reset.val();
            self.decoder[i].in_valid.next = self.control.out_decode.val();
            self.decoder[i].in_data.next = self.select.out_data[i].val();
            self.decoder[i].in_check.next = self.select.out_check[i].val();
            self.corrected.in_counted[i].next = self.control.out_counted[i].val();
            self.corrected.in_count[i].next = self.decoder[i].out_corrected.val();
            self.uncorrectable.in_counted[i].next = self.control.out_counted[i].val();
            self.uncorrectable.in_count[i].next = self.decoder[i].out_uncorrectable.val();
            if self.decoder[i].out_uncorrectable.val().any() {
                self.bad.next = true;
            }
            self.out_slot[i].next = self.control.out_load_slot[i].val();
            self.out_vector[i].next = self.decoder[i].out_data.val();
        }
        for g in 0..self._groups {
            self.out_group[g].next = self.control.out_load_group[g].val();
        }
        for n in 0..self._lanes {
            self.out_column[n].next = self.control.out_load_column[n].val();
        }
        self.out_install.next = self.control.out_install.val();
        for g in 0..self._blocks {
            self.out_scale[g].next = self.control.out_load_scale[g].val();
        }
        for f in 0..self._formats {
            self.out_install_format[f].next = self.control.out_install_format[f].val();
            self.out_format[f].next = self.control.out_format[f].val();
        }

        self.counter.in_clear.next = self.in_clear.val();
        self.counter.in_corrected.next = self.corrected.out_count.val();
        self.counter.in_uncorrectable.next = self.uncorrectable.out_count.val();
        self.out_ecc_corrected.next = self.counter.out_corrected.val();
        self.out_ecc_uncorrectable.next = self.counter.out_uncorrectable.val();

        self.fault.next = 0.into();
        if self.control.out_missing.val() {
            self.fault.next = self.fault.val() | 0x04;
        }
        if self.control.out_range.val() {
            self.fault.next = self.fault.val() | 0x10;
        }
        if self.bad.val() {
            self.fault.next = self.fault.val() | 0x20;
        }
        if self.control.out_illegal.val() {
            self.fault.next = self.fault.val() | 0x80;
        }
        self.out_fault.next = self.fault.val();
    }
}
