//! VEC: the lines of the contract, cycles computed by hand for two ALUs.

mod bench;

use bench::words::{complete, floats, plane};
use bench::*;
use lpu_isa::QueueKind::{MemRead, Vxm};
use lpu_isa::descriptor::{
    Alu, AluOperation, Descriptor, Format, Function, Operand, Output, ResultFormat, Source,
};
use lpu_isa::instruction::vector_address;
use lpu_isa::{Operation, Stream};
use lpu_verif::{FaultCode::*, Vector};

/// Position of the vector unit behind four slices.
const VXM: isize = 4;

fn vec(a: u8, b: u8) -> Operation {
    let (a, b) = (e(a), e(b));
    Operation::Vector { a, b }
}

fn fp32_to(stream: Stream) -> Option<Output> {
    let format = ResultFormat::Fp32;
    Some(Output { format, stream })
}

fn alu(operation: AluOperation, y: Operand, z: Operand, constant: f32) -> Alu {
    Alu {
        operation,
        y,
        z,
        constant: constant.to_bits(),
        ..Alu::default()
    }
}

/// (A * 2 + 0.5) to stream w4.
fn scaled() -> Descriptor {
    let mut descriptor = Descriptor {
        source: Source::Stream(Format::Fp32),
        output: fp32_to(w(4)),
        ..Descriptor::default()
    };
    descriptor.alus[0] = alu(
        AluOperation::Fma,
        Operand::Constant,
        Operand::NegativeZero,
        2.0,
    );
    descriptor.alus[1] = alu(AluOperation::Fma, Operand::One, Operand::Constant, 0.5);
    descriptor
}

#[test]
fn a_result_drives_35_cycles_after_issue() {
    let mut b = Bench::new(complete());
    b.program.describe(3, scaled());
    let words = floats([1.0, -2.0, 0.25, 1e30, f32::MAX, 1e-45, -0.25, 0.0]);
    b.feed(20, VXM, words);
    b.op(20, Vxm, 0, vec(0, 0), vector_address(0, 3));
    let report = b.run();
    // u = 20 + 15 + 16; drives in u + 4.
    let expected = floats([2.5, -3.5, 1.0, 2e30, f32::INFINITY, 0.5, 0.0, 0.5]);
    assert_eq!(b.words_driven(55, VXM, w(4)), Some(expected));
    b.expect_faults(&report, &[]);
    // END issues in 21; the drain is vxm_latency(2) = 36 cycles.
    assert_eq!(report.cycles, 57);
}

#[test]
fn a_missing_plane_is_a_missing_operand() {
    let mut b = Bench::new(complete());
    b.program.describe(3, scaled());
    b.feed(20, VXM, [0; 8]);
    b.op(21, Vxm, 0, vec(0, 0), vector_address(0, 3));
    let report = b.run();
    b.expect_faults(&report, &[(Vxm, 0, OperandMissing, 23)]);
    assert!(b.drives().iter().all(|drive| drive.1 != VXM));
}

#[test]
fn operand_b_of_alu_1_is_sampled_16_cycles_later() {
    for (late, missing) in [(36, false), (37, true)] {
        let mut b = Bench::new(complete());
        let mut descriptor = scaled();
        descriptor.b = Some((Format::Fp32, 1));
        descriptor.alus[1] = alu(AluOperation::Fma, Operand::B, Operand::Constant, 0.5);
        b.program.describe(0, descriptor);
        b.feed(20, VXM, floats([1.5; 8]));
        b.feed(late, VXM, floats([10.0; 8]));
        b.op(20, Vxm, 0, vec(0, 0), vector_address(0, 0));
        let report = b.run();
        let expected = (!missing).then_some(floats([30.5; 8]));
        assert_eq!(b.words_driven(55, VXM, w(4)), expected);
        // B was there in 36; sampled then, a value of 37 is missing 2 cycles later.
        let faults = [(Vxm, 0, OperandMissing, 38)];
        b.expect_faults(&report, &faults[..usize::from(missing)]);
    }
}

#[test]
fn a_register_is_seen_27_cycles_later_and_by_alu_1_11_cycles_later() {
    // Row 5 becomes 3.0; A of a later pass reads it, and so does ALU 1 of another.
    for (reader, distance, seen) in [(0, 26, 0.0), (0, 27, 3.0), (1, 10, 0.0), (1, 11, 3.0)] {
        let mut b = Bench::new(complete());
        let mut writer = Descriptor {
            write: Some(1),
            ..Descriptor::default()
        };
        writer.alus[1] = alu(AluOperation::Fma, Operand::One, Operand::Constant, 3.0);
        let mut sink = Descriptor {
            source: Source::Register(if reader == 0 { 1 } else { 60 }),
            output: fp32_to(w(4)),
            ..Descriptor::default()
        };
        if reader == 1 {
            sink.alus[1] = Alu {
                offset: 1,
                ..alu(AluOperation::Fma, Operand::One, Operand::Register, 0.0)
            };
        }
        b.program.describe(0, writer);
        b.program.describe(1, sink);
        b.op(0, Vxm, 0, vec(0, 0), vector_address(4, 0));
        b.op(distance, Vxm, 0, vec(0, 0), vector_address(4, 1));
        b.run();
        let driven = b.words_driven(distance + 35, VXM, w(4));
        assert_eq!(driven, Some(floats([seen; 8])), "{reader} {distance}");
        assert_eq!(b.machine.vector_register(5), Some(&floats([3.0; 8])[..]));
    }
}

#[test]
fn a_fixed_register_does_not_move_with_the_row() {
    let mut b = Bench::new(complete());
    // Register 6 becomes 5.0 and register 9 becomes 2.0; a pass in row 9 multiplies its row by register 6.
    for (index, row, value) in [(0, 6, 5.0), (1, 9, 2.0)] {
        let mut writer = Descriptor {
            write: Some(row),
            ..Descriptor::default()
        };
        writer.alus[1] = alu(AluOperation::Fma, Operand::One, Operand::Constant, value);
        b.program.describe(index, writer);
        b.op(
            index as u64,
            Vxm,
            0,
            vec(0, 0),
            vector_address(0, index as u16),
        );
    }
    let mut product = Descriptor {
        output: fp32_to(w(4)),
        ..Descriptor::default()
    };
    product.alus[0] = Alu {
        offset: 6,
        fixed: true,
        ..alu(
            AluOperation::Fma,
            Operand::Register,
            Operand::NegativeZero,
            0.0,
        )
    };
    b.program.describe(2, product);
    b.op(40, Vxm, 0, vec(0, 0), vector_address(9, 2));
    b.run();
    assert_eq!(b.words_driven(75, VXM, w(4)), Some(floats([10.0; 8])));
}

#[test]
fn rows_wrap_and_a_row_past_the_end_is_recorded() {
    let mut b = Bench::new(complete());
    let mut descriptor = Descriptor {
        write: Some(60),
        ..Descriptor::default()
    };
    descriptor.alus[1] = alu(AluOperation::Fma, Operand::One, Operand::Constant, 7.0);
    b.program.describe(0, descriptor);
    b.op(3, Vxm, 0, vec(0, 0), vector_address(70, 0));
    let report = b.run();
    // 70 mod 64 + 60 mod 64 = 2.
    assert_eq!(b.machine.vector_register(2), Some(&floats([7.0; 8])[..]));
    b.expect_faults(&report, &[(Vxm, 0, AddressRange, 3)]);
}

#[test]
fn the_special_function_stands_behind_alu_0() {
    for (function, x, result) in [
        (Function::Exp2, 3.0, 8.0),
        (Function::Rcp, 4.0, 0.25),
        (Function::Rsqrt, 16.0, 0.25),
    ] {
        let mut b = Bench::new(complete());
        let mut descriptor = scaled();
        descriptor.function = function;
        descriptor.alus[0] = Alu::default();
        descriptor.alus[1] = alu(
            AluOperation::Max,
            Operand::Constant,
            Operand::Constant,
            -5.0,
        );
        b.program.describe(9, descriptor);
        b.feed(20, VXM, floats([x; 8]));
        b.op(20, Vxm, 0, vec(3, 0), vector_address(0, 9));
        b.run();
        assert_eq!(b.words_driven(55, VXM, w(4)), Some(floats([result; 8])));
    }
}

#[test]
fn bytes_and_planes_of_results() {
    use ResultFormat::*;
    let a = Vector::encode_i8(&[0, 1, -1, 100, -128, 127, 50, -3]);
    let times = |k: i32| {
        a.lanes(8)
            .iter()
            .map(|&lane| i32::from(lane as i8) * k)
            .collect::<Vec<_>>()
    };
    for (format, streams) in [(Int8, 1), (Int16, 2), (Int32, 4)] {
        let mut b = Bench::new(complete());
        let mut descriptor = scaled();
        descriptor.source = Source::Stream(Format::Int8);
        descriptor.alus[0].constant = 300f32.to_bits();
        descriptor.alus[1] = Alu::default();
        let stream = e(5);
        descriptor.output = Some(Output { format, stream });
        b.program.describe(0, descriptor);
        b.machine.write_sram(3, 0, &a);
        b.op(7, MemRead, 3, read(w(6)), 0);
        b.op(17, MemRead, 3, read(e(6)), 0);
        b.op(20, Vxm, 0, vec(6, 0), vector_address(0, 0));
        b.run();
        let drives: Vec<_> = b
            .drives()
            .into_iter()
            .filter(|drive| drive.1 == VXM)
            .collect();
        assert_eq!(drives.len(), streams, "{format:?}");
        // int8 on stream 5, int16 on 4 and 5, int32 on 4 to 7.
        let first = if streams == 1 { 5 } else { 4 };
        for (i, drive) in drives.iter().enumerate() {
            assert_eq!((drive.0, drive.2), (55, e(first + i as u8)));
        }
        let byte = |plane: usize, lane: usize| i32::from(drives[plane].3.lane(lane) as i8);
        for (lane, &value) in times(300).iter().enumerate() {
            match format {
                Int8 => assert_eq!(byte(0, lane), value.clamp(-128, 127)),
                Int16 => {
                    let sum = 256 * byte(1, lane) + byte(0, lane);
                    assert_eq!(sum, value.clamp(-32640, 32639));
                }
                _ => {
                    let bytes = [0, 1, 2, 3].map(|plane| drives[plane].3.lane(lane));
                    assert_eq!(i32::from_le_bytes(bytes), value);
                }
            }
        }
    }
}

#[test]
fn operands_are_corrected_and_counted_on_the_unit() {
    let mut b = Bench::new(complete());
    b.program.describe(3, scaled());
    b.feed(20, VXM, floats([1.0; 8]));
    b.machine
        .write_sram(2, 0, &plane(floats([1.0; 8]), 2).with_flip(0, 17));
    b.op(20, Vxm, 0, vec(0, 0), vector_address(0, 3));
    let report = b.run();
    assert_eq!(b.words_driven(55, VXM, w(4)), Some(floats([2.5; 8])));
    assert_eq!(report.ecc[b.id(Vxm, 0)].corrected, 1);
    b.expect_faults(&report, &[]);

    let mut b = Bench::new(complete());
    b.program.describe(3, scaled());
    b.feed(20, VXM, floats([1.0; 8]));
    let wrong = plane(floats([1.0; 8]), 2).with_flip(0, 17).with_flip(0, 18);
    b.machine.write_sram(2, 0, &wrong);
    b.op(20, Vxm, 0, vec(0, 0), vector_address(0, 3));
    let report = b.run();
    assert_eq!(report.ecc[b.id(Vxm, 0)].uncorrectable, 1);
    b.expect_faults(&report, &[(Vxm, 0, EccUncorrectable, 24)]);
}

#[test]
fn a_drive_over_a_flowing_value_collides() {
    let mut b = Bench::new(complete());
    let mut descriptor = scaled();
    descriptor.output = fp32_to(e(0));
    b.program.describe(3, descriptor);
    b.feed(20, VXM, floats([1.0; 8]));
    b.op(20, Vxm, 0, vec(0, 0), vector_address(0, 3));
    // A value that the unit sees on e2 in 55, the drive cycle.
    b.op(52, MemRead, 3, read(e(2)), 0);
    let report = b.run();
    b.expect_faults(&report, &[(Vxm, 0, StreamCollision, 55)]);
}
