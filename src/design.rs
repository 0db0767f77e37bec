//! The Verilog of a tile, as text and as a design to simulate.

use lpu_gen::{EmitError, EmitOptions, Emitted};
use lpu_isa::Config;
use lpu_sim::Design;

/// Name of the top module.
pub const TOP: &str = "lpu_tile";
/// Module that holds the datapath of a MEM slice.
const MEM_MODULE: &str = "lpu_slice_datapath";
/// Module of a MXM plane.
const MXM_MODULE: &str = "lpu_mxm_plane";

/// Signals of a MEM slice that the scoreboard watches.
pub(crate) const MEM_SIGNALS: [&str; 9] = [
    "out_read_start",
    "out_drive_valid",
    "out_drive_stream",
    "out_drive_data",
    "out_drive_check",
    "out_write_valid",
    "out_write_address",
    "out_write_data",
    "out_write_check",
];

/// Emits the tile of this configuration.
pub fn emit(config: &Config) -> Result<Emitted, EmitError> {
    let options = EmitOptions {
        configuration_hash: config.hash(),
        ..EmitOptions::new(TOP)
    };
    lpu_gen::emit(&*lpu_hdl::build_tile(config), &options)
}

/// The tile as a design to simulate, with the scoreboard's signals observable.
pub fn design(config: &Config, emitted: &Emitted) -> Design {
    let mut design = Design::new(TOP).waive(emitted.lint_waivers());
    for module in &emitted.modules {
        design = design.source(&module.file_name, &module.text);
    }
    for slice in 0..config.mem.slices {
        for signal in MEM_SIGNALS {
            design = design.observe(mem_path(slice, signal), MEM_MODULE);
        }
    }
    for plane in 0..config.mxm.planes {
        for signal in mxm_signals() {
            design = design.observe(mxm_path(plane, &signal), MXM_MODULE);
        }
    }
    design
}

/// The signals of a plane that the scoreboard watches: enable, first stream, then data and check bits of each byte plane.
pub(crate) fn mxm_signals() -> impl Iterator<Item = String> {
    let planes = (0..4).flat_map(|b| [format!("data_{b}"), format!("check_{b}")]);
    let names = ["enable".to_owned(), "stream".to_owned()]
        .into_iter()
        .chain(planes);
    names.map(|name| format!("out_result_{name}"))
}

/// Path of a signal of the datapath of a MEM slice.
pub(crate) fn mem_path(slice: usize, signal: &str) -> String {
    format!("{TOP}.mem_{slice}.datapath.{signal}")
}

/// Path of a signal of a MXM plane.
pub(crate) fn mxm_path(plane: usize, signal: &str) -> String {
    format!("{TOP}.mxm_{plane}.{signal}")
}
