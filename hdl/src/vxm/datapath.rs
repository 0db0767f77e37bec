//! The datapath of the vector unit: everything but queue, fault register and streams.

use super::{Control, Lane};
use crate::info::Info;
use crate::prim::Pipe;
use crate::stream::{LaneWords, WordOperand, WordPlanes, WordResult};
use crate::wiring::{assign, signal};
use lpu_isa::Config;
use rust_hdl::core::ast::VerilogStatement;
use rust_hdl::prelude::*;

/// Parts of a stream cell.
const CELL: [&str; 3] = ["data", "check", "valid"];

/// The datapath of the vector unit: operands, lanes, result, and their control.
///
/// Takes what the queue issues, in the cycle in which it issues; gives the faults in the cycle that they are recorded with.
///
/// Parameters: those of [`Config`]. Latencies: `docs/vector.md`. Reset drops the passes under way; registers and descriptors
/// keep their values.
#[derive(LogicBlock)]
pub struct Datapath<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A pass issues.
    pub in_valid: Signal<In, Bit>,
    /// Stream of A.
    pub in_stream: Signal<In, Bits<6>>,
    /// The same, one-hot.
    pub in_select: Signal<In, Bits<64>>,
    /// Stream of B.
    pub in_stream2: Signal<In, Bits<6>>,
    /// The same, one-hot.
    pub in_select2: Signal<In, Bits<64>>,
    /// Row and descriptor.
    pub in_address: Signal<In, Bits<16>>,
    /// The host writes a word of a descriptor.
    pub in_host_write: Signal<In, Bit>,
    /// Which one: 8 times the descriptor plus the word.
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
    control: Control,
    a: WordOperand<L, V>,
    b: WordOperand<L, V>,
    late: Vec<WordOperand<L, V>>,
    a_words: LaneWords<L, V>,
    b_words: LaneWords<L, V>,
    late_words: Vec<LaneWords<L, V>>,
    lane: Vec<Lane>,
    planes: WordPlanes<L, V>,
    result: WordResult<L, V>,
    a_one_3: Pipe<Bit>,
    a_one_4: Pipe<Bit>,
    b_one_3: Pipe<Bit>,
    b_one_4: Pipe<Bit>,
    late_one_3: Pipe<Bit>,
    late_one_4: Pipe<Bit>,
    a_valid_5: Pipe<Bit>,
    b_valid_5: Pipe<Bit>,
    b_valid_6: Pipe<Bit>,
    late_valid_5: Pipe<Bit>,
    late_valid_6: Pipe<Bit>,
    a_enable: Signal<Local, Bits<3>>,
    b_enable: Signal<Local, Bits<3>>,
    late_enable: Signal<Local, Bits<3>>,
    late_valid: Signal<Local, Bit>,
    late_missing: Signal<Local, Bit>,
    late_corrected: Signal<Local, Bits<8>>,
    late_uncorrectable: Signal<Local, Bits<8>>,
    active: Signal<Local, Bits<64>>,
    row: Signal<Local, Bits<11>>,
    uncorrectable: Signal<Local, Bits<8>>,
    fault: Signal<Local, Bits<8>>,
    rows: Constant<Bits<11>>,
    info: Info,
    _streams: usize,
    _lanes: usize,
    _alus: usize,
    _late: usize,
}

impl<const L: usize, const V: usize> Datapath<L, V> {
    /// The datapath of this machine's vector unit.
    pub fn new(config: &Config) -> Self {
        let vxm = config.vxm.as_ref().expect("a machine with a vector unit");
        let (alus, rows, streams) = (vxm.alus, vxm.registers, config.streams);
        let late = usize::from(alus > 1);
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_stream: Signal::default(),
            in_select: Signal::default(),
            in_stream2: Signal::default(),
            in_select2: Signal::default(),
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
            out_data: many(4),
            out_check: many(4),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            out_fault: Signal::default(),
            control: Control::new(config),
            a: WordOperand::new(streams),
            b: WordOperand::new(streams),
            late: (0..late).map(|_| WordOperand::new(streams)).collect(),
            a_words: LaneWords::default(),
            b_words: LaneWords::default(),
            late_words: many(late),
            lane: (0..L).map(|_| Lane::new(alus, rows)).collect(),
            planes: WordPlanes::default(),
            result: WordResult::default(),
            a_one_3: Pipe::default(),
            a_one_4: Pipe::default(),
            b_one_3: Pipe::default(),
            b_one_4: Pipe::default(),
            late_one_3: Pipe::default(),
            late_one_4: Pipe::default(),
            a_valid_5: Pipe::default(),
            b_valid_5: Pipe::default(),
            b_valid_6: Pipe::default(),
            late_valid_5: Pipe::default(),
            late_valid_6: Pipe::default(),
            a_enable: Signal::default(),
            b_enable: Signal::default(),
            late_enable: Signal::default(),
            late_valid: Signal::default(),
            late_missing: Signal::default(),
            late_corrected: Signal::default(),
            late_uncorrectable: Signal::default(),
            active: Signal::default(),
            row: Signal::default(),
            uncorrectable: Signal::default(),
            fault: Signal::default(),
            rows: Constant::new(Bits::from(rows as u64)),
            info: Info::new("vxm_datapath", file!())
                .summary("Operands, lanes and result of the vector unit")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("ALUS", alus)
                .param("ROWS", rows)
                .port("in_valid", "a pass issues: t")
                .port("in_address", "bits 9:0 row, 15:10 descriptor")
                .port("in_host_entry", "8 x descriptor + word")
                .port("in_collision", "a cell that a result drives was not free")
                .port("out_drive", "a result drives its streams")
                .port("out_drive_east", "bit s: eastward stream s")
                .port("out_drive_west", "bit s: westward stream s")
                .port("out_data", "for the streams d modulo 4")
                .port("out_fault", "faults of this cycle, bit c for code c"),
            _streams: streams,
            _lanes: L,
            _alus: alus,
            _late: late,
        }
    }
}

impl<const L: usize, const V: usize> crate::wiring::Wiring for Datapath<L, V> {
    #[hdl_gen]
    fn wire(&mut self) {
        clock!(
            self,
            clock,
            control,
            a,
            b,
            result,
            a_one_3,
            a_one_4,
            b_one_3,
            b_one_4,
            late_one_3,
            late_one_4,
            a_valid_5,
            b_valid_5,
            b_valid_6,
            late_valid_5,
            late_valid_6
        );
        self.control.reset.next = self.reset.val();
        self.a.reset.next = self.reset.val();
        self.b.reset.next = self.reset.val();
        self.result.reset.next = self.reset.val();
        self.control.in_valid.next = self.in_valid.val();
        self.control.in_address.next = self.in_address.val();
        self.control.in_stream2.next = self.in_stream2.val();
        self.control.in_host_write.next = self.in_host_write.val();
        self.control.in_host_entry.next = self.in_host_entry.val();
        self.control.in_host_data.next = self.in_host_data.val();
        self.active.next = self.control.out_active.val();

        // Operands: A and B for ALU 0 in t, B for ALU 1 in t+16.
        for s in 0..self._streams {
            self.a.in_east_data[s].next = self.in_east_data[s].val();
            self.a.in_east_check[s].next = self.in_east_check[s].val();
            self.a.in_east_valid[s].next = self.in_east_valid[s].val();
            self.a.in_west_data[s].next = self.in_west_data[s].val();
            self.a.in_west_check[s].next = self.in_west_check[s].val();
            self.a.in_west_valid[s].next = self.in_west_valid[s].val();
            self.b.in_east_data[s].next = self.in_east_data[s].val();
            self.b.in_east_check[s].next = self.in_east_check[s].val();
            self.b.in_east_valid[s].next = self.in_east_valid[s].val();
            self.b.in_west_data[s].next = self.in_west_data[s].val();
            self.b.in_west_check[s].next = self.in_west_check[s].val();
            self.b.in_west_valid[s].next = self.in_west_valid[s].val();
        }
        self.a.in_enable.next = self.in_valid.val();
        self.a.in_select.next = self.in_select.val();
        self.a.in_stream.next = self.in_stream.val();
        self.a.in_one.next = self.control.out_a_one.val();
        self.a.in_four.next = self.control.out_a_four.val();
        self.a.in_drop.next = self.b.out_missing.val();
        self.b.in_enable.next = self.in_valid.val();
        self.b.in_select.next = self.in_select2.val();
        self.b.in_stream.next = self.in_stream2.val();
        self.b.in_one.next = self.control.out_b_one.val();
        self.b.in_four.next = self.control.out_b_four.val();
        self.b.in_drop.next = self.a.out_missing.val();
        self.control.in_missing.next = self.a.out_missing.val() | self.b.out_missing.val();
        self.a_one_3.d.next = self.control.out_a_one.val();
        self.a_one_4.d.next = self.a_one_3.q.val();
        self.b_one_3.d.next = self.control.out_b_one.val();
        self.b_one_4.d.next = self.b_one_3.q.val();
        self.late_one_3.d.next = self.control.out_late_one.val();
        self.late_one_4.d.next = self.late_one_3.q.val();
        self.a_words.in_enable.next = self.a.out_valid.val();
        self.a_words.in_one.next = self.a_one_4.q.val();
        self.a_words.in_byte.next = self.a.out_byte.val();
        self.b_words.in_enable.next = self.b.out_valid.val();
        self.b_words.in_one.next = self.b_one_4.q.val();
        self.b_words.in_byte.next = self.b.out_byte.val();
        for d in 0..4 {
            self.a_words.in_plane[d].next = self.a.out_data[d].val();
            self.b_words.in_plane[d].next = self.b.out_data[d].val();
        }
        self.late_valid.next = false;
        self.late_missing.next = false;
        self.late_corrected.next = 0.into();
        self.late_uncorrectable.next = 0.into();
        for x in 0..self._late {
            self.late[x].clock.next = self.clock.val();
            self.late[x].reset.next = self.reset.val();
            self.late[x].in_enable.next = self.control.out_late.val();
            self.late[x].in_select.next = self.control.out_late_select.val();
            self.late[x].in_stream.next = self.control.out_late_stream.val();
            self.late[x].in_one.next = self.control.out_late_one.val();
            self.late[x].in_four.next = self.control.out_late_four.val();
            self.late[x].in_drop.next = false;
            self.late_words[x].in_enable.next = self.late[x].out_valid.val();
            self.late_words[x].in_one.next = self.late_one_4.q.val();
            self.late_words[x].in_byte.next = self.late[x].out_byte.val();
            self.late_valid.next = self.late[x].out_valid.val();
            self.late_missing.next = self.late[x].out_missing.val();
            self.late_corrected.next = self.late[x].out_corrected.val();
            self.late_uncorrectable.next = self.late[x].out_uncorrectable.val();
        }
        self.control.in_late_missing.next = self.late_missing.val();

        // Enables of the conversions; a register for A comes in at the last stage.
        self.a_valid_5.d.next = self.a.out_valid.val() | self.active.val().get_bit(4);
        self.a_enable.next = 0.into();
        if self.active.val().get_bit(4) {
            self.a_enable.next = 1.into();
        }
        if self.a_valid_5.q.val() {
            self.a_enable.next = self.a_enable.val() | 2;
        }
        if self.active.val().get_bit(6) {
            self.a_enable.next = self.a_enable.val() | 4;
        }
        self.b_valid_5.d.next = self.b.out_valid.val();
        self.b_valid_6.d.next = self.b_valid_5.q.val();
        self.b_enable.next = 0.into();
        if self.b.out_valid.val() {
            self.b_enable.next = 1.into();
        }
        if self.b_valid_5.q.val() {
            self.b_enable.next = self.b_enable.val() | 2;
        }
        if self.b_valid_6.q.val() {
            self.b_enable.next = self.b_enable.val() | 4;
        }
        self.late_valid_5.d.next = self.late_valid.val();
        self.late_valid_6.d.next = self.late_valid_5.q.val();
        self.late_enable.next = 0.into();
        if self.late_valid.val() {
            self.late_enable.next = 1.into();
        }
        if self.late_valid_5.q.val() {
            self.late_enable.next = self.late_enable.val() | 2;
        }
        if self.late_valid_6.q.val() {
            self.late_enable.next = self.late_enable.val() | 4;
        }

        // The lanes.
        for i in 0..self._lanes {
            self.lane[i].clock.next = self.clock.val();
            self.lane[i].in_a.next = self.a_words.out_word[i].val();
            self.lane[i].in_a_format.next = self.control.out_a_format.val();
            self.lane[i].in_a_enable.next = self.a_enable.val();
            self.lane[i].in_a_read.next = self.active.val().get_bit(5);
            self.lane[i].in_a_row.next = self.control.out_a_row.val();
            self.lane[i].in_b.next = self.b_words.out_word[i].val();
            self.lane[i].in_b_format.next = self.control.out_b_format.val();
            self.lane[i].in_b_enable.next = self.b_enable.val();
            self.lane[i].in_late.next = 0.into();
            self.lane[i].in_late_format.next = self.control.out_late_format.val();
            self.lane[i].in_late_enable.next = self.late_enable.val();
            self.lane[i].in_sfu_enable.next = self.active.val().get_bits::<8>(15);
            self.lane[i].in_sfu.next = self.control.out_sfu.val();
            self.lane[i].in_write.next = self.control.out_write.val();
            self.lane[i].in_write_row.next = self.control.out_write_row.val();
            self.lane[i].in_out_enable.next = self.control.out_out_enable.val();
            self.lane[i].in_out_format.next = self.control.out_out_format.val();
            self.planes.in_word[i].next = self.lane[i].out_word.val();
        }

        // The result.
        self.planes.in_enable.next = self.control.out_result.val();
        self.result.in_enable.next = self.control.out_result.val();
        self.result.in_two.next = self.control.out_two.val();
        self.result.in_four.next = self.control.out_four.val();
        self.result.in_stream.next = self.control.out_stream.val();
        self.out_drive.next = self.result.out_drive.val();
        self.out_drive_east.next = self.result.out_drive_east.val();
        self.out_drive_west.next = self.result.out_drive_west.val();
        for d in 0..4 {
            self.result.in_plane[d].next = self.planes.out_plane[d].val();
            self.out_data[d].next = self.result.out_data[d].val();
            self.out_check[d].next = self.result.out_check[d].val();
        }

        // What is counted and recorded.
        self.out_corrected.next =
            self.a.out_corrected.val() + self.b.out_corrected.val() + self.late_corrected.val();
        self.uncorrectable.next = self.a.out_uncorrectable.val()
            + self.b.out_uncorrectable.val()
            + self.late_uncorrectable.val();
        self.out_uncorrectable.next = self.uncorrectable.val();
        self.row.next = bit_cast::<11, 10>(self.in_address.val().get_bits::<10>(0));
        self.fault.next = 0.into();
        if self.in_collision.val() {
            self.fault.next = self.fault.val() | 0x02;
        }
        if self.a.out_missing.val() | self.b.out_missing.val() | self.late_missing.val() {
            self.fault.next = self.fault.val() | 0x04;
        }
        if self.in_valid.val() & (self.row.val() >= self.rows.val()) {
            self.fault.next = self.fault.val() | 0x10;
        }
        if self.uncorrectable.val().any() {
            self.fault.next = self.fault.val() | 0x20;
        }
        self.out_fault.next = self.fault.val();
    }
}

/// What goes from control to each ALU of each lane: port of the lane, port of control.
const ALU_PORTS: [(&str, &str); 5] = [
    ("in_alu_enable", "out_alu_enable"),
    ("in_row", "out_row"),
    ("in_y", "out_y"),
    ("in_z", "out_z"),
    ("in_function", "out_function"),
];

impl<const L: usize, const V: usize> Logic for Datapath<L, V> {
    fn update(&mut self) {
        <Self as crate::wiring::Wiring>::wire(self);
        let control = &self.control;
        for lane in &mut self.lane {
            for j in 0..self._alus {
                lane.in_alu_enable[j].next = control.out_alu_enable[j].val();
                lane.in_row[j].next = control.out_row[j].val();
                lane.in_y[j].next = control.out_y[j].val();
                lane.in_z[j].next = control.out_z[j].val();
                lane.in_function[j].next = control.out_function[j].val();
            }
        }
        for (operand, words) in self.late.iter_mut().zip(&mut self.late_words) {
            for s in 0..self._streams {
                operand.in_east_data[s].next = self.in_east_data[s].val();
                operand.in_east_check[s].next = self.in_east_check[s].val();
                operand.in_east_valid[s].next = self.in_east_valid[s].val();
                operand.in_west_data[s].next = self.in_west_data[s].val();
                operand.in_west_check[s].next = self.in_west_check[s].val();
                operand.in_west_valid[s].next = self.in_west_valid[s].val();
            }
            for (plane, data) in words.in_plane.iter_mut().zip(&operand.out_data) {
                plane.next = data.val();
            }
            for (lane, word) in self.lane.iter_mut().zip(&words.out_word) {
                lane.in_late.next = word.val();
            }
        }
    }

    fn connect(&mut self) {
        <Self as crate::wiring::Wiring>::connect(self);
        for lane in &mut self.lane {
            lane.in_alu_enable.iter_mut().for_each(Logic::connect);
            lane.in_row.iter_mut().for_each(Logic::connect);
            lane.in_y.iter_mut().for_each(Logic::connect);
            lane.in_z.iter_mut().for_each(Logic::connect);
            lane.in_function.iter_mut().for_each(Logic::connect);
        }
        for operand in &mut self.late {
            operand.in_east_data.iter_mut().for_each(Logic::connect);
            operand.in_east_check.iter_mut().for_each(Logic::connect);
            operand.in_east_valid.iter_mut().for_each(Logic::connect);
            operand.in_west_data.iter_mut().for_each(Logic::connect);
            operand.in_west_check.iter_mut().for_each(Logic::connect);
            operand.in_west_valid.iter_mut().for_each(Logic::connect);
        }
        for words in &mut self.late_words {
            words.in_plane.iter_mut().for_each(Logic::connect);
        }
    }

    fn hdl(&self) -> Verilog {
        let Verilog::Combinatorial(mut text) = <Self as crate::wiring::Wiring>::hdl(self) else {
            unreachable!("hdl_gen makes combinatorial logic");
        };
        let mut copy = |to: String, from: String| -> () {
            let statement: VerilogStatement = assign(to, signal(from));
            text.push(statement);
        };
        for i in 0..L {
            for j in 0..self._alus {
                for (to, from) in ALU_PORTS {
                    copy(format!("lane${i}${to}${j}"), format!("control${from}${j}"));
                }
            }
        }
        for x in 0..self._late {
            for s in 0..self._streams {
                for direction in ["east", "west"] {
                    for part in CELL {
                        let port = format!("in_{direction}_{part}${s}");
                        copy(format!("late${x}${port}"), port);
                    }
                }
            }
            for d in 0..4 {
                copy(
                    format!("late_words${x}$in_plane${d}"),
                    format!("late${x}$out_data${d}"),
                );
            }
            for i in 0..L {
                copy(
                    format!("lane${i}$in_late"),
                    format!("late_words${x}$out_word${i}"),
                );
            }
        }
        Verilog::Combinatorial(text)
    }
}
