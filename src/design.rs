//! The Verilog of a tile, as text and as a design to simulate.

use lpu_gen::{EmitError, EmitOptions, Emitted};
use lpu_isa::Config;
use lpu_sim::{Design, Observed, SourceFile};

/// Name of the top module.
pub const TOP: &str = "lpu_tile";
/// Module that holds the datapath of a MEM slice.
const MEM_MODULE: &str = "lpu_slice_datapath";
/// Module of a MXM plane.
const MXM_MODULE: &str = "lpu_mxm_plane";

/// Signals of a MEM slice that the scoreboard watches.
const MEM_SIGNALS: [&str; 9] = [
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
pub fn design(emitted: &Emitted) -> Design {
    let files = emitted.modules.iter().map(|module| SourceFile {
        name: module.file_name.clone(),
        text: module.text.clone(),
    });
    let mem = MEM_SIGNALS.map(|signal| (MEM_MODULE, signal.to_owned()));
    let mxm = ["enable".to_owned(), "stream".to_owned()]
        .into_iter()
        .chain((0..4).flat_map(|b| [format!("data_{b}"), format!("check_{b}")]))
        .map(|name| (MXM_MODULE, format!("out_result_{name}")));
    let observed = mem.into_iter().chain(mxm).map(|(module, signal)| Observed {
        module: module.to_owned(),
        signal,
    });
    Design {
        top: TOP.into(),
        files: files.collect(),
        clock: "clock".into(),
        observed: observed.collect(),
        waivers: Some(emitted.lint_waivers()),
    }
}
