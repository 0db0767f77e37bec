//! The vocabulary of llama2.c: byte-pair encoding by scores (Sennrich, Haddow, Birch 2016; the order of SentencePiece).

use crate::error::ModelError;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;

/// Bytes of the longest token accepted.
const TOKEN_BYTES: usize = 1 << 16;
/// Token of byte 0, where the vocabulary has one for each byte.
const FIRST_BYTE: u32 = 3;

/// Tokens with their scores.
#[derive(Debug)]
pub struct Vocabulary {
    tokens: Vec<Vec<u8>>,
    scores: Vec<f32>,
    numbers: BTreeMap<Vec<u8>, u32>,
}

impl Vocabulary {
    /// Reads a `tokenizer.bin`: the length of the longest token (int32), then score (float32), length (int32) and bytes of each.
    pub fn parse(path: &Path, bytes: &[u8], count: usize) -> Result<Self, ModelError> {
        let mut rest = bytes;
        let word = |rest: &mut &[u8]| {
            let (word, after) = rest.split_first_chunk::<4>()?;
            *rest = after;
            Some(*word)
        };
        let cut = |number: usize| {
            let rule = format!("it ends within token {number} of {count}");
            ModelError::format(
                path,
                rule,
                "check that it belongs to the checkpoint; fetch it again",
            )
        };
        word(&mut rest).ok_or_else(|| cut(0))?;
        let mut vocabulary = Self {
            tokens: Vec::new(),
            scores: Vec::new(),
            numbers: BTreeMap::new(),
        };
        for number in 0..count {
            let score = word(&mut rest)
                .map(f32::from_le_bytes)
                .ok_or_else(|| cut(number))?;
            let length = word(&mut rest)
                .map(i32::from_le_bytes)
                .ok_or_else(|| cut(number))?;
            let refuse = |field: &str, value: String, rule: &str| {
                let field = format!("{field} of token {number}");
                Err(ModelError::field(
                    path,
                    &field,
                    value,
                    rule,
                    "fetch the file again",
                ))
            };
            if !score.is_finite() {
                return refuse("score", score.to_string(), "it must be a finite number");
            }
            let size = match usize::try_from(length) {
                Ok(size) if size <= TOKEN_BYTES => size,
                _ => return refuse("length", length.to_string(), "it must be from 0 to 65536"),
            };
            let (token, after) = rest.split_at_checked(size).ok_or_else(|| cut(number))?;
            rest = after;
            // Of equal tokens the first one counts.
            vocabulary
                .numbers
                .entry(token.to_vec())
                .or_insert(number as u32);
            vocabulary.tokens.push(token.to_vec());
            vocabulary.scores.push(score);
        }
        if !rest.is_empty() {
            let rule = format!("{} bytes follow its {count} tokens", rest.len());
            return Err(ModelError::format(
                path,
                rule,
                "check that it belongs to the checkpoint",
            ));
        }
        Ok(vocabulary)
    }

    /// Tokens of a text: a space before it, its characters (or their bytes), and then the neighbours whose union scores best are joined, the
    /// left ones first of equals.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut pieces: Vec<Option<u32>> = Vec::new();
        if !text.is_empty() {
            pieces.extend(self.numbers.get(&b" "[..]).map(|&number| Some(number)));
        }
        let mut buffer = [0; 4];
        for c in text.chars() {
            let bytes = c.encode_utf8(&mut buffer).as_bytes();
            match self.numbers.get(bytes) {
                Some(&number) => pieces.push(Some(number)),
                None => pieces.extend(bytes.iter().map(|&byte| Some(u32::from(byte) + FIRST_BYTE))),
            }
        }
        self.join(pieces)
    }

    fn join(&self, mut pieces: Vec<Option<u32>>) -> Vec<u32> {
        let count = pieces.len();
        let mut next: Vec<usize> = (1..=count).collect();
        let mut last: Vec<usize> = (0..count).map(|i| i.wrapping_sub(1)).collect();
        let mut heap = BinaryHeap::new();
        let candidate = |pieces: &[Option<u32>], left: usize, right: usize| {
            let (a, b) = ((*pieces.get(left)?)?, (*pieces.get(right)?)?);
            let bytes = [self.bytes(a), self.bytes(b)].concat();
            let joined = *self.numbers.get(&bytes)?;
            let score = ordered(self.scores[joined as usize]);
            Some((score, Reverse(left), Reverse(right), joined, a, b))
        };
        for left in 0..count.saturating_sub(1) {
            heap.extend(candidate(&pieces, left, left + 1));
        }
        while let Some((_, Reverse(left), Reverse(right), joined, a, b)) = heap.pop() {
            // Either piece may have been joined with another one since.
            if pieces[left] != Some(a) || pieces[right] != Some(b) || next[left] != right {
                continue;
            }
            pieces[left] = Some(joined);
            pieces[right] = None;
            next[left] = next[right];
            if next[left] < count {
                last[next[left]] = left;
            }
            if last[left] < count {
                heap.extend(candidate(&pieces, last[left], left));
            }
            if next[left] < count {
                heap.extend(candidate(&pieces, left, next[left]));
            }
        }
        pieces.into_iter().flatten().collect()
    }

    fn bytes(&self, token: u32) -> &[u8] {
        self.tokens.get(token as usize).map_or(&[], Vec::as_slice)
    }

    /// The text of tokens. `<0xNN>` is a byte; a space at the very beginning is the one that encoding put there. Tokens 0, 1 and 2 are
    /// markers without text.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let mut text = Vec::new();
        for (at, &token) in tokens.iter().enumerate() {
            let bytes = self.bytes(token);
            let bytes = match at == 0 || tokens[at - 1] == 1 {
                true => bytes.strip_prefix(b" ").unwrap_or(bytes),
                false => bytes,
            };
            match byte(bytes) {
                Some(byte) => text.push(byte),
                None if token > 2 => text.extend_from_slice(bytes),
                None => {}
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// The byte that `<0xNN>` names.
fn byte(token: &[u8]) -> Option<u8> {
    let digits = token.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    let digits = std::str::from_utf8(digits)
        .ok()
        .filter(|text| text.len() == 2)?;
    u8::from_str_radix(digits, 16).ok()
}

/// An integer in the order of a finite number.
fn ordered(value: f32) -> i64 {
    // -0 and 0 are equal.
    let bits = (value + 0.0).to_bits();
    let magnitude = i64::from(bits & 0x7fff_ffff);
    if bits >> 31 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tokens: &[(&[u8], f32)]) -> Vec<u8> {
        let mut bytes = 8i32.to_le_bytes().to_vec();
        for (token, score) in tokens {
            bytes.extend(score.to_le_bytes());
            bytes.extend((token.len() as i32).to_le_bytes());
            bytes.extend(*token);
        }
        bytes
    }

    fn small() -> Vocabulary {
        let mut tokens: Vec<(Vec<u8>, f32)> = vec![
            (b"<unk>".into(), 0.0),
            (b"<s>".into(), 0.0),
            (b"</s>".into(), 0.0),
        ];
        tokens.extend((0..256).map(|byte| (format!("<0x{byte:02X}>").into_bytes(), 0.0)));
        for (token, score) in [
            (" ", -9.0),
            ("a", -9.0),
            ("b", -9.0),
            ("ab", -1.0),
            ("aba", -0.5),
            (" a", -2.0),
            ("ba", -0.1),
        ] {
            tokens.push((token.into(), score));
        }
        let tokens: Vec<(&[u8], f32)> = tokens.iter().map(|(t, s)| (t.as_slice(), *s)).collect();
        Vocabulary::parse(Path::new("tokenizer.bin"), &file(&tokens), tokens.len()).unwrap()
    }

    /// The loop of the original: the best pair anywhere, over and over.
    fn plain(vocabulary: &Vocabulary, text: &str) -> Vec<u32> {
        let mut tokens: Vec<u32> = Vec::new();
        if !text.is_empty() {
            tokens.push(vocabulary.numbers[&b" "[..]]);
        }
        for c in text.chars() {
            let bytes = c.to_string().into_bytes();
            match vocabulary.numbers.get(&bytes) {
                Some(&number) => tokens.push(number),
                None => tokens.extend(bytes.iter().map(|&b| u32::from(b) + 3)),
            }
        }
        loop {
            let mut best: Option<(f32, usize, u32)> = None;
            for at in 0..tokens.len().saturating_sub(1) {
                let bytes = [
                    vocabulary.bytes(tokens[at]),
                    vocabulary.bytes(tokens[at + 1]),
                ]
                .concat();
                if let Some(&number) = vocabulary.numbers.get(&bytes) {
                    let score = vocabulary.scores[number as usize];
                    if best.is_none_or(|(s, _, _)| score > s) {
                        best = Some((score, at, number));
                    }
                }
            }
            let Some((_, at, number)) = best else {
                return tokens;
            };
            tokens[at] = number;
            tokens.remove(at + 1);
        }
    }

    proptest::proptest! {
        #[test]
        fn tokens_are_those_of_the_plain_loop_and_come_back_as_text(text in "[ abé]{0,24}") {
            let vocabulary = small();
            let tokens = vocabulary.encode(&text);
            proptest::prop_assert_eq!(&tokens, &plain(&vocabulary, &text));
            proptest::prop_assert_eq!(vocabulary.decode(&tokens), text);
        }
    }

    #[test]
    fn a_cut_or_absurd_file_is_refused() {
        let good = file(&[(b"a", 0.0), (b"b", 1.0)]);
        let parse = |bytes: &[u8]| Vocabulary::parse(Path::new("tokenizer.bin"), bytes, 2);
        assert!(parse(&good).is_ok());
        for size in 0..good.len() {
            assert!(parse(&good[..size]).is_err(), "{size} bytes");
        }
        let mut long = good.clone();
        long[8..12].copy_from_slice(&i32::MAX.to_le_bytes());
        assert!(
            parse(&long)
                .unwrap_err()
                .to_string()
                .contains("length of token 0")
        );
        assert!(parse(&[&good[..], b"x"].concat()).is_err());
    }
}
