//! What a `tokenizer.json` may ask for. The library trusts the file: a chain of replacements can make a text grow without bound, a
//! word can take quadratic time, and a dropout makes tokens random.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Bytes of the description of one stage.
const STAGE_BYTES: usize = 1 << 20;
/// Bytes of a text that is put before another one or a word.
const AFFIX_BYTES: usize = 64;
/// By how much all stages together may lengthen a text.
const GROWTH: usize = 64;
/// Stages that normalise.
const NORMALIZERS: [&str; 13] = [
    "Sequence",
    "Replace",
    "Prepend",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Lowercase",
    "Strip",
    "StripAccents",
    "Nmt",
    "BertNormalizer",
    "ByteLevel",
];

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, default)]
    normalizer: Option<&'a RawValue>,
    #[serde(borrow, default)]
    decoder: Option<&'a RawValue>,
    model: Model,
}

/// The parts of a model that are not its vocabulary.
#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    dropout: Option<f64>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
}

/// Refuses what is dangerous; says why.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let file: File<'_> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let model = &file.model;
    let kind = model.kind.as_deref().unwrap_or("BPE");
    if !["BPE", "WordLevel", "Unigram"].contains(&kind) {
        return Err(format!(
            "its model is {kind}; BPE, WordLevel and Unigram are read"
        ));
    }
    if model.dropout.is_some_and(|dropout| dropout != 0.0) {
        return Err("its model has a dropout, which would make tokens random".into());
    }
    for affix in [&model.continuing_subword_prefix, &model.end_of_word_suffix]
        .into_iter()
        .flatten()
    {
        check_affix(affix)?;
    }
    for (stage, named) in [(file.normalizer, true), (file.decoder, false)] {
        let Some(stage) = stage else { continue };
        if stage.get().len() > STAGE_BYTES {
            return Err(format!(
                "a stage takes {} bytes, at most {STAGE_BYTES} are accepted",
                stage.get().len()
            ));
        }
        let stage: Value = serde_json::from_str(stage.get()).map_err(|error| error.to_string())?;
        let mut growth = 1;
        walk(&stage, named, &mut growth)?;
    }
    Ok(())
}

fn check_affix(affix: &str) -> Result<(), String> {
    match affix.len() {
        0..=AFFIX_BYTES => Ok(()),
        size => Err(format!(
            "a text of {size} bytes is put before others, at most {AFFIX_BYTES} are accepted"
        )),
    }
}

/// Multiplies `growth` by what each stage inside may add. Of normalizers (`named`), unknown kinds are refused.
fn walk(stage: &Value, named: bool, growth: &mut usize) -> Result<(), String> {
    if let Value::Array(list) = stage {
        return list.iter().try_for_each(|stage| walk(stage, named, growth));
    }
    let Value::Object(map) = stage else {
        return Ok(());
    };
    let kind = map.get("type").and_then(Value::as_str).unwrap_or("missing");
    if named && !NORMALIZERS.contains(&kind) {
        return Err(format!(
            "its normalizer is {}; {} are accepted",
            crate::error::shortened(kind),
            NORMALIZERS.join(", ")
        ));
    }
    let text = |name: &str| map.get(name).and_then(Value::as_str).unwrap_or("");
    match kind {
        "Replace" => {
            let pattern = map.get("pattern").and_then(|pattern| pattern.get("String"));
            let least = pattern
                .and_then(Value::as_str)
                .map_or(1, |pattern| pattern.len().max(1));
            // A match of nothing at all adds to what is there.
            let factor = text("content").len().div_ceil(least) + usize::from(pattern.is_none());
            *growth = growth.saturating_mul(factor.max(1));
        }
        "ByteLevel" => *growth = growth.saturating_mul(2),
        "Prepend" => check_affix(text("prepend"))?,
        _ => {}
    }
    if *growth > GROWTH {
        return Err(format!(
            "its stages may make a text more than {GROWTH} times as long"
        ));
    }
    ["normalizers", "decoders"]
        .iter()
        .filter_map(|name| map.get(*name))
        .try_for_each(|stages| walk(stages, named, growth))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(normalizer: &str, model: &str) -> Result<(), String> {
        check(
            format!("{{\"normalizer\":{normalizer},\"decoder\":null,\"model\":{model}}}")
                .as_bytes(),
        )
    }

    #[test]
    fn usual_files_pass() {
        let llama = r#"{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"\u2581"},
            {"type":"Replace","pattern":{"String":" "},"content":"\u2581"}]}"#;
        let bpe = r#"{"type":"BPE","dropout":null,"vocab":{"a":0},"merges":[]}"#;
        checked(llama, bpe).unwrap();
        checked(r#"{"type":"NFC"}"#, bpe).unwrap();
        checked("null", r#"{"vocab":{"a":0},"merges":[]}"#).unwrap();
    }

    #[test]
    fn what_grows_or_is_random_is_refused() {
        let bpe = r#"{"type":"BPE"}"#;
        let double = r#"{"type":"Replace","pattern":{"String":"a"},"content":"aa"}"#;
        let chain = |count| {
            format!(
                r#"{{"type":"Sequence","normalizers":[{}]}}"#,
                vec![double; count].join(",")
            )
        };
        checked(&chain(6), bpe).unwrap();
        assert!(checked(&chain(7), bpe).unwrap_err().contains("64 times"));
        let empty = r#"{"type":"Replace","pattern":{"Regex":""},"content":"0123456789012345678901234567890123456789012345678901234567890123"}"#;
        assert!(checked(empty, bpe).is_err());
        let prepend = format!(r#"{{"type":"Prepend","prepend":"{}"}}"#, "x".repeat(65));
        assert!(checked(&prepend, bpe).is_err());
        assert!(checked(r#"{"type":"Precompiled","precompiled_charsmap":""}"#, bpe).is_err());
        assert!(checked("null", r#"{"type":"BPE","dropout":0.1}"#).is_err());
        assert!(checked("null", r#"{"type":"WordPiece"}"#).is_err());
    }
}
