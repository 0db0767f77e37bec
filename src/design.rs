//! The Verilog of a tile, as text and as a design to simulate.

use lpu_gen::{EmitError, EmitOptions, Emitted};
use lpu_isa::Config;
use lpu_isa::c2c::Shape;
use lpu_sim::Design;

/// Name of the top module.
pub const TOP: &str = "lpu_tile";
/// Name of the top module behind AXI.
pub const AXI_TOP: &str = "lpu_axi";
/// Name of the chip-to-chip link.
pub const C2C_TOP: &str = "lpu_c2c_link";
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

/// Module of the end of a link.
const LINK_MODULE: &str = "lpu_link_port";

/// Signals of the end of a link that the scoreboard watches: flits coming, then leaving.
pub(crate) const LINK_SIGNALS: [&str; 12] = [
    "out_drive_valid",
    "out_drive",
    "out_drive_data_0",
    "out_drive_check_0",
    "out_drive_data_1",
    "out_drive_check_1",
    "out_drive_data_2",
    "out_drive_check_2",
    "out_drive_data_3",
    "out_drive_check_3",
    "out_send",
    "out_send_data",
];

/// Modules of the datapaths of VXM and SXM.
const UNIT_MODULES: [(&str, &str); 2] =
    [("vxm_0", "lpu_vxm_datapath"), ("sxm_0", "lpu_sxm_datapath")];

/// Emits the tile of this configuration.
pub fn emit(config: &Config) -> Result<Emitted, EmitError> {
    let options = EmitOptions {
        configuration_hash: config.hash(),
        ..EmitOptions::new(TOP)
    };
    lpu_gen::emit(&*lpu_hdl::build_tile(config), &options)
}

/// Emits the tile of this configuration behind AXI.
pub fn emit_axi(config: &Config) -> Result<Emitted, EmitError> {
    let options = EmitOptions {
        configuration_hash: config.hash(),
        ..EmitOptions::new(AXI_TOP)
    };
    lpu_gen::emit(&*lpu_hdl::build_axi(config), &options)
}

/// Emits the chip-to-chip link of this configuration, with so many slots in a frame.
pub fn emit_c2c(config: &Config, shape: Shape) -> Result<Emitted, EmitError> {
    let options = EmitOptions {
        configuration_hash: config.hash(),
        ..EmitOptions::new(C2C_TOP)
    };
    lpu_gen::emit(&*lpu_hdl::c2c::build_link(shape), &options)
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
    for (instance, module) in units(config) {
        for signal in unit_signals() {
            design = design.observe(unit_path(instance, &signal), module);
        }
    }
    for link in 0..config.links() {
        for signal in LINK_SIGNALS {
            design = design.observe(link_path(link, signal), LINK_MODULE);
        }
    }
    design
}

/// Instances and modules of the units between slices and planes that this machine has.
pub(crate) fn units(config: &Config) -> impl Iterator<Item = (&'static str, &'static str)> {
    let present = [config.vxm.is_some(), config.sxm.is_some()];
    let units = UNIT_MODULES.into_iter().zip(present);
    units.filter_map(|(unit, present)| present.then_some(unit))
}

/// The signals of such a unit that the scoreboard watches: enable, streams, then data and check bits of each byte plane.
pub(crate) fn unit_signals() -> impl Iterator<Item = String> {
    let planes = (0..4).flat_map(|b| [format!("out_data_{b}"), format!("out_check_{b}")]);
    let names = ["out_drive", "out_drive_east", "out_drive_west"];
    names.into_iter().map(str::to_owned).chain(planes)
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

/// Path of a signal of the end of a link.
pub(crate) fn link_path(link: usize, signal: &str) -> String {
    format!("{TOP}.link_{link}.{signal}")
}

/// Path of a signal of a MXM plane.
pub(crate) fn mxm_path(plane: usize, signal: &str) -> String {
    format!("{TOP}.mxm_{plane}.{signal}")
}

/// Path of a signal of the datapath of VXM or SXM.
pub(crate) fn unit_path(instance: &str, signal: &str) -> String {
    format!("{TOP}.{instance}.{signal}")
}
