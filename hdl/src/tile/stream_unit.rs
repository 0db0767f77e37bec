//! What every unit between the MEM slices and the MXM has: a queue, fault register and counters, and the streams at its position.

use crate::ecc::EccCounter;
use crate::icu::{FaultUnit, InstructionQueue};
use crate::info::Info;
use crate::stream::StreamStage;
use lpu_isa::{Config, QueueKind};
use rust_hdl::prelude::*;

/// What every unit between the MEM slices and the MXM has: a queue, fault register and counters, and the streams at its position.
///
/// The datapath beside it takes what the queue issues in the cycle in which it issues, and gives faults, counts and results, which
/// drive in the cycle in which it gives them.
///
/// Parameters: those of [`Config`]; the kind of queue. Reset ends the queue and clears fault, counters and streams; the program
/// keeps its words.
#[derive(LogicBlock)]
pub struct StreamUnit<const L: usize, const V: usize> {
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
    /// The host accesses the program.
    pub in_program_enable: Signal<In, Bit>,
    /// It writes.
    pub in_program_write: Signal<In, Bit>,
    /// Half of the instruction.
    pub in_program_half: Signal<In, Bit>,
    /// Number of the instruction.
    pub in_program_index: Signal<In, Bits<16>>,
    /// Half to write.
    pub in_program_data: Signal<In, Bits<64>>,
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
    /// Bit s: a result drives eastward stream s.
    pub in_drive_east: Signal<In, Bits<32>>,
    /// Bit s: a result drives westward stream s.
    pub in_drive_west: Signal<In, Bits<32>>,
    /// Data for the streams with the number d modulo 4.
    pub in_drive_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_drive_check: Vec<Signal<In, Bits<L>>>,
    /// Codewords corrected in this cycle.
    pub in_corrected: Signal<In, Bits<8>>,
    /// Uncorrectable codewords in this cycle.
    pub in_uncorrectable: Signal<In, Bits<8>>,
    /// Faults of this cycle, bit c for code c.
    pub in_fault: Signal<In, Bits<8>>,
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
    /// An operation issues.
    pub out_valid: Signal<Out, Bit>,
    /// Its flags.
    pub out_flags: Signal<Out, Bits<4>>,
    /// Its stream.
    pub out_stream: Signal<Out, Bits<6>>,
    /// Its second stream.
    pub out_stream2: Signal<Out, Bits<6>>,
    /// Its stream, one-hot by code.
    pub out_select: Signal<Out, Bits<64>>,
    /// Its second stream, one-hot by code.
    pub out_select2: Signal<Out, Bits<64>>,
    /// Its address.
    pub out_address: Signal<Out, Bits<16>>,
    /// A cell that a result drives was not free.
    pub out_collision: Signal<Out, Bit>,
    /// Half read from the program.
    pub out_program_data: Signal<Out, Bits<64>>,
    /// The unit has a fault.
    pub out_fault_valid: Signal<Out, Bit>,
    /// Its code.
    pub out_fault_code: Signal<Out, Bits<8>>,
    /// Its cycle.
    pub out_fault_cycle: Signal<Out, Bits<32>>,
    /// Codewords corrected.
    pub out_ecc_corrected: Signal<Out, Bits<32>>,
    /// Uncorrectable codewords met.
    pub out_ecc_uncorrectable: Signal<Out, Bits<32>>,
    /// The queue has ended.
    pub out_ended: Signal<Out, Bit>,
    /// A NOTIFY issues.
    pub out_notify: Signal<Out, Bit>,
    queue: InstructionQueue,
    fault: FaultUnit,
    counter: EccCounter,
    east: StreamStage<L, V>,
    west: StreamStage<L, V>,
    info: Info,
    _streams: usize,
}

impl<const L: usize, const V: usize> StreamUnit<L, V> {
    /// A unit of this machine with this kind of queue.
    pub fn new(config: &Config, kind: QueueKind) -> Self {
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
            in_program_enable: Signal::default(),
            in_program_write: Signal::default(),
            in_program_half: Signal::default(),
            in_program_index: Signal::default(),
            in_program_data: Signal::default(),
            in_east_data: many(streams),
            in_east_check: many(streams),
            in_east_valid: many(streams),
            in_west_data: many(streams),
            in_west_check: many(streams),
            in_west_valid: many(streams),
            in_drive_east: Signal::default(),
            in_drive_west: Signal::default(),
            in_drive_data: many(4),
            in_drive_check: many(4),
            in_corrected: Signal::default(),
            in_uncorrectable: Signal::default(),
            in_fault: Signal::default(),
            out_east_data: many(streams),
            out_east_check: many(streams),
            out_east_valid: many(streams),
            out_west_data: many(streams),
            out_west_check: many(streams),
            out_west_valid: many(streams),
            out_valid: Signal::default(),
            out_flags: Signal::default(),
            out_stream: Signal::default(),
            out_stream2: Signal::default(),
            out_select: Signal::default(),
            out_select2: Signal::default(),
            out_address: Signal::default(),
            out_collision: Signal::default(),
            out_program_data: Signal::default(),
            out_fault_valid: Signal::default(),
            out_fault_code: Signal::default(),
            out_fault_cycle: Signal::default(),
            out_ecc_corrected: Signal::default(),
            out_ecc_uncorrectable: Signal::default(),
            out_ended: Signal::default(),
            out_notify: Signal::default(),
            queue: InstructionQueue::new(config, kind),
            fault: FaultUnit::default(),
            counter: EccCounter::default(),
            east: StreamStage::grouped(streams, 4, 4),
            west: StreamStage::grouped(streams, 4, 4),
            info: Info::new("stream_unit", file!())
                .summary("Queue, fault register, counters and streams of a unit")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("KIND", format!("{kind:?}").to_lowercase())
                .param("QUEUE_DEPTH", config.icu.queue_depth)
                .port("in_launch", "the cycle after the next is cycle 0")
                .port("in_notify", "one cycle before a SYNC sees the pulse")
                .port("in_drive_east", "bit s: eastward stream s")
                .port("in_drive_data", "for the streams d modulo 4")
                .port("in_fault", "bit c: fault with code c in this cycle")
                .port("out_stream", "bit 5 westward")
                .port("out_select", "out_stream, one-hot")
                .port("out_collision", "in the drive cycle"),
            _streams: streams,
        }
    }
}

impl<const L: usize, const V: usize> Logic for StreamUnit<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, queue, fault, counter, east, west);
        self.queue.reset.next = self.reset.val();
        self.queue.in_launch.next = self.in_launch.val();
        self.queue.in_notify.next = self.in_notify.val();
        self.queue.in_base.next = 0.into();
        self.queue.in_program_enable.next = self.in_program_enable.val();
        self.queue.in_program_write.next = self.in_program_write.val();
        self.queue.in_program_half.next = self.in_program_half.val();
        self.queue.in_program_index.next = self.in_program_index.val();
        self.queue.in_program_data.next = self.in_program_data.val();
        self.out_program_data.next = self.queue.out_program_data.val();
        self.out_valid.next = self.queue.out_valid.val();
        self.out_flags.next = self.queue.out_flags.val();
        self.out_stream.next = self.queue.out_stream.val();
        self.out_stream2.next = self.queue.out_stream2.val();
        self.out_select.next = self.queue.out_select.val();
        self.out_select2.next = self.queue.out_select2.val();
        self.out_address.next = self.queue.out_address.val();
        self.out_ended.next = self.queue.out_ended.val();
        self.out_notify.next = self.queue.out_notify.val();

        self.fault.reset.next = self.reset.val();
        self.fault.in_clear.next = self.in_clear.val();
        self.fault.in_cycle.next = self.in_cycle.val();
        self.fault.in_fault.next = self.in_fault.val();
        if self.queue.out_illegal.val() {
            self.fault.in_fault.next = self.in_fault.val() | 0x80;
        }
        self.out_fault_valid.next = self.fault.out_valid.val();
        self.out_fault_code.next = self.fault.out_code.val();
        self.out_fault_cycle.next = self.fault.out_cycle.val();
        self.counter.reset.next = self.reset.val();
        self.counter.in_clear.next = self.in_clear.val();
        self.counter.in_corrected.next = self.in_corrected.val();
        self.counter.in_uncorrectable.next = self.in_uncorrectable.val();
        self.out_ecc_corrected.next = self.counter.out_corrected.val();
        self.out_ecc_uncorrectable.next = self.counter.out_uncorrectable.val();

        self.east.reset.next = self.reset.val() | self.in_launch.val();
        self.west.reset.next = self.reset.val() | self.in_launch.val();
        for s in 0..self._streams {
            self.east.in_data[s].next = self.in_east_data[s].val();
            self.east.in_check[s].next = self.in_east_check[s].val();
            self.east.in_valid[s].next = self.in_east_valid[s].val();
            self.west.in_data[s].next = self.in_west_data[s].val();
            self.west.in_check[s].next = self.in_west_check[s].val();
            self.west.in_valid[s].next = self.in_west_valid[s].val();
            self.out_east_data[s].next = self.east.out_data[s].val();
            self.out_east_check[s].next = self.east.out_check[s].val();
            self.out_east_valid[s].next = self.east.out_valid[s].val();
            self.out_west_data[s].next = self.west.out_data[s].val();
            self.out_west_check[s].next = self.west.out_check[s].val();
            self.out_west_valid[s].next = self.west.out_valid[s].val();
        }
        self.out_collision.next = false;
        for d in 0..4 {
            self.east.in_drive[d].next = self.in_drive_east.val();
            self.east.in_drive_data[d].next = self.in_drive_data[d].val();
            self.east.in_drive_check[d].next = self.in_drive_check[d].val();
            self.west.in_drive[d].next = self.in_drive_west.val();
            self.west.in_drive_data[d].next = self.in_drive_data[d].val();
            self.west.in_drive_check[d].next = self.in_drive_check[d].val();
            self.out_collision.next = self.out_collision.val()
                | self.east.out_collision[d].val()
                | self.west.out_collision[d].val();
        }
    }
}
