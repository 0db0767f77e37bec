//! Operations that a word vector or a flit needs, at cycles of the links or of the vector unit.

use super::region::Region;
use super::script::Script;
use crate::CompileError;
use crate::alu::PLANES;
use lpu_isa::instruction::ROW_BITS;
use lpu_isa::latency::{READ_LATENCY, RECEIVE_LATENCY, SEND_LATENCY, WRITE_LATENCY, vxm_latency};
use lpu_isa::rack::Topology;
use lpu_isa::{Config, Operation, Queue, QueueKind, Stream};

/// First eastward stream of operand A, of operand B, and of flits on their way to SRAM.
pub const A: u8 = 0;
pub const B: u8 = PLANES as u8;
pub const FLITS: u8 = 2 * PLANES as u8;
/// First westward stream of results, and of what is sent.
pub const RESULTS: u8 = 0;
pub const SENDS: u8 = PLANES as u8;

/// A machine whose queues are being filled.
#[derive(Clone, Debug)]
pub struct Unit<'a> {
    pub config: &'a Config,
    /// Cycles from a SEND to the RECEIVE that finds its flit.
    pub way: i64,
    pub script: Script,
}

impl<'a> Unit<'a> {
    pub fn new(config: &'a Config, hop: u64) -> Self {
        Self {
            config,
            way: (SEND_LATENCY + hop) as i64,
            script: Script::default(),
        }
    }

    /// The same machine with nothing to do.
    pub fn idle(&self) -> Self {
        Self {
            script: Script::default(),
            ..*self
        }
    }

    /// Why there is no schedule.
    pub fn no_ports(&self, topology: Topology) -> CompileError {
        CompileError::Collective(format!(
            "no schedule keeps the ports of {} MEM slices free for a {topology}: raise mem.slices to 8",
            self.config.mem.slices
        ))
    }

    /// Slices, which is the position of the vector unit.
    pub fn slices(&self) -> i64 {
        self.config.mem.slices as i64
    }

    /// ALUs of the vector unit, if there is one.
    pub fn alus(&self) -> usize {
        self.config.vxm.as_ref().map_or(0, |vxm| vxm.alus)
    }

    /// Its registers, likewise.
    pub fn registers(&self) -> usize {
        self.config.vxm.as_ref().map_or(0, |vxm| vxm.registers)
    }

    /// From a pass to the cell of the vector unit.
    pub fn pass_latency(&self) -> i64 {
        vxm_latency(self.alus()) as i64
    }

    /// From the first RECEIVE of a word vector to the pass that takes it.
    pub fn to_pass(&self) -> i64 {
        PLANES as i64 - 1 + RECEIVE_LATENCY as i64 + self.slices()
    }

    /// From a pass to the earliest SEND of the first plane of its result, by way of SRAM.
    pub fn pass_to_send(&self) -> i64 {
        self.pass_latency() + self.slices() - 1 + (WRITE_LATENCY + READ_LATENCY) as i64
    }

    /// READ of a plane for a SEND in cycle `send`; returns the cycle of the READ.
    pub fn read_to_send(
        &mut self,
        region: &Region,
        word: usize,
        plane: usize,
        send: i64,
        lane: u8,
    ) -> i64 {
        let place = region.place(word, plane);
        let cycle = send - READ_LATENCY as i64 - place.slice as i64;
        let stream = Stream::west(SENDS + lane);
        let queue = Queue::new(QueueKind::MemRead, place.slice);
        self.script
            .push(queue, cycle, Operation::Read { stream }, place.address);
        cycle
    }

    pub fn send(&mut self, link: usize, cycle: i64, lane: u8) {
        let operation = Operation::Send {
            stream: SENDS + lane,
        };
        let queue = Queue::new(QueueKind::C2cSend, link);
        self.script.push(queue, cycle, operation, 0);
    }

    /// SENDs of a word vector by several links at once, from `cycle` on, and its READs.
    pub fn send_word(
        &mut self,
        links: impl IntoIterator<Item = usize> + Clone,
        cycle: i64,
        lane: u8,
        region: &Region,
        word: usize,
    ) {
        for plane in 0..PLANES {
            let at = cycle + plane as i64;
            for link in links.clone() {
                self.send(link, at, lane);
            }
            self.read_to_send(region, word, plane, at, lane);
        }
    }

    /// RECEIVE of a word vector that passes the vector unit in `cycle` on the streams from `stream` on.
    pub fn receive_for_pass(&mut self, link: usize, cycle: i64, stream: u8) {
        let operation = Operation::Receive { stream, word: true };
        let queue = Queue::new(QueueKind::C2cReceive, link);
        self.script
            .push(queue, cycle - self.to_pass(), operation, 0);
    }

    /// RECEIVE of a plane in `cycle`, and the WRITE that stores it.
    pub fn receive_to_write(
        &mut self,
        link: usize,
        cycle: i64,
        lane: u8,
        region: &Region,
        (word, plane): (usize, usize),
    ) {
        let stream = FLITS + lane;
        let operation = Operation::Receive {
            stream,
            word: false,
        };
        let queue = Queue::new(QueueKind::C2cReceive, link);
        self.script.push(queue, cycle, operation, 0);
        let place = region.place(word, plane);
        let stream = Stream::east(stream);
        let write = cycle + RECEIVE_LATENCY as i64 + place.slice as i64;
        let queue = Queue::new(QueueKind::MemWrite, place.slice);
        self.script
            .push(queue, write, Operation::Write { stream }, place.address);
    }

    /// RECEIVEs of the planes of a word vector from `cycle` on, and their WRITEs.
    pub fn receive_word(
        &mut self,
        link: usize,
        cycle: i64,
        lane: u8,
        region: &Region,
        word: usize,
    ) {
        for plane in 0..PLANES {
            self.receive_to_write(link, cycle + plane as i64, lane, region, (word, plane));
        }
    }

    /// When the READ of a plane in `slice` issues for a pass in `cycle`.
    pub fn read_cycle(&self, slice: usize, cycle: i64) -> i64 {
        cycle - READ_LATENCY as i64 - (self.slices() - 1 - slice as i64)
    }

    /// READs of a word vector for a pass in `cycle`, on the streams from `stream` on.
    pub fn read_for_pass(&mut self, region: &Region, word: usize, cycle: i64, stream: u8) {
        for plane in 0..PLANES {
            let place = region.place(word, plane);
            let stream = Stream::east(stream + plane as u8);
            let queue = Queue::new(QueueKind::MemRead, place.slice);
            let cycle = self.read_cycle(place.slice, cycle);
            self.script
                .push(queue, cycle, Operation::Read { stream }, place.address);
        }
    }

    pub fn pass(&mut self, cycle: i64, descriptor: usize, row: usize) {
        let operation = Operation::Vector {
            a: Stream::east(A),
            b: Stream::east(B),
        };
        let queue = Queue::new(QueueKind::Vxm, 0);
        let address = row | descriptor << ROW_BITS;
        self.script.push(queue, cycle, operation, address);
    }

    /// When the WRITE of a plane into `slice` issues for a pass in `cycle`.
    pub fn write_cycle(&self, slice: usize, cycle: i64) -> i64 {
        cycle + self.pass_latency() + self.slices() - 1 - slice as i64
    }

    /// WRITEs of the result of a pass in `cycle`.
    pub fn write_result(&mut self, region: &Region, word: usize, cycle: i64) {
        for plane in 0..PLANES {
            let place = region.place(word, plane);
            let stream = Stream::west(RESULTS + plane as u8);
            let queue = Queue::new(QueueKind::MemWrite, place.slice);
            let cycle = self.write_cycle(place.slice, cycle);
            self.script
                .push(queue, cycle, Operation::Write { stream }, place.address);
        }
    }
}
