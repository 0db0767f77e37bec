//! The rules a configuration has to meet.

use super::{Config, MxmFormat};
use std::fmt::Display;

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} = {value} {rule}")]
pub struct RuleError {
    /// Dotted path of the field.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// The rule it breaks.
    pub rule: String,
}

fn check(
    field: &'static str,
    value: impl Display,
    holds: bool,
    rule: impl Into<String>,
) -> Result<(), RuleError> {
    if holds {
        return Ok(());
    }
    let (value, rule) = (value.to_string(), rule.into());
    Err(RuleError { field, value, rule })
}

fn power_of_two_in(
    field: &'static str,
    value: usize,
    low: usize,
    high: usize,
) -> Result<(), RuleError> {
    check(
        field,
        value,
        value.is_power_of_two() && (low..=high).contains(&value),
        format!("must be a power of two from {low} to {high}"),
    )
}

impl Config {
    /// Checks every rule; the first that is broken is reported.
    pub fn validate(&self) -> Result<(), RuleError> {
        let streams = self.streams;
        power_of_two_in("lanes", self.lanes, 8, 64)?;
        check(
            "streams",
            streams,
            (4..=32).contains(&streams) && streams.is_multiple_of(4),
            "must be a multiple of 4 from 4 to 32 (an int32 result takes 4 streams)",
        )?;
        check(
            "mem.slices",
            self.mem.slices,
            (1..=32).contains(&self.mem.slices),
            "must be from 1 to 32",
        )?;
        power_of_two_in("mem.depth", self.mem.depth, 16, 65536)?;
        check(
            "mxm.planes",
            self.mxm.planes,
            (1..=4).contains(&self.mxm.planes),
            "must be from 1 to 4",
        )?;
        let weight_limit = self.lanes.min(1 << streams.ilog2());
        power_of_two_in(
            "mxm.weight_streams",
            self.mxm.weight_streams,
            1,
            weight_limit,
        )?;
        check(
            "mxm.weight_streams",
            self.mxm.weight_streams,
            streams.is_multiple_of(self.mxm.weight_streams),
            format!("must divide streams = {streams}"),
        )?;
        power_of_two_in("mxm.accumulator_depth", self.mxm.accumulator_depth, 2, 4096)?;
        power_of_two_in("mxm.operand_depth", self.mxm.operand_depth, 2, 4096)?;
        let formats = &self.mxm.formats;
        let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
        check(
            "mxm.formats",
            format_args!("[{}]", names.join(", ")),
            formats.is_sorted_by(|a: &MxmFormat, b| a < b),
            "must name each format at most once, in the order e4m3, nvfp4",
        )?;
        if let Some(vxm) = &self.vxm {
            check(
                "vxm.alus",
                vxm.alus,
                (1..=4).contains(&vxm.alus),
                "must be from 1 to 4",
            )?;
            power_of_two_in("vxm.registers", vxm.registers, 16, 1024)?;
        }
        if let Some(sxm) = &self.sxm {
            power_of_two_in("sxm.maps", sxm.maps, 2, 64)?;
        }
        if let Some(c2c) = &self.c2c {
            check(
                "c2c.links",
                c2c.links,
                (1..=7).contains(&c2c.links),
                "must be from 1 to 7; leave [c2c] out for a machine without links",
            )?;
        }
        power_of_two_in("icu.queue_depth", self.icu.queue_depth, 16, 4096)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PRESETS;
    use super::Config;

    #[test]
    fn presets_are_valid_and_survive_toml() {
        for name in PRESETS {
            for suffix in ["", "+e4m3", "+nvfp4", "+e4m3+nvfp4"] {
                let name = format!("{name}{suffix}");
                let config = Config::preset(&name).unwrap();
                assert_eq!(config.name, name);
                assert_eq!(
                    Config::from_toml("preset", &config.to_toml()).unwrap(),
                    config
                );
            }
        }
    }

    #[test]
    fn a_machine_has_one_name() {
        for name in [
            "nano+",
            "nano+int8",
            "nano+e4m3+e4m3",
            "nano+nvfp4+e4m3",
            "+e4m3",
            "e4m3",
        ] {
            assert_eq!(Config::preset(name), None, "{name}");
        }
    }
}
