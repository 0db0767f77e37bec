//! The datapath of the switch unit: everything but queue, fault register and streams.

use super::{Crossbar, LaneSource, ReduceTree, Transposer};
use crate::float::LANE_BITS;
use crate::info::Info;
use crate::prim::{DelayLine, Flop, Pipe, PipeEnable, SramBank};
use crate::stream::{LaneWords, WordOperand, WordPlanes, WordResult};
use crate::wiring::{assign, signal};
use lpu_isa::Config;
use lpu_isa::secded::LANES_PER_CODEWORD;
use rust_hdl::core::ast::VerilogStatement;
use rust_hdl::prelude::*;

/// Byte planes of a word vector.
const PLANES: usize = 4;

/// The datapath of the switch unit: one operand, the crossbar, the transposer and the reduction tree, one result.
///
/// ```text
/// cycle    t          t+2        t+3      t+4       t+5       t+6      t+7
/// LANES    operand    table      source   decoded   operand   moved    drives
/// TLOAD    operand                        decoded   written
/// TSTORE   column                store    drives
/// REDUCE   operand                        decoded   5 cycles a level, then a cycle to drive
/// ```
///
/// Takes what the queue issues, in the cycle in which it issues; gives the faults in the cycle that they are recorded with.
///
/// Parameters: those of [`Config`]. Latencies: `docs/vector.md`. Reset drops what is under way; transposer and tables keep their
/// values.
#[derive(LogicBlock)]
pub struct Datapath<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// An operation issues.
    pub in_valid: Signal<In, Bit>,
    /// Which one, and whether its operand is a word vector.
    pub in_flags: Signal<In, Bits<4>>,
    /// Stream of the operand.
    pub in_stream: Signal<In, Bits<6>>,
    /// The same, one-hot.
    pub in_select: Signal<In, Bits<64>>,
    /// Stream of the result.
    pub in_stream2: Signal<In, Bits<6>>,
    /// Mode and argument, row or column, or reduction.
    pub in_address: Signal<In, Bits<16>>,
    /// The host writes a word of a table.
    pub in_host_write: Signal<In, Bit>,
    /// Which one.
    pub in_host_entry: Signal<In, Bits<9>>,
    /// The word.
    pub in_host_data: Signal<In, Bits<64>>,
    /// Data of the eastward streams.
    pub in_east_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<L>>>,
    /// Their valid bits.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// Data of the westward streams.
    pub in_west_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_west_check: Vec<Signal<In, Bits<L>>>,
    /// Their valid bits.
    pub in_west_valid: Vec<Signal<In, Bit>>,
    /// A cell that a result drives was not free.
    pub in_collision: Signal<In, Bit>,
    /// A result drives its streams.
    pub out_drive: Signal<Out, Bit>,
    /// Bit s: it drives eastward stream s.
    pub out_drive_east: Signal<Out, Bits<32>>,
    /// Bit s: it drives westward stream s.
    pub out_drive_west: Signal<Out, Bits<32>>,
    /// Data for the streams with the number d modulo 4.
    pub out_data: Vec<Signal<Out, Bits<V>>>,
    /// Their check bits.
    pub out_check: Vec<Signal<Out, Bits<L>>>,
    /// Codewords corrected in this cycle.
    pub out_corrected: Signal<Out, Bits<8>>,
    /// Uncorrectable codewords in this cycle.
    pub out_uncorrectable: Signal<Out, Bits<8>>,
    /// Faults of this cycle, bit c for code c.
    pub out_fault: Signal<Out, Bits<8>>,
    operand: WordOperand<L, V>,
    table: Vec<SramBank<64>>,
    source: LaneSource<L>,
    moved: Vec<PipeEnable<Bits<V>>>,
    crossbar: Vec<Crossbar<L, V>>,
    transposer: Transposer<L, V>,
    words: LaneWords<L, V>,
    tree: ReduceTree<L>,
    reduction: WordPlanes<L, V>,
    result: WordResult<L, V>,
    one_2: DelayLine<Bit>,
    four_2: DelayLine<Bit>,
    lanes_2: DelayLine<Bit>,
    lanes_3: Pipe<Bit>,
    lanes_4: Pipe<Bit>,
    word_4: DelayLine<Bit>,
    word_5: Pipe<Bit>,
    word_6: Pipe<Bit>,
    load_4: DelayLine<Bit>,
    reduce_4: DelayLine<Bit>,
    address_2: DelayLine<Bits<16>>,
    address_3: Pipe<Bits<16>>,
    address_4: Pipe<Bits<16>>,
    move_5: Flop<Bit>,
    move_6: Flop<Bit>,
    reducing: Flop<Bits<32>>,
    maximum: Pipe<Bits<32>>,
    lane_end: DelayLine<Bit>,
    stream_3: DelayLine<Bits<6>>,
    stream_6: DelayLine<Bits<6>>,
    stream_end: DelayLine<Bits<6>>,
    conflict: Flop<Bit>,
    is_lanes: Signal<Local, Bit>,
    is_load: Signal<Local, Bit>,
    is_store: Signal<Local, Bit>,
    is_reduce: Signal<Local, Bit>,
    illegal: Signal<Local, Bit>,
    beyond: Signal<Local, Bit>,
    mode: Signal<Local, Bits<4>>,
    argument: Signal<Local, Bits<12>>,
    table_hot: Signal<Local, Bits<8>>,
    move_4: Signal<Local, Bit>,
    active: Signal<Local, Bits<32>>,
    maxima: Signal<Local, Bits<32>>,
    reduced: Signal<Local, Bit>,
    value: Signal<Local, Bits<32>>,
    fault: Signal<Local, Bits<8>>,
    rows: Constant<Bits<16>>,
    maps: Constant<Bits<12>>,
    table_shift: Constant<Bits<9>>,
    table_mask: Constant<Bits<9>>,
    info: Info,
    _streams: usize,
    _lanes: usize,
    _tables: usize,
    _stages: usize,
    _levels: usize,
}

impl<const L: usize, const V: usize> Datapath<L, V> {
    /// The datapath of this machine's switch unit.
    pub fn new(config: &Config) -> Self {
        let sxm = config.sxm.as_ref().expect("a machine with a switch unit");
        let (maps, streams) = (sxm.maps, config.streams);
        let (tables, stages) = (L / LANES_PER_CODEWORD, ReduceTree::<L>::latency());
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_flags: Signal::default(),
            in_stream: Signal::default(),
            in_select: Signal::default(),
            in_stream2: Signal::default(),
            in_address: Signal::default(),
            in_host_write: Signal::default(),
            in_host_entry: Signal::default(),
            in_host_data: Signal::default(),
            in_east_data: many(streams),
            in_east_check: many(streams),
            in_east_valid: many(streams),
            in_west_data: many(streams),
            in_west_check: many(streams),
            in_west_valid: many(streams),
            in_collision: Signal::default(),
            out_drive: Signal::default(),
            out_drive_east: Signal::default(),
            out_drive_west: Signal::default(),
            out_data: many(PLANES),
            out_check: many(PLANES),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            out_fault: Signal::default(),
            operand: WordOperand::new(streams),
            table: (0..tables)
                .map(|_| SramBank::new(maps).without_collisions())
                .collect(),
            source: LaneSource::default(),
            moved: many(PLANES),
            crossbar: many(PLANES),
            transposer: Transposer::default(),
            words: LaneWords::default(),
            tree: ReduceTree::default(),
            reduction: WordPlanes::default(),
            result: WordResult::default(),
            one_2: DelayLine::new(2),
            four_2: DelayLine::new(2),
            lanes_2: DelayLine::new(2),
            lanes_3: Pipe::default(),
            lanes_4: Pipe::default(),
            word_4: DelayLine::new(4),
            word_5: Pipe::default(),
            word_6: Pipe::default(),
            load_4: DelayLine::new(4),
            reduce_4: DelayLine::new(4),
            address_2: DelayLine::new(2),
            address_3: Pipe::default(),
            address_4: Pipe::default(),
            move_5: Flop::default(),
            move_6: Flop::default(),
            reducing: Flop::default(),
            maximum: Pipe::default(),
            lane_end: DelayLine::new(stages),
            stream_3: DelayLine::new(3),
            stream_6: DelayLine::new(3),
            stream_end: DelayLine::new(stages + 4 - 6),
            conflict: Flop::default(),
            is_lanes: Signal::default(),
            is_load: Signal::default(),
            is_store: Signal::default(),
            is_reduce: Signal::default(),
            illegal: Signal::default(),
            beyond: Signal::default(),
            mode: Signal::default(),
            argument: Signal::default(),
            table_hot: Signal::default(),
            move_4: Signal::default(),
            active: Signal::default(),
            maxima: Signal::default(),
            reduced: Signal::default(),
            value: Signal::default(),
            fault: Signal::default(),
            rows: Constant::new(Bits::from(2 * L as u64)),
            maps: Constant::new(Bits::from(maps as u64)),
            table_shift: Constant::new(Bits::from(u64::from(tables.ilog2()))),
            table_mask: Constant::new(Bits::from(tables as u64 - 1)),
            info: Info::new("sxm_datapath", file!())
                .summary("Crossbar, transposer and reductions of the switch unit")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("MAPS", maps)
                .port("in_valid", "an operation issues: t")
                .port(
                    "in_flags",
                    "1:0: 0 LANES, 1 TLOAD, 2 TSTORE, 3 REDUCE; 2: word",
                )
                .unused("in_flags")
                .port("in_host_entry", "table x LANES / 8 + word")
                .port("in_collision", "a cell that a result drives was not free")
                .port("out_drive", "a result drives its streams")
                .port("out_drive_east", "bit s: eastward stream s")
                .port("out_drive_west", "bit s: westward stream s")
                .port("out_data", "for the streams d modulo 4")
                .port("out_fault", "faults of this cycle, bit c for code c"),
            _streams: streams,
            _lanes: L,
            _tables: tables,
            _stages: stages,
            _levels: ReduceTree::<L>::LEVELS,
        }
    }
}

impl<const L: usize, const V: usize> crate::wiring::Wiring for Datapath<L, V> {
    #[hdl_gen]
    fn wire(&mut self) {
        clock!(
            self, clock, operand, source, transposer, tree, result, one_2, four_2, lanes_2,
            lanes_3, lanes_4, word_4, word_5, word_6, load_4, reduce_4, address_2, address_3,
            address_4, move_5, move_6, reducing, maximum, lane_end, stream_3, stream_6, stream_end,
            conflict
        );
        self.operand.reset.next = self.reset.val();
        self.transposer.reset.next = self.reset.val();
        self.result.reset.next = self.reset.val();
        self.move_5.reset.next = self.reset.val();
        self.move_6.reset.next = self.reset.val();
        self.reducing.reset.next = self.reset.val();
        self.conflict.reset.next = self.reset.val();
        self.move_5.enable.next = true;
        self.move_6.enable.next = true;
        self.reducing.enable.next = true;
        self.conflict.enable.next = true;

        // The host's tables.
        self.table_hot.next = 0.into();
        if self.in_host_write.val() {
            self.table_hot.next =
                bits::<8>(1) << (self.in_host_entry.val() & self.table_mask.val());
        }
        for g in 0..self._tables {
            self.table[g].clock.next = self.clock.val();
            self.table[g].write_enable.next = self.table_hot.val().get_bit(g);
            self.table[g].write_address.next =
                bit_cast::<16, 9>(self.in_host_entry.val() >> self.table_shift.val());
            self.table[g].write_data.next = self.in_host_data.val();
            self.table[g].read_enable.next = self.lanes_2.q.val();
            self.table[g].read_address.next =
                bit_cast::<16, 12>(self.address_2.q.val().get_bits::<12>(0));
            self.source.in_map[g].next = self.table[g].read_data.val();
        }

        // t: what it is.
        self.mode.next = self.in_address.val().get_bits::<4>(12);
        self.argument.next = self.in_address.val().get_bits::<12>(0);
        self.is_lanes.next = false;
        self.is_load.next = false;
        self.is_store.next = false;
        self.is_reduce.next = false;
        self.illegal.next = false;
        self.beyond.next = false;
        if self.in_valid.val() {
            if self.in_flags.val().get_bits::<2>(0) == 0 {
                self.is_lanes.next = self.mode.val() < 6;
                self.illegal.next = self.mode.val() >= 6;
                self.beyond.next =
                    (self.mode.val() == 4) & (self.argument.val() >= self.maps.val());
            } else if self.in_flags.val().get_bits::<2>(0) == 1 {
                self.is_load.next = true;
                self.beyond.next = self.in_address.val() >= self.rows.val();
            } else if self.in_flags.val().get_bits::<2>(0) == 2 {
                self.is_store.next = true;
                self.beyond.next = self.in_address.val() >= self.rows.val();
            } else {
                self.is_reduce.next = self.in_address.val() < 3;
                self.illegal.next = self.in_address.val() >= 3;
            }
        }
        for s in 0..self._streams {
            self.operand.in_east_data[s].next = self.in_east_data[s].val();
            self.operand.in_east_check[s].next = self.in_east_check[s].val();
            self.operand.in_east_valid[s].next = self.in_east_valid[s].val();
            self.operand.in_west_data[s].next = self.in_west_data[s].val();
            self.operand.in_west_check[s].next = self.in_west_check[s].val();
            self.operand.in_west_valid[s].next = self.in_west_valid[s].val();
        }
        self.operand.in_enable.next =
            self.is_lanes.val() | self.is_load.val() | self.is_reduce.val();
        self.operand.in_select.next = self.in_select.val();
        self.operand.in_stream.next = self.in_stream.val();
        self.operand.in_drop.next = false;
        self.four_2.d.next =
            self.is_reduce.val() | (self.is_lanes.val() & self.in_flags.val().get_bit(2));
        self.one_2.d.next =
            self.is_load.val() | (self.is_lanes.val() & !self.in_flags.val().get_bit(2));
        self.operand.in_four.next = self.four_2.q.val();
        self.operand.in_one.next = self.one_2.q.val();
        self.word_4.d.next = self.in_flags.val().get_bit(2);
        self.lanes_2.d.next = self.is_lanes.val();
        self.lanes_3.d.next = self.lanes_2.q.val();
        self.lanes_4.d.next = self.lanes_3.q.val();
        self.load_4.d.next = self.is_load.val();
        self.reduce_4.d.next = self.is_reduce.val();
        self.address_2.d.next = self.in_address.val();
        self.address_3.d.next = self.address_2.q.val();
        self.address_4.d.next = self.address_3.q.val();
        self.stream_3.d.next = self.in_stream2.val();
        self.stream_6.d.next = self.stream_3.q.val();
        self.stream_end.d.next = self.stream_6.q.val();

        // LANES: sources in t+5, operand in t+5, result in t+6.
        self.source.in_enable.next = self.lanes_3.q.val();
        self.source.in_mode.next = self.address_3.q.val().get_bits::<4>(12);
        self.source.in_argument.next = self.address_3.q.val().get_bits::<12>(0);
        self.move_4.next = self.operand.out_valid.val() & self.lanes_4.q.val();
        self.move_5.d.next = self.move_4.val();
        self.move_6.d.next = self.move_5.q.val();
        self.word_5.d.next = self.word_4.q.val();
        self.word_6.d.next = self.word_5.q.val();
        for b in 0..4 {
            self.moved[b].clock.next = self.clock.val();
            self.moved[b].enable.next = self.move_4.val() & self.word_4.q.val();
            self.moved[b].d.next = self.operand.out_data[b].val();
            self.crossbar[b].clock.next = self.clock.val();
            self.crossbar[b].in_enable.next = self.move_5.q.val() & self.word_5.q.val();
            self.crossbar[b].in_data.next = self.moved[b].q.val();
            self.words.in_plane[b].next = self.operand.out_data[b].val();
        }
        self.moved[0].enable.next = self.move_4.val();
        if !self.word_4.q.val() {
            self.moved[0].d.next = self.operand.out_byte.val();
        }
        self.crossbar[0].in_enable.next = self.move_5.q.val();

        // TLOAD and TSTORE.
        self.transposer.in_load.next = self.operand.out_valid.val() & self.load_4.q.val();
        self.transposer.in_row.next = self.address_4.q.val().get_bits::<7>(0);
        self.transposer.in_data.next = self.operand.out_byte.val();
        self.transposer.in_store.next = self.is_store.val();
        self.transposer.in_column.next = self.in_address.val().get_bits::<7>(0);

        // REDUCE: bit k of `active` and `maxima` is cycle t+4+k.
        self.words.in_enable.next = self.operand.out_valid.val() & self.reduce_4.q.val();
        self.words.in_one.next = false;
        self.words.in_byte.next = self.operand.out_byte.val();
        self.active.next = self.reducing.q.val();
        if self.operand.out_valid.val() & self.reduce_4.q.val() {
            self.active.next = self.reducing.q.val() | 1;
        }
        self.reducing.d.next = self.active.val() << 1;
        self.maxima.next = self.maximum.q.val();
        if self.address_4.q.val().get_bits::<2>(0) != 0 {
            self.maxima.next = self.maximum.q.val() | 1;
        }
        self.maximum.d.next = self.maxima.val() << 1;
        self.lane_end.d.next = self.address_4.q.val().get_bit(1);
        for k in 0..self._stages {
            self.tree.in_enable[k].next = self.active.val().get_bit(k);
        }
        for k in 0..self._levels {
            self.tree.in_maximum[k].next = self.maxima.val().get_bit(k * 5);
        }
        self.reduced.next = false;
        for k in 0..self._stages {
            self.reduced.next = self.active.val().get_bit(k + 1);
        }
        self.value.next = self.tree.out_value.val();
        if self.lane_end.q.val() {
            self.value.next = bit_cast::<32, LANE_BITS>(self.tree.out_lane.val());
        }
        self.reduction.in_enable.next = self.reduced.val();
        for i in 0..self._lanes {
            self.tree.in_word[i].next = self.words.out_word[i].val();
            self.reduction.in_word[i].next = self.value.val();
        }

        // The result issued last drives.
        self.result.in_enable.next =
            self.transposer.out_valid.val() | self.move_6.q.val() | self.reduced.val();
        self.result.in_two.next = false;
        self.result.in_four.next = self.reduced.val();
        self.result.in_stream.next = self.stream_end.q.val();
        for b in 0..4 {
            self.result.in_plane[b].next = self.reduction.out_plane[b].val();
            if self.move_6.q.val() {
                self.result.in_plane[b].next = self.crossbar[b].out_data.val();
            }
        }
        if self.move_6.q.val() {
            self.result.in_four.next = self.word_6.q.val();
            self.result.in_stream.next = self.stream_6.q.val();
        }
        if self.transposer.out_valid.val() {
            self.result.in_plane[0].next = self.transposer.out_data.val();
            self.result.in_four.next = false;
            self.result.in_stream.next = self.stream_3.q.val();
        }
        self.conflict.d.next = (self.transposer.out_valid.val() & self.move_6.q.val())
            | (self.transposer.out_valid.val() & self.reduced.val())
            | (self.move_6.q.val() & self.reduced.val());
        self.out_drive.next = self.result.out_drive.val();
        self.out_drive_east.next = self.result.out_drive_east.val();
        self.out_drive_west.next = self.result.out_drive_west.val();
        for d in 0..4 {
            self.out_data[d].next = self.result.out_data[d].val();
            self.out_check[d].next = self.result.out_check[d].val();
        }

        // What is counted and recorded.
        self.out_corrected.next = self.operand.out_corrected.val();
        self.out_uncorrectable.next = self.operand.out_uncorrectable.val();
        self.fault.next = 0.into();
        if self.in_collision.val() {
            self.fault.next = self.fault.val() | 0x02;
        }
        if self.operand.out_missing.val() {
            self.fault.next = self.fault.val() | 0x04;
        }
        if self.conflict.q.val() {
            self.fault.next = self.fault.val() | 0x08;
        }
        if self.beyond.val() {
            self.fault.next = self.fault.val() | 0x10;
        }
        if self.operand.out_uncorrectable.val().any() {
            self.fault.next = self.fault.val() | 0x20;
        }
        if self.illegal.val() {
            self.fault.next = self.fault.val() | 0x80;
        }
        self.out_fault.next = self.fault.val();
    }
}

impl<const L: usize, const V: usize> Logic for Datapath<L, V> {
    fn update(&mut self) {
        <Self as crate::wiring::Wiring>::wire(self);
        for crossbar in &mut self.crossbar {
            for (to, from) in crossbar.in_source.iter_mut().zip(&self.source.out_source) {
                to.next = from.val();
            }
        }
    }

    fn connect(&mut self) {
        <Self as crate::wiring::Wiring>::connect(self);
        for crossbar in &mut self.crossbar {
            crossbar.in_source.iter_mut().for_each(Logic::connect);
        }
    }

    fn hdl(&self) -> Verilog {
        let Verilog::Combinatorial(mut text) = <Self as crate::wiring::Wiring>::hdl(self) else {
            unreachable!("hdl_gen makes combinatorial logic");
        };
        let sources = (0..PLANES).flat_map(|b| (0..L).map(move |i| (b, i)));
        text.extend(sources.map(|(b, i)| -> VerilogStatement {
            assign(
                format!("crossbar${b}$in_source${i}"),
                signal(format!("source$out_source${i}")),
            )
        }));
        Verilog::Combinatorial(text)
    }
}
