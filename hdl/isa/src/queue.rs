//! The instruction queues, one for each functional unit.

use crate::Config;
use std::fmt;

/// What a queue drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueKind {
    /// The read port of a MEM slice: READ, GATHER.
    MemRead,
    /// The write port of a MEM slice: WRITE, SCATTER.
    MemWrite,
    /// The weights of a MXM plane: LW, IW, CONFIG.
    MxmWeights,
    /// The multipliers of a MXM plane: LX, MM.
    MxmCompute,
    /// The accumulators of a MXM plane: ACC.
    MxmAccumulate,
    /// The vector unit: VEC.
    Vxm,
    /// The switch unit: LANES, TLOAD, TSTORE, REDUCE.
    Sxm,
    /// The sending side of a link: SEND.
    C2cSend,
    /// The receiving side of a link: RECEIVE.
    C2cReceive,
}

/// One queue: its kind and the MEM slice, MXM plane or link it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    /// What it drives.
    pub kind: QueueKind,
    /// Slice number (MEM), plane number (MXM) or link number (C2C); 0 for VXM and SXM.
    pub index: usize,
}

impl Queue {
    /// The queue of kind `kind` in slice, plane or link `index`.
    pub const fn new(kind: QueueKind, index: usize) -> Self {
        Self { kind, index }
    }

    /// All queues of a machine, in the order of their ids.
    pub fn all(config: &Config) -> impl Iterator<Item = Queue> {
        let mem = (0..config.mem.slices).flat_map(|i| {
            [QueueKind::MemRead, QueueKind::MemWrite].map(|kind| Queue::new(kind, i))
        });
        let mxm = (0..config.mxm.planes).flat_map(|p| {
            use QueueKind::*;
            [MxmWeights, MxmCompute, MxmAccumulate].map(|kind| Queue::new(kind, p))
        });
        let vxm = config.vxm.iter().map(|_| Queue::new(QueueKind::Vxm, 0));
        let sxm = config.sxm.iter().map(|_| Queue::new(QueueKind::Sxm, 0));
        let c2c = (0..config.links()).flat_map(|k| {
            [QueueKind::C2cSend, QueueKind::C2cReceive].map(|kind| Queue::new(kind, k))
        });
        mem.chain(mxm).chain(vxm).chain(sxm).chain(c2c)
    }

    /// Queue id, which is also the unit number in faults and counters.
    pub fn id(self, config: &Config) -> usize {
        let mxm = 2 * config.mem.slices + 3 * self.index;
        let vxm = 2 * config.mem.slices + 3 * config.mxm.planes;
        let sxm = vxm + usize::from(config.vxm.is_some());
        let c2c = sxm + usize::from(config.sxm.is_some()) + 2 * self.index;
        match self.kind {
            QueueKind::MemRead => 2 * self.index,
            QueueKind::MemWrite => 2 * self.index + 1,
            QueueKind::MxmWeights => mxm,
            QueueKind::MxmCompute => mxm + 1,
            QueueKind::MxmAccumulate => mxm + 2,
            QueueKind::Vxm => vxm,
            QueueKind::Sxm => sxm,
            QueueKind::C2cSend => c2c,
            QueueKind::C2cReceive => c2c + 1,
        }
    }

    /// The queue with the given id, if the machine has it.
    pub fn from_id(id: usize, config: &Config) -> Option<Self> {
        Self::all(config).nth(id)
    }

    /// Whether the queue belongs to a MEM slice (and so has a base register).
    pub fn is_mem(self) -> bool {
        matches!(self.kind, QueueKind::MemRead | QueueKind::MemWrite)
    }
}

impl fmt::Display for Queue {
    /// The assembler's name, for example `mem3.read`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, port) = match self.kind {
            QueueKind::MemRead => ("mem", "read"),
            QueueKind::MemWrite => ("mem", "write"),
            QueueKind::MxmWeights => ("mxm", "weights"),
            QueueKind::MxmCompute => ("mxm", "compute"),
            QueueKind::MxmAccumulate => ("mxm", "accumulate"),
            QueueKind::Vxm => return f.write_str("vxm"),
            QueueKind::Sxm => return f.write_str("sxm"),
            QueueKind::C2cSend => ("c2c", "send"),
            QueueKind::C2cReceive => ("c2c", "receive"),
        };
        write!(f, "{unit}{}.{port}", self.index)
    }
}
