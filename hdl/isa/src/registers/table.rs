//! The registers, in the order of their offsets.

use super::{
    Access, BASE_OFFSET, Count, ECC_OFFSET, FAULT_OFFSET, Field, ID_VALUE, Local, Register, Source,
    VERSION_VALUE,
};
use crate::Config;
use crate::memory_map as host;
use Access::{ReadOnly, ReadWrite, WriteOneToClear, WriteOnly};

const fn field(low: u32, high: u32, name: &'static str, text: &'static str) -> Field {
    Field {
        low,
        high,
        name,
        text,
    }
}

const fn one(
    name: &'static str,
    offset: u32,
    bits: u32,
    access: Access,
    source: Source,
    text: &'static str,
    fields: &'static [Field],
) -> Register {
    Register {
        name,
        offset,
        bits,
        access,
        count: Count::One,
        source,
        text,
        fields,
    }
}

const fn shape(
    name: &'static str,
    offset: u32,
    value: fn(&Config) -> u32,
    text: &'static str,
) -> Register {
    one(
        name,
        offset,
        32,
        ReadOnly,
        Source::Constant(value),
        text,
        &[],
    )
}

const INTERRUPTS: &[Field] = &[
    field(0, 0, "DONE", "a launch has ended (busy fell)"),
    field(
        1,
        1,
        "FAULT",
        "some unit has recorded a fault, and none had before",
    ),
    field(
        2,
        2,
        "ACCESS",
        "an access to registers or window was answered with an error",
    ),
];

/// All registers.
pub const REGISTERS: &[Register] = &[
    shape(
        "ID",
        0x000,
        |_| ID_VALUE,
        "\"LPU1\" in ASCII, the first letter in the lowest byte",
    ),
    shape(
        "VERSION",
        0x004,
        |_| VERSION_VALUE,
        "version of this map: major in 31:16, minor in 15:0",
    ),
    one(
        "CONTROL",
        0x008,
        32,
        WriteOnly,
        Source::Host(host::CONTROL),
        "starts a launch, clears faults",
        &[
            field(0, 0, "LAUNCH", "1: launch; refused while busy"),
            field(1, 1, "CLEAR", "1: clear all faults and ECC counters"),
        ],
    ),
    one(
        "STATUS",
        0x00c,
        32,
        ReadOnly,
        Source::Host(host::STATUS),
        "state of the tile",
        &[
            field(0, 0, "BUSY", "a launch is going on"),
            field(1, 1, "FAULT", "some unit has a fault"),
        ],
    ),
    one(
        "CYCLE",
        0x010,
        32,
        ReadOnly,
        Source::Host(host::CYCLE),
        "cycles since launch; stops when busy falls",
        &[],
    ),
    one(
        "CONFIG_HASH",
        0x018,
        64,
        ReadOnly,
        Source::Host(host::CONFIG_HASH),
        "first 64 bits of the configuration hash",
        &[],
    ),
    one(
        "INJECT_DATA",
        0x020,
        64,
        ReadWrite,
        Source::Host(host::INJECT_DATA),
        "XOR mask on the data bits of each SRAM write; a low half is kept until the high half is written, which sets both",
        &[],
    ),
    one(
        "INJECT_CHECK",
        0x028,
        32,
        ReadWrite,
        Source::Host(host::INJECT_CHECK),
        "XOR mask on the check bits of each SRAM write",
        &[field(0, 7, "MASK", "one bit for each check bit")],
    ),
    one(
        "IRQ_RAW",
        0x030,
        32,
        WriteOneToClear,
        Source::Local(Local::IrqRaw),
        "interrupts that have happened; clearing ACCESS also frees ERROR_INFO and ERROR_ADDRESS",
        INTERRUPTS,
    ),
    one(
        "IRQ_ENABLE",
        0x034,
        32,
        ReadWrite,
        Source::Local(Local::IrqEnable),
        "interrupts that raise `out_interrupt`",
        INTERRUPTS,
    ),
    one(
        "IRQ_STATUS",
        0x038,
        32,
        ReadOnly,
        Source::Local(Local::IrqStatus),
        "IRQ_RAW and IRQ_ENABLE; the line is high while it is not zero",
        INTERRUPTS,
    ),
    one(
        "ERROR_INFO",
        0x040,
        32,
        ReadOnly,
        Source::Local(Local::ErrorInfo),
        "first access that was answered with an error since ACCESS was clear",
        &[
            field(0, 0, "VALID", "there was one"),
            field(1, 1, "WRITE", "it was a write"),
            field(2, 2, "WINDOW", "on the AXI4 window; 0: on the registers"),
            field(
                3,
                3,
                "DECODE",
                "no such address (DECERR); 0: refused or uncorrectable (SLVERR)",
            ),
        ],
    ),
    one(
        "ERROR_ADDRESS",
        0x044,
        32,
        ReadOnly,
        Source::Local(Local::ErrorAddress),
        "its byte address, of a burst that of the beat",
        &[],
    ),
    shape(
        "LANES",
        0x080,
        |c| c.lanes as u32,
        "lanes of one byte in a vector (L)",
    ),
    shape(
        "STREAMS",
        0x084,
        |c| c.streams as u32,
        "streams in each direction (S)",
    ),
    shape("SLICES", 0x088, |c| c.mem.slices as u32, "MEM slices (m)"),
    shape("DEPTH", 0x08c, |c| c.mem.depth as u32, "vectors in a slice"),
    shape("PLANES", 0x090, |c| c.mxm.planes as u32, "MXM planes (P)"),
    shape(
        "WEIGHT_STREAMS",
        0x094,
        |c| c.mxm.weight_streams as u32,
        "weight streams of LW (W)",
    ),
    shape(
        "ACCUMULATOR_DEPTH",
        0x098,
        |c| c.mxm.accumulator_depth as u32,
        "accumulator rows (A)",
    ),
    shape(
        "OPERAND_DEPTH",
        0x09c,
        |c| c.mxm.operand_depth as u32,
        "operand-buffer rows (X)",
    ),
    shape(
        "QUEUES",
        0x0a0,
        |c| c.num_queues() as u32,
        "instruction queues (Q)",
    ),
    shape(
        "QUEUE_DEPTH",
        0x0a4,
        |c| c.icu.queue_depth as u32,
        "instructions in each queue",
    ),
    shape(
        "VXM_ALUS",
        0x0a8,
        |c| c.vxm.as_ref().map_or(0, |v| v.alus as u32),
        "ALUs of the vector unit (F); 0: no vector unit",
    ),
    shape(
        "VXM_REGISTERS",
        0x0ac,
        |c| c.vxm.as_ref().map_or(0, |v| v.registers as u32),
        "its registers (R)",
    ),
    shape(
        "SXM_MAPS",
        0x0b0,
        |c| c.sxm.as_ref().map_or(0, |s| s.maps as u32),
        "permutation tables of the switch unit (T); 0: no switch unit",
    ),
    Register {
        name: "BASE",
        offset: BASE_OFFSET,
        bits: 32,
        access: ReadWrite,
        count: Count::MemQueues,
        source: Source::Host(host::BASE),
        text: "base address of MEM queue q, in vectors; no write while busy",
        fields: &[field(0, 15, "ADDRESS", "vector")],
    },
    Register {
        name: "FAULT",
        offset: FAULT_OFFSET,
        bits: 64,
        access: ReadOnly,
        count: Count::Queues,
        source: Source::Host(host::FAULT),
        text: "first fault of unit q",
        fields: &[
            field(0, 31, "CYCLE", "cycle of the launch"),
            field(32, 39, "CODE", "what happened, see the machine"),
            field(63, 63, "VALID", "there is one"),
        ],
    },
    Register {
        name: "ECC",
        offset: ECC_OFFSET,
        bits: 64,
        access: ReadOnly,
        count: Count::Queues,
        source: Source::Host(host::ECC),
        text: "codewords counted by unit q; q = 127: by the host port itself",
        fields: &[
            field(0, 31, "CORRECTED", "corrected codewords"),
            field(32, 63, "UNCORRECTABLE", "uncorrectable codewords"),
        ],
    },
];
