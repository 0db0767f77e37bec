//! The end of a link in the tile: SEND, RECEIVE, DESKEW and RUNTIME_DESKEW.

use crate::ecc::{EccCounter, SecdedDecoder, SecdedEncodeStage};
use crate::icu::{FaultUnit, InstructionQueue, SendQueue};
use crate::info::Info;
use crate::prim::{Flop, Pipe, PipeEnable};
use crate::stream::OperandSelect;
use lpu_isa::{Config, QueueKind};
use rust_hdl::prelude::*;

/// Planes of a vector of words.
const WORD: usize = 4;

/// The end of a link in the tile: SEND, RECEIVE, DESKEW and RUNTIME_DESKEW, with their queues, fault registers and counters.
///
/// ```text
/// cycle          t     t+1    t+2        t+3        t+4
/// SEND s         cell  group  selected   syndromes  out_send, out_send_data
/// RECEIVE s      out_receive  encoded,              cell
///                      in_flit_valid, in_flit_data
///                             out_drive
/// DESKEW         out_deskew                         until in_go
/// ```
///
/// The three flits taken last are kept, encoded: the last of the flits of a RECEIVE.word drives four streams, with them in front of it.
///
/// The unit sees the westward cells of MEM 0 and drives eastward cells west of it. RECEIVE takes its flit in the cycle after its
/// issue; if there is none it drives nothing and records OPERAND_MISSING in t+2, as SEND does for a cell that is not valid.
///
/// Parameters: those of [`Config`]. Latencies: `lpu_isa::latency::{SEND_LATENCY, RECEIVE_LATENCY}`. Reset ends the queues, clears faults
/// and counters and drops what is under way; the programs keep their words.
#[derive(LogicBlock)]
pub struct LinkPort<const L: usize, const V: usize> {
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
    /// Data of the westward cells of MEM 0.
    pub in_west_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_west_check: Vec<Signal<In, Bits<L>>>,
    /// Their valid bits.
    pub in_west_valid: Vec<Signal<In, Bit>>,
    /// Another link drives the same cell in this cycle.
    pub in_collision: Signal<In, Bit>,
    /// The flit of the RECEIVE one cycle ago is there.
    pub in_flit_valid: Signal<In, Bit>,
    /// The flit.
    pub in_flit_data: Signal<In, Bits<V>>,
    /// The link lets the program go on.
    pub in_go: Signal<In, Bit>,
    /// DESKEW issues.
    pub out_deskew: Signal<Out, Bit>,
    /// RUNTIME_DESKEW issues.
    pub out_runtime_deskew: Signal<Out, Bit>,
    /// Its wait.
    pub out_wait: Signal<Out, Bits<16>>,
    /// A flit for the link.
    pub out_send: Signal<Out, Bit>,
    /// The flit.
    pub out_send_data: Signal<Out, Bits<V>>,
    /// Takes a flit of the link.
    pub out_receive: Signal<Out, Bit>,
    /// A flit, or four of them, drive streams.
    pub out_drive_valid: Signal<Out, Bit>,
    /// Bit s: they drive eastward stream s.
    pub out_drive: Signal<Out, Bits<32>>,
    /// Data for the streams with the number d modulo 4.
    pub out_drive_data: Vec<Signal<Out, Bits<V>>>,
    /// Their check bits.
    pub out_drive_check: Vec<Signal<Out, Bits<L>>>,
    /// The host writes a program.
    pub in_program_write: Signal<In, Bit>,
    /// Half of the instruction: 0 low, 1 high.
    pub in_program_half: Signal<In, Bit>,
    /// Number of the instruction.
    pub in_program_index: Signal<In, Bits<16>>,
    /// Half to write.
    pub in_program_data: Signal<In, Bits<64>>,
    /// The host accesses the program of the sending queue.
    pub in_program_enable_send: Signal<In, Bit>,
    /// Half read from it.
    pub out_program_data_send: Signal<Out, Bits<64>>,
    /// The sending unit has a fault.
    pub out_send_fault_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_send_fault_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_send_fault_cycle: Signal<Out, Bits<32>>,
    /// Codewords that the sending unit corrected.
    pub out_send_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords that it found.
    pub out_send_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// The sending queue has ended.
    pub out_send_ended: Signal<Out, Bit>,
    /// The host accesses the program of the receiving queue.
    pub in_program_enable_receive: Signal<In, Bit>,
    /// Half read from it.
    pub out_program_data_receive: Signal<Out, Bits<64>>,
    /// The receiving unit has a fault.
    pub out_receive_fault_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_receive_fault_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_receive_fault_cycle: Signal<Out, Bits<32>>,
    /// Zero: a receiving unit decodes nothing.
    pub out_receive_ecc_corrected: Signal<Out, Bits<32>>,
    /// Zero: a receiving unit decodes nothing.
    pub out_receive_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// The receiving queue has ended.
    pub out_receive_ended: Signal<Out, Bit>,
    /// A NOTIFY issues.
    pub out_notify: Signal<Out, Bit>,
    send_queue: SendQueue,
    send_fault: FaultUnit,
    counter: EccCounter,
    select: OperandSelect<L, V>,
    decoder: SecdedDecoder<L, V>,
    receive_queue: InstructionQueue,
    receive_fault: FaultUnit,
    encoder: SecdedEncodeStage<L, V>,
    asked: Flop<Bit>,
    missing: Flop<Bit>,
    stream_1: Pipe<Bits<6>>,
    word_1: Pipe<Bit>,
    last_1: Pipe<Bit>,
    word_2: Pipe<Bit>,
    drive: Flop<Bits<32>>,
    drives: Flop<Bit>,
    kept_data: Vec<PipeEnable<Bits<V>>>,
    kept_check: Vec<PipeEnable<Bits<L>>>,
    send_faults: Signal<Local, Bits<8>>,
    receive_faults: Signal<Local, Bits<8>>,
    zero: Constant<Bits<32>>,
    info: Info,
    _streams: usize,
}

impl<const L: usize, const V: usize> LinkPort<L, V> {
    /// The end of a link in this machine.
    pub fn new(config: &Config) -> Self {
        let streams = config.streams;
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
            in_west_data: many(streams),
            in_west_check: many(streams),
            in_west_valid: many(streams),
            in_collision: Signal::default(),
            in_flit_valid: Signal::default(),
            in_flit_data: Signal::default(),
            in_go: Signal::default(),
            out_deskew: Signal::default(),
            out_runtime_deskew: Signal::default(),
            out_wait: Signal::default(),
            out_send: Signal::default(),
            out_send_data: Signal::default(),
            out_receive: Signal::default(),
            out_drive_valid: Signal::default(),
            out_drive: Signal::default(),
            out_drive_data: many(WORD),
            out_drive_check: many(WORD),
            in_program_write: Signal::default(),
            in_program_half: Signal::default(),
            in_program_index: Signal::default(),
            in_program_data: Signal::default(),
            in_program_enable_send: Signal::default(),
            out_program_data_send: Signal::default(),
            out_send_fault_valid: Signal::default(),
            out_send_fault_code: Signal::default(),
            out_send_fault_cycle: Signal::default(),
            out_send_ecc_corrected: Signal::default(),
            out_send_ecc_uncorrectable: Signal::default(),
            out_send_ended: Signal::default(),
            in_program_enable_receive: Signal::default(),
            out_program_data_receive: Signal::default(),
            out_receive_fault_valid: Signal::default(),
            out_receive_fault_code: Signal::default(),
            out_receive_fault_cycle: Signal::default(),
            out_receive_ecc_corrected: Signal::default(),
            out_receive_ecc_uncorrectable: Signal::default(),
            out_receive_ended: Signal::default(),
            out_notify: Signal::default(),
            send_queue: SendQueue::new(config),
            send_fault: FaultUnit::default(),
            counter: EccCounter::default(),
            select: OperandSelect::westward(streams),
            decoder: SecdedDecoder::default(),
            receive_queue: InstructionQueue::new(config, QueueKind::C2cReceive),
            receive_fault: FaultUnit::default(),
            encoder: SecdedEncodeStage::default(),
            asked: Flop::default(),
            missing: Flop::default(),
            stream_1: Pipe::default(),
            word_1: Pipe::default(),
            last_1: Pipe::default(),
            word_2: Pipe::default(),
            drive: Flop::default(),
            drives: Flop::default(),
            kept_data: many(WORD - 1),
            kept_check: many(WORD - 1),
            send_faults: Signal::default(),
            receive_faults: Signal::default(),
            zero: Constant::new(Bits::default()),
            info: Info::new("link_port", file!())
                .summary("The end of a link in the tile")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("QUEUE_DEPTH", config.icu.queue_depth)
                .port("in_launch", "the cycle after the next is cycle 0")
                .port("in_notify", "one cycle before a SYNC sees the pulse")
                .port("in_clear", "clears faults and counters")
                .port("in_collision", "another link drives the same cell")
                .port("in_flit_valid", "there is one, a cycle after out_receive")
                .port("in_go", "two cycles before the queue goes on")
                .port("out_deskew", "a DESKEW issues")
                .port("out_wait", "of RUNTIME_DESKEW")
                .port("out_send", "four cycles after the issue of a SEND")
                .port("out_receive", "a RECEIVE issues")
                .port("out_drive", "bit s: eastward stream s"),
            _streams: streams,
        }
    }
}

impl<const L: usize, const V: usize> Logic for LinkPort<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            send_queue,
            send_fault,
            counter,
            select,
            decoder,
            receive_queue,
            receive_fault,
            encoder,
            asked,
            missing,
            stream_1,
            word_1,
            last_1,
            word_2,
            drive,
            drives
        );

        // SEND.
        self.send_queue.reset.next = self.reset.val();
        self.send_queue.in_launch.next = self.in_launch.val();
        self.send_queue.in_notify.next = self.in_notify.val();
        self.send_queue.in_go.next = self.in_go.val();
        self.out_deskew.next = self.send_queue.out_deskew.val();
        self.out_runtime_deskew.next = self.send_queue.out_runtime_deskew.val();
        self.out_wait.next = self.send_queue.out_wait.val();
        self.send_queue.in_program_enable.next = self.in_program_enable_send.val();
        self.send_queue.in_program_write.next = self.in_program_write.val();
        self.send_queue.in_program_half.next = self.in_program_half.val();
        self.send_queue.in_program_index.next = self.in_program_index.val();
        self.send_queue.in_program_data.next = self.in_program_data.val();
        self.out_program_data_send.next = self.send_queue.out_program_data.val();
        self.out_send_ended.next = self.send_queue.out_ended.val();
        self.select.reset.next = self.reset.val();
        self.select.in_enable.next = self.send_queue.out_valid.val();
        self.select.in_select.next = self.send_queue.out_select.val();
        for s in 0..self._streams {
            self.select.in_data[s].next = self.in_west_data[s].val();
            self.select.in_check[s].next = self.in_west_check[s].val();
            self.select.in_valid[s].next = self.in_west_valid[s].val();
        }
        self.decoder.reset.next = self.reset.val();
        self.decoder.in_valid.next = self.select.out_valid.val();
        self.decoder.in_data.next = self.select.out_data.val();
        self.decoder.in_check.next = self.select.out_check.val();
        self.out_send.next = self.decoder.out_valid.val();
        self.out_send_data.next = self.decoder.out_data.val();
        self.counter.reset.next = self.reset.val();
        self.counter.in_clear.next = self.in_clear.val();
        self.counter.in_corrected.next = bit_cast::<8, 4>(self.decoder.out_corrected.val());
        self.counter.in_uncorrectable.next = bit_cast::<8, 4>(self.decoder.out_uncorrectable.val());
        self.out_send_ecc_corrected.next = self.counter.out_corrected.val();
        self.out_send_ecc_uncorrectable.next = self.counter.out_uncorrectable.val();
        self.send_faults.next = 0.into();
        if self.select.out_missing.val() {
            self.send_faults.next = self.send_faults.val() | 0x04;
        }
        if self.decoder.out_uncorrectable.val().any() {
            self.send_faults.next = self.send_faults.val() | 0x20;
        }
        if self.send_queue.out_illegal.val() {
            self.send_faults.next = self.send_faults.val() | 0x80;
        }
        self.send_fault.reset.next = self.reset.val();
        self.send_fault.in_clear.next = self.in_clear.val();
        self.send_fault.in_cycle.next = self.in_cycle.val();
        self.send_fault.in_fault.next = self.send_faults.val();
        self.out_send_fault_valid.next = self.send_fault.out_valid.val();
        self.out_send_fault_code.next = self.send_fault.out_code.val();
        self.out_send_fault_cycle.next = self.send_fault.out_cycle.val();

        // RECEIVE.
        self.receive_queue.reset.next = self.reset.val();
        self.receive_queue.in_launch.next = self.in_launch.val();
        self.receive_queue.in_notify.next = self.in_notify.val();
        self.receive_queue.in_base.next = 0.into();
        self.receive_queue.in_program_enable.next = self.in_program_enable_receive.val();
        self.receive_queue.in_program_write.next = self.in_program_write.val();
        self.receive_queue.in_program_half.next = self.in_program_half.val();
        self.receive_queue.in_program_index.next = self.in_program_index.val();
        self.receive_queue.in_program_data.next = self.in_program_data.val();
        self.out_program_data_receive.next = self.receive_queue.out_program_data.val();
        self.out_receive_ended.next = self.receive_queue.out_ended.val();
        self.out_receive.next = self.receive_queue.out_valid.val();
        self.asked.reset.next = self.reset.val();
        self.asked.enable.next = true;
        self.asked.d.next = self.receive_queue.out_valid.val();
        self.missing.reset.next = self.reset.val();
        self.missing.enable.next = true;
        self.missing.d.next = self.asked.q.val() & !self.in_flit_valid.val();
        self.encoder.reset.next = self.reset.val();
        self.encoder.in_valid.next = self.asked.q.val() & self.in_flit_valid.val();
        self.encoder.in_data.next = self.in_flit_data.val();
        self.stream_1.d.next = self.receive_queue.out_stream.val();
        self.word_1.d.next = self.receive_queue.out_flags.val().get_bit(1);
        self.last_1.d.next = self.receive_queue.out_last0.val();
        self.word_2.d.next = self.word_1.q.val();
        self.drives.reset.next = self.reset.val();
        self.drives.enable.next = true;
        self.drives.d.next = self.asked.q.val()
            & self.in_flit_valid.val()
            & (self.last_1.q.val() | !self.word_1.q.val());
        self.drive.reset.next = self.reset.val();
        self.drive.enable.next = true;
        self.drive.d.next = 0.into();
        if self.asked.q.val() & self.in_flit_valid.val() & !self.word_1.q.val() {
            self.drive.d.next = bits::<32>(1) << self.stream_1.q.val().get_bits::<5>(0);
        }
        if self.asked.q.val() & self.in_flit_valid.val() & self.word_1.q.val() & self.last_1.q.val()
        {
            self.drive.d.next = bits::<32>(15) << (self.stream_1.q.val().get_bits::<5>(0) & 0x1c);
        }
        self.out_drive_valid.next = self.drives.q.val();
        self.out_drive.next = self.drive.q.val();
        // The vectors taken before, the last one first.
        for i in 0..3 {
            self.kept_data[i].clock.next = self.clock.val();
            self.kept_data[i].enable.next = self.encoder.out_valid.val();
            self.kept_check[i].clock.next = self.clock.val();
            self.kept_check[i].enable.next = self.encoder.out_valid.val();
        }
        self.kept_data[0].d.next = self.encoder.out_data.val();
        self.kept_check[0].d.next = self.encoder.out_check.val();
        for i in 1..3 {
            self.kept_data[i].d.next = self.kept_data[i - 1].q.val();
            self.kept_check[i].d.next = self.kept_check[i - 1].q.val();
        }
        for d in 0..4 {
            self.out_drive_data[d].next = self.encoder.out_data.val();
            self.out_drive_check[d].next = self.encoder.out_check.val();
        }
        if self.word_2.q.val() {
            for d in 0..3 {
                self.out_drive_data[d].next = self.kept_data[2 - d].q.val();
                self.out_drive_check[d].next = self.kept_check[2 - d].q.val();
            }
        }
        self.out_receive_ecc_corrected.next = self.zero.val();
        self.out_receive_ecc_uncorrectable.next = self.zero.val();
        self.receive_faults.next = 0.into();
        if self.in_collision.val() {
            self.receive_faults.next = self.receive_faults.val() | 0x02;
        }
        if self.missing.q.val() {
            self.receive_faults.next = self.receive_faults.val() | 0x04;
        }
        if self.receive_queue.out_illegal.val() {
            self.receive_faults.next = self.receive_faults.val() | 0x80;
        }
        self.receive_fault.reset.next = self.reset.val();
        self.receive_fault.in_clear.next = self.in_clear.val();
        self.receive_fault.in_cycle.next = self.in_cycle.val();
        self.receive_fault.in_fault.next = self.receive_faults.val();
        self.out_receive_fault_valid.next = self.receive_fault.out_valid.val();
        self.out_receive_fault_code.next = self.receive_fault.out_code.val();
        self.out_receive_fault_cycle.next = self.receive_fault.out_cycle.val();

        self.out_notify.next =
            self.send_queue.out_notify.val() | self.receive_queue.out_notify.val();
    }
}
