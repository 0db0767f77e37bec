//! Small legal configurations.

use lpu_isa::Config;
use lpu_isa::config::{C2cConfig, MxmFormat, SxmConfig, VxmConfig};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A machine that is quick to simulate; every field varies and the result is valid.
pub fn config() -> impl Strategy<Value = Config> {
    let shape = (
        prop_oneof![3 => Just(8usize), 1 => Just(16)],
        select(vec![4usize, 8, 12, 16]),
        1usize..=5,
        select(vec![16usize, 32, 64]),
        1usize..=2,
        prop_oneof![3 => Just(true), 1 => Just(false)],
    );
    let depths = (
        0u32..=3,
        select(vec![2usize, 4, 8]),
        select(vec![2usize, 4, 8]),
        select(vec![64usize, 128]),
    );
    let vxm = (1usize..=4, select(vec![16usize, 32]))
        .prop_map(|(alus, registers)| VxmConfig { alus, registers });
    let sxm = select(vec![2usize, 8]).prop_map(|maps| SxmConfig { maps });
    let c2c = (1usize..=2).prop_map(|links| C2cConfig { links });
    let units = (option::of(vxm), option::of(sxm), option::weighted(0.3, c2c));
    let formats = select(vec![
        vec![],
        vec![],
        vec![MxmFormat::E4m3],
        vec![MxmFormat::Nvfp4],
        MxmFormat::ALL.to_vec(),
    ]);
    (shape, depths, units, formats).prop_map(|(shape, depths, units, formats)| {
        let (lanes, streams, slices, depth, planes, indirect) = shape;
        let (weight_streams, accumulators, operands, queue) = depths;
        let mut config = Config::preset("nano").expect("a preset");
        "random".clone_into(&mut config.name);
        (config.lanes, config.streams) = (lanes, streams);
        (config.mem.slices, config.mem.depth) = (slices, depth);
        config.mem.indirect = indirect;
        config.mxm.planes = planes;
        // W is a power of two that divides S and is at most L.
        let most = streams.trailing_zeros().min(lanes.trailing_zeros());
        config.mxm.weight_streams = 1 << weight_streams.min(most);
        config.mxm.accumulator_depth = accumulators;
        config.mxm.operand_depth = operands;
        config.icu.queue_depth = queue;
        (config.vxm, config.sxm, config.c2c) = units;
        config.mxm.formats = formats;
        config
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn configurations_are_valid(config in super::config()) {
            prop_assert!(config.validate().is_ok(), "{:?}", config.validate());
        }
    }
}
