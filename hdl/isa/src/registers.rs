//! The register map of the AXI top module `lpu_axi`: one table, from which the RTL, the documents, the C header and the
//! drivers take every address.
//!
//! Registers are 32 bits wide at byte offsets from the base of the AXI4-Lite interface; a register of 64 bits is a pair, the low
//! half first. The windows are in bytes from the base of the AXI4 interface and the same in every configuration. `docs/host.md` is
//! [`markdown`] with words around it.

mod render;
mod table;
mod window;

pub use render::{c_header, json, markdown};
pub use table::REGISTERS;
pub use window::{WINDOW_BITS, WINDOWS, Window, window_address};

use crate::Config;

/// Bits of a byte offset on the AXI4-Lite interface.
pub const REGISTER_BITS: u32 = 12;
/// Content of the ID register: "LPU1" in ASCII, the first letter in the lowest byte.
pub const ID_VALUE: u32 = 0x3155_504c;
/// Content of the VERSION register: version of this map, major in 31:16, minor in 15:0.
pub const VERSION_VALUE: u32 = 0x0001_0000;

/// Offset of the base registers of the MEM queues.
pub const BASE_OFFSET: u32 = 0x400;
/// Offset of the fault registers.
pub const FAULT_OFFSET: u32 = 0x800;
/// Offset of the ECC counters.
pub const ECC_OFFSET: u32 = 0xc00;
/// Place of the host port's own ECC counter among the ECC counters.
pub const ECC_HOST_PLACE: u32 = 127;

/// Interrupt bit: a launch has ended.
pub const IRQ_DONE: u32 = 1;
/// Interrupt bit: some unit has recorded a fault, and none had before.
pub const IRQ_FAULT: u32 = 2;
/// Interrupt bit: an access was answered with an error.
pub const IRQ_ACCESS: u32 = 4;

/// What software may do with a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads; a write is refused.
    ReadOnly,
    /// Reads and writes.
    ReadWrite,
    /// Writes; reads as zero.
    WriteOnly,
    /// Reads; writing one to a bit clears it.
    WriteOneToClear,
}

impl Access {
    /// As in the tables of data sheets.
    pub fn code(self) -> &'static str {
        match self {
            Access::ReadOnly => "RO",
            Access::ReadWrite => "RW",
            Access::WriteOnly => "WO",
            Access::WriteOneToClear => "W1C",
        }
    }
}

/// How often a register is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Once.
    One,
    /// For each MEM queue.
    MemQueues,
    /// For each queue.
    Queues,
}

impl Count {
    /// The number for a machine.
    pub fn of(self, config: &Config) -> usize {
        match self {
            Count::One => 1,
            Count::MemQueues => 2 * config.mem.slices,
            Count::Queues => config.num_queues(),
        }
    }
}

/// Where the content of a register comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The register of the tile at this address of its host port; element q of an array is the address plus q.
    Host(u32),
    /// A number that the configuration decides.
    Constant(fn(&Config) -> u32),
    /// A register of the AXI side itself.
    Local(Local),
}

/// The registers of the AXI side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// Interrupts that have happened.
    IrqRaw = 1,
    /// Interrupts that raise the line.
    IrqEnable = 2,
    /// Both.
    IrqStatus = 3,
    /// First access that was refused: what.
    ErrorInfo = 4,
    /// First access that was refused: where.
    ErrorAddress = 5,
}

/// Some bits of a register.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Lowest bit.
    pub low: u32,
    /// Highest bit.
    pub high: u32,
    /// Name, capitals.
    pub name: &'static str,
    /// What it means.
    pub text: &'static str,
}

/// A register, or an array of equal ones.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Name, capitals.
    pub name: &'static str,
    /// Byte offset of the first.
    pub offset: u32,
    /// 32 or 64.
    pub bits: u32,
    /// What software may do.
    pub access: Access,
    /// How often it is there; the distance of two is `bits / 8` bytes.
    pub count: Count,
    /// Where the content comes from.
    pub source: Source,
    /// What it is.
    pub text: &'static str,
    /// Its fields; none: the whole is one number.
    pub fields: &'static [Field],
}

impl Register {
    /// Whether a write may have an effect.
    pub fn writable(&self) -> bool {
        self.access != Access::ReadOnly
    }
}

/// The register called `name`.
///
/// # Panics
/// If there is none.
///
/// ```
/// assert_eq!(lpu_isa::registers::register("CONTROL").offset, 8);
/// ```
pub fn register(name: &str) -> &'static Register {
    let found = REGISTERS.iter().find(|register| register.name == name);
    found.unwrap_or_else(|| panic!("no register is called {name}"))
}
