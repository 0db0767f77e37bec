//! Descriptors and permutation tables for random programs.

use lpu_isa::descriptor::{
    Alu, AluOperation, Format, Function, MAX_ALUS, Operand, Output, ResultFormat, Source,
};
use lpu_isa::{Config, Descriptor, Program, Stream};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Descriptors that a program brings: enough to differ, few enough to meet.
pub const DRAWN_DESCRIPTORS: u16 = 6;

fn format() -> impl Strategy<Value = Format> + Clone {
    select(vec![
        Format::Int8,
        Format::Int8,
        Format::E4m3,
        Format::Fp32,
        Format::Int32,
    ])
}

/// FP32 constants: numbers that meet, ends of ranges, anything.
fn constant() -> impl Strategy<Value = u32> + Clone {
    prop_oneof![
        4 => select(vec![0x3f80_0000u32, 0x4000_0000, 0xbf80_0000, 0x3b80_0000, 0x0000_0000]),
        1 => select(vec![0x7f80_0000u32, 0xff80_0000, 0x7fc0_0001, 0x0000_0001, 0x8000_0000]),
        1 => any::<u32>(),
    ]
}

fn alu() -> impl Strategy<Value = Alu> {
    use AluOperation::*;
    use Operand::*;
    let operation = select(vec![Pass, Fma, Fma, Fma, Max, Min, Lt, Le, Eq, Select]);
    let operand = || select(vec![Constant, B, Register, P, One, NegativeZero]);
    let parts = (operation, operand(), operand(), any::<[bool; 4]>());
    (parts, 0u16..6, constant()).prop_map(|((operation, y, z, signs), offset, constant)| Alu {
        operation,
        y,
        z,
        absolute: signs[0],
        negate: signs[1],
        negate_z: signs[2],
        offset,
        fixed: signs[3],
        constant,
    })
}

/// A pass for a machine with `alus` ALUs, whose result drives one of the streams of `stream`.
pub fn descriptor<S: Strategy<Value = Stream>>(
    alus: usize,
    stream: S,
) -> impl Strategy<Value = Descriptor> + use<S> {
    use ResultFormat::*;
    let source = prop_oneof![
        1 => (0u16..6).prop_map(Source::Register),
        3 => format().prop_map(Source::Stream),
    ];
    let b = proptest::option::of((format(), 0..alus.min(2) as u8));
    let function = select(vec![
        Function::Pass,
        Function::Exp2,
        Function::Rcp,
        Function::Rsqrt,
    ]);
    let result = (select(vec![Fp32, Int32, Int8, E4m3, Int16, E2m1]), stream)
        .prop_map(|(format, stream)| Output { format, stream });
    let write = proptest::option::of(0u16..6);
    let parts = (source, b, function, write);
    let output = proptest::option::weighted(0.8, result);
    (parts, vec(alu(), alus), output).prop_map(|((source, b, function, write), alus, output)| {
        let mut chain = [Alu::default(); MAX_ALUS];
        chain[..alus.len()].copy_from_slice(&alus);
        // An ALU that takes no B has none.
        for (j, alu) in chain.iter_mut().enumerate() {
            for operand in [&mut alu.y, &mut alu.z] {
                if *operand == Operand::B && b.is_none_or(|(_, taker)| usize::from(taker) != j) {
                    *operand = Operand::Register;
                }
            }
        }
        Descriptor {
            source,
            b,
            function,
            alus: chain,
            write,
            output,
        }
    })
}

/// What a program brings besides instructions.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    descriptors: Vec<Descriptor>,
    maps: Vec<Vec<u8>>,
}

impl Tables {
    /// Adds them to a program.
    pub fn bring(self, program: &mut Program) {
        for (index, descriptor) in self.descriptors.into_iter().enumerate() {
            program.describe(index, descriptor);
        }
        for (index, map) in self.maps.into_iter().enumerate() {
            program.map(index, map);
        }
    }
}

/// Tables for the units that the machine has.
pub fn tables<S: Strategy<Value = Stream> + Clone>(
    config: &Config,
    stream: S,
) -> impl Strategy<Value = Tables> + use<S> {
    let (alus, descriptors) = match &config.vxm {
        Some(vxm) => (vxm.alus, usize::from(DRAWN_DESCRIPTORS)),
        None => (1, 0),
    };
    let maps = config.sxm.as_ref().map_or(0, |sxm| sxm.maps);
    let lane = prop_oneof![8 => 0..config.lanes as u8, 1 => any::<u8>()];
    (
        vec(descriptor(alus, stream), descriptors),
        vec(vec(lane, config.lanes), maps),
    )
        .prop_map(|(descriptors, maps)| Tables { descriptors, maps })
}
