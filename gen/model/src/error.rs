//! Why a model is refused: the file, the value, the rule and the fix.

use miette::Diagnostic;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A model that cannot be loaded, or a text or token that it cannot take.
#[derive(Debug, Error, Diagnostic)]
pub enum ModelError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {reason}", .path.display())]
    #[diagnostic(code(lpu::model::read), help("{fix}"))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What to do.
        fix: Box<str>,
    },
    /// A file is not what its name promises.
    #[error("`{}` is malformed: {rule}", .path.display())]
    #[diagnostic(code(lpu::model::format), help("{fix}"))]
    Format {
        /// The file.
        path: PathBuf,
        /// What is found, and what has to be.
        rule: String,
        /// What to do.
        fix: Box<str>,
    },
    /// A field of a configuration.
    #[error("`{}`: field `{field}` is {value}; {rule}", .path.display())]
    #[diagnostic(code(lpu::model::field), help("{fix}"))]
    Field {
        /// The file.
        path: PathBuf,
        /// Name of the field.
        field: String,
        /// The value found.
        value: String,
        /// What it has to be.
        rule: String,
        /// What to do.
        fix: Box<str>,
    },
    /// A tensor.
    #[error("`{}`: tensor `{tensor}` {value}; {rule}", .path.display())]
    #[diagnostic(code(lpu::model::tensor), help("{fix}"))]
    Tensor {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// What it is.
        value: String,
        /// What it has to be.
        rule: String,
        /// What to do.
        fix: Box<str>,
    },
    /// A text that cannot become tokens, or tokens that cannot become text.
    #[error("the tokenizer refuses {what}: {reason}")]
    #[diagnostic(code(lpu::model::text), help("{fix}"))]
    Text {
        /// What is refused.
        what: String,
        /// Why.
        reason: String,
        /// What to do.
        fix: Box<str>,
    },
}

impl ModelError {
    /// A malformed file.
    pub(crate) fn format(path: &Path, rule: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Format {
            path: path.to_owned(),
            rule: rule.into(),
            fix: fix.into().into_boxed_str(),
        }
    }

    /// A field that breaks a rule.
    pub(crate) fn field(
        path: &Path,
        field: &str,
        value: impl ToString,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::Field {
            path: path.to_owned(),
            field: shortened(field),
            value: shortened(&value.to_string()),
            rule: rule.into(),
            fix: fix.into().into_boxed_str(),
        }
    }

    /// A tensor that breaks a rule.
    pub(crate) fn tensor(
        path: &Path,
        tensor: &str,
        value: impl Into<String>,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::Tensor {
            path: path.to_owned(),
            tensor: shortened(tensor),
            value: value.into(),
            rule: rule.into(),
            fix: fix.into().into_boxed_str(),
        }
    }

    /// A text that is refused.
    pub(crate) fn text(
        what: impl Into<String>,
        reason: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::Text {
            what: what.into(),
            reason: reason.into(),
            fix: fix.into().into_boxed_str(),
        }
    }
}

/// A text of an untrusted file as an error shows it: at most 100 characters, none of them a control character.
pub(crate) fn shortened(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(100)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(100).is_some() {
        shown.push_str("...");
    }
    shown
}
