//! Reading a configuration file, with errors that point into it.

use super::{Config, RuleError};
use miette::{Diagnostic, NamedSource, SourceSpan};
use std::sync::Arc;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

/// Why a configuration file is refused.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(lpu::config))]
pub struct ConfigError {
    message: String,
    #[help]
    help: String,
    #[source_code]
    text: Arc<NamedSource<String>>,
    #[label("here")]
    span: Option<SourceSpan>,
}

impl Config {
    /// Reads and validates a TOML configuration; `file` names it in errors.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ConfigError> {
        let refuse =
            |message: String, help: &str, span: Option<std::ops::Range<usize>>| ConfigError {
                message,
                help: help.to_owned(),
                text: Arc::new(NamedSource::new(file, text.to_owned()).with_language("TOML")),
                span: span.map(SourceSpan::from),
            };
        let config: Self = toml::from_str(text).map_err(|error| {
            refuse(
                error.message().to_owned(),
                "`lpu config show nano` prints a complete configuration, `lpu config schema` its JSON schema",
                error.span(),
            )
        })?;
        config.validate().map_err(|error: RuleError| {
            let span = field_span(text, error.field);
            refuse(
                error.to_string(),
                "change the value, or start from a preset",
                span,
            )
        })?;
        Ok(config)
    }
}

/// Where the value of the dotted path `field` stands in `text`.
fn field_span(text: &str, field: &str) -> Option<std::ops::Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let (parents, key) = field.rsplit_once('.').unwrap_or(("", field));
    let mut table = document.get_ref();
    for parent in parents.split('.').filter(|name| !name.is_empty()) {
        match table.get(parent)?.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return None,
        }
    }
    Some(table.get(key)?.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> String {
        let error = Config::from_toml("machine.toml", text).unwrap_err();
        let mut out = String::new();
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none())
            .render_report(&mut out, &error)
            .unwrap();
        out
    }

    fn nano(from: &str, to: &str) -> String {
        let text = Config::preset("nano").unwrap().to_toml();
        assert!(text.contains(from));
        text.replacen(from, to, 1)
    }

    #[test]
    fn errors_point_into_the_file() {
        insta::assert_snapshot!(
            "unknown_field",
            rendered(&nano("depth = 2048", "depht = 2048"))
        );
        insta::assert_snapshot!("missing_field", rendered("name = \"x\"\nlanes = 8\n"));
        insta::assert_snapshot!(
            "wrong_type",
            rendered(&nano("depth = 2048", "depth = \"big\""))
        );
        insta::assert_snapshot!(
            "impossible",
            rendered(&nano("depth = 2048", "depth = 3000"))
        );
        let formats = |list: &str| {
            let text = Config::preset("nano+e4m3").unwrap().to_toml();
            rendered(&text.replace("\"e4m3\"", list))
        };
        insta::assert_snapshot!("format_order", formats("\"nvfp4\", \"e4m3\""));
        insta::assert_snapshot!("unknown_format", formats("\"e5m2\""));
        insta::assert_snapshot!("not_toml", rendered("lanes = = 8"));
    }
}
