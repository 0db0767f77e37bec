//! One lane of the vector unit.

use super::ChainAlu;
use crate::float::{ConvertIn, ConvertOut, Sfu};
use crate::info::Info;
use crate::prim::SramBank;
use rust_hdl::prelude::*;

/// One lane of the vector unit: conversions, ALUs, special functions, registers.
///
/// ```text
/// in_a ----> convert --> ALU 0 --> SFU --> ALU 1 --> .. --> ALU F-1 --+--> convert --> out_word
/// registers ----^          ^                 ^                        +--> registers
/// in_b ----> convert ------+                 |
/// in_late -> convert ------------------------+
/// ```
///
/// Control comes at the time of the pass, from [`Control`](super::Control): each port in the cycle in which its stage needs it, counted
/// from the issue t (u = t + 15 + 8 F, the result of the chain). Enables of a pipeline have a bit for each stage.
///
/// Parameters: F ALUs, R registers. Latency: `VXM_OPERAND_LATENCY` - 3 cycles after t for the operands, u + 3 for `out_word`.
/// No reset.
#[derive(LogicBlock)]
pub struct Lane {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// A in t+4.
    pub in_a: Signal<In, Bits<32>>,
    /// Its format.
    pub in_a_format: Signal<In, Bits<3>>,
    /// Stages of its conversion.
    pub in_a_enable: Signal<In, Bits<3>>,
    /// Reads a register for A, t+5.
    pub in_a_read: Signal<In, Bit>,
    /// Which one.
    pub in_a_row: Signal<In, Bits<10>>,
    /// B for ALU 0 in t+4.
    pub in_b: Signal<In, Bits<32>>,
    /// Its format.
    pub in_b_format: Signal<In, Bits<3>>,
    /// Stages of its conversion.
    pub in_b_enable: Signal<In, Bits<3>>,
    /// B for ALU 1 in t+20.
    pub in_late: Signal<In, Bits<32>>,
    /// Its format.
    pub in_late_format: Signal<In, Bits<3>>,
    /// Stages of its conversion.
    pub in_late_enable: Signal<In, Bits<3>>,
    /// Each ALU: bit k, an operation k - 2 cycles after its P.
    pub in_alu_enable: Vec<Signal<In, Bits<10>>>,
    /// Each ALU: row of its register, two cycles before its P.
    pub in_row: Vec<Signal<In, Bits<10>>>,
    /// Each ALU: Y if it is a constant.
    pub in_y: Vec<Signal<In, Bits<32>>>,
    /// Each ALU: Z if it is a constant.
    pub in_z: Vec<Signal<In, Bits<32>>>,
    /// Each ALU: what to do.
    pub in_function: Vec<Signal<In, Bits<10>>>,
    /// Stages of the special functions.
    pub in_sfu_enable: Signal<In, Bits<8>>,
    /// The special function, t+15.
    pub in_sfu: Signal<In, Bits<2>>,
    /// Writes the result into a register, in u.
    pub in_write: Signal<In, Bit>,
    /// Which one.
    pub in_write_row: Signal<In, Bits<10>>,
    /// Stages of the conversion of the result.
    pub in_out_enable: Signal<In, Bits<3>>,
    /// Format of the result, in u.
    pub in_out_format: Signal<In, Bits<3>>,
    /// The result, in u+3.
    pub out_word: Signal<Out, Bits<32>>,
    convert_a: ConvertIn,
    convert_b: ConvertIn,
    convert_late: Vec<ConvertIn>,
    registers: SramBank<32>,
    alu: Vec<ChainAlu>,
    sfu: Sfu,
    convert_out: ConvertOut,
    chain: Signal<Local, Bits<32>>,
    info: Info,
    _conversion: usize,
    _functions: usize,
    _late: usize,
    _alus: usize,
}

impl Lane {
    /// A lane of `alus` ALUs with `rows` registers.
    pub fn new(alus: usize, rows: usize) -> Self {
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let late = usize::from(alus > 1);
        let mut info = Info::new("vxm_lane", file!())
            .summary("One lane of the vector unit")
            .param("ALUS", alus)
            .param("ROWS", rows)
            .port("in_a", "t+4")
            .port("in_a_enable", "bit k: t+4+k")
            .port("in_a_row", "t+5")
            .port("in_b", "for ALU 0, t+4")
            .port("in_late", "B for ALU 1, t+20")
            .port("in_alu_enable", "bit k: k - 2 cycles after P")
            .port("in_row", "two cycles before P")
            .port("in_y", "a constant")
            .port("in_z", "a constant")
            .port("in_sfu", "t+15")
            .port("in_write", "u = t + 15 + 8 ALUS")
            .port("in_out_format", "u")
            .port("out_word", "u+3");
        if late == 0 {
            for port in ["in_late", "in_late_format", "in_late_enable"] {
                info = info.unused(port);
            }
        }
        Self {
            clock: Signal::default(),
            in_a: Signal::default(),
            in_a_format: Signal::default(),
            in_a_enable: Signal::default(),
            in_a_read: Signal::default(),
            in_a_row: Signal::default(),
            in_b: Signal::default(),
            in_b_format: Signal::default(),
            in_b_enable: Signal::default(),
            in_late: Signal::default(),
            in_late_format: Signal::default(),
            in_late_enable: Signal::default(),
            in_alu_enable: many(alus),
            in_row: many(alus),
            in_y: many(alus),
            in_z: many(alus),
            in_function: many(alus),
            in_sfu_enable: Signal::default(),
            in_sfu: Signal::default(),
            in_write: Signal::default(),
            in_write_row: Signal::default(),
            in_out_enable: Signal::default(),
            in_out_format: Signal::default(),
            out_word: Signal::default(),
            convert_a: ConvertIn::default(),
            convert_b: ConvertIn::default(),
            convert_late: many(late),
            registers: SramBank::new(rows),
            alu: (0..alus).map(|_| ChainAlu::new(rows)).collect(),
            sfu: Sfu::default(),
            convert_out: ConvertOut::default(),
            chain: Signal::default(),
            info,
            _conversion: ConvertIn::LATENCY,
            _functions: Sfu::LATENCY,
            _late: late,
            _alus: alus,
        }
    }
}

impl crate::wiring::Wiring for Lane {
    #[hdl_gen]
    fn wire(&mut self) {
        clock!(
            self,
            clock,
            convert_a,
            convert_b,
            registers,
            sfu,
            convert_out
        );

        // The end of the chain.
        self.chain.next = self.sfu.out_result.val();
        for j in 1..self._alus {
            self.chain.next = self.alu[j].out_result.val();
        }

        // Operands.
        self.registers.read_enable.next = self.in_a_read.val();
        self.registers.read_address.next = bit_cast::<16, 10>(self.in_a_row.val());
        self.registers.write_enable.next = self.in_write.val();
        self.registers.write_address.next = bit_cast::<16, 10>(self.in_write_row.val());
        self.registers.write_data.next = self.chain.val();
        self.convert_a.in_word.next = self.in_a.val();
        self.convert_a.in_format.next = self.in_a_format.val();
        self.convert_a.in_register.next = self.registers.read_data.val();
        self.convert_b.in_word.next = self.in_b.val();
        self.convert_b.in_format.next = self.in_b_format.val();
        self.convert_b.in_register.next = 0.into();
        for k in 0..self._conversion {
            self.convert_a.in_enable[k].next = self.in_a_enable.val().get_bit(k);
            self.convert_b.in_enable[k].next = self.in_b_enable.val().get_bit(k);
            self.convert_out.in_enable[k].next = self.in_out_enable.val().get_bit(k);
        }

        // The chain: ALU 0, special functions, the other ALUs.
        for j in 0..self._alus {
            self.alu[j].clock.next = self.clock.val();
            self.alu[j].in_enable.next = self.in_alu_enable[j].val();
            self.alu[j].in_row.next = self.in_row[j].val();
            self.alu[j].in_y.next = self.in_y[j].val();
            self.alu[j].in_z.next = self.in_z[j].val();
            self.alu[j].in_function.next = self.in_function[j].val();
            self.alu[j].in_b.next = 0.into();
            self.alu[j].in_p.next = self.sfu.out_result.val();
            self.alu[j].in_write.next = self.in_write.val();
            self.alu[j].in_write_row.next = self.in_write_row.val();
            self.alu[j].in_write_word.next = self.chain.val();
        }
        self.alu[0].in_p.next = self.convert_a.out_result.val();
        self.alu[0].in_b.next = self.convert_b.out_result.val();
        for k in 0..self._functions {
            self.sfu.in_enable[k].next = self.in_sfu_enable.val().get_bit(k);
        }
        self.sfu.in_x.next = self.alu[0].out_result.val();
        self.sfu.in_function.next = self.in_sfu.val();
        for x in 0..self._late {
            self.convert_late[x].clock.next = self.clock.val();
            self.convert_late[x].in_word.next = self.in_late.val();
            self.convert_late[x].in_format.next = self.in_late_format.val();
            self.convert_late[x].in_register.next = 0.into();
            self.alu[x + 1].in_b.next = self.convert_late[x].out_result.val();
        }
        for j in 2..self._alus {
            self.alu[j].in_p.next = self.alu[j - 1].out_result.val();
        }

        // The result.
        self.convert_out.in_value.next = self.chain.val();
        self.convert_out.in_format.next = self.in_out_format.val();
        self.out_word.next = self.convert_out.out_word.val();
    }
}

impl Logic for Lane {
    fn update(&mut self) {
        <Self as crate::wiring::Wiring>::wire(self);
        let enables = self.in_late_enable.val();
        for convert in &mut self.convert_late {
            for (stage, enable) in convert.in_enable.iter_mut().enumerate() {
                enable.next = enables.get_bit(stage);
            }
        }
    }

    fn connect(&mut self) {
        <Self as crate::wiring::Wiring>::connect(self);
        for convert in &mut self.convert_late {
            convert.in_enable.iter_mut().for_each(Logic::connect);
        }
    }

    fn hdl(&self) -> Verilog {
        let Verilog::Combinatorial(mut text) = <Self as crate::wiring::Wiring>::hdl(self) else {
            unreachable!("hdl_gen makes combinatorial logic");
        };
        for stage in 0..self._late * ConvertIn::LATENCY {
            text.push(crate::wiring::assign(
                format!("convert_late$0$in_enable${stage}"),
                crate::wiring::slice("in_late_enable", 1, stage),
            ));
        }
        Verilog::Combinatorial(text)
    }
}
