//! What a block says about itself for the Verilog emitter.
//!
//! rust-hdl knows the ports and the logic of a block but not its module name, its parameters, where it was written or
//! what its ports mean. A field `info: Info` in a block carries those. To rust-hdl it is a constant, which its own
//! generator prints as one unused `localparam`; the emitter reads the record out of the constant's type descriptor.

use rust_hdl::core::ast::VerilogLiteral;
use rust_hdl::core::atom::{Atom, AtomKind};
use rust_hdl::core::constraint::PinConstraint;
use rust_hdl::core::signal::get_signal_id;
use rust_hdl::prelude::*;

/// Opens an encoded record, so that no type name of rust-hdl is mistaken for one.
const MAGIC: &str = "lpu-info";
/// Separates the fields of an encoded record.
const FIELD: char = '\u{1e}';
/// Separates the items of a list in an encoded record.
const ITEM: char = '\u{1f}';

/// A cell that the emitter writes into the parent module instead of making a module of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// A flip-flop with enable and synchronous reset; the value is the reset value in hexadecimal digits.
    Flop {
        /// Reset value, hexadecimal digits without a prefix.
        reset: String,
    },
    /// A flip-flop without reset.
    Pipe,
    /// A flip-flop with enable, without reset.
    PipeEnable,
    /// A chain of flip-flops without reset; zero stages are a wire.
    Delay {
        /// Number of flip-flops in the chain.
        stages: usize,
    },
    /// A signed combinational multiplier.
    Multiply,
    /// A concatenation of its inputs, the first one lowest.
    Concat,
}

impl Primitive {
    fn encode(&self) -> String {
        match self {
            Primitive::Flop { reset } => format!("flop:{reset}"),
            Primitive::Pipe => "pipe:".into(),
            Primitive::PipeEnable => "pipe_enable:".into(),
            Primitive::Delay { stages } => format!("delay:{stages}"),
            Primitive::Multiply => "multiply:".into(),
            Primitive::Concat => "concat:".into(),
        }
    }

    fn decode(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once(':')?;
        Some(match kind {
            "flop" => Primitive::Flop {
                reset: value.into(),
            },
            "pipe" => Primitive::Pipe,
            "pipe_enable" => Primitive::PipeEnable,
            "delay" => Primitive::Delay {
                stages: value.parse().ok()?,
            },
            "multiply" => Primitive::Multiply,
            "concat" => Primitive::Concat,
            _ => return None,
        })
    }
}

/// The content of an [`Info`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// Base name of the block; the module is called `lpu_<block>`.
    pub block: String,
    /// Source file, relative to the repository.
    pub source: String,
    /// What the block does, in one line.
    pub summary: String,
    /// Parameters that tell instances of the block apart, in the order given.
    pub params: Vec<(String, String)>,
    /// Comments of ports: the port, what it carries.
    pub ports: Vec<(String, String)>,
    /// Input ports that some parameters leave without a use.
    pub unused: Vec<String>,
    /// Set for cells that are written into their parent.
    pub primitive: Option<Primitive>,
}

impl Record {
    fn encode(&self) -> String {
        let pairs = |list: &[(String, String)]| {
            let items = list
                .iter()
                .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
            items.collect::<Vec<_>>().join(&ITEM.to_string())
        };
        let fields = [
            MAGIC.into(),
            self.block.clone(),
            self.source.clone(),
            self.summary.clone(),
            pairs(&self.params),
            pairs(&self.ports),
            self.unused.join(&ITEM.to_string()),
            self.primitive
                .as_ref()
                .map(Primitive::encode)
                .unwrap_or_default(),
        ];
        fields.join(&FIELD.to_string())
    }

    /// Reads a record back from the name of a type descriptor; `None` if the name is an ordinary type.
    #[must_use]
    pub fn decode(name: &str) -> Option<Self> {
        let fields: Vec<&str> = name.split(FIELD).collect();
        let [
            MAGIC,
            block,
            source,
            summary,
            params,
            ports,
            unused,
            primitive,
        ] = fields[..]
        else {
            return None;
        };
        let pairs = |text: &str| {
            let items: Vec<&str> = text.split(ITEM).collect();
            let pairs = items
                .chunks_exact(2)
                .map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
            pairs.collect::<Vec<_>>()
        };
        Some(Record {
            block: block.into(),
            source: source.into(),
            summary: summary.into(),
            params: pairs(params),
            ports: pairs(ports),
            unused: unused
                .split(ITEM)
                .filter(|port| !port.is_empty())
                .map(String::from)
                .collect(),
            primitive: Primitive::decode(primitive),
        })
    }
}

/// The field of a block that carries its [`Record`] to the emitter.
///
/// ```
/// use lpu_hdl::info::Info;
///
/// let info = Info::new("mem_slice", file!())
///     .summary("One memory slice")
///     .param("LANES", 32)
///     .port("in_data", "one vector, 8 bits a lane");
/// assert_eq!(info.record().block, "mem_slice");
/// ```
#[derive(Clone, Debug)]
pub struct Info {
    record: Record,
    id: usize,
}

impl Default for Info {
    fn default() -> Self {
        Self {
            record: Record::default(),
            id: get_signal_id(),
        }
    }
}

impl Info {
    /// Names a block; `source` is always `file!()`.
    #[must_use]
    pub fn new(block: &str, source: &str) -> Self {
        let record = Record {
            block: block.into(),
            source: relative(source),
            ..Record::default()
        };
        Self {
            record: clean(record),
            id: get_signal_id(),
        }
    }

    /// Says in one line what the block does.
    #[must_use]
    pub fn summary(mut self, text: &str) -> Self {
        self.record.summary = text.into();
        self.record = clean(self.record);
        self
    }

    /// Adds a parameter; name it in capitals as in the documentation of the block.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl ToString) -> Self {
        self.record.params.push((name.into(), value.to_string()));
        self.record = clean(self.record);
        self
    }

    /// Adds the comment of a port; for a `Vec` of ports, the name of the field.
    #[must_use]
    pub fn port(mut self, name: &str, text: &str) -> Self {
        self.record.ports.push((name.into(), text.into()));
        self.record = clean(self.record);
        self
    }

    /// Says that an input port has no use under some parameters, so that lint does not complain when that is so; for a
    /// `Vec` of ports, the name of the field.
    #[must_use]
    pub fn unused(mut self, port: &str) -> Self {
        self.record.unused.push(port.into());
        self.record = clean(self.record);
        self
    }

    /// Marks the block as a cell that the emitter writes into the parent module.
    #[must_use]
    pub(crate) fn primitive(mut self, primitive: Primitive) -> Self {
        self.record.primitive = Some(primitive);
        self
    }

    /// What has been said so far.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }
}

/// Replaces control characters, which would break the encoding and a one-line comment.
fn clean(mut record: Record) -> Record {
    let replace = |text: &mut String| {
        if text.contains(char::is_control) {
            *text = text.replace(char::is_control, " ");
        }
    };
    replace(&mut record.block);
    replace(&mut record.source);
    replace(&mut record.summary);
    record.unused.iter_mut().for_each(replace);
    for (name, value) in record.params.iter_mut().chain(&mut record.ports) {
        replace(name);
        replace(value);
    }
    record
}

/// Makes a path from `file!()` relative to the repository, whatever the machine.
fn relative(source: &str) -> String {
    let source = source.replace('\\', "/");
    match source.rfind("/hdl/src/") {
        Some(at) => source[at + 1..].into(),
        None => source,
    }
}

impl Logic for Info {
    fn update(&mut self) {}
}

impl Block for Info {
    fn connect_all(&mut self) {}

    fn update_all(&mut self) {}

    fn has_changed(&self) -> bool {
        false
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_atom(name, self);
    }
}

impl Atom for Info {
    fn bits(&self) -> usize {
        1
    }

    fn connected(&self) -> bool {
        true
    }

    fn changed(&self) -> bool {
        false
    }

    fn kind(&self) -> AtomKind {
        AtomKind::Constant
    }

    fn descriptor(&self) -> TypeDescriptor {
        TypeDescriptor {
            name: self.record.encode(),
            kind: TypeKind::Bits(1),
        }
    }

    fn vcd(&self) -> VCDValue {
        false.into()
    }

    fn id(&self) -> usize {
        self.id
    }

    fn verilog(&self) -> VerilogLiteral {
        false.into()
    }

    fn constraints(&self) -> Vec<PinConstraint> {
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_the_descriptor() {
        let info = Info::new("fifo", "/home/someone/lpu/hdl/src/prim/fifo.rs")
            .summary("line one\nline two")
            .param("DEPTH", 8)
            .port("in_data", "a word")
            .unused("reset")
            .unused("in_spare")
            .primitive(Primitive::Flop { reset: "1f".into() });
        let read = Record::decode(&info.descriptor().name).expect("an encoded record");
        assert_eq!(&read, info.record());
        assert_eq!(read.source, "hdl/src/prim/fifo.rs");
        assert_eq!(read.summary, "line one line two");
    }

    #[test]
    fn an_ordinary_type_is_no_record() {
        assert_eq!(Record::decode("Bits::<8>"), None);
        assert_eq!(Record::decode("lpu-info"), None);
    }
}
