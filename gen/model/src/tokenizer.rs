//! Text to tokens and back.

mod guard;
mod llama2c;

use crate::architecture::limits;
use crate::error::{ModelError, shortened};
use crate::files::Place;
use crate::json;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Bytes of the longest text that is encoded.
pub const TEXT_BYTES: usize = 1 << 20;

/// How a model reads and writes text.
#[derive(Debug)]
pub enum Tokenizer {
    /// `tokenizer.json`, by the crate `tokenizers`.
    Json(Box<tokenizers::Tokenizer>),
    /// `tokenizer.bin` of llama2.c.
    Llama2c(llama2c::Vocabulary),
    /// No file, and at least 256 tokens: token n is byte n.
    Bytes,
    /// No file, and fewer tokens: the text is token numbers with spaces between them.
    Numbers,
}

impl Tokenizer {
    /// The tokenizer of a folder.
    pub fn open(place: &Place, vocabulary: usize) -> Result<Self, ModelError> {
        let name = "tokenizer.json";
        if !place.has(name) {
            return Ok(Self::without_file(vocabulary));
        }
        let path = place.path(name);
        let bytes = place.read(name, limits::TOKENIZER_BYTES)?;
        json::unambiguous(&path, &bytes)?;
        let refuse = |reason: &str| {
            let rule = format!("it is not a tokenizer: {}", shortened(reason));
            ModelError::format(
                &path,
                rule,
                "fetch it again; without the file tokens are bytes or numbers",
            )
        };
        guard::check(&bytes).map_err(|reason| refuse(&reason))?;
        let parsed = guarded(|| tokenizers::Tokenizer::from_bytes(&*bytes));
        let mut parsed = parsed.map_err(|reason| refuse(&reason))?;
        // A prompt is neither cut nor filled up.
        guarded(|| parsed.with_truncation(None).map(|_| ())).map_err(|reason| refuse(&reason))?;
        parsed.with_padding(None);
        Ok(Self::Json(Box::new(parsed)))
    }

    /// The `tokenizer.bin` of llama2.c.
    pub fn llama2c(path: &Path, bytes: &[u8], vocabulary: usize) -> Result<Self, ModelError> {
        llama2c::Vocabulary::parse(path, bytes, vocabulary).map(Self::Llama2c)
    }

    /// What there is without a file.
    pub fn without_file(vocabulary: usize) -> Self {
        match vocabulary {
            256.. => Self::Bytes,
            _ => Self::Numbers,
        }
    }

    /// Name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Json(_) => "tokenizer.json",
            Self::Llama2c(_) => "tokenizer.bin",
            Self::Bytes => "bytes",
            Self::Numbers => "numbers",
        }
    }

    /// Tokens of a text. `start` comes first, except where the file itself says what comes first.
    pub fn encode(&self, text: &str, start: Option<u32>) -> Result<Vec<u32>, ModelError> {
        self.tokens(text, start, true)
    }

    /// Tokens of a text that goes on: nothing comes first.
    pub fn encode_on(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.tokens(text, None, false)
    }

    fn tokens(
        &self,
        text: &str,
        start: Option<u32>,
        special: bool,
    ) -> Result<Vec<u32>, ModelError> {
        let refuse = |reason: String, fix: &str| {
            ModelError::text(format!("`{}`", shortened(text)), reason, fix)
        };
        if text.len() > TEXT_BYTES {
            let reason = format!(
                "it has {} bytes, at most {TEXT_BYTES} are accepted",
                text.len()
            );
            return Err(refuse(reason, "shorten it"));
        }
        let begin = start.into_iter();
        match self {
            Self::Json(inner) => {
                let encoded = guarded(|| inner.encode(text, special));
                let encoded = encoded.map_err(|reason| {
                    refuse(
                        shortened(&reason),
                        "use characters that the tokenizer knows",
                    )
                })?;
                Ok(encoded.get_ids().to_vec())
            }
            Self::Llama2c(inner) => Ok(begin.chain(inner.encode(text)).collect()),
            Self::Bytes => Ok(begin.chain(text.bytes().map(u32::from)).collect()),
            Self::Numbers => {
                let number = |word: &str| {
                    word.parse().map_err(|_| {
                        let reason = format!("`{}` is not a token number", shortened(word));
                        refuse(reason, "the model has no tokenizer: give token numbers with spaces between them")
                    })
                };
                begin
                    .map(Ok)
                    .chain(text.split_whitespace().map(number))
                    .collect()
            }
        }
    }

    /// The text of tokens; special tokens have none. Bytes that are no UTF-8 become U+FFFD.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, ModelError> {
        match self {
            Self::Json(inner) => guarded(|| inner.decode(tokens, true)).map_err(|reason| {
                let what = format!("{} tokens", tokens.len());
                ModelError::text(
                    what,
                    shortened(&reason),
                    "check that the tokenizer belongs to the model",
                )
            }),
            Self::Llama2c(inner) => Ok(inner.decode(tokens)),
            Self::Bytes => {
                let bytes: Vec<u8> = tokens
                    .iter()
                    .filter_map(|&token| u8::try_from(token).ok())
                    .collect();
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            Self::Numbers => {
                let words: Vec<String> = tokens.iter().map(u32::to_string).collect();
                Ok(words.join(" "))
            }
        }
    }
}

/// Runs foreign code on foreign data; a panic in it is an error like others.
fn guarded<T, E: std::fmt::Display>(run: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("it makes the tokenizer library panic".into()),
    }
}
