//! Transactions: what has to issue when so that a vector gets from one place to another.

use super::OFFSETS;
use super::timetable::{Entry, Resource};
use lpu_isa::QueueKind::{self, *};
use lpu_isa::config::MxmFormat;
use lpu_isa::latency::{INDIRECT_LATENCY, READ_LATENCY, SELECT_LATENCY, acc_latency, mm_latency};
use lpu_isa::{AccMode, Config, Operation, Queue, Stream};

/// What a transaction does and about when; parameters are reduced to what the machine has.
pub type Draw = (u8, u64, [u16; 6], [bool; 3]);

/// A transaction being planned for a machine.
pub struct Plan<'a> {
    pub config: &'a Config,
    pub bases: &'a [u16],
    pub entries: Vec<Entry>,
    pub resources: Vec<Resource>,
}

impl Plan<'_> {
    fn issue(
        &mut self,
        kind: QueueKind,
        index: usize,
        cycle: u64,
        operation: Operation,
        address: u16,
    ) {
        let queue = Queue::new(kind, index);
        let base = self.bases[queue.id(self.config)];
        self.entries.push(Entry {
            queue,
            cycle,
            operation,
            address: address.wrapping_sub(base),
        });
    }

    /// Slice `from` drives `stream` in `drive`: takes the value's way.
    fn way(&mut self, from: usize, drive: u64, stream: Stream) {
        let end = self.config.mxm_position() as u64;
        let index = stream.index;
        self.resources.push(if stream.westward {
            Resource::West(index, drive + from as u64)
        } else {
            Resource::East(index, drive + end - from as u64)
        });
    }

    /// A READ of slice `from` that position `to` sees in `seen`.
    fn read(&mut self, from: usize, to: usize, seen: u64, stream: Stream, address: u16) {
        let cycle = seen - READ_LATENCY - (from.abs_diff(to) as u64 - 1);
        self.issue(MemRead, from, cycle, Operation::Read { stream }, address);
        self.resources.push(Resource::ReadPort(from, cycle));
        self.way(from, cycle + READ_LATENCY - 1, stream);
    }

    /// A WRITE of slice `slice` that samples in `cycle`.
    fn write(&mut self, slice: usize, cycle: u64, stream: Stream, address: u16) {
        self.issue(MemWrite, slice, cycle, Operation::Write { stream }, address);
        self.resources
            .push(Resource::WritePort(slice, cycle + SELECT_LATENCY));
    }

    /// Scales of an activation that the MXM samples in `t`, from slice `from`, if they are wanted and the machine has them.
    fn scales(&mut self, from: usize, t: u64, pick: [u16; 6], wanted: bool) -> Option<u8> {
        let config = self.config;
        let (second, address) = (pick[5], pick[4]);
        if !wanted || !config.mxm.has(MxmFormat::Nvfp4) || config.mem.slices < 2 {
            return None;
        }
        let index = (usize::from(second) % config.streams) as u8;
        let rows = config.mem.depth as u16 - OFFSETS;
        let mxm = config.mxm_position();
        self.read(from, mxm, t, Stream::east(index), address % rows);
        Some(index)
    }

    /// Plans a drawn transaction around cycle `t`; false if the machine has no room for its kind.
    pub fn transaction(&mut self, t: u64, &(kind, _, pick, flag): &Draw) -> bool {
        let config = self.config;
        let (slices, planes) = (config.mem.slices, config.mxm.planes);
        let rows = config.mem.depth as u16 - OFFSETS;
        let offsets = config.mem.depth as u16 - 1;
        let [a, b, c, d, e, f] = pick;
        let index = |pick: u16| (usize::from(pick) % config.streams) as u8;
        let near = usize::from(a) % slices;
        // Another slice, and the stream from it to `near`.
        let other = (near + 1 + usize::from(b) % (slices - 1).max(1)) % slices;
        let toward = |index, from: usize| Stream {
            westward: from > near,
            index,
        };
        let (plane, mxm) = (usize::from(c) % planes, config.mxm_position());
        let operand = Stream::east(index(d));
        match kind % 8 {
            0 | 1 if slices > 1 => {
                let stream = toward(index(d), other);
                self.read(other, near, t, stream, e % (rows + OFFSETS));
                self.write(near, t, stream, f % rows);
            }
            2 if slices > 1 && config.mem.indirect => {
                let (offset, stream) = (
                    toward(index(d), other),
                    Stream {
                        westward: flag[0],
                        index: index(e),
                    },
                );
                self.read(other, near, t, offset, offsets);
                self.issue(
                    MemRead,
                    near,
                    t,
                    Operation::Gather { stream, offset },
                    f % rows,
                );
                let port = t + INDIRECT_LATENCY;
                self.resources.push(Resource::ReadPort(near, port));
                self.way(near, port + READ_LATENCY - 1, stream);
            }
            3 if slices > 2 && config.mem.indirect => {
                let third = (0..slices)
                    .find(|&s| s != near && s != other)
                    .expect("three slices");
                let (offset, stream) = (toward(index(d), other), toward(index(e), third));
                self.read(other, near, t, offset, offsets);
                self.read(third, near, t, stream, f % rows);
                self.issue(
                    MemWrite,
                    near,
                    t,
                    Operation::Scatter { stream, offset },
                    c % (rows - OFFSETS),
                );
                self.resources
                    .push(Resource::WritePort(near, t + INDIRECT_LATENCY));
            }
            4 if slices >= weight_streams(config) => {
                let mut count = weight_streams(config);
                let scales = config.weight_rows() - config.lanes;
                // Rows of scales or of weights.
                let scaled = flag[2] && scales > 0;
                let (start, rows_there) = if scaled {
                    count = count.min(scales);
                    (config.lanes, scales)
                } else {
                    (0, config.lanes)
                };
                let groups = config.streams / config.mxm.weight_streams;
                let first = (usize::from(d) % groups * config.mxm.weight_streams) as u8;
                for i in 0..count {
                    let from = (near + i) % slices;
                    self.read(from, mxm, t, Stream::east(first + i as u8), e % rows);
                }
                let load = Operation::LoadWeights {
                    stream: first,
                    column: flag[0] && !scaled,
                    install: flag[1],
                };
                let row = start + usize::from(f) % (rows_there / count) * count;
                self.issue(MxmWeights, plane, t, load, row as u16);
            }
            5 => self.issue(MxmWeights, plane, t, Operation::InstallWeights, 0),
            6 => {
                self.read(near, mxm, t, operand, e % rows);
                let row = f % config.mxm.operand_depth as u16;
                let stream = operand.index;
                let scales = self.scales(other, t, pick, flag[1]);
                let load = Operation::LoadOperand { stream, scales };
                self.issue(MxmCompute, plane, t, load, row);
            }
            7 => {
                let multiply = if flag[0] {
                    let row = f % config.mxm.operand_depth as u16;
                    let scaled = config.mxm.has(MxmFormat::Nvfp4) && b & 1 == 1;
                    (Operation::MultiplyBuffer { scaled }, row)
                } else {
                    self.read(near, mxm, t, operand, e % rows);
                    let stream = operand.index;
                    let scales = self.scales(other, t, pick, b & 1 == 1);
                    (Operation::MultiplyStream { stream, scales }, 0)
                };
                self.issue(MxmCompute, plane, t, multiply.0, multiply.1);
                self.accumulate(plane, t + mm_latency(config), near, pick, flag);
            }
            _ => return false,
        }
        true
    }

    /// ACC, and if it emits a WRITE of one byte plane to slice `to`.
    fn accumulate(&mut self, plane: usize, cycle: u64, to: usize, pick: [u16; 6], flag: [bool; 3]) {
        let config = self.config;
        let mode = |flag| {
            if flag {
                AccMode::Always
            } else {
                AccMode::Never
            }
        };
        let stream = (usize::from(pick[5]) % (config.streams / 4) * 4) as u8;
        let operation = Operation::Accumulate {
            stream,
            init: mode(flag[1]),
            emit: mode(flag[2]),
        };
        let row = pick[4] % config.mxm.accumulator_depth as u16;
        self.issue(MxmAccumulate, plane, cycle, operation, row);
        if flag[2] {
            let (mxm, drive) = (config.mxm_position(), cycle + acc_latency(config) - 1);
            (0..4).for_each(|b| self.way(mxm, drive, Stream::west(stream + b)));
            let seen = drive + (mxm - to) as u64;
            let byte = Stream::west(stream + (pick[1] % 4) as u8);
            self.write(
                to,
                seen,
                byte,
                pick[2] % (config.mem.depth as u16 - OFFSETS),
            );
        }
    }
}

/// c that the preamble configures: as many streams as there are slices to feed them.
pub fn weight_streams(config: &Config) -> usize {
    config
        .mxm
        .weight_streams
        .min(1 << config.mem.slices.ilog2())
}
