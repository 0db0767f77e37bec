//! Pass 6: the text of one module.

use crate::EmitOptions;
use crate::cells;
use crate::design::{Atom, Design, Structure, StructureId};
use crate::error::EmitError;
use crate::expr::{Printer, Variant};
use crate::ir::{Body, Role, Signal, SignalId};
use crate::name::{self, Names};
use crate::plan::Plan;
use crate::states;
use lpu_hdl::info::Primitive;
use rust_hdl::core::ast::Verilog;
use rust_hdl::core::atom::AtomKind;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Everything a module's text is made from.
pub(crate) struct Module<'a> {
    pub design: &'a Design,
    pub structure: &'a Structure,
    /// Module name of every structure.
    pub modules: &'a [String],
    /// Port names of every structure.
    pub ports: &'a [Vec<String>],
    pub plan: Plan,
    pub signals: Vec<Signal>,
    /// The name of each signal in the text.
    pub names: Vec<String>,
    instances: Vec<String>,
    variants: BTreeMap<String, Variant>,
    /// Names of the registers inside each child that is a delay.
    pub stages: Vec<Vec<String>>,
    /// Name of the wire that gives unused inputs a use.
    unused: String,
}

impl<'a> Module<'a> {
    /// Names everything in the module of structure `id`.
    pub fn new(
        design: &'a Design,
        id: StructureId,
        modules: &'a [String],
        ports: &'a [Vec<String>],
        plan: Plan,
        body: Body,
    ) -> Self {
        let structure = &design.structures[id];
        let mut all_names = Names::default();
        let mut own_ports = name::ports(design, id, &mut all_names).into_iter();
        let mut names = vec![String::new(); body.signals.len()];
        for (signal, name) in body.signals.iter().zip(&mut names) {
            if matches!(signal.role, Role::Input | Role::Output) {
                *name = own_ports.next().unwrap_or_default();
            }
        }
        for (id, signal) in body.signals.iter().enumerate() {
            let wanted = name::flat(&signal.path);
            names[id] = match signal.role {
                Role::Local => all_names.take(&wanted),
                Role::ChildInput(_) if plan.bound[id].is_none() => all_names.take(&wanted),
                Role::ChildOutput(_) if plan.alias[id].is_none() => {
                    let wanted = if plan.read[id] {
                        wanted
                    } else {
                        format!("unused_{wanted}")
                    };
                    all_names.take(&wanted)
                }
                _ => continue,
            };
        }
        for id in 0..names.len() {
            if let Some(target) = plan.alias[id] {
                names[id] = names[target].clone();
            }
        }
        let instances = structure.children.iter().map(|child| {
            let cell = design.structures[child.structure].primitive().is_some();
            if cell {
                String::new()
            } else {
                all_names.take(&name::flat(&child.name))
            }
        });
        let instances = instances.collect();
        let stages = structure.children.iter().map(|child| {
            let count = match design.structures[child.structure].primitive() {
                Some(Primitive::Delay { stages }) => *stages,
                _ => 0,
            };
            (1..count)
                .map(|stage| all_names.take(&format!("{}_{stage}", name::flat(&child.name))))
                .collect()
        });
        let stages = stages.collect();
        let variants = states::name_variants(&plan, &mut all_names);
        let unused = all_names.take("unused");
        Module {
            design,
            structure,
            modules,
            ports,
            plan,
            signals: body.signals,
            names,
            instances,
            variants,
            stages,
            unused,
        }
    }

    /// The text of the module, with its header.
    pub fn text(&self, module_name: &str, options: &EmitOptions) -> Result<String, EmitError> {
        let mut out = String::new();
        self.header(module_name, options, &mut out);
        let body = self.body()?;
        let registers = self.registers();
        self.port_list(module_name, &registers, &mut out);
        self.declarations(&registers, &mut out);
        out += &body;
        self.unused_inputs(&body, &mut out);
        let _ = write!(out, "\nendmodule\n\n`default_nettype wire\n");
        Ok(out)
    }

    /// Gives a use to inputs that these parameters leave without one, if the block says that this may be.
    fn unused_inputs(&self, body: &str, out: &mut String) {
        let Some(record) = &self.structure.record else {
            return;
        };
        if record.unused.is_empty() {
            return;
        }
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        let used: BTreeSet<&str> = body.split(word).collect();
        let unused = (0..self.signals.len()).filter(|&id| {
            let Signal { path, role, .. } = &self.signals[id];
            let declared = |port: &String| port == path || path.split('$').next() == Some(port);
            *role == Role::Input
                && record.unused.iter().any(declared)
                && !used.contains(self.names[id].as_str())
        });
        let unused: Vec<&str> = unused.map(|id| self.names[id].as_str()).collect();
        if !unused.is_empty() {
            let _ = write!(
                out,
                "\n  wire {} = &{{1'd0, {}}};\n",
                self.unused,
                unused.join(", ")
            );
        }
    }

    fn header(&self, module_name: &str, options: &EmitOptions, out: &mut String) {
        let record = self.structure.record.as_ref();
        let summary = record.map_or("", |record| &record.summary);
        let colon = if summary.is_empty() { "" } else { ": " };
        let _ = writeln!(out, "// {module_name}{colon}{summary}");
        let params = record.iter().flat_map(|record| &record.params);
        let params: Vec<_> = params
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        if !params.is_empty() {
            let _ = writeln!(out, "// Parameters: {}", params.join(", "));
        }
        if let Some(record) = record {
            let _ = writeln!(out, "// Source: {}", record.source);
        }
        let _ = writeln!(out, "{}", options.marker());
        let _ = writeln!(out, "\n`default_nettype none\n");
    }

    /// For each signal, whether it is a `reg`.
    fn registers(&self) -> Vec<bool> {
        let mut registers = self.plan.procedural.clone();
        for (id, signal) in self.signals.iter().enumerate() {
            if let Role::ChildOutput(index) = signal.role {
                let cell =
                    self.design.structures[self.structure.children[index].structure].primitive();
                if cell.is_some_and(cells::is_clocked) {
                    registers[self.plan.alias[id].unwrap_or(id)] = true;
                }
            }
        }
        registers
    }

    fn port_list(&self, module_name: &str, registers: &[bool], out: &mut String) {
        let custom = matches!(self.structure.body, Verilog::Custom(_));
        let ports: Vec<(&Atom, usize)> = {
            let ids = (0..self.signals.len())
                .filter(|&id| matches!(self.signals[id].role, Role::Input | Role::Output));
            self.structure
                .atoms
                .iter()
                .filter(|atom| atom.kind.is_parameter())
                .zip(ids)
                .collect()
        };
        let range = |width: usize| {
            if width == 1 {
                String::new()
            } else {
                format!("[{}:0]", width - 1)
            }
        };
        let column = ports
            .iter()
            .map(|(atom, _)| range(atom.width).len())
            .max()
            .unwrap_or(0);
        let _ = writeln!(out, "module {module_name} (");
        for (at, (atom, id)) in ports.iter().enumerate() {
            let direction = match atom.kind {
                AtomKind::InputParameter => "input  wire",
                _ if custom || registers[*id] => "output reg ",
                _ => "output wire",
            };
            let comma = if at + 1 < ports.len() { "," } else { "" };
            let comment = self
                .comment(&atom.name)
                .map(|text| format!("  // {text}"))
                .unwrap_or_default();
            let width = range(atom.width);
            let space = if column == 0 { "" } else { " " };
            let _ = writeln!(
                out,
                "  {direction} {width:column$}{space}{}{comma}{comment}",
                self.names[*id]
            );
        }
        let _ = writeln!(out, ");");
    }

    /// What the record says about a port; for an element of an array, what it says about the array.
    fn comment(&self, port: &str) -> Option<&str> {
        let ports = &self.structure.record.as_ref()?.ports;
        let find = |name: &str| {
            ports
                .iter()
                .find(|(port, _)| port == name)
                .map(|(_, text)| text.as_str())
        };
        find(port)
            .or_else(|| find(&port.replace('$', ".")))
            .or_else(|| find(port.split('$').next()?))
    }

    fn declarations(&self, registers: &[bool], out: &mut String) {
        let mut lines = vec![];
        for Variant {
            constant,
            value,
            width,
        } in self.variants.values()
        {
            let range = if *width == 1 {
                String::new()
            } else {
                format!("[{}:0] ", width - 1)
            };
            lines.push(format!(
                "  localparam {range}{constant} = {width}'d{value};"
            ));
        }
        for (id, signal) in self.signals.iter().enumerate() {
            let declared = match signal.role {
                Role::Local => true,
                Role::ChildInput(_) => self.plan.bound[id].is_none(),
                Role::ChildOutput(_) => self.plan.alias[id].is_none(),
                _ => false,
            };
            if declared {
                lines.push(declaration(registers[id], signal.width, &self.names[id]));
            }
        }
        if !lines.is_empty() {
            let _ = writeln!(out, "\n{}", lines.join("\n"));
        }
    }

    fn body(&self) -> Result<String, EmitError> {
        let mut out = String::new();
        if let Verilog::Custom(text) = &self.structure.body {
            out.push('\n');
            for line in text.trim().lines() {
                let _ = writeln!(out, "{}", format!("  {}", undollar(line)).trim_end());
            }
            return Ok(out);
        }
        let cells = cells::print(self)?;
        out += &cells.declarations;
        let mut assigns = String::new();
        let printer = self.printer();
        for (target, value) in &self.plan.assigns {
            let name = &self.names[*target];
            let value = printer.value(value, self.signals[*target].width, &format!("`{name}`"))?;
            let _ = writeln!(assigns, "  assign {name} = {value};");
        }
        assigns += &cells.assigns;
        if !assigns.is_empty() {
            let _ = write!(out, "\n{assigns}");
        }
        for process in &self.plan.processes {
            let _ = writeln!(out, "\n  always @(*) begin");
            self.block(&printer, process, 2, &mut out)?;
            let _ = writeln!(out, "  end");
        }
        out += &cells.processes;
        for index in 0..self.structure.children.len() {
            self.instance(&printer, index, &mut out)?;
        }
        Ok(out)
    }

    /// A printer of expressions of this module.
    pub fn printer(&self) -> Printer<'_> {
        Printer {
            signals: &self.signals,
            names: &self.names,
            variants: &self.variants,
            path: &self.structure.path,
        }
    }

    fn instance(&self, printer: &Printer, index: usize, out: &mut String) -> Result<(), EmitError> {
        let child = &self.structure.children[index];
        if self.design.structures[child.structure]
            .primitive()
            .is_some()
        {
            return Ok(());
        }
        let mut lines = vec![];
        for (id, port) in self.signals_of(index).zip(&self.ports[child.structure]) {
            lines.push(format!("    .{port}({})", self.connection(printer, id)?));
        }
        let _ = writeln!(
            out,
            "\n  {} {} (\n{}\n  );",
            self.modules[child.structure],
            self.instances[index],
            lines.join(",\n")
        );
        Ok(())
    }

    /// What is connected to a child's port.
    pub fn connection(&self, printer: &Printer, id: SignalId) -> Result<String, EmitError> {
        match &self.plan.bound[id] {
            Some(e) => printer.value(
                e,
                self.signals[id].width,
                &format!("`{}`", self.signals[id].path),
            ),
            None => Ok(self.names[id].clone()),
        }
    }

    /// The signals of a child, by its index: first to last.
    pub fn signals_of(&self, index: usize) -> impl Iterator<Item = SignalId> + '_ {
        let first = self
            .signals
            .partition_point(|signal| child_of(signal.role) < Some(index));
        (first..self.signals.len())
            .take_while(move |&id| child_of(self.signals[id].role) == Some(index))
    }
}

/// The child a signal belongs to. Signals are in the order of the children, after those of the block itself.
fn child_of(role: Role) -> Option<usize> {
    match role {
        Role::ChildInput(index) | Role::ChildOutput(index) => Some(index),
        _ => None,
    }
}

/// The declaration of a signal.
pub(crate) fn declaration(register: bool, width: usize, name: &str) -> String {
    let kind = if register { "reg " } else { "wire" };
    if width == 1 {
        format!("  {kind} {name};")
    } else {
        format!("  {kind} [{}:0] {name};", width - 1)
    }
}

/// Custom text without rust-hdl's dollars: `part$0` becomes `part_0`, while `$signed` stays.
fn undollar(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut inside = false;
    for c in line.chars() {
        text.push(if c == '$' && inside { '_' } else { c });
        inside = c.is_ascii_alphanumeric() || c == '_' || (c == '$' && inside);
    }
    text
}
