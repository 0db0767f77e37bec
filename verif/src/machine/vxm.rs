//! The vector unit: passes through the chain of ALUs, as `docs/vector.md` defines them.

use super::Shared;
use super::calendar::FAR_HORIZON;
use super::queue::{Issued, NEVER};
use super::words::{MAX_LANES, Result, Words};
use crate::numeric::{e2m1, e4m3, fp32, functions, host};
use crate::{FaultCode, Observe, Origin, Source};
use lpu_isa::descriptor::{
    Alu, AluOperation, DESCRIPTORS, Format, Function, Operand, ResultFormat, Source as Operand0,
};
use lpu_isa::instruction::ROW_BITS;
use lpu_isa::latency::{ALU_LATENCY, CONVERT_LATENCY, REGISTER_READ, SFU_LATENCY, vxm_result};
use lpu_isa::{Config, Descriptor, Operation, Stream};

/// Issue to the cycle in which B for ALU 1 is sampled.
const LATE: u64 = ALU_LATENCY + SFU_LATENCY;

/// A pass on its way.
#[derive(Clone, Copy, Debug)]
struct Pass {
    /// [`NEVER`] if there is none.
    issue: u64,
    descriptor: Descriptor,
    row: usize,
    b_stream: Stream,
    /// P of the next ALU.
    value: Words,
    b: Words,
    origin: Origin,
}

impl Pass {
    fn none() -> Self {
        Self {
            issue: NEVER,
            descriptor: Descriptor::default(),
            row: 0,
            b_stream: Stream::east(0),
            value: [0; _],
            b: [0; _],
            origin: Origin {
                queue: 0,
                index: 0,
                inner: 0,
                outer: 0,
            },
        }
    }
}

/// The vector unit.
#[derive(Clone, Debug)]
pub struct Vxm {
    alus: usize,
    lanes: usize,
    position: usize,
    rows: usize,
    registers: Vec<Words>,
    pub descriptors: Vec<Descriptor>,
    /// Passes by issue cycle.
    passes: Vec<Pass>,
}

impl Vxm {
    /// The vector unit of a machine that has one.
    pub fn new(config: &Config) -> Option<Self> {
        let vxm = config.vxm.as_ref()?;
        Some(Self {
            alus: vxm.alus,
            lanes: config.lanes,
            position: config.vxm_position(),
            rows: vxm.registers,
            registers: vec![[0; _]; vxm.registers],
            descriptors: vec![Descriptor::default(); DESCRIPTORS],
            passes: vec![Pass::none(); FAR_HORIZON as usize],
        })
    }

    pub fn restart(&mut self) {
        for pass in &mut self.passes {
            pass.issue = NEVER;
        }
    }

    /// The pass that issued `after` cycles before `cycle`.
    fn pass(&mut self, cycle: u64, after: u64) -> Option<&mut Pass> {
        let issue = cycle.checked_sub(after)?;
        let pass = &mut self.passes[(issue % FAR_HORIZON) as usize];
        (pass.issue == issue).then_some(pass)
    }

    fn drop_pass(&mut self, issue: u64) {
        self.passes[(issue % FAR_HORIZON) as usize].issue = NEVER;
    }

    /// A VEC issues.
    pub fn issue(&mut self, shared: &mut Shared, cycle: u64, op: Issued) {
        let Operation::Vector { a, b } = op.operation else {
            unreachable!("the queue takes no other operation");
        };
        let origin = op.origin;
        let row = usize::from(op.address & ((1 << ROW_BITS) - 1));
        let descriptor = self.descriptors[usize::from(op.address >> ROW_BITS)];
        if row >= self.rows {
            shared.faults.record(cycle, FaultCode::AddressRange, origin);
        }
        self.drop_pass(cycle);
        let a_format = match descriptor.source {
            Operand0::Stream(format) => Some(format),
            Operand0::Register(_) => None,
        };
        let b_format = match descriptor.b {
            Some((format, 0)) => Some(format),
            _ => None,
        };
        let operands = [(a, a_format), (b, b_format)];
        let is_there = |(stream, format): (Stream, Option<Format>)| {
            format.is_none_or(|f| shared.has_planes(cycle, self.position, stream, f.planes()))
        };
        if !operands.into_iter().all(is_there) {
            shared.missing(cycle, origin);
            return;
        }
        let (position, lanes) = (self.position, self.lanes);
        let pass = &mut self.passes[(cycle % FAR_HORIZON) as usize];
        pass.issue = cycle;
        pass.descriptor = descriptor;
        pass.row = row % self.rows;
        pass.b_stream = b;
        pass.origin = origin;
        pass.b[..lanes].fill(0);
        for ((stream, format), words) in operands.into_iter().zip([&mut pass.value, &mut pass.b]) {
            if let Some(format) = format {
                operand(
                    shared,
                    cycle,
                    position,
                    stream,
                    format,
                    &mut words[..lanes],
                    origin,
                );
            }
        }
    }

    /// Operands B that ALU 1 takes, sampled in `cycle`.
    pub fn late_operands(&mut self, shared: &mut Shared, cycle: u64) {
        let Some(pass) = self.pass(cycle, LATE) else {
            return;
        };
        let Some((format, 1)) = pass.descriptor.b else {
            return;
        };
        let (stream, origin) = (pass.b_stream, pass.origin);
        if !shared.has_planes(cycle, self.position, stream, format.planes()) {
            shared.missing(cycle, origin);
            return self.drop_pass(cycle - LATE);
        }
        let (position, lanes) = (self.position, self.lanes);
        let pass = self.pass(cycle, LATE).expect("the same");
        operand(
            shared,
            cycle,
            position,
            stream,
            format,
            &mut pass.b[..lanes],
            origin,
        );
    }

    /// ALUs that read their registers in `cycle`; what they compute is due later, and nobody else sees it before.
    pub fn compute(&mut self, cycle: u64) {
        let (rows, lanes) = (self.rows, self.lanes);
        for j in 0..self.alus {
            let behind_sfu = if j > 0 { SFU_LATENCY } else { 0 };
            let after = REGISTER_READ + behind_sfu + ALU_LATENCY * j as u64;
            let Some(issue) = cycle.checked_sub(after) else {
                continue;
            };
            let pass = &mut self.passes[(issue % FAR_HORIZON) as usize];
            if pass.issue != issue {
                continue;
            }
            let descriptor = &pass.descriptor;
            let register = |offset: u16| &self.registers[(pass.row + usize::from(offset)) % rows];
            if let (0, Operand0::Register(offset)) = (j, descriptor.source) {
                pass.value[..lanes].copy_from_slice(&register(offset)[..lanes]);
            }
            let alu = descriptor.alus[j];
            let words = match alu.fixed {
                true => &self.registers[usize::from(alu.offset) % rows],
                false => register(alu.offset),
            };
            let b = match descriptor.b {
                Some((_, taker)) if usize::from(taker) == j => &pass.b,
                _ => &[0; _],
            };
            let values = &mut pass.value[..lanes];
            apply(alu, values, &b[..lanes], &words[..lanes]);
            if j == 0 && descriptor.function != Function::Pass {
                for value in values {
                    *value = function(descriptor.function, *value);
                }
            }
        }
    }

    /// Registers that the edge ending `cycle` writes.
    pub fn write(&mut self, cycle: u64) {
        let rows = self.rows;
        let Some(issue) = cycle.checked_sub(vxm_result(self.alus)) else {
            return;
        };
        let pass = &self.passes[(issue % FAR_HORIZON) as usize];
        if pass.issue != issue {
            return;
        }
        if let Some(offset) = pass.descriptor.write {
            let register = &mut self.registers[(pass.row + usize::from(offset)) % rows];
            register[..self.lanes].copy_from_slice(&pass.value[..self.lanes]);
        }
    }

    /// Results that drive in `cycle`.
    pub fn drive(&mut self, shared: &mut Shared, cycle: u64, events: &mut impl Observe) {
        let (position, lanes) = (self.position, self.lanes);
        let driving = vxm_result(self.alus) + CONVERT_LATENCY + 1;
        let Some(pass) = self.pass(cycle, driving) else {
            return;
        };
        if let Some(output) = pass.descriptor.output {
            let mut result = Result {
                stream: output.stream,
                planes: output.format.planes(),
                lanes,
                words: [0; _],
                origin: pass.origin,
            };
            for (word, &value) in result.words.iter_mut().zip(&pass.value[..lanes]) {
                *word = convert_out(output.format, value);
            }
            shared.drive_planes(cycle, position, Source::Vxm, &result, events);
        }
    }

    /// Register `row`, for tests.
    pub fn register(&self, row: usize) -> &[u32] {
        &self.registers[row][..self.lanes]
    }
}

/// An operand that is there, in FP32.
fn operand(
    shared: &mut Shared,
    cycle: u64,
    position: usize,
    stream: Stream,
    format: Format,
    words: &mut [u32],
    origin: Origin,
) {
    shared.sample_words(cycle, position, stream, format.planes(), words, origin);
    convert_in(format, words);
}

fn convert_in(format: Format, words: &mut [u32]) {
    match format {
        Format::Fp32 => {}
        Format::Int32 => host::from_i32(words),
        Format::Int8 => {
            words
                .iter_mut()
                .for_each(|word| *word = i32::from(*word as i8) as u32);
            host::from_i32(words);
        }
        Format::E4m3 => words
            .iter_mut()
            .for_each(|word| *word = e4m3::to_fp32(*word as u8)),
    }
}

fn convert_out(format: ResultFormat, value: u32) -> u32 {
    match format {
        ResultFormat::Fp32 => value,
        ResultFormat::Int32 => fp32::to_i32(value) as u32,
        ResultFormat::Int8 => u32::from(fp32::to_i8(value) as u8),
        ResultFormat::E4m3 => e4m3::from_fp32(value).into(),
        ResultFormat::E2m1 => e2m1::from_fp32(value).into(),
        ResultFormat::Int16 => {
            let whole = fp32::to_i32(value).clamp(-32640, 32639);
            let low = whole as i8;
            let high = (whole - i32::from(low)) / 256;
            u32::from(low as u8) | u32::from(high as u8) << 8
        }
    }
}

fn function(function: Function, x: u32) -> u32 {
    match function {
        Function::Pass => x,
        Function::Exp2 => functions::exp2(x),
        Function::Rcp => functions::rcp(x),
        Function::Rsqrt => functions::rsqrt(x),
    }
}

/// An operand of an ALU in every lane, of P, B and the register; made in `made` unless B or the register is it.
fn take<'a>(
    alu: Alu,
    operand: Operand,
    made: &'a mut [u32],
    p: &[u32],
    [b, register]: [&'a [u32]; 2],
) -> &'a [u32] {
    match operand {
        Operand::B => return b,
        Operand::Register => return register,
        Operand::P => made.copy_from_slice(p),
        Operand::Constant => made.fill(alu.constant),
        Operand::One => made.fill(fp32::ONE),
        Operand::NegativeZero => made.fill(fp32::NEGATIVE_ZERO),
    }
    made
}

/// What an ALU makes of P in every lane, with B and its register.
fn apply(alu: Alu, p: &mut [u32], b: &[u32], register: &[u32]) {
    let lanes = p.len();
    let (mut of_y, mut of_z) = ([0; MAX_LANES], [0; MAX_LANES]);
    let (of_y, of_z) = (&mut of_y[..lanes], &mut of_z[..lanes]);
    let y = take(alu, alu.y, of_y, p, [b, register]);
    let mut z = take(alu, alu.z, of_z, p, [b, register]);
    let mut negated = [0; MAX_LANES];
    if alu.negate_z {
        for (negated, &z) in negated.iter_mut().zip(z) {
            *negated = fp32::neg(z);
        }
        z = &negated[..lanes];
    }
    if alu.absolute {
        p.iter_mut().for_each(|p| *p = fp32::abs(*p));
    }
    if alu.negate {
        p.iter_mut().for_each(|p| *p = fp32::neg(*p));
    }
    let mut each = |result: fn(u32, u32, u32) -> u32| {
        for ((p, &y), &z) in p.iter_mut().zip(y).zip(z) {
            *p = result(*p, y, z);
        }
    };
    const fn truth(holds: bool) -> u32 {
        if holds { fp32::ONE } else { 0 }
    }
    match alu.operation {
        AluOperation::Pass => {}
        AluOperation::Fma if alu.y == Operand::One => host::add(p, z),
        AluOperation::Fma if alu.z == Operand::NegativeZero && !alu.negate_z => host::mul(p, y),
        AluOperation::Fma => host::fma(p, y, z),
        AluOperation::Max => each(|p, y, _| fp32::max(p, y)),
        AluOperation::Min => each(|p, y, _| fp32::min(p, y)),
        AluOperation::Lt => each(|p, y, _| truth(fp32::lt(p, y))),
        AluOperation::Le => each(|p, y, _| truth(fp32::le(p, y))),
        AluOperation::Eq => each(|p, y, _| truth(fp32::eq(p, y))),
        AluOperation::Select => each(|p, y, z| match fp32::is_zero(p) || fp32::is_nan(p) {
            true => z,
            false => y,
        }),
    }
}
