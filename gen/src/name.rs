//! Pass 5: names. Modules are called `lpu_<block>`, with the parameters that differ where a name is taken twice.

use crate::design::{Design, StructureId};
use std::collections::{BTreeMap, BTreeSet};

/// Words Verilog-2005 and SystemVerilog keep for themselves that make plausible signal names.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "always", "and", "assert", "assign", "assume", "automatic", "begin", "bind", "bit", "break",
    "buf", "byte", "case", "cell", "checker", "class", "clocking", "config", "const", "context",
    "continue", "cover", "deassign", "default", "design", "disable", "dist", "do", "edge", "else",
    "end", "endcase", "endmodule", "enum", "event", "expect", "export", "extends", "extern",
    "final", "first_match", "for", "force", "foreach", "forever", "fork", "function", "generate",
    "genvar", "global", "if", "iff", "import", "initial", "inout", "input", "inside", "instance",
    "int", "integer", "interface", "intersect", "join", "large", "let", "library", "local",
    "localparam", "logic", "longint", "macromodule", "matches", "medium", "modport", "module",
    "nand", "negedge", "nettype", "new", "nexttime", "nor", "not", "null", "or", "output",
    "package", "packed", "parameter", "posedge", "primitive", "priority", "program", "property",
    "protected", "pure", "rand", "real", "ref", "reg", "release", "repeat", "restrict", "return",
    "scalared", "sequence", "shortint", "signed", "small", "soft", "solve", "specify", "static",
    "string", "strong", "struct", "super", "supply0", "supply1", "table", "tagged", "task",
    "this", "throughout", "time", "timeprecision", "timeunit", "tran", "tri", "tri0", "tri1",
    "type", "typedef", "union", "unique", "unsigned", "until", "use", "var", "vectored",
    "virtual", "void", "wait", "wand", "weak", "while", "wildcard", "wire", "with", "within",
    "wor", "xnor", "xor",
];

/// Hands out names of which no two are equal.
#[derive(Default)]
pub(crate) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// `wanted` itself if it is free and no keyword, else with the first number that makes it so.
    pub fn take(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while RESERVED.contains(&name.as_str()) || !self.taken.insert(name.clone()) {
            name = format!("{wanted}_v{number}");
            number += 1;
        }
        name
    }
}

/// rust-hdl's `lane$3$in_data` without its dollars.
pub(crate) fn flat(name: &str) -> String {
    name.replace('$', "_")
}

/// Names of the ports of a structure, in order; the same for the module itself and for those who instantiate it.
pub(crate) fn ports(design: &Design, id: StructureId, names: &mut Names) -> Vec<String> {
    let ports = design.structures[id]
        .atoms
        .iter()
        .filter(|atom| atom.kind.is_parameter());
    ports.map(|atom| names.take(&flat(&atom.name))).collect()
}

/// The module name of each structure; empty for cells that have no module.
pub(crate) fn modules(design: &Design, top_name: &str) -> Vec<String> {
    let mut names = Names::default();
    let mut result = vec![String::new(); design.structures.len()];
    let top = design.top();
    result[top] = names.take(top_name);
    let mut groups: BTreeMap<&str, Vec<StructureId>> = BTreeMap::new();
    for (id, structure) in design.structures.iter().enumerate() {
        if id != top && structure.primitive().is_none() {
            groups.entry(&structure.base).or_default().push(id);
        }
    }
    for (base, ids) in groups {
        let differing = differing(design, &ids);
        for id in ids {
            let mut name = format!("lpu_{base}");
            for param in &differing {
                let params = design.structures[id]
                    .record
                    .iter()
                    .flat_map(|record| &record.params);
                for (key, value) in params.filter(|(key, _)| key == param) {
                    name += &format!("_{}{}", word(key), word(value));
                }
            }
            result[id] = names.take(&name);
        }
    }
    result
}

/// The parameters whose values are not the same in all of `ids`, in the order the blocks give them.
fn differing(design: &Design, ids: &[StructureId]) -> Vec<String> {
    let mut values: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
    let mut order = vec![];
    let params = |id: &StructureId| {
        design.structures[*id]
            .record
            .iter()
            .flat_map(|record| &record.params)
    };
    for (key, _) in ids.iter().flat_map(params) {
        if !order.contains(key) {
            order.push(key.clone());
        }
    }
    for key in &order {
        for id in ids {
            let value = params(id)
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str());
            values.entry(key).or_default().insert(value);
        }
    }
    order
        .iter()
        .filter(|key| values[key.as_str()].len() > 1)
        .cloned()
        .collect()
}

/// The letters, digits and underscores of `text`, in lower case.
fn word(text: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    text.chars().map(keep).collect()
}

/// `State$NotReady` as a constant, `STATE_NOT_READY`.
pub(crate) fn constant(name: &str) -> String {
    let mut text = String::new();
    let mut lower = false;
    for c in name.chars() {
        if c == '$' {
            text.push('_');
            lower = false;
            continue;
        }
        if c.is_ascii_uppercase() && lower {
            text.push('_');
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        text.push(c.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_are_equal_and_none_is_a_keyword() {
        let mut names = Names::default();
        let taken: Vec<_> = ["a", "a", "a_v2", "logic", "a"]
            .into_iter()
            .map(|name| names.take(name))
            .collect();
        assert_eq!(taken, ["a", "a_v2", "a_v2_v2", "logic_v2", "a_v3"]);
    }

    #[test]
    fn states_become_constants() {
        assert_eq!(constant("State$NotReady"), "STATE_NOT_READY");
        assert_eq!(constant("Fp8Mode$E4M3"), "FP8_MODE_E4_M3");
    }
}
