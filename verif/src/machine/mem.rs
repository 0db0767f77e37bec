//! The MEM slices: READ, GATHER, WRITE, SCATTER.
//!
//! Everything an operation does is known when it issues, except who else uses its port; so an issue
//! samples, decodes and schedules, and the ports and the drives of a cycle are worked off later in it.

use super::Shared;
use super::calendar::{Calendar, Units};
use super::queue::Issued;
use super::sram::Sram;
use crate::{Effect, Event, FaultCode, Observe, Origin, Source, Vector};
use lpu_isa::latency::{INDIRECT_LATENCY, MM_OPERAND_LATENCY, SELECT_LATENCY, SRAM_LATENCY};
use lpu_isa::{Config, Operation, Stream};

/// Issue to the cycle in which a decoder's findings are recorded.
const DECODED: u64 = MM_OPERAND_LATENCY;

#[derive(Clone, Copy, Debug, Default)]
struct Access {
    stream: Option<Stream>,
    address: u16,
    vector: Vector,
    origin: Option<Origin>,
}

/// All MEM slices.
#[derive(Clone, Debug)]
pub struct Mem {
    pub srams: Vec<Sram>,
    pub first_read: Option<u64>,
    pub last_write: Option<u64>,
    depth: usize,
    reads: Calendar<Option<Origin>>,
    gathers: Calendar<Access>,
    drives: Calendar<Access>,
    writes: Calendar<Access>,
    scatters: Calendar<Access>,
}

impl Mem {
    pub fn new(config: &Config) -> Self {
        let slices = config.mem.slices;
        let accesses = Calendar::new(slices, Access::default());
        Self {
            srams: vec![Sram::new(config); slices],
            first_read: None,
            last_write: None,
            depth: config.mem.depth,
            reads: Calendar::new(slices, None),
            gathers: accesses.clone(),
            drives: accesses.clone(),
            writes: accesses.clone(),
            scatters: accesses,
        }
    }

    pub const fn restart(&mut self) {
        (self.first_read, self.last_write) = (None, None);
        self.reads.clear();
        self.gathers.clear();
        self.drives.clear();
        self.writes.clear();
        self.scatters.clear();
    }

    /// Records ADDRESS_RANGE where it applies.
    fn check_range(&self, shared: &mut Shared, cycle: u64, address: u16, origin: Origin) {
        if usize::from(address) >= self.depth {
            shared.faults.record(cycle, FaultCode::AddressRange, origin);
        }
    }

    /// An operation of slice `slice` issues.
    #[inline]
    pub fn issue(&mut self, shared: &mut Shared, cycle: u64, slice: usize, base: u16, op: Issued) {
        let address = base.wrapping_add(op.address);
        let origin = op.origin;
        match op.operation {
            Operation::Read { stream } => {
                self.check_range(shared, cycle, address, origin);
                self.start_read(cycle, slice, stream, address, origin);
            }
            Operation::Write { stream } => {
                self.check_range(shared, cycle, address, origin);
                let Some(vector) = shared.operand(cycle, slice, stream, origin) else {
                    return;
                };
                *self.writes.schedule(cycle + SELECT_LATENCY, slice) = Access {
                    stream: None,
                    address,
                    vector,
                    origin: Some(origin),
                };
            }
            Operation::Gather { stream, offset } => {
                let Some(offset) = shared.operand(cycle, slice, offset, origin) else {
                    return;
                };
                *self.gathers.schedule(cycle + INDIRECT_LATENCY, slice) = Access {
                    stream: Some(stream),
                    address: address.wrapping_add(decode_offset(shared, cycle, offset, origin)),
                    vector: Vector::default(),
                    origin: Some(origin),
                };
            }
            Operation::Scatter { stream, offset } => {
                let data = shared.operand(cycle, slice, stream, origin);
                let offset = shared.operand(cycle, slice, offset, origin);
                let (Some(vector), Some(offset)) = (data, offset) else {
                    return;
                };
                *self.scatters.schedule(cycle + INDIRECT_LATENCY, slice) = Access {
                    stream: None,
                    address: address.wrapping_add(decode_offset(shared, cycle, offset, origin)),
                    vector,
                    origin: Some(origin),
                };
            }
            _ => unreachable!("the queue takes no other operation"),
        }
    }

    #[inline]
    fn start_read(
        &mut self,
        cycle: u64,
        slice: usize,
        stream: Stream,
        address: u16,
        origin: Origin,
    ) {
        *self.reads.schedule(cycle, slice) = Some(origin);
        self.first_read.get_or_insert(cycle);
        let drive = self.drives.schedule(cycle + SRAM_LATENCY, slice);
        drive.stream = Some(stream);
        drive.origin = Some(origin);
        self.srams[slice].read(usize::from(address) % self.depth, &mut drive.vector);
    }

    /// The read ports of `cycle`, after all issues: gathers get what READs leave.
    pub fn read_ports(&mut self, shared: &mut Shared, cycle: u64, events: &mut impl Observe) {
        for slice in self.gathers.take(cycle) {
            let gather = *self.gathers.entry(cycle, slice);
            let (stream, origin) = (known(gather.stream), known(gather.origin));
            if self.reads.is_due(cycle, slice) {
                shared.faults.record(cycle, FaultCode::BankConflict, origin);
            } else {
                self.check_range(shared, cycle, gather.address, origin);
                self.start_read(cycle, slice, stream, gather.address, origin);
            }
        }
        for slice in self.reads.take(cycle) {
            events.see(|| Event {
                cycle,
                effect: Effect::ReadStart { slice: slice as u8 },
                origin: *self.reads.entry(cycle, slice),
            });
        }
    }

    /// The stream drives of `cycle`, after all samples.
    pub fn drive(&mut self, shared: &mut Shared, cycle: u64, events: &mut impl Observe) {
        for slice in self.drives.take(cycle) {
            let drive = self.drives.entry(cycle, slice);
            let stream = known(drive.stream);
            if shared.streams.drive(cycle, slice, stream, &drive.vector) {
                let origin = known(drive.origin);
                shared
                    .faults
                    .record(cycle, FaultCode::StreamCollision, origin);
            }
            events.see(|| Event {
                cycle,
                effect: Effect::Drive {
                    source: Source::Mem(slice as u8),
                    stream,
                    vector: drive.vector,
                },
                origin: drive.origin,
            });
        }
    }

    /// The write ports of `cycle`, after all reads: scatters get what WRITEs leave.
    pub fn write_ports(&mut self, shared: &mut Shared, cycle: u64, events: &mut impl Observe) {
        let (writes, scatters) = (self.writes.take(cycle), self.scatters.take(cycle));
        for slice in Units(writes.0 & scatters.0) {
            let origin = known(self.scatters.entry(cycle, slice).origin);
            shared.faults.record(cycle, FaultCode::BankConflict, origin);
        }
        for slice in Units(writes.0 | scatters.0) {
            let access = if writes.0 >> slice & 1 == 1 {
                self.writes.entry(cycle, slice)
            } else {
                let scatter = self.scatters.entry(cycle, slice);
                self.check_range(shared, cycle, scatter.address, known(scatter.origin));
                scatter
            };
            let address = usize::from(access.address) % self.depth;
            self.srams[slice].write(address, &access.vector);
            self.last_write = Some(cycle);
            events.see(|| Event {
                cycle,
                effect: Effect::Write {
                    slice: slice as u8,
                    address: address as u16,
                    vector: access.vector,
                },
                origin: access.origin,
            });
        }
    }
}

/// Decodes codeword 0 of an offset operand; its lanes 1:0 are the offset.
fn decode_offset(shared: &mut Shared, cycle: u64, mut offset: Vector, origin: Origin) -> u16 {
    let count = shared.correct(&mut offset, 1);
    shared.faults.count(cycle + DECODED, count, origin);
    offset.data[0] as u16
}

fn known<T>(scheduled: Option<T>) -> T {
    scheduled.expect("set when scheduled")
}
