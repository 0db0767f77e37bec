//! Which tensor of a safetensors header is wrong, to name it in an error.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// The first tensor, by its place in the file, that does not fit the format: its name, what it is, and the rule.
pub fn culprit(header: &[u8], data: usize) -> Option<(String, String, String)> {
    let mut all: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    all.remove("__metadata__");
    let mut list = Vec::new();
    for (name, value) in all {
        match serde_json::from_value::<Entry>(value) {
            Ok(entry) => list.push((name, entry)),
            Err(error) => {
                let rule = format!("its entry must have dtype, shape and data_offsets: {error}");
                return Some((name, "is described wrongly".into(), rule));
            }
        }
    }
    list.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut end = 0;
    for (name, entry) in list {
        let Entry {
            dtype,
            shape,
            data_offsets: (from, to),
        } = entry;
        let fail = |value: String, rule: String| Some((name.clone(), value, rule));
        if from != end || to < from {
            let rule = format!(
                "it must begin at byte {end}, where the one before ends, and not end before it begins"
            );
            return fail(format!("takes bytes {from} to {to}"), rule);
        }
        if to > data as u64 {
            return fail(
                format!("ends at byte {to}"),
                format!("the file holds {data} bytes of tensors"),
            );
        }
        let bits = bits(&dtype).unwrap_or(0);
        let size = shape.iter().try_fold(bits, |n, &size| n.checked_mul(size));
        if bits > 0 && size.map(|bits| bits.div_ceil(8)) != Some(to - from) {
            let shown = crate::error::shortened(&format!("{shape:?}"));
            let rule = format!("its bytes {from} to {to} must hold just these elements");
            return fail(format!("is {dtype} of shape {shown}"), rule);
        }
        end = to;
    }
    None
}

/// Bits of an element of the types that models have.
fn bits(dtype: &str) -> Option<u64> {
    match dtype {
        "F64" | "I64" | "U64" => Some(64),
        "F32" | "I32" | "U32" => Some(32),
        "F16" | "BF16" | "I16" | "U16" => Some(16),
        "I8" | "U8" | "BOOL" | "F8_E4M3" | "F8_E5M2" => Some(8),
        _ => None,
    }
}
