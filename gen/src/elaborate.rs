//! Pass 1: walks the blocks and keeps one copy of each distinct structure.

use crate::design::{Atom, Child, Design, SignalType, Structure, StructureId};
use crate::error::SignalPath;
use lpu_hdl::info::Record;
use rust_hdl::core::ast::Verilog;
use rust_hdl::core::atom::{Atom as RustHdlAtom, AtomKind};
use rust_hdl::prelude::{Block, Probe, TypeDescriptor, TypeKind};
use std::collections::HashMap;
use std::fmt::Write;

/// Walks `top` and everything below it.
pub(crate) fn elaborate(top: &dyn Block, top_name: &str) -> Design {
    let mut walk = Walk::default();
    top.accept(top_name, &mut walk);
    walk.design
}

/// A block whose children are being visited.
#[derive(Default)]
struct Open {
    name: String,
    namespace: Vec<String>,
    atoms: Vec<Atom>,
    children: Vec<Child>,
    record: Option<Record>,
    /// Its place in [`Design::instances`].
    instance: usize,
}

#[derive(Default)]
struct Walk {
    design: Design,
    stack: Vec<Open>,
    /// Structures seen, by everything that makes them distinct. Looked up, never walked: its order does not matter.
    seen: HashMap<String, StructureId>,
}

impl Walk {
    fn path(&self) -> String {
        self.stack
            .iter()
            .map(|open| dotted(&open.name))
            .collect::<Vec<_>>()
            .join(".")
    }
}

/// rust-hdl's `lane$3` as people write it, `lane[3]`.
pub(crate) fn dotted(name: &str) -> String {
    let mut text = String::new();
    for (i, part) in name.split('$').enumerate() {
        if i == 0 {
            text += part;
        } else if part.bytes().all(|b| b.is_ascii_digit()) {
            let _ = write!(text, "[{part}]");
        } else {
            let _ = write!(text, ".{part}");
        }
    }
    text
}

impl Probe for Walk {
    fn visit_start_scope(&mut self, name: &str, _node: &dyn Block) {
        let instance = self.design.instances.len();
        self.stack.push(Open {
            name: name.into(),
            instance,
            ..Open::default()
        });
        let path = self.path();
        self.design.instances.push((path, usize::MAX));
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        if let Some(open) = self.stack.last_mut() {
            open.namespace.push(name.into());
        }
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        if let Some(open) = self.stack.last_mut() {
            open.namespace.pop();
        }
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn RustHdlAtom) {
        let is_top = self.stack.len() == 1;
        let Some(open) = self.stack.last_mut() else {
            return;
        };
        let descriptor = signal.descriptor();
        if let Some(record) = Record::decode(&descriptor.name) {
            if !record.block.is_empty() {
                open.record = Some(record);
            }
            return;
        }
        let mut full = open.namespace.join("$");
        if !full.is_empty() {
            full.push('$');
        }
        full += name;
        let kind = signal.kind();
        let is_input = matches!(kind, AtomKind::InputParameter | AtomKind::InOutParameter);
        let connected = signal.connected() || (is_top && is_input);
        open.atoms.push(atom(full.clone(), signal, &descriptor));
        if !connected {
            let block = self.path();
            self.design.open.push(SignalPath {
                block,
                signal: dotted(&full),
            });
        }
    }

    fn visit_end_scope(&mut self, name: &str, node: &dyn Block) {
        let path = self.path();
        let Some(open) = self.stack.pop() else { return };
        let is_cell = open
            .record
            .as_ref()
            .is_some_and(|record| record.primitive.is_some());
        let is_top = self.stack.is_empty();
        let body = if is_cell && !is_top {
            Verilog::Empty
        } else {
            node.hdl()
        };
        let base = match &open.record {
            Some(record) => record.block.clone(),
            None => name.split('$').next().unwrap_or(name).to_owned(),
        };
        let structure = Structure {
            atoms: open.atoms,
            children: open.children,
            body,
            record: open.record,
            base,
            path,
        };
        let key = key(&structure);
        let id = match self.seen.get(&key) {
            Some(&id) if !is_top => id,
            _ => {
                let id = self.design.structures.len();
                self.design.structures.push(structure);
                self.seen.insert(key, id);
                id
            }
        };
        if is_cell && !is_top {
            self.design.instances.truncate(open.instance);
            self.design.cells += 1;
        } else {
            self.design.instances[open.instance].1 = id;
        }
        if let Some(parent) = self.stack.last_mut() {
            parent.children.push(Child {
                name: open.name,
                structure: id,
            });
        }
    }
}

fn atom(name: String, signal: &dyn RustHdlAtom, descriptor: &TypeDescriptor) -> Atom {
    let kind = signal.kind();
    let signal_type = match &descriptor.kind {
        TypeKind::Signed(_) => SignalType::Signed,
        TypeKind::Enum(variants) => SignalType::Enum(variants.clone()),
        _ if descriptor.name == "clock" => SignalType::Clock,
        _ => SignalType::Bits,
    };
    let constant = (kind == AtomKind::Constant).then(|| format!("{:x}", signal.verilog()));
    let mut atom = Atom {
        name,
        kind,
        width: signal.bits(),
        signal_type,
        variants: vec![],
        variant_bits: vec![],
        constant,
    };
    variants(descriptor, &mut atom);
    atom
}

/// Collects the enumerations in a type.
fn variants(descriptor: &TypeDescriptor, atom: &mut Atom) {
    match &descriptor.kind {
        TypeKind::Enum(names) => {
            let bits = names.len().next_power_of_two().trailing_zeros() as usize;
            for (value, name) in names.iter().enumerate() {
                atom.variants.push((name.replace("::", "$"), value));
                atom.variant_bits.push(bits);
            }
        }
        TypeKind::Composite(fields) => fields.iter().for_each(|field| variants(&field.kind, atom)),
        TypeKind::Bits(_) | TypeKind::Signed(_) => {}
    }
}

/// Everything that makes a structure distinct, as text. Exact, so equal keys mean equal modules.
fn key(structure: &Structure) -> String {
    let mut key = String::with_capacity(1024);
    let _ = write!(key, "{:?}", structure.record);
    for atom in &structure.atoms {
        let _ = write!(
            key,
            "\n{} {:?} {} {:?} {:?}",
            atom.name, atom.kind, atom.width, atom.signal_type, atom.constant
        );
        for (name, value) in &atom.variants {
            let _ = write!(key, " {name}={value}");
        }
    }
    for child in &structure.children {
        let _ = write!(key, "\n{}:{}", child.name, child.structure);
    }
    let _ = write!(key, "\n{:?}", structure.body);
    key
}
