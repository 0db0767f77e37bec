//! `lpu config`.

use crate::cli::ConfigCommand;
use lpu::files;
use lpu_isa::Config;
use lpu_isa::config::PRESETS;
use serde_json::json;

/// Runs `lpu config`.
pub fn execute(command: ConfigCommand) -> miette::Result<()> {
    let text = match command {
        ConfigCommand::Show { config, json: true } => {
            format!("{:#}\n", describe(&files::config(&config)?))
        }
        ConfigCommand::Show { config, .. } => files::config(&config)?.to_toml(),
        ConfigCommand::Check { files } => {
            for file in files {
                Config::from_toml(&file.to_string_lossy(), &files::read_text(&file)?)?;
            }
            return Ok(());
        }
        ConfigCommand::Schema => format!("{:#}\n", Config::json_schema()),
        ConfigCommand::List => PRESETS
            .iter()
            .filter_map(|name| Config::preset(name))
            .map(line)
            .collect(),
    };
    Ok(files::print(text.as_bytes())?)
}

fn describe(config: &Config) -> serde_json::Value {
    json!({
        "config": config,
        "config_hash": config.hash(),
        "macs_per_cycle": config.macs_per_cycle(),
        "num_queues": config.num_queues(),
        "sram_bytes": config.sram_bytes(),
    })
}

fn line(config: Config) -> String {
    format!(
        "{:<6} {:>2} lanes, {:>4} MACs a cycle, {:>2} MEM slices, {:>5} KiB of SRAM, {:>2} streams each way\n",
        config.name,
        config.lanes,
        config.macs_per_cycle(),
        config.mem.slices,
        config.sram_bytes() / 1024,
        config.streams,
    )
}
