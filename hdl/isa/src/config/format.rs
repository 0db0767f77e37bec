//! The formats that a MXM can multiply in beside int8.

use super::MxmConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A format of the MXM planes; `docs/machine.md`, "Formats of the MXM".
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MxmFormat {
    /// FP8: one sign bit, four of exponent, three of fraction.
    E4m3,
    /// Blocks of 16 FP4 (E2M1) elements, two in a byte, with one E4M3 scale.
    Nvfp4,
}

impl MxmFormat {
    /// All formats, in canonical order.
    pub const ALL: [Self; 2] = [Self::E4m3, Self::Nvfp4];

    /// The name in configurations, presets and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::E4m3 => "e4m3",
            Self::Nvfp4 => "nvfp4",
        }
    }

    /// The format called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The value of CONFIG register [`crate::instruction::encoding::register::FORMAT`]; int8 is 0.
    pub const fn code(self) -> u16 {
        match self {
            Self::E4m3 => 1,
            Self::Nvfp4 => 2,
        }
    }
}

impl MxmConfig {
    /// Whether `format` is built in.
    pub fn has(&self, format: MxmFormat) -> bool {
        self.formats.contains(&format)
    }
}
