//! The configurations that ship with the toolkit.

use super::{Config, IcuConfig, MemConfig, MxmConfig, MxmFormat, SxmConfig, VxmConfig};

/// Names of the presets, smallest first.
pub const PRESETS: [&str; 4] = ["nano", "edge", "proto", "wide"];

/// A preset, with the formats that suffixes of its name add.
pub(super) fn preset(name: &str) -> Option<Config> {
    let mut parts = name.split('+');
    let mut config = plain(parts.next()?)?;
    config.mxm.formats = parts.map(MxmFormat::named).collect::<Option<_>>()?;
    name.clone_into(&mut config.name);
    // One name for each machine: suffixes in another order, or twice, are none.
    config.validate().is_ok().then_some(config)
}

fn plain(name: &str) -> Option<Config> {
    let (lanes, streams, slices, depth, weight_streams, accumulators, operands, queue) = match name
    {
        "nano" => (8, 8, 4, 2048, 4, 64, 64, 256),
        "edge" => (16, 16, 8, 4096, 8, 128, 64, 512),
        "proto" => (32, 16, 8, 8192, 8, 512, 512, 2048),
        "wide" => (64, 32, 16, 8192, 16, 512, 64, 512),
        _ => return None,
    };
    // The smallest machine multiplies only, and so does the largest, which is there for its width.
    let complete = matches!(name, "edge" | "proto");
    Some(Config {
        name: name.to_owned(),
        lanes,
        streams,
        mem: MemConfig {
            slices,
            depth,
            indirect: true,
        },
        mxm: MxmConfig {
            planes: 1,
            weight_streams,
            accumulator_depth: accumulators,
            operand_depth: operands,
            formats: Vec::new(),
        },
        vxm: complete.then_some(VxmConfig {
            alus: 2,
            registers: 256,
        }),
        sxm: complete.then_some(SxmConfig { maps: 16 }),
        c2c: None,
        icu: IcuConfig { queue_depth: queue },
    })
}
