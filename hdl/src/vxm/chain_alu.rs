//! One ALU of the chain, with its copy of the lane's registers.

use crate::float::FpAlu;
use crate::info::Info;
use crate::prim::{PipeEnable, SramBank};
use rust_hdl::prelude::*;

/// One ALU of a lane's chain, with its own copy of the lane's registers to read.
///
/// ```text
/// cycle       c-2       c-1      c          ..   c+8
/// in_enable   bit 0     bit 1    bit 2      ..
/// in_row      r                                            row to read
/// operands                       p y z b
/// out_result                                     result
/// ```
///
/// Bit k of `in_enable` says that there is an operation in cycle c-2+k. `in_function`: bits 2:0 operation, 3 absolute, 4
/// negate P, 5 negate Z, 7:6 source of Y, 9:8 source of Z, as [`FpAlu`] has them.
///
/// Parameter: registers. Latency: [`FpAlu::LATENCY`] from the operands. A row is read as it is at the start of cycle c-2.
/// No reset.
#[derive(LogicBlock)]
pub struct ChainAlu {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Bit k: there is an operation in cycle c-2+k.
    pub in_enable: Signal<In, Bits<10>>,
    /// Register to read.
    pub in_row: Signal<In, Bits<10>>,
    /// P.
    pub in_p: Signal<In, Bits<32>>,
    /// B.
    pub in_b: Signal<In, Bits<32>>,
    /// Y, if it is a constant.
    pub in_y: Signal<In, Bits<32>>,
    /// Z, if it is a constant.
    pub in_z: Signal<In, Bits<32>>,
    /// What to do.
    pub in_function: Signal<In, Bits<10>>,
    /// Writes a register.
    pub in_write: Signal<In, Bit>,
    /// Which one.
    pub in_write_row: Signal<In, Bits<10>>,
    /// Its new value.
    pub in_write_word: Signal<In, Bits<32>>,
    /// The result.
    pub out_result: Signal<Out, Bits<32>>,
    registers: SramBank<32>,
    register: PipeEnable<Bits<32>>,
    alu: FpAlu,
    info: Info,
    _stages: usize,
}

impl ChainAlu {
    /// An ALU with `rows` registers.
    pub fn new(rows: usize) -> Self {
        Self {
            clock: Signal::default(),
            in_enable: Signal::default(),
            in_row: Signal::default(),
            in_p: Signal::default(),
            in_b: Signal::default(),
            in_y: Signal::default(),
            in_z: Signal::default(),
            in_function: Signal::default(),
            in_write: Signal::default(),
            in_write_row: Signal::default(),
            in_write_word: Signal::default(),
            out_result: Signal::default(),
            registers: SramBank::new(rows),
            register: PipeEnable::default(),
            alu: FpAlu::default(),
            info: Info::new("chain_alu", file!())
                .summary("One ALU of a lane's chain")
                .param("ROWS", rows)
                .port("in_enable", "bit k: an operation in cycle c-2+k")
                .port("in_row", "cycle c-2")
                .port("in_p", "cycle c")
                .port("in_b", "cycle c")
                .port("in_y", "constant, cycle c")
                .port("in_z", "constant, cycle c")
                .port("in_function", "cycle c")
                .port("out_result", "cycle c+8"),
            _stages: FpAlu::LATENCY,
        }
    }
}

impl Logic for ChainAlu {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, registers, register, alu);
        self.registers.read_enable.next = self.in_enable.val().get_bit(0);
        self.registers.read_address.next = bit_cast::<16, 10>(self.in_row.val());
        self.registers.write_enable.next = self.in_write.val();
        self.registers.write_address.next = bit_cast::<16, 10>(self.in_write_row.val());
        self.registers.write_data.next = self.in_write_word.val();
        self.register.enable.next = self.in_enable.val().get_bit(1);
        self.register.d.next = self.registers.read_data.val();

        for k in 0..self._stages {
            self.alu.in_enable[k].next = self.in_enable.val().get_bit(k + 2);
        }
        self.alu.in_p.next = self.in_p.val();
        self.alu.in_b.next = self.in_b.val();
        self.alu.in_r.next = self.register.q.val();
        self.alu.in_y.next = self.in_y.val();
        self.alu.in_z.next = self.in_z.val();
        self.alu.in_operation.next = self.in_function.val().get_bits::<3>(0);
        self.alu.in_absolute.next = self.in_function.val().get_bit(3);
        self.alu.in_negate.next = self.in_function.val().get_bit(4);
        self.alu.in_negate_z.next = self.in_function.val().get_bit(5);
        self.alu.in_y_source.next = self.in_function.val().get_bits::<2>(6);
        self.alu.in_z_source.next = self.in_function.val().get_bits::<2>(8);
        self.out_result.next = self.alu.out_result.val();
    }
}
