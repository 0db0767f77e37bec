//! When and where weights are loaded: the pipeline of LW, IW and CONFIG beside the data.

use super::formats::Formats;
use crate::info::Info;
use crate::prim::{Flop, Pipe};
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// When and where weights are loaded: the pipeline of LW, IW and CONFIG beside the data.
///
/// ```text
/// cycle        t         t+1        t+2          t+3        t+4               t+5
/// LW           group     present?   decode       syndrome   in shadow enables
/// IW                                                                          install
/// fault        range,               missing                 (ECC, elsewhere)
///              illegal
/// ```
///
/// c, the number of weight streams in use, is kept as its logarithm (`level`): CONFIG 0 sets it for later LW, launch and
/// reset set it to W. CONFIG of anything else, or to a value that is no power of two from 1 to W, is illegal and changes
/// nothing. LW whose c streams are not all present loads nothing; an IW that comes with it still happens.
///
/// In a machine with formats, CONFIG 1 sets the format of later IW; launch and reset set it to int8. It goes with the IW
/// and becomes that of the active weights. With NVFP4, rows L to L + L/8 - 1 in row form are scales, which takes at most L/8 streams.
///
/// Parameters: L lanes, W slots, formats. Reset clears what is under way and sets c to W and all formats to int8. Takes no data.
#[derive(Clone, Debug, LogicBlock)]
pub struct WeightControl {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Start of a launch.
    pub in_launch: Signal<In, Bit>,
    /// Bit 0: LW issues; bit 1: IW.
    pub in_operation: Signal<In, Bits<2>>,
    /// Its flags.
    pub in_flags: Signal<In, Bits<4>>,
    /// Its first stream, or the register of a CONFIG.
    pub in_stream: Signal<In, Bits<6>>,
    /// Its row, or the value of a CONFIG.
    pub in_address: Signal<In, Bits<16>>,
    /// It is the last iteration of the inner repeat.
    pub in_last: Signal<In, Bit>,
    /// A CONFIG issues.
    pub in_config: Signal<In, Bit>,
    /// Which streams of the selected group were valid, in t+1.
    pub in_present: Vec<Signal<In, Bit>>,
    /// Takes a group, in t.
    pub out_group_enable: Signal<Out, Bit>,
    /// Which group, in t.
    pub out_group: Signal<Out, Bits<6>>,
    /// Routes the group to the slots, in t+1.
    pub out_slot_enable: Signal<Out, Bit>,
    /// log2 of the streams in use, in t+1.
    pub out_level: Signal<Out, Bits<6>>,
    /// The slots hold vectors to decode, in t+2.
    pub out_decode: Signal<Out, Bit>,
    /// Row form: loads the rows of a group, in t+4.
    pub out_load_group: Vec<Signal<Out, Bit>>,
    /// Row form: which slots are in use, in t+4.
    pub out_load_slot: Vec<Signal<Out, Bit>>,
    /// Column form: loads columns, in t+4.
    pub out_load_column: Vec<Signal<Out, Bit>>,
    /// Loads the scales of a block, in t+4.
    pub out_load_scale: Vec<Signal<Out, Bit>>,
    /// Which slots hold vectors of their own, in t+4.
    pub out_counted: Vec<Signal<Out, Bit>>,
    /// Copies shadow to active, in t+5.
    pub out_install: Signal<Out, Bit>,
    /// The format of the weights that it copies, in t+5.
    pub out_install_format: Vec<Signal<Out, Bits<2>>>,
    /// The format of the active weights.
    pub out_format: Vec<Signal<Out, Bits<2>>>,
    /// An operand was missing, in t+2.
    pub out_missing: Signal<Out, Bit>,
    /// The row is out of range, in t.
    pub out_range: Signal<Out, Bit>,
    /// The CONFIG is illegal, in t.
    pub out_illegal: Signal<Out, Bit>,
    level: Flop<Bits<3>>,
    level_1: Pipe<Bits<3>>,
    level_2: Pipe<Bits<3>>,
    level_3: Pipe<Bits<3>>,
    row_1: Pipe<Bits<6>>,
    row_2: Pipe<Bits<6>>,
    row_3: Pipe<Bits<6>>,
    column_1: Pipe<Bit>,
    column_2: Pipe<Bit>,
    column_3: Pipe<Bit>,
    load_1: Flop<Bit>,
    load_2: Flop<Bit>,
    load_3: Flop<Bit>,
    missing: Flop<Bit>,
    group_enable: Vec<Flop<Bit>>,
    slot_enable: Vec<Pipe<Bit>>,
    column_enable: Vec<Flop<Bit>>,
    counted: Vec<Pipe<Bit>>,
    install: Vec<Flop<Bit>>,
    format: Vec<Flop<Bits<2>>>,
    install_format: Vec<Pipe<Bits<2>>>,
    active_format: Vec<Flop<Bits<2>>>,
    legal_format: Vec<Signal<Local, Bit>>,
    built_format: Vec<Constant<Bits<16>>>,
    scale: Vec<Signal<Local, Bit>>,
    scale_1: Vec<Flop<Bit>>,
    scale_2: Vec<Flop<Bit>>,
    scale_3: Vec<Flop<Bit>>,
    scale_enable: Vec<Flop<Bit>>,
    scale_level: Vec<Constant<Bits<3>>>,
    scale_mask: Vec<Constant<Bits<16>>>,
    load: Signal<Local, Bit>,
    legal: Signal<Local, Bit>,
    new_level: Signal<Local, Bits<3>>,
    all_present: Signal<Local, Bit>,
    full_level: Constant<Bits<3>>,
    lanes: Constant<Bits<16>>,
    row_mask: Constant<Bits<16>>,
    slot_mask: Constant<Bits<6>>,
    number: Vec<Constant<Bits<6>>>,
    count: Vec<Constant<Bits<16>>>,
    count_level: Vec<Constant<Bits<3>>>,
    info: Info,
    _groups: usize,
    _slots: usize,
    _lanes: usize,
    _levels: usize,
    _formats: usize,
    _built: usize,
    _scales: usize,
    _blocks: usize,
}

/// Cycles from the issue of an IW to the cycle in which shadow weights are copied.
const INSTALL_DELAY: usize = lpu_isa::latency::IW_LATENCY as usize - 1;
const _: () = assert!(INSTALL_DELAY == 5, "the loop over `install` counts to five");

impl WeightControl {
    /// The control of a plane of this machine.
    pub fn new(config: &Config) -> Self {
        let (lanes, slots) = (config.lanes, config.mxm.weight_streams);
        let levels = u64::from(slots.ilog2()) + 1;
        let full: Bits<3> = Bits::from(levels - 1);
        let formats = Formats::of(config);
        let (format, scales) = (usize::from(formats.any()), usize::from(formats.nvfp4));
        let blocks = formats.blocks(lanes);
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_operation: Signal::default(),
            in_flags: Signal::default(),
            in_stream: Signal::default(),
            in_address: Signal::default(),
            in_last: Signal::default(),
            in_config: Signal::default(),
            in_present: many(slots),
            out_group_enable: Signal::default(),
            out_group: Signal::default(),
            out_slot_enable: Signal::default(),
            out_level: Signal::default(),
            out_decode: Signal::default(),
            out_load_group: many(lanes / slots),
            out_load_slot: many(slots),
            out_load_column: many(lanes),
            out_load_scale: many(blocks),
            out_counted: many(slots),
            out_install: Signal::default(),
            out_install_format: many(format),
            out_format: many(format),
            out_missing: Signal::default(),
            out_range: Signal::default(),
            out_illegal: Signal::default(),
            level: Flop::new(full),
            level_1: Pipe::default(),
            level_2: Pipe::default(),
            level_3: Pipe::default(),
            row_1: Pipe::default(),
            row_2: Pipe::default(),
            row_3: Pipe::default(),
            column_1: Pipe::default(),
            column_2: Pipe::default(),
            column_3: Pipe::default(),
            load_1: Flop::default(),
            load_2: Flop::default(),
            load_3: Flop::default(),
            missing: Flop::default(),
            group_enable: many(lanes / slots),
            slot_enable: many(slots),
            column_enable: many(lanes),
            counted: many(slots),
            install: many(INSTALL_DELAY),
            format: many(format),
            install_format: many(format * INSTALL_DELAY),
            active_format: many(format),
            legal_format: many(format),
            built_format: formats
                .codes()
                .map(|code| Constant::new(Bits::from(u64::from(code))))
                .collect(),
            scale: many(scales),
            scale_1: many(scales),
            scale_2: many(scales),
            scale_3: many(scales),
            scale_enable: many(blocks),
            scale_level: (0..scales)
                .map(|_| Constant::new(Bits::from(u64::from(blocks.ilog2()))))
                .collect(),
            scale_mask: (0..scales)
                .map(|_| Constant::new(Bits::from(0xffff - (blocks as u64 - 1))))
                .collect(),
            load: Signal::default(),
            legal: Signal::default(),
            new_level: Signal::default(),
            all_present: Signal::default(),
            full_level: Constant::new(full),
            lanes: Constant::new(Bits::from(lanes as u64)),
            row_mask: Constant::new(Bits::from(lanes as u64 - 1)),
            slot_mask: Constant::new(Bits::from(slots as u64 - 1)),
            number: (0..lanes as u64)
                .map(|n| Constant::new(Bits::from(n)))
                .collect(),
            count: (0..levels)
                .map(|level| Constant::new(Bits::from(1 << level)))
                .collect(),
            count_level: (0..levels)
                .map(|level| Constant::new(Bits::from(level)))
                .collect(),
            info: formats
                .param(Info::new("weight_control", file!()))
                .summary("Pipeline of LW, IW and CONFIG")
                .param("LANES", lanes)
                .param("WEIGHT_STREAMS", slots)
                .port("in_operation", "bit 0 LW, bit 1 IW: cycle t")
                .port("in_launch", "start of a launch")
                .port("in_present", "t+1: valid bits of the selected group")
                .port("out_group", "t: the selected group")
                .port("out_level", "t+1: log2 of the streams in use")
                .port("out_decode", "t+2: the slots hold vectors")
                .port(
                    "out_load_group",
                    "t+4: row form, loads the rows of the group",
                )
                .port("out_load_slot", "t+4: row form, the slot is in use")
                .port("out_load_column", "t+4: column form, loads the column")
                .port("out_counted", "t+4: the slot holds a vector of its own")
                .port("out_install", "t+5: shadow to active")
                .port("out_missing", "t+2: an operand was missing")
                .port("out_range", "t: no such row")
                .port("out_illegal", "t: no such CONFIG")
                .port("out_load_scale", "t+4: loads the scales of the block")
                .port("out_install_format", "t+5: 0 int8, 1 E4M3, 2 NVFP4")
                .port("out_format", "of the active weights"),
            _groups: lanes / slots,
            _slots: slots,
            _lanes: lanes,
            _levels: levels as usize,
            _formats: format,
            _built: formats.codes().count(),
            _scales: scales,
            _blocks: blocks,
        }
    }
}

impl Logic for WeightControl {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, level, level_1, level_2, level_3, row_1, row_2, row_3, column_1, column_2,
            column_3, load_1, load_2, load_3, missing
        );
        self.load_1.reset.next = self.reset.val();
        self.load_2.reset.next = self.reset.val();
        self.load_3.reset.next = self.reset.val();
        self.missing.reset.next = self.reset.val();
        self.load_1.enable.next = true;
        self.load_2.enable.next = true;
        self.load_3.enable.next = true;
        self.missing.enable.next = true;

        // t: CONFIG. A legal value has one bit, at or below that of W.
        self.legal.next = false;
        self.new_level.next = 0.into();
        for j in 0..self._levels {
            if self.in_address.val() == self.count[j].val() {
                self.legal.next = true;
                self.new_level.next = self.count_level[j].val();
            }
        }
        if self.in_stream.val().any() {
            self.legal.next = false;
        }
        self.out_illegal.next = self.in_config.val() & !self.legal.val();
        self.level.reset.next = self.reset.val() | self.in_launch.val();
        self.level.enable.next = self.in_config.val() & self.legal.val();
        self.level.d.next = self.new_level.val();

        // CONFIG 1: a legal value is a format that is built in.
        for f in 0..self._formats {
            self.legal_format[f].next = false;
        }
        for j in 0..self._built {
            if (self.in_stream.val() == 1) & (self.in_address.val() == self.built_format[j].val()) {
                self.legal_format[0].next = true;
            }
        }
        for f in 0..self._formats {
            self.out_illegal.next =
                self.in_config.val() & !self.legal.val() & !self.legal_format[f].val();
            self.format[f].clock.next = self.clock.val();
            self.format[f].reset.next = self.reset.val() | self.in_launch.val();
            self.format[f].enable.next = self.in_config.val() & self.legal_format[f].val();
            self.format[f].d.next = self.in_address.val().get_bits::<2>(0);
        }

        // t: LW takes a group.
        self.load.next = self.in_operation.val().get_bit(0);
        self.out_range.next = self.load.val() & (self.in_address.val() >= self.lanes.val());
        self.out_group_enable.next = self.load.val();
        self.out_group.next = self.in_stream.val() >> self.full_level.val();
        self.load_1.d.next = self.load.val();
        self.level_1.d.next = self.level.q.val();
        for f in 0..self._scales {
            // Row form of a row from L to L + L/8 - 1.
            self.scale[f].next = self.load.val()
                & !self.in_flags.val().get_bit(0)
                & ((self.in_address.val() & self.scale_mask[f].val()) == self.lanes.val());
            self.scale_1[f].clock.next = self.clock.val();
            self.scale_1[f].reset.next = self.reset.val();
            self.scale_1[f].enable.next = true;
            self.scale_1[f].d.next = self.scale[f].val();
            if self.scale[f].val() {
                self.out_range.next = false;
                if self.level.q.val() > self.scale_level[f].val() {
                    self.level_1.d.next = self.scale_level[f].val();
                }
            }
        }
        self.row_1.d.next = bit_cast::<6, 16>(self.in_address.val() & self.row_mask.val());
        self.column_1.d.next = self.in_flags.val().get_bit(0);

        // t+1: are the first c streams of the group there?
        self.all_present.next = true;
        for i in 0..self._slots {
            if ((self.number[i].val() >> self.level_1.q.val()) == 0) & !self.in_present[i].val() {
                self.all_present.next = false;
            }
        }
        self.out_slot_enable.next = self.load_1.q.val();
        self.out_level.next = bit_cast::<6, 3>(self.level_1.q.val());
        self.load_2.d.next = self.load_1.q.val() & self.all_present.val();
        self.missing.d.next = self.load_1.q.val() & !self.all_present.val();
        self.level_2.d.next = self.level_1.q.val();
        for f in 0..self._scales {
            self.scale_2[f].clock.next = self.clock.val();
            self.scale_2[f].reset.next = self.reset.val();
            self.scale_2[f].enable.next = true;
            self.scale_2[f].d.next = self.scale_1[f].q.val();
        }
        self.row_2.d.next = self.row_1.q.val();
        self.column_2.d.next = self.column_1.q.val();

        // t+2: decode.
        self.out_missing.next = self.missing.q.val();
        self.out_decode.next = self.load_2.q.val();
        self.load_3.d.next = self.load_2.q.val();
        self.level_3.d.next = self.level_2.q.val();
        self.row_3.d.next = self.row_2.q.val();
        self.column_3.d.next = self.column_2.q.val();
        for f in 0..self._scales {
            self.scale_3[f].clock.next = self.clock.val();
            self.scale_3[f].reset.next = self.reset.val();
            self.scale_3[f].enable.next = true;
            self.scale_3[f].d.next = self.scale_2[f].q.val();
        }

        // t+3: which rows and columns, registered.
        for g in 0..self._groups {
            self.group_enable[g].clock.next = self.clock.val();
            self.group_enable[g].reset.next = self.reset.val();
            self.group_enable[g].enable.next = true;
            self.group_enable[g].d.next = self.load_3.q.val()
                & !self.column_3.q.val()
                & ((self.row_3.q.val() >> self.full_level.val()) == self.number[g].val());
            for f in 0..self._scales {
                if self.scale_3[f].q.val() {
                    self.group_enable[g].d.next = false;
                }
            }
            self.out_load_group[g].next = self.group_enable[g].q.val();
        }
        for i in 0..self._slots {
            // Slot i is in use if it and the row agree above the low `level` bits, within a group.
            self.slot_enable[i].clock.next = self.clock.val();
            self.slot_enable[i].d.next = (((self.row_3.q.val() & self.slot_mask.val())
                ^ self.number[i].val())
                >> self.level_3.q.val())
                == 0;
            self.out_load_slot[i].next = self.slot_enable[i].q.val();
            self.counted[i].clock.next = self.clock.val();
            self.counted[i].d.next = (self.number[i].val() >> self.level_3.q.val()) == 0;
            self.out_counted[i].next = self.counted[i].q.val();
        }
        for n in 0..self._lanes {
            self.column_enable[n].clock.next = self.clock.val();
            self.column_enable[n].reset.next = self.reset.val();
            self.column_enable[n].enable.next = true;
            self.column_enable[n].d.next = self.load_3.q.val()
                & self.column_3.q.val()
                & (((self.row_3.q.val() ^ self.number[n].val()) >> self.level_3.q.val()) == 0);
            self.out_load_column[n].next = self.column_enable[n].q.val();
        }

        for g in 0..self._blocks {
            self.scale_enable[g].clock.next = self.clock.val();
            self.scale_enable[g].reset.next = self.reset.val();
            self.scale_enable[g].enable.next = true;
            self.scale_enable[g].d.next = self.load_3.q.val()
                & self.scale_3[0].q.val()
                & (((self.row_3.q.val() ^ self.number[g].val()) >> self.level_3.q.val()) == 0);
            self.out_load_scale[g].next = self.scale_enable[g].q.val();
        }

        // IW, alone or with the last LW of the inner repeat: t to t+5.
        for j in 0..5 {
            self.install[j].clock.next = self.clock.val();
            self.install[j].reset.next = self.reset.val();
            self.install[j].enable.next = true;
        }
        self.install[0].d.next = self.in_operation.val().get_bit(1)
            | (self.load.val() & self.in_flags.val().get_bit(1) & self.in_last.val());
        for j in 1..5 {
            self.install[j].d.next = self.install[j - 1].q.val();
        }
        self.out_install.next = self.install[4].q.val();

        // The format goes with it.
        for f in 0..self._formats {
            for j in 0..5 {
                self.install_format[j].clock.next = self.clock.val();
            }
            self.install_format[0].d.next = self.format[f].q.val();
            for j in 1..5 {
                self.install_format[j].d.next = self.install_format[j - 1].q.val();
            }
            self.active_format[f].clock.next = self.clock.val();
            self.active_format[f].reset.next = self.reset.val();
            self.active_format[f].enable.next = self.install[4].q.val();
            self.active_format[f].d.next = self.install_format[4].q.val();
            self.out_install_format[f].next = self.install_format[4].q.val();
            self.out_format[f].next = self.active_format[f].q.val();
        }
    }
}
