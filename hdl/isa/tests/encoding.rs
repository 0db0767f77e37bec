//! Instruction words against a table written by hand from `docs/machine.md`, and text round trips.

use lpu_isa::asm::{assemble, disassemble, parse_instruction};
use lpu_isa::config::{SxmConfig, VxmConfig};
use lpu_isa::descriptor::{
    Alu, AluOperation, Format, Function, Operand, Output, ResultFormat, Source,
};
use lpu_isa::{AccMode, Config, Descriptor, Instruction, Operation, Program, Repeat, Stream};
use proptest::prelude::*;

/// Text and word. Fields from the left: stride1, interval1, interval0, count1-1, count0-1, address,
/// then stride0 (3 digits), stream2 / stream / flags / opcode in the low 20 bits.
#[allow(
    clippy::unusual_byte_groupings,
    reason = "groups are the fields of the word"
)]
const TABLE: &[(&str, u128)] = &[
    ("nop 1", 0x0000_00001_000_0000_0000_0000_000_00000),
    ("nop 1048575", 0x0000_fffff_000_0000_0000_0000_000_00000),
    ("read e0, 0x0000", 0x0000_00001_001_0000_0000_0000_000_00001),
    ("read e8, 0x1234", 0x0000_00001_001_0000_0000_1234_000_00801),
    (
        "read w31, 0xffff",
        0x0000_00001_001_0000_0000_ffff_000_03f01,
    ),
    (
        "gather e3, w2, 0x0010",
        0x0000_00001_001_0000_0000_0010_000_88302,
    ),
    (
        "write w5, 0x0020",
        0x0000_00001_001_0000_0000_0020_000_02503,
    ),
    (
        "scatter w5, e1, 0x0020",
        0x0000_00001_001_0000_0000_0020_000_06504,
    ),
    (
        "lw.row e8, 0x0000",
        0x0000_00001_001_0000_0000_0000_000_00805,
    ),
    (
        "lw.column e0, 0x0004",
        0x0000_00001_001_0000_0000_0004_000_00015,
    ),
    (
        "lw.row.iw e0, 0x0000",
        0x0000_00001_001_0000_0000_0000_000_00025,
    ),
    (
        "lw.column.iw e0, 0x0000",
        0x0000_00001_001_0000_0000_0000_000_00035,
    ),
    ("iw", 0x0000_00001_001_0000_0000_0000_000_00006),
    ("lx e9, 0x003f", 0x0000_00001_001_0000_0000_003f_000_00907),
    ("mm e10", 0x0000_00001_001_0000_0000_0000_000_00a08),
    (
        "mm.buffer 0x0002",
        0x0000_00001_001_0000_0000_0002_000_00018,
    ),
    // stream2 e4 is 0x10000 here, flag 0 of LX is 0x10, flag 1 of MM 0x20.
    (
        "lx.scaled e3, e4, 0x0007",
        0x0000_00001_001_0000_0000_0007_000_10317,
    ),
    (
        "mm.scaled e3, e4",
        0x0000_00001_001_0000_0000_0000_000_10328,
    ),
    (
        "mm.scaled e31, e0, 0x0102",
        0x0000_00001_001_0000_0000_0102_000_01f28,
    ),
    (
        "mm.buffer.scaled 0x0002",
        0x0000_00001_001_0000_0000_0002_000_00038,
    ),
    ("acc w4, 0x0000", 0x0000_00001_001_0000_0000_0000_000_02409),
    (
        "acc.init_inner.emit_outer w0, 0x0001",
        0x0000_00001_001_0000_0000_0001_000_02099,
    ),
    (
        "acc.init.emit w0, 0x0001",
        0x0000_00001_001_0000_0000_0001_000_020f9,
    ),
    (
        "acc.init_outer.emit_inner w0, 0x0000",
        0x0000_00001_001_0000_0000_0000_000_02069,
    ),
    (
        "vec w4, e12, d5, r9 repeat 16, 1, 1",
        0x0000_00001_001_0000_000f_1409_001_3240a,
    ),
    (
        "lanes.rotate e3, w2, 7",
        0x0000_00001_001_0000_0000_2007_000_8830b,
    ),
    (
        "lanes.permute.word e4, e8, 3",
        0x0000_00001_001_0000_0000_4003_000_2044b,
    ),
    (
        "lanes.9 e0, e0, 4095",
        0x0000_00001_001_0000_0000_9fff_000_0000b,
    ),
    (
        "tload w1, 0x000a",
        0x0000_00001_001_0000_0000_000a_000_0211b,
    ),
    (
        "tstore e2, 0x0005",
        0x0000_00001_001_0000_0000_0005_000_0802b,
    ),
    (
        "reduce.argmax e4, w8",
        0x0000_00001_001_0000_0000_0002_000_a043b,
    ),
    (
        "reduce.77 w0, e0",
        0x0000_00001_001_0000_0000_004d_000_0203b,
    ),
    ("send w3", 0x0000_00001_001_0000_0000_0000_000_0238b),
    (
        "receive e5 repeat 9, 1, 0",
        0x0000_00001_001_0000_0008_0000_000_0059b,
    ),
    (
        "receive.word e8 repeat 4, 1, 0",
        0x0000_00001_001_0000_0003_0000_000_008bb,
    ),
    (
        "send w31, 0x0102",
        0x0000_00001_001_0000_0000_0102_000_03f8b,
    ),
    ("config 0, 4", 0x0000_00000_000_0000_0000_0004_000_0000c),
    ("config 1, 2", 0x0000_00000_000_0000_0000_0002_000_0010c),
    // Flags 12 and 14 of opcode 11; the wait is the address.
    ("deskew", 0xcb),
    (
        "runtime_deskew 60",
        0x0000_00000_000_0000_0000_003c_000_000eb,
    ),
    (
        "runtime_deskew 65535",
        0x0000_00000_000_0000_0000_ffff_000_000eb,
    ),
    ("notify", 0xd),
    ("sync", 0xe),
    ("end", 0xf),
    (
        "read e0, 0x0000 repeat 512, 1, 1",
        0x0000_00001_001_0000_01ff_0000_001_00001,
    ),
    (
        "read e0, 0x0000 repeat 4, 3, -1",
        0x0000_00001_003_0000_0003_0000_fff_00001,
    ),
    (
        "write w0, 0x0000 repeat 2, 3, 4 repeat 5, 100, 65534",
        0xfffe_00064_003_0004_0001_0000_004_02003,
    ),
];

#[test]
fn words_match_the_table() {
    for (text, word) in TABLE {
        let instruction = parse_instruction(text).unwrap();
        assert_eq!(
            instruction.encode(),
            *word,
            "{text}: {:#034x}",
            instruction.encode()
        );
        assert_eq!(Instruction::decode(*word).unwrap(), instruction, "{text}");
        assert_eq!(instruction.to_string(), *text);
    }
}

#[test]
fn an_outer_interval_shorter_than_the_inner_repeat_is_refused() {
    let error =
        parse_instruction("mm e1 repeat 65536, 4095, 0 repeat 2, 1048575, 65535").unwrap_err();
    assert!(error.contains("outer interval"), "{error}");
}

#[test]
fn words_that_no_instruction_makes_are_refused() {
    // A flag of VEC, a stream that TLOAD does not have, scales of an LX without the flag, westward scales.
    for (text, bit) in [
        ("vec w0, w0, d0, r0", 5),
        ("tload w1, 0x000a", 14),
        ("send w3", 5),
        ("send w3", 6),
        ("deskew", 32),
        ("deskew", 92),
        ("runtime_deskew 9", 4),
        ("runtime_deskew 9", 8),
        ("receive e3", 13),
        ("receive e3", 6),
        ("send w4", 5),
        ("receive e3", 14),
        ("lx e3, 0x0001", 14),
        ("mm.scaled e3, e4", 19),
        ("mm.buffer.scaled 0x0001", 14),
    ] {
        let word = parse_instruction(text).unwrap().encode();
        assert!(Instruction::decode(word | 1 << bit).is_err());
    }
    assert!(Instruction::decode(0xf | 1 << 100).is_err());
    #[allow(
        clippy::unusual_byte_groupings,
        reason = "groups are the fields of the word"
    )]
    let repeated_once_with_stride = 0x0000_00001_001_0000_0000_0000_001_00001;
    assert!(Instruction::decode(repeated_once_with_stride).is_err());
}

fn operation() -> impl Strategy<Value = Operation> {
    let stream = (any::<bool>(), 0u8..32).prop_map(|(westward, index)| Stream { westward, index });
    let mode = prop::sample::select(vec![
        AccMode::Never,
        AccMode::Inner,
        AccMode::Outer,
        AccMode::Always,
    ]);
    prop_oneof![
        stream.clone().prop_map(|stream| Operation::Read { stream }),
        stream
            .clone()
            .prop_map(|stream| Operation::Write { stream }),
        (stream.clone(), stream.clone())
            .prop_map(|(stream, offset)| Operation::Gather { stream, offset }),
        (stream.clone(), stream.clone())
            .prop_map(|(stream, offset)| Operation::Scatter { stream, offset }),
        (stream.clone(), stream.clone()).prop_map(|(a, b)| Operation::Vector { a, b }),
        (stream.clone(), stream.clone(), any::<bool>())
            .prop_map(|(from, to, word)| Operation::Lanes { from, to, word }),
        stream
            .clone()
            .prop_map(|from| Operation::TransposeLoad { from }),
        stream
            .clone()
            .prop_map(|to| Operation::TransposeStore { to }),
        (stream.clone(), stream).prop_map(|(from, to)| Operation::Reduce { from, to }),
        (0u8..32, any::<bool>(), any::<bool>()).prop_map(|(stream, column, install)| {
            Operation::LoadWeights {
                stream,
                column,
                install,
            }
        }),
        Just(Operation::InstallWeights),
        (0u8..32).prop_map(|stream| Operation::Send { stream }),
        (0u8..32, any::<bool>()).prop_map(|(stream, word)| Operation::Receive { stream, word }),
        (0u8..32, prop::option::of(0u8..32))
            .prop_map(|(stream, scales)| Operation::LoadOperand { stream, scales }),
        (0u8..32, prop::option::of(0u8..32))
            .prop_map(|(stream, scales)| Operation::MultiplyStream { stream, scales }),
        any::<bool>().prop_map(|scaled| Operation::MultiplyBuffer { scaled }),
        (0u8..32, mode.clone(), mode)
            .prop_map(|(stream, init, emit)| { Operation::Accumulate { stream, init, emit } }),
    ]
}

/// `nano` with vector unit and switch unit.
fn complete() -> Config {
    let mut config = Config::preset("nano").unwrap();
    let (alus, registers) = (2, 64);
    config.vxm = Some(VxmConfig { alus, registers });
    config.sxm = Some(SxmConfig { maps: 4 });
    config
}

/// A descriptor for a machine with `alus` ALUs.
fn descriptor(alus: usize) -> impl Strategy<Value = Descriptor> {
    use Operand::*;
    let format = || {
        prop::sample::select(vec![
            Format::Fp32,
            Format::Int32,
            Format::Int8,
            Format::E4m3,
        ])
    };
    let operand = || prop::sample::select(vec![Constant, B, Register, P, One, NegativeZero]);
    let operations = ["pass", "fma", "max", "min", "lt", "le", "eq", "select"];
    let operation = prop::sample::select(operations.to_vec())
        .prop_map(|name| AluOperation::named(name).unwrap());
    let alu = (
        operation,
        operand(),
        operand(),
        any::<[bool; 4]>(),
        0u16..1024,
        any::<u32>(),
    )
        .prop_map(
            |(operation, y, z, [absolute, negate, negate_z, fixed], offset, constant)| Alu {
                operation,
                y,
                z,
                absolute,
                negate,
                negate_z,
                offset,
                fixed,
                constant,
            },
        );
    let source = prop_oneof![
        (0u16..1024).prop_map(Source::Register),
        format().prop_map(Source::Stream),
    ];
    let results = ["fp32", "int32", "int8", "e4m3", "int16", "e2m1"];
    let output = (
        prop::sample::select(results.to_vec()),
        any::<bool>(),
        0u8..32,
    )
        .prop_map(|(name, westward, index)| Output {
            format: ResultFormat::named(name).unwrap(),
            stream: Stream { westward, index },
        });
    let function = prop::sample::select(vec!["pass", "exp2", "rcp", "rsqrt"]);
    (
        source,
        prop::option::of((format(), 0u8..2)),
        function,
        prop::collection::vec(alu, alus),
        prop::option::of(0u16..1024),
        prop::option::of(output),
    )
        .prop_map(|(source, b, function, alus, write, output)| {
            let mut descriptor = Descriptor {
                source,
                b,
                function: Function::named(function).unwrap(),
                write,
                output,
                ..Descriptor::default()
            };
            descriptor.alus[..alus.len()].copy_from_slice(&alus);
            descriptor
        })
}

fn instruction() -> impl Strategy<Value = Instruction> {
    let repeat = (
        1u32..=300,
        1u16..=100,
        -2048i16..=2047,
        1u32..=65536,
        0u32..=1000,
        any::<u16>(),
    );
    let repeat = repeat.prop_map(
        |(count0, interval0, stride0, count1, gap, stride1)| Repeat {
            count0,
            interval0,
            stride0,
            count1,
            interval1: (count0 - 1) * interval0 as u32 + 1 + gap,
            stride1,
        },
    );
    prop_oneof![
        4 => (operation(), any::<u16>(), repeat)
            .prop_map(|(operation, address, repeat)| Instruction::repeated(operation, address, repeat)),
        1 => (1u32..1 << 20).prop_map(|cycles| Instruction::Nop { cycles }),
        1 => (0u8..64, any::<u16>()).prop_map(|(register, value)| Instruction::Config { register, value }),
        1 => Just(Instruction::Deskew),
        1 => (1u16..).prop_map(|wait| Instruction::RuntimeDeskew { wait }),
    ]
}

proptest! {
    #[test]
    fn words_and_text_round_trip(instruction in instruction()) {
        prop_assert_eq!(Instruction::decode(instruction.encode()).unwrap(), instruction);
        prop_assert_eq!(parse_instruction(&instruction.to_string()).unwrap(), instruction);
    }

    #[test]
    fn programs_round_trip(instructions in prop::collection::vec(instruction(), 0..20)) {
        let config = Config::preset("nano").unwrap();
        let mut program = Program::new(&config);
        for (i, instruction) in instructions.into_iter().enumerate() {
            program.push(i % config.num_queues(), instruction);
        }
        let text = disassemble(&config, &program);
        prop_assert_eq!(assemble(&config, "test", &text).unwrap(), program);
    }

    #[test]
    fn descriptors_round_trip(words in prop::collection::vec(descriptor(2), 1..5), map in prop::collection::vec(any::<u8>(), 8)) {
        let config = complete();
        let mut program = Program::new(&config);
        for (index, descriptor) in words.into_iter().enumerate() {
            prop_assert_eq!(Descriptor::decode(&descriptor.encode(2)), Ok(descriptor));
            program.describe(63 - index, descriptor);
        }
        program.map(1, map);
        let text = disassemble(&config, &program);
        prop_assert_eq!(assemble(&config, "test", &text).unwrap(), program);
    }

    #[test]
    fn any_text_is_refused_politely(text in "\\PC{0,60}") {
        let _ = parse_instruction(&text);
        let _ = assemble(&Config::preset("nano").unwrap(), "test", &text);
    }
}

#[test]
fn assembler_errors_point_at_the_line() {
    let config = Config::preset("nano").unwrap();
    let render = |text: &str| {
        let error = assemble(&config, "program.lpu", text).unwrap_err();
        let mut out = String::new();
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none())
            .render_report(&mut out, &error)
            .unwrap();
        out
    };
    insta::assert_snapshot!(
        "unknown_instruction",
        render(".queue mem0.read\n  raed e0, 1 ; typo\n")
    );
    insta::assert_snapshot!("unknown_queue", render(".queue mem99.read\n"));
    insta::assert_snapshot!("out_of_range", render(".queue mem0.read\nread e0, 70000\n"));
    insta::assert_snapshot!(
        "short_interval",
        render(".queue mem0.read\nread e0, 0 repeat 4, 2, 1 repeat 2, 5, 0\n")
    );
    insta::assert_snapshot!("no_queue", render("end\n"));
    insta::assert_snapshot!("no_vector_unit", render(".descriptor 0\n"));
    let config = complete();
    let render = |text: &str| {
        assemble(&config, "program.lpu", text)
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(
        "descriptors",
        [
            render(".descriptor 64"),
            render(".descriptor 1\n  a int4"),
            render(".descriptor 1\n  b int8 2"),
            render(".descriptor 1\n  alu 2 pass k, k"),
            render(".descriptor 1\n  alu 0 fma.sgn k, k"),
            render(".descriptor 1\n  alu 0 fma k, k r"),
            render(".descriptor 1\n  out int4 e0"),
            render(".descriptor 1\n  mem0.read"),
            render(".map 4 0, 1, 2, 3, 4, 5, 6, 7"),
            render(".map 0 0, 1, 2"),
            render(".queue vxm\n vec e0, e0, 3, r1"),
            render(".queue vxm\n vec e0, e0, d64, r1"),
            render(".queue sxm\n lanes.spin e0, e0, 1"),
            render(".queue sxm\n reduce e0, e0"),
            render(".queue sxm\n reduce.median e0, e0"),
        ]
        .join("\n")
    );
}
