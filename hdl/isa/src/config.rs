//! The configuration of a machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod format;
mod hash;
mod parse;
mod preset;
mod validate;

pub use format::MxmFormat;
pub use parse::ConfigError;
pub use preset::PRESETS;
pub use validate::RuleError;

/// Everything that a generated machine can vary.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the configuration, for reports and module headers.
    pub name: String,
    /// L: lanes of one byte in a vector (8, 16, 32 or 64).
    #[schemars(range(min = 8, max = 64))]
    pub lanes: usize,
    /// S: streams in each direction (4 to 32, a multiple of 4).
    #[schemars(range(min = 4, max = 32))]
    pub streams: usize,
    /// The MEM slices.
    pub mem: MemConfig,
    /// The matrix unit.
    pub mxm: MxmConfig,
    /// The vector unit, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vxm: Option<VxmConfig>,
    /// The switch unit, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sxm: Option<SxmConfig>,
    /// The links to other chips, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c2c: Option<C2cConfig>,
    /// The instruction queues.
    pub icu: IcuConfig,
}

/// The MEM slices.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemConfig {
    /// m: number of slices (1 to 32).
    #[schemars(range(min = 1, max = 32))]
    pub slices: usize,
    /// Vectors in a slice (a power of two, 16 to 65536).
    #[schemars(range(min = 16, max = 65536))]
    pub depth: usize,
    /// Whether the slices take addresses from streams: GATHER and SCATTER (default: true).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub indirect: bool,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

/// The matrix unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MxmConfig {
    /// P: planes of L x L multiply-accumulators (1 to 4).
    #[schemars(range(min = 1, max = 4))]
    pub planes: usize,
    /// W: weight streams that LW takes in a cycle (a power of two, at most L and S).
    #[schemars(range(min = 1, max = 32))]
    pub weight_streams: usize,
    /// A: accumulator rows (a power of two, 2 to 4096).
    #[schemars(range(min = 2, max = 4096))]
    pub accumulator_depth: usize,
    /// X: operand-buffer rows (a power of two, 2 to 4096).
    #[schemars(range(min = 2, max = 4096))]
    pub operand_depth: usize,
    /// Formats of the planes beside int8: "e4m3", "nvfp4", each at most once and in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2), extend("uniqueItems" = true))]
    pub formats: Vec<MxmFormat>,
}

/// The vector unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VxmConfig {
    /// F: ALUs of the chain (1 to 4).
    #[schemars(range(min = 1, max = 4))]
    pub alus: usize,
    /// R: registers, each a vector of L words (a power of two, 16 to 1024).
    #[schemars(range(min = 16, max = 1024))]
    pub registers: usize,
}

/// The switch unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SxmConfig {
    /// T: permutation tables (a power of two, 2 to 64).
    #[schemars(range(min = 2, max = 64))]
    pub maps: usize,
}

/// The links to other chips.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct C2cConfig {
    /// Links (1 to 7).
    #[schemars(range(min = 1, max = 7))]
    pub links: usize,
}

/// The instruction queues.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IcuConfig {
    /// Instructions in each queue (a power of two, 16 to 4096).
    #[schemars(range(min = 16, max = 4096))]
    pub queue_depth: usize,
}

impl Config {
    /// Number of instruction queues.
    pub fn num_queues(&self) -> usize {
        let units = usize::from(self.vxm.is_some()) + usize::from(self.sxm.is_some());
        2 * self.mem.slices + 3 * self.mxm.planes + units + 2 * self.links()
    }

    /// Links to other chips.
    pub fn links(&self) -> usize {
        self.c2c.as_ref().map_or(0, |c2c| c2c.links)
    }

    /// Rows of the shadow weights of a plane, in row form: L, and L/8 of scales with NVFP4.
    pub fn weight_rows(&self) -> usize {
        let scales = if self.mxm.has(MxmFormat::Nvfp4) {
            self.lanes / 8
        } else {
            0
        };
        self.lanes + scales
    }

    /// Position of the vector unit, or of what stands in its place.
    pub fn vxm_position(&self) -> usize {
        self.mem.slices
    }

    /// Position of the switch unit, or of what stands in its place.
    pub fn sxm_position(&self) -> usize {
        self.mem.slices + usize::from(self.vxm.is_some())
    }

    /// Position of the matrix unit.
    pub fn mxm_position(&self) -> usize {
        self.sxm_position() + usize::from(self.sxm.is_some())
    }

    /// Bytes of SRAM in all slices.
    pub fn sram_bytes(&self) -> usize {
        self.mem.slices * self.mem.depth * self.lanes
    }

    /// Multiply-accumulates per cycle.
    pub fn macs_per_cycle(&self) -> usize {
        self.mxm.planes * self.lanes * self.lanes
    }

    /// The preset called `name`, if there is one; `+e4m3`, `+nvfp4` or `+e4m3+nvfp4` behind it adds formats.
    ///
    /// ```
    /// use lpu_isa::config::{Config, MxmFormat};
    /// let config = Config::preset("proto+e4m3").unwrap();
    /// assert_eq!((config.name.as_str(), config.lanes), ("proto+e4m3", 32));
    /// assert!(config.mxm.has(MxmFormat::E4m3) && !config.mxm.has(MxmFormat::Nvfp4));
    /// assert!(Config::preset("proto+nvfp4+e4m3").is_none());
    /// ```
    pub fn preset(name: &str) -> Option<Self> {
        preset::preset(name)
    }

    /// The configuration as TOML, in canonical field order.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration is always expressible in TOML")
    }

    /// The JSON schema of the configuration file, for editors.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}
