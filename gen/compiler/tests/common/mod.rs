//! What the functional tests share.

use lpu_isa::Config;
use lpu_isa::config::{IcuConfig, MemConfig, MxmConfig, MxmFormat, SxmConfig, VxmConfig};
use proptest::prelude::*;

/// Reproducible bytes that show every sign.
pub fn bytes(count: usize, seed: u64) -> Vec<i8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as i8
    };
    (0..count).map(|_| next()).collect()
}

/// The product by definition.
pub fn naive(m: usize, k: usize, n: usize, a: &[i8], b: &[i8]) -> Vec<i32> {
    let dot = |row: usize, column: usize| -> i32 {
        let term = |i: usize| i32::from(a[row * k + i]) * i32::from(b[i * n + column]);
        (0..k).map(term).sum()
    };
    (0..m)
        .flat_map(|row| (0..n).map(move |column| dot(row, column)))
        .collect()
}

/// Machines off the presets.
pub fn config() -> impl Strategy<Value = Config> {
    let shape = (3u32..5, 1usize..5, 4usize..18, 4u32..9, 1usize..4);
    let mxm = (0u32..4, 1u32..6, 1u32..6, 4u32..8);
    let vxm = proptest::option::of(Just(VxmConfig {
        alus: 2,
        registers: 16,
    }));
    let sxm = proptest::option::of(Just(SxmConfig { maps: 2 }));
    let formats = prop::sample::select(vec![
        vec![],
        vec![MxmFormat::E4m3],
        vec![MxmFormat::Nvfp4],
        MxmFormat::ALL.to_vec(),
    ]);
    (shape, mxm, vxm, sxm, formats).prop_filter_map(
        "valid",
        |(shape, (width, accumulators, operands, queue), vxm, sxm, formats)| {
            let (lanes, streams, slices, depth, planes) = shape;
            let config = Config {
                name: "random".to_owned(),
                lanes: 1 << lanes,
                streams: 4 * streams,
                mem: MemConfig {
                    slices,
                    depth: 1 << depth,
                    indirect: true,
                },
                mxm: MxmConfig {
                    planes,
                    weight_streams: 1 << width,
                    accumulator_depth: 1 << accumulators,
                    operand_depth: 1 << operands,
                    formats,
                },
                vxm,
                sxm,
                c2c: None,
                icu: IcuConfig {
                    queue_depth: 1 << queue,
                },
            };
            config.validate().is_ok().then_some(config)
        },
    )
}
