//! Writes primitive cells into their parent: flip-flops as clocked processes, the others as assignments.

use crate::error::EmitError;
use crate::expr::Printer;
use crate::ir::{Role, SignalId};
use crate::module::{Module, declaration};
use lpu_hdl::info::Primitive;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Longest list of parts that stays on one line.
const LINE: usize = 100;

/// Parts of a long list on one line.
const PARTS_PER_LINE: usize = 4;

/// The text of the cells of one module.
#[derive(Default)]
pub(crate) struct Cells {
    pub declarations: String,
    pub assigns: String,
    pub processes: String,
}

/// Whether the output of a cell is a register.
pub(crate) fn is_clocked(cell: &Primitive) -> bool {
    match cell {
        Primitive::Flop { .. } | Primitive::Pipe | Primitive::PipeEnable => true,
        Primitive::Delay { stages } => *stages > 0,
        Primitive::Multiply | Primitive::Concat => false,
    }
}

/// What flip-flops that share a process have in common; empty where there is none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Control {
    clock: String,
    reset: String,
    enable: String,
}

/// Flip-flops that share a process: lines done in reset, lines done otherwise.
struct Process {
    control: Control,
    resets: Vec<String>,
    loads: Vec<String>,
}

/// Prints the cells of `module`.
pub(crate) fn print(module: &Module) -> Result<Cells, EmitError> {
    let mut cells = Cells::default();
    let mut processes: Vec<Process> = vec![];
    let mut by_control: BTreeMap<Control, usize> = BTreeMap::new();
    for (index, child) in module.structure.children.iter().enumerate() {
        let Some(cell) = module.design.structures[child.structure].primitive() else {
            continue;
        };
        let ids: Vec<SignalId> = module.signals_of(index).collect();
        let printer = module.printer();
        let port = Ports {
            module,
            printer: &printer,
            prefix: child.name.len() + 1,
            ids: &ids,
        };
        match cell {
            Primitive::Multiply => {
                let (a, b) = (port.text("a")?, port.text("b")?);
                let _ = writeln!(
                    cells.assigns,
                    "  assign {} = $signed({a}) * $signed({b});",
                    port.text("product")?
                );
            }
            Primitive::Concat => {
                let inputs = ids
                    .iter()
                    .filter(|&&id| matches!(module.signals[id].role, Role::ChildInput(_)));
                let parts = inputs.rev().map(|&id| module.connection(port.printer, id));
                let parts = parts.collect::<Result<Vec<_>, _>>()?;
                let word = port.text("word")?;
                let _ = writeln!(cells.assigns, "  assign {word} = {{{}}};", wrapped(&parts));
            }
            Primitive::Delay { stages: 0 } => {
                let _ = writeln!(
                    cells.assigns,
                    "  assign {} = {};",
                    port.text("q")?,
                    port.text("d")?
                );
            }
            Primitive::Flop { .. }
            | Primitive::Pipe
            | Primitive::PipeEnable
            | Primitive::Delay { .. } => {
                let clock = port.text("clock")?;
                let mut control = Control {
                    clock,
                    reset: String::new(),
                    enable: String::new(),
                };
                let (q, d) = (port.text("q")?, port.text("d")?);
                let mut resets = vec![];
                if let Primitive::Flop { reset } = cell {
                    control.reset = port.unless("reset", "1'd0")?;
                    if !control.reset.is_empty() {
                        resets.push(format!("{q} <= {}'h{reset};", port.width("q")));
                    }
                }
                if matches!(cell, Primitive::Flop { .. } | Primitive::PipeEnable) {
                    control.enable = port.unless("enable", "1'd1")?;
                }
                let mut loads = vec![];
                let mut last = d;
                for stage in &module.stages[index] {
                    let _ = writeln!(
                        cells.declarations,
                        "{}",
                        declaration(true, port.width("q"), stage)
                    );
                    loads.push(format!("{stage} <= {last};"));
                    last.clone_from(stage);
                }
                loads.push(format!("{q} <= {last};"));
                let at = *by_control.entry(control.clone()).or_insert_with(|| {
                    processes.push(Process {
                        control,
                        resets: vec![],
                        loads: vec![],
                    });
                    processes.len() - 1
                });
                processes[at].resets.extend(resets);
                processes[at].loads.extend(loads);
            }
        }
    }
    processes
        .iter()
        .for_each(|process| process.print(&mut cells.processes));
    Ok(cells)
}

/// The parts with commas between them; on lines of their own if one line is too short.
fn wrapped(parts: &[String]) -> String {
    let text = parts.join(", ");
    if text.len() <= LINE {
        return text;
    }
    let lines: Vec<String> = parts
        .chunks(PARTS_PER_LINE)
        .map(|parts| parts.join(", "))
        .collect();
    format!("\n    {}\n  ", lines.join(",\n    "))
}

impl Process {
    fn print(&self, out: &mut String) {
        let block = |out: &mut String, lines: &[String]| {
            lines.iter().for_each(|line| {
                let _ = writeln!(out, "      {line}");
            });
        };
        let Control {
            clock,
            reset,
            enable,
        } = &self.control;
        let _ = writeln!(out, "\n  always @(posedge {clock}) begin");
        match (reset.is_empty(), enable.is_empty()) {
            (true, true) => self.loads.iter().for_each(|line| {
                let _ = writeln!(out, "    {line}");
            }),
            (true, false) => {
                let _ = writeln!(out, "    if ({enable}) begin");
                block(out, &self.loads);
                let _ = writeln!(out, "    end");
            }
            (false, _) => {
                let _ = writeln!(out, "    if ({reset}) begin");
                block(out, &self.resets);
                let condition = if enable.is_empty() {
                    String::new()
                } else {
                    format!("if ({enable}) ")
                };
                let _ = writeln!(out, "    end else {condition}begin");
                block(out, &self.loads);
                let _ = writeln!(out, "    end");
            }
        }
        let _ = writeln!(out, "  end");
    }
}

/// The ports of one cell.
struct Ports<'a> {
    module: &'a Module<'a>,
    printer: &'a Printer<'a>,
    /// Length of the cell's name and the `$` after it.
    prefix: usize,
    ids: &'a [SignalId],
}

impl Ports<'_> {
    fn find(&self, name: &str) -> SignalId {
        let port = |id: &&SignalId| &self.module.signals[**id].path[self.prefix..] == name;
        *self
            .ids
            .iter()
            .find(port)
            .unwrap_or_else(|| panic!("a cell of lpu_hdl::prim has no port `{name}`"))
    }

    fn width(&self, name: &str) -> usize {
        self.module.signals[self.find(name)].width
    }

    fn text(&self, name: &str) -> Result<String, EmitError> {
        self.module.connection(self.printer, self.find(name))
    }

    /// The text of a control input, empty if it is tied to `tie`.
    fn unless(&self, name: &str, tie: &str) -> Result<String, EmitError> {
        let text = self.text(name)?;
        Ok(if text == tie { String::new() } else { text })
    }
}
